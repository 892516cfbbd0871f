//! Tombstones: by which erased visitors are known again, without knowing who they were.

use std::collections::BTreeSet;

use aws_sdk_dynamodb::types::AttributeValue;

use shared::erasure_key::{ERASURE_KEY, ErasureKey, HAS_UNKEYED};
use shared::ids::{ProjectId, VisitorId};
use shared::keys::{self, Key};
use shared::store::{Consistency, Item, Query, Store, StoreError, binary, failure, key_item, number};
use shared::time::Day;

/// The attribute of a tombstone with the days of which something may be left of its visitor.
const UNFINISHED_DAYS: &str = "unfinished_days";

/// Where a project's tombstones are.
#[derive(Debug, Clone, Default)]
pub struct Tombstones {
    /// The project's key; none before its first erasure.
    key: Option<ErasureKey>,
    /// Whether there may be tombstones of earlier versions, which had no key.
    may_be_unkeyed: bool,
}

impl Tombstones {
    /// As a project's item says.
    pub fn of(project: Option<&Item>) -> Self {
        let key = project.and_then(ErasureKey::of);
        let may_be_unkeyed = key.is_none() || project.is_some_and(|item| item.contains_key(HAS_UNKEYED));
        Tombstones { key, may_be_unkeyed }
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
        Ok(found.into_keys().next().map(|key| Tombstone { store, key }))
    }
}

/// The tombstone of a visitor that is being erased.
#[derive(Debug)]
pub struct Tombstone<'a> {
    store: &'a Store,
    key: Key,
}

impl<'a> Tombstone<'a> {
    /// Stores a visitor's tombstone, if it is not there: from then on, what the visitor still sends is refused.
    pub async fn place(store: &'a Store, project: &ProjectId, visitor: &VisitorId) -> Result<Self, StoreError> {
        let key = keys::tombstone(project, visitor, &erasure_key(store, project).await?);
        let _ = store.put_at(key_item(&key), None).await?;
        Ok(Tombstone { store, key })
    }

    /// The days of which something may be left, also by an erasure that was stopped.
    pub async fn unfinished_days(&self) -> Result<BTreeSet<Day>, StoreError> {
        let item = self.store.get(&self.key, Consistency::Strong).await?.unwrap_or_default();
        let days = item.get(UNFINISHED_DAYS).and_then(|value| value.as_l().ok()).into_iter().flatten();
        Ok(days.filter_map(|day| day.as_n().ok()?.parse().ok().map(Day)).collect())
    }

    /// Notes the days of which something may be left, before it is touched.
    pub async fn begin(&self, days: &BTreeSet<Day>) -> Result<(), StoreError> {
        let mut item = key_item(&self.key);
        item.insert(UNFINISHED_DAYS.to_owned(), days_attribute(days));
        self.store.put(item).await
    }

    /// Notes that nothing is left.
    pub async fn finish(&self) -> Result<(), StoreError> {
        self.store.put(key_item(&self.key)).await
    }
}

fn days_attribute(days: &BTreeSet<Day>) -> AttributeValue {
    AttributeValue::L(days.iter().map(|day| number(day.0)).collect())
}

/// A project's key, made now if it has none.
async fn erasure_key(store: &Store, project: &ProjectId) -> Result<ErasureKey, StoreError> {
    let read = async || {
        let item = store.get(&keys::project(project), Consistency::Strong).await?;
        Ok::<_, StoreError>(item.as_ref().and_then(ErasureKey::of))
    };
    if let Some(key) = read().await? {
        return Ok(key);
    }
    let earlier = store.query(Query::partition(keys::tombstones(project)).limit(1).strong()).await?;
    let key = ErasureKey::generate().map_err(|error| StoreError::Failed(error.to_string()))?;
    let mut update = store
        .client()
        .update_item()
        .table_name(store.table())
        .set_key(Some(key_item(&keys::project(project))))
        .expression_attribute_names("#key", ERASURE_KEY)
        .expression_attribute_values(":key", binary(key.bytes().to_vec()));
    let keep_key = "SET #key = if_not_exists(#key, :key)";
    update = if earlier.is_empty() {
        update.update_expression(keep_key)
    } else {
        update
            .update_expression(format!("{keep_key}, #unkeyed = :true"))
            .expression_attribute_names("#unkeyed", HAS_UNKEYED)
            .expression_attribute_values(":true", AttributeValue::Bool(true))
    };
    update.send().await.map_err(failure)?;
    read().await?.ok_or_else(|| StoreError::Failed("the project's key of erasures can't be stored".to_owned()))
}
