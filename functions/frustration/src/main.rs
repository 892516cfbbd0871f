//! The Lambda function `frustration`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    shared::lambda::run(|app, request| Box::pin(frustration::handle(app, request))).await
}
