//! A block with layers, as `figures/src/log/block.rs` and `Compaction::merge_block` change it.
//!
//! Two writers merge rounds into it, as a layer or by writing it anew, and a rebuild adds its base; each may stop before and
//! after every operation, and go on long after others did its work. A reader finds the head on one page of its query and
//! the layers on another one. That a round is under way as long as it is not complete, and that the next one begins
//! afterwards, is what the manifest sees to: the model of compaction is about that.

use std::collections::BTreeMap;

use figures::log::block::stack;
use stateright::{Model, Property};

use crate::rules::{Rule, Rules};
use crate::table::Figures;

/// Sizes and rules.
#[derive(Debug, Clone, Copy)]
pub struct LayeredBlock {
    /// Rounds that merge something.
    pub rounds: u32,
    /// Empty rounds that a rebuild begins.
    pub empty_rounds: u32,
    /// What holds.
    pub rules: Rules,
}

/// The digit of what a rebuild counted.
const BASE: u32 = 0;

/// A head. Before there is one, it is that of round 0, without figures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Head {
    round: u64,
    is_based: bool,
    figures: Figures,
}

/// A layer, by the round that it lies on.
type Layers = BTreeMap<u64, (u64, Figures)>;

/// A block as it was read.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Read {
    head: Head,
    round: u64,
    figures: Figures,
    layers: Vec<u64>,
}

/// Where a writer stands.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Writer {
    /// It will look which round is under way.
    Idle,
    /// It merges a round, and will read the block.
    Merging(u64),
    /// It has read the block, and will change it.
    Changing(u64, Read),
    /// It will remove layers, and say that the round is complete.
    Removing(u64, Vec<u64>),
}

/// Where the rebuild stands.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Rebuild {
    /// It will begin an empty round.
    Idle,
    /// It will read the block, to add the base as of the round.
    Adding(u64),
    /// It has read the block.
    Changing(u64, Read),
    /// It will remove layers.
    Removing(Vec<u64>),
    /// The base is added.
    Done,
}

/// The block, and where everyone stands.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct State {
    head: Head,
    layers: Layers,
    /// Those rounds that merge something, ascending.
    merging: Vec<u64>,
    /// The last round that was begun, and whether it is complete.
    last: u64,
    is_complete: bool,
    empty: u32,
    writers: [Writer; 2],
    rebuild: Rebuild,
    /// The head that the reader found.
    reader: Option<Head>,
    is_misread: bool,
}

/// A step of someone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    /// A writer's next operation; where it changes the block, as a layer or not.
    Write(usize, bool),
    /// A writer's next operation, whose answer is lost: it will try again.
    LoseAnswer(usize, bool),
    /// A writer stops, and another one may begin.
    Stop(usize),
    /// The rebuild's next operation.
    Rebuild,
    /// The reader's first page.
    ReadHead,
    /// The reader's second page.
    ReadLayers,
}

impl State {
    /// What a reading of a round has to come to.
    fn expected(&self, round: u64, is_based: bool) -> Figures {
        let merged = self.merging.iter().zip(BASE + 1..).filter(|(merging, _)| **merging <= round);
        let base = if is_based { Figures::of(BASE) } else { Figures::default() };
        merged.fold(base, |sum, (_, digit)| sum.plus(Figures::of(digit)))
    }

    fn change_of(&self, round: u64) -> Figures {
        let digit = self.merging.iter().zip(BASE + 1..).find(|(merging, _)| **merging == round);
        digit.map_or(Figures::default(), |(_, digit)| Figures::of(digit))
    }

    fn read(&self, head: Head, rules: Rules) -> Option<Read> {
        let named = rules.keep(Rule::LayersNameWhatTheyLieOn);
        let places: Vec<(u64, u64)> =
            self.layers.iter().map(|(before, (round, _))| (if named { *before } else { 0 }, *round)).collect();
        let counting = match rules.keep(Rule::OvertakenLayersDontCount) {
            true => stack(head.round, &places)?,
            false => (0..places.len()).collect(),
        };
        let mut read = Read { head, round: head.round, figures: head.figures, layers: Vec::new() };
        for (position, (_, (round, figures))) in self.layers.iter().enumerate() {
            if counting.contains(&position) {
                (read.round, read.figures) = (read.round.max(*round), read.figures.plus(*figures));
            }
        }
        read.layers = self.layers.keys().copied().collect();
        Some(read)
    }

    fn put_head(&mut self, before: Head, after: Head, rules: Rules) -> bool {
        if self.head.round == before.round || !rules.keep(Rule::BlocksAreConditional) {
            self.head = after;
        }
        self.head == after
    }

    fn write(&mut self, writer: &Writer, model: &LayeredBlock, is_layer: bool) -> Option<Writer> {
        Some(match writer {
            Writer::Idle if !self.is_complete => Writer::Merging(self.last),
            Writer::Idle if self.merging.len() < model.rounds as usize => {
                self.last += 1;
                self.is_complete = false;
                self.merging.push(self.last);
                Writer::Merging(self.last)
            }
            Writer::Idle => return None,
            Writer::Merging(round) => match self.read(self.head, model.rules)? {
                read if read.round >= *round => Writer::Removing(*round, Vec::new()),
                read => Writer::Changing(*round, read),
            },
            Writer::Changing(round, read) if is_layer && read.head.round > 0 => {
                let layer = (*round, self.change_of(*round));
                match *self.layers.entry(read.round).or_insert(layer) == layer {
                    true => Writer::Removing(*round, Vec::new()),
                    false => Writer::Merging(*round),
                }
            }
            Writer::Changing(round, read) => {
                let figures = read.figures.plus(self.change_of(*round));
                let after = Head { round: *round, is_based: read.head.is_based, figures };
                match self.put_head(read.head, after, model.rules) {
                    true => Writer::Removing(*round, read.layers.clone()),
                    false => Writer::Merging(*round),
                }
            }
            Writer::Removing(round, layers) => match layers.split_first() {
                Some((first, rest)) => {
                    self.layers.remove(first);
                    Writer::Removing(*round, rest.to_vec())
                }
                None => {
                    self.is_complete |= self.last == *round;
                    Writer::Idle
                }
            },
        })
    }

