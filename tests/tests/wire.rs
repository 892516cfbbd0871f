//! Requests as they come over the wire, well-formed or not.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use reqwest::Method;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use tests::clock::now;
use tests::example::page_view;
use tests::http::{Response, bare};
use tests::stack::{Counting, Project, Stack};
use tests::tracker::keyed;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

/// A connection to a stack.
struct Wire(BufReader<TcpStream>);

impl Wire {
    async fn open(stack: &Stack) -> Self {
        let address = stack.origin().strip_prefix("http://").unwrap().to_owned();
        Wire(BufReader::new(TcpStream::connect(address).await.unwrap()))
    }

    async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.0.write_all(bytes.as_ref()).await.unwrap();
    }

    async fn line(&mut self) -> String {
        let mut line = String::new();
        self.0.read_line(&mut line).await.unwrap();
        line.trim_end().to_owned()
    }

    async fn receive(&mut self) -> Response {
        let status = self.line().await;
        let status = status.split(' ').nth(1).unwrap_or_else(|| panic!("no status: {status:?}")).parse().unwrap();
        let mut headers = HeaderMap::new();
        loop {
            let line = self.line().await;
            let Some((name, value)) = line.split_once(": ") else { break };
            let name: HeaderName = name.parse().unwrap();
            assert!(headers.insert(name, HeaderValue::from_str(value).unwrap()).is_none(), "{line} comes twice");
        }
        let length = headers.get("content-length").map_or(0, |length| length.to_str().unwrap().parse().unwrap());
        let mut body = vec![0; length];
        self.0.read_exact(&mut body).await.unwrap();
        Response::new(status, headers, body)
    }

    async fn is_closed(&mut self) -> bool {
        self.0.read(&mut [0]).await.unwrap() == 0
    }
}

async fn exchange(stack: &Stack, bytes: impl AsRef<[u8]>) -> Response {
    let mut wire = Wire::open(stack).await;
    wire.send(bytes).await;
    wire.receive().await
}

fn request(target: &str, project: &Project) -> String {
    format!("GET {target} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {}\r\n\r\n", project.secret_key)
}

#[tokio::test]
async fn what_is_no_request_is_answered_in_the_envelope() {
    let stack = Stack::start(Counting::ByTest).await;
    let with = |headers: &str| format!("POST /collect HTTP/1.1\r\nhost: localhost\r\n{headers}\r\n\r\n");
    let many: String = (0..101).map(|number| format!("x-{number}: 1\r\n")).collect();
    let to = |target: &str| format!("GET {target} HTTP/1.1\r\nhost: localhost\r\n\r\n");
    for (status, sent) in [
        (400, with("no header")),
        (400, with("a b: c")),
        (400, with("x: \u{0}")),
        (400, with("content-length: x")),
        (400, with("content-length: -1")),
        (400, with("content-length: 5\r\ncontent-length: 6")),
        (400, with("transfer-encoding: gzip")),
        (400, "G\"T / HTTP/1.1\r\n\r\n".to_owned()),
        (400, "GET /\r\n\r\n".to_owned()),
        (400, "GET / HTTP/3.0\r\n\r\n".to_owned()),
        (400, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_owned()),
        (400, "nothing of the kind\r\n\r\n".to_owned()),
        (400, "nothing of the kind\n\n".to_owned()),
        (400, "\u{16}\u{3}\u{1}".to_owned()),
        (400, to("a/b")),
        (400, to("http://[")),
        (414, to(&format!("/{}", "x".repeat(70_000)))),
        (431, with(&many)),
        (431, with(&format!("x: {}", "x".repeat(1 << 20)))),
    ] {
        let start: String = sent.chars().take(60).collect();
        let mut wire = Wire::open(&stack).await;
        wire.send(&sent).await;
        let answer = wire.receive().await;
        assert_eq!(answer.status, status, "{start:?}: {answer:?}");
        answer.error(status, "invalid_request");
        assert!(!answer.header("date").is_empty());
        assert!(wire.is_closed().await, "{start:?}");
    }
    stack.shutdown().await;
}

