//! One visitor's history while batches are applied to it: what was stored, what it becomes, and the
//! change between the two.

use std::collections::{BTreeMap, BTreeSet};

use crate::context::Context;
use crate::kept::Horizon;
use crate::seen_items::SeenItems;
use crate::session_change::{Location, Tracked};
use crate::tombstones::Tombstones;
use crate::work_items::WorkItem;
use figures::generation::Generation;
use figures::ids::{BatchId, ProjectId, SessionId, VisitorId};
use figures::log::Delta;
use figures::log::tail::{mark, read_generation};
use figures::measures;
use figures::model::batch::StoredOrder;
use figures::model::session::SessionOrder;
use figures::model::{Batch, Session, Visitor};
use figures::random;
use figures::site::HostPattern;
use figures::table::keys::{self, Key};
use figures::table::store::{
    Consistency, DATA, Item, Query, REV, SortKeys, Store, StoreError, Write, binary, item_key, key_item, number,
    read_number, read_packed,
};
use figures::time::{Day, Millis};

/// So many first revisions there are: as many as the number is short in every entry of an index.
const FIRST_REVISIONS: u64 = 16_000;

/// Sessions that one change takes out of the figures at most, before the rest waits for the next.
const MAX_RECOUNTED: usize = 25;

/// Events and sessions that one change takes out of the figures, unless a single session has more.
const MAX_RECOUNTED_EVENTS: usize = 200;

/// Items that a change may write besides: the visitor's own one, a work item, the removal of another one, and trust.
const WITH_ALL: usize = 4;

/// Which way to look from a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Earlier,
    Later,
}

/// A visitor's history, loaded as far as it is needed.
#[derive(Debug)]
pub struct History<'a> {
    context: Context<'a>,
    project: &'a Project,
    /// The visitor's mark: up to which generation it is counted.
    generation: Generation,
    stored: Option<(u64, Visitor)>,
    now: Option<Visitor>,
    sessions: BTreeMap<SessionId, Tracked>,
    /// A session's start was replaced, so that what all sessions decide together must be found anew.
    restarted: bool,
    /// Stored batches that their sessions have no room for.
    dropped: Vec<Key>,
    /// The work item that is being done, and the sort key of the session at which it stopped.
    work: Option<(Key, Option<String>)>,
    /// The project's owner trusts the visitor from this change on.
    is_newly_trusted: bool,
    /// What is known of sessions that are over, where the visitor is derived anew.
    past: Option<Box<Past>>,
}

/// What is known of a visitor's sessions that are over: nothing that is kept tells.
#[derive(Debug, Clone)]
pub struct Past {
    /// How many there were.
    pub sessions: u32,
    /// The visitor as it is stored.
    pub visitor: Visitor,
}

/// Whose visitors they are.
#[derive(Debug, Clone)]
pub struct Project {
    /// Its identifier.
    pub id: ProjectId,
    /// Its own hosts, which are no referrers.
    pub hosts: Vec<HostPattern>,
    /// Where its tombstones are.
    pub tombstones: Tombstones,
    /// What is over, and counts no more.
    pub horizon: Horizon,
}

/// What a history's change writes.
#[derive(Debug)]
pub struct Change {
    /// The items, all or nothing.
    pub writes: Vec<Write>,
    /// What changes in figures and indexes.
    pub delta: Delta,
    /// The visitor's mark, which the segment of the change carries.
    pub generation: Generation,
    /// Whether nothing was known of the visitor before.
    pub is_new: bool,
    /// Whether earlier sessions are still to be taken out of the figures, or into them.
    pub recounting: bool,
    /// The work item that the change stores for that.
    pub work: Option<WorkItem>,
}

impl<'a> History<'a> {
    /// A visitor's history from its stored item, or the beginning of one in a generation.
    pub fn new(
        store: &'a Store,
        project: &'a Project,
        visitor_id: VisitorId,
        item: Option<&Item>,
        newest: Generation,
    ) -> Result<Self, StoreError> {
        let generation = item.map_or(Ok(newest), read_generation)?;
        let stored = match item {
            Some(item) => Some((read_number(item, REV)?, read_packed::<Visitor>(item)?)),
            None => None,
        };
        let now = stored.as_ref().map(|(_, visitor)| visitor.clone());
        let revision = stored.as_ref().map(|(revision, _)| *revision);
        let mut history = History {
            context: Context {
                store,
                project: &project.id,
                visitor_id,
                revision,
                horizon: project.horizon,
                may_miss_batches: true,
            },
            project,
            generation,
            stored,
            now,
            sessions: BTreeMap::new(),
            restarted: false,
            dropped: Vec::new(),
            work: None,
            is_newly_trusted: false,
            past: None,
        };
        if let Some(visitor) = &history.now {
            let latest = visitor.latest.clone();
            history.track(Some(Location::Inline), latest);
        }
        Ok(history)
    }

