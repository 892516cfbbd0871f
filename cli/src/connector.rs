//! The short way to the engine: what the SDK's clients of this process ask goes straight to the database, through no
//! socket and no HTTP.
//!
//! The engine does one thing at a time and waits for the disk, so a thread of its own does what is asked of it this way,
//! and none of those that answer requests waits with it.

use std::collections::VecDeque;
use std::sync::mpsc;
use std::thread::JoinHandle;

use aws_sdk_dynamodb::config::http::{HttpRequest, HttpResponse};
use aws_sdk_dynamodb::config::{HttpClient, RuntimeComponents};
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::result::ConnectorError;
use dynoxide::actions::put_item::PutItemRequest;
use dynoxide::actions::transact_write_items::{TransactWriteItemsRequest, TransactWriteItemsResponse};
use dynoxide::{Database, DynoxideError};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::oneshot;

use crate::new_items::{self, NewItem};

/// The header that names a request's operation.
pub const OPERATION: &str = "x-amz-target";

/// The operation that a value of that header names: what comes after the service's name and a dot.
pub fn operation(target: &str) -> &str {
    target.split_once('.').map_or("", |(_, operation)| operation)
}

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
    /// Asks the database.
    Run(Box<dyn FnOnce(&Database) + Send>),
    /// Stores an item that is new, with others that wait.
    Store(Box<NewItem>),
    /// Nothing more: the thread ends.
    Stop,
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

/// Does one job after the other. Who asked for the jobs that wait at the same time asked for them at the same time, so
/// new items among them may be stored before what was asked a moment earlier.
fn work(database: &Database, jobs: &mpsc::Receiver<Job>) {
    let mut waiting = VecDeque::new();
    loop {
        if waiting.is_empty() {
            waiting.extend(jobs.recv());
        }
        waiting.extend(jobs.try_iter());
        match waiting.pop_front() {
            Some(Job::Run(run)) => run(database),
            Some(Job::Store(first)) => new_items::store(database, with_others(*first, &mut waiting)),
            Some(Job::Stop) | None => return,
        }
    }
}

/// A new item, and as many of those that wait as are stored with it.
fn with_others(first: NewItem, waiting: &mut VecDeque<Job>) -> Vec<NewItem> {
    let mut items = vec![first];
    for job in std::mem::take(waiting) {
        match job {
            Job::Store(item) if items.len() < new_items::MAX_TOGETHER => items.push(*item),
            job => waiting.push_back(job),
        }
    }
    items
}

/// Nothing is lost on this way, so no transaction comes twice. With its token the engine would remember it for ten
/// minutes, and look through all that it remembers at each.
fn transact(
    database: &Database,
    mut request: TransactWriteItemsRequest,
) -> Result<TransactWriteItemsResponse, DynoxideError> {
    request.client_request_token = None;
    database.transact_write_items(request)
}

impl Connector {
    /// Does an operation of DynamoDB's protocol: the status of its answer, and the body.
    pub async fn perform(&self, operation: &str, body: &[u8]) -> (u16, String) {
        let outcome = match operation {
            "PutItem" => self.run(body, Database::put_item).await,
            "GetItem" => self.run(body, Database::get_item).await,
            "DeleteItem" => self.run(body, Database::delete_item).await,
            "UpdateItem" => self.run(body, Database::update_item).await,
            "Query" => self.run(body, Database::query).await,
            "Scan" => self.run(body, Database::scan).await,
            "BatchGetItem" => self.run(body, Database::batch_get_item).await,
            "BatchWriteItem" => self.run(body, Database::batch_write_item).await,
            "TransactGetItems" => self.run(body, Database::transact_get_items).await,
            "TransactWriteItems" => self.run(body, Database::transact_write_items).await,
            "ExecuteStatement" => self.run(body, Database::execute_statement).await,
            "CreateTable" => self.run(body, Database::create_table).await,
            "DeleteTable" => self.run(body, Database::delete_table).await,
            "DescribeTable" => self.run(body, Database::describe_table).await,
            "ListTables" => self.run(body, Database::list_tables).await,
            "UpdateTimeToLive" => self.run(body, Database::update_time_to_live).await,
            "DescribeTimeToLive" => self.run(body, Database::describe_time_to_live).await,
            "ListStreams" => self.run(body, Database::list_streams).await,
            "DescribeStream" => self.run(body, Database::describe_stream).await,
            "GetShardIterator" => self.run(body, Database::get_shard_iterator).await,
            "GetRecords" => self.run(body, Database::get_records).await,
            other => Err(DynoxideError::ValidationException(format!("The local database has no operation {other:?}."))),
        };
        written(outcome)
    }

    async fn answer(&self, request: &HttpRequest) -> Result<HttpResponse, ConnectorError> {
        let body = request.body().bytes().unwrap_or_default();
        let (status, body) = match operation(request.headers().get(OPERATION).unwrap_or_default()) {
            "TransactWriteItems" => written(self.run(body, transact).await),
            "PutItem" => written(self.put(body).await),
            operation => self.perform(operation, body).await,
        };
        let status = status.try_into().map_err(|error| ConnectorError::other(Box::new(error), None))?;
        Ok(HttpResponse::new(status, body.into()))
    }

    /// Does something on the engine's thread; `None` if it was stopped.
    pub async fn ask<R: Send + 'static>(&self, job: impl FnOnce(&Database) -> R + Send + 'static) -> Option<R> {
        let (answer, answered) = oneshot::channel();
        let job = Job::Run(Box::new(move |database| {
            // Who has gone away needs no answer.
            let _ = answer.send(job(database));
        }));
        self.answered(job, answered).await
    }

    async fn answered<R>(&self, job: Job, answered: oneshot::Receiver<R>) -> Option<R> {
        self.jobs.send(job).ok()?;
        // No network answers before what is asked together is under way, and neither does this: else calls that could be
        // made together would wait for each other.
        tokio::task::yield_now().await;
        answered.await.ok()
    }

    async fn put(&self, body: &[u8]) -> Result<String, DynoxideError> {
        let request: PutItemRequest = read(body)?;
        if !new_items::is_new(&request) {
            return json(&self.ask(move |database| database.put_item(request)).await.ok_or_else(stopped)??);
        }
        let (item, answered) = NewItem::waiting(request);
        json(&self.answered(Job::Store(Box::new(item)), answered).await.ok_or_else(stopped)??)
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
        json(&self.ask(move |database| operation(database, request)).await.ok_or_else(stopped)??)
    }
}

fn read<Q: DeserializeOwned>(body: &[u8]) -> Result<Q, DynoxideError> {
    serde_json::from_slice(body).map_err(|error| DynoxideError::ValidationException(error.to_string()))
}

fn json(answer: &impl Serialize) -> Result<String, DynoxideError> {
    serde_json::to_string(answer).map_err(|error| DynoxideError::InternalServerError(error.to_string()))
}

fn stopped() -> DynoxideError {
    DynoxideError::InternalServerError("the engine was stopped".to_owned())
}

fn written(outcome: Result<String, DynoxideError>) -> (u16, String) {
    match outcome {
        Ok(body) => (200, body),
        Err(error) => (error.status_code(), error.to_json()),
    }
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
