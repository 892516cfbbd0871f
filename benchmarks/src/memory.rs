//! How much memory each function takes at most in the states that a stranger can bring about. Each is its own program in a
//! process of its own, called as Lambda calls it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Instant;

use figures::ids::ProjectId;
use figures::table::keys;
use figures::table::store::{Item, PK, SK};
use figures::time::Millis;
use identity::dev::{Options, Stack};
use serde::Serialize;
use serde_json::{Value, json};
use shared::routes::{self, ROUTES};

use crate::BenchError;
use crate::function::Function;
use crate::progress::Progress;
use crate::states::{self, Sent, State};

/// What a function may take at most, in MiB: they have 128.
pub const BOUND_MIB: f64 = 100.0;
/// What those may take that count, which have 512.
pub const COUNTING_BOUND_MIB: f64 = 300.0;
/// What counts.
const COUNTING: [&str; 2] = ["rollup", "reconcile"];

/// Lambda's limit of an answer, in bytes.
pub const MAX_ANSWER: usize = 6 << 20;

/// Times that each request is made: an instance answers many.
const TIMES: usize = 2;

/// Requests a minute of the secret key.
const RATE_LIMIT: u32 = 60_000_000;

/// What is asked besides the paths of the routes; the state's visitor and session are named as in a route.
const ASKED_BESIDES: [&str; 13] = [
    "/api/v1/visitors?limit=100&search=v_",
    "/api/v1/sessions?limit=100&visitor_id={visitor_id}",
    "/api/v1/sessions?limit=100&visitor_id={visitor_id}&page=9",
    "/api/v1/sessions?limit=100&url=a",
    "/api/v1/events?limit=100&visitor_id={visitor_id}",
    "/api/v1/events?limit=100&visitor_id={visitor_id}&page=9",
    "/api/v1/events?limit=100&visitor_id={visitor_id}&type=other",
    "/api/v1/events?limit=1&session_id={session_id}",
    "/api/v1/events?limit=100&session_id={session_id}&page=9",
    "/api/v1/events?limit=100&session_id={session_id}&page=50",
    "/api/v1/events?limit=100&type=page_view",
    "/api/v1/stats?interval=day",
    "/api/v1/live?threshold_minutes=60",
];

/// What a function came to in a state.
#[derive(Debug, Clone, Serialize)]
pub struct Peak {
    /// The function.
    pub function: String,
    /// The most memory that it ever had, in MiB.
    pub memory_mib: f64,
    /// What was asked of it.
    pub answers: Vec<Answered>,
}

impl Peak {
    /// What it may take at most.
    pub fn bound_mib(&self) -> f64 {
        if COUNTING.contains(&self.function.as_str()) { COUNTING_BOUND_MIB } else { BOUND_MIB }
    }

    /// What is wrong with it, if anything.
    pub fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        if self.memory_mib > self.bound_mib() {
            faults.push(format!("{} takes {:.0} MiB", self.function, self.memory_mib));
        }
        let large = self.answers.iter().filter(|answer| answer.bytes > MAX_ANSWER);
        faults.extend(large.map(|answer| format!("{} comes to {} bytes", answer.path, answer.bytes)));
        faults
    }
}

/// A request and its answer.
#[derive(Debug, Clone, Serialize)]
pub struct Answered {
    /// Path and query.
    pub path: String,
    /// The status.
    pub status: u64,
    /// What the function handed to the gateway.
    pub bytes: usize,
    /// Read units.
    pub read_units: f64,
    /// How long it took.
    pub seconds: f64,
}

/// A state, and what each function came to in it.
#[derive(Debug, Clone, Serialize)]
pub struct Measured {
    /// The state.
    pub state: &'static str,
    /// Megabytes that were sent to bring it about.
    pub megabytes: f64,
    /// The functions.
    pub peaks: Vec<Peak>,
}

/// Where the functions' programs are: `FOLDER/NAME` as cargo has it, or `FOLDER/NAME/bootstrap` as it is deployed.
pub fn program(folder: &Path, function: &str) -> Result<PathBuf, BenchError> {
    let own = folder.join(function);
    let programs = [own.join("bootstrap"), own];
    let found = programs.into_iter().find(|program| program.is_file());
    found.ok_or_else(|| {
        let folder = folder.display();
        BenchError::Failed(format!(
            "{function} is not in {folder}: `cargo build --bins` in the bench's profile builds it"
        ))
    })
}

