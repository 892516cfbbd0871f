//! Adding up rows over days.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;
use std::iter::from_fn;

use crate::counters::flat::FlatRows;
use crate::counters::rows::{Cells, TableId};
use crate::time::Day;

/// The sums of some tables' rows over days by key, ascending. Each day's rows are ascending by key: all are gone through
/// together, and however many keys there are, one sum is held at a time.
///
/// `add` adds a row to the sum of its key, and is told of which day and table it is.
pub fn sums<'a, V: Default, const TABLES: usize>(
    days: impl Iterator<Item = (&'a Day, &'a FlatRows)>,
    tables: [TableId; TABLES],
    mut add: impl FnMut(&mut V, (Day, TableId), Cells<'a>),
) -> impl Iterator<Item = (&'a str, V)> {
    let sources = days.flat_map(|(day, rows)| tables.map(|table| ((*day, table), rows.table(table).peekable())));
    let mut sources: Vec<_> = sources.collect();
    let firsts = sources.iter_mut().enumerate();
    let mut firsts: BinaryHeap<Reverse<(&str, usize)>> =
        firsts.filter_map(|(at, (_, rows))| rows.peek().map(|(key, _)| Reverse((*key, at)))).collect();
    from_fn(move || {
        let Reverse((key, _)) = *firsts.peek()?;
        let mut sum = V::default();
        while let Some(mut first) = firsts.peek_mut().filter(|first| first.0.0 == key) {
            let (source, rows) = &mut sources[first.0.1];
            if let Some((_, cells)) = rows.next() {
                add(&mut sum, *source, cells);
            }
            match rows.peek() {
                Some((next, _)) => first.0.0 = next,
                None => {
                    PeekMut::pop(first);
                }
            }
        }
        Some((key, sum))
    })
}

/// What one counter of a table comes to over days, by key, ascending; what comes to nothing is left out.
pub fn counts<'a>(
    days: impl Iterator<Item = (&'a Day, &'a FlatRows)>,
    table: TableId,
    field: u32,
) -> impl Iterator<Item = (&'a str, i64)> {
    sums(days, [table], move |count: &mut i64, _, row| *count += row.get(field)).filter(|(_, count)| *count > 0)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::counters::rows::Rows;

    #[test]
    fn rows_add_up_by_key_whatever_days_have_them() {
        let day = |numbers: &[u32]| {
            let mut rows = Rows::default();
            numbers.iter().for_each(|number| rows.add(0, &format!("key {number}"), 1, i64::from(*number) + 1));
            FlatRows::from(&rows)
        };
        let days = [day(&[1, 10, 2, 3]), day(&[]), day(&[0, 2, 30]), day(&[2]), day(&[300])];
        let days: BTreeMap<Day, FlatRows> = (0..).map(Day).zip(days).collect();
        let mut expected: BTreeMap<&str, (i64, Vec<Day>)> = BTreeMap::new();
        for (day, rows) in &days {
            for (key, cells) in rows.table(0) {
                let sum = expected.entry(key).or_default();
                sum.0 += cells.get(1);
                sum.1.push(*day);
            }
        }
        let found = sums(days.iter(), [0], |sum: &mut (i64, Vec<Day>), (day, _), cells| {
            sum.0 += cells.get(1);
            sum.1.push(day);
        });
        let found: Vec<_> = found.collect();
        assert_eq!(found.len(), 7);
        assert_eq!(found, expected.into_iter().collect::<Vec<_>>());
        let nothing = sums(days.range(Day(1)..Day(2)), [0], |sum: &mut i64, _, _| *sum += 1);
        assert_eq!(nothing.count(), 0);
    }
}
