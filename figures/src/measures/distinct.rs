//! Distinct visitors by key: which days a visitor was seen at a URL, a message or a selector.
//!
//! A visitor remembers the days by a hash of the key (see [`crate::model::seen_runs`]), so that a row can count them by the day after
//! (see [`next_active_day`]).
//!
//! The row of all keys that a [crowded](crate::measures::crowd) day does not keep apart has a visitor once for each of them. How many
//! visitors these are, *marks* tell: each visitor has one, which it leaves at each of its keys, and marks move with what
//! their row counts. Several visitors may have the same mark, and how many have none tells how many there are: linear counting
//! (Whang, Vander-Zanden and Taylor, 1990), within 3 % for some ten thousand.

use std::collections::BTreeSet;

use sha2::{Digest, Sha256};

use crate::counters::rows::{Cells, OTHER, Table, TableId};
use crate::counters::{Days, FlatRows, Rows, next_active_day};
use crate::hash::first_64_bits;
use crate::ids::VisitorId;
use crate::measures::crowd;
use crate::time::Day;

/// The fields of next active days begin here, in rows that count other things too.
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
    next_active_day::counted(row, BASE, day, end)
}

/// The distinct visitors of a row.
pub fn visitors(row: Cells<'_>) -> i64 {
    row.from_field(BASE).map(|(_, count)| count).sum()
}

/// The field of a visitor's mark, and what is added there.
fn mark(visitor: &VisitorId) -> (u32, i64) {
    let hash = first_64_bits(Sha256::new_with_prefix(visitor.as_str()));
    let lane = hash / MARK_FIELDS % MARKS_A_FIELD;
    (FIRST_MARKS + (hash % MARK_FIELDS) as u32, 1 << (lane * MARK_BITS))
}

fn marks(row: Cells<'_>) -> impl Iterator<Item = (u32, i64)> {
    row.before_field(BASE).filter(|(field, _)| is_mark(*field))
}

