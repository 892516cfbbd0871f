//! Erasing a visitor: first out of the figures, a session a transaction, then its batches, then what is left of it in
//! the log of changes. It can stop anywhere and be run again, and two may run at once.
//!
//! The tombstone comes first, then the mark in the visitor's item, so that consumers which read the visitor before meet
//! another revision. A consumer that knows no item for a visitor looks for the tombstone before it stores one and again
//! afterwards, and erases once more what came late.

use std::collections::BTreeSet;

use futures::stream::{self, StreamExt, TryStreamExt};

use crate::Consumer;
use crate::history::{History, Project};
use crate::tombstones::Tombstone;
use crate::work_items::WorkItem;
use shared::ids::{ProjectId, VisitorId};
use shared::keys;
use shared::model::Session;
use shared::store::{Query, Store, StoreError, item_key};
use shared::time::{Day, Millis};

/// Items deleted at once.
const CONCURRENCY: usize = 16;

/// Items of a partition whose keys are read together, to be deleted.
const DELETED_TOGETHER: usize = 1_000;

/// What an erasure removed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Erased {
    /// Sessions.
    pub sessions: usize,
    /// Batches, and the visitor's other items.
    pub items: usize,
}

impl Consumer {
    /// Erases a visitor and all that it sent, and refuses what it still sends. A rebuild that is under way is given up,
    /// for it may have counted the visitor.
    pub async fn erase(
        &self,
        project: &ProjectId,
        visitor: &VisitorId,
        report: impl Fn(Erased),
    ) -> Result<Erased, StoreError> {
        let tombstone = Tombstone::place(&self.store, project, visitor).await?;
        let project = self.project(project.clone()).await?;
        self.erase_under(&tombstone, &project, visitor, report).await
    }

    /// Erases a visitor whose tombstone is there.
    pub(crate) async fn erase_under(
        &self,
        tombstone: &Tombstone<'_>,
        project: &Project,
        visitor: &VisitorId,
        report: impl Fn(Erased),
    ) -> Result<Erased, StoreError> {
        self.give_up_building(&project.id).await?;
        self.change(project, visitor, async |history| {
            history.begin_erasure();
            Ok(())
        })
        .await?;
        let mut days = tombstone.unfinished_days().await?;
        days.extend(self.days_of(project, visitor).await?);
        tombstone.begin(&days).await?;
        let mut erased = Erased::default();
        loop {
            let before = erased;
            erased.sessions += self.erase_from_figures(project, visitor).await?;
            erased.items += delete_partition(&self.store, keys::visitor_partition(&project.id, visitor)).await?;
            if erased == before {
                break;
            }
            report(erased);
        }
        self.store.delete(&keys::trusted(&project.id, visitor)).await?;
        for work in WorkItem::all(&self.store, &project.id).await? {
            if work.visitor == *visitor {
                self.store.delete(&work.key).await?;
            }
        }
        if !days.is_empty() {
            self.compaction(&project.id).expunge(&days).await?;
        }
        tombstone.finish().await?;
        Ok(erased)
    }

    async fn give_up_building(&self, project: &ProjectId) -> Result<(), StoreError> {
        let compaction = self.compaction(project);
        loop {
            let manifest = compaction.settled_tail().await?.manifest;
            if manifest.building.is_none()
                || compaction.put(&manifest, &manifest.give_up_building(Millis::now())).await?
            {
                return Ok(());
            }
        }
    }

    /// The days at which a visitor is counted anywhere.
    async fn days_of(&self, project: &Project, visitor: &VisitorId) -> Result<BTreeSet<Day>, StoreError> {
        let history = History::load(&self.store, project, visitor.clone()).await?;
        let days = |session: &Session| session.earliest().day().0..=session.latest().day().0;
        Ok(history.all_sessions().await?.iter().flat_map(days).map(Day).collect())
    }

    /// Takes a visitor's sessions out of the figures, the latest one last and the visitor with it. Says how many.
    pub(crate) async fn erase_from_figures(&self, project: &Project, visitor: &VisitorId) -> Result<usize, StoreError> {
        let history = History::load(&self.store, project, visitor.clone()).await?;
        if history.is_empty() {
            return Ok(0);
        }
        let mut erased = 0;
        for session in history.earlier_sessions().await? {
            self.change(project, visitor, async |history| history.erase_session(&session).await).await?;
            erased += 1;
        }
        self.change(project, visitor, async |history| history.erase_visitor().await).await?;
        Ok(erased + 1)
    }
}

/// Deletes all items of a partition and says how many there were.
pub async fn delete_partition(store: &Store, partition: String) -> Result<usize, StoreError> {
    let mut deleted = 0;
    loop {
        let query = Query::partition(&partition).keys_only().limit(DELETED_TOGETHER).strong();
        let items = store.query(query).await?;
        let keys = items.iter().map(item_key).collect::<Result<Vec<_>, _>>()?;
        stream::iter(&keys)
            .map(|key| Ok(store.delete(key)))
            .try_buffer_unordered(CONCURRENCY)
            .try_collect::<Vec<()>>()
            .await?;
        deleted += keys.len();
        if keys.len() < DELETED_TOGETHER {
            return Ok(deleted);
        }
    }
}
