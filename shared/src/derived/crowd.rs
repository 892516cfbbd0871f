//! Crowded days: which keys a day keeps apart, where clients choose them.
//!
//! Whoever holds the public key can make up keys without end, and reading must not become expensive by it. So a day keeps so
//! many keys of a table, and adds up all others as [`OTHER`]. Those are kept that have the most behind them, such as the
//! visitors that showed them: a made-up key weighs one, and a thousand times as many of them weigh no more each.
//!
//! What leaves takes its counters to [`OTHER`], so that sums stay exact, and leaves its strength behind, in cells that keys
//! share by their hash: a count-min sketch of one row (Cormode and Muthukrishnan, 2005), less what a cell holds on average. So a
//! key that comes now and then, and has to make room each time for a flood of others, adds up to one that stays.
//!
//! A key may leave and come back, and what it counted before be taken out then, as of a bot. So a counter of a crowded table that
//! is below zero goes to [`OTHER`] too, where the rest of it is.

use std::cmp::Reverse;

use sha2::{Digest, Sha256};

use super::counters::{OTHER, Row, Rows, Table, TableId};
use super::flat::FlatRows;
use super::{Measure, instants};

/// The most bytes of keys of a measure's day that are kept apart.
const MAX_KEY_BYTES: usize = 3 << 20;

/// The table of what left; no measure has a table of this number.
const LEFT: TableId = TableId::MAX;
/// Its cells: so many fields in so many rows. A day that is crowded a thousandfold has some 16 KB of them.
const LEFT_ROWS: u64 = 16;
const LEFT_FIELDS: u64 = 512;

/// Leaves a measure's day no more keys of a table than `max_keys`, and adds up the others. Says whether any left.
pub fn limit(measure: Measure, rows: &mut Rows, max_keys: usize) -> bool {
    let crowded: Vec<TableId> = rows.by_table().filter(|(_, table)| has_others(table)).map(|(id, _)| id).collect();
    for id in crowded {
        take_below_zero(measure, id, rows.table_mut(id));
    }
    let leaving = leaving(measure, rows, max_keys);
    for (id, key) in &leaving {
        let Some(row) = rows.table_mut(*id).remove(key) else { continue };
        let strength = measure.strength(*id, row.cells());
        let other = rows.table_mut(*id).entry(OTHER.to_owned()).or_default();
        let counters = row.cells().before_field(instants::MARKERS);
        counters.for_each(|(field, count)| other.add(field, count));
        let (cells, cell) = cell_of(hash(*id, key));
        rows.add(LEFT, &cells, cell, strength);
    }
    !leaving.is_empty()
}

/// Whether any keys of a day left.
pub fn is_crowded(rows: &FlatRows) -> bool {
    rows.table(LEFT).len() > 0
}

/// Whether keys of a table left.
fn has_others(table: &Table) -> bool {
    table.get(OTHER).is_some_and(|row| !row.cells().is_empty())
}

/// Moves the counters below zero of a table's rows to [`OTHER`].
fn take_below_zero(measure: Measure, id: TableId, table: &mut Table) {
    let mut below = Row::new();
    for (_, row) in table.iter_mut().filter(|(key, _)| *key != OTHER) {
        if measure.strength(id, row.cells()) == i64::MAX || row.cells().iter().all(|(_, count)| count >= 0) {
            continue;
        }
        row.cells().iter().filter(|(_, count)| *count < 0).for_each(|(field, count)| below.add(field, count));
        row.retain(|_, count| count >= 0);
    }
    if !below.cells().is_empty() {
        let other = table.entry(OTHER.to_owned()).or_default();
        below.cells().iter().for_each(|(field, count)| other.add(field, count));
    }
}

/// Forgets what left: what two days must agree on is the rest.
pub fn forget(rows: &mut Rows) {
    rows.table_mut(LEFT).clear();
}

/// A key that is kept as yet.
#[derive(Debug)]
struct Standing<'a> {
    table: TableId,
    key: &'a str,
    /// What it has behind it, what left before included.
    strength: i64,
    /// Tells those of equal strength apart.
    hash: u64,
}

