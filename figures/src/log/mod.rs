//! How counters and lists are kept: a log of small segments that compaction merges, as log-structured stores do.
//!
//! `rollup` writes what changes of the figures as a [`Delta`], one *segment* for a group of visitors, in the transaction that
//! changes their state. Compaction merges segments into *blocks* (a measure's day of counters) and *runs* (an hour of a time
//! index). A reader adds the few segments that are not compacted yet to the blocks and runs of its range ([`view`]).

pub mod block;
pub mod contributions;
pub mod delta;
pub mod index;
pub mod packed;
pub mod tail;
pub mod view;

pub use delta::{Counters, Delta};
pub use index::{BatchEntry, BatchRef, Entries, SessionEntry, SessionRef};
pub use view::View;
