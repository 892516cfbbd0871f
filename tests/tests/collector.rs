//! The collector as a page's tracker and its site's owner see it.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use std::sync::Arc;
use std::time::{Duration, Instant};

use collect::Collector;
use figures::site::OriginPattern;
use figures::time::{Day, Millis};
use reqwest::header::HeaderValue;
use reqwest::{Client, Method};
use serde_json::{Value, json};
use shared::app::{App, ClientAddress};
use shared::auth::{ApiKey, KeyKind};
use shared::projects::{self, Settings};
use shared::routes::COLLECT;
use tests::clock::now;
use tests::example::page_view;
use tests::http::{Response, get, send};
use tests::sent::Sent;
use tests::stack::{Counting, Project, Stack};
use tests::tracker::{Tracker, USER_AGENT, keyed};

/// How soon after the collector's answer a batch is in every figure.
const COMPLETE_WITHIN: Duration = Duration::from_secs(10);
const MS_PER_DAY: i64 = 86_400_000;

async fn post(stack: &Stack, body: &Value) -> Response {
    send(Tracker::default().post(stack, body)).await
}

fn body(project: &Project, edit: impl FnOnce(&mut Sent)) -> Value {
    let mut sent = page_view("v_1", "ses_1", "b_1", now());
    edit(&mut sent);
    keyed(&sent, &project.public_key)
}

fn accepted(response: &Response, events: usize) {
    assert_eq!(response.status, 202, "{response:?}");
    assert_eq!(response.json(), json!({ "data": { "accepted": events } }));
}

