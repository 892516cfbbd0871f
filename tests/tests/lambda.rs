//! The functions' real binaries as AWS runs them, from the gateway's events to the table. `scripts/lambda-tests`
//! builds the binaries and runs this; without them it is skipped.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use counting::Consumer;
use figures::log::tail::Tail;
use figures::measures::kept::MAX_TEXT;
use figures::table::keys;
use figures::table::spending;
use figures::table::store::{Consistency, EXPIRES, item_key, key_item, number};
use figures::time::Millis;
use futures::future::join_all;
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;
use reqwest::{Client, Method};
use serde_json::{Value, json};
use shared::auth::{self, KeyKind};
use shared::routes::{COLLECT, ROUTES};
use tests::access::Access;
use tests::clock::now;
use tests::example::page_view;
use tests::faults::{Outage, Schedule};
use tests::formats::all_items;
use tests::generate::history;
use tests::http::{self, Response};
use tests::lambda::{CLIENT_ADDRESS, Function, Lambda, Request};
use tests::oracle::Oracle;
use tests::people::{self, authorization, invitation};
use tests::role::Role;
use tests::sent::{Event, Sent};
use tests::stack::{Counting, Project, Stack};
use tests::stream::event as event_of;
use tests::tracker::{USER_AGENT, keyed, seen};

const HOUR_MS: i64 = 3_600_000;

/// Batches that are sent, at least; so many that figures are merged while they are counted.
const BATCHES: usize = 120;

/// What a read of each function is asked for besides what it is asked for without parameters.
const QUERIES: [(&str, &str); 17] = [
    ("visitors", "?limit=3&page=2"),
    ("visitors", "?browser=chrome&os=WINDOWS"),
    ("visitors", "?search=203.0.113"),
    ("visitors", "?search=%57ind&limit=2"),
    ("sessions", "?limit=2&page=2"),
    ("sessions", "?visitor_id=v_1"),
    ("sessions", "?url=%2Fpricing"),
    ("events", "?limit=5&page=3"),
    ("events", "?type=page_view"),
    ("events", "?visitor_id=v_1&type=page_view"),
    ("events", "?session_id=ses_shared"),
    ("stats", "?interval=day"),
    ("stats", "?interval=day&start_date=2020-01-01&end_date=2020-01-31"),
    ("live", "?threshold_minutes=60"),
    ("pages", "?limit=1"),
    ("clicks", "?start_date=1970-01-01&limit=100"),
    ("audience", "?limit=2"),
];

fn lambda() -> Option<Lambda> {
    let lambda = Lambda::from_environment();
    if lambda.is_none() {
        skipped("the functions' binaries are not there. scripts/lambda-tests builds them.");
    }
    lambda
}

/// Past the test harness, which hides what passing tests print.
fn skipped(cause: &str) {
    std::io::stderr().write_all(format!("\n!!! SKIPPED: {cause}\n\n").as_bytes()).unwrap();
}

/// Functions by their names, all on one table.
struct Functions(BTreeMap<String, Function>);

impl Functions {
    async fn start(lambda: &Lambda, stack: &Stack, names: impl IntoIterator<Item = String>) -> Self {
        let functions = join_all(names.into_iter().map(async |name| lambda.start(&name, stack).await)).await;
        Functions(functions.into_iter().map(|function| (function.name.clone(), function)).collect())
    }

    fn get(&self, name: &str) -> &Function {
        &self.0[name]
    }

    async fn answer(&self, name: &str, request: &Request) -> Response {
        self.get(name).answer(request).await
    }
}

/// Every function, by the folders there are.
fn names() -> BTreeSet<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../functions");
    let folders = std::fs::read_dir(folder).unwrap().map(Result::unwrap);
    let functions = folders.filter(|entry| entry.path().join("src/main.rs").is_file());
    functions.map(|entry| entry.file_name().into_string().unwrap()).collect()
}

/// The functions that read a project for the holder of its key, with a path of each.
fn reads() -> impl Iterator<Item = (&'static str, String)> {
    let reads = ROUTES.iter().filter(|route| route.reads_a_project());
    reads.map(|route| {
        let path = route.path.replace("{visitor_id}", "v_1").replace("{session_id}", "ses_shared");
        (route.function, path)
    })
}

/// Histories of two projects, as trackers send them.
fn batches() -> Vec<(usize, Sent)> {
    let history = history(2 * BATCHES).prop_filter("long", |history| history.len() >= BATCHES);
    let mut batches = history.new_tree(&mut TestRunner::deterministic()).unwrap().current().recent(now());
    // One is a bot, or lists would have nobody to show.
    for (_, sent) in batches.iter_mut().filter(|(_, sent)| sent.visitor.visitor_id != "v_3") {
        sent.visitor.bot_score = None;
    }
    batches
}

fn post(body: &Value) -> Request {
    Request::new(Method::POST, COLLECT).header("user-agent", USER_AGENT).text(body.to_string())
}

