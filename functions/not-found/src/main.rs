//! The Lambda function `not-found`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    shared::app::run(|app, request| Box::pin(not_found::handle(app, request))).await
}
