//! The `journeys` measure: from which page to which, and where sessions begin and end.

use crate::counters::rows::TableId;
use crate::counters::sums::counts;
use crate::counters::{Days, FlatRows};
use crate::ids::VisitorId;
use crate::measures::definition::Definition;
use crate::measures::event_data::joint_key;
use crate::model::Session;
use crate::model::trail::Transition;
use crate::time::Day;

const TRANSITIONS: TableId = 0;
const ENTRIES: TableId = 1;
const EXITS: TableId = 2;
const COUNT: u32 = 0;

/// The measure.
pub const DEFINITION: Definition = Definition { add_session, add_transition, ..Definition::new("journeys") };

/// What a person's session adds: where it begins and ends.
fn add_session(days: &mut Days, session: &Session) {
    let rows = days.rows_mut(session.day());
    if let Some(url) = session.trail.first_url() {
        rows.add(ENTRIES, url, COUNT, 1);
    }
    if let Some(url) = session.trail.last_url() {
        rows.add(EXITS, url, COUNT, 1);
    }
}

/// What it adds that a page view follows another.
fn add_transition(days: &mut Days, _: &VisitorId, transition: &Transition) {
    if let (Some(from), Some(to)) = (&transition.from.url, &transition.to.url)
        && from != to
    {
        let key = joint_key([Some(from), Some(to)]);
        days.rows_mut(transition.to.at.day()).add(TRANSITIONS, &key, COUNT, 1);
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
