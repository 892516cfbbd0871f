//! What a visitor was seen at, while it changes: which items of it are read, and which are written.

use std::collections::{BTreeMap, BTreeSet};

use figures::log::Counters;
use figures::log::contributions::seen_in_batch;
use figures::model::seen::SeenDays;
use figures::model::seen_runs::{SeenMemory, SeenRun};
use figures::model::{Batch, Session, Visitor};
use figures::table::codec;
use figures::table::keys::SeenItem;
use figures::table::keys::{self, Key};
use figures::table::store::{Consistency, DATA, Item, StoreError, Write, binary, key_item, read_packed};
use figures::time::{Day, Millis};

use crate::context::Context;

/// What a visitor was seen at, and where its items are.
#[derive(Debug)]
pub struct SeenItems<'a> {
    context: Context<'a>,
    seen: SeenMemory,
    now: Millis,
}

impl<'a> SeenItems<'a> {
    /// Takes it out of the visitor's state.
    pub fn take(context: Context<'a>, state: &mut Visitor) -> Self {
        // What is in a run was seen by now, or is a batch's that was sent ahead of time.
        let now = Millis::now().max(state.last_seen_at);
        SeenItems { context, seen: state.take_seen(), now }
    }

    fn key(&self, item: SeenItem) -> Key {
        keys::seen(self.context.project, &self.context.visitor_id, item)
    }

    /// Reads at once what will be needed to remember the batches of some sessions.
    pub async fn expect<'b>(
        &mut self,
        batches: impl Iterator<Item = (&'b Session, &'b Batch)>,
    ) -> Result<(), StoreError> {
        let seen = batches.flat_map(|(session, batch)| seen_in_batch(session, batch));
        self.expect_keys(seen.map(|(measure, seen)| (seen.hash(measure.name()), seen.day))).await
    }

    async fn expect_keys(&mut self, keys: impl Iterator<Item = (u64, Day)>) -> Result<(), StoreError> {
        if self.seen.is_full() {
            return Ok(());
        }
        let new = keys.filter(|(hash, day)| !self.seen.is_recent(*hash, *day)).map(|(hash, _)| hash);
        let missing = self.seen.missing(new);
        self.load(missing).await
    }

    /// Adds to a change the distinct visitors that a session's fresh batches add.
    pub async fn remember(
        &mut self,
        session: &Session,
        batches: &[Batch],
        counters: &mut Counters,
    ) -> Result<(), StoreError> {
        if !session.counted {
            return Ok(());
        }
        let seen = batches.iter().flat_map(|batch| seen_in_batch(session, batch));
        let seen: Vec<_> = seen.map(|(measure, seen)| (measure, seen.hash(measure.name()), seen)).collect();
        self.expect_keys(seen.iter().map(|(_, hash, seen)| (*hash, seen.day))).await?;
        for (measure, hash, seen) in seen {
            if self.seen.is_recent(hash, seen.day) || self.seen.is_full() {
                continue;
            }
            let days = self.seen.days(hash);
            if days.binary_search(&seen.day).is_err() {
                seen.count(&days, counters.days_mut(measure), 1);
                self.seen.insert(hash, seen.day);
            }
        }
        Ok(())
    }

    /// Takes out of the figures the distinct visitors that a session's batches added.
    pub async fn forget(
        &mut self,
        session: &Session,
        batches: &[Batch],
        counters: &mut Counters,
    ) -> Result<(), StoreError> {
        let seen: Vec<_> = batches.iter().flat_map(|batch| seen_in_batch(session, batch)).collect();
        let missing = self.seen.missing(seen.iter().map(|(measure, seen)| seen.hash(measure.name())));
        self.load(missing).await?;
        for (measure, seen) in seen {
            let hash = seen.hash(measure.name());
            let days = self.seen.days(hash);
            if days.binary_search(&seen.day).is_ok() {
                seen.count(&days, counters.days_mut(measure), -1);
                self.seen.remove(hash, seen.day);
            }
        }
        Ok(())
    }

    /// Puts it back into the state. What has grown too long for that moves into runs, if the change has room for so
    /// many items more; else it waits for the next change.
    pub async fn return_to(mut self, state: &mut Visitor, room: usize) -> Result<Vec<Write>, StoreError> {
        if state.is_bot() && !state.recounting {
            // All of it is forgotten: there is no need for runs that say so.
            self.seen = SeenMemory::default();
        }
        let mut writes = Vec::new();
        while let Some(flush) = self.seen.due().filter(|flush| writes.len() + flush.size() <= room) {
            self.load(self.seen.missing_for(flush)).await?;
            for (item, run) in self.seen.flush(flush) {
                let mut written = key_item(&self.key(item));
                written.insert(DATA.to_owned(), binary(codec::pack(&run)?));
                self.context.horizon.kept.note(&mut written, self.now.day());
                writes.push(Write::Put(written));
            }
        }
        state.put_seen(self.seen);
        Ok(writes)
    }

    async fn load(&mut self, missing: BTreeSet<SeenItem>) -> Result<(), StoreError> {
        if missing.is_empty() {
            return Ok(());
        }
        let keys = missing.iter().map(|item| self.key(*item)).collect();
        let stored = self.context.store.get_many(keys, Consistency::Strong).await?;
        for item in missing {
            let key = self.key(item);
            match read(item, stored.get(&key))? {
                Some(run) => self.seen.take_in(item, run),
                None => match self.context.missing(key).await? {
                    // All of its days are over.
                    StoreError::Corrupt { .. } if self.context.horizon.first().is_some() => {
                        self.seen.take_in(item, SeenRun::default());
                    }
                    error => return Err(error),
                },
            }
        }
        Ok(())
    }
}

/// Reads an item of what a visitor was seen at; none if it should be there and is not.
fn read(item: SeenItem, stored: Option<&Item>) -> Result<Option<SeenRun>, StoreError> {
    match (item, stored) {
        (SeenItem::Shard(_), Some(stored)) => read_packed::<SeenDays>(stored).map(SeenRun::from).map(Some),
        // None of its keys was seen.
        (SeenItem::Shard(_), None) => Ok(Some(SeenRun::default())),
        (SeenItem::Run(_), stored) => stored.map(read_packed).transpose(),
    }
}

/// Takes out of a state all that its visitor remembers, wherever it is stored. What a flush left that is of no run any more
/// says nothing.
pub fn take_all(
    state: &mut Visitor,
    stored: &BTreeMap<SeenItem, &Item>,
    first_kept: Option<Day>,
) -> Result<SeenDays, StoreError> {
    let mut seen = state.take_seen();
    for item in seen.items() {
        let lost = || StoreError::Corrupt { key: format!("{item:?}"), cause: "it is missing".to_owned() };
        let run = match read(item, stored.get(&item).copied())? {
            Some(run) => run,
            None if first_kept.is_some() => SeenRun::default(),
            None => return Err(lost()),
        };
        seen.take_in(item, run);
    }
    state.has_seen_more = false;
    let mut all = seen.all();
    if let Some(first) = first_kept {
        all.drop_before(first);
    }
    Ok(all)
}
