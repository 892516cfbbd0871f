//! The `errors` measure: errors and warnings by type and message, with the page of the latest one.

use crate::counters::Days;
use crate::counters::flat::FlatRows;
use crate::counters::rows::{Cells, Rows, TableId};
use crate::counters::sums::sums;
use crate::measures::definition::Definition;
use crate::measures::distinct::{Others, Seen};
use crate::measures::event_data::{EventData, joint_key, joint_prefix, parts};
use crate::measures::{distinct, instants};
use crate::model::event_types::{CONSOLE_ERROR, CONSOLE_WARNING, JS_EXCEPTION, PROMISE_REJECTION};
use crate::model::{Batch, Event};
use crate::time::{Day, Millis};

/// The types that are errors or warnings.
pub const TYPES: [&str; 4] = [JS_EXCEPTION, PROMISE_REJECTION, CONSOLE_ERROR, CONSOLE_WARNING];

/// By type and message: how many, and their visitors by next active day.
const ERRORS: TableId = 0;
const COUNT: u32 = 0;
/// By type, message and URL: the instants.
const TIMES: TableId = 1;
/// By type and message: the instants, which a day of too many URLs may not tell.
const ALL_TIMES: TableId = 2;

/// The measure.
pub const DEFINITION: Definition = Definition {
    add_batch,
    distinct: &[ERRORS],
    seen,
    strength,
    trim,
    reduce,
    is_emptied,
    ..Definition::new("errors")
};

fn errors(batch: &Batch) -> impl Iterator<Item = (&Event, String)> {
    let errors = batch.events.iter().filter(|event| TYPES.contains(&event.name.as_str()));
    errors.map(|event| (event, joint_key([Some(&event.name), EventData::of(event).message().as_deref()])))
}

/// What a person's batch adds.
fn add_batch(days: &mut Days, batch: &Batch) {
    for (event, key) in errors(batch) {
        let rows = days.rows_mut(event.created_at.day());
        let instant = instants::field(event.created_at);
        rows.add(ERRORS, &key, COUNT, 1);
        rows.add(TIMES, &joint_key([Some(&key), event.url.as_deref()]), instant, 1);
        rows.add(ALL_TIMES, &key, instant, 1);
    }
}

/// Which keys a batch's visitor was seen at.
fn seen(batch: &Batch) -> Vec<Seen> {
    let seen = errors(batch).map(|(event, key)| {
        let (day, visitor) = (event.created_at.day(), batch.visitor_id.clone());
        Seen { table: ERRORS, key, day, visitor }
    });
    seen.collect()
}

/// A row's visitors, or events if these are fewer.
fn strength(table: TableId, row: Cells<'_>) -> i64 {
    match table {
        TIMES | ALL_TIMES => instants::kept(row),
        _ => distinct::visitors(row).min(row.get(COUNT)),
    }
}

/// Leaves of a day's rows what readers see.
fn reduce(rows: &mut Rows) {
    for table in [TIMES, ALL_TIMES] {
        instants::reduce(rows.table_mut(table));
    }
}

/// Keeps a day's rows small.
fn trim(rows: &mut Rows) {
    for table in [TIMES, ALL_TIMES] {
        instants::trim(rows.table_mut(table));
    }
}

/// Whether a row of a day counts nothing any more.
fn is_emptied(table: TableId, row: Cells<'_>) -> bool {
    match table {
        TIMES | ALL_TIMES => instants::is_emptied(row),
        _ => row.iter().all(|(_, count)| count == 0),
    }
}

/// An error's figures in a range.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ErrorFigures {
    /// How often it happened.
    pub count: i64,
    /// To how many distinct visitors.
    pub unique_visitors: u64,
    /// When it happened first.
    pub first_seen_at: Option<Millis>,
    /// When it happened last.
    pub last_seen_at: Option<Millis>,
}

/// The errors of days in a range that ends on `end`, by the joint key of type and message.
pub fn by_message<'a>(
    days: impl Iterator<Item = (&'a Day, &'a FlatRows)> + Clone,
    end: Day,
) -> impl Iterator<Item = (&'a str, ErrorFigures)> {
    let others = Others::of(days.clone(), ERRORS);
    let errors = sums(days, [ERRORS, ALL_TIMES], move |figures: &mut ErrorFigures, (day, table), row| {
        if table == ERRORS {
            figures.count += row.get(COUNT);
            figures.unique_visitors += distinct::counted(row, day, end);
        } else if let Some((first, last)) = instants::span(row, day) {
            figures.first_seen_at = Some(figures.first_seen_at.map_or(first, |known| known.min(first)));
            figures.last_seen_at = figures.last_seen_at.max(Some(last));
        }
    });
    let errors = errors.filter(|(_, figures)| figures.count > 0);
    errors.map(move |(key, figures)| {
        (key, ErrorFigures { unique_visitors: others.distinct(key, figures.unique_visitors), ..figures })
    })
}

/// On which page an error happened at the latest instant of its day, if that is kept apart.
pub fn latest_url(rows: &FlatRows, error: &str, latest: Millis) -> Option<String> {
    let of_error = rows.with_prefix(TIMES, &joint_prefix([Some(error)]));
    let is_latest = |row| instants::span(row, latest.day()).is_some_and(|(_, last)| last == latest);
    let [_, url] = of_error.filter(|(_, row)| is_latest(*row)).last().map(|(key, _)| parts(key))?;
    url
}
