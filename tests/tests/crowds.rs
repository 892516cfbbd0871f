//! Whoever holds the public key makes up keys without end: what many visitors show is told apart nonetheless.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use serde_json::{Value, json};
use tests::clock::now;
use tests::example::page_view;
use tests::http::{get, send};
use tests::sent::{Event, Sent};
use tests::stack::{Counting, Stack};
use tests::tracker::{Tracker, keyed};

/// What a made-up batch shows: so many of each kind, which nobody else shows.
const MADE_UP: usize = 25;

/// Events of four kinds that show a page, a message, an element and a form.
fn events(name: &str, at: i64) -> [Event; 4] {
    let url = || Some(format!("/{name}"));
    let event = |kind: &str, data: Value| Event {
        name: kind.to_owned(),
        url: url(),
        created_at: at,
        data: (data != Value::Null).then_some(data),
    };
    [
        event("page_view", Value::Null),
        event("js_exception", json!({ "message": name })),
        event("rage_click", json!({ "selector": name })),
        event("form_abandon", json!({ "form": name, "last_field": "name", "time_spent_ms": 1_000 })),
    ]
}

/// Of a visitor's session that shows some names.
fn batch(visitor: &str, session: &str, names: impl IntoIterator<Item = String>, at: i64) -> Sent {
    let events = names.into_iter().flat_map(|name| events(&name, at)).collect();
    Sent { events, ..page_view(visitor, session, "b", at) }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_many_visitors_show_is_told_apart_in_a_crowd() {
    let stack = Stack::start(Counting::ByStream).await;
    let (project, at) = (stack.project().await, now());
    let made_up = |number: usize| {
        let names = (0..MADE_UP).map(move |name| format!("made-up-{number}-{name}"));
        batch(&format!("v_stranger_{}", number % 10), &format!("s_stranger_{number}"), names, at)
    };
    let real = |number: usize| batch(&format!("v_{number}"), &format!("s_{number}"), ["checkout".to_owned()], at);
    // The crowd is there first, and comes again whenever somebody real has come.
    let mut sent: Vec<Sent> = (0..90).map(made_up).collect();
    for number in 0..20 {
        sent.push(real(number));
        sent.push(made_up(90 + number));
    }
    for (number, sent) in sent.iter().enumerate() {
        let answer = send(Tracker::default().post(&stack, &keyed(sent, &project.public_key))).await;
        assert_eq!(answer.status, 202, "{number}: {answer:?}");
    }
    stack.counted(&project.id, &sent).await;

    let data = async |path: &str| get(&stack.at(path), &project.secret_key).await.ok()["data"].clone();
    let views: usize = sent.iter().map(|sent| sent.events.len() / 4).sum();
    assert_eq!(data("stats").await["total_page_views"], views);
    let pages = data("pages").await["top_pages"].clone();
    // Two thousand are kept apart; of the others, ten strangers showed all.
    let others = views - 20 - 1_999;
    assert_eq!(pages[0], json!({ "url": "(other)", "views": others, "unique_visitors": 10 }));
    assert_eq!(pages[1], json!({ "url": "/checkout", "views": 20, "unique_visitors": 20 }));
    let errors = data("insights/errors").await;
    assert_eq!([&errors[0]["type"], &errors[0]["unique_visitors"]], [&json!("(other)"), &json!(10)]);
    let [message, count, visitors] = ["message", "count", "unique_visitors"].map(|field| errors[1][field].clone());
    assert_eq!([message, count, visitors], [json!("checkout"), json!(20), json!(20)]);
    let clicks = data("insights/clicks").await["rage_clicks"].clone();
    assert_eq!([&clicks[0]["selector"], &clicks[0]["unique_visitors"]], [&json!("(other)"), &json!(10)]);
    assert_eq!([&clicks[1]["selector"], &clicks[1]["unique_visitors"]], [&json!("checkout"), &json!(20)]);
    let forms = data("insights/forms").await["abandonment"].clone();
    assert_eq!([&forms[0]["form"], &forms[0]["abandons"]], [&json!("(other)"), &json!(others)]);
    assert_eq!([&forms[1]["form"], &forms[1]["abandons"]], [&json!("checkout"), &json!(20)]);
    stack.shutdown().await;
}
