//! Many clients at once: what a server bears, whether it loses anything, and whether its memory stays.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use fastrand::Rng;
use figures::ids::ProjectId;
use figures::table::store::Store;
use figures::time::Millis;
use futures::future::try_join_all;
use futures::{StreamExt, TryStreamExt};
use http::Request;
use serde::Serialize;
use serde_json::{Value, json};
use shared::api_keys;
use shared::auth::{ApiKey, KeyKind};
use shared::projects::{self, Settings};

use crate::BenchError;
use crate::api::{Api, Asked};
use crate::client::{Body, Client};
use crate::load::wait_silently;
use crate::progress::Progress;
use crate::served::{Served, cpu_seconds};

/// How often the server's memory is looked at.
const LOOKS: u32 = 6;
/// What a request that is taken is answered with.
const OK: [u16; 2] = [200, 202];
/// What one is answered with that comes too soon.
const TOO_MANY: u16 = 429;
/// Batches of a session that a client sends.
const BATCHES_A_SESSION: u64 = 6;

/// Projects whose figures are compared at the same time.
const COMPARED_AT_ONCE: usize = 8;

/// How much traffic there is.
#[derive(Debug, Clone, Copy)]
pub struct Volume {
    /// Clients, each with a connection and an address of its own.
    pub connections: u16,
    /// For how long they send.
    pub time: Duration,
}

/// What a load came to.
#[derive(Debug, Clone, Serialize)]
pub struct Outcome {
    /// What was done.
    pub name: String,
    /// Requests by status.
    pub statuses: BTreeMap<u16, u64>,
    /// Requests with no answer.
    pub errors: u64,
    /// Requests a second.
    pub per_second: f64,
    /// Median time to an answer, in milliseconds.
    pub median_ms: f64,
    /// 99th percentile of it.
    pub p99_ms: f64,
    /// CPU time of the server while it was sent requests, in milliseconds a request. What it counts later is not in it.
    pub server_cpu_ms: f64,
    /// CPU time of the clients.
    pub clients_cpu_ms: f64,
    /// Memory of the server as time went by, in MiB.
    pub memory_mib: Vec<f64>,
    /// How long after the last request all was counted and compared, in seconds.
    pub counted_after_s: Option<f64>,
    /// What differs between the figures and what was sent.
    pub differences: Vec<String>,
}

impl Outcome {
    /// What must not be: an answer that is neither success nor 429, none at all, or a figure that is wrong.
    pub fn faults(&self) -> Vec<String> {
        let refused = self.statuses.iter().filter(|(status, _)| !OK.contains(status) && **status != TOO_MANY);
        let mut faults: Vec<String> =
            refused.map(|(status, count)| format!("{}: {count} answers {status}", self.name)).collect();
        if self.errors > 0 {
            faults.push(format!("{}: {} requests without an answer", self.name, self.errors));
        }
        faults.extend(self.differences.iter().map(|difference| format!("{}: {difference}", self.name)));
        faults
    }

    fn accepted(&self) -> u64 {
        OK.iter().filter_map(|status| self.statuses.get(status)).sum()
    }

    /// A row of the table.
    pub fn row(&self) -> String {
        let memory: Vec<String> = self.memory_mib.iter().map(|mib| format!("{mib:.0}")).collect();
        let counted = self.counted_after_s.map_or_else(|| "–".to_owned(), |seconds| format!("{seconds:.0}"));
        let throttled = self.statuses.get(&TOO_MANY).copied().unwrap_or_default();
        format!(
            "| {} | {} | {throttled} | {} | {:.0} | {:.1} | {:.1} | {:.2} | {:.2} | {} | {counted} |",
            self.name,
            self.accepted(),
            self.faults().len(),
            self.per_second,
            self.median_ms,
            self.p99_ms,
            self.server_cpu_ms,
            self.clients_cpu_ms,
            memory.join(", "),
        )
    }
}

/// The table's heading.
pub const HEADING: &str = "\
| load | answered | 429 | faults | requests/s | median, ms | p99, ms | server's CPU a request, ms | clients' CPU a request, ms | server's memory over time, MiB | all equal after, s |
|---|---|---|---|---|---|---|---|---|---|---|";

/// What one client saw.
#[derive(Debug, Default)]
struct Seen {
    statuses: BTreeMap<u16, u64>,
    errors: u64,
    millis: Vec<f32>,
}

impl Seen {
    fn add(&mut self, began: Instant, answer: &Result<u16, BenchError>) {
        self.millis.push(began.elapsed().as_secs_f32() * 1_000.0);
        match answer {
            Ok(status) => *self.statuses.entry(*status).or_default() += 1,
            Err(_) => self.errors += 1,
        }
    }
}

