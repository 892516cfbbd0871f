//! Additive counters: rows of numbered fields. Adding them in any order and grouping gives the same.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::table::codec::Packed;
use crate::time::Day;

/// The key that stands for all that are not kept apart.
pub const OTHER: &str = "(other)";

/// The counters of one key, by field. What a field means, the measure's module says.
///
/// Most rows have a few fields, and a block has thousands of rows: they are kept in one sorted piece of memory each.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row(Vec<(u32, i64)>);

impl Row {
    /// A row without counters.
    pub const fn new() -> Self {
        Row(Vec::new())
    }

    /// Its counters, to be read.
    pub fn cells(&self) -> Cells<'_> {
        Cells(&self.0)
    }

    /// Sets a counter.
    pub fn set(&mut self, field: u32, count: i64) {
        match self.index_of(field) {
            Ok(index) => self.0[index].1 = count,
            Err(index) => self.0.insert(index, (field, count)),
        }
    }

    /// Adds to a counter. Wraps around instead of failing: no value that a client makes up can stop the counting of
    /// others, and what was added can still be subtracted.
    pub fn add(&mut self, field: u32, by: i64) {
        match self.index_of(field) {
            Ok(index) => self.0[index].1 = self.0[index].1.wrapping_add(by),
            Err(index) => self.0.insert(index, (field, by)),
        }
    }

    /// Drops the counters that fail a test.
    pub fn retain(&mut self, mut keep: impl FnMut(u32, i64) -> bool) {
        self.0.retain(|(field, count)| keep(*field, *count));
    }

    fn index_of(&self, field: u32) -> Result<usize, usize> {
        self.0.binary_search_by_key(&field, |(field, _)| *field)
    }
}

/// The counters of one key, ascending by field.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Cells<'a>(pub(super) &'a [(u32, i64)]);

impl<'a> Cells<'a> {
    /// A counter; 0 where there is none.
    pub fn get(self, field: u32) -> i64 {
        self.index_of(field).map_or(0, |index| self.0[index].1)
    }

    /// Whether there is such a counter.
    pub fn contains(self, field: u32) -> bool {
        self.index_of(field).is_ok()
    }

    /// The counters.
    pub fn iter(self) -> impl DoubleEndedIterator<Item = (u32, i64)> + use<'a> {
        self.0.iter().copied()
    }

    /// The counters from a field on.
    pub fn from_field(self, first: u32) -> impl DoubleEndedIterator<Item = (u32, i64)> + use<'a> {
        self.0[self.0.partition_point(|(field, _)| *field < first)..].iter().copied()
    }

    /// The counters before a field.
    pub fn before_field(self, end: u32) -> impl DoubleEndedIterator<Item = (u32, i64)> + use<'a> {
        self.0[..self.0.partition_point(|(field, _)| *field < end)].iter().copied()
    }

    /// Its counters and another row's, added up.
    pub fn plus(self, other: Cells<'_>) -> Vec<(u32, i64)> {
        let (mut left, mut right) = (self.0, other.0);
        let mut sum = Vec::with_capacity(left.len().max(right.len()));
        while let ([(field, count), rest_of_left @ ..], [(other, by), rest_of_right @ ..]) = (left, right) {
            sum.push((
                *field.min(other),
                match field.cmp(other) {
                    Ordering::Less => *count,
                    Ordering::Equal => count.wrapping_add(*by),
                    Ordering::Greater => *by,
                },
            ));
            left = if field <= other { rest_of_left } else { left };
            right = if field >= other { rest_of_right } else { right };
        }
        sum.extend_from_slice(left);
        sum.extend_from_slice(right);
        sum
    }

    /// How many counters there are.
    pub fn len(self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(self) -> bool {
        self.0.is_empty()
    }

    fn index_of(self, field: u32) -> Result<usize, usize> {
        self.0.binary_search_by_key(&field, |(field, _)| *field)
    }
}

impl FromIterator<(u32, i64)> for Row {
    fn from_iter<I: IntoIterator<Item = (u32, i64)>>(counters: I) -> Self {
        let mut row = Row::new();
        counters.into_iter().for_each(|(field, by)| row.add(field, by));
        row
    }
}

/// Rows by key.
pub type Table = BTreeMap<String, Row>;

/// A table of a measure. A measure with several kinds of keys has a table for each.
pub type TableId = u8;

/// The counters of a measure's day.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rows(BTreeMap<TableId, Table>);

impl Packed<'_> for Rows {
    type V2 = Self;
    type V3 = Self;
}

impl Rows {
    /// Adds to one counter.
    pub fn add(&mut self, table: TableId, key: &str, field: u32, by: i64) {
        if by == 0 {
            return;
        }
        let table = self.0.entry(table).or_default();
        match table.get_mut(key) {
            Some(row) => row.add(field, by),
            None => {
                table.insert(key.to_owned(), Row(vec![(field, by)]));
            }
        }
    }

    /// Adds other rows so many times.
    pub fn add_times(&mut self, other: &Rows, times: i64) {
        for (table, key, row) in other.tables() {
            for (field, by) in row.cells().iter() {
                self.add(table, key, field, by.wrapping_mul(times));
            }
        }
    }

