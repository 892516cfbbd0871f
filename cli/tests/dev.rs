//! `identity dev`, as whoever starts it meets it.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod common;

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use common::{Dev, assert_status, batch, browser, get, now, run, stderr, write_batches};
use figures::table::keys::Key;
use figures::table::store::{Query, binary, key_item};
use identity::dev::{Options, Stack};
use serde_json::{Value, json};
use shared::routes::ROUTES;

const SECRET: &str = "sk_live_aBcDeFgHiJkLmNoPqRsTuVwXyZ012345";
const PUBLIC: &str = "pk_live_aBcDeFgHiJkLmNoPqRsTuVwXyZ012345";

#[tokio::test]
async fn what_is_printed_can_be_used() {
    let dev = Dev::start(&["--empty"]);
    assert!(dev.printed.iter().any(|line| line.starts_with("Project") && line.ends_with("demo")));
    let curl = dev.printed.iter().find(|line| line.trim().starts_with("curl")).unwrap();
    let quoted: Vec<&str> = curl.split('"').collect();
    let (name, value) = quoted[1].split_once(": ").unwrap();
    let answer = browser().get(quoted[3]).header(name, value).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.json::<Value>().await.unwrap()["data"]["total_visitors"], 0);

    let sent = json!({ "key": dev.public, "batch_id": "b1", "sent_at": now(), "visitor": { "visitor_id": "v1" },
        "session": { "session_id": "s1", "started_at": now(), "url": "/" },
        "events": [{ "name": "page_view", "created_at": now(), "url": "/" }] });
    assert_eq!(dev.collect(&sent).await.unwrap(), 202);
    dev.eventually("/stats", |stats| stats["data"]["total_page_views"] == 1).await;
}

#[tokio::test]
async fn every_route_is_served_and_nothing_else() {
    let dev = Dev::start(&["--empty"]);
    let document = browser().get(&dev.base).send().await.unwrap().text().await.unwrap();
    let asset = document.split("/assets/").nth(1).and_then(|rest| rest.split('"').next()).unwrap();
    for route in ROUTES.iter().filter(|route| route.allowed() == "GET, HEAD") {
        let path = route.path.replace("{visitor_id}", "v").replace("{session_id}", "s");
        let path = path.replace("{version}", tracker::VERSION).replace("{name}", asset);
        let url = format!("{}{path}", dev.base);
        let unnamed = browser().get(&url).send().await.unwrap();
        assert_eq!(unnamed.status(), if route.knows_who_asks() { 401 } else { 200 }, "{path}");
        let wrong = browser().post(&url).send().await.unwrap();
        assert_eq!(
            (wrong.status().as_u16(), &wrong.headers()["allow"]),
            (405, &"GET, HEAD".parse().unwrap()),
            "{path}"
        );
    }
    let head = browser().head(format!("{}/api/v1/stats", dev.base)).bearer_auth(&dev.secret).send().await.unwrap();
    assert_eq!(head.status(), 200);
    assert_eq!(head.text().await.unwrap(), "");
    for path in ["/assets/app-1.js", "/manage/v1", "/api/v1", "/api/v1/nothing", "/favicon.ico"] {
        let unknown = browser().get(format!("{}{path}", dev.base)).send().await.unwrap();
        assert_eq!(unknown.status(), 404, "{path}");
        assert_eq!(unknown.json::<Value>().await.unwrap()["error"]["code"], "not_found");
    }
}

