//! The Lambda function `visitor`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    shared::lambda::run(|app, request| Box::pin(visitor::handle(app, request))).await
}
