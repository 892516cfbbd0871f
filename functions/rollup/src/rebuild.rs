//! Rebuilding everything derived from the stored batches, or telling what differs.
//!
//! Consumers pause while it goes on: batches are still taken and wait in the stream. Each visitor's
//! history is replayed and what differs is written. Then the blocks are replaced in a round of compaction that lists
//! all segments of the tail: each block goes from the old figures to the rebuilt ones at once, and
//! if the rebuild stops in between, compaction takes the round up as one of its own.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

use aws_sdk_dynamodb::error::ProvideErrorMetadata;
use aws_sdk_dynamodb::types::ReturnConsumedCapacity;
use futures::stream::{self, StreamExt, TryStreamExt};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::history::{History, Project};
use crate::{Consumer, compaction};
use shared::derived::block::{self, Block};
use shared::derived::distinct::SeenDays;
use shared::derived::index::{Entries, HourEntries, merge};
use shared::derived::tail::{Manifest, Round, Tail, manifest_item};
use shared::derived::{Delta, Index, Measure, Rows};
use shared::ids::{ProjectId, SessionId, VisitorId};
use shared::keys::{self, Key};
use shared::model::{Batch, Session, Visitor};
use shared::store::{
    Item, PK, Query, REV, SK, Store, StoreError, Write, failure, item_key, number, read_number, read_packed, read_text,
};
use shared::time::{Day, Hour, Millis};

/// The attribute of a project's item that pauses consumers until an instant.
const PAUSED_UNTIL: &str = "paused_until";
/// How long a pause lasts unless it is prolonged: a rebuild that died blocks nobody for longer.
const PAUSE_MS: i64 = 60_000;
/// A consumer that read the project before the pause may still write for so long.
const STRAGGLERS: Duration = Duration::from_secs(6);

/// A batch stored so shortly before the pause may wait in the stream: the consumer counts it afterwards. An
/// older one that is in no state was lost on the way, and the rebuild counts it.
const IN_STREAM_MS: i64 = 60_000;

/// Visitors replayed at once.
const CONCURRENCY: usize = 8;

/// How far a rebuild is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// Waits until consumers have paused.
    Pausing,
    /// Looks for visitors; so many items were seen.
    Scanning(usize),
    /// So many visitors of so many are replayed.
    Replaying(usize, usize),
    /// Compares and writes figures and indexes.
    Figures,
}

/// What differed from what the stored batches say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Differences {
    /// Visitors whose items differed.
    pub visitors: Vec<VisitorId>,
    /// Lookups of sessions that don't exist.
    pub lookups: usize,
    /// Segments that can't be read.
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
}

/// Refuses to go on while a project's figures are being rebuilt.
pub fn check_pause(project: Option<&Item>) -> Result<(), StoreError> {
    let until = project.and_then(|item| read_number::<i64>(item, PAUSED_UNTIL).ok()).unwrap_or_default();
    match until > Millis::now().0 {
        true => Err(StoreError::Unavailable("the project's figures are being rebuilt".to_owned())),
        false => Ok(()),
    }
}

impl Consumer {
    /// Computes everything derived from the stored batches and writes what differs; with `is_check` it writes nothing.
    pub async fn rebuild(
        &self,
        id: &ProjectId,
        is_check: bool,
        report: impl Fn(Progress) + Sync,
    ) -> Result<Differences, StoreError> {
        let project = self.project(id.clone()).await?;
        report(Progress::Pausing);
        self.pause(id, PAUSE_MS).await?;
        tokio::time::sleep(STRAGGLERS).await;
        let in_stream_since = Millis::now().plus(-IN_STREAM_MS);
        let rebuild = Rebuild { consumer: self, project: &project, is_check, in_stream_since };
        let work = rebuild.run(&report);
        let prolong = async {
            loop {
                tokio::time::sleep(Duration::from_millis(PAUSE_MS as u64 / 4)).await;
                if let Err(error) = self.pause(id, PAUSE_MS).await {
                    return error;
                }
            }
        };
        tokio::pin!(work);
        let outcome = tokio::select! {
            outcome = &mut work => outcome,
            error = prolong => Err(error),
        };
        self.pause(id, 0).await?;
        outcome
    }

