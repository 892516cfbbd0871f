//! What functions write to their logs about a request, at each level that a deployment can have.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use std::io::Write;
use std::path::Path;
use std::sync::mpsc;
use std::sync::{Arc, Mutex, PoisonError};

use counting::Consumer;
use figures::table::keys;
use figures::table::store::{Query, Store, item_key};
use identity::server::Functions;
use lambda_http::http::Method;
use lambda_http::{Body, Request};
use shared::app::{App, ClientAddress};
use shared::auth::{ApiKey, KeyKind};
use shared::routes::ROUTES;
use shared::telemetry;
use tests::clock::now;
use tests::example::page_view;
use tests::faults::{FaultyProxy, Outage, Schedule};
use tests::stack::{Counting, Project, Stack};
use tests::tracker::keyed;

const VISITOR: &str = "v_secretvisitor";
const SESSION: &str = "ses_secretsession";
const ADDRESS: &str = "203.0.113.77";
const PAGE: &str = "https://shop.example/secretpage?mail=secretmail@example.org";

/// The lines of a request, with all that is asked on its behalf.
const MAX_BYTES: usize = 4 << 10;

/// Log lines, in the place of standard output.
#[derive(Debug, Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Lines {
    fn take(&self) -> String {
        String::from_utf8(std::mem::take(&mut self.0.lock().unwrap())).unwrap()
    }
}

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// A stack that runs, and logs, on threads of its own.
struct Elsewhere {
    runtime: tokio::runtime::Runtime,
    stack: Stack,
    project: Project,
    proxy: FaultyProxy,
    /// Through the proxy, over HTTP, as functions have it.
    table: Store,
}

impl Elsewhere {
    fn start() -> Self {
        let (send, receive) = mpsc::channel();
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        runtime.spawn(async move {
            let stack = Stack::start(Counting::ByTest).await;
            let project = stack.project().await;
            let proxy = FaultyProxy::start(&stack.endpoint_url(), Schedule::Never).await.unwrap();
            let table = stack.store_as_deployed(&proxy.url()).await;
            send.send((stack, project, proxy, table)).unwrap();
        });
        let (stack, project, proxy, table) = receive.recv().unwrap();
        Elsewhere { runtime, stack, project, proxy, table }
    }
}

/// The levels that the template allows.
fn levels() -> Vec<String> {
    let template = Path::new(env!("CARGO_MANIFEST_DIR")).join("../template.yaml");
    let template: serde_norway::Value = serde_norway::from_str(&std::fs::read_to_string(template).unwrap()).unwrap();
    let parameter = &template["Parameters"]["LogLevel"];
    assert_eq!(parameter["Default"], "info");
    let levels = parameter["AllowedValues"].as_sequence().unwrap();
    levels.iter().map(|level| level.as_str().unwrap().to_owned()).collect()
}

fn request(method: Method, path: &str, key: &str, body: Body) -> Request {
    let (mut parts, _) = Request::new(Body::Empty).into_parts();
    (parts.method, parts.uri) = (method, path.parse().unwrap());
    parts.headers.insert("authorization", format!("Bearer {key}").parse().unwrap());
    parts.headers.insert("origin", "https://shop.example".parse().unwrap());
    let mut request = Request::from_parts(parts, body);
    request.extensions_mut().insert(ClientAddress(ADDRESS.parse().unwrap()));
    request
}

/// A request of every kind, with what no line may hold in every place that it can have.
fn requests(project: &Project) -> Vec<Request> {
    let unknown = ApiKey::generate(KeyKind::Secret).unwrap();
    let get = |path: &str, key: &str| request(Method::GET, path, key, Body::Empty);
    let mut requests = Vec::new();
    for route in ROUTES.iter().filter(|route| route.takes("GET")) {
        let path = route.path.replace("{visitor_id}", VISITOR).replace("{session_id}", SESSION);
        requests.push(get(&path, &project.secret_key));
        requests.push(get(&format!("{path}?visitor_id={VISITOR}&search=secretsearch&limit=x"), &project.secret_key));
        requests.push(get(&path, unknown.reveal()));
    }
    let mut sent = page_view(VISITOR, SESSION, "b_1", now());
    sent.session.url = Some(PAGE.to_owned());
    for key in [&project.public_key, &project.secret_key] {
        requests.push(request(Method::POST, "/collect", "", Body::Text(keyed(&sent, key).to_string())));
    }
    sent.events[0].created_at = 0;
    let refused = keyed(&sent, &project.public_key).to_string();
    requests.push(request(Method::POST, "/collect", "", Body::Text(refused)));
    requests.push(get(&format!("/{VISITOR}/secretpage"), unknown.reveal()));
    requests
}

