//! Rebuilding beside consumers, compaction and readers.
//!
//! What readers see of the first generation is damaged: it counts a change that no visitor has. A rebuild counts the
//! visitors, and shows a generation without it, or gives up. It may stop before and after every operation, and another one
//! may begin at any time.
//!
//! A rebuild that meets a round under way carries it out; here it waits for a compactor that does.

use std::sync::Arc;

use figures::generation::Generation;
use figures::log::tail::{Building, Manifest, Tail};
use figures::time::Millis;
use stateright::{Model, Property};

use crate::compactor::{Compactor, Due, finished, gone_items};
use crate::reader::{Outcome, Read, Reader};
use crate::rules::{Rule, Rules};
use crate::table::{Block, Blocks, Figures, Gone, Table, seen};
use crate::visitors::{Consumer, Item, Visitor};

/// A rebuild is given up when the clock is past this since it was heard of last.
const SILENCE: i64 = 1;
/// The number of the change that readers of the first generation see, and no visitor has.
const DAMAGE: u32 = 15;

/// Sizes and rules.
#[derive(Debug, Clone)]
pub struct Rebuilding {
    /// How many batches each visitor has that are counted already, and how many come.
    pub visitors: Vec<(u32, u32)>,
    /// Days, each of which has a block in each generation.
    pub days: usize,
    /// Consumers at a time.
    pub consumers: usize,
    /// Compactors at a time.
    pub compactors: usize,
    /// Rebuilds that are begun.
    pub rebuilds: usize,
    /// Readers at a time: none or one.
    pub readers: usize,
    /// Whether rebuilds compare before they write.
    pub compares: bool,
    /// Answers to a rebuild that are lost.
    pub lost_answers: usize,
    /// Whether rebuilds say that they are at work.
    pub signs_of_life: bool,
    /// How far the clock goes, in graces.
    pub graces: i64,
    /// What holds.
    pub rules: Rules,
}

/// Where a rebuild stands.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Rebuild {
    /// It has not begun, or ended, or stopped.
    Idle,
    /// It read the manifest, and will begin a generation under its own number.
    Beginning(Arc<Manifest>, u64),
    /// It counts visitors.
    Counting {
        /// What it builds.
        building: Generation,
        /// Which visitor is next.
        visitor: usize,
        /// What it has counted.
        base: Figures,
        /// Where it stands with the visitor.
        at: Counting,
    },
    /// It has counted, and does what is left.
    Counted {
        /// What it builds.
        building: Generation,
        /// What it has counted.
        base: Figures,
        /// How far it is.
        at: Counted,
    },
    /// It removes what nobody reads.
    Purging {
        /// What it builds, or built.
        building: Generation,
        /// The manifest that it read, and when it may remove what that does not name.
        read: Option<(Arc<Manifest>, Millis)>,
        /// What goes, once it is known.
        gone: Option<Vec<Gone>>,
    },
}

/// Where a rebuild stands with a visitor.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Counting {
    /// It will read what is stored.
    Look,
    /// It found batches without an item, and counts them as a consumer does.
    Newcomer(Vec<u32>, Consumer),
    /// It has the item, and will mark it.
    Mark(Item),
    /// The mark was refused, and it will look whose is there.
    Check(Item),
}

/// Where a rebuild stands after it counted.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Counted {
    /// It will compare, with the tail and then the blocks that it has read.
    Compare(Option<(Arc<Tail<Figures>>, Figures)>, Option<Blocks>),
    /// It decides whether it shows the generation.
    Decide,
    /// It will begin an empty round, and go on with a day.
    EmptyRound(usize, Option<Arc<Manifest>>),
    /// It adds the base to a day, as of a round; the block, once it is read.
    Add(usize, u64, Option<Option<Block>>),
    /// It waits for a tick.
    Wait(Millis),
    /// It will show the generation, with the manifest that it has read.
    Show(Option<Arc<Manifest>>),
    /// It will give the generation up, with the manifest that it has read.
    GiveUp(Option<Arc<Manifest>>),
}

