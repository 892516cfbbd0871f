//! Distinct visitors by key: which days a visitor was seen at a URL, a message or a selector.
//!
//! A visitor remembers the days by a hash of the key (see [`super::seen_runs`]), so that a row can count the gaps between
//! them (see [`gaps`]).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::counters::{Cells, Counters, TableId};
use super::{Measure, gaps};
use crate::codec::Packed;
use crate::time::Day;

/// Gap fields of rows that count other things too begin here.
const BASE: u32 = 1_000;

/// The distinct visitors of a row that are counted on its day, in a range that ends on `end`.
pub fn counted(row: Cells<'_>, day: Day, end: Day) -> u64 {
    gaps::counted(row, BASE, day, end)
}

/// That a visitor was seen at a key on a day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// Of this measure.
    pub measure: Measure,
    /// In this table of it.
    pub table: TableId,
    /// At this key.
    pub key: String,
    /// On this day.
    pub day: Day,
}

impl Seen {
    /// The 48 bits by which the visitor knows the key: enough for its hundred thousand keys.
    pub fn hash(&self) -> u64 {
        let mut hash = Sha256::new();
        hash.update(self.measure.name());
        hash.update([self.table]);
        hash.update(&self.key);
        let mut first = [0; 8];
        first.copy_from_slice(&hash.finalize()[..8]);
        u64::from_be_bytes(first) >> 16
    }

    /// Counts its day among the visitor's other days at the key, which are in order, `by` times: -1 takes it out again.
    pub fn count(&self, days: &[Day], counters: &mut Counters, by: i64) {
        let previous = days.partition_point(|day| *day < self.day).checked_sub(1).and_then(|at| days.get(at)).copied();
        let next = days.get(days.partition_point(|day| *day <= self.day)).copied();
        self.add(counters, self.day, next, by);
        if let Some(previous) = previous {
            self.add(counters, previous, next, -by);
            self.add(counters, previous, Some(self.day), by);
        }
    }

    fn add(&self, counters: &mut Counters, day: Day, next: Option<Day>, by: i64) {
        if let Some(gap) = gaps::gap(day, next) {
            counters.rows_mut(self.measure, day).add(self.table, &self.key, BASE + gap, by);
        }
    }
}

/// Days at keys, by the key's hash.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeenDays(BTreeMap<u64, Vec<Day>>);

impl Packed<'_> for SeenDays {
    type V2 = Self;
    type V3 = Self;
}

impl SeenDays {
    /// How many days at keys there are.
    pub fn len(&self) -> usize {
        self.0.values().map(Vec::len).sum()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The days at a key, in order.
    pub fn days(&self, hash: u64) -> &[Day] {
        self.0.get(&hash).map(Vec::as_slice).unwrap_or_default()
    }

    /// All days, by key.
    pub fn iter(&self) -> impl Iterator<Item = (u64, Day)> {
        self.0.iter().flat_map(|(hash, days)| days.iter().map(|day| (*hash, *day)))
    }

    /// Whether a key's day is among them.
    pub fn contains(&self, hash: u64, day: Day) -> bool {
        self.days(hash).binary_search(&day).is_ok()
    }

    /// Adds a key's day; says whether it was not among them.
    pub fn insert(&mut self, hash: u64, day: Day) -> bool {
        let days = self.0.entry(hash).or_default();
        match days.binary_search(&day) {
            Ok(_) => false,
            Err(place) => {
                days.insert(place, day);
                true
            }
        }
    }

    /// Removes a key's day; says whether it was among them.
    pub fn remove(&mut self, hash: u64, day: Day) -> bool {
        let Some(days) = self.0.get_mut(&hash) else { return false };
        let Ok(place) = days.binary_search(&day) else { return false };
        days.remove(place);
        if days.is_empty() {
            self.0.remove(&hash);
        }
        true
    }

    /// Takes so many days out, if there are as many.
    pub fn take(&mut self, count: usize) -> SeenDays {
        let (mut taken, mut left) = (SeenDays::default(), count);
        while left > 0
            && let Some((hash, mut days)) = self.0.pop_first()
        {
            let rest = days.split_off(left.min(days.len()));
            left -= days.len();
            taken.0.insert(hash, days);
            if !rest.is_empty() {
                self.0.insert(hash, rest);
            }
        }
        taken
    }
}

/// How many shards remember what the state has no room for, as they were written before there were runs.
pub const SHARDS: u8 = 16;

/// The shard that remembers a key.
pub fn shard(hash: u64) -> u8 {
    (hash % u64::from(SHARDS)) as u8
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Whatever is seen and forgotten, in whatever order, the counters answer any range.
        #[test]
        fn counters_answer_any_range(
            steps in proptest::collection::vec((0u8..4, 0i32..12, any::<bool>()), 0..40),
            start in 0i32..12, length in 0i32..12,
        ) {
            let mut visitors: BTreeMap<u8, BTreeSet<i32>> = BTreeMap::new();
            let mut counters = Counters::default();
            for (visitor, day, is_seen) in steps {
                let seen = Seen { measure: Measure::Pages, table: 0, key: "/".to_owned(), day: Day(day) };
                let days = visitors.entry(visitor).or_default();
                let known: Vec<Day> = days.iter().copied().map(Day).collect();
                if is_seen && days.insert(day) {
                    seen.count(&known, &mut counters, 1);
                } else if !is_seen && days.remove(&day) {
                    seen.count(&known, &mut counters, -1);
                }
            }
            let end = start + length;
            let counted: u64 = (start..=end)
                .filter_map(|day| counters.rows(Measure::Pages, Day(day)).map(|rows| counted(rows.row(0, "/"), Day(day), Day(end))))
                .sum();
            let expected = visitors.values().filter(|days| days.range(start..=end).next().is_some()).count();
            prop_assert_eq!(counted, expected as u64);
        }
    }
}
