//! Figures and indexes derived from the stored batches.
//!
//! What a visitor adds to them is a pure function of its state and its batches
//! ([`contributions`]). `rollup` writes what changes of it as a [`Delta`], one *segment* for a group of
//! visitors, in the transaction that changes their state. Compaction merges segments into
//! *blocks* (a measure's day of counters) and *runs* (an hour of a time index). A reader adds
//! the few segments that are not compacted yet to the blocks and runs of its range ([`view`]).

pub mod block;
pub mod contributions;
pub mod counters;
pub mod index;
pub mod places;
pub mod stats;
pub mod tail;
pub mod view;
pub mod visits;

use serde::{Deserialize, Serialize};

pub use contributions::Delta;
pub use counters::{Counters, Rows};
pub use index::{BatchEntry, BatchRef, Entries, SessionEntry, SessionRef};
pub use view::View;

/// The version of the set of measures. A session is counted with one version all its life.
pub const MEASURES_VERSION: u16 = 1;

/// A family of additive counters, kept in a block a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Measure {
    /// Sessions, events by type and hour, durations, bounces: [`stats`].
    Stats,
    /// Last sessions of a day, by hour and gap to the visitor's next day: [`visits`].
    Visits,
    /// The same by browser, operating system and country: [`places`].
    Places,
}

impl Measure {
    /// All of them.
    pub const ALL: [Measure; 3] = [Measure::Stats, Measure::Visits, Measure::Places];

    /// Whether a day keeps a limited number of keys apart: where clients choose the keys.
    pub fn are_keys_limited(self) -> bool {
        self != Measure::Places
    }

    /// Its name in the table's keys.
    pub fn name(self) -> &'static str {
        match self {
            Measure::Stats => "stats",
            Measure::Visits => "visits",
            Measure::Places => "places",
        }
    }
}

/// A time index: what lists are read from, kept in runs an hour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Index {
    /// Sessions by start.
    Sessions,
    /// Batches by the instants of their events.
    Events,
}

impl Index {
    /// All of them.
    pub const ALL: [Index; 2] = [Index::Sessions, Index::Events];

    /// Its name in the table's keys.
    pub fn name(self) -> &'static str {
        match self {
            Index::Sessions => "sessions",
            Index::Events => "events",
        }
    }
}
