//! The Lambda function `collect`.

use std::convert::Infallible;
use std::sync::Arc;

use collect::Collector;
use lambda_http::{Request, service_fn};
use shared::app::App;
use shared::origin::OriginSecrets;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    shared::telemetry::start_json(&shared::app::table_of_environment());
    let app = Arc::new(App::from_environment().await);
    let collector = &Collector::new(app).trusting(OriginSecrets::from_environment());
    shared::app::serve(service_fn(async |request: Request| {
        Ok::<_, Infallible>(collect::handle(collector, &request).await)
    }))
    .await
}
