//! Crowded days: which keys a day keeps apart, where clients choose them.
//!
//! Whoever holds the public key can make up keys without end, and reading must not become expensive by it. So a day keeps so
//! many keys of a table, and adds up all others as [`OTHER`]. Those are kept that have the most behind them, such as the
//! visitors that showed them: a made-up key weighs one, and a thousand times as many of them weigh no more each.
//!
//! What leaves takes its counters to [`OTHER`], so that sums stay exact, and leaves its strength behind, in cells that keys
//! share by their salted hash: a count-min sketch of one row (Cormode and Muthukrishnan, 2005), less what a cell holds on average. So a
//! key that comes now and then, and has to make room each time for a flood of others, adds up to one that stays.
//!
//! A key may leave and come back, and what it counted before be taken out then, as of a bot. So a counter of a crowded table that
//! is below zero goes to [`OTHER`] too, where the rest of it is.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

use crate::counters::rows::{Cells, OTHER, Row, Table, TableId};
use crate::counters::{FlatRows, Rows};
use crate::hash::first_64_bits;
use crate::measures::instants;

/// The most bytes of keys of a measure's day that are kept apart.
const MAX_KEY_BYTES: usize = 3 << 20;

/// The strength of rows that never leave.
pub const STAYS: i64 = i64::MAX;

/// The table of what left; no measure has a table of this number.
const LEFT: TableId = TableId::MAX;
/// Its cells: so many fields in so many rows. A day that is crowded a thousandfold has some 16 KB of them.
const LEFT_ROWS: u64 = 16;
const LEFT_FIELDS: u64 = 512;
/// Its row with the day's salt, without which whoever makes up keys would have them share a cell.
const SALT: &str = "salt";