/// Asks for everything that the benchmark asks for, in random order.
pub async fn reads(server: &Served, volume: Volume) -> Result<Outcome, BenchError> {
    let asked = Api::new(server.at.base_url.clone(), &server.at.secret_key).asked(None).await?;
    let client = async |connection: u16| {
        let mut client = Client::new(&server.at.base_url, connection)?;
        let mut rng = Rng::with_seed(connection.into());
        let mut seen = Seen::default();
        let end = Instant::now() + volume.time;
        while Instant::now() < end {
            let Some(Asked { path, .. }) = rng.choice(&asked) else { break };
            let token = format!("Bearer {}", server.at.secret_key);
            let request = Request::get(format!("/api/v1/{path}")).header("authorization", token);
            let request = request.body(Body::default()).map_err(|error| BenchError::Failed(error.to_string()))?;
            let began = Instant::now();
            let answer = client.ask(request).await;
            seen.add(began, &answer);
        }
        Ok::<_, BenchError>(seen)
    };
    let clients = try_join_all((0..volume.connections).map(client));
    let (seen, resources) = futures::future::join(clients, watch(server, volume.time)).await;
    Ok(outcome("reads, all endpoints".to_owned(), seen?, volume, resources))
}

/// Sends batches to projects of which each client picks one at random for each session.
pub async fn collect(server: &Served, volume: Volume, projects: usize) -> Result<Outcome, BenchError> {
    let store = Store::new(shared::aws::client(Some(&server.at.endpoint_url)).await, "identity");
    let mut all = Vec::with_capacity(projects);
    for number in 0..projects {
        all.push(Project::create(&store, &format!("of-{projects}-{number}")).await?);
    }
    let all = &all;
    let client = async |connection: u16| {
        let mut client = Client::new(&server.at.base_url, connection)?;
        let mut rng = Rng::with_seed(connection.into());
        let (mut seen, mut sent) = (Seen::default(), BTreeMap::<usize, Sent>::new());
        let end = Instant::now() + volume.time;
        for session in 0.. {
            let at = rng.usize(..all.len());
            for batch in 0..BATCHES_A_SESSION {
                if Instant::now() >= end {
                    return Ok::<_, BenchError>((seen, sent));
                }
                let body = batch_body(&all[at].public_key, connection, session, batch, &mut rng);
                let request = Request::post("/collect").header("user-agent", USER_AGENT);
                let request = request.body(body.into()).map_err(|error| BenchError::Failed(error.to_string()))?;
                let began = Instant::now();
                let answer = client.ask(request).await;
                seen.add(began, &answer);
                if matches!(answer, Ok(status) if OK.contains(&status)) {
                    sent.entry(at).or_default().add(format!("v_{connection}_{session}"));
                }
            }
        }
        Ok::<_, BenchError>((seen, sent))
    };
    let clients = try_join_all((0..volume.connections).map(client));
    let (clients, resources) = futures::future::join(clients, watch(server, volume.time)).await;
    let (mut seen, mut sent) = (Vec::new(), BTreeMap::<usize, Sent>::new());
    for (of_client, to) in clients? {
        seen.push(of_client);
        to.into_iter().for_each(|(at, more)| sent.entry(at).or_default().merge(more));
    }
    let name = if projects == 1 { "batches, one project".to_owned() } else { format!("batches, {projects} projects") };
    let mut outcome = outcome(name, seen, volume, resources);
    let began = Instant::now();
    let progress = Progress::begin(&format!("{}: comparing", outcome.name), sent.len() as u64);
    let compared = futures::stream::iter(sent).map(async |(at, sent)| {
        let differences = all[at].check(server, &sent).await?;
        progress.add(1);
        Ok::<_, BenchError>(differences)
    });
    outcome.differences = compared.buffer_unordered(COMPARED_AT_ONCE).try_concat().await?;
    progress.end();
    outcome.counted_after_s = Some(began.elapsed().as_secs_f64());
    outcome.memory_mib.push(server.memory_mib());
    Ok(outcome)
}

const USER_AGENT: &str =
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36";

/// A project that takes part.
#[derive(Debug)]
struct Project {
    id: ProjectId,
    public_key: String,
    secret_key: String,
}

/// What a project was sent and took.
#[derive(Debug, Default)]
struct Sent {
    batches: u64,
    /// Visitors, each with a single session.
    visitors: BTreeMap<String, u64>,
}

impl Sent {
    fn add(&mut self, visitor: String) {
        self.batches += 1;
        *self.visitors.entry(visitor).or_default() += 1;
    }

    fn merge(&mut self, other: Sent) {
        self.batches += other.batches;
        other.visitors.into_iter().for_each(|(visitor, batches)| *self.visitors.entry(visitor).or_default() += batches);
    }
}

