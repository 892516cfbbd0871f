//! What the Lambda function does with an event of the table's stream.

use std::collections::BTreeMap;
use std::time::Duration;

use aws_lambda_events::dynamodb::{Event, EventRecord};
use aws_lambda_events::streams::{DynamoDbBatchItemFailure, DynamoDbEventResponse};
use serde_dynamo::AttributeValue;
use tokio::time::{Instant, sleep, timeout_at};

use figures::ids::ProjectId;
use figures::model::Batch;
use figures::table::keys::{self, BatchKey, Key};
use figures::table::store::{DATA, PK, SK, StoreError};
use figures::time::Millis;
use shared::summary::Summary;
use shared::telemetry::{self, Metric};

use crate::spending::Spending;
use counting::dead_letters::{DeadLetter, Queue};
use counting::heartbeat::Heartbeat;
use counting::{Applied, Consumer, Refused};

/// What an invocation may take to apply what it is given. The rest of its function's time is for queueing what it could
/// not apply.
pub const TIME_LIMIT: Duration = Duration::from_secs(7);

/// What queueing may take after that.
pub const QUEUE_TIME_LIMIT: Duration = Duration::from_secs(2);

/// For so long, what could not be applied is tried again: most of what disturbs a table is over by then.
const TRY_AGAIN_FOR: Duration = Duration::from_secs(4);
const PAUSE: Duration = Duration::from_millis(500);

/// Invocations that had nothing to do but what they did.
static APPLIED: Summary = Summary::new("batches", &[]);

/// The consumer of the table's stream.
#[derive(Debug)]
pub struct StreamConsumer {
    consumer: Consumer,
    heartbeat: Heartbeat,
    spending: Spending,
    dead_letters: Option<Queue>,
    time_limit: Duration,
}

/// The new batches and work items of an event.
#[derive(Debug, Default)]
struct NewBatches {
    readable: BTreeMap<ProjectId, Vec<Batch>>,
    unreadable: Vec<Refused>,
    /// What a newer version wrote, which will read it.
    newer: BTreeMap<ProjectId, StoreError>,
    /// Where each is stored, and which record it is in.
    records: Vec<(BatchKey, Option<String>)>,
    /// Work items, and which record each is in.
    works: Vec<(Key, Option<String>)>,
    /// When the first of them was stored.
    oldest: Option<Millis>,
}

/// What could not be done now, and which record it is in.
struct Late {
    letter: DeadLetter,
    record: Option<String>,
}

impl StreamConsumer {
    /// A consumer that queues what it can't apply, or leaves it to the stream where there is no queue.
    pub fn new(consumer: Consumer, dead_letters: Option<Queue>) -> Self {
        // Readers are waited for to erase somebody: longer than a delivery may take.
        let consumer = if dead_letters.is_some() { consumer.erasing_later() } else { consumer };
        StreamConsumer {
            consumer,
            heartbeat: Heartbeat::default(),
            spending: Spending::default(),
            dead_letters,
            time_limit: TIME_LIMIT,
        }
    }

    /// The same where an invocation may take another time.
    pub fn with_time_limit(self, time_limit: Duration) -> Self {
        StreamConsumer { time_limit, ..self }
    }

