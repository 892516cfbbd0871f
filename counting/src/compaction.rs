//! Compaction: merges a project's segments into blocks and runs, in rounds (see [`figures::log::tail`]), and removes
//! what is merged, what nobody reads any more, and what was erased.
//!
//! A manifest that is refused was overtaken by another compactor's: the next look at the tail goes on from there.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures::stream::{self, StreamExt, TryStreamExt};
use serde::Serialize;
use serde::de::DeserializeOwned;

use figures::counters::Rows;
use figures::dates::DateRange;
use figures::generation::Generation;
use figures::ids::ProjectId;
use figures::log::block::{self, Block, Found, NewBlock, Reading};
use figures::log::index::{Entries, HourEntries, merge, runs_of};
use figures::log::tail::{Manifest, Round, Segment, Tail, kept_of, place_of};
use figures::log::{BatchEntry, BatchRef, SessionEntry, SessionRef};
use figures::measures::Measure;
use figures::retention::{Kept, Retention};
use figures::table::codec;
use figures::table::keys::Index;
use figures::table::keys::{self, BlockItem, Key, RunKey, RunKind};
use figures::table::store::{
    Consistency, DATA, EXPIRES, Item, Query, SK, SortKeys, Store, StoreError, binary, item_key, key_item, number,
    read_binary, read_packed, read_text,
};
use figures::time::{Clock, Day, Hour, Millis};

use crate::own_segments::OwnSegments;

/// A tail of so many segments, or so many bytes, is compacted: every reader reads the whole tail, so
/// this and [`MAX_MERGED_TAIL_BYTES`] bound what it costs to 13 read units.
const MAX_TAIL_SEGMENTS: usize = 64;
const MAX_TAIL_BYTES: usize = 40 << 10;

/// Merged segments stay as long as they are no more than this together, for others to be stored in their place.
const MAX_MERGED_TAIL_BYTES: usize = 64 << 10;

/// A round merges at most so many bytes of segments, so that no block or run outgrows an item.
const MAX_ROUND_BYTES: usize = 192 << 10;

/// Items of generations that nobody reads are removed at most so many at a time, between batches.
const MAX_PURGED: usize = 200;

/// The days of an erasure that one round removes what is left on: meanwhile no other round goes on, and who looks at the
/// tail next does this one.
const MAX_EXPUNGED_DAYS: usize = 7;

/// An empty run that stands for what an erasure removed is kept for so long: no writer of an old round is that late.
const EMPTY_RUN_MS: i64 = 2 * 24 * 3_600_000;

/// Once in so many rounds, the small runs that they wrote of an hour are merged into one.
const MERGED_ROUNDS: u64 = 8;
/// Runs of so many bytes stay as they are: it would cost more to write them again than others' overhead does.
const SMALL_RUN_BYTES: usize = 4 << 10;
/// So many of an hour's newest runs are looked at for that: of an hour that rounds touch now and then, more of them may have come
/// since the last look.
const NEWEST_RUNS: usize = 4 * MERGED_ROUNDS as usize;
/// A major run is divided into parts of at most about this size: DynamoDB's items end at 400 KB.
const MAX_MERGED_BYTES: usize = 300 << 10;

/// Writes of a round that are under way at once.
const CONCURRENCY: usize = 8;

/// Tries at a block, or at a tail, that others are changing too.
const MAX_TRIES: usize = 8;

/// What a look at a tail leaves to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Left {
    /// Nothing, until there is more in it.
    Nothing,
    /// What should be removed once [`GRACE`](crate::GRACE) is over, or some at a time.
    Merged,
}

/// When a round is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Due {
    /// When the segments of none are many.
    Many,
    /// When there are any.
    Any,
}

/// Into what a round is merged, and how.
#[derive(Debug, Clone, Copy)]
struct Merge {
    generation: Generation,
    round: u64,
    takes_layers: bool,
    kept: Kept,
}

/// Which merged segments stay that could be removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Keep {
    /// None.
    Nothing,
    /// Some, for others to be stored in their place.
    Replaceable,
}

/// What became of merged segments.
struct Removed {
    /// Those that are removed.
    gone: BTreeSet<String>,
    /// The rounds that are kept for the others.
    remaining: Vec<Round>,
}

/// The compaction of a project.
#[derive(Debug, Clone, Copy)]
pub struct Compaction<'a> {
    store: &'a Store,
    project: &'a ProjectId,
    grace: Duration,
    clock: &'a Clock,
    own_segments: &'a OwnSegments,
    /// What projects keep that have no setting of their own, if it is known.
    retention: Option<Retention>,
}

impl<'a> Compaction<'a> {
    /// Compaction that leaves readers so much time, by a clock, and tells a consumer what becomes of its own segments.
    pub fn new(
        store: &'a Store,
        project: &'a ProjectId,
        grace: Duration,
        clock: &'a Clock,
        own_segments: &'a OwnSegments,
        retention: Option<Retention>,
    ) -> Self {
        Compaction { store, project, grace, clock, own_segments, retention }
    }

