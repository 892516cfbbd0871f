//! Derives everything from stored batches, exactly once.
//!
//! A visitor's state lists the batches that were applied to it, and it changes in the same transaction
//! as the segment that says what follows for the figures. So it does not matter how often a
//! batch is delivered, in which order, in which company, or where a consumer stops in between.

mod apply;
mod compaction;
mod context;
pub mod dead_letters;
mod erasure;
pub mod heartbeat;
mod history;
mod kept;
mod matching;
mod own_segments;
mod rebuild;
mod reconciliation;
mod recount;
pub mod replay;
mod seen_items;
mod session_change;
mod spill;
mod tombstones;
mod trust;
mod work_items;

use std::collections::BTreeMap;
use std::time::Duration;

pub use compaction::Left;
pub use erasure::Erased;
pub use history::Project;
pub use matching::{AddressRange, Filter, Match, NoAddressRange, OfDay, Pattern};
pub use rebuild::{Differences, Progress};
pub use reconciliation::Reconciled;
pub use trust::Trusted;

use compaction::Compaction;
use figures::backoff::Backoff;
use figures::generation::Generation;
use figures::ids::{ProjectId, VisitorId};
use figures::log::BatchRef;
use figures::log::tail::kept_of;
use figures::model::batch::fingerprint;
use figures::retention::{Kept, Retention};
use figures::site::HostPattern;
use figures::table::keys::{self, BatchKey};
use figures::table::store::{Consistency, HOSTS, MAX_TRANSACTION_ITEMS, Store, StoreError, read_texts};
use figures::time::{Clock, Millis};
use history::{Change, History};
use kept::Horizon;
use own_segments::OwnSegments;
use tombstones::Tombstones;

/// Tries at a visitor that other consumers are changing too.
const MAX_TRIES: u32 = 40;
const CONFLICT: Backoff = Backoff { first: Duration::from_millis(2), longest: Duration::from_millis(64) };

/// Rounds of compaction between two deliveries: some 3 MB of changes. What is left of a flood waits, others' batches don't.
const ROUNDS_BETWEEN: usize = 16;

/// Items of a transaction that are left for segments; one is the rule.
const SEGMENT_ROOM: usize = 8;

/// Items of a transaction that are left for a change.
const ROOM: usize = MAX_TRANSACTION_ITEMS - SEGMENT_ROOM;

/// What readers may still be reading stays for so long: longer than a request takes. They read blocks and segments at
/// slightly different instants.
pub const GRACE: Duration = Duration::from_secs(5);

/// Applies batches to the state of their visitors and to the figures.
#[derive(Debug, Clone)]
pub struct Consumer {
    store: Store,
    grace: Duration,
    clock: Clock,
    own_segments: OwnSegments,
    erases_later: bool,
    /// What projects keep that have no setting of their own, if it is known.
    retention: Option<Retention>,
}

/// What became of batches that were to be applied. Those that it does not name are applied.
#[derive(Debug, Default)]
#[must_use]
pub struct Applied {
    /// Batches that no further try would apply.
    pub refused: Vec<Refused>,
    /// Projects with batches that were not applied, but may be by another try.
    pub failed: BTreeMap<ProjectId, StoreError>,
    /// Bots of which some sessions are still counted, and trusted visitors of which some are not. Their work items bring them
    /// back.
    pub recounting: Vec<VisitorId>,
    /// Batches of erased visitors of which something is left, one of each, where the consumer leaves that to others.
    pub latecomers: Vec<BatchKey>,
    /// How many batches are over, and so count no more.
    pub over: usize,
    /// Write units that the batches of each project took, with those that stored them.
    pub units: BTreeMap<ProjectId, f64>,
}

/// What is to be done with some batches.
struct Undone {
    /// They are to be applied.
    pending: Vec<BatchRef>,
    /// Their visitors are erased.
    of_erased: Vec<BatchRef>,
}