/// The table, and where everyone stands.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct State {
    now: Millis,
    table: Arc<Table>,
    visitors: Vec<Visitor>,
    coming: Vec<u32>,
    consumers: Vec<Consumer>,
    compactors: Vec<Compactor>,
    rebuilds: Vec<Rebuild>,
    begun: usize,
    lost: usize,
    reader: Reader,
    is_misread: bool,
    is_miscompared: bool,
}

/// A step of someone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    /// A visitor's next batch is stored.
    Send(usize),
    /// A consumer is given what a visitor has that was not applied, or works on it.
    Consume(usize, usize),
    /// A consumer stops.
    StopConsumer(usize),
    /// A compactor's next operation.
    Compact(usize, Due),
    /// A compactor stops.
    StopCompactor(usize),
    /// A rebuild's next operation; where it decides, it goes on.
    Rebuild(usize),
    /// A rebuild decides to give up.
    Check(usize),
    /// A rebuild's next operation, whose answer is lost: it will try again.
    LoseAnswer(usize),
    /// A rebuild says that it is at work.
    SayAlive(usize),
    /// A rebuild stops.
    StopRebuild(usize),
    /// An operation of the reader.
    Read(Read),
    /// The clock goes on, when no request is under way.
    Tick,
}

impl State {
    /// What is counted of each day, and shown.
    fn counted(&self) -> Figures {
        let items = self.visitors.iter().filter_map(|visitor| visitor.item.as_ref());
        items.map(Item::figures).fold(Figures::default(), Figures::plus)
    }

    fn shown(&self) -> Figures {
        self.counted_in(self.table.manifest.shown)
    }

    fn counted_in(&self, generation: Generation) -> Figures {
        match generation == Generation::FIRST {
            true => self.counted().plus(Figures::of(DAMAGE)),
            false => self.counted(),
        }
    }

    /// Whether everyone stopped.
    fn is_left_alone(&self) -> bool {
        let is_idle = |compactor: &Compactor| *compactor == Compactor::Idle;
        self.compactors.iter().all(is_idle) && self.rebuilds.iter().all(|rebuild| *rebuild == Rebuild::Idle)
    }

    /// The manifest, with no round under way.
    fn finished_manifest(&self) -> Option<Arc<Manifest>> {
        self.table.manifest.unfinished().is_none().then(|| Arc::new(self.table.manifest.clone()))
    }
}

impl Rebuilding {
    /// What a rebuild does beside its work.
    fn say_alive(&self, state: &mut State, building: Generation) {
        let Some(manifest) = state.finished_manifest() else { return };
        let of = match manifest.building {
            Some(of) if of.generation == building => of,
            None if manifest.shown == building && !self.rules.keep(Rule::ShownIsNotBuilt) => {
                Building { generation: building, until: state.now, builder: 0 }
            }
            _ => return,
        };
        let until = Millis(state.now.0 + SILENCE);
        let alive = Manifest { building: Some(Building { until, ..of }), ..(*manifest).clone() };
        Arc::make_mut(&mut state.table).put_manifest(manifest.round, &alive, true);
    }

    /// A rebuild's next step. None: it waits.
    fn rebuild(&self, state: &mut State, rebuild: &Rebuild, goes_on: bool) -> Option<Rebuild> {
        Some(match rebuild.clone() {
            Rebuild::Idle => {
                let manifest = state.finished_manifest()?;
                Rebuild::Beginning(manifest, state.begun as u64)
            }
            Rebuild::Beginning(before, number) => {
                let builder = if self.rules.keep(Rule::BuildersAreTold) { number } else { 0 };
                let next = before.begin_building(state.now, Millis(state.now.0 + SILENCE), builder);
                match Arc::make_mut(&mut state.table).put_manifest(before.round, &next, true) {
                    true => {
                        let (building, base) = (next.newest(), Figures::default());
                        Rebuild::Counting { building, visitor: 0, base, at: Counting::Look }
                    }
                    false => Rebuild::Beginning(state.finished_manifest()?, number),
                }
            }
            Rebuild::Counting { building, visitor, base, at } => self.count(state, building, visitor, base, at)?,
            Rebuild::Counted { building, base, at } => self.finish(state, building, base, at, goes_on)?,
            Rebuild::Purging { building, read, gone } => self.purge(state, building, read, gone)?,
        })
    }

