//! Pages of lists, and the `pagination` object that describes them.

use std::ops::RangeInclusive;

use serde::Serialize;

use crate::error::ApiError;
use crate::params::Params;

const DEFAULT_LIMIT: u64 = 50;
const MAX_LIMIT: u64 = 100;
/// What `page` and `limit` can be: the integers that a JavaScript number holds, up to 2^53 - 1.
const NUMBERS: RangeInclusive<u64> = 1..=(1 << 53) - 1;

/// Reads `limit`: 1 to 2^53 - 1, served as at most 100.
pub fn limit(params: &Params) -> Result<usize, ApiError> {
    Ok(params.integer("limit", NUMBERS, DEFAULT_LIMIT)?.min(MAX_LIMIT) as usize)
}

/// The page a request asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page {
    number: u64,
    limit: usize,
}

impl Page {
    /// Reads `page` and `limit`.
    pub fn parse(params: &Params) -> Result<Self, ApiError> {
        Ok(Page { number: params.integer("page", NUMBERS, 1)?, limit: limit(params)? })
    }

    /// The first page, of so many rows.
    pub fn first(limit: usize) -> Self {
        Page { number: 1, limit }
    }

    /// How many rows come before this page.
    pub fn offset(&self) -> u64 {
        (self.number - 1).saturating_mul(self.limit as u64)
    }

    /// How many rows the page holds at most.
    pub fn limit(&self) -> usize {
        self.limit
    }

    /// The rows of this page, out of all of them.
    pub fn slice<T>(&self, rows: Vec<T>) -> Vec<T> {
        let offset = usize::try_from(self.offset()).unwrap_or(usize::MAX);
        rows.into_iter().skip(offset).take(self.limit).collect()
    }

    /// The `pagination` object of a list of `total` rows.
    pub fn describe(&self, total: u64) -> Pagination {
        let total_pages = total.div_ceil(self.limit as u64);
        Pagination {
            total,
            page: self.number,
            limit: self.limit,
            total_pages,
            has_next: self.number < total_pages,
            has_prev: self.number > 1,
        }
    }
}

/// What a paginated response says about its list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Pagination {
    total: u64,
    page: u64,
    limit: usize,
    total_pages: u64,
    has_next: bool,
    has_prev: bool,
}

/// A list endpoint's response body.
#[derive(Debug, Serialize)]
pub struct Listing<T> {
    /// The rows of the page.
    pub data: Vec<T>,
    /// Where the page stands in the list.
    pub pagination: Pagination,
}

impl<T> Listing<T> {
    /// A page of a list without rows.
    pub fn empty(page: Page) -> Self {
        Listing { data: Vec::new(), pagination: page.describe(0) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use figures::time::Day;

    fn page(query: &str) -> Option<Page> {
        Page::parse(&Params::parse(query, Day(0))).ok()
    }

    #[test]
    fn limits_are_clamped_above_and_refused_below() {
        assert_eq!(page("").map(|p| (p.offset(), p.limit())), Some((0, 50)));
        assert_eq!(page("limit=1000&page=3").map(|p| (p.offset(), p.limit())), Some((200, 100)));
        assert_eq!(page("limit=0"), None);
        assert_eq!(page("page=0"), None);
        assert_eq!(page("page=9007199254740991").map(|p| p.slice(vec![1, 2]).len()), Some(0));
        assert_eq!(page("page=9007199254740992"), None);
        assert_eq!(page("limit=9007199254740992"), None);
    }

    #[test]
    fn the_last_page_has_no_next_and_nothing_has_no_pages() {
        let describe = |query: &str, total| page(query).map(|p| p.describe(total));
        let expected = Pagination { total: 342, page: 7, limit: 50, total_pages: 7, has_next: false, has_prev: true };
        assert_eq!(describe("page=7", 342), Some(expected));
        let nothing = Pagination { total: 0, page: 1, limit: 50, total_pages: 0, has_next: false, has_prev: false };
        assert_eq!(describe("", 0), Some(nothing));
    }
}
