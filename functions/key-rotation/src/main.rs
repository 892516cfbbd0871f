//! The Lambda function `key-rotation`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    shared::lambda::run(|app, request| Box::pin(key_rotation::handle(app, request))).await
}
