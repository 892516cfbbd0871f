//! Generations: the figures and indexes of a project as they were derived in one go.
//!
//! A rebuild derives everything anew beside what readers see, as a generation of its own, and shows it at once when it is
//! complete. Each visitor's item says up to which generation the visitor is counted, its *mark*, and each segment carries
//! the mark of its visitors. Blocks and runs belong to one generation.
//!
//! Invariant: a segment counts in every generation up to its own. What changes of a visitor before the rebuild has
//! counted it belongs to earlier generations only, for the rebuild counts the outcome; what changes after that belongs to
//! the new generation as well as to those before it.

use serde::{Deserialize, Serialize};

/// The number of a generation: that of the round of compaction which began it, so it grows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Generation(pub u64);

impl Generation {
    /// The one that a project begins with.
    pub const FIRST: Generation = Generation(0);
}
