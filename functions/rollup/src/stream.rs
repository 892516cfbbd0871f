//! What the Lambda function does with an event of the table's stream.

use std::collections::{BTreeMap, BTreeSet};

use aws_lambda_events::dynamodb::{Event, EventRecord};
use aws_lambda_events::streams::{DynamoDbBatchItemFailure, DynamoDbEventResponse};
use serde_dynamo::AttributeValue;

use shared::ids::ProjectId;
use shared::keys::{self, Key};
use shared::model::Batch;
use shared::store::{DATA, PK, SK, StoreError};
use shared::telemetry::{self, Metric};
use shared::time::Millis;

use crate::dead_letters::{DeadLetter, Queue};
use crate::heartbeat::Heartbeat;
use crate::{Applied, Consumer, Refused};

/// The consumer of the table's stream.
#[derive(Debug)]
pub struct StreamConsumer {
    consumer: Consumer,
    heartbeat: Heartbeat,
    dead_letters: Option<Queue>,
}

/// The new batches and work items of an event.
#[derive(Debug, Default)]
struct NewBatches {
    readable: BTreeMap<ProjectId, Vec<Batch>>,
    unreadable: Vec<Refused>,
    /// What a newer version wrote, which will read it.
    newer: BTreeMap<ProjectId, StoreError>,
    /// Which record each is in.
    records: Vec<(ProjectId, String)>,
    /// Work items, and which record each is in.
    works: Vec<(Key, String)>,
    /// When the first of them was stored.
    oldest: Option<Millis>,
}

impl StreamConsumer {
    /// A consumer that queues what can't be processed, or only logs it where there is no queue.
    pub fn new(consumer: Consumer, dead_letters: Option<Queue>) -> Self {
        StreamConsumer { consumer, heartbeat: Heartbeat::default(), dead_letters }
    }

    /// Applies an event's batches. The records that it names in its answer are delivered again.
    pub async fn handle(&self, event: Event) -> DynamoDbEventResponse {
        let started_at = Millis::now();
        let store = self.consumer.store().metered();
        let consumer = Consumer::new(store.clone());
        let NewBatches { readable, unreadable, newer, records, works, oldest } = new_batches(event);
        let count = records.len();
        let mut applied = consumer.apply(readable).await;
        applied.refused.extend(unreadable);
        applied.failed.extend(newer);
        applied.log_refused();
        let undelivered = self.bury(&applied).await;
        if let Some(oldest) = oldest
            && applied.failed.is_empty()
            && let Err(error) = self.heartbeat.beat(&store, oldest, started_at).await
        {
            tracing::warn!(%error, "the heartbeat could not be stored");
        }
        for (project, error) in &applied.failed {
            tracing::warn!(%project, %error, "batches could not be applied; they are delivered again");
        }
        let (works, of_works): (Vec<Key>, Vec<String>) = works.into_iter().unzip();
        let not_done = match consumer.resume(works).await {
            Ok(()) => Vec::new(),
            Err(error) => {
                tracing::warn!(%error, "work items could not be done; they are delivered again");
                of_works
            }
        };
        let consumed = store.consumed();
        let failed: Vec<_> =
            records.into_iter().filter(|(id, _)| applied.failed.contains_key(id) || undelivered.contains(id)).collect();
        telemetry::report(
            "batches",
            &[
                ("duration_ms", (Millis::now().0 - started_at.0).into()),
                ("read_units", consumed.read_units.into()),
                ("write_units", consumed.write_units.into()),
                ("calls", consumed.calls.into()),
                ("failed_records", failed.len().into()),
            ],
            &[
                Metric::count("AppliedBatches", count.saturating_sub(failed.len() + applied.refused.len())),
                Metric::count("DeadLetters", applied.refused.len()),
                Metric::milliseconds("RollupLag", oldest.map_or(0, |oldest| Millis::now().0 - oldest.0)),
            ],
        );
        let mut response = DynamoDbEventResponse::default();
        let failed = failed.into_iter().map(|(_, number)| number).chain(not_done);
        response.batch_item_failures = failed.map(failure).collect();
        response
    }

    /// Queues what can't be processed. Gives the projects of what could not be queued.
    async fn bury(&self, applied: &Applied) -> BTreeSet<ProjectId> {
        let Some(queue) = &self.dead_letters else { return BTreeSet::new() };
        let letters: Vec<DeadLetter> = applied.refused.iter().map(DeadLetter::from).collect();
        match queue.send(&letters).await {
            Ok(()) => BTreeSet::new(),
            Err(error) => {
                tracing::error!(%error, "batches that can't be processed could not be queued");
                applied.refused.iter().map(|refused| refused.key.project.clone()).collect()
            }
        }
    }
}

impl Applied {
    /// Logs what can't be applied.
    pub fn log_refused(&self) {
        for Refused { key, cause } in &self.refused {
            let at = key.key();
            tracing::error!(pk = at.pk, sk = at.sk, %cause, "a stored batch can't be applied");
        }
    }
}

fn failure(sequence_number: String) -> DynamoDbBatchItemFailure {
    let mut failure = DynamoDbBatchItemFailure::default();
    failure.item_identifier = Some(sequence_number);
    failure
}

fn new_batches(event: Event) -> NewBatches {
    let mut found = NewBatches::default();
    for record in event.records.iter().filter(|record| record.event_name == "INSERT") {
        let Some(key) = key_of(record) else { continue };
        if keys::parse_work(&key).is_some() {
            found.works.extend(record.change.sequence_number.clone().map(|number| (key, number)));
            continue;
        }
        let Some(key) = keys::parse_batch(&key.pk, &key.sk) else { continue };
        let stored_at = Millis(record.change.approximate_creation_date_time.timestamp_millis());
        found.oldest = Some(found.oldest.map_or(stored_at, |oldest| oldest.min(stored_at)));
        found.records.extend(record.change.sequence_number.clone().map(|number| (key.project.clone(), number)));
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
