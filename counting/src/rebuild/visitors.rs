//! Counting every visitor again, and healing the items of those that differ.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_dynamodb::types::ReturnConsumedCapacity;
use figures::generation::Generation;
use figures::ids::{BatchId, SessionId, VisitorId};
use figures::log::Delta;
use figures::log::tail::read_generation;
use figures::measures::Measure;
use figures::model::Batch;
use figures::model::batch::StoredOrder;
use figures::table::keys::{self, Key, VisitorItem};
use figures::table::store::{
    Consistency, DATA, Item, Outcome, PK, Query, REV, SK, StoreError, Write, failure, item_key, number, read_binary,
    read_number, read_packed, read_text, text,
};
use figures::time::Millis;
use futures::stream::{self, StreamExt, TryStreamExt};

use super::lookups::Lookups;
use super::stored::{State, Stored};
use super::{Counted, Differences, MAX_TRIES, Progress, Rebuild, overtaken};
use crate::erasure::{delete_of_unknown, delete_partition};
use crate::history::History;
use crate::spill::Spill;

/// Visitors replayed at once.
const CONCURRENCY: usize = 8;

/// Items of a visitor that one transaction changes at most, beside the visitor's own one.
const MAX_HEALED: usize = 90;
/// Bytes of a visitor's items that one transaction changes at most: it ends at 4 MB.
const MAX_HEALED_BYTES: usize = 2 << 20;

