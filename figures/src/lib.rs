//! What is stored, and what follows from it.
//!
//! From the ground upward, and nothing refers to what stands above it: [`ids`], [`time`], [`dates`] and other small words;
//! [`table`] (keys, items, formats), [`model`] (batches, sessions, visitors), [`counters`] (rows that add up), [`measures`]
//! (what is counted), [`log`] (how counters and lists are kept: segments, blocks, runs, and the view of a reader).

pub mod backoff;
pub mod channels;
pub mod counters;
pub mod dates;
pub mod generation;
mod hash;
pub mod ids;
pub mod log;
pub mod measures;
pub mod model;
pub mod numbers;
pub mod random;
pub mod retention;
pub mod site;
pub mod table;
pub mod time;
