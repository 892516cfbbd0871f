//! Derives everything from stored batches, exactly once.
//!
//! A visitor's state lists the batches that were applied to it, and it changes in the same transaction
//! as the segment that says what follows for the figures. So it does not matter how often a
//! batch is delivered, in which order, in which company, or where a consumer stops in between.

mod compaction;
mod context;
pub mod dead_letters;
mod erasure;
pub mod heartbeat;
mod history;
mod matching;
mod memory;
mod rebuild;
mod reconciliation;
pub mod replay;
mod session_change;
mod spill;
mod tombstones;
mod trust;
mod work_items;

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::time::Duration;

use futures::future::try_join_all;

pub use compaction::Left;
pub use erasure::Erased;
pub use history::Project;
pub use matching::{AddressRange, Filter, Match, NoAddressRange, OfDay, Pattern};
pub use rebuild::{Differences, Progress};
pub use reconciliation::Reconciled;
pub use trust::Trusted;

use compaction::Compaction;
use figures::generation::Generation;
use figures::ids::{ProjectId, VisitorId};
use figures::log::tail::{Manifest, segment_items};
use figures::log::{BatchRef, Delta};
use figures::model::batch::fingerprint;
use figures::model::{Batch, Event, Visitor};
use figures::table::codec;
use figures::table::keys::{self, BatchKey, Key};
use figures::table::store::{
    Consistency, DATA, HOSTS, Item, MAX_TRANSACTION_ITEMS, Outcome, Store, StoreError, Write, read_binary, read_packed,
    read_texts,
};
use figures::time::Millis;
use history::{Change, History};
use tombstones::Tombstones;
use work_items::WorkItem;

/// Visitors whose changes are written together: they seldom need more than three items each.
const GROUP: usize = 32;

/// Sessions of one visitor that one change touches at most, before the rest waits for the next.
const MAX_SESSIONS: usize = 16;

/// Batches of full sessions that one change drops at most: each is an item of its transaction.
const MAX_DROPPED: usize = 25;

/// Events and batches of one visitor that one change applies at most, roughly.
const MAX_WEIGHT: usize = 2_000;

/// So many bytes of an event weigh as much as one event more: eight of the largest batches make a change.
const BYTES_OF_WEIGHT: usize = 256;

/// Tries at a visitor that other consumers are changing too.
const MAX_TRIES: u32 = 40;

/// Items of a transaction that are left for segments; one is the rule.
const MAX_SEGMENTS: usize = 8;

/// Items of a transaction that are left for a change.
const ROOM: usize = MAX_TRANSACTION_ITEMS - MAX_SEGMENTS;

/// What changes may add to the figures together, before it is packed. Texts are in several measures of a change, and deflating
/// finds what repeats within 32 KB: more together would be larger in the table.
const MAX_TRANSACTION_BYTES: usize = 48 << 10;

/// A segment in so many looks whether the tail is due for compaction; a long one always does.
const COMPACTION_CHECK_EVERY: u64 = 8;
const LONG_SEGMENT_BYTES: usize = 4 << 10;

/// Rounds of compaction between two deliveries: some 3 MB of changes. What is left of a flood waits, others' batches don't.
const ROUNDS_BETWEEN: usize = 16;

/// Visitors of which a delivery takes some sessions out of the figures, or into them.
const MAX_STEPS: usize = 8;

/// What readers may still be reading stays for so long: longer than a request takes. They read blocks and segments at
/// slightly different instants.
pub const GRACE: Duration = Duration::from_secs(5);

/// Applies batches to the state of their visitors and to the figures.
#[derive(Debug, Clone)]
pub struct Consumer {
    store: Store,
    grace: Duration,
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
    pub unwinding: Vec<VisitorId>,
    /// Write units that the batches of each project took, with those that stored them.
    pub units: BTreeMap<ProjectId, f64>,
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
        let unwinding = |_| {
            StoreError::Unavailable(
                "sessions of a bot are still counted, or of a trusted visitor are not yet".to_owned(),
            )
        };
        let unwinding = self.unwinding.into_iter().map(unwinding);
        self.failed.into_values().chain(refused).chain(unwinding).next().map_or(Ok(()), Err)
    }
}

/// A visitor's batches that wait to be applied.
#[derive(Debug, Clone)]
struct Work {
    visitor: VisitorId,
    batches: VecDeque<Batch>,
    tries: u32,
}