    /// Adds other rows.
    pub fn add_all(&mut self, other: &Rows) {
        for (id, rows) in &other.0 {
            let table = self.0.entry(*id).or_default();
            for (key, row) in rows {
                match table.get_mut(key) {
                    Some(target) => row.cells().iter().for_each(|(field, by)| target.add(field, by)),
                    None => {
                        table.insert(key.clone(), row.clone());
                    }
                }
            }
        }
    }

    /// Drops counters that are 0, and rows and tables without counters.
    pub fn prune(&mut self) {
        for table in self.0.values_mut() {
            table.retain(|_, row| {
                row.retain(|_, count| count != 0);
                !row.cells().is_empty()
            });
        }
        self.0.retain(|_, table| !table.is_empty());
    }

    /// Drops rows that are emptied; says whether there were any.
    pub fn forget_emptied(&mut self, is_emptied: impl Fn(TableId, Cells<'_>) -> bool) -> bool {
        let count = self.len();
        for (id, table) in &mut self.0 {
            table.retain(|_, row| !is_emptied(*id, row.cells()));
        }
        self.0.retain(|_, table| !table.is_empty());
        self.len() < count
    }

    /// One row; an empty one where the key is unknown.
    pub fn row(&self, table: TableId, key: &str) -> Cells<'_> {
        self.0.get(&table).and_then(|table| table.get(key)).map(Row::cells).unwrap_or_default()
    }

    /// The tables.
    pub fn by_table(&self) -> impl Iterator<Item = (TableId, &Table)> {
        self.0.iter().map(|(id, table)| (*id, table))
    }

    /// The tables there are, to change.
    pub fn tables_mut(&mut self) -> impl Iterator<Item = (TableId, &mut Table)> {
        self.0.iter_mut().map(|(id, table)| (*id, table))
    }

    /// The rows of a table, to change.
    pub fn table_mut(&mut self, table: TableId) -> &mut Table {
        self.0.entry(table).or_default()
    }

    /// Splits the rows into so many parts by a hash of their keys.
    pub fn split(self, parts: usize) -> Vec<Rows> {
        let mut split = vec![Rows::default(); parts];
        for (id, table) in self.0 {
            for (key, row) in table {
                let part = Sha256::digest(key.as_bytes()).first().copied().unwrap_or_default();
                split[usize::from(part) % parts].0.entry(id).or_default().insert(key, row);
            }
        }
        split
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.0.values().map(Table::len).sum()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The rows, each with its table and its key.
    pub fn into_rows(self) -> impl Iterator<Item = (TableId, String, Row)> {
        self.0.into_iter().flat_map(|(id, table)| table.into_iter().map(move |(key, row)| (id, key, row)))
    }

    /// The key and the counters of each row, by table.
    fn tables(&self) -> impl Iterator<Item = (TableId, &str, &Row)> {
        self.0.iter().flat_map(|(id, table)| table.iter().map(|(key, row)| (*id, key.as_str(), row)))
    }
}

/// Puts together what [`Rows::split`] made.
impl FromIterator<Rows> for Rows {
    fn from_iter<I: IntoIterator<Item = Rows>>(parts: I) -> Self {
        let mut joined = Rows::default();
        for part in parts {
            for (id, table) in part.0 {
                joined.0.entry(id).or_default().extend(table);
            }
        }
        joined
    }
}

/// Rows of many days.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Days(BTreeMap<Day, Rows>);

impl Days {
    /// The rows of a day, to add to.
    pub fn rows_mut(&mut self, day: Day) -> &mut Rows {
        self.0.entry(day).or_default()
    }

    /// The rows of a day, if any.
    pub fn rows(&self, day: Day) -> Option<&Rows> {
        self.0.get(&day)
    }

    /// All rows, ascending by day.
    pub fn iter(&self) -> impl Iterator<Item = (Day, &Rows)> {
        self.0.iter().map(|(day, rows)| (*day, rows))
    }

    /// Drops the days before this one.
    pub fn drop_before(&mut self, day: Day) {
        self.0 = self.0.split_off(&day);
    }

    /// Drops what is 0.
    pub fn prune(&mut self) {
        for rows in self.0.values_mut() {
            rows.prune();
        }
        self.0.retain(|_, rows| !rows.0.is_empty());
    }

    /// Whether there are no days.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl IntoIterator for Days {
    type Item = (Day, Rows);
    type IntoIter = std::collections::btree_map::IntoIter<Day, Rows>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sum_that_is_too_large_is_still_subtracted() {
        let (mut rows, mut large) = (Rows::default(), Rows::default());
        large.add(0, "key", 1, i64::MAX);
        rows.add(0, "key", 1, 5);
        rows.add_all(&large);
        rows.add(0, "key", 1, -i64::MAX);
        assert_eq!(rows.row(0, "key").get(1), 5);
    }

    #[test]
    fn what_was_split_joins_to_the_same() {
        let mut rows = Rows::default();
        for number in 0..500 {
            rows.add(number as u8 % 3, &format!("key {number}"), 1, number);
        }
        let parts = rows.clone().split(4);
        assert!(parts.iter().all(|part| part.len() > 50));
        rows.prune();
        assert_eq!(parts.into_iter().collect::<Rows>(), rows);
    }
}
