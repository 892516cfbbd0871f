//! What a visitor was seen at, however much it is: the state remembers the last of it, runs beside it the rest.
//!
//! Whenever the state remembers more than [`MAX_SEEN`] days at keys, it writes so many of them to a *run*: a *flush*. Runs
//! of a level that would be eight are one of the next level instead, merged as it is written. So which runs there are
//! follows from the number of flushes alone: written in base eight, its digits are the runs of each level. A flush
//! writes and deletes nothing else: a run that was merged stays until a later one is written under its key, and nobody
//! looks at it. What is remembered is written again once a level, whatever else there is, where a visitor's memory in
//! one piece would be written again with every flush.
//!
//! A run holds what changed, not what there is: days at keys that were seen, and ones that are forgotten again. The
//! newest one that names a day decides.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::model::seen::{SHARDS, SeenDays, shard};
use crate::table::codec::Packed;
use crate::table::keys::{RunPart, SeenItem};
use crate::time::Day;

/// How many days at keys a visitor's state remembers itself, and how many a flush makes a run of.
pub const MAX_SEEN: usize = 40;

/// The last level: what would be the next one's stays there.
const TOP: u8 = 3;
/// Bits of the number of flushes that tell a level's runs.
const BITS: u32 = 3;
/// Runs of the last level: when there are so many, nothing more is remembered.
const MAX_RUNS: u32 = 8;
/// Flushes whose runs make one of the last level.
const OF_TOP: u32 = 1 << (BITS * TOP as u32);

/// How many days at keys are remembered of a visitor: at others that follow it is not counted as one more visitor.
pub const CAPACITY: usize = (MAX_RUNS * OF_TOP) as usize * MAX_SEEN;

/// Days at keys that were seen, and others that count as seen no more though something older says so.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeenRun {
    seen: SeenDays,
    gone: SeenDays,
}

impl Packed<'_> for SeenRun {
    type V2 = Self;
    type V3 = Self;
}

impl From<SeenDays> for SeenRun {
    fn from(seen: SeenDays) -> Self {
        SeenRun { seen, gone: SeenDays::default() }
    }
}

impl SeenRun {
    fn len(&self) -> usize {
        self.seen.len() + self.gone.len()
    }

    /// Lets what is newer decide.
    fn overlay(&mut self, newer: &SeenRun) {
        for (hash, day) in newer.gone.iter() {
            self.seen.remove(hash, day);
            self.gone.insert(hash, day);
        }
        for (hash, day) in newer.seen.iter() {
            self.gone.remove(hash, day);
            self.seen.insert(hash, day);
        }
    }

    /// Takes so many days out, if there are as many.
    fn take(&mut self, count: usize) -> SeenRun {
        let gone = self.gone.take(count);
        SeenRun { seen: self.seen.take(count - gone.len()), gone }
    }

    /// By part of a run of a level: all of them, for what an earlier run left under their keys has to go.
    fn into_parts(self, level: u8) -> Vec<SeenRun> {
        let mut parts = vec![SeenRun::default(); usize::from(parts(level))];
        let part_of = |hash| usize::from(part(level, hash));
        for (hash, day) in self.seen.iter() {
            parts.get_mut(part_of(hash)).map(|part| part.seen.insert(hash, day));
        }
        for (hash, day) in self.gone.iter() {
            parts.get_mut(part_of(hash)).map(|part| part.gone.insert(hash, day));
        }
        parts
    }
}

/// What a visitor's state says of its runs.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeenRuns {
    /// How often days moved to a run, [`MAX_SEEN`] of them each time.
    flushes: u32,
    /// Days that count as seen no more, though a run or a shard says so.
    gone: SeenDays,
}

/// What may remember a key: all shards, or a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Layer {
    Shards,
    Run { level: u8, index: u8 },
}

impl Layer {
    fn item(self, number: u8) -> SeenItem {
        match self {
            Layer::Shards => SeenItem::Shard(number),
            Layer::Run { level, index } => SeenItem::Run(RunPart { level, index, part: number }),
        }
    }

    fn item_of(self, hash: u64) -> SeenItem {
        match self {
            Layer::Shards => self.item(shard(hash)),
            Layer::Run { level, .. } => self.item(part(level, hash)),
        }
    }

    fn items(self) -> impl Iterator<Item = SeenItem> {
        let count = match self {
            Layer::Shards => SHARDS,
            Layer::Run { level, .. } => parts(level),
        };
        (0..count).map(move |number| self.item(number))
    }
}

