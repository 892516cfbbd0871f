//! Compaction beside writers and readers.
//!
//! Segments are written, some of them in place of merged ones; two compactors merge them, each of which may stop before and after every operation, and answers
//! to conditional writes are lost. A reader reads all the while.

use std::sync::Arc;
use std::time::Duration;

use figures::generation::Generation;
use figures::log::tail::Manifest;
use figures::time::Millis;
use stateright::{Model, Property};

use crate::compactor::{Compactor, Due, GRACE, finished, over};
use crate::reader::{Outcome, Read, Reader};
use crate::rules::{Rule, Rules};
use crate::table::{Figures, Stored, Table};

/// Sizes and rules.
#[derive(Debug, Clone, Copy)]
pub struct Compaction {
    /// Segments that are written.
    pub segments: u32,
    /// Days, each of which has a block.
    pub days: usize,
    /// Whether the writer stores segments in place of merged ones.
    pub replaces: bool,
    /// Readers at a time: none or one.
    pub readers: usize,
    /// How far the clock goes, in graces.
    pub graces: i64,
    /// What holds.
    pub rules: Rules,
}

/// The table, and where everyone stands.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct State {
    now: Millis,
    table: Arc<Table>,
    written: u32,
    /// The segment that the writer has seen it may replace.
    replaceable: Option<String>,
    compactors: [Compactor; 2],
    reader: Reader,
    is_misread: bool,
}

/// A step of someone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    /// The next segment is written.
    Write,
    /// The writer looks which segments it may replace, and takes the first or the last.
    Look(bool),
    /// The next segment is written in place of that one, unless it is gone.
    Replace,
    /// A compactor's next operation.
    Compact(usize, Due),
    /// A compactor's next operation, whose answer is lost: it will try again.
    LoseAnswer(usize),
    /// A compactor stops for good, and another one may begin.
    Stop(usize),
    /// An operation of the reader.
    Read(Read),
    /// The clock goes on, when no request is under way.
    Tick,
}

impl State {
    fn next_segment(&self) -> Stored {
        Stored { generation: Generation::FIRST, figures: Figures::of(self.written) }
    }

    fn counted(&self) -> Figures {
        (0..self.written).map(Figures::of).fold(Figures::default(), Figures::plus)
    }
}

