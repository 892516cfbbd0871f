//! The table, through typed operations that count what they consume.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::{
    AttributeValue, ConsumedCapacity, Delete, KeysAndAttributes, Put, ReturnConsumedCapacity,
    ReturnValuesOnConditionCheckFailure, TransactWriteItem,
};

use futures::stream::{self, BoxStream, FuturesUnordered, Stream, StreamExt, TryStreamExt};

use crate::backoff::Backoff;
use crate::table::codec::{self, CodecError, Packed, Plain};
use crate::table::keys::Key;

/// An item's attributes.
pub type Item = HashMap<String, AttributeValue>;

/// The name of the partition key attribute.
pub const PK: &str = "PK";
/// The name of the sort key attribute.
pub const SK: &str = "SK";
/// The attribute that packed state is in.
pub const DATA: &str = "d";
/// The attribute that holds a version to be checked by conditional writes.
pub const REV: &str = "r";
/// The attribute with the epoch second after which DynamoDB deletes an item.
pub const EXPIRES: &str = "expires_at";

/// The attribute of a project's item with its own hosts.
pub const HOSTS: &str = "hosts";

/// The attribute of a project's item with the origins whose pages may send data.
pub const ORIGINS: &str = "origins";

/// The attribute of a project's item, and of its manifest, with the days for which batches and visitors are kept; 0 is for ever.
pub const RETENTION_DAYS: &str = "retention_days";

/// The attribute of a project's item with the first day that was kept when its setting was last prolonged.
pub const KEPT_SINCE: &str = "kept_since";

/// The attribute with the instant at which a project, a key or a person came to be.
pub const CREATED_AT: &str = "created_at";

/// DynamoDB's limit of items in a transaction.
pub const MAX_TRANSACTION_ITEMS: usize = 100;
const MAX_BATCH_GET: usize = 100;
const MAX_BATCH_GET_TRIES: u32 = 8;
/// Before keys are asked for again that DynamoDB left out.
const UNPROCESSED: Backoff = Backoff { first: Duration::from_millis(20), longest: Duration::from_secs(2) };

/// Why an operation on the table failed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Throttled, unreachable, timed out, or written by a newer version: worth another try later.
    #[error("table unavailable: {0}")]
    Unavailable(String),
    /// The table answered with an error that another try would meet again.
    #[error("table error: {0}")]
    Failed(String),
    /// The table refuses what was to be written, as an item that has grown too large.
    #[error("the table refuses what is to be written: {0}")]
    Refused(String),
    /// What was read in two steps changed in between: worth another try now.
    #[error("the table changed while it was read")]
    Overtaken,
    /// An item in a format of a newer version, which reads it: worth another try later.
    #[error("item {key:?}: {cause}")]
    Newer {
        /// Which item.
        key: String,
        /// Which format.
        cause: String,
    },
    /// An item that can't be read.
    #[error("item {key:?}: {cause}")]
    Corrupt {
        /// Which item.
        key: String,
        /// What is wrong with it.
        cause: String,
    },
}

impl StoreError {
    /// Whether it lies in particular items, so that a try with others may well succeed.
    pub fn is_of_items(&self) -> bool {
        matches!(self, StoreError::Refused(_) | StoreError::Corrupt { .. })
    }

    /// Whether an item can't be read by this version. A rebuild derives what is derived without it.
    pub fn is_unreadable(&self) -> bool {
        matches!(self, StoreError::Newer { .. } | StoreError::Corrupt { .. })
    }
}

impl From<CodecError> for StoreError {
    fn from(error: CodecError) -> Self {
        unreadable(String::new(), error)
    }
}

/// What operations consumed, in thousandths of capacity units.
#[derive(Debug, Default)]
pub struct Meter {
    read: AtomicU64,
    write: AtomicU64,
    calls: AtomicU64,
    round_trips: AtomicU64,
}

/// A call that has begun, and how many calls ended one after the other before it.
#[derive(Debug)]
#[must_use]
pub struct Call {
    before: u64,
}

