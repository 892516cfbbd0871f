//! The `forms` measure: forms that were left, and fields that made people hesitate.

use std::collections::BTreeMap;

use super::Measure;
use super::counters::{Counters, Rows, TableId};
use super::facts::{Facts, joint_key, parts};
use crate::model::Batch;
use crate::time::Day;

/// By form and URL.
const ABANDONMENT: TableId = 0;
/// By form, URL and last field.
const LAST_FIELDS: TableId = 1;
/// By form, field and URL.
const HESITATION: TableId = 2;

const COUNT: u32 = 0;
const TIMED: u32 = 1;
const TIME_MICROS: u32 = 2;

/// What a person's batch adds.
pub fn add_batch(counters: &mut Counters, batch: &Batch) {
    for event in &batch.events {
        let (url, day) = (event.url.as_deref(), event.created_at.day());
        let facts = || Facts::of(event);
        match event.name.as_str() {
            "form_abandon" => {
                let facts = facts();
                let rows = counters.rows_mut(Measure::Forms, day);
                add_timed(rows, ABANDONMENT, &joint_key([facts.text("form"), url]), facts.micros("time_spent_ms"));
                if let Some(field) = facts.text("last_field") {
                    rows.add(LAST_FIELDS, &joint_key([facts.text("form"), url, Some(field)]), COUNT, 1);
                }
            }
            "field_hesitation" => {
                let facts = facts();
                let key = joint_key([facts.text("form"), facts.text("field"), url]);
                let rows = counters.rows_mut(Measure::Forms, day);
                add_timed(rows, HESITATION, &key, facts.micros("hesitation_ms"));
            }
            _ => {}
        }
    }
}

fn add_timed(rows: &mut Rows, table: TableId, key: &str, micros: Option<i64>) {
    rows.add(table, key, COUNT, 1);
    if let Some(micros) = micros {
        rows.add(table, key, TIMED, 1);
        rows.add(table, key, TIME_MICROS, micros);
    }
}

/// How often, and how long where that is known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Timed {
    /// How often.
    pub count: i64,
    /// How often a time was given.
    pub timed: i64,
    /// The times in millionths of a millisecond, added up.
    pub micros: i128,
}

fn timed<'a, const N: usize>(
    days: impl Iterator<Item = (&'a Day, &'a Rows)>,
    table: TableId,
) -> BTreeMap<[Option<String>; N], Timed> {
    let mut found: BTreeMap<&str, Timed> = BTreeMap::new();
    for (key, row) in days.flat_map(|(_, rows)| rows.table(table)) {
        let get = |field| row.get(field);
        let timed = found.entry(key).or_default();
        timed.count += get(COUNT);
        timed.timed += get(TIMED);
        timed.micros += i128::from(get(TIME_MICROS));
    }
    found.retain(|_, timed| timed.count > 0);
    found.into_iter().map(|(key, timed)| (parts(key), timed)).collect()
}

/// Forms that were left on some days, by form and URL.
pub fn abandonment<'a>(days: impl Iterator<Item = (&'a Day, &'a Rows)>) -> BTreeMap<[Option<String>; 2], Timed> {
    timed(days, ABANDONMENT)
}

/// How often each field was the last one, by form, URL and field.
pub fn last_fields<'a>(days: impl Iterator<Item = (&'a Day, &'a Rows)>) -> BTreeMap<[Option<String>; 3], i64> {
    timed::<3>(days, LAST_FIELDS).into_iter().map(|(key, timed)| (key, timed.count)).collect()
}

/// Fields that made people hesitate on some days, by form, field and URL.
pub fn hesitation<'a>(days: impl Iterator<Item = (&'a Day, &'a Rows)>) -> BTreeMap<[Option<String>; 3], Timed> {
    timed(days, HESITATION)
}
