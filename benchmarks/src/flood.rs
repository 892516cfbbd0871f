//! What others notice of a flood from one address, sent as quickly as the collector takes it: how long after it is stored an
//! ordinary visitor's batch is counted, and what a request for figures costs meanwhile.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use fastrand::Rng;
use figures::table::store::{Consumed, Store};
use figures::time::Millis;
use hyper::body::Bytes;
use identity::server::Functions;
use serde::Serialize;
use serde_json::json;
use shared::app::App;
use tokio::task::JoinHandle;

use crate::BenchError;
use crate::attack::Attack;
use crate::client::Client;
use crate::instance;
use crate::progress::Progress;
use crate::served::{Address, Served};
use crate::states::{is_taken, send};

/// Connections of the flood, all from one address.
const CONNECTIONS: usize = 8;

/// How long ordinary visitors are watched before the flood, and after it.
const BEFORE: Duration = Duration::from_secs(3);
const AFTER: Duration = Duration::from_secs(15);

/// The pause between two tries of the flood's at one batch.
const BETWEEN_TRIES: Duration = Duration::from_millis(50);

/// The pause between two ordinary visitors, between two looks for one, and between two requests for figures.
const BETWEEN_VISITORS: Duration = Duration::from_millis(500);
const BETWEEN_LOOKS: Duration = Duration::from_millis(50);
const BETWEEN_REQUESTS: Duration = Duration::from_millis(250);

/// For so long it is looked whether an ordinary batch is counted. One that is not by then waits for so long at least.
const PATIENCE: Duration = Duration::from_secs(60);

/// What others may wait, in seconds.
pub const BOUND_SECONDS: f64 = 10.0;

/// What a request for figures may take, in read units: twice what is documented of one, which is 2.5 for its blocks and 13 for the
/// tail.
pub const BOUND_UNITS: f64 = 31.0;

/// What others noticed.
#[derive(Debug, Clone, Serialize)]
pub struct Noticed {
    /// The flood.
    pub flood: &'static str,
    /// What it came to.
    pub megabytes: f64,
    /// Requests that it was.
    pub requests: usize,
    /// How long it took.
    pub seconds: f64,
    /// How long after their answer ordinary visitors' batches were counted, ascending, in seconds.
    pub counted_after: Vec<f64>,
    /// Read units of a request for figures before the flood.
    pub units_before: f64,
    /// Those of each from then on, ascending.
    pub units: Vec<f64>,
    /// The most seconds that such a request took.
    pub stats_seconds: f64,
}

/// Floods a stack of its own with so many bytes, or for so long if that is over first.
pub async fn measure(attack: Attack, bytes: usize, longest: Duration) -> Result<Noticed, BenchError> {
    let folder = tempfile::tempdir().map_err(|error| BenchError::Failed(error.to_string()))?;
    let served = Served::start(&folder.path().join("data"))?;
    let at = &served.at;
    let progress = Progress::begin(attack.name(), 0);
    let is_over = Arc::new(AtomicBool::default());
    let visitors = tokio::spawn(visit(at.clone(), is_over.clone()));
    let figures = Figures::of(at).await;
    let units_before = figures.ask().await?.0;
    let asking = tokio::spawn(ask(figures, is_over.clone()));
    tokio::time::sleep(BEFORE).await;

    let began = Instant::now();
    let (next, left) = (Arc::new(AtomicUsize::default()), Arc::new(AtomicUsize::new(bytes)));
    let until = began + longest;
    let flood = (0..CONNECTIONS).map(|_| tokio::spawn(flood(attack, at.clone(), next.clone(), left.clone(), until)));
    let sent = futures::future::try_join_all(flood.map(joined)).await?;
    let seconds = began.elapsed().as_secs_f64();

    tokio::time::sleep(AFTER).await;
    is_over.store(true, Ordering::Relaxed);
    let mut counted_after = joined(visitors).await?;
    counted_after.sort_unstable_by(f64::total_cmp);
    let (mut units, stats_seconds) = joined(asking).await?;
    units.sort_unstable_by(f64::total_cmp);
    progress.end();
    Ok(Noticed {
        flood: attack.name(),
        megabytes: sent.iter().map(|(_, bytes)| bytes).sum::<usize>() as f64 / f64::from(1 << 20),
        requests: sent.iter().map(|(requests, _)| requests).sum(),
        seconds,
        counted_after,
        units_before,
        units,
        stats_seconds,
    })
}

async fn joined<T>(task: JoinHandle<Result<T, BenchError>>) -> Result<T, BenchError> {
    task.await.map_err(|error| BenchError::Failed(error.to_string()))?
}