    /// What the project keeps, for a whole round.
    async fn kept(&self) -> Result<Kept, StoreError> {
        let item = self.store.get(&keys::project(self.project), Consistency::Eventual).await?;
        kept_of(self.store, self.project, item.as_ref(), self.retention).await
    }

    /// Compacts the tail if it has grown past its bounds, in so many rounds at most. What is written meanwhile is left to
    /// the next look: so a look takes a time in proportion to what it found.
    pub async fn run(&self, max_rounds: usize) -> Result<Left, StoreError> {
        let mut tail = self.finish_rounds().await?;
        let mut rounds = 0;
        loop {
            if let Some(building) = tail.manifest.building
                && building.until < self.clock.now()
            {
                tracing::warn!(project = %self.project, "a rebuild that stopped is given up");
                self.put(&tail.manifest, &tail.manifest.give_up_building(self.clock.now())).await?;
                tail = self.finish_rounds().await?;
                continue;
            }
            if rounds == max_rounds {
                return Ok(Left::Merged);
            }
            let (next, was_due) = self.next_round(tail, Due::Many).await?;
            if !was_due {
                return self.clean_up(&next).await;
            }
            (tail, rounds) = (next, rounds + 1);
        }
    }

    /// Carries out the round that is under way, if one is. Gives the tail as it is then.
    pub async fn finish_rounds(&self) -> Result<Tail<Item>, StoreError> {
        self.finish_rounds_of(Tail::load(self.store, self.project).await?).await
    }

    async fn finish_rounds_of(&self, mut tail: Tail<Item>) -> Result<Tail<Item>, StoreError> {
        while let Some(round) = tail.manifest.unfinished() {
            tail = match self.carry_out(&tail, round).await? {
                Some(complete) => tail.followed_by(complete, &BTreeSet::new()),
                None => Tail::load(self.store, self.project).await?,
            };
        }
        Ok(tail)
    }

    /// Stores the manifest that follows another one, unless that was overtaken. Says whether it did.
    pub async fn put(&self, before: &Manifest, after: &Manifest) -> Result<bool, StoreError> {
        let version = (before.round > 0).then_some(before.round);
        // Others may not know what the deployment keeps, and go by this.
        let known = self.retention.filter(|known| *known != Retention::ALL || after.retention.is_some());
        let after = Manifest { retention: known.or(after.retention), ..after.clone() };
        Ok(self.store.put_at(after.to_item(self.project)?, version).await?.is_stored())
    }

    /// Removes what is merged before the next round does, if it is so much that readers should not wait for it: a large
    /// import leaves the segments of several rounds behind. And some of what belongs to generations that nobody reads.
    async fn clean_up(&self, tail: &Tail<Item>) -> Result<Left, StoreError> {
        let (mut manifest, mut left) = (tail.manifest.clone(), Left::Nothing);
        self.own_segments.look(self.project, tail, self.clock.now(), self.grace);
        if merged_bytes(tail, &BTreeSet::new()) > MAX_MERGED_TAIL_BYTES {
            let Removed { gone, remaining } = self.remove_merged(tail, Keep::Replaceable).await?;
            manifest.rounds = remaining;
            if merged_bytes(tail, &gone) > MAX_MERGED_TAIL_BYTES {
                left = Left::Merged;
            }
        }
        if !manifest.stale.is_empty() {
            let changed_lately = tail.manifest.changed_lately(self.clock.now(), self.grace);
            if !changed_lately && self.purge(tail, &BTreeSet::new(), MAX_PURGED).await? {
                manifest.stale.clear();
            } else {
                left = Left::Merged;
            }
        }
        if manifest != tail.manifest {
            self.put(&tail.manifest, &manifest).await?;
        }
        Ok(left)
    }

    /// Carries out the next round, if it is due. Gives the tail as it is then, and whether it was.
    async fn next_round(&self, tail: Tail<Item>, due: Due) -> Result<(Tail<Item>, bool), StoreError> {
        let rest = || tail.segments.iter().filter(|segment| segment.round.is_none());
        let bytes: usize = rest().map(|segment| segment.size).sum();
        let is_due = match due {
            Due::Many => rest().count() >= MAX_TAIL_SEGMENTS || bytes >= MAX_TAIL_BYTES,
            Due::Any => rest().next().is_some(),
        };
        if !is_due {
            return Ok((tail, false));
        }
        let mut size = 0;
        let chosen = rest().take_while(|segment| {
            size += segment.size;
            size <= MAX_ROUND_BYTES.max(segment.size)
        });
        let segments = chosen.map(|segment| segment.id.clone()).collect();
        let Removed { gone, remaining } = self.remove_merged(&tail, Keep::Replaceable).await?;
        let begun = tail.manifest.begin_round(remaining, segments, self.clock.now());
        let next = match self.put(&tail.manifest, &begun).await? {
            true => self.finish_rounds_of(tail.followed_by(begun, &gone)).await?,
            false => self.finish_rounds().await?,
        };
        Ok((next, true))
    }

