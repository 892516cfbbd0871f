//! Finds stored batches that were never applied, whatever became of their stream records.

use std::cell::Cell;
use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::ReturnConsumedCapacity;
use futures::stream::{self, StreamExt, TryStreamExt};

use crate::heartbeat::{self, Pulse};
use crate::{Applied, Consumer, Refused};
use figures::ids::ProjectId;
use figures::log::BatchRef;
use figures::model::Batch;
use figures::table::keys::{self, BatchKey};
use figures::table::store::{Consistency, Item, PK, Query, SK, StoreError, failure, item_key, read_text, text};
use figures::time::{Day, Millis};

/// Parts of the table that are read at once.
const SCAN_PARTS: i32 = 4;
/// How many items a page of the scan looks at.
const PAGE: i32 = 1000;
/// Batches read and applied at once: of the largest, some 13 MB.
const TOGETHER: usize = 200;

/// What a reconciliation did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Reconciled {
    /// Stored batches that were looked at.
    pub batches: usize,
    /// Those among them that were applied only now, or removed, as their visitors are erased.
    pub applied: usize,
    /// Those that can't be applied.
    pub refused: usize,
}

impl Reconciled {
    fn plus(self, other: Reconciled) -> Reconciled {
        Reconciled {
            batches: self.batches + other.batches,
            applied: self.applied + other.applied,
            refused: self.refused + other.refused,
        }
    }
}

impl Consumer {
    /// Looks for batches that were left behind, if the consumer's heartbeat says that there may be some.
    pub async fn reconcile_if_due(&self, now: Millis) -> Result<Option<Reconciled>, StoreError> {
        let pulse = Pulse::read(self.store()).await?;
        if !pulse.may_have_missed(now) {
            return Ok(None);
        }
        if let Some(reconciled_at) = pulse.reconciled_at()
            && !self.stored_any_since(reconciled_at.day().plus(-1)).await?
        {
            return Ok(None);
        }
        self.reconcile_after(&pulse, now, |_| ()).await.map(Some)
    }

    /// Looks for batches that were left behind, as there are some. It reports how many batches it has looked at.
    pub async fn reconcile_now(&self, now: Millis, report: impl Fn(usize)) -> Result<Reconciled, StoreError> {
        let pulse = Pulse::read(self.store()).await?;
        self.reconcile_after(&pulse, now, report).await
    }

    /// Notes that it was looked for batches that were left behind, which tells that somebody does so at all.
    pub async fn note_look(&self, at: Millis) -> Result<(), StoreError> {
        heartbeat::note_look(self.store(), at).await
    }

    async fn reconcile_after(
        &self,
        pulse: &Pulse,
        now: Millis,
        report: impl Fn(usize),
    ) -> Result<Reconciled, StoreError> {
        let reconciled = self.reconcile(report).await?;
        pulse.note_found(self.store(), now).await?;
        Ok(reconciled)
    }

