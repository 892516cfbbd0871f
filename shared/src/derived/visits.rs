//! The `visits` measure: distinct visitors in any range of days, from counters alone.
//!
//! Every session knows the day of its visitor's next one. In the range that ends on day `e`, each
//! active visitor has exactly one session whose next day is after `e` (or that is its latest): the
//! one it is counted and listed at. So a day's counters of sessions by *gap*, the days until the
//! visitor's next session, answer how many visitors of any range are counted on that day:
//! those with a gap over `e - day`, or none.

use super::Measure;
use super::counters::{Counters, Row, Rows, TableId};
use crate::model::Session;
use crate::time::Day;

/// The only table of the measures of visits.
pub const VISITS: TableId = 0;

/// The field of sessions without a next one; a gap of `n` days is field `n`. A gap of 0 days (another
/// session follows on the same day) is never counted at, so it is not kept.
pub const NO_NEXT: u32 = 0;

/// The gap field of a session; `None` if no range counts its visitor there.
pub fn gap(session: &Session) -> Option<u32> {
    match session.next_day {
        None => Some(NO_NEXT),
        Some(next) => u32::try_from(next.0 - session.day().0).ok().filter(|gap| *gap > 0),
    }
}

/// What a person's session adds.
pub fn add_session(counters: &mut Counters, session: &Session) {
    if let Some(gap) = gap(session) {
        let hour = format!("{:02}", session.started_at.hour().of_day());
        counters.rows_mut(Measure::Visits, session.day()).add(VISITS, &hour, gap, 1);
    }
}

/// The visitors of a row that are counted on its day, in a range that ends on `end`.
pub fn counted(row: &Row, day: Day, end: Day) -> u64 {
    let beyond = u32::try_from(end.0 - day.0).unwrap_or_default();
    let sum: i64 = row.iter().filter(|(gap, _)| **gap == NO_NEXT || **gap > beyond).map(|(_, count)| count).sum();
    u64::try_from(sum).unwrap_or_default()
}

/// The visitors counted on a day by the hour of the session they are counted at.
pub fn counted_by_hour(rows: &Rows, day: Day, end: Day) -> [u64; 24] {
    let mut hours = [0; 24];
    for (hour, row) in rows.table(VISITS).iter() {
        if let Some(slot) = hour.parse::<usize>().ok().and_then(|hour| hours.get_mut(hour)) {
            *slot += counted(row, day, end);
        }
    }
    hours
}