#[tokio::test]
async fn characters_that_should_be_encoded_are_taken_as_meant() {
    let stack = Stack::start(Counting::ByStream).await;
    let project = stack.project().await;
    let sent = page_view("v_1", "ses_1", "b_1", now());
    stack.store_batch(&project, 1, &sent).await.unwrap();
    stack.counted(&project.id, &[sent]).await;
    for query in ["\"a\"", "<a>", "a b", "a#b", "a\tb", "\u{1}", "é", "{|}\\^`", "%22", "a\u{7f}"] {
        let answer = exchange(&stack, request(&format!("/api/v1/visitors?search={query}"), &project)).await;
        assert_eq!(answer.ok()["pagination"]["total"], 0, "{query}");
    }
    let mut wire = Wire::open(&stack).await;
    for (query, total) in [("v_1", 1), ("\"v_1\"", 0), ("v_1", 1), ("v <1>", 0)] {
        wire.send(request(&format!("/api/v1/visitors?search={query}"), &project)).await;
        assert_eq!(wire.receive().await.ok()["pagination"]["total"], total, "{query}");
    }
    for path in ["/api/v1/visitors/\"a\"", "/api/v1/visitors/<a>", "/api/v1/visitors/a b", "/<>", "/a b"] {
        exchange(&stack, request(path, &project)).await.error(404, "not_found");
    }
    stack.shutdown().await;
}

#[tokio::test]
async fn a_connection_takes_requests_until_one_is_none() {
    let stack = Stack::start(Counting::ByTest).await;
    let project = stack.project().await;
    let (stats, path) = (request("/api/v1/stats", &project), "/collect");
    let body = keyed(&page_view("v_1", "ses_1", "b_1", now()), &project.public_key).to_string();
    let batch = format!("POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-length: {}\r\n\r\n{body}", body.len());
    let mut wire = Wire::open(&stack).await;
    for _ in 0..3 {
        wire.send(&stats).await;
        wire.receive().await.ok();
        wire.send(&batch).await;
        assert_eq!(wire.receive().await.status, 202);
    }
    // Byte by byte, and several at once.
    for byte in batch.as_bytes() {
        wire.send([*byte]).await;
    }
    assert_eq!(wire.receive().await.status, 202);
    wire.send(format!("{batch}{stats}{batch}{stats}")).await;
    for status in [202, 200, 202, 200] {
        assert_eq!(wire.receive().await.status, status);
    }
    // In chunks, after the server said that it takes them.
    let head =
        "POST /collect HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\nexpect: 100-continue\r\n\r\n";
    wire.send(head).await;
    assert_eq!(wire.receive().await.status, 100);
    wire.send(format!("{:x}\r\n{body}\r\n0\r\n\r\n", body.len())).await;
    assert_eq!(wire.receive().await.status, 202);
    wire.send("GET /nothing HTTP/1.1\nhost: localhost\n\n").await;
    wire.receive().await.error(404, "not_found");

    wire.send("no request\r\n\r\n").await;
    wire.receive().await.error(400, "invalid_request");
    assert!(wire.is_closed().await);
    stack.shutdown().await;
}

/// A page finds out what is wrong with what it sends.
#[tokio::test]
async fn a_wrong_method_of_the_collector_can_be_read_by_pages() {
    let stack = Stack::start(Counting::ByTest).await;
    for method in [Method::GET, Method::PUT, Method::DELETE, Method::PATCH] {
        let answer = bare(method, &format!("{}/collect", stack.origin())).await;
        answer.error(405, "method_not_allowed");
        assert_eq!(answer.header("access-control-allow-origin"), "*");
    }
    let answer = bare(Method::POST, &stack.at("stats")).await;
    assert_eq!(answer.header("access-control-allow-origin"), "");
    stack.shutdown().await;
}

/// What is answered depends on a key, never on the name that the server is called by.
#[tokio::test]
async fn the_api_needs_a_key_under_any_name() {
    let stack = Stack::start(Counting::ByTest).await;
    let project = stack.project().await;
    for host in ["localhost", "evil.example"] {
        let ask =
            |rest: &str| format!("GET /api/v1/stats HTTP/1.1\r\nhost: {host}\r\norigin: http://{host}\r\n{rest}\r\n");
        let refused = exchange(&stack, ask("")).await;
        refused.error(401, "unauthorized");
        let answer = exchange(&stack, ask(&format!("authorization: Bearer {}\r\n", project.secret_key))).await;
        answer.ok();
        for answer in [refused, answer] {
            assert_eq!(answer.header("access-control-allow-origin"), "");
        }
    }
    stack.shutdown().await;
}
