//! Instants, hours and days, all UTC.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use chrono::{Datelike, NaiveDate};
use serde::{Deserialize, Serialize};

const MS_PER_HOUR: i64 = 3_600_000;
/// A day, in milliseconds.
pub const DAY_MS: i64 = 86_400_000;

/// An instant in Unix milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Millis(pub i64);

impl Millis {
    /// The last instant of the year 9999, the latest one that a key of the table can carry.
    pub const MAX: Millis = Millis(253_402_300_799_999);

    /// The instant by this machine's clock.
    pub fn now() -> Self {
        Millis(chrono::Utc::now().timestamp_millis())
    }

    /// The UTC day this instant belongs to.
    pub fn day(self) -> Day {
        Day(self.0.div_euclid(DAY_MS) as i32)
    }

    /// The UTC hour this instant belongs to.
    pub fn hour(self) -> Hour {
        Hour(self.0.div_euclid(MS_PER_HOUR) as i32)
    }

    /// This instant moved by a number of milliseconds.
    pub fn plus(self, ms: i64) -> Self {
        Millis(self.0.saturating_add(ms))
    }
}

/// What tells the time. Clones tell the same.
#[derive(Debug, Clone, Default)]
pub enum Clock {
    /// This machine's clock.
    #[default]
    System,
    /// A clock that is set, for what is to go on faster than time does: it stands at so many Unix milliseconds.
    Set(Arc<AtomicI64>),
}

impl Clock {
    /// The instant by this clock.
    pub fn now(&self) -> Millis {
        match self {
            Clock::System => Millis::now(),
            Clock::Set(at) => Millis(at.load(Ordering::Relaxed)),
        }
    }
}

/// An hour, counted from 1970-01-01T00 UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Hour(pub i32);

impl Hour {
    /// The day this hour lies in.
    pub fn day(self) -> Day {
        Day(self.0.div_euclid(24))
    }

    /// 0 to 23.
    pub fn of_day(self) -> u8 {
        self.0.rem_euclid(24) as u8
    }

    /// The first instant of the hour.
    pub fn start(self) -> Millis {
        Millis(i64::from(self.0) * MS_PER_HOUR)
    }
}

/// A calendar day, counted from 1970-01-01. Written as `YYYY-MM-DD`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Day(pub i32);

impl Day {
    /// The hour of this day, 0 to 23.
    pub fn hour(self, of_day: u8) -> Hour {
        Hour(self.0 * 24 + i32::from(of_day))
    }

    /// All hours of this day, ascending.
    pub fn hours(self) -> impl Iterator<Item = Hour> {
        (0..24).map(move |of_day| self.hour(of_day))
    }

    /// The first instant of the day.
    pub fn start(self) -> Millis {
        Millis(i64::from(self.0) * DAY_MS)
    }

    /// The last millisecond of the day.
    pub fn end(self) -> Millis {
        Millis(self.start().0 + DAY_MS - 1)
    }

    /// This day moved by a number of days.
    pub fn plus(self, days: i32) -> Self {
        Day(self.0 + days)
    }

    fn from_date(date: NaiveDate) -> Self {
        Day(date.num_days_from_ce() - UNIX_EPOCH_FROM_CE)
    }
}

/// Days from 0000-12-31 to 1970-01-01, the offset between `chrono`'s day numbers and ours.
const UNIX_EPOCH_FROM_CE: i32 = 719_163;

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match NaiveDate::from_num_days_from_ce_opt(self.0 + UNIX_EPOCH_FROM_CE) {
            Some(date) => write!(f, "{:04}-{:02}-{:02}", date.year(), date.month(), date.day()),
            None => write!(f, "day {}", self.0),
        }
    }
}

/// Not a real day in the form `YYYY-MM-DD`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a calendar day in the form YYYY-MM-DD")]
pub struct InvalidDay;

impl FromStr for Day {
    type Err = InvalidDay;

    fn from_str(text: &str) -> Result<Self, InvalidDay> {
        let bytes = text.as_bytes();
        let shaped = bytes.len() == 10
            && bytes.iter().enumerate().all(|(at, byte)| match at {
                4 | 7 => *byte == b'-',
                _ => byte.is_ascii_digit(),
            });
        if !shaped {
            return Err(InvalidDay);
        }
        NaiveDate::parse_from_str(text, "%Y-%m-%d").map(Day::from_date).map_err(|_| InvalidDay)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_read_strictly_and_written_back_the_same() {
        for text in ["1970-01-01", "2024-02-29", "2025-12-31", "9999-12-31", "0001-01-01"] {
            assert_eq!(text.parse::<Day>().map(|day| day.to_string()), Ok(text.to_owned()));
        }
        for text in
            ["2025-02-30", "2025-2-03", "20250203", "2025-02-03T00", " 2025-02-03", "2025/02/03", "", "２０２５-02-03"]
        {
            assert_eq!(text.parse::<Day>(), Err(InvalidDay), "{text}");
        }
    }

    #[test]
    fn days_hours_and_instants_agree() {
        let instant = Millis(1_719_302_400_000);
        assert_eq!(instant.day().to_string(), "2024-06-25");
        assert_eq!(instant.hour().day(), instant.day());
        assert_eq!(instant.day().hour(instant.hour().of_day()), instant.hour());
        assert_eq!(instant.day().end().plus(1), instant.day().plus(1).start());
        assert_eq!(Millis(-1).day().to_string(), "1969-12-31");
    }
}
