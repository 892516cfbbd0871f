//! Distinct visitors of a range from counters alone.
//!
//! Take the days on which a visitor did something, such as starting a session or viewing a URL. Each has a
//! *gap*: the days until the next one, or none if it is the last. In a range that ends on day `e`, exactly
//! one of the visitor's days in the range has a gap over `e - day`, or none: the last one. So counters of
//! days by gap add up to the distinct visitors of any range, and they are exact, additive and small.

use super::counters::Cells;
use super::shown::shown;
use crate::time::Day;

/// The gap field of the last day; a gap of `n` days is field `n`.
pub const NO_NEXT: u32 = 0;

/// The gap field of a day and the next one. `None` where the next one is the same day: no range counts there.
pub fn gap(day: Day, next: Option<Day>) -> Option<u32> {
    match next {
        None => Some(NO_NEXT),
        Some(next) => u32::try_from(next.0 - day.0).ok().filter(|gap| *gap > 0),
    }
}

/// The visitors counted on a day, in a range that ends on `end`. Gap fields begin at `base`.
pub fn counted(row: Cells<'_>, base: u32, day: Day, end: Day) -> u64 {
    let counted = row.from_field(base).filter(|(field, _)| is_counted(*field - base, day, end));
    shown(counted.map(|(_, count)| count).sum())
}

/// Whether a range that ends on `end` counts a visitor on a day with this gap.
pub fn is_counted(gap: u32, day: Day, end: Day) -> bool {
    gap == NO_NEXT || i64::from(gap) > i64::from(end.0 - day.0)
}