/// What is known of a group's visitors that nothing is known of.
#[derive(Debug, Default)]
struct Newcomers {
    /// The generation in which they begin.
    newest: Generation,
    /// Those that were erased.
    erased: BTreeSet<VisitorId>,
}

/// What came of applying batches to a visitor's history.
#[derive(Debug)]
enum Prepared {
    /// There is something to write; the batches from before, in case it is lost to another writer.
    Changed { work: Work, before: VecDeque<Batch>, change: Change },
    /// All of it was applied before.
    Same { work: Work, before: VecDeque<Batch>, is_unwinding: bool },
    /// Another consumer changed the visitor meanwhile.
    Overtaken(Work),
}

impl Consumer {
    /// A consumer that writes to a table.
    pub fn new(store: Store) -> Self {
        Consumer { store, grace: GRACE }
    }

    /// The same for readers that take no longer than this.
    pub fn with_grace(self, grace: Duration) -> Self {
        Consumer { grace, ..self }
    }

    /// The table.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Applies batches, in any order and however often they are delivered: each counts once. What goes wrong
    /// with one batch or one project holds up no other.
    pub async fn apply(&self, batches: BTreeMap<ProjectId, Vec<Batch>>) -> Applied {
        let mut applied = Applied::default();
        for (id, batches) in batches {
            let (before, stored) = (self.store.consumed().write_units, batches.len() as f64);
            let outcome = match self.project(id.clone()).await {
                Ok(project) => self.apply_to(&project, batches, &mut applied).await,
                Err(error) => Err(error),
            };
            applied.units.insert(id.clone(), stored + self.store.consumed().write_units - before);
            if let Err(error) = outcome {
                applied.failed.insert(id, error);
            }
        }
        applied
    }

    async fn project(&self, id: ProjectId) -> Result<Project, StoreError> {
        let item = self.store.get(&keys::project(&id), Consistency::Strong).await?;
        let hosts = item.as_ref().map(|item| read_texts(item, HOSTS)).unwrap_or_default();
        Ok(Project { id, hosts, tombstones: Tombstones::of(item.as_ref()) })
    }

    async fn apply_to(&self, project: &Project, batches: Vec<Batch>, applied: &mut Applied) -> Result<(), StoreError> {
        let mut by_visitor: BTreeMap<VisitorId, Vec<Batch>> = BTreeMap::new();
        for batch in batches {
            by_visitor.entry(batch.visitor_id.clone()).or_default().push(batch);
        }
        let mut waiting: VecDeque<Work> = VecDeque::new();
        for (visitor, mut batches) in by_visitor {
            batches.sort_by_key(Batch::stored_order);
            waiting.push_back(Work { visitor, batches: batches.into(), tries: 0 });
        }
        let mut suspects: VecDeque<Work> = VecDeque::new();
        let mut bots: BTreeMap<VisitorId, Option<WorkItem>> = BTreeMap::new();
        let mut is_compaction_due = false;
        loop {
            let group: Vec<Work> = match suspects.pop_front() {
                Some(suspect) => vec![suspect],
                None => waiting.drain(..GROUP.min(waiting.len())).collect(),
            };
            if group.is_empty() {
                break;
            }
            match self.apply_group(project, group.clone(), &mut bots).await {
                Ok((unfinished, looks_long)) => {
                    waiting.extend(unfinished);
                    is_compaction_due |= looks_long;
                }
                Err(cause) if cause.is_of_items() => match only_batch(&group) {
                    Some(batch) => applied.refused.push(Refused { key: key_of(&project.id, batch), cause }),
                    None => suspects.extend(apart(group)),
                },
                Err(error) => return Err(error),
            }
        }
        if is_compaction_due && let Err(error) = self.compact_some(&project.id, ROUNDS_BETWEEN).await {
            // The batches are applied: whoever looks at the tail next does it.
            tracing::warn!(project = %project.id, %error, "the tail could not be compacted; the next look tries again");
        }
        applied.unwinding.extend(self.unwind_bots(project, bots).await);
        Ok(())
    }

