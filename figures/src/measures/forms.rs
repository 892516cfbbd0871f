//! The `forms` measure: forms that were left, and fields that made people hesitate.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use crate::counters::Days;
use crate::counters::flat::FlatRows;
use crate::counters::rows::{Rows, TableId};
use crate::counters::sums::sums;
use crate::measures::definition::Definition;
use crate::measures::event_data::{EventData, joint_key, joint_prefix, parts};
use crate::model::Batch;
use crate::model::event_types::{FIELD_HESITATION, FORM_ABANDON};
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

/// The measure.
pub const DEFINITION: Definition = Definition { add_batch, ..Definition::new("forms") };

/// What a person's batch adds.
fn add_batch(days: &mut Days, batch: &Batch) {
    for event in &batch.events {
        let (url, day) = (event.url.as_deref(), event.created_at.day());
        let data = || EventData::of(event);
        match event.name.as_str() {
            FORM_ABANDON => {
                let data = data();
                let rows = days.rows_mut(day);
                add_timed(rows, ABANDONMENT, &joint_key([data.text("form"), url]), data.micros("time_spent_ms"));
                if let Some(field) = data.text("last_field") {
                    rows.add(LAST_FIELDS, &joint_key([data.text("form"), url, Some(field)]), COUNT, 1);
                }
            }
            FIELD_HESITATION => {
                let data = data();
                let key = joint_key([data.text("form"), data.text("field"), url]);
                let rows = days.rows_mut(day);
                add_timed(rows, HESITATION, &key, data.micros("hesitation_ms"));
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

fn timed<'a>(
    days: impl Iterator<Item = (&'a Day, &'a FlatRows)>,
    table: TableId,
) -> impl Iterator<Item = (&'a str, Timed)> {
    let found = sums(days, [table], |timed: &mut Timed, _, row| {
        timed.count += row.get(COUNT);
        timed.timed += row.get(TIMED);
        timed.micros += i128::from(row.get(TIME_MICROS));
    });
    found.filter(|(_, timed)| timed.count > 0)
}

/// Forms that were left on some days, by the joint key of form and URL.
pub fn abandonment<'a>(days: impl Iterator<Item = (&'a Day, &'a FlatRows)>) -> impl Iterator<Item = (&'a str, Timed)> {
    timed(days, ABANDONMENT)
}

/// Fields that made people hesitate on some days, by the joint key of form, field and URL.
pub fn hesitation<'a>(days: impl Iterator<Item = (&'a Day, &'a FlatRows)>) -> impl Iterator<Item = (&'a str, Timed)> {
    timed(days, HESITATION)
}

/// The field that was most often the last one of a form on a page; of several, the first by name.
pub fn last_field<'a>(
    days: impl Iterator<Item = (&'a Day, &'a FlatRows)>,
    form: Option<&str>,
    url: Option<&str>,
) -> Option<String> {
    let prefix = joint_prefix([form, url]);
    let mut counts: BTreeMap<&str, i64> = BTreeMap::new();
    for (key, row) in days.flat_map(|(_, rows)| rows.with_prefix(LAST_FIELDS, &prefix)) {
        *counts.entry(key).or_default() += row.get(COUNT);
    }
    let fields = counts.into_iter().filter(|(_, count)| *count > 0).filter_map(|(key, count)| {
        let [_, _, field] = parts(key);
        Some((Reverse(count), field?))
    });
    fields.min().map(|(_, field)| field)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_field_is_the_most_frequent_one_of_its_form() {
        let counts = [
            ([Some("signup"), Some("/"), Some("name")], 2),
            ([Some("signup"), Some("/"), Some("email")], 1),
            ([Some("signup"), Some("/"), Some("age")], 1),
            ([Some("signup"), Some("/b"), Some("age")], 9),
            ([None, None, Some("name")], 1),
        ];
        let mut rows = [Rows::default(), Rows::default()];
        for (key, count) in counts {
            rows[0].add(LAST_FIELDS, &joint_key(key), COUNT, count);
        }
        rows[1].add(LAST_FIELDS, &joint_key([Some("signup"), Some("/"), Some("email")]), COUNT, 1);
        let days = [(Day(0), FlatRows::from(&rows[0])), (Day(1), FlatRows::from(&rows[1]))];
        let last_field = |form, url| last_field(days.iter().map(|(day, rows)| (day, rows)), form, url);
        assert_eq!(last_field(Some("signup"), Some("/")).as_deref(), Some("email"));
        assert_eq!(last_field(Some("signup"), Some("/b")).as_deref(), Some("age"));
        assert_eq!(last_field(None, None).as_deref(), Some("name"));
        assert_eq!(last_field(Some("signup"), None), None);
    }
}
