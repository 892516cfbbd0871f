//! A reader, as `View` in `figures/src/log/view.rs`: it reads the tail and each day's blocks in any order, since it asks
//! for all at once, and puts them together.
//!
//! An eventually consistent read gives what an earlier one would have given. So it needs no step of its own: the
//! operations of a reader come at any moments that are no further apart than the grace.

use std::sync::Arc;

use figures::log::tail::Tail;

use crate::rules::{Rule, Rules};
use crate::table::{Blocks, Figures, Table, seen};

/// What a reader has read so far.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Reader {
    /// The tail, and what was counted when it was read.
    tail: Option<(Arc<Tail<Figures>>, Figures)>,
    /// The blocks of each day.
    days: Vec<Option<Blocks>>,
}

/// One operation of a reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Read {
    /// Of the tail.
    Tail,
    /// Of a day's blocks.
    Day(usize),
}

/// What came of an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// There is more to read, or all of it again.
    Unfinished,
    /// The figures are what was counted when the tail was read.
    Exact,
    /// They are not.
    Wrong,
}

impl Reader {
    /// One that begins.
    pub fn new(days: usize) -> Self {
        Reader { tail: None, days: vec![None; days] }
    }

    /// Whether it has read nothing yet.
    pub fn is_idle(&self) -> bool {
        self.tail.is_none() && self.days.iter().all(Option::is_none)
    }

    /// What it has not read yet.
    pub fn left(&self) -> Vec<Read> {
        let days = self.days.iter().enumerate().filter(|(_, blocks)| blocks.is_none());
        let days = days.map(|(day, _)| Read::Day(day));
        self.tail.is_none().then_some(Read::Tail).into_iter().chain(days).collect()
    }

    /// Reads; `counted` is what is counted of each day as of now.
    pub fn read(&mut self, read: Read, table: &Table, counted: Figures, rules: Rules) -> Outcome {
        match read {
            Read::Tail => self.tail = Some((table.tail(), counted)),
            Read::Day(day) => self.days[day] = Some(table.days[day].clone()),
        }
        let (Some((tail, expected)), Some(days)) =
            (&self.tail, self.days.iter().map(Option::as_ref).collect::<Option<Vec<_>>>())
        else {
            return Outcome::Unfinished;
        };
        let shown = tail.manifest.shown;
        let blocks: Vec<_> = days.iter().map(|blocks| blocks.get(&shown)).collect();
        let agrees = blocks.iter().flatten().all(|block| tail.manifest.agrees_with(block.round));
        let outcome = match agrees || !rules.keep(Rule::ReadersAgree) {
            false => Outcome::Unfinished,
            true if blocks.iter().all(|block| seen(tail, shown, *block) == *expected) => Outcome::Exact,
            true => Outcome::Wrong,
        };
        *self = Reader::new(self.days.len());
        outcome
    }
}