/// Sends batches through the collector, in all the ways that a body comes. Gives back what is stored.
async fn collect(collect: &Function, projects: &[Project; 2], batches: Vec<(usize, Sent)>) -> [Oracle; 2] {
    let mut oracles = [Oracle::default(), Oracle::default()];
    for (number, (of, sent)) in batches.into_iter().enumerate() {
        // Two batches of one millisecond are stored in no order that anyone else could know.
        tokio::time::sleep(Duration::from_millis(2)).await;
        let sent = Sent { sent_at: now(), ..sent };
        let body = keyed(&sent, &projects[of].public_key);
        let request = match number % 3 {
            0 => post(&body).header("content-type", "application/json"),
            1 => post(&body).header("content-type", "text/plain;charset=UTF-8"),
            _ => post(&body).bytes(body.to_string()),
        };
        let answer = collect.answer(&request).await;
        assert_eq!(answer.status, 202, "{answer:?} to {body}");
        assert_eq!(answer.json(), json!({ "data": { "accepted": sent.events.len() } }));
        oracles[of].store(seen(sent, CLIENT_ADDRESS));
    }
    oracles
}

/// The records of the table's stream, each as Lambda delivers it.
async fn stream_records(stack: &Stack) -> Vec<Value> {
    let client = stack.store().client();
    let described = client.describe_table().table_name(stack.store().table()).send().await.unwrap();
    let stream = described.table.unwrap().latest_stream_arn.unwrap();
    let ask = async |operation: &str, body: Value| {
        let request = Client::new()
            .post(stack.endpoint_url())
            .header("x-amz-target", format!("DynamoDBStreams_20120810.{operation}"))
            .header("content-type", "application/x-amz-json-1.0")
            .header(
                "authorization",
                "AWS4-HMAC-SHA256 Credential=local/20250101/us-east-1/dynamodb/aws4_request, \
                 SignedHeaders=host, Signature=none",
            );
        http::send(request.body(body.to_string())).await.json()
    };
    let shards = ask("DescribeStream", json!({ "StreamArn": stream })).await;
    let mut records = Vec::new();
    for shard in shards["StreamDescription"]["Shards"].as_array().unwrap() {
        let from = json!({
            "StreamArn": stream, "ShardId": shard["ShardId"], "ShardIteratorType": "TRIM_HORIZON",
        });
        let mut iterator = ask("GetShardIterator", from).await["ShardIterator"].clone();
        while !iterator.is_null() {
            let page = ask("GetRecords", json!({ "ShardIterator": iterator })).await;
            let found = page["Records"].as_array().unwrap();
            records.extend(found.iter().map(|record| {
                let mut record = record.clone();
                record["eventSourceARN"] = json!(stream);
                record
            }));
            iterator = if found.is_empty() { Value::Null } else { page["NextShardIterator"].clone() };
        }
    }
    records
}

/// Whether the event source hands a record to the consumer.
fn is_new_batch(record: &Value) -> bool {
    let sort_key = record["dynamodb"]["Keys"]["SK"]["S"].as_str().unwrap();
    record["eventName"] == "INSERT" && sort_key.starts_with(keys::BATCH_PREFIX)
}

async fn deliver(rollup: &Function, records: &[Value]) {
    let answer = rollup.invoke(&json!({ "Records": records })).await;
    assert_eq!(answer, json!({ "batchItemFailures": [] }), "{}", rollup.log());
}

/// Counts all batches: most as the stream brings them, cut small and partly twice; the last ones as those that a
/// consumer that was away has missed. A visitor is erased meanwhile.
async fn count(functions: &Functions, stack: &Stack, projects: &[Project; 2], oracles: &mut [Oracle; 2]) {
    let rollup = functions.get("rollup");
    let records = stream_records(stack).await;
    let (batches, others): (Vec<Value>, Vec<Value>) = records.into_iter().partition(is_new_batch);
    assert_eq!(batches.len(), oracles.iter().map(|oracle| oracle.batches().len()).sum::<usize>());
    // The event source keeps these away; if it ever does not, nothing comes of it.
    deliver(rollup, &others).await;

    let erased = Consumer::new(stack.store().clone());
    erased.erase(&projects[1].id, &"v_0".parse().unwrap(), |_| {}).await.unwrap();
    oracles[1] = oracles[1].without("v_0");

    let (delivered, missed) = batches.split_at(batches.len() * 3 / 4);
    for (number, records) in delivered.chunks(2).enumerate() {
        deliver(rollup, records).await;
        if number % 8 == 0 {
            deliver(rollup, records).await;
        }
    }
    assert!(!missed.is_empty());
    for project in projects {
        rollup_was_away(stack).await;
        assert_eq!(functions.get("reconcile").invoke(&json!({})).await, Value::Null, "{}", project.id);
    }
    // It asks each project whether anything was stored since.
    nobody_worked(stack).await;
    assert_eq!(functions.get("reconcile").invoke(&json!({})).await, Value::Null);
    for (project, oracle) in projects.iter().zip(oracles) {
        stack.counted(&project.id, oracle.batches()).await;
        stack.api(project).compare_briefly(oracle).await.unwrap();
    }
}

/// Makes the table say that its consumer has missed something.
async fn rollup_was_away(stack: &Stack) {
    note(stack, [("beat_at", now()), ("missed_since", now() - 13 * HOUR_MS)]).await;
}

/// Makes the table say that its consumer, which had missed nothing, is silent.
async fn nobody_worked(stack: &Stack) {
    note(stack, [("beat_at", now() - 13 * HOUR_MS), ("reconciled_at", now() - HOUR_MS)]).await;
}

async fn note(stack: &Stack, instants: [(&str, i64); 2]) {
    let mut heartbeat = key_item(&keys::heartbeat());
    heartbeat.extend(instants.map(|(name, at)| (name.to_owned(), number(at))));
    stack.store().put(heartbeat).await.unwrap();
}

