//! The Lambda function `visitors`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    shared::lambda::run(|app, request| Box::pin(visitors::handle(app, request))).await
}
