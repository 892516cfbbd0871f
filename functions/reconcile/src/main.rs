//! The Lambda function that a schedule calls each day: it counts batches that were left behind, if the consumer
//! of the table's stream was away for so long that there may be some.

use lambda_runtime::{Error, LambdaEvent, service_fn};
use rollup::Consumer;
use serde_json::Value;
use shared::app::{self, App};
use shared::telemetry::{self, Metric};
use shared::time::Millis;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    telemetry::start_json(&app::table_of_environment());
    let consumer = Consumer::new(App::from_environment().await.store().clone());
    lambda_runtime::run(service_fn(async |_: LambdaEvent<Value>| reconcile(&consumer).await)).await
}

async fn reconcile(consumer: &Consumer) -> Result<(), Error> {
    let started_at = Millis::now();
    let reconciled = consumer.reconcile_if_due(started_at).await?;
    let found = reconciled.unwrap_or_default();
    telemetry::report(
        "reconciliation",
        &[
            ("was_due", reconciled.is_some().into()),
            ("batches", found.batches.into()),
            ("refused", found.refused.into()),
            ("duration_ms", (Millis::now().0 - started_at.0).into()),
        ],
        &[Metric::count("ReconciledBatches", found.applied)],
    );
    Ok(())
}
