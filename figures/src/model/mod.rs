//! What is stored of visitors: batches, the only source of truth, and the state that
//! `rollup` derives from them, so that a visitor's next batch costs no reading of the earlier ones.

pub mod batch;
pub mod event_types;
pub mod seen;
pub mod seen_runs;
pub mod session;
pub mod trail;
pub mod visitor;

pub use crate::model::batch::{Batch, Event, SessionFacts, VisitorFacts};
pub use crate::model::session::Session;
pub use crate::model::visitor::Visitor;
