//! Tombstones: by which erased visitors are known again, without knowing who they were.

use std::collections::{BTreeSet, HashMap};

use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue};
use futures::stream::{self, StreamExt, TryStreamExt};

use figures::ids::{ProjectId, VisitorId};
use figures::table::erasure_key::{ERASURE_KEY, ErasureKey, HAS_UNKEYED, LAST_ERASURE};
use figures::table::keys::{self, Key};
use figures::table::store::{
    Consistency, Item, Query, SortKeys, Store, StoreError, binary, failure, item_key, key_item, number, read_binary,
    read_number,
};
use figures::time::{DAY_MS, Day, Millis};

/// The attribute of a tombstone with the days of which something may be left of its visitor.
const UNFINISHED_DAYS: &str = "unfinished_days";

/// Tombstones stored at once.
const CONCURRENCY: usize = 16;

/// Tombstones read at once.
const READ_TOGETHER: usize = 1_000;

/// A batch may be counted so long after it was stored: messages about batches that could not be are kept for 14 days, and
/// begin up to a day later. Two machines' clocks may differ besides.
const COUNTED_WITHIN_MS: i64 = 17 * DAY_MS;

/// Where a project's tombstones are.
#[derive(Debug, Clone, Default)]
pub struct Tombstones {
    /// The project's key; none before its first erasure.
    key: Option<ErasureKey>,
    /// Whether there may be tombstones of earlier versions, which had no key.
    may_be_unkeyed: bool,
    /// When the last erasure began.
    last_erasure: Option<Millis>,
}

/// The key in a project's item, if it has one.
fn stored_key(project: &Item) -> Option<ErasureKey> {
    ErasureKey::of(read_binary(project, ERASURE_KEY).ok()?)
}

impl Tombstones {
    /// As a project's item says.
    pub fn of(project: Option<&Item>) -> Self {
        let key = project.and_then(stored_key);
        let may_be_unkeyed = key.is_none() || project.is_some_and(|item| item.contains_key(HAS_UNKEYED));
        let last_erasure = project.and_then(|item| read_number(item, LAST_ERASURE).ok()).map(Millis);
        Tombstones { key, may_be_unkeyed, last_erasure }
    }

    /// Whether a batch that is counted now may have been stored before somebody was erased.
    pub fn are_recent(&self) -> bool {
        self.last_erasure.is_some_and(|at| Millis::now() < at.plus(COUNTED_WITHIN_MS))
    }

    /// The keys under which a visitor's tombstone may be.
    pub fn keys(&self, project: &ProjectId, visitor: &VisitorId) -> impl Iterator<Item = Key> + use<> {
        let keyed = self.key.as_ref().map(|key| keys::tombstone(project, visitor, key));
        let unkeyed = self.may_be_unkeyed.then(|| keys::unkeyed_tombstone(project, visitor));
        keyed.into_iter().chain(unkeyed)
    }

    /// The tombstone of a visitor, if it is erased, as of now.
    pub async fn find<'a>(
        &self,
        store: &'a Store,
        project: &ProjectId,
        visitor: &VisitorId,
    ) -> Result<Option<Tombstone<'a>>, StoreError> {
        let found = store.get_many(self.keys(project, visitor).collect(), Consistency::Strong).await?;
        Ok(found.into_keys().next().map(|key| Tombstone { store, key, visitor: visitor.clone() }))
    }

    /// The tombstones of those among some visitors of which something is left: they were counted after they were erased, or their
    /// erasure is not done.
    pub async fn of_left<'a>(
        &self,
        store: &'a Store,
        project: &ProjectId,
        visitors: &BTreeSet<VisitorId>,
    ) -> Result<Vec<Tombstone<'a>>, StoreError> {
        let tombstones = visitors.iter().flat_map(|visitor| self.keys(project, visitor));
        let known = visitors.iter().map(|visitor| keys::visitor(project, visitor));
        let found = store.get_many(tombstones.chain(known).collect(), Consistency::Strong).await?;
        let of_left = visitors.iter().filter_map(|visitor| {
            let (key, item) = self.keys(project, visitor).find_map(|key| found.get_key_value(&key))?;
            let is_left = !is_finished(item) || found.contains_key(&keys::visitor(project, visitor));
            is_left.then(|| Tombstone { store, key: key.clone(), visitor: visitor.clone() })
        });
        Ok(of_left.collect())
    }

    /// The erasures that were begun and are not done, by their tombstones, with the days of which something may be left.
    pub async fn unfinished(store: &Store, project: &ProjectId) -> Result<HashMap<Key, BTreeSet<Day>>, StoreError> {
        let (mut unfinished, mut from) = (HashMap::new(), String::new());
        loop {
            let query = Query::partition(keys::tombstones(project))
                .sort_keys(SortKeys::Between(format!("{from}\0"), "~".to_owned()))
                .limit(READ_TOGETHER)
                .strong();
            let page = store.query(query).await?;
            for item in page.iter().filter(|item| !is_finished(item)) {
                unfinished.insert(item_key(item)?, read_days(item));
            }
            match page.last() {
                Some(last) if page.len() == READ_TOGETHER => from = item_key(last)?.sk,
                _ => return Ok(unfinished),
            }
        }
    }

    /// Notes that nothing is left of what a tombstone stands for.
    pub async fn finish(store: &Store, key: &Key) -> Result<(), StoreError> {
        store.put(key_item(key)).await
    }
}