impl Project {
    async fn create(store: &Store, id: &str) -> Result<Self, BenchError> {
        let id: ProjectId = id.parse().map_err(|_| BenchError::Failed(format!("{id:?} is no project's name")))?;
        let now = Millis::now();
        projects::create(store, &id, &Settings::default(), now).await?;
        let register = async |kind, limit| {
            let key = ApiKey::generate(kind)?;
            api_keys::register(store, &id, &key, limit, now).await?;
            Ok::<_, identity::error::CliError>(key.reveal().to_owned())
        };
        let failed = |error: identity::error::CliError| BenchError::Failed(error.to_string());
        let public_key = register(KeyKind::Public, None).await.map_err(failed)?;
        let secret_key = register(KeyKind::Secret, Some(60_000)).await.map_err(failed)?;
        Ok(Project { public_key, secret_key, id })
    }

    /// Waits until all is counted, and tells what is not as it was sent.
    async fn check(&self, server: &Served, sent: &Sent) -> Result<Vec<String>, BenchError> {
        let api = Api::new(server.at.base_url.clone(), &self.secret_key);
        wait_silently(&api, 2 * sent.batches, |_| ()).await?;
        let stats = api.get("stats").await?;
        let total = |list: Value| list["pagination"]["total"].as_u64();
        let figures = [
            ("events", stats["data"]["total_events"].as_u64(), 2 * sent.batches),
            ("sessions", stats["data"]["total_sessions"].as_u64(), sent.visitors.len() as u64),
            ("visitors", stats["data"]["total_visitors"].as_u64(), sent.visitors.len() as u64),
            ("events listed", total(api.get("events?limit=1").await?), 2 * sent.batches),
            ("page views listed", total(api.get("events?limit=1&type=page_view").await?), sent.batches),
            ("visitors listed", total(api.get("visitors?limit=1").await?), sent.visitors.len() as u64),
        ];
        let wrong = figures.into_iter().filter(|(_, found, sent)| *found != Some(*sent));
        Ok(wrong.map(|(what, found, sent)| format!("{}: {found:?} {what}, not {sent}", self.id)).collect())
    }
}

fn batch_body(key: &str, connection: u16, session: u64, batch: u64, rng: &mut Rng) -> String {
    let now = Millis::now().0;
    let url = format!("/articles/{}/a-page-with-a-usual-name", rng.u8(..200));
    json!({
        "key": key,
        "batch_id": format!("b{batch}"),
        "sent_at": now,
        "visitor": {
            "visitor_id": format!("v_{connection}_{session}"), "screen_width": 1920, "screen_height": 1080,
            "language": "sr", "timezone": "Europe/Belgrade",
        },
        "session": {
            "session_id": format!("s_{connection}_{session}"), "started_at": now - 60_000, "url": url,
            "referrer": "https://www.google.com/",
        },
        "events": [
            { "name": "page_view", "url": url, "created_at": now - 200, "data": { "url": url, "title": "A page" } },
            { "name": "web_vitals", "url": url, "created_at": now - 100, "data": { "lcp": rng.u32(800..5_000) } },
        ],
    })
    .to_string()
}

/// What a load took.
struct Resources {
    /// Memory of the server as time went by, in MiB.
    memory_mib: Vec<f64>,
    /// CPU time of the server, in seconds.
    server_cpu: f64,
    /// CPU time of the clients.
    clients_cpu: f64,
}

async fn watch(server: &Served, time: Duration) -> Resources {
    let (server_before, clients_before) = (server.cpu_seconds(), cpu_seconds("self"));
    let mut memory_mib = vec![server.memory_mib()];
    for _ in 0..LOOKS {
        tokio::time::sleep(time / LOOKS).await;
        memory_mib.push(server.memory_mib());
    }
    Resources {
        memory_mib,
        server_cpu: server.cpu_seconds() - server_before,
        clients_cpu: cpu_seconds("self") - clients_before,
    }
}

fn outcome(name: String, clients: Vec<Seen>, volume: Volume, resources: Resources) -> Outcome {
    let mut all = Seen::default();
    for Seen { statuses, errors, millis } in clients {
        statuses.into_iter().for_each(|(status, count)| *all.statuses.entry(status).or_default() += count);
        all.errors += errors;
        all.millis.extend(millis);
    }
    all.millis.sort_unstable_by(f32::total_cmp);
    let a_request = |seconds: f64| 1_000.0 * seconds / all.millis.len().max(1) as f64;
    let at = |share: usize| all.millis.get(all.millis.len() * share / 100).copied().unwrap_or_default();
    Outcome {
        name,
        per_second: all.millis.len() as f64 / volume.time.as_secs_f64(),
        median_ms: at(50).into(),
        p99_ms: at(99).into(),
        statuses: all.statuses,
        errors: all.errors,
        server_cpu_ms: a_request(resources.server_cpu),
        clients_cpu_ms: a_request(resources.clients_cpu),
        memory_mib: resources.memory_mib,
        counted_after_s: None,
        differences: Vec::new(),
    }
}