/// The function's answer to a request is that of this process, which has been held against the model.
async fn compare(functions: &Functions, stack: &Stack, name: &str, path: &str, key: &str) {
    let mut expected = http::get(&format!("{}{path}", stack.origin()), key).await;
    let actual = functions.answer(name, &Request::get(path, key)).await;
    // What depends on the clock may have been answered an instant earlier.
    if expected.json() != actual.json() {
        expected = http::get(&format!("{}{path}", stack.origin()), key).await;
    }
    assert_eq!((actual.status, actual.json()), (expected.status, expected.json()), "{path}");
    for header in ["content-type", "cache-control", "x-content-type-options", "ratelimit-policy", "allow"] {
        assert_eq!(actual.header(header), expected.header(header), "{path}: {header}");
    }
    let head = functions.answer(name, &Request::get(path, key).method(Method::HEAD)).await;
    assert_eq!((head.status, head.text.as_str()), (actual.status, ""), "{path}");
    assert_eq!(head.header("content-type"), actual.header("content-type"), "{path}");
}

async fn compare_reads(functions: &Functions, stack: &Stack, project: &Project) {
    for (name, path) in reads() {
        let queries = QUERIES.iter().filter(|(of, _)| *of == name).map(|(_, query)| *query);
        for query in queries.chain([""]) {
            compare(functions, stack, name, &format!("{path}{query}"), &project.secret_key).await;
        }
    }
    for (name, path) in [("visitor", "/api/v1/visitors/v_nobody"), ("session", "/api/v1/sessions/ses_none")] {
        compare(functions, stack, name, path, &project.secret_key).await;
    }
    compare(functions, stack, "openapi", "/api/v1/openapi.json", "").await;
}

async fn check_refusals(functions: &Functions, stack: &Stack, project: &Project) {
    for (name, path) in reads() {
        let without_key = functions.answer(name, &Request::new(Method::GET, &path)).await;
        without_key.error(401, "unauthorized");
        assert_eq!(without_key.header("www-authenticate"), "Bearer");
        functions.answer(name, &Request::get(&path, &project.public_key)).await.error(401, "unauthorized");

        let limited = stack.key(&project.id, KeyKind::Secret, Some(1)).await;
        functions.answer(name, &Request::get(&path, &limited)).await.ok();
        let refused = functions.answer(name, &Request::get(&path, &limited)).await;
        refused.error(429, "rate_limited");
        assert!(refused.header("retry-after").parse::<u64>().unwrap() >= 1);

        let (query, code) = match name {
            "visitor" | "session" => continue,
            "live" => ("?threshold_minutes=0", "invalid_parameter"),
            _ => ("?start_date=2025-02-30", "invalid_date"),
        };
        functions.answer(name, &Request::get(&format!("{path}{query}"), &project.secret_key)).await.error(400, code);
    }
    for route in ROUTES {
        let path = route.path.replace("{visitor_id}", "v_1").replace("{session_id}", "ses_1").replace("{version}", "1");
        for method in [Method::PUT, Method::PATCH, Method::DELETE] {
            if route.takes(method.as_str()) {
                continue;
            }
            let answer = functions.answer("not-found", &Request::new(method, &path)).await;
            answer.error(405, "method_not_allowed");
            assert_eq!(answer.header("allow"), route.allowed());
        }
    }
    for path in ["/api/v1", "/manage/v1", "/assets", "/api/v1/visitors/", "/api/v1/Visitors", "/%20", "/collect/"] {
        functions.answer("not-found", &Request::new(Method::GET, path)).await.error(404, "not_found");
        let head = functions.answer("not-found", &Request::new(Method::HEAD, path)).await;
        assert_eq!((head.status.as_u16(), head.text.as_str()), (404, ""));
    }
}

/// The gateway decodes paths before it hands them over, and queries come as clients wrote them.
async fn check_odd_requests(functions: &Functions, project: &Project) {
    for id in ["a%20b", "%C3%A9", "%25", "%2525", "%23a", "%3Fa=b", "..%2Fv_1", "%00", "%5C", "%7B%7D", "a%0Ab", "%FF"]
    {
        for (name, list) in [("visitor", "visitors"), ("session", "sessions")] {
            let path = format!("/api/v1/{list}/{id}");
            functions.answer(name, &Request::get(&path, &project.secret_key)).await.error(404, "not_found");
        }
    }
    for query in ["?search=a+b%20c", "?search={}|\\^`'", "?search=é", "?search=%00%FF%", "?&&=&a"] {
        let path = format!("/api/v1/visitors{query}");
        functions.answer("visitors", &Request::get(&path, &project.secret_key)).await.ok();
    }
}

/// Of visitors that don't name themselves: two sessions of one, whose second batch comes twice.
async fn check_unnamed(collect: &Function, stack: &Stack, project: &Project) {
    for (session, batch) in [("ses_unnamed", "b_1"), ("ses_unnamed", "b_1"), ("ses_unnamed_too", "b_2")] {
        let mut body = keyed(&page_view("", session, batch, now()), &project.public_key);
        body["session"]["started_at"] = json!(1_700_000_000_000_i64);
        body["visitor"] = json!({});
        assert_eq!(collect.answer(&post(&body)).await.status, 202);
    }
    let stored = all_items(stack.store()).await;
    let batches = stored.iter().filter(|item| item_key(item).unwrap().sk.starts_with("B#ses_unnamed"));
    assert_eq!(batches.count(), 2);
}

