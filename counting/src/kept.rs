//! What a project keeps, as far as counting goes by it.
//!
//! Days before the [horizon](Kept::horizon) are over: what belongs to them may be there or not. The *closed* days reach one day
//! further, as sessions that began before the horizon may end on its day. Nobody changes the figures of closed days any
//! more, as what they were counted from is not there to be subtracted: no batch, no recounting, no erasure, no rebuild.

use figures::model::{Batch, Session, Visitor};
use figures::retention::Kept;
use figures::time::{Day, Millis};

/// What is over in a project, and what is not.
#[derive(Debug, Clone, Copy, Default)]
pub struct Horizon {
    /// What the project keeps.
    pub kept: Kept,
    first: Option<Day>,
}

impl Horizon {
    /// As of an instant.
    pub fn at(kept: Kept, now: Millis) -> Self {
        Horizon { kept, first: kept.horizon(now) }
    }

    /// The first day that is kept; none where all are.
    pub fn first(self) -> Option<Day> {
        self.first
    }

    /// The first day whose figures still change; none where all do.
    pub fn first_open(self) -> Option<Day> {
        self.first.map(|first| first.plus(1))
    }

    /// Whether a day comes before it.
    pub fn is_past(self, day: Day) -> bool {
        self.first.is_some_and(|first| day < first)
    }

    /// Whether a batch is over: it is counted no more, whether or not it was.
    pub fn is_over(self, batch: &Batch) -> bool {
        self.is_past(batch.last_instant().day())
    }

    /// Whether a session is over: all its batches are.
    pub fn has_ended(self, session: &Session) -> bool {
        self.is_past(session.latest().day())
    }

    /// Whether some of a session's batches may be over.
    pub fn divides(self, session: &Session) -> bool {
        self.is_past(session.earliest().day())
    }

    /// Whether a visitor is over: all its sessions are.
    pub fn has_left(self, visitor: &Visitor) -> bool {
        self.is_past(visitor.last_seen_at.day())
    }

    /// Whether a visitor may have had sessions that are over.
    pub fn is_older(self, visitor: &Visitor) -> bool {
        self.is_past(visitor.first_seen_at.day())
    }
}
