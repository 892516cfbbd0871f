//! A large block, of a head and parts, as `figures/src/log/block.rs` writes it.
//!
//! Two writers merge rounds into it, each of which may stop before and after every operation; answers are lost. A reader
//! finds the head on one page of its query and the parts on another one.

use std::collections::BTreeSet;

use stateright::{Model, Property};

use crate::rules::{Rule, Rules};

/// Parts of a block.
const PARTS: u8 = 2;

/// Sizes and rules.
#[derive(Debug, Clone, Copy)]
pub struct LargeBlock {
    /// Writes that are begun.
    pub writes: u8,
    /// What holds.
    pub rules: Rules,
}

/// A head: its round, and the number of the write whose parts it names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Head {
    round: u8,
    write: u8,
}

/// A part's key; which write put it there is what it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Part {
    key: u8,
    position: u8,
    write: u8,
}

/// Where a writer stands.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Writer {
    /// It will read the block.
    Idle,
    /// It will put the parts that are left, and the head.
    Putting {
        /// The head that it read.
        before: Option<Head>,
        /// The parts that it read.
        found: Vec<Part>,
        /// The number of its write.
        write: u8,
        /// How many parts are there.
        put: u8,
    },
    /// The head is put: it will remove parts.
    Removing(Vec<Part>),
}

/// The block, and where everyone stands.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct State {
    head: Option<Head>,
    parts: BTreeSet<Part>,
    writers: [Writer; 2],
    begun: u8,
    /// The head that the reader found.
    reader: Option<Head>,
    is_misread: bool,
}

/// A step of someone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    /// A writer's next operation.
    Write(usize),
    /// Putting the head, of which the answer is lost: the writer will try again.
    LoseAnswer(usize),
    /// A writer stops, and another one may begin.
    Stop(usize),
    /// The reader's first page.
    ReadHead,
    /// The reader's second page.
    ReadParts,
}

impl LargeBlock {
    fn key(&self, write: u8) -> u8 {
        if self.rules.keep(Rule::PartsAreUnique) { write } else { 0 }
    }

    /// The parts that a head names; none if some are not there.
    fn named(&self, head: Head, parts: &BTreeSet<Part>) -> Option<Vec<Part>> {
        let named: Vec<Part> = parts.iter().filter(|part| part.key == self.key(head.write)).copied().collect();
        (named.len() == usize::from(PARTS) || !self.rules.keep(Rule::ReadersCountParts)).then_some(named)
    }

    fn write(&self, state: &mut State, writer: &Writer) -> Option<Writer> {
        Some(match writer {
            Writer::Idle => {
                if state.begun == self.writes || state.head.is_some_and(|head| self.named(head, &state.parts).is_none())
                {
                    return None;
                }
                state.begun += 1;
                let found = state.parts.iter().copied().collect();
                Writer::Putting { before: state.head, found, write: state.begun, put: 0 }
            }
            Writer::Putting { before, found, write, put } => {
                let new: Vec<Part> =
                    (0..PARTS).map(|position| Part { key: self.key(*write), position, write: *write }).collect();
                let is_head_due = *put == PARTS || !self.rules.keep(Rule::PartsBeforeHead) && *put == 0;
                if !is_head_due {
                    let part = new[usize::from(*put)];
                    state.parts.retain(|one| (one.key, one.position) != (part.key, part.position));
                    state.parts.insert(part);
                    let (before, found) = (*before, found.clone());
                    return Some(Writer::Putting { before, found, write: *write, put: put + 1 });
                }
                let head = Head { round: before.map_or(0, |head| head.round) + 1, write: *write };
                let is_own = state.head == Some(head) && self.rules.keep(Rule::OwnHeadIsRecognized);
                if state.head == *before {
                    state.head = Some(head);
                } else if !is_own {
                    return Some(Writer::Removing(new));
                }
                if !self.rules.keep(Rule::PartsBeforeHead) {
                    state.parts.extend(new.first());
                    return Some(Writer::Putting { before: Some(head), found: found.clone(), write: *write, put: 1 });
                }
                let obsolete = found.iter().filter(|part| part.key != self.key(*write));
                Writer::Removing(obsolete.copied().collect())
            }
            Writer::Removing(parts) => match parts.split_first() {
                Some((first, rest)) => {
                    state.parts.retain(|one| (one.key, one.position) != (first.key, first.position));
                    Writer::Removing(rest.to_vec())
                }
                None => Writer::Idle,
            },
        })
    }
}

impl Model for LargeBlock {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        let writers = [Writer::Idle, Writer::Idle];
        vec![State { head: None, parts: BTreeSet::new(), writers, begun: 0, reader: None, is_misread: false }]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        for (number, writer) in state.writers.iter().enumerate() {
            actions.push(Action::Write(number));
            match writer {
                Writer::Idle => continue,
                Writer::Putting { put: PARTS, .. } => actions.push(Action::LoseAnswer(number)),
                _ => {}
            }
            actions.push(Action::Stop(number));
        }
        actions.push(if state.reader.is_some() { Action::ReadParts } else { Action::ReadHead });
    }

    fn next_state(&self, last: &State, action: Action) -> Option<State> {
        let mut state = last.clone();
        match action {
            Action::Write(number) => state.writers[number] = self.write(&mut state, &last.writers[number])?,
            Action::LoseAnswer(number) => drop(self.write(&mut state, &last.writers[number])?),
            Action::Stop(number) => state.writers[number] = Writer::Idle,
            Action::ReadHead => state.reader = state.head,
            Action::ReadParts => {
                let head = state.reader.take()?;
                // What misses parts is read again.
                let found = self.named(head, &state.parts).unwrap_or_default();
                let is_whole = found.len() == usize::from(PARTS) && found.iter().all(|part| part.write == head.write);
                state.is_misread |= !found.is_empty() && !is_whole;
            }
        }
        state.writers.sort();
        (state != *last).then_some(state)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always("HeadsNameTheirParts", |_, state: &State| {
                let Some(head) = state.head else { return true };
                let own = state.parts.iter().filter(|part| part.write == head.write);
                own.count() == usize::from(PARTS)
            }),
            Property::always("ReadsAreWhole", |_, state: &State| !state.is_misread),
            Property::sometimes("no part is left over", |model: &LargeBlock, state: &State| {
                let is_idle = state.writers.iter().all(|writer| *writer == Writer::Idle);
                state.begun == model.writes && is_idle && state.parts.len() == usize::from(PARTS)
            }),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{explore, finds};

    const THREE: LargeBlock = LargeBlock { writes: 3, rules: Rules::ALL };

    #[test]
    fn a_large_block_changes_at_once() {
        explore(LargeBlock { writes: 4, ..THREE });
    }

    #[test]
    fn a_broken_rule_of_large_blocks_is_found() {
        for (rule, property) in [
            (Rule::OwnHeadIsRecognized, "HeadsNameTheirParts"),
            (Rule::PartsBeforeHead, "HeadsNameTheirParts"),
            (Rule::PartsAreUnique, "ReadsAreWhole"),
            (Rule::ReadersCountParts, "ReadsAreWhole"),
        ] {
            finds(LargeBlock { rules: Rules::without(rule), ..THREE }, property);
        }
    }
}
