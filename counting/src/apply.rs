//! Applying batches: each visitor's change is prepared from what is stored of it, and changes are committed with the segment of
//! what they add to the figures.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

use figures::generation::Generation;
use figures::ids::{ProjectId, VisitorId};
use figures::log::Delta;
use figures::log::tail::{Manifest, segment_items};
use figures::model::{Batch, Event};
use figures::random;
use figures::table::codec;
use figures::table::keys::{self, BatchKey, Key};
use figures::table::store::{Consistency, DATA, Item, MAX_TRANSACTION_ITEMS, Outcome, StoreError, read_binary};
use futures::future::try_join_all;

use crate::history::{Change, History, Project};
use crate::own_segments::Placed;
use crate::tombstones::is_finished;
use crate::work_items::WorkItem;
use crate::{Applied, Consumer, ROOM, Refused, SEGMENT_ROOM, wait_before};

/// Visitors whose changes are written together: they seldom need more than three items each.
pub(crate) const GROUP: usize = 32;

/// Sessions of one visitor that one change touches at most, before the rest waits for the next.
const MAX_SESSIONS: usize = 16;

/// Batches of full sessions that one change drops at most: each is an item of its transaction.
const MAX_DROPPED: usize = 25;

/// Events and batches of one visitor that one change applies at most, roughly.
const MAX_WEIGHT: usize = 2_000;

/// So many bytes of an event weigh as much as one event more: eight of the largest batches make a change.
const BYTES_OF_WEIGHT: usize = 256;

/// What changes may add to the figures together, before it is packed. Texts are in several measures of a change, and deflating
/// finds what repeats within 32 KB: more together would be larger in the table.
const MAX_TRANSACTION_BYTES: usize = 48 << 10;

/// A segment in so many looks whether the tail is due for compaction; a long one always does.
const COMPACTION_CHECK_EVERY: u64 = 8;
const LONG_SEGMENT_BYTES: usize = 4 << 10;

/// A visitor's batches that wait to be applied.
#[derive(Debug, Clone)]
struct Work {
    visitor: VisitorId,
    batches: VecDeque<Batch>,
    tries: u32,
}

/// What is known of a group's visitors before their batches are applied.
#[derive(Debug, Default)]
struct Looked {
    /// The generation in which those begin that nothing is known of.
    newest: Generation,
    /// Those that were erased, or are being erased.
    erased: BTreeSet<VisitorId>,
    /// Those of them that something is known of: they are being erased, or were begun after it.
    erased_and_known: BTreeSet<VisitorId>,
    /// Those of the others whose erasure is not done.
    unfinished: BTreeSet<VisitorId>,
}