    fn purge(
        &self,
        state: &mut State,
        building: Generation,
        read: Option<(Arc<Manifest>, Millis)>,
        gone: Option<Vec<Gone>>,
    ) -> Option<Rebuild> {
        let Some((manifest, from)) = read else {
            let manifest = state.finished_manifest()?;
            let is_foreign = |generation: &Generation| *generation != building;
            let was_shown = manifest.stale.iter().any(is_foreign) && self.rules.keep(Rule::GenerationsStay);
            let is_own = manifest.shown == building;
            let waits = was_shown && (is_own || self.rules.keep(Rule::OthersGenerationsStay));
            let from = Millis(state.now.0 + i64::from(waits));
            return Some(Rebuild::Purging { building, read: Some((manifest, from)), gone: None });
        };
        if state.now < from {
            return None;
        }
        let mut gone = gone.unwrap_or_else(|| gone_items(&state.table, &manifest));
        Some(match gone.pop() {
            Some(one) => {
                Arc::make_mut(&mut state.table).remove(&one, self.rules);
                Rebuild::Purging { building, read: Some((manifest, from)), gone: Some(gone) }
            }
            None => {
                let next = Manifest { stale: Vec::new(), ..(*manifest).clone() };
                Arc::make_mut(&mut state.table).put_manifest(manifest.round, &next, true);
                Rebuild::Idle
            }
        })
    }

    fn count(
        &self,
        state: &mut State,
        building: Generation,
        visitor: usize,
        base: Figures,
        at: Counting,
    ) -> Option<Rebuild> {
        let same = |at| Rebuild::Counting { building, visitor, base, at };
        let done = |base| match visitor + 1 < self.visitors.len() {
            true => Rebuild::Counting { building, visitor: visitor + 1, base, at: Counting::Look },
            false => {
                let at = if self.compares { Counted::Compare(None, None) } else { Counted::Decide };
                Rebuild::Counted { building, base, at }
            }
        };
        let stored = &mut state.visitors[visitor];
        Some(match at {
            Counting::Look => match &stored.item {
                None if stored.batches.is_empty() => done(base),
                None => same(Counting::Newcomer(stored.batches.clone(), Consumer::Idle)),
                Some(item) if item.mark > building => Rebuild::Idle,
                Some(item) if item.mark == building => done(base),
                Some(item) => same(Counting::Mark(item.clone())),
            },
            Counting::Newcomer(mut batches, Consumer::Idle) => match batches.pop() {
                Some(batch) => same(Counting::Newcomer(batches, Consumer::Given(visitor, batch))),
                None if self.rules.keep(Rule::NewcomersAreLookedAtAgain) => {
                    return self.count(state, building, visitor, base, Counting::Look);
                }
                None => done(base),
            },
            Counting::Newcomer(batches, consumer) => {
                let consumer = consumer.step(Arc::make_mut(&mut state.table), &mut state.visitors, self.rules);
                same(Counting::Newcomer(batches, consumer))
            }
            Counting::Mark(item) => {
                let marked = Item { revision: item.revision + 1, mark: building, ..item.clone() };
                let is_conditional = self.rules.keep(Rule::MarksAreConditional);
                match stored.put(Some(item.revision), &marked, is_conditional) {
                    true => done(base.plus(item.figures())),
                    false if self.rules.keep(Rule::OwnMarkIsRecognized) => same(Counting::Check(item)),
                    false => same(Counting::Look),
                }
            }
            Counting::Check(item) => match stored.item.as_ref().map(|item| item.mark) {
                Some(mark) if mark == building => done(base.plus(item.figures())),
                _ => same(Counting::Look),
            },
        })
    }

