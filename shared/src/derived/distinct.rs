//! Distinct visitors by key: which days a visitor was seen at a URL, a message or a selector.
//!
//! A visitor's state remembers the days by a hash of the key, so that a row can count the gaps between
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
    /// The 48 bits by which the visitor's state knows the key: enough for a visitor's few thousand keys.
    pub fn hash(&self) -> u64 {
        let mut hash = Sha256::new();
        hash.update(self.measure.name());
        hash.update([self.table]);
        hash.update(&self.key);
        let mut first = [0; 8];
        first.copy_from_slice(&hash.finalize()[..8]);
        u64::from_be_bytes(first) >> 16
    }

    fn add(&self, counters: &mut Counters, day: Day, next: Option<Day>, by: i64) {
        if let Some(gap) = gaps::gap(day, next) {
            counters.rows_mut(self.measure, day).add(self.table, &self.key, BASE + gap, by);
        }
    }
}

/// The days a visitor was seen at each key, by the key's hash.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeenDays(BTreeMap<u64, Vec<Day>>);

impl Packed<'_> for SeenDays {
    type V2 = Self;
    type V3 = Self;
}

impl SeenDays {
    /// How many days at keys are remembered.
    pub fn len(&self) -> usize {
        self.0.values().map(Vec::len).sum()
    }

    /// Whether nothing is remembered.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether a key's day is remembered.
    pub fn contains(&self, hash: u64, day: Day) -> bool {
        self.0.get(&hash).is_some_and(|days| days.binary_search(&day).is_ok())
    }

    /// Remembers that the visitor was seen, and adds what follows for the counters.
    pub fn insert(&mut self, seen: &Seen, counters: &mut Counters) {
        let days = self.0.entry(seen.hash()).or_default();
        let Err(place) = days.binary_search(&seen.day) else { return };
        let (previous, next) = neighbours(days, place, place);
        seen.add(counters, seen.day, next, 1);
        if let Some(previous) = previous {
            seen.add(counters, previous, next, -1);
            seen.add(counters, previous, Some(seen.day), 1);
        }
        days.insert(place, seen.day);
    }

    /// Forgets that the visitor was seen: the reverse of [`SeenDays::insert`].
    pub fn remove(&mut self, seen: &Seen, counters: &mut Counters) {
        let hash = seen.hash();
        let Some(days) = self.0.get_mut(&hash) else { return };
        let Ok(place) = days.binary_search(&seen.day) else { return };
        let (previous, next) = neighbours(days, place, place + 1);
        seen.add(counters, seen.day, next, -1);
        if let Some(previous) = previous {
            seen.add(counters, previous, Some(seen.day), -1);
            seen.add(counters, previous, next, 1);
        }
        days.remove(place);
        if days.is_empty() {
            self.0.remove(&hash);
        }
    }

    /// Takes in the days that are remembered elsewhere of a key.
    pub fn pull(&mut self, hash: u64, elsewhere: &SeenDays) {
        if let Some(days) = elsewhere.0.get(&hash) {
            let known = self.0.entry(hash).or_default();
            known.extend(days);
            known.sort_unstable();
            known.dedup();
        }
    }

    /// Forgets a key's day; says whether it was remembered.
    pub fn forget(&mut self, hash: u64, day: Day) -> bool {
        let Some(days) = self.0.get_mut(&hash) else { return false };
        let before = days.len();
        days.retain(|known| *known != day);
        let is_forgotten = days.len() < before;
        if days.is_empty() {
            self.0.remove(&hash);
        }
        is_forgotten
    }

    /// Everything, by the shard of its hash.
    pub fn into_shards(self) -> BTreeMap<u8, SeenDays> {
        let mut shards: BTreeMap<u8, SeenDays> = BTreeMap::new();
        for (hash, days) in self.0 {
            shards.entry(shard(hash)).or_default().0.insert(hash, days);
        }
        shards
    }

    /// Takes in all that is remembered elsewhere.
    pub fn merge(&mut self, elsewhere: SeenDays) {
        for hash in elsewhere.0.keys() {
            self.pull(*hash, &elsewhere);
        }
    }
}

/// The shard that remembers a key once a visitor's state has grown too long for it.
pub fn shard(hash: u64) -> u8 {
    (hash % 16) as u8
}

fn neighbours(days: &[Day], before: usize, after: usize) -> (Option<Day>, Option<Day>) {
    (before.checked_sub(1).and_then(|at| days.get(at)).copied(), days.get(after).copied())
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
            let mut visitors: BTreeMap<u8, (SeenDays, BTreeSet<i32>)> = BTreeMap::new();
            let mut counters = Counters::default();
            for (visitor, day, is_seen) in steps {
                let seen = Seen { measure: Measure::Pages, table: 0, key: "/".to_owned(), day: Day(day) };
                let (days, model) = visitors.entry(visitor).or_default();
                if is_seen {
                    days.insert(&seen, &mut counters);
                    model.insert(day);
                } else {
                    days.remove(&seen, &mut counters);
                    model.remove(&day);
                }
            }
            let end = start + length;
            let counted: u64 = (start..=end)
                .filter_map(|day| counters.rows(Measure::Pages, Day(day)).map(|rows| counted(rows.row(0, "/"), Day(day), Day(end))))
                .sum();
            let expected = visitors.values().filter(|(_, days)| days.range(start..=end).next().is_some()).count();
            prop_assert_eq!(counted, expected as u64);
        }
    }
}
