//! The `visits` measure: sessions by hour and gap, for the distinct visitors of any range (see [`gaps`]).
//!
//! Every session knows the day of its visitor's next one. In the range that ends on day `e`, each active
//! visitor is counted, and listed, at exactly one session: the one whose next day is after `e`, or that
//! has no next one.

use super::counters::{Cells, Counters, TableId};
use super::flat::FlatRows;
use super::{Measure, gaps};
use crate::model::Session;
use crate::time::Day;

/// The only table of the measures of visits.
pub const VISITS: TableId = 0;

/// The gap field of a session; `None` if no range counts its visitor there.
pub fn gap(session: &Session) -> Option<u32> {
    gaps::gap(session.day(), session.next_day)
}

/// What a person's session adds.
pub fn add_session(counters: &mut Counters, session: &Session) {
    if let Some(gap) = gap(session) {
        let hour = format!("{:02}", session.started_at.hour().of_day());
        counters.rows_mut(Measure::Visits, session.day()).add(VISITS, &hour, gap, 1);
    }
}

/// The visitors of a row that are counted on its day, in a range that ends on `end`.
pub fn counted(row: Cells<'_>, day: Day, end: Day) -> u64 {
    gaps::counted(row, 0, day, end)
}

/// The visitors counted on a day by the hour of the session they are counted at.
pub fn counted_by_hour(rows: &FlatRows, day: Day, end: Day) -> [u64; 24] {
    let mut hours = [0; 24];
    for (hour, row) in rows.table(VISITS) {
        if let Some(slot) = hour.parse::<usize>().ok().and_then(|hour| hours.get_mut(hour)) {
            *slot += counted(row, day, end);
        }
    }
    hours
}
