//! The collector against an engine: what it answers and what it stores.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::net::IpAddr;
use std::sync::Arc;

use aws_sdk_dynamodb::types::AttributeValue;
use collect::Collector;
use figures::ids::ProjectId;
use figures::model::Batch;
use figures::table::ip::IpKeys;
use figures::table::keys;
use figures::table::store::{Query, Store, key_item, text};
use figures::time::Millis;
use lambda_http::http::{HeaderName, Method};
use lambda_http::{Body, Request, Response};
use serde_json::{Value, json};
use shared::app::{App, ClientAddress};
use shared::auth::{ApiKey, KIND, KeyKind, PROJECT};
use shared::origin::OriginSecrets;

const CHROME: &str =
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36";
const CLIENT: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(203, 0, 113, 9));

/// A collector on a fresh engine with one project.
struct Stage {
    store: Store,
    collector: Collector,
    project: ProjectId,
    key: String,
}

impl Stage {
    async fn new() -> Self {
        Stage::with_origins(&[]).await
    }

    async fn with_origins(origins: &[&str]) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(dynoxide::server::serve_on(listener, dynoxide::Database::memory().unwrap()));
        let store = Store::new(shared::aws::client(Some(&endpoint)).await, "identity");
        figures::table::schema::create(&store).await.unwrap();
        let project: ProjectId = "shop".parse().unwrap();
        let mut item = key_item(&keys::project(&project));
        item.insert("origins".to_owned(), AttributeValue::L(origins.iter().map(|&origin| text(origin)).collect()));
        store.put(item).await.unwrap();
        let collector = Collector::new(Arc::new(App::new(store.clone())));
        let key = put_key(&store, &project, KeyKind::Public).await;
        Stage { store, collector, project, key }
    }

    async fn send(&self, request: Request) -> (Response<Body>, Value) {
        let response = collect::handle(&self.collector, &request).await;
        let body = serde_json::from_slice(response.body()).unwrap_or(Value::Null);
        (response, body)
    }

    /// The one batch that is stored.
    async fn stored(&self) -> Batch {
        let items = self.batches().await;
        assert_eq!(items.len(), 1);
        Batch::from_item(&items[0]).unwrap()
    }

    async fn batches(&self) -> Vec<figures::table::store::Item> {
        let visitor = keys::visitor_partition(&self.project, &"v_1".parse().unwrap());
        self.store.query(Query::partition(visitor).strong()).await.unwrap()
    }

    fn batch(&self) -> Value {
        let now = Millis::now().0;
        json!({
            "key": self.key,
            "batch_id": "b_1",
            "sent_at": now,
            "page": "/pricing",
            "visitor": { "visitor_id": "v_1", "bot_score": 5 },
            "session": { "session_id": "ses_1", "started_at": now - 60_000, "url": "/" },
            "events": [
                { "name": "page_view", "created_at": now - 60_000, "data": { "url": "/" } },
                { "name": "rage_click", "created_at": now, "data": { "selector": "#buy" } }
            ]
        })
    }
}

async fn put_key(store: &Store, project: &ProjectId, kind: KeyKind) -> String {
    let key = ApiKey::generate(kind).unwrap();
    let mut item = key_item(&keys::api_key(&key.sha256()));
    item.insert(PROJECT.to_owned(), text(project.as_str()));
    item.insert(KIND.to_owned(), text(kind.name()));
    store.put(item).await.unwrap();
    key.reveal().to_owned()
}

fn post(body: impl Into<Body>) -> Request {
    with_headers(post_from(CLIENT, body), &[("user-agent", CHROME)])
}

fn post_from(address: IpAddr, body: impl Into<Body>) -> Request {
    let mut request = Request::new(body.into());
    *request.method_mut() = Method::POST;
    *request.uri_mut() = "/collect".parse().unwrap();
    request.extensions_mut().insert(ClientAddress(address));
    request
}

fn with_headers(mut request: Request, headers: &[(&str, &str)]) -> Request {
    for (name, value) in headers {
        request.headers_mut().insert(name.parse::<HeaderName>().unwrap(), value.parse().unwrap());
    }
    request
}

fn header<'a>(response: &'a Response<Body>, name: &str) -> Option<&'a str> {
    response.headers().get(name).and_then(|value| value.to_str().ok())
}