    /// Reads a visitor's history, to change what is known.
    pub async fn load(store: &'a Store, project: &'a Project, visitor_id: VisitorId) -> Result<Self, StoreError> {
        let item = store.get(&keys::visitor(&project.id, &visitor_id), Consistency::Strong).await?;
        History::new(store, project, visitor_id, item.as_ref(), Generation::FIRST)
    }

    /// Whether earlier sessions may still be counted though the visitor is a bot, or not though it is none.
    pub fn is_recounting(&self) -> bool {
        self.now.as_ref().is_some_and(|visitor| visitor.recounting)
    }

    /// The visitor is a person, whatever was reported and will be.
    pub fn take_for_person(&mut self) {
        if let Some(visitor) = &mut self.now {
            visitor.trust();
        }
    }

    /// The same, as the project's owner says now. Gives how many sessions are to be counted again.
    pub async fn trust(&mut self) -> Result<usize, StoreError> {
        let uncounted = self.all_sessions().await?.iter().filter(|session| !session.counted).count();
        self.take_for_person();
        self.is_newly_trusted = true;
        if let Some(visitor) = &mut self.now {
            // Functions of a release that knows of no trust may have ended what was begun before.
            visitor.recounting |= uncounted > 0;
        }
        Ok(uncounted)
    }

    /// Whether the project's owner trusts the visitor, as of now.
    pub async fn is_trusted(&self) -> Result<bool, StoreError> {
        let key = keys::trusted(&self.project.id, &self.context.visitor_id);
        Ok(self.context.store.get(&key, Consistency::Strong).await?.is_some())
    }

    fn was_bot(&self) -> bool {
        self.stored.as_ref().is_some_and(|(_, was)| was.is_bot())
    }

    fn is_bot(&self) -> bool {
        self.now.as_ref().is_some_and(Visitor::is_bot)
    }

    /// How many sessions the change may have to write.
    pub fn tracked(&self) -> usize {
        self.sessions.len()
    }

    fn track(&mut self, location: Option<Location>, session: Session) {
        self.sessions.insert(session.session_id.clone(), Tracked::new(location, session));
    }

    /// A visitor all of whose sessions are over is another one when it comes again, whether or not the table has removed what
    /// there is of it.
    pub fn begin_again_if_over(&mut self) {
        let is_over = |visitor: &Visitor| !visitor.is_erased && self.project.horizon.has_left(visitor);
        if self.now.as_ref().is_some_and(is_over) {
            (self.stored, self.now) = (None, None);
            self.sessions.clear();
        }
    }

    /// What is known of sessions that are over, where the visitor is derived anew.
    pub fn continue_from(&mut self, past: Past) {
        self.past = Some(Box::new(past));
    }

    /// Takes over a session of which some batches are over, as it is stored, with those of its batches that are not: it can't
    /// be derived anew.
    pub fn carry(&mut self, session: Session, batches: Vec<Batch>) {
        for batch in &batches {
            self.now.get_or_insert_with(|| Visitor::begin(batch, session.clone())).observe(batch);
        }
        let Some(visitor) = &mut self.now else { return };
        visitor.visit_count += 1;
        let tracked = Tracked { fresh: batches, is_carried: true, ..Tracked::new(None, session) };
        self.sessions.insert(tracked.now.session_id.clone(), tracked);
    }

    /// Whether the visitor had sessions that are over.
    fn is_older(&self) -> bool {
        let stored = self.stored.as_ref().map(|(_, was)| was);
        let known = stored.or(self.past.as_ref().map(|past| &past.visitor));
        known.is_some_and(|visitor| self.project.horizon.is_older(visitor))
    }

