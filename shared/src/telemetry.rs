//! Logs and metrics: JSON lines on Lambda, from one place.
//!
//! A line that carries figures is in CloudWatch's embedded metric format, so that one line is both the
//! log and the metrics, and no call is made for either:
//! <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html>

use std::sync::OnceLock;

use serde_json::{Map, Value, json};
use tracing::Subscriber;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::routes::ROUTES;
use figures::table::store::StoreError;
use figures::time::Millis;

/// Whose metrics they are in CloudWatch.
const NAMESPACE: &str = "identity-api";

/// The environment variable with the least severe level that is logged.
const LEVEL_VARIABLE: &str = "RUST_LOG";

/// This project's crates besides those of the routes.
const OWN_CRATES: [&str; 6] = ["counting", "figures", "not_found", "reconcile", "rollup", "shared"];

/// What lines of changes are called by, and the target that they are logged under where there is no CloudWatch.
pub const CHANGE: &str = "change";

/// The dimension that tells deployments in one account apart: the table's name.
const TABLE: &str = "Table";

/// Whose lines are written for CloudWatch, and how.
static DEPLOYMENT: OnceLock<Deployment> = OnceLock::new();

#[derive(Debug)]
struct Deployment {
    table: String,
    write: fn(&Value),
}

/// A figure that CloudWatch adds up.
#[derive(Debug, Clone, PartialEq)]
pub struct Metric {
    name: &'static str,
    unit: &'static str,
    /// Those of a summary's times are apart, for their percentiles.
    values: Vec<f64>,
    dimension: Option<(&'static str, String)>,
}

/// As many values of a metric as CloudWatch takes in one line.
const MAX_VALUES: usize = 100;

const COUNT: &str = "Count";
const MILLISECONDS: &str = "Milliseconds";

impl Metric {
    /// How many there were of something.
    pub fn count(name: &'static str, count: usize) -> Self {
        Metric { name, unit: COUNT, values: vec![count as f64], dimension: None }
    }

    /// How long something took.
    pub fn milliseconds(name: &'static str, ms: i64) -> Self {
        Metric { name, unit: MILLISECONDS, values: vec![ms as f64], dimension: None }
    }

    /// The same, told apart by a dimension that has few values.
    pub fn by(self, dimension: &'static str, value: impl Into<String>) -> Self {
        Metric { dimension: Some((dimension, value.into())), ..self }
    }

    /// Adds what is counted or timed under the same name, if it is.
    pub(crate) fn merge(&mut self, other: &Metric) -> bool {
        if (self.name, &self.dimension) != (other.name, &other.dimension) {
            return false;
        }
        match (&mut self.values[..], self.unit) {
            ([sum], COUNT) => *sum += other.values.iter().sum::<f64>(),
            _ => self.values.extend(&other.values),
        }
        true
    }

    /// Whether a line has no room for another value.
    pub(crate) fn is_full(&self) -> bool {
        self.values.len() >= MAX_VALUES
    }

    fn value(&self) -> Value {
        match &self.values[..] {
            [value] => json!(value),
            values => json!(values),
        }
    }
}

/// Whether lines are written for CloudWatch.
pub(crate) fn is_deployed() -> bool {
    DEPLOYMENT.get().is_some()
}

/// Starts JSON logging to standard output, at the level of `RUST_LOG` or `info`, and metrics of a table.
pub fn start_json(table: &str) {
    let level = std::env::var(LEVEL_VARIABLE).ok().and_then(|level| level.parse().ok());
    subscriber(level.unwrap_or(LevelFilter::INFO), std::io::stdout).init();
    report_to(table, |line| println!("{line}"));
}

/// Has this process write the lines of a table's deployment, as functions do on Lambda, by what is given here.
pub fn report_to(table: &str, write: fn(&Value)) {
    DEPLOYMENT.get_or_init(|| Deployment { table: table.to_owned(), write });
}

/// What writes log lines in JSON, of a level and above.
///
/// Libraries warn at the most: below that they tell all that they send and receive, which is what visitors did and the
/// hashes of keys, in twenty times as many bytes as a request's own line.
pub fn subscriber<W>(level: LevelFilter, writer: W) -> impl Subscriber + Send + Sync
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let of_routes = ROUTES.iter().map(|route| (route.function.replace('-', "_"), level));
    let own = OWN_CRATES.map(|name| (name.to_owned(), level));
    let levels = Targets::new().with_default(level.min(LevelFilter::WARN)).with_targets(of_routes.chain(own));
    let lines = tracing_subscriber::fmt::layer().json().flatten_event(true).with_span_list(false).without_time();
    tracing_subscriber::registry().with(lines.with_writer(writer)).with(levels)
}

