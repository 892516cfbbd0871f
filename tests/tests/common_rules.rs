//! The rules that all endpoints share: order of checks, errors, methods, keys, rate limit, pages, dates.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use std::time::{Duration, Instant};

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use figures::table::codec::Format;
use figures::table::keys;
use figures::table::store::{DATA, REV, key_item, number};
use identity::args::KeyCommand;
use reqwest::{Client, Method};
use serde_json::json;
use shared::auth::{ApiKey, KeyKind};
use shared::routes::{Answers, BASE, COLLECT, ROUTES, Route};
use tests::clock::now;
use tests::example::page_view;
use tests::http::{Response, bare, get, send};
use tests::stack::{Counting, Project, Stack};
use tests::tracker::{Tracker, keyed};

/// The description of the API: the same for everyone, so no key is asked for.
const DESCRIPTION: &str = "/api/v1/openapi.json";

/// The endpoints that answer with something.
fn answering(with: impl Fn(Answers) -> bool) -> impl Iterator<Item = &'static str> {
    ROUTES.iter().filter(move |route| with(route.answers)).map(Route::resource)
}

/// The endpoints that answer with a page of a list.
fn lists() -> impl Iterator<Item = &'static str> {
    answering(|answers| answers == Answers::List)
}

/// The endpoints that answer with rankings.
fn rankings() -> impl Iterator<Item = &'static str> {
    answering(|answers| matches!(answers, Answers::Ranking(_)))
}

/// The endpoints that take a range of dates.
fn dated() -> impl Iterator<Item = &'static str> {
    answering(|answers| matches!(answers, Answers::List | Answers::Figures(_) | Answers::Ranking(_)))
}

/// A stack with one visitor in one project.
async fn with_a_visitor() -> (Stack, Project) {
    let stack = Stack::start(Counting::ByStream).await;
    let project = stack.project().await;
    let sent = Tracker::default().send(&stack, &project, page_view("v_1", "ses_1", "b_1", now())).await.unwrap();
    stack.counted(&project.id, &[sent]).await;
    (stack, project)
}

/// Tokens left, by the `RateLimit` header.
fn left(response: &Response) -> u64 {
    let header = response.header("ratelimit");
    let left = header.strip_prefix("\"default\";r=").and_then(|rest| rest.split_once(";t="));
    let (left, seconds) = left.unwrap_or_else(|| panic!("{header:?} in {response:?}"));
    assert!(seconds.parse::<u64>().unwrap() >= 1);
    left.parse().unwrap()
}

#[tokio::test]
async fn checks_come_in_their_order() {
    let (stack, project) = with_a_visitor().await;
    let (unknown, visitors) = (stack.at("nothing?start_date=x"), stack.at("visitors?start_date=x"));
    // The route comes before everything.
    bare(Method::GET, &unknown).await.error(404, "not_found");
    bare(Method::POST, &visitors).await.error(405, "method_not_allowed");
    get(&unknown, &project.secret_key).await.error(404, "not_found");
    // A key comes before the parameters and the resource.
    bare(Method::GET, &visitors).await.error(401, "unauthorized");
    bare(Method::GET, &stack.at("visitors/v_nobody")).await.error(401, "unauthorized");
    // The rate limit comes before the parameters, which cost a token.
    let limited = stack.key(&project.id, KeyKind::Secret, Some(3)).await;
    assert_eq!(left(&get(&stack.at("visitors"), &limited).await), 2);
    let refused = get(&visitors, &limited).await;
    refused.error(400, "invalid_date");
    assert_eq!(left(&refused), 1);
    let missing = get(&stack.at("visitors/v_nobody"), &limited).await;
    missing.error(404, "not_found");
    assert_eq!(left(&missing), 0);
    get(&visitors, &limited).await.error(429, "rate_limited");
    // Unknown paths cost nothing.
    get(&unknown, &limited).await.error(404, "not_found");
    stack.shutdown().await;
}