/// A reading of a [`Meter`].
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Consumed {
    /// Read capacity units.
    pub read_units: f64,
    /// Write capacity units.
    pub write_units: f64,
    /// Calls to DynamoDB.
    pub calls: u64,
    /// Calls to DynamoDB that began after another one had ended: how often the request waited for it.
    pub round_trips: u64,
}

impl Meter {
    fn begin(&self) -> Call {
        Call { before: self.round_trips.load(Ordering::Relaxed) }
    }

    fn end(&self, call: Call) {
        self.calls.fetch_add(1, Ordering::Relaxed);
        self.round_trips.fetch_max(call.before + 1, Ordering::Relaxed);
    }

    fn add<'a>(&self, call: Call, reported: impl IntoIterator<Item = &'a ConsumedCapacity>, written: bool) {
        self.end(call);
        for capacity in reported {
            let read = capacity.read_capacity_units();
            let write = capacity.write_capacity_units();
            let total = capacity.capacity_units().unwrap_or_default();
            let (read, write) = match (read, write) {
                (None, None) if written => (0.0, total),
                (None, None) => (total, 0.0),
                (read, write) => (read.unwrap_or_default(), write.unwrap_or_default()),
            };
            self.read.fetch_add((read * 1000.0) as u64, Ordering::Relaxed);
            self.write.fetch_add((write * 1000.0) as u64, Ordering::Relaxed);
        }
    }

    /// What was consumed so far.
    pub fn reading(&self) -> Consumed {
        Consumed {
            read_units: self.read.load(Ordering::Relaxed) as f64 / 1000.0,
            write_units: self.write.load(Ordering::Relaxed) as f64 / 1000.0,
            calls: self.calls.load(Ordering::Relaxed),
            round_trips: self.round_trips.load(Ordering::Relaxed),
        }
    }
}

/// Whether a read must see all writes that were acknowledged before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Consistency {
    /// May lag by a moment, at half the price.
    Eventual,
    /// Sees every acknowledged write.
    Strong,
}

/// What a query matches in its partition.
#[derive(Debug, Clone)]
pub enum SortKeys {
    /// All items.
    All,
    /// Those whose sort key begins with this.
    Prefix(String),
    /// Those from the first to the second, both inclusive.
    Between(String, String),
}

/// A query of one partition.
#[derive(Debug, Clone)]
pub struct Query {
    partition: String,
    sort_keys: SortKeys,
    descending: bool,
    limit: Option<usize>,
    consistency: Consistency,
    is_of_keys: bool,
}

impl Query {
    /// All items of a partition, ascending, eventually consistent.
    pub fn partition(partition: impl Into<String>) -> Self {
        Query {
            partition: partition.into(),
            sort_keys: SortKeys::All,
            descending: false,
            limit: None,
            consistency: Consistency::Eventual,
            is_of_keys: false,
        }
    }

    /// Only the keys of the items.
    pub fn keys_only(mut self) -> Self {
        self.is_of_keys = true;
        self
    }

    /// Only some sort keys.
    pub fn sort_keys(mut self, sort_keys: SortKeys) -> Self {
        self.sort_keys = sort_keys;
        self
    }

    /// From the last item to the first.
    pub fn descending(mut self) -> Self {
        self.descending = true;
        self
    }

    /// At most so many items.
    pub fn limit(mut self, limit: usize) -> Self {
        self.limit = Some(limit);
        self
    }

    /// Sees every acknowledged write.
    pub fn strong(mut self) -> Self {
        self.consistency = Consistency::Strong;
        self
    }
}

/// The result pages of a query, of a megabyte at most.
#[derive(Debug)]
pub struct Pages {
    store: Store,
    query: Query,
    /// How many more items are wanted, if not all.
    left: Option<usize>,
    from: Option<Item>,
    is_done: bool,
}

impl Pages {
    /// The items of the next page, which may be none; `None` after the last one.
    pub async fn next(&mut self) -> Result<Option<Vec<Item>>, StoreError> {
        if self.is_done {
            return Ok(None);
        }
        let (page, next) = self.store.query_page(&self.query, self.left, self.from.take()).await?;
        self.left = self.left.map(|left| left.saturating_sub(page.len()));
        self.is_done = next.is_none() || self.left == Some(0);
        self.from = next;
        Ok(Some(page))
    }

