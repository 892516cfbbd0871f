//! Adding up rows over days.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;
use std::iter::{Peekable, from_fn};

use super::counters::Cells;

/// The sums of rows by key, ascending. The rows of each source, a day for instance, are ascending by key: all sources are
/// gone through together, and however many keys there are, one sum is held at a time.
///
/// `add` adds a row to the sum of its key, and is told of which source it is.
pub fn sums<'a, S, R, V>(
    sources: impl IntoIterator<Item = (S, R)>,
    mut add: impl FnMut(&mut V, &S, Cells<'a>),
) -> impl Iterator<Item = (&'a str, V)>
where
    R: Iterator<Item = (&'a str, Cells<'a>)>,
    V: Default,
{
    let mut sources: Vec<(S, Peekable<R>)> =
        sources.into_iter().map(|(source, rows)| (source, rows.peekable())).collect();
    let firsts = sources.iter_mut().enumerate();
    let mut firsts: BinaryHeap<Reverse<(&str, usize)>> =
        firsts.filter_map(|(at, (_, rows))| rows.peek().map(|(key, _)| Reverse((*key, at)))).collect();
    from_fn(move || {
        let Reverse((key, _)) = *firsts.peek()?;
        let mut sum = V::default();
        while let Some(mut first) = firsts.peek_mut().filter(|first| first.0.0 == key) {
            let (source, rows) = &mut sources[first.0.1];
            if let Some((_, cells)) = rows.next() {
                add(&mut sum, source, cells);
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::derived::FlatRows;
    use crate::derived::counters::Rows;

    #[test]
    fn rows_add_up_by_key_whatever_sources_have_them() {
        let day = |numbers: &[u32]| {
            let mut rows = Rows::default();
            numbers.iter().for_each(|number| rows.add(0, &format!("key {number}"), 1, i64::from(*number) + 1));
            FlatRows::from(&rows)
        };
        let days = [day(&[1, 10, 2, 3]), day(&[]), day(&[0, 2, 30]), day(&[2]), day(&[300])];
        let mut expected: BTreeMap<&str, (i64, Vec<usize>)> = BTreeMap::new();
        for (at, rows) in days.iter().enumerate() {
            for (key, cells) in rows.table(0) {
                let sum = expected.entry(key).or_default();
                sum.0 += cells.get(1);
                sum.1.push(at);
            }
        }
        let sources = days.iter().enumerate().map(|(at, rows)| (at, rows.table(0)));
        let found = sums(sources, |sum: &mut (i64, Vec<usize>), at, cells| {
            sum.0 += cells.get(1);
            sum.1.push(*at);
        });
        let found: Vec<_> = found.collect();
        assert_eq!(found.len(), 7);
        assert_eq!(found, expected.into_iter().collect::<Vec<_>>());
        let nothing = sums([(0, days[1].table(0))], |sum: &mut i64, _, _| *sum += 1);
        assert_eq!(nothing.count(), 0);
    }
}
