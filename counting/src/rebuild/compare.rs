//! Comparing what readers see with what they would see of the generation that is built, and writing the difference.

use std::collections::{BTreeMap, BTreeSet};

use figures::counters::Rows;
use figures::dates::DateRange;
use figures::generation::Generation;
use figures::log::block::{self, Block, Found, NewBlock, Reading};
use figures::log::index::{Entries, HourEntries, merge, runs_of};
use figures::log::tail::Tail;
use figures::log::{Counters, Delta};
use figures::measures::Measure;
use figures::table::keys::{self, Index, RunKey, RunKind};
use figures::table::store::{Query, StoreError, read_packed};
use figures::time::{Day, Hour};
use serde::de::DeserializeOwned;

use super::{Differences, MAX_TRIES, Progress, Rebuild, overtaken};
use crate::spill::Spill;

impl Rebuild<'_> {
    /// Compares what readers see of a day with what they would see of the generation that is built.
    ///
    /// Invariant *ComparesAreExact*: both are as of one tail, which no round followed meanwhile.
    pub(super) async fn compare(
        &self,
        building: Generation,
        day: Day,
        base: &mut Spill,
        differences: &mut Differences,
    ) -> Result<(), StoreError> {
        for _ in 0..MAX_TRIES {
            let (tail, damaged) = self.tail().await?;
            let Delta { counters, sessions, events } = base.of_day(day)?;
            let figures = match self.is_closed(day) {
                true => Vec::new(),
                false => match self.compare_figures(building, day, counters, &tail).await? {
                    Some(figures) => figures,
                    None => continue,
                },
            };
            let of_segment = |delta: &Delta| delta.sessions.clone();
            let sessions = self.compare_hours(Index::Sessions, building, day, sessions, &tail, of_segment).await?;
            let of_segment = |delta: &Delta| delta.events.clone();
            let events = self.compare_hours(Index::Events, building, day, events, &tail, of_segment).await?;
            let manifest = self.tail().await?.0.manifest;
            if manifest.newest() != building {
                return Err(overtaken());
            }
            if damaged > 0 || manifest.round == tail.manifest.round {
                differences.figures.extend(figures);
                differences.hours.extend(sessions.into_iter().chain(events));
                return Ok(());
            }
        }
        Err(StoreError::Unavailable(format!("figures of {day} kept changing: run the rebuild at a quieter time")))
    }

    /// The measures of a day that differ; none if compaction went on meanwhile.
    async fn compare_figures(
        &self,
        building: Generation,
        day: Day,
        base: Counters,
        tail: &Tail,
    ) -> Result<Option<Vec<(Measure, Day)>>, StoreError> {
        let mut differing = Vec::new();
        for measure in Measure::ALL {
            let shown = self.block(measure, tail.manifest.shown, day).await?;
            let built = self.block(measure, building, day).await?;
            let is_newer =
                |block: &Option<Block>| block.as_ref().is_some_and(|of| !tail.manifest.agrees_with(of.round));
            let (shown, built) = match (shown, built) {
                (Readable::Yes(shown), Readable::Yes(built)) if is_newer(&shown) || is_newer(&built) => {
                    return Ok(None);
                }
                (Readable::Yes(shown), Readable::Yes(built)) => (shown, built),
                _ => {
                    differing.push((measure, day));
                    continue;
                }
            };
            let was = seen(tail, measure, tail.manifest.shown, day, shown, None);
            let now = seen(tail, measure, building, day, built, base.rows(measure, day));
            if measure.comparable(was) != measure.comparable(now) {
                differing.push((measure, day));
            }
        }
        Ok(Some(differing))
    }

    async fn block(&self, measure: Measure, generation: Generation, day: Day) -> Result<Readable, StoreError> {
        let Some(range) = DateRange::new(day, day) else { return Ok(Readable::Yes(None)) };
        for _ in 0..MAX_TRIES {
            let read = block::read(self.store(), &self.project.id, measure, generation, range, Reading::Strong).await;
            match read {
                Ok(Found::Blocks(mut blocks)) => return Ok(Readable::Yes(blocks.pop())),
                Ok(Found::Torn) => {}
                Err(error) if error.is_unreadable() => return Ok(Readable::No),
                Err(error) => return Err(error),
            }
        }
        // Its parts are gone.
        Ok(Readable::No)
    }

    /// The hours of a day's index that differ.
    async fn compare_hours<K, V>(
        &self,
        index: Index,
        building: Generation,
        day: Day,
        mut base: Entries<K, V>,
        tail: &Tail,
        entries: impl Fn(&Delta) -> Entries<K, V>,
    ) -> Result<Vec<(Index, Hour)>, StoreError>
    where
        K: Ord + Clone + DeserializeOwned,
        V: Clone + PartialEq + DeserializeOwned,
    {
        let items = self.store().query(Query::partition(keys::runs(&self.project.id, index, day)).strong()).await?;
        let mut differing = Vec::new();
        for hour in day.hours() {
            let (mut was, mut now) = (HourEntries::new(), base.0.remove(&hour).unwrap_or_default());
            for segment in &tail.segments {
                let mut in_segment = entries(&segment.delta);
                let in_hour = in_segment.0.remove(&hour).unwrap_or_default();
                merge(&mut was, in_hour.clone());
                if segment.counts_in(building) {
                    merge(&mut now, in_hour);
                }
            }
            let mut is_readable = true;
            for (generation, seen) in [(tail.manifest.shown, &mut was), (building, &mut now)] {
                for item in runs_of(&items, hour, generation)?.current {
                    match read_packed::<HourEntries<K, V>>(item) {
                        Ok(run) => merge(seen, run),
                        Err(error) if error.is_unreadable() => is_readable = false,
                        Err(error) => return Err(error),
                    }
                }
            }
            if !is_readable || visible(&was) != visible(&now) {
                differing.push((index, hour));
            }
        }
        Ok(differing)
    }

    /// Adds the base to the generation.
    pub(super) async fn write(
        &self,
        building: Generation,
        base: &mut Spill,
        report: &(impl Fn(Progress) + Sync),
    ) -> Result<(), StoreError> {
        let mut round = self.empty_round(building).await?;
        let days = base.days();
        for (done, day) in days.iter().enumerate() {
            report(Progress::Writing(done, days.len()));
            let delta = base.of_day(*day)?;
            for ((measure, day), rows) in delta.counters.iter() {
                self.add_to_block(measure, building, day, rows, &mut round).await?;
            }
            self.add_runs(Index::Sessions, building, delta.sessions).await?;
            self.add_runs(Index::Events, building, delta.events).await?;
        }
        Ok(())
    }

    /// Whether the figures of a day can't be derived anew, and stay as they are.
    fn is_closed(&self, day: Day) -> bool {
        self.project.horizon.first_open().is_some_and(|first| day < first)
    }

    /// Takes the figures of closed days over as they are shown. Nobody changes them any more.
    pub(super) async fn copy_closed(&self, building: Generation, days: &BTreeSet<Day>) -> Result<(), StoreError> {
        let (tail, _) = self.tail().await?;
        let of_tail = tail.segments.iter().flat_map(|segment| segment.delta.counters.iter()).map(|((_, day), _)| day);
        let closed: BTreeSet<Day> = days.iter().copied().chain(of_tail).filter(|day| self.is_closed(*day)).collect();
        let mut round = self.empty_round(building).await?;
        for day in closed {
            for measure in Measure::ALL {
                let Readable::Yes(block) = self.block(measure, tail.manifest.shown, day).await? else { continue };
                let rows = seen(&tail, measure, tail.manifest.shown, day, block, None);
                if !rows.is_empty() {
                    self.add_to_block(measure, building, day, &rows, &mut round).await?;
                }
            }
        }
        Ok(())
    }

    async fn empty_round(&self, building: Generation) -> Result<u64, StoreError> {
        Ok(self.change(building, |manifest| manifest.next(self.consumer.now())).await?.round)
    }

    /// Adds the base's rows to a block, as of a round that is complete and later than the block's.
    ///
    /// Invariant *BasesRaiseTheRound*: each write of a block raises its number, so that whoever read it before meets another
    /// one.
    async fn add_to_block(
        &self,
        measure: Measure,
        building: Generation,
        day: Day,
        base: &Rows,
        round: &mut u64,
    ) -> Result<(), StoreError> {
        for _ in 0..MAX_TRIES {
            let mut before = self.compaction.block(measure, building, day).await?;
            if before.as_ref().is_some_and(|block| block.is_based) {
                return Ok(());
            }
            if before.as_ref().is_some_and(|block| block.round >= *round) {
                *round = self.empty_round(building).await?;
                continue;
            }
            let mut rows = before.as_mut().map(|block| std::mem::take(&mut block.rows)).unwrap_or_default();
            rows.add_all(base);
            measure.trim_for_storage(&mut rows);
            let kept = self.project.horizon.kept;
            let new = NewBlock { round: *round, is_based: true, kept, rows };
            if block::write(self.store(), &self.project.id, measure, building, day, before.as_ref(), new).await? {
                return Ok(());
            }
        }
        Err(StoreError::Unavailable(format!("the block of {} on {day} kept changing", measure.name())))
    }

    async fn add_runs<K, V>(&self, index: Index, building: Generation, entries: Entries<K, V>) -> Result<(), StoreError>
    where
        K: Ord + Clone + serde::Serialize,
        V: serde::Serialize,
    {
        for (hour, entries) in entries.0 {
            let key = RunKey { hour, generation: building, round: 0, kind: RunKind::Plain };
            for item in self.compaction.major_runs(index, key, entries, self.project.horizon.kept)?.into_iter().rev() {
                self.store().put(item).await?;
            }
        }
        Ok(())
    }
}

/// Whether a block can be read.
enum Readable {
    Yes(Option<Block>),
    No,
}

/// The rows that readers of a generation see of a day, with the base where that is not in its block yet.
fn seen(
    tail: &Tail,
    measure: Measure,
    generation: Generation,
    day: Day,
    block: Option<Block>,
    base: Option<&Rows>,
) -> Rows {
    let round = block.as_ref().map_or(0, |block| block.round);
    let mut rows = block.map(|block| block.rows).unwrap_or_default();
    for segment in tail.segments.iter().filter(|segment| segment.is_missing_from(generation, round)) {
        if let Some(delta) = segment.delta.counters.rows(measure, day) {
            rows.add_all(delta);
        }
    }
    if let Some(base) = base {
        rows.add_all(base);
    }
    measure.trim_for_storage(&mut rows);
    rows
}

/// The entries of an hour that readers see.
fn visible<K: Ord, V>(entries: &HourEntries<K, V>) -> BTreeMap<&K, &V> {
    entries.iter().filter_map(|(key, versioned)| Some((key, versioned.value.as_ref()?))).collect()
}
