//! A proxy before DynamoDB that remembers what requests touch, fails single writes (before they
//! are done, or just after, so that the writer can't know), fails everything during an outage, and answers eventually
//! consistent reads from copies that are some writes behind.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use fastrand::Rng;
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{HeaderMap, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::access::{self, Access};
use crate::copies::Copies;
use crate::forwarded::Forwarded;
use crate::stack::Stack;

/// The operations that write.
const WRITES: [&str; 5] = ["PutItem", "UpdateItem", "DeleteItem", "TransactWriteItems", "BatchWriteItem"];

/// The operations that read items.
const READS: [&str; 4] = ["GetItem", "BatchGetItem", "Query", "Scan"];

/// What happens to a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The connection closes; nothing is written.
    Refused,
    /// DynamoDB answers with an internal error; nothing is written.
    InternalError,
    /// It is written, and the connection closes before the answer.
    AnswerLost,
}

impl Fault {
    /// All of them.
    pub const ALL: [Fault; 3] = [Fault::Refused, Fault::InternalError, Fault::AnswerLost];
}

/// What happens to every request for as long as it lasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outage {
    /// DynamoDB answers that the account asks too much of it.
    Throttled,
    /// DynamoDB answers that the table has no capacity left.
    Overloaded,
    /// DynamoDB answers with an internal error.
    InternalError,
    /// Nothing is ever answered.
    Silence,
    /// The connection closes without an answer.
    Refused,
}

impl Outage {
    /// All of them.
    pub const ALL: [Outage; 5] =
        [Outage::Throttled, Outage::Overloaded, Outage::InternalError, Outage::Silence, Outage::Refused];
}

/// Which writes fail, counted from 1.
#[derive(Debug, Clone, Copy)]
pub enum Schedule {
    /// None.
    Never,
    /// This one.
    Once {
        /// Its number.
        write: usize,
        /// What happens to it.
        fault: Fault,
    },
    /// One in so many, each in some way.
    Randomly {
        /// In how many.
        one_in: usize,
        /// Which ones.
        seed: u64,
    },
    /// All from this one on, and every read after it: the process is gone, or its credentials are.
    From(usize),
    /// Each in the same way, when the SDK tries it for the first time. Its next try goes through.
    FirstTries(Fault),
}

impl Schedule {
    fn fault_of(self, number: usize, is_first_try: bool) -> Option<Fault> {
        match self {
            Schedule::Never => None,
            Schedule::Once { write, fault } => (number == write).then_some(fault),
            Schedule::Randomly { one_in, seed } => {
                let mut rng = Rng::with_seed(seed.wrapping_add(number as u64));
                (rng.usize(..one_in) == 0).then(|| Fault::ALL[rng.usize(..Fault::ALL.len())])
            }
            Schedule::From(write) => (number >= write).then_some(Fault::Refused),
            Schedule::FirstTries(fault) => is_first_try.then_some(fault),
        }
    }
}

/// Tries at a command whose writes fail now and then.
const MAX_TRIES: usize = 400;

/// Runs a command until it does not fail, as whoever started it would.
///
/// # Errors
/// If it fails again and again.
pub async fn until_done<T, E: std::fmt::Display>(command: impl AsyncFn() -> Result<T, E>) -> Result<T, String> {
    let mut failed = String::new();
    for _ in 0..MAX_TRIES {
        match command().await {
            Ok(done) => return Ok(done),
            Err(error) => failed = error.to_string(),
        }
    }
    Err(failed)
}

/// The proxy, until it is dropped.
#[derive(Debug)]
pub struct FaultyProxy {
    address: SocketAddr,
    plan: Arc<Plan>,
    task: JoinHandle<()>,
}

#[derive(Debug)]
struct Plan {
    target: String,
    client: reqwest::Client,
    schedule: Schedule,
    writes: AtomicUsize,
    outage: Mutex<Option<Outage>>,
    accesses: Mutex<BTreeSet<Access>>,
    /// Up to which one writes are let through; later ones wait.
    let_through: watch::Sender<usize>,
    /// What answers eventually consistent reads, in place of the table itself.
    copies: Option<Copies>,
}