/// A stored batch that can't be applied.
#[derive(Debug)]
pub struct Refused {
    /// Where it is stored.
    pub key: BatchKey,
    /// What is wrong with it, or with what is derived from its visitor's others.
    pub cause: StoreError,
}

impl Applied {
    /// Logs what can't be applied.
    pub fn log_refused(&self) {
        for Refused { key, cause } in &self.refused {
            let at = key.key();
            tracing::error!(pk = at.pk, sk = at.sk, %cause, "a stored batch can't be applied");
        }
    }

    /// The first thing that went wrong, if anything did.
    pub fn complete(self) -> Result<(), StoreError> {
        let refused = self.refused.into_iter().map(|refused| refused.cause);
        let recounting = |_| {
            StoreError::Unavailable(
                "sessions of a bot are still counted, or of a trusted visitor are not yet".to_owned(),
            )
        };
        let recounting = self.recounting.into_iter().map(recounting);
        self.failed.into_values().chain(refused).chain(recounting).next().map_or(Ok(()), Err)
    }
}

impl Consumer {
    /// A consumer that writes to a table.
    pub fn new(store: Store) -> Self {
        Consumer {
            store,
            grace: GRACE,
            clock: Clock::System,
            own_segments: OwnSegments::default(),
            erases_later: false,
            retention: Some(Retention::ALL),
        }
    }

    /// The same for readers that take no longer than this.
    pub fn with_grace(self, grace: Duration) -> Self {
        Consumer { grace, ..self }
    }

    /// The same that applies and compacts by another clock.
    pub fn with_clock(self, clock: Clock) -> Self {
        Consumer { clock, ..self }
    }

    /// The same that has not the time to erase anybody, for which readers are waited for: it says of whom something is left
    /// that was erased, and [`Consumer::apply_stored`] erases them.
    pub fn erasing_later(self) -> Self {
        Consumer { erases_later: true, ..self }
    }

    /// The same where projects that have no setting of their own keep so much. Others keep all.
    pub fn keeping(self, retention: Retention) -> Self {
        Consumer { retention: Some(retention), ..self }
    }

    /// The same for who does not know what the deployment keeps, and goes by what its functions noted.
    pub fn keeping_as_noted(self) -> Self {
        Consumer { retention: None, ..self }
    }

    /// The same with a meter of its own.
    pub fn metered(&self) -> Self {
        Consumer { store: self.store.metered(), ..self.clone() }
    }

    /// The instant by which it applies and compacts.
    pub fn now(&self) -> Millis {
        self.clock.now()
    }

    /// The table.
    pub fn store(&self) -> &Store {
        &self.store
    }

    async fn project(&self, id: ProjectId) -> Result<Project, StoreError> {
        let item = self.store.get(&keys::project(&id), Consistency::Strong).await?;
        let hosts = item.as_ref().map(|item| read_texts(item, HOSTS)).unwrap_or_default();
        let hosts = hosts.iter().map(|host| HostPattern::stored(host)).collect();
        let kept = Box::pin(kept_of(&self.store, &id, item.as_ref(), self.retention)).await?;
        Ok(Project { id, hosts, tombstones: Tombstones::of(item.as_ref()), horizon: Horizon::at(kept, self.now()) })
    }

    /// What a project keeps.
    pub async fn kept(&self, project: &ProjectId) -> Result<Kept, StoreError> {
        Ok(self.project(project.clone()).await?.horizon.kept)
    }

