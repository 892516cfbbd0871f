//! What a Lambda event source does on AWS: hands the table's new batches to `rollup`, again and again
//! until they are applied.
//!
//! How far it got is stored in the table after each group. `rollup` counts every batch once however
//! often it is delivered, so a process that is killed at any moment goes on from there, and so does
//! this one after an error.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use aws_sdk_dynamodbstreams::Client;
use aws_sdk_dynamodbstreams::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodbstreams::types::{self, AttributeValue, OperationType, Record, ShardIteratorType};
use counting::{Consumer, Left};
use figures::backoff::Backoff;
use figures::ids::ProjectId;
use figures::model::Batch;
use figures::table::keys::{self, BatchKey, Key};
use figures::table::store::{Consistency, DATA, PK, SK, Store, StoreError, failure, key_item, read_text, text};
use figures::time::Millis;
use tokio_util::sync::CancellationToken;

/// The pause when there is nothing new.
const IDLE_PAUSE: Duration = Duration::from_millis(100);
/// Before another try after an error.
const RETRY: Backoff = Backoff { first: Duration::from_millis(200), longest: Duration::from_secs(5) };
/// How many records a page holds at most. DynamoDB would give 1,000, but a page is in memory in several forms at once.
const PAGE: i32 = 250;
/// How many records are handed over at once, at most, give or take a page.
const GROUP: usize = 4000;

const STREAM: &str = "stream";
const POSITIONS: &str = "positions";

/// Follows a table's stream.
#[derive(Debug)]
pub struct Follower {
    streams: Client,
    store: Store,
    consumer: Consumer,
}

/// The stream and how far each of its shards was read.
#[derive(Debug)]
struct Reading {
    stream: String,
    shards: Vec<Shard>,
    /// When a project was last counted, until its tail is compacted once more.
    counted: BTreeMap<ProjectId, Millis>,
}

#[derive(Debug)]
struct Shard {
    id: String,
    /// The sequence number of the last record that was applied; `None`: from the oldest there is.
    position: Option<String>,
    cursor: Cursor,
}

/// Where a shard's next page begins.
#[derive(Debug)]
enum Cursor {
    /// After its position.
    AtPosition,
    /// At an iterator, which expires after some minutes.
    At(String),
    /// Nowhere: the shard is closed and was read to its end.
    End,
}

/// Whether there was anything to do.
#[derive(Debug, Clone, Copy)]
enum Step {
    Advanced,
    Idle,
}

impl Follower {
    /// A follower of a table's stream.
    pub fn new(streams: Client, store: Store) -> Self {
        let consumer = Consumer::new(store.clone());
        Follower { streams, store, consumer }
    }

    /// Follows the stream until it is stopped, which happens between two groups.
    pub async fn run(self, stop: CancellationToken) {
        let mut reading = None;
        let mut failures = 0;
        while !stop.is_cancelled() {
            let pause = match self.step(&mut reading).await {
                Ok(step) => {
                    failures = 0;
                    if matches!(step, Step::Advanced) { Duration::ZERO } else { IDLE_PAUSE }
                }
                Err(error) => {
                    tracing::warn!(%error, "new batches could not be counted; trying them again");
                    reading = None;
                    failures += 1;
                    RETRY.pause(failures)
                }
            };
            stop.run_until_cancelled(tokio::time::sleep(pause)).await;
        }
    }

    async fn step(&self, reading: &mut Option<Reading>) -> Result<Step, StoreError> {
        match reading {
            Some(reading) => self.advance(reading).await,
            None => {
                *reading = Some(self.resume().await?);
                Ok(Step::Advanced)
            }
        }
    }

    /// Reads and applies a group of records of each shard.
    async fn advance(&self, reading: &mut Reading) -> Result<Step, StoreError> {
        let mut step = Step::Idle;
        for at in 0..reading.shards.len() {
            let records = self.read(&reading.stream, &mut reading.shards[at]).await?;
            if records.is_empty() {
                continue;
            }
            step = Step::Advanced;
            let (batches, works) = (new_batches(&records)?, new_works(&records));
            if !batches.is_empty() || !works.is_empty() {
                let projects: Vec<ProjectId> = batches.keys().cloned().collect();
                let mut applied = self.consumer.apply(batches).await;
                applied.log_refused();
                if let Some((_, error)) = applied.failed.pop_first() {
                    return Err(error);
                }
                self.consumer.resume(works).await?;
                reading.counted.extend(projects.into_iter().map(|project| (project, Millis::now())));
                self.save(reading).await?;
            }
        }
        if reading.shards.iter().all(|shard| matches!(shard.cursor, Cursor::End)) {
            self.refresh(reading).await?;
        }
        self.compact_idle(&mut reading.counted).await;
        Ok(step)
    }

