//! The `pages` measure: page views and distinct visitors by URL.

use crate::counters::Days;
use crate::counters::flat::FlatRows;
use crate::counters::rows::{Cells, TableId};
use crate::counters::sums::sums;
use crate::measures::definition::Definition;
use crate::measures::distinct;
use crate::measures::distinct::{Others, Seen};
use crate::model::Batch;
use crate::time::Day;

const PAGES: TableId = 0;
const VIEWS: u32 = 0;

/// The measure.
pub const DEFINITION: Definition =
    Definition { add_batch, distinct: &[PAGES], seen, strength, ..Definition::new("pages") };

/// What a person's batch adds.
fn add_batch(days: &mut Days, batch: &Batch) {
    for event in batch.events.iter().filter(|event| event.is_page_view()) {
        if let Some(url) = &event.url {
            days.rows_mut(event.created_at.day()).add(PAGES, url, VIEWS, 1);
        }
    }
}

/// Which keys a batch's visitor was seen at.
fn seen(batch: &Batch) -> Vec<Seen> {
    let views = batch.events.iter().filter(|event| event.is_page_view());
    let seen = views.filter_map(|event| {
        let key = event.url.as_deref()?.to_owned();
        let (day, visitor) = (event.created_at.day(), batch.visitor_id.clone());
        Some(Seen { table: PAGES, key, day, visitor })
    });
    seen.collect()
}

/// A row's visitors, or page views if these are fewer.
fn strength(_: TableId, row: Cells<'_>) -> i64 {
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
