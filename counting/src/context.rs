//! Whose history is being changed, and where it is stored.

use std::collections::HashSet;

use crate::kept::Horizon;
use figures::ids::{ProjectId, VisitorId};
use figures::model::Session;
use figures::model::batch::fingerprint;
use figures::model::session::MAX_PART;
use figures::table::keys::{self, Key};
use figures::table::store::{Consistency, Query, REV, SortKeys, Store, StoreError, item_key, read_number, read_packed};

/// Whose sessions are being changed.
#[derive(Debug, Clone)]
pub struct Context<'a> {
    /// Where.
    pub store: &'a Store,
    /// In this project.
    pub project: &'a ProjectId,
    /// This visitor's.
    pub visitor_id: VisitorId,
    /// The visitor's revision, from which on it changes.
    pub revision: Option<u64>,
    /// What is over, and may be missing.
    pub horizon: Horizon,
    /// Whether an erasure goes on where batches are missing that were applied.
    pub may_miss_batches: bool,
}

impl Context<'_> {
    /// Why an item that others name is not there: another writer moved it meanwhile, or it is lost.
    pub async fn missing(&self, key: Key) -> Result<StoreError, StoreError> {
        let item = self.store.get(&keys::visitor(self.project, &self.visitor_id), Consistency::Strong).await?;
        let revision = item.as_ref().map(|item| read_number::<u64>(item, REV)).transpose()?;
        if revision != self.revision {
            return Ok(StoreError::Overtaken);
        }
        let cause = "another item names it, and it is missing: run `identity rebuild`".to_owned();
        Ok(StoreError::Corrupt { key: format!("{} / {}", key.pk, key.sk), cause })
    }

    /// Whether all batches that were applied to a session are stored.
    pub async fn are_stored(&self, session: &Session) -> Result<bool, StoreError> {
        let applied = self.applied(session).await?;
        let mut found = 0;
        let query = Query::partition(keys::visitor_partition(self.project, &self.visitor_id))
            .sort_keys(SortKeys::Prefix(keys::session_batches(&session.session_id)))
            .keys_only()
            .strong();
        for item in self.store.query(query).await? {
            let key = item_key(&item)?;
            if let Some(stored) = keys::parse_batch(&key.pk, &key.sk) {
                found += usize::from(applied.contains(&fingerprint(&stored.batch)));
            }
        }
        Ok(found >= session.applied.count())
    }

    /// The fingerprints of all batches that were applied to a session.
    pub async fn applied(&self, session: &Session) -> Result<HashSet<u64>, StoreError> {
        let mut applied = self.listed(session).await?;
        applied.extend(&session.applied.recent);
        Ok(applied)
    }

    /// The fingerprints of a session's batches that are listed in items of their own.
    pub async fn listed(&self, session: &Session) -> Result<HashSet<u64>, StoreError> {
        let count = (session.applied.listed as usize).div_ceil(MAX_PART);
        if count == 0 {
            return Ok(HashSet::new());
        }
        let keys =
            (0..count).map(|part| keys::applied(self.project, &self.visitor_id, &session.session_id, part as u32));
        let parts = self.store.get_many(keys.collect(), Consistency::Strong).await?;
        let parts = parts.values().map(read_packed::<Vec<u64>>).collect::<Result<Vec<_>, _>>()?;
        Ok(parts.into_iter().flatten().collect())
    }
}