/// A script's bytes come through the gateway, compressed or not.
async fn check_scripts(tracker: &Function, stack: &Stack) {
    for route in ROUTES.iter().filter(|route| route.function == "tracker") {
        let path = route.path.replace("{version}", include_str!("../../tracker/dist/version.txt").trim());
        for (method, encodings) in
            [(Method::GET, ""), (Method::GET, "gzip"), (Method::GET, "gzip, br"), (Method::HEAD, "br")]
        {
            let request = Request::new(method.clone(), &path).header("accept-encoding", encodings);
            let actual = tracker.answer(&request).await;
            let url = format!("{}{path}", stack.origin());
            let expected = http::send(Client::new().request(method, url).header("accept-encoding", encodings)).await;
            assert_eq!(actual.status, 200, "{path} {encodings}");
            assert!(actual.bytes == expected.bytes, "{path} {encodings}");
            for name in ["content-type", "content-encoding", "cache-control", "etag", "vary"] {
                assert_eq!(actual.header(name), expected.header(name), "{path} {encodings}: {name}");
            }
            let held = tracker.answer(&request.header("if-none-match", actual.header("etag"))).await;
            assert_eq!((held.status.as_u16(), held.bytes.len()), (304, 0));
        }
    }
    tracker.answer(&Request::new(Method::GET, "/v/of-nobody/identity.js")).await.error(404, "not_found");
}

/// The dashboard's files come through the gateway as they were built, with what a browser holds the page to.
async fn check_dashboard(dashboard: &Function, stack: &Stack) {
    let files = std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("../dashboard/dist/files.json")).unwrap();
    let files: Vec<Value> = serde_json::from_slice(&files).unwrap();
    assert!(files.len() > 10);
    for path in files.iter().map(|file| file["path"].as_str().unwrap()) {
        for encodings in ["", "gzip", "gzip, br"] {
            let request = Request::new(Method::GET, path).header("accept-encoding", encodings);
            let actual = dashboard.answer(&request).await;
            let expected = Client::new().get(format!("{}{path}", stack.origin())).header("accept-encoding", encodings);
            let expected = http::send(expected).await;
            assert_eq!(actual.status, 200, "{path} {encodings}");
            assert!(actual.bytes == expected.bytes, "{path} {encodings}");
            for name in expected.headers.keys().filter(|name| !["date", "content-length"].contains(&name.as_str())) {
                assert_eq!(actual.header(name.as_str()), expected.header(name.as_str()), "{path} {encodings}: {name}");
            }
            let held = dashboard.answer(&request.header("if-none-match", actual.header("etag"))).await;
            assert_eq!((held.status.as_u16(), held.bytes.len()), (304, 0));
        }
    }
    dashboard.answer(&Request::new(Method::GET, "/assets/of-nobody.js")).await.error(404, "not_found");
}

/// A request as the dashboard's page makes it, in front of a CDN that has another name than the gateway.
fn of_page(method: Method, path: &str, cookie: &str) -> Request {
    // Another host of the domain has cookies of its own, of any bytes.
    Request::new(method, path)
        .header("cookie", &format!("city=Niš; __Host-identity={cookie}"))
        .header("sec-fetch-site", "same-origin")
        .header("origin", "https://data.shop.example")
        .header("content-type", "application/json")
}

/// Lets somebody in by the function that does, and gives their cookie.
async fn sign_in(functions: &Functions, stack: &Stack, role: auth::Role, before: &str) -> String {
    let token = invitation(stack.store(), "ana", role, &[]).await;
    let request = of_page(Method::POST, "/manage/v1/sign-in", before).text(json!({ "token": token }).to_string());
    let answer = functions.answer("sign-in", &request).await;
    answer.ok();
    let set = answer.header("set-cookie");
    let value = set.strip_prefix("__Host-identity=").unwrap_or_else(|| panic!("{set}")).split(';').next().unwrap();
    assert_eq!(set, format!("__Host-identity={value}; HttpOnly; Secure; SameSite=Strict; Path=/; Max-Age=2592000"));
    functions.answer("sign-in", &request).await.error(401, "unauthorized");
    value.to_owned()
}

