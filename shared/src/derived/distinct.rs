//! Distinct visitors by key: which days a visitor was seen at a URL, a message or a selector.
//!
//! A visitor remembers the days by a hash of the key (see [`super::seen_runs`]), so that a row can count the gaps between
//! them (see [`gaps`]).
//!
//! The row of all keys that a [crowded](super::crowd) day does not keep apart has a visitor once for each of them. How many
//! visitors these are, *marks* tell: each visitor has one, which it leaves at each of its keys, and marks move with what
//! their row counts. Several visitors may have the same mark, and how many have none tells how many there are: linear counting
//! (Whang, Vander-Zanden and Taylor, 1990), within 3 % for some ten thousand.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::counters::{Cells, Counters, OTHER, Rows, Table, TableId};
use super::flat::FlatRows;
use super::{Measure, crowd, gaps};
use crate::codec::Packed;
use crate::hash::first_64_bits;
use crate::ids::VisitorId;
use crate::time::Day;

/// Gap fields of rows that count other things too begin here.
const BASE: u32 = 1_000;

/// The fields of marks. Each counts four marks, in so many bits each.
const FIRST_MARKS: u32 = 1;
const MARK_FIELDS: u64 = 999;
const MARKS_A_FIELD: u64 = 4;
const MARK_BITS: u64 = 15;

/// Rows of more visitors go without marks: those that leave all the same are few, on days of thousands of such keys.
const MAX_MARKED: i64 = 16;

/// A table of fewer keys is far from crowded, and goes without marks.
const MIN_MARKED_KEYS: usize = 1_000;

/// The distinct visitors of a row that are counted on its day, in a range that ends on `end`.
pub fn counted(row: Cells<'_>, day: Day, end: Day) -> u64 {
    gaps::counted(row, BASE, day, end)
}

/// The distinct visitors of a row.
pub fn visitors(row: Cells<'_>) -> i64 {
    row.from_field(BASE).map(|(_, count)| count).sum()
}

/// The field of a visitor's mark, and what is added there.
fn mark(visitor: &VisitorId) -> (u32, i64) {
    let hash = first_64_bits(Sha256::new_with_prefix(visitor.as_str()));
    let place = hash / MARK_FIELDS % MARKS_A_FIELD;
    (FIRST_MARKS + (hash % MARK_FIELDS) as u32, 1 << (place * MARK_BITS))
}

fn marks(row: Cells<'_>) -> impl Iterator<Item = (u32, i64)> {
    row.before_field(BASE).filter(|(field, _)| is_mark(*field))
}

/// Drops the marks that nobody will ask for, and those below zero of visitors whose marks were dropped before they were taken
/// out. Where a table has others, what counts nothing goes to them whole.
pub fn trim(measure: Measure, rows: &mut Rows) {
    for table in tables_of(measure, rows) {
        let (has_others, is_small) = (crowd::has_others(table), table.len() < MIN_MARKED_KEYS);
        for (_, row) in table.iter_mut().filter(|(key, _)| *key != OTHER) {
            let visitors = visitors(row.cells());
            let are_needed =
                if has_others { visitors <= MAX_MARKED } else { !is_small && (1..=MAX_MARKED).contains(&visitors) };
            let is_below = |count: i64| count < 0 && visitors > 0;
            row.retain(|field, count| !is_mark(field) || are_needed && !is_below(count));
        }
    }
}

fn is_mark(field: u32) -> bool {
    (FIRST_MARKS..BASE).contains(&field)
}

/// Drops all marks.
pub fn reduce(measure: Measure, rows: &mut Rows) {
    for row in tables_of(measure, rows).flat_map(Table::values_mut) {
        row.retain(|field, _| !is_mark(field));
    }
}

fn tables_of(measure: Measure, rows: &mut Rows) -> impl Iterator<Item = &mut Table> {
    rows.tables_mut().filter(move |(id, _)| measure.tables_of_distinct().contains(id)).map(|(_, table)| table)
}

/// About how many distinct visitors the keys of a table have that are not kept apart, where a day is crowded.
#[derive(Debug, Clone, Copy)]
pub struct Others(Option<u64>);

impl Others {
    /// Those of some days.
    pub fn of<'a>(days: impl Iterator<Item = (&'a Day, &'a FlatRows)> + Clone, table: TableId) -> Self {
        if !days.clone().any(|(_, rows)| crowd::is_crowded(rows)) {
            return Others(None);
        }
        let mut marked = BTreeSet::new();
        for (field, counts) in days.flat_map(|(_, rows)| marks(rows.row(table, OTHER))) {
            let is_marked = |place: &u64| counts > 0 && counts >> (place * MARK_BITS) & ((1 << MARK_BITS) - 1) != 0;
            marked.extend((0..MARKS_A_FIELD).filter(is_marked).map(|place| (field, place)));
        }
        let all = (MARK_FIELDS * MARKS_A_FIELD) as f64;
        let unmarked = (all - marked.len() as f64).max(1.0);
        Others((!marked.is_empty()).then(|| (all * (all / unmarked).ln()).round() as u64))
    }

    /// The distinct visitors of a key, of which so many are counted: of others, each is counted for each of them.
    pub fn distinct(self, key: &str, counted: u64) -> u64 {
        self.0.filter(|_| key == OTHER).map_or(counted, |others| others.min(counted))
    }
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
    /// Who it is.
    pub visitor: VisitorId,
}

