//! When visits begin: a Poisson process whose rate follows a rhythm of the day and the week.

use fastrand::Rng;
use figures::time::{DAY_MS, Millis};

/// Days of the month that is billed.
pub const DAYS: i64 = 30;

/// The first instant of the month, a Monday. It is ahead of every clock, so that nothing of it has expired for the engine.
pub const BEGINS: Millis = Millis(1_893_974_400_000);

const HOUR_MS: i64 = 3_600_000;

/// How a day's visits are spread over its hours, of UTC: as those of the data sets that requests are measured on (`site.rs`), twice the
/// mean in the early afternoon and a third of it at night.
const HOURS: [f64; 24] = [
    2.0, 2.0, 2.0, 2.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0, 11.0, 12.0, 11.0, 10.0, 9.0, 8.0, 7.0, 6.0, 5.0,
    4.0, 3.0,
];

/// How a week's visits are spread over its days, from Monday: a weekend's day has two thirds of a working day's.
const WEEKDAYS: [f64; 7] = [3.0, 3.0, 3.0, 3.0, 3.0, 2.0, 2.0];

/// The rhythm of so many a month.
#[derive(Debug, Clone, Copy)]
pub struct Rhythm {
    /// How many of them there are for each unit of an hour's weight.
    scale: f64,
}

/// A part of the month that is simulated for others of much the same rate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Window {
    /// When it begins.
    pub begins: Millis,
    /// When it ends.
    pub ends: Millis,
    /// The share of the month that it stands for.
    pub share: f64,
}

impl Rhythm {
    /// The rhythm in which the month has so many.
    pub fn of_month(many: f64) -> Self {
        let weights: f64 = (0..DAYS * 24).map(|hour| weight(BEGINS.plus(hour * HOUR_MS))).sum();
        Rhythm { scale: many / weights }
    }

    /// How many an hour has at an instant; before and after the month, the weeks go on.
    pub fn an_hour(&self, at: Millis) -> f64 {
        weight(at) * self.scale
    }

    /// How many there are between two instants, in the mean.
    pub fn between(&self, from: Millis, until: Millis) -> f64 {
        let (mut all, mut at) = (0.0, from);
        while at < until {
            let hour_ends = Millis(at.0.div_euclid(HOUR_MS) * HOUR_MS + HOUR_MS).min(until);
            all += self.an_hour(at) * (hour_ends.0 - at.0) as f64 / HOUR_MS as f64;
            at = hour_ends;
        }
        all
    }

    /// The instants of a time, thinned to a share of them, in their order.
    pub fn arrivals(&self, rng: &mut Rng, from: Millis, until: Millis, share: f64) -> Vec<Millis> {
        let (mut arrivals, mut at) = (Vec::new(), from.0 as f64);
        // Within an hour the rate is the same, and the process has no memory: so it is drawn hour by hour.
        while at < until.0 as f64 {
            let hour_ends = Millis((at as i64).div_euclid(HOUR_MS) * HOUR_MS + HOUR_MS).0.min(until.0) as f64;
            let rate = self.an_hour(Millis(at as i64)) * share / HOUR_MS as f64;
            at += -(1.0 - rng.f64()).ln() / rate;
            if at < hour_ends {
                arrivals.push(Millis(at as i64));
            } else {
                at = hour_ends;
            }
        }
        arrivals
    }

    /// Parts of the month, each of which stands for hours of much the same rate with as many arrivals in all. Each begins within
    /// its hour, and so late that its time before is there, too.
    pub fn windows(&self, count: usize, length_ms: i64) -> Vec<Window> {
        let mut hours: Vec<Millis> = (24..DAYS * 24).map(|hour| BEGINS.plus(hour * HOUR_MS)).collect();
        hours.sort_by(|a, b| weight(*a).total_cmp(&weight(*b)).then(a.cmp(b)));
        let all: f64 = hours.iter().map(|hour| weight(*hour)).sum();
        let mut windows: Vec<Window> = (0..count)
            .filter_map(|at| {
                let middle = all * (at as f64 + 0.5) / count as f64;
                let mut sum = 0.0;
                let hour = hours.iter().find(|hour| {
                    sum += weight(**hour);
                    sum >= middle
                })?;
                let begins = hour.plus((HOUR_MS - length_ms).max(0));
                Some(Window { begins, ends: begins.plus(length_ms), share: 1.0 / count as f64 })
            })
            .collect();
        windows.sort_by_key(|window| window.begins);
        windows
    }

    /// A working day and a day of a weekend, which stand for all of them.
    pub fn two_days(&self) -> Vec<Window> {
        let of_day = |day: i64| -> f64 { (0..24).map(|hour| weight(BEGINS.plus(day * DAY_MS + hour * HOUR_MS))).sum() };
        let is_weekend = |day: &i64| day % 7 >= 5;
        let all: f64 = (0..DAYS).map(of_day).sum();
        let weekends: f64 = (0..DAYS).filter(is_weekend).map(of_day).sum();
        let window = |day: i64, share| {
            let begins = BEGINS.plus(day * DAY_MS);
            Window { begins, ends: begins.plus(DAY_MS), share }
        };
        vec![window(1, 1.0 - weekends / all), window(5, weekends / all)]
    }
}

fn weight(at: Millis) -> f64 {
    let since = at.0 - BEGINS.0;
    let weekday = since.div_euclid(DAY_MS).rem_euclid(7) as usize;
    WEEKDAYS[weekday] * HOURS[at.hour().of_day() as usize]
}
