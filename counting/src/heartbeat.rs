//! When the consumer of the table's stream last worked.
//!
//! A stream keeps its records for a day, so a consumer that was down for longer has missed some. It shows:
//! either nobody worked for long, or what was worked on last was old. Then batches may have been left
//! behind, which [`Consumer::reconcile_if_due`](crate::Consumer::reconcile_if_due) looks for, unless nothing was stored since
//! it looked last.

use std::sync::atomic::{AtomicI64, Ordering};

use aws_sdk_dynamodb::types::ReturnConsumedCapacity;

use figures::table::keys;
use figures::table::store::{Consistency, Store, StoreError, failure, key_item, number, read_number};
use figures::time::Millis;

/// A consumer says at most so often that it works.
const EVERY_MS: i64 = 10 * 60_000;

/// After so long the stream may soon lose what nobody read: half of the day that it keeps.
const LATE_MS: i64 = 12 * 3_600_000;

/// When the consumer last worked.
const BEAT_AT: &str = "beat_at";
/// Since when it may have missed batches; not there if it has not.
const MISSED_SINCE: &str = "missed_since";
/// When the last reconciliation that came to its end began.
const RECONCILED_AT: &str = "reconciled_at";
/// When it was last looked for batches that were left behind, whether or not a reconciliation was due.
const LOOKED_AT: &str = "looked_at";

/// No batch is in doubt.
const NONE: i64 = i64::MAX;

/// What a consumer knows of its last sign of life.
#[derive(Debug)]
pub struct Heartbeat {
    next: AtomicI64,
    /// When the oldest batch was stored that may be lost to the stream, since it could neither be applied nor queued.
    doubted: AtomicI64,
}

impl Default for Heartbeat {
    fn default() -> Self {
        Heartbeat { next: AtomicI64::default(), doubted: AtomicI64::new(NONE) }
    }
}

/// What the table says of the consumer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pulse {
    beat_at: Option<Millis>,
    missed_since: Option<Millis>,
    reconciled_at: Option<Millis>,
    looked_at: Option<Millis>,
}

impl Heartbeat {
    /// Notes that the consumer works, if it was not noted lately, and whether it comes late: `oldest` is when the
    /// oldest batch that it was given was stored. If it notes it, gives how long ago it was looked for batches that were
    /// left behind, in milliseconds.
    pub async fn beat(&self, store: &Store, oldest: Millis, now: Millis) -> Result<Option<i64>, StoreError> {
        let doubted = self.doubted.load(Ordering::Relaxed);
        // Further ahead than that is an instant from before the clock stepped back.
        if doubted == NONE && (1..=EVERY_MS).contains(&(self.next.load(Ordering::Relaxed) - now.0)) {
            return Ok(None);
        }
        let before = Pulse::read(store).await?;
        let silent_since = before.beat_at.unwrap_or(now).min(oldest).min(Millis(doubted));
        let may_have_missed = doubted != NONE || now.0 - silent_since.0 > LATE_MS;
        note(store, now, may_have_missed.then_some(silent_since)).await?;
        self.next.store(now.0 + EVERY_MS, Ordering::Relaxed);
        let _ = self.doubted.compare_exchange(doubted, NONE, Ordering::Relaxed, Ordering::Relaxed);
        Ok(before.looked_at.map(|at| (now.0 - at.0).max(0)))
    }

    /// Has the next beat note that a batch may be missed that was stored then.
    pub fn doubt(&self, stored_at: Millis) {
        self.doubted.fetch_min(stored_at.0, Ordering::Relaxed);
    }
}

impl Pulse {
    /// Reads it.
    pub async fn read(store: &Store) -> Result<Self, StoreError> {
        let item = store.get(&keys::heartbeat(), Consistency::Strong).await?.unwrap_or_default();
        let instant = |name| read_number(&item, name).ok().map(Millis);
        let names = [BEAT_AT, MISSED_SINCE, RECONCILED_AT, LOOKED_AT];
        let [beat_at, missed_since, reconciled_at, looked_at] = names.map(instant);
        Ok(Pulse { beat_at, missed_since, reconciled_at, looked_at })
    }

    /// Whether the consumer may have missed batches, or is about to.
    pub fn may_have_missed(&self, now: Millis) -> bool {
        self.missed_since.is_some() || self.beat_at.is_none_or(|at| now.0 - at.0 > LATE_MS)
    }

    /// When the last reconciliation began, unless the consumer is known to have missed batches since.
    pub fn reconciled_at(&self) -> Option<Millis> {
        self.reconciled_at.filter(|_| self.missed_since.is_none())
    }

    /// Notes that what had been missed until then is found, by a reconciliation that began at an instant.
    pub async fn note_found(&self, store: &Store, began_at: Millis) -> Result<(), StoreError> {
        set(store, RECONCILED_AT, began_at).await?;
        let Some(since) = self.missed_since else { return Ok(()) };
        let noted = store
            .client()
            .update_item()
            .table_name(store.table())
            .set_key(Some(key_item(&keys::heartbeat())))
            .update_expression("REMOVE #since")
            .condition_expression("#since = :since")
            .expression_attribute_names("#since", MISSED_SINCE)
            .expression_attribute_values(":since", number(since.0))
            .return_consumed_capacity(ReturnConsumedCapacity::None)
            .send()
            .await;
        match noted {
            Ok(_) => Ok(()),
            Err(error)
                if error.as_service_error().is_some_and(|error| error.is_conditional_check_failed_exception()) =>
            {
                Ok(())
            }
            Err(error) => Err(failure(error)),
        }
    }
}

/// Notes that batches may be missed, that were stored until then.
pub async fn note_missed(store: &Store, at: Millis) -> Result<(), StoreError> {
    set(store, MISSED_SINCE, at).await
}

/// Notes that it was looked for batches that were left behind.
pub async fn note_look(store: &Store, at: Millis) -> Result<(), StoreError> {
    set(store, LOOKED_AT, at).await
}

async fn set(store: &Store, name: &str, at: Millis) -> Result<(), StoreError> {
    let update = store
        .client()
        .update_item()
        .table_name(store.table())
        .set_key(Some(key_item(&keys::heartbeat())))
        .update_expression("SET #name = :at")
        .expression_attribute_names("#name", name)
        .expression_attribute_values(":at", number(at.0))
        .return_consumed_capacity(ReturnConsumedCapacity::None);
    let call = store.begin();
    update.send().await.map_err(failure)?;
    store.count_write(call);
    Ok(())
}

async fn note(store: &Store, now: Millis, missed_since: Option<Millis>) -> Result<(), StoreError> {
    let update = store
        .client()
        .update_item()
        .table_name(store.table())
        .set_key(Some(key_item(&keys::heartbeat())))
        .expression_attribute_names("#at", BEAT_AT)
        .expression_attribute_values(":at", number(now.0))
        .return_consumed_capacity(ReturnConsumedCapacity::None);
    let update = match missed_since {
        None => update.update_expression("SET #at = :at"),
        Some(since) => update
            // Another one than before: a reconciliation that is under way may be past what is missed now.
            .update_expression("SET #at = :at, #since = :since")
            .expression_attribute_names("#since", MISSED_SINCE)
            .expression_attribute_values(":since", number(since.0)),
    };
    let call = store.begin();
    update.send().await.map_err(failure)?;
    store.count_write(call);
    Ok(())
}