    /// Whether there may be items that match after those that came.
    pub fn has_more(&self) -> bool {
        !self.is_done || self.from.is_some()
    }

    /// The pages that are left, as a stream.
    pub fn into_stream(self) -> impl Stream<Item = Result<Vec<Item>, StoreError>> + Send + use<> {
        stream::try_unfold(self, async |mut pages| Ok(pages.next().await?.map(|page| (page, pages))))
    }
}

/// One write of a transaction.
#[derive(Debug, Clone)]
pub enum Write {
    /// Puts an item.
    Put(Item),
    /// Puts an item whose stored version must be this one (`None`: there must be no such item).
    PutAt(Item, Option<u64>),
    /// Deletes an item, if it is there.
    Delete(Key),
    /// Deletes an item that must be there.
    Take(Key),
    /// Deletes an item whose stored version must be this one.
    DeleteAt(Key, u64),
    /// Writes nothing, and requires that there is no such item.
    Absent(Key),
}

/// What became of a transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// All of it was written.
    Committed,
    /// Nothing was written. The writes at these positions met another version or another writer.
    Conflict(Vec<usize>),
}

/// What became of a conditional put.
#[derive(Debug, Clone, PartialEq)]
#[must_use]
pub enum ConditionalPut {
    /// The item is stored: by this try, or by one before it whose answer was lost.
    Stored,
    /// Another item is there, which does not meet the condition; `None`: there is none, or the table does not show it.
    Refused(Option<Item>),
}

impl ConditionalPut {
    /// Whether the item is stored.
    pub fn is_stored(&self) -> bool {
        *self == ConditionalPut::Stored
    }
}

/// A handle on the table. Clones share the connection; [`Store::metered`] counts apart.
#[derive(Debug, Clone)]
pub struct Store {
    client: Client,
    table: Arc<str>,
    meter: Arc<Meter>,
}

impl Store {
    /// A handle on a table.
    pub fn new(client: Client, table: &str) -> Self {
        Store { client, table: table.into(), meter: Arc::default() }
    }

    /// The same table with a meter of its own.
    pub fn metered(&self) -> Self {
        Store { meter: Arc::default(), ..self.clone() }
    }

    /// What this handle consumed.
    pub fn consumed(&self) -> Consumed {
        self.meter.reading()
    }

    /// Begins a call that is made through [`Store::client`].
    pub fn begin(&self) -> Call {
        self.meter.begin()
    }

    /// Counts a write of one unit that was made through [`Store::client`], or refused by its condition.
    pub fn count_write(&self, call: Call) {
        self.meter.end(call);
        self.meter.write.fetch_add(1000, Ordering::Relaxed);
    }

    /// The SDK's client, for operations that only administration needs.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// The table's name.
    pub fn table(&self) -> &str {
        &self.table
    }

    /// One item.
    pub async fn get(&self, key: &Key, consistency: Consistency) -> Result<Option<Item>, StoreError> {
        let call = self.meter.begin();
        let response = self
            .client
            .get_item()
            .table_name(&*self.table)
            .set_key(Some(key_item(key)))
            .consistent_read(consistency == Consistency::Strong)
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send()
            .await
            .map_err(failure)?;
        self.meter.add(call, response.consumed_capacity(), false);
        Ok(response.item)
    }

    /// Many items, in no order; those that don't exist are left out.
    pub async fn get_many(&self, keys: Vec<Key>, consistency: Consistency) -> Result<HashMap<Key, Item>, StoreError> {
        self.get_chunks(keys, consistency).try_concat().await
    }

