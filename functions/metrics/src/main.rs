//! The Lambda function `metrics`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    shared::lambda::run(|app, request| Box::pin(metrics::handle(app, request))).await
}