/// The connection is closed without an answer.
#[derive(Debug, thiserror::Error)]
#[error("closed on purpose")]
struct Closed;

impl FaultyProxy {
    /// Listens on loopback, forwards to an endpoint, and fails some writes.
    ///
    /// # Errors
    /// If there is no port to listen on.
    pub async fn start(target: &str, schedule: Schedule) -> std::io::Result<Self> {
        Self::start_with(target, schedule, None).await
    }

    /// The same before a stack's table, with copies of it that answer eventually consistent reads.
    ///
    /// # Panics
    /// If the copies can't be made.
    pub async fn start_lagging(stack: &Stack, schedule: Schedule, seed: u64) -> std::io::Result<Self> {
        let copies = Copies::of(stack, seed).await;
        Self::start_with(&stack.endpoint_url(), schedule, Some(copies)).await
    }

    async fn start_with(target: &str, schedule: Schedule, copies: Option<Copies>) -> std::io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let plan = Arc::new(Plan {
            target: target.to_owned(),
            client: reqwest::Client::new(),
            schedule,
            writes: AtomicUsize::new(0),
            outage: Mutex::default(),
            accesses: Mutex::default(),
            let_through: watch::Sender::new(usize::MAX),
            copies,
        });
        let served = plan.clone();
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let plan = served.clone();
                let service = service_fn(move |request| {
                    let plan = plan.clone();
                    // What is begun is done, and noted, though its client may be gone before.
                    let answer = tokio::spawn(async move { plan.answer(request).await });
                    async { answer.await.unwrap_or(Err(Closed)) }
                });
                tokio::spawn(async move {
                    // It ends with an error where a connection is closed on purpose.
                    let _ = hyper::server::conn::http1::Builder::new()
                        .serve_connection(TokioIo::new(stream), service)
                        .await;
                });
            }
        });
        Ok(FaultyProxy { address, plan, task })
    }

    /// Where it listens.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// How many writes came through.
    pub fn writes(&self) -> usize {
        self.plan.writes.load(Ordering::SeqCst)
    }

    /// Lets this many writes through; those that come after wait until more are.
    pub fn let_through(&self, writes: usize) {
        self.plan.let_through.send_replace(writes);
    }

    /// Waits until so many writes have come, let through or not.
    pub async fn arrived(&self, writes: usize) {
        while self.writes() < writes {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    /// What the requests that came through touched.
    pub fn accesses(&self) -> BTreeSet<Access> {
        self.plan.accesses.lock().unwrap().clone()
    }

    /// What answers eventually consistent reads.
    ///
    /// # Panics
    /// If there are no copies.
    pub fn copies(&self) -> &Copies {
        self.plan.copies.as_ref().unwrap()
    }

    /// Begins an outage, or ends it.
    pub fn set_outage(&self, outage: Option<Outage>) {
        *self.plan.outage.lock().unwrap() = outage;
    }
}

impl Drop for FaultyProxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Plan {
    async fn answer(&self, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Closed> {
        let outage = *self.outage.lock().unwrap();
        match outage {
            None => self.answer_on_schedule(request).await,
            Some(Outage::Throttled) => Ok(error(400, "com.amazon.coral.availability#ThrottlingException")),
            Some(Outage::Overloaded) => Ok(error(400, &in_service("ProvisionedThroughputExceededException"))),
            Some(Outage::InternalError) => Ok(error(500, &in_service("InternalServerError"))),
            Some(Outage::Silence) => std::future::pending().await,
            Some(Outage::Refused) => Err(Closed),
        }
    }

    async fn answer_on_schedule(&self, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Closed> {
        let fault = match self.write_number(&request) {
            Some(number) => {
                // The sender lives as long as the plan.
                let _ = self.let_through.subscribe().wait_for(|to| number <= *to).await;
                self.schedule.fault_of(number, is_first_try(request.headers()))
            }
            None => None,
        };
        match fault {
            None => self.forward(request).await,
            Some(Fault::Refused) => Err(Closed),
            Some(Fault::InternalError) => Ok(error(500, &in_service("InternalServerError"))),
            Some(Fault::AnswerLost) => {
                self.forward(request).await?;
                Err(Closed)
            }
        }
    }

    fn write_number(&self, request: &Request<Incoming>) -> Option<usize> {
        if !WRITES.contains(&operation(request.headers())?) {
            return None;
        }
        let number = self.writes.fetch_add(1, Ordering::SeqCst) + 1;
        if matches!(self.schedule, Schedule::From(write) if number >= write) {
            *self.outage.lock().unwrap() = Some(Outage::Refused);
        }
        Some(number)
    }

    async fn forward(&self, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Closed> {
        let (head, body) = request.into_parts();
        let body = body.collect().await.map_err(|_| Closed)?.to_bytes();
        let operation = operation(&head.headers).unwrap_or_default().to_owned();
        if let Ok(request) = serde_json::from_slice(&body) {
            self.accesses.lock().unwrap().extend(access::of(&operation, &request));
        }
        let request = Forwarded { uri: head.uri.to_string(), method: head.method, headers: head.headers, body };
        match &self.copies {
            Some(copies) if WRITES.contains(&&*operation) => {
                let mut log = copies.log().await;
                let answer = self.send(&request).await?;
                if answer.status() == StatusCode::OK {
                    log.add(&operation, &request.body).await;
                }
                Ok(answer)
            }
            Some(copies) if READS.contains(&&*operation) && is_eventual(&request.body) => match copies.choose().await {
                None => self.send(&request).await,
                Some(copy) => Ok(copy.rename_answer(self.send(&copy.rename_request(request)).await?).await),
            },
            _ => self.send(&request).await,
        }
    }

    async fn send(&self, request: &Forwarded) -> Result<Response<Full<Bytes>>, Closed> {
        let Forwarded { method, uri, headers, body } = request;
        let sent = self.client.request(method.clone(), format!("{}{uri}", self.target)).headers(headers.clone());
        let answer = sent.body(body.clone()).send().await.map_err(|_| Closed)?;
        let mut response = Response::new(Full::default());
        *response.status_mut() = answer.status();
        *response.headers_mut() = answer.headers().clone();
        // The body is sent whole, whatever framing it came in.
        response.headers_mut().remove("transfer-encoding");
        *response.body_mut() = Full::new(answer.bytes().await.map_err(|_| Closed)?);
        Ok(response)
    }
}

/// Whether a read does not ask for all acknowledged writes.
fn is_eventual(body: &Bytes) -> bool {
    let request: Value = serde_json::from_slice(body).unwrap_or_default();
    let tables = request["RequestItems"].as_object().into_iter().flatten().map(|(_, table)| table);
    !tables.chain([&request]).any(|of| of["ConsistentRead"] == true)
}

/// The operation that a request asks for.
fn operation(headers: &HeaderMap) -> Option<&str> {
    headers.get("x-amz-target")?.to_str().ok()?.rsplit('.').next()
}

/// Whether the SDK says that it did not send this before.
fn is_first_try(headers: &HeaderMap) -> bool {
    let tries = headers.get("amz-sdk-request").and_then(|tries| tries.to_str().ok()).unwrap_or_default();
    tries.split(';').any(|part| part.trim() == "attempt=1")
}

fn in_service(error: &str) -> String {
    format!("com.amazonaws.dynamodb.v20120810#{error}")
}

fn error(status: u16, kind: &str) -> Response<Full<Bytes>> {
    let body = format!(r#"{{"__type":"{kind}","message":"on purpose"}}"#);
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = StatusCode::from_u16(status).unwrap();
    response
}