    /// The same, some of them at a time, for what may be more than memory holds.
    pub fn get_chunks(
        &self,
        mut keys: Vec<Key>,
        consistency: Consistency,
    ) -> BoxStream<'_, Result<HashMap<Key, Item>, StoreError>> {
        keys.sort_unstable();
        keys.dedup();
        let chunks: Vec<Vec<Key>> = keys.chunks(MAX_BATCH_GET).map(<[Key]>::to_vec).collect();
        let found = chunks.into_iter().map(move |chunk| async move { self.get_chunk(&chunk, consistency).await });
        found.collect::<FuturesUnordered<_>>().boxed()
    }

    async fn get_chunk(&self, keys: &[Key], consistency: Consistency) -> Result<HashMap<Key, Item>, StoreError> {
        let mut found = HashMap::with_capacity(keys.len());
        let mut missing: Vec<Item> = keys.iter().map(key_item).collect();
        for attempt in 0..MAX_BATCH_GET_TRIES {
            if missing.is_empty() {
                return Ok(found);
            }
            if attempt > 0 {
                UNPROCESSED.wait(attempt).await;
            }
            let request = KeysAndAttributes::builder()
                .set_keys(Some(std::mem::take(&mut missing)))
                .consistent_read(consistency == Consistency::Strong)
                .build()
                .map_err(|error| StoreError::Failed(error.to_string()))?;
            let call = self.meter.begin();
            let response = self
                .client
                .batch_get_item()
                .request_items(&*self.table, request)
                .return_consumed_capacity(ReturnConsumedCapacity::Total)
                .send()
                .await
                .map_err(failure)?;
            self.meter.add(call, response.consumed_capacity(), false);
            for item in response.responses.unwrap_or_default().remove(&*self.table).unwrap_or_default() {
                found.insert(item_key(&item)?, item);
            }
            missing = response
                .unprocessed_keys
                .unwrap_or_default()
                .remove(&*self.table)
                .map(|rest| rest.keys)
                .unwrap_or_default();
        }
        Err(StoreError::Unavailable("keys stayed unprocessed".to_owned()))
    }

    /// The items that a query matches, over as many result pages as it takes.
    pub async fn query(&self, query: Query) -> Result<Vec<Item>, StoreError> {
        let (mut pages, mut items) = (self.pages(query), Vec::new());
        while let Some(page) = pages.next().await? {
            items.extend(page);
        }
        Ok(items)
    }

    /// The result pages of a query, one after the other: for what may be more than memory holds.
    pub fn pages(&self, query: Query) -> Pages {
        Pages { store: self.clone(), left: query.limit, query, from: None, is_done: false }
    }

    async fn query_page(
        &self,
        query: &Query,
        limit: Option<usize>,
        from: Option<Item>,
    ) -> Result<(Vec<Item>, Option<Item>), StoreError> {
        let request = self
            .client
            .query()
            .table_name(&*self.table)
            .expression_attribute_names("#pk", PK)
            .expression_attribute_values(":pk", text(&query.partition));
        let request = match &query.sort_keys {
            SortKeys::All => request.key_condition_expression("#pk = :pk"),
            SortKeys::Prefix(prefix) => request
                .key_condition_expression("#pk = :pk AND begins_with(#sk, :from)")
                .expression_attribute_names("#sk", SK)
                .expression_attribute_values(":from", text(prefix)),
            SortKeys::Between(first, last) => request
                .key_condition_expression("#pk = :pk AND #sk BETWEEN :from AND :to")
                .expression_attribute_names("#sk", SK)
                .expression_attribute_values(":from", text(first))
                .expression_attribute_values(":to", text(last)),
        };
        let request = match query.is_of_keys {
            true => request.projection_expression("#pk, #sk").expression_attribute_names("#sk", SK),
            false => request,
        };
        let call = self.meter.begin();
        let response = request
            .scan_index_forward(!query.descending)
            .set_limit(limit.map(|limit| i32::try_from(limit).unwrap_or(i32::MAX)))
            .set_exclusive_start_key(from)
            .consistent_read(query.consistency == Consistency::Strong)
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send()
            .await
            .map_err(failure)?;
        self.meter.add(call, response.consumed_capacity(), false);
        Ok((response.items.unwrap_or_default(), response.last_evaluated_key))
    }

    /// Puts an item, whatever is there.
    pub async fn put(&self, item: Item) -> Result<(), StoreError> {
        let call = self.meter.begin();
        let response = self
            .client
            .put_item()
            .table_name(&*self.table)
            .set_item(Some(item))
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send()
            .await
            .map_err(failure)?;
        self.meter.add(call, response.consumed_capacity(), true);
        Ok(())
    }

    /// Puts an item if the stored one has this version (`None`: if there is none).
    ///
    /// The SDK tries again where an answer is lost, and the second try may be refused for what the first one stored: a
    /// refusal by the very item that was to be put is none.
    pub async fn put_at(&self, item: Item, version: Option<u64>) -> Result<ConditionalPut, StoreError> {
        let put = self
            .client
            .put_item()
            .table_name(&*self.table)
            .set_item(Some(item.clone()))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .return_consumed_capacity(ReturnConsumedCapacity::Total);
        let put = match version {
            None => put.condition_expression("attribute_not_exists(#pk)").expression_attribute_names("#pk", PK),
            Some(version) => put
                .condition_expression("#r = :r")
                .expression_attribute_names("#r", REV)
                .expression_attribute_values(":r", number(version)),
        };
        let call = self.meter.begin();
        match put.send().await {
            Ok(response) => {
                self.meter.add(call, response.consumed_capacity(), true);
                Ok(ConditionalPut::Stored)
            }
            Err(SdkError::ServiceError(error)) if error.err().is_conditional_check_failed_exception() => {
                self.count_write(call);
                Ok(match error.into_err() {
                    PutItemError::ConditionalCheckFailedException(refusal) if refusal.item() == Some(&item) => {
                        ConditionalPut::Stored
                    }
                    PutItemError::ConditionalCheckFailedException(refusal) => ConditionalPut::Refused(refusal.item),
                    _ => ConditionalPut::Refused(None),
                })
            }
            Err(error) => Err(failure(error)),
        }
    }

    /// Deletes an item, if it is there.
    pub async fn delete(&self, key: &Key) -> Result<(), StoreError> {
        let call = self.meter.begin();
        let response = self
            .client
            .delete_item()
            .table_name(&*self.table)
            .set_key(Some(key_item(key)))
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send()
            .await
            .map_err(failure)?;
        self.meter.add(call, response.consumed_capacity(), true);
        Ok(())
    }

    /// Deletes an item if it has this version (`None`: if it has none). If not, it is another one, which stays. Says whether the one
    /// of the version is gone: it may stay if a transaction is replacing it.
    pub async fn delete_at(&self, key: &Key, version: Option<u64>) -> Result<bool, StoreError> {
        let delete = self
            .client
            .delete_item()
            .table_name(&*self.table)
            .set_key(Some(key_item(key)))
            .expression_attribute_names("#r", REV)
            .return_consumed_capacity(ReturnConsumedCapacity::Total);
        let delete = match version {
            None => delete.condition_expression("attribute_not_exists(#r)"),
            Some(version) => delete.condition_expression("#r = :r").expression_attribute_values(":r", number(version)),
        };
        let call = self.meter.begin();
        match delete.send().await {
            Ok(response) => self.meter.add(call, response.consumed_capacity(), true),
            Err(SdkError::ServiceError(error)) if error.err().is_conditional_check_failed_exception() => {
                self.count_write(call);
            }
            Err(SdkError::ServiceError(error)) if error.err().is_transaction_conflict_exception() => return Ok(false),
            Err(error) => return Err(failure(error)),
        }
        Ok(true)
    }

    /// Writes all or nothing.
    pub async fn transact(&self, writes: Vec<Write>) -> Result<Outcome, StoreError> {
        let items = writes.into_iter().map(|write| self.transaction_item(write)).collect::<Result<Vec<_>, _>>()?;
        let call = self.meter.begin();
        let sent = self
            .client
            .transact_write_items()
            .set_transact_items(Some(items))
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send()
            .await;
        match sent {
            Ok(response) => {
                self.meter.add(call, response.consumed_capacity(), true);
                Ok(Outcome::Committed)
            }
            Err(error) => match conflicts(&error) {
                Some(positions) => Ok(Outcome::Conflict(positions)),
                None if is_invalid(&error) => Err(StoreError::Refused(text_of(&error))),
                None => Err(failure(error)),
            },
        }
    }

    fn transaction_item(&self, write: Write) -> Result<TransactWriteItem, StoreError> {
        let failed = |error: aws_sdk_dynamodb::error::BuildError| StoreError::Failed(error.to_string());
        let put = |item| Put::builder().table_name(&*self.table).set_item(Some(item));
        let item = TransactWriteItem::builder();
        Ok(match write {
            Write::Put(content) => item.put(put(content).build().map_err(failed)?),
            Write::PutAt(content, None) => item.put(
                put(content)
                    .condition_expression("attribute_not_exists(#pk)")
                    .expression_attribute_names("#pk", PK)
                    .build()
                    .map_err(failed)?,
            ),
            Write::PutAt(content, Some(version)) => item.put(
                put(content)
                    .condition_expression("#r = :r")
                    .expression_attribute_names("#r", REV)
                    .expression_attribute_values(":r", number(version))
                    .build()
                    .map_err(failed)?,
            ),
            Write::Delete(key) => item.delete(
                Delete::builder().table_name(&*self.table).set_key(Some(key_item(&key))).build().map_err(failed)?,
            ),
            Write::Take(key) => item.delete(
                Delete::builder()
                    .table_name(&*self.table)
                    .set_key(Some(key_item(&key)))
                    .condition_expression("attribute_exists(#pk)")
                    .expression_attribute_names("#pk", PK)
                    .build()
                    .map_err(failed)?,
            ),
            // A deletion of nothing: it asks for no right more than other deletions do.
            Write::Absent(key) => item.delete(
                Delete::builder()
                    .table_name(&*self.table)
                    .set_key(Some(key_item(&key)))
                    .condition_expression("attribute_not_exists(#pk)")
                    .expression_attribute_names("#pk", PK)
                    .build()
                    .map_err(failed)?,
            ),
            Write::DeleteAt(key, version) => item.delete(
                Delete::builder()
                    .table_name(&*self.table)
                    .set_key(Some(key_item(&key)))
                    .condition_expression("#r = :r")
                    .expression_attribute_names("#r", REV)
                    .expression_attribute_values(":r", number(version))
                    .build()
                    .map_err(failed)?,
            ),
        }
        .build())
    }
}

