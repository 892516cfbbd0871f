//! The Lambda function `live`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    shared::app::run(|app, request| Box::pin(live::handle(app, request))).await
}
