//! The Lambda function `event-types`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    shared::lambda::run(|app, request| Box::pin(event_types::handle(app, request))).await
}