/// The positions that cancelled a transaction, if other writers are all that is wrong with it.
fn conflicts<R>(error: &SdkError<TransactWriteItemsError, R>) -> Option<Vec<usize>> {
    let reasons = match error.as_service_error()? {
        TransactWriteItemsError::TransactionCanceledException(cancelled) => cancelled.cancellation_reasons(),
        TransactWriteItemsError::TransactionInProgressException(_) => return Some(Vec::new()),
        _ => return None,
    };
    let mut positions = Vec::new();
    for (position, reason) in reasons.iter().enumerate() {
        match reason.code() {
            None | Some("None") => {}
            Some("ConditionalCheckFailed" | "TransactionConflict") => positions.push(position),
            Some(_) => return None,
        }
    }
    Some(positions)
}

/// Whether one of a transaction's writes can't be made at all.
fn is_invalid<R>(error: &SdkError<TransactWriteItemsError, R>) -> bool {
    match error.as_service_error() {
        Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) => {
            cancelled.cancellation_reasons().iter().any(|reason| reason.code() == Some("ValidationError"))
        }
        _ => false,
    }
}

/// Sorts an SDK error into what is worth another try and what is not. The SDK has tried already.
pub fn failure<E, R>(error: SdkError<E, R>) -> StoreError
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    R: std::fmt::Debug + Send + Sync + 'static,
{
    const TRANSIENT: [&str; 8] = [
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "ThrottlingException",
        "InternalServerError",
        "ServiceUnavailable",
        "TransactionCanceledException",
        "TransactionConflictException",
        "LimitExceededException",
    ];
    let text = text_of(&error);
    match error.code() {
        _ if matches!(error, SdkError::TimeoutError(_) | SdkError::DispatchFailure(_) | SdkError::ResponseError(_)) => {
            StoreError::Unavailable(text)
        }
        Some(code) if TRANSIENT.contains(&code) => StoreError::Unavailable(text),
        Some("ValidationException") => StoreError::Refused(text),
        _ => StoreError::Failed(text),
    }
}

