//! Rows of pages, as rankings answer with them.

use serde::Serialize;

use crate::ranking::{Parameters, ranked};
use figures::log::View;
use figures::measures::Measure;
use figures::measures::pages::pages;

/// A page and how it was viewed in a range.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct PageRow {
    url: String,
    views: i64,
    unique_visitors: u64,
}

/// The most viewed pages of a range whose `pages` measure is loaded.
pub fn top_pages(view: &View, parameters: &Parameters) -> Vec<PageRow> {
    let pages = pages(view.days(Measure::Pages), parameters.range.end());
    ranked(pages, parameters.limit, |page| page.views, |url| url)
        .map(|(url, page)| PageRow { url: url.to_owned(), views: page.views, unique_visitors: page.unique_visitors })
        .collect()
}
