//! Compaction: merges a project's segments into blocks and runs, in rounds (see [`shared::derived::tail`]).
//!
//! A manifest that is refused was overtaken by another compactor's: the next look at the tail goes on from there.

use std::collections::{BTreeMap, BTreeSet};

use futures::stream::{self, StreamExt, TryStreamExt};
use serde::Serialize;
use serde::de::DeserializeOwned;

use shared::codec;
use shared::dates::DateRange;
use shared::derived::block::{self, Found, Reading};
use shared::derived::index::{Entries, HourEntries, merge};
use shared::derived::tail::{Manifest, Round, Tail, manifest_item};
use shared::derived::{Index, Measure, Rows};
use shared::ids::ProjectId;
use shared::keys;
use shared::store::{
    DATA, Item, Query, SortKeys, Store, StoreError, binary, item_key, key_item, read_binary, read_packed,
};
use shared::time::{Day, Hour, Millis};

/// A tail of so many segments, or so many bytes, is compacted: every reader reads the whole tail, so
/// this bounds what it costs to some 8 read units.
const MAX_SEGMENTS: usize = 64;
const MAX_TAIL_BYTES: usize = 32 << 10;

/// A round merges at most so many bytes of segments, so that no block or run outgrows an item.
const MAX_ROUND_BYTES: usize = 192 << 10;

/// Merged segments stay for so many milliseconds: a reader that began before the round still counts on them.
pub const GRACE_MS: i64 = 5_000;

/// An hour with so many runs gets them merged into one.
const MAX_RUNS: usize = 6;
/// A run above this size is merged no further.
const MAX_RUN_BYTES: usize = 150 << 10;
/// Runs are merged into one of at most about this size: DynamoDB's items end at 400 KB.
const MAX_MERGED_BYTES: usize = 300 << 10;

/// Writes of a round that are under way at once.
const CONCURRENCY: usize = 8;

/// Tries at a block that other writers of the same round are writing too.
const MAX_TRIES: usize = 8;

/// What a look at a tail leaves to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Left {
    /// Nothing, until there is more in it.
    Nothing,
    /// Merged segments that should be removed once [`GRACE_MS`] are over.
    Merged,
}

/// Compacts a project's tail if it has grown past its bounds, round by round.
pub async fn compact(store: &Store, project: &ProjectId) -> Result<Left, StoreError> {
    loop {
        let tail = Tail::load(store, project).await?;
        match tail.manifest.rounds.last().filter(|round| round.done_at.is_none()) {
            Some(round) => carry_out(store, project, &tail, round).await?,
            None if begin_round(store, project, &tail).await? => {}
            None => return remove_lingering(store, project, &tail).await,
        }
    }
}

/// Removes merged segments before the next round does, if they are so many that readers should not wait for it: a
/// large import leaves those of several rounds behind.
async fn remove_lingering(store: &Store, project: &ProjectId, tail: &Tail) -> Result<Left, StoreError> {
    let merged = tail.segments.iter().filter(|segment| segment.round.is_some());
    if merged.map(|segment| segment.size).sum::<usize>() <= MAX_TAIL_BYTES {
        return Ok(Left::Nothing);
    }
    let rounds = remove_merged(store, project, tail).await?;
    let left = if rounds.is_empty() { Left::Nothing } else { Left::Merged };
    if rounds.len() < tail.manifest.rounds.len() {
        let _ = store.put_at(manifest_item(project, tail.round, &Manifest { rounds })?, Some(tail.round)).await?;
    }
    Ok(left)
}

/// Begins the next round if the segments of none are long enough for one.
async fn begin_round(store: &Store, project: &ProjectId, tail: &Tail) -> Result<bool, StoreError> {
    let rest = || tail.segments.iter().filter(|segment| segment.round.is_none());
    let bytes: usize = rest().map(|segment| segment.size).sum();
    if rest().count() < MAX_SEGMENTS && bytes < MAX_TAIL_BYTES {
        return Ok(false);
    }
    let mut rounds = remove_merged(store, project, tail).await?;
    let mut size = 0;
    let chosen = rest().take_while(|segment| {
        size += segment.size;
        size <= MAX_ROUND_BYTES.max(segment.size)
    });
    let segments = chosen.map(|segment| segment.id.clone()).collect();
    rounds.push(Round { number: tail.round + 1, segments, done_at: None });
    let previous = (tail.round > 0).then_some(tail.round);
    let _ = store.put_at(manifest_item(project, tail.round + 1, &Manifest { rounds })?, previous).await?;
    Ok(true)
}

/// Removes the segments of rounds that no reader can be behind any more; the other rounds remain.
async fn remove_merged(store: &Store, project: &ProjectId, tail: &Tail) -> Result<Vec<Round>, StoreError> {
    let now = Millis::now();
    let is_over = |round: &Round| round.done_at.is_some_and(|done_at| now.0 - done_at.0 >= GRACE_MS);
    let (over, remaining): (Vec<Round>, Vec<Round>) = tail.manifest.rounds.iter().cloned().partition(is_over);
    let over: BTreeSet<u64> = over.iter().map(|round| round.number).collect();
    let merged = tail.segments.iter().filter(|segment| segment.round.is_some_and(|round| over.contains(&round)));
    let keys: Vec<_> = merged.map(|segment| keys::Key { pk: keys::tail(project), sk: segment.id.clone() }).collect();
    stream::iter(&keys)
        .map(|key| Ok(store.delete(key)))
        .try_buffer_unordered(CONCURRENCY)
        .try_collect::<Vec<()>>()
        .await?;
    Ok(remaining)
}