#[tokio::test]
async fn only_the_documented_methods_and_paths_are_known() {
    let (stack, project) = with_a_visitor().await;
    for route in ROUTES.iter().filter(|route| route.path == COLLECT || route.path.starts_with(BASE)) {
        let path = route.path.replace("{visitor_id}", "v_1").replace("{session_id}", "ses_1");
        let url = format!("{}{path}", stack.origin());
        for method in [Method::POST, Method::PUT, Method::PATCH, Method::DELETE, Method::OPTIONS, Method::GET] {
            if route.takes(method.as_str()) {
                continue;
            }
            let response = bare(method, &url).await;
            response.error(405, "method_not_allowed");
            assert_eq!(response.header("allow"), route.allowed());
        }
        if route.takes("GET") {
            let (whole, head) = (
                get(&url, &project.secret_key).await,
                send(Client::new().head(&url).bearer_auth(&project.secret_key)).await,
            );
            whole.ok();
            assert_eq!((head.status, head.text.as_str()), (whole.status, ""));
            assert_eq!(head.header("content-type"), whole.header("content-type"));
            if route.path != DESCRIPTION {
                left(&head);
                bare(Method::GET, &url).await.error(401, "unauthorized");
            }
        }
    }
    for path in ["/api", "/api/v1", "/api/v1/", "/api/v1/visitors/", "/api/v2/visitors", "/api/v1/Visitors"] {
        let url = format!("{}{path}", stack.origin());
        bare(Method::GET, &url).await.error(404, "not_found");
        get(&url, &project.secret_key).await.error(404, "not_found");
        bare(Method::DELETE, &url).await.error(404, "not_found");
    }
    stack.shutdown().await;
}

#[tokio::test]
async fn an_internal_failure_tells_nothing_of_itself() {
    let (stack, project) = with_a_visitor().await;
    let mut item = key_item(&keys::visitor(&project.id, &"v_broken".parse().unwrap()));
    item.insert(REV.to_owned(), number(1));
    let broken = [&[Format::CURRENT as u8], b"no visitor".as_slice()].concat();
    item.insert(DATA.to_owned(), AttributeValue::B(Blob::new(broken)));
    stack.store().put(item).await.unwrap();
    let message = get(&stack.at("visitors/v_broken"), &project.secret_key).await.error(500, "internal_error");
    assert_eq!(message, "Internal error.");
    stack.shutdown().await;
}

#[tokio::test]
async fn only_a_projects_own_secret_key_reads_it() {
    let (stack, project) = with_a_visitor().await;
    let other = stack.project().await;
    let url = stack.at("visitors/v_1");
    for scheme in ["Bearer", "bearer", "BEARER", "bEaReR"] {
        let authorization = format!("{scheme} {}", project.secret_key);
        send(Client::new().get(&url).header("authorization", authorization)).await.ok();
    }
    let unknown = ApiKey::generate(KeyKind::Secret).unwrap().reveal().to_owned();
    let key = &project.secret_key;
    let shortened = &key[..key.len() - 1];
    for authorization in [
        key.clone(),
        String::new(),
        "Bearer".to_owned(),
        format!("Basic {key}"),
        format!("Bearer {shortened}"),
        format!("Bearer {key}x"),
        format!("Bearer {}", key.to_uppercase()),
        format!("Bearer {unknown}"),
        format!("Bearer {}", project.public_key),
    ] {
        let response = send(Client::new().get(&url).header("authorization", &authorization)).await;
        let message = response.error(401, "unauthorized");
        assert!(!message.contains(&key[8..]), "no key is repeated: {message}");
    }
    let with_secret = keyed(&page_view("v_2", "ses_2", "b_1", now()), key);
    send(Tracker::default().post(&stack, &with_secret)).await.error(401, "unauthorized");

    // Another project's key sees none of it.
    get(&url, &other.secret_key).await.error(404, "not_found");
    get(&stack.at("sessions/ses_1"), &other.secret_key).await.error(404, "not_found");
    for path in lists().map(str::to_owned).chain(["events?visitor_id=v_1".to_owned()]) {
        let list = get(&stack.at(&path), &other.secret_key).await.ok();
        assert_eq!((&list["data"], &list["pagination"]["total"]), (&json!([]), &json!(0)), "{path}");
    }
    stack.shutdown().await;
}

/// How long after its revocation a key may still work somewhere.
const REVOCATION: Duration = Duration::from_secs(60);