/// What came of applying a visitor's batches to its history.
#[derive(Debug)]
enum Prepared<'a> {
    /// There is something to write.
    Ready(Ready<'a>),
    /// All of it was applied before.
    Same { work: &'a Work, rest: VecDeque<Batch>, is_recounting: bool },
    /// Another consumer changed the visitor meanwhile.
    Overtaken(&'a Work),
    /// The visitor is being erased, which needs what it has to take out of the figures and removes what comes.
    Refused,
}

/// A visitor's change that can be written, and the batches that it leaves for another.
#[derive(Debug)]
struct Ready<'a> {
    work: &'a Work,
    rest: VecDeque<Batch>,
    change: Change,
}

/// What became of a group.
#[derive(Debug, Default)]
struct Outcomes {
    /// What is left to apply.
    left: Vec<Work>,
    /// Batches of erased visitors of which something is left, where others erase them.
    latecomers: Vec<BatchKey>,
    /// Whether the tail may have grown long.
    is_compaction_due: bool,
}

/// What became of changes that were to be written together.
#[derive(Debug, Default)]
pub(crate) struct Committed {
    /// The positions of those that were lost to other writers; the others are written.
    pub lost: BTreeSet<usize>,
    /// Whether the tail may have grown long.
    pub is_compaction_due: bool,
}

/// Visitors whose sessions are being recounted, with the work item that says so where it was stored just now.
type Recounting = BTreeMap<VisitorId, Option<WorkItem>>;

impl Consumer {
    /// Applies batches, in any order and however often they are delivered: each counts once. What goes wrong
    /// with one batch or one project holds up no other.
    pub async fn apply(&self, batches: BTreeMap<ProjectId, Vec<Batch>>) -> Applied {
        let mut applied = Applied::default();
        for (id, batches) in batches {
            let (before, stored) = (self.store.consumed().write_units, batches.len() as f64);
            let outcome = self.apply_to(&id, batches, &mut applied).await;
            applied.units.insert(id.clone(), stored + self.store.consumed().write_units - before);
            if let Err(error) = outcome {
                applied.failed.insert(id, error);
            }
        }
        applied
    }

    async fn apply_to(&self, id: &ProjectId, batches: Vec<Batch>, applied: &mut Applied) -> Result<(), StoreError> {
        let (mut waiting, mut suspects) = (by_visitor(batches), VecDeque::new());
        let (mut recounting, mut is_compaction_due) = (Recounting::new(), false);
        loop {
            let group: Vec<Work> = match suspects.pop_front() {
                Some(suspect) => vec![suspect],
                None => waiting.drain(..GROUP.min(waiting.len())).collect(),
            };
            if group.is_empty() {
                break;
            }
            match self.apply_group(id, &group, &mut recounting).await {
                Ok(outcomes) => {
                    waiting.extend(outcomes.left);
                    applied.latecomers.extend(outcomes.latecomers);
                    is_compaction_due |= outcomes.is_compaction_due;
                }
                Err(cause) if cause.is_of_items() => match only_batch(&group) {
                    Some(batch) => applied.refused.push(Refused { key: key_of(id, batch), cause }),
                    None => suspects.extend(apart(group)),
                },
                Err(error) => return Err(error),
            }
        }
        if is_compaction_due {
            self.compact_between(id).await;
        }
        if !recounting.is_empty() {
            let project = self.project(id.clone()).await?;
            applied.recounting.extend(self.recount_some(&project, recounting).await);
        }
        Ok(())
    }

    /// Applies what it can of a group's batches, and adds the visitors whose sessions are being recounted.
    async fn apply_group(
        &self,
        id: &ProjectId,
        group: &[Work],
        recounting: &mut Recounting,
    ) -> Result<Outcomes, StoreError> {
        let visitor_keys = group.iter().map(|work| keys::visitor(id, &work.visitor)).collect();
        let items = self.store.get_many(visitor_keys, Consistency::Strong).await?;
        let project = &self.project(id.clone()).await?;
        let looked = self.look(project, group, &items).await?;
        self.delete_of_erased(project, group, &looked).await?;
        let accepted = group.iter().filter(|work| !looked.erased.contains(&work.visitor));
        let prepared = try_join_all(accepted.map(|work| {
            let item = items.get(&keys::visitor(&project.id, &work.visitor));
            self.prepare(project, work, item, looked.newest)
        }))
        .await?;

        let (mut outcomes, mut overtaken) = (Outcomes::default(), Vec::new());
        let mut begun: Vec<&Work> =
            group.iter().filter(|work| looked.erased_and_known.contains(&work.visitor)).collect();
        let mut ready = VecDeque::new();
        for prepared in prepared {
            match prepared {
                Prepared::Refused => {}
                Prepared::Overtaken(work) => overtaken.push(work),
                Prepared::Same { work, rest, is_recounting } => {
                    // Delivered again: whoever was given it before may have begun the visitor, and looked no further.
                    begun.push(work);
                    if is_recounting {
                        recounting.entry(work.visitor.clone()).or_default();
                    }
                    outcomes.left.extend((!rest.is_empty()).then(|| work.rest(rest)));
                }
                Prepared::Ready(change) => ready.push_back(change),
            }
        }
        while !ready.is_empty() {
            let together = take_transaction(&mut ready, |ready| &ready.change)?;
            let changes: Vec<&Change> = together.iter().map(|ready| &ready.change).collect();
            let committed = self.commit(&project.id, &changes).await?;
            outcomes.is_compaction_due |= committed.is_compaction_due;
            for (position, Ready { work, rest, change }) in together.into_iter().enumerate() {
                if committed.lost.contains(&position) {
                    overtaken.push(work);
                    continue;
                }
                if change.is_new {
                    begun.push(work);
                }
                if change.recounting {
                    let known = recounting.entry(work.visitor.clone()).or_default();
                    *known = change.work.or(known.take());
                }
                if !rest.is_empty() {
                    outcomes.left.push(Work { tries: 0, ..work.rest(rest) });
                }
            }
        }
        if !begun.is_empty() {
            outcomes.latecomers = Box::pin(self.erase_latecomers(project, begun)).await?;
        }
        if self.erases_later {
            let unfinished = group.iter().filter(|work| looked.unfinished.contains(&work.visitor));
            outcomes.latecomers.extend(unfinished.filter_map(|work| work.first(id)));
        }
        if let Some(tries) = overtaken.iter().map(|work| work.tries).max() {
            wait_before(tries + 1).await?;
        }
        outcomes.left.extend(overtaken.into_iter().map(|work| Work { tries: work.tries + 1, ..work.clone() }));
        Ok(outcomes)
    }

    /// Applies some of a visitor's batches to its history, without writing anything.
    async fn prepare<'a>(
        &self,
        project: &Project,
        work: &'a Work,
        item: Option<&Item>,
        newest: Generation,
    ) -> Result<Prepared<'a>, StoreError> {
        let mut history = History::new(&self.store, project, work.visitor.clone(), item, newest)?;
        if history.is_being_erased() {
            return Ok(Prepared::Refused);
        }
        history.begin_again_if_over();
        let mut rest = work.batches.clone();
        let attempt = async {
            let mut weight = 0;
            while history.tracked() < MAX_SESSIONS
                && history.dropped() < MAX_DROPPED
                && weight < MAX_WEIGHT
                && let Some(batch) = rest.pop_front()
            {
                weight += weight_of(&batch);
                history.apply(batch).await?;
            }
            let is_recounting = history.is_recounting();
            Ok((history.into_change(ROOM).await?, is_recounting))
        };
        match attempt.await {
            Ok((Some(change), _)) => Ok(Prepared::Ready(Ready { work, rest, change })),
            Ok((None, is_recounting)) => Ok(Prepared::Same { work, rest, is_recounting }),
            Err(StoreError::Overtaken) => Ok(Prepared::Overtaken(work)),
            Err(error) => Err(error),
        }
    }

    /// Which of a group's visitors are erased, and the generation in which those begin that nothing is known of.
    ///
    /// Invariant: the manifest is read after the batches were stored. So if a rebuild has begun since, such a visitor begins
    /// in the generation that it builds; and if one begins later, it finds the batches.
    ///
    /// Invariant: the project is read after its visitors. A visitor may have been begun after it was erased, by who was
    /// given its batches before; until that is taken out again, others would add to it what is not stored any more, and
    /// could never be taken out. So they look for tombstones of visitors that are known, too, wherever a batch that was
    /// stored before an erasure may still be counted.
    async fn look(&self, project: &Project, group: &[Work], known: &HashMap<Key, Item>) -> Result<Looked, StoreError> {
        let is_known = |visitor: &VisitorId| known.contains_key(&keys::visitor(&project.id, visitor));
        let visitors = || group.iter().map(|work| &work.visitor);
        let manifest_key = (!visitors().all(is_known)).then(|| keys::manifest(&project.id));
        let are_recent = project.tombstones.are_recent();
        let doubtful: Vec<&VisitorId> = visitors().filter(|visitor| are_recent || !is_known(visitor)).collect();
        let tombstones = doubtful.iter().flat_map(|visitor| project.tombstones.keys(&project.id, visitor));
        let found = self.store.get_many(tombstones.chain(manifest_key.clone()).collect(), Consistency::Strong).await?;
        let tombstone = |visitor: &VisitorId| {
            project.tombstones.keys(&project.id, visitor).find_map(|tombstone| found.get(&tombstone))
        };
        let manifest = manifest_key.and_then(|key| found.get(&key));
        if let Some(readable) = manifest.and_then(|item| Manifest::read(item).ok()) {
            self.own_segments.note(&project.id, &readable, self.now(), self.grace);
        }
        let manifest = manifest.map(Manifest::read_generations).transpose()?.unwrap_or_default();
        let mut looked = Looked { newest: manifest.newest(), ..Looked::default() };
        for visitor in doubtful {
            let Some(tombstone) = tombstone(visitor) else { continue };
            looked.erased.insert(visitor.clone());
            if is_known(visitor) {
                looked.erased_and_known.insert(visitor.clone());
            } else if !is_finished(tombstone) {
                looked.unfinished.insert(visitor.clone());
            }
        }
        Ok(looked)
    }

    /// Deletes the batches of visitors that were erased. What comes of one that something is known of stays: its erasure
    /// needs what it has to take out of the figures, and removes all of it after the visitor's item.
    async fn delete_of_erased(&self, project: &Project, group: &[Work], looked: &Looked) -> Result<(), StoreError> {
        let is_gone = |visitor| looked.erased.contains(visitor) && !looked.erased_and_known.contains(visitor);
        let gone = group.iter().filter(|work| is_gone(&work.visitor));
        for batch in gone.flat_map(|work| &work.batches) {
            self.store.delete(&key_of(&project.id, batch).key()).await?;
        }
        Ok(())
    }

    /// Erases those among visitors that were erased while they were begun here, or by who stopped then. What was applied of
    /// their batches is put back for it: it takes out of the figures what they added. It is left to who is given what is still
    /// missing, and to who erases the visitor if nothing of it was applied. Gives a batch of each that is left to others, as
    /// there is no time for it.
    async fn erase_latecomers(&self, project: &Project, begun: Vec<&Work>) -> Result<Vec<BatchKey>, StoreError> {
        let project = self.project(project.id.clone()).await?;
        let (mut latecomers, mut left) = (Vec::new(), Vec::new());
        for work in begun {
            let tombstone = project.tombstones.find(&self.store, &project.id, &work.visitor).await?;
            let Some(tombstone) = tombstone else { continue };
            let is_complete = self.put_back(&project, work).await?;
            if self.erases_later {
                left.extend(work.first(&project.id));
            } else if is_complete {
                latecomers.push(tombstone);
            }
        }
        if !latecomers.is_empty() {
            // It seldom comes to this, and takes much room.
            Box::pin(self.erase_under(latecomers, &project, |_| {})).await?;
        }
        Ok(left)
    }

    /// Puts back what was applied of an erased visitor's batches. Says whether it can be taken out now: all of it is there.
    async fn put_back(&self, project: &Project, work: &Work) -> Result<bool, StoreError> {
        let mut history = History::load(&self.store, project, work.visitor.clone()).await?;
        // No visitor that was begun in one change has more: it is being erased, step by step.
        if history.visit_count() > MAX_SESSIONS {
            return Ok(false);
        }
        let mut is_own = false;
        for batch in &work.batches {
            match history.is_applied(&batch.session_id, batch.fingerprint()).await {
                Ok(true) => {
                    is_own = true;
                    let mut item = batch.to_item(&project.id)?;
                    project.horizon.kept.note(&mut item, batch.last_instant().day());
                    let _ = self.store.put_at(item, None).await?;
                }
                Ok(false) => {}
                // Somebody takes it out already.
                Err(StoreError::Overtaken) => return Ok(false),
                Err(error) => return Err(error),
            }
        }
        if !is_own {
            return Ok(false);
        }
        let is_complete = history.are_applied_stored().await?;
        if !is_complete {
            tracing::warn!(project = %project.id, "an erased visitor is counted until more of its batches come again");
        }
        Ok(is_complete)
    }

    /// Writes changes together with the segment of what they add.
    pub(crate) async fn commit(&self, project: &ProjectId, changes: &[&Change]) -> Result<Committed, StoreError> {
        let mut committed = Committed::default();
        loop {
            committed.is_compaction_due = false;
            let mut deltas: BTreeMap<Generation, Delta> = BTreeMap::new();
            let (mut writes, mut owners, mut segments) = (Vec::new(), Vec::new(), Vec::new());
            for (position, change) in changes.iter().enumerate().filter(|(at, _)| !committed.lost.contains(at)) {
                deltas.entry(change.generation).or_default().add_all(&change.delta);
                owners.extend(std::iter::repeat_n(position, change.writes.len()));
                writes.extend(change.writes.iter().cloned());
            }
            if writes.is_empty() {
                return Ok(committed);
            }
            for (generation, delta) in deltas.into_iter().filter(|(_, delta)| !delta.is_empty()) {
                let unique = random::number()?;
                let items = segment_items(project, self.now(), unique, generation, delta)?;
                let is_one_short = matches!(&items[..], [one] if read_binary(one, DATA)?.len() < LONG_SEGMENT_BYTES);
                committed.is_compaction_due |= !is_one_short || unique.is_multiple_of(COMPACTION_CHECK_EVERY);
                for item in items {
                    segments.push(self.own_segments.place(project, item)?);
                }
            }
            writes.extend(segments.iter().map(Placed::write));
            match self.store.transact(writes).await? {
                Outcome::Committed => {
                    for segment in segments {
                        self.own_segments.remember(project, segment);
                    }
                    return Ok(committed);
                }
                Outcome::Conflict(positions) => {
                    let before = committed.lost.len();
                    committed.lost.extend(positions.iter().filter_map(|position| owners.get(*position)));
                    let are_segments = positions.iter().any(|position| *position >= owners.len());
                    if are_segments {
                        // What one was to replace is gone; the next try stores it under its own key.
                        self.own_segments.doubt(project);
                    } else if committed.lost.len() == before {
                        // No single writer conflicts: the whole group tries again.
                        committed.lost = (0..changes.len()).collect();
                    }
                }
            }
        }
    }
}