/// Asserts an error in the one envelope, which any page may read, and gives its message.
fn refused((response, body): &(Response<Body>, Value), status: u16, code: &str) -> String {
    assert_eq!(response.status().as_u16(), status, "{body}");
    assert_eq!((&body["error"]["status"], &body["error"]["code"]), (&json!(status), &json!(code)));
    assert_eq!(header(response, "content-type"), Some("application/json"));
    assert_eq!(header(response, "access-control-allow-origin"), Some("*"));
    body["error"]["message"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_batch_is_stored_before_it_is_accepted() {
    let stage = Stage::new().await;
    let before = Millis::now();
    let (response, body) = stage.send(post(stage.batch().to_string())).await;
    assert_eq!((response.status().as_u16(), body), (202, json!({ "data": { "accepted": 2 } })));
    assert_eq!(header(&response, "access-control-allow-origin"), Some("*"));
    assert_eq!(header(&response, "access-control-allow-credentials"), None);

    let batch = stage.stored().await;
    assert_eq!(
        (batch.visitor_id.as_str(), batch.session_id.as_str(), batch.batch_id.as_str()),
        ("v_1", "ses_1", "b_1")
    );
    assert!((before..=Millis::now()).contains(&batch.stored_at));
    assert_eq!(batch.visitor.browser_name.as_deref(), Some("Chrome"));
    assert_eq!(batch.visitor.browser_version.as_deref(), Some("126.0.0.0"));
    assert_eq!((batch.visitor.os.as_deref(), batch.visitor.mobile), (Some("Windows"), Some(0)));
    assert_eq!((batch.visitor.bot_score, batch.visitor.geo_country), (5, None));
    let pages: Vec<_> = batch.events.iter().map(|event| event.url.as_deref()).collect();
    assert_eq!(pages, [Some("/"), Some("/pricing")]);
}

#[tokio::test]
async fn a_batch_sent_again_changes_nothing_and_is_answered_alike() {
    let stage = Stage::new().await;
    let first = stage.batch();
    let (_, answer) = stage.send(post(first.to_string())).await;
    let stored = stage.batches().await;
    let mut again = first.clone();
    again["sent_at"] = json!(first["sent_at"].as_i64().unwrap() + 1_500);
    again["visitor"]["language"] = json!("sr");
    for body in [first, again] {
        let (response, body) = stage.send(post_from("198.51.100.7".parse().unwrap(), body.to_string())).await;
        assert_eq!((response.status().as_u16(), &body), (202, &answer));
    }
    assert_eq!(stage.batches().await, stored);
}

#[tokio::test]
async fn parallel_deliveries_of_one_batch_store_it_once() {
    let stage = Stage::new().await;
    let body = stage.batch().to_string();
    let answers = futures::future::join_all((0..20).map(|_| stage.send(post(body.clone())))).await;
    assert!(answers.iter().all(|(response, _)| response.status() == 202));
    assert_eq!(stage.stored().await.events.len(), 2);
}

#[tokio::test]
async fn addresses_are_stored_encrypted() {
    let stage = Stage::new().await;
    stage.send(post(stage.batch().to_string())).await;
    let batch = stage.stored().await;
    let plain = serde_json::to_string(&batch).unwrap();
    assert!(!plain.contains("203.0.113.9") && !plain.contains("[203,0,113,9]"), "{plain}");
    let keys = IpKeys::load(&stage.store, &stage.project, Millis::now()).await.unwrap();
    assert_eq!(keys.decrypt(batch.visitor.ip.as_ref().unwrap()), Some(CLIENT));
}

#[tokio::test]
async fn any_content_type_and_a_binary_body_are_taken() {
    let stage = Stage::new().await;
    for (number, kind) in
        ["text/plain;charset=UTF-8", "application/json", "application/x-www-form-urlencoded"].iter().enumerate()
    {
        let mut batch = stage.batch();
        batch["batch_id"] = json!(format!("b_{number}"));
        let request = with_headers(post(batch.to_string().into_bytes()), &[("content-type", kind)]);
        assert_eq!(stage.send(request).await.0.status(), 202, "{kind}");
    }
    let (response, body) = {
        let mut heartbeat = stage.batch();
        heartbeat["batch_id"] = json!("b_heart");
        heartbeat["events"] = Value::Null;
        stage.send(post(heartbeat.to_string())).await
    };
    assert_eq!((response.status().as_u16(), body), (202, json!({ "data": { "accepted": 0 } })));
    assert_eq!(stage.batches().await.len(), 4);
}

#[tokio::test]
async fn only_a_live_public_key_may_send() {
    let stage = Stage::new().await;
    let secret = put_key(&stage.store, &stage.project, KeyKind::Secret).await;
    let unknown = ApiKey::generate(KeyKind::Public).unwrap().reveal().to_owned();
    for key in [secret.as_str(), &unknown, "pk_live_short", "", &stage.key.to_uppercase()] {
        let mut batch = stage.batch();
        batch["key"] = json!(key);
        refused(&stage.send(post(batch.to_string())).await, 401, "unauthorized");
        // The key is judged before the rest.
        refused(&stage.send(post(json!({ "key": key, "events": 7 }).to_string())).await, 401, "unauthorized");
    }
    assert!(stage.batches().await.is_empty());
}

#[tokio::test]
async fn a_broken_rule_is_named_and_nothing_is_stored() {
    let stage = Stage::new().await;
    let mut batch = stage.batch();
    batch["events"][1]["name"] = json!("Rage Click");
    let message = refused(&stage.send(post(batch.to_string())).await, 400, "invalid_body");
    assert_eq!(message, "events[1].name: must be 1 to 64 characters of a-z, 0-9 and _");
    for (body, expected) in [
        ("", "body: is not valid JSON"),
        ("[]", "body: "),
        ("{}", "key: is required"),
        (r#"{"key":7}"#, "key: must be a string"),
    ] {
        let message = refused(&stage.send(post(body)).await, 400, "invalid_body");
        assert!(message.starts_with(expected), "{message}");
    }
    let mut old = stage.batch();
    old["events"][0]["created_at"] = json!(Millis::now().0 - 8 * 86_400_000);
    let message = refused(&stage.send(post(old.to_string())).await, 400, "invalid_body");
    assert!(message.starts_with("events[0].created_at: "), "{message}");
    assert!(stage.batches().await.is_empty());
}

#[tokio::test]
async fn a_body_over_64_kib_is_too_large() {
    let stage = Stage::new().await;
    let mut batch = stage.batch();
    batch["padding"] = json!("");
    let room = collect::limits::MAX_BODY - batch.to_string().len();
    batch["padding"] = json!("x".repeat(room + 1));
    refused(&stage.send(post(batch.to_string())).await, 413, "payload_too_large");
    assert!(stage.batches().await.is_empty());
    batch["padding"] = json!("x".repeat(room));
    assert_eq!(stage.send(post(batch.to_string())).await.0.status(), 202);
}

#[tokio::test]
async fn pages_of_origins_that_are_not_listed_may_not_send() {
    let stage = Stage::with_origins(&["https://shop.example"]).await;
    let send =
        async |origin: &str, body: Value| stage.send(with_headers(post(body.to_string()), &[("origin", origin)])).await;
    refused(&send("https://other.example", stage.batch()).await, 403, "origin_not_allowed");
    assert!(stage.batches().await.is_empty());
    let (response, _) = send("https://shop.example", stage.batch()).await;
    assert_eq!(response.status(), 202);
    assert_eq!(header(&response, "access-control-allow-origin"), Some("https://shop.example"));
    assert_eq!(header(&response, "vary"), Some("Origin"));
    let (response, _) = send("https://shop.example", json!({ "key": stage.key })).await;
    assert_eq!(
        (response.status().as_u16(), header(&response, "access-control-allow-origin")),
        (400, Some("https://shop.example"))
    );
    assert_eq!(stage.send(post(stage.batch().to_string())).await.0.status(), 202, "a server sends no Origin");
}

#[tokio::test]
async fn any_origin_may_send_where_none_is_listed() {
    let stage = Stage::new().await;
    let request = with_headers(post(stage.batch().to_string()), &[("origin", "https://any.example")]);
    let (response, _) = stage.send(request).await;
    assert_eq!((response.status().as_u16(), header(&response, "access-control-allow-origin")), (202, Some("*")));
}

#[tokio::test]
async fn preflight_and_other_methods_are_answered() {
    let stage = Stage::new().await;
    let ask = async |method: Method| {
        let mut request = with_headers(post(""), &[("origin", "https://shop.example")]);
        *request.method_mut() = method;
        stage.send(request).await
    };
    let (response, _) = ask(Method::OPTIONS).await;
    assert_eq!(response.status(), 204);
    assert_eq!(header(&response, "access-control-allow-origin"), Some("*"));
    assert_eq!(header(&response, "access-control-allow-methods"), Some("POST, OPTIONS"));
    assert_eq!(header(&response, "access-control-allow-headers"), Some("content-type"));
    assert_eq!(header(&response, "access-control-max-age"), Some("86400"));
    for method in [Method::GET, Method::PUT, Method::DELETE, Method::PATCH] {
        let answer = ask(method).await;
        refused(&answer, 405, "method_not_allowed");
        assert_eq!(header(&answer.0, "allow"), Some("POST, OPTIONS"));
    }
    let (response, body) = ask(Method::HEAD).await;
    assert_eq!((response.status().as_u16(), header(&response, "allow")), (405, Some("POST, OPTIONS")));
    assert_eq!(body, Value::Null, "HEAD is answered without a body");
}

#[tokio::test]
async fn a_client_that_floods_is_told_to_wait_and_others_are_not() {
    let stage = Stage::new().await;
    // What breaks a rule costs a token too, but no write.
    let broken = json!({ "key": stage.key }).to_string();
    let mut answer = stage.send(post(broken.clone())).await;
    for _ in 0..200_000 {
        if answer.0.status() == 429 {
            break;
        }
        answer = stage.send(post(broken.clone())).await;
    }
    refused(&answer, 429, "rate_limited");
    let wait: u64 = header(&answer.0, "retry-after").unwrap().parse().unwrap();
    assert!(wait >= 1);
    assert_eq!(header(&answer.0, "access-control-expose-headers"), Some("Retry-After"));
    let (response, _) = stage.send(post_from("198.51.100.7".parse().unwrap(), stage.batch().to_string())).await;
    assert_eq!(response.status(), 202);
}

#[tokio::test]
async fn a_declared_bot_scores_100_whatever_it_says() {
    let stage = Stage::new().await;
    let headless = CHROME.replace("Chrome/", "HeadlessChrome/");
    stage.send(with_headers(post(stage.batch().to_string()), &[("user-agent", &headless)])).await;
    assert_eq!(stage.stored().await.visitor.bot_score, 100);
}

#[tokio::test]
async fn a_client_may_call_itself_a_bot() {
    let stage = Stage::new().await;
    let mut batch = stage.batch();
    batch["visitor"]["bot_score"] = json!(77);
    stage.send(post(batch.to_string())).await;
    assert_eq!(stage.stored().await.visitor.bot_score, 77);
}

#[tokio::test]
async fn the_cdn_is_believed_beside_its_secret_alone() {
    let viewer = [
        ("cloudfront-viewer-country", "RS"),
        ("cloudfront-viewer-country-name", "Serbia"),
        ("cloudfront-viewer-city", "Novi%20Sad"),
        ("cloudfront-viewer-address", "198.51.100.7:4711"),
    ];
    for (secret, trusted) in [("s3cret", true), ("wrong", false)] {
        let mut stage = Stage::new().await;
        stage.collector = stage.collector.trusting(OriginSecrets::new(["s3cret".to_owned()]));
        let request = with_headers(post(stage.batch().to_string()), &viewer);
        stage.send(with_headers(request, &[("x-origin-secret", secret)])).await;
        let facts = stage.stored().await.visitor;
        let told = |text: &str| trusted.then(|| text.to_owned());
        assert_eq!(
            (facts.geo_country, facts.geo_country_code, facts.geo_city),
            (told("Serbia"), told("RS"), told("Novi Sad"))
        );
        let keys = IpKeys::load(&stage.store, &stage.project, Millis::now()).await.unwrap();
        let address = if trusted { "198.51.100.7".parse().unwrap() } else { CLIENT };
        assert_eq!(keys.decrypt(&facts.ip.unwrap()), Some(address));
    }
}

#[tokio::test]
async fn what_is_not_stored_is_not_accepted() {
    let stage = Stage::new().await;
    assert_eq!(stage.send(post(stage.batch().to_string())).await.0.status(), 202);
    stage.store.client().delete_table().table_name(stage.store.table()).send().await.unwrap();
    let mut next = stage.batch();
    next["batch_id"] = json!("b_2");
    let message = refused(&stage.send(post(next.to_string())).await, 500, "internal_error");
    assert_eq!(message, "Internal error.");
}

#[tokio::test]
async fn a_warm_collector_reads_no_key_before_it_writes() {
    let stage = Stage::new().await;
    stage.send(post(stage.batch().to_string())).await;
    // Without its key in the table, only memory can admit the next batch.
    let key = keys::api_key(&ApiKey::parse(&stage.key).unwrap().sha256());
    stage.store.delete(&key).await.unwrap();
    let mut next = stage.batch();
    next["batch_id"] = json!("b_2");
    assert_eq!(stage.send(post(next.to_string())).await.0.status(), 202);
}

/// As a browser sends it whose visitor reads a page: what it says is a site's own and the browser's, but for its identifiers.
fn usual(stage: &Stage, number: usize, now: Millis) -> Value {
    let url = format!("/shop/winter-jackets/model-{}?size=m&colour=blue", number % 200);
    let event = |name: &str, data: Value| json!({ "name": name, "url": url, "created_at": now.0 - 900, "data": data });
    json!({
        "key": stage.key, "batch_id": format!("b_{number:016}"), "sent_at": now.0, "page": url,
        "visitor": { "visitor_id": format!("v_{number:016}"), "screen_width": 1920, "screen_height": 1080,
            "timezone": "Europe/Belgrade", "language": "sr-Latn-RS", "ad_block": 0, "bot_score": 0 },
        "session": { "session_id": format!("ses_{number:016}"), "started_at": now.0 - 1_000, "url": url,
            "referrer": "https://www.google.com/", "click_count": 1, "max_scroll_depth": 40 },
        "events": [
            event("page_view", json!({ "url": url, "title": format!("Winter jacket, model {} | Shop", number % 200) })),
            event("web_vitals", json!({ "lcp": 1_834, "fcp": 912, "ttfb": 120 })),
            event("rage_click", json!({ "selector": "main > form.buy > button.primary", "x": 12, "y": 9 })),
        ],
    })
}

/// As many events as a batch may have, each on a page of its own, on a week's days.
fn of_many_pages(stage: &Stage, number: usize, events: usize, length: usize, now: Millis) -> Value {
    let mut batch = usual(stage, number, now);
    let page = |at: usize| format!("/{:0>length$}", number * 1_000 + at);
    let event = |at: usize| {
        let created_at = now.0 - 1_000 - (at % 7) as i64 * 86_400_000 * 6 / 7;
        json!({ "name": "page_view", "url": page(at), "created_at": created_at })
    };
    batch["events"] = (0..events).map(event).collect();
    batch
}

/// Whether it is taken, or after how many seconds it may be sent again.
async fn sent_at(stage: &Stage, batch: &Value, now: Millis) -> Result<(), u64> {
    let response = collect::handle_at(&stage.collector, &post(batch.to_string()), now).await;
    match response.status().as_u16() {
        202 => Ok(()),
        429 => Err(header(&response, "retry-after").unwrap().parse().unwrap()),
        status => panic!("{status}: {:?}", response.body()),
    }
}

#[tokio::test]
async fn usual_batches_of_many_visitors_of_one_address_are_all_taken() {
    let (stage, now) = (Stage::new().await, Millis::now());
    for number in 0..600 {
        assert_eq!(sent_at(&stage, &usual(&stage, number, now), now).await, Ok(()), "at once: {number}");
    }
    for number in 0..600 {
        let now = now.plus(number as i64 * 1_000 / 60);
        assert_eq!(sent_at(&stage, &usual(&stage, 600 + number, now), now).await, Ok(()), "60 a second: {number}");
    }
}

#[tokio::test]
async fn an_address_can_not_bring_about_much_that_every_request_reads() {
    let (stage, now) = (Stage::new().await, Millis::now());
    let mut taken = 0;
    let wait = loop {
        match sent_at(&stage, &of_many_pages(&stage, taken, 100, 120, now), now).await {
            Ok(()) => taken += 1,
            Err(wait) => break wait,
        }
        assert!(taken < 200);
    };
    assert!((7..=11).contains(&taken), "{taken} at once");
    let later = now.plus(wait as i64 * 1_000);
    assert_eq!(sent_at(&stage, &of_many_pages(&stage, taken, 100, 120, later), later).await, Ok(()));
    let mut in_a_minute = 0;
    for number in 0..600 {
        let now = later.plus(number * 100);
        in_a_minute += usize::from(
            sent_at(&stage, &of_many_pages(&stage, 1_000 + number as usize, 100, 120, now), now).await.is_ok(),
        );
    }
    assert!((55..=80).contains(&in_a_minute), "{in_a_minute} in a minute");
}

#[tokio::test]
async fn what_browsers_kept_for_a_week_gets_through_within_a_minute() {
    let (stage, began) = (Stage::new().await, Millis::now());
    // Six visitors of one address with as much as a browser keeps, 40,000 characters of it.
    let (mut now, mut number) = (began, 0);
    for _ in 0..6 {
        let mut characters = 0;
        while characters < 40_000 {
            let batch = of_many_pages(&stage, number, 100, 60, now);
            characters += batch.to_string().len();
            while let Err(wait) = sent_at(&stage, &batch, now).await {
                now = now.plus(wait as i64 * 1_000);
            }
            number += 1;
        }
    }
    assert!(now.0 - began.0 < 60_000, "{} ms", now.0 - began.0);
}

#[tokio::test]
async fn a_batch_as_large_as_it_may_be_is_taken_from_an_address_that_sent_nothing() {
    let (stage, now) = (Stage::new().await, Millis::now());
    let batch = of_many_pages(&stage, 1, 100, 550, now);
    assert!(batch.to_string().len() > 60_000);
    assert_eq!(sent_at(&stage, &batch, now).await, Ok(()));
}
