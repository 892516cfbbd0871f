//! What sessions and batches add to the figures and indexes: pure functions, nothing else decides it.
//!
//! Each gives only what a session adds to the measures of the version that it is counted with.

use crate::counters::Days;
use crate::ids::VisitorId;
use crate::log::delta::{Counters, Delta};
use crate::log::index::{BatchRef, SessionEntry, SessionRef, batch_entries};
use crate::measures::distinct::Seen;
use crate::measures::kept::kept_batch;
use crate::measures::{Definition, Measure};
use crate::model::trail::{Step, Trail};
use crate::model::{Batch, Session};

/// What a session adds to the counters, apart from its batches. A bot's session adds its presence only.
pub fn of_session(session: &Session) -> Counters {
    collected(session.measures, |measure, days| {
        (measure.add_presence_of_session)(days, session);
        if session.counted {
            (measure.add_session)(days, session);
        }
    })
}

/// What page views that come after a trail, which they make longer, add to the counters.
pub fn of_steps(measures: u16, trail: &mut Trail, steps: Vec<Step>, visitor: &VisitorId) -> Counters {
    let transitions = trail.extend(steps);
    collected(measures, |measure, days| {
        transitions.iter().for_each(|transition| (measure.add_transition)(days, visitor, transition));
    })
}

/// What a session's batch adds to the counters, whoever sent it.
pub fn presence_of_batch(session: &Session, batch: &Batch) -> Counters {
    collected(session.measures, |measure, days| (measure.add_presence_of_batch)(days, batch))
}

/// What a batch of a person's session adds to the counters besides its presence.
pub fn of_batch(session: &Session, batch: &Batch) -> Counters {
    let batch = &*kept_batch(session.measures, batch);
    collected(session.measures, |measure, days| (measure.add_batch)(days, batch))
}

/// The keys at which a batch's visitor was seen in a session, for the measures that count distinct visitors by key.
pub fn seen_in_batch(session: &Session, batch: &Batch) -> Vec<(Measure, Seen)> {
    let batch = &*kept_batch(session.measures, batch);
    of_version(session.measures)
        .flat_map(|measure| (measure.definition().seen)(batch).into_iter().map(move |seen| (measure, seen)))
        .collect()
}

/// The page views of a batch, in order.
pub fn steps(measures: u16, batch: &Batch) -> Vec<Step> {
    Step::of(&kept_batch(measures, batch))
}

fn collected(version: u16, add: impl Fn(&Definition, &mut Days)) -> Counters {
    let mut counters = Counters::default();
    for measure in of_version(version) {
        add(measure.definition(), counters.days_mut(measure));
    }
    counters
}

/// The measures that a version of their set has.
fn of_version(version: u16) -> impl Iterator<Item = Measure> {
    Measure::ALL.into_iter().filter(move |measure| measure.since() <= version)
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
        delta.events.set(hour, BatchRef::of(batch), rev, listed.then_some(entry));
    }
}