/// What can be read of some items. One that can't, such as one that a newer version wrote, is left out and logged: it shall not
/// keep the others from being shown.
pub fn readable<T>(what: &'static str, read: impl IntoIterator<Item = Result<T, StoreError>>) -> Vec<T> {
    let logged = |error: StoreError| tracing::error!(%error, "{what} can't be read");
    read.into_iter().filter_map(|read| read.map_err(logged).ok()).collect()
}

/// Writes a line of what somebody changed, at any level.
pub fn report_change(properties: &[(&'static str, Value)]) {
    match DEPLOYMENT.get() {
        Some(Deployment { table, write }) => write(&line(table, Millis::now(), CHANGE, properties, &[])),
        None => {
            let properties = Value::Object(named(properties).collect());
            tracing::info!(target: CHANGE, "{properties}");
        }
    }
}

/// Writes a line with properties and metrics: for CloudWatch on Lambda, else as a log line.
pub fn report(message: &'static str, properties: &[(&'static str, Value)], metrics: &[Metric]) {
    report_of(Millis::now(), message, properties, metrics);
}

/// The same of another instant, to which CloudWatch puts the metrics down.
pub(crate) fn report_of(at: Millis, message: &'static str, properties: &[(&'static str, Value)], metrics: &[Metric]) {
    match DEPLOYMENT.get() {
        Some(Deployment { table, write }) => write(&line(table, at, message, properties, metrics)),
        None => {
            let properties = Value::Object(named(properties).collect());
            tracing::info!("{message} {properties}");
        }
    }
}

fn named(properties: &[(&'static str, Value)]) -> impl Iterator<Item = (String, Value)> {
    properties.iter().map(|(name, value)| ((*name).to_owned(), value.clone()))
}

fn line(table: &str, at: Millis, message: &str, properties: &[(&'static str, Value)], metrics: &[Metric]) -> Value {
    let mut line: Map<String, Value> = named(properties).collect();
    line.insert("level".to_owned(), json!("INFO"));
    line.insert("message".to_owned(), json!(message));
    line.insert(TABLE.to_owned(), json!(table));
    let mut directives = Vec::with_capacity(metrics.len());
    for metric in metrics {
        let mut dimensions = vec![TABLE];
        line.insert(metric.name.to_owned(), metric.value());
        if let Some((dimension, value)) = &metric.dimension {
            dimensions.push(dimension);
            line.insert((*dimension).to_owned(), json!(value));
        }
        directives.push(json!({
            "Namespace": NAMESPACE,
            "Dimensions": [dimensions],
            "Metrics": [{ "Name": metric.name, "Unit": metric.unit }],
        }));
    }
    if !directives.is_empty() {
        line.insert("_aws".to_owned(), json!({ "Timestamp": at.0, "CloudWatchMetrics": directives }));
    }
    Value::Object(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_in_embedded_metric_format() {
        let metrics = [Metric::count("Requests", 1).by("Status", "200"), Metric::milliseconds("RollupLag", 1_200)];
        let line = line("identity", Millis(5), "request", &[("route", json!("/collect"))], &metrics);
        let expected = json!({
            "_aws": { "Timestamp": 5, "CloudWatchMetrics": [
                { "Namespace": "identity-api", "Dimensions": [["Table", "Status"]],
                  "Metrics": [{ "Name": "Requests", "Unit": "Count" }] },
                { "Namespace": "identity-api", "Dimensions": [["Table"]],
                  "Metrics": [{ "Name": "RollupLag", "Unit": "Milliseconds" }] },
            ] },
            "level": "INFO", "message": "request", "route": "/collect",
            "Table": "identity", "Status": "200", "Requests": 1.0, "RollupLag": 1200.0,
        });
        assert_eq!(line, expected);
    }
}