    /// Pauses consumers of a project for a while; for 0 ms it lets them go on.
    async fn pause(&self, project: &ProjectId, ms: i64) -> Result<(), StoreError> {
        self.store
            .client()
            .update_item()
            .table_name(self.store.table())
            .set_key(Some(shared::store::key_item(&keys::project(project))))
            .update_expression("SET #until = :until")
            .condition_expression("attribute_exists(#pk)")
            .expression_attribute_names("#pk", PK)
            .expression_attribute_names("#until", PAUSED_UNTIL)
            .expression_attribute_values(":until", number(Millis::now().0 + ms))
            .send()
            .await
            .map(|_| ())
            .map_err(|error| match error.code() {
                Some("ConditionalCheckFailedException") => {
                    StoreError::Failed(format!("there is no project {project}: see `identity project list`"))
                }
                _ => failure(error),
            })
    }
}

struct Rebuild<'a> {
    consumer: &'a Consumer,
    project: &'a Project,
    is_check: bool,
    in_stream_since: Millis,
}

/// The keys of a project that can't be listed from its batches.
#[derive(Debug, Default)]
struct Scanned {
    visitors: BTreeSet<VisitorId>,
    lookups: BTreeSet<(SessionId, VisitorId)>,
    index_days: BTreeSet<(Index, Day)>,
}

