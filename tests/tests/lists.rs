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

/// The tracker's sessions are found by their ids alone: the latest, an earlier one, one whose start was not as its id says, and whoever
/// else has a session of that id. What comes late for one is counted in it.
#[tokio::test]
async fn a_session_whose_id_tells_its_visitor_and_start_is_found() {
    const JULY: &str = "start_date=2024-06-30&end_date=2024-07-31";
    let stack = Stack::start(Counting::ByStream).await;
    let (project, start) = (stack.project().await, 1_719_784_800_000);
    let (id, later, moved) = ("ses_ann_ly23gsg0", "ses_ann_ly2pyz40", "ses_ann_ly3iwn40");
    let stranger = |session: &str| page_view("v_stranger", session, "b1", start - 1);
    let of = |session: &str, batch: &str, days: f64| {
        page_view("v_ann", session, batch, start + (days * 86_400_000.0) as i64)
    };
    let mut sent = vec![
        stranger(id),
        stranger(moved),
        of(id, "b1", 0.0),
        of(moved, "b1", 0.25),
        of(later, "b1", 0.4375),
        of(id, "b2", 0.0),
    ];
    sent[5].session.started_at = start;
    send(&stack, &project, &sent).await;
    let data = async |path: &str| get(&stack.at(path), &project.secret_key).await.json()["data"].clone();
    for (session, page_views) in [(id, 2), (later, 1), (moved, 1)] {
        let detail = data(&format!("sessions/{session}")).await;
        assert_eq!((&detail["visitor_id"], &detail["page_views"]), (&json!("v_ann"), &json!(page_views)), "{detail}");
        let events = data(&format!("events?session_id={session}&{JULY}")).await;
        assert_eq!(events.as_array().unwrap().len(), page_views, "{events}");
        assert!(events.as_array().unwrap().iter().all(|event| event["visitor_id"] == "v_ann"), "{events}");
    }
    let sessions = data(&format!("sessions?{JULY}")).await;
    assert_eq!(sessions.as_array().unwrap().len(), 5, "{sessions}");
    stack.shutdown().await;
}