/// Sends an attack's requests until there are no bytes left, or no time. Says how many were taken, and their bytes.
async fn flood(
    attack: Attack,
    at: Address,
    next: Arc<AtomicUsize>,
    left: Arc<AtomicUsize>,
    until: Instant,
) -> Result<(usize, usize), BenchError> {
    let (mut client, mut sent) = (Client::new(&at.base_url, 0)?, (0, 0));
    loop {
        let number = next.fetch_add(1, Ordering::Relaxed);
        let body = attack.body(number, &at.public_key, &mut Rng::with_seed(number as u64)).to_string();
        let body = Bytes::from(body);
        let is_left = |left: usize| left.checked_sub(body.len());
        if left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, is_left).is_err() {
            return Ok(sent);
        }
        while !is_taken(&mut client, body.clone()).await? {
            if Instant::now() >= until {
                return Ok(sent);
            }
            tokio::time::sleep(BETWEEN_TRIES).await;
        }
        sent = (sent.0 + 1, sent.1 + body.len());
        if Instant::now() >= until {
            return Ok(sent);
        }
    }
}

/// Lets ordinary visitors come, each from an address of its own, and looks how long each takes to be counted.
async fn visit(at: Address, is_over: Arc<AtomicBool>) -> Result<Vec<f64>, BenchError> {
    let mut visits = Vec::new();
    while !is_over.load(Ordering::Relaxed) {
        let number = visits.len() as u16 + 1;
        visits.push(tokio::spawn(counted_after(at.clone(), number)));
        tokio::time::sleep(BETWEEN_VISITORS).await;
    }
    futures::future::try_join_all(visits.into_iter().map(joined)).await
}

async fn counted_after(at: Address, number: u16) -> Result<f64, BenchError> {
    let (now, visitor) = (Millis::now().0, format!("v_ordinary_{number}"));
    let body = json!({
        "key": at.public_key, "batch_id": "b_1", "sent_at": now, "visitor": { "visitor_id": visitor },
        "session": { "session_id": format!("ses_ordinary_{number}"), "started_at": now, "url": "/" },
        "events": [{ "name": "page_view", "url": "/", "created_at": now }],
    });
    send(&mut Client::new(&at.base_url, number)?, body.to_string()).await?;
    let (began, client) = (Instant::now(), reqwest::Client::new());
    while began.elapsed() < PATIENCE {
        let request = client.get(format!("{}/api/v1/visitors/{visitor}", at.base_url)).bearer_auth(&at.secret_key);
        if request.send().await?.status() == 200 {
            return Ok(began.elapsed().as_secs_f64());
        }
        tokio::time::sleep(BETWEEN_LOOKS).await;
    }
    Ok(PATIENCE.as_secs_f64())
}

/// A function that answers with figures, on the flooded table.
struct Figures {
    functions: Functions,
    secret_key: String,
}

impl Figures {
    async fn of(at: &Address) -> Self {
        let client = shared::aws::client(Some(&at.endpoint_url)).await;
        let store = Store::new(client, shared::aws::DEFAULT_TABLE);
        Figures { functions: Functions::new(Arc::new(App::new(store))), secret_key: at.secret_key.clone() }
    }

    /// The read units of a request, and the seconds that it took.
    async fn ask(&self) -> Result<(f64, f64), BenchError> {
        let began = Instant::now();
        let response = self.functions.answer(&instance::request(&self.secret_key, "stats")?).await;
        let consumed = response.extensions().get::<Consumed>().copied().unwrap_or_default();
        if !response.status().is_success() {
            return Err(BenchError::Failed(format!("stats is answered {}", response.status())));
        }
        Ok((consumed.read_units, began.elapsed().as_secs_f64()))
    }
}

async fn ask(figures: Figures, is_over: Arc<AtomicBool>) -> Result<(Vec<f64>, f64), BenchError> {
    let (mut units, mut seconds) = (Vec::new(), 0.0_f64);
    while !is_over.load(Ordering::Relaxed) {
        let asked = figures.ask().await?;
        units.push(asked.0);
        seconds = seconds.max(asked.1);
        tokio::time::sleep(BETWEEN_REQUESTS).await;
    }
    Ok((units, seconds))
}

/// The table's heading.
pub const HEADING: &str = "\
| a flood of one address | MB | requests | s | others' batches | counted after, s: median | most | `/stats`, read units before | median | most | most s |
|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|";

impl Noticed {
    /// A row of the table.
    pub fn row(&self) -> String {
        format!(
            "| {} | {:.1} | {} | {:.0} | {} | {:.1} | {:.1} | {:.1} | {:.1} | {:.1} | {:.1} |",
            self.flood,
            self.megabytes,
            self.requests,
            self.seconds,
            self.counted_after.len(),
            median(&self.counted_after),
            self.longest_wait(),
            self.units_before,
            median(&self.units),
            self.most_units(),
            self.stats_seconds,
        )
    }

    /// Whether others noticed no more than they may.
    pub fn is_bounded(&self) -> bool {
        self.longest_wait() <= BOUND_SECONDS && self.most_units() <= BOUND_UNITS
    }

    /// The longest that an ordinary visitor's batch took to be counted, in seconds.
    pub fn longest_wait(&self) -> f64 {
        self.counted_after.last().copied().unwrap_or_default()
    }

    /// The most read units that a request for figures took.
    pub fn most_units(&self) -> f64 {
        self.units.last().copied().unwrap_or_default()
    }
}

fn median(ascending: &[f64]) -> f64 {
    ascending.get(ascending.len() / 2).copied().unwrap_or_default()
}
