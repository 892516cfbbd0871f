//! One log line for what goes well within a minute, in place of one each time: of what a page view costs, lines that say that all
//! is well would be a good part.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use figures::time::Millis;
use serde_json::{Value, json};

use crate::telemetry::{self, Metric};

/// How long after a line the next one is written at the earliest, in milliseconds.
const WINDOW_MS: i64 = 60_000;

/// What goes well in an instance of a function. The first is logged at once, and what follows it within a minute together. What an
/// instance does in its last minute is in no line.
#[derive(Debug)]
pub struct Summary {
    message: &'static str,
    of: &'static [(&'static str, &'static str)],
    waiting: Mutex<Waiting>,
}

/// What no line tells of yet.
#[derive(Debug, Default)]
struct Waiting {
    /// When the first of it was done.
    since: Option<Millis>,
    count: u64,
    sums: BTreeMap<&'static str, f64>,
    metrics: Vec<Metric>,
    written_at: Option<Millis>,
}

/// What a line says.
#[derive(Debug, PartialEq)]
struct Line {
    since: Millis,
    properties: Vec<(&'static str, Value)>,
    metrics: Vec<Metric>,
}

impl Summary {
    /// One whose lines have this message, and these properties besides.
    pub const fn new(message: &'static str, of: &'static [(&'static str, &'static str)]) -> Self {
        let waiting = Waiting { since: None, count: 0, sums: BTreeMap::new(), metrics: Vec::new(), written_at: None };
        Summary { message, of, waiting: Mutex::new(waiting) }
    }

    /// Adds what was done: figures, which are summed up, and metrics.
    pub fn add(&self, now: Millis, figures: &[(&'static str, f64)], metrics: &[Metric]) {
        let line = self.with(|waiting| {
            waiting.add(now, figures, metrics);
            // Lines that nobody pays for tell of each at once.
            let is_due = waiting.is_due(now) || !telemetry::is_deployed();
            is_due.then(|| waiting.take(now)).flatten()
        });
        self.write(line);
    }

    /// Writes what waits: before a line of what did not go well, so that what the two count together is not one-sided.
    pub fn flush(&self, now: Millis) {
        let line = self.with(|waiting| waiting.take(now));
        self.write(line);
    }

    fn with<T>(&self, change: impl FnOnce(&mut Waiting) -> T) -> T {
        change(&mut self.waiting.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn write(&self, line: Option<Line>) {
        if let Some(Line { since, properties, metrics }) = line {
            let of = self.of.iter().map(|(name, value)| (*name, json!(value)));
            let properties: Vec<_> = of.chain(properties).collect();
            telemetry::report_of(since, self.message, &properties, &metrics);
        }
    }
}

impl Waiting {
    fn add(&mut self, now: Millis, figures: &[(&'static str, f64)], metrics: &[Metric]) {
        self.since.get_or_insert(now);
        self.count += 1;
        for (name, value) in figures {
            *self.sums.entry(name).or_default() += value;
        }
        for metric in metrics {
            if !self.metrics.iter_mut().any(|known| known.merge(metric)) {
                self.metrics.push(metric.clone());
            }
        }
    }

    /// A clock that was set back ends the minute, too.
    fn is_due(&self, now: Millis) -> bool {
        let is_within = |at: Millis| (at.0..at.0 + WINDOW_MS).contains(&now.0);
        !self.written_at.is_some_and(is_within) || self.metrics.iter().any(Metric::is_full)
    }

    fn take(&mut self, now: Millis) -> Option<Line> {
        let since = self.since?;
        let Waiting { count, sums, metrics, .. } =
            std::mem::replace(self, Waiting { written_at: Some(now), ..Waiting::default() });
        let sums = sums.into_iter().map(|(name, sum)| (name, json!(sum)));
        Some(Line { since, properties: std::iter::once(("count", json!(count))).chain(sums).collect(), metrics })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is written of things that are done at some instants, one batch and so many units each.
    fn lines(instants: &[i64]) -> Vec<Line> {
        let mut waiting = Waiting::default();
        let mut lines = Vec::new();
        for now in instants.iter().map(|at| Millis(*at)) {
            waiting.add(
                now,
                &[("write_units", 2.0)],
                &[Metric::count("Batches", 1), Metric::milliseconds("Lag", now.0)],
            );
            if waiting.is_due(now) {
                lines.extend(waiting.take(now));
            }
        }
        lines
    }

    #[test]
    fn the_first_is_told_at_once_and_what_follows_it_together() {
        let of = |count: u64, units: f64| vec![("count", json!(count)), ("write_units", json!(units))];
        let told = lines(&[0, 10, 59_999, 60_000, 60_001]);
        assert_eq!(told.len(), 2);
        assert_eq!((told[0].since.0, &told[0].properties), (0, &of(1, 2.0)));
        assert_eq!((told[1].since.0, &told[1].properties), (10, &of(3, 6.0)));
        let mut lag = Metric::milliseconds("Lag", 10);
        assert!(lag.merge(&Metric::milliseconds("Lag", 59_999)) && lag.merge(&Metric::milliseconds("Lag", 60_000)));
        assert_eq!(told[1].metrics, [Metric::count("Batches", 3), lag]);
    }

    #[test]
    fn a_quiet_minute_a_clock_that_is_set_back_and_a_full_line_end_a_summary() {
        assert_eq!(lines(&[0, 70_000, 140_000]).len(), 3);
        assert_eq!(lines(&[200_000, 1_000]).len(), 2);
        let many: Vec<i64> = (0..250).collect();
        let counts: Vec<_> = lines(&many).into_iter().map(|line| line.properties[0].1.clone()).collect();
        assert_eq!(counts, [json!(1), json!(100), json!(100)]);
    }

    #[test]
    fn nothing_is_told_twice() {
        let mut waiting = Waiting::default();
        assert_eq!(waiting.take(Millis(0)), None);
        waiting.add(Millis(0), &[], &[]);
        assert!(waiting.take(Millis(1)).is_some());
        assert_eq!(waiting.take(Millis(2)), None);
    }
}
