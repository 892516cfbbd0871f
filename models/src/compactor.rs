//! A compactor, step by step as `Compaction` in `counting/src/compaction.rs`: each step is one operation on the
//! table, and others come between any two.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use figures::generation::Generation;
use figures::log::tail::{Manifest, Tail};
use figures::time::Millis;

use crate::rules::{Rule, Rules};
use crate::table::{Block, BlockKey, Figures, Gone, Table};

/// A request takes less than this: the clock does not go on while one is under way.
pub const GRACE: Duration = Duration::from_millis(1);

/// Where a compactor stands. One that stopped is idle: whoever comes next looks at the tail anew.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Compactor {
    /// It will read the tail.
    Idle,
    /// It merges a round into blocks, one after the other.
    Merging {
        /// What it read.
        tail: Arc<Tail<Figures>>,
        /// The round.
        round: u64,
        /// The blocks that are left.
        left: Vec<BlockKey>,
        /// The first of them, once it is read.
        read: Option<Option<Block>>,
    },
    /// It removes items, and then puts a manifest.
    Storing {
        /// The round of the manifest that it read.
        before: u64,
        /// What goes first.
        gone: Vec<Gone>,
        /// The manifest that follows.
        next: Arc<Manifest>,
    },
}

/// What a look at the tail leads to where there is no round to carry out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Due {
    /// The tail is long: a round.
    Round,
    /// The same, but what could be removed stays, for segments to be stored in its place.
    RoundKeeping,
    /// It is short: removing what is merged and what nobody reads.
    CleanUp,
}

impl Compactor {
    /// Whether the next step is a conditional write, of which the answer may be lost.
    pub fn may_lose_an_answer(&self) -> bool {
        match self {
            Compactor::Idle => false,
            Compactor::Merging { left, read, .. } => left.is_empty() || read.is_some(),
            Compactor::Storing { gone, .. } => gone.is_empty(),
        }
    }

    /// Does the next step, and gives where the compactor stands afterwards.
    pub fn step(&self, table: &mut Table, now: Millis, due: Due, rules: Rules) -> Self {
        match self {
            Compactor::Idle => Self::begin(table, now, due, rules),
            Compactor::Merging { tail, round, left, read } => match (left.first(), read) {
                (None, _) => {
                    let complete = tail.manifest.complete(*round, now);
                    table.put_manifest(tail.manifest.round, &complete, rules.keep(Rule::ManifestIsConditional));
                    Compactor::Idle
                }
                (Some(place), None) => self.with_read(Some(table.block(*place))),
                (Some(place), Some(block)) => match Self::merged(tail, *round, place.0, *block, rules) {
                    Some(new) if !Self::put(table, *place, *block, new, rules) => self.with_read(None),
                    _ => Compactor::Merging { tail: tail.clone(), round: *round, left: left[1..].to_vec(), read: None },
                },
            },
            Compactor::Storing { before, gone, next } => match gone.split_first() {
                Some((first, rest)) => {
                    table.remove(first, rules);
                    Compactor::Storing { before: *before, gone: rest.to_vec(), next: next.clone() }
                }
                None => {
                    table.put_manifest(*before, next, rules.keep(Rule::ManifestIsConditional));
                    Compactor::Idle
                }
            },
        }
    }

    fn put(table: &mut Table, place: BlockKey, before: Option<Block>, new: Block, rules: Rules) -> bool {
        table.put_block(place, before.map(|block| block.round), new, rules.keep(Rule::BlocksAreConditional))
    }

    fn with_read(&self, read: Option<Option<Block>>) -> Self {
        match self.clone() {
            Compactor::Merging { tail, round, left, .. } => Compactor::Merging { tail, round, left, read },
            other => other,
        }
    }

    /// `Compaction::run`: reads the tail, and goes on from there.
    fn begin(table: &Table, now: Millis, due: Due, rules: Rules) -> Self {
        let tail = table.tail();
        let manifest = &tail.manifest;
        if let Some(round) = manifest.unfinished() {
            return Self::carry_out(&tail, round.number, table.days.len(), rules);
        }
        let storing = |gone, next| Compactor::Storing { before: manifest.round, gone, next: Arc::new(next) };
        if manifest.building.is_some_and(|building| building.until < now) {
            return storing(Vec::new(), manifest.give_up_building(now));
        }
        let grace = if rules.keep(Rule::MergedSegmentsStay) { GRACE } else { Duration::ZERO };
        let over = over(&tail, now, grace);
        let kept: &[String] = if due == Due::RoundKeeping { &over } else { &[] };
        let remaining = manifest.rounds_left(now, grace, |id| kept.iter().any(|kept| kept == id));
        let removed = over.iter().filter(|id| !kept.contains(id));
        let mut gone: Vec<Gone> = removed.cloned().map(Gone::Segment).collect();
        let next = match due {
            Due::Round | Due::RoundKeeping => {
                let is_free = |round: Option<u64>| round.is_none() || !rules.keep(Rule::RoundsListTheRest);
                let rest = tail.segments.iter().filter(|segment| is_free(segment.round));
                let listed: BTreeSet<String> = rest.map(|segment| segment.id.clone()).collect();
                if listed.is_empty() {
                    return Compactor::Idle;
                }
                if !rules.keep(Rule::ListedBeforeMerged) {
                    return Self::merge_unlisted(&tail, listed, table.days.len());
                }
                manifest.begin_round(remaining, listed, now)
            }
            Due::CleanUp => {
                let mut next = Manifest { rounds: remaining, ..manifest.clone() };
                if !manifest.stale.is_empty() && !manifest.changed_lately(now, GRACE) {
                    gone.extend(gone_items(table, manifest));
                    next.stale.clear();
                }
                if next == *manifest {
                    return Compactor::Idle;
                }
                next
            }
        };
        if !rules.keep(Rule::RemovedBeforeForgotten) && !gone.is_empty() {
            // Forgets at once; what it would remove afterwards is left by a compactor that stops.
            return storing(Vec::new(), next);
        }
        storing(gone, next)
    }

