//! The dimensions of visits, stored as the measure `places`: sessions by browser, operating system and country together, and by the quarter of the day and
//! the next active day, so that a filter on any of them, or on all, has an exact total, and its pages are found within six hours.

use crate::counters::Days;
use crate::counters::flat::FlatRows;
use crate::counters::next_active_day;
use crate::counters::rows::{Cells, TableId};
use crate::counters::shown::shown;
use crate::measures::crowd::STAYS;
use crate::measures::definition::Definition;
use crate::measures::visits;
use crate::model::Session;
use crate::time::{Day, Hour};

/// The only table.
const DIMENSIONS: TableId = 0;

/// Parts of a day that are counted apart.
const QUARTERS: u8 = 4;
/// The hours of each.
const HOURS: u8 = 24 / QUARTERS;

/// Separates the parts of a key; no browser, system or country contains it.
const SEPARATOR: char = '\u{1f}';

/// The measure.
pub const DEFINITION: Definition =
    Definition { add_session, max_keys: None, strength: |_, _| STAYS, ..Definition::new("places") };

/// What a person's session adds.
fn add_session(days: &mut Days, session: &Session) {
    if let Some(next) = visits::field(session) {
        let part = |value: &Option<String>| value.clone().unwrap_or_default();
        let key = [part(&session.browser_name), part(&session.os), part(&session.geo_country_code)];
        let field = next * u32::from(QUARTERS) + u32::from(session.started_at.hour().of_day() / HOURS);
        days.rows_mut(session.day()).add(DIMENSIONS, &key.join(&SEPARATOR.to_string()), field, 1);
    }
}

/// A filter on where and with what a visit was made; each part lower-cased, `None` matches all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DimensionFilter {
    /// The browser's name.
    pub browser: Option<String>,
    /// The operating system.
    pub os: Option<String>,
    /// The country code.
    pub country: Option<String>,
}

impl DimensionFilter {
    /// Whether it lets everything through.
    pub fn is_empty(&self) -> bool {
        *self == DimensionFilter::default()
    }

    /// Whether a visit passes.
    pub fn matches(&self, browser: Option<&str>, os: Option<&str>, country: Option<&str>) -> bool {
        let passes = |wanted: &Option<String>, given: Option<&str>| match wanted {
            None => true,
            Some(wanted) => given.is_some_and(|given| given.to_lowercase() == *wanted),
        };
        passes(&self.browser, browser) && passes(&self.os, os) && passes(&self.country, country)
    }

    /// The visitors that pass and are counted on a day, in a range that ends on `end`: for each quarter of the day, by its
    /// first hour.
    pub fn counted(&self, rows: &FlatRows, day: Day, end: Day) -> [(Hour, u64); QUARTERS as usize] {
        let mut quarters = [0; QUARTERS as usize];
        for (key, row) in rows.table(DIMENSIONS) {
            let mut parts = key.split(SEPARATOR).map(|part| Some(part).filter(|part| !part.is_empty()));
            if self.matches(parts.next().flatten(), parts.next().flatten(), parts.next().flatten()) {
                add_counted(&mut quarters, row, day, end);
            }
        }
        std::array::from_fn(|quarter| (day.hour(quarter as u8 * HOURS), shown(quarters[quarter])))
    }
}

fn add_counted(quarters: &mut [i64; QUARTERS as usize], row: Cells<'_>, day: Day, end: Day) {
    let per_next = u32::from(QUARTERS);
    for (field, count) in row.iter().filter(|(field, _)| next_active_day::is_counted(field / per_next, day, end)) {
        quarters[(field % per_next) as usize] += count;
    }
}

/// The hours of the quarter of a day that an hour lies in.
pub fn quarter(hour: Hour) -> impl Iterator<Item = Hour> {
    let first = hour.of_day() / HOURS * HOURS;
    (first..first + HOURS).map(move |of_day| hour.day().hour(of_day))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quarter_has_the_six_hours_that_an_hour_lies_in() {
        let of_day = |hour| quarter(Day(9).hour(hour)).map(|hour| (hour.day(), hour.of_day())).collect::<Vec<_>>();
        assert_eq!(of_day(0), of_day(5));
        assert_eq!(of_day(23), (18..24).map(|hour| (Day(9), hour)).collect::<Vec<_>>());
    }
}