    /// Removes segments of rounds that no reader can be behind any more; the other rounds remain. The manifest forgets
    /// a segment afterwards: one that no round lists counts.
    async fn remove_merged(&self, tail: &Tail<Item>, keep: Keep) -> Result<Removed, StoreError> {
        let now = self.clock.now();
        let over = tail.manifest.rounds_over(now, self.grace);
        let kept = match keep {
            Keep::Nothing => BTreeSet::new(),
            Keep::Replaceable => kept(tail, now, self.grace),
        };
        let merged = tail.segments.iter().filter(|segment| segment.round.is_some_and(|round| over.contains(&round)));
        let removable: Vec<&String> = merged.map(|one| &one.id).filter(|id| !kept.contains(*id)).collect();
        let gone = self.delete_segments(removable.into_iter()).await?;
        let is_there: BTreeSet<&str> = tail.segments.iter().map(|segment| segment.id.as_str()).collect();
        let is_left = |id: &str| is_there.contains(id) && !gone.contains(id);
        let remaining = tail.manifest.rounds_left(now, self.grace, is_left);
        Ok(Removed { gone, remaining })
    }

    /// Deletes segments that nobody needs any more, but no others that have been stored in their place since. Gives those that
    /// are gone, one way or the other.
    async fn delete_segments(&self, ids: impl Iterator<Item = &String>) -> Result<BTreeSet<String>, StoreError> {
        let delete = async |id: String| {
            let (key, revision) = place_of(self.project, &id);
            Ok(self.store.delete_at(&key, revision).await?.then_some(id))
        };
        let ids: Vec<String> = ids.cloned().collect();
        let deletes = stream::iter(ids).map(|id| Ok(delete(id))).try_buffer_unordered(CONCURRENCY);
        deletes.try_filter_map(async |gone| Ok(gone)).try_collect().await
    }

    async fn delete(&self, keys: Vec<Key>) -> Result<(), StoreError> {
        let deletes = stream::iter(&keys).map(|key| Ok(self.store.delete(key)));
        deletes.try_buffer_unordered(CONCURRENCY).try_collect::<Vec<()>>().await.map(|_| ())
    }

    /// Merges the segments of the round under way, and gives the manifest in which it is complete, unless that was
    /// overtaken. Anyone may do so, again and at the same time.
    ///
    /// Invariant *AnyoneCompletes*: whatever of a round is done, whoever looks at the tail next can do the rest.
    async fn carry_out(&self, tail: &Tail<Item>, round: &Round) -> Result<Option<Manifest>, StoreError> {
        let kept = Box::pin(self.kept()).await?;
        for generation in tail.manifest.merged() {
            self.merge_round(tail, round.number, generation, kept).await?;
        }
        for day in &tail.manifest.expunged {
            self.expunge_day(tail.manifest.shown, round.number, *day, kept).await?;
        }
        let complete = tail.manifest.complete(round.number, self.clock.now());
        let is_stored = self.put(&tail.manifest, &complete).await?;
        tracing::debug!(project = %self.project, round = round.number, segments = round.segments.len(), "compacted");
        Ok(is_stored.then_some(complete))
    }

    async fn merge_round(
        &self,
        tail: &Tail<Item>,
        round: u64,
        generation: Generation,
        kept: Kept,
    ) -> Result<(), StoreError> {
        let segments = tail.segments.iter().filter(|segment| segment.round == Some(round));
        let segments = segments.filter(|segment| segment.counts_in(generation));
        let (mut of_segments, mut sessions, mut events) = (Vec::new(), Entries::default(), Entries::default());
        for segment in segments {
            let delta = segment.unpack()?;
            sessions.merge(delta.sessions);
            events.merge(delta.events);
            of_segments.push(delta.counters);
        }
        let mut counters: BTreeMap<(Measure, Day), Vec<&Rows>> = BTreeMap::new();
        for (block, rows) in of_segments.iter().flat_map(|counters| counters.iter()) {
            counters.entry(block).or_default().push(rows);
        }
        let merge = Merge { generation, round, takes_layers: tail.manifest.takes_layers(self.clock.now()), kept };
        let begun: Vec<Option<(Measure, Day)>> = stream::iter(&counters)
            .map(|((measure, day), changes)| Ok(self.merge_block(*measure, *day, merge, changes)))
            .try_buffer_unordered(CONCURRENCY)
            .try_collect()
            .await?;
        // Where a round begins many days, there are no layers on those between them.
        let mut first_days: BTreeMap<Measure, Day> = BTreeMap::new();
        for (measure, day) in begun.into_iter().flatten() {
            let first = first_days.entry(measure).or_insert(day);
            *first = day.min(*first);
        }
        for (measure, day) in first_days {
            self.rewrite_before(measure, generation, day, kept).await?;
        }
        self.write_runs(Index::Sessions, merge, sessions).await?;
        self.write_runs(Index::Events, merge, events).await
    }

