//! Lists that are read from a time index: counters say how many rows each hour holds, so a page is found without reading those
//! before it, or where no counter knows, by reading the slim entries of whole days.

use figures::counters::FlatRows;
use figures::dates::DateRange;
use figures::log::index::FoundRef;
use figures::log::view::{SCANNED_AHEAD, locate};
use figures::log::{SessionEntry, View};
use figures::measures::Measure;
use figures::table::keys::Index;
use figures::table::store::StoreError;
use figures::time::{Day, Hour};

use crate::api::Caller;
use crate::pagination::Page;

/// A list in a range, of which a page is asked for.
#[derive(Debug, Clone, Copy)]
pub struct IndexedList<'a> {
    /// Who asks.
    pub caller: &'a Caller,
    /// Where its rows are.
    pub index: Index,
    /// Whose counters tell how many rows there are.
    pub measure: Measure,
    /// In which days.
    pub range: DateRange,
    /// Which page.
    pub page: Page,
}

/// Where a page was found.
#[derive(Debug)]
pub struct Located {
    /// The figures that tell so, and what the rows are read with.
    pub view: View,
    /// The rows of the whole list.
    pub total: u64,
    /// The hours that hold the page.
    pub hours: Vec<Hour>,
    skip: usize,
    limit: usize,
}

/// The days of a list, with the rows that each holds at most.
#[derive(Debug)]
pub struct CountedDays {
    view: View,
    days: Vec<(Day, u64)>,
    page: Page,
}

impl IndexedList<'_> {
    /// Finds the page by the rows of each hour, which `count` tells. What is counted under an hour lies in its `span`.
    pub async fn locate(
        &self,
        span: impl Fn(Hour) -> Vec<Hour>,
        count: impl AsyncFnOnce(&View) -> Result<Vec<(Hour, u64)>, StoreError>,
    ) -> Result<Located, StoreError> {
        let likely: Vec<Hour> = self.caller.prefetch.hours(self.page).into_iter().flat_map(&span).collect();
        let view = self.load(&likely).await?;
        let counts = count(&view).await?;
        self.caller.prefetch.remember(&counts);
        let total = counts.iter().map(|(_, count)| count).sum();
        let (hours, skip) = locate(counts, self.page.offset(), self.page.limit());
        let hours = hours.into_iter().flat_map(span).collect();
        Ok(Located { view, total, hours, skip, limit: self.page.limit() })
    }

    /// Finds the days that may hold rows, of each of which `count` tells how many at most.
    pub async fn days(&self, count: impl Fn(Day, &FlatRows) -> u64) -> Result<CountedDays, StoreError> {
        let likely: Vec<Hour> = self.caller.prefetch.days(SCANNED_AHEAD).into_iter().flat_map(Day::hours).collect();
        let view = self.load(&likely).await?;
        let days = view.days(self.measure).map(|(day, rows)| (*day, count(*day, rows)));
        let days: Vec<(Day, u64)> = days.filter(|(_, count)| *count > 0).collect();
        self.caller.prefetch.remember_days(&days);
        Ok(CountedDays { view, days, page: self.page })
    }

    async fn load(&self, likely: &[Hour]) -> Result<View, StoreError> {
        let Caller { store, project, .. } = self.caller;
        View::load_ahead(store, project, &[(self.measure, self.range)], self.index, likely).await
    }
}

impl Located {
    /// The rows of the page, the greatest first, of all that its hours hold.
    pub fn page<T: Ord>(&self, mut rows: Vec<T>) -> impl Iterator<Item = T> + use<T> {
        rows.sort_unstable_by(|a, b| b.cmp(a));
        rows.into_iter().skip(self.skip).take(self.limit)
    }
}

impl CountedDays {
    /// How many rows `pick` takes of all entries, and those of the page, the greatest first.
    pub async fn scan<T: Ord>(
        self,
        pick: impl Fn(FoundRef<'_>, &SessionEntry<&str>) -> Option<T>,
    ) -> Result<(u64, Vec<T>), StoreError> {
        self.view.scan_sessions(self.days, (self.page.offset(), self.page.limit()), pick).await
    }
}
