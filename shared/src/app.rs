//! What a function keeps between requests.

use aws_config::environment::{EnvironmentVariableCredentialsProvider, EnvironmentVariableRegionProvider};
use aws_config::meta::region::ProvideRegion;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_dynamodb::config::{SharedCredentialsProvider, SharedHttpClient};
use aws_smithy_http_client::tls;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use futures::future::BoxFuture;
use lambda_http::request::LambdaRequest;
use lambda_http::tower::util::MapRequest;
use lambda_http::{Adapter, Body, LambdaEvent, Request, Response, Service, service_fn};
use percent_encoding::{AsciiSet, CONTROLS, percent_encode};
use std::borrow::Cow;
use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use crate::auth::KeyMemory;
use crate::forecast::Forecasts;
use crate::ids::ProjectId;
use crate::keys;
use crate::origin::Guarded;
use crate::store::{Consistency, Store};
use crate::telemetry;
use crate::time::Millis;

/// The environment variable with the table's name.
const TABLE_VARIABLE: &str = "TABLE_NAME";
/// The environment variable with DynamoDB's address, if that is not the region's.
const ENDPOINT_VARIABLE: &str = "AWS_ENDPOINT_URL_DYNAMODB";
/// The table's name where none is set.
pub const DEFAULT_TABLE: &str = "identity";

/// What a request may take. Its function's own limit is two seconds later: a request that takes too long is
/// answered with 503 rather than broken off.
pub const TIME_LIMIT: Duration = Duration::from_secs(8);

/// How often an operation on the table is tried, and how long it may take with all its tries. The first operation
/// that fails is the last of its request, so a table that is down is reported in this time.
const MAX_TRIES: u32 = 3;
const FIRST_BACKOFF: Duration = Duration::from_millis(50);
const MAX_BACKOFF: Duration = Duration::from_millis(500);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);
const TRY_TIMEOUT: Duration = Duration::from_millis(1_500);
const OPERATION_TIMEOUT: Duration = Duration::from_secs(4);

/// A request's extension with the address of the client, for requests that no gateway describes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClientAddress(pub IpAddr);

/// The table, and what is remembered of keys and lists.
#[derive(Debug)]
pub struct App {
    store: Store,
    keys: KeyMemory,
    forecasts: Arc<Forecasts>,
}

impl App {
    /// An app on a table.
    pub fn new(store: Store) -> Self {
        App { store, keys: KeyMemory::default(), forecasts: Arc::default() }
    }

    /// The app of a Lambda function, from its environment. One read opens the connection while
    /// the function still has the whole CPU of its init phase.
    pub async fn from_environment() -> Self {
        let mut config = aws_sdk_dynamodb::config::Builder::from(&environment().await);
        config.set_endpoint_url(std::env::var(ENDPOINT_VARIABLE).ok());
        let client = aws_sdk_dynamodb::Client::from_conf(config.build());
        let app = App::new(Store::new(client, &table_of_environment()));
        app.warm_up().await;
        app
    }

    async fn warm_up(&self) {
        if let Ok(nobody) = "warm-up".parse::<ProjectId>()
            && let Err(error) = self.store.get(&keys::manifest(&nobody), Consistency::Eventual).await
        {
            tracing::warn!(%error, "the table could not be reached during init");
        }
    }

    /// The table.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// What is remembered of keys.
    pub fn keys(&self) -> &KeyMemory {
        &self.keys
    }

    /// What is remembered of lists.
    pub fn forecasts(&self) -> &Arc<Forecasts> {
        &self.forecasts
    }

    /// The current instant.
    pub fn now(&self) -> Millis {
        Millis::now()
    }
}

/// The configuration of a Lambda function's AWS clients, with bounded tries. Lambda says in the environment where a
/// function is and what it may do; all the other places the SDK would look in would be in each function's binary.
pub async fn environment() -> SdkConfig {
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .operation_attempt_timeout(TRY_TIMEOUT)
        .operation_timeout(OPERATION_TIMEOUT)
        .build();
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(EnvironmentVariableRegionProvider::new().region().await)
        .credentials_provider(SharedCredentialsProvider::new(EnvironmentVariableCredentialsProvider::new()))
        .http_client(https_client())
        .retry_config(retries())
        .timeout_config(timeouts)
        .build()
}

