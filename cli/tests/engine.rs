//! The engine's port, which asks for no password: who gets an answer there.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod common;

use std::io::Write;
use std::sync::{Arc, Mutex};

use common::browser;
use identity::dev::{Options, Stack};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

async fn stack() -> Stack {
    Stack::start(Options::empty("shop".parse().unwrap())).await.unwrap()
}

/// Everything that the table holds.
fn scan(stack: &Stack) -> RequestBuilder {
    ask(stack, "Scan", &json!({ "TableName": stack.store().table() }))
}

fn ask(stack: &Stack, operation: &str, body: &Value) -> RequestBuilder {
    browser()
        .post(stack.endpoint_url())
        .header("content-type", "application/x-amz-json-1.0")
        .header("x-amz-target", format!("DynamoDB_20120810.{operation}"))
        .body(body.to_string())
}

/// The status, and the text, which reveals nothing to a page of any origin if it is refused.
async fn sent(request: RequestBuilder) -> (u16, Value) {
    let answer = request.send().await.unwrap();
    let status = answer.status().as_u16();
    for name in answer.headers().keys() {
        assert!(!name.as_str().starts_with("access-control-"), "{name}");
    }
    (status, answer.json().await.unwrap())
}

#[tokio::test]
async fn no_web_page_reaches_the_database() {
    let stack = stack().await;
    let table = json!({ "TableName": stack.store().table() });
    for (name, value) in [
        ("origin", "https://evil.example"),
        ("origin", "null"),
        ("origin", "http://127.0.0.1:3000"),
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
        ("sec-fetch-site", "none"),
    ] {
        for request in [scan(&stack), ask(&stack, "DeleteTable", &table)] {
            let (status, body) = sent(request.header(name, value)).await;
            assert_eq!(status, 403, "{name}: {value}: {body}");
            assert!(body["__type"].as_str().unwrap().ends_with("#AccessDeniedException"), "{body}");
            assert!(!body["message"].as_str().unwrap().is_empty());
        }
    }
    let preflight = browser()
        .request(Method::OPTIONS, stack.endpoint_url())
        .header("origin", "https://evil.example")
        .header("access-control-request-method", "POST")
        .header("access-control-request-headers", "content-type,x-amz-target");
    assert_eq!(sent(preflight).await.0, 403);
    let (status, body) = sent(scan(&stack)).await;
    assert_eq!((status, body["Count"].as_u64() > Some(2)), (200, true), "{body}");
    stack.shutdown().await;
}

/// A page can have a name of its own that is resolved to this machine. Then its requests are of one origin.
#[tokio::test]
async fn the_database_has_no_other_name_than_this_machines() {
    let stack = stack().await;
    let port = stack.endpoint_url().rsplit(':').next().unwrap().to_owned();
    for host in [
        "evil.example",
        "localhost.evil.example",
        "127.0.0.1.evil.example",
        "192.168.0.1",
        "[2001:db8::1]",
        "0.0.0.0",
        "",
    ] {
        for host in [host.to_owned(), format!("{host}:{port}")] {
            let (status, body) = sent(scan(&stack).header("host", &host)).await;
            assert_eq!(status, 403, "{host}: {body}");
        }
    }
    for host in ["127.0.0.1", "localhost", "LocalHost", "[::1]", "127.1.2.3"] {
        for host in [host.to_owned(), format!("{host}:{port}"), format!("{host}:9000")] {
            let (status, body) = sent(scan(&stack).header("host", &host)).await;
            assert_eq!(status, 200, "{host}: {body}");
        }
    }
    stack.shutdown().await;
}

#[tokio::test]
async fn what_is_no_operation_is_told() {
    let stack = stack().await;
    let unknown = sent(ask(&stack, "MakeCoffee", &json!({}))).await;
    assert_eq!((unknown.0, unknown.1["message"].as_str().unwrap().contains("MakeCoffee")), (400, true));
    assert_eq!(sent(browser().get(stack.endpoint_url())).await.0, 404);
    assert_eq!(sent(browser().post(stack.endpoint_url()).body("{}")).await.0, 404);
    let large = format!("{{\"TableName\":\"{}\"}}", "x".repeat(16 << 20));
    assert_eq!(sent(ask(&stack, "Scan", &json!({})).body(large)).await.0, 413);
    let (status, body) = sent(ask(&stack, "ListTables", &json!({}))).await;
    assert_eq!((status, &body["TableNames"]), (200, &json!([stack.store().table()])));
    stack.shutdown().await;
}

/// Log lines, in the place of standard error.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Whoever reads the log finds the cause, and nothing about connections that there are not.
#[tokio::test]
async fn a_failure_of_the_engine_is_told_by_its_cause_alone() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("site.db");
    let options = Options { data: Some(file.clone()), counts: false, ..Options::empty("shop".parse().unwrap()) };
    let stack = Stack::start(options).await.unwrap();
    let lines = Lines::default();
    let writer = lines.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::WARN)
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .finish();
    let _logging = tracing::subscriber::set_default(subscriber);

    let other = dynoxide::storage::Storage::new(file.to_str().unwrap()).unwrap();
    let items = "SELECT name FROM sqlite_master WHERE type = 'table' AND name LIKE '%identity' AND name NOT LIKE '%.%'";
    let items: String = other.conn().query_row(items, [], |row| row.get(0)).unwrap();
    other.conn().execute_batch(&format!("DROP TABLE \"{items}\"")).unwrap();
    let answer = browser().get(format!("{}/api/v1/stats", stack.base_url())).bearer_auth(stack.secret_key());
    assert_eq!(answer.send().await.unwrap().status(), 503);
    let said = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
    assert!(said.contains("no such table"), "{said}");
    assert!(!said.contains("ERROR") && !said.contains("connection"), "{said}");
    drop(other);
    stack.shutdown().await;
}
