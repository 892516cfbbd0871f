//! What is stored of a visitor, whatever items it is spread over.

use std::collections::{BTreeMap, BTreeSet};

use figures::ids::SessionId;
use figures::model::batch::StoredOrder;
use figures::model::session::Applied;
use figures::model::{Batch, Session, Visitor};
use figures::table::keys::{self, Key};
use figures::table::store::{Item, REV, StoreError, item_key, read_number, read_packed};
use figures::time::Millis;

use crate::history::Past;
use crate::kept::Horizon;
use crate::seen_items;

/// What is stored of a visitor.
#[derive(Debug)]
pub(super) struct Stored {
    /// The key of its own item.
    pub key: Key,
    pub batches: Vec<Batch>,
    /// All items but its batches.
    pub derived: BTreeMap<Key, Item>,
}

impl Stored {
    pub fn read(key: Key, items: Vec<Item>) -> Result<Self, StoreError> {
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
    pub fn visitor(&self) -> Option<&Item> {
        self.derived.get(&self.key)
    }

    pub fn revision(&self) -> Option<u64> {
        self.visitor().and_then(|item| read_number(item, REV).ok())
    }

    pub fn sessions(&self, horizon: Horizon) -> Vec<SessionId> {
        let state = State::read(&self.derived, horizon).ok();
        state.into_iter().flat_map(|state| state.applied.into_keys()).collect()
    }
}

/// A visitor's state whatever items it is spread over.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct State {
    visitor: Option<Visitor>,
    sessions: BTreeMap<SessionId, Session>,
    applied: BTreeMap<SessionId, BTreeSet<u64>>,
    lookups: BTreeMap<Key, (StoredOrder, Millis)>,
    /// Sessions of which some batches are over: they can't be derived anew, and stay as they are.
    divided: BTreeMap<SessionId, Session>,
}

impl State {
    /// How many events a session had no room for.
    pub fn dropped(&self, session: &SessionId) -> u32 {
        let latest = self.visitor.iter().map(|visitor| &visitor.latest);
        let known = latest
            .chain(self.sessions.values())
            .chain(self.divided.values())
            .find(|known| known.session_id == *session);
        known.map_or(0, |session| session.dropped)
    }

    /// Whether a batch is among those that were applied.
    pub fn lists(&self, batch: &Batch) -> bool {
        self.applied.get(&batch.session_id).is_some_and(|applied| applied.contains(&batch.fingerprint()))
    }

    /// Reads what is not over.
    pub fn read(items: &BTreeMap<Key, Item>, horizon: Horizon) -> Result<Self, StoreError> {
        let mut state = State {
            visitor: None,
            sessions: BTreeMap::new(),
            applied: BTreeMap::new(),
            lookups: BTreeMap::new(),
            divided: BTreeMap::new(),
        };
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
            visitor.seen = seen_items::take_all(visitor, &seen, horizon.first_open())?;
        }
        let latest = state.visitor.iter_mut().map(|visitor| &mut visitor.latest);
        for session in latest.chain(state.sessions.values_mut()) {
            let applied = std::mem::take(&mut session.applied);
            state.applied.entry(session.session_id.clone()).or_default().extend(applied.recent);
        }
        if horizon.first().is_some() {
            state.leave_out_what_is_over(items, horizon)?;
        }
        Ok(state)
    }

    /// Nothing that is over is compared: it may be there or not.
    fn leave_out_what_is_over(&mut self, items: &BTreeMap<Key, Item>, horizon: Horizon) -> Result<(), StoreError> {
        self.visitor = self.visitor.take().filter(|visitor| !horizon.has_left(visitor));
        self.sessions.retain(|_, session| !horizon.has_ended(session));
        self.lookups.retain(|_, (_, started_at)| !horizon.is_past(started_at.day()));
        let latest = self.visitor.iter().map(|visitor| &visitor.latest);
        let mut known: BTreeMap<SessionId, Session> =
            latest.chain(self.sessions.values()).map(|session| (session.session_id.clone(), session.clone())).collect();
        self.applied.retain(|session, _| known.contains_key(session));
        known.retain(|_, session| horizon.divides(session));
        for (id, session) in &mut known {
            session.applied = self.stored_applied(items, id)?;
        }
        self.sessions.retain(|id, _| !known.contains_key(id));
        self.divided = known;
        Ok(())
    }

    /// What a session lists of its batches in its own state.
    fn stored_applied(&self, items: &BTreeMap<Key, Item>, id: &SessionId) -> Result<Applied, StoreError> {
        for (key, item) in items {
            let session = match keys::visitor_item(key) {
                Some(keys::VisitorItem::Visitor) => read_packed::<Visitor>(item)?.latest,
                Some(keys::VisitorItem::Session) => read_packed(item)?,
                _ => continue,
            };
            if session.session_id == *id {
                return Ok(session.applied);
            }
        }
        Ok(Applied::default())
    }

    /// The sessions that stay as they are.
    pub fn divided(&self) -> impl Iterator<Item = &Session> {
        self.divided.values()
    }

    /// Whether a session stays as it is.
    pub fn divides(&self, session: &SessionId) -> bool {
        self.divided.contains_key(session)
    }

    /// What only sessions tell that are over.
    pub fn past(&self) -> Option<Past> {
        let visitor = self.visitor.clone()?;
        let latest = !self.sessions.contains_key(&visitor.latest.session_id)
            && !self.divided.contains_key(&visitor.latest.session_id);
        let known = self.sessions.len() + self.divided.len() + usize::from(latest);
        let sessions = visitor.visit_count.saturating_sub(u32::try_from(known).unwrap_or(u32::MAX));
        Some(Past { sessions, visitor })
    }

    /// Whether there is nothing that is not over.
    pub fn is_over(&self) -> bool {
        self.visitor.is_none() && self.sessions.is_empty() && self.divided.is_empty()
    }

    /// Whether two states say the same of all that is derived.
    pub fn agrees_with(mut self, mut other: State) -> bool {
        for state in [&mut self, &mut other] {
            let divided = std::mem::take(&mut state.divided);
            state.applied.retain(|session, _| !divided.contains_key(session));
            let is_divided = |key: &Key| {
                key.pk.rsplit('#').next().is_some_and(|id| divided.keys().any(|session| session.as_str() == id))
            };
            state.lookups.retain(|key, _| !is_divided(key));
        }
        self == other
    }
}
