//! The Lambda function `openapi`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    shared::app::run(|app, request| Box::pin(openapi::handle(app, request))).await
}
