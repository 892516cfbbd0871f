//! Erasing visitors: first out of the figures, some sessions a transaction, then their batches, then what is left of them in
//! the log of changes. It can stop anywhere and be run again, and two may run at once.
//!
//! The tombstones come first, then the mark in each visitor's item, so that consumers which read the visitor before meet
//! another revision. A consumer that knows no item for a visitor looks for the tombstone before it stores one and again
//! afterwards, and erases once more what came late.

use std::collections::{BTreeSet, HashSet, VecDeque};
use std::time::{Duration, Instant};

use futures::future::try_join_all;
use futures::stream::{self, StreamExt, TryStreamExt};

use crate::apply::{GROUP, take_transaction};
use crate::history::{Change, History, Project};
use crate::tombstones::Tombstone;
use crate::work_items::WorkItem;
use crate::{Consumer, ROOM, wait_before};
use figures::generation::Generation;
use figures::ids::{ProjectId, VisitorId};
use figures::table::keys;
use figures::table::store::{
    Consistency, Item, MAX_TRANSACTION_ITEMS, Outcome, Query, Store, StoreError, Write, item_key,
};
use figures::time::{Day, Millis};

/// Items deleted at once.
const CONCURRENCY: usize = 16;

/// Visitors whose items are deleted at once.
const PARTITIONS: usize = 8;

/// So long an erasure waits for batches that were applied and are missing, from its last step on.
const PATIENCE: Duration = Duration::from_secs(1);

/// Items of a partition whose keys are read together, to be deleted.
const DELETED_TOGETHER: usize = 1_000;

/// What an erasure removed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Erased {
    /// Visitors of which anything was stored.
    pub visitors: usize,
    /// Sessions.
    pub sessions: usize,
    /// Batches, and the visitors' other items.
    pub items: usize,
}

impl Erased {
    /// With what another one removed.
    #[must_use]
    pub fn plus(self, other: Erased) -> Self {
        Erased {
            visitors: self.visitors + other.visitors,
            sessions: self.sessions + other.sessions,
            items: self.items + other.items,
        }
    }
}

/// A visitor that is being erased.
struct Leaving<'a> {
    tombstone: &'a Tombstone<'a>,
    /// The days at which it may be counted anywhere, as its tombstone says.
    days: BTreeSet<Day>,
    sessions: usize,
    items: usize,
}

