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

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fs::File;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{BufRead, BufReader, BufWriter, Seek, Write as _};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use aws_sdk_dynamodb::types::ReturnConsumedCapacity;
use futures::stream::{self, StreamExt, TryStreamExt};
use serde::de::DeserializeOwned;

use crate::Consumer;
use crate::compaction::Compaction;
use crate::erasure::delete_partition;
use crate::history::{History, Project};
use crate::seen_items;
use crate::spill::Spill;
use figures::counters::Rows;
use figures::dates::DateRange;
use figures::generation::Generation;
use figures::ids::{ProjectId, SessionId, VisitorId};
use figures::log::Counters;
use figures::log::Delta;
use figures::log::block::{self, Block, Found, NewBlock, Reading};
use figures::log::index::{Entries, HourEntries, merge, runs_of};
use figures::log::tail::{Building, Manifest, Tail, read_generation};
use figures::measures::Measure;
use figures::model::{Batch, Session, Visitor};
use figures::random;
use figures::table::keys::Index;
use figures::table::keys::{self, Key, RunKey, RunKind};
use figures::table::store::{
    Consistency, DATA, Item, Outcome, PK, Query, REV, SK, Store, StoreError, Write, failure, item_key, number,
    read_binary, read_number, read_packed, read_text, text,
};
use figures::time::{Day, Hour, Millis};

/// A rebuild says so often that it is at work.
const SIGN_OF_LIFE: Duration = Duration::from_secs(60);
/// A rebuild that was not heard of for so long is given up: its machine sleeps, or is gone.
const SILENCE_MS: i64 = 10 * 60_000;

/// A batch stored so shortly before may wait in the stream: the consumer counts it. An older one that is in no
/// state was lost on the way.
const IN_STREAM_MS: i64 = 60_000;

/// Visitors replayed at once.
const CONCURRENCY: usize = 8;

/// Tries at what others keep changing.
const MAX_TRIES: usize = 20;

