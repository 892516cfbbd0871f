//! The items that the protocols of figures are about, and what one operation on them does.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::fmt;
use std::sync::Arc;

use figures::generation::Generation;
use figures::log::tail::{Manifest, Tail};

use crate::rules::{Rule, Rules};

/// How often each change is counted, a digit for each.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Figures(u64);

impl Figures {
    /// A change counted once.
    pub fn of(change: u32) -> Self {
        Figures(1 << (3 * change))
    }

    /// Both together.
    pub fn plus(self, other: Self) -> Self {
        Figures(self.0 + other.0)
    }
}

impl fmt::Debug for Figures {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:o}", self.0)
    }
}

/// A segment: it changes every day by the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Stored {
    /// The mark of its visitor.
    pub generation: Generation,
    /// What it adds.
    pub figures: Figures,
}

/// A day's block in one generation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Block {
    /// The last round merged into it.
    pub round: u64,
    /// Whether it holds what a rebuild counted.
    pub is_based: bool,
    /// What it counts.
    pub figures: Figures,
}

/// A day's blocks, as one query finds them.
pub type Blocks = BTreeMap<Generation, Block>;

/// A day and a generation.
pub type BlockKey = (Generation, usize);

/// An item that is removed.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Gone {
    /// A segment.
    Segment(String),
    /// A block.
    Block(BlockKey),
}

/// A project's manifest, segments and blocks.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Table {
    /// The manifest; at round 0 there is none.
    pub manifest: Manifest,
    /// The segments by id.
    pub segments: BTreeMap<String, Stored>,
    /// The blocks of each day.
    pub days: Vec<Blocks>,
}

impl Table {
    /// One without items, for so many days.
    pub fn new(days: usize) -> Self {
        Table { manifest: Manifest::default(), segments: BTreeMap::new(), days: vec![Blocks::new(); days] }
    }

    /// Reads the tail.
    pub fn tail(&self) -> Arc<Tail<Figures>> {
        let stored = self.segments.iter().map(|(id, stored)| (id.clone(), stored.generation, stored.figures));
        let tail = Tail::of(self.manifest.clone(), stored, |figures| Ok::<_, Infallible>((1, figures)));
        match tail {
            Ok(tail) => Arc::new(tail),
            Err(never) => match never {},
        }
    }

    /// Puts a manifest on the condition that its round is still this one. Says whether it is stored, now or by a first
    /// try whose answer was lost.
    pub fn put_manifest(&mut self, before: u64, after: &Manifest, is_conditional: bool) -> bool {
        if self.manifest.round == before || !is_conditional {
            self.manifest = after.clone();
        }
        self.manifest == *after
    }

    /// Puts a block on the condition that its round is still this one. Says whether it is stored.
    pub fn put_block(
        &mut self,
        (generation, day): BlockKey,
        before: Option<u64>,
        new: Block,
        is_conditional: bool,
    ) -> bool {
        let blocks = &mut self.days[day];
        if blocks.get(&generation).map(|block| block.round) == before || !is_conditional {
            blocks.insert(generation, new);
        }
        blocks.get(&generation) == Some(&new)
    }

    /// Stores a segment in place of another one, which it is told from by its revision. Says whether that was there.
    pub fn replace_segment(&mut self, id: &str, revision: u32, stored: Stored) -> bool {
        let was_there = self.segments.remove(id).is_some();
        if was_there {
            self.segments.insert(format!("{}~{revision}", sort_key(id)), stored);
        }
        was_there
    }

    /// Removes an item, if it is there; of a segment, if it is still the same.
    pub fn remove(&mut self, gone: &Gone, rules: Rules) {
        match gone {
            Gone::Segment(id) if rules.keep(Rule::RemovesWhatItRead) => drop(self.segments.remove(id)),
            Gone::Segment(id) => self.segments.retain(|other, _| sort_key(other) != sort_key(id)),
            Gone::Block((generation, day)) => drop(self.days[*day].remove(generation)),
        }
    }

    /// A block as of now.
    pub fn block(&self, (generation, day): BlockKey) -> Option<Block> {
        self.days[day].get(&generation).copied()
    }

    /// What is counted of each day in a generation as of now.
    pub fn figures(&self, generation: Generation) -> Vec<Figures> {
        let tail = self.tail();
        self.days.iter().map(|blocks| seen(&tail, generation, blocks.get(&generation))).collect()
    }
}

/// Where a segment is, whichever it is.
fn sort_key(id: &str) -> &str {
    id.split_once('~').map_or(id, |(sort_key, _)| sort_key)
}

/// What a tail and a day's block come to in a generation.
pub fn seen(tail: &Tail<Figures>, generation: Generation, block: Option<&Block>) -> Figures {
    let round = block.map_or(0, |block| block.round);
    let missing = tail.segments.iter().filter(|segment| segment.is_missing_from(generation, round));
    let in_block = block.map(|block| block.figures).unwrap_or_default();
    missing.fold(in_block, |figures, segment| figures.plus(segment.delta))
}