/// A step of taking a visitor out of the figures.
struct Step {
    /// How many sessions it takes out.
    sessions: usize,
    /// The days that the visitor's tombstone says since.
    days: BTreeSet<Day>,
    change: Change,
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
        self.erase_all(project, std::slice::from_ref(visitor), report).await
    }

    /// Erases some visitors as one: what is left of them in the log of changes is removed once for all of them.
    ///
    /// # Errors
    /// If something fails. Where that lies in what is stored of a visitor, the others are erased all the same.
    pub async fn erase_all(
        &self,
        project: &ProjectId,
        visitors: &[VisitorId],
        report: impl Fn(Erased),
    ) -> Result<Erased, StoreError> {
        let tombstones = Tombstone::put(&self.store, project, visitors).await?;
        let project = self.project(project.clone()).await?;
        self.erase_under(tombstones, &project, report).await
    }

    /// Erases visitors whose tombstones are there.
    pub(crate) async fn erase_under(
        &self,
        tombstones: Vec<Tombstone<'_>>,
        project: &Project,
        report: impl Fn(Erased),
    ) -> Result<Erased, StoreError> {
        self.give_up_building(&project.id).await?;
        let (mut erased, mut days, mut done) = (Erased::default(), BTreeSet::new(), Vec::new());
        let mut waiting: VecDeque<&[Tombstone<'_>]> = tombstones.chunks(GROUP).collect();
        let mut failed = None;
        while let Some(group) = waiting.pop_front() {
            match Box::pin(self.erase_group(project, group)).await {
                Ok((of_group, days_of_group)) => {
                    erased = erased.plus(of_group);
                    days.extend(days_of_group);
                    done.extend(group);
                    report(erased);
                }
                // One of them can't be read, or its change is refused: the others are erased without it.
                Err(error) if error.is_of_items() && group.len() > 1 => waiting.extend(group.chunks(1)),
                Err(error) if error.is_of_items() => failed = Some(error),
                Err(error) => return Err(error),
            }
        }
        let visitors: HashSet<&VisitorId> = done.iter().map(|tombstone| &tombstone.visitor).collect();
        for work in WorkItem::all(&self.store, &project.id).await? {
            if visitors.contains(&work.visitor) {
                self.store.delete(&work.key).await?;
            }
        }
        if !days.is_empty() {
            self.compaction(&project.id).expunge(&days).await?;
        }
        let finished = done.iter().map(|tombstone| Ok(tombstone.finish()));
        stream::iter(finished).try_buffer_unordered(CONCURRENCY).try_collect::<Vec<()>>().await?;
        failed.map_or(Ok(erased), Err)
    }

    pub(crate) async fn give_up_building(&self, project: &ProjectId) -> Result<(), StoreError> {
        let compaction = self.compaction(project);
        loop {
            let manifest = compaction.finish_rounds().await?.manifest;
            if manifest.building.is_none()
                || compaction.put(&manifest, &manifest.give_up_building(Millis::now())).await?
            {
                return Ok(());
            }
        }
    }

    /// Removes some visitors from the figures, and all their items. Gives the days at which they may have been counted.
    async fn erase_group(
        &self,
        project: &Project,
        group: &[Tombstone<'_>],
    ) -> Result<(Erased, BTreeSet<Day>), StoreError> {
        let mut unfinished = Tombstone::unfinished_days(&self.store, group).await?;
        let leaving = group.iter().map(|tombstone| {
            let days = unfinished.remove(&tombstone.key).unwrap_or_default();
            Leaving { tombstone, days, sessions: 0, items: 0 }
        });
        let mut leaving: Vec<Leaving<'_>> = leaving.collect();
        let mut left: Vec<&mut Leaving<'_>> = leaving.iter_mut().collect();
        while !left.is_empty() {
            left = Box::pin(self.erase_from_figures_together(project, left)).await?;
            let deletions = left.iter_mut().map(|of| async {
                of.items += delete_of_unknown(&self.store, &project.id, &of.tombstone.visitor).await?;
                Ok::<(), StoreError>(())
            });
            stream::iter(deletions).buffer_unordered(PARTITIONS).try_collect::<Vec<()>>().await?;
            // Those of which a consumer stored something meanwhile are erased once more.
            let visitors = left.iter().map(|of| keys::visitor(&project.id, &of.tombstone.visitor));
            let trusted = left.iter().map(|of| keys::trusted(&project.id, &of.tombstone.visitor));
            let found = self.store.get_many(visitors.chain(trusted).collect(), Consistency::Strong).await?;
            for key in left.iter().map(|of| keys::trusted(&project.id, &of.tombstone.visitor)) {
                if found.contains_key(&key) {
                    self.store.delete(&key).await?;
                }
            }
            left.retain(|of| found.contains_key(&keys::visitor(&project.id, &of.tombstone.visitor)));
        }
        let mut erased = Erased::default();
        for Leaving { sessions, items, .. } in &leaving {
            let visitors = usize::from(sessions + items > 0);
            erased = erased.plus(Erased { visitors, sessions: *sessions, items: *items });
        }
        Ok((erased, leaving.into_iter().flat_map(|of| of.days).collect()))
    }

    /// Takes the sessions of some visitors out of the figures, step by step, the latest one last and the visitor with it. One
    /// transaction has a step of as many visitors as fit into it.
    async fn erase_from_figures_together<'l, 'a>(
        &self,
        project: &Project,
        mut leaving: Vec<&'l mut Leaving<'a>>,
    ) -> Result<Vec<&'l mut Leaving<'a>>, StoreError> {
        let (mut tries, mut patient_until) = (0, Instant::now() + PATIENCE);
        loop {
            let visitors = leaving.iter().map(|of| keys::visitor(&project.id, &of.tombstone.visitor)).collect();
            let known = self.store.get_many(visitors, Consistency::Strong).await?;
            if known.is_empty() {
                return Ok(leaving);
            }
            let steps =
                leaving.iter().enumerate().filter_map(|(at, of)| {
                    let item = known.get(&keys::visitor(&project.id, &of.tombstone.visitor))?;
                    Some(async move {
                        Ok::<_, StoreError>((at, self.step_of_erasure(project, of, item, patient_until).await?))
                    })
                });
            let (mut ready, mut is_overtaken) = (VecDeque::new(), false);
            for (at, step) in try_join_all(steps).await? {
                match step {
                    Some(Step { sessions, days, change }) => {
                        leaving[at].days = days;
                        ready.push_back((at, sessions, change));
                    }
                    None => is_overtaken = true,
                }
            }
            let mut is_compaction_due = false;
            while !ready.is_empty() {
                let together = take_transaction(&mut ready, |(_, _, change)| change)?;
                let changes: Vec<&Change> = together.iter().map(|(_, _, change)| change).collect();
                let committed = self.commit(&project.id, &changes).await?;
                is_compaction_due |= committed.is_compaction_due;
                is_overtaken |= !committed.lost.is_empty();
                let written = together.iter().enumerate().filter(|(position, _)| !committed.lost.contains(position));
                for (_, (at, sessions, _)) in written {
                    leaving[*at].sessions += sessions;
                    (tries, patient_until) = (0, Instant::now() + PATIENCE);
                }
            }
            if is_compaction_due && let Err(error) = self.compact(&project.id).await {
                tracing::warn!(project = %project.id, %error, "the tail could not be compacted; the next look tries again");
            }
            if is_overtaken {
                tries += 1;
                wait_before(tries).await?;
            }
        }
    }

    /// The next step of taking a visitor out of the figures, once its tombstone says at which days it may be counted. None:
    /// another writer changed the visitor meanwhile.
    ///
    /// The first step marks the visitor at the very revision whose days the tombstone says, so no other day comes after.
    async fn step_of_erasure(
        &self,
        project: &Project,
        of: &Leaving<'_>,
        item: &Item,
        patient_until: Instant,
    ) -> Result<Option<Step>, StoreError> {
        let attempt = async {
            let visitor = of.tombstone.visitor.clone();
            let mut history = History::new(&self.store, project, visitor, Some(item), Generation::FIRST)?;
            let mut days = of.days.clone();
            if history.is_known() || days.is_empty() {
                days.extend(history.days().await?);
            }
            if days != of.days {
                of.tombstone.begin(&days).await?;
            }
            history.begin_erasure();
            if Instant::now() < patient_until {
                history.expect_batches();
            }
            let sessions = history.erase_some().await?;
            Ok(history.into_change(ROOM).await?.map(|change| Step { sessions, days, change }))
        };
        match attempt.await {
            Err(StoreError::Overtaken) => Ok(None),
            step => step,
        }
    }

    /// Takes a visitor's sessions out of the figures, the latest one last and the visitor with it.
    pub(crate) async fn erase_from_figures(&self, project: &Project, visitor: &VisitorId) -> Result<(), StoreError> {
        let step = async |history: &mut History<'_>| {
            history.begin_erasure();
            history.erase_some().await.map(|_| ())
        };
        while self.change(project, visitor, step).await?.is_some() {}
        Ok(())
    }
}

