//! Date ranges: two UTC days, both inclusive.

use crate::error::ApiError;
use crate::params::Params;
use crate::time::{Day, Millis};

/// How many days a range without a start covers, its end included.
const DEFAULT_DAYS: i32 = 30;

/// A validated range of days, start ≤ end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DateRange {
    start: Day,
    end: Day,
}

impl DateRange {
    /// A range, unless it ends before it starts.
    pub fn new(start: Day, end: Day) -> Option<Self> {
        (start <= end).then_some(DateRange { start, end })
    }

    /// Reads `start_date` and `end_date`. Neither: the 30 days that end today. Only a start:
    /// until today. Only an end: the 30 days that end there.
    pub fn parse(params: &Params) -> Result<Self, ApiError> {
        let given_end = day(params, "end_date")?;
        let end = given_end.unwrap_or(params.today());
        let start = day(params, "start_date")?.unwrap_or(end.plus(1 - DEFAULT_DAYS));
        DateRange::new(start, end).ok_or_else(|| {
            let of_end = if given_end.is_some() { "end_date" } else { "today, which is the default end_date" };
            ApiError::InvalidDate(format!("start_date must not be after {of_end}."))
        })
    }

    /// All days that an instant can lie in.
    pub fn always() -> Self {
        DateRange { start: Millis(0).day(), end: Millis::MAX.day() }
    }

    /// The first instant and the last.
    pub fn instants(&self) -> (Millis, Millis) {
        (self.start.start(), self.end.end())
    }

    /// The first day.
    pub fn start(&self) -> Day {
        self.start
    }

    /// The last day.
    pub fn end(&self) -> Day {
        self.end
    }

    /// The days of the range, ascending.
    pub fn days(&self) -> impl Iterator<Item = Day> + use<> {
        (self.start.0..=self.end.0).map(Day)
    }

    /// Whether a day lies in the range.
    pub fn contains(&self, day: Day) -> bool {
        self.start <= day && day <= self.end
    }
}

fn day(params: &Params, name: &str) -> Result<Option<Day>, ApiError> {
    params
        .get(name)
        .map(|text| {
            text.parse()
                .map_err(|_| ApiError::InvalidDate(format!("{name} must be a real day in the form YYYY-MM-DD.")))
        })
        .transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(query: &str) -> Result<(String, String), String> {
        let params = Params::parse(query, "2025-03-31".parse().unwrap_or(Day(0)));
        DateRange::parse(&params)
            .map(|range| (range.start.to_string(), range.end.to_string()))
            .map_err(|e| e.to_string())
    }

    fn days(start: &str, end: &str) -> Result<(String, String), String> {
        Ok((start.to_owned(), end.to_owned()))
    }

    #[test]
    fn each_default_is_thirty_days_or_until_today() {
        assert_eq!(range(""), days("2025-03-02", "2025-03-31"));
        assert_eq!(range("start_date=2025-01-01"), days("2025-01-01", "2025-03-31"));
        assert_eq!(range("end_date=2025-01-31"), days("2025-01-02", "2025-01-31"));
        assert_eq!(range("start_date=2025-01-01&end_date=2025-01-01"), days("2025-01-01", "2025-01-01"));
        assert_eq!(range("start_date=1970-01-01"), days("1970-01-01", "2025-03-31"));
    }

    #[test]
    fn what_is_no_range_is_refused() {
        for query in [
            "start_date=2025-02-30",
            "start_date=",
            "end_date=tomorrow",
            "start_date=2025-02-02&end_date=2025-02-01",
            "start_date=2025-04-01",
        ] {
            assert!(range(query).is_err(), "{query}");
        }
    }
}
