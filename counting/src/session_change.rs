//! A session of a visitor while batches are applied to it, and what its change adds to the figures.

use std::collections::HashSet;

use figures::ids::{SessionId, VisitorId};
use figures::log::contributions::{
    index_batch, index_session, of_batch, of_session, of_steps, presence_of_batch, steps,
};
use figures::log::{Counters, Delta, SessionEntry};
use figures::model::batch::StoredOrder;
use figures::model::session::{MAX_PART, MAX_RECENT};
use figures::model::trail::{Step, Trail};
use figures::model::{Batch, Session};
use figures::table::store::{
    Consistency, DATA, Query, SortKeys, StoreError, Write, binary, item_key, key_item, read_packed,
};
use figures::table::{codec, keys};
use figures::time::Millis;

use crate::context::Context;
use crate::seen_items::SeenItems;

/// Stored batches of a session that are read at once: with all that they unpack to, some megabytes.
const BATCHES_AT_ONCE: usize = 64;

/// Where a session is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Location {
    /// In its visitor's item.
    Inline,
    /// In an item of its own, under this start.
    OwnItem(Millis),
}

/// A session that was looked at.
#[derive(Debug)]
pub struct Tracked {
    /// As it was stored, and where.
    pub stored: Option<(Location, Session)>,
    /// What it becomes.
    pub now: Session,
    /// Batches applied to it in this change.
    pub fresh: Vec<Batch>,
    /// The fingerprints listed outside the session's state, once they were needed.
    pub listed: Option<HashSet<u64>>,
    /// Whether the session goes, with all that it added to the figures.
    pub is_erased: bool,
    /// Whether it is taken over as it is stored, though some of what it was made from is over.
    pub is_carried: bool,
}

impl Tracked {
    /// A session as it is stored somewhere, or one that begins.
    pub fn new(location: Option<Location>, session: Session) -> Self {
        Tracked {
            stored: location.map(|location| (location, session.clone())),
            now: session,
            fresh: Vec::new(),
            listed: None,
            is_erased: false,
            is_carried: false,
        }
    }

    /// Whether it is otherwise than it was.
    pub fn is_changed(&self) -> bool {
        self.is_erased || self.stored.as_ref().is_none_or(|(_, was)| *was != self.now)
    }

    /// The session as it was, if the batches that were applied to it are needed: to take them out of the figures or into
    /// them, or because page views came late.
    fn needs_applied(&self) -> Option<&Session> {
        let ((_, was), now) = (self.stored.as_ref()?, &self.now);
        let is_longer = was.counted && now.counted && was.trail.is_before(&self.fresh_steps());
        ((was.counted || now.counted || self.is_erased) && !is_longer).then_some(was)
    }

    /// Takes out of the figures what the batches applied before this change added, if the session counts no more, or into
    /// them, if it counts again. Gives their page views, where they are needed in their order.
    pub async fn count_applied(
        &self,
        context: &Context<'_>,
        revision: u64,
        seen_items: &mut SeenItems<'_>,
        delta: &mut Delta,
    ) -> Result<Vec<Step>, StoreError> {
        let mut before = Vec::new();
        let Some(was) = self.needs_applied() else { return Ok(before) };
        let now = &self.now;
        let mut applied = AppliedBatches::of(context, was).await?;
        while let Some(batches) = applied.next().await? {
            for batch in &batches {
                if was.counted || now.counted {
                    before.extend(steps(now.measures, batch));
                }
                if was.counted && !now.counted {
                    delta.counters.add_all(&of_batch(now, batch), -1);
                    index_batch(delta, batch, revision, false);
                }
                if !was.counted && now.counted {
                    delta.counters.add_all(&of_batch(now, batch), 1);
                    index_batch(delta, batch, revision, true);
                }
                if self.is_erased {
                    delta.counters.add_all(&presence_of_batch(now, batch), -1);
                }
            }
            match (was.counted, now.counted) {
                (true, false) => seen_items.forget(now, &batches, &mut delta.counters).await?,
                (false, true) => seen_items.remember(now, &batches, &mut delta.counters).await?,
                (true, true) | (false, false) => {}
            }
        }
        if self.is_erased && applied.missing() > 0 && !context.horizon.divides(was) {
            if !context.may_miss_batches {
                return Err(StoreError::Overtaken);
            }
            tracing::warn!(
                project = %context.project,
                batches = applied.missing(),
                "what batches of an erased visitor added to the figures stays in them, as they are gone: run `identity rebuild`"
            );
        }
        Ok(before)
    }