    /// A block as of now.
    pub async fn block(&self, measure: Measure, generation: Generation, day: Day) -> Result<Option<Block>, StoreError> {
        let Some(range) = DateRange::new(day, day) else { return Ok(None) };
        for _ in 0..MAX_TRIES {
            let found = block::read(self.store, self.project, measure, generation, range, Reading::Strong).await?;
            if let Found::Blocks(mut blocks) = found {
                return Ok(blocks.pop());
            }
        }
        Err(self.kept_changing(measure, day))
    }

    fn kept_changing(&self, measure: Measure, day: Day) -> StoreError {
        StoreError::Unavailable(format!("the block of {} on {day} kept changing", measure.name()))
    }

    /// Merges into a day's block what a round's segments change. Gives the block if there was none before.
    async fn merge_block(
        &self,
        measure: Measure,
        day: Day,
        merge: Merge,
        changes: &[&Rows],
    ) -> Result<Option<(Measure, Day)>, StoreError> {
        let (project, Merge { generation, round, .. }) = (self.project, merge);
        for _ in 0..MAX_TRIES {
            let mut before = self.block(measure, generation, day).await?;
            if before.as_ref().is_some_and(|block| block.round >= round) {
                return Ok(None);
            }
            let layer = match before.as_ref().filter(|_| merge.takes_layers) {
                Some(before) => block::layer(project, measure, generation, before, (round, merge.kept), changes)?,
                None => None,
            };
            let is_written = match layer {
                Some(layer) => self.store.put_at(layer, None).await?.is_stored(),
                None => {
                    let rows = before.as_mut().map(|block| std::mem::take(&mut block.rows)).unwrap_or_default();
                    let is_based = before.as_ref().is_some_and(|block| block.is_based);
                    let new = NewBlock { round, is_based, kept: merge.kept, rows: merged(measure, rows, changes) };
                    block::write(self.store, project, measure, generation, day, before.as_ref(), new).await?
                }
            };
            if is_written {
                return Ok(before.is_none().then_some((measure, day)));
            }
        }
        Err(self.kept_changing(measure, day))
    }

    /// Writes the last block before a new one anew, if there are layers on it: hardly anything is added to it any more, and
    /// it will be read for years. Where somebody else changes it meanwhile, it stays as it is.
    async fn rewrite_before(
        &self,
        measure: Measure,
        generation: Generation,
        day: Day,
        kept: Kept,
    ) -> Result<(), StoreError> {
        let last = block::last_before(self.store, self.project, measure, day).await?;
        let Some(last) = last.filter(|last| last.item != BlockItem::Head) else { return Ok(()) };
        let before = self.block(measure, generation, last.day).await?;
        if let Some(mut before) = before.filter(Block::has_layers) {
            let rows = merged(measure, std::mem::take(&mut before.rows), &[]);
            let new = NewBlock { round: before.round, is_based: before.is_based, kept, rows };
            block::write(self.store, self.project, measure, generation, last.day, Some(&before), new).await?;
        }
        Ok(())
    }

    async fn write_runs<K, V>(
        &self,
        index: Index,
        Merge { generation, round, kept, .. }: Merge,
        entries: Entries<K, V>,
    ) -> Result<(), StoreError>
    where
        K: Ord + Clone + Serialize + DeserializeOwned,
        V: Clone + Serialize + DeserializeOwned,
    {
        stream::iter(entries.0)
            .map(|(hour, entries)| {
                let key = RunKey { hour, generation, round, kind: RunKind::Plain };
                Ok(self.write_run(index, key, entries, kept))
            })
            .try_buffer_unordered(CONCURRENCY)
            .try_collect::<Vec<()>>()
            .await
            .map(|_| ())
    }

    /// Stores a round's run of an hour, and now and then merges the small ones among the newest. An entry is written twice at most, and
    /// compaction reads the newest runs alone, however many the hour has.
    async fn write_run<K, V>(
        &self,
        index: Index,
        key: RunKey,
        entries: HourEntries<K, V>,
        kept: Kept,
    ) -> Result<(), StoreError>
    where
        K: Ord + Clone + Serialize + DeserializeOwned,
        V: Clone + Serialize + DeserializeOwned,
    {
        self.store.put(self.run_item(index, key, &entries, kept)?).await?;
        if key.round.is_multiple_of(MERGED_ROUNDS) {
            self.merge_newest_runs::<K, V>(index, key, kept).await?;
        }
        Ok(())
    }

