//! The `stats` measure: one row a day for sessions, one row a day for each event type.

use crate::counters::Days;
use crate::counters::flat::FlatRows;
use crate::counters::rows::{Cells, TableId};
use crate::counters::shown::shown;
use crate::measures::crowd::STAYS;
use crate::measures::definition::Definition;
use crate::model::{Batch, Session};
use crate::time::Day;

/// The table with one row for all sessions, whose key is empty.
const SESSIONS: TableId = 0;
const ALL: &str = "";
/// The table with a row for each event type.
const EVENTS: TableId = 1;

/// Fields 0 to 23 of every row count by the hour. The sessions' row has these besides.
const BOUNCES: u32 = 24;
const DURATION_MS: u32 = 25;
const NEW_VISITORS: u32 = 26;
/// Kept here besides its own row, which a day of too many event types may not have.
const PAGE_VIEWS: u32 = 28;
/// Sessions and events of anyone, bots too: whether the day holds data.
const PRESENT: u32 = 27;

/// The most page views of a session that bounced.
const BOUNCE_PAGE_VIEWS: u32 = 1;

/// The measure.
pub const DEFINITION: Definition = Definition {
    add_presence_of_session,
    add_session,
    add_presence_of_batch,
    add_batch,
    strength,
    ..Definition::new("stats")
};

/// What a session adds whoever had it.
fn add_presence_of_session(days: &mut Days, session: &Session) {
    days.rows_mut(session.day()).add(SESSIONS, ALL, PRESENT, 1);
}

/// What a batch adds whoever sent it.
fn add_presence_of_batch(days: &mut Days, batch: &Batch) {
    for event in &batch.events {
        days.rows_mut(event.created_at.day()).add(SESSIONS, ALL, PRESENT, 1);
    }
}

/// What a person's session adds.
fn add_session(days: &mut Days, session: &Session) {
    let rows = days.rows_mut(session.day());
    rows.add(SESSIONS, ALL, u32::from(session.started_at.hour().of_day()), 1);
    rows.add(SESSIONS, ALL, BOUNCES, i64::from(session.page_views <= BOUNCE_PAGE_VIEWS));
    rows.add(SESSIONS, ALL, DURATION_MS, session.duration_ms());
    rows.add(SESSIONS, ALL, NEW_VISITORS, i64::from(session.is_first));
}

/// What a person's batch adds.
fn add_batch(days: &mut Days, batch: &Batch) {
    for event in &batch.events {
        let at = event.created_at;
        let rows = days.rows_mut(at.day());
        rows.add(EVENTS, &event.name, u32::from(at.hour().of_day()), 1);
        rows.add(SESSIONS, ALL, PAGE_VIEWS, i64::from(event.is_page_view()));
    }
}

/// The events of a type. The row of all sessions is never in anyone's way.
fn strength(table: TableId, row: Cells<'_>) -> i64 {
    match table {
        EVENTS => row.before_field(24).map(|(_, count)| count).sum(),
        _ => STAYS,
    }
}

/// What a day's row holds.
#[derive(Debug, Clone, Copy)]
pub struct StatsDay<'a>(pub &'a FlatRows);

impl<'a> StatsDay<'a> {
    fn of_sessions(&self, field: u32) -> i64 {
        self.0.row(SESSIONS, ALL).get(field)
    }

    /// Sessions started on the day, by hour.
    pub fn sessions_by_hour(&self) -> [u64; 24] {
        by_hour(self.0.row(SESSIONS, ALL))
    }

    /// Events of the day, by type and hour.
    pub fn events_by_type(&self) -> impl Iterator<Item = (&'a str, [u64; 24])> + use<'a> {
        self.0.table(EVENTS).map(|(name, row)| (name, by_hour(row)))
    }

    /// Sessions started on the day.
    pub fn sessions(&self) -> i64 {
        self.sessions_by_hour().iter().sum::<u64>() as i64
    }

    /// Events of the day.
    pub fn events(&self) -> i64 {
        self.events_by_type().flat_map(|(_, hours)| hours).sum::<u64>() as i64
    }

    /// Page views of the day.
    pub fn page_views(&self) -> i64 {
        self.of_sessions(PAGE_VIEWS)
    }

    /// Sessions started on the day with at most one page view.
    pub fn bounces(&self) -> i64 {
        self.of_sessions(BOUNCES)
    }

    /// The durations of the sessions started on the day, added up.
    pub fn duration_ms(&self) -> i64 {
        self.of_sessions(DURATION_MS)
    }

    /// Visitors whose first session ever started on the day.
    pub fn new_visitors(&self) -> i64 {
        self.of_sessions(NEW_VISITORS)
    }

    /// Whether anyone, bots too, left a session or an event on the day.
    pub fn holds_data(&self) -> bool {
        self.of_sessions(PRESENT) > 0
    }
}

fn by_hour(row: Cells<'_>) -> [u64; 24] {
    let mut hours = [0; 24];
    for (field, count) in row.before_field(24) {
        hours[field as usize] = shown(count);
    }
    hours
}

/// Adds up a figure over days.
pub fn total<'a>(days: impl IntoIterator<Item = (&'a Day, &'a FlatRows)>, figure: impl Fn(StatsDay<'a>) -> i64) -> i64 {
    days.into_iter().map(|(_, rows)| figure(StatsDay(rows))).sum()
}