    /// Adds to a change what the session's page views in their order contribute now, less what they did `before`.
    pub fn follow_trail(&mut self, visitor: &VisitorId, before: Vec<Step>, counters: &mut Counters) {
        let fresh = self.fresh_steps();
        let was = self.stored.as_ref().map(|(_, was)| was).filter(|was| was.counted);
        let measures = self.now.measures;
        let mut walk = |trail: &mut Trail, steps: Vec<Step>, by| {
            counters.add_all(&of_steps(measures, trail, steps, visitor), by);
        };
        match was {
            Some(was) if self.now.counted && was.trail.is_before(&fresh) => {
                walk(&mut self.now.trail, fresh, 1);
            }
            _ if self.is_carried => {
                // What came before is over: its trail stays, and what is left of it is followed from its own beginning.
                if self.now.counted {
                    walk(&mut Trail::default(), fresh, 1);
                }
            }
            _ => {
                let mut all = before;
                if was.is_some() {
                    all.sort_unstable();
                    walk(&mut Trail::default(), all.clone(), -1);
                }
                self.now.trail = Trail::default();
                if self.now.counted {
                    all.extend(fresh);
                    all.sort_unstable();
                    walk(&mut self.now.trail, all, 1);
                }
            }
        }
    }

    /// Adds to a change what a session and its fresh batches contribute now, less what the session did before.
    pub fn subtract_and_add(&self, visitor: &VisitorId, revision: u64, delta: &mut Delta) {
        let (now, was) = (&self.now, self.stored.as_ref().map(|(_, was)| was));
        if !self.is_erased {
            delta.counters.add_all(&of_session(now), 1);
        }
        if let Some(was) = was {
            delta.counters.add_all(&of_session(was), -1);
        }
        let was_listed = was.filter(|was| was.counted);
        if let Some(was) = was_listed.filter(|was| was.started_at.hour() != now.started_at.hour()) {
            index_session(delta, visitor, was, revision, false);
        }
        if was_listed.map(SessionEntry::of) != now.counted.then(|| SessionEntry::of(now)) {
            index_session(delta, visitor, now, revision, now.counted);
        }
        for batch in &self.fresh {
            delta.counters.add_all(&presence_of_batch(now, batch), 1);
            if now.counted {
                delta.counters.add_all(&of_batch(now, batch), 1);
                index_batch(delta, batch, revision, true);
            }
        }
    }

    /// Moves a long list of applied batches out of the session's state.
    pub async fn list_applied(&mut self, context: &Context<'_>) -> Result<Vec<Write>, StoreError> {
        let session = &mut self.now;
        if session.applied.recent.len() <= MAX_RECENT {
            return Ok(Vec::new());
        }
        let first_part = session.applied.listed as usize / MAX_PART;
        let mut list = match session.applied.listed as usize % MAX_PART {
            0 => Vec::new(),
            _ => {
                let key = keys::applied(context.project, &context.visitor_id, &session.session_id, first_part as u32);
                let item = context.store.get(&key, Consistency::Strong).await?;
                item.as_ref().map(read_packed::<Vec<u64>>).transpose()?.unwrap_or_default()
            }
        };
        session.applied.listed += session.applied.recent.len() as u32;
        list.append(&mut session.applied.recent);
        let parts = list.chunks(MAX_PART).enumerate().map(|(at, part)| {
            let number = (first_part + at) as u32;
            let mut item = key_item(&keys::applied(context.project, &context.visitor_id, &session.session_id, number));
            item.insert(DATA.to_owned(), binary(codec::pack(&part)?));
            context.horizon.kept.note(&mut item, session.latest().day());
            Ok(Write::Put(item))
        });
        parts.collect()
    }

    /// What of a session's items goes when it is erased; its batches go after it.
    pub fn erasure(&self, context: &Context<'_>) -> Vec<Write> {
        let id = &self.now.session_id;
        let mut writes = vec![Write::Delete(keys::session_lookup(context.project, id, &context.visitor_id))];
        if let Some((Location::OwnItem(at), _)) = self.stored {
            writes.push(Write::Delete(keys::session(context.project, &context.visitor_id, at, id)));
        }
        writes
    }