    /// Changes one visitor, trying again as long as others change it too. Gives what was written, if anything.
    pub(crate) async fn change(
        &self,
        project: &Project,
        visitor: &VisitorId,
        edit: impl AsyncFn(&mut History<'_>) -> Result<(), StoreError>,
    ) -> Result<Option<Change>, StoreError> {
        let mut tries = 0;
        loop {
            let attempt = async {
                let mut history = History::load(&self.store, project, visitor.clone()).await?;
                edit(&mut history).await?;
                history.into_change(ROOM).await
            };
            match attempt.await {
                Ok(None) => return Ok(None),
                Ok(Some(change)) => {
                    let committed = self.commit(&project.id, &[&change]).await?;
                    if committed.lost.is_empty() {
                        return Ok(Some(change));
                    }
                }
                Err(StoreError::Overtaken) => {}
                Err(error) => return Err(error),
            }
            tries += 1;
            wait_before(tries).await?;
        }
    }

    /// Compacts a project's tail if it is due, and removes what was merged; says what is left to do. A block that can't
    /// be read is left to a rebuild: it must not hold up batches, which are applied already.
    pub async fn compact(&self, project: &ProjectId) -> Result<Left, StoreError> {
        self.compact_some(project, usize::MAX).await
    }

    async fn compact_some(&self, project: &ProjectId, max_rounds: usize) -> Result<Left, StoreError> {
        match self.compaction(project).run(max_rounds).await {
            Err(error) if error.is_of_items() => {
                tracing::error!(%project, %error, "figures can't be compacted: run `identity rebuild`");
                Ok(Left::Nothing)
            }
            outcome => outcome,
        }
    }

    /// Compacts some of a project's tail, where that may fail: the batches are applied.
    async fn compact_between(&self, project: &ProjectId) {
        if let Err(error) = self.compact_some(project, ROUNDS_BETWEEN).await {
            // Whoever looks at the tail next does it.
            tracing::warn!(%project, %error, "the tail could not be compacted; the next look tries again");
        }
    }

    fn compaction<'a>(&'a self, project: &'a ProjectId) -> Compaction<'a> {
        Compaction::new(&self.store, project, self.grace, &self.clock, &self.own_segments, self.retention)
    }

    /// The batches among these that are not applied yet. Those of erased visitors never will be.
    pub async fn pending(&self, project: &ProjectId, batches: Vec<BatchRef>) -> Result<Vec<BatchRef>, StoreError> {
        Ok(self.undone(project, batches).await?.pending)
    }

    /// The batches among these that are not applied yet, and those of erased visitors.
    async fn undone(&self, project: &ProjectId, batches: Vec<BatchRef>) -> Result<Undone, StoreError> {
        let project = self.project(project.clone()).await?;
        let mut by_visitor: BTreeMap<VisitorId, Vec<BatchRef>> = BTreeMap::new();
        for batch in batches {
            by_visitor.entry(batch.visitor.clone()).or_default().push(batch);
        }
        let known = by_visitor.keys().map(|visitor| keys::visitor(&project.id, visitor));
        let tombstones = by_visitor.keys().flat_map(|visitor| project.tombstones.keys(&project.id, visitor));
        let items = self.store.get_many(known.chain(tombstones).collect(), Consistency::Strong).await?;
        let (mut pending, mut of_erased) = (Vec::new(), Vec::new());
        for (visitor, batches) in by_visitor {
            if project.tombstones.keys(&project.id, &visitor).any(|tombstone| items.contains_key(&tombstone)) {
                of_erased.extend(batches);
                continue;
            }
            let item = items.get(&keys::visitor(&project.id, &visitor));
            let mut history = History::new(&self.store, &project, visitor, item, Generation::FIRST)?;
            history.begin_again_if_over();
            for batch in batches {
                let is_done = async {
                    Ok(history.is_applied(&batch.session, fingerprint(&batch.batch)).await?
                        || history.is_dropped(&batch.session, &batch.batch).await?)
                };
                let is_applied = match is_done.await {
                    Err(StoreError::Overtaken) => false,
                    is_applied => is_applied?,
                };
                if history.is_recounting() || !is_applied {
                    pending.push(batch);
                }
            }
        }
        Ok(Undone { pending, of_erased })
    }
}

/// Waits before another try at what other writers changed too.
async fn wait_before(tries: u32) -> Result<(), StoreError> {
    if tries > MAX_TRIES {
        return Err(StoreError::Unavailable("a visitor kept changing under every try".to_owned()));
    }
    CONFLICT.wait(tries).await;
    Ok(())
}