/// Every page of the demo site, found by its links.
#[tokio::test]
async fn the_demo_site_has_the_tracker_with_the_projects_key_in_every_page() {
    let dev = Dev::start(&["--empty"]);
    let home = dev.printed.iter().find_map(|line| line.strip_prefix("Demo site")).unwrap().trim();
    assert_eq!(home, format!("{}/demo/", dev.base));
    assert_eq!(browser().get(home.trim_end_matches('/')).send().await.unwrap().url().as_str(), home);
    let snippet = format!("<script async src=\"/identity.js\" data-key=\"{}\"></script>", dev.public);
    let mut waiting = vec!["/demo/".to_owned()];
    let mut pages = BTreeSet::new();
    while let Some(path) = waiting.pop() {
        if !pages.insert(path.clone()) {
            continue;
        }
        let page = browser().get(format!("{}{path}", dev.base)).send().await.unwrap();
        assert_eq!(
            (page.status().as_u16(), &page.headers()["cache-control"]),
            (200, &"no-cache".parse().unwrap()),
            "{path}"
        );
        let kind = page.headers()["content-type"].to_str().unwrap().to_owned();
        let text = page.text().await.unwrap();
        if kind.starts_with("text/html") {
            assert!(text.contains(&snippet) && !text.contains("{{"), "{path}");
            let links = text.split("=\"/demo/").skip(1).map(|rest| rest.split(['"', '?']).next().unwrap());
            waiting.extend(links.map(|link| format!("/demo/{link}")));
        }
        let head = browser().head(format!("{}{path}", dev.base)).send().await.unwrap();
        assert_eq!((head.status().as_u16(), head.headers()["content-type"].to_str().unwrap()), (200, kind.as_str()));
        assert_eq!(head.text().await.unwrap(), "");
        let wrong = browser().post(format!("{}{path}", dev.base)).send().await.unwrap();
        assert_eq!(
            (wrong.status().as_u16(), &wrong.headers()["allow"]),
            (405, &"GET, HEAD".parse().unwrap()),
            "{path}"
        );
    }
    assert!(pages.len() >= 10, "{pages:?}");
    let unknown = browser().get(format!("{home}nowhere")).send().await.unwrap();
    assert_eq!(unknown.status(), 404);
    assert_eq!(unknown.json::<Value>().await.unwrap()["error"]["code"], "not_found");
}

#[tokio::test]
async fn a_body_that_is_too_large_is_answered() {
    let dev = Dev::start(&["--empty"]);
    let client = browser();
    for size in [(64 << 10) + 1, 1 << 20, 8 << 20] {
        let sent = client.post(format!("{}/collect", dev.base)).body("x".repeat(size)).send().await.unwrap();
        assert_eq!(sent.status(), 413, "{size}");
        assert_eq!(sent.json::<Value>().await.unwrap()["error"]["code"], "payload_too_large");
    }
}

#[tokio::test]
async fn the_keys_and_the_limit_can_be_chosen() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("site.db");
    let file = file.to_str().unwrap();
    let fixed = ["--empty", "--data", file, "--secret-key", SECRET, "--public-key", PUBLIC, "--project", "shop"];
    for limit in ["3", "1000"] {
        let dev = Dev::start(&[&fixed[..], &["--rate-limit", limit]].concat());
        assert_eq!((dev.secret.as_str(), dev.public.as_str()), (SECRET, PUBLIC));
        let url = format!("{}/api/v1/stats", dev.base);
        let answer = browser().get(url).bearer_auth(SECRET).send().await.unwrap();
        assert_eq!(answer.headers()["ratelimit-policy"], format!("\"default\";q={limit};w=60"));
        assert_eq!(dev.signal("TERM"), Some(0));
    }
    // A pair that was made for one run works in the next one, too.
    let first = Dev::start(&["--empty", "--data", file]);
    let secret = first.secret.clone();
    assert_eq!(first.signal("TERM"), Some(0));
    let second = Dev::start(&["--empty", "--data", file]);
    assert_ne!(second.secret, secret);
    assert_eq!(get(&second.base, "/stats", &secret).await.0, 200);
    assert_eq!(get(&second.base, "/stats", SECRET).await.0, 200);
    drop(second);

    let taken = run(&["dev", "--port", "0", "--empty", "--data", file, "--project", "other", "--secret-key", SECRET]);
    assert_status(&taken, 1);
    assert!(stderr(&taken).contains("belongs to project \"shop\""));
    assert!(!stderr(&taken).contains(SECRET));
}

#[test]
fn a_port_that_is_taken_is_named_with_a_way_out() {
    let other = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = other.local_addr().unwrap().port().to_string();
    for option in ["--port", "--dynamodb-port"] {
        let mut line = vec!["dev", "--empty", option, &port];
        if option != "--port" {
            line.extend(["--port", "0"]);
        }
        let output = run(&line);
        assert_status(&output, 1);
        assert!(stderr(&output).contains(&format!("port {port} is in use")), "{}", stderr(&output));
        assert!(stderr(&output).contains(&format!("{option} 0")), "{}", stderr(&output));
    }
}

