//! Parameters, read once.

use std::borrow::Cow;
use std::ops::RangeInclusive;

use crate::error::ApiError;
use figures::dates::DateRange;
use figures::time::Day;
use serde::de::Error;
use serde::{Deserialize, Deserializer};
use serde_json::Number;

/// The longest name or label, in characters.
const MAX_TEXT: usize = 100;

/// How many days a range without a start covers, its end included.
const DEFAULT_DAYS: i32 = 30;

/// The decoded query of a request, and the day it is answered on.
#[derive(Debug, Clone)]
pub struct Params {
    pairs: Vec<(String, String)>,
    today: Day,
}

impl Params {
    /// Decodes `a=1&b=2`. Invalid UTF-8 becomes replacement characters.
    pub fn parse(query: &str, today: Day) -> Self {
        let owned = |(name, value): (Cow<'_, str>, Cow<'_, str>)| (name.into_owned(), value.into_owned());
        Params { pairs: form_urlencoded::parse(query.as_bytes()).map(owned).collect(), today }
    }

    /// The current UTC day.
    pub fn today(&self) -> Day {
        self.today
    }

    /// All parameters, in the order given.
    pub fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.pairs.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// A parameter's value; the first one where it is repeated.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.pairs.iter().find(|(given, _)| given == name).map(|(_, value)| value.as_str())
    }

    /// A filter: an empty value filters nothing.
    pub fn filter(&self, name: &str) -> Option<&str> {
        self.get(name).filter(|value| !value.is_empty())
    }

    /// A filter that ignores case, lower-cased.
    pub fn folded(&self, name: &str) -> Option<String> {
        self.filter(name).map(str::to_lowercase)
    }

    /// An integer of a range, whose error says which end was missed.
    pub fn integer(&self, name: &str, range: RangeInclusive<u64>, default: u64) -> Result<u64, ApiError> {
        let Some(text) = self.get(name) else { return Ok(default) };
        let (min, max) = (range.start(), range.end());
        let too_small = || ApiError::InvalidParameter(format!("{name} must be an integer of at least {min}."));
        if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(too_small());
        }
        // Digits that no integer holds are a number beyond every range.
        match text.parse() {
            Ok(value) if value < *min => Err(too_small()),
            Ok(value) if value <= *max => Ok(value),
            _ => Err(ApiError::InvalidParameter(format!("{name} must be at most {max}."))),
        }
    }

    /// The range from `start_date` to `end_date`. Neither: the 30 days that end today. Only a start: until today, or that day
    /// alone where it is tomorrow in UTC, as somebody's today is east of there. Only an end: the 30 days that end there.
    pub fn dates(&self) -> Result<DateRange, ApiError> {
        let (given_start, given_end) = (self.day("start_date")?, self.day("end_date")?);
        let tomorrow = given_start.filter(|start| *start == self.today.plus(1));
        let end = given_end.or(tomorrow).unwrap_or(self.today);
        let start = given_start.unwrap_or(end.plus(1 - DEFAULT_DAYS));
        DateRange::new(start, end).ok_or_else(|| {
            let of_end = if given_end.is_some() { "end_date" } else { "today, which is the default end_date" };
            ApiError::InvalidDate(format!("start_date must not be after {of_end}."))
        })
    }

    fn day(&self, name: &str) -> Result<Option<Day>, ApiError> {
        let refused = |_| ApiError::InvalidDate(format!("{name} must be a real day in the form YYYY-MM-DD."));
        self.get(name).map(|text| text.parse().map_err(refused)).transpose()
    }
}

/// Whether a character begins another line, or turns the direction of what follows.
fn breaks_a_line(character: char) -> bool {
    character.is_control() || matches!(character, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// An integer of a body, however JSON tells it: `30`, `30.0` and `3e1` are one number. It has up to 32 bits, so that a double
/// holds it exactly.
#[derive(Debug, Clone, Copy)]
pub struct Integer<T>(pub T);

impl<'de, T: TryFrom<i64>> Deserialize<'de> for Integer<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = Number::deserialize(deserializer)?;
        let integer = number.as_f64().filter(|number| number.fract() == 0.0);
        let integer = integer.and_then(|integer| T::try_from(integer as i64).ok());
        integer.map(Integer).ok_or_else(|| D::Error::custom(format_args!("{number} is no integer, or too large a one")))
    }
}

/// A name or a label that people read: one line of up to 100 characters.
pub fn text_of(field: &str, given: &str) -> Result<String, ApiError> {
    let text = given.trim();
    if text.chars().count() > MAX_TEXT || text.chars().any(breaks_a_line) {
        return Err(ApiError::InvalidBody(format!("{field} must be one line of up to {MAX_TEXT} characters.")));
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_are_read_strictly() {
        let read = |query: &str| Params::parse(query, Day(0)).integer("page", 1..=60, 7).ok();
        assert_eq!(read(""), Some(7));
        assert_eq!(read("page=3&page=4"), Some(3));
        assert_eq!(read("page=60"), Some(60));
        for query in [
            "page=61",
            "page=99999999999999999999999",
            "page=0",
            "page=-1",
            "page=1.5",
            "page=",
            "page=one",
            "page=+1",
            "page=%201",
        ] {
            assert_eq!(read(query), None, "{query}");
        }
    }

    fn range(query: &str) -> Result<(String, String), String> {
        let params = Params::parse(query, "2025-03-31".parse().unwrap_or(Day(0)));
        let days = |range: DateRange| (range.start().to_string(), range.end().to_string());
        params.dates().map(days).map_err(|error| error.to_string())
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
    fn the_today_of_who_is_ahead_of_utc_is_a_range() {
        assert_eq!(range("start_date=2025-04-01"), days("2025-04-01", "2025-04-01"));
        assert!(range("start_date=2025-04-01&end_date=2025-03-31").is_err());
    }

    #[test]
    fn what_is_no_range_is_refused() {
        for query in [
            "start_date=2025-02-30",
            "start_date=",
            "end_date=tomorrow",
            "start_date=2025-02-02&end_date=2025-02-01",
            "start_date=2025-04-02",
        ] {
            assert!(range(query).is_err(), "{query}");
        }
    }
}