fn check(lines: &str, project: &Project, level: &str) {
    let keys = [&project.secret_key, &project.public_key].map(|key| ApiKey::parse(key).unwrap());
    let of_keys =
        keys.iter().flat_map(|key| [key.reveal()[8..].to_owned(), key.sha256(), key.sha256()[..12].to_owned()]);
    let of_visitors = [VISITOR, SESSION, ADDRESS, "secret", "shop.example", "sk_live_", "pk_live_", "KEY#", "P#"];
    for never in of_keys.chain(of_visitors.map(str::to_owned)) {
        assert!(!lines.contains(&never), "{never} at {level}: {lines}");
    }
    for line in lines.lines() {
        let line: serde_json::Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        assert!(line["level"].is_string() && line["message"].is_string(), "{line}");
    }
}

/// Counts below zero are noted for whichever request of the process is logged next, so tests take turns.
static TURN: Mutex<()> = Mutex::new(());

#[test]
fn no_line_tells_who_asked_or_whom_for() {
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let elsewhere = Elsewhere::start();
    let project = &elsewhere.project;
    // All that the functions do is done on this thread.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    for level in levels() {
        let lines = Lines::default();
        let writer = lines.clone();
        let subscriber = telemetry::subscriber(level.parse().unwrap(), move || writer.clone());
        let _logging = tracing::subscriber::set_default(subscriber);
        for outage in [None, Some(Outage::InternalError)] {
            elsewhere.proxy.set_outage(outage);
            let functions = Functions::new(Arc::new(App::new(elsewhere.table.clone())));
            for request in requests(project) {
                if outage.is_some() && request.uri().path() != "/api/v1/stats" && request.method() != Method::POST {
                    continue;
                }
                runtime.block_on(functions.answer(&request));
                let lines = lines.take();
                check(&lines, project, &level);
                assert!(lines.len() <= MAX_BYTES, "{} bytes at {level}: {lines}", lines.len());
                let is_told = lines.contains("request");
                assert_eq!(is_told, ["info", "debug"].contains(&&*level), "{level}: {lines}");
            }
        }
        elsewhere.proxy.set_outage(None);
        let consumer = Consumer::new(elsewhere.table.clone());
        runtime.block_on(consumer.compact(&project.id)).unwrap();
        check(&lines.take(), project, &level);
    }
    elsewhere.runtime.block_on(elsewhere.stack.shutdown());
}

/// Figures that came to less than nothing were taken out twice: they are shown as nothing, and the line of the request that
/// shows them says so.
#[test]
fn a_count_below_zero_is_told_by_the_request_that_shows_it() {
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let elsewhere = Elsewhere::start();
    let (project, store) = (&elsewhere.project, elsewhere.stack.store());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let lines = Lines::default();
    let writer = lines.clone();
    let _logging =
        tracing::subscriber::set_default(telemetry::subscriber("info".parse().unwrap(), move || writer.clone()));
    let functions = Functions::new(Arc::new(App::new(elsewhere.table.clone())));
    let sessions_and_below_zero = || {
        let request = request(Method::GET, "/api/v1/stats", &project.secret_key, Body::Empty);
        lines.take();
        let response = runtime.block_on(functions.answer(&request));
        let stats: serde_json::Value = serde_json::from_slice(response.body()).unwrap();
        let line: serde_json::Value = serde_json::from_str(&lines.take()).unwrap();
        let told = line["message"].as_str().unwrap().strip_prefix("request ").unwrap();
        let told: serde_json::Value = serde_json::from_str(told).unwrap();
        (stats["data"]["total_sessions"].as_i64().unwrap(), told["below_zero"].as_u64().unwrap())
    };
    let count = async |number: usize, bot_score: u8| {
        let mut sent = page_view(VISITOR, SESSION, &format!("b_{number}"), now() - 10_000);
        sent.visitor.bot_score = Some(bot_score);
        let batch = elsewhere.stack.store_batch(project, number, &sent).await.unwrap();
        Consumer::new(store.clone()).apply([(project.id.clone(), vec![batch])].into()).await.complete().unwrap();
    };
    runtime.block_on(count(0, 0));
    assert_eq!(sessions_and_below_zero(), (1, 0));
    // What the visit added is lost, and then taken out, as of a bot.
    runtime.block_on(async {
        let changes = store.query(Query::partition(keys::tail(&project.id)).strong()).await.unwrap();
        for change in changes.iter().map(|item| item_key(item).unwrap()) {
            store.delete(&change).await.unwrap();
        }
        count(1, 100).await;
    });
    let (sessions, below_zero) = sessions_and_below_zero();
    assert_eq!(sessions, 0);
    assert!(below_zero > 0);
    elsewhere.runtime.block_on(elsewhere.stack.shutdown());
}
