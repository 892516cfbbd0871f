//! The `frustration` measure: what each visitor suffered on each day. The score is capped, and so not
//! additive: it is computed from the sums of a range when that is asked for.

use crate::counters::Days;
use crate::counters::flat::FlatRows;
use crate::counters::rows::{Cells, OTHER, TableId};
use crate::counters::sums::sums;
use crate::ids::VisitorId;
use crate::measures::definition::Definition;
use crate::model::Batch;
use crate::model::event_types;
use crate::model::trail::Transition;
use crate::time::Day;

/// One row a visitor.
const VISITORS: TableId = 0;
const RAGE_CLICKS: u32 = 0;
const DEAD_CLICKS: u32 = 1;
const ERRORS: u32 = 2;
const FORM_ABANDONS: u32 = 3;
const RAPID_NAVIGATIONS: u32 = 4;

/// The most visitors of a day that are told: those with the highest scores. Clients choose visitors' identifiers, and reading
/// must not become expensive by it.
pub const MAX_VISITORS: usize = 5_000;

/// The highest score.
const MAX_SCORE: i64 = 100;

/// The measure.
pub const DEFINITION: Definition =
    Definition { add_batch, add_transition, max_keys: Some(MAX_VISITORS), strength, ..Definition::new("frustration") };

/// What a person's batch adds.
fn add_batch(days: &mut Days, batch: &Batch) {
    for event in &batch.events {
        let field = match event.name.as_str() {
            event_types::RAGE_CLICK => RAGE_CLICKS,
            event_types::DEAD_CLICK => DEAD_CLICKS,
            event_types::JS_EXCEPTION | event_types::PROMISE_REJECTION => ERRORS,
            event_types::FORM_ABANDON => FORM_ABANDONS,
            _ => continue,
        };
        let rows = days.rows_mut(event.created_at.day());
        rows.add(VISITORS, batch.visitor_id.as_str(), field, 1);
    }
}

/// A page view this soon after the previous one is a rapid navigation.
const RAPID_MS: i64 = 2_000;

/// What it adds that a visitor's page view follows another.
fn add_transition(days: &mut Days, visitor: &VisitorId, transition: &Transition) {
    if transition.to.at.0 - transition.from.at.0 <= RAPID_MS {
        days.rows_mut(transition.to.at.day()).add(VISITORS, visitor.as_str(), RAPID_NAVIGATIONS, 1);
    }
}

/// What a visitor suffered in a range.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Frustration {
    /// `rage_click` events.
    pub rage_clicks: i64,
    /// `dead_click` events.
    pub dead_clicks: i64,
    /// `js_exception` and `promise_rejection` events.
    pub errors: i64,
    /// `form_abandon` events.
    pub form_abandons: i64,
    /// Page views within 2,000 ms of the session's previous one.
    pub rapid_navigations: i64,
}

impl Frustration {
    fn add(&mut self, row: Cells<'_>) {
        self.rage_clicks += row.get(RAGE_CLICKS);
        self.dead_clicks += row.get(DEAD_CLICKS);
        self.errors += row.get(ERRORS);
        self.form_abandons += row.get(FORM_ABANDONS);
        self.rapid_navigations += row.get(RAPID_NAVIGATIONS);
    }

    /// 0 to 100. The weights are the documented API's: its example of 3 rage clicks, 5 dead clicks, 2 errors
    /// and 1 abandoned form scores 78.
    pub fn score(&self) -> i64 {
        let sum = 10 * self.rage_clicks
            + 4 * self.dead_clicks
            + 8 * self.errors
            + 12 * self.form_abandons
            + 6 * self.rapid_navigations;
        sum.min(MAX_SCORE)
    }
}

/// A row's score.
fn strength(_: TableId, row: Cells<'_>) -> i64 {
    let mut suffered = Frustration::default();
    suffered.add(row);
    suffered.score()
}

/// The visitors that suffered anything on some days.
pub fn by_visitor<'a>(
    days: impl Iterator<Item = (&'a Day, &'a FlatRows)>,
) -> impl Iterator<Item = (&'a str, Frustration)> {
    let visitors = sums(days, [VISITORS], |suffered: &mut Frustration, _, row| suffered.add(row));
    visitors.filter(|(visitor, suffered)| *visitor != OTHER && suffered.score() > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documented_example_scores_78() {
        let suffered =
            Frustration { rage_clicks: 3, dead_clicks: 5, errors: 2, form_abandons: 1, rapid_navigations: 0 };
        assert_eq!(suffered.score(), 78);
        assert_eq!(Frustration { rage_clicks: 50, ..suffered }.score(), 100);
    }
}