/// Starts it on a file that it should refuse, and gives what it says. The file is left as it is.
fn refusal(file: &Path) -> String {
    let before = std::fs::read(file).unwrap();
    let output = run(&["dev", "--empty", "--port", "0", "--dynamodb-port", "0", "--data", file.to_str().unwrap()]);
    assert_status(&output, 1);
    let said = stderr(&output);
    assert!(said.starts_with("error: the data can't be opened: ") && said.contains("--data"), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
    assert!(before == std::fs::read(file).unwrap(), "{said}");
    said
}

#[test]
fn a_file_that_is_no_database_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("notes.txt");
    for text in ["this is no database, but it is as long as one\n".repeat(200), "short".to_owned()] {
        std::fs::write(&file, text).unwrap();
        assert!(refusal(&file).contains("is no data file of `identity dev`"));
    }
}

#[test]
fn another_programs_database_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("other.db");
    let other = dynoxide::storage::Storage::memory().unwrap();
    let attach = format!("ATTACH '{}' AS other; CREATE TABLE other.notes (body TEXT);", file.display());
    other.conn().execute_batch(&attach).unwrap();
    drop(other);
    assert!(refusal(&file).contains("database of another program"));
}

#[tokio::test]
async fn a_damaged_data_file_is_told_at_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("site.db");
    let dev = Dev::start(&["--empty", "--data", file.to_str().unwrap(), "--public-key", PUBLIC]);
    for number in 0..100 {
        let mut sent = batch(number, now());
        sent["key"] = json!(PUBLIC);
        assert_eq!(dev.collect(&sent).await.unwrap(), 202);
    }
    assert_eq!(dev.signal("TERM"), Some(0));
    let whole = std::fs::read(&file).unwrap();
    let mut overwritten = whole.clone();
    overwritten[8 << 10..].fill(0xa5);
    for damaged in [&overwritten[..], &whole[..whole.len() / 2]] {
        std::fs::write(&file, damaged).unwrap();
        let said = refusal(&file);
        assert!(said.contains("is damaged") && said.contains(".recover"), "{said}");
    }
    std::fs::write(&file, whole).unwrap();
    let dev = Dev::start(&["--empty", "--data", file.to_str().unwrap()]);
    dev.eventually("/stats", |stats| stats["data"]["total_events"] == 200).await;
}

#[test]
fn wrong_usage_is_told_from_failure() {
    for line in [
        &["dev", "--secret-key", "sk_live_short"][..],
        &["dev", "--secret-key", PUBLIC],
        &["dev", "--public-key", SECRET],
        &["dev", "--port", "99999"],
        &["dev", "--rate-limit", "0"],
        &["dev", "--project", "a b"],
        &["--port", "0", "key", "list"],
        &["serve"],
        &["import"],
        &["key", "create"],
        &["key", "create", "--kind", "public", "--rate-limit", "5"],
        &["key", "revoke", "not-hexadecimal"],
        &["project", "create", "a b"],
        &["project", "list", "--table", "t2"],
        &["project", "list", "--table", "a b c"],
        &["project", "create", "shop", "--host", "https://shop.example"],
        &["project", "create", "shop", "--origin", "shop.example"],
    ] {
        assert_status(&run(line), 2);
    }
    for line in [&["--help"][..], &["dev", "--help"], &["import", "--help"], &["key", "create", "--help"]] {
        let output = run(line);
        assert_status(&output, 0);
        assert!(common::stdout(&output).contains("Examples:"), "{line:?}");
    }
}

#[tokio::test]
async fn it_stops_when_asked_to() {
    for signal in ["INT", "TERM"] {
        let dev = Dev::start(&["--empty"]);
        // With a connection that is kept alive.
        let client = browser();
        let answer = client.get(format!("{}/api/v1/stats", dev.base)).bearer_auth(&dev.secret).send().await.unwrap();
        assert_eq!(answer.status(), 200);
        assert_eq!(dev.signal(signal), Some(0), "{signal}");
    }
}

