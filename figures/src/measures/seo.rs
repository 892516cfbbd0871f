//! The `seo` measure: which diagnostics each page had, and when, so that the latest can be told.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::counters::Days;
use crate::counters::flat::FlatRows;
use crate::counters::rows::{Rows, TableId};
use crate::counters::sums::sums;
use crate::measures::definition::Definition;
use crate::measures::event_data::{EventData, joint_key, parts};
use crate::measures::instants;
use crate::model::Batch;
use crate::model::event_types::SEO_DIAGNOSTICS;
use crate::time::{Day, Millis};

/// By URL and diagnostics: the instants. A page has the same ones for days on end, so there are few rows.
const DIAGNOSTICS: TableId = 0;

/// What a page was found to have, and to lack.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Diagnostics {
    /// Its title.
    pub title: Option<String>,
    /// The characters of its title.
    pub title_length: Option<u64>,
    /// The characters of its description.
    pub meta_description_length: Option<u64>,
    /// How many headings of the first level it has.
    pub h1_count: Option<u64>,
    /// How many of its images have no alternative text.
    pub images_missing_alt: Option<u64>,
    /// The codes of what is wrong with it.
    pub issues: Vec<String>,
}

impl Diagnostics {
    fn of(data: &EventData) -> Self {
        let whole = |name| data.whole(name);
        let issues = data.value("issues");
        let issues = issues.as_array().into_iter().flatten().filter_map(Value::as_str);
        Diagnostics {
            title: data.text("title").map(str::to_owned),
            title_length: whole("title_length"),
            meta_description_length: whole("meta_description_length"),
            h1_count: whole("h1_count"),
            images_missing_alt: whole("images_missing_alt"),
            issues: issues.map(str::to_owned).collect(),
        }
    }

    fn of_key(key: &str) -> Self {
        let [_, diagnostics] = parts(key);
        diagnostics.and_then(|json| serde_json::from_str(&json).ok()).unwrap_or_default()
    }
}

/// The measure.
pub const DEFINITION: Definition = Definition {
    add_batch,
    strength: |_, row| instants::kept(row),
    trim,
    reduce,
    is_emptied: |_, row| instants::is_emptied(row),
    ..Definition::new("seo")
};

/// What a person's batch adds.
fn add_batch(days: &mut Days, batch: &Batch) {
    for event in batch.events.iter().filter(|event| event.name == SEO_DIAGNOSTICS) {
        let Some(url) = &event.url else { continue };
        let Ok(diagnostics) = serde_json::to_string(&Diagnostics::of(&EventData::of(event))) else { continue };
        let rows = days.rows_mut(event.created_at.day());
        rows.add(DIAGNOSTICS, &joint_key([Some(url), Some(&diagnostics)]), instants::field(event.created_at), 1);
    }
}

/// Leaves of a day's rows what readers see.
fn reduce(rows: &mut Rows) {
    instants::reduce(rows.table_mut(DIAGNOSTICS));
}

/// Keeps a day's rows small.
fn trim(rows: &mut Rows) {
    instants::trim(rows.table_mut(DIAGNOSTICS));
}

/// Each page's latest diagnostics on some days, by URL, with the instant. None are known of pages that are
/// not kept apart.
pub fn latest<'a>(days: impl Iterator<Item = (&'a Day, &'a FlatRows)>) -> BTreeMap<String, (Millis, Diagnostics)> {
    // The same diagnostics are found day by day, and are read once. Of several at the same instant the last key's stay.
    let found = sums(days, [DIAGNOSTICS], |latest: &mut Option<Millis>, (day, _), row| {
        *latest = (*latest).max(instants::span(row, day).map(|(_, last)| last));
    });
    let mut pages: BTreeMap<String, (Millis, &str)> = BTreeMap::new();
    for (key, last) in found {
        let (Some(last), [Some(url), _]) = (last, parts(key)) else { continue };
        let page = pages.entry(url).or_insert((last, key));
        if page.0 <= last {
            *page = (last, key);
        }
    }
    pages.into_iter().map(|(url, (last, key))| (url, (last, Diagnostics::of_key(key)))).collect()
}
