//! Speculative reading of lists: which hours hold a page is guessed from the last time the list was read, so that their
//! entries are read while the counts that decide it are, and not after them.

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use crate::cache::Cache;
use crate::pagination::Page;
use crate::params::Params;
use figures::ids::ProjectId;
use figures::log::view::locate;
use figures::time::{Day, Hour};

/// The most lists that an instance remembers.
const MAX_LISTS: usize = 64;
/// A list with rows in more hours is not remembered: together some 2 MB.
const MAX_HOURS: usize = 2_000;

/// The parameters that choose a page of a list, not the list.
const OF_PAGE: [&str; 2] = ["page", "limit"];

/// Rows of a list by hour.
type Counts = Arc<[(Hour, u64)]>;

/// What an instance remembers of lists, by a hash of what was asked. Two lists of one hash, or rows that
/// came since, only make a guess worse.
#[derive(Debug)]
pub struct Prefetches(Cache<u64, Counts>);

impl Default for Prefetches {
    fn default() -> Self {
        Prefetches(Cache::new(MAX_LISTS))
    }
}

impl Prefetches {
    /// What is guessed of the list that a request asks for.
    pub fn of(self: &Arc<Self>, project: &ProjectId, path: &str, params: &Params) -> Prefetch {
        let mut hasher = DefaultHasher::new();
        (project, path, params.today()).hash(&mut hasher);
        params.pairs().filter(|(name, _)| !OF_PAGE.contains(name)).for_each(|pair| pair.hash(&mut hasher));
        Prefetch { all: Arc::clone(self), list: hasher.finish() }
    }
}

/// What is guessed of one list.
#[derive(Debug, Clone)]
pub struct Prefetch {
    all: Arc<Prefetches>,
    list: u64,
}

impl Prefetch {
    /// The hours that likely hold a page; none where the list was not read before.
    pub fn hours(&self, page: Page) -> Vec<Hour> {
        locate(self.counts().iter().copied(), page.offset(), page.limit()).0
    }

    /// The days that likely hold any of the list's rows; none where it was not read before, or holds more rows than
    /// this.
    pub fn days(&self, rows: u64) -> BTreeSet<Day> {
        let counts = self.counts();
        match counts.iter().map(|(_, count)| count).sum::<u64>() <= rows {
            true => counts.iter().map(|(hour, _)| hour.day()).collect(),
            false => BTreeSet::new(),
        }
    }

    fn counts(&self) -> Counts {
        self.all.0.get(&self.list).unwrap_or_default()
    }

    /// Remembers how many rows each day holds.
    pub fn remember_days(&self, counts: &[(Day, u64)]) {
        let counts: Vec<(Hour, u64)> = counts.iter().map(|(day, count)| (day.hour(0), *count)).collect();
        self.remember(&counts);
    }

    /// Remembers how many rows each hour holds.
    pub fn remember(&self, counts: &[(Hour, u64)]) {
        let counts: Counts = counts.iter().copied().filter(|(_, count)| *count > 0).collect();
        if counts.len() > MAX_HOURS {
            return;
        }
        self.all.0.insert(self.list, counts);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_page_of_a_list_is_guessed_and_another_list_is_not() {
        let Ok(project) = "demo".parse() else { panic!("a legal identifier") };
        let prefetches = Arc::new(Prefetches::default());
        let asked = |query: &str| {
            let params = Params::parse(query, Day(0));
            let Ok(page) = Page::parse(&params) else { panic!("a page") };
            (prefetches.of(&project, "/events", &params), page)
        };
        let hours = |query: &str| {
            let (prefetch, page) = asked(query);
            prefetch.hours(page)
        };
        assert_eq!(hours("type=a"), []);
        asked("type=a").0.remember(&[(Hour(1), 70), (Hour(2), 0), (Hour(3), 60)]);
        assert_eq!(hours("type=a"), [Hour(3)]);
        assert_eq!(hours("page=2&type=a"), [Hour(1), Hour(3)]);
        assert_eq!(hours("type=a&limit=100&page=2"), [Hour(1)]);
        assert_eq!(hours("type=b"), []);
        assert_eq!(asked("page=7&type=a").0.days(130), BTreeSet::from([Day(0)]));
        assert_eq!(asked("type=a").0.days(129), BTreeSet::new());
        assert_eq!(asked("type=b").0.days(130), BTreeSet::new());
    }
}
