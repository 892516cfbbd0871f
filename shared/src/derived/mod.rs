//! Figures and indexes derived from the stored batches.
//!
//! What a visitor adds to them is a pure function of its state and its batches
//! ([`contributions`]). `rollup` writes what changes of it as a [`Delta`], one *segment* for a group of
//! visitors, in the transaction that changes their state. Compaction merges segments into
//! *blocks* (a measure's day of counters) and *runs* (an hour of a time index). A reader adds
//! the few segments that are not compacted yet to the blocks and runs of its range ([`view`]).

pub mod acquisition;
pub mod block;
pub mod clicks;
pub mod contributions;
pub mod counters;
pub mod crowd;
pub mod distinct;
pub mod errors;
pub mod facts;
pub mod flat;
pub mod forms;
pub mod frustration;
pub mod gaps;
pub mod generation;
pub mod index;
pub mod instants;
pub mod journeys;
pub mod kept;
pub mod packed;
pub mod pages;
pub mod places;
pub mod reading;
pub mod seen_runs;
pub mod seo;
pub mod shown;
pub mod stats;
pub mod sums;
pub mod tail;
pub mod view;
pub mod visits;
pub mod vitals;

use serde::{Deserialize, Serialize};

pub use contributions::Delta;
use counters::{Cells, TableId};
pub use counters::{Counters, Rows};
pub use flat::FlatRows;
pub use generation::Generation;
pub use index::{BatchEntry, BatchRef, Entries, SessionEntry, SessionRef};
pub use view::View;

/// The version of the measures and of how sessions are counted in them (see [`Measure::since`]). A session is counted with
/// one version all its life, until a rebuild counts it with the latest.
pub const MEASURES_VERSION: u16 = 2;

/// The version since which a session ends a day after its start, and rankings keep [so much](kept) of a text.
pub const BOUNDED_SINCE: u16 = 2;

/// The most keys of a table's day that are kept apart, so that nobody who holds the public key can make reading expensive.
const MAX_KEYS: usize = 2_000;

/// A family of additive counters, kept in a block a day. Append only: positions are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Measure {
    /// Sessions, events by type and hour, durations, bounces: [`stats`].
    Stats,
    /// Last sessions of a day, by hour and gap to the visitor's next day: [`visits`].
    Visits,
    /// The same by browser, operating system and country: [`places`].
    Places,
    /// Page views by URL: [`pages`].
    Pages,
    /// Errors and warnings by message: [`errors`].
    Errors,
    /// Clicks that went wrong, by element: [`clicks`].
    Clicks,
    /// Diagnostics by page: [`seo`].
    Seo,
    /// Transitions, entry and exit pages: [`journeys`].
    Journeys,
    /// How pages are read: [`reading`].
    Reading,
    /// Forms that were left: [`forms`].
    Forms,
    /// Where sessions come from: [`acquisition`].
    Acquisition,
    /// Web Vitals: [`vitals`].
    Vitals,
    /// What each visitor suffered: [`frustration`].
    Frustration,
}

impl Measure {
    /// All of them.
    pub const ALL: [Measure; 13] = [
        Measure::Stats,
        Measure::Visits,
        Measure::Places,
        Measure::Pages,
        Measure::Errors,
        Measure::Clicks,
        Measure::Seo,
        Measure::Journeys,
        Measure::Reading,
        Measure::Forms,
        Measure::Acquisition,
        Measure::Vitals,
        Measure::Frustration,
    ];

    /// The version of the set of measures that it came with. A session that is counted with an earlier one adds nothing
    /// to it.
    pub fn since(self) -> u16 {
        match self {
            Measure::Stats
            | Measure::Visits
            | Measure::Places
            | Measure::Pages
            | Measure::Errors
            | Measure::Clicks
            | Measure::Seo
            | Measure::Journeys
            | Measure::Reading
            | Measure::Forms
            | Measure::Acquisition
            | Measure::Vitals
            | Measure::Frustration => 1,
        }
    }