    /// Merges the small ones of an hour's newest runs, as the writer of a round.
    ///
    /// Invariant *NoEntryIsLost*: an entry is in the tail or in a run that counts until a later one replaces it. So a merged
    /// run is stored before what it replaces goes, and sorts after all of that: only the hour's last round merges.
    async fn merge_newest_runs<K, V>(&self, index: Index, key: RunKey, kept: Kept) -> Result<(), StoreError>
    where
        K: Ord + Clone + Serialize + DeserializeOwned,
        V: Clone + Serialize + DeserializeOwned,
    {
        let items = self.newest_runs(index, key).await?;
        let runs = runs_of(&items, key.hour, key.generation)?;
        self.delete(runs.replaced.into_iter().map(item_key).collect::<Result<_, _>>()?).await?;
        let RunKey { round, .. } = key;
        let merged_key = RunKey { kind: RunKind::Merged, ..key };
        let replacement = merged_key.key(self.project, index);
        let mut small: Vec<&Item> = Vec::new();
        for item in runs.current {
            if item_key(item)? == replacement {
                // Someone else merged in this round, and may be removing what that replaces.
                return Ok(());
            }
            let Some(run) = run_key(key.hour, item) else { continue };
            if run.round > round {
                // This round is long complete. What it merged would sort before a major run since, and count no more.
                return Ok(());
            }
            let is_major = matches!(run.kind, RunKind::Major { .. });
            if !is_major && read_binary(item, DATA)?.len() < SMALL_RUN_BYTES {
                small.push(item);
            }
        }
        if small.len() < 2 {
            return Ok(());
        }
        let mut merged: HourEntries<K, V> = HourEntries::new();
        for item in &small {
            merge(&mut merged, read_packed(item)?);
        }
        // The merged run is stored before what it replaces goes, so entries are there twice but never missing.
        self.store.put(self.run_item(index, merged_key, &merged, kept)?).await?;
        self.delete(small.into_iter().map(item_key).collect::<Result<_, _>>()?).await
    }

    /// The item of a run, which is kept as long as what it lists.
    fn run_item<K: Serialize, V: Serialize>(
        &self,
        index: Index,
        key: RunKey,
        entries: &HourEntries<K, V>,
        kept: Kept,
    ) -> Result<Item, StoreError> {
        let mut item = run_item(key.key(self.project, index), entries)?;
        kept.note(&mut item, key.hour.day());
        Ok(item)
    }

    /// The newest runs of an hour and generation as of now, the oldest first.
    async fn newest_runs(&self, index: Index, key: RunKey) -> Result<Vec<Item>, StoreError> {
        let query = Query::partition(keys::runs(self.project, index, key.hour.day()))
            .sort_keys(SortKeys::Prefix(key.generation_prefix()))
            .descending()
            .limit(NEWEST_RUNS)
            .strong();
        let mut items = self.store.query(query).await?;
        items.reverse();
        Ok(items)
    }
}

/// Removing what nobody reads.
impl Compaction<'_> {
    /// Removes the blocks and runs of all generations but those that the manifest names, and the segments that count in
    /// none, at most so many at once. The runs of a day are found by its blocks, and on the days given. Says whether
    /// nothing is left.
    ///
    /// Nobody must be reading a generation that is removed.
    pub async fn purge<D>(
        &self,
        tail: &Tail<D>,
        days: &BTreeSet<(Index, Day)>,
        limit: usize,
    ) -> Result<bool, StoreError> {
        let manifest = &tail.manifest;
        let (mut blocks, mut days) = (Vec::new(), days.clone());
        for measure in Measure::ALL {
            for key in self.keys_of(keys::blocks(self.project, measure.name())).await? {
                if let Some(block) = keys::parse_block(&key.sk).filter(|block| manifest.is_gone(block.generation)) {
                    days.extend(Index::ALL.map(|index| (index, block.day)));
                    blocks.push(key);
                }
            }
        }
        let mut gone = Vec::new();
        for (index, day) in days {
            let runs = self.keys_of(keys::runs(self.project, index, day)).await?;
            gone.extend(
                runs.into_iter()
                    .filter(|key| RunKey::parse(day, &key.sk).is_some_and(|run| manifest.is_gone(run.generation))),
            );
        }
        // Runs go first: once the blocks are gone, nothing tells their days.
        gone.append(&mut blocks);
        let is_complete = tail.obsolete.len() + gone.len() <= limit;
        let segments = tail.obsolete.len().min(limit);
        gone.truncate(limit - segments);
        let deleted = self.delete_segments(tail.obsolete[..segments].iter()).await?;
        self.delete(gone).await?;
        Ok(is_complete && deleted.len() == segments)
    }

    /// Removes what belongs to generations that nobody reads, once no request is under way that found one of them shown, and has
    /// the manifest forget them. One of them may never have been shown.
    pub async fn forget_stale<D>(
        &self,
        tail: &Tail<D>,
        days: &BTreeSet<(Index, Day)>,
        never_shown: Option<Generation>,
    ) -> Result<(), StoreError> {
        let stale = &tail.manifest.stale;
        if stale.iter().any(|generation| Some(*generation) != never_shown) {
            tokio::time::sleep(self.grace).await;
        }
        self.purge(tail, days, usize::MAX).await?;
        let mut before = tail.manifest.clone();
        loop {
            let mut after = before.clone();
            after.stale.retain(|generation| !stale.contains(generation));
            if after == before || self.put(&before, &after).await? {
                return Ok(());
            }
            before = self.finish_rounds().await?.manifest;
        }
    }

    async fn keys_of(&self, partition: String) -> Result<Vec<Key>, StoreError> {
        self.store.query(Query::partition(partition).keys_only().strong()).await?.iter().map(item_key).collect()
    }
}