/// What a row of a table has behind it.
pub type Strength = fn(TableId, Cells<'_>) -> i64;

/// Leaves a measure's day no more keys of a table than `max_keys`, and adds up the others. Says whether any left.
pub fn limit(strength: Strength, rows: &mut Rows, max_keys: usize) -> bool {
    for (id, table) in rows.tables_mut().filter(|(id, table)| *id != LEFT && has_others(table)) {
        take_below_zero(strength, id, table);
    }
    let leaving = leaving(strength, rows, max_keys);
    if leaving.is_empty() {
        return false;
    }
    let salt = Left::of(rows).salt.unwrap_or_else(new_salt);
    rows.table_mut(LEFT).insert(SALT.to_owned(), [(0, salt)].into_iter().collect());
    let mut others: BTreeMap<TableId, BTreeMap<u32, i64>> = BTreeMap::new();
    for (id, key) in &leaving {
        let Some(row) = rows.table_mut(*id).remove(key) else { continue };
        let other = others.entry(*id).or_default();
        add_up(other, row.cells().before_field(instants::MARKERS));
        let (cells, cell) = cell_of(salt, *id, key);
        rows.add(LEFT, &cells, cell, strength(*id, row.cells()));
    }
    for (id, counters) in others {
        add_to_others(rows.table_mut(id), counters);
    }
    true
}

/// Forgets what left: what two days must agree on is the rest.
pub fn forget(rows: &mut Rows) {
    rows.table_mut(LEFT).clear();
}

/// Whether a day keeps all its keys, and always did.
pub fn has_room(rows: &FlatRows, max_keys: usize) -> bool {
    let bytes: usize = rows.sizes().map(|(_, _, bytes)| bytes).sum();
    bytes <= MAX_KEY_BYTES
        && rows.sizes().all(|(id, keys, _)| id != LEFT && keys <= max_keys && rows.row(id, OTHER).is_empty())
}

/// Whether any keys of a day left.
pub fn is_crowded(rows: &FlatRows) -> bool {
    rows.table(LEFT).len() > 0
}

/// Whether a table has a row of what it does not keep apart.
pub fn has_others(table: &Table) -> bool {
    table.get(OTHER).is_some_and(|row| !row.cells().is_empty())
}

/// Adds counters, ascending by field, to the row of what a table does not keep apart: all at once, as there may be many.
fn add_to_others(table: &mut Table, mut counters: BTreeMap<u32, i64>) {
    let other = table.entry(OTHER.to_owned()).or_default();
    add_up(&mut counters, other.cells().iter());
    *other = counters.into_iter().collect();
}

fn add_up(sums: &mut BTreeMap<u32, i64>, counters: impl Iterator<Item = (u32, i64)>) {
    for (field, count) in counters {
        let sum = sums.entry(field).or_default();
        *sum = sum.wrapping_add(count);
    }
}

/// Moves the counters below zero of a table's rows to [`OTHER`].
fn take_below_zero(strength: Strength, id: TableId, table: &mut Table) {
    let mut below: BTreeMap<u32, i64> = BTreeMap::new();
    for row in table.iter_mut().filter(|(key, _)| *key != OTHER).map(|(_, row)| row) {
        if strength(id, row.cells()) == STAYS || row.cells().iter().all(|(_, count)| count >= 0) {
            continue;
        }
        add_up(&mut below, row.cells().iter().filter(|(_, count)| *count < 0));
        row.retain(|_, count| count >= 0);
    }
    if !below.is_empty() {
        add_to_others(table, below);
    }
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

/// The keys that leave a measure's day, with their tables.
fn leaving(strength: Strength, rows: &Rows, max_keys: usize) -> Vec<(TableId, String)> {
    let tables = || rows.by_table().filter(|(id, _)| *id != LEFT);
    let keys_of = |table: &Table| table.len() - usize::from(table.contains_key(OTHER));
    let has_room = |(_, table): (TableId, &Table)| keys_of(table) <= max_keys && !has_others(table);
    let bytes: usize = tables().flat_map(|(_, table)| table.keys()).map(String::len).sum();
    if bytes <= MAX_KEY_BYTES && tables().all(has_room) {
        return Vec::new();
    }
    let left = Left::of(rows);
    let (mut leaving, mut staying) = (Vec::new(), Vec::new());
    for (id, table) in tables() {
        let (mut strong, weak) = standing(strength, id, table, &left);
        // What counts nothing in a table with others is left of what is among them.
        leaving.extend(weak);
        leaving.extend(strong.split_off(max_keys.min(strong.len())));
        staying.append(&mut strong);
    }
    leaving.append(&mut beyond_bytes(&mut staying));
    leaving.into_iter().map(|of| (of.table, of.key.to_owned())).collect()
}

/// A table's keys that may leave, the strongest first; and apart from them those that count nothing, if it has others.
fn standing<'a>(
    strength: Strength,
    id: TableId,
    table: &'a Table,
    left: &Left<'_>,
) -> (Vec<Standing<'a>>, Vec<Standing<'a>>) {
    let has_others = has_others(table);
    let (mut strong, mut weak) = (Vec::new(), Vec::new());
    for (key, row) in table.iter().filter(|(key, _)| *key != OTHER) {
        let own = strength(id, row.cells());
        if own == STAYS {
            continue;
        }
        let hash = hash(0, id, key);
        match own <= 0 && has_others {
            true => weak.push(Standing { table: id, key, strength: own, hash }),
            false => {
                let with_left = own.saturating_add(left.strength(id, key));
                strong.push(Standing { table: id, key, strength: with_left, hash });
            }
        }
    }
    sort(&mut strong);
    (strong, weak)
}

/// Takes out the weakest of keys that come to too many bytes.
fn beyond_bytes<'a>(staying: &mut Vec<Standing<'a>>) -> Vec<Standing<'a>> {
    sort(staying);
    let mut bytes = 0;
    let fitting = staying.iter().take_while(|of| {
        bytes += of.key.len();
        bytes <= MAX_KEY_BYTES
    });
    let count = fitting.count();
    staying.split_off(count)
}

fn sort(keys: &mut [Standing<'_>]) {
    keys.sort_unstable_by_key(|of| Reverse((of.strength, of.hash)));
}

/// What left.
struct Left<'a> {
    rows: Option<&'a Table>,
    salt: Option<i64>,
    /// What a cell holds on average.
    average: i64,
}

impl<'a> Left<'a> {
    fn of(rows: &'a Rows) -> Self {
        let rows = rows.by_table().find(|(id, _)| *id == LEFT).map(|(_, table)| table);
        let cells = rows.into_iter().flatten().filter(|(key, _)| *key != SALT).flat_map(|(_, row)| row.cells().iter());
        let sum = cells.fold(0_i64, |sum, (_, strength)| sum.saturating_add(strength));
        let salt = rows.and_then(|rows| rows.get(SALT)).map(|row| row.cells().get(0));
        Left { rows, salt, average: sum / (LEFT_ROWS * LEFT_FIELDS) as i64 }
    }