fn leaving(measure: Measure, rows: &Rows, max_keys: usize) -> Vec<(TableId, String)> {
    let keys_of = |table: &Table| table.len() - usize::from(table.contains_key(OTHER));
    let tables = || rows.by_table().filter(|(id, _)| *id != LEFT);
    let bytes: usize = tables().flat_map(|(_, table)| table.keys()).map(String::len).sum();
    let has_room = |(_, table): (TableId, &Table)| keys_of(table) <= max_keys && !has_others(table);
    if bytes <= MAX_KEY_BYTES && tables().all(has_room) {
        return Vec::new();
    }
    let left = Left::of(rows);
    let (mut leaving, mut staying) = (Vec::new(), Vec::new());
    for (id, table) in tables() {
        let mut standing = Vec::new();
        for (key, row) in table.iter().filter(|(key, _)| *key != OTHER) {
            let strength = measure.strength(id, row.cells());
            match has_others(table) && strength <= 0 {
                true => leaving.push((id, key.clone())),
                false => {
                    let hash = hash(id, key);
                    let strength = strength.saturating_add(left.strength(hash));
                    standing.push(Standing { table: id, key, strength, hash });
                }
            }
        }
        standing.sort_unstable_by_key(|of| Reverse((of.strength, of.hash)));
        let weakest = standing.split_off(max_keys.min(standing.len()));
        leaving.extend(weakest.into_iter().map(|of| (of.table, of.key.to_owned())));
        staying.append(&mut standing);
    }
    staying.sort_unstable_by_key(|of| Reverse((of.strength, of.hash)));
    let mut bytes = 0;
    let fitting = staying.iter().take_while(|of| {
        bytes += of.key.len();
        bytes <= MAX_KEY_BYTES
    });
    let fitting = fitting.count();
    leaving.extend(staying.into_iter().skip(fitting).map(|of| (of.table, of.key.to_owned())));
    leaving
}

/// What left.
struct Left<'a> {
    rows: Option<&'a Table>,
    /// What a cell holds on average.
    average: i64,
}

impl<'a> Left<'a> {
    fn of(rows: &'a Rows) -> Self {
        let rows = rows.by_table().find(|(id, _)| *id == LEFT).map(|(_, table)| table);
        let all = rows.into_iter().flat_map(Table::values).flat_map(|row| row.cells().iter());
        let sum = all.fold(0_i64, |sum, (_, strength)| sum.saturating_add(strength));
        Left { rows, average: sum / (LEFT_ROWS * LEFT_FIELDS) as i64 }
    }

    /// What a key left behind, about.
    fn strength(&self, hash: u64) -> i64 {
        let (cells, cell) = cell_of(hash);
        let strength = self.rows.and_then(|rows| rows.get(&cells)).map_or(0, |row: &Row| row.cells().get(cell));
        strength.saturating_sub(self.average).max(0)
    }
}

fn cell_of(hash: u64) -> (String, u32) {
    (format!("{:x}", hash % LEFT_ROWS), (hash / LEFT_ROWS % LEFT_FIELDS) as u32)
}

