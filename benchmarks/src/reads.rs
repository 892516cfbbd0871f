//! What each endpoint costs on a data set: capacity units, calls, sequential round trips, bytes, time.

use std::sync::Arc;
use std::time::Instant;

use figures::dates::DateRange;
use figures::log::View;
use figures::measures::Measure;
use figures::table::store::Consumed;
use figures::time::Millis;
use identity::dev::Stack;
use identity::server::Functions;
use serde::Serialize;
use shared::app::App;

use crate::BenchError;
use crate::api::{Api, Asked};
use crate::instance;
use crate::probe::Bytes;
use crate::progress::Progress;
use crate::site::{self, HEAVY_VISITOR, Site};

/// What a request came to.
#[derive(Debug, Clone, Serialize)]
pub struct Cost {
    /// The endpoint, with the parameters that matter.
    pub name: String,
    /// Which page.
    pub page: &'static str,
    /// Rows of the answer, if it is a list.
    pub rows: usize,
    /// Read units of a warm request.
    pub read_units: f64,
    /// Read units of it for the tail: up to 8, however much is stored.
    pub tail_units: f64,
    /// The counters that it adds up, a day on average; none for what has pages.
    pub counters_a_day: Option<f64>,
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
    /// The most memory of a process that does nothing but answer it, in MiB.
    pub memory_mib: f64,
}

/// Warm requests of which the one with the fewest round trips counts: where compaction goes on meanwhile, or the machine is
/// busy with something else, calls that are made together may end one after the other.
const WARM_TRIES: usize = 5;

/// Measures everything on a stack.
pub async fn measure(stack: &Stack, site: Site, label: &str, requests: usize) -> Result<Vec<Cost>, BenchError> {
    let bench = Bench::new(stack);
    let asked = bench.api.asked(site.heavy.then_some(HEAVY_VISITOR)).await?;
    let everything = Everything::load(stack).await?;
    let progress = Progress::begin(&format!("{label}: asking"), asked.len() as u64);
    let mut costs = Vec::with_capacity(asked.len());
    for asked in asked {
        costs.push(bench.cost(asked, &everything, requests).await?);
        progress.add(1);
    }
    progress.end();
    Ok(costs)
}

/// What there is to be read.
struct Everything {
    view: View,
    tail_units: f64,
}

impl Everything {
    async fn load(stack: &Stack) -> Result<Self, BenchError> {
        let today = Millis::now().day();
        let range = DateRange::new(today.plus(1 - site::DAYS as i32), today);
        let range = range.ok_or_else(|| BenchError::Failed("no range of days".to_owned()))?;
        let view = View::load(stack.store(), stack.project(), &Measure::ALL.map(|measure| (measure, range))).await?;
        let store = stack.store().metered();
        View::load(&store, stack.project(), &[]).await?;
        Ok(Everything { view, tail_units: store.consumed().read_units })
    }

    fn counters_a_day(&self, measure: Measure) -> f64 {
        let counters: usize = self.view.days(measure).map(|(_, rows)| rows.counters()).sum();
        counters as f64 / site::DAYS as f64
    }
}

struct Bench<'a> {
    stack: &'a Stack,
    bytes: Bytes,
    api: Api,
}

impl<'a> Bench<'a> {
    fn new(stack: &'a Stack) -> Self {
        Bench { stack, bytes: Bytes::default(), api: Api::new(stack.base_url(), stack.secret_key()) }
    }

    async fn cost(&self, asked: Asked, everything: &Everything, requests: usize) -> Result<Cost, BenchError> {
        // An instance of its own, so that it remembers nothing but this request.
        let functions = Functions::new(Arc::new(App::new(self.bytes.counting(self.stack.store()))));
        let cold = self.consumed(&functions, &asked.path).await?;
        self.bytes.take();
        let mut warm = self.consumed(&functions, &asked.path).await?;
        let bytes = self.bytes.take();
        for _ in 1..WARM_TRIES {
            let again = self.consumed(&functions, &asked.path).await?;
            if again.round_trips < warm.round_trips {
                warm = again;
            }
        }
        let rows = self.api.get(&asked.path).await?["data"].as_array().map_or(0, Vec::len);
        let mut times = Vec::with_capacity(requests);
        for _ in 0..requests {
            let began = Instant::now();
            self.api.get(&asked.path).await?;
            times.push(began.elapsed().as_secs_f64() * 1_000.0);
        }
        times.sort_unstable_by(f64::total_cmp);
        let at = |share: f64| times.get(((times.len() as f64 * share) as usize).min(times.len() - 1)).copied();
        Ok(Cost {
            name: asked.name,
            page: asked.page,
            rows,
            read_units: warm.read_units,
            tail_units: if asked.reads_tail { everything.tail_units } else { 0.0 },
            counters_a_day: asked.measure.map(|measure| everything.counters_a_day(measure)),
            write_units: warm.write_units,
            calls: warm.calls,
            round_trips: warm.round_trips,
            cold_round_trips: cold.round_trips,
            bytes,
            median_ms: at(0.5).unwrap_or_default(),
            p99_ms: at(0.99).unwrap_or_default(),
            memory_mib: instance::peak_memory(self.stack, &asked.path, requests).await?,
        })
    }

    async fn consumed(&self, functions: &Functions, path: &str) -> Result<Consumed, BenchError> {
        let response = functions.answer(&instance::request(self.stack.secret_key(), path)?).await;
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
