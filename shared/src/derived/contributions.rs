//! What sessions and batches add to the figures and indexes: pure functions, nothing else decides it.

use serde::{Deserialize, Serialize};

use super::counters::Counters;
use super::distinct::Seen;
use super::index::{BatchEntry, BatchRef, Entries, SessionEntry, SessionRef, batch_entries};
use super::journeys::{Step, Trail};
use super::kept::kept_batch;
use super::{
    acquisition, clicks, errors, forms, frustration, journeys, pages, places, reading, seo, stats, visits, vitals,
};
use crate::ids::VisitorId;
use crate::model::{Batch, Session};

/// A change of figures and indexes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delta {
    /// What is added to counters.
    pub counters: Counters,
    /// What changes in the index of sessions.
    pub sessions: Entries<SessionRef, SessionEntry>,
    /// What changes in the index of events.
    pub events: Entries<BatchRef, BatchEntry>,
}

impl Delta {
    /// Adds another change.
    pub fn add_all(&mut self, other: &Delta) {
        self.counters.add_all(&other.counters, 1);
        self.sessions.merge(other.sessions.clone());
        self.events.merge(other.events.clone());
    }

    /// Whether [`Delta::halves`] makes it smaller.
    pub fn is_divisible(&self) -> bool {
        self.counters.len() > 1 || self.sessions.len() > 1 || self.events.len() > 1
    }

    /// Two changes that come to the same as this one.
    pub fn halves(self) -> [Delta; 2] {
        let (counters, sessions, events) = (self.counters.halves(), self.sessions.halves(), self.events.halves());
        [
            Delta { counters: counters.0, sessions: sessions.0, events: events.0 },
            Delta { counters: counters.1, sessions: sessions.1, events: events.1 },
        ]
    }

    /// Whether it changes nothing.
    pub fn is_empty(&self) -> bool {
        *self == Delta::default()
    }
}

// Each function gives only what a session adds to the measures of the version that it is counted with.

/// What a session adds to the counters, apart from its batches. A bot's session adds its presence only.
pub fn of_session(session: &Session) -> Counters {
    let mut counters = Counters::default();
    stats::add_session_presence(&mut counters, session);
    if session.counted {
        stats::add_session(&mut counters, session);
        visits::add_session(&mut counters, session);
        places::add_session(&mut counters, session);
        acquisition::add_session(&mut counters, session);
        session.trail.add_ends(&mut counters, session.day());
    }
    counters.of_version(session.measures)
}

/// What page views that come after a trail, which they make longer, add to the counters.
pub fn of_steps(measures: u16, trail: &mut Trail, steps: Vec<Step>, visitor: &VisitorId) -> Counters {
    let mut counters = Counters::default();
    trail.extend(steps, visitor, &mut counters);
    counters.of_version(measures)
}

/// What a session's batch adds to the counters, whoever sent it.
pub fn presence_of_batch(session: &Session, batch: &Batch) -> Counters {
    let mut counters = Counters::default();
    stats::add_batch_presence(&mut counters, batch);
    counters.of_version(session.measures)
}

/// What a batch of a person's session adds to the counters besides its presence.
pub fn of_batch(session: &Session, batch: &Batch) -> Counters {
    let batch = &*kept_batch(session.measures, batch);
    let mut counters = Counters::default();
    stats::add_batch(&mut counters, batch);
    pages::add_batch(&mut counters, batch);
    errors::add_batch(&mut counters, batch);
    clicks::add_batch(&mut counters, batch);
    seo::add_batch(&mut counters, batch);
    reading::add_batch(&mut counters, batch);
    forms::add_batch(&mut counters, batch);
    vitals::add_batch(&mut counters, batch);
    frustration::add_batch(&mut counters, batch);
    counters.of_version(session.measures)
}

/// The keys at which a batch's visitor was seen in a session, for the measures that count distinct visitors by key.
pub fn seen_in_batch(session: &Session, batch: &Batch) -> Vec<Seen> {
    let batch = &*kept_batch(session.measures, batch);
    let seen = pages::seen(batch).chain(errors::seen(batch)).chain(clicks::seen(batch));
    seen.filter(|seen| seen.measure.since() <= session.measures).collect()
}

/// The page views of a batch, in order.
pub fn steps(measures: u16, batch: &Batch) -> Vec<Step> {
    journeys::steps(&kept_batch(measures, batch))
}

/// Sets or removes a session's entry in the index.
pub fn index_session(delta: &mut Delta, visitor: &VisitorId, session: &Session, rev: u64, listed: bool) {
    let key = SessionRef { session: session.session_id.clone(), visitor: visitor.clone() };
    let value = listed.then(|| SessionEntry::of(session));
    delta.sessions.set(session.started_at.hour(), key, rev, value);
}

/// Sets or removes a batch's entries in the index.
pub fn index_batch(delta: &mut Delta, batch: &Batch, rev: u64, listed: bool) {
    for (hour, entry) in batch_entries(batch) {
        let key = BatchRef {
            visitor: batch.visitor_id.clone(),
            session: batch.session_id.clone(),
            batch: batch.batch_id.clone(),
        };
        delta.events.set(hour, key, rev, listed.then_some(entry));
    }
}