    /// Applies what it can of a group's batches. Gives back what is left, and whether to look at the tail; adds the bots
    /// whose history is still counted.
    async fn apply_group(
        &self,
        project: &Project,
        group: Vec<Work>,
        bots: &mut BTreeMap<VisitorId, Option<WorkItem>>,
    ) -> Result<(Vec<Work>, bool), StoreError> {
        let visitor_keys = group.iter().map(|work| keys::visitor(&project.id, &work.visitor)).collect();
        let items = self.store.get_many(visitor_keys, Consistency::Strong).await?;
        let newcomers = self.newcomers(project, &group, &items).await?;
        let group = self.refuse_erased(project, group, &items, &newcomers).await?;
        let prepared = try_join_all(group.into_iter().map(|work| {
            let item = items.get(&keys::visitor(&project.id, &work.visitor));
            self.prepare(project, work, item, newcomers.newest)
        }))
        .await?;

        let (mut left, mut overtaken) = (Vec::new(), Vec::new());
        let (mut ready, mut begun, mut is_long) = (VecDeque::new(), Vec::new(), false);
        for prepared in prepared {
            match prepared {
                Prepared::Overtaken(work) => overtaken.push(work),
                Prepared::Same { work, before, is_unwinding } => {
                    // Delivered again: whoever was given it before may have begun the visitor, and looked no further.
                    begun.push((work.visitor.clone(), before));
                    if is_unwinding {
                        bots.entry(work.visitor.clone()).or_default();
                    }
                    left.extend((!work.batches.is_empty()).then_some(work));
                }
                Prepared::Changed { work, before, change } => ready.push_back((work, before, change)),
            }
        }
        while !ready.is_empty() {
            let together = take_transaction(&mut ready)?;
            let changes: Vec<&Change> = together.iter().map(|(_, _, change)| change).collect();
            let (lost, long) = self.commit(&project.id, &changes).await?;
            is_long |= long;
            for (position, (work, before, change)) in together.into_iter().enumerate() {
                if lost.contains(&position) {
                    overtaken.push(Work { batches: before, ..work });
                    continue;
                }
                if change.is_new {
                    begun.push((work.visitor.clone(), before));
                }
                if change.unwinding {
                    let known = bots.entry(work.visitor.clone()).or_default();
                    *known = change.work.or(known.take());
                }
                if !work.batches.is_empty() {
                    left.push(Work { tries: 0, ..work });
                }
            }
        }
        self.erase_latecomers(project, begun).await?;
        if let Some(tries) = overtaken.iter().map(|work| work.tries).max() {
            wait_before(tries + 1).await?;
        }
        left.extend(overtaken.into_iter().map(|work| Work { tries: work.tries + 1, ..work }));
        Ok((left, is_long))
    }

    /// Applies some of a visitor's batches to its history, without writing anything.
    async fn prepare(
        &self,
        project: &Project,
        mut work: Work,
        item: Option<&Item>,
        newest: Generation,
    ) -> Result<Prepared, StoreError> {
        let before = work.batches.clone();
        let attempt = async {
            let mut history = History::new(&self.store, project, work.visitor.clone(), item, newest)?;
            let mut weight = 0;
            while history.tracked() < MAX_SESSIONS
                && history.dropped() < MAX_DROPPED
                && weight < MAX_WEIGHT
                && let Some(batch) = work.batches.pop_front()
            {
                weight += weight_of(&batch);
                history.apply(batch).await?;
            }
            let is_unwinding = history.is_unwinding();
            Ok((history.finish(ROOM).await?, is_unwinding))
        };
        match attempt.await {
            Ok((Some(change), _)) => Ok(Prepared::Changed { work, before, change }),
            Ok((None, is_unwinding)) => Ok(Prepared::Same { work, before, is_unwinding }),
            Err(StoreError::Overtaken) => Ok(Prepared::Overtaken(Work { batches: before, ..work })),
            Err(error) => Err(error),
        }
    }