/// Removing what was erased.
impl Compaction<'_> {
    /// Removes for good what has been taken out of the figures and indexes of some days: merges every segment there is,
    /// removes them, and leaves in runs and blocks no removal and no key that nothing counts at. What was taken out is still in
    /// generations that nobody reads, as a rebuild leaves one that stopped: they go.
    pub async fn expunge(&self, days: &BTreeSet<Day>) -> Result<(), StoreError> {
        let segments: BTreeSet<String> = self.finish_rounds().await?.segments.into_iter().map(|one| one.id).collect();
        let is_known = |id: &String| segments.contains(id);
        loop {
            let tail = self.finish_rounds().await?;
            let is_merged = tail.segments.iter().all(|segment| segment.round.is_some() || !is_known(&segment.id));
            if is_merged {
                break;
            }
            self.next_round(tail, Due::Any).await?;
        }
        loop {
            tokio::time::sleep(self.grace).await;
            let tail = self.finish_rounds().await?;
            if !tail.segments.iter().any(|segment| is_known(&segment.id)) {
                break;
            }
            let rounds = self.remove_merged(&tail, Keep::Nothing).await?.remaining;
            self.put(&tail.manifest, &Manifest { rounds, ..tail.manifest.clone() }).await?;
        }
        tokio::time::sleep(self.grace).await;
        for days in days.iter().copied().collect::<Vec<_>>().chunks(MAX_EXPUNGED_DAYS) {
            while !self.begin_expunging(days).await? {}
            self.finish_rounds().await?;
        }
        let tail = self.finish_rounds().await?;
        if !tail.manifest.stale.is_empty() {
            self.forget_stale(&tail, &BTreeSet::new(), None).await?;
        }
        Ok(())
    }

    async fn begin_expunging(&self, days: &[Day]) -> Result<bool, StoreError> {
        let before = self.finish_rounds().await?.manifest;
        self.put(&before, &before.expunge(days.to_vec())).await
    }

    async fn expunge_day(&self, generation: Generation, round: u64, day: Day, kept: Kept) -> Result<(), StoreError> {
        let merge = Merge { generation, round, takes_layers: false, kept };
        self.merge_hours::<SessionRef, SessionEntry>(Index::Sessions, merge, day).await?;
        self.merge_hours::<BatchRef, BatchEntry>(Index::Events, merge, day).await?;
        let blocks = Measure::ALL.into_iter().map(|measure| Ok(self.forget_emptied(measure, merge, day)));
        stream::iter(blocks).try_buffer_unordered(CONCURRENCY).try_collect::<Vec<()>>().await.map(|_| ())
    }

    /// Merges the runs of each hour of a day into major ones, without removals.
    ///
    /// Invariant *NothingComesBack*: no other round is under way, so all runs before the major ones are in them, and what a round before
    /// this one still writes counts no more.
    async fn merge_hours<K, V>(
        &self,
        index: Index,
        Merge { generation, round, kept, .. }: Merge,
        day: Day,
    ) -> Result<(), StoreError>
    where
        K: Ord + Clone + Serialize + DeserializeOwned,
        V: Clone + Serialize + DeserializeOwned,
    {
        let items = self.store.query(Query::partition(keys::runs(self.project, index, day)).strong()).await?;
        for hour in day.hours() {
            let runs = runs_of(&items, hour, generation)?;
            let is_earlier = |item: &&Item| run_key(hour, item).is_some_and(|key| key.round <= round);
            let current: Vec<&Item> = runs.current.into_iter().filter(is_earlier).collect();
            let mut merged: HourEntries<K, V> = HourEntries::new();
            for item in &current {
                merge(&mut merged, read_packed(item)?);
            }
            let count = merged.len();
            merged.retain(|_, versioned| versioned.value.is_some());
            if merged.len() == count && runs.replaced.is_empty() {
                continue;
            }
            let key = RunKey { hour, generation, round, kind: RunKind::Plain };
            let majors = self.major_runs(index, key, merged, kept)?;
            let new: Vec<Key> = majors.iter().map(item_key).collect::<Result<_, _>>()?;
            // The first part makes them count in place of what was there, so it is stored last.
            for item in majors.into_iter().rev() {
                self.store.put(item).await?;
            }
            let old = current.into_iter().chain(runs.replaced).map(item_key).collect::<Result<Vec<_>, _>>()?;
            self.delete(old.into_iter().filter(|key| !new.contains(key)).collect()).await?;
        }
        Ok(())
    }

    /// The items of a major run, in parts that fit into an item each.
    pub fn major_runs<K, V>(
        &self,
        index: Index,
        key: RunKey,
        entries: HourEntries<K, V>,
        kept: Kept,
    ) -> Result<Vec<Item>, StoreError>
    where
        K: Ord + Clone + Serialize,
        V: Serialize,
    {
        let is_empty = entries.is_empty();
        let (mut items, mut rest) = (Vec::new(), vec![entries]);
        while let Some(mut part) = rest.pop() {
            let kind = RunKind::Major { part: items.len() as u32 };
            let mut item = self.run_item(index, RunKey { kind, ..key }, &part, kept)?;
            if read_binary(&item, DATA)?.len() > MAX_MERGED_BYTES
                && part.len() > 1
                && let Some(middle) = part.keys().nth(part.len() / 2).cloned()
            {
                let second = part.split_off(&middle);
                rest.extend([second, part]);
                continue;
            }
            if is_empty {
                item.insert(EXPIRES.to_owned(), number((self.clock.now().0 + EMPTY_RUN_MS) / 1000));
            }
            items.push(item);
        }
        Ok(items)
    }

    /// Drops the keys of a block at which nothing is counted any more.
    async fn forget_emptied(
        &self,
        measure: Measure,
        Merge { generation, round, kept, .. }: Merge,
        day: Day,
    ) -> Result<(), StoreError> {
        for _ in 0..MAX_TRIES {
            let Some(mut before) = self.block(measure, generation, day).await? else { return Ok(()) };
            let mut rows = std::mem::take(&mut before.rows);
            // A layer may hold a key that another one takes out again.
            let is_emptied = measure.forget_emptied(&mut rows) || before.has_layers();
            if before.round >= round || !is_emptied {
                return Ok(());
            }
            let new = NewBlock { round, is_based: before.is_based, kept, rows };
            if block::write(self.store, self.project, measure, generation, day, Some(&before), new).await? {
                return Ok(());
            }
        }
        Err(self.kept_changing(measure, day))
    }
}