#[tokio::test]
async fn a_revoked_key_stops_working_within_a_minute() {
    let (stack, project) = with_a_visitor().await;
    let (url, tracker) = (stack.at("visitors"), Tracker::default());
    let post = |number: u32| {
        let sent = page_view("v_2", "ses_2", &format!("b_{number}"), now());
        send(tracker.post(&stack, &keyed(&sent, &project.public_key)))
    };
    get(&url, &project.secret_key).await.ok();
    assert_eq!(post(0).await.status, 202);
    for key in [&project.secret_key, &project.public_key] {
        let id = ApiKey::parse(key).unwrap().sha256()[..12].to_owned();
        identity::key::run(stack.store(), &project.id, KeyCommand::Revoke { id }).await.unwrap();
    }
    let revoked = Instant::now();
    for number in 1.. {
        let (read, sent) = tokio::join!(get(&url, &project.secret_key), post(number));
        if read.status == 401 && sent.status == 401 {
            read.error(401, "unauthorized");
            sent.error(401, "unauthorized");
            break;
        }
        assert!(revoked.elapsed() < REVOCATION, "{read:?} {sent:?}");
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    stack.shutdown().await;
}

#[tokio::test]
async fn parallel_requests_get_what_the_bucket_holds_and_no_more() {
    let (stack, project) = with_a_visitor().await;
    let key = stack.key(&project.id, KeyKind::Secret, Some(60)).await;
    let (url, client) = (stack.at("visitors/v_1"), Client::new());
    let started = Instant::now();
    let requests: Vec<_> = (0..200).map(|_| tokio::spawn(send(client.get(&url).bearer_auth(&key)))).collect();
    let (mut served, mut wait) = (0, 0);
    for request in requests {
        let response = request.await.unwrap();
        assert_eq!(response.header("ratelimit-policy"), "\"default\";q=60;w=60");
        if response.status == 200 {
            served += 1;
            left(&response);
            assert_eq!(response.header("retry-after"), "");
        } else {
            let message = response.error(429, "rate_limited");
            assert_eq!(message, "Rate limit exceeded. Max 60 requests per minute.");
            assert_eq!(left(&response), 0);
            wait = response.header("retry-after").parse().unwrap();
            assert!(wait >= 1);
        }
    }
    let refilled = started.elapsed().as_secs() + 1;
    assert!((60..=60 + refilled).contains(&served), "{served} of 200 were served, {refilled} tokens came back at most");
    // Whoever waits as told is served.
    tokio::time::sleep(Duration::from_secs(wait)).await;
    get(&url, &key).await.ok();
    stack.shutdown().await;
}

#[tokio::test]
async fn a_key_may_have_another_limit_and_each_key_its_own_bucket() {
    let (stack, project) = with_a_visitor().await;
    let (key, fresh) = (
        stack.key(&project.id, KeyKind::Secret, Some(2)).await,
        stack.key(&project.id, KeyKind::Secret, Some(2)).await,
    );
    let url = stack.at("live");
    for remaining in [1, 0] {
        let response = get(&url, &key).await;
        response.ok();
        assert_eq!(left(&response), remaining);
        assert_eq!(response.header("ratelimit-policy"), "\"default\";q=2;w=60");
    }
    let message = get(&url, &key).await.error(429, "rate_limited");
    assert_eq!(message, "Rate limit exceeded. Max 2 requests per minute.");
    get(&url, &fresh).await.ok();
    stack.shutdown().await;
}

#[tokio::test]
async fn pages_are_read_strictly_and_described_exactly() {
    let (stack, project) = with_a_visitor().await;
    let get = async |path: String| get(&stack.at(&path), &project.secret_key).await;
    for list in lists() {
        for parameter in ["page", "limit"] {
            for value in ["0", "-1", "1.5", "", "one", "1e2", "%201", "0x1", "+1"] {
                // In a query, a bare plus is a space.
                let value = value.replace('+', "%2B");
                let message = get(format!("{list}?{parameter}={value}")).await.error(400, "invalid_parameter");
                assert!(message.contains(parameter), "{list}?{parameter}={value}: {message}");
            }
        }
        let usual = get(list.to_owned()).await.ok();
        let expected = json!({
            "total": 1, "page": 1, "limit": 50, "total_pages": 1, "has_next": false, "has_prev": false,
        });
        assert_eq!(usual["pagination"], expected);
        let large = get(format!("{list}?limit=1000")).await.ok();
        assert_eq!((&large["pagination"]["limit"], &large["data"]), (&json!(100), &usual["data"]));
        let past = get(format!("{list}?page=7&limit=1")).await.ok();
        let expected = json!({
            "total": 1, "page": 7, "limit": 1, "total_pages": 1, "has_next": false, "has_prev": true,
        });
        assert_eq!((&past["data"], &past["pagination"]), (&json!([]), &expected));
        // The largest integer that a JavaScript number holds is taken, and none beyond it.
        let far = get(format!("{list}?page=9007199254740991&limit=9007199254740991")).await.ok();
        assert_eq!(far["data"], json!([]));
        assert_eq!(
            (&far["pagination"]["page"], &far["pagination"]["limit"]),
            (&json!(9_007_199_254_740_991_u64), &json!(100))
        );
        for parameter in ["page", "limit"] {
            for value in ["9007199254740992", "18446744073709551615", "99999999999999999999"] {
                let message = get(format!("{list}?{parameter}={value}")).await.error(400, "invalid_parameter");
                assert_eq!(message, format!("{parameter} must be at most 9007199254740991."), "{list}");
            }
        }
        let none = get(format!("{list}?end_date=1999-12-31")).await.ok();
        let expected = json!({
            "total": 0, "page": 1, "limit": 50, "total_pages": 0, "has_next": false, "has_prev": false,
        });
        assert_eq!((&none["data"], &none["pagination"]), (&json!([]), &expected));
    }
    stack.shutdown().await;
}

#[tokio::test]
async fn rankings_take_a_limit_and_no_page() {
    let (stack, project) = with_a_visitor().await;
    let get = async |path: String| get(&stack.at(&path), &project.secret_key).await;
    for ranking in rankings() {
        for value in ["0", "-1", "1.5", "", "one", "9007199254740992"] {
            let message = get(format!("{ranking}?limit={value}")).await.error(400, "invalid_parameter");
            assert!(message.contains("limit"), "{ranking}?limit={value}: {message}");
        }
        let usual = get(ranking.to_owned()).await.ok();
        assert_eq!(get(format!("{ranking}?limit=1000&page=0")).await.ok(), usual, "{ranking}");
    }
    stack.shutdown().await;
}

#[tokio::test]
async fn dates_are_real_days_in_order() {
    let (stack, project) = with_a_visitor().await;
    let get = async |path: String| get(&stack.at(&path), &project.secret_key).await;
    for path in dated() {
        for query in [
            "start_date=2025-02-30",
            "start_date=2025-1-1",
            "start_date=",
            "end_date=tomorrow",
            "end_date=2025-01-01T00:00:00Z",
            "end_date=20250101",
            "start_date=%202025-01-01",
            "start_date=2023-02-29&end_date=2023-03-01",
            "start_date=2025-01-02&end_date=2025-01-01",
            "start_date=9999-01-01",
        ] {
            get(format!("{path}?{query}")).await.error(400, "invalid_date");
        }
        for query in ["start_date=1970-01-01", "start_date=2024-02-29&end_date=2024-02-29", "end_date=9999-12-31"] {
            get(format!("{path}?{query}")).await.ok();
        }
    }
    let period = async |query: &str| {
        let stats = get(format!("stats?{query}")).await.ok();
        let day = |name: &str| stats["data"]["period"][name].as_str().unwrap().to_owned();
        (day("start_date"), day("end_date"))
    };
    let days = |start: String, end: String| (start, end);
    let today = tests::oracle::day_of(now());
    let ago = |days: u64| (today - chrono::Days::new(days)).to_string();
    assert_eq!(period("").await, days(ago(29), ago(0)));
    assert_eq!(period("start_date=2025-01-01").await, days("2025-01-01".to_owned(), ago(0)));
    assert_eq!(period("end_date=2025-01-31").await, days("2025-01-02".to_owned(), "2025-01-31".to_owned()));
    stack.shutdown().await;
}

#[tokio::test]
async fn what_is_not_a_parameter_is_ignored() {
    let (stack, project) = with_a_visitor().await;
    let get = async |path: &str| get(&stack.at(path), &project.secret_key).await;
    for (path, query) in [
        ("visitors", "offset=x&visitor_id=v_2&url=%2Fnowhere"),
        ("sessions", "session_id=ses_2&browser=Opera"),
        ("events", "search=nothing&interval=year"),
        ("events/types", "limit=0&page=x&type=none"),
        ("stats", "limit=0&page=0&browser=Opera"),
        ("live", "start_date=x&end_date=y&page=0&limit=0"),
        ("visitors/v_1", "start_date=x&page=0"),
        ("sessions/ses_1", "end_date=x&limit=0"),
    ] {
        assert_eq!(get(&format!("{path}?{query}")).await.ok(), get(path).await.ok(), "{path}?{query}");
    }
    for minutes in ["0", "61", "1.5", "-1", "", "five"] {
        let message = get(&format!("live?threshold_minutes={minutes}")).await.error(400, "invalid_parameter");
        assert!(message.contains("threshold_minutes"), "{message}");
    }
    stack.shutdown().await;
}
