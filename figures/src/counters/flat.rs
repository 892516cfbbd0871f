//! Rows as readers need them: a few pieces of memory, however many keys there are.
//!
//! A range of days has hundreds of thousands of rows, which a request reads once and adds up. They are read from what
//! [`Rows`] are stored as.

use std::cmp::Ordering;
use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

use crate::counters::rows::{Cells, Rows, TableId};
use crate::table::codec::Packed;

/// The rows of a measure's day.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FlatRows(Vec<(TableId, FlatTable)>);

/// Rows of a table, ascending by key.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct FlatTable {
    /// All keys, one after the other.
    keys: String,
    /// The counters of all rows, one row after the other.
    counters: Vec<(u32, i64)>,
    /// Where the key and the counters of each row end.
    ends: Vec<(usize, usize)>,
}

impl FlatRows {
    /// The rows of a table, ascending by key.
    pub fn table(&self, table: TableId) -> impl ExactSizeIterator<Item = (&str, Cells<'_>)> {
        static EMPTY: FlatTable = FlatTable { keys: String::new(), counters: Vec::new(), ends: Vec::new() };
        let table = self.find(table).unwrap_or(&EMPTY);
        (0..table.ends.len()).map(|at| table.row(at))
    }

    /// The rows of a table whose keys begin with a prefix.
    pub fn with_prefix(&self, table: TableId, prefix: &str) -> impl Iterator<Item = (&str, Cells<'_>)> + use<'_> {
        let table = self.find(table);
        let first = table.map_or(0, |table| table.lower_bound(prefix));
        let rows = table.into_iter().flat_map(move |table| (first..table.ends.len()).map(|at| table.row(at)));
        let prefix = prefix.to_owned();
        rows.take_while(move |(key, _)| key.starts_with(&prefix))
    }

    /// One row; an empty one where the key is unknown.
    pub fn row(&self, table: TableId, key: &str) -> Cells<'_> {
        let found = self.find(table).and_then(|table| {
            let at = table.lower_bound(key);
            (at < table.ends.len()).then(|| table.row(at)).filter(|(known, _)| *known == key)
        });
        found.map(|(_, cells)| cells).unwrap_or_default()
    }

    /// How many counters there are.
    pub fn counters(&self) -> usize {
        self.0.iter().map(|(_, table)| table.counters.len()).sum()
    }

    /// The same rows, to be changed.
    pub fn to_rows(&self) -> Rows {
        let mut rows = Rows::default();
        for (id, _) in &self.0 {
            let table = rows.table_mut(*id);
            table.extend(self.table(*id).map(|(key, cells)| (key.to_owned(), cells.iter().collect())));
        }
        rows
    }

    /// The same rows and what was added to them since: both ascend, so neither is sorted again, nor taken apart.
    pub fn plus(&self, added: &Rows) -> FlatRows {
        let mut ids: Vec<TableId> =
            self.0.iter().map(|(id, _)| *id).chain(added.by_table().map(|(id, _)| id)).collect();
        ids.sort_unstable();
        ids.dedup();
        let sums = ids.into_iter().map(|id| {
            let added = added.by_table().find(|(of, _)| *of == id).into_iter().flat_map(|(_, table)| table);
            (id, FlatTable::sum(self.table(id), added.map(|(key, row)| (key.as_str(), row.cells()))))
        });
        FlatRows(sums.collect())
    }

    /// Each table with how many keys it has, and their bytes.
    pub fn sizes(&self) -> impl Iterator<Item = (TableId, usize, usize)> {
        self.0.iter().map(|(id, table)| (*id, table.ends.len(), table.keys.len()))
    }

    fn find(&self, table: TableId) -> Option<&FlatTable> {
        self.0.iter().find(|(id, _)| *id == table).map(|(_, table)| table)
    }
}

impl FlatTable {
    fn row(&self, at: usize) -> (&str, Cells<'_>) {
        let (key, cells) = at.checked_sub(1).map_or((0, 0), |before| self.ends[before]);
        let (key_end, cells_end) = self.ends[at];
        (&self.keys[key..key_end], Cells(&self.counters[cells..cells_end]))
    }

    /// How many rows have a smaller key.
    fn lower_bound(&self, key: &str) -> usize {
        let (mut low, mut high) = (0, self.ends.len());
        while low < high {
            let middle = low + (high - low) / 2;
            match self.row(middle).0 < key {
                true => low = middle + 1,
                false => high = middle,
            }
        }
        low
    }

    /// The sum of rows that ascend by key.
    fn sum<'a>(
        left: impl Iterator<Item = (&'a str, Cells<'a>)>,
        right: impl Iterator<Item = (&'a str, Cells<'a>)>,
    ) -> FlatTable {
        let (mut left, mut right, mut sum) = (left.peekable(), right.peekable(), FlatTable::default());
        loop {
            let order = match (left.peek(), right.peek()) {
                (Some((left, _)), Some((right, _))) => left.cmp(right),
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (None, None) => return sum,
            };
            let (of_left, of_right) = (left.next_if(|_| order.is_le()), right.next_if(|_| order.is_ge()));
            match (of_left, of_right) {
                (Some((key, left)), Some((_, right))) => sum.push(key, left.plus(right)),
                (Some((key, cells)), None) | (None, Some((key, cells))) => sum.push(key, cells.iter()),
                (None, None) => return sum,
            }
        }
    }

    fn push(&mut self, key: &str, counters: impl IntoIterator<Item = (u32, i64)>) {
        self.keys.push_str(key);
        self.counters.extend(counters);
        self.ends.push((self.keys.len(), self.counters.len()));
    }
}