/// The merged segments that stay for others to be stored in their place: the newest ones, as far as there is room.
fn kept(tail: &Tail<Item>, now: Millis, grace: Duration) -> BTreeSet<String> {
    let replaceable = tail.manifest.replaceable(now, grace);
    let is_replaceable = |segment: &&Segment<Item>| replaceable.contains(segment.id.as_str());
    let merged = tail.segments.iter().filter(|segment| segment.round.is_some());
    let (mut replaceable, others): (Vec<_>, Vec<_>) = merged.partition(is_replaceable);
    replaceable.sort_by_key(|segment| Reverse(segment.round));
    let mut bytes: usize = others.into_iter().map(|segment| segment.size).sum();
    let newest = replaceable.into_iter().take_while(|segment| {
        bytes += segment.size;
        bytes <= MAX_MERGED_TAIL_BYTES
    });
    newest.map(|segment| segment.id.clone()).collect()
}

/// The bytes of merged segments, but for some.
fn merged_bytes(tail: &Tail<Item>, but: &BTreeSet<String>) -> usize {
    let merged = tail.segments.iter().filter(|segment| segment.round.is_some() && !but.contains(&segment.id));
    merged.map(|segment| segment.size).sum()
}

/// A block's rows with what a round changes, segment by segment.
fn merged(measure: Measure, mut rows: Rows, changes: &[&Rows]) -> Rows {
    changes.iter().for_each(|change| rows.add_all(change));
    measure.trim_for_storage(&mut rows);
    rows
}

fn run_key(hour: Hour, item: &Item) -> Option<RunKey> {
    read_text(item, SK).ok().and_then(|sort_key| RunKey::parse(hour.day(), sort_key))
}

/// The item of a run.
pub fn run_item<K: Serialize, V: Serialize>(key: Key, entries: &HourEntries<K, V>) -> Result<Item, StoreError> {
    let mut item = key_item(&key);
    item.insert(DATA.to_owned(), binary(codec::pack(entries)?));
    Ok(item)
}