fn hash(table: TableId, key: &str) -> u64 {
    let mut first = [0; 8];
    first.copy_from_slice(&Sha256::new().chain_update([table]).chain_update(key).finalize()[..8]);
    u64::from_be_bytes(first)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;
    use crate::derived::counters::Counters;
    use crate::derived::distinct::Seen;
    use crate::ids::VisitorId;
    use crate::time::Day;

    const DAY: Day = Day(0);

    /// What it adds that a visitor views a page for the first time on the day, or takes out again.
    fn view(visitor: u32, page: &str, by: i64) -> Rows {
        let (mut counters, visitor) = (Counters::default(), VisitorId::derived(&[visitor as u8; 12]));
        let seen = Seen { measure: Measure::Pages, table: 0, key: page.to_owned(), day: DAY, visitor };
        seen.count(&[], &mut counters, by);
        let rows = counters.rows_mut(Measure::Pages, DAY);
        rows.add(0, page, 0, by);
        rows.clone()
    }

    fn sums(rows: &Rows) -> BTreeMap<u32, i64> {
        let mut sums = BTreeMap::new();
        for (_, row) in rows.by_table().filter(|(id, _)| *id == 0).flat_map(|(_, table)| table) {
            row.cells().iter().for_each(|(field, count)| *sums.entry(field).or_default() += count);
        }
        sums.retain(|_, count| *count != 0);
        sums
    }

    proptest! {
        /// Whatever comes and is taken out again, sums stay exact, no more keys are kept than there is room for, and none
        /// counts below zero.
        #[test]
        fn sums_stay_exact_however_many_keys_there_are(
            steps in proptest::collection::vec((0u32..8, 0u8..12, any::<bool>()), 0..80),
        ) {
            let (mut rows, mut all, mut known) = (Rows::default(), Rows::default(), std::collections::BTreeSet::new());
            for (visitor, page, comes) in steps {
                let by = if comes { 1 } else { -1 };
                if comes != known.insert((visitor, page)) {
                    if comes { continue }
                    known.remove(&(visitor, page));
                    continue;
                }
                if !comes {
                    known.remove(&(visitor, page));
                }
                let change = view(visitor, &format!("/{page}"), by);
                rows.add_all(&change);
                all.add_all(&change);
                rows.prune();
                limit(Measure::Pages, &mut rows, 4);
                let of_pages = |table: &Table| table.keys().filter(|key| *key != OTHER).count();
                prop_assert!(rows.by_table().filter(|(id, _)| *id == 0).all(|(_, table)| of_pages(table) <= 4));
                prop_assert_eq!(sums(&rows), sums(&all));
            }
        }
    }

    #[test]
    fn those_that_more_visitors_showed_stay() {
        let mut rows = Rows::default();
        for page in 0..50 {
            rows.add_all(&view(1, &format!("/made-up/{page}"), 1));
        }
        limit(Measure::Pages, &mut rows, 10);
        for visitor in 2..5 {
            rows.add_all(&view(visitor, "/pricing", 1));
        }
        limit(Measure::Pages, &mut rows, 10);
        assert_eq!(rows.row(0, "/pricing").get(0), 3);
        assert_eq!(rows.row(0, OTHER).get(0), 41);
        // What had left is taken out where it is.
        for page in 0..50 {
            rows.add_all(&view(1, &format!("/made-up/{page}"), -1));
            rows.prune();
            limit(Measure::Pages, &mut rows, 10);
        }
        assert_eq!(sums(&rows).get(&0), Some(&3));
        assert_eq!(rows.row(0, "/pricing").get(0), 3);
    }

    /// A key that comes once an hour, and each time a flood of others after it.
    #[test]
    fn a_key_that_comes_again_and_again_in_a_flood_gets_to_stay() {
        let mut rows = Rows::default();
        for hour in 0..20 {
            rows.add_all(&view(hour, "/pricing", 1));
            for page in 0..2_000 {
                rows.add_all(&view(100 + hour, &format!("/made-up/{hour}/{page}"), 1));
            }
            limit(Measure::Pages, &mut rows, 100);
        }
        assert!(rows.row(0, "/pricing").get(0) > 0);
        assert_eq!(rows.by_table().map(|(_, table)| table.len()).collect::<Vec<_>>()[0], 101);
    }

    #[test]
    fn keys_too_long_to_be_kept_together_leave_too() {
        let mut rows = Rows::default();
        for page in 0..40 {
            rows.add_all(&view(1, &format!("/{}{page:02}", "long".repeat(25_000)), 1));
        }
        limit(Measure::Pages, &mut rows, 100);
        let bytes: usize =
            rows.by_table().filter(|(id, _)| *id == 0).flat_map(|(_, of)| of.keys()).map(String::len).sum();
        assert!(bytes <= MAX_KEY_BYTES && bytes > MAX_KEY_BYTES - 200_000, "{bytes}");
        assert_eq!(sums(&rows).get(&0), Some(&40));
    }
}
