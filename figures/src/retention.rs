//! What is kept, and until when: a project's batches and what shows single visitors are kept for so many days, its figures
//! for ever.
//!
//! Items carry the instant at which the table may delete them, which it does some day. So whether something is still
//! there says nothing: it is gone on the day on which the [horizon](Kept::horizon) passes its last instant.

use std::fmt;
use std::str::FromStr;

use crate::table::store::{EXPIRES, Item, KEPT_SINCE, RETENTION_DAYS, number, read_number};
use crate::time::{Day, Millis};

/// The environment variable with the days that projects keep which have no setting of their own.
pub const VARIABLE: &str = "RETENTION_DAYS";

/// The fewest days: batches may be counted for 17 days, of sessions that began 8 days before.
const LEAST_DAYS: i32 = 30;
/// The most days: a hundred years.
const MOST_DAYS: i32 = 36_500;

/// Items are deleted so many days later than they are gone, so that no clock and no reader finds them missing too early.
const ROOM_DAYS: i32 = 1;

/// For how many days something is kept; or for ever.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Retention(Option<i32>);

/// Not 0, and not 30 to 36500.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be 0, which keeps all, or {LEAST_DAYS} to {MOST_DAYS} days")]
pub struct InvalidRetention;

impl Retention {
    /// Keeps all.
    pub const ALL: Retention = Retention(None);

    /// So many days; 0 keeps all.
    pub fn of_days(days: i32) -> Result<Self, InvalidRetention> {
        match days {
            0 => Ok(Retention::ALL),
            LEAST_DAYS..=MOST_DAYS => Ok(Retention(Some(days))),
            _ => Err(InvalidRetention),
        }
    }

    /// The days; 0 where all is kept.
    pub fn days(self) -> i32 {
        self.0.unwrap_or_default()
    }

    /// What an attribute of an item says, if it is there and says anything that it may.
    pub fn read(item: &Item) -> Option<Self> {
        Retention::of_days(read_number(item, RETENTION_DAYS).ok()?).ok()
    }

    /// What the environment says; without the variable, all is kept.
    ///
    /// # Errors
    /// If it says what is none: nothing may be deleted, or kept, by mistake.
    pub fn of_environment() -> Result<Self, InvalidRetention> {
        std::env::var(VARIABLE).map_or(Ok(Retention::ALL), |days| days.parse())
    }
}

impl FromStr for Retention {
    type Err = InvalidRetention;

    fn from_str(text: &str) -> Result<Self, InvalidRetention> {
        Retention::of_days(text.parse().map_err(|_| InvalidRetention)?)
    }
}

impl fmt::Display for Retention {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.days().fmt(f)
    }
}

/// What a project keeps.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Kept {
    retention: Retention,
    /// What was before this day is gone, whatever the setting says now.
    since: Option<Day>,
}

impl Kept {
    /// What a project keeps by its item; the default is for who has no setting of its own.
    pub fn of(project: Option<&Item>, default: Retention) -> Self {
        let own = project.and_then(Retention::read);
        let since = project.and_then(|item| read_number(item, KEPT_SINCE).ok()).map(Day);
        Kept { retention: own.unwrap_or(default), since }
    }

    /// The days that are kept.
    pub fn retention(self) -> Retention {
        self.retention
    }

    /// The first day of which everything is kept that happened on it; none where all is.
    pub fn horizon(self, now: Millis) -> Option<Day> {
        let by_setting = self.retention.0.map(|days| now.day().plus(-days));
        by_setting.max(self.since)
    }

    /// Notes in an item when it may be deleted that tells of nothing later than a day.
    pub fn note(self, item: &mut Item, day: Day) {
        if let Some(days) = self.retention.0 {
            let end = i64::from(day.0) + i64::from(days + ROOM_DAYS + 1);
            item.insert(EXPIRES.to_owned(), number(end * SECONDS_A_DAY));
        }
    }
}

const SECONDS_A_DAY: i64 = 86_400;

/// Whether no retention would hide a day at an instant: nobody has to look at what is kept.
pub fn is_always_kept(day: Day, now: Millis) -> bool {
    day >= now.day().plus(-LEAST_DAYS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::store::text;

    #[test]
    fn so_few_days_are_refused_that_batches_might_be_gone_before_they_are_counted() {
        for (text, days) in [("0", 0), ("30", 30), ("395", 395), ("36500", 36_500)] {
            assert_eq!(text.parse::<Retention>().map(Retention::days), Ok(days));
        }
        for text in ["", "-1", "1", "29", "36501", "99999999999", "x", "30.5"] {
            assert_eq!(text.parse::<Retention>(), Err(InvalidRetention), "{text}");
        }
    }

    #[test]
    fn an_item_is_deleted_a_day_after_the_horizon_has_passed_it() {
        let kept = Kept::of(None, Retention(Some(30)));
        let mut item = Item::new();
        kept.note(&mut item, Day(100));
        let expires_at: i64 = read_number(&item, EXPIRES).unwrap_or_default();
        let gone_from = Day(131).start();
        assert_eq!(kept.horizon(gone_from.plus(-1)), Some(Day(100)));
        assert_eq!(kept.horizon(gone_from), Some(Day(101)));
        assert_eq!(expires_at * 1_000, Day(132).start().0);
    }

    #[test]
    fn what_is_kept_for_ever_has_no_end() {
        let mut item = Item::new();
        Kept::default().note(&mut item, Day(100));
        assert!(item.is_empty());
        assert_eq!(Kept::default().horizon(Day(100).start()), None);
    }

    #[test]
    fn a_projects_own_setting_counts_and_what_was_gone_stays_gone() {
        let item = |days: &str| Item::from([(RETENTION_DAYS.to_owned(), number(days))]);
        let default = Retention(Some(60));
        assert_eq!(Kept::of(Some(&Item::new()), default).retention(), default);
        assert_eq!(Kept::of(Some(&item("0")), default).retention(), Retention::ALL);
        assert_eq!(Kept::of(Some(&item("1")), default).retention(), default);
        assert_eq!(
            Kept::of(Some(&Item::from([(RETENTION_DAYS.to_owned(), text("90"))])), default).retention(),
            default
        );
        let mut longer = item("90");
        longer.insert(KEPT_SINCE.to_owned(), number(50));
        assert_eq!(Kept::of(Some(&longer), default).horizon(Day(100).start()), Some(Day(50)));
        assert_eq!(Kept::of(Some(&longer), default).horizon(Day(200).start()), Some(Day(110)));
    }
}