#[cfg(test)]
#[path = "../tests/common/mod.rs"]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
pub(crate) mod common;

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;
    use figures::log::Delta;
    use figures::log::index::Versioned;
    use figures::log::tail::segment_items;
    use figures::table::store::REV;

    /// A writer of an old round that goes on after an erasure and more rounds takes no run out of what counts.
    #[tokio::test]
    async fn a_writer_of_an_old_round_merges_nothing() {
        let (store, project): (Store, ProjectId) = (common::store().await, "demo".parse().unwrap());
        let own = OwnSegments::default();
        let compaction = Compaction::new(&store, &project, Duration::ZERO, &Clock::System, &own, None);
        let (index, hour) = (Index::Sessions, Hour(0));
        let key = |round, kind| RunKey { hour, generation: Generation::FIRST, round, kind };
        let entries = |of: u8| HourEntries::from([(of, Versioned { rev: 1, value: Some(of) })]);
        let old = MERGED_ROUNDS;
        let later = old as u8 + 2..2 * old as u8;
        let major = compaction
            .major_runs(index, key(old + 1, RunKind::Plain), HourEntries::<u8, u8>::new(), Kept::default())
            .unwrap();
        let plain = later
            .clone()
            .map(|of| run_item(key(of.into(), RunKind::Plain).key(&project, index), &entries(of)).unwrap());
        for item in major.into_iter().chain(plain) {
            store.put(item).await.unwrap();
        }
        compaction.write_run(index, key(old, RunKind::Plain), entries(1), Kept::default()).await.unwrap();
        let query = Query::partition(keys::runs(&project, index, hour.day())).strong();
        let items = store.query(query).await.unwrap();
        let mut seen = HourEntries::<u8, u8>::new();
        for item in runs_of(&items, hour, Generation::FIRST).unwrap().current {
            merge(&mut seen, read_packed(item).unwrap());
        }
        assert_eq!(seen.into_keys().collect::<Vec<_>>(), later.collect::<Vec<_>>());
    }

    /// A compactor that looked at the tail before a segment was replaced removes what it read, and nothing else.
    #[tokio::test]
    async fn what_was_stored_in_place_of_a_merged_segment_is_not_removed_for_it() {
        let (store, project): (Store, ProjectId) = (common::store().await, "demo".parse().unwrap());
        let own = OwnSegments::default();
        let compaction = Compaction::new(&store, &project, Duration::ZERO, &Clock::System, &own, None);
        let segment = |revision: u64| {
            let mut items = segment_items(&project, Millis(1), 1, Generation::FIRST, Delta::default()).unwrap();
            items[0].insert(REV.to_owned(), number(revision));
            items.remove(0)
        };
        for stored in [1, 2] {
            store.put(segment(1)).await.unwrap();
            let tail = Tail::load(&store, &project).await.unwrap();
            let complete = Manifest::default()
                .begin_round(Vec::new(), tail.segments.iter().map(|segment| segment.id.clone()).collect(), Millis(1))
                .complete(1, Millis(1));
            let tail = tail.followed_by(complete, &BTreeSet::new());
            store.put(segment(stored)).await.unwrap();
            let removed = compaction.remove_merged(&tail, Keep::Nothing).await.unwrap();
            assert_eq!((removed.gone.len(), removed.remaining.len()), (1, 0), "it is gone either way");
            let left = Tail::load(&store, &project).await.unwrap().segments;
            let left: Vec<&str> = left.iter().map(|segment| segment.id.as_str()).collect();
            assert_eq!(left.len(), usize::from(stored == 2), "{left:?}");
        }
    }

    /// However many rounds an hour has, each of them reads and writes the runs of a few.
    #[tokio::test]
    async fn runs_are_merged_once() {
        let (store, project): (Store, ProjectId) = (common::store().await, "demo".parse().unwrap());
        let own = OwnSegments::default();
        let compaction = Compaction::new(&store, &project, Duration::ZERO, &Clock::System, &own, None);
        let (index, hour) = (Index::Sessions, Hour(0));
        let mut most = 0.0_f64;
        for round in 1..=400 {
            let key = RunKey { hour, generation: Generation::FIRST, round, kind: RunKind::Plain };
            let of: Vec<u64> = (0..100).map(|_| figures::random::number().unwrap()).collect();
            let entries: HourEntries<u64, u8> =
                of.into_iter().map(|of| (of, Versioned { rev: 1, value: Some(0) })).collect();
            let before = store.consumed();
            compaction.write_run(index, key, entries, Kept::default()).await.unwrap();
            let after = store.consumed();
            most = most.max(after.read_units - before.read_units);
            assert!(after.write_units - before.write_units <= 30.0, "{round}");
        }
        assert!(most <= 60.0, "{most}");
        let items = store.query(Query::partition(keys::runs(&project, index, hour.day())).strong()).await.unwrap();
        let (mut seen, count) = (HourEntries::<u64, u8>::new(), items.len());
        for item in &items {
            merge(&mut seen, read_packed(item).unwrap());
        }
        assert_eq!(seen.len(), 40_000);
        assert!(count <= 60, "{count}");
    }

    /// An hour that some rounds add to, as visitors come back whose last session it has, is read in few runs all the same.
    #[tokio::test]
    async fn an_hour_that_rounds_add_to_now_and_then_has_few_runs() {
        let (store, project): (Store, ProjectId) = (common::store().await, "demo".parse().unwrap());
        let own = OwnSegments::default();
        let compaction = Compaction::new(&store, &project, Duration::ZERO, &Clock::System, &own, None);
        let (index, hour) = (Index::Sessions, Hour(0));
        let (mut round, mut random) = (0, 1_u64);
        for of in 0..400_u64 {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            round += 1 + (random >> 33) % 19;
            let key = RunKey { hour, generation: Generation::FIRST, round, kind: RunKind::Plain };
            let entries = HourEntries::from([(of, Versioned { rev: 1, value: Some(0_u8) })]);
            compaction.write_run(index, key, entries, Kept::default()).await.unwrap();
        }
        let items = store.query(Query::partition(keys::runs(&project, index, hour.day())).strong()).await.unwrap();
        assert!(items.len() <= 30, "{} runs of 400 entries", items.len());
    }
}