#[tokio::test]
async fn what_was_answered_is_counted_once_through_kills_at_any_moment() {
    const BATCHES: i64 = 240;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("site.db");
    let fixed = ["--empty", "--data", file.to_str().unwrap(), "--secret-key", SECRET, "--public-key", PUBLIC];
    let mut answered = 0;
    for round in 0..4 {
        let dev = Dev::start(&fixed);
        let from = round * BATCHES / 4;
        for number in from..from + BATCHES / 4 {
            let mut sent = batch(number, now());
            sent["key"] = json!(PUBLIC);
            assert_eq!(dev.collect(&sent).await.unwrap(), 202);
            answered += 1;
        }
        dev.kill();
    }
    assert_eq!(answered, BATCHES);
    let dev = Dev::start(&fixed);
    let expected = |stats: &Value| stats["data"]["total_page_views"] == 2 * BATCHES;
    let stats = dev.eventually("/stats", expected).await;
    assert_eq!(stats["data"]["total_visitors"], 40);
    assert_eq!(stats["data"]["total_sessions"], 80);
    assert_eq!(stats["data"]["total_events"], 2 * BATCHES);
    dev.kill();
    // Everything was applied already: a further start delivers some of it again, and nothing changes.
    let dev = Dev::start(&fixed);
    let mut sent = batch(BATCHES, now());
    sent["key"] = json!(PUBLIC);
    assert_eq!(dev.collect(&sent).await.unwrap(), 202);
    dev.eventually("/stats", |stats| stats["data"]["total_page_views"] == 2 * BATCHES + 2).await;
}

#[tokio::test]
async fn batches_that_the_stream_lost_are_found() {
    const BATCHES: i64 = 600;
    let folder = tempfile::tempdir().unwrap();
    let (data, file) = (folder.path().join("site.db"), folder.path().join("batches.jsonl"));
    let data = data.to_str().unwrap();
    write_batches(&file, BATCHES);
    let dev = Dev::start(&["--empty", "--data", data]);
    assert_status(&dev.run(&["import", file.to_str().unwrap(), "--no-wait"]), 0);
    dev.kill();
    // Long after, the stream's records are gone, read or not.
    let storage = dynoxide::storage::Storage::new(data).unwrap();
    storage.conn().execute_batch("UPDATE _stream_records SET created_at = 0").unwrap();
    drop(storage);
    let dev = Dev::start(&["--empty", "--data", data]);
    dev.eventually("/stats", |stats| stats["data"]["total_events"] == 2 * BATCHES).await;
    assert_eq!(dev.get("/stats").await["data"]["total_sessions"], 80);
}

#[tokio::test]
async fn demo_data_is_plausible_and_made_once() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("demo.db");
    let arguments = ["--data", file.to_str().unwrap(), "--secret-key", SECRET];
    let dev = Dev::start(&arguments);
    dev.eventually("/live", |live| live["count"].as_i64().unwrap() >= 5).await;
    let first =
        dev.eventually("/stats?interval=day", |stats| stats["data"]["total_sessions"].as_i64() > Some(600)).await;
    // Killed while the data is being stored or counted, it is completed by the next start.
    dev.kill();
    let dev = Dev::start(&arguments);
    let yesterday = first["data"]["series"].as_array().unwrap().iter().rev().nth(1).unwrap()["date"].clone();
    let past = format!("/stats?start_date=2020-01-01&end_date={}", yesterday.as_str().unwrap());
    let figures = quiet(&dev, &past).await;

    let stats = dev.get("/stats?interval=day").await["data"].clone();
    let within = |name: &str, low: f64, high: f64| {
        let value = stats[name].as_f64().unwrap();
        assert!((low..=high).contains(&value), "{name} is {value}");
    };
    within("total_visitors", 350.0, 650.0);
    within("returning_visitors", 20.0, 200.0);
    within("bounce_rate", 20.0, 60.0);
    within("avg_pages_per_session", 1.5, 5.0);
    within("avg_session_duration_ms", 20_000.0, 300_000.0);
    let busy = stats["series"].as_array().unwrap().iter().filter(|day| day["sessions"].as_i64() > Some(3)).count();
    assert!(busy >= 25, "{busy} days");

    let types = dev.get("/events/types").await;
    let names: Vec<_> = types["data"].as_array().unwrap().iter().map(|row| row["name"].as_str().unwrap()).collect();
    for name in [
        "page_view",
        "rage_click",
        "dead_click",
        "phantom_click",
        "js_exception",
        "promise_rejection",
        "console_error",
        "console_warning",
        "form_abandon",
        "field_hesitation",
        "frustration_score",
        "reading_behavior",
        "seo_diagnostics",
        "web_vitals",
    ] {
        assert!(names.contains(&name), "no {name}");
        let events = dev.get(&format!("/events?type={name}&limit=1")).await;
        assert!(events["data"][0]["data"].as_object().is_some_and(|data| !data.is_empty()), "{events}");
    }
    for filter in ["country=RS", "country=us", "browser=safari", "os=Android", "search=Belgrade", "search=203.0.113"] {
        let found = dev.get(&format!("/visitors?{filter}")).await;
        assert!(found["pagination"]["total"].as_i64() > Some(0), "{filter}");
    }
    assert_eq!(dev.signal("INT"), Some(0));

    let again = Dev::start(&arguments);
    again.eventually("/live", |live| live["count"].as_i64().unwrap() >= 5).await;
    assert_eq!(again.get(&past).await, figures);
}

