//! Erasing a visitor: first out of the figures, a session a transaction, then its batches. It can stop
//! anywhere and be run again.

use std::time::Duration;

use futures::stream::{self, StreamExt, TryStreamExt};

use crate::Consumer;
use crate::history::History;
use shared::ids::{ProjectId, VisitorId};
use shared::keys;
use shared::store::{Query, Store, StoreError, item_key, key_item};

/// A consumer that read the table before the tombstone was there may still write for so long: the time
/// limit of an operation and its retries.
const STRAGGLERS: Duration = Duration::from_secs(6);

/// Items deleted at once.
const CONCURRENCY: usize = 16;

/// What an erasure removed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Erased {
    /// Sessions.
    pub sessions: usize,
    /// Batches, and the visitor's other items.
    pub items: usize,
}

impl Consumer {
    /// Erases a visitor and all that it sent, and refuses what it still sends.
    pub async fn erase(
        &self,
        project: &ProjectId,
        visitor: &VisitorId,
        report: impl Fn(Erased),
    ) -> Result<Erased, StoreError> {
        self.store.put(key_item(&keys::tombstone(project, visitor))).await?;
        let mut erased = Erased::default();
        loop {
            let before = erased;
            self.erase_from_figures(project, visitor, &mut erased).await?;
            erased.items += delete_partition(&self.store, keys::visitor_partition(project, visitor)).await?;
            if erased == before {
                return Ok(erased);
            }
            report(erased);
            tokio::time::sleep(STRAGGLERS).await;
        }
    }

    async fn erase_from_figures(
        &self,
        project: &ProjectId,
        visitor: &VisitorId,
        erased: &mut Erased,
    ) -> Result<(), StoreError> {
        let project = self.project(project.clone()).await?;
        self.change(&project, visitor, async |history| {
            history.begin_erasure();
            Ok(())
        })
        .await?;
        let history = History::load(&self.store, &project, visitor.clone()).await?;
        if history.is_empty() {
            return Ok(());
        }
        for session in history.earlier_sessions().await? {
            self.change(&project, visitor, async |history| history.erase_session(&session).await).await?;
            erased.sessions += 1;
        }
        self.change(&project, visitor, async |history| history.erase_visitor().await).await?;
        erased.sessions += 1;
        Ok(())
    }
}

/// Deletes all items of a partition and says how many there were.
async fn delete_partition(store: &Store, partition: String) -> Result<usize, StoreError> {
    let items = store.query(Query::partition(partition).strong()).await?;
    let keys = items.iter().map(item_key).collect::<Result<Vec<_>, _>>()?;
    stream::iter(&keys)
        .map(|key| Ok(store.delete(key)))
        .try_buffer_unordered(CONCURRENCY)
        .try_collect::<Vec<()>>()
        .await?;
    Ok(keys.len())
}
