//! The `vitals` measure: Web Vitals as histograms.
//!
//! A histogram counts values as they are, in thousandths of a millisecond (millionths for CLS, which has
//! no unit). When a day has many different ones, they are rounded to 8 significant bits, which is half a
//! percent at most: then about a thousand values span four decades. Unlike a quantile sketch a histogram can be
//! subtracted from, so that a bot's samples go again, and few samples are exact.

use serde::Serialize;

use crate::counters::Days;
use crate::counters::flat::FlatRows;
use crate::counters::rows::{Cells, Rows, Table, TableId};
use crate::measures::crowd::STAYS;
use crate::measures::definition::Definition;
use crate::measures::event_data::EventData;
use crate::model::Batch;
use crate::model::event_types::WEB_VITALS;
use crate::time::Day;

/// A row a vital, fields are values.
const VALUES: TableId = 0;
/// A row a vital, fields are ratings.
const RATINGS: TableId = 1;
const GOOD: u32 = 0;
const NEEDS_IMPROVEMENT: u32 = 1;
const POOR: u32 = 2;

/// A row with more different values than this is rounded.
const MAX_VALUES: usize = 800;
/// The field that says that a row is rounded; above every value.
const IS_ROUNDED: u32 = u32::MAX;
/// Significant bits of a rounded value.
const BITS: u32 = 8;

/// A metric of Web Vitals.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Vital {
    /// Its name in an event's data.
    name: &'static str,
    /// Up to this value it is good, as web.dev/articles/vitals says.
    good: f64,
    /// Above this value it is poor.
    poor: f64,
    /// How many parts of a unit are told apart.
    scale: f64,
}

const MILLISECOND_PARTS: f64 = 1_000.0;
const UNITLESS_PARTS: f64 = 1_000_000.0;

const fn vital(name: &'static str, good: f64, poor: f64, scale: f64) -> Vital {
    Vital { name, good, poor, scale }
}

impl Vital {
    /// Largest Contentful Paint.
    pub const LCP: Vital = vital("lcp", 2_500.0, 4_000.0, MILLISECOND_PARTS);
    /// Interaction to Next Paint.
    pub const INP: Vital = vital("inp", 200.0, 500.0, MILLISECOND_PARTS);
    /// First Input Delay.
    pub const FID: Vital = vital("fid", 100.0, 300.0, MILLISECOND_PARTS);
    /// Cumulative Layout Shift.
    pub const CLS: Vital = vital("cls", 0.1, 0.25, UNITLESS_PARTS);
    /// First Contentful Paint.
    pub const FCP: Vital = vital("fcp", 1_800.0, 3_000.0, MILLISECOND_PARTS);
    /// Time to First Byte.
    pub const TTFB: Vital = vital("ttfb", 800.0, 1_800.0, MILLISECOND_PARTS);

    /// All of them.
    const ALL: [Vital; 6] = [Vital::LCP, Vital::INP, Vital::FID, Vital::CLS, Vital::FCP, Vital::TTFB];

    fn rating(&self, value: f64) -> u32 {
        if value <= self.good {
            GOOD
        } else if value <= self.poor {
            NEEDS_IMPROVEMENT
        } else {
            POOR
        }
    }

    /// The field of a value; too large ones share the last.
    fn field(&self, value: f64) -> u32 {
        (value * self.scale).round().clamp(0.0, f64::from(IS_ROUNDED - 1)) as u32
    }
}

/// The measure.
pub const DEFINITION: Definition =
    Definition { add_batch, max_keys: None, strength: |_, _| STAYS, trim, reduce, ..Definition::new("vitals") };

/// What a person's batch adds.
fn add_batch(days: &mut Days, batch: &Batch) {
    for event in batch.events.iter().filter(|event| event.name == WEB_VITALS) {
        let data = EventData::of(event);
        for vital in &Vital::ALL {
            if let Some(value) = data.number(vital.name) {
                let rows = days.rows_mut(event.created_at.day());
                rows.add(VALUES, vital.name, vital.field(value), 1);
                rows.add(RATINGS, vital.name, vital.rating(value), 1);
            }
        }
    }
}