    /// `Compaction::carry_out`: the steps of a round that was begun.
    fn carry_out(tail: &Arc<Tail<Figures>>, round: u64, days: usize, rules: Rules) -> Self {
        let is_merged = |of: &Generation| *of == tail.manifest.shown || rules.keep(Rule::BothAreMerged);
        let counts = |of: &Generation| {
            tail.segments.iter().any(|segment| segment.round == Some(round) && segment.counts_in(*of))
        };
        let generations = tail.manifest.merged().filter(is_merged).filter(counts);
        let left = generations.flat_map(|generation| (0..days).map(move |day| (generation, day))).collect();
        Compactor::Merging { tail: tail.clone(), round, left, read: None }
    }

    /// Merges what no manifest lists yet, and stores the manifest as the last step.
    fn merge_unlisted(tail: &Tail<Figures>, listed: BTreeSet<String>, days: usize) -> Self {
        let mut tail = tail.clone();
        let round = tail.manifest.round + 1;
        for segment in tail.segments.iter_mut().filter(|segment| listed.contains(&segment.id)) {
            segment.round = Some(round);
        }
        let before = tail.manifest.round;
        tail.manifest = tail.manifest.begin_round(tail.manifest.rounds.clone(), listed, Millis(0));
        tail.manifest.round = before;
        let left = (0..days).map(|day| (tail.manifest.shown, day)).collect();
        Compactor::Merging { tail: Arc::new(tail), round, left, read: None }
    }

    /// `Compaction::merge_block`: the block with the round merged into it; none if it has it.
    fn merged(
        tail: &Tail<Figures>,
        round: u64,
        generation: Generation,
        before: Option<Block>,
        rules: Rules,
    ) -> Option<Block> {
        if before.is_some_and(|block| block.round >= round) && rules.keep(Rule::BlocksCarryTheirRound) {
            return None;
        }
        let segments = tail.segments.iter().filter(|segment| segment.round == Some(round));
        let segments = segments.filter(|segment| segment.counts_in(generation));
        let figures = before.map(|block| block.figures).unwrap_or_default();
        let figures = segments.fold(figures, |figures, segment| figures.plus(segment.delta));
        Some(Block { round, is_based: before.is_some_and(|block| block.is_based), figures })
    }
}

/// The segments of a tail whose rounds are over.
pub fn over(tail: &Tail<Figures>, now: Millis, grace: Duration) -> Vec<String> {
    let over = tail.manifest.rounds_over(now, grace);
    let merged = tail.segments.iter().filter(|segment| segment.round.is_some_and(|round| over.contains(&round)));
    merged.map(|segment| segment.id.clone()).collect()
}

/// The blocks of generations that the manifest does not name, and the segments that count in none, as
/// `Compaction::purge` finds them.
pub fn gone_items(table: &Table, manifest: &Manifest) -> Vec<Gone> {
    let obsolete = table.segments.iter().filter(|(_, stored)| stored.generation < manifest.shown);
    let obsolete = obsolete.map(|(id, _)| Gone::Segment(id.clone()));
    let days = table.days.iter().enumerate();
    let places = days.flat_map(|(day, blocks)| blocks.keys().map(move |generation| (*generation, day)));
    obsolete.chain(places.filter(|(generation, _)| manifest.is_gone(*generation)).map(Gone::Block)).collect()
}

/// What one compactor makes of a table that is left to it, however others left it. None if it comes to no end.
pub fn finished(table: &Table, now: Millis) -> Option<Table> {
    let (mut table, mut compactor) = (table.clone(), Compactor::Idle);
    for _ in 0..100 {
        let was_idle = compactor == Compactor::Idle;
        compactor = compactor.step(&mut table, now, Due::Round, Rules::ALL);
        if was_idle && compactor == Compactor::Idle {
            return Some(table);
        }
    }
    None
}