    /// The items of a session: its own one unless it is the latest, and its lookup unless its id tells as much.
    pub fn writes(&self, context: &Context<'_>, is_latest: bool) -> Result<Vec<Write>, StoreError> {
        let now = &self.now;
        let mut writes = Vec::new();
        let own = |started_at| keys::session(context.project, &context.visitor_id, started_at, &now.session_id);
        if let Some((Location::OwnItem(at), _)) = self.stored
            && (is_latest || at != now.started_at)
        {
            writes.push(Write::Delete(own(at)));
        }
        if !is_latest {
            let mut item = key_item(&own(now.started_at));
            item.insert(DATA.to_owned(), binary(now.pack()?));
            context.horizon.kept.note(&mut item, now.latest().day());
            writes.push(Write::Put(item));
        }
        let lookup = keys::session_lookup(context.project, &now.session_id, &context.visitor_id);
        let was = self.stored.as_ref().filter(|(_, was)| !is_prolonged(context, was, now));
        let was_found_by = was.and_then(|(_, was)| looked_up(was, &context.visitor_id));
        match looked_up(now, &context.visitor_id) {
            found_by if found_by == was_found_by => {}
            Some(found_by) => {
                let mut item = key_item(&lookup);
                item.insert(DATA.to_owned(), binary(codec::pack(&found_by)?));
                context.horizon.kept.note(&mut item, now.latest().day());
                writes.push(Write::Put(item));
            }
            None => writes.push(Write::Delete(lookup)),
        }
        Ok(writes)
    }

    /// The page views of its fresh batches, in order.
    fn fresh_steps(&self) -> Vec<Step> {
        let fresh = self.fresh.iter().flat_map(|batch| steps(self.now.measures, batch));
        let mut fresh: Vec<Step> = fresh.collect();
        fresh.sort_unstable();
        fresh
    }
}

/// What the lookup of a visitor's session holds; none where the session's id tells who its visitor is and where it is stored.
fn looked_up(session: &Session, visitor: &VisitorId) -> Option<(StoredOrder, Millis)> {
    let is_told = session.session_id.told().is_some_and(|told| told == (visitor.clone(), session.started_at));
    (!is_told).then(|| (session.origin.clone(), session.started_at))
}

/// Whether a session is kept for longer than its lookup says, which is written once otherwise.
fn is_prolonged(context: &Context<'_>, was: &Session, now: &Session) -> bool {
    context.horizon.first().is_some() && was.latest().day() < now.latest().day()
}

/// The stored batches that a session's state contains, some at a time: all of them may not fit into memory.
struct AppliedBatches<'a> {
    context: &'a Context<'a>,
    session: SessionId,
    fingerprints: HashSet<u64>,
    /// How many the state says there are, whether or not their list is there.
    expected: usize,
    /// How many of them were found.
    found: usize,
    /// The sort key from which on they are not read yet; none when all are.
    rest: Option<String>,
}

impl<'a> AppliedBatches<'a> {
    async fn of(context: &'a Context<'a>, session: &Session) -> Result<Self, StoreError> {
        let fingerprints = context.applied(session).await?;
        let expected = session.applied.count();
        let rest = Some(keys::session_batches(&session.session_id));
        Ok(AppliedBatches { context, session: session.session_id.clone(), fingerprints, expected, found: 0, rest })
    }

    async fn next(&mut self) -> Result<Option<Vec<Batch>>, StoreError> {
        let Some(first) = self.rest.take() else { return Ok(None) };
        let query = Query::partition(keys::visitor_partition(self.context.project, &self.context.visitor_id))
            .sort_keys(SortKeys::Between(first, format!("{}~", keys::session_batches(&self.session))))
            .limit(BATCHES_AT_ONCE)
            .strong();
        let items = self.context.store.query(query).await?;
        if let Some(last) = items.last().filter(|_| items.len() == BATCHES_AT_ONCE) {
            self.rest = Some(format!("{}\0", item_key(last)?.sk));
        }
        let mut batches = items.iter().map(Batch::from_item).collect::<Result<Vec<_>, _>>()?;
        batches.retain(|batch| self.fingerprints.contains(&batch.fingerprint()));
        self.found += batches.len();
        Ok(Some(batches))
    }

    /// How many were not found, once all are read.
    fn missing(&self) -> usize {
        self.expected.saturating_sub(self.found)
    }
}