/// Items of a visitor that one transaction changes at most, beside the visitor's own one.
const MAX_HEALED: usize = 90;
/// Bytes of a visitor's items that one transaction changes at most: it ends at 4 MB.
const MAX_HEALED_BYTES: usize = 2 << 20;

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
        if outcome.is_err()
            && let Err(error) = rebuild.give_up(building).await
        {
            tracing::warn!(project = %id, %error, "what the rebuild left is given up later");
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

/// The lookups that were seen and the sessions that exist, in little memory.
#[derive(Debug)]
struct Lookups {
    seen: BufWriter<File>,
    /// Hashes of the sessions: one in 2⁶⁴ hides a lookup that is left over.
    sessions: HashSet<u64>,
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
            let now = Millis::now();
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
        let until = Millis::now().plus(SILENCE_MS);
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
            // Whoever sees the new generation must find all of it, though it began to read before.
            report(Progress::Waiting);
            tokio::time::sleep(self.consumer.grace).await;
            self.change(building, |manifest| manifest.show_built(Millis::now())).await?;
        }
        self.purge(building, &counted.index_days).await?;
        Ok(differences)
    }

    async fn give_up(&self, building: Generation) -> Result<(), StoreError> {
        loop {
            let manifest = self.tail().await?.0.manifest;
            let is_mine = manifest.building.is_some_and(|of| of.generation == building);
            if !is_mine || self.compaction.put(&manifest, &manifest.give_up_building(Millis::now())).await? {
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
        if tail.manifest.stale.iter().any(|generation| *generation != building) {
            tokio::time::sleep(self.consumer.grace).await;
        }
        self.compaction.purge(&tail, days, usize::MAX).await?;
        let manifest = Manifest { stale: Vec::new(), ..tail.manifest.clone() };
        if manifest != tail.manifest {
            self.compaction.put(&tail.manifest, &manifest).await?;
        }
        Ok(())
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

/// Counting every visitor.
impl Rebuild<'_> {
    async fn count(
        &self,
        building: Generation,
        differences: &mut Differences,
        report: &(impl Fn(Progress) + Sync),
    ) -> Result<Counted, StoreError> {
        let mut counted = Counted { base: Spill::new()?, days: BTreeSet::new(), index_days: BTreeSet::new() };
        let mut lookups = Lookups::new()?;
        let (mut from, mut last, mut done): (_, Option<VisitorId>, _) = (None, None, 0);
        loop {
            let page = self.scan(from).await?;
            let mut visitors = Vec::new();
            for item in page.items() {
                let (pk, sk) = (read_text(item, PK)?, read_text(item, SK)?);
                let visitor = keys::parse_visitor(&self.project.id, pk);
                if visitor.is_some() && visitor != last {
                    visitors.extend(visitor.clone());
                    last = visitor;
                }
                if let Some((session, visitor)) = keys::parse_session_lookup(&self.project.id, pk, sk) {
                    lookups.see(&session, &visitor)?;
                }
                let is_block = keys::parse_blocks(&self.project.id, pk).and_then(Measure::named).is_some();
                counted.days.extend(keys::parse_block(sk).filter(|_| is_block).map(|block| block.day));
                counted.index_days.extend(keys::parse_runs(&self.project.id, pk));
            }
            let mut replays = stream::iter(visitors)
                .map(async |visitor| self.replay(building, &visitor).await.map(|replay| (visitor, replay)))
                .buffer_unordered(CONCURRENCY);
            while let Some((visitor, replay)) = replays.try_next().await? {
                done += 1;
                report(Progress::Replaying(done));
                lookups.sessions.extend(replay.sessions.iter().map(|session| hash_of(session, &visitor)));
                counted.base.add(replay.delta)?;
                if replay.differed {
                    differences.add_visitor(visitor);
                }
            }
            from = page.last_evaluated_key;
            if from.is_none() {
                break;
            }
        }
        counted.days.extend(counted.index_days.iter().map(|(_, day)| *day));
        differences.lookups = self.left_over(lookups).await?;
        Ok(counted)
    }

    /// A page of the keys of all that the table holds of the project, as of now. The items of a partition follow each
    /// other.
    async fn scan(&self, from: Option<Item>) -> Result<aws_sdk_dynamodb::operation::scan::ScanOutput, StoreError> {
        self.store()
            .client()
            .scan()
            .table_name(self.store().table())
            .consistent_read(true)
            .projection_expression("#pk, #sk")
            .filter_expression("begins_with(#pk, :project)")
            .expression_attribute_names("#pk", PK)
            .expression_attribute_names("#sk", SK)
            .expression_attribute_values(":project", text(keys::project_prefix(&self.project.id)))
            .set_exclusive_start_key(from)
            .return_consumed_capacity(ReturnConsumedCapacity::None)
            .send()
            .await
            .map_err(failure)
    }

    /// How many lookups there are of sessions that don't exist. They are removed.
    async fn left_over(&self, lookups: Lookups) -> Result<usize, StoreError> {
        let mut left_over = 0;
        for (session, visitor) in lookups.unknown()? {
            let lookup = keys::session_lookup(&self.project.id, &session, &visitor);
            if self.is_known(&session, &visitor).await?
                || self.store().get(&lookup, Consistency::Strong).await?.is_none()
            {
                continue;
            }
            left_over += 1;
            if !self.is_check {
                self.store().delete(&lookup).await?;
            }
        }
        Ok(left_over)
    }

    async fn is_known(&self, session: &SessionId, visitor: &VisitorId) -> Result<bool, StoreError> {
        let history = History::load(self.store(), &self.project, visitor.clone()).await?;
        Ok(history.all_sessions().await?.iter().any(|known| known.session_id == *session))
    }

    /// Replays a visitor's batches, writes its items where they differ, and marks it with the generation.
    async fn replay(&self, building: Generation, visitor: &VisitorId) -> Result<Replay, StoreError> {
        let mut differed = false;
        for attempt in 0..MAX_TRIES {
            let Some(stored) = self.stored(visitor).await? else { continue };
            let replay = match stored.visitor() {
                _ if self.is_erased(visitor).await? => self.bury(visitor, &stored).await?,
                None => self.begin_visitor(building, visitor, stored, &mut differed).await?,
                Some(item) if read_generation(item)? > building => return Err(overtaken()),
                // Begun by a consumer since, and counted in the generation from its first batch on.
                Some(item) if read_generation(item)? == building => {
                    Some(Replay { sessions: stored.sessions(), ..Replay::default() })
                }
                Some(_) => self.count_visitor(building, visitor, stored, attempt, &mut differed).await?,
            };
            if let Some(replay) = replay {
                return Ok(Replay { differed: differed || replay.differed, ..replay });
            }
        }
        Err(StoreError::Unavailable("a visitor kept changing under every try".to_owned()))
    }

    async fn is_erased(&self, visitor: &VisitorId) -> Result<bool, StoreError> {
        Ok(self.project.tombstones.find(self.store(), &self.project.id, visitor).await?.is_some())
    }

    /// What is stored of a visitor at one of its revisions; none if it changed meanwhile.
    async fn stored(&self, visitor: &VisitorId) -> Result<Option<Stored>, StoreError> {
        let key = keys::visitor(&self.project.id, visitor);
        let before = self.store().get(&key, Consistency::Strong).await?;
        let partition = keys::visitor_partition(&self.project.id, visitor);
        let items = self.store().query(Query::partition(partition).strong()).await?;
        let stored = Stored::read(key, items)?;
        let revision = |item: Option<&Item>| item.map(|item| read_number::<u64>(item, REV).ok());
        Ok((revision(before.as_ref()) == revision(stored.visitor())).then_some(stored))
    }

    /// Counts the batches of a visitor that nothing else is known of, as the consumer would. None: another one did so
    /// first, who may have read the manifest before this generation was begun.
    async fn begin_visitor(
        &self,
        building: Generation,
        visitor: &VisitorId,
        mut stored: Stored,
        differed: &mut bool,
    ) -> Result<Option<Replay>, StoreError> {
        // A lookup that is left would have the consumer look for a session that is gone.
        let session = |batch: &Batch| keys::session_lookup(&self.project.id, &batch.session_id, visitor);
        let lookups = stored.batches.iter().map(session).collect();
        stored.derived.extend(self.store().get_many(lookups, Consistency::Strong).await?);
        let is_lost = |batch: &Batch| batch.stored_at < self.in_stream_since;
        *differed |= !stored.derived.is_empty() || stored.batches.iter().any(is_lost);
        if *differed && self.is_check {
            return Ok(Some(Replay::default()));
        }
        if !stored.derived.is_empty() {
            // What is left of a visitor that is gone.
            self.heal(&stored, BTreeMap::new()).await?;
        }
        if stored.batches.is_empty() {
            return Ok(Some(Replay::default()));
        }
        self.count_as_consumer(visitor, stored.batches).await?;
        Box::pin(self.consumer.keep_trust(&self.project, visitor)).await?;
        let Some(stored) = self.stored(visitor).await? else { return Ok(None) };
        let mark = stored.visitor().map(read_generation).transpose()?;
        let is_counted = mark.is_none_or(|mark| mark == building);
        Ok(is_counted.then(|| Replay { sessions: stored.sessions(), ..Replay::default() }))
    }

    async fn count_as_consumer(&self, visitor: &VisitorId, batches: Vec<Batch>) -> Result<(), StoreError> {
        // On the heap, as all that applying may come to takes much room on a stack that a rebuild is on already.
        let batches = BTreeMap::from([(self.project.id.clone(), batches)]);
        let mut applied = Box::pin(self.consumer.apply(batches)).await;
        applied.log_refused();
        match applied.failed.pop_first() {
            Some((_, error)) => Err(error),
            None if applied.refused.is_empty() => Ok(()),
            None => {
                tracing::error!(project = %self.project.id, %visitor, "batches of a visitor can't be counted");
                Ok(())
            }
        }
    }

    /// Adds to the base what a visitor contributes at its revision, once it is marked. None: it changed meanwhile.
    async fn count_visitor(
        &self,
        building: Generation,
        visitor: &VisitorId,
        mut stored: Stored,
        attempt: usize,
        differed: &mut bool,
    ) -> Result<Option<Replay>, StoreError> {
        let state = State::read(&stored.derived);
        let mut batches = std::mem::take(&mut stored.batches);
        if let Ok(state) = &state {
            let (listed, missing): (Vec<Batch>, Vec<Batch>) = batches.into_iter().partition(|batch| state.lists(batch));
            let is_lost = |batch: &Batch| batch.stored_at < self.in_stream_since;
            let lost: Vec<Batch> = missing.into_iter().filter(is_lost).collect();
            *differed |= !lost.is_empty();
            if !self.is_check && attempt == 0 && !lost.is_empty() {
                // Counted for those too who read the figures as they are.
                self.count_as_consumer(visitor, lost).await?;
                return Ok(None);
            }
            batches = listed;
            batches.extend(lost);
        }
        batches.sort_by_key(Batch::stored_order);
        let mut history = History::new(self.store(), &self.project, visitor.clone(), None, building)?;
        for batch in batches {
            history.apply(batch).await?;
        }
        if let Ok(state) = &state {
            history.keep_dropped(|session| state.dropped(session));
        }
        if history.is_trusted().await? {
            history.take_for_person();
        }
        let sessions = history.session_ids();
        let (writes, mut delta) = match history.into_change(usize::MAX).await? {
            Some(change) => (change.writes, change.delta),
            None => (Vec::new(), Delta::default()),
        };
        let revision = stored.revision().unwrap_or_default();
        delta.sessions.revise(revision + 1);
        delta.events.revise(revision + 1);
        let rebuilt = writes.into_iter().filter_map(|write| match write {
            Write::PutAt(item, _) | Write::Put(item) => Some(item),
            Write::Delete(_) | Write::Take(_) | Write::DeleteAt(..) | Write::Absent(_) => None,
        });
        let rebuilt: BTreeMap<Key, Item> =
            rebuilt.map(|item| Ok((item_key(&item)?, item))).collect::<Result<_, StoreError>>()?;
        let lookups = rebuilt.keys().filter(|key| keys::is_session_lookup(key)).cloned().collect();
        stored.derived.extend(self.store().get_many(lookups, Consistency::Strong).await?);
        let is_same = match (State::read(&stored.derived), State::read(&rebuilt)) {
            (Ok(was), Ok(now)) => was == now,
            _ => false,
        };
        *differed |= !is_same;
        let is_marked = match is_same || self.is_check {
            true => self.mark(building, visitor, &stored).await?,
            false => self.heal(&stored, rebuilt).await?,
        };
        Ok(is_marked.then_some(Replay { delta, sessions, differed: *differed }))
    }

    /// Marks a visitor at the revision that was read. Says whether it did, or the visitor changed meanwhile.
    async fn mark(&self, building: Generation, visitor: &VisitorId, stored: &Stored) -> Result<bool, StoreError> {
        // A visitor's item without a revision can't be marked, nor changed by a consumer.
        let Some(revision) = stored.revision() else { return Ok(true) };
        let mut item = stored.derived.get(&stored.key).cloned().unwrap_or_default();
        item.insert(REV.to_owned(), number(revision + 1));
        figures::log::tail::mark(&mut item, building);
        let put = self.store().put_at(item, Some(revision)).await?;
        self.is_done(building, visitor, &stored.key, put.is_stored()).await
    }

    /// Whether a write that may have been refused by its own first try is stored. A visitor that was read with an
    /// earlier mark is marked by this rebuild alone, unless it was erased and begun again.
    async fn is_done(
        &self,
        building: Generation,
        visitor: &VisitorId,
        key: &Key,
        is_stored: bool,
    ) -> Result<bool, StoreError> {
        if is_stored {
            return Ok(true);
        }
        match self.store().get(key, Consistency::Strong).await? {
            Some(_) if self.is_erased(visitor).await? => Err(overtaken()),
            Some(item) => Ok(read_generation(&item)? == building),
            // Whether it was counted before it was erased, nobody knows.
            None => Err(overtaken()),
        }
    }

    /// Writes what differs between the stored items of a visitor and the rebuilt ones, which are marked. Says whether it
    /// did, or the visitor changed meanwhile.
    async fn heal(&self, stored: &Stored, mut rebuilt: BTreeMap<Key, Item>) -> Result<bool, StoreError> {
        let own = rebuilt.remove(&stored.key);
        let others = stored.derived.keys().filter(|key| **key != stored.key);
        let gone = others.filter(|key| !rebuilt.contains_key(key)).cloned().map(Write::Delete);
        let changed = rebuilt.iter().filter(|(key, item)| stored.derived.get(key) != Some(item));
        let mut writes: Vec<Write> = gone.chain(changed.map(|(_, item)| Write::Put(item.clone()))).collect();
        let mut revision = stored.revision();
        let was = stored.visitor().cloned();
        if was.is_some() && revision.is_none() {
            // No consumer could change it either.
            self.store().delete(&stored.key).await?;
        }
        // A large visitor is written in several transactions; until the last one it is as it was, at other revisions.
        loop {
            let together = take_healed(&mut writes);
            let is_last = writes.is_empty();
            let with_revision = |mut item: Item, revision: u64| {
                item.insert(REV.to_owned(), number(revision));
                item
            };
            let next = revision.unwrap_or_default() + 1;
            let fence = match (is_last, &own, &was, revision) {
                (true, Some(own), ..) => Write::PutAt(with_revision(own.clone(), next), revision),
                (true, None, _, Some(revision)) => Write::DeleteAt(stored.key.clone(), revision),
                (false, _, Some(was), Some(_)) => Write::PutAt(with_revision(was.clone(), next), revision),
                (_, _, _, _) => Write::Absent(stored.key.clone()),
            };
            let transaction = [fence].into_iter().chain(together).collect();
            if self.store().transact(transaction).await? != Outcome::Committed {
                return Ok(false);
            }
            revision = revision.map(|_| next);
            if is_last {
                return Ok(true);
            }
        }
    }

    /// Removes what is left of an erased visitor.
    async fn bury(&self, visitor: &VisitorId, stored: &Stored) -> Result<Option<Replay>, StoreError> {
        let differed = !(stored.derived.is_empty() && stored.batches.is_empty());
        if differed && !self.is_check {
            match Box::pin(self.consumer.erase_from_figures(&self.project, visitor)).await {
                Ok(()) => {}
                Err(error) if error.is_unreadable() => tracing::warn!(%error, "an erased visitor can't be read"),
                Err(error) => return Err(error),
            }
            delete_partition(self.store(), keys::visitor_partition(&self.project.id, visitor)).await?;
            self.store().delete(&keys::trusted(&self.project.id, visitor)).await?;
        }
        Ok(Some(Replay { differed, ..Replay::default() }))
    }
}

/// Comparing and writing figures and indexes.
impl Rebuild<'_> {
    /// Compares what readers see of a day with what they would see of the generation that is built.
    ///
    /// Invariant *ComparesAreExact*: both are as of one tail, which no round followed meanwhile.
    async fn compare(
        &self,
        building: Generation,
        day: Day,
        base: &mut Spill,
        differences: &mut Differences,
    ) -> Result<(), StoreError> {
        for _ in 0..MAX_TRIES {
            let (tail, damaged) = self.tail().await?;
            let Delta { counters, sessions, events } = base.of_day(day)?;
            let Some(figures) = self.compare_figures(building, day, counters, &tail).await? else { continue };
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
    async fn write(
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

    async fn empty_round(&self, building: Generation) -> Result<u64, StoreError> {
        Ok(self.change(building, |manifest| manifest.next(Millis::now())).await?.round)
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
            let new = NewBlock { round: *round, is_based: true, rows };
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
            for item in self.compaction.major_runs(index, key, entries)?.into_iter().rev() {
                self.store().put(item).await?;
            }
        }
        Ok(())
    }
}

impl Lookups {
    fn new() -> Result<Self, StoreError> {
        Ok(Lookups { seen: BufWriter::new(tempfile::tempfile().map_err(failed)?), sessions: HashSet::new() })
    }

    fn see(&mut self, session: &SessionId, visitor: &VisitorId) -> Result<(), StoreError> {
        writeln!(self.seen, "{session} {visitor}").map_err(failed)
    }

    /// Those of sessions that were not found.
    fn unknown(self) -> Result<Vec<(SessionId, VisitorId)>, StoreError> {
        let mut file = self.seen.into_inner().map_err(|error| failed(error.into_error()))?;
        file.rewind().map_err(failed)?;
        let mut unknown = Vec::new();
        for line in BufReader::new(file).lines() {
            let line = line.map_err(failed)?;
            let Some((session, visitor)) = line.split_once(' ') else { continue };
            let (Ok(session), Ok(visitor)) = (session.parse(), visitor.parse()) else { continue };
            if !self.sessions.contains(&hash_of(&session, &visitor)) {
                unknown.push((session, visitor));
            }
        }
        Ok(unknown)
    }
}

fn hash_of(session: &SessionId, visitor: &VisitorId) -> u64 {
    let mut hasher = DefaultHasher::new();
    (session.as_str(), visitor.as_str()).hash(&mut hasher);
    hasher.finish()
}

fn failed(error: std::io::Error) -> StoreError {
    StoreError::Failed(format!("the temporary file of the rebuild: {error}"))
}

/// Takes as many writes as one transaction takes beside the visitor's own item.
fn take_healed(writes: &mut Vec<Write>) -> Vec<Write> {
    let mut bytes = 0;
    let size = |write: &Write| match write {
        Write::Put(item) => read_binary(item, DATA).map_or(0, <[u8]>::len),
        _ => 0,
    };
    let fitting = writes.iter().take(MAX_HEALED).take_while(|write| {
        bytes += size(write);
        bytes <= MAX_HEALED_BYTES || bytes == size(write)
    });
    let count = fitting.count();
    writes.drain(..count).collect()
}

/// Whether a block can be read.
enum Readable {
    Yes(Option<Block>),
    No,
}

/// What replaying a visitor gave.
#[derive(Debug, Default)]
struct Replay {
    delta: Delta,
    sessions: Vec<SessionId>,
    differed: bool,
}

/// What is stored of a visitor.
#[derive(Debug)]
struct Stored {
    /// The key of its own item.
    key: Key,
    batches: Vec<Batch>,
    /// All items but its batches.
    derived: BTreeMap<Key, Item>,
}

impl Stored {
    fn read(key: Key, items: Vec<Item>) -> Result<Self, StoreError> {
        let mut stored = Stored { key, batches: Vec::new(), derived: BTreeMap::new() };
        for item in items {
            let key = item_key(&item)?;
            if keys::parse_batch(&key.pk, &key.sk).is_none() {
                stored.derived.insert(key, item);
                continue;
            }
            match Batch::from_item(&item) {
                Ok(batch) => stored.batches.push(batch),
                Err(error) if error.is_of_items() => {
                    tracing::error!(pk = key.pk, sk = key.sk, %error, "a stored batch can't be read");
                }
                Err(error) => return Err(error),
            }
        }
        Ok(stored)
    }

    /// The visitor's own item.
    fn visitor(&self) -> Option<&Item> {
        self.derived.get(&self.key)
    }

    fn revision(&self) -> Option<u64> {
        self.visitor().and_then(|item| read_number(item, REV).ok())
    }

    fn sessions(&self) -> Vec<SessionId> {
        let state = State::read(&self.derived).ok();
        state.into_iter().flat_map(|state| state.applied.into_keys()).collect()
    }
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

/// A visitor's state whatever items it is spread over.
#[derive(Debug, PartialEq, Eq)]
struct State {
    visitor: Option<Visitor>,
    sessions: BTreeMap<SessionId, Session>,
    applied: BTreeMap<SessionId, BTreeSet<u64>>,
    lookups: BTreeMap<Key, (figures::model::batch::StoredOrder, Millis)>,
}

impl State {
    /// How many events a session had no room for.
    fn dropped(&self, session: &SessionId) -> u32 {
        let latest = self.visitor.iter().map(|visitor| &visitor.latest);
        let known = latest.chain(self.sessions.values()).find(|known| known.session_id == *session);
        known.map_or(0, |session| session.dropped)
    }

    /// Whether a batch is among those that were applied.
    fn lists(&self, batch: &Batch) -> bool {
        self.applied.get(&batch.session_id).is_some_and(|applied| applied.contains(&batch.fingerprint()))
    }

    fn read(items: &BTreeMap<Key, Item>) -> Result<Self, StoreError> {
        let mut state =
            State { visitor: None, sessions: BTreeMap::new(), applied: BTreeMap::new(), lookups: BTreeMap::new() };
        let mut seen = BTreeMap::new();
        for (key, item) in items {
            match keys::visitor_item(key) {
                Some(keys::VisitorItem::Visitor) => state.visitor = Some(read_packed(item)?),
                Some(keys::VisitorItem::Session) => {
                    let session: Session = read_packed(item)?;
                    state.sessions.insert(session.session_id.clone(), session);
                }
                Some(keys::VisitorItem::Applied(session)) => {
                    state.applied.entry(session).or_default().extend(read_packed::<Vec<u64>>(item)?);
                }
                Some(keys::VisitorItem::Seen(part)) => {
                    seen.insert(part, item);
                }
                None => {
                    state.lookups.insert(key.clone(), read_packed(item)?);
                }
            }
        }
        if let Some(visitor) = &mut state.visitor {
            visitor.seen = seen_items::take_all(visitor, &seen)?;
        }
        let latest = state.visitor.iter_mut().map(|visitor| &mut visitor.latest);
        for session in latest.chain(state.sessions.values_mut()) {
            let applied = std::mem::take(&mut session.applied);
            state.applied.entry(session.session_id.clone()).or_default().extend(applied.recent);
        }
        Ok(state)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;
    use figures::model::{SessionFacts, VisitorFacts};

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

    /// A consumer that read the manifest before the rebuild began stores a visitor after the rebuild looked for it.
    #[tokio::test]
    async fn a_visitor_that_a_consumer_begins_meanwhile_is_counted() {
        let store = crate::compaction::common::store().await;
        let consumer = Consumer::new(store.clone()).with_grace(Duration::ZERO);
        let (id, batch): (ProjectId, _) = ("demo".parse().unwrap(), batch());
        store.put(figures::table::store::key_item(&keys::project(&id))).await.unwrap();
        store.put(batch.to_item(&id).unwrap()).await.unwrap();
        let project = consumer.project(id.clone()).await.unwrap();
        let in_stream_since = Millis::now().plus(-IN_STREAM_MS);
        let compaction = consumer.compaction(&id);
        let is_over = AtomicBool::new(false);
        let rebuild = Rebuild { consumer: &consumer, project, compaction, is_check: false, in_stream_since, is_over };
        let found = rebuild.stored(&batch.visitor_id).await.unwrap().unwrap();
        assert!(found.visitor().is_none());
        consumer.apply(BTreeMap::from([(id.clone(), vec![batch.clone()])])).await.complete().unwrap();
        let (building, _) = rebuild.begin().await.unwrap();
        let begun = rebuild.begin_visitor(building, &batch.visitor_id, found, &mut false).await.unwrap();
        assert!(begun.is_none(), "the rebuild takes the visitor for one of its generation");
        let replay = rebuild.replay(building, &batch.visitor_id).await.unwrap();
        assert!(!replay.delta.is_empty(), "the visitor is in no base");
    }
}
