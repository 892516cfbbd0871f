//! The Lambda function `sign-out`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    shared::lambda::run(|app, request| Box::pin(sign_out::handle(app, request))).await
}
