//! What the integration tests share: the product as one process, the model that its answers are compared
//! with, histories to feed both with, and what may go wrong on the way.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

pub mod access;
pub mod check;
pub mod clock;
pub mod copies;
pub mod delivery;
pub mod example;
pub mod faults;
pub mod formats;
mod forwarded;
pub mod generate;
pub mod generate_insights;
pub mod http;
pub mod lambda;
pub mod oracle;
pub mod oracle_insights;
pub mod people;
pub mod property;
pub mod queue;
pub mod role;
pub mod sent;
pub mod stack;
pub mod stream;
pub mod told;
pub mod tracker;