impl From<&Rows> for FlatRows {
    fn from(rows: &Rows) -> Self {
        let tables = rows.by_table().map(|(id, table)| {
            let mut flat = FlatTable::default();
            table.iter().for_each(|(key, row)| flat.push(key, row.cells().iter()));
            (id, flat)
        });
        FlatRows(tables.collect())
    }
}

/// Puts together what was split by key.
impl FromIterator<FlatRows> for FlatRows {
    fn from_iter<I: IntoIterator<Item = FlatRows>>(parts: I) -> Self {
        let parts: Vec<FlatRows> = parts.into_iter().collect();
        if let [whole] = &parts[..] {
            return whole.clone();
        }
        let mut ids: Vec<TableId> = parts.iter().flat_map(|part| part.0.iter().map(|(id, _)| *id)).collect();
        ids.sort_unstable();
        ids.dedup();
        let joined = ids.into_iter().map(|id| {
            let mut rows: Vec<(&str, Cells<'_>)> = parts.iter().flat_map(|part| part.table(id)).collect();
            rows.sort_unstable_by_key(|(key, _)| *key);
            let mut table = FlatTable::default();
            rows.into_iter().for_each(|(key, cells)| table.push(key, cells.iter()));
            (id, table)
        });
        FlatRows(joined.collect())
    }
}

impl Packed<'_> for FlatRows {
    type V2 = Self;
    type V3 = Self;
}

impl<'de> Deserialize<'de> for FlatRows {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Tables;
        impl<'de> Visitor<'de> for Tables {
            type Value = FlatRows;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("tables")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<FlatRows, A::Error> {
                let mut tables = Vec::new();
                while let Some(table) = map.next_entry()? {
                    tables.push(table);
                }
                Ok(FlatRows(tables))
            }
        }
        deserializer.deserialize_map(Tables)
    }
}

impl<'de> Deserialize<'de> for FlatTable {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct KeysAndRows;
        impl<'de> Visitor<'de> for KeysAndRows {
            type Value = FlatTable;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("rows by key")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<FlatTable, A::Error> {
                let mut table = FlatTable::default();
                while let Some(key) = map.next_key::<&str>()? {
                    table.keys.push_str(key);
                    map.next_value_seed(Append(&mut table.counters))?;
                    table.ends.push((table.keys.len(), table.counters.len()));
                }
                Ok(table)
            }
        }
        deserializer.deserialize_map(KeysAndRows)
    }
}

/// Reads a row's counters to the end of those of others.
struct Append<'a>(&'a mut Vec<(u32, i64)>);

impl<'de> DeserializeSeed<'de> for Append<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Append<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("counters")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut counters: A) -> Result<(), A::Error> {
        while let Some(counter) = counters.next_element()? {
            self.0.push(counter);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::counters::rows::Row;
    use crate::table::codec;

    /// Some rows of few keys, so that they often meet.
    fn some_rows() -> impl Strategy<Value = Rows> {
        let counter = (0u8..3, "[a-d]{0,2}", 0u32..4, -2i64..3);
        proptest::collection::vec(counter, 0..30).prop_map(|counters| {
            let mut rows = Rows::default();
            counters.iter().for_each(|(table, key, field, by)| rows.add(*table, key, *field, *by));
            rows
        })
    }

    proptest! {
        #[test]
        fn what_is_added_flat_is_what_is_added(rows in some_rows(), added in some_rows()) {
            let mut sum = rows.clone();
            sum.add_all(&added);
            prop_assert_eq!(FlatRows::from(&rows).plus(&added).to_rows(), sum);
        }
    }

    fn rows() -> Rows {
        let mut rows = Rows::default();
        for number in 0..300u32 {
            rows.add((number % 3) as TableId, &format!("key {number}"), number, -i64::from(number) - 1);
            rows.add((number % 3) as TableId, "", number, 1);
        }
        rows.table_mut(1).insert("without counters".to_owned(), Row::new());
        rows
    }

    #[test]
    fn what_was_stored_reads_the_same_flat() {
        let rows = rows();
        let packed = codec::pack(&rows).unwrap_or_default();
        let Ok(flat) = codec::unpack::<FlatRows>(&packed) else { panic!("it unpacks") };
        assert_eq!(flat, FlatRows::from(&rows));
        assert_eq!(flat.to_rows(), rows);
        assert_eq!(flat.row(2, "key 299").get(299), -300);
        assert_eq!(flat.row(1, "").iter().count(), 100);
        assert!(flat.row(2, "key 298").is_empty() && flat.row(9, "").is_empty() && flat.row(0, "~").is_empty());
        assert!(flat.table(0).map(|(key, _)| key).is_sorted());
    }

    #[test]
    fn rows_are_found_by_the_beginning_of_their_keys() {
        let flat = FlatRows::from(&rows());
        let found = |prefix| flat.with_prefix(0, prefix).map(|(key, _)| key).collect::<Vec<_>>();
        assert_eq!(found("key 29"), ["key 291", "key 294", "key 297"]);
        assert_eq!(found("").len(), 101);
        assert!(found("kez").is_empty() && found("key 29a").is_empty());
    }

    #[test]
    fn parts_join_to_the_whole() {
        let rows = rows();
        let joined: FlatRows = rows.clone().split(8).iter().map(FlatRows::from).collect();
        assert_eq!(joined, FlatRows::from(&rows));
        assert_eq!(FlatRows::from_iter([]), FlatRows::default());
    }
}
