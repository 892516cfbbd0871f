//! The Lambda function `sign-in`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    shared::lambda::run(|app, request| Box::pin(sign_in::handle(app, request))).await
}
