//! The Lambda function `acquisition`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    shared::lambda::run(|app, request| Box::pin(acquisition::handle(app, request))).await
}