    /// What a key left behind, about.
    fn strength(&self, table: TableId, key: &str) -> i64 {
        let Some(salt) = self.salt else { return 0 };
        let (cells, cell) = cell_of(salt, table, key);
        let strength = self.rows.and_then(|rows| rows.get(&cells)).map_or(0, |row: &Row| row.cells().get(cell));
        strength.saturating_sub(self.average).max(0)
    }
}

/// A number that nobody outside knows; not 0, as counters that are 0 are not stored.
fn new_salt() -> i64 {
    // Without randomness a day has no secret, and is as exact as any.
    getrandom::u64().map_or(1, |random| (random | 1) as i64)
}

fn cell_of(salt: i64, table: TableId, key: &str) -> (String, u32) {
    let hash = hash(salt, table, key);
    (format!("{:x}", hash % LEFT_ROWS), (hash / LEFT_ROWS % LEFT_FIELDS) as u32)
}

fn hash(salt: i64, table: TableId, key: &str) -> u64 {
    first_64_bits(Sha256::new().chain_update(salt.to_be_bytes()).chain_update([table]).chain_update(key))
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use proptest::prelude::*;

    use super::*;
    use crate::measures::distinct::tests::view;
    use crate::measures::distinct::visitors;

    fn strength(_: TableId, row: Cells<'_>) -> i64 {
        visitors(row).min(row.get(0))
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
            let (mut rows, mut all, mut known) = (Rows::default(), Rows::default(), BTreeSet::new());
            for (visitor, page, comes) in steps {
                let shown = (visitor, page);
                let changes = if comes { known.insert(shown) } else { known.remove(&shown) };
                if !changes {
                    continue;
                }
                let change = view(visitor, &format!("/{page}"), if comes { 1 } else { -1 });
                rows.add_all(&change);
                all.add_all(&change);
                rows.prune();
                limit(strength, &mut rows, 4);
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
        limit(strength, &mut rows, 10);
        for visitor in 2..5 {
            rows.add_all(&view(visitor, "/pricing", 1));
        }
        limit(strength, &mut rows, 10);
        assert_eq!(rows.row(0, "/pricing").get(0), 3);
        assert_eq!(rows.row(0, OTHER).get(0), 41);
        // What had left is taken out where it is.
        for page in 0..50 {
            rows.add_all(&view(1, &format!("/made-up/{page}"), -1));
            rows.prune();
            limit(strength, &mut rows, 10);
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
            limit(strength, &mut rows, 100);
        }
        assert!(rows.row(0, "/pricing").get(0) > 0);
        assert_eq!(rows.by_table().map(|(_, table)| table.len()).collect::<Vec<_>>()[0], 101);
    }

    /// Who knew how keys are told apart would send those that nothing tells apart.
    #[test]
    fn keys_that_look_alike_without_the_salt_weigh_no_more_than_others() {
        let alike = (0..)
            .map(|number| format!("/alike/{number}"))
            .filter(|key| cell_of(0, 0, key) == cell_of(0, 0, "/alike/0"));
        let alike: Vec<String> = alike.take(60).collect();
        let mut rows = Rows::default();
        for page in 0..10 {
            (0..5).for_each(|visitor| rows.add_all(&view(visitor, &format!("/real/{page}"), 1)));
        }
        for key in &alike {
            rows.add_all(&view(9, key, 1));
            limit(strength, &mut rows, 10);
        }
        assert!((0..10).all(|page| rows.row(0, &format!("/real/{page}")).get(0) == 5));
    }

    #[test]
    fn keys_too_long_to_be_kept_together_leave_too() {
        let mut rows = Rows::default();
        for page in 0..40 {
            rows.add_all(&view(1, &format!("/{}{page:02}", "long".repeat(25_000)), 1));
        }
        limit(strength, &mut rows, 100);
        let bytes: usize =
            rows.by_table().filter(|(id, _)| *id == 0).flat_map(|(_, of)| of.keys()).map(String::len).sum();
        assert!(bytes <= MAX_KEY_BYTES && bytes > MAX_KEY_BYTES - 200_000, "{bytes}");
        assert_eq!(sums(&rows).get(&0), Some(&40));
    }
}