    /// Applies an event's batches. What can't be applied, or not now, is queued by its key: so a table that is out of
    /// order for long holds up no record, and uses up none of the few tries that Lambda has for one. Only what can't be
    /// queued either is named in the answer, and delivered again.
    pub async fn handle(&self, event: Event) -> DynamoDbEventResponse {
        let (started_at, deadline) = (self.consumer.now(), Instant::now() + self.time_limit);
        let consumer = self.consumer.metered();
        let store = consumer.store();
        let NewBatches { readable, unreadable, newer, records, works, oldest } = new_batches(&event);
        let mut applied = self.apply(&consumer, &event, readable, deadline).await;
        applied.refused.extend(unreadable);
        applied.failed.extend(newer);
        applied.log_refused();
        for (project, error) in &applied.failed {
            tracing::warn!(%project, %error, "batches could not be applied; they are tried again later");
        }
        let late_batches = records.iter().filter_map(|(key, record)| {
            let error = applied.failed.get(&key.project)?;
            Some(Late { letter: DeadLetter::new(key.key(), error), record: record.clone() })
        });
        let mut late: Vec<Late> = late_batches.collect();
        let postponed = late.len();
        late.extend(applied.latecomers.iter().map(|key| {
            let cause = StoreError::Unavailable("its visitor is erased, and something is left of it".to_owned());
            let record = records.iter().find(|(named, _)| named == key).and_then(|(_, record)| record.clone());
            Late { letter: DeadLetter::new(key.key(), &cause), record }
        }));
        if let Err(error) = resume(&consumer, &works, deadline).await {
            tracing::warn!(%error, "work items could not be done; they are tried again later");
            late.extend(works.into_iter().map(|(key, record)| Late { letter: DeadLetter::new(key, &error), record }));
        }
        let again = self.queue(&applied, &late, &records, deadline + QUEUE_TIME_LIMIT).await;
        if let Some(oldest) = oldest {
            if !again.is_empty() && self.dead_letters.is_some() {
                self.heartbeat.doubt(oldest);
            }
            if postponed == 0 {
                let beat = self.beat(&consumer, oldest, started_at);
                // The next one beats as well.
                let _ = timeout_at(deadline + QUEUE_TIME_LIMIT, beat).await;
            }
        }
        let spent = self.spending.add(store, &applied.units, started_at.day());
        if let Ok(Err(error)) = timeout_at(deadline + QUEUE_TIME_LIMIT, spent).await {
            tracing::warn!(%error, "what was spent could not be noted");
        }
        let (now, consumed, refused) = (consumer.now(), store.consumed(), applied.refused.len());
        APPLIED.add(
            now,
            &[
                ("duration_ms", (now.0 - started_at.0) as f64),
                ("read_units", consumed.read_units),
                ("write_units", consumed.write_units),
                ("calls", consumed.calls as f64),
                ("postponed", postponed as f64),
                ("failed_records", again.len() as f64),
            ],
            &[
                Metric::count("AppliedBatches", records.len().saturating_sub(postponed + refused)),
                Metric::count("DeadLetters", refused),
                Metric::milliseconds("RollupLag", oldest.map_or(0, |oldest| now.0 - oldest.0)),
            ],
        );
        if refused + postponed + again.len() > 0 {
            APPLIED.flush(now);
        }
        let mut response = DynamoDbEventResponse::default();
        response.batch_item_failures = again.into_iter().map(failure).collect();
        response
    }

    /// Applies an event's batches, those of projects that fail again and again for a while.
    async fn apply(
        &self,
        consumer: &Consumer,
        event: &Event,
        batches: BTreeMap<ProjectId, Vec<Batch>>,
        deadline: Instant,
    ) -> Applied {
        // Without a queue, the stream brings them again.
        let until = self.dead_letters.as_ref().map(|_| Instant::now() + TRY_AGAIN_FOR);
        let mut applied = in_time(consumer, batches, deadline).await;
        while !applied.failed.is_empty() && until.is_some_and(|until| Instant::now() < until) {
            sleep(PAUSE).await;
            let failed = std::mem::take(&mut applied.failed);
            let NewBatches { mut readable, .. } = new_batches(event);
            readable.retain(|project, _| failed.contains_key(project));
            let next = in_time(consumer, readable, deadline).await;
            applied.refused.extend(next.refused);
            applied.latecomers.extend(next.latecomers);
            applied.failed = next.failed;
            for (project, units) in next.units {
                *applied.units.entry(project).or_default() += units;
            }
        }
        applied
    }

