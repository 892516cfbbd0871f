//! Copies of a table that are behind it, as the one of DynamoDB's copies may be that answers an eventually consistent read.
//!
//! Each write that the table took is made again on every copy, in the same order, some writes later. Which copy answers a read,
//! or the table itself, is chosen for each read anew: so what is read last may be older than what was read first. A copy is never
//! further behind than [`MAX_AGE`].

use std::collections::{HashSet, VecDeque};
use std::time::{Duration, Instant};

use aws_sdk_dynamodb::types::{PutRequest, WriteRequest};
use fastrand::Rng;
use figures::table::schema;
use figures::table::store::Store;
use http_body_util::{BodyExt, Full};
use hyper::Response;
use hyper::body::Bytes;
use serde_json::Value;
use tokio::sync::{Mutex, MutexGuard};

use crate::formats::all_items;
use crate::forwarded::Forwarded;
use crate::stack::Stack;

/// How long a write takes to each copy at most: far less than what readers are given.
pub const MAX_AGE: Duration = Duration::from_secs(1);

/// How many writes each copy may be behind.
const MAX_BEHIND: [usize; 2] = [2, 200];

/// DynamoDB's limit of items that are written together.
const WRITTEN_TOGETHER: usize = 25;

/// The copies of a table.
#[derive(Debug)]
pub struct Copies(Mutex<Log>);

/// What the table took and some copies did not yet.
#[derive(Debug)]
pub struct Log {
    client: reqwest::Client,
    endpoint_url: String,
    table: String,
    copies: [Copy; MAX_BEHIND.len()],
    /// Of the transactions that were taken: one that comes again was made before.
    tokens: HashSet<String>,
    rng: Rng,
    /// How many reads were answered by a copy that was behind.
    stale_reads: usize,
}

#[derive(Debug)]
struct Copy {
    table: String,
    missing: VecDeque<Taken>,
}

/// A write that the table took.
#[derive(Debug, Clone)]
struct Taken {
    at: Instant,
    operation: String,
    body: String,
}

/// The copy that answers a read.
#[derive(Debug)]
pub(crate) struct Chosen {
    table: String,
    copy: String,
}

impl Copies {
    /// Copies of a stack's table, as of now.
    ///
    /// # Panics
    /// If they can't be made.
    pub async fn of(stack: &Stack, seed: u64) -> Self {
        let (mut rng, table) = (Rng::with_seed(seed), stack.store().table());
        let unique = rng.u64(..);
        let copies =
            [0, 1].map(|number| Copy { table: format!("{table}-{unique:016x}-{number}"), missing: VecDeque::new() });
        let items = all_items(stack.store()).await;
        for copy in &copies {
            let store = Store::new(stack.store().client().clone(), &copy.table);
            schema::create(&store).await.unwrap();
            for together in items.chunks(WRITTEN_TOGETHER) {
                let puts = together.iter().map(|item| {
                    let put = PutRequest::builder().set_item(Some(item.clone())).build().unwrap();
                    WriteRequest::builder().put_request(put).build()
                });
                let write = store.client().batch_write_item().request_items(&copy.table, puts.collect());
                assert!(write.send().await.unwrap().unprocessed_items.unwrap_or_default().is_empty());
            }
        }
        Copies(Mutex::new(Log {
            client: reqwest::Client::new(),
            endpoint_url: stack.endpoint_url(),
            table: table.to_owned(),
            copies,
            tokens: HashSet::new(),
            rng,
            stale_reads: 0,
        }))
    }

    /// Where writes are noted; nobody else writes meanwhile, so that they are noted in the order in which they are made.
    pub(crate) async fn log(&self) -> MutexGuard<'_, Log> {
        self.0.lock().await
    }

    /// Which copy answers a read; none: the table itself.
    pub(crate) async fn choose(&self) -> Option<Chosen> {
        let mut log = self.0.lock().await;
        let chosen = log.rng.usize(..=MAX_BEHIND.len());
        if chosen == MAX_BEHIND.len() {
            return None;
        }
        log.make_aged(chosen).await;
        log.stale_reads += usize::from(!log.copies[chosen].missing.is_empty());
        Some(Chosen { table: log.table.clone(), copy: log.copies[chosen].table.clone() })
    }

    /// Makes all writes that are missing.
    ///
    /// # Panics
    /// If one can't be made.
    pub async fn catch_up(&self) {
        let mut log = self.0.lock().await;
        for copy in 0..MAX_BEHIND.len() {
            log.make(copy, 0).await;
        }
    }

    /// How many reads were answered from behind.
    pub async fn stale_reads(&self) -> usize {
        self.0.lock().await.stale_reads
    }
}

impl Log {
    /// Notes a write that the table took.
    pub(crate) async fn add(&mut self, operation: &str, body: &Bytes) {
        let mut body: Value = serde_json::from_slice(body).unwrap();
        if let Some(Value::String(token)) = body.as_object_mut().unwrap().remove("ClientRequestToken")
            && !self.tokens.insert(token)
        {
            return;
        }
        let taken = Taken { at: Instant::now(), operation: operation.to_owned(), body: body.to_string() };
        for (copy, most) in MAX_BEHIND.into_iter().enumerate() {
            self.copies[copy].missing.push_back(taken.clone());
            // Seldom does it catch up a little, so that it is mostly far behind.
            let behind = if self.rng.usize(..=most) == 0 { self.rng.usize(..=most) } else { most };
            self.make(copy, behind).await;
        }
    }

    /// Makes writes until a copy is no more than so many behind.
    async fn make(&mut self, copy: usize, behind: usize) {
        while self.copies[copy].missing.len() > behind {
            self.make_one(copy).await;
        }
    }

    async fn make_aged(&mut self, copy: usize) {
        while self.copies[copy].missing.front().is_some_and(|first| first.at.elapsed() > MAX_AGE) {
            self.make_one(copy).await;
        }
    }

    async fn make_one(&mut self, copy: usize) {
        let copy = &mut self.copies[copy];
        let Some(Taken { operation, body, .. }) = copy.missing.pop_front() else { return };
        let request = self.client.post(&self.endpoint_url).body(renamed(&body, &self.table, &copy.table));
        let request = request
            .header("content-type", "application/x-amz-json-1.0")
            .header("x-amz-target", format!("DynamoDB_20120810.{operation}"))
            .header("authorization", "AWS4-HMAC-SHA256 Credential=local/20250101/us-east-1/dynamodb/aws4_request, SignedHeaders=host, Signature=0")
            .header("x-amz-date", "20250101T000000Z");
        let answer = request.send().await.unwrap();
        let (status, text) = (answer.status(), answer.text().await.unwrap());
        assert!(status.is_success(), "the table took a write that its copy does not: {text}\n{operation} {body}");
    }
}

impl Chosen {
    pub(crate) fn rename_request(&self, request: Forwarded) -> Forwarded {
        let body = renamed(&String::from_utf8_lossy(&request.body), &self.table, &self.copy);
        let mut headers = request.headers;
        headers.remove("content-length");
        Forwarded { headers, body: body.into(), ..request }
    }

    pub(crate) async fn rename_answer(&self, answer: Response<Full<Bytes>>) -> Response<Full<Bytes>> {
        let (mut head, body) = answer.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        let body = renamed(&String::from_utf8_lossy(&body), &self.copy, &self.table);
        for header in ["content-length", "x-amz-crc32"] {
            head.headers.remove(header);
        }
        Response::from_parts(head, Full::from(body))
    }
}

/// A request or an answer about another table.
fn renamed(body: &str, table: &str, other: &str) -> String {
    body.replace(&format!("\"{table}\""), &format!("\"{other}\""))
}