/// People sign in, read what they may, manage what they may, and are gone.
async fn check_people(functions: &Functions, stack: &Stack, project: &Project) {
    // The one before is good for nothing once the next link is opened with it.
    let before = sign_in(functions, stack, auth::Role::Admin, "").await;
    let admin = sign_in(functions, stack, auth::Role::Admin, &before).await;
    functions.answer("me", &of_page(Method::GET, "/manage/v1/me", &before)).await.error(401, "unauthorized");
    let viewer = sign_in(functions, stack, auth::Role::Viewer, "").await;
    for (name, path) in reads() {
        let named = of_page(Method::GET, &path, &admin).header("identity-project", project.id.as_str());
        let (by_cookie, by_key) = (
            functions.answer(name, &named).await,
            functions.answer(name, &Request::get(&path, &project.secret_key)).await,
        );
        assert_eq!(by_cookie.ok(), by_key.ok(), "{name}");
        let unknown = of_page(Method::GET, &path, &viewer).header("identity-project", "nobody");
        functions.answer(name, &unknown).await.error(404, "not_found");
    }
    let manage = async |name: &str, method: Method, path: &str, body: Value| {
        let request = of_page(method, &format!("/manage/v1/{path}"), &admin);
        let answer = functions.answer(name, &request.text(body.to_string())).await;
        assert!(answer.status.is_success(), "{name}: {answer:?}\n{}", functions.get(name).log());
        serde_json::from_str::<Value>(&answer.text).unwrap_or_default()["data"].clone()
    };
    let look = async |name: &str, path: &str| manage(name, Method::GET, path, json!({})).await;
    assert_eq!(look("me", "me").await["label"], "ana");
    let keys = format!("keys?project={}", project.id);
    let body = json!({ "project": project.id.as_str(), "kind": "secret", "label": "x" });
    let made = manage("keys", Method::POST, "keys", body).await;
    let key = made["key"].as_str().unwrap();
    functions.answer("stats", &Request::get("/api/v1/stats", key)).await.ok();
    let id = made["id"].as_str().unwrap();
    let listed = look("keys", &keys).await;
    assert!(listed.as_array().unwrap().iter().any(|key| key["id"] == id && key["last_used_at"].is_i64()), "{listed}");
    let rotated = manage("key-rotation", Method::POST, &format!("keys/{id}/rotate"), json!({})).await;
    functions.answer("stats", &Request::get("/api/v1/stats", key)).await.error(401, "unauthorized");
    manage("key", Method::DELETE, &format!("keys/{}", rotated["id"].as_str().unwrap()), json!({})).await;
    manage("projects", Method::POST, "projects", json!({ "id": "made-by-page" })).await;
    let changed = manage("project", Method::PATCH, "projects/made-by-page", json!({ "name": "Made" })).await;
    assert!(look("projects", "projects").await.as_array().unwrap().contains(&changed));

    // Somebody who is over is cleared away by the next invitation, which bears the name that the browser knows.
    let gone = sign_in(functions, stack, auth::Role::Viewer, "").await;
    for key in [authorization(&gone), keys::person(&people::sha256(&gone))] {
        people::set(stack.store(), &key, |item| {
            item.insert(EXPIRES.to_owned(), number(1));
            item.insert("created_at".to_owned(), number(1));
        })
        .await;
    }
    let invited = json!({ "label": "bo", "projects": [project.id.as_str()] });
    let invited = manage("people", Method::POST, "people", invited).await;
    let token = invited["link"].as_str().unwrap().strip_prefix("https://data.shop.example/#/sign-in/");
    let request = of_page(Method::POST, "/manage/v1/sign-in", "").text(json!({ "token": token.unwrap() }).to_string());
    let bo = functions.answer("sign-in", &request).await.ok()["data"]["id"].clone();
    manage("person", Method::DELETE, &format!("people/{}", bo.as_str().unwrap()), json!({})).await;
    let known = look("people", "people").await;
    let viewers: Vec<&Value> = known.as_array().unwrap().iter().filter(|one| one["role"] == "viewer").collect();
    let [of_viewer] = viewers[..] else { panic!("{known}") };

    for (name, method, path) in [
        ("keys", Method::GET, keys.as_str()),
        ("key", Method::DELETE, "keys/000000000000"),
        ("key-rotation", Method::POST, "keys/000000000000/rotate"),
        ("projects", Method::GET, "projects"),
        ("project", Method::PATCH, "projects/made-by-page"),
        ("people", Method::GET, "people"),
        ("person", Method::DELETE, "people/000000000000"),
    ] {
        let path = format!("/manage/v1/{path}");
        functions.answer(name, &of_page(method.clone(), &path, &viewer).text("{}")).await.error(403, "forbidden");
        let foreign = Request::new(method.clone(), &path).header("cookie", &format!("__Host-identity={admin}"));
        let foreign = foreign.header("sec-fetch-site", "cross-site").header("content-type", "application/json");
        functions.answer(name, &foreign.text("{}")).await.error(403, "forbidden");
        // A cookie that any host of the domain could set.
        let plain = Request::new(method, &path).header("cookie", &format!("identity={admin}")).text("{}");
        functions.answer(name, &plain).await.error(401, "unauthorized");
    }
    manage("person", Method::DELETE, &format!("people/{}", of_viewer["id"].as_str().unwrap()), json!({})).await;
    functions.answer("me", &of_page(Method::GET, "/manage/v1/me", &viewer)).await.error(401, "unauthorized");
    manage("sign-out", Method::POST, "sign-out", json!({})).await;
    functions.answer("me", &of_page(Method::GET, "/manage/v1/me", &admin)).await.error(401, "unauthorized");
    // Each change is one line, which no secret is in.
    let log = functions.get("keys").log();
    let line = log.lines().find(|line| line.contains("\"create key\"")).unwrap_or_else(|| panic!("{log}"));
    let line: Value = serde_json::from_str(line).unwrap();
    let told = [&line["message"], &line["project"], &line["key"], &line["label"]];
    assert_eq!(told, [&json!("change"), &json!(project.id.as_str()), &json!(id), &json!("ana")]);
    for (name, function) in &functions.0 {
        let log = function.log();
        for secret in [&admin, &viewer, key, rotated["key"].as_str().unwrap(), token.unwrap()] {
            assert!(!log.contains(secret), "{name}");
        }
    }
}

