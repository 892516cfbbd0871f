//! A visitor that turns out to be a bot leaves no trace in any figure.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use serde_json::{Value, json};
use shared::routes::{Answers, ROUTES, Route};
use tests::clock::now;
use tests::example::page_view;
use tests::http::get;
use tests::sent::{Event, Sent};
use tests::stack::{Counting, Project, Stack};
use tests::tracker::Tracker;

/// The endpoints that are about more than one visitor.
fn resources() -> impl Iterator<Item = &'static str> {
    ROUTES.iter().filter(|route| route.reads_a_project() && route.answers != Answers::One).map(Route::resource)
}

/// Something for every figure there is.
fn events(at: i64) -> Vec<Event> {
    let kinds = [
        ("page_view", json!({ "url": "/", "title": "Home" })),
        ("page_view", json!({ "url": "/pricing" })),
        ("rage_click", json!({ "selector": "#buy", "url": "/" })),
        ("dead_click", json!({ "selector": "#sell", "url": "/" })),
        ("phantom_click", json!({ "selector": "#gone", "url": "/" })),
        ("js_exception", json!({ "message": "undefined is not a function" })),
        ("console_warning", json!({ "message": "deprecated" })),
        ("form_abandon", json!({ "form": "#order", "last_field": "email", "time_spent_ms": 900 })),
        ("field_hesitation", json!({ "form": "#order", "field": "email", "hesitation_ms": 4_000 })),
        (
            "reading_behavior",
            json!({ "scroll_depth": 50, "active_time_ms": 10, "total_time_ms": 20, "scroll_velocity": 1.5 }),
        ),
        ("seo_diagnostics", json!({ "url": "/", "title": "Home", "h1_count": 0, "issues": ["missing_h1"] })),
        ("web_vitals", json!({ "lcp": 2_500, "cls": 0.1 })),
    ];
    let event = |(position, (name, data)): (usize, (&str, Value))| Event {
        name: name.to_owned(),
        url: None,
        created_at: at + position as i64,
        data: Some(data),
    };
    kinds.into_iter().enumerate().map(event).collect()
}

async fn answers(stack: &Stack, project: &Project) -> Vec<(&'static str, Value)> {
    let mut answers = Vec::new();
    for path in resources() {
        answers.push((path, get(&stack.at(path), &project.secret_key).await.ok()));
    }
    answers
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_bot_left_is_in_no_figure_any_more() {
    let stack = Stack::start(Counting::ByStream).await;
    let (project, untouched) = (stack.project().await, stack.project().await);
    let nothing = answers(&stack, &untouched).await;
    let send = async |sent: Sent| {
        let stored = Tracker::default().send(&stack, &project, sent).await.unwrap();
        stack.counted(&project.id, &[stored]).await;
    };
    for number in 1..=3 {
        let mut sent = page_view("v_1", &format!("ses_{number}"), "b_1", now() - number * 60_000);
        sent.session.referrer = Some("https://www.google.com/".to_owned());
        sent.session.utm_source = Some("newsletter".to_owned());
        sent.events = events(sent.session.started_at);
        send(sent).await;
    }
    for ((path, empty), (_, full)) in nothing.iter().zip(answers(&stack, &project).await) {
        assert_ne!(*empty, full, "{path} shows what the visitor did while it is no bot");
    }
    let mut flagged = page_view("v_1", "ses_1", "b_2", now());
    flagged.visitor.bot_score = Some(41);
    send(flagged).await;
    for ((path, empty), (_, left)) in nothing.iter().zip(answers(&stack, &project).await) {
        assert_eq!(*empty, left, "{path}");
    }
    stack.shutdown().await;
}
