//! Work that is left for later: an item whose insertion is itself a record of the table's stream, so that it comes back to
//! the consumer by itself, also on a quiet site and after a crash. Nothing exact rests on it: what is to be done shows in
//! the state that it is about.

use serde::{Deserialize, Serialize};

use shared::codec;
use shared::ids::{ProjectId, VisitorId};
use shared::keys::{self, Key};
use shared::store::{
    DATA, EXPIRES, Item, Query, Store, StoreError, Write, binary, item_key, key_item, number, read_packed,
};
use shared::time::Millis;

/// A work item that nobody took up for so long is dropped: long after the stream has lost its record.
const KEPT_MS: i64 = 7 * 86_400_000;

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Task {
    /// Take a bot's earlier sessions out of the figures.
    Unwind {
        /// The bot.
        visitor: VisitorId,
        /// The sort key of the last session that was looked at.
        after: Option<String>,
    },
}

/// A work item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Work {
    /// Where it is stored.
    pub key: Key,
    /// What it says.
    pub task: Task,
}

impl Work {
    /// New work in a project, to be stored.
    pub fn new(project: &ProjectId, task: Task) -> Result<Self, StoreError> {
        Ok(Work { key: keys::work(project, Millis::now(), crate::random()?), task })
    }

    /// Reads a stored work item.
    pub fn of(item: &Item) -> Result<Self, StoreError> {
        Ok(Work { key: item_key(item)?, task: read_packed(item)? })
    }

    /// All that is stored of a project.
    pub async fn all(store: &Store, project: &ProjectId) -> Result<Vec<Self>, StoreError> {
        store.query(Query::partition(keys::works(project)).strong()).await?.iter().map(Work::of).collect()
    }

    /// The item.
    pub fn to_item(&self) -> Result<Item, StoreError> {
        let mut item = key_item(&self.key);
        item.insert(DATA.to_owned(), binary(codec::pack(&self.task)?));
        item.insert(EXPIRES.to_owned(), number((Millis::now().0 + KEPT_MS) / 1000));
        Ok(item)
    }

    /// The visitor whose unwinding it is.
    pub fn visitor(&self) -> &VisitorId {
        let Task::Unwind { visitor, .. } = &self.task;
        visitor
    }

    /// What stores the same task as an item that the stream brings once more, in place of this one.
    pub fn renewed(&self, project: &ProjectId) -> Result<Vec<Write>, StoreError> {
        let next = Work::new(project, self.task.clone())?;
        Ok(vec![Write::Put(next.to_item()?), Write::Delete(self.key.clone())])
    }
}