    /// Applies a batch, unless it was applied before, or is over.
    pub async fn apply(&mut self, batch: Batch) -> Result<(), StoreError> {
        if self.project.horizon.is_over(&batch) {
            return Ok(());
        }
        if self.is_applied(&batch.session_id, batch.fingerprint()).await? {
            return Ok(());
        }
        match self.sessions.get(&batch.session_id) {
            None => self.begin_session(&batch).await?,
            Some(known) if !known.now.has_room_for(&batch) => return self.drop(&batch).await,
            Some(known) if batch.stored_order() < known.now.origin => self.restart_session(&batch).await?,
            Some(_) => {}
        }
        if let Some(visitor) = &mut self.now {
            visitor.observe(&batch);
        }
        if let Some(tracked) = self.sessions.get_mut(&batch.session_id) {
            tracked.now.accumulate(&batch);
            tracked.fresh.push(batch);
        }
        Ok(())
    }

    /// Drops a batch that its session has no room for, unless it was dropped before.
    async fn drop(&mut self, batch: &Batch) -> Result<(), StoreError> {
        let key = keys::batch(&self.project.id, &self.context.visitor_id, &batch.session_id, &batch.batch_id);
        if self.dropped.contains(&key) || self.context.store.get(&key, Consistency::Strong).await?.is_none() {
            return Ok(());
        }
        if let Some(tracked) = self.sessions.get_mut(&batch.session_id) {
            tracked.now.dropped = tracked.now.dropped.saturating_add((batch.events.len() as u32).max(1));
            self.dropped.push(key);
        }
        Ok(())
    }

    /// How many batches are dropped by the change.
    pub fn dropped(&self) -> usize {
        self.dropped.len()
    }

    /// Whether a batch was dropped, for all that is known of it: its session was full, and it is not stored any more.
    pub async fn is_dropped(&mut self, session: &SessionId, batch: &BatchId) -> Result<bool, StoreError> {
        if !self.find(session).await? || self.sessions.get(session).is_none_or(|tracked| tracked.now.dropped == 0) {
            return Ok(false);
        }
        let key = keys::batch(&self.project.id, &self.context.visitor_id, session, batch);
        Ok(self.context.store.get(&key, Consistency::Strong).await?.is_none())
    }

    /// Notes what sessions dropped that are derived anew: nothing that is stored tells.
    pub fn keep_dropped(&mut self, dropped: impl Fn(&SessionId) -> u32) {
        for (id, tracked) in &mut self.sessions {
            tracked.now.dropped = dropped(id);
        }
    }

    /// Whether a batch was applied to a session of this visitor.
    pub async fn is_applied(&mut self, session: &SessionId, fingerprint: u64) -> Result<bool, StoreError> {
        if !self.find(session).await? {
            return Ok(false);
        }
        let Some(tracked) = self.sessions.get_mut(session) else { return Ok(false) };
        if tracked.now.applied.recent.contains(&fingerprint) {
            return Ok(true);
        }
        if tracked.listed.is_none() {
            tracked.listed = Some(self.context.listed(&tracked.now).await?);
        }
        Ok(tracked.listed.as_ref().is_some_and(|listed| listed.contains(&fingerprint)))
    }

    /// How many sessions the visitor had.
    pub fn visit_count(&self) -> usize {
        self.now.as_ref().map_or(0, |visitor| visitor.visit_count as usize)
    }