/// The items that a run of a level is spread over, so that looking up a key reads some three kilobytes of it. Those of the
/// last level are few enough for one transaction with what else changes of a visitor.
fn parts(level: u8) -> u8 {
    match level {
        0 | 1 => 1,
        2 => 8,
        _ => 32,
    }
}

fn part(level: u8, hash: u64) -> u8 {
    (hash % u64::from(parts(level))) as u8
}

/// How many runs of a level there are after so many flushes.
fn runs(flushes: u32, level: u8) -> u8 {
    let of_level = flushes >> (BITS * u32::from(level));
    let runs = match level {
        // Beyond the last one that fits, all of them are merged into the first.
        TOP if of_level > MAX_RUNS => 1,
        TOP => of_level,
        _ => of_level % (1 << BITS),
    };
    runs as u8
}

/// What a visitor remembers, with the items of it that were found.
#[derive(Debug, Clone, Default)]
pub struct SeenMemory {
    recent: SeenRun,
    recent_len: usize,
    flushes: u32,
    has_shards: bool,
    found: BTreeMap<SeenItem, SeenRun>,
}

/// A flush that is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Flush {
    before: u32,
    after: u32,
    level: u8,
}

impl SeenMemory {
    /// What a state remembers.
    pub fn of(seen: SeenDays, runs: SeenRuns, has_shards: bool) -> Self {
        let recent = SeenRun { seen, gone: runs.gone };
        SeenMemory { recent_len: recent.len(), recent, flushes: runs.flushes, has_shards, found: BTreeMap::new() }
    }

    /// What the state is to remember, and whether there are shards.
    pub fn into_state(self) -> (SeenDays, SeenRuns, bool) {
        (self.recent.seen, SeenRuns { flushes: self.flushes, gone: self.recent.gone }, self.has_shards)
    }

    /// From the oldest on.
    fn layers(&self) -> impl Iterator<Item = Layer> + use<> {
        let flushes = self.flushes;
        let of_level = move |level| (0..runs(flushes, level)).map(move |index| Layer::Run { level, index });
        self.has_shards.then_some(Layer::Shards).into_iter().chain((0..=TOP).rev().flat_map(of_level))
    }

    /// All items beside the state.
    pub fn items(&self) -> impl Iterator<Item = SeenItem> + use<> {
        self.layers().flat_map(Layer::items)
    }

    /// The items that have to be found before these keys are asked for.
    pub fn missing(&self, hashes: impl IntoIterator<Item = u64>) -> BTreeSet<SeenItem> {
        let layers: Vec<Layer> = self.layers().collect();
        let items = hashes.into_iter().flat_map(|hash| layers.iter().map(move |layer| layer.item_of(hash)));
        items.filter(|item| !self.found.contains_key(item)).collect()
    }

    /// The items that have to be found before a flush.
    pub fn missing_for(&self, flush: Flush) -> BTreeSet<SeenItem> {
        flush.merged().filter(|item| !self.found.contains_key(item)).collect()
    }

    /// Takes in an item.
    pub fn take_in(&mut self, item: SeenItem, run: SeenRun) {
        self.found.insert(item, run);
    }

    /// Whether the state itself remembers a key's day.
    pub fn is_recent(&self, hash: u64, day: Day) -> bool {
        self.recent.seen.contains(hash, day)
    }

    /// The days at a key as the items beside the state have them.
    fn older(&self, hash: u64) -> BTreeSet<Day> {
        let mut days = BTreeSet::new();
        for run in self.layers().filter_map(|layer| self.found.get(&layer.item_of(hash))) {
            overlay(&mut days, run, hash);
        }
        days
    }

    /// The days that are remembered of a key, in order.
    pub fn days(&self, hash: u64) -> Vec<Day> {
        let mut days = self.older(hash);
        overlay(&mut days, &self.recent, hash);
        days.into_iter().collect()
    }

    /// Whether nothing more is remembered.
    pub fn is_full(&self) -> bool {
        self.flushes as usize * MAX_SEEN + self.recent_len >= CAPACITY
    }

    /// Remembers a key's day that is not remembered yet.
    pub fn insert(&mut self, hash: u64, day: Day) {
        let was_gone = self.recent.gone.remove(hash, day);
        let is_older = was_gone && self.older(hash).contains(&day);
        let is_new = !is_older && self.recent.seen.insert(hash, day);
        self.recent_len = self.recent_len + usize::from(is_new) - usize::from(was_gone);
    }