async fn check_refused_batches(collect: &Function, project: &Project) {
    let batch = |key: &str| keyed(&page_view("v_1", "ses_1", "b_refused", now()), key);
    let ours = batch(&project.public_key);
    collect.answer(&post(&batch(&project.secret_key))).await.error(401, "unauthorized");
    collect.answer(&post(&json!("no batch"))).await.error(400, "invalid_body");
    collect.answer(&Request::new(Method::POST, COLLECT)).await.error(400, "invalid_body");
    collect.answer(&post(&ours).bytes([0, 159, 146, 150])).await.error(400, "invalid_body");
    let mut large = ours.clone();
    large["padding"] = json!("x".repeat(64 << 10));
    collect.answer(&post(&large)).await.error(413, "payload_too_large");
    collect.answer(&post(&large).bytes(large.to_string())).await.error(413, "payload_too_large");
    let preflight = collect.answer(&Request::new(Method::OPTIONS, COLLECT).header("origin", "https://a.example")).await;
    assert!(preflight.status.is_success(), "{preflight:?}");
    assert_eq!(preflight.header("access-control-allow-origin"), "*");
}

/// What a project's batches take is noted: those of visitors who see ever new pages, until it is worth a write.
async fn check_spending(rollup: &Function, stack: &Stack, project: &Project) {
    let noted = async || spending::of_day(stack.store(), &project.id, Millis(now()).day()).await.unwrap();
    let mut count = 0;
    while noted().await == 0 {
        assert!(count < 100, "nothing is noted");
        let mut sent = page_view(&format!("v_many{count}"), "ses_many", "b_many", now() - 60_000);
        let event = |page| Event { url: Some(format!("/{count}/{page:0100}")), ..sent.events[0].clone() };
        sent.events = (0..100).map(event).collect();
        let batch = stack.store_batch(project, count, &sent).await.unwrap();
        let event = serde_json::to_value(event_of(stack, &[(project, &batch)], now()).await).unwrap();
        deliver(rollup, event["Records"].as_array().unwrap()).await;
        count += 1;
    }
    assert!(noted().await >= 1_000);
}

