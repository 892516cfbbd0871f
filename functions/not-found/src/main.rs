//! The Lambda function `not-found`, which needs no table.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    shared::lambda::run_without_table(not_found::handle).await
}