    /// Compacts what was not counted for a while: what a busy time left behind would be read by every request, and
    /// on a laptop the next batch may be long in coming.
    async fn compact_idle(&self, counted: &mut BTreeMap<ProjectId, Millis>) {
        let now = Millis::now();
        let idle = counted
            .extract_if(.., |_, at| now.0 - at.0 > counting::GRACE.as_millis() as i64)
            .map(|(project, _)| project);
        for project in idle.collect::<Vec<_>>() {
            match self.consumer.compact(&project).await {
                Ok(Left::Nothing) => {}
                Ok(Left::Merged) => {
                    counted.insert(project, Millis::now());
                }
                Err(error) => {
                    tracing::warn!(%project, %error, "the tail could not be compacted; trying it again");
                    counted.insert(project, Millis::now());
                }
            }
        }
    }

    /// Reads a shard's next records: all there are, or a full group. Counting many at once costs far less
    /// than counting them a few at a time.
    async fn read(&self, stream: &str, shard: &mut Shard) -> Result<Vec<Record>, StoreError> {
        let mut records = Vec::new();
        while records.len() < GROUP {
            let iterator = match &shard.cursor {
                Cursor::End => break,
                Cursor::At(iterator) => Some(iterator.clone()),
                Cursor::AtPosition => self.iterator(stream, shard).await?,
            };
            let page = match self.streams.get_records().set_shard_iterator(iterator).limit(PAGE).send().await {
                Ok(page) => page,
                Err(error) => return Err(self.failed(error).await),
            };
            shard.cursor = page.next_shard_iterator.map_or(Cursor::End, Cursor::At);
            let found = page.records.unwrap_or_default();
            let Some(last) = found.last() else { break };
            shard.position = last.dynamodb().and_then(|change| change.sequence_number()).map(str::to_owned);
            records.extend(found);
        }
        Ok(records)
    }

    async fn iterator(&self, stream: &str, shard: &Shard) -> Result<Option<String>, StoreError> {
        let kind = match shard.position {
            Some(_) => ShardIteratorType::AfterSequenceNumber,
            None => ShardIteratorType::TrimHorizon,
        };
        let found = self
            .streams
            .get_shard_iterator()
            .stream_arn(stream)
            .shard_id(&shard.id)
            .shard_iterator_type(kind)
            .set_sequence_number(shard.position.clone())
            .send()
            .await;
        match found {
            Ok(found) => Ok(found.shard_iterator),
            Err(error) => Err(self.failed(error).await),
        }
    }

    /// An error of the stream. If records are gone that were not read yet, the checkpoint is worth
    /// nothing: without it the next try starts over and looks for what was left behind.
    async fn failed<E, R>(&self, error: SdkError<E, R>) -> StoreError
    where
        E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
        R: std::fmt::Debug + Send + Sync + 'static,
    {
        if error.code() == Some("TrimmedDataAccessException")
            && let Err(error) = self.store.delete(&keys::dev_checkpoint()).await
        {
            return error;
        }
        failure(error)
    }

    /// Takes up the stream at the checkpoint. Without one, or where records after it are gone
    /// already, batches may have been left behind: they are found and applied first.
    async fn resume(&self) -> Result<Reading, StoreError> {
        let stream = self.latest_stream().await?;
        let described = self.describe(&stream).await?;
        let checkpoint = self.checkpoint().await?;
        let positions = match checkpoint {
            Some((of, positions)) if of == stream && !gone(&described, &positions) => positions,
            _ => {
                self.consumer.reconcile(|_| ()).await?;
                HashMap::new()
            }
        };
        let shard = |id: String| Shard { position: positions.get(&id).cloned(), cursor: Cursor::AtPosition, id };
        let shards = described.into_iter().filter_map(|shard| shard.shard_id).map(shard).collect();
        let reading = Reading { stream, shards, counted: BTreeMap::new() };
        self.save(&reading).await?;
        Ok(reading)
    }

    /// Looks for shards that follow the ones read to their end.
    async fn refresh(&self, reading: &mut Reading) -> Result<(), StoreError> {
        let described: Vec<_> =
            self.describe(&reading.stream).await?.into_iter().filter_map(|shard| shard.shard_id).collect();
        reading.shards.retain(|shard| described.contains(&shard.id));
        for id in described {
            if !reading.shards.iter().any(|shard| shard.id == id) {
                reading.shards.push(Shard { id, position: None, cursor: Cursor::AtPosition });
            }
        }
        Ok(())
    }