    /// Which of a group's visitors nothing is known of: those that are erased, and the generation in which the others
    /// begin.
    ///
    /// Invariant: the manifest is read after the batches were stored. So if a rebuild has begun since, the visitor begins
    /// in the generation that it builds; and if one begins later, it finds the batches.
    async fn newcomers(
        &self,
        project: &Project,
        group: &[Work],
        known: &HashMap<Key, Item>,
    ) -> Result<Newcomers, StoreError> {
        let is_known = |visitor: &VisitorId| known.contains_key(&keys::visitor(&project.id, visitor));
        let unknown: Vec<&VisitorId> = group.iter().map(|work| &work.visitor).filter(|id| !is_known(id)).collect();
        if unknown.is_empty() {
            return Ok(Newcomers::default());
        }
        let manifest_key = keys::manifest(&project.id);
        let tombstones = unknown.iter().flat_map(|visitor| project.tombstones.keys(&project.id, visitor));
        let found =
            self.store.get_many(tombstones.chain([manifest_key.clone()]).collect(), Consistency::Strong).await?;
        let is_erased = |visitor: &&VisitorId| {
            project.tombstones.keys(&project.id, visitor).any(|tombstone| found.contains_key(&tombstone))
        };
        let manifest = found.get(&manifest_key).map(Manifest::read_generations).transpose()?.unwrap_or_default();
        let erased = unknown.into_iter().filter(is_erased).cloned().collect();
        Ok(Newcomers { newest: manifest.newest(), erased })
    }

    /// Refuses the batches of visitors that were erased, or are being erased; gives back the others' work.
    ///
    /// What comes of a visitor that is being erased stays: the erasure needs what it has to take out of the figures, and
    /// removes all of it after the visitor's item, which was there when the batches were stored.
    async fn refuse_erased(
        &self,
        project: &Project,
        group: Vec<Work>,
        known: &HashMap<Key, Item>,
        newcomers: &Newcomers,
    ) -> Result<Vec<Work>, StoreError> {
        let mut accepted = Vec::with_capacity(group.len());
        for work in group {
            match known.get(&keys::visitor(&project.id, &work.visitor)) {
                Some(item) if read_packed::<Visitor>(item)?.is_erased => {}
                None if newcomers.erased.contains(&work.visitor) => {
                    for batch in &work.batches {
                        self.store.delete(&key_of(&project.id, batch).key()).await?;
                    }
                }
                _ => accepted.push(work),
            }
        }
        Ok(accepted)
    }

    /// Erases those among visitors that were erased while they were begun here. Their batches are put back for it: it
    /// takes out of the figures what they added.
    async fn erase_latecomers(
        &self,
        project: &Project,
        begun: Vec<(VisitorId, VecDeque<Batch>)>,
    ) -> Result<(), StoreError> {
        if begun.is_empty() {
            return Ok(());
        }
        let tombstones = self.project(project.id.clone()).await?.tombstones;
        for (visitor, batches) in begun {
            if let Some(tombstone) = tombstones.find(&self.store, &project.id, &visitor).await? {
                for batch in &batches {
                    let _ = self.store.put_at(batch.to_item(&project.id)?, None).await?;
                }
                // It seldom comes to this, and takes much room.
                Box::pin(self.erase_under(vec![tombstone], project, |_| {})).await?;
            }
        }
        Ok(())
    }

    /// Writes changes together with the segment of what they add. Gives the positions of changes that
    /// were lost to other writers; the others are written.
    async fn commit(&self, project: &ProjectId, changes: &[&Change]) -> Result<(Vec<usize>, bool), StoreError> {
        let mut lost: Vec<usize> = Vec::new();
        loop {
            let mut deltas: BTreeMap<Generation, Delta> = BTreeMap::new();
            let (mut writes, mut owners) = (Vec::new(), Vec::new());
            for (position, change) in changes.iter().enumerate().filter(|(at, _)| !lost.contains(at)) {
                deltas.entry(change.generation).or_default().add_all(&change.delta);
                owners.extend(std::iter::repeat_n(position, change.writes.len()));
                writes.extend(change.writes.iter().cloned());
            }
            if writes.is_empty() {
                return Ok((lost, false));
            }
            let mut is_long = false;
            deltas.retain(|_, delta| !delta.is_empty());
            for (generation, delta) in deltas {
                let unique = random()?;
                let segments = segment_items(project, Millis::now(), unique, generation, delta)?;
                let is_one_short = matches!(&segments[..], [one] if read_binary(one, DATA)?.len() < LONG_SEGMENT_BYTES);
                is_long |= !is_one_short || unique.is_multiple_of(COMPACTION_CHECK_EVERY);
                writes.extend(segments.into_iter().map(Write::Put));
            }
            match self.store.transact(writes).await? {
                Outcome::Committed => return Ok((lost, is_long)),
                Outcome::Conflict(positions) => {
                    let conflicting = positions.iter().filter_map(|position| owners.get(*position).copied());
                    let before = lost.len();
                    lost.extend(conflicting);
                    lost.sort_unstable();
                    lost.dedup();
                    if lost.len() == before {
                        // Nobody in particular is in the way: the whole group tries again.
                        lost = (0..changes.len()).collect();
                    }
                }
            }
        }
    }

