//! The Lambda function `session`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    shared::lambda::run(|app, request| Box::pin(session::handle(app, request))).await
}
