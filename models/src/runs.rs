//! The runs of an hour of an index: compaction writes and merges them, an erasure makes them major without removals, and
//! readers read them beside the tail.
//!
//! An erased visitor's entry is under key 0, and each other entry under a key of its own. Both compactors may stop before
//! and after every operation, or go on with an old round long after others completed it.

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use figures::generation::Generation;
use figures::log::index::{HourEntries, HourRuns, Versioned, merge};
use figures::log::tail::{Manifest, Tail};
use figures::table::keys::{RunKey, RunKind};
use figures::time::{Day, Hour, Millis};
use stateright::{Model, Property};

use crate::compactor::GRACE;
use crate::rules::{Rule, Rules};

/// Entries of the hour.
pub type Entries = HourEntries<u8, ()>;
/// The hour's runs, as a query finds them: in order of their keys.
pub type Runs = BTreeMap<RunKey, Entries>;

/// So many runs get merged into one.
const MAX_RUNS: usize = 2;
/// So many of the newest runs are looked at.
const NEWEST_RUNS: usize = 3;
/// The key of the erased visitor's entry.
const ERASED: u8 = 0;

/// Sizes and rules.
#[derive(Debug, Clone, Copy)]
pub struct Hours {
    /// Segments with an entry each that are written after the first, which has the erased visitor's.
    pub others: u8,
    /// Whether the visitor is erased.
    pub erases: bool,
    /// Whether it begins when the visitor is erased, and a writer of the first round goes on that has stored its run.
    pub begins_late: bool,
    /// Readers at a time: none or one.
    pub readers: usize,
    /// Whether a compactor may stop for good, and another one begin; else it may be as slow as it likes.
    pub stops: bool,
    /// How far the clock goes, in graces.
    pub graces: i64,
    /// What holds.
    pub rules: Rules,
}

/// Where a compactor stands.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Compactor {
    /// It will read the tail.
    Idle,
    /// It does one operation after the other, and then what follows.
    Writing(Vec<Operation>, Next),
}

/// One operation on the table.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Operation {
    /// A run is stored.
    Put(RunKey, Entries),
    /// A run is removed.
    Remove(RunKey),
    /// A segment is removed.
    RemoveSegment(String),
    /// A manifest is put in place of one of a round.
    PutManifest(u64, Arc<Manifest>),
    /// A manifest's round is put as complete.
    Complete(u64, Arc<Manifest>),
}

/// What a compactor does after its operations.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Next {
    /// Nothing.
    End,
    /// It reads the hour's runs, to merge them under a round's number, and goes on with the round of a manifest.
    Merge(u64, Arc<Manifest>),
    /// It reads the hour's runs, to make them major as of a round, and completes the round.
    Expunge(u64, Arc<Manifest>),
}

/// Where the erasure stands.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Erasure {
    /// It has not begun.
    Waiting,
    /// The removal is written: it will look which segments there are.
    Removed,
    /// It waits until these segments are gone.
    Merging(Vec<String>),
    /// It waits for a tick.
    Grace(Millis),
    /// It read the manifest, and will begin its round.
    Beginning(Arc<Manifest>),
    /// Its round is begun, with this number.
    Begun(u64),
}

/// The table, and where everyone stands.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct State {
    now: Millis,
    manifest: Manifest,
    segments: BTreeMap<String, Entries>,
    runs: Runs,
    written: u8,
    compactors: [Compactor; 2],
    erasure: Erasure,
    reader: Option<Reader>,
    is_misread: bool,
}

/// A reader, which reads the tail and the runs in any order.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Reader {
    tail: Option<Entries>,
    runs: Option<Runs>,
    /// The keys that were there all the while since it began, and at any time.
    always: BTreeSet<u8>,
    ever: BTreeSet<u8>,
}

/// A step of someone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    /// The next segment is written.
    Write,
    /// A compactor's next operation.
    Compact(usize),
    /// A compactor stops.
    Stop(usize),
    /// The erasure's next operation.
    Erase,
    /// The reader reads the tail.
    ReadTail,
    /// The reader reads the runs.
    ReadRuns,
    /// The clock goes on, when no request is under way.
    Tick,
}