/// Keeps a day's rows small.
fn trim(rows: &mut Rows) {
    let table: &mut Table = rows.table_mut(VALUES);
    for row in table.values_mut() {
        let cells = row.cells();
        if cells.len() > MAX_VALUES || cells.contains(IS_ROUNDED) {
            *row = rounded(cells).collect();
            row.set(IS_ROUNDED, 1);
        }
    }
}

/// Leaves of a day's rows what does not depend on when they were rounded.
fn reduce(rows: &mut Rows) {
    for row in rows.table_mut(VALUES).values_mut() {
        *row = rounded(row.cells()).collect();
    }
}

fn rounded(row: Cells<'_>) -> impl Iterator<Item = (u32, i64)> {
    row.before_field(IS_ROUNDED).map(|(field, count)| (significant(field), count))
}

/// A value with its first 8 bits kept and the middle of what they stand for after them, so that
/// rounding it again changes nothing.
fn significant(field: u32) -> u32 {
    let spare = (u32::BITS - field.leading_zeros()).saturating_sub(BITS);
    match spare {
        0 => field,
        _ => (field >> spare << spare) | (1 << (spare - 1)),
    }
}

/// A metric's figures in a range.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct VitalFigures {
    /// The 75th percentile, by nearest rank; `None` without samples.
    pub p75: Option<f64>,
    /// How many samples.
    pub samples: i64,
    /// Samples rated good.
    pub good: i64,
    /// Samples that need improvement.
    pub needs_improvement: i64,
    /// Samples rated poor.
    pub poor: i64,
}

/// A metric's figures on some days.
pub fn summary<'a>(days: impl Iterator<Item = (&'a Day, &'a FlatRows)>, vital: &Vital) -> VitalFigures {
    let (mut figures, mut values) = (VitalFigures::default(), Vec::new());
    for (_, rows) in days {
        let ratings = rows.row(RATINGS, vital.name);
        figures.good += ratings.get(GOOD);
        figures.needs_improvement += ratings.get(NEEDS_IMPROVEMENT);
        figures.poor += ratings.get(POOR);
        let row = rows.row(VALUES, vital.name);
        match row.contains(IS_ROUNDED) {
            true => values.extend(rounded(row)),
            false => values.extend(row.iter()),
        }
    }
    figures.samples = figures.good + figures.needs_improvement + figures.poor;
    figures.p75 = percentile_75(values).map(|field| f64::from(field) / vital.scale);
    figures
}

/// The smallest value that at least three quarters of the samples don't exceed.
fn percentile_75(mut values: Vec<(u32, i64)>) -> Option<u32> {
    values.sort_unstable_by_key(|(field, _)| *field);
    let total: i64 = values.iter().map(|(_, count)| count).sum();
    let rank = (3 * total + 3) / 4;
    let mut below = 0;
    values.into_iter().filter(|_| total > 0).find_map(|(field, count)| {
        below += count;
        (below >= rank).then_some(field)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn rounding_is_within_half_a_percent_and_settles() {
        for field in [0, 1, 255, 256, 1_000, 999_999, 2_500_000, u32::MAX - 1] {
            let once = significant(field);
            assert_eq!(significant(once), once, "{field}");
            assert!((f64::from(once) - f64::from(field)).abs() <= f64::from(field) * 0.005, "{field} {once}");
        }
    }

    proptest! {
        /// The 75th percentile of many samples is within 1 % in rank.
        #[test]
        fn p75_is_within_one_percent_in_rank(seed in any::<u64>(), spread in 1u32..40) {
            let mut state = seed;
            let samples: Vec<u32> = (0..5_000)
                .map(|_| {
                    state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                    let uniform = (state >> 11) as f64 / (1u64 << 53) as f64;
                    (2_000_000.0 * (uniform * f64::from(spread) / 10.0).exp()) as u32 / 7 + 1
                })
                .collect();
            let mut rows = Rows::default();
            for sample in &samples {
                rows.add(VALUES, "lcp", *sample, 1);
            }
            trim(&mut rows);
            let p75 = percentile_75(rounded(rows.row(VALUES, "lcp")).collect()).unwrap_or_default();
            let below = samples.iter().filter(|sample| **sample < p75).count() as f64 / 5_000.0;
            let up_to = samples.iter().filter(|sample| **sample <= p75).count() as f64 / 5_000.0;
            prop_assume!(spread >= 4);
            prop_assert!(below <= 0.76 && up_to >= 0.74, "{below} {up_to}");
        }
    }
}