    /// Queues what can't be applied, or not now. Gives the records of what could not be queued.
    async fn queue(
        &self,
        applied: &Applied,
        late: &[Late],
        records: &[(BatchKey, Option<String>)],
        deadline: Instant,
    ) -> Vec<String> {
        let of_late = late.iter().filter_map(|late| late.record.clone());
        let Some(queue) = &self.dead_letters else { return of_late.collect() };
        let refused = applied.refused.iter().map(DeadLetter::from);
        let letters: Vec<DeadLetter> = refused.chain(late.iter().map(|late| late.letter.clone())).collect();
        let cause = match timeout_at(deadline, queue.send(&letters)).await {
            Ok(Ok(())) => return Vec::new(),
            Ok(Err(error)) => error.to_string(),
            Err(_) => took_too_long().to_string(),
        };
        tracing::error!(cause, "batches that were not applied could not be queued");
        let is_refused = |key: &BatchKey| applied.refused.iter().any(|refused| refused.key.project == key.project);
        let of_refused = records.iter().filter(|(key, _)| is_refused(key)).filter_map(|(_, record)| record.clone());
        of_late.chain(of_refused).collect()
    }

    async fn beat(&self, consumer: &Consumer, oldest: Millis, now: Millis) {
        match self.heartbeat.beat(consumer.store(), oldest, now).await {
            Ok(Some(age)) => telemetry::report("heartbeat", &[], &[Metric::milliseconds("ReconciliationAge", age)]),
            Ok(None) => {}
            Err(error) => tracing::warn!(%error, "the heartbeat could not be stored"),
        }
    }
}

/// Applies batches, unless it takes too long.
async fn in_time(consumer: &Consumer, batches: BTreeMap<ProjectId, Vec<Batch>>, deadline: Instant) -> Applied {
    let projects: Vec<ProjectId> = batches.keys().cloned().collect();
    let in_time = timeout_at(deadline, Box::pin(consumer.apply(batches))).await;
    in_time.unwrap_or_else(|_| Applied {
        failed: projects.into_iter().map(|project| (project, took_too_long())).collect(),
        ..Applied::default()
    })
}

async fn resume(consumer: &Consumer, works: &[(Key, Option<String>)], deadline: Instant) -> Result<(), StoreError> {
    let works = works.iter().map(|(key, _)| key.clone()).collect();
    timeout_at(deadline, Box::pin(consumer.resume(works))).await.unwrap_or_else(|_| Err(took_too_long()))
}

fn took_too_long() -> StoreError {
    StoreError::Unavailable("it took too long".to_owned())
}

fn failure(sequence_number: String) -> DynamoDbBatchItemFailure {
    let mut failure = DynamoDbBatchItemFailure::default();
    failure.item_identifier = Some(sequence_number);
    failure
}

fn new_batches(event: &Event) -> NewBatches {
    let mut found = NewBatches::default();
    for record in event.records.iter().filter(|record| record.event_name == "INSERT") {
        let Some(key) = key_of(record) else { continue };
        if keys::parse_work(&key).is_some() {
            found.works.push((key, record.change.sequence_number.clone()));
            continue;
        }
        let Some(key) = keys::parse_batch(&key.pk, &key.sk) else { continue };
        let stored_at = Millis(record.change.approximate_creation_date_time.timestamp_millis());
        found.oldest = Some(found.oldest.map_or(stored_at, |oldest| oldest.min(stored_at)));
        found.records.push((key.clone(), record.change.sequence_number.clone()));
        match read(record) {
            Ok(batch) => found.readable.entry(key.project).or_default().push(batch),
            Err(error @ StoreError::Newer { .. }) => {
                found.newer.insert(key.project, error);
            }
            Err(cause) => found.unreadable.push(Refused { key, cause }),
        }
    }
    found
}

fn key_of(record: &EventRecord) -> Option<Key> {
    match record.change.keys.get(PK).zip(record.change.keys.get(SK)) {
        Some((AttributeValue::S(pk), AttributeValue::S(sk))) => Some(Key { pk: pk.clone(), sk: sk.clone() }),
        _ => None,
    }
}

fn read(record: &EventRecord) -> Result<Batch, StoreError> {
    match record.change.new_image.get(DATA) {
        Some(AttributeValue::B(data)) => Batch::from_data(data),
        _ => Err(StoreError::Corrupt { key: "stream record".to_owned(), cause: "it has no image".to_owned() }),
    }
}
