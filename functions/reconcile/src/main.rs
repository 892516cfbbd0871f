//! The Lambda function that schedules call: every few minutes, it counts what the consumer of the table's stream had to
//! queue. Once a day, it also looks for batches that were left behind without a trace, if there may be some.

use std::time::Duration;

use counting::dead_letters::{QUEUE_VARIABLE, Queue};
use counting::replay::Replayed;
use counting::{Consumer, Reconciled};
use figures::time::Millis;
use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde_json::Value;
use shared::app::App;
use shared::aws;
use shared::telemetry::{self, Metric};

/// For so long, messages are taken off the queue: the rest of the function's time is for what it holds by then, and
/// for a look at the table.
const REPLAY_FOR: Duration = Duration::from_secs(300);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    telemetry::start_json(&aws::table_of_environment());
    let consumer =
        Consumer::new(App::from_environment().await.store().clone()).keeping(aws::retention_of_environment());
    let queue = match std::env::var(QUEUE_VARIABLE) {
        Ok(url) => Some(Queue::new(aws_sdk_sqs::Client::new(&aws::environment().await), &url)),
        Err(_) => None,
    };
    let (consumer, queue) = (&consumer, queue.as_ref());
    lambda_runtime::run(service_fn(async |event: LambdaEvent<Value>| {
        reconcile(consumer, queue, event.payload["only"] == "queue").await
    }))
    .await
}

async fn reconcile(consumer: &Consumer, queue: Option<&Queue>, is_queue_only: bool) -> Result<(), Error> {
    let started_at = Millis::now();
    let replayed = match queue {
        Some(queue) => consumer.replay(queue, REPLAY_FOR, |_| ()).await,
        None => Ok(Replayed::default()),
    };
    // What is wrong with the queue is no reason not to look at the table.
    let (replayed, failure) = match replayed {
        Ok(replayed) => (replayed, None),
        Err(error) => (Replayed::default(), Some(error)),
    };
    let reconciled = if is_queue_only { None } else { look(consumer, started_at).await? };
    let found = reconciled.unwrap_or_default();
    telemetry::report(
        "reconciliation",
        &[
            ("was_due", reconciled.is_some().into()),
            ("batches", found.batches.into()),
            ("replayed", replayed.removed.into()),
            ("refused", (found.refused + replayed.refused.len()).into()),
            ("given_up", replayed.given_up.into()),
            ("duration_ms", (Millis::now().0 - started_at.0).into()),
        ],
        &[Metric::count("ReconciledBatches", found.applied + replayed.removed)],
    );
    failure.map_or(Ok(()), |error| Err(error.into()))
}

/// Looks for what was left behind, if there may be something.
async fn look(consumer: &Consumer, now: Millis) -> Result<Option<Reconciled>, Error> {
    let reconciled = consumer.reconcile_if_due(now).await?;
    consumer.note_look(now).await?;
    Ok(reconciled)
}
