//! Visitors, and consumers that apply batches to them, as `Consumer` in `counting/src/apply.rs`.

use figures::generation::Generation;

use crate::rules::{Rule, Rules};
use crate::table::{Figures, Stored, Table};

/// What is stored of a visitor.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Visitor {
    /// Its batches, each a change of its own.
    pub batches: Vec<u32>,
    /// Its item.
    pub item: Option<Item>,
}

/// A visitor's item.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Item {
    /// Its revision.
    pub revision: u32,
    /// Up to which generation it is counted.
    pub mark: Generation,
    /// The batches that were applied to it.
    pub applied: Vec<u32>,
}

impl Item {
    /// What it contributes.
    pub fn figures(&self) -> Figures {
        self.applied.iter().map(|batch| Figures::of(*batch)).fold(Figures::default(), Figures::plus)
    }
}

impl Visitor {
    /// Puts the item on the condition that its revision is still this one. Says whether it is stored.
    pub fn put(&mut self, before: Option<u32>, new: &Item, is_conditional: bool) -> bool {
        if self.item.as_ref().map(|item| item.revision) == before || !is_conditional {
            self.item = Some(new.clone());
        }
        self.item.as_ref() == Some(new)
    }

    /// The first batch that was not applied.
    pub fn pending(&self) -> Option<u32> {
        let applied = self.item.as_ref().map(|item| &item.applied);
        self.batches.iter().copied().find(|batch| applied.is_none_or(|applied| !applied.contains(batch)))
    }
}

/// Where a consumer stands with one batch of a visitor. One that stopped is idle, and the batch is delivered again.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Consumer {
    /// It has none.
    Idle,
    /// It was given a visitor's batch, and will read the visitor.
    Given(usize, u32),
    /// It knows of no visitor, and will read the manifest.
    Unknown(usize, u32),
    /// It read what it needs, and will store the visitor with the segment.
    Ready(usize, u32, Option<Item>, Generation),
}

impl Consumer {
    /// Does the next step, and gives where the consumer stands afterwards.
    pub fn step(&self, table: &mut Table, visitors: &mut [Visitor], rules: Rules) -> Self {
        match self {
            Consumer::Idle => Consumer::Idle,
            Consumer::Given(visitor, batch) => match &visitors[*visitor].item {
                Some(item) if item.applied.contains(batch) => Consumer::Idle,
                Some(item) => Consumer::Ready(*visitor, *batch, Some(item.clone()), item.mark),
                None => Consumer::Unknown(*visitor, *batch),
            },
            Consumer::Unknown(visitor, batch) => {
                let mark = match rules.keep(Rule::NewcomersBeginInTheNewest) {
                    true => table.manifest.newest(),
                    false => table.manifest.shown,
                };
                Consumer::Ready(*visitor, *batch, None, mark)
            }
            Consumer::Ready(visitor, batch, before, mark) => {
                let revision = before.as_ref().map(|item| item.revision);
                let mut applied = before.as_ref().map(|item| item.applied.clone()).unwrap_or_default();
                applied.push(*batch);
                let new = Item { revision: revision.unwrap_or_default() + 1, mark: *mark, applied };
                if visitors[*visitor].item.as_ref().map(|item| item.revision) != revision {
                    return Consumer::Given(*visitor, *batch);
                }
                let generation = if rules.keep(Rule::SegmentsCarryMarks) { *mark } else { table.manifest.newest() };
                let id = format!("{batch}.{}", new.revision);
                visitors[*visitor].item = Some(new);
                table.segments.insert(id, Stored { generation, figures: Figures::of(*batch) });
                Consumer::Idle
            }
        }
    }
}