impl Rebuild<'_> {
    /// Counts every visitor, and finds the days that anything is stored of.
    pub(super) async fn count(
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
                lookups.find(&replay.sessions, &visitor);
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
            if self.is_known(&session, &visitor).await? {
                continue;
            }
            let Some(item) = self.store().get(&lookup, Consistency::Strong).await? else { continue };
            let is_over = |(_, started_at): (StoredOrder, Millis)| self.project.horizon.is_past(started_at.day());
            if read_packed(&item).is_ok_and(is_over) {
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
    pub(super) async fn replay(&self, building: Generation, visitor: &VisitorId) -> Result<Replay, StoreError> {
        let (mut differed, mut tried) = (false, BTreeSet::new());
        for _ in 0..MAX_TRIES {
            let Some(stored) = self.stored(visitor).await? else { continue };
            let replay = match stored.visitor() {
                _ if self.is_erased(visitor).await? => self.bury(visitor, &stored).await?,
                None => self.begin_visitor(building, visitor, stored, &mut differed).await?,
                Some(item) if read_generation(item)? > building => return Err(overtaken()),
                // Begun by a consumer since, and counted in the generation from its first batch on.
                Some(item) if read_generation(item)? == building => {
                    Some(Replay { sessions: stored.sessions(self.project.horizon), ..Replay::default() })
                }
                Some(_) => self.count_visitor(building, visitor, stored, &mut tried, &mut differed).await?,
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

    /// The same by the project's tombstones of now: its first erasure makes the key by which they are found. A consumer that knows of
    /// the tombstone counts none of the visitor's batches, so its items must not list them either.
    async fn is_erased_since(&self, visitor: &VisitorId) -> Result<bool, StoreError> {
        let project = self.consumer.project(self.project.id.clone()).await?;
        Ok(project.tombstones.find(self.store(), &project.id, visitor).await?.is_some())
    }

    /// What is stored of a visitor at one of its revisions; none if it changed meanwhile.
    pub(super) async fn stored(&self, visitor: &VisitorId) -> Result<Option<Stored>, StoreError> {
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
    pub(super) async fn begin_visitor(
        &self,
        building: Generation,
        visitor: &VisitorId,
        mut stored: Stored,
        differed: &mut bool,
    ) -> Result<Option<Replay>, StoreError> {
        // A lookup that is left would have the consumer look for a session that is gone.
        let session = |batch: &Batch| keys::session_lookup(&self.project.id, &batch.session_id, visitor);
        let lookups = stored.batches.iter().map(session).collect();
        let horizon = self.project.horizon;
        stored.batches.retain(|batch| !horizon.is_over(batch));
        if horizon.first().is_some()
            && stored.batches.is_empty()
            && State::read(&stored.derived, horizon).is_ok_and(|state| state.is_over())
        {
            // The table has removed some of what is over.
            return Ok(Some(Replay::default()));
        }
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
        Ok(is_counted.then(|| Replay { sessions: stored.sessions(self.project.horizon), ..Replay::default() }))
    }

    async fn count_as_consumer(&self, visitor: &VisitorId, batches: Vec<Batch>) -> Result<(), StoreError> {
        // On the heap, as all that applying may come to takes much room on a stack that a rebuild is on already.
        let batches = BTreeMap::from([(self.project.id.clone(), batches)]);
        let mut applied = Box::pin(self.consumer.apply(batches)).await;
        applied.log_refused();
        if let Some((_, error)) = applied.failed.pop_first() {
            return Err(error);
        }
        if !applied.refused.is_empty() {
            tracing::error!(project = %self.project.id, %visitor, "batches of a visitor can't be counted");
        }
        Box::pin(self.consumer.recount_each(&self.project, &applied.recounting)).await
    }

    /// Adds to the base what a visitor contributes at its revision, once it is marked. None: it changed meanwhile.
    ///
    /// Batches that were lost are counted by a consumer first, for those too who read the figures as they are. They go on reading
    /// these if the generation is given up, and what the visitor's items list is taken out of them once it is erased. So the
    /// items list without that only what was `tried`, and no consumer can count.
    async fn count_visitor(
        &self,
        building: Generation,
        visitor: &VisitorId,
        mut stored: Stored,
        tried: &mut BTreeSet<(SessionId, BatchId)>,
        differed: &mut bool,
    ) -> Result<Option<Replay>, StoreError> {
        let state = State::read(&stored.derived, self.project.horizon);
        let mut batches = std::mem::take(&mut stored.batches);
        let horizon = self.project.horizon;
        batches.retain(|batch| !horizon.is_over(batch));
        if let Ok(state) = &state {
            let (listed, missing): (Vec<Batch>, Vec<Batch>) = batches.into_iter().partition(|batch| state.lists(batch));
            let is_lost = |batch: &Batch| batch.stored_at < self.in_stream_since;
            let lost: Vec<Batch> = missing.into_iter().filter(is_lost).collect();
            *differed |= !lost.is_empty();
            let id = |batch: &Batch| (batch.session_id.clone(), batch.batch_id.clone());
            if !self.is_check && lost.iter().any(|batch| !tried.contains(&id(batch))) {
                tried.extend(lost.iter().map(id));
                self.count_as_consumer(visitor, lost).await?;
                return Ok(None);
            }
            batches = listed;
            batches.extend(lost);
        }
        batches.sort_by_key(Batch::stored_order);
        let mut history = History::new(self.store(), &self.project, visitor.clone(), None, building)?;
        if let Ok(state) = &state {
            if let Some(past) = state.past() {
                history.continue_from(past);
            }
            for session in state.divided() {
                let of_it = batches.extract_if(.., |batch| batch.session_id == session.session_id);
                history.carry(session.clone(), of_it.collect());
            }
        }
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
        if let Some(first) = horizon.first() {
            delta.drop_entries_before(first);
        }
        delta.sessions.revise(revision + 1);
        delta.events.revise(revision + 1);
        let rebuilt = writes.into_iter().filter_map(|write| match write {
            Write::PutAt(item, _) | Write::Put(item) => Some(item),
            Write::Delete(_) | Write::Take(_) | Write::DeleteAt(..) | Write::Absent(_) => None,
        });
        let mut rebuilt: BTreeMap<Key, Item> =
            rebuilt.map(|item| Ok((item_key(&item)?, item))).collect::<Result<_, StoreError>>()?;
        if let Ok(state) = &state {
            // What lists the batches of a session that stays as it is.
            let stays =
                |key: &Key| matches!(keys::visitor_item(key), Some(VisitorItem::Applied(id)) if state.divides(&id));
            let lists = stored.derived.iter().filter(|(key, _)| stays(key));
            rebuilt.extend(lists.map(|(key, item)| (key.clone(), item.clone())));
        }
        let lookups = rebuilt.keys().filter(|key| keys::is_session_lookup(key)).cloned().collect();
        stored.derived.extend(self.store().get_many(lookups, Consistency::Strong).await?);
        let is_same =
            match (State::read(&stored.derived, self.project.horizon), State::read(&rebuilt, self.project.horizon)) {
                (Ok(was), Ok(now)) => was.agrees_with(now),
                _ => false,
            };
        *differed |= !is_same;
        let is_marked = match is_same || self.is_check {
            true => self.mark(building, visitor, &stored).await?,
            false if self.is_erased_since(visitor).await? => return Err(overtaken()),
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

    /// Removes what is left of an erased visitor. None: a consumer that did not know yet that it is erased began it meanwhile.
    async fn bury(&self, visitor: &VisitorId, stored: &Stored) -> Result<Option<Replay>, StoreError> {
        let differed = !(stored.derived.is_empty() && stored.batches.is_empty());
        if differed && !self.is_check {
            match Box::pin(self.consumer.erase_from_figures(&self.project, visitor)).await {
                Ok(()) => {
                    delete_of_unknown(self.store(), &self.project.id, visitor).await?;
                }
                Err(error) if error.is_unreadable() => {
                    tracing::warn!(%error, "an erased visitor can't be read");
                    delete_partition(self.store(), keys::visitor_partition(&self.project.id, visitor)).await?;
                }
                Err(error) => return Err(error),
            }
            if self.store().get(&stored.key, Consistency::Strong).await?.is_some() {
                return Ok(None);
            }
            self.store().delete(&keys::trusted(&self.project.id, visitor)).await?;
        }
        Ok(Some(Replay { differed, ..Replay::default() }))
    }
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

/// What replaying a visitor gave.
#[derive(Debug, Default)]
pub(super) struct Replay {
    pub delta: Delta,
    pub sessions: Vec<SessionId>,
    pub differed: bool,
}
