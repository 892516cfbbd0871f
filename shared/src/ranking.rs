//! Rankings: the most frequent first.

use std::cmp::Reverse;

use crate::error::ApiError;
use crate::pagination;
use crate::params::Params;
use figures::dates::DateRange;

/// The query parameters of an endpoint that answers with rankings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parameters {
    /// `start_date` and `end_date`.
    pub range: DateRange,
    /// `limit`: how many rows each ranking has at most.
    pub limit: usize,
}

impl Parameters {
    /// Reads the parameters.
    pub fn parse(params: &Params) -> Result<Self, ApiError> {
        Ok(Parameters { range: params.dates()?, limit: pagination::limit(params)? })
    }
}

/// The first rows in the order of their counts, the largest first. Ties go by what a key stands for, texts in byte order,
/// and an unknown part of it is before every known one.
pub fn ranked<'a, V, C: Ord + Copy, K: Ord>(
    rows: impl IntoIterator<Item = (&'a str, V)>,
    limit: usize,
    count: impl Fn(&V) -> C,
    key: impl Fn(&'a str) -> K,
) -> impl Iterator<Item = (K, V)> {
    let order = |a: &(Reverse<C>, K, V), b: &(Reverse<C>, K, V)| (&a.0, &a.1).cmp(&(&b.0, &b.1));
    let mut first: Vec<(Reverse<C>, K, V)> = Vec::new();
    // Of hundreds of thousands of rows, those are kept, and their keys read, that may be among the first.
    let mut least = None;
    for (text, value) in rows {
        let count = count(&value);
        if least.is_some_and(|least| count < least) {
            continue;
        }
        first.push((Reverse(count), key(text), value));
        if first.len() > limit.saturating_mul(2) {
            let (_, (Reverse(beyond), ..), _) = first.select_nth_unstable_by(limit, order);
            least = Some(*beyond);
            first.truncate(limit);
        }
    }
    first.sort_unstable_by(order);
    first.truncate(limit);
    first.into_iter().map(|(_, key, value)| (key, value))
}

#[cfg(test)]
mod tests {
    use super::*;
    use figures::measures::event_data::parts;
    use figures::time::Day;

    #[test]
    fn the_largest_count_is_first_and_ties_go_by_key() {
        let rows = [("b", 2), ("é", 1), ("a", 1), ("B", 2), ("z", 9), ("Z", 1)];
        let order = ["z", "B", "b", "Z", "a", "é"];
        for limit in 0..9 {
            let keys: Vec<&str> = ranked(rows, limit, |count| *count, |key| key).map(|(key, _)| key).collect();
            assert_eq!(keys, order[..limit.min(6)], "{limit}");
        }
        let joint = [r#"["b",null]"#, r#"["a","b"]"#, r#"[null,"z"]"#, r#"["a",null]"#].map(|key| (key, 1));
        let keys: Vec<[Option<String>; 2]> = ranked(joint, 3, |count| *count, parts).map(|(key, _)| key).collect();
        let text = |text: &str| Some(text.to_owned());
        assert_eq!(keys, [[None, text("z")], [text("a"), None], [text("a"), text("b")]]);
    }

    #[test]
    fn the_first_of_many_are_those_of_all_sorted() {
        // Many ties, in an order that is neither that of counts nor of keys.
        let texts: Vec<(String, u32)> =
            (0..2_000u32).map(|number| (format!("{}", number * 7_919 % 2_000), number * 31 % 57)).collect();
        let rows = || texts.iter().map(|(text, count)| (text.as_str(), *count));
        let mut sorted: Vec<(Reverse<u32>, &str)> = rows().map(|(text, count)| (Reverse(count), text)).collect();
        sorted.sort_unstable();
        for limit in [1, 7, 50, 999, 1_000, 2_000, usize::MAX] {
            let first = ranked(rows(), limit, |count| *count, |text| text);
            let first: Vec<_> = first.map(|(text, count)| (Reverse(count), text)).collect();
            assert_eq!(first, sorted[..limit.min(2_000)], "{limit}");
        }
    }

    #[test]
    fn each_ranking_has_as_many_rows_as_a_page() {
        let limit = |query: &str| Parameters::parse(&Params::parse(query, Day(0))).ok().map(|given| given.limit);
        assert_eq!([limit(""), limit("limit=7"), limit("limit=1000&page=0")], [Some(50), Some(7), Some(100)]);
        assert_eq!([limit("limit=0"), limit("limit=ten"), limit("start_date=2025-02-30")], [None; 3]);
    }
}