/// Where cargo has put the programs that were built as this one was.
pub fn own_folder() -> Result<PathBuf, BenchError> {
    let own = std::env::current_exe().map_err(|error| BenchError::Failed(error.to_string()))?;
    let folder = own.ancestors().nth(2);
    folder.map(Path::to_owned).ok_or_else(|| BenchError::Failed("this program is in no folder".to_owned()))
}

/// Brings a state about and asks everything of each function, or of some of them.
pub async fn measure(
    state: State,
    of_attack: usize,
    folder: &Path,
    functions: &[String],
) -> Result<Measured, BenchError> {
    let is_asked = |name: &str| functions.is_empty() || functions.iter().any(|function| function == name);
    let project: ProjectId = "bench".parse().map_err(|_| BenchError::Failed("the project's name".to_owned()))?;
    let options = Options { counts: false, rate_limit: RATE_LIMIT, ..Options::empty(project) };
    let stack = Stack::start(options).await.map_err(|error| BenchError::Failed(error.to_string()))?;
    let progress = Progress::begin(state.name(), 0);

    let mut consumer = match is_asked("rollup") {
        true => Some(Function::start(&program(folder, "rollup")?, "rollup", stack.endpoint_url()).await?),
        false => None,
    };
    let in_process = counting::Consumer::new(stack.store().clone());
    let sent = states::bring_about(state, of_attack, &stack, async |window| match &mut consumer {
        Some(consumer) => consumer.call(&stream_event(&window)).await.map(|_| ()),
        None => count(&in_process, stack.project(), &window).await,
    })
    .await?;

    let mut peaks = Vec::new();
    for (function, paths) in asked(&sent).into_iter().filter(|(function, _)| is_asked(function)) {
        let mut instance = Function::start(&program(folder, function)?, function, stack.endpoint_url()).await?;
        let mut answers = Vec::new();
        for path in paths {
            for _ in 0..TIMES {
                let (logged, began) = (instance.logged(), Instant::now());
                let (answer, bytes) = instance.call(&gateway_event(&path, stack.secret_key())).await?;
                let (status, seconds) =
                    (answer["statusCode"].as_u64().unwrap_or_default(), began.elapsed().as_secs_f64());
                answers.push(Answered {
                    path: path.clone(),
                    status,
                    bytes,
                    read_units: instance.read_units(logged).await,
                    seconds,
                });
            }
        }
        peaks.push(Peak { function: function.to_owned(), memory_mib: instance.peak_memory_mib(), answers });
    }
    if let Some(consumer) = consumer {
        let (function, memory_mib) = ("rollup".to_owned(), consumer.peak_memory_mib());
        peaks.push(Peak { function, memory_mib, answers: Vec::new() });
    }
    if is_asked("reconcile") {
        // As if the consumer had never worked: the whole table is looked through.
        stack.store().delete(&keys::heartbeat()).await?;
        let mut instance = Function::start(&program(folder, "reconcile")?, "reconcile", stack.endpoint_url()).await?;
        instance.call(&json!({})).await?;
        let memory_mib = instance.peak_memory_mib();
        peaks.push(Peak { function: "reconcile".to_owned(), memory_mib, answers: Vec::new() });
    }
    progress.end();
    stack.shutdown().await;
    Ok(Measured { state: state.name(), megabytes: sent.bytes as f64 / f64::from(1 << 20), peaks })
}

async fn count(consumer: &counting::Consumer, project: &ProjectId, window: &[Item]) -> Result<(), BenchError> {
    let batches = window.iter().map(figures::model::Batch::from_item).collect::<Result<_, _>>()?;
    Ok(consumer.apply(BTreeMap::from([(project.clone(), batches)])).await.complete()?)
}

/// What each function is asked, all at their longest.
fn asked(sent: &Sent) -> BTreeMap<&'static str, Vec<String>> {
    let mut asked: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    let named = |path: &str| path.replace("{visitor_id}", &sent.visitor).replace("{session_id}", &sent.session);
    for route in ROUTES.iter().filter(|route| route.reads_a_project()) {
        let limit = if route.path.contains('{') { "" } else { "?limit=100" };
        asked.entry(route.function).or_default().push(named(route.path) + limit);
    }
    for path in ASKED_BESIDES {
        let route = path.split('?').next().and_then(routes::find);
        if let Some((route, _)) = route {
            asked.entry(route.function).or_default().push(named(path));
        }
    }
    asked
}

