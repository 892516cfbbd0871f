//! Rebuilding everything derived from the stored batches, or telling what differs, beside the consumers.
//!
//! A rebuild derives a new [`Generation`] while readers see the one before. It marks each visitor with the new generation
//! and adds up what the visitor contributes at that very revision: the *base*. Whatever changes of the visitor afterwards
//! is in segments of the new generation, which compaction merges into the blocks and runs of both. Where the base differs from
//! what readers see, it is added to the new generation's blocks and runs, and then the new generation is shown.
//!
//! Invariant *OldOrNew*: readers see the old figures, then the new ones, and never a sum or a part of them.
//!
//! Invariant *AnyoneUndoes*: a rebuild that stops leaves a generation that nobody reads. The next rebuild gives it up, or
//! compaction does when it was not heard of for a while.

mod compare;
mod lookups;
mod stored;
mod visitors;

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use figures::generation::Generation;
use figures::ids::{ProjectId, VisitorId};
use figures::log::tail::{Building, Manifest, Tail};
use figures::measures::Measure;
use figures::random;
use figures::table::keys::Index;
use figures::table::store::{Store, StoreError};
use figures::time::{Day, Hour, Millis};

use crate::Consumer;
use crate::compaction::Compaction;
use crate::history::Project;
use crate::spill::Spill;

/// A rebuild says so often that it is at work.
const SIGN_OF_LIFE: Duration = Duration::from_secs(60);
/// A rebuild that was not heard of for so long is given up: its machine sleeps, or is gone.
const SILENCE_MS: i64 = 10 * 60_000;

/// A batch stored so shortly before may wait in the stream: the consumer counts it. An older one that is in no
/// state was lost on the way.
const IN_STREAM_MS: i64 = 60_000;

/// Tries at what others keep changing.
const MAX_TRIES: usize = 20;

/// The most visitors that are named one by one.
const MAX_NAMED: usize = 1_000;

/// How far a rebuild is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// So many visitors are replayed.
    Replaying(usize),
    /// So many days of so many are compared with what readers see.
    Comparing(usize, usize),
    /// So many days of so many are written.
    Writing(usize, usize),
    /// Waits for requests that began before what comes next.
    Waiting,
}

/// What differed from what the stored batches say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Differences {
    /// Visitors whose items differed; the first of them.
    pub visitors: Vec<VisitorId>,
    /// How many more there were.
    pub more_visitors: usize,
    /// Lookups of sessions that don't exist.
    pub lookups: usize,
    /// Segments that can't be read, and the manifest.
    pub segments: usize,
    /// Measures and days whose counters differed.
    pub figures: Vec<(Measure, Day)>,
    /// Hours of indexes that differed.
    pub hours: Vec<(Index, Hour)>,
}

impl Differences {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        *self == Differences::default()
    }

    /// Whether figures or indexes have to be shown anew.
    fn are_shown(&self) -> bool {
        self.segments > 0 || !self.figures.is_empty() || !self.hours.is_empty()
    }

    fn add_visitor(&mut self, visitor: VisitorId) {
        if self.visitors.len() < MAX_NAMED {
            self.visitors.push(visitor);
        } else {
            self.more_visitors += 1;
        }
    }
}

impl Consumer {
    /// Computes everything derived from the stored batches and writes what differs; with `is_check` nothing that readers
    /// see changes. A rebuild that is under way elsewhere is given up.
    pub async fn rebuild(
        &self,
        id: &ProjectId,
        is_check: bool,
        report: impl Fn(Progress) + Sync,
    ) -> Result<Differences, StoreError> {
        let in_stream_since = Millis::now().plus(-IN_STREAM_MS);
        let compaction = self.compaction(id);
        let is_over = AtomicBool::new(false);
        let project = self.project(id.clone()).await?;
        let mut rebuild = Rebuild { consumer: self, project, compaction, is_check, in_stream_since, is_over };
        let (building, damaged) = rebuild.begin().await?;
        // Invariant: tombstones are those that the project has once the generation is begun. An erasure that began before, and
        // so did not give it up, has stored them; one that begins later gives it up.
        rebuild.project = match self.project(id.clone()).await {
            Ok(project) => project,
            Err(error) => {
                rebuild.give_up(building).await?;
                return Err(error);
            }
        };
        let rebuild = &rebuild;
        let work = rebuild.run(building, damaged, &report);
        let alive = async {
            loop {
                tokio::time::sleep(SIGN_OF_LIFE).await;
                if let Err(error) = rebuild.sign_of_life(building).await {
                    return error;
                }
            }
        };
        tokio::pin!(work);
        let outcome = tokio::select! {
            outcome = &mut work => outcome,
            error = alive => Err(error),
        };
        if outcome.is_err() {
            let left = async {
                rebuild.give_up(building).await?;
                // Who gave it up before may have looked for what is left before the last of it was written.
                rebuild.purge(building, &BTreeSet::new()).await
            };
            if let Err(error) = left.await {
                tracing::warn!(project = %id, %error, "what the rebuild left is given up later");
            }
        }
        outcome
    }
}