    fn add_base(&mut self, model: &LayeredBlock) -> Option<Rebuild> {
        Some(match self.rebuild.clone() {
            Rebuild::Idle if self.is_complete && self.empty < model.empty_rounds => {
                self.last += 1;
                self.empty += 1;
                Rebuild::Adding(self.last)
            }
            Rebuild::Idle | Rebuild::Done => return None,
            Rebuild::Adding(round) => match self.read(self.head, model.rules)? {
                read if read.head.is_based => Rebuild::Done,
                read if read.round >= round && model.rules.keep(Rule::BasesRaiseTheRound) => Rebuild::Idle,
                read => Rebuild::Changing(round, read),
            },
            Rebuild::Changing(round, read) => {
                let after = Head { round, is_based: true, figures: read.figures.plus(Figures::of(BASE)) };
                match self.put_head(read.head, after, model.rules) {
                    true => Rebuild::Removing(read.layers),
                    false => Rebuild::Adding(round),
                }
            }
            Rebuild::Removing(layers) => match layers.split_first() {
                Some((first, rest)) => {
                    self.layers.remove(first);
                    Rebuild::Removing(rest.to_vec())
                }
                None => Rebuild::Done,
            },
        })
    }
}

impl Model for LayeredBlock {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        vec![State {
            head: Head::default(),
            layers: Layers::new(),
            merging: Vec::new(),
            last: 0,
            is_complete: true,
            empty: 0,
            writers: [Writer::Idle, Writer::Idle],
            rebuild: Rebuild::Idle,
            reader: None,
            is_misread: false,
        }]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        for (number, writer) in state.writers.iter().enumerate() {
            actions.push(Action::Write(number, false));
            if *writer != Writer::Idle {
                actions.push(Action::Stop(number));
            }
            if matches!(writer, Writer::Changing(..)) {
                let is_layer = Action::Write(number, true);
                actions.extend([is_layer, Action::LoseAnswer(number, true), Action::LoseAnswer(number, false)]);
            }
        }
        actions.push(Action::Rebuild);
        actions.push(if state.reader.is_some() { Action::ReadLayers } else { Action::ReadHead });
    }

    fn next_state(&self, last: &State, action: Action) -> Option<State> {
        let mut state = last.clone();
        match action {
            Action::Write(number, is_layer) => {
                state.writers[number] = state.write(&last.writers[number], self, is_layer)?;
            }
            Action::LoseAnswer(number, is_layer) => drop(state.write(&last.writers[number], self, is_layer)?),
            Action::Stop(number) => state.writers[number] = Writer::Idle,
            Action::Rebuild => state.rebuild = state.add_base(self)?,
            Action::ReadHead => state.reader = Some(state.head),
            Action::ReadLayers => {
                let head = state.reader.take()?;
                // What misses a layer is read again.
                if let Some(read) = state.read(head, self.rules) {
                    state.is_misread |= read.figures != state.expected(read.round, head.is_based);
                }
            }
        }
        crate::order(&mut state.writers);
        (state != *last).then_some(state)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always("LayersFollow", |model: &LayeredBlock, state: &State| {
                let Some(read) = state.read(state.head, model.rules) else { return false };
                read.figures == state.expected(read.round, state.head.is_based)
            }),
            Property::always("ReadsAreWhole", |_, state: &State| !state.is_misread),
            Property::always("CompleteRoundsAreThere", |model: &LayeredBlock, state: &State| {
                let complete = state.merging.iter().rev().find(|round| **round < state.last || state.is_complete);
                let read = state.read(state.head, model.rules);
                complete.is_none_or(|round| read.is_some_and(|read| read.round >= *round))
            }),
            Property::sometimes("all is merged below a base", |model: &LayeredBlock, state: &State| {
                let is_all = state.merging.len() == model.rounds as usize && state.is_complete;
                is_all && state.rebuild == Rebuild::Done && state.layers.is_empty()
            }),
            Property::sometimes("two layers count", |model: &LayeredBlock, state: &State| {
                let places: Vec<(u64, u64)> =
                    state.layers.iter().map(|(before, (round, _))| (*before, *round)).collect();
                model.rounds > 2 && stack(state.head.round, &places).is_some_and(|counting| counting.len() == 2)
            }),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{explore, finds};

    const THREE: LayeredBlock = LayeredBlock { rounds: 3, empty_rounds: 2, rules: Rules::ALL };

    #[test]
    fn layers_count_each_round_once() {
        explore(THREE);
    }

    #[test]
    fn a_broken_rule_of_layers_is_found() {
        for (rule, property) in [
            (Rule::BlocksAreConditional, "LayersFollow"),
            (Rule::BasesRaiseTheRound, "LayersFollow"),
            (Rule::OvertakenLayersDontCount, "LayersFollow"),
            (Rule::LayersNameWhatTheyLieOn, "ReadsAreWhole"),
        ] {
            finds(LayeredBlock { rules: Rules::without(rule), ..THREE }, property);
        }
    }
}
