//! Distinct visitors of a range from counters alone.
//!
//! Take the days on which a visitor did something, such as starting a session or viewing a URL. Each is counted by the days
//! until the *next active day*, or by none if it is the last. In a range that ends on day `e`, exactly one of the visitor's
//! days in the range has its next active day after `e`, or none: the last one. So counters of days by their distance to the
//! next add up to the distinct visitors of any range, and they are exact, additive and small.

use super::rows::Cells;
use super::shown::shown;
use crate::time::Day;

/// The field of the last active day; one that is followed by another after `n` days has field `n`.
pub const LAST: u32 = 0;

/// The field of a day and the next active one. `None` where the next one is the same day: no range counts there.
pub fn field(day: Day, next: Option<Day>) -> Option<u32> {
    match next {
        None => Some(LAST),
        Some(next) => u32::try_from(next.0 - day.0).ok().filter(|days| *days > 0),
    }
}

/// The visitors counted on a day, in a range that ends on `end`. The fields begin at `base`.
pub fn counted(row: Cells<'_>, base: u32, day: Day, end: Day) -> u64 {
    let counted = row.from_field(base).filter(|(field, _)| is_counted(*field - base, day, end));
    shown(counted.map(|(_, count)| count).sum())
}

/// Whether a range that ends on `end` counts a visitor on a day with this field.
pub fn is_counted(field: u32, day: Day, end: Day) -> bool {
    field == LAST || i64::from(field) > i64::from(end.0 - day.0)
}