impl State {
    fn tail(&self) -> Tail<Entries> {
        let stored = self.segments.iter().map(|(id, entries)| (id.clone(), Generation::FIRST, entries.clone()));
        match Tail::of(self.manifest.clone(), stored, |entries| Ok::<_, Infallible>((1, entries))) {
            Ok(tail) => tail,
            Err(never) => match never {},
        }
    }

    fn in_tail(&self) -> Entries {
        let mut entries = Entries::new();
        for segment in self.segments.values() {
            merge(&mut entries, segment.clone());
        }
        entries
    }

    fn is_erased(&self) -> bool {
        self.erasure != Erasure::Waiting
    }

    /// The keys that are there by what was written.
    fn truth(&self) -> BTreeSet<u8> {
        (0..self.written).filter(|key| *key != ERASED || !self.is_erased()).collect()
    }

    fn put_manifest(&mut self, before: u64, after: &Manifest) {
        if self.manifest.round == before {
            self.manifest = after.clone();
        }
    }
}

fn key(round: u64, kind: RunKind) -> RunKey {
    RunKey { hour: Hour(0), generation: Generation::FIRST, round, kind }
}

fn entry(key: u8, rev: u64, value: Option<()>) -> Entries {
    Entries::from([(key, Versioned { rev, value })])
}

fn visible(entries: &Entries) -> BTreeSet<u8> {
    entries.iter().filter(|(_, versioned)| versioned.value.is_some()).map(|(key, _)| *key).collect()
}

impl Hours {
    /// The runs that count, and those that a major one replaced.
    fn pick(&self, runs: &Runs) -> HourRuns<(RunKey, Entries)> {
        let all = runs.iter().map(|(key, entries)| (*key, (*key, entries.clone())));
        match self.rules.keep(Rule::MajorRunsReplace) {
            true => HourRuns::of(all),
            false => HourRuns { current: all.map(|(_, run)| run).collect(), replaced: Vec::new() },
        }
    }

    /// What a reader sees.
    fn seen(&self, runs: &Runs, in_tail: &Entries) -> BTreeSet<u8> {
        let mut entries = in_tail.clone();
        for (_, run) in self.pick(runs).current {
            merge(&mut entries, run);
        }
        visible(&entries)
    }

    fn step(&self, state: &mut State, compactor: &Compactor) -> Compactor {
        match compactor.clone() {
            Compactor::Idle => self.begin(state),
            Compactor::Writing(mut operations, next) if !operations.is_empty() => {
                match operations.remove(0) {
                    Operation::Put(key, entries) => drop(state.runs.insert(key, entries)),
                    Operation::Remove(key) => drop(state.runs.remove(&key)),
                    Operation::RemoveSegment(id) => drop(state.segments.remove(&id)),
                    Operation::PutManifest(before, after) => state.put_manifest(before, &after),
                    Operation::Complete(round, before) => {
                        state.put_manifest(before.round, &before.complete(round, state.now));
                    }
                }
                match operations.is_empty() && next == Next::End {
                    true => Compactor::Idle,
                    false => Compactor::Writing(operations, next),
                }
            }
            Compactor::Writing(_, Next::End) => Compactor::Idle,
            Compactor::Writing(_, Next::Merge(round, manifest)) => {
                let mut operations = self.merge_runs(state, round);
                if !manifest.expunged.is_empty() {
                    return Compactor::Writing(operations, Next::Expunge(round, manifest));
                }
                operations.push(Operation::Complete(round, manifest));
                Compactor::Writing(operations, Next::End)
            }
            Compactor::Writing(_, Next::Expunge(round, manifest)) => {
                let mut operations = self.expunge(state, round);
                operations.push(Operation::Complete(round, manifest));
                Compactor::Writing(operations, Next::End)
            }
        }
    }