    /// Forgets a key's day.
    pub fn remove(&mut self, hash: u64, day: Day) {
        self.recent_len -= usize::from(self.recent.seen.remove(hash, day));
        if self.older(hash).contains(&day) {
            self.recent_len += usize::from(self.recent.gone.insert(hash, day));
        }
    }

    /// The next flush, if one is due.
    pub fn due(&self) -> Option<Flush> {
        if self.recent_len <= MAX_SEEN {
            return None;
        }
        let before = self.flushes;
        let count = u32::try_from(self.recent_len / MAX_SEEN).unwrap_or(OF_TOP).min(OF_TOP);
        let grown = before.saturating_add(count);
        let differs = |level: &u8| before >> (BITS * u32::from(*level)) != grown >> (BITS * u32::from(*level));
        let level = (0..=TOP).rev().find(differs)?;
        // Where a run of a higher level comes of it, what is beyond is left for the next one.
        let below = BITS * u32::from(level);
        Some(Flush { before, after: grown >> below << below, level })
    }

    /// Makes runs of what the state remembers: the items to write, once those that [`SeenMemory::missing_for`] names are found.
    pub fn flush(&mut self, flush: Flush) -> Vec<(SeenItem, SeenRun)> {
        let mut merged = SeenRun::default();
        let is_merged: BTreeSet<SeenItem> = flush.merged().collect();
        for item in self.items().filter(|item| is_merged.contains(item)) {
            merged.overlay(&self.found.remove(&item).unwrap_or_default());
        }
        let taken = self.recent.take((flush.after - flush.before) as usize * MAX_SEEN);
        self.recent_len -= taken.len();
        merged.overlay(&taken);
        self.flushes = flush.after;
        let indexes = flush.indexes();
        let is_older = |layer: Layer| match layer {
            Layer::Shards => true,
            Layer::Run { level, index } => level > flush.level || level == flush.level && index < indexes.start,
        };
        if !self.layers().any(is_older) {
            // Nothing is left that would say otherwise.
            merged.gone = SeenDays::default();
        }
        let each = merged.len().div_ceil(indexes.len().max(1));
        let mut written = Vec::new();
        for index in indexes {
            let parts = merged.take(each).into_parts(flush.level);
            let layer = Layer::Run { level: flush.level, index };
            written.extend(layer.items().zip(parts));
        }
        self.found.extend(written.iter().cloned());
        written
    }

    /// All that is remembered, once all items are found.
    pub fn all(&self) -> SeenDays {
        let mut all = SeenRun::default();
        for run in self.items().filter_map(|item| self.found.get(&item)).chain([&self.recent]) {
            all.overlay(run);
        }
        all.seen
    }
}

impl Flush {
    /// The runs that become part of what is written: those of all lower levels; those of the last one too, where they don't fit.
    fn merged_layers(&self) -> impl Iterator<Item = Layer> + use<> {
        let Flush { before, level, .. } = *self;
        let is_beyond = level == TOP && self.is_beyond();
        let levels = (0..=TOP).filter(move |other| *other < level || is_beyond);
        levels.flat_map(move |level| (0..runs(before, level)).map(move |index| Layer::Run { level, index }))
    }

    fn is_beyond(&self) -> bool {
        self.after >> (BITS * u32::from(TOP)) > MAX_RUNS
    }

    fn merged(&self) -> impl Iterator<Item = SeenItem> + use<> {
        self.merged_layers().flat_map(Layer::items)
    }

    /// Which runs of its level are written.
    fn indexes(&self) -> std::ops::Range<u8> {
        match self.level == TOP && self.is_beyond() {
            true => 0..1,
            false => runs(self.before, self.level)..runs(self.after, self.level),
        }
    }

    /// How many items are written.
    pub fn size(&self) -> usize {
        self.indexes().len() * usize::from(parts(self.level))
    }
}

