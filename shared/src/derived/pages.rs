//! The `pages` measure: page views and distinct visitors by URL.

use super::counters::{Cells, Counters, TableId};
use super::distinct::{Others, Seen};
use super::flat::FlatRows;
use super::sums::sums;
use super::{Measure, distinct};
use crate::model::Batch;
use crate::time::Day;

const PAGES: TableId = 0;
const VIEWS: u32 = 0;

/// The tables whose rows count distinct visitors.
pub const DISTINCT: [TableId; 1] = [PAGES];

/// What a person's batch adds.
pub fn add_batch(counters: &mut Counters, batch: &Batch) {
    for event in batch.events.iter().filter(|event| event.is_page_view()) {
        if let Some(url) = &event.url {
            counters.rows_mut(Measure::Pages, event.created_at.day()).add(PAGES, url, VIEWS, 1);
        }
    }
}

/// Which keys a batch's visitor was seen at.
pub fn seen(batch: &Batch) -> impl Iterator<Item = Seen> {
    let views = batch.events.iter().filter(|event| event.is_page_view());
    views.filter_map(|event| {
        let key = event.url.as_deref()?.to_owned();
        let (day, visitor) = (event.created_at.day(), batch.visitor_id.clone());
        Some(Seen { measure: Measure::Pages, table: PAGES, key, day, visitor })
    })
}

/// A row's visitors, or page views if these are fewer.
pub fn strength(row: Cells<'_>) -> i64 {
    distinct::visitors(row).min(row.get(VIEWS))
}

/// A page's figures in a range.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PageViews {
    /// Page views.
    pub views: i64,
    /// Distinct visitors who viewed it.
    pub unique_visitors: u64,
}

/// The pages of days in a range that ends on `end`, by URL.
pub fn pages<'a>(
    days: impl Iterator<Item = (&'a Day, &'a FlatRows)> + Clone,
    end: Day,
) -> impl Iterator<Item = (&'a str, PageViews)> {
    let others = Others::of(days.clone(), PAGES);
    let pages = sums(days, [PAGES], move |page: &mut PageViews, (day, _), row| {
        page.views += row.get(VIEWS);
        page.unique_visitors += distinct::counted(row, day, end);
    });
    let pages = pages.filter(|(_, page)| page.views > 0);
    pages.map(move |(url, page)| {
        (url, PageViews { unique_visitors: others.distinct(url, page.unique_visitors), ..page })
    })
}