    /// `Compaction::run` and `Compaction::carry_out`.
    fn begin(&self, state: &State) -> Compactor {
        let tail = state.tail();
        let (manifest, now) = (&tail.manifest, state.now);
        let unfinished = match self.rules.keep(Rule::ExpungedAlone) {
            true => manifest.unfinished(),
            false => manifest.rounds.iter().rev().find(|round| round.done_at.is_none()),
        };
        if let Some(round) = unfinished {
            let mut entries = Entries::new();
            for segment in tail.segments.iter().filter(|segment| segment.round == Some(round.number)) {
                merge(&mut entries, segment.delta.clone());
            }
            let manifest = Arc::new(manifest.clone());
            if entries.is_empty() {
                return Compactor::Writing(Vec::new(), Next::Expunge(round.number, manifest));
            }
            let put = Operation::Put(key(round.number, RunKind::Plain), entries);
            return Compactor::Writing(vec![put], Next::Merge(round.number, manifest));
        }
        let grace = if self.rules.keep(Rule::MergedSegmentsStay) { GRACE } else { Duration::ZERO };
        let over = manifest.rounds_over(now, grace);
        let remaining = manifest.rounds_left(now, grace, |_| false);
        let merged = tail.segments.iter().filter(|segment| segment.round.is_some_and(|round| over.contains(&round)));
        // They go in any order; the one in which a removal goes first is the worst.
        let merged = merged.rev().map(|segment| Operation::RemoveSegment(segment.id.clone()));
        let mut operations: Vec<_> = merged.collect();
        let rest = tail.segments.iter().filter(|segment| segment.round.is_none());
        let rest: BTreeSet<String> = rest.map(|segment| segment.id.clone()).collect();
        let next = match rest.is_empty() {
            true => Manifest { rounds: remaining, ..manifest.clone() },
            false => manifest.begin_round(remaining, rest, Millis(0)),
        };
        if next == *manifest {
            return Compactor::Idle;
        }
        operations.push(Operation::PutManifest(manifest.round, Arc::new(next)));
        Compactor::Writing(operations, Next::End)
    }

    /// `Compaction::merge_newest_runs`, in any round.
    fn merge_runs(&self, state: &State, round: u64) -> Vec<Operation> {
        let skipped = state.runs.len().saturating_sub(NEWEST_RUNS);
        let newest = state.runs.iter().skip(skipped).map(|(key, run)| (*key, run.clone())).collect();
        let HourRuns { current, replaced } = self.pick(&newest);
        let mut operations: Vec<_> = replaced.into_iter().map(|(key, _)| Operation::Remove(key)).collect();
        let replacement = key(round, RunKind::Merged);
        let is_late = current.iter().any(|(key, _)| key.round > round);
        if current.iter().any(|(key, _)| *key == replacement)
            || is_late && self.rules.keep(Rule::LatecomersMergeNothing)
        {
            return operations;
        }
        let small: Vec<_> = current.into_iter().filter(|(key, _)| !matches!(key.kind, RunKind::Major { .. })).collect();
        if small.len() < MAX_RUNS {
            return operations;
        }
        let mut merged = Entries::new();
        for (_, run) in &small {
            merge(&mut merged, run.clone());
        }
        let put = Operation::Put(replacement, merged);
        let removals = small.into_iter().map(|(key, _)| Operation::Remove(key));
        match self.rules.keep(Rule::StoredBeforeRemoved) {
            true => operations.extend([put].into_iter().chain(removals)),
            false => operations.extend(removals.chain([put])),
        }
        operations
    }

    /// `Compaction::merge_hours`: each entry is a part of the major run.
    fn expunge(&self, state: &State, round: u64) -> Vec<Operation> {
        let HourRuns { current, replaced } = self.pick(&state.runs);
        let current: Vec<_> = current.into_iter().filter(|(key, _)| key.round <= round).collect();
        let mut merged = Entries::new();
        for (_, run) in &current {
            merge(&mut merged, run.clone());
        }
        let count = merged.len();
        merged.retain(|_, versioned| versioned.value.is_some());
        if merged.len() == count && replaced.is_empty() {
            return Vec::new();
        }
        let mut parts: Vec<Entries> = merged.into_iter().map(|entry| Entries::from([entry])).collect();
        if parts.is_empty() {
            parts.push(Entries::new());
        }
        let majors = parts.into_iter().enumerate();
        let majors: Vec<_> =
            majors.map(|(part, run)| (key(round, RunKind::Major { part: part as u32 }), run)).collect();
        let old = current.into_iter().chain(replaced).map(|(key, _)| key);
        let old = old.filter(|key| majors.iter().all(|(new, _)| new != key)).map(Operation::Remove);
        let old: Vec<_> = old.collect();
        majors.into_iter().rev().map(|(key, run)| Operation::Put(key, run)).chain(old).collect()
    }

