//! Work that is left for later: an item whose insertion is itself a record of the table's stream, so that it comes back to
//! the consumer by itself, also on a quiet site and after a crash. Nothing exact rests on it: what is to be done shows in
//! the state that it is about.
//!
//! There is one kind: to take the sessions of a visitor that turned out to be a bot out of the figures, or those of one
//! that is trusted into them. Which it is, the visitor's state says.

use figures::ids::{ProjectId, VisitorId};
use figures::random;
use figures::table::keys::{self, Key};
use figures::table::store::{EXPIRES, Item, Query, Store, StoreError, item_key, key_item, number, read_text, text};
use figures::time::Millis;

/// A work item that nobody took up for so long is dropped: long after the stream has lost its record.
const KEPT_MS: i64 = 7 * 86_400_000;

const VISITOR: &str = "visitor";
const AFTER: &str = "after";

/// A work item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkItem {
    /// Where it is stored.
    pub key: Key,
    /// The visitor whose sessions are to be taken out of the figures, or into them.
    pub visitor: VisitorId,
    /// The sort key of the last session that was looked at.
    pub after: Option<String>,
}

impl WorkItem {
    /// New work in a project, to be stored.
    pub fn new(project: &ProjectId, visitor: VisitorId, after: Option<String>) -> Result<Self, StoreError> {
        Ok(WorkItem { key: keys::work(project, Millis::now(), random::number()?), visitor, after })
    }

    /// Reads a stored work item.
    pub fn of(item: &Item) -> Result<Self, StoreError> {
        let key = item_key(item)?;
        let corrupt =
            |error: &dyn std::fmt::Display| StoreError::Corrupt { key: key.sk.clone(), cause: error.to_string() };
        let visitor = read_text(item, VISITOR)?.parse().map_err(|error| corrupt(&error))?;
        let after = item.contains_key(AFTER).then(|| read_text(item, AFTER)).transpose()?.map(str::to_owned);
        Ok(WorkItem { key, visitor, after })
    }

    /// All that is stored of a project.
    pub async fn all(store: &Store, project: &ProjectId) -> Result<Vec<Self>, StoreError> {
        store.query(Query::partition(keys::works(project)).strong()).await?.iter().map(WorkItem::of).collect()
    }

    /// The item.
    pub fn to_item(&self) -> Item {
        let mut item = key_item(&self.key);
        item.insert(VISITOR.to_owned(), text(self.visitor.as_str()));
        item.extend(self.after.iter().map(|after| (AFTER.to_owned(), text(after))));
        item.insert(EXPIRES.to_owned(), number((Millis::now().0 + KEPT_MS) / 1000));
        item
    }
}