/// The tombstone of a visitor that is being erased.
#[derive(Debug)]
pub struct Tombstone<'a> {
    store: &'a Store,
    /// Where it is stored.
    pub key: Key,
    /// Whose it is.
    pub visitor: VisitorId,
}

impl<'a> Tombstone<'a> {
    /// Stores the tombstones of visitors, where they are not there: from then on, what the visitors still send is refused.
    /// Whoever meets one that is new knows that the erasure is not done.
    pub async fn put(store: &'a Store, project: &ProjectId, visitors: &[VisitorId]) -> Result<Vec<Self>, StoreError> {
        let erasure_key = begin_erasure(store, project).await?;
        let placed = visitors.iter().map(|visitor| async {
            let key = keys::tombstone(project, visitor, &erasure_key);
            let _ = store.put_at(with_days(&key, &BTreeSet::new()), None).await?;
            Ok(Tombstone { store, key, visitor: visitor.clone() })
        });
        stream::iter(placed).buffered(CONCURRENCY).try_collect().await
    }

    /// The days of which something may be left, also by an erasure that was stopped, by the tombstones' keys.
    pub async fn unfinished_days(
        store: &Store,
        tombstones: &[Self],
    ) -> Result<HashMap<Key, BTreeSet<Day>>, StoreError> {
        let keys = tombstones.iter().map(|tombstone| tombstone.key.clone()).collect();
        let found = store.get_many(keys, Consistency::Strong).await?;
        Ok(found.into_iter().map(|(key, item)| (key, read_days(&item))).collect())
    }

    /// Notes the days of which something may be left, before it is touched.
    pub async fn begin(&self, days: &BTreeSet<Day>) -> Result<(), StoreError> {
        self.store.put(with_days(&self.key, days)).await
    }

    /// Notes that nothing is left.
    pub async fn finish(&self) -> Result<(), StoreError> {
        Tombstones::finish(self.store, &self.key).await
    }
}

/// Whether nothing is left of what a tombstone stands for.
pub fn is_finished(tombstone: &Item) -> bool {
    !tombstone.contains_key(UNFINISHED_DAYS)
}

fn with_days(key: &Key, days: &BTreeSet<Day>) -> Item {
    let mut item = key_item(key);
    item.insert(UNFINISHED_DAYS.to_owned(), days_attribute(days));
    item
}

fn read_days(tombstone: &Item) -> BTreeSet<Day> {
    let days = tombstone.get(UNFINISHED_DAYS).and_then(|value| value.as_l().ok()).into_iter().flatten();
    days.filter_map(|day| day.as_n().ok()?.parse().ok().map(Day)).collect()
}

fn days_attribute(days: &BTreeSet<Day>) -> AttributeValue {
    AttributeValue::L(days.iter().map(|day| number(day.0)).collect())
}

/// Notes that an erasure begins, and gives the project's key, which is made now if it has none.
async fn begin_erasure(store: &Store, project: &ProjectId) -> Result<ErasureKey, StoreError> {
    let item = store.get(&keys::project(project), Consistency::Strong).await?;
    let has_key = item.as_ref().and_then(stored_key).is_some();
    let has_unkeyed = !has_key && {
        let tombstones = Query::partition(keys::tombstones(project)).limit(1).strong();
        !store.query(tombstones).await?.is_empty()
    };
    let key = ErasureKey::generate().map_err(|error| StoreError::Failed(error.to_string()))?;
    let begun = "SET #at = :now, #key = if_not_exists(#key, :key)";
    let update = store
        .client()
        .update_item()
        .table_name(store.table())
        .set_key(Some(key_item(&keys::project(project))))
        .expression_attribute_names("#at", LAST_ERASURE)
        .expression_attribute_values(":now", number(Millis::now().0))
        .expression_attribute_names("#key", ERASURE_KEY)
        .expression_attribute_values(":key", binary(key.bytes().to_vec()))
        .return_values(ReturnValue::AllNew);
    let update = match has_unkeyed {
        false => update.update_expression(begun),
        true => update
            .update_expression(format!("{begun}, #unkeyed = :true"))
            .expression_attribute_names("#unkeyed", HAS_UNKEYED)
            .expression_attribute_values(":true", AttributeValue::Bool(true)),
    };
    let stored = update.send().await.map_err(failure)?.attributes;
    let key = stored.as_ref().and_then(stored_key);
    key.ok_or_else(|| StoreError::Failed("the project's key of erasures can't be stored".to_owned()))
}
