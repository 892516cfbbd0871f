//! Additive counters: rows of numbered fields. Adding them in any order and grouping gives the same.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Measure;
use crate::time::Day;

/// The most distinct keys of a measure's day that are kept apart; further ones count as [`OTHER`],
/// so that nobody who holds the public key can make reading expensive.
pub const MAX_KEYS: usize = 2_000;

/// The key that stands for all beyond [`MAX_KEYS`].
pub const OTHER: &str = "(other)";

/// The counters of one key, by field. What a field means, the measure's module says.
pub type Row = BTreeMap<u32, i64>;

/// The counters of a measure's day, by key.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rows(BTreeMap<String, Row>);

impl Rows {
    /// Adds to one counter.
    pub fn add(&mut self, key: &str, field: u32, by: i64) {
        if by == 0 {
            return;
        }
        match self.0.get_mut(key) {
            Some(row) => *row.entry(field).or_default() += by,
            None => {
                self.0.insert(key.to_owned(), Row::from([(field, by)]));
            }
        }
    }

    /// Adds other rows, keeping at most [`MAX_KEYS`] keys: a new key beyond them is added to [`OTHER`].
    /// Keys never make room again, so what was added to `OTHER` is also subtracted there.
    pub fn add_all(&mut self, other: &Rows) {
        for (key, row) in &other.0 {
            let known = self.0.contains_key(key) || self.0.len() < MAX_KEYS;
            let target = self.0.entry(if known { key.clone() } else { OTHER.to_owned() }).or_default();
            for (field, by) in row {
                *target.entry(*field).or_default() += by;
            }
        }
    }

    /// Drops counters that are 0, and rows without counters.
    pub fn prune(&mut self) {
        for row in self.0.values_mut() {
            row.retain(|_, count| *count != 0);
        }
        self.0.retain(|_, row| !row.is_empty());
    }

    /// One row; an empty one where the key is unknown.
    pub fn row(&self, key: &str) -> &Row {
        static EMPTY: Row = Row::new();
        self.0.get(key).unwrap_or(&EMPTY)
    }

    /// All rows.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Row)> {
        self.0.iter().map(|(key, row)| (key.as_str(), row))
    }

    /// Whether nothing is counted.
    pub fn is_zero(&self) -> bool {
        self.0.values().all(|row| row.values().all(|count| *count == 0))
    }
}

/// Counters of many measures and days.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counters(BTreeMap<(Measure, Day), Rows>);

impl Counters {
    /// The rows of a measure's day, to add to.
    pub fn rows_mut(&mut self, measure: Measure, day: Day) -> &mut Rows {
        self.0.entry((measure, day)).or_default()
    }

    /// The rows of a measure's day, if any.
    pub fn rows(&self, measure: Measure, day: Day) -> Option<&Rows> {
        self.0.get(&(measure, day))
    }

    /// All rows.
    pub fn iter(&self) -> impl Iterator<Item = ((Measure, Day), &Rows)> {
        self.0.iter().map(|(place, rows)| (*place, rows))
    }

    /// Adds other counters. Within one segment no key is folded into `(other)`: a block decides that.
    pub fn add_all(&mut self, other: &Counters, times: i64) {
        for ((measure, day), rows) in &other.0 {
            let target = self.rows_mut(*measure, *day);
            for (key, row) in &rows.0 {
                for (field, by) in row {
                    target.add(key, *field, by * times);
                }
            }
        }
    }

    /// Drops what is 0.
    pub fn prune(&mut self) {
        for rows in self.0.values_mut() {
            rows.prune();
        }
        self.0.retain(|_, rows| !rows.0.is_empty());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_beyond_the_limit_count_as_other_and_are_subtracted_there() {
        let mut block = Rows::default();
        for number in 0..MAX_KEYS + 5 {
            let mut delta = Rows::default();
            delta.add(&format!("{number:05}"), 1, 2);
            block.add_all(&delta);
        }
        assert_eq!(block.row(OTHER).get(&1), Some(&10));
        let mut removal = Rows::default();
        removal.add("02004", 1, -2);
        removal.add("00000", 1, -2);
        block.add_all(&removal);
        assert_eq!(block.row(OTHER).get(&1), Some(&8));
        assert_eq!(block.row("00000").get(&1), Some(&0));
        block.prune();
        assert!(block.row("00000").is_empty());
    }
}
