//! The short way to the engine: what the SDK's clients of this process ask goes straight to the database, through no
//! socket and no HTTP.
//!
//! The engine does one thing at a time, so one thread does all that is asked of it this way. New items that wait
//! together are stored in one transaction: a commit waits for the disk, and so it does once for all of them.

use std::sync::mpsc;
use std::thread::JoinHandle;

use aws_sdk_dynamodb::config::http::{HttpRequest, HttpResponse};
use aws_sdk_dynamodb::config::{HttpClient, RuntimeComponents};
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::result::ConnectorError;
use dynoxide::actions::put_item::{PutItemRequest, PutItemResponse};
use dynoxide::actions::transact_write_items::{TransactPut, TransactWriteItem, TransactWriteItemsRequest};
use dynoxide::types::{consumed_capacity, item_size, write_capacity_units};
use dynoxide::{Database, DynoxideError};
use serde::Serialize;
use serde::de::DeserializeOwned;
use shared::store::{IS_NEW, MAX_TRANSACTION_ITEMS};
use tokio::sync::oneshot;

/// The header that names a request's operation, after the service's name and a dot.
const OPERATION: &str = "x-amz-target";

/// An HTTP client for the SDK that hands requests to the engine's thread.
#[derive(Debug, Clone)]
pub struct Connector {
    jobs: mpsc::Sender<Job>,
}

/// The thread that asks the database.
#[derive(Debug)]
pub struct Worker {
    jobs: mpsc::Sender<Job>,
    thread: JoinHandle<()>,
}

enum Job {
    /// Stores an item, perhaps together with others.
    Put(Put),
    /// Anything else.
    Run(Box<dyn FnOnce(&Database) + Send>),
    /// Nothing more: the thread ends.
    Stop,
}

struct Put {
    request: PutItemRequest,
    answer: oneshot::Sender<Result<PutItemResponse, DynoxideError>>,
}

impl Worker {
    /// Starts the thread. It ends when it is stopped, or when nobody is left to ask it.
    pub fn start(database: Database) -> std::io::Result<(Self, Connector)> {
        let (jobs, waiting) = mpsc::channel();
        let thread = std::thread::Builder::new().name("engine".to_owned()).spawn(move || work(&database, &waiting))?;
        Ok((Worker { jobs: jobs.clone(), thread }, Connector { jobs }))
    }

    /// Ends the thread, after what was asked before. Who asks later gets an error.
    pub async fn stop(self) {
        // It may have ended before, as nobody was left to ask it.
        let _ = self.jobs.send(Job::Stop);
        let ended = tokio::task::spawn_blocking(move || self.thread.join()).await;
        if !matches!(ended, Ok(Ok(()))) {
            tracing::warn!("the engine's thread failed");
        }
    }
}

fn work(database: &Database, waiting: &mpsc::Receiver<Job>) {
    while let Ok(first) = waiting.recv() {
        let mut puts = Vec::new();
        let mut is_stopped = false;
        for job in std::iter::once(first).chain(waiting.try_iter().take(MAX_TRANSACTION_ITEMS - 1)) {
            match job {
                Job::Put(put) => puts.push(put),
                Job::Run(run) => run(database),
                Job::Stop => is_stopped = true,
            }
        }
        store(database, puts);
        if is_stopped {
            break;
        }
    }
}

/// Stores items, all in one transaction if they are new. If one of them is refused, each is tried by itself.
fn store(database: &Database, puts: Vec<Put>) {
    let (new, others): (Vec<Put>, Vec<Put>) = puts.into_iter().partition(|put| is_new(&put.request));
    let is_stored = new.len() > 1 && store_together(database, &new);
    for Put { request, answer } in new {
        let outcome = if is_stored { Ok(stored(&request)) } else { database.put_item(request) };
        // Who has gone away needs no answer.
        let _ = answer.send(outcome);
    }
    for Put { request, answer } in others {
        let _ = answer.send(database.put_item(request));
    }
}

/// Whether an item may only be stored where there is none, as batches are.
fn is_new(request: &PutItemRequest) -> bool {
    request.condition_expression.as_deref() == Some(IS_NEW) && request.return_values.is_none()
}