    fn finish(
        &self,
        state: &mut State,
        building: Generation,
        base: Figures,
        at: Counted,
        goes_on: bool,
    ) -> Option<Rebuild> {
        let same = |at| Rebuild::Counted { building, base, at };
        let is_mine = |manifest: &Manifest| match self.rules.keep(Rule::ShownByItsBuilder) {
            true => manifest.newest() == building,
            false => true,
        };
        Some(match at {
            Counted::Compare(None, _) => {
                state.finished_manifest()?;
                same(Counted::Compare(Some((state.table.tail(), state.counted())), None))
            }
            Counted::Compare(read, None) => same(Counted::Compare(read, Some(state.table.days[0].clone()))),
            Counted::Compare(Some((tail, counted)), Some(blocks)) => {
                let manifest = state.finished_manifest()?;
                let agrees = blocks.values().all(|block| tail.manifest.agrees_with(block.round));
                if manifest.newest() != building {
                    Rebuild::Idle
                } else if manifest.round != tail.manifest.round || !agrees {
                    same(Counted::Compare(None, None))
                } else {
                    let built = seen(&tail, building, blocks.get(&building)).plus(base);
                    let was = seen(&tail, manifest.shown, blocks.get(&manifest.shown));
                    let damage = Figures::of(DAMAGE);
                    let expected = if manifest.shown == Generation::FIRST { counted.plus(damage) } else { counted };
                    state.is_miscompared |= (built, was) != (counted, expected);
                    same(Counted::Decide)
                }
            }
            Counted::Decide if !goes_on => same(Counted::GiveUp(None)),
            Counted::Decide if !self.rules.keep(Rule::ShownWhenComplete) => {
                same(Counted::Wait(Millis(state.now.0 + 1)))
            }
            Counted::Decide => same(Counted::EmptyRound(0, None)),
            Counted::EmptyRound(day, None) => {
                let manifest = state.finished_manifest()?;
                if manifest.newest() != building {
                    return Some(Rebuild::Idle);
                }
                same(Counted::EmptyRound(day, Some(manifest)))
            }
            Counted::EmptyRound(day, Some(before)) => {
                let next = before.next(state.now);
                match Arc::make_mut(&mut state.table).put_manifest(before.round, &next, true) {
                    true => same(Counted::Add(day, next.round, None)),
                    false => same(Counted::EmptyRound(day, None)),
                }
            }
            Counted::Add(day, round, None) => same(Counted::Add(day, round, Some(state.table.block((building, day))))),
            Counted::Add(day, round, Some(before)) => {
                let next = |round| match day + 1 < self.days {
                    true => Counted::Add(day + 1, round, None),
                    false => Counted::Wait(Millis(state.now.0 + 1)),
                };
                let known = before.map(|block| block.round);
                let raised = if self.rules.keep(Rule::BasesRaiseTheRound) { round } else { known.unwrap_or_default() };
                let figures = before.map(|block| block.figures).unwrap_or_default().plus(base);
                match before {
                    Some(block) if block.is_based && self.rules.keep(Rule::BasesAreAddedOnce) => same(next(round)),
                    Some(block) if block.round >= round && self.rules.keep(Rule::BasesRaiseTheRound) => {
                        same(Counted::EmptyRound(day, None))
                    }
                    _ => {
                        let new = Block { round: raised, is_based: true, figures };
                        match Arc::make_mut(&mut state.table).put_block((building, day), known, new, true) {
                            true => same(next(round)),
                            false => same(Counted::Add(day, round, None)),
                        }
                    }
                }
            }
            Counted::Wait(until) if state.now < until && self.rules.keep(Rule::ShownAfterGrace) => return None,
            Counted::Wait(_) => same(Counted::Show(None)),
            Counted::Show(None) => {
                let manifest = state.finished_manifest()?;
                if !is_mine(&manifest) {
                    return Some(Rebuild::Idle);
                }
                same(Counted::Show(Some(manifest)))
            }
            Counted::Show(Some(before)) => {
                let next = before.show_built(state.now);
                match Arc::make_mut(&mut state.table).put_manifest(before.round, &next, true) {
                    true => Rebuild::Purging { building, read: None, gone: None },
                    false => same(Counted::Show(None)),
                }
            }
            Counted::GiveUp(None) => {
                let manifest = state.finished_manifest()?;
                match manifest.building {
                    Some(Building { generation, .. }) if generation == building => {
                        same(Counted::GiveUp(Some(manifest)))
                    }
                    _ => Rebuild::Purging { building, read: None, gone: None },
                }
            }
            Counted::GiveUp(Some(before)) => {
                let next = before.give_up_building(state.now);
                match Arc::make_mut(&mut state.table).put_manifest(before.round, &next, true) {
                    true => Rebuild::Purging { building, read: None, gone: None },
                    false => same(Counted::GiveUp(None)),
                }
            }
        })
    }
}

