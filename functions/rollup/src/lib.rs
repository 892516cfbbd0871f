//! The consumer of the table's stream, which has new batches counted.

mod spending;
pub mod stream;