    /// `Compaction::expunge`, beside compactors that carry out what it waits for.
    fn erase(&self, state: &mut State) -> Option<Erasure> {
        let is_finished = state.manifest.unfinished().is_none();
        Some(match state.erasure.clone() {
            Erasure::Waiting => {
                state.segments.insert("e".to_owned(), entry(ERASED, 2, None));
                Erasure::Removed
            }
            Erasure::Removed => Erasure::Merging(state.segments.keys().cloned().collect()),
            Erasure::Merging(segments) => {
                let waits_for = |id: &String| match self.rules.keep(Rule::ExpungedAfterGrace) {
                    true => state.segments.contains_key(id),
                    false => state.manifest.rounds.iter().all(|round| !round.segments.contains(id)),
                };
                if segments.iter().any(waits_for) || !is_finished {
                    return None;
                }
                let waits = i64::from(self.rules.keep(Rule::ExpungedAfterGrace));
                Erasure::Grace(Millis(state.now.0 + waits))
            }
            Erasure::Grace(until) if state.now < until => return None,
            Erasure::Grace(_) if !is_finished && self.rules.keep(Rule::ExpungedAlone) => return None,
            Erasure::Grace(_) => Erasure::Beginning(Arc::new(state.manifest.clone())),
            Erasure::Beginning(before) => {
                let next = before.expunge(vec![Day(0)]);
                state.put_manifest(before.round, &next);
                match state.manifest == next {
                    true => Erasure::Begun(next.round),
                    false => Erasure::Grace(state.now),
                }
            }
            Erasure::Begun(_) => return None,
        })
    }

    fn read(&self, state: &mut State, is_tail: bool) {
        let (in_tail, runs) = (state.in_tail(), state.runs.clone());
        let (truth, before) = (state.truth(), state.reader.take());
        let mut reader = before.unwrap_or(Reader { tail: None, runs: None, always: truth.clone(), ever: truth });
        match is_tail {
            true => reader.tail = Some(in_tail),
            false => reader.runs = Some(runs),
        }
        match (&reader.tail, &reader.runs) {
            (Some(tail), Some(runs)) => {
                let seen = self.seen(runs, tail);
                state.is_misread |= !seen.is_superset(&reader.always) || !seen.is_subset(&reader.ever);
            }
            _ => state.reader = Some(reader),
        }
    }
}

