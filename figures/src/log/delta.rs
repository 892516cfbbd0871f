//! What changes of the figures and lists.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::counters::{Days, Rows};
use crate::log::index::{BatchEntry, BatchRef, Entries, SessionEntry, SessionRef};
use crate::measures::Measure;
use crate::time::Day;

/// Counters of many measures and days.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counters(BTreeMap<Measure, Days>);

impl Counters {
    /// The days of a measure, to add to.
    pub fn days_mut(&mut self, measure: Measure) -> &mut Days {
        self.0.entry(measure).or_default()
    }

    /// The rows of a measure's day, to add to.
    pub fn rows_mut(&mut self, measure: Measure, day: Day) -> &mut Rows {
        self.days_mut(measure).rows_mut(day)
    }

    /// The rows of a measure's day, if any.
    pub fn rows(&self, measure: Measure, day: Day) -> Option<&Rows> {
        self.0.get(&measure)?.rows(day)
    }

    /// The measures.
    pub fn by_measure(&self) -> impl Iterator<Item = (Measure, &Days)> {
        self.0.iter().map(|(measure, days)| (*measure, days))
    }

    /// All rows.
    pub fn iter(&self) -> impl Iterator<Item = ((Measure, Day), &Rows)> {
        self.by_measure().flat_map(|(measure, days)| days.iter().map(move |(day, rows)| ((measure, day), rows)))
    }

    /// Adds other counters so many times.
    pub fn add_all(&mut self, other: &Counters, times: i64) {
        for ((measure, day), rows) in other.iter() {
            self.rows_mut(measure, day).add_times(rows, times);
        }
    }

    /// Drops the days before this one.
    pub fn drop_before(&mut self, day: Day) {
        self.0.values_mut().for_each(|days| days.drop_before(day));
        self.0.retain(|_, days| !days.is_empty());
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.iter().map(|(_, rows)| rows.len()).sum()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The first half of the rows, and the second.
    pub fn halves(self) -> (Self, Self) {
        let (half, mut halves) = (self.len() / 2, (Counters::default(), Counters::default()));
        let days = self.0.into_iter().flat_map(|(measure, days)| days.into_iter().map(move |day| (measure, day)));
        let rows = days.flat_map(|(measure, (day, rows))| rows.into_rows().map(move |row| (measure, day, row)));
        for (position, (measure, day, (table, key, row))) in rows.enumerate() {
            let half = if position < half { &mut halves.0 } else { &mut halves.1 };
            half.rows_mut(measure, day).table_mut(table).insert(key, row);
        }
        halves
    }

    /// Drops what is 0.
    pub fn prune(&mut self) {
        for days in self.0.values_mut() {
            days.prune();
        }
        self.0.retain(|_, days| !days.is_empty());
    }
}

/// A change of figures and indexes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delta {
    /// What is added to counters.
    pub counters: Counters,
    /// What changes in the index of sessions.
    pub sessions: Entries<SessionRef, SessionEntry>,
    /// What changes in the index of events.
    pub events: Entries<BatchRef, BatchEntry>,
}

impl Delta {
    /// Adds another change.
    pub fn add_all(&mut self, other: &Delta) {
        self.counters.add_all(&other.counters, 1);
        self.sessions.merge(other.sessions.clone());
        self.events.merge(other.events.clone());
    }

    /// Drops from the indexes the days before this one.
    pub fn drop_entries_before(&mut self, day: Day) {
        self.sessions.drop_before(day);
        self.events.drop_before(day);
    }

    /// Whether [`Delta::halves`] makes it smaller.
    pub fn is_divisible(&self) -> bool {
        self.counters.len() > 1 || self.sessions.len() > 1 || self.events.len() > 1
    }

    /// Two changes that come to the same as this one.
    pub fn halves(self) -> [Delta; 2] {
        let (counters, sessions, events) = (self.counters.halves(), self.sessions.halves(), self.events.halves());
        [
            Delta { counters: counters.0, sessions: sessions.0, events: events.0 },
            Delta { counters: counters.1, sessions: sessions.1, events: events.1 },
        ]
    }

    /// Whether it changes nothing.
    pub fn is_empty(&self) -> bool {
        self.counters.is_empty() && self.sessions.is_empty() && self.events.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_come_to_the_whole() {
        let mut whole = Counters::default();
        for number in 0..101 {
            whole.rows_mut(Measure::Pages, Day(number % 3)).add(number as u8 % 2, &format!("key {number}"), 1, 1);
        }
        let (mut first, second) = whole.clone().halves();
        assert_eq!((first.len(), second.len()), (50, 51));
        first.add_all(&second, 1);
        assert_eq!(first, whole);
    }
}