/// What an SDK error says, in one line.
fn text_of<E, R>(error: &SdkError<E, R>) -> String
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
    R: std::fmt::Debug + 'static,
{
    let cause = std::error::Error::source(error).map_or_else(|| error.to_string(), ToString::to_string);
    error.code().map_or(cause.clone(), |code| format!("{code}: {cause}"))
}

/// A text attribute.
pub fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

/// A whole-number attribute.
pub fn number(value: impl std::fmt::Display) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

/// A binary attribute.
pub fn binary(value: Vec<u8>) -> AttributeValue {
    AttributeValue::B(Blob::new(value))
}

/// An item with only its key.
pub fn key_item(key: &Key) -> Item {
    HashMap::from([(PK.to_owned(), text(&key.pk)), (SK.to_owned(), text(&key.sk))])
}

/// The key an item is stored under.
pub fn item_key(item: &Item) -> Result<Key, StoreError> {
    Ok(Key { pk: read_text(item, PK)?.to_owned(), sk: read_text(item, SK)?.to_owned() })
}

/// A text attribute of an item.
pub fn read_text<'a>(item: &'a Item, name: &str) -> Result<&'a str, StoreError> {
    item.get(name).and_then(|value| value.as_s().ok()).map(String::as_str).ok_or_else(|| missing(item, name))
}