impl Work {
    fn of(batch: Batch) -> Self {
        Work { visitor: batch.visitor_id.clone(), batches: [batch].into(), tries: 0 }
    }

    /// Where the first of the batches is stored.
    fn first(&self, project: &ProjectId) -> Option<BatchKey> {
        self.batches.front().map(|batch| key_of(project, batch))
    }

    /// The same with these batches left.
    fn rest(&self, batches: VecDeque<Batch>) -> Self {
        Work { visitor: self.visitor.clone(), batches, tries: self.tries }
    }
}

/// Each visitor's batches, in the order in which they were stored.
fn by_visitor(batches: Vec<Batch>) -> VecDeque<Work> {
    let mut by_visitor: BTreeMap<VisitorId, Vec<Batch>> = BTreeMap::new();
    for batch in batches {
        by_visitor.entry(batch.visitor_id.clone()).or_default().push(batch);
    }
    let works = by_visitor.into_iter().map(|(visitor, mut batches)| {
        batches.sort_by_key(Batch::stored_order);
        Work { visitor, batches: batches.into(), tries: 0 }
    });
    works.collect()
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

/// How much of a change a batch makes.
fn weight_of(batch: &Batch) -> usize {
    let bytes = |event: &Event| {
        let (url, data) = (event.url.as_ref(), event.data.as_ref());
        url.map_or(0, |url| url.len()) + data.map_or(0, |data| data.get().len())
    };
    1 + batch.events.iter().map(|event| 1 + bytes(event) / BYTES_OF_WEIGHT).sum::<usize>()
}

/// Takes from the front as many as have changes that fit into one transaction with their segment.
pub(crate) fn take_transaction<T>(
    ready: &mut VecDeque<T>,
    change: impl Fn(&T) -> &Change,
) -> Result<Vec<T>, StoreError> {
    let mut together: Vec<T> = Vec::new();
    let (mut items, mut bytes) = (SEGMENT_ROOM, 0);
    while let Some(change) = ready.front().map(&change) {
        items += change.writes.len();
        bytes += codec::size(&change.delta)?;
        if (items > MAX_TRANSACTION_ITEMS || bytes > MAX_TRANSACTION_BYTES) && !together.is_empty() {
            break;
        }
        together.extend(ready.pop_front());
    }
    Ok(together)
}
