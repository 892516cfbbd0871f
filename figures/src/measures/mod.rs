//! What is counted: the register of measures.
//!
//! What a measure is, what it adds and how its rows stay small, its own file says ([`Definition`]), which also reads the sums
//! that are shown. Another one is a file here, a variant of [`Measure`], and a line in [`Measure::ALL`] and
//! [`Measure::definition`].

pub mod acquisition;
pub mod audience;
pub mod clicks;
pub mod crowd;
mod definition;
pub mod dimensions;
pub mod distinct;
pub mod errors;
pub mod event_data;
pub mod forms;
pub mod frustration;
pub mod instants;
pub mod journeys;
pub mod kept;
pub mod pages;
pub mod reading;
pub mod seo;
pub mod stats;
pub mod visits;
pub mod vitals;

use serde::{Deserialize, Serialize};

pub use definition::Definition;

use crate::counters::{FlatRows, Rows};

/// The version of the set of measures and of how sessions are counted in them: the latest that one of them came with, or that
/// the counting of all changed. A session is counted with one version all its life, until a rebuild counts it with the latest.
pub const VERSION: u16 = 3;

/// A family of additive counters, kept in a block a day. Append only: positions are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Measure {
    /// Sessions, events by type and hour, durations, bounces: [`stats`].
    Stats,
    /// Last sessions of a day, by hour and the visitor's next active day: [`visits`].
    Visits,
    /// The same by browser, operating system and country: [`dimensions`].
    Dimensions,
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
    /// Where sessions are from and what they are made with: [`audience`].
    Audience,
}

impl Measure {
    /// All of them.
    pub const ALL: [Measure; 14] = [
        Measure::Stats,
        Measure::Visits,
        Measure::Dimensions,
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
        Measure::Audience,
    ];

    /// All that its counting consists of.
    pub fn definition(self) -> &'static Definition {
        match self {
            Measure::Stats => &stats::DEFINITION,
            Measure::Visits => &visits::DEFINITION,
            Measure::Dimensions => &dimensions::DEFINITION,
            Measure::Pages => &pages::DEFINITION,
            Measure::Errors => &errors::DEFINITION,
            Measure::Clicks => &clicks::DEFINITION,
            Measure::Seo => &seo::DEFINITION,
            Measure::Journeys => &journeys::DEFINITION,
            Measure::Reading => &reading::DEFINITION,
            Measure::Forms => &forms::DEFINITION,
            Measure::Acquisition => &acquisition::DEFINITION,
            Measure::Vitals => &vitals::DEFINITION,
            Measure::Frustration => &frustration::DEFINITION,
            Measure::Audience => &audience::DEFINITION,
        }
    }

    /// Its number, by which it is stored.
    pub fn number(self) -> u32 {
        self as u32
    }

    /// The measure of a number; none if it is a later release's.
    pub fn numbered(number: u32) -> Option<Self> {
        Measure::ALL.into_iter().find(|measure| measure.number() == number)
    }

    /// The measure of a name.
    pub fn named(name: &str) -> Option<Self> {
        Measure::ALL.into_iter().find(|measure| measure.name() == name)
    }

    /// Whether its rows are of single visitors, which are not kept for ever.
    pub fn shows_visitors(self) -> bool {
        self == Measure::Frustration
    }

    /// Its name in the table's keys.
    pub fn name(self) -> &'static str {
        self.definition().name
    }

    /// The version of the set of measures that it came with.
    pub fn since(self) -> u16 {
        self.definition().since
    }

    /// Adds up the keys that a day does not keep apart. Says whether any of those that it kept is among them.
    pub fn limit(self, rows: &mut Rows) -> bool {
        let Definition { distinct, strength, max_keys, .. } = *self.definition();
        distinct::trim(distinct, rows);
        max_keys.is_some_and(|max_keys| crowd::limit(strength, rows, max_keys))
    }

    /// A day's rows as readers may see them. Hardly any day has so many keys that it has to be taken apart for it.
    pub fn limited(self, rows: FlatRows) -> FlatRows {
        if self.definition().max_keys.is_none_or(|max_keys| crowd::has_room(&rows, max_keys)) {
            return rows;
        }
        let mut limited = rows.to_rows();
        self.limit(&mut limited);
        FlatRows::from(&limited)
    }

    /// Leaves of a day's rows what is stored.
    pub fn trim_for_storage(self, rows: &mut Rows) {
        let trim = self.definition().trim;
        rows.prune();
        trim(rows);
        if self.limit(rows) {
            trim(rows);
        }
        rows.prune();
    }

    /// A day's rows as readers see them, so that two can be compared.
    pub fn comparable(self, mut rows: Rows) -> Rows {
        let Definition { distinct, reduce, .. } = *self.definition();
        reduce(&mut rows);
        distinct::reduce(distinct, &mut rows);
        crowd::forget(&mut rows);
        rows.prune();
        rows
    }

    /// Drops the keys of a day at which nothing is counted any more, as after an erasure. Says whether there were any.
    pub fn forget_emptied(self, rows: &mut Rows) -> bool {
        self.limit(rows);
        rows.forget_emptied(self.definition().is_emptied)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measures::distinct::tests::view;
    use crate::model::session::BOUNDED_SINCE;

    #[test]
    fn the_latest_change_makes_the_version() {
        assert_eq!(Measure::ALL.map(Measure::since).into_iter().max().max(Some(BOUNDED_SINCE)), Some(VERSION));
        assert!(Measure::ALL.is_sorted() && Measure::ALL.is_sorted_by_key(|measure| measure.since()));
    }

    #[test]
    fn each_measure_has_a_name_of_its_own() {
        let mut names = Measure::ALL.map(Measure::name).to_vec();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), Measure::ALL.len());
    }

    /// Whatever became of marks meanwhile.
    #[test]
    fn nothing_is_left_of_a_key_whose_visitors_are_taken_out() {
        const PAGES: u32 = 2_000;
        let mut rows = Rows::default();
        for page in 0..PAGES {
            rows.add_all(&view(7, &format!("/{page}"), 1));
            Measure::Pages.trim_for_storage(&mut rows);
        }
        for page in [0, PAGES / 2] {
            rows.add_all(&view(7, &format!("/{page}"), -1));
        }
        let mut expunged = rows.clone();
        assert!(Measure::Pages.forget_emptied(&mut expunged));
        Measure::Pages.trim_for_storage(&mut rows);
        for rows in [rows, expunged] {
            let pages = rows.by_table().map(|(_, table)| table.len()).sum::<usize>();
            assert_eq!(pages, PAGES as usize - 2);
        }
    }
}