    /// Does a step for some bots whose history is still counted, once all batches are applied: most have few sessions. The
    /// same for trusted visitors whose history is not. The others' work items come with the stream. Gives those of which
    /// something is left.
    async fn unwind_bots(&self, project: &Project, bots: BTreeMap<VisitorId, Option<WorkItem>>) -> Vec<VisitorId> {
        let mut left = Vec::new();
        for (number, (visitor, work)) in bots.into_iter().enumerate() {
            if number >= MAX_STEPS {
                left.push(visitor);
                continue;
            }
            let step = async {
                match work {
                    Some(work) => self.unwind(project, &work).await,
                    None => self.unwind(project, &self.work_of(project, &visitor).await?).await,
                }
            };
            match step.await {
                Ok(true) => {}
                Ok(false) => left.push(visitor),
                Err(error) => {
                    tracing::warn!(project = %project.id, %error, "a bot's sessions are still counted, or a trusted visitor's are not; tried again later");
                    left.push(visitor);
                }
            }
        }
        left
    }

    /// The work item of a visitor that is unwinding, a new one if it was lost.
    async fn work_of(&self, project: &Project, visitor: &VisitorId) -> Result<WorkItem, StoreError> {
        let stored = WorkItem::all(&self.store, &project.id).await?;
        if let Some(work) = stored.into_iter().find(|work| work.visitor == *visitor) {
            return Ok(work);
        }
        let work = WorkItem::new(&project.id, visitor.clone(), None)?;
        self.store.put(work.to_item()).await?;
        Ok(work)
    }

    /// Does what work items say that the stream brings: a step of some, and the others come once more.
    pub async fn resume(&self, works: Vec<Key>) -> Result<(), StoreError> {
        for (number, key) in works.into_iter().enumerate() {
            let Some(project) = keys::parse_work(&key) else { continue };
            let Some(item) = self.store.get(&key, Consistency::Strong).await? else { continue };
            let done = async {
                let work = WorkItem::of(&item)?;
                if number >= MAX_STEPS {
                    let next = WorkItem::new(&project, work.visitor, work.after)?;
                    self.store.transact(vec![Write::Put(next.to_item()), Write::Delete(work.key)]).await?;
                } else {
                    self.unwind(&self.project(project.clone()).await?, &work).await?;
                }
                Ok(())
            };
            match done.await {
                Err(error @ StoreError::Corrupt { .. }) | Err(error @ StoreError::Refused(_)) => {
                    tracing::error!(%project, %error, "a bot's sessions stay counted, or a trusted visitor's don't count: run `identity rebuild`");
                }
                done => done?,
            }
        }
        Ok(())
    }

    /// Takes some of a bot's earlier sessions out of the figures, or some of a trusted visitor's into them, in one
    /// transaction with the work item of the rest, so that it can stop anywhere. Says whether none is left, or somebody else did this step.
    async fn unwind(&self, project: &Project, work: &WorkItem) -> Result<bool, StoreError> {
        let change = self
            .change(project, &work.visitor, async |history| {
                match self.store.get(&work.key, Consistency::Strong).await? {
                    Some(_) => history.unwind(&work.key, work.after.as_deref()).await,
                    None => Ok(()),
                }
            })
            .await?;
        match change {
            Some(change) => Ok(!change.unwinding),
            None => self.store.delete(&work.key).await.map(|()| true),
        }
    }

