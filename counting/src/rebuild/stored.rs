//! What is stored of a visitor, whatever items it is spread over.

use std::collections::{BTreeMap, BTreeSet};

use figures::ids::SessionId;
use figures::model::batch::StoredOrder;
use figures::model::{Batch, Session, Visitor};
use figures::table::keys::{self, Key};
use figures::table::store::{Item, REV, StoreError, item_key, read_number, read_packed};
use figures::time::Millis;

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

    pub fn sessions(&self) -> Vec<SessionId> {
        let state = State::read(&self.derived).ok();
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
}

impl State {
    /// How many events a session had no room for.
    pub fn dropped(&self, session: &SessionId) -> u32 {
        let latest = self.visitor.iter().map(|visitor| &visitor.latest);
        let known = latest.chain(self.sessions.values()).find(|known| known.session_id == *session);
        known.map_or(0, |session| session.dropped)
    }

    /// Whether a batch is among those that were applied.
    pub fn lists(&self, batch: &Batch) -> bool {
        self.applied.get(&batch.session_id).is_some_and(|applied| applied.contains(&batch.fingerprint()))
    }

    pub fn read(items: &BTreeMap<Key, Item>) -> Result<Self, StoreError> {
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