struct Rebuild<'a> {
    consumer: &'a Consumer,
    project: Project,
    compaction: Compaction<'a>,
    is_check: bool,
    in_stream_since: Millis,
    /// Whether it gives its generation up itself, as nothing has to be shown.
    is_over: AtomicBool,
}

/// What is known of a project before figures are compared.
#[derive(Debug)]
struct Counted {
    base: Spill,
    /// The days of blocks and runs that are stored.
    days: BTreeSet<Day>,
    /// The partitions of runs.
    index_days: BTreeSet<(Index, Day)>,
}

/// The generation of a rebuild was given up by others.
fn overtaken() -> StoreError {
    StoreError::Failed(
        "another rebuild or an erasure began meanwhile, and this rebuild was given up: run it again".to_owned(),
    )
}

/// Which generation is built, from its beginning to its end.
impl Rebuild<'_> {
    fn store(&self) -> &Store {
        &self.consumer.store
    }

    /// The tail with no round under way, as far as it can be read; and how much of it can't.
    async fn tail(&self) -> Result<(Tail, usize), StoreError> {
        loop {
            let (tail, unreadable) = Tail::load_readable(self.store(), &self.project.id).await?;
            let damaged = unreadable + usize::from(tail.manifest.is_damaged());
            if damaged > 0 || tail.manifest.unfinished().is_none() {
                return Ok((tail, damaged));
            }
            match self.compaction.finish_rounds().await {
                Ok(_) => {}
                // What can't be merged stays as it is until the new generation is shown, which needs none of it.
                Err(error) if error.is_unreadable() => return Ok((tail, damaged)),
                Err(error) => return Err(error),
            }
        }
    }

    /// Begins a generation; says also how much of the tail can't be read.
    async fn begin(&self) -> Result<(Generation, usize), StoreError> {
        let builder = random::number()?;
        loop {
            let (Tail { manifest, .. }, damaged) = self.tail().await?;
            let now = self.consumer.now();
            let next = manifest.begin_building(now, now.plus(SILENCE_MS), builder);
            // One that is refused was begun by another, or so it seems: either way the next one is this rebuild's own.
            if self.compaction.put(&manifest, &next).await? {
                return Ok((next.newest(), damaged));
            }
        }
    }

    async fn sign_of_life(&self, building: Generation) -> Result<(), StoreError> {
        let Tail { manifest, .. } = self.tail().await?.0;
        if manifest.newest() != building {
            return if self.is_over.load(Ordering::Relaxed) { Ok(()) } else { Err(overtaken()) };
        }
        let until = self.consumer.now().plus(SILENCE_MS);
        // What is shown is built no more.
        let Some(of) = manifest.building else { return Ok(()) };
        let alive = Manifest { building: Some(Building { until, ..of }), ..manifest.clone() };
        self.compaction.put(&manifest, &alive).await.map(|_| ())
    }

    /// Changes the manifest as long as it is this rebuild's.
    async fn change(
        &self,
        building: Generation,
        change: impl Fn(&Manifest) -> Manifest,
    ) -> Result<Manifest, StoreError> {
        loop {
            let manifest = self.tail().await?.0.manifest;
            if manifest.newest() != building {
                return Err(overtaken());
            }
            let next = change(&manifest);
            if self.compaction.put(&manifest, &next).await? {
                return Ok(next);
            }
        }
    }

    async fn run(
        &self,
        building: Generation,
        damaged: usize,
        report: &(impl Fn(Progress) + Sync),
    ) -> Result<Differences, StoreError> {
        let mut differences = Differences { segments: damaged, ..Differences::default() };
        // What is in the tail now may be merged by then, into blocks that were not there when the table was read.
        let mut days = self.days_of_tail().await?;
        let mut counted = self.count(building, &mut differences, report).await?;
        days.extend(self.days_of_tail().await?.into_iter().chain(counted.base.days()).chain(counted.days.clone()));
        // Lists begin at the horizon, the figures that can be derived anew a day later.
        days.retain(|day| !self.project.horizon.is_past(*day));
        let days: Vec<Day> = days.into_iter().collect();
        for (done, day) in days.iter().enumerate() {
            report(Progress::Comparing(done, days.len()));
            self.compare(building, *day, &mut counted.base, &mut differences).await?;
        }
        differences.visitors.sort_unstable();
        if self.is_check || !differences.are_shown() {
            self.is_over.store(true, Ordering::Relaxed);
            self.give_up(building).await?;
        } else {
            self.write(building, &mut counted.base, report).await?;
            self.copy_closed(building, &counted.days).await?;
            // Whoever sees the new generation must find all of it, though it began to read before.
            report(Progress::Waiting);
            tokio::time::sleep(self.consumer.grace).await;
            self.change(building, |manifest| manifest.show_built(self.consumer.now())).await?;
        }
        self.purge(building, &counted.index_days).await?;
        Ok(differences)
    }

    async fn give_up(&self, building: Generation) -> Result<(), StoreError> {
        loop {
            let manifest = self.tail().await?.0.manifest;
            let is_mine = manifest.building.is_some_and(|of| of.generation == building);
            if !is_mine || self.compaction.put(&manifest, &manifest.give_up_building(self.consumer.now())).await? {
                return Ok(());
            }
        }
    }

    /// Removes the generations that nobody reads.
    ///
    /// Invariant *GenerationsStay*: what was shown, before this rebuild or another one replaced it, stays until no request is
    /// under way that found it shown.
    async fn purge(&self, building: Generation, days: &BTreeSet<(Index, Day)>) -> Result<(), StoreError> {
        let (tail, damaged) = self.tail().await?;
        if damaged > 0 {
            return Ok(());
        }
        self.compaction.forget_stale(&tail, days, Some(building)).await
    }

    async fn days_of_tail(&self) -> Result<BTreeSet<Day>, StoreError> {
        let tail = self.tail().await?.0;
        let mut days = BTreeSet::new();
        for segment in &tail.segments {
            days.extend(segment.delta.counters.iter().map(|((_, day), _)| day));
            days.extend(segment.delta.sessions.0.keys().map(|hour| hour.day()));
            days.extend(segment.delta.events.0.keys().map(|hour| hour.day()));
        }
        Ok(days)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use std::collections::BTreeMap;

    use figures::model::{Batch, SessionFacts, VisitorFacts};
    use figures::table::keys;
    use figures::table::store::Consistency;

    use super::*;
    use crate::tombstones::Tombstone;

    fn batch() -> Batch {
        Batch {
            visitor_id: "v".parse().unwrap(),
            session_id: "s".parse().unwrap(),
            batch_id: "b".parse().unwrap(),
            stored_at: Millis::now(),
            sent_at: Millis::now(),
            page: None,
            visitor: VisitorFacts::default(),
            session: SessionFacts { started_at: Millis::now(), ..SessionFacts::default() },
            events: Vec::new(),
        }
    }

    /// A consumer of an empty project.
    async fn site() -> (Consumer, ProjectId) {
        let (store, id) = (crate::compaction::common::store().await, "demo".parse().unwrap());
        store.put(figures::table::store::key_item(&keys::project(&id))).await.unwrap();
        (Consumer::new(store).with_grace(Duration::ZERO), id)
    }

    /// A rebuild that is about to begin.
    async fn rebuild<'a>(consumer: &'a Consumer, id: &'a ProjectId) -> Rebuild<'a> {
        let project = consumer.project(id.clone()).await.unwrap();
        let in_stream_since = Millis::now().plus(-IN_STREAM_MS);
        let (compaction, is_over) = (consumer.compaction(id), AtomicBool::new(false));
        Rebuild { consumer, project, compaction, is_check: false, in_stream_since, is_over }
    }

    /// A consumer that read the manifest before the rebuild began stores a visitor after the rebuild looked for it.
    #[tokio::test]
    async fn a_visitor_that_a_consumer_begins_meanwhile_is_counted() {
        let (consumer, id) = site().await;
        let batch = batch();
        consumer.store.put(batch.to_item(&id).unwrap()).await.unwrap();
        let rebuild = rebuild(&consumer, &id).await;
        let found = rebuild.stored(&batch.visitor_id).await.unwrap().unwrap();
        assert!(found.visitor().is_none());
        consumer.apply(BTreeMap::from([(id.clone(), vec![batch.clone()])])).await.complete().unwrap();
        let (building, _) = rebuild.begin().await.unwrap();
        let begun = rebuild.begin_visitor(building, &batch.visitor_id, found, &mut false).await.unwrap();
        assert!(begun.is_none(), "the rebuild takes the visitor for one of its generation");
        let replay = rebuild.replay(building, &batch.visitor_id).await.unwrap();
        assert!(!replay.delta.is_empty(), "the visitor is in no base");
    }

    /// The project's first erasure begins after the rebuild, which can't know its tombstones. A consumer does, and counts none of
    /// the visitor's batches any more: listed all the same, they would be taken out of figures that never had them.
    #[tokio::test]
    async fn lost_batches_of_a_visitor_that_is_erased_meanwhile_are_not_listed() {
        let (consumer, id) = site().await;
        let batch = batch();
        let long_ago = batch.stored_at.plus(-2 * IN_STREAM_MS);
        let lost = Batch { batch_id: "lost".parse().unwrap(), stored_at: long_ago, ..batch.clone() };
        let store = &consumer.store;
        for one in [&batch, &lost] {
            store.put(one.to_item(&id).unwrap()).await.unwrap();
        }
        consumer.apply(BTreeMap::from([(id.clone(), vec![batch.clone()])])).await.complete().unwrap();
        let rebuild = rebuild(&consumer, &id).await;
        let (building, _) = rebuild.begin().await.unwrap();
        let before = store.get(&keys::visitor(&id, &batch.visitor_id), Consistency::Strong).await.unwrap();
        Tombstone::put(store, &id, std::slice::from_ref(&batch.visitor_id)).await.unwrap();
        assert!(rebuild.replay(building, &batch.visitor_id).await.is_err());
        assert_eq!(store.get(&keys::visitor(&id, &batch.visitor_id), Consistency::Strong).await.unwrap(), before);
    }
}
