//! The Lambda function `reading`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    shared::lambda::run(|app, request| Box::pin(reading::handle(app, request))).await
}
