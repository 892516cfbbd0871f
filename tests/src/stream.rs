//! What Lambda delivers of the table's stream.

use aws_lambda_events::dynamodb::Event;
use counting::Consumer;
use figures::model::Batch;
use figures::table::keys::{self, Key};
use figures::table::store::{Consistency, DATA};
use rollup::stream::StreamConsumer;
use serde_dynamo::AttributeValue;
use serde_json::json;

use crate::faults::{FaultyProxy, Schedule};
use crate::queue::FakeQueue;
use crate::stack::{Project, Stack};

/// What a deployed consumer has around it.
#[derive(Debug)]
pub struct Deployed {
    /// What records of the stream are handed to.
    pub stream: StreamConsumer,
    /// Where it puts what it can't apply.
    pub queue: FakeQueue,
    /// What stands between it and the table.
    pub proxy: FaultyProxy,
}

impl Deployed {
    /// A consumer of a stack's table, which is in order as yet.
    ///
    /// # Panics
    /// If there is no port to listen on.
    pub async fn start(stack: &Stack) -> Self {
        let queue = FakeQueue::start().await.unwrap();
        let proxy = FaultyProxy::start(&stack.endpoint_url(), Schedule::Never).await.unwrap();
        let consumer = Consumer::new(stack.store_through(&proxy.url()).await);
        Deployed { stream: StreamConsumer::new(consumer, Some(queue.client())), queue, proxy }
    }
}

/// Where a batch is stored.
pub fn key_of(project: &Project, batch: &Batch) -> Key {
    keys::batch(&project.id, &batch.visitor_id, &batch.session_id, &batch.batch_id)
}

/// A stream event as Lambda delivers it, with the records of batches as they are stored.
///
/// # Panics
/// If one is not.
pub async fn event(stack: &Stack, batches: &[(&Project, &Batch)], stored_at: i64) -> Event {
    let mut records = Vec::new();
    for (position, (project, batch)) in batches.iter().enumerate() {
        let key = key_of(project, batch);
        let item = stack.store().get(&key, Consistency::Strong).await.unwrap().unwrap();
        let keys = json!({ "PK": { "S": key.pk }, "SK": { "S": key.sk } });
        let mut image = keys.clone();
        image[DATA] = json!(AttributeValue::B(item[DATA].as_b().unwrap().as_ref().to_vec()));
        records.push(json!({
            "eventID": position.to_string(), "eventName": "INSERT", "eventSource": "aws:dynamodb",
            "eventVersion": "1.1", "awsRegion": "us-east-1",
            "dynamodb": {
                "ApproximateCreationDateTime": stored_at as f64 / 1000.0, "Keys": keys, "NewImage": image,
                "SequenceNumber": sequence_number(position), "SizeBytes": 100, "StreamViewType": "NEW_IMAGE",
            },
        }));
    }
    serde_json::from_value(json!({ "Records": records })).unwrap()
}

/// What a record is named by in the answer to an event.
pub fn sequence_number(position: usize) -> String {
    format!("{}", 1000 + position)
}