impl Model for Rebuilding {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        let mut table = Table::new(self.days);
        table.manifest = Manifest { round: 1, layers_since: Some(Millis(0)), ..Manifest::default() };
        let (mut visitors, mut number) = (Vec::new(), 0);
        let mut figures = Figures::of(DAMAGE);
        for (counted, _) in &self.visitors {
            let batches: Vec<u32> = (number..number + counted).collect();
            number += counted;
            let item = Item { revision: 1, mark: Generation::FIRST, applied: batches.clone() };
            figures = figures.plus(item.figures());
            visitors.push(Visitor { item: (!batches.is_empty()).then_some(item), batches });
        }
        for blocks in &mut table.days {
            blocks.insert(Generation::FIRST, Block { round: 1, is_based: false, figures });
        }
        vec![State {
            now: Millis(0),
            table: Arc::new(table),
            visitors,
            coming: self.visitors.iter().map(|(_, coming)| *coming).collect(),
            consumers: vec![Consumer::Idle; self.consumers],
            compactors: vec![Compactor::Idle; self.compactors],
            rebuilds: vec![Rebuild::Idle; self.rebuilds],
            begun: 0,
            lost: 0,
            reader: Reader::new(self.days),
            is_misread: false,
            is_miscompared: false,
        }]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        for (visitor, coming) in state.coming.iter().enumerate() {
            if *coming > 0 {
                actions.push(Action::Send(visitor));
            }
        }
        for (number, consumer) in state.consumers.iter().enumerate() {
            match consumer {
                Consumer::Idle => {
                    let pending = (0..state.visitors.len()).filter(|one| state.visitors[*one].pending().is_some());
                    actions.extend(pending.map(|visitor| Action::Consume(number, visitor)));
                }
                Consumer::Given(..) => actions.push(Action::Consume(number, 0)),
                _ => actions.extend([Action::Consume(number, 0), Action::StopConsumer(number)]),
            }
        }
        for (number, compactor) in state.compactors.iter().enumerate() {
            actions.push(Action::Compact(number, Due::Round));
            match compactor {
                Compactor::Idle => actions.push(Action::Compact(number, Due::CleanUp)),
                _ => actions.push(Action::StopCompactor(number)),
            }
        }
        for (number, rebuild) in state.rebuilds.iter().enumerate() {
            match rebuild {
                Rebuild::Idle if state.begun == self.rebuilds => continue,
                Rebuild::Idle => {}
                Rebuild::Counted { at: Counted::Decide, .. } => {
                    actions.extend([Action::Check(number), Action::StopRebuild(number)]);
                }
                Rebuild::Beginning(..)
                | Rebuild::Counting { at: Counting::Mark(_), .. }
                | Rebuild::Counted {
                    at:
                        Counted::EmptyRound(_, Some(_))
                        | Counted::Add(_, _, Some(_))
                        | Counted::Show(Some(_))
                        | Counted::GiveUp(Some(_)),
                    ..
                } => {
                    actions.push(Action::StopRebuild(number));
                    if state.lost < self.lost_answers {
                        actions.push(Action::LoseAnswer(number));
                    }
                }
                _ => actions.push(Action::StopRebuild(number)),
            }
            actions.push(Action::Rebuild(number));
            if self.signs_of_life {
                actions.push(Action::SayAlive(number));
            }
        }
        if self.readers > 0 {
            actions.extend(state.reader.left().into_iter().map(Action::Read));
        }
        if state.reader.is_idle() && state.now.0 < self.graces {
            actions.push(Action::Tick);
        }
    }

    fn next_state(&self, last: &State, action: Action) -> Option<State> {
        let mut state = last.clone();
        match action {
            Action::Send(visitor) => {
                let sent: usize = last.visitors.iter().map(|visitor| visitor.batches.len()).sum();
                state.coming[visitor] -= 1;
                state.visitors[visitor].batches.push(sent as u32);
            }
            Action::Consume(number, visitor) => {
                let consumer = match &last.consumers[number] {
                    Consumer::Idle => Consumer::Given(visitor, last.visitors[visitor].pending()?),
                    other => other.clone(),
                };
                state.consumers[number] =
                    consumer.step(Arc::make_mut(&mut state.table), &mut state.visitors, self.rules);
            }
            Action::StopConsumer(number) => state.consumers[number] = Consumer::Idle,
            Action::Compact(number, due) => {
                let next = last.compactors[number].step(Arc::make_mut(&mut state.table), state.now, due, self.rules);
                state.compactors[number] = next;
            }
            Action::StopCompactor(number) => state.compactors[number] = Compactor::Idle,
            Action::Rebuild(number) => {
                let rebuild = &last.rebuilds[number];
                state.begun += usize::from(*rebuild == Rebuild::Idle);
                state.rebuilds[number] = self.rebuild(&mut state, rebuild, true)?;
            }
            Action::Check(number) => {
                state.rebuilds[number] = self.rebuild(&mut state, &last.rebuilds[number], false)?;
            }
            Action::LoseAnswer(number) => {
                state.lost += 1;
                self.rebuild(&mut state, &last.rebuilds[number], true)?;
            }
            Action::SayAlive(number) => match &last.rebuilds[number] {
                Rebuild::Counting { building, .. }
                | Rebuild::Counted { building, .. }
                | Rebuild::Purging { building, .. } => self.say_alive(&mut state, *building),
                Rebuild::Idle | Rebuild::Beginning(..) => {}
            },
            Action::StopRebuild(number) => state.rebuilds[number] = Rebuild::Idle,
            Action::Read(read) => {
                let outcome = state.reader.read(read, &last.table, last.shown(), self.rules);
                state.is_misread |= outcome == Outcome::Wrong;
            }
            Action::Tick => state.now.0 += 1,
        }
        crate::order(&mut state.consumers);
        crate::order(&mut state.compactors);
        crate::order(&mut state.rebuilds);
        (state != *last).then_some(state)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always("OldOrNew", |_, state: &State| {
                let shown = state.table.manifest.shown;
                state.table.figures(shown).iter().all(|figures| *figures == state.shown())
            }),
            Property::always("ShownIsNotBuilt", |_, state: &State| {
                let Manifest { shown, building, .. } = &state.table.manifest;
                building.is_none_or(|building| building.generation != *shown)
            }),
            Property::always("ReadsAreExact", |_, state: &State| !state.is_misread),
            Property::always("ComparesAreExact", |_, state: &State| !state.is_miscompared),
            // Whoever can stop here has: so the tables of these states are those of all.
            Property::always("AnyoneUndoes", |_, state: &State| {
                if !state.is_left_alone() {
                    return true;
                }
                let Some(table) = finished(&state.table, Millis(state.now.0 + SILENCE + 1)) else { return false };
                let shown = table.manifest.shown;
                let is_whole = table.figures(shown).iter().all(|figures| *figures == state.counted_in(shown));
                table.manifest.building.is_none() && is_whole
            }),
            Property::sometimes("new figures are shown, and nothing is left of the old ones", |_, state: &State| {
                let generations = state.table.days.iter().flat_map(Blocks::keys);
                let shown = state.table.manifest.shown;
                shown != Generation::FIRST && generations.into_iter().all(|generation| *generation == shown)
            }),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{explore, finds};

    fn small() -> Rebuilding {
        Rebuilding {
            visitors: vec![(1, 1)],
            days: 1,
            consumers: 1,
            compactors: 1,
            rebuilds: 1,
            readers: 0,
            compares: false,
            lost_answers: 1,
            signs_of_life: false,
            graces: 2,
            rules: Rules::ALL,
        }
    }

    fn newcomer() -> Rebuilding {
        Rebuilding { visitors: vec![(0, 1)], lost_answers: 0, ..small() }
    }

    fn read() -> Rebuilding {
        Rebuilding { visitors: vec![(1, 0)], readers: 1, lost_answers: 0, ..small() }
    }

    #[test]
    fn a_rebuild_beside_a_consumer_and_compaction() {
        explore(small());
    }

    #[test]
    fn a_rebuild_that_meets_a_new_visitor() {
        explore(newcomer());
    }

    #[test]
    fn a_rebuild_that_compares_and_says_that_it_is_at_work() {
        explore(Rebuilding { compares: true, signs_of_life: true, lost_answers: 0, ..small() });
    }

    #[test]
    fn readers_beside_a_rebuild() {
        explore(Rebuilding { days: 2, ..read() });
    }

    #[test]
    fn two_rebuilds() {
        explore(Rebuilding { rebuilds: 2, compactors: 0, lost_answers: 0, ..small() });
    }

    #[test]
    fn two_rebuilds_beside_compaction() {
        explore(Rebuilding { visitors: vec![(1, 0)], rebuilds: 2, lost_answers: 0, ..small() });
    }

    #[test]
    fn readers_beside_two_rebuilds() {
        explore(Rebuilding { rebuilds: 2, compactors: 0, ..read() });
    }

    #[test]
    fn a_broken_rule_of_rebuilding_is_found() {
        let two = Rebuilding { visitors: vec![(1, 0)], rebuilds: 2, compactors: 0, lost_answers: 0, ..small() };
        for (rule, property, model) in [
            (Rule::MarksAreConditional, "OldOrNew", small()),
            (Rule::SegmentsCarryMarks, "OldOrNew", small()),
            (Rule::OwnMarkIsRecognized, "OldOrNew", small()),
            (Rule::BothAreMerged, "OldOrNew", small()),
            (Rule::BasesAreAddedOnce, "OldOrNew", small()),
            (Rule::ShownWhenComplete, "OldOrNew", small()),
            (Rule::NewcomersBeginInTheNewest, "OldOrNew", newcomer()),
            (Rule::NewcomersAreLookedAtAgain, "OldOrNew", newcomer()),
            (Rule::ShownIsNotBuilt, "ShownIsNotBuilt", Rebuilding { signs_of_life: true, ..read() }),
            (Rule::ShownAfterGrace, "ReadsAreExact", read()),
            (Rule::GenerationsStay, "ReadsAreExact", read()),
            (Rule::OthersGenerationsStay, "ReadsAreExact", Rebuilding { rebuilds: 2, ..read() }),
            (Rule::BuildersAreTold, "OldOrNew", two.clone()),
            (Rule::ShownByItsBuilder, "OldOrNew", two),
            (Rule::BlocksAreConditional, "OldOrNew", Rebuilding { lost_answers: 0, ..small() }),
            (
                Rule::BasesRaiseTheRound,
                "OldOrNew",
                Rebuilding { visitors: vec![(1, 2)], lost_answers: 0, graces: 1, ..small() },
            ),
        ] {
            finds(Rebuilding { rules: Rules::without(rule), ..model }, property);
        }
    }
}
