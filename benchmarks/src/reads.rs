//! What each endpoint costs on a data set: capacity units, calls, sequential round trips, bytes, time.

use std::sync::Arc;
use std::time::Instant;

use identity::dev::Stack;
use identity::server::Functions;
use lambda_http::Body;
use serde::Serialize;
use serde_json::Value;
use shared::app::App;
use shared::store::Consumed;

use crate::BenchError;
use crate::probe::Bytes;
use crate::progress::Progress;

/// What a request is called in tables, and its path.
#[derive(Debug, Clone)]
pub struct Asked {
    /// The endpoint, with the parameters that matter.
    pub name: String,
    /// Which page.
    pub page: &'static str,
    /// Path and query.
    pub path: String,
}

/// What a request came to.
#[derive(Debug, Clone, Serialize)]
pub struct Cost {
    /// The endpoint, with the parameters that matter.
    pub name: String,
    /// Which page.
    pub page: &'static str,
    /// Read units of a warm request.
    pub read_units: f64,
    /// Write units of a warm request: the token.
    pub write_units: f64,
    /// Calls to DynamoDB of a warm request.
    pub calls: u64,
    /// Calls that waited for each other.
    pub round_trips: u64,
    /// The same of an instance's first request.
    pub cold_round_trips: u64,
    /// Bytes of DynamoDB's answers.
    pub bytes: u64,
    /// Median time over HTTP, in milliseconds.
    pub median_ms: f64,
    /// 99th percentile of it.
    pub p99_ms: f64,
}

/// The lists, with the filters that each of them is asked with.
const LISTS: [(&str, &str); 11] = [
    ("visitors", ""),
    ("visitors", "browser=Firefox"),
    ("visitors", "os=iOS"),
    ("visitors", "country=RS"),
    ("visitors", "browser=chrome&os=windows&country=de"),
    ("visitors", "search=belgr"),
    ("sessions", ""),
    ("sessions", "url=articles/7"),
    ("events", ""),
    ("events", "type=page_view"),
    ("events", "type=rage_click"),
];

/// What has no pages.
const FIGURES: [&str; 14] = [
    "events/types",
    "stats",
    "stats?interval=day",
    "pages",
    "live",
    "insights/frustration",
    "insights/errors",
    "insights/clicks",
    "insights/seo",
    "insights/journeys",
    "insights/reading",
    "insights/forms",
    "acquisition",
    "metrics",
];

/// Measures everything on a stack.
pub async fn measure(stack: &Stack, label: &str, requests: usize) -> Result<Vec<Cost>, BenchError> {
    let bench = Bench::new(stack);
    let asked = bench.asked().await?;
    let progress = Progress::begin(&format!("{label}: asking"), asked.len() as u64);
    let mut costs = Vec::with_capacity(asked.len());
    for asked in asked {
        costs.push(bench.cost(asked, requests).await?);
        progress.add(1);
    }
    progress.end();
    Ok(costs)
}

struct Bench<'a> {
    stack: &'a Stack,
    bytes: Bytes,
    client: reqwest::Client,
}

impl<'a> Bench<'a> {
    fn new(stack: &'a Stack) -> Self {
        Bench { stack, bytes: Bytes::default(), client: reqwest::Client::new() }
    }

    /// All requests that are measured: first, middle and last page of lists, and one of everything else.
    async fn asked(&self) -> Result<Vec<Asked>, BenchError> {
        let mut asked = Vec::new();
        for (list, filter) in LISTS {
            let name = if filter.is_empty() { list.to_owned() } else { format!("{list}?{filter}") };
            let first = self.get(&format!("{list}?{filter}")).await?;
            let pages = first["pagination"]["total_pages"].as_u64().unwrap_or(1).max(1);
            for (page, number) in [("first", 1), ("middle", pages.div_ceil(2)), ("last", pages)] {
                asked.push(Asked { name: name.clone(), page, path: format!("{list}?{filter}&page={number}") });
            }
        }
        let visitor = self.get("visitors?limit=1").await?["data"][0]["visitor_id"].as_str().unwrap_or("v").to_owned();
        let session = self.get("sessions?limit=1").await?["data"][0]["session_id"].as_str().unwrap_or("s").to_owned();
        let ones = [
            ("visitors/{visitor_id}", format!("visitors/{visitor}")),
            ("sessions/{session_id}", format!("sessions/{session}")),
            ("sessions?visitor_id", format!("sessions?visitor_id={visitor}")),
            ("events?visitor_id", format!("events?visitor_id={visitor}")),
            ("events?session_id", format!("events?session_id={session}")),
        ];
        asked.extend(ones.map(|(name, path)| Asked { name: name.to_owned(), page: "", path }));
        let figures = FIGURES.map(|path| Asked { name: path.to_owned(), page: "", path: path.to_owned() });
        asked.extend(figures);
        Ok(asked)
    }

    async fn get(&self, path: &str) -> Result<Value, BenchError> {
        let url = format!("{}/api/v1/{path}", self.stack.base_url());
        let answer = self.client.get(&url).bearer_auth(self.stack.secret_key()).send().await?;
        let status = answer.status();
        let text = answer.text().await?;
        if !status.is_success() {
            return Err(BenchError::Failed(format!("{path} is answered {status}: {text}")));
        }
        Ok(serde_json::from_str(&text)?)
    }

    async fn cost(&self, asked: Asked, requests: usize) -> Result<Cost, BenchError> {
        // An instance of its own, so that it remembers nothing but this request.
        let functions = Functions::new(Arc::new(App::new(self.bytes.counting(self.stack.store()))));
        let cold = self.consumed(&functions, &asked.path).await?;
        self.bytes.take();
        let warm = self.consumed(&functions, &asked.path).await?;
        let bytes = self.bytes.take();
        let mut times = Vec::with_capacity(requests);
        for _ in 0..requests {
            let began = Instant::now();
            self.get(&asked.path).await?;
            times.push(began.elapsed().as_secs_f64() * 1_000.0);
        }
        times.sort_unstable_by(f64::total_cmp);
        let at = |share: f64| times.get(((times.len() as f64 * share) as usize).min(times.len() - 1)).copied();
        Ok(Cost {
            name: asked.name,
            page: asked.page,
            read_units: warm.read_units,
            write_units: warm.write_units,
            calls: warm.calls,
            round_trips: warm.round_trips,
            cold_round_trips: cold.round_trips,
            bytes,
            median_ms: at(0.5).unwrap_or_default(),
            p99_ms: at(0.99).unwrap_or_default(),
        })
    }

    async fn consumed(&self, functions: &Functions, path: &str) -> Result<Consumed, BenchError> {
        let request = http::Request::builder()
            .uri(format!("/api/v1/{path}"))
            .header("authorization", format!("Bearer {}", self.stack.secret_key()));
        let request = request.body(Body::Empty).map_err(|error| BenchError::Failed(error.to_string()))?;
        let response = functions.answer(&request).await;
        if !response.status().is_success() {
            return Err(BenchError::Failed(format!("{path} is answered {}", response.status())));
        }
        response
            .extensions()
            .get::<Consumed>()
            .copied()
            .ok_or_else(|| BenchError::Failed(format!("{path} does not say what it consumed")))
    }
}
