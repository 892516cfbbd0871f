//! The Lambda function behind the table's stream.

use aws_lambda_events::dynamodb::Event;
use lambda_runtime::{Error, LambdaEvent, service_fn};
use rollup::Consumer;
use rollup::stream::batches_of;
use shared::app::App;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    shared::telemetry::start_json();
    let consumer = Consumer::new(App::from_environment().await.store().clone());
    lambda_runtime::run(service_fn(async |event: LambdaEvent<Event>| -> Result<(), Error> {
        consumer.apply(batches_of(event.payload)).await.map_err(Error::from)
    }))
    .await
}