impl Model for Compaction {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        vec![State {
            now: Millis(0),
            table: Arc::new(Table::new(self.days)),
            written: 0,
            replaceable: None,
            compactors: [Compactor::Idle, Compactor::Idle],
            reader: Reader::new(self.days),
            is_misread: false,
        }]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        if state.written < self.segments {
            actions.push(Action::Write);
            if state.replaceable.is_some() {
                actions.push(Action::Replace);
            }
            if self.replaces {
                actions.extend([Action::Look(false), Action::Look(true)]);
            }
        }
        for (number, compactor) in state.compactors.iter().enumerate() {
            actions.push(Action::Compact(number, Due::Round));
            if *compactor == Compactor::Idle {
                actions.push(Action::Compact(number, Due::CleanUp));
                if self.replaces {
                    actions.push(Action::Compact(number, Due::RoundKeeping));
                }
            } else {
                actions.push(Action::Stop(number));
            }
            if compactor.may_lose_an_answer() {
                actions.push(Action::LoseAnswer(number));
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
            Action::Write => {
                let stored = state.next_segment();
                Arc::make_mut(&mut state.table).segments.insert(state.written.to_string(), stored);
                state.written += 1;
            }
            Action::Look(is_last) => {
                let grace = if self.rules.keep(Rule::OnlyOverIsReplaced) { GRACE } else { Duration::ZERO };
                let over = over(&last.table.tail(), state.now, grace);
                state.replaceable = if is_last { over.last() } else { over.first() }.cloned();
            }
            Action::Replace => {
                let (stored, revision) = (state.next_segment(), state.written);
                let id = state.replaceable.take()?;
                if Arc::make_mut(&mut state.table).replace_segment(&id, revision, stored) {
                    state.written += 1;
                }
            }
            Action::Compact(number, due) => {
                let next = last.compactors[number].step(Arc::make_mut(&mut state.table), state.now, due, self.rules);
                state.compactors[number] = next;
            }
            Action::LoseAnswer(number) => {
                last.compactors[number].step(Arc::make_mut(&mut state.table), state.now, Due::Round, self.rules);
            }
            Action::Stop(number) => state.compactors[number] = Compactor::Idle,
            Action::Read(read) => {
                let outcome = state.reader.read(read, &last.table, last.counted(), self.rules);
                state.is_misread |= outcome == Outcome::Wrong;
            }
            Action::Tick => state.now.0 += 1,
        }
        crate::order(&mut state.compactors);
        (state != *last).then_some(state)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always("EachSegmentCountsOnce", |_, state: &State| {
                state.table.figures(Generation::FIRST).iter().all(|figures| *figures == state.counted())
            }),
            Property::always("ReadsAreExact", |_, state: &State| !state.is_misread),
            // Whoever can stop here has: so the tables of these states are those of all.
            Property::always("AnyoneCompletes", |_, state: &State| {
                if state.compactors != [Compactor::Idle, Compactor::Idle] {
                    return true;
                }
                let is_whole = |table: Table| {
                    let blocks = table.days.iter().map(|blocks| blocks.get(&Generation::FIRST));
                    let mut figures = blocks.map(|block| block.map(|block| block.figures).unwrap_or_default());
                    figures.all(|figures| figures == state.counted())
                };
                finished(&state.table, state.now).is_some_and(is_whole)
            }),
            Property::sometimes("all is merged and removed", |model: &Compaction, state: &State| {
                let Manifest { rounds, .. } = &state.table.manifest;
                state.written == model.segments && state.table.segments.is_empty() && rounds.is_empty()
            }),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{explore, finds};

    const WITH_READER: Compaction =
        Compaction { segments: 2, days: 1, replaces: false, readers: 1, graces: 2, rules: Rules::ALL };
    const REPLACING: Compaction = Compaction { replaces: true, ..WITH_READER };

    #[test]
    fn compaction_counts_each_segment_once() {
        explore(Compaction { segments: 3, days: 2, readers: 0, ..WITH_READER });
    }

    #[test]
    fn readers_beside_compaction_see_exact_figures() {
        explore(Compaction { days: 2, graces: 1, ..WITH_READER });
    }

    #[test]
    fn segments_stored_in_place_of_merged_ones_count_once() {
        explore(Compaction { segments: 3, readers: 0, ..REPLACING });
        explore(REPLACING);
    }

    #[test]
    fn a_broken_rule_of_replacing_is_found() {
        for (rule, property) in [
            (Rule::OnlyOverIsReplaced, "ReadsAreExact"),
            (Rule::RemovesWhatItRead, "EachSegmentCountsOnce"),
            (Rule::RemovedBeforeForgotten, "EachSegmentCountsOnce"),
        ] {
            finds(Compaction { rules: Rules::without(rule), ..REPLACING }, property);
        }
    }

    #[test]
    fn a_broken_rule_of_compaction_is_found() {
        for (rule, property) in [
            (Rule::BlocksAreConditional, "EachSegmentCountsOnce"),
            (Rule::ManifestIsConditional, "EachSegmentCountsOnce"),
            (Rule::BlocksCarryTheirRound, "EachSegmentCountsOnce"),
            (Rule::RoundsListTheRest, "EachSegmentCountsOnce"),
            (Rule::ListedBeforeMerged, "EachSegmentCountsOnce"),
            (Rule::RemovedBeforeForgotten, "EachSegmentCountsOnce"),
            (Rule::MergedSegmentsStay, "ReadsAreExact"),
            (Rule::ReadersAgree, "ReadsAreExact"),
        ] {
            finds(Compaction { rules: Rules::without(rule), ..WITH_READER }, property);
        }
    }
}