    /// Whether batches may have been stored on a day or later, in any project: no batch is stored before its day's key
    /// of IP addresses is. A day of room is left for clocks.
    async fn stored_any_since(&self, day: Day) -> Result<bool, StoreError> {
        for project in self.store().query(Query::partition(keys::PROJECTS).strong()).await? {
            let Ok(id) = read_text(&project, SK)?.parse::<ProjectId>() else { continue };
            let newest = Query::partition(keys::ip_keys(&id)).keys_only().descending().limit(1).strong();
            for item in self.store().query(newest).await? {
                if read_text(&item, SK)?.parse::<Day>().is_ok_and(|newest| newest >= day) {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }

    /// Applies every stored batch that is not applied yet. It reads the whole table, and reports how many batches it
    /// has looked at.
    pub async fn reconcile(&self, report: impl Fn(usize)) -> Result<Reconciled, StoreError> {
        let seen = Cell::new(0);
        let report = |batches: usize| {
            seen.set(seen.get() + batches);
            report(seen.get());
        };
        let parts = stream::iter(0..SCAN_PARTS).map(|part| self.reconcile_part(part, &report));
        let each: Vec<Reconciled> = parts.buffer_unordered(SCAN_PARTS as usize).try_collect().await?;
        Ok(each.into_iter().fold(Reconciled::default(), Reconciled::plus))
    }

    async fn reconcile_part(&self, part: i32, report: &impl Fn(usize)) -> Result<Reconciled, StoreError> {
        let (mut reconciled, mut from) = (Reconciled::default(), None);
        loop {
            let page = self
                .store()
                .client()
                .scan()
                .table_name(self.store().table())
                .segment(part)
                .total_segments(SCAN_PARTS)
                .consistent_read(true)
                .limit(PAGE)
                .filter_expression("begins_with(#sk, :batch)")
                .projection_expression("#pk, #sk")
                .expression_attribute_names("#pk", PK)
                .expression_attribute_names("#sk", SK)
                .expression_attribute_values(":batch", text(keys::BATCH_PREFIX))
                .set_exclusive_start_key(from)
                .return_consumed_capacity(ReturnConsumedCapacity::None)
                .send()
                .await
                .map_err(failure)?;
            for (project, batches) in references(page.items())? {
                reconciled.batches += batches.len();
                report(batches.len());
                let undone = self.undone(&project, batches).await?;
                // What is stored of an erased visitor goes.
                let undone: Vec<BatchRef> = undone.pending.into_iter().chain(undone.of_erased).collect();
                for together in undone.chunks(TOGETHER) {
                    let applied = self.apply_stored(&project, together).await?;
                    reconciled.refused += applied.refused.len();
                    reconciled.applied += together.len().saturating_sub(applied.refused.len() + applied.over);
                    applied.log_refused();
                }
            }
            from = page.last_evaluated_key;
            if from.is_none() {
                return Ok(reconciled);
            }
        }
    }

    /// Applies batches that are stored, and says which can't be. A batch that is gone has nothing to apply; but if its visitor is
    /// erased, and something is left of it, it is erased once more. What is to be recounted is: the consumer that work items come
    /// to may still be away.
    ///
    /// # Errors
    /// If they can't be read, or could not be applied now.
    pub async fn apply_stored(&self, id: &ProjectId, batches: &[BatchRef]) -> Result<Applied, StoreError> {
        let keys = batches.iter().map(|batch| keys::batch(id, &batch.visitor, &batch.session, &batch.batch));
        let items = self.store().get_many(keys.collect(), Consistency::Strong).await?;
        let mut readable = Vec::with_capacity(items.len());
        let mut unreadable = Vec::new();
        for (key, item) in &items {
            match (Batch::from_item(item), keys::parse_batch(&key.pk, &key.sk)) {
                (Ok(batch), _) => readable.push(batch),
                (Err(error @ StoreError::Newer { .. }), _) => return Err(error),
                (Err(cause), Some(key)) => unreadable.push(Refused { key, cause }),
                (Err(_), None) => {}
            }
        }
        let (project, count) = (self.project(id.clone()).await?, readable.len());
        readable.retain(|batch| !project.horizon.is_over(batch));
        let over = count - readable.len();
        let mut applied = self.apply(BTreeMap::from([(id.clone(), readable)])).await;
        applied.over = over;
        applied.refused.extend(unreadable);
        if let Some(error) = std::mem::take(&mut applied.failed).into_values().next() {
            return Err(error);
        }
        applied.refused.extend(self.erase_what_is_left(id, batches).await?);
        self.recount_each(&project, &std::mem::take(&mut applied.recounting)).await?;
        Ok(applied)
    }

    /// Erases once more those of some batches' visitors of which something is left though they were erased: they were counted
    /// after that, or nobody has finished it. Gives the batches of those that can't be.
    async fn erase_what_is_left(&self, id: &ProjectId, batches: &[BatchRef]) -> Result<Vec<Refused>, StoreError> {
        let project = self.project(id.clone()).await?;
        let visitors = batches.iter().map(|batch| batch.visitor.clone()).collect();
        let left = project.tombstones.of_left(self.store(), id, &visitors).await?;
        if left.is_empty() {
            return Ok(Vec::new());
        }
        match Box::pin(self.erase_under(left, &project, |_| {})).await {
            Err(error) if error.is_of_items() => {
                let left = project.tombstones.of_left(self.store(), id, &visitors).await?;
                let is_left = |batch: &&BatchRef| left.iter().any(|tombstone| tombstone.visitor == batch.visitor);
                let refused = batches.iter().filter(is_left).map(|batch| {
                    let BatchRef { visitor, session, batch } = batch.clone();
                    let cause = StoreError::Corrupt { key: visitor.to_string(), cause: error.to_string() };
                    Refused { key: BatchKey { project: id.clone(), visitor, session, batch }, cause }
                });
                Ok(refused.collect())
            }
            outcome => outcome.map(|_| Vec::new()),
        }
    }
}

/// The batches among stored items, by project.
fn references(items: &[Item]) -> Result<BTreeMap<ProjectId, Vec<BatchRef>>, StoreError> {
    let mut found: BTreeMap<ProjectId, Vec<BatchRef>> = BTreeMap::new();
    for item in items {
        let key = item_key(item)?;
        if let Some(BatchKey { project, visitor, session, batch }) = keys::parse_batch(&key.pk, &key.sk) {
            found.entry(project).or_default().push(BatchRef { visitor, session, batch });
        }
    }
    Ok(found)
}