fn overlay(days: &mut BTreeSet<Day>, newer: &SeenRun, hash: u64) {
    for day in newer.gone.days(hash) {
        days.remove(day);
    }
    days.extend(newer.seen.days(hash));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::codec;
    use proptest::prelude::*;

    /// A visitor as it is stored, and what it should remember.
    #[derive(Debug, Default)]
    struct Visitor {
        state: (SeenDays, SeenRuns),
        has_shards: bool,
        items: BTreeMap<SeenItem, SeenRun>,
        model: BTreeMap<u64, BTreeSet<Day>>,
        /// Bytes of items that were written.
        written: usize,
    }

    fn hash(key: u64) -> u64 {
        (key + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 16
    }

    impl Visitor {
        /// One that the release without runs left with these days in shards.
        fn sharded(seen: impl Iterator<Item = (u64, Day)>) -> Self {
            let mut visitor = Visitor { has_shards: true, ..Visitor::default() };
            for (hash, day) in seen {
                visitor.items.entry(SeenItem::Shard(shard(hash))).or_default().seen.insert(hash, day);
                visitor.model.entry(hash).or_default().insert(day);
            }
            visitor
        }

        fn memory(&self) -> SeenMemory {
            SeenMemory::of(self.state.0.clone(), self.state.1.clone(), self.has_shards)
        }

        fn find(&self, memory: &mut SeenMemory, missing: BTreeSet<SeenItem>) {
            for item in missing {
                let run = self.items.get(&item).cloned();
                assert!(run.is_some() || matches!(item, SeenItem::Shard(_)), "{item:?} is live and not there");
                memory.take_in(item, run.unwrap_or_default());
            }
        }

        /// What remembers and forgets, in one change that may write so many items.
        fn change(&mut self, steps: &[(u64, Day, bool)], room: usize) {
            let mut memory = self.memory();
            for (hash, day, is_seen) in steps.iter().copied() {
                let missing = memory.missing([hash]);
                self.find(&mut memory, missing);
                let known = self.model.entry(hash).or_default();
                // Not each one: it is what takes long.
                if hash.is_multiple_of(8) {
                    let days = memory.days(hash);
                    assert!(days.iter().eq(known.iter()), "{hash:x}: {days:?}, not {known:?}");
                }
                match (is_seen, known.contains(&day)) {
                    (true, false) if !memory.is_full() => {
                        memory.insert(hash, day);
                        known.insert(day);
                    }
                    (false, true) => {
                        memory.remove(hash, day);
                        known.remove(&day);
                    }
                    _ => {}
                }
            }
            let mut written = 0;
            while let Some(flush) = memory.due().filter(|flush| written + flush.size() <= room) {
                let missing = memory.missing_for(flush);
                self.find(&mut memory, missing);
                let writes = memory.flush(flush);
                assert_eq!(writes.len(), flush.size());
                written += writes.len();
                for (item, run) in writes {
                    self.written += codec::pack(&run).map_or(0, |packed| packed.len());
                    self.items.insert(item, run);
                }
            }
            assert!(written <= room && (room < 110 || memory.recent_len <= MAX_SEEN));
            assert_eq!(memory.recent_len, memory.recent.len());
            let (seen, runs, _) = memory.into_state();
            self.state = (seen, runs);
        }

        fn remembers_its_model(&self) {
            let mut memory = self.memory();
            let items = memory.items().collect();
            self.find(&mut memory, items);
            let mut expected = SeenDays::default();
            for (hash, days) in &self.model {
                days.iter().for_each(|day| assert!(expected.insert(*hash, *day)));
            }
            assert_eq!(memory.all(), expected);
        }

        /// Runs are no larger than their level's are to be, and a part has its share.
        fn is_bounded(&self) {
            let memory = self.memory();
            for layer in memory.layers() {
                let Layer::Run { level, .. } = layer else { continue };
                let sizes = layer.items().map(|item| self.items.get(&item).map_or(0, SeenRun::len));
                let beyond = if memory.flushes > MAX_RUNS * OF_TOP { 8 } else { 1 };
                assert!(sizes.sum::<usize>() <= (beyond * MAX_SEEN) << (3 * level), "{layer:?}");
            }
        }
    }

    /// A change: how many steps, how many of a hundred forget, among how many keys and days, and how many items it may write.
    type Steps = (usize, u64, u64, u64, usize);

    fn steps(visitor: &Visitor, change: &Steps, bits: &mut u64) -> Vec<(u64, Day, bool)> {
        let (count, forgotten, keys, days, _) = *change;
        let mut roll = |sides: u64| {
            *bits = bits.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (*bits >> 33) % sides
        };
        let known: Vec<u64> = visitor.model.keys().copied().collect();
        let mut steps = Vec::new();
        for _ in 0..count {
            let is_seen = roll(100) >= forgotten;
            let at = roll(keys);
            let key = match known.get(at as usize % known.len().max(1)) {
                Some(known) if !is_seen => *known,
                _ => hash(at),
            };
            steps.push((key, Day(20_000 + roll(days) as i32), is_seen));
        }
        steps
    }

    /// Each case takes a while, so that there are few unless `PROPTEST_CASES` says otherwise.
    fn some_cases() -> ProptestConfig {
        let usual = ProptestConfig::default();
        let cases = if std::env::var_os("PROPTEST_CASES").is_some() { usual.cases } else { 32 };
        ProptestConfig { cases, ..usual }
    }

    proptest! {
        #![proptest_config(some_cases())]

        /// Whatever is seen and forgotten, in changes of any size, the days of every key are those of a plain map.
        #[test]
        fn what_was_seen_is_remembered_and_what_was_forgotten_is_not(
            changes in proptest::collection::vec(
                (
                    prop_oneof![0..3usize, 0..120usize, Just(41), 300..4_000usize],
                    prop_oneof![Just(0u64), Just(20), Just(95)],
                    prop_oneof![Just(30u64), Just(3_000), Just(1 << 40)],
                    1..6u64,
                    prop_oneof![Just(0usize), Just(10), Just(89), Just(usize::MAX)],
                ),
                1..40,
            ),
            sharded in prop_oneof![Just(0u64), 1..500u64],
            mut bits in any::<u64>(),
        ) {
            let shards = (0..sharded).map(|key| (hash(key), Day(20_000 + (key % 3) as i32)));
            let mut visitor = if sharded == 0 { Visitor::default() } else { Visitor::sharded(shards) };
            for change in &changes {
                let steps = steps(&visitor, change, &mut bits);
                visitor.change(&steps, change.4);
                visitor.is_bounded();
            }
            visitor.remembers_its_model();
        }

        /// A flush leaves the runs that it merges out, and adds what it writes.
        #[test]
        fn which_runs_there_are_follows_from_the_flushes(flushes in 0..5_000u32, count in 1..600usize) {
            let recent = (0..count * MAX_SEEN + 1).map(|key| (hash(key as u64), Day(1)));
            let mut seen = SeenDays::default();
            recent.for_each(|(hash, day)| { seen.insert(hash, day); });
            let memory = SeenMemory::of(seen, SeenRuns { flushes, gone: SeenDays::default() }, false);
            let flush = memory.due();
            prop_assert!(flush.is_some());
            let Some(flush) = flush else { return Ok(()) };
            let after = SeenMemory { flushes: flush.after, ..SeenMemory::default() };
            let merged: Vec<Layer> = flush.merged_layers().collect();
            let written = flush.indexes().map(|index| Layer::Run { level: flush.level, index });
            let mut expected: Vec<Layer> = memory.layers().filter(|layer| !merged.contains(layer)).chain(written).collect();
            let mut layers: Vec<Layer> = after.layers().collect();
            let order = |layer: &Layer| match *layer { Layer::Run { level, index } => (level, index), Layer::Shards => (9, 0) };
            expected.sort_by_key(order);
            layers.sort_by_key(order);
            prop_assert_eq!(layers, expected);
            prop_assert!(flush.size() <= 64);
        }
    }

    /// As many as are remembered, and more; then it turns out that none of them counts.
    #[test]
    fn a_memory_is_full_at_last_and_can_be_forgotten_again() {
        let mut visitor = Visitor::default();
        let all: Vec<(u64, Day, bool)> =
            (0..CAPACITY as u64 + 1_000).map(|key| (hash(key), Day(20_000), true)).collect();
        for steps in all.chunks(10_007) {
            visitor.change(steps, 110);
        }
        visitor.is_bounded();
        assert_eq!(visitor.model.values().map(BTreeSet::len).sum::<usize>(), CAPACITY);
        let of_a_key = visitor.written as f64 / CAPACITY as f64;
        println!("{of_a_key:.1} bytes are written a key");
        for steps in all.chunks(10_007) {
            let steps: Vec<_> = steps.iter().map(|(hash, day, _)| (*hash, *day, false)).collect();
            visitor.change(&steps, 110);
        }
        visitor.is_bounded();
        visitor.remembers_its_model();
        assert!(visitor.model.values().all(BTreeSet::is_empty));
    }
}