impl Rebuild<'_> {
    async fn run(&self, report: &(impl Fn(Progress) + Sync)) -> Result<Differences, StoreError> {
        let scanned = self.scan(report).await?;
        let mut differences = Differences::default();
        let (mut total, mut lookups) = (Delta::default(), BTreeSet::new());
        let count = scanned.visitors.len();
        let mut replays = stream::iter(&scanned.visitors)
            .map(async |visitor| self.replay(visitor).await.map(|replay| (visitor, replay)))
            .buffer_unordered(CONCURRENCY);
        let mut done = 0;
        while let Some((visitor, replay)) = replays.try_next().await? {
            done += 1;
            report(Progress::Replaying(done, count));
            if replay.differed {
                differences.visitors.push(visitor.clone());
            }
            lookups.extend(replay.sessions.into_iter().map(|session| (session, visitor.clone())));
            total.add_all(&replay.delta);
        }
        differences.visitors.sort_unstable();
        report(Progress::Figures);
        for (session, visitor) in scanned.lookups.difference(&lookups) {
            differences.lookups += 1;
            if !self.is_check {
                self.store().delete(&keys::session_lookup(&self.project.id, session, visitor)).await?;
            }
        }
        self.figures(total, &scanned.index_days, &mut differences).await?;
        Ok(differences)
    }

    fn store(&self) -> &Store {
        self.consumer.store()
    }

    /// Lists what the table holds of the project, by keys alone.
    async fn scan(&self, report: &(impl Fn(Progress) + Sync)) -> Result<Scanned, StoreError> {
        let (mut scanned, mut seen, mut from) = (Scanned::default(), 0, None);
        loop {
            let page = self
                .store()
                .client()
                .scan()
                .table_name(self.store().table())
                .projection_expression("#pk, #sk")
                .filter_expression("begins_with(#pk, :project)")
                .expression_attribute_names("#pk", PK)
                .expression_attribute_names("#sk", SK)
                .expression_attribute_values(":project", shared::store::text(keys::project_prefix(&self.project.id)))
                .set_exclusive_start_key(from)
                .return_consumed_capacity(ReturnConsumedCapacity::None)
                .send()
                .await
                .map_err(failure)?;
            seen += page.scanned_count() as usize;
            report(Progress::Scanning(seen));
            for item in page.items() {
                let (pk, sk) = (read_text(item, PK)?, read_text(item, SK)?);
                scanned.visitors.extend(keys::parse_visitor(&self.project.id, pk));
                scanned.lookups.extend(keys::parse_session_lookup(&self.project.id, pk, sk));
                scanned.index_days.extend(keys::parse_runs(&self.project.id, pk));
            }
            from = page.last_evaluated_key;
            if from.is_none() {
                return Ok(scanned);
            }
        }
    }

    /// Replays a visitor's batches, and writes its items where they differ.
    async fn replay(&self, visitor: &VisitorId) -> Result<Replay, StoreError> {
        let partition = keys::visitor_partition(&self.project.id, visitor);
        let items = self.store().query(Query::partition(partition).strong()).await?;
        let tombstone = keys::tombstone(&self.project.id, visitor);
        if self.store().get(&tombstone, shared::store::Consistency::Strong).await?.is_some() {
            return self.bury(items).await;
        }
        let visitor_key = keys::visitor(&self.project.id, visitor);
        let (mut batches, mut stored) = (Vec::new(), BTreeMap::new());
        for item in items {
            let key = item_key(&item)?;
            if keys::parse_batch(&key.pk, &key.sk).is_some() {
                match Batch::from_item(&item) {
                    Ok(batch) => batches.push(batch),
                    Err(error @ StoreError::Unavailable(_)) => return Err(error),
                    Err(error) => tracing::error!(pk = key.pk, sk = key.sk, %error, "a stored batch can't be read"),
                }
            } else {
                stored.insert(key, item);
            }
        }
        let applied = State::read(&stored).map(|state| state.applied).ok();
        batches.retain(|batch| {
            let is_applied = |applied: &BTreeMap<SessionId, BTreeSet<u64>>| {
                applied.get(&batch.session_id).is_some_and(|of_session| of_session.contains(&batch.fingerprint()))
            };
            batch.stored_at < self.in_stream_since || applied.as_ref().is_none_or(is_applied)
        });
        batches.sort_by_key(Batch::stored_order);
        let mut history = History::new(self.store(), self.project, visitor.clone(), None)?;
        for batch in batches {
            history.apply(batch).await?;
        }
        let sessions = history.session_ids();
        let Some(change) = history.finish().await? else {
            return self.replace(stored, Vec::new(), Replay::default()).await;
        };
        let revision = stored.get(&visitor_key).and_then(|item| read_number::<u64>(item, REV).ok()).unwrap_or_default();
        let mut delta = change.delta;
        delta.sessions.revise(revision);
        delta.events.revise(revision);
        let rebuilt = change.writes.into_iter().filter_map(|write| match write {
            Write::PutAt(mut item, _) => {
                item.insert(REV.to_owned(), number(revision + 1));
                Some(item)
            }
            Write::Put(item) => Some(item),
            Write::Delete(_) | Write::DeleteAt(..) => None,
        });
        self.replace(stored, rebuilt.collect(), Replay { delta, sessions, differed: false }).await
    }

    /// Writes what differs between the stored items of a visitor and the rebuilt ones.
    async fn replace(
        &self,
        stored: BTreeMap<Key, Item>,
        rebuilt: Vec<Item>,
        replay: Replay,
    ) -> Result<Replay, StoreError> {
        let rebuilt: BTreeMap<Key, Item> =
            rebuilt.into_iter().map(|item| Ok((item_key(&item)?, item))).collect::<Result<_, StoreError>>()?;
        let lookups: Vec<Key> = rebuilt.keys().filter(|key| keys::is_session_lookup(key)).cloned().collect();
        let stored_lookups = self.store().get_many(lookups, shared::store::Consistency::Strong).await?;
        let mut all_stored = stored;
        all_stored.extend(stored_lookups);
        if State::read(&all_stored).is_ok_and(|was| State::read(&rebuilt).is_ok_and(|now| was == now)) {
            return Ok(replay);
        }
        if !self.is_check {
            for key in all_stored.keys().filter(|key| !rebuilt.contains_key(key)) {
                self.store().delete(key).await?;
            }
            for item in rebuilt.into_values() {
                self.store().put(item).await?;
            }
        }
        Ok(Replay { differed: true, ..replay })
    }

    /// Deletes what is left of an erased visitor.
    async fn bury(&self, items: Vec<Item>) -> Result<Replay, StoreError> {
        if !self.is_check {
            for item in &items {
                self.store().delete(&item_key(item)?).await?;
            }
        }
        Ok(Replay { differed: !items.is_empty(), ..Replay::default() })
    }

    /// Compares figures and indexes with the rebuilt ones, and replaces them.
    async fn figures(
        &self,
        mut total: Delta,
        index_days: &BTreeSet<(Index, Day)>,
        differences: &mut Differences,
    ) -> Result<(), StoreError> {
        let (tail, unreadable) = Tail::load_readable(self.store(), &self.project.id).await?;
        differences.segments = unreadable;
        total.counters.prune();
        let stored = self.stored_blocks(differences).await?;
        let rebuilt = rebuilt_rows(&total);
        for place in stored.keys().chain(rebuilt.keys()).collect::<BTreeSet<_>>() {
            let (measure, day) = *place;
            let was = with_tail(&tail, measure, day, stored.get(place));
            let now = rebuilt.get(place).cloned().unwrap_or_default();
            if measure.comparable(was) != measure.comparable(now) {
                differences.figures.push(*place);
            }
        }
        for place in tail_places(&tail) {
            if !stored.contains_key(&place) && !rebuilt.contains_key(&place) {
                let was = with_tail(&tail, place.0, place.1, None);
                if place.0.comparable(was) != Rows::default() {
                    differences.figures.push(place);
                }
            }
        }
        differences.figures.sort_unstable();
        differences.figures.dedup();
        if !self.is_check {
            self.replace_blocks(&tail, stored, rebuilt).await?;
        }
        let days = |index| index_days.iter().filter(move |(of, _)| *of == index).map(|(_, day)| *day);
        let (sessions, events) = (Index::Sessions, Index::Events);
        let tails = &tail.segments;
        self.index(
            sessions,
            days(sessions),
            tails.iter().map(|s| &s.delta.sessions),
            &total.sessions,
            tail.round + 1,
            differences,
        )
        .await?;
        self.index(
            events,
            days(events),
            tails.iter().map(|s| &s.delta.events),
            &total.events,
            tail.round + 1,
            differences,
        )
        .await?;
        if !self.is_check {
            let rounds = vec![replacing_round(&tail, Some(Millis::now()))];
            let done = manifest_item(&self.project.id, tail.round + 1, &Manifest { rounds })?;
            self.store().put_at(done, Some(tail.round + 1)).await?;
        }
        Ok(())
    }

    /// The stored blocks. Those that can't be read differ from whatever they should be.
    async fn stored_blocks(
        &self,
        differences: &mut Differences,
    ) -> Result<BTreeMap<(Measure, Day), Block>, StoreError> {
        let mut stored = BTreeMap::new();
        for measure in Measure::ALL {
            for found in block::read_ever(self.store(), &self.project.id, measure).await? {
                match found.block {
                    Some(block) => {
                        stored.insert((measure, found.day), block);
                    }
                    None => {
                        differences.figures.push((measure, found.day));
                        if !self.is_check {
                            for key in &found.keys {
                                self.store().delete(key).await?;
                            }
                        }
                    }
                }
            }
        }
        Ok(stored)
    }

    /// Replaces every block, as a round that merges all segments.
    async fn replace_blocks(
        &self,
        tail: &Tail,
        stored: BTreeMap<(Measure, Day), Block>,
        mut rebuilt: BTreeMap<(Measure, Day), Rows>,
    ) -> Result<(), StoreError> {
        let round = replacing_round(tail, None);
        let number = round.number;
        let previous = (tail.round > 0).then_some(tail.round);
        let manifest = Manifest { rounds: vec![round] };
        if !self.store().put_at(manifest_item(&self.project.id, number, &manifest)?, previous).await? {
            return Err(StoreError::Unavailable("compaction went on during the rebuild: run it again".to_owned()));
        }
        let places: BTreeSet<_> = stored.keys().chain(rebuilt.keys()).copied().chain(tail_places(tail)).collect();
        for (measure, day) in places {
            let rows = rebuilt.remove(&(measure, day)).unwrap_or_default();
            let before = stored.get(&(measure, day));
            if !block::write(self.store(), &self.project.id, measure, day, before, number, rows).await? {
                return Err(StoreError::Unavailable("a block changed during the rebuild: run it again".to_owned()));
            }
        }
        Ok(())
    }

    /// Compares the hours of an index with the rebuilt ones, and replaces those that differ.
    async fn index<'t, K, V>(
        &self,
        index: Index,
        days: impl Iterator<Item = Day>,
        tail: impl Iterator<Item = &'t Entries<K, V>>,
        rebuilt: &Entries<K, V>,
        round: u64,
        differences: &mut Differences,
    ) -> Result<(), StoreError>
    where
        K: Ord + Clone + Serialize + DeserializeOwned + 't,
        V: Clone + PartialEq + Serialize + DeserializeOwned + 't,
    {
        let (mut stored, mut runs): (Entries<K, V>, HashMap<Hour, Vec<Key>>) = Default::default();
        for day in days {
            let items = self.store().query(Query::partition(keys::runs(&self.project.id, index, day)).strong()).await?;
            for item in &items {
                let key = item_key(item)?;
                let Some(hour) = keys::run_of(day, &key.sk) else { continue };
                // A run that can't be read holds nothing; it is replaced like one that is wrong.
                if let Ok(entries) = read_packed::<HourEntries<K, V>>(item) {
                    merge(stored.0.entry(hour).or_default(), entries);
                }
                runs.entry(hour).or_default().push(key);
            }
        }
        for entries in tail {
            stored.merge(entries.clone());
        }
        let hours: BTreeSet<Hour> = stored.0.keys().chain(rebuilt.0.keys()).chain(runs.keys()).copied().collect();
        for hour in hours {
            let now = rebuilt.0.get(&hour).cloned().unwrap_or_default();
            if visible(stored.0.get(&hour)) != visible(Some(&now)) {
                differences.hours.push((index, hour));
            }
            if !self.is_check {
                let replacement = keys::merged_run(&self.project.id, index, hour, round);
                if !now.is_empty() {
                    self.store().put(compaction::run_item(replacement.clone(), &now)?).await?;
                }
                for key in runs.get(&hour).into_iter().flatten().filter(|key| **key != replacement) {
                    self.store().delete(key).await?;
                }
            }
        }
        Ok(())
    }
}