#[tokio::test]
async fn a_batch_is_taken_once_and_soon_in_every_figure() {
    let stack = Stack::start(Counting::ByStream).await;
    let project = stack.project().await;
    let sent = body(&project, |_| {});
    accepted(&post(&stack, &sent).await, 1);
    let answered = Instant::now();
    // A beacon sends text, a fetch JSON, and both may come.
    for content_type in ["text/plain;charset=UTF-8", "application/json"] {
        accepted(&send(Tracker::default().post(&stack, &sent).header("content-type", content_type)).await, 1);
    }
    let api = async |path: &str| get(&stack.at(path), &project.secret_key).await;
    while api("stats").await.ok()["data"]["total_sessions"] == 0 {
        assert!(answered.elapsed() < COMPLETE_WITHIN);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let stats = api("stats").await.ok();
    for (figure, expected) in [
        ("total_visitors", 1),
        ("new_visitors", 1),
        ("total_sessions", 1),
        ("total_page_views", 1),
        ("total_events", 1),
    ] {
        assert_eq!(stats["data"][figure], expected, "{figure}");
    }
    for list in ["visitors", "sessions", "events"] {
        assert_eq!(api(list).await.ok()["pagination"]["total"], 1, "{list}");
    }
    assert_eq!(api("events/types").await.ok()["data"], json!([{ "name": "page_view", "count": 1 }]));
    assert_eq!(api("live").await.ok()["count"], 1);
    let visitor = api("visitors/v_1").await.ok();
    for (field, expected) in [("browser_name", json!("Chrome")), ("os", json!("Windows")), ("mobile", json!(0))] {
        assert_eq!(visitor["data"][field], expected, "{field}");
    }
    stack.shutdown().await;
}

#[tokio::test]
async fn what_breaks_a_rule_is_refused_whole_and_named() {
    let stack = Stack::start(Counting::ByStream).await;
    let project = stack.project().await;
    let with = |pointer: &str, value: Value| {
        let mut sent = body(&project, |_| {});
        *sent.pointer_mut(pointer).unwrap_or_else(|| panic!("{pointer}")) = value;
        sent
    };
    let two_events = |second: fn(&mut tests::sent::Event)| {
        body(&project, |sent| {
            let mut event = sent.events[0].clone();
            second(&mut event);
            sent.events.push(event);
        })
    };
    let refused = [
        (with("/batch_id", json!("b 1")), "batch_id"),
        (with("/batch_id", json!("")), "batch_id"),
        (with("/batch_id", json!("b".repeat(129))), "batch_id"),
        (with("/batch_id", Value::Null), "batch_id"),
        (with("/sent_at", json!("now")), "sent_at"),
        (with("/page", json!(5)), "page"),
        (with("/visitor/visitor_id", json!("v#1")), "visitor.visitor_id"),
        (with("/visitor", json!([])), "visitor"),
        (with("/session/session_id", json!("é")), "session.session_id"),
        (with("/session/started_at", json!(-1.5)), "session.started_at"),
        (with("/session/url", json!("/".repeat(2_049))), "session.url"),
        (with("/session", json!({ "session_id": "ses_1" })), "session.started_at"),
        (with("/events", json!({})), "events"),
        (with("/events", json!(vec![json!({ "name": "a", "created_at": now() }); 101])), "events"),
        (with("/events/0/name", json!("Page-View")), "events[0].name"),
        (with("/events/0/name", json!("x".repeat(65))), "events[0].name"),
        (with("/events/0", json!({ "created_at": now() })), "events[0].name"),
        (with("/events/0/url", json!("/".repeat(2_049))), "events[0].url"),
        (with("/events/0", json!({ "name": "a", "created_at": now(), "data": [1] })), "events[0].data"),
        (
            with("/events/0", json!({ "name": "a", "created_at": now(), "data": { "x": "y".repeat(8 << 10) } })),
            "events[0].data",
        ),
        (two_events(|event| event.name = String::new()), "events[1].name"),
        (two_events(|event| event.created_at -= 7 * MS_PER_DAY + 60_000), "events[1].created_at"),
        (two_events(|event| event.created_at += 360_000), "events[1].created_at"),
    ];
    for (sent, field) in refused {
        let message = post(&stack, &sent).await.error(400, "invalid_body");
        assert!(message.contains(field), "{field} is not named: {message}");
    }
    for text in ["", "{", "[]", "\u{feff}{}", "null"] {
        let url = format!("{}/collect", stack.origin());
        send(Client::new().post(url).body(text)).await.error(400, "invalid_body");
    }
    // Nothing of them was stored: the same batch is still new, and is all there is.
    let sent = body(&project, |_| {});
    accepted(&post(&stack, &sent).await, 1);
    stack.counted(&project.id, &[page_view("v_1", "ses_1", "b_1", now())]).await;
    let events = get(&stack.at("events"), &project.secret_key).await.ok();
    assert_eq!(events["pagination"]["total"], 1);
    stack.shutdown().await;
}

/// As a browser sends a text that a page cut in the middle of an emoji.
#[tokio::test]
async fn half_of_an_emoji_costs_the_character_and_not_the_batch() {
    let stack = Stack::start(Counting::ByStream).await;
    let project = stack.project().await;
    let sent = page_view("v_1", "ses_1", "b_1", now());
    let whole = keyed(&sent, &project.public_key).to_string();
    let halved = whole.replace(r#""name":"page_view""#, r#""name":"page_view","data":{"title":"Half: \ud83d"}"#);
    assert_ne!(halved, whole);
    let url = format!("{}/collect", stack.origin());
    accepted(&send(Client::new().post(url).header("user-agent", USER_AGENT).body(halved)).await, 1);
    stack.counted(&project.id, &[sent]).await;
    let events = get(&stack.at("events"), &project.secret_key).await.ok();
    assert_eq!(events["data"][0]["data"]["title"], "Half: \u{fffd}");
    stack.shutdown().await;
}

#[tokio::test]
async fn sixty_four_kibibytes_are_taken_and_a_byte_more_is_not() {
    let stack = Stack::start(Counting::ByStream).await;
    let project = stack.project().await;
    let of_size = |size: usize| {
        let mut sent = body(&project, |_| {});
        // An unknown field, so that no other limit is met.
        sent["padding"] = json!("");
        let padding = "x".repeat(size - sent.to_string().len());
        sent["padding"] = json!(padding);
        assert_eq!(sent.to_string().len(), size);
        sent
    };
    accepted(&post(&stack, &of_size(64 << 10)).await, 1);
    post(&stack, &of_size((64 << 10) + 1)).await.error(413, "payload_too_large");
    post(&stack, &of_size(1 << 20)).await.error(413, "payload_too_large");
    stack.shutdown().await;
}

#[tokio::test]
async fn any_page_may_send_unless_the_project_lists_its_origins() {
    let stack = Stack::start(Counting::ByStream).await;
    let open = stack.project().await;
    let url = format!("{}/collect", stack.origin());
    let preflight = send(
        Client::new()
            .request(Method::OPTIONS, &url)
            .header("origin", "https://shop.example")
            .header("access-control-request-method", "POST")
            .header("access-control-request-headers", "content-type"),
    )
    .await;
    assert!(preflight.status.is_success(), "{preflight:?}");
    assert_eq!(preflight.header("access-control-allow-origin"), "*");
    assert!(preflight.header("access-control-allow-methods").contains("POST"));
    assert!(preflight.header("access-control-allow-headers").to_lowercase().contains("content-type"));
    assert_eq!(preflight.header("access-control-allow-credentials"), "");

    let from = async |project: &Project, origin: &str| {
        send(Tracker::default().post(&stack, &body(project, |_| {})).header("origin", origin)).await
    };
    let response = from(&open, "https://anyone.example").await;
    accepted(&response, 1);
    assert_eq!(response.header("access-control-allow-origin"), "*");
    assert_eq!(response.header("access-control-allow-credentials"), "");

    let id = "listed".parse().unwrap();
    let settings = Settings { origins: vec![OriginPattern::stored("https://shop.example")], ..Default::default() };
    assert!(projects::create(stack.store(), &id, &settings, Millis::now()).await.unwrap().is_some());
    let listed = Project {
        secret_key: stack.key(&id, KeyKind::Secret, Some(60)).await,
        public_key: stack.key(&id, KeyKind::Public, None).await,
        id,
    };
    let response = from(&listed, "https://shop.example").await;
    accepted(&response, 1);
    assert!(["*", "https://shop.example"].contains(&response.header("access-control-allow-origin")));
    let refused = from(&listed, "https://other.example").await;
    assert_eq!(refused.status, 403, "{refused:?}");
    stack.shutdown().await;
}

#[tokio::test]
async fn only_a_projects_public_key_sends() {
    let stack = Stack::start(Counting::ByStream).await;
    let project = stack.project().await;
    let unknown = ApiKey::generate(KeyKind::Public).unwrap().reveal().to_owned();
    for key in [unknown.as_str(), project.secret_key.as_str(), "pk_live_", "", "x"] {
        let response = post(&stack, &keyed(&page_view("v_1", "ses_1", "b_1", now()), key)).await;
        response.error(401, "unauthorized");
    }
    stack.shutdown().await;
}

/// A client whose clock is an hour behind.
#[tokio::test]
async fn a_wrong_clock_is_corrected() {
    let stack = Stack::start(Counting::ByStream).await;
    let project = stack.project().await;
    let (wrong, before) = (now() - 3_600_000, now());
    let mut sent = page_view("v_1", "ses_1", "b_1", wrong - 5_000);
    sent.sent_at = wrong;
    accepted(&post(&stack, &keyed(&sent, &project.public_key)).await, 1);
    let after = now();
    stack.counted(&project.id, &[sent]).await;
    let session = get(&stack.at("sessions/ses_1"), &project.secret_key).await.ok();
    for instant in [&session["data"]["started_at"], &session["data"]["events"][0]["created_at"]] {
        let corrected = instant.as_i64().unwrap();
        assert!(
            (before - 5_000..=after - 5_000).contains(&corrected),
            "{corrected} within {before} to {after}, less 5 s"
        );
    }
    stack.shutdown().await;
}

#[tokio::test]
async fn a_declared_crawler_is_kept_out_of_everything_but_its_own_details() {
    let stack = Stack::start(Counting::ByStream).await;
    let project = stack.project().await;
    let sent = page_view("v_bot", "ses_1", "b_1", now());
    let crawler = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)";
    let url = format!("{}/collect", stack.origin());
    let body = keyed(&sent, &project.public_key).to_string();
    accepted(&send(Client::new().post(url).header("user-agent", crawler).body(body)).await, 1);
    stack.counted(&project.id, &[sent]).await;
    let api = async |path: &str| get(&stack.at(path), &project.secret_key).await.ok();
    assert_eq!(api("visitors/v_bot").await["data"]["bot_score"], 100);
    assert_eq!(api("sessions/ses_1").await["data"]["page_views"], 1);
    for (path, total) in [
        ("visitors", 0),
        ("sessions", 0),
        ("events", 0),
        ("sessions?visitor_id=v_bot", 1),
        ("events?visitor_id=v_bot", 1),
        ("events?session_id=ses_1", 1),
    ] {
        assert_eq!(api(path).await["pagination"]["total"], total, "{path}");
    }
    assert_eq!(api("live").await["count"], 0);
    assert_eq!(api("stats").await["data"]["total_events"], 0);
    stack.shutdown().await;
}

/// Sends a page view of a visitor that does not name itself, at an instant, from an address.
async fn send_unnamed(stack: &Stack, project: &Project, session: &str, at: Millis, address: [u8; 4]) {
    let mut body = keyed(&page_view("", session, &format!("b_of_{session}"), at.0), &project.public_key);
    body["visitor"] = json!({});
    let mut request = lambda_http::Request::new(body.to_string().into());
    *request.method_mut() = Method::POST;
    *request.uri_mut() = COLLECT.parse().unwrap();
    request.headers_mut().insert("user-agent", HeaderValue::from_static(USER_AGENT));
    request.extensions_mut().insert(ClientAddress(address.into()));
    let collector = Collector::new(Arc::new(App::new(stack.store().clone())));
    let response = collect::handle_at(&collector, &request, at).await;
    assert_eq!(response.status(), 202, "{response:?}");
}

#[tokio::test]
async fn a_visitor_without_an_id_is_one_all_day_and_a_stranger_the_next_day_and_elsewhere() {
    let stack = Stack::start(Counting::ByStream).await;
    let (one, other) = (stack.project().await, stack.project().await);
    // Neither is over: a database that forgets what has expired forgets the secret of a day that is.
    let today = Millis::now().day();
    let tomorrow = today.plus(1);
    let (home, away) = ([203, 0, 113, 9], [203, 0, 113, 8]);
    for (project, session, at, address) in [
        (&one, "ses_1", today.start(), home),
        (&one, "ses_2", today.end(), home),
        (&one, "ses_3", today.end(), away),
        (&one, "ses_4", tomorrow.start(), home),
        (&other, "ses_1", today.start(), home),
    ] {
        send_unnamed(&stack, project, session, at, address).await;
    }
    let stats = async |project: &Project, start: Day, end: Day| {
        let url = stack.at(&format!("stats?start_date={start}&end_date={end}"));
        let data = get(&url, &project.secret_key).await.ok()["data"].clone();
        ["total_visitors", "returning_visitors", "total_sessions"].map(|figure| data[figure].as_u64().unwrap())
    };
    while stats(&one, today, tomorrow).await[2] < 4 || stats(&other, today, tomorrow).await[2] < 1 {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(stats(&one, today, today).await, [2, 0, 3]);
    assert_eq!(stats(&one, tomorrow, tomorrow).await, [1, 0, 1], "nobody is known again");
    assert_eq!(stats(&one, today, tomorrow).await, [3, 0, 4]);
    let ids = async |project: &Project| {
        let url = stack.at(&format!("visitors?start_date={today}&end_date={tomorrow}"));
        let rows = get(&url, &project.secret_key).await.ok()["data"].as_array().unwrap().clone();
        rows.iter().map(|row| row["visitor_id"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let (of_one, of_other) = (ids(&one).await, ids(&other).await);
    assert!(!of_one.contains(&of_other[0]), "no visitor can be followed from site to site");
    stack.shutdown().await;
}
