//! The Lambda function `stats`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    shared::lambda::run(|app, request| Box::pin(stats::handle(app, request))).await
}
