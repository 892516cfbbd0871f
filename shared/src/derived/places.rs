//! The `places` measure: the `visits` measure by browser, operating system and country together, so
//! that a filter on any of them, or on all, has an exact total.

use super::Measure;
use super::counters::{Counters, Rows};
use super::visits::{self, VISITS};
use crate::model::Session;
use crate::time::Day;

/// Separates the parts of a key; no browser, system or country contains it.
const SEPARATOR: char = '\u{1f}';

/// What a person's session adds.
pub fn add_session(counters: &mut Counters, session: &Session) {
    if let Some(gap) = visits::gap(session) {
        let part = |value: &Option<String>| value.clone().unwrap_or_default();
        let key = [part(&session.browser_name), part(&session.os), part(&session.geo_country_code)];
        counters.rows_mut(Measure::Places, session.day()).add(VISITS, &key.join(&SEPARATOR.to_string()), gap, 1);
    }
}

/// A filter on where and with what a visit was made; each part lower-cased, `None` matches all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PlaceFilter {
    /// The browser's name.
    pub browser: Option<String>,
    /// The operating system.
    pub os: Option<String>,
    /// The country code.
    pub country: Option<String>,
}

impl PlaceFilter {
    /// Whether it lets everything through.
    pub fn is_empty(&self) -> bool {
        *self == PlaceFilter::default()
    }

    /// Whether a visit passes.
    pub fn matches(&self, browser: Option<&str>, os: Option<&str>, country: Option<&str>) -> bool {
        let passes = |wanted: &Option<String>, given: Option<&str>| match wanted {
            None => true,
            Some(wanted) => given.is_some_and(|given| given.to_lowercase() == *wanted),
        };
        passes(&self.browser, browser) && passes(&self.os, os) && passes(&self.country, country)
    }

    /// The visitors that pass and are counted on a day, in a range that ends on `end`.
    pub fn counted(&self, rows: &Rows, day: Day, end: Day) -> u64 {
        rows.table(VISITS)
            .iter()
            .filter(|(key, _)| {
                let mut parts = key.split(SEPARATOR).map(|part| Some(part).filter(|part| !part.is_empty()));
                self.matches(parts.next().flatten(), parts.next().flatten(), parts.next().flatten())
            })
            .map(|(_, row)| visits::counted(row, day, end))
            .sum()
    }
}