    /// Changes one visitor, trying again as long as others change it too. Gives what was written, if anything.
    async fn change(
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
                history.finish(ROOM).await
            };
            match attempt.await {
                Ok(None) => return Ok(None),
                Ok(Some(change)) => {
                    let (lost, _) = self.commit(&project.id, &[&change]).await?;
                    if lost.is_empty() {
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

    fn compaction<'a>(&'a self, project: &'a ProjectId) -> Compaction<'a> {
        Compaction::new(&self.store, project, self.grace)
    }

    /// The batches among these that are not applied yet. Those of erased visitors never will be.
    pub async fn pending(&self, project: &ProjectId, batches: Vec<BatchRef>) -> Result<Vec<BatchRef>, StoreError> {
        let project = self.project(project.clone()).await?;
        let mut by_visitor: BTreeMap<VisitorId, Vec<BatchRef>> = BTreeMap::new();
        for batch in batches {
            by_visitor.entry(batch.visitor.clone()).or_default().push(batch);
        }
        let known = by_visitor.keys().map(|visitor| keys::visitor(&project.id, visitor));
        let tombstones = by_visitor.keys().flat_map(|visitor| project.tombstones.keys(&project.id, visitor));
        let items = self.store.get_many(known.chain(tombstones).collect(), Consistency::Strong).await?;
        let mut pending = Vec::new();
        for (visitor, batches) in by_visitor {
            if project.tombstones.keys(&project.id, &visitor).any(|tombstone| items.contains_key(&tombstone)) {
                continue;
            }
            let item = items.get(&keys::visitor(&project.id, &visitor));
            let mut history = History::new(&self.store, &project, visitor, item, Generation::FIRST)?;
            for batch in batches {
                let is_done = async {
                    Ok(history.is_applied(&batch.session, fingerprint(&batch.batch)).await?
                        || history.is_dropped(&batch.session, &batch.batch).await?)
                };
                let is_applied = match is_done.await {
                    Err(StoreError::Overtaken) => false,
                    is_applied => is_applied?,
                };
                if history.is_unwinding() || !is_applied {
                    pending.push(batch);
                }
            }
        }
        Ok(pending)
    }
}

/// The batch of a group that has no other.
fn only_batch(group: &[Work]) -> Option<&Batch> {
    let [Work { batches, .. }] = group else { return None };
    batches.front().filter(|_| batches.len() == 1)
}

/// Divides a group: by visitor, or the batches of a single one.
fn apart(mut group: Vec<Work>) -> Vec<Work> {
    match group.pop() {
        Some(only) if group.is_empty() => only.batches.into_iter().map(Work::of).collect(),
        last => group.into_iter().chain(last).collect(),
    }
}

fn key_of(project: &ProjectId, batch: &Batch) -> BatchKey {
    let Batch { visitor_id, session_id, batch_id, .. } = batch;
    BatchKey {
        project: project.clone(),
        visitor: visitor_id.clone(),
        session: session_id.clone(),
        batch: batch_id.clone(),
    }
}

impl Work {
    fn of(batch: Batch) -> Self {
        Work { visitor: batch.visitor_id.clone(), batches: [batch].into(), tries: 0 }
    }
}

/// How much of a change a batch makes.
fn weight_of(batch: &Batch) -> usize {
    let bytes = |event: &Event| {
        let (url, data) = (event.url.as_ref(), event.data.as_ref());
        url.map_or(0, |url| url.len()) + data.map_or(0, |data| data.get().len())
    };
    1 + batch.events.iter().map(|event| 1 + bytes(event) / BYTES_OF_WEIGHT).sum::<usize>()
}

/// Takes from the front as many changes as fit into one transaction with their segment.
fn take_transaction<W, B>(ready: &mut VecDeque<(W, B, Change)>) -> Result<Vec<(W, B, Change)>, StoreError> {
    let mut together: Vec<(W, B, Change)> = Vec::new();
    let (mut items, mut bytes) = (MAX_SEGMENTS, 0);
    while let Some((_, _, change)) = ready.front() {
        items += change.writes.len();
        bytes += codec::size(&change.delta)?;
        if (items > MAX_TRANSACTION_ITEMS || bytes > MAX_TRANSACTION_BYTES) && !together.is_empty() {
            break;
        }
        together.extend(ready.pop_front());
    }
    Ok(together)
}

/// Waits before another try at what other writers changed too: any time up to a longest one that doubles with each try,
/// so that they hardly meet again.
async fn wait_before(tries: u32) -> Result<(), StoreError> {
    if tries > MAX_TRIES {
        return Err(StoreError::Unavailable("a visitor kept changing under every try".to_owned()));
    }
    let longest_micros = 1_000_u64 << tries.min(6);
    tokio::time::sleep(Duration::from_micros(random()? % longest_micros)).await;
    Ok(())
}

fn random() -> Result<u64, StoreError> {
    getrandom::u64().map_err(|error| StoreError::Failed(error.to_string()))
}