    /// Whether all batches that were applied are stored.
    pub async fn are_applied_stored(&self) -> Result<bool, StoreError> {
        for session in self.all_sessions().await? {
            if !self.context.are_stored(&session).await? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Tracks a session if it exists.
    async fn find(&mut self, session: &SessionId) -> Result<bool, StoreError> {
        if self.sessions.contains_key(session) {
            return Ok(true);
        }
        if !self.has_own_items() {
            return Ok(false);
        }
        let Some((started_at, found)) = self.stored_session(session).await? else { return Ok(false) };
        if self.project.horizon.has_ended(&found) {
            return Ok(false);
        }
        self.track(Some(Location::OwnItem(started_at)), found);
        Ok(true)
    }

    /// A session with an item of its own, and the start that it is stored at: the one that its identifier tells, or its lookup.
    async fn stored_session(&self, session: &SessionId) -> Result<Option<(Millis, Session)>, StoreError> {
        let (store, visitor) = (self.context.store, &self.context.visitor_id);
        let own = |started_at| keys::session(&self.project.id, visitor, started_at, session);
        if let Some((_, started_at)) = session.told().filter(|(told, _)| told == visitor)
            && let Some(item) = store.get(&own(started_at), Consistency::Strong).await?
        {
            return Ok(Some((started_at, read_packed(&item)?)));
        }
        let lookup = keys::session_lookup(&self.project.id, session, visitor);
        let Some(item) = store.get(&lookup, Consistency::Strong).await? else { return Ok(None) };
        let (_, started_at): (StoredOrder, Millis) = read_packed(&item)?;
        match store.get(&own(started_at), Consistency::Strong).await? {
            Some(item) => Ok(Some((started_at, read_packed(&item)?))),
            // What is over may be half removed.
            None if self.project.horizon.is_past(started_at.day()) => Ok(None),
            None => Err(self.context.missing(own(started_at)).await?),
        }
    }

    fn has_own_items(&self) -> bool {
        self.stored.as_ref().is_some_and(|(_, visitor)| visitor.visit_count > 1)
    }

    async fn begin_session(&mut self, batch: &Batch) -> Result<(), StoreError> {
        let session = Session::begin(batch, &self.project.hosts, measures::VERSION);
        let visitor = self.now.get_or_insert_with(|| Visitor::begin(batch, session.clone()));
        visitor.visit_count += 1;
        self.track(None, session);
        self.link(&batch.session_id).await
    }

    /// A batch that was stored before the session's first known one decides what the session is.
    async fn restart_session(&mut self, batch: &Batch) -> Result<(), StoreError> {
        let moves = self.sessions.get(&batch.session_id).is_some_and(|t| t.now.started_at != batch.session.started_at);
        if moves {
            self.unlink(&batch.session_id).await?;
            self.restarted = true;
        }
        if let Some(tracked) = self.sessions.get_mut(&batch.session_id) {
            tracked.now.originate(batch, &self.project.hosts);
        }
        if moves { self.link(&batch.session_id).await } else { Ok(()) }
    }

    /// Puts a session between its neighbours in time.
    async fn link(&mut self, session: &SessionId) -> Result<(), StoreError> {
        let earlier = self.neighbour(session, Side::Earlier).await?;
        let later = self.neighbour(session, Side::Later).await?;
        let next_day = later.as_ref().and_then(|id| self.sessions.get(id)).map(|later| later.now.day());
        let is_older = self.is_older();
        let Some(linked) = self.sessions.get_mut(session) else { return Ok(()) };
        linked.now.next_day = next_day;
        linked.now.is_first = earlier.is_none() && !is_older;
        let day = linked.now.day();
        if let Some(earlier) = earlier.as_ref().and_then(|id| self.sessions.get_mut(id)) {
            earlier.now.next_day = Some(day);
        } else if let Some(later) = later.and_then(|id| self.sessions.get_mut(&id)) {
            later.now.is_first = false;
        }
        Ok(())
    }

    /// Takes a session out from between its neighbours.
    async fn unlink(&mut self, session: &SessionId) -> Result<(), StoreError> {
        let earlier = self.neighbour(session, Side::Earlier).await?;
        let later = self.neighbour(session, Side::Later).await?;
        let next_day = later.as_ref().and_then(|id| self.sessions.get(id)).map(|later| later.now.day());
        let is_older = self.is_older();
        if let Some(earlier) = earlier.as_ref().and_then(|id| self.sessions.get_mut(id)) {
            earlier.now.next_day = next_day;
        } else if let Some(later) = later.and_then(|id| self.sessions.get_mut(&id)) {
            later.now.is_first = !is_older;
        }
        Ok(())
    }

    /// The session just before or after another one, tracked.
    async fn neighbour(&mut self, session: &SessionId, side: Side) -> Result<Option<SessionId>, StoreError> {
        let Some(order) = self.sessions.get(session).map(|tracked| tracked.now.order()) else { return Ok(None) };
        let nearest = |sessions: &BTreeMap<SessionId, Tracked>| {
            let others = sessions.values().map(|tracked| tracked.now.order()).filter(|other| *other != order);
            match side {
                Side::Earlier => others.filter(|other| *other < order).max(),
                Side::Later => others.filter(|other| *other > order).min(),
            }
        };
        let tracked = nearest(&self.sessions);
        if self.may_be_stored_between(&order, tracked.as_ref(), side)
            && let Some(stored) = self.stored_neighbour(&order, side).await?
        {
            self.track(Some(Location::OwnItem(stored.started_at)), stored);
        }
        Ok(nearest(&self.sessions).map(|(_, id)| id))
    }

    /// Sessions with items of their own all come before the latest one that is stored.
    fn may_be_stored_between(&self, order: &SessionOrder, nearest: Option<&SessionOrder>, side: Side) -> bool {
        let Some((_, visitor)) = self.stored.as_ref().filter(|_| self.has_own_items()) else { return false };
        let latest_stored = visitor.latest.order();
        match side {
            Side::Earlier => nearest.is_none_or(|nearest| *nearest < latest_stored),
            Side::Later => *order < latest_stored,
        }
    }

    async fn stored_neighbour(&self, order: &SessionOrder, side: Side) -> Result<Option<Session>, StoreError> {
        let sort_key = keys::session_sort(order.0, &order.1);
        let (first, last) = match side {
            Side::Earlier => (keys::SESSION_PREFIX.to_owned(), sort_key),
            Side::Later => (sort_key, format!("{}~", keys::SESSION_PREFIX)),
        };
        // Tracked sessions may be stored elsewhere than they now belong, so they are stepped over.
        let query = Query::partition(keys::visitor_partition(&self.project.id, &self.context.visitor_id))
            .sort_keys(SortKeys::Between(first, last))
            .limit(self.sessions.len() + 1)
            .strong();
        let query = if side == Side::Earlier { query.descending() } else { query };
        for item in self.context.store.query(query).await? {
            let session: Session = read_packed(&item)?;
            if !self.sessions.contains_key(&session.session_id) && !self.project.horizon.has_ended(&session) {
                return Ok(Some(session));
            }
        }
        Ok(None)
    }

    /// The earlier sessions that are not over.
    async fn own_sessions(&self) -> Result<Vec<Session>, StoreError> {
        let mut sessions = self.stored_sessions().await?;
        sessions.retain(|session| !self.project.horizon.has_ended(session));
        Ok(sessions)
    }

    async fn stored_sessions(&self) -> Result<Vec<Session>, StoreError> {
        let query = Query::partition(keys::visitor_partition(&self.project.id, &self.context.visitor_id))
            .sort_keys(SortKeys::Prefix(keys::SESSION_PREFIX.to_owned()))
            .strong();
        self.context.store.query(query).await?.iter().map(read_packed).collect()
    }

    /// All sessions.
    pub async fn all_sessions(&self) -> Result<Vec<Session>, StoreError> {
        let mut sessions = self.own_sessions().await?;
        sessions.extend(self.now.as_ref().map(|visitor| visitor.latest.clone()));
        Ok(sessions)
    }

    /// The sessions that were looked at.
    pub fn session_ids(&self) -> Vec<SessionId> {
        self.sessions.keys().cloned().collect()
    }

    /// Whether the visitor is known and not being erased.
    pub fn is_known(&self) -> bool {
        self.now.as_ref().is_some_and(|visitor| !visitor.is_erased)
    }

    /// Whether the visitor is known and being erased.
    pub fn is_being_erased(&self) -> bool {
        self.now.as_ref().is_some_and(|visitor| visitor.is_erased)
    }

    /// The erasure is overtaken as long as batches are missing that were applied: who has begun the visitor too late puts them
    /// back.
    pub fn expect_batches(&mut self) {
        self.context.may_miss_batches = false;
    }

    /// From now on, the visitor's batches are refused.
    pub fn begin_erasure(&mut self) {
        if let Some(visitor) = &mut self.now {
            visitor.is_erased = true;
        }
    }

    /// The days at which the visitor may be counted anywhere.
    pub async fn days(&self) -> Result<BTreeSet<Day>, StoreError> {
        let earlier = if self.has_own_items() { self.stored_sessions().await? } else { Vec::new() };
        let sessions = earlier.iter().chain(self.now.iter().map(|visitor| &visitor.latest));
        let days = sessions.flat_map(|session| session.earliest().day().0..=session.latest().day().0);
        Ok(days.map(Day).collect())
    }

    /// Takes some earlier sessions out, with all that they added to the figures; once there are none, the latest one, and the
    /// visitor with it. Says how many.
    pub async fn erase_some(&mut self) -> Result<usize, StoreError> {
        let Some(latest) = self.now.as_ref().map(|visitor| visitor.latest.session_id.clone()) else { return Ok(0) };
        let earlier = if self.has_own_items() { self.own_sessions_to_erase().await? } else { Vec::new() };
        let (mut erased, mut weight) = (0, 0);
        let of_latest = self.sessions.get(&latest).map_or(0, |tracked| 1 + tracked.now.event_count as usize);
        let is_all = earlier.len() < MAX_RECOUNTED;
        for session in earlier {
            weight += 1 + session.event_count as usize;
            if erased > 0 && weight > MAX_RECOUNTED_EVENTS {
                return Ok(erased);
            }
            let id = session.session_id.clone();
            if !self.sessions.contains_key(&id) {
                self.track(Some(Location::OwnItem(session.started_at)), session);
            }
            self.erase_session(&id);
            erased += 1;
        }
        if is_all && (erased == 0 || weight + of_latest <= MAX_RECOUNTED_EVENTS) {
            self.erase_session(&latest);
            erased += 1;
        }
        Ok(erased)
    }

    async fn own_sessions_to_erase(&self) -> Result<Vec<Session>, StoreError> {
        let query = Query::partition(keys::visitor_partition(&self.project.id, &self.context.visitor_id))
            .sort_keys(SortKeys::Prefix(keys::SESSION_PREFIX.to_owned()))
            .limit(MAX_RECOUNTED)
            .strong();
        self.context.store.query(query).await?.iter().map(read_packed).collect()
    }

    /// Takes a tracked session out, with all that it added to the figures.
    fn erase_session(&mut self, session: &SessionId) {
        if let Some(tracked) = self.sessions.get_mut(session) {
            tracked.is_erased = true;
            tracked.now.counted = false;
        }
    }

    /// Looks at some earlier sessions that are counted though the visitor is a bot, or not though it is none, so that the
    /// change takes them out of the figures or into them. The work item for the rest replaces the one given; if nothing is
    /// left, there is none.
    pub async fn recount(&mut self, key: &Key, after: Option<&str>) -> Result<(), StoreError> {
        if !self.is_recounting() {
            return Ok(());
        }
        let first = after.unwrap_or(keys::SESSION_PREFIX).to_owned();
        let query = Query::partition(keys::visitor_partition(&self.project.id, &self.context.visitor_id))
            .sort_keys(SortKeys::Between(first, format!("{}~", keys::SESSION_PREFIX)))
            .limit(MAX_RECOUNTED)
            .strong();
        let page = self.context.store.query(query).await?;
        let (mut is_last, mut stopped_at, mut weight) = (page.len() < MAX_RECOUNTED, None, 0);
        let is_bot = self.is_bot();
        for item in page {
            let session: Session = read_packed(&item)?;
            if session.counted == is_bot && !self.project.horizon.has_ended(&session) {
                let is_first = weight == 0;
                weight += 1 + session.event_count as usize;
                if !is_first && weight > MAX_RECOUNTED_EVENTS {
                    is_last = false;
                    break;
                }
                if !self.sessions.contains_key(&session.session_id) {
                    self.track(Some(Location::OwnItem(session.started_at)), session);
                }
            }
            stopped_at = Some(item_key(&item)?.sk);
        }
        if is_last {
            let is_left =
                |session: &Session| session.counted == is_bot && !self.sessions.contains_key(&session.session_id);
            // Before it is over, the whole history is looked at once more: nothing exact rests on where the items stopped.
            match after.is_some() && self.own_sessions().await?.iter().any(is_left) {
                true => stopped_at = None,
                false => self.recounted(),
            }
        }
        self.work = Some((key.clone(), stopped_at));
        Ok(())
    }

    /// Notes that all earlier sessions are counted, or none is, as it should be.
    fn recounted(&mut self) {
        if let Some(visitor) = &mut self.now {
            visitor.recounting = false;
        }
    }

    /// Replaces the work item that is being done by one for the rest, or stores the first one where a history begins to be
    /// taken out of the figures, or into them.
    fn leave_work(&mut self, visitor: &Visitor, writes: &mut Vec<Write>) -> Result<Option<WorkItem>, StoreError> {
        let was_recounting = self.stored.as_ref().is_some_and(|(_, was)| was.recounting);
        let after = match self.work.take() {
            Some((done, stopped_at)) => {
                writes.push(Write::Delete(done));
                stopped_at
            }
            None if was_recounting => return Ok(None),
            None => None,
        };
        if !visitor.recounting {
            return Ok(None);
        }
        let work = WorkItem::new(&self.project.id, self.context.visitor_id.clone(), after)?;
        writes.push(Write::Put(work.to_item()));
        Ok(Some(work))
    }

    /// What has to be written, if anything: so many items at most where that can be chosen.
    pub async fn into_change(mut self, room: usize) -> Result<Option<Change>, StoreError> {
        self.look_for_trust().await?;
        let Some(mut visitor) = self.now.take() else { return Ok(None) };
        self.update_visitor(&mut visitor).await?;
        // From here on it is final which sessions there are and what each is, but for its trail and what it lists.
        if !self.is_changed(&visitor) {
            return Ok(None);
        }
        let mut change = Change {
            writes: Vec::new(),
            delta: Delta::default(),
            generation: self.generation,
            is_new: self.stored.is_none(),
            recounting: false,
            work: None,
        };
        let revision = self.next_revision()?;
        let first_open = self.project.horizon.first_open();
        let mut seen_items = SeenItems::take(self.context.clone(), &mut visitor);
        self.count(revision, &mut visitor, &mut seen_items, &mut change).await?;
        if let Some(day) = first_open {
            change.delta.counters.drop_before(day);
        }
        change.writes.extend(self.dropped.drain(..).map(Write::Delete));
        let is_gone = self.sessions.get(&visitor.latest.session_id).is_some_and(|latest| latest.is_erased);
        match self.context.revision.filter(|_| is_gone) {
            Some(revision) => change.writes.insert(0, Write::DeleteAt(self.key(), revision)),
            None => self.store(revision, visitor, seen_items, room, &mut change).await?,
        }
        Ok(Some(change))
    }

    /// A score that makes no bot of a visitor asks for no more than it has. The state of one that is trusted may have been
    /// derived anew, or written by a release that knows of no trust.
    async fn look_for_trust(&mut self) -> Result<(), StoreError> {
        if self.is_bot() && !self.was_bot() && self.is_trusted().await? {
            self.take_for_person();
        }
        Ok(())
    }

    fn is_changed(&self, visitor: &Visitor) -> bool {
        self.stored.as_ref().is_none_or(|(_, was)| was != visitor)
            || self.sessions.values().any(Tracked::is_changed)
            || self.work.is_some()
            || self.is_newly_trusted
    }

    /// A visitor's first revision is any: were it the same each time, then a writer that read a visitor before it was erased
    /// could take one that came late for the state it read.
    fn next_revision(&self) -> Result<u64, StoreError> {
        match self.context.revision {
            Some(revision) => Ok(revision + 1),
            None => Ok(1 + random::number()? % FIRST_REVISIONS),
        }
    }

    /// Adds what the changed sessions change in the figures and lists, and their items.
    async fn count(
        &mut self,
        revision: u64,
        visitor: &mut Visitor,
        seen_items: &mut SeenItems<'_>,
        change: &mut Change,
    ) -> Result<(), StoreError> {
        let context = &self.context;
        let Change { writes, delta, .. } = change;
        let counted = self.sessions.values().filter(|tracked| tracked.now.counted);
        seen_items.expect(counted.flat_map(|tracked| tracked.fresh.iter().map(|batch| (&tracked.now, batch)))).await?;
        for tracked in self.sessions.values_mut().filter(|tracked| tracked.is_changed()) {
            // Invariant: a trail is followed before the session is added, which adds its ends.
            let before = tracked.count_applied(context, revision, seen_items, delta).await?;
            tracked.follow_trail(&context.visitor_id, before, &mut delta.counters);
            tracked.subtract_and_add(&context.visitor_id, revision, delta);
            seen_items.remember(&tracked.now, &tracked.fresh, &mut delta.counters).await?;
            if tracked.is_erased {
                writes.extend(tracked.erasure(context));
                continue;
            }
            // Only now the session is as it is stored: its trail is followed, and a long list is out of it.
            writes.extend(tracked.list_applied(context).await?);
            let is_latest = tracked.now.session_id == visitor.latest.session_id;
            if is_latest {
                visitor.latest = tracked.now.clone();
            }
            writes.extend(tracked.writes(context, is_latest)?);
        }
        delta.counters.prune();
        Ok(())
    }

    /// Adds the visitor's own item, and those of what it remembers and leaves to do.
    async fn store(
        &mut self,
        revision: u64,
        mut visitor: Visitor,
        seen_items: SeenItems<'_>,
        room: usize,
        change: &mut Change,
    ) -> Result<(), StoreError> {
        let room = room.saturating_sub(change.writes.len() + WITH_ALL);
        change.writes.extend(seen_items.return_to(&mut visitor, room).await?);
        let mut item = key_item(&self.key());
        item.insert(REV.to_owned(), number(revision));
        item.insert(DATA.to_owned(), binary(visitor.pack()?));
        self.project.horizon.kept.note(&mut item, visitor.last_seen_at.day());
        mark(&mut item, self.generation);
        change.writes.insert(0, Write::PutAt(item, self.context.revision));
        if self.is_newly_trusted {
            change.writes.push(Write::Put(key_item(&keys::trusted(&self.project.id, &self.context.visitor_id))));
        }
        change.work = self.leave_work(&visitor, &mut change.writes)?;
        change.recounting = visitor.recounting;
        Ok(())
    }

    fn key(&self) -> Key {
        keys::visitor(&self.project.id, &self.context.visitor_id)
    }

    /// Brings what is decided by all sessions together up to date.
    async fn update_visitor(&mut self, visitor: &mut Visitor) -> Result<(), StoreError> {
        let is_older = self.is_older();
        if let Some(past) = self.past.as_ref().filter(|_| is_older && !visitor.is_trusted) {
            visitor.bot_score = visitor.bot_score.max(past.visitor.bot_score);
        }
        let is_bot = visitor.is_bot();
        if is_bot != self.was_bot() {
            visitor.recounting = visitor.visit_count as usize > self.sessions.len();
        }
        for tracked in self.sessions.values_mut().filter(|tracked| !tracked.is_erased) {
            tracked.now.counted = !is_bot;
        }
        let untouched = if self.restarted { self.own_sessions().await? } else { Vec::new() };
        let untouched = untouched.iter().filter(|session| !self.sessions.contains_key(&session.session_id));
        let all = || self.sessions.values().map(|tracked| &tracked.now).chain(untouched.clone());
        let known = self.stored.as_ref().filter(|_| !self.restarted || is_older).map(|(_, was)| was);
        let first = all().map(Session::earliest).chain(known.map(|was| was.first_seen_at)).min();
        let last = all().map(Session::latest).chain(known.map(|was| was.last_seen_at)).max();
        let longest = all().map(Session::span_ms).chain(known.map(|was| was.longest_session_ms)).max();
        let lead = all().map(Session::lead_ms).chain(known.map(|was| was.longest_lead_ms)).max();
        visitor.first_seen_at = first.unwrap_or(visitor.first_seen_at);
        visitor.last_seen_at = last.unwrap_or(visitor.last_seen_at);
        visitor.longest_session_ms = longest.unwrap_or(visitor.longest_session_ms);
        visitor.longest_lead_ms = lead.unwrap_or(visitor.longest_lead_ms);
        if let Some(latest) = self.sessions.values().map(|tracked| &tracked.now).max_by_key(|session| session.order()) {
            visitor.latest = latest.clone();
        }
        if let Some(past) = self.past.as_ref().filter(|_| is_older) {
            past.add_to(visitor);
        }
        Ok(())
    }
}

impl Past {
    /// Adds to a visitor what only sessions tell that are over.
    fn add_to(&self, visitor: &mut Visitor) {
        let was = &self.visitor;
        visitor.visit_count += self.sessions;
        visitor.first_seen_at = visitor.first_seen_at.min(was.first_seen_at);
        visitor.longest_session_ms = visitor.longest_session_ms.max(was.longest_session_ms);
        visitor.longest_lead_ms = visitor.longest_lead_ms.max(was.longest_lead_ms);
        visitor.take_over_aliases(&was.aliases);
    }
}