/// A whole-number attribute of an item.
pub fn read_number<T: std::str::FromStr>(item: &Item, name: &str) -> Result<T, StoreError> {
    let digits = item.get(name).and_then(|value| value.as_n().ok());
    digits.and_then(|digits| digits.parse().ok()).ok_or_else(|| missing(item, name))
}

/// A binary attribute of an item.
pub fn read_binary<'a>(item: &'a Item, name: &str) -> Result<&'a [u8], StoreError> {
    item.get(name).and_then(|value| value.as_b().ok()).map(Blob::as_ref).ok_or_else(|| missing(item, name))
}

/// A list of texts of an item; empty where there is none.
pub fn read_texts(item: &Item, name: &str) -> Vec<String> {
    let texts = item.get(name).and_then(|value| value.as_l().ok());
    texts.into_iter().flatten().filter_map(|value| value.as_s().ok()).cloned().collect()
}

/// The packed state of an item.
pub fn read_packed<T: for<'a> Packed<'a>>(item: &Item) -> Result<T, StoreError> {
    codec::unpack(read_binary(item, DATA)?).map_err(|error| unreadable(describe(item), error))
}

/// What an item's packed attribute is read from, by [`read_plain`].
pub fn inflated(item: &Item) -> Result<Plain, StoreError> {
    Plain::of(read_binary(item, DATA)?).map_err(|error| unreadable(describe(item), error))
}

/// As [`read_packed`], with the texts borrowed from what was [`inflated`].
pub fn read_plain<'a, T: Packed<'a>>(item: &Item, plain: &'a Plain) -> Result<T, StoreError> {
    plain.read().map_err(|error| unreadable(describe(item), error))
}

/// What a newer version wrote is no damage: while two versions work side by side, the other one reads it.
fn unreadable(key: String, error: CodecError) -> StoreError {
    match error {
        CodecError::Newer(_) | CodecError::NewerMeasure(_) => StoreError::Newer { key, cause: error.to_string() },
        CodecError::Outdated(_) | CodecError::Corrupt(_) => StoreError::Corrupt { key, cause: error.to_string() },
    }
}

fn missing(item: &Item, name: &str) -> StoreError {
    StoreError::Corrupt { key: describe(item), cause: format!("attribute {name} is missing or of another type") }
}

fn describe(item: &Item) -> String {
    let part = |name| item.get(name).and_then(|value| value.as_s().ok()).cloned().unwrap_or_default();
    format!("{} / {}", part(PK), part(SK))
}
