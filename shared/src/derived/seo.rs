//! The `seo` measure: which diagnostics each page had, and when, so that the latest can be told.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::counters::{Counters, Rows, TableId};
use super::facts::{Facts, joint_key, parts};
use super::{Measure, instants};
use crate::model::Batch;
use crate::time::{Day, Millis};

const TYPE: &str = "seo_diagnostics";
/// By URL and diagnostics: the instants. A page has the same ones for days on end, so there are few rows.
const DIAGNOSTICS: TableId = 0;

/// What a person's batch adds.
pub fn add_batch(counters: &mut Counters, batch: &Batch) {
    for event in batch.events.iter().filter(|event| event.name == TYPE) {
        let Some(url) = &event.url else { continue };
        let diagnostics = diagnostics(&Facts::of(event)).to_string();
        let rows = counters.rows_mut(Measure::Seo, event.created_at.day());
        rows.add(DIAGNOSTICS, &joint_key([Some(url), Some(&diagnostics)]), instants::field(event.created_at), 1);
    }
}

/// What is kept of an event's diagnostics, by the names they are answered with.
fn diagnostics(facts: &Facts) -> Value {
    let whole = |name| facts.value(name).as_u64();
    let issues = facts.value("issues");
    let issues: Vec<&str> = issues.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    json!({
        "title": facts.text("title"),
        "title_length": whole("title_length"),
        "meta_description_length": whole("meta_description_length"),
        "h1_count": whole("h1_count"),
        "images_missing_alt": whole("images_missing_alt"),
        "issues": issues,
    })
}

/// Keeps a day's rows small.
pub fn trim(rows: &mut Rows) {
    instants::trim(rows.table_mut(DIAGNOSTICS));
}

/// Each page's latest diagnostics on some days, by URL, with the instant.
pub fn latest<'a>(days: impl Iterator<Item = (&'a Day, &'a Rows)>) -> BTreeMap<String, (Millis, Value)> {
    let mut pages: BTreeMap<String, (Millis, Value)> = BTreeMap::new();
    for (day, rows) in days {
        for (key, row) in rows.table(DIAGNOSTICS) {
            let [Some(url), Some(diagnostics)] = parts(key) else { continue };
            let Some((_, last)) = instants::span(row, *day) else { continue };
            if pages.get(&url).is_none_or(|(known, _)| *known <= last) {
                pages.insert(url, (last, serde_json::from_str(&diagnostics).unwrap_or_default()));
            }
        }
    }
    pages
}