fn gateway_event(path: &str, secret_key: &str) -> Value {
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    json!({
        "version": "2.0", "routeKey": format!("GET {path}"), "rawPath": path, "rawQueryString": query,
        "headers": { "host": "api.example", "authorization": format!("Bearer {secret_key}") },
        "requestContext": {
            "http": {
                "method": "GET", "path": path, "protocol": "HTTP/1.1", "sourceIp": "127.0.0.1", "userAgent": "benchmark",
            },
            "accountId": "000000000000", "apiId": "api", "domainName": "api.example", "domainPrefix": "api",
            "requestId": "request", "routeKey": format!("GET {path}"), "stage": "$default",
            "time": "01/Jan/2025:00:00:00 +0000", "timeEpoch": Millis::now().0,
        },
        "isBase64Encoded": false,
    })
}

fn stream_event(items: &[Item]) -> Value {
    let records = items.iter().enumerate().map(|(number, item)| {
        let image: serde_json::Map<String, Value> =
            item.iter().filter_map(|(name, value)| Some((name.clone(), attribute(value)?))).collect();
        let keys = json!({ "PK": image.get(PK), "SK": image.get(SK) });
        json!({
            "eventID": number.to_string(), "eventName": "INSERT", "eventSource": "aws:dynamodb", "eventVersion": "1.1",
            "awsRegion": "us-east-1",
            "dynamodb": {
                "ApproximateCreationDateTime": Millis::now().0 / 1_000, "Keys": keys, "NewImage": image,
                "SequenceNumber": (1_000 + number).to_string(), "SizeBytes": 100, "StreamViewType": "NEW_IMAGE",
            },
        })
    });
    json!({ "Records": records.collect::<Vec<_>>() })
}

fn attribute(value: &aws_sdk_dynamodb::types::AttributeValue) -> Option<Value> {
    use aws_sdk_dynamodb::types::AttributeValue::{B, N, S};
    match value {
        S(text) => Some(json!({ "S": text })),
        N(number) => Some(json!({ "N": number })),
        B(data) => {
            Some(json!({ "B": lambda_http::aws_lambda_events::encodings::Body::Binary(data.as_ref().to_vec()) }))
        }
        _ => None,
    }
}

/// The tables, as Markdown.
pub fn markdown(measured: &[Measured]) -> String {
    let mut lines = Vec::new();
    let states = || measured.iter().enumerate();
    lines.extend(
        states().map(|(number, state)| format!("{}. {}: {:.1} MB sent", number + 1, state.state, state.megabytes)),
    );
    lines.push(String::new());
    let numbers: Vec<String> = states().map(|(number, _)| (number + 1).to_string()).collect();
    lines.push(format!("| most memory, MiB | {} | bound |", numbers.join(" | ")));
    lines.push(format!("|---|{}---:|", "---:|".repeat(measured.len())));
    let first = measured.first().map_or(&[][..], |state| &state.peaks);
    for (position, peak) in first.iter().enumerate() {
        let of_state = |state: &Measured| {
            state.peaks.get(position).map_or_else(|| "–".to_owned(), |peak| format!("{:.0}", peak.memory_mib))
        };
        let cells: Vec<String> = measured.iter().map(of_state).collect();
        lines.push(format!("| `{}` | {} | {:.0} |", peak.function, cells.join(" | "), peak.bound_mib()));
    }
    lines.push(String::new());
    lines.push("| dearest requests | state | status | answer, KB | read units | s |".to_owned());
    lines.push("|---|---:|---:|---:|---:|---:|".to_owned());
    for (number, state) in states() {
        let answers = state.peaks.iter().flat_map(|peak| &peak.answers);
        let mut dearest: BTreeMap<&str, &Answered> = BTreeMap::new();
        for answer in
            answers.filter(|answer| answer.read_units > 100.0 || answer.bytes > 1 << 20 || answer.status != 200)
        {
            dearest.insert(&answer.path, answer);
        }
        lines.extend(dearest.values().map(|answer| {
            format!(
                "| `{}` | {} | {} | {:.0} | {:.1} | {:.1} |",
                answer.path.trim_start_matches("/api/v1/"),
                number + 1,
                answer.status,
                answer.bytes as f64 / 1_024.0,
                answer.read_units,
                answer.seconds,
            )
        }));
    }
    lines.join("\n") + "\n"
}