/// What replaying a visitor gave.
#[derive(Debug, Default)]
struct Replay {
    delta: Delta,
    sessions: Vec<SessionId>,
    differed: bool,
}

fn replacing_round(tail: &Tail, done_at: Option<Millis>) -> Round {
    let segments = tail.segments.iter().map(|segment| segment.id.clone()).collect();
    Round { number: tail.round + 1, segments, done_at }
}

fn rebuilt_rows(total: &Delta) -> BTreeMap<(Measure, Day), Rows> {
    let limited = |measure: Measure, rows: &Rows| {
        let mut limited = Rows::default();
        limited.add_all(rows, measure.are_keys_limited());
        measure.trim(&mut limited);
        limited
    };
    total.counters.iter().map(|((measure, day), rows)| ((measure, day), limited(measure, rows))).collect()
}

fn with_tail(tail: &Tail, measure: Measure, day: Day, block: Option<&Block>) -> Rows {
    let mut rows = block.map(|block| block.rows.clone()).unwrap_or_default();
    let round = block.map_or(0, |block| block.round);
    for segment in tail.segments.iter().filter(|segment| segment.is_beyond(round)) {
        if let Some(delta) = segment.delta.counters.rows(measure, day) {
            rows.add_all(delta, measure.are_keys_limited());
        }
    }
    rows
}