impl Seen {
    /// The 48 bits by which the visitor knows the key: enough for its hundred thousand keys.
    pub fn hash(&self) -> u64 {
        let mut hash = Sha256::new();
        hash.update(self.measure.name());
        hash.update([self.table]);
        hash.update(&self.key);
        first_64_bits(hash) >> 16
    }

    /// Counts its day among the visitor's other days at the key, which are in order, `by` times: -1 takes it out again.
    pub fn count(&self, days: &[Day], counters: &mut Counters, by: i64) {
        let previous = days.partition_point(|day| *day < self.day).checked_sub(1).and_then(|at| days.get(at)).copied();
        let next = days.get(days.partition_point(|day| *day <= self.day)).copied();
        self.add(counters, self.day, next, by);
        let (field, mark) = mark(&self.visitor);
        counters.rows_mut(self.measure, self.day).add(self.table, &self.key, field, mark.wrapping_mul(by));
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
                let seen = Seen {
                    measure: Measure::Pages,
                    table: 0,
                    key: "/".to_owned(),
                    day: Day(day),
                    visitor: VisitorId::derived(&[visitor; 12]),
                };
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

    /// Whatever became of marks meanwhile.
    #[test]
    fn nothing_is_left_of_a_key_whose_visitors_are_taken_out() {
        let change = |page: usize, by| {
            let (mut counters, visitor) = (Counters::default(), VisitorId::derived(&[7; 12]));
            let seen = Seen { measure: Measure::Pages, table: 0, key: format!("/{page}"), day: Day(0), visitor };
            seen.count(&[], &mut counters, by);
            counters.rows_mut(Measure::Pages, Day(0)).add(0, &seen.key, 0, by);
            counters.rows_mut(Measure::Pages, Day(0)).clone()
        };
        let mut rows = Rows::default();
        for page in 0..2 * MIN_MARKED_KEYS {
            rows.add_all(&change(page, 1));
            Measure::Pages.settle(&mut rows);
        }
        for page in 0..2 {
            rows.add_all(&change(page * MIN_MARKED_KEYS, -1));
        }
        let mut expunged = rows.clone();
        assert!(Measure::Pages.forget_emptied(&mut expunged));
        Measure::Pages.settle(&mut rows);
        for rows in [rows, expunged] {
            let pages = rows.by_table().map(|(_, table)| table.len()).sum::<usize>();
            assert_eq!(pages, 2 * MIN_MARKED_KEYS - 2);
        }
    }

    fn numbered(visitor: u32) -> VisitorId {
        let mut bytes = [0; 12];
        bytes[..4].copy_from_slice(&visitor.to_be_bytes());
        VisitorId::derived(&bytes)
    }

    /// What it adds that a visitor views so many pages that nobody else views, `by` times.
    fn own_pages(visitor: u32, pages: u32, by: i64) -> Rows {
        let mut counters = Counters::default();
        for page in 0..pages {
            let (key, visitor) = (format!("/{visitor}/{page}"), numbered(visitor));
            let seen = Seen { measure: Measure::Pages, table: 0, key, day: Day(0), visitor };
            seen.count(&[], &mut counters, by);
            counters.rows_mut(Measure::Pages, Day(0)).add(0, &seen.key, 0, by);
        }
        counters.rows_mut(Measure::Pages, Day(0)).clone()
    }

    /// How many visitors others are said to have.
    fn others_of(rows: &Rows) -> f64 {
        let days = [(Day(0), FlatRows::from(rows))];
        let days = days.iter().map(|(day, rows)| (day, rows));
        let counted = days.clone().map(|(_, rows)| counted(rows.row(0, OTHER), Day(0), Day(0))).sum();
        Others::of(days, 0).distinct(OTHER, counted) as f64
    }

    /// However many keys each of them shows.
    #[test]
    fn others_are_counted_once_for_all_their_keys() {
        for (visitors, pages) in [(25, 40), (10, 1_500), (300, 10), (1_000, 3), (4_000, 1)] {
            let mut rows = Rows::default();
            (0..visitors).for_each(|visitor| rows.add_all(&own_pages(visitor, pages, 1)));
            crowd::limit(Measure::Pages, &mut rows, 0);
            let error = (others_of(&rows) / f64::from(visitors) - 1.0).abs();
            assert!(error < 0.03, "{} of {visitors}", others_of(&rows));
        }
    }

    /// Bots that crowded a day leave nothing of theirs among the others.
    #[test]
    fn who_is_taken_out_of_a_crowded_day_is_none_of_the_others() {
        let mut rows = Rows::default();
        for first in (0..800).step_by(100) {
            (first..first + 100).for_each(|visitor| rows.add_all(&own_pages(visitor, 10, 1)));
            Measure::Pages.settle(&mut rows);
        }
        (300..800).for_each(|bot| rows.add_all(&own_pages(bot, 10, -1)));
        Measure::Pages.settle(&mut rows);
        let is_kept = |visitor: u32, page: u32| !rows.row(0, &format!("/{visitor}/{page}")).is_empty();
        let expected = (0..300).filter(|visitor| (0..10).any(|page| !is_kept(*visitor, page))).count();
        let error = (others_of(&rows) / expected as f64 - 1.0).abs();
        assert!(expected > 100 && error < 0.05, "{} of {expected}", others_of(&rows));
    }
}