/// How a Lambda function's AWS clients try again.
pub fn retries() -> RetryConfig {
    RetryConfig::standard()
        .with_max_attempts(MAX_TRIES)
        .with_initial_backoff(FIRST_BACKOFF)
        .with_max_backoff(MAX_BACKOFF)
}

/// The HTTP client of all AWS clients. Of the TLS libraries it can be built with, ring is half a cold start's
/// bytes smaller than the default.
pub fn https_client() -> SharedHttpClient {
    aws_smithy_http_client::Builder::new().tls_provider(tls::Provider::Rustls(CryptoMode::Ring)).build_https()
}

/// The table's name in a Lambda function's environment.
pub fn table_of_environment() -> String {
    std::env::var(TABLE_VARIABLE).unwrap_or_else(|_| DEFAULT_TABLE.to_owned())
}

/// What a request comes to, unless it takes too long. It is put on the heap: with all that it may wait for it is
/// large, and a server's stack holds it once for each endpoint.
pub async fn in_time<T>(request: impl Future<Output = T>) -> Option<T> {
    tokio::time::timeout(TIME_LIMIT, Box::pin(request)).await.ok()
}

/// Runs an endpoint as a Lambda function.
pub async fn run<H>(handle: H) -> Result<(), lambda_http::Error>
where
    H: for<'a> Fn(&'a App, &'a Request) -> BoxFuture<'a, Response<Body>> + Sync,
{
    telemetry::start_json(&table_of_environment());
    let app = App::from_environment().await;
    let (app, handle) = (&app, &handle);
    serve(service_fn(async |request: Request| Ok::<_, Infallible>(handle(app, &request).await))).await
}

/// Runs an endpoint that reads nothing as a Lambda function.
pub async fn run_without_table(handle: impl Fn(&Request) -> Response<Body> + Sync) -> Result<(), lambda_http::Error> {
    telemetry::start_json(&table_of_environment());
    let handle = &handle;
    serve(service_fn(async |request: Request| Ok::<_, Infallible>(handle(&request)))).await
}

/// Answers the gateway's events with a handler. Every function's requests pass here.
pub async fn serve<'a, S>(handler: S) -> Result<(), lambda_http::Error>
where
    S: Service<Request, Response = Response<Body>, Error = Infallible>,
    S::Future: Send + 'a,
{
    let adapter: Adapter<'a, _, _> = Adapter::from(Guarded::by_environment(handler));
    lambda_http::lambda_runtime::run(MapRequest::new(adapter, with_legal_query)).await
}

/// What a URI's path and query can't hold.
const ILLEGAL: &AsciiSet = &CONTROLS.add(b' ').add(b'"').add(b'#').add(b'<').add(b'>');

/// A URI, or a part of one, with what the client should have encoded.
pub fn legal_uri(uri: &[u8]) -> Cow<'_, str> {
    percent_encode(uri, ILLEGAL).into()
}

/// The gateway hands on what the client wrote, and `lambda_http` takes no event whose query is no URI's.
fn with_legal_query(mut event: LambdaEvent<LambdaRequest>) -> LambdaEvent<LambdaRequest> {
    if let LambdaRequest::ApiGatewayV2(request) = &mut event.payload
        && let Some(query) = &mut request.raw_query_string
    {
        *query = legal_uri(query.as_bytes()).into_owned();
    }
    event
}

/// A client of a table at an address of its own, such as a local engine's. Loopback needs no
/// credentials, so there the environment's are left alone.
pub async fn client(endpoint: Option<&str>) -> aws_sdk_dynamodb::Client {
    let mut loader = aws_config::defaults(BehaviorVersion::latest()).http_client(https_client());
    if let Some(endpoint) = endpoint {
        loader = loader.endpoint_url(endpoint);
        if is_loopback(endpoint) {
            loader = loader.region(Region::new("us-east-1")).credentials_provider(
                aws_sdk_dynamodb::config::Credentials::new("local", "local", None, None, "local"),
            );
        }
    }
    aws_sdk_dynamodb::Client::new(&loader.load().await)
}

/// Whether an address is this machine's own.
pub fn is_loopback(endpoint: &str) -> bool {
    let host = endpoint.split("://").nth(1).unwrap_or(endpoint);
    ["127.", "localhost", "[::1]"].iter().any(|own| host.starts_with(own))
}
