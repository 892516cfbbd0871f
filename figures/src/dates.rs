//! Date ranges: two UTC days, both inclusive.

use crate::time::{Day, Millis};

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