    async fn latest_stream(&self) -> Result<String, StoreError> {
        let described = self.store.client().describe_table().table_name(self.store.table()).send().await;
        let table = described.map_err(failure)?.table;
        table
            .and_then(|table| table.latest_stream_arn)
            .ok_or_else(|| StoreError::Failed(format!("table {} has no stream", self.store.table())))
    }

    async fn describe(&self, stream: &str) -> Result<Vec<types::Shard>, StoreError> {
        let mut shards = Vec::new();
        let mut after = None;
        loop {
            let request = self.streams.describe_stream().stream_arn(stream).set_exclusive_start_shard_id(after);
            let Some(page) = request.send().await.map_err(failure)?.stream_description else { return Ok(shards) };
            shards.extend(page.shards.unwrap_or_default());
            after = page.last_evaluated_shard_id;
            if after.is_none() {
                return Ok(shards);
            }
        }
    }

    async fn checkpoint(&self) -> Result<Option<(String, HashMap<String, String>)>, StoreError> {
        let Some(item) = self.store.get(&keys::dev_checkpoint(), Consistency::Strong).await? else { return Ok(None) };
        let positions = item.get(POSITIONS).and_then(|value| value.as_m().ok()).into_iter().flatten();
        let positions = positions.filter_map(|(shard, at)| Some((shard.clone(), at.as_s().ok()?.clone()))).collect();
        Ok(Some((read_text(&item, STREAM)?.to_owned(), positions)))
    }

    async fn save(&self, reading: &Reading) -> Result<(), StoreError> {
        let position = |shard: &Shard| Some((shard.id.clone(), text(shard.position.clone()?)));
        let positions = reading.shards.iter().filter_map(position).collect();
        let mut item = key_item(&keys::dev_checkpoint());
        item.insert(STREAM.to_owned(), text(&reading.stream));
        item.insert(POSITIONS.to_owned(), aws_sdk_dynamodb::types::AttributeValue::M(positions));
        self.store.put(item).await
    }
}

/// The new batches among a stream's records, by project.
fn new_batches(records: &[Record]) -> Result<BTreeMap<ProjectId, Vec<Batch>>, StoreError> {
    let mut batches: BTreeMap<ProjectId, Vec<Batch>> = BTreeMap::new();
    for (key, data) in records.iter().filter_map(new_batch) {
        if let Some(batch) = readable(Batch::from_data(data))? {
            batches.entry(key.project).or_default().push(batch);
        }
    }
    Ok(batches)
}

fn new_batch(record: &Record) -> Option<(BatchKey, &[u8])> {
    let Key { pk, sk } = inserted(record)?;
    let key = keys::parse_batch(&pk, &sk)?;
    Some((key, record.dynamodb()?.new_image()?.get(DATA)?.as_b().ok()?.as_ref()))
}

/// The work items among a stream's records.
fn new_works(records: &[Record]) -> Vec<Key> {
    records.iter().filter_map(inserted).filter(|key| keys::parse_work(key).is_some()).collect()
}

/// The key of an item that was inserted. None: nothing was, or it is deleted already and its record is empty.
fn inserted(record: &Record) -> Option<Key> {
    let change = record.dynamodb().filter(|_| record.event_name == Some(OperationType::Insert))?;
    let key = change.keys()?;
    let part = |name| key.get(name).and_then(|value: &AttributeValue| value.as_s().ok());
    Some(Key { pk: part(PK)?.clone(), sk: part(SK)?.clone() })
}

/// A batch, unless it can't be read. No further try would read it, and it must not hold up the
/// others; it stays in the table. What a newer version wrote waits for that.
fn readable(batch: Result<Batch, StoreError>) -> Result<Option<Batch>, StoreError> {
    match batch {
        Err(error @ StoreError::Newer { .. }) => Err(error),
        batch => Ok(batch
            .inspect_err(|error| tracing::error!(%error, "a stored batch can't be read and is not counted"))
            .ok()),
    }
}

/// Whether records after these positions may be gone from the stream.
fn gone(shards: &[types::Shard], positions: &HashMap<String, String>) -> bool {
    positions.iter().any(|(id, position)| {
        let shard = shards.iter().find(|shard| shard.shard_id() == Some(id));
        let oldest =
            shard.map(|shard| shard.sequence_number_range().and_then(|range| range.starting_sequence_number()));
        // Sequence numbers are decimal, of any length and without leading zeros.
        let order = |number: &str| (number.len(), number.to_owned());
        oldest.is_none_or(|oldest| oldest.is_some_and(|oldest| order(oldest) > order(position)))
    })
}
