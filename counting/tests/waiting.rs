//! Visitors that several consumers change at the same time are waited for together, however many they are.
//!
//! The clock stands still while anything is done, so it says how long was waited, and nothing else.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use aws_sdk_dynamodb::config::http::{HttpRequest, HttpResponse};
use aws_sdk_dynamodb::config::{HttpClient, RuntimeComponents};
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use counting::Consumer;
use dynoxide::{Database, DynoxideError};
use figures::ids::ProjectId;
use figures::log::BatchRef;
use figures::model::{Batch, SessionFacts, VisitorFacts};
use figures::table::keys;
use figures::table::store::{Store, key_item};
use figures::time::Millis;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::time::Instant;

/// As many visitors as are changed together.
const VISITORS: usize = 32;

/// The shortest wait for other writers.
const SHORTEST: Duration = Duration::from_millis(1);

/// Asks the engine on the thread of who asks: nobody ever waits for an answer.
#[derive(Clone)]
struct Inline(Arc<Database>);

impl std::fmt::Debug for Inline {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Inline")
    }
}

impl Inline {
    fn answer(&self, request: &HttpRequest) -> HttpResponse {
        let (_, operation) = request.headers().get("x-amz-target").unwrap().split_once('.').unwrap();
        let body = request.body().bytes().unwrap();
        let answer = match operation {
            "CreateTable" => self.run(body, Database::create_table),
            "DescribeTable" => self.run(body, Database::describe_table),
            "UpdateTimeToLive" => self.run(body, Database::update_time_to_live),
            "BatchGetItem" => self.run(body, Database::batch_get_item),
            "GetItem" => self.run(body, Database::get_item),
            "PutItem" => self.run(body, Database::put_item),
            "Query" => self.run(body, Database::query),
            "TransactWriteItems" => self.run(body, Database::transact_write_items),
            other => panic!("the engine is asked for {other}"),
        };
        let (status, body) = match answer {
            Ok(body) => (200, body),
            Err(error) => (error.status_code(), error.to_json()),
        };
        HttpResponse::new(status.try_into().unwrap(), body.into())
    }

    fn run<Q: DeserializeOwned, R: Serialize>(
        &self,
        body: &[u8],
        operation: fn(&Database, Q) -> Result<R, DynoxideError>,
    ) -> Result<String, DynoxideError> {
        let answer = operation(&self.0, serde_json::from_slice(body).unwrap())?;
        Ok(serde_json::to_string(&answer).unwrap())
    }
}

impl HttpConnector for Inline {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let engine = self.clone();
        HttpConnectorFuture::new(async move {
            // Who asks at the same time is asked for at the same time.
            tokio::task::yield_now().await;
            Ok(engine.answer(&request))
        })
    }
}

impl HttpClient for Inline {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

async fn store() -> Store {
    let engine = Inline(Arc::new(Database::memory().unwrap()));
    let config = shared::aws::client(Some("http://localhost")).await.config().to_builder();
    let client = aws_sdk_dynamodb::Client::from_conf(config.http_client(engine).build());
    let store = Store::new(client, "identity");
    figures::table::schema::create(&store).await.unwrap();
    store
}

fn batch(visitor: usize) -> Batch {
    Batch {
        visitor_id: format!("v_{visitor}").parse().unwrap(),
        session_id: format!("s_{visitor}").parse().unwrap(),
        batch_id: "b".parse().unwrap(),
        stored_at: Millis::now(),
        sent_at: Millis::now(),
        page: None,
        visitor: VisitorFacts::default(),
        session: SessionFacts { started_at: Millis::now(), ..SessionFacts::default() },
        events: Vec::new(),
    }
}

#[tokio::test(start_paused = true)]
async fn visitors_that_others_change_too_are_waited_for_together() {
    let (store, project): (_, ProjectId) = (store().await, "demo".parse().unwrap());
    store.put(key_item(&keys::project(&project))).await.unwrap();
    let batches: Vec<Batch> = (0..VISITORS).map(batch).collect();
    for batch in &batches {
        assert!(store.put_at(batch.to_item(&project).unwrap(), None).await.unwrap().is_stored());
    }
    let given = || BTreeMap::from([(project.clone(), batches.clone())]);
    let (one, other) = (Consumer::new(store.clone()), Consumer::new(store.clone()));
    let begun = Instant::now();
    let (one, other) = tokio::join!(one.apply(given()), other.apply(given()));
    one.complete().unwrap();
    other.complete().unwrap();
    let waited = begun.elapsed();
    assert!(waited >= SHORTEST, "they did not meet");
    assert!(waited < SHORTEST * VISITORS as u32, "{waited:?} for {VISITORS} visitors");
    let pending = Consumer::new(store).pending(&project, batches.iter().map(BatchRef::of).collect()).await.unwrap();
    assert_eq!(pending, []);
}
