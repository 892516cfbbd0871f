//! Clients of AWS: how a function's are made from its environment, and those of other programs.

use std::time::Duration;

use aws_config::environment::{EnvironmentVariableCredentialsProvider, EnvironmentVariableRegionProvider};
use aws_config::meta::region::ProvideRegion;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_dynamodb::config::{SharedCredentialsProvider, SharedHttpClient};
use aws_smithy_http_client::tls;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use figures::retention::Retention;
use figures::table::store::Store;

/// The environment variable with the table's name.
const TABLE_VARIABLE: &str = "TABLE_NAME";
/// The environment variable with DynamoDB's address, if that is not the region's.
const ENDPOINT_VARIABLE: &str = "AWS_ENDPOINT_URL_DYNAMODB";
/// The table's name where none is set.
pub const DEFAULT_TABLE: &str = "identity";

/// How often an operation on the table is tried, and how long it may take with all its tries. The first operation
/// that fails is the last of its request, so a table that is down is reported in this time.
const MAX_TRIES: u32 = 3;
const FIRST_BACKOFF: Duration = Duration::from_millis(50);
const MAX_BACKOFF: Duration = Duration::from_millis(500);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);
const TRY_TIMEOUT: Duration = Duration::from_millis(1_500);
const OPERATION_TIMEOUT: Duration = Duration::from_secs(4);

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

/// What projects keep that have no setting of their own, in a Lambda function's environment. A function that is told what is
/// none deletes nothing.
pub fn retention_of_environment() -> Retention {
    Retention::of_environment().unwrap_or_else(|error| {
        tracing::error!(%error, "RETENTION_DAYS is not to be read: all is kept");
        Retention::ALL
    })
}

/// The table of a Lambda function, from its environment.
pub async fn store() -> Store {
    let mut config = aws_sdk_dynamodb::config::Builder::from(&environment().await);
    config.set_endpoint_url(std::env::var(ENDPOINT_VARIABLE).ok());
    Store::new(aws_sdk_dynamodb::Client::from_conf(config.build()), &table_of_environment())
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