/// Drops the marks of tables of distinct visitors that nobody will ask for, and those below zero of visitors whose marks were dropped before they were taken
/// out. Where a table has others, what counts nothing goes to them whole.
pub fn trim(tables: &[TableId], rows: &mut Rows) {
    for table in tables_of(tables, rows) {
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

/// Drops all marks of tables of distinct visitors.
pub fn reduce(tables: &[TableId], rows: &mut Rows) {
    for row in tables_of(tables, rows).flat_map(Table::values_mut) {
        row.retain(|field, _| !is_mark(field));
    }
}

fn tables_of<'a>(tables: &'a [TableId], rows: &'a mut Rows) -> impl Iterator<Item = &'a mut Table> {
    rows.tables_mut().filter(|(id, _)| tables.contains(id)).map(|(_, table)| table)
}

/// That a visitor was seen at a key of a table on a day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// In this table.
    pub table: TableId,
    /// At this key.
    pub key: String,
    /// On this day.
    pub day: Day,
    /// Who it is.
    pub visitor: VisitorId,
}

impl Seen {
    /// The 48 bits by which the visitor knows the key of a measure: enough for its hundred thousand keys.
    pub fn hash(&self, measure: &str) -> u64 {
        first_64_bits(Sha256::new().chain_update(measure).chain_update([self.table]).chain_update(&self.key)) >> 16
    }

    /// Counts its day among the visitor's other days at the key, which are in order, `by` times: -1 takes it out again.
    pub fn count(&self, others: &[Day], days: &mut Days, by: i64) {
        let previous =
            others.partition_point(|day| *day < self.day).checked_sub(1).and_then(|at| others.get(at)).copied();
        let next = others.get(others.partition_point(|day| *day <= self.day)).copied();
        self.add(days, self.day, next, by);
        let (field, mark) = mark(&self.visitor);
        days.rows_mut(self.day).add(self.table, &self.key, field, mark.wrapping_mul(by));
        if let Some(previous) = previous {
            self.add(days, previous, next, -by);
            self.add(days, previous, Some(self.day), by);
        }
    }

    fn add(&self, days: &mut Days, day: Day, next: Option<Day>, by: i64) {
        if let Some(field) = next_active_day::field(day, next) {
            days.rows_mut(day).add(self.table, &self.key, BASE + field, by);
        }
    }
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
            let is_marked = |lane: &u64| counts > 0 && counts >> (lane * MARK_BITS) & ((1 << MARK_BITS) - 1) != 0;
            marked.extend((0..MARKS_A_FIELD).filter(is_marked).map(|lane| (field, lane)));
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

#[cfg(test)]
pub(super) mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Whatever is seen and forgotten, in whatever order, the counters answer any range.
        #[test]
        fn counters_answer_any_range(
            steps in proptest::collection::vec((0u8..4, 0i32..12, any::<bool>()), 0..40),
            start in 0i32..12, length in 0i32..12,
        ) {
            let mut visitors: BTreeMap<u8, BTreeSet<i32>> = BTreeMap::new();
            let mut counted_days = Days::default();
            for (visitor, day, is_seen) in steps {
                let seen = Seen {
                    table: 0,
                    key: "/".to_owned(),
                    day: Day(day),
                    visitor: VisitorId::derived(&[visitor; 12]),
                };
                let days = visitors.entry(visitor).or_default();
                let known: Vec<Day> = days.iter().copied().map(Day).collect();
                if is_seen && days.insert(day) {
                    seen.count(&known, &mut counted_days, 1);
                } else if !is_seen && days.remove(&day) {
                    seen.count(&known, &mut counted_days, -1);
                }
            }
            let end = start + length;
            let counted: u64 = (start..=end)
                .filter_map(|day| counted_days.rows(Day(day)).map(|rows| counted(rows.row(0, "/"), Day(day), Day(end))))
                .sum();
            let expected = visitors.values().filter(|days| days.range(start..=end).next().is_some()).count();
            prop_assert_eq!(counted, expected as u64);
        }
    }

    /// What it adds that a visitor comes to a page for the first time on the day, or never came.
    pub fn view(visitor: u32, page: &str, by: i64) -> Rows {
        let mut bytes = [0; 12];
        bytes[..4].copy_from_slice(&visitor.to_be_bytes());
        let seen = Seen { table: 0, key: page.to_owned(), day: Day(0), visitor: VisitorId::derived(&bytes) };
        let mut days = Days::default();
        seen.count(&[], &mut days, by);
        days.rows_mut(Day(0)).add(0, page, 0, by);
        days.rows_mut(Day(0)).clone()
    }

    /// Adds that a visitor views so many pages that nobody else views, `by` times.
    fn add_own_pages(rows: &mut Rows, visitor: u32, pages: u32, by: i64) {
        (0..pages).for_each(|page| rows.add_all(&view(visitor, &format!("/{visitor}/{page}"), by)));
    }

    const MAX_KEYS: usize = 2_000;

    fn strength(_: TableId, row: Cells<'_>) -> i64 {
        visitors(row).min(row.get(0))
    }

    /// What a measure with this one table stores of a day.
    fn trim_for_storage(rows: &mut Rows) {
        rows.prune();
        trim(&[0], rows);
        crowd::limit(strength, rows, MAX_KEYS);
        rows.prune();
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
            (0..visitors).for_each(|visitor| add_own_pages(&mut rows, visitor, pages, 1));
            crowd::limit(strength, &mut rows, 0);
            let error = (others_of(&rows) / f64::from(visitors) - 1.0).abs();
            assert!(error < 0.03, "{} of {visitors}", others_of(&rows));
        }
    }

    /// Bots that crowded a day leave nothing of theirs among the others.
    #[test]
    fn who_is_taken_out_of_a_crowded_day_is_none_of_the_others() {
        let mut rows = Rows::default();
        for first in (0..800).step_by(100) {
            (first..first + 100).for_each(|visitor| add_own_pages(&mut rows, visitor, 10, 1));
            trim_for_storage(&mut rows);
        }
        (300..800).for_each(|bot| add_own_pages(&mut rows, bot, 10, -1));
        trim_for_storage(&mut rows);
        let is_kept = |visitor: u32, page: u32| !rows.row(0, &format!("/{visitor}/{page}")).is_empty();
        let expected = (0..300).filter(|visitor| (0..10).any(|page| !is_kept(*visitor, page))).count();
        let error = (others_of(&rows) / expected as f64 - 1.0).abs();
        assert!(expected > 100 && error < 0.05, "{} of {expected}", others_of(&rows));
    }
}
