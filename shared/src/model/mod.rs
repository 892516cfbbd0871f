//! What is stored of visitors: batches, the only source of truth, and the state that
//! `rollup` derives from them, so that a visitor's next batch costs no reading of the earlier ones.

pub mod batch;
pub mod session;
pub mod visitor;

pub use batch::{Batch, Event, SessionFacts, VisitorFacts};
pub use session::Session;
pub use visitor::Visitor;
