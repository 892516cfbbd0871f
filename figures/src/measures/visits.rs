//! The `visits` measure: sessions by hour and next active day, for the distinct visitors of any range (see [`next_active_day`]).
//!
//! Every session knows the day of its visitor's next one. In the range that ends on day `e`, each active
//! visitor is counted, and listed, at exactly one session: the one whose next day is after `e`, or that
//! has no next one.

use crate::counters::Days;
use crate::counters::flat::FlatRows;
use crate::counters::next_active_day;
use crate::counters::rows::{Cells, TableId};
use crate::measures::crowd::STAYS;
use crate::measures::definition::Definition;
use crate::model::Session;
use crate::time::Day;

/// The only table of the measures of visits.
pub const VISITS: TableId = 0;

/// The field of a session; `None` if no range counts its visitor there.
pub fn field(session: &Session) -> Option<u32> {
    next_active_day::field(session.day(), session.next_day)
}

/// The measure.
pub const DEFINITION: Definition =
    Definition { add_session, max_keys: None, strength: |_, _| STAYS, ..Definition::new("visits") };

/// What a person's session adds.
fn add_session(days: &mut Days, session: &Session) {
    if let Some(field) = field(session) {
        let hour = format!("{:02}", session.started_at.hour().of_day());
        days.rows_mut(session.day()).add(VISITS, &hour, field, 1);
    }
}

/// The visitors of a row that are counted on its day, in a range that ends on `end`.
pub fn counted(row: Cells<'_>, day: Day, end: Day) -> u64 {
    next_active_day::counted(row, 0, day, end)
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