fn store_together(database: &Database, puts: &[Put]) -> bool {
    let put = |Put { request, .. }: &Put| TransactPut {
        table_name: request.table_name.clone(),
        item: request.item.clone(),
        condition_expression: request.condition_expression.clone(),
        expression_attribute_names: request.expression_attribute_names.clone(),
        ..TransactPut::default()
    };
    let transact_items = puts
        .iter()
        .map(|one| TransactWriteItem { put: Some(put(one)), ..TransactWriteItem::default() })
        .collect();
    let request = TransactWriteItemsRequest { transact_items, ..TransactWriteItemsRequest::default() };
    database.transact_write_items(request).is_ok()
}

/// The answer to a new item's put, as if it had been stored by itself.
fn stored(request: &PutItemRequest) -> PutItemResponse {
    let units = write_capacity_units(item_size(&request.item));
    let consumed_capacity = consumed_capacity(&request.table_name, units, &request.return_consumed_capacity);
    PutItemResponse { consumed_capacity, ..PutItemResponse::default() }
}

impl Connector {
    async fn answer(&self, request: &HttpRequest) -> Result<HttpResponse, ConnectorError> {
        let operation = request.headers().get(OPERATION).and_then(|target| target.split_once('.'));
        let body = request.body().bytes().unwrap_or_default();
        let outcome = match operation.map_or("", |(_, operation)| operation) {
            "PutItem" => self.put(body).await,
            "GetItem" => self.run(body, Database::get_item).await,
            "DeleteItem" => self.run(body, Database::delete_item).await,
            "UpdateItem" => self.run(body, Database::update_item).await,
            "Query" => self.run(body, Database::query).await,
            "Scan" => self.run(body, Database::scan).await,
            "BatchGetItem" => self.run(body, Database::batch_get_item).await,
            "BatchWriteItem" => self.run(body, Database::batch_write_item).await,
            "TransactWriteItems" => self.run(body, Database::transact_write_items).await,
            "CreateTable" => self.run(body, Database::create_table).await,
            "DeleteTable" => self.run(body, Database::delete_table).await,
            "DescribeTable" => self.run(body, Database::describe_table).await,
            "UpdateTimeToLive" => self.run(body, Database::update_time_to_live).await,
            "DescribeTimeToLive" => self.run(body, Database::describe_time_to_live).await,
            "DescribeStream" => self.run(body, Database::describe_stream).await,
            "GetShardIterator" => self.run(body, Database::get_shard_iterator).await,
            "GetRecords" => self.run(body, Database::get_records).await,
            other => Err(DynoxideError::ValidationException(format!("nothing here asks for {other:?}"))),
        };
        let (status, body) = match outcome {
            Ok(body) => (200, body),
            Err(error) => (error.status_code(), error.to_json()),
        };
        let status = status.try_into().map_err(|error| ConnectorError::other(Box::new(error), None))?;
        Ok(HttpResponse::new(status, body.into()))
    }

    async fn put(&self, body: &[u8]) -> Result<String, DynoxideError> {
        let request = read(body)?;
        self.ask(|answer| Job::Put(Put { request, answer })).await
    }

    async fn run<Q, R>(
        &self,
        body: &[u8],
        operation: fn(&Database, Q) -> Result<R, DynoxideError>,
    ) -> Result<String, DynoxideError>
    where
        Q: DeserializeOwned + Send + 'static,
        R: Serialize + Send + 'static,
    {
        let request = read(body)?;
        self.ask(|answer| {
            Job::Run(Box::new(move |database| {
                // Who has gone away needs no answer.
                let _ = answer.send(operation(database, request));
            }))
        })
        .await
    }

    async fn ask<R: Serialize>(
        &self,
        job: impl FnOnce(oneshot::Sender<Result<R, DynoxideError>>) -> Job,
    ) -> Result<String, DynoxideError> {
        let stopped = || DynoxideError::InternalServerError("the engine was stopped".to_owned());
        let (answer, answered) = oneshot::channel();
        self.jobs.send(job(answer)).map_err(|_| stopped())?;
        let answer = answered.await.map_err(|_| stopped())??;
        serde_json::to_string(&answer).map_err(|error| DynoxideError::InternalServerError(error.to_string()))
    }
}

fn read<Q: DeserializeOwned>(body: &[u8]) -> Result<Q, DynoxideError> {
    serde_json::from_slice(body).map_err(|error| DynoxideError::ValidationException(error.to_string()))
}

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let connector = self.clone();
        HttpConnectorFuture::new(async move { connector.answer(&request).await })
    }
}

impl HttpClient for Connector {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl std::fmt::Debug for Job {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Job")
    }
}