/// Merges the segments of the round under way. Anyone may do so, again and at the same time.
async fn carry_out(store: &Store, project: &ProjectId, tail: &Tail, round: &Round) -> Result<(), StoreError> {
    let mut counters: BTreeMap<(Measure, Day), Vec<&Rows>> = BTreeMap::new();
    let (mut sessions, mut events) = (Entries::default(), Entries::default());
    for segment in tail.segments.iter().filter(|segment| segment.round == Some(round.number)) {
        for (place, rows) in segment.delta.counters.iter() {
            counters.entry(place).or_default().push(rows);
        }
        sessions.merge(segment.delta.sessions.clone());
        events.merge(segment.delta.events.clone());
    }
    stream::iter(counters)
        .map(|((measure, day), rows)| Ok(merge_block(store, project, measure, day, round.number, rows)))
        .try_buffer_unordered(CONCURRENCY)
        .try_collect::<Vec<()>>()
        .await?;
    write_runs(store, project, Index::Sessions, round.number, sessions).await?;
    write_runs(store, project, Index::Events, round.number, events).await?;
    let mut rounds = tail.manifest.rounds.clone();
    if let Some(last) = rounds.last_mut() {
        last.done_at = Some(Millis::now());
    }
    let _ = store.put_at(manifest_item(project, tail.round, &Manifest { rounds })?, Some(tail.round)).await?;
    tracing::debug!(%project, round = round.number, segments = round.segments.len(), "compacted");
    Ok(())
}

async fn merge_block(
    store: &Store,
    project: &ProjectId,
    measure: Measure,
    day: Day,
    round: u64,
    deltas: Vec<&Rows>,
) -> Result<(), StoreError> {
    let Some(range) = DateRange::new(day, day) else { return Ok(()) };
    for _ in 0..MAX_TRIES {
        let mut blocks = match block::read::<Rows>(store, project, measure, range, Reading::Strong).await? {
            Found::Blocks(blocks) => blocks,
            Found::Torn => continue,
        };
        let mut before = blocks.pop();
        if before.as_ref().is_some_and(|block| block.round >= round) {
            return Ok(());
        }
        let mut rows = before.as_mut().map(|block| std::mem::take(&mut block.rows)).unwrap_or_default();
        for delta in &deltas {
            rows.add_all(delta, measure.are_keys_limited());
        }
        rows.prune_in_place();
        measure.trim(&mut rows);
        if block::write(store, project, measure, day, before.as_ref(), round, rows).await? {
            return Ok(());
        }
    }
    Err(StoreError::Unavailable(format!("the block of {} on {day} kept changing", measure.name())))
}

async fn write_runs<K, V>(
    store: &Store,
    project: &ProjectId,
    index: Index,
    round: u64,
    entries: Entries<K, V>,
) -> Result<(), StoreError>
where
    K: Ord + Clone + Serialize + DeserializeOwned,
    V: Clone + Serialize + DeserializeOwned,
{
    stream::iter(entries.0)
        .map(|(hour, entries)| Ok(write_run(store, project, index, round, hour, entries)))
        .try_buffer_unordered(CONCURRENCY)
        .try_collect::<Vec<()>>()
        .await
        .map(|_| ())
}

async fn write_run<K, V>(
    store: &Store,
    project: &ProjectId,
    index: Index,
    round: u64,
    hour: Hour,
    entries: HourEntries<K, V>,
) -> Result<(), StoreError>
where
    K: Ord + Clone + Serialize + DeserializeOwned,
    V: Clone + Serialize + DeserializeOwned,
{
    store.put(run_item(keys::run(project, index, hour, round), &entries)?).await?;
    let query = Query::partition(keys::runs(project, index, hour.day()))
        .sort_keys(SortKeys::Prefix(keys::run_hour(hour)))
        .strong();
    let runs = store.query(query).await?;
    let replacement = keys::merged_run(project, index, hour, round);
    let mut small: Vec<(usize, &Item)> = Vec::new();
    for item in &runs {
        if item_key(item)? == replacement {
            // Someone else merged in this round, and may be removing what that replaces.
            return Ok(());
        }
        let size = read_binary(item, DATA)?.len();
        small.extend((size < MAX_RUN_BYTES).then_some((size, item)));
    }
    if small.len() < MAX_RUNS {
        return Ok(());
    }
    small.sort_by_key(|(size, _)| *size);
    let mut merged_bytes = 0;
    let small = small.into_iter().take_while(|(size, _)| {
        merged_bytes += size;
        merged_bytes <= MAX_MERGED_BYTES
    });
    let small: Vec<&Item> = small.map(|(_, item)| item).collect();
    let mut merged: HourEntries<K, V> = HourEntries::new();
    for item in &small {
        merge(&mut merged, read_packed(item)?);
    }
    // The merged run is stored before what it replaces goes, so entries are there twice but never missing.
    store.put(run_item(replacement, &merged)?).await?;
    for item in small {
        store.delete(&item_key(item)?).await?;
    }
    Ok(())
}

pub fn run_item<K: Serialize, V: Serialize>(key: keys::Key, entries: &HourEntries<K, V>) -> Result<Item, StoreError> {
    let mut item = key_item(&key);
    item.insert(DATA.to_owned(), binary(codec::pack(entries)?));
    Ok(item)
}
