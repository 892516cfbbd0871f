//! The `journeys` measure: from which page to which, and where sessions begin and end.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::counters::{Counters, TableId};
use super::facts::joint_key;
use super::flat::FlatRows;
use super::sums::counts;
use super::{Measure, frustration};
use crate::ids::{BatchId, VisitorId};
use crate::model::Batch;
use crate::time::{Day, Millis};

const TRANSITIONS: TableId = 0;
const ENTRIES: TableId = 1;
const EXITS: TableId = 2;
const COUNT: u32 = 0;

/// A page view this soon after the previous one is a rapid navigation.
const RAPID_MS: i64 = 2_000;

/// A page view in the order of its session: when it happened, then in the order it was sent.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Step {
    /// When it happened.
    pub at: Millis,
    /// Its batch's place in the order of sending, and its own place there.
    sent: (Millis, Millis, BatchId, u32),
    /// The page.
    url: Option<Arc<str>>,
}

/// The page views of a batch, in order.
pub fn steps(batch: &Batch) -> Vec<Step> {
    let views = batch.events.iter().enumerate().filter(|(_, event)| event.is_page_view());
    let mut steps: Vec<Step> = views
        .map(|(position, event)| Step {
            at: event.created_at,
            sent: (batch.sent_at, batch.stored_at, batch.batch_id.clone(), position as u32),
            url: event.url.clone(),
        })
        .collect();
    steps.sort_unstable();
    steps
}

/// The first and the last page view of a session: all that is needed to add later ones.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trail {
    first_url: Option<Arc<str>>,
    last: Option<Step>,
}

impl Trail {
    /// Whether all these steps, in order, come after the trail.
    pub fn is_before(&self, steps: &[Step]) -> bool {
        steps.first().is_none_or(|first| self.last.as_ref().is_none_or(|last| last < first))
    }

    /// Adds later steps, and what follows from them for the counters: transitions and rapid navigations.
    pub fn extend(&mut self, steps: impl IntoIterator<Item = Step>, visitor: &VisitorId, counters: &mut Counters) {
        for step in steps {
            if let Some(last) = &self.last {
                let day = step.at.day();
                if let (Some(from), Some(to)) = (&last.url, &step.url)
                    && from != to
                {
                    let key = joint_key([Some(from), Some(to)]);
                    counters.rows_mut(Measure::Journeys, day).add(TRANSITIONS, &key, COUNT, 1);
                }
                if step.at.0 - last.at.0 <= RAPID_MS {
                    frustration::add_rapid_navigation(counters, visitor, day);
                }
            } else {
                self.first_url = step.url.clone();
            }
            self.last = Some(step);
        }
    }

    /// What a session with this trail, started on a day, adds as its entry and exit pages.
    pub fn add_ends(&self, counters: &mut Counters, day: Day) {
        let rows = counters.rows_mut(Measure::Journeys, day);
        if let Some(url) = &self.first_url {
            rows.add(ENTRIES, url, COUNT, 1);
        }
        if let Some(url) = self.last.as_ref().and_then(|last| last.url.as_ref()) {
            rows.add(EXITS, url, COUNT, 1);
        }
    }
}

/// The transitions of some days, by the joint key of the pages from and to which they lead.
pub fn transitions<'a>(days: impl Iterator<Item = (&'a Day, &'a FlatRows)>) -> impl Iterator<Item = (&'a str, i64)> {
    counts(days, TRANSITIONS, COUNT)
}

/// The first pages of the sessions started on some days.
pub fn entries<'a>(days: impl Iterator<Item = (&'a Day, &'a FlatRows)>) -> impl Iterator<Item = (&'a str, i64)> {
    counts(days, ENTRIES, COUNT)
}

/// The last pages of the sessions started on some days.
pub fn exits<'a>(days: impl Iterator<Item = (&'a Day, &'a FlatRows)>) -> impl Iterator<Item = (&'a str, i64)> {
    counts(days, EXITS, COUNT)
}