impl Model for Hours {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        if self.begins_late {
            let begun = Manifest::default().begin_round(Vec::new(), BTreeSet::from(["0".to_owned()]), Millis(0));
            let late = Compactor::Writing(Vec::new(), Next::Merge(1, Arc::new(begun)));
            return vec![State {
                now: Millis(0),
                manifest: Manifest { round: 3, ..Manifest::default() },
                segments: BTreeMap::new(),
                runs: Runs::from([(key(3, RunKind::Major { part: 0 }), Entries::new())]),
                written: 1,
                compactors: [late, Compactor::Idle],
                erasure: Erasure::Begun(3),
                reader: None,
                is_misread: false,
            }];
        }
        vec![State {
            now: Millis(0),
            manifest: Manifest::default(),
            segments: BTreeMap::from([("0".to_owned(), entry(ERASED, 1, Some(())))]),
            runs: Runs::new(),
            written: 1,
            compactors: [Compactor::Idle, Compactor::Idle],
            erasure: Erasure::Waiting,
            reader: None,
            is_misread: false,
        }]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        if state.written <= self.others {
            actions.push(Action::Write);
        }
        for (number, compactor) in state.compactors.iter().enumerate() {
            actions.push(Action::Compact(number));
            if *compactor != Compactor::Idle && self.stops {
                actions.push(Action::Stop(number));
            }
        }
        if self.erases {
            actions.push(Action::Erase);
        }
        if self.readers > 0 {
            if state.reader.as_ref().is_none_or(|reader| reader.tail.is_none()) {
                actions.push(Action::ReadTail);
            }
            if state.reader.as_ref().is_none_or(|reader| reader.runs.is_none()) {
                actions.push(Action::ReadRuns);
            }
        }
        if state.reader.is_none() && state.now.0 < self.graces {
            actions.push(Action::Tick);
        }
    }

    fn next_state(&self, last: &State, action: Action) -> Option<State> {
        let mut state = last.clone();
        match action {
            Action::Write => {
                state.segments.insert(state.written.to_string(), entry(state.written, 1, Some(())));
                state.written += 1;
            }
            Action::Compact(number) => state.compactors[number] = self.step(&mut state, &last.compactors[number]),
            Action::Stop(number) => state.compactors[number] = Compactor::Idle,
            Action::Erase => state.erasure = self.erase(&mut state)?,
            Action::ReadTail => self.read(&mut state, true),
            Action::ReadRuns => self.read(&mut state, false),
            Action::Tick => state.now.0 += 1,
        }
        let truth = state.truth();
        if let Some(reader) = &mut state.reader {
            reader.always.retain(|key| truth.contains(key));
            reader.ever.extend(truth);
        }
        crate::order(&mut state.compactors);
        (state != *last).then_some(state)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always("NoEntryIsLost", |model: &Hours, state: &State| {
                model.seen(&state.runs, &state.in_tail()).is_superset(&state.truth())
            }),
            Property::always("NothingComesBack", |model: &Hours, state: &State| {
                model.seen(&state.runs, &state.in_tail()).is_subset(&state.truth())
            }),
            Property::always("ReadsAreExact", |_, state: &State| !state.is_misread),
            Property::sometimes("nothing is left of who was erased", |model: &Hours, state: &State| {
                let is_left = |entries: &Entries| entries.contains_key(&ERASED);
                let entries = state.runs.values().chain(state.segments.values());
                !model.erases || state.is_erased() && !entries.into_iter().any(is_left)
            }),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{explore, finds};

    const SMALL: Hours =
        Hours { others: 1, erases: true, begins_late: false, readers: 0, stops: false, graces: 2, rules: Rules::ALL };

    #[test]
    fn runs_are_merged() {
        explore(Hours { others: 2, erases: false, stops: true, graces: 1, ..SMALL });
    }

    #[test]
    fn what_is_erased_does_not_come_back() {
        explore(SMALL);
    }

    #[test]
    fn an_erasure_beside_compactors_that_stop() {
        explore(Hours { others: 0, stops: true, ..SMALL });
    }

    #[test]
    fn readers_beside_an_erasure() {
        explore(Hours { others: 0, readers: 1, ..SMALL });
    }

    #[test]
    fn a_writer_of_an_old_round_goes_on_after_an_erasure() {
        explore(Hours { others: 3, begins_late: true, stops: true, graces: 1, ..SMALL });
    }

    #[test]
    fn a_broken_rule_of_runs_is_found() {
        let read = Hours { others: 0, readers: 1, ..SMALL };
        let late = Hours { others: 2, begins_late: true, graces: 1, ..SMALL };
        for (rule, property, model) in [
            (Rule::StoredBeforeRemoved, "NoEntryIsLost", SMALL),
            (Rule::MajorRunsReplace, "NothingComesBack", SMALL),
            (Rule::ExpungedAlone, "NoEntryIsLost", Hours { graces: 3, ..SMALL }),
            (Rule::LatecomersMergeNothing, "NoEntryIsLost", late),
            (Rule::ExpungedAfterGrace, "NothingComesBack", read),
            (Rule::MergedSegmentsStay, "ReadsAreExact", read),
        ] {
            finds(Hours { rules: Rules::without(rule), ..model }, property);
        }
    }
}