fn tail_places(tail: &Tail) -> BTreeSet<(Measure, Day)> {
    tail.segments.iter().flat_map(|segment| segment.delta.counters.iter().map(|(place, _)| place)).collect()
}

/// The entries of an hour that readers see.
fn visible<K: Ord, V>(entries: Option<&HourEntries<K, V>>) -> BTreeMap<&K, &V> {
    let entries = entries.into_iter().flatten();
    entries.filter_map(|(key, versioned)| Some((key, versioned.value.as_ref()?))).collect()
}

/// A visitor's state whatever items it is spread over.
#[derive(Debug, PartialEq, Eq)]
struct State {
    visitor: Option<Visitor>,
    sessions: BTreeMap<SessionId, Session>,
    applied: BTreeMap<SessionId, BTreeSet<u64>>,
    lookups: BTreeMap<Key, (shared::model::batch::StoredOrder, Millis)>,
}

impl State {
    fn read(items: &BTreeMap<Key, Item>) -> Result<Self, StoreError> {
        let mut state =
            State { visitor: None, sessions: BTreeMap::new(), applied: BTreeMap::new(), lookups: BTreeMap::new() };
        let mut seen = SeenDays::default();
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
                Some(keys::VisitorItem::Seen) => seen.merge(read_packed(item)?),
                None => {
                    state.lookups.insert(key.clone(), read_packed(item)?);
                }
            }
        }
        if let Some(visitor) = &mut state.visitor {
            seen.merge(std::mem::take(&mut visitor.seen));
            (visitor.seen, visitor.has_seen_more) = (seen, false);
        }
        let latest = state.visitor.iter_mut().map(|visitor| &mut visitor.latest);
        for session in latest.chain(state.sessions.values_mut()) {
            let applied = std::mem::take(&mut session.applied);
            state.applied.entry(session.session_id.clone()).or_default().extend(applied.recent);
        }
        Ok(state)
    }
}
