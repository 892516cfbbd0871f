//! The Lambda function behind the table's stream.

use aws_lambda_events::dynamodb::Event;
use aws_lambda_events::streams::DynamoDbEventResponse;
use counting::Consumer;
use counting::dead_letters::{QUEUE_VARIABLE, Queue};
use lambda_runtime::{Error, LambdaEvent, service_fn};
use rollup::stream::StreamConsumer;
use shared::app::App;
use shared::aws;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    shared::telemetry::start_json(&aws::table_of_environment());
    let consumer =
        Consumer::new(App::from_environment().await.store().clone()).keeping(aws::retention_of_environment());
    let queue = match std::env::var(QUEUE_VARIABLE) {
        Ok(url) => Some(Queue::new(aws_sdk_sqs::Client::new(&aws::environment().await), &url)),
        Err(_) => None,
    };
    let consumer = StreamConsumer::new(consumer, queue);
    lambda_runtime::run(service_fn(async |event: LambdaEvent<Event>| -> Result<DynamoDbEventResponse, Error> {
        Ok(consumer.handle(event.payload).await)
    }))
    .await
}