/// Deletes all items of a visitor that nothing is known of, and says how many there were. It stops where the visitor is begun
/// meanwhile.
///
/// Invariant: an item goes only while the visitor's own one is not there, in one transaction with a look at it. So nothing goes
/// that a visitor refers to that is begun meanwhile, nor a batch that has to be taken out of the figures with it.
pub async fn delete_of_unknown(store: &Store, project: &ProjectId, visitor: &VisitorId) -> Result<usize, StoreError> {
    let own = keys::visitor(project, visitor);
    let (mut deleted, mut tries) = (0, 0);
    loop {
        let query = Query::partition(keys::visitor_partition(project, visitor)).keys_only();
        let items = store.query(query.limit(MAX_TRANSACTION_ITEMS - 1).strong()).await?;
        let keys = items.iter().map(item_key).collect::<Result<Vec<_>, _>>()?;
        if keys.is_empty() || keys.contains(&own) {
            return Ok(deleted);
        }
        let count = keys.len();
        let deletes = keys.into_iter().map(Write::Delete).chain([Write::Absent(own.clone())]);
        match store.transact(deletes.collect()).await? {
            Outcome::Committed => (deleted, tries) = (deleted + count, 0),
            Outcome::Conflict(_) if store.get(&own, Consistency::Strong).await?.is_some() => return Ok(deleted),
            Outcome::Conflict(_) => {
                tries += 1;
                wait_before(tries).await?;
            }
        }
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