    /// The tables whose rows count distinct visitors.
    fn tables_of_distinct(self) -> &'static [TableId] {
        match self {
            Measure::Pages => &pages::DISTINCT,
            Measure::Errors => &errors::DISTINCT,
            Measure::Clicks => &clicks::DISTINCT,
            _ => &[],
        }
    }

    /// How many keys of a table a day keeps apart, where clients choose the keys.
    fn max_keys(self) -> Option<usize> {
        match self {
            Measure::Visits | Measure::Places | Measure::Vitals => None,
            Measure::Frustration => Some(frustration::MAX_VISITORS),
            _ => Some(MAX_KEYS),
        }
    }

    /// What a row has behind it: if a day has too many keys, those with the most are kept apart.
    fn strength(self, table: TableId, row: Cells<'_>) -> i64 {
        match self {
            Measure::Stats => stats::strength(table, row),
            Measure::Pages => pages::strength(row),
            Measure::Errors => errors::strength(table, row),
            Measure::Clicks => clicks::strength(row),
            Measure::Seo => instants::kept(row),
            Measure::Frustration => frustration::strength(row),
            Measure::Visits | Measure::Places | Measure::Vitals => crowd::STAYS,
            // Their first field counts what their rows are of.
            Measure::Journeys | Measure::Reading | Measure::Forms | Measure::Acquisition => row.get(0),
        }
    }

    /// Adds up the keys that a day does not keep apart. Says whether any of those that it kept is among them.
    pub fn limit(self, rows: &mut Rows) -> bool {
        distinct::trim(self, rows);
        self.max_keys().is_some_and(|max_keys| crowd::limit(self, rows, max_keys))
    }

    /// Leaves of a day's rows what is stored.
    pub fn settle(self, rows: &mut Rows) {
        rows.prune();
        self.trim(rows);
        if self.limit(rows) {
            self.trim(rows);
        }
        rows.prune();
    }

    /// Keeps a day's rows small, where adding alone would let them grow with the number of events.
    fn trim(self, rows: &mut Rows) {
        match self {
            Measure::Errors => errors::trim(rows),
            Measure::Seo => seo::trim(rows),
            Measure::Vitals => vitals::trim(rows),
            _ => {}
        }
    }

    /// A day's rows as readers see them, so that two can be compared.
    pub fn comparable(self, mut rows: Rows) -> Rows {
        match self {
            Measure::Errors => errors::reduce(&mut rows),
            Measure::Seo => seo::reduce(&mut rows),
            Measure::Vitals => vitals::reduce(&mut rows),
            _ => {}
        }
        distinct::reduce(self, &mut rows);
        crowd::forget(&mut rows);
        rows.prune();
        rows
    }

    /// Drops the keys of a day at which nothing is counted any more, as after an erasure. Says whether there were any.
    pub fn forget_emptied(self, rows: &mut Rows) -> bool {
        self.limit(rows);
        match self {
            Measure::Errors => rows.forget_emptied(errors::is_emptied),
            Measure::Seo => rows.forget_emptied(|_, row| instants::is_emptied(row)),
            _ => rows.forget_emptied(|_, row| row.iter().all(|(_, count)| count == 0)),
        }
    }

    /// Its name in the table's keys.
    pub fn name(self) -> &'static str {
        match self {
            Measure::Stats => "stats",
            Measure::Visits => "visits",
            Measure::Places => "places",
            Measure::Pages => "pages",
            Measure::Errors => "errors",
            Measure::Clicks => "clicks",
            Measure::Seo => "seo",
            Measure::Journeys => "journeys",
            Measure::Reading => "reading",
            Measure::Forms => "forms",
            Measure::Acquisition => "acquisition",
            Measure::Vitals => "vitals",
            Measure::Frustration => "frustration",
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_change_makes_the_version() {
        assert_eq!(Measure::ALL.map(Measure::since).into_iter().max().max(Some(BOUNDED_SINCE)), Some(MEASURES_VERSION));
        assert!(Measure::ALL.is_sorted() && Measure::ALL.is_sorted_by_key(|measure| measure.since()));
    }
}
