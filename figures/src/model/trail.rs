//! The page views of a session, in order: as much of them as is needed to count later ones.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::batch::Batch;
use crate::ids::BatchId;
use crate::time::Millis;

/// A page view in the order of its session: when it happened, then in the order it was sent.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Step {
    /// When it happened.
    pub at: Millis,
    /// Its batch's position in the order of sending, and its own position there.
    sent: (Millis, Millis, BatchId, u32),
    /// The page.
    pub url: Option<Arc<str>>,
}

impl Step {
    /// The page views of a batch, in order.
    pub fn of(batch: &Batch) -> Vec<Step> {
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
}

/// A page view and the next one of its session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transition {
    /// The earlier one.
    pub from: Step,
    /// The later one.
    pub to: Step,
}

/// The first and the last page view of a session: all that is needed to add later ones.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trail {
    first_url: Option<Arc<str>>,
    last: Option<Step>,
}

impl Trail {
    /// The page it begins on.
    pub fn first_url(&self) -> Option<&str> {
        self.first_url.as_deref()
    }

    /// The page it ends on.
    pub fn last_url(&self) -> Option<&str> {
        self.last.as_ref()?.url.as_deref()
    }

    /// Whether all these steps, in order, come after the trail.
    pub fn is_before(&self, steps: &[Step]) -> bool {
        steps.first().is_none_or(|first| self.last.as_ref().is_none_or(|last| last < first))
    }

    /// Adds later steps; gives the transitions that they make.
    pub fn extend(&mut self, steps: Vec<Step>) -> Vec<Transition> {
        let mut transitions = Vec::with_capacity(steps.len());
        for step in steps {
            match self.last.replace(step.clone()) {
                Some(from) => transitions.push(Transition { from, to: step }),
                None => self.first_url = step.url,
            }
        }
        transitions
    }
}
