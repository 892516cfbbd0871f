//! Rankings: the most frequent first.

use std::cmp::Reverse;

use crate::dates::DateRange;
use crate::error::ApiError;
use crate::pagination;
use crate::params::Params;

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
        Ok(Parameters { range: DateRange::parse(params)?, limit: pagination::limit(params)? })
    }
}

/// Rows in the order of their counts, the largest first. Ties go by key in byte order, and an unknown
/// part of a key is before every known one.
pub fn ranked<K: Ord, V, C: Ord>(
    rows: impl IntoIterator<Item = (K, V)>,
    count: impl Fn(&V) -> C,
) -> impl Iterator<Item = (K, V)> {
    let mut rows: Vec<(K, V)> = rows.into_iter().collect();
    rows.sort_unstable_by(|(a, left), (b, right)| (Reverse(count(left)), a).cmp(&(Reverse(count(right)), b)));
    rows.into_iter()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Day;

    #[test]
    fn the_largest_count_is_first_and_ties_go_by_key() {
        let rows = [("b", 2), ("é", 1), ("a", 1), ("B", 2), ("z", 9), ("Z", 1)];
        let keys: Vec<&str> = ranked(rows, |count| *count).map(|(key, _)| key).collect();
        assert_eq!(keys, ["z", "B", "b", "Z", "a", "é"]);
        let joint =
            [([Some("b"), None], 1), ([Some("a"), Some("b")], 1), ([None, Some("z")], 1), ([Some("a"), None], 1)];
        let keys: Vec<_> = ranked(joint, |count| *count).map(|(key, _)| key).collect();
        assert_eq!(keys, [[None, Some("z")], [Some("a"), None], [Some("a"), Some("b")], [Some("b"), None]]);
    }

    #[test]
    fn each_ranking_has_as_many_rows_as_a_page() {
        let limit = |query: &str| Parameters::parse(&Params::parse(query, Day(0))).ok().map(|given| given.limit);
        assert_eq!([limit(""), limit("limit=7"), limit("limit=1000&page=0")], [Some(50), Some(7), Some(100)]);
        assert_eq!([limit("limit=0"), limit("limit=ten"), limit("start_date=2025-02-30")], [None; 3]);
    }
}
