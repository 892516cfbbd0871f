//! Lists and details, by examples worked out by hand.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use serde_json::{Value, json};
use tests::clock::now;
use tests::example::page_view;
use tests::http::get;
use tests::sent::{Event, Sent};
use tests::stack::{Counting, Project, Stack};

async fn send(stack: &Stack, project: &Project, sent: &[Sent]) {
    for (number, sent) in sent.iter().enumerate() {
        stack.store_batch(project, number, sent).await.unwrap();
    }
    stack.counted(&project.id, sent).await;
}

#[tokio::test]
async fn whoever_gave_a_sign_of_life_is_live() {
    let stack = Stack::start(Counting::ByStream).await;
    let (project, now) = (stack.project().await, now());
    let heartbeat = |visitor: &str, minutes: i64| {
        let mut sent = page_view(visitor, "ses", "b", now - 60_000 * minutes);
        (sent.page, sent.events) = (Some("/now".to_owned()), Vec::new());
        sent
    };
    send(&stack, &project, &[heartbeat("a", 2), heartbeat("b", 1), heartbeat("c", 7), heartbeat("d", 90)]).await;
    for (query, live) in [("live", vec!["b", "a"]), ("live?threshold_minutes=10", vec!["b", "a", "c"])] {
        let body = get(&stack.at(query), &project.secret_key).await.json();
        assert_eq!(body["count"], json!(live.len()));
        let rows = body["data"].as_array().unwrap();
        assert_eq!(rows.iter().map(|row| row["visitor_id"].as_str().unwrap()).collect::<Vec<_>>(), live);
        assert!(rows.iter().all(|row| row["current_page"] == "/now"), "{body}");
        assert_eq!(rows[0]["last_seen_at"], json!(now - 60_000));
    }
    stack.shutdown().await;
}

/// A type that came after so many others that the day counts it as one of them.
#[tokio::test]
async fn a_type_is_found_on_a_day_of_too_many_types() {
    let stack = Stack::start(Counting::ByStream).await;
    let (project, now) = (stack.project().await, now());
    let batch = |number: i64, names: Vec<String>| {
        let event = |name| Event { name, url: None, created_at: now + number, data: None };
        let events = names.into_iter().map(event).collect();
        Sent { events, ..page_view("v", "ses", &format!("b{number}"), now) }
    };
    let mut sent: Vec<Sent> =
        (0..25).map(|number| batch(number, (0..100).map(|name| format!("t{number}_{name}")).collect())).collect();
    sent.push(batch(25, vec!["zebra".to_owned(), "zebra".to_owned()]));
    send(&stack, &project, &sent).await;
    let data = async |path: &str| get(&stack.at(path), &project.secret_key).await.json()["data"].clone();
    let types = data("events/types").await;
    assert!(types.as_array().unwrap().iter().any(|row| row["name"] == "(other)"));
    for (name, count) in [("zebra", 2), ("%28other%29", 0), ("t3_7", 1)] {
        let events: Value = data(&format!("events?type={name}")).await;
        assert_eq!(events.as_array().unwrap().len(), count, "{name}");
        assert!(events.as_array().unwrap().iter().all(|event| event["name"] == name), "{events}");
    }
    stack.shutdown().await;
}

#[tokio::test]
async fn what_is_unknown_is_not_found_and_a_bot_is() {
    let stack = Stack::start(Counting::ByStream).await;
    let (project, now) = (stack.project().await, now());
    let mut sent = page_view("v_bot", "ses_bot", "b", now);
    sent.visitor.bot_score = Some(90);
    send(&stack, &project, &[sent]).await;
    for path in ["visitors/nobody", "visitors/%20", "sessions/none", "sessions/a%23b"] {
        get(&stack.at(path), &project.secret_key).await.error(404, "not_found");
    }
    let data = async |path: &str| get(&stack.at(path), &project.secret_key).await.json()["data"].clone();
    assert_eq!(data("visitors").await, json!([]));
    assert_eq!(data("visitors/v_bot").await["bot_score"], 90);
    assert_eq!(data("sessions/ses_bot").await["visitor_id"], "v_bot");
    stack.shutdown().await;
}