/// An answer that stays the same for a while.
async fn quiet(dev: &Dev, path: &str) -> Value {
    let mut answer = dev.get(path).await;
    let mut same = 0;
    while same < 20 {
        tokio::time::sleep(std::time::Duration::from_millis(250)).await;
        let next = dev.get(path).await;
        same = if next == answer { same + 1 } else { 0 };
        answer = next;
    }
    answer
}

#[tokio::test]
async fn data_of_ones_own_gets_no_demo_data() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("own.db");
    let arguments = ["--data", file.to_str().unwrap(), "--public-key", PUBLIC];
    let dev = Dev::start(&[&arguments[..], &["--empty"]].concat());
    let mut sent = batch(1, now());
    sent["key"] = json!(PUBLIC);
    assert_eq!(dev.collect(&sent).await.unwrap(), 202);
    dev.eventually("/stats", |stats| stats["data"]["total_visitors"] == 1).await;
    assert_eq!(dev.signal("TERM"), Some(0));
    let dev = Dev::start(&arguments);
    tokio::time::sleep(std::time::Duration::from_secs(2)).await;
    assert_eq!(dev.get("/stats").await["data"]["total_visitors"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stack_runs_inside_another_program() {
    let options = Options { rate_limit: 60_000, ..Options::empty("inside".parse().unwrap()) };
    let stack = Stack::start(options).await.unwrap();
    let mut sent = batch(1, now());
    sent["key"] = json!(stack.public_key());
    let url = format!("{}/collect", stack.base_url());
    assert_eq!(browser().post(url).body(sent.to_string()).send().await.unwrap().status(), 202);
    let mut visitors = Value::Null;
    for _ in 0..600 {
        let (_, stats) = get(&stack.base_url(), "/stats", stack.secret_key()).await;
        visitors = stats["data"]["total_visitors"].clone();
        if visitors == 1 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    assert_eq!(visitors, 1);
    let address = stack.base_url();
    stack.shutdown().await;
    assert!(browser().get(address).send().await.is_err());
}

/// The stack stores items that wait at the same time in one transaction. None of them may notice.
#[tokio::test]
async fn new_items_that_are_put_at_the_same_time_fare_as_if_alone() {
    let stack = Stack::start(Options::empty("shop".parse().unwrap())).await.unwrap();
    let writers = AtomicUsize::new(0);
    let put = async |number: usize, bytes: usize| {
        let key = Key { pk: "ITEMS".to_owned(), sk: number.to_string() };
        let mut item = key_item(&key);
        item.insert("d".to_owned(), binary(vec![0; bytes]));
        // Whoever meets the very item that it puts is taken for its writer.
        item.insert("writer".to_owned(), figures::table::store::number(writers.fetch_add(1, Ordering::Relaxed)));
        let store = stack.store().metered();
        let outcome = store.put_at(item, None).await.map(|put| put.is_stored()).map_err(|error| error.is_of_items());
        (outcome, store.consumed().calls)
    };
    let alike = futures::future::join_all((0..300).map(|number| put(number, 10))).await;
    assert!(alike.iter().all(|outcome| *outcome == (Ok(true), 1)), "{alike:?}");
    // Each once more, each twice, and one that is too large.
    let puts = (200..400).chain(300..400).map(|number| put(number, if number == 399 { 500_000 } else { 10 }));
    let mixed = futures::future::join_all(puts).await;
    let count = |wanted| mixed.iter().filter(|(outcome, _)| *outcome == wanted).count();
    assert_eq!((count(Ok(true)), count(Ok(false)), count(Err(true))), (99, 199, 2));
    let stored = stack.store().query(Query::partition("ITEMS")).await.unwrap();
    assert_eq!(stored.len(), 399);
    stack.shutdown().await;
}
