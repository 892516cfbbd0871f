//! The Lambda function `collect`.

use std::convert::Infallible;
use std::sync::Arc;

use collect::Collector;
use lambda_http::{Request, service_fn};
use shared::app::App;
use shared::origin::OriginSecrets;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    shared::telemetry::start_json(&shared::aws::table_of_environment());
    let app = Arc::new(App::from_environment().await);
    let collector = &Collector::new(app)
        .trusting(OriginSecrets::from_environment())
        .spending_at_most(max_daily_units_of_environment());
    shared::lambda::serve(service_fn(async |request: Request| {
        Ok::<_, Infallible>(collect::handle(collector, &request).await)
    }))
    .await
}

/// `MAX_DAILY_UNITS`: the write units that a project's batches may take a day; without it, or with 0, as many as come.
fn max_daily_units_of_environment() -> Option<u64> {
    std::env::var("MAX_DAILY_UNITS").ok()?.parse().ok().filter(|units| *units > 0)
}
