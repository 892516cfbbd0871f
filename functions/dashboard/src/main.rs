//! The Lambda function `dashboard`, which needs no table.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    shared::lambda::run_without_table(dashboard::handle).await
}