/// A role grants what its function does, and nothing else.
fn check_roles(lambda: &Lambda, functions: &Functions) {
    let of_rollup = functions.get("rollup").proxy.accesses();
    let mut differences: Vec<String> = Vec::new();
    for (name, function) in &functions.0 {
        let mut done: BTreeSet<Access> = function.proxy.accesses();
        if name == "reconcile" {
            // It applies batches by the same code, whatever of it came up this time. It notes no spending: what it applies
            // is what was left behind.
            let is_spending = |access: &Access| access.keys.iter().any(|key| key.ends_with("#SPENT"));
            done.extend(of_rollup.iter().filter(|access| !is_spending(access)).cloned());
        }
        let actions: BTreeSet<&str> = done.iter().map(|access| access.action.as_str()).collect();
        println!("{name}: {actions:?}");
        let found = Role::of(name, &lambda.template).differences(&done);
        differences.extend(found.into_iter().map(|difference| format!("{name}: {difference}")));
    }
    assert!(differences.is_empty(), "{differences:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_function_does_its_part() {
    let Some(lambda) = lambda() else { return };
    let stack = Stack::start(Counting::ByTest).await;
    let projects = [stack.project().await, stack.project().await];
    let functions = Functions::start(&lambda, &stack, names()).await;

    let mut oracles = collect(functions.get("collect"), &projects, batches()).await;
    count(&functions, &stack, &projects, &mut oracles).await;
    compare_reads(&functions, &stack, &projects[0]).await;
    compare_reads(&functions, &stack, &projects[1]).await;
    check_refusals(&functions, &stack, &projects[0]).await;
    check_odd_requests(&functions, &projects[0]).await;
    check_refused_batches(functions.get("collect"), &projects[0]).await;
    check_unnamed(functions.get("collect"), &stack, &projects[0]).await;
    check_scripts(functions.get("tracker"), &stack).await;
    check_dashboard(functions.get("dashboard"), &stack).await;
    check_people(&functions, &stack, &projects[0]).await;
    check_spending(functions.get("rollup"), &stack, &projects[0]).await;
    check_roles(&lambda, &functions);
    stack.shutdown().await;
}

/// Asks a function whose table is out of order, which it has to say before its time is over.
async fn is_unavailable(lambda: &Lambda, function: &Function, request: &Request, trouble: &str) {
    let asked = Instant::now();
    let answer = function.answer(request).await;
    let (name, took) = (&function.name, asked.elapsed());
    assert_eq!(answer.status, 503, "{name}, {trouble}, after {took:?}: {answer:?}\n{}", function.log());
    answer.error(503, "unavailable");
    assert!(answer.header("retry-after").parse::<u64>().unwrap() >= 1, "{name}, {trouble}: {answer:?}");
    assert!(took < lambda.time_limit(name), "{name}, {trouble}: {took:?}");
}

/// Every function that answers requests from the table, with a request of it.
fn requests(project: &Project) -> Vec<(&'static str, Request)> {
    let sent = keyed(&page_view("v_new", "ses_new", "b_new", now()), &project.public_key);
    let reads = reads().map(|(name, path)| (name, Request::get(&path, &project.secret_key)));
    reads.chain([("collect", post(&sent))]).collect()
}

/// A stack with a visitor whom all requests find.
async fn visited() -> (Stack, Project) {
    let stack = Stack::start(Counting::ByStream).await;
    let project = stack.project().await;
    let sent = page_view("v_1", "ses_shared", "b_1", now());
    stack.store_batch(&project, 1, &sent).await.unwrap();
    stack.counted(&project.id, &[sent]).await;
    (stack, project)
}

async fn is_stored(stack: &Stack, project: &Project, batch: &str) -> bool {
    let ids = ("v_new".parse().unwrap(), "ses_new".parse().unwrap(), batch.parse().unwrap());
    let key = keys::batch(&project.id, &ids.0, &ids.1, &ids.2);
    stack.store().get(&key, Consistency::Strong).await.unwrap().is_some()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_that_fails_is_answered_with_503() {
    let Some(lambda) = lambda() else { return };
    let (stack, project) = visited().await;
    let check = async |(name, request): (&str, Request)| {
        let function = lambda.start(name, &stack).await;
        for outage in Outage::ALL {
            let trouble = format!("{outage:?}");
            function.proxy.set_outage(Some(outage));
            is_unavailable(&lambda, &function, &request, &trouble).await;
            function.proxy.set_outage(None);
            // As soon as the table is back, so is the function.
            let answer = function.answer(&request).await;
            assert!(answer.status.is_success(), "{name}, after {trouble}: {answer:?}");
            // Now it knows the key, and reads while it takes a token.
            function.proxy.set_outage(Some(outage));
            is_unavailable(&lambda, &function, &request, &format!("{trouble}, warm")).await;
        }
    };
    join_all(requests(&project).into_iter().map(check)).await;
    stack.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_function_starts_and_answers_without_its_table() {
    let Some(lambda) = lambda() else { return };
    let (stack, project) = visited().await;
    let check = async |(name, request): (&str, Request)| {
        let function = lambda.start_without_table(name, &stack).await;
        is_unavailable(&lambda, &function, &request, "cold").await;
        is_unavailable(&lambda, &function, &request, "warm").await;
    };
    join_all(requests(&project).into_iter().map(check)).await;
    assert!(!is_stored(&stack, &project, "b_new").await);
    stack.shutdown().await;
}

/// Every other try at a write fails, some of them after it was done, and sometimes all do.
#[tokio::test(flavor = "multi_thread")]
async fn what_the_collector_acknowledges_is_stored() {
    let Some(lambda) = lambda() else { return };
    let stack = Stack::start(Counting::ByTest).await;
    let project = stack.project().await;
    let schedule = Schedule::Randomly { one_in: 2, seed: 1 };
    let [failing, working] =
        [lambda.start_failing("collect", &stack, schedule).await, lambda.start("collect", &stack).await];
    let mut acknowledged = [0, 0];
    for number in 0..40 {
        let batch = format!("b_{number}");
        let request = post(&keyed(&page_view("v_new", "ses_new", &batch, now()), &project.public_key));
        failing.proxy.set_outage((number % 4 == 0).then_some(Outage::InternalError));
        let answer = failing.answer(&request).await;
        if answer.status == 202 {
            acknowledged[0] += 1;
        } else {
            answer.error(503, "unavailable");
            // The client sends it again, and it is taken once more or only now.
            assert_eq!(working.answer(&request).await.status, 202);
            acknowledged[1] += 1;
        }
        assert!(is_stored(&stack, &project, &batch).await, "{batch}: {answer:?}");
    }
    assert!(acknowledged.iter().all(|count| *count > 0), "{acknowledged:?}");
    stack.shutdown().await;
}

/// Such as no browser sends: these characters have to be encoded, but nobody has to see to it.
#[tokio::test(flavor = "multi_thread")]
async fn a_query_that_is_no_uri_does_not_end_a_function() {
    let Some(lambda) = lambda() else { return };
    let (stack, project) = visited().await;
    let visitors = lambda.start("visitors", &stack).await;
    for query in ["?search=\"a\"", "?search=<a>", "?limit=<1>"] {
        let path = format!("/api/v1/visitors{query}");
        let answer = visitors.answer(&Request::get(&path, &project.secret_key)).await;
        assert!(answer.status == 200 || answer.status == 400, "{query}: {answer:?}");
    }
    stack.shutdown().await;
}

/// What the consumer can't store is delivered again, and then counts once.
#[tokio::test(flavor = "multi_thread")]
async fn the_consumer_asks_again_for_what_it_could_not_count() {
    let Some(lambda) = lambda() else { return };
    let stack = Stack::start(Counting::ByTest).await;
    let project = stack.project().await;
    let sent = page_view("v_1", "ses_1", "b_1", now());
    stack.store_batch(&project, 1, &sent).await.unwrap();
    let records: Vec<Value> = stream_records(&stack).await.into_iter().filter(is_new_batch).collect();
    let [record] = &records[..] else { panic!("{records:?}") };
    let rollup = lambda.start("rollup", &stack).await;
    for outage in Outage::ALL {
        rollup.proxy.set_outage(Some(outage));
        let answer = rollup.invoke(&json!({ "Records": records })).await;
        let again = json!({ "batchItemFailures": [{ "itemIdentifier": record["dynamodb"]["SequenceNumber"] }] });
        assert_eq!(answer, again, "{outage:?}");
    }
    rollup.proxy.set_outage(None);
    deliver(&rollup, &records).await;
    deliver(&rollup, &records).await;
    let stats = http::get(&stack.at("stats"), &project.secret_key).await.ok();
    assert_eq!(stats["data"]["total_events"], 1);
    stack.shutdown().await;
}

/// What functions of the last release don't count.
const UNKNOWN_TO_THE_LAST_RELEASE: [&str; 1] = ["audience"];

/// Functions of the last release.
const LAST_RELEASE: [&str; 6] = ["rollup", "stats", "visitors", "visitor", "sessions", "events"];

/// Leaves out what the releases count differently: ends each session within a day of its start, and cuts texts to what
/// rankings keep of them.
fn count_alike(batches: &mut [(usize, Sent)]) {
    let mut starts: BTreeMap<(usize, String, String), i64> = BTreeMap::new();
    for (of, sent) in batches {
        let session = (*of, sent.visitor.visitor_id.clone(), sent.session.session_id.clone());
        let start = *starts.entry(session).or_insert(sent.session.started_at);
        let within = |at: i64| (start + (at - start).rem_euclid(24 * HOUR_MS)).min(now() - 10_000);
        sent.session.started_at = start;
        sent.sent_at = within(sent.sent_at);
        let session = &mut sent.session;
        for text in [
            &mut sent.page,
            &mut session.url,
            &mut session.referrer,
            &mut session.utm_source,
            &mut session.utm_medium,
            &mut session.utm_campaign,
            &mut session.utm_term,
            &mut session.utm_content,
        ] {
            *text = text.take().filter(|text| text.len() <= MAX_TEXT);
        }
        for event in &mut sent.events {
            event.created_at = within(event.created_at);
            event.url = event.url.take().filter(|url| url.len() <= MAX_TEXT);
            event.data = event.data.take().filter(|data| data.to_string().len() <= MAX_TEXT);
        }
    }
}

/// While a deployment goes on, functions of both releases work on one table. They take turns at what the stream brings, in
/// an order that has late batches, sessions over midnight and bots; either counts what the other one began.
#[tokio::test(flavor = "multi_thread")]
async fn two_releases_work_on_one_table() {
    let Some(lambda) = lambda() else { return };
    let Some(last) = lambda.last_release() else {
        return skipped(
            "the last release's commit (scripts/last-release) is not among this clone's: fetch all of them.",
        );
    };
    let stack = Stack::start(Counting::ByTest).await;
    let projects = [stack.project().await, stack.project().await];
    let names = || LAST_RELEASE.map(str::to_owned);
    let releases = [Functions::start(&last, &stack, names()).await, Functions::start(&lambda, &stack, names()).await];

    let history = history(4 * BATCHES).prop_filter("long", |history| history.len() >= 2 * BATCHES);
    let mut batches = history.new_tree(&mut TestRunner::deterministic()).unwrap().current().recent(now());
    count_alike(&mut batches);
    let mut oracles = [Oracle::default(), Oracle::default()];
    for (number, (of, sent)) in batches.into_iter().enumerate() {
        if stack.store_batch(&projects[of], number, &sent).await.is_some() {
            oracles[of].store(sent);
        }
    }
    let mut records: Vec<Value> = stream_records(&stack).await.into_iter().filter(is_new_batch).collect();
    // Neither in the order of storage nor all of a visitor's by one of them.
    let mut rng = fastrand::Rng::with_seed(7);
    rng.shuffle(&mut records);
    let turns: Vec<&[Value]> = records.chunks(2).collect();
    for (turn, records) in turns.iter().enumerate() {
        let rollups = [turn, turn + 1].map(|turn| releases[turn % 2].get("rollup"));
        deliver(rollups[0], records).await;
        match turn % 8 {
            // Again, to the other one.
            3 => deliver(rollups[1], records).await,
            // To both at once, with what comes next.
            6 => {
                let next = turns.get(turn + 1).copied().unwrap_or_default();
                tokio::join!(deliver(rollups[0], next), deliver(rollups[1], next));
            }
            _ => {}
        }
        if turn == turns.len() / 2 {
            for functions in &releases {
                compare_with_this_process(functions, &stack, &projects[0]).await;
            }
        }
    }
    let tail = Tail::load(stack.store(), &projects[0].id).await.unwrap();
    assert!(tail.manifest.round > 0, "nothing was compacted");
    for (project, oracle) in projects.iter().zip(&mut oracles) {
        stack.counted(&project.id, oracle.batches()).await;
        stack.api(project).compare_briefly_without(oracle, &UNKNOWN_TO_THE_LAST_RELEASE).await.unwrap();
        for functions in &releases {
            compare_with_this_process(functions, &stack, project).await;
        }
    }
    // What only this release counts has all of it once the deployment is over and the figures are rebuilt.
    let consumer = Consumer::new(stack.store().clone());
    for (project, oracle) in projects.iter().zip(&mut oracles) {
        consumer.rebuild(&project.id, false, |_| {}).await.unwrap();
        stack.api(project).compare_briefly(oracle).await.unwrap();
    }
    stack.shutdown().await;
}

/// What each function answers is what this process does.
async fn compare_with_this_process(functions: &Functions, stack: &Stack, project: &Project) {
    for (name, path) in reads().filter(|(name, _)| LAST_RELEASE.contains(name)) {
        let queries = QUERIES.iter().filter(|(of, _)| *of == name).map(|(_, query)| *query);
        for query in queries.chain([""]) {
            compare(functions, stack, name, &format!("{path}{query}"), &project.secret_key).await;
        }
    }
}
