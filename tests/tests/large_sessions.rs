//! Sessions with as much data as a stranger can send: every page is what was sent, and no answer is more than a function may
//! give.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use counting::Consumer;
use serde_json::{Value, json};
use tests::check::Request;
use tests::clock::now;
use tests::delivery::{Order, Stored, deliver};
use tests::example::page_view;
use tests::http::get;
use tests::oracle::Oracle;
use tests::sent::{Event, Sent};
use tests::stack::{Counting, Project, Stack};

/// Lambda's limit of an answer, in bytes.
const MAX_ANSWER: usize = 6 << 20;
/// Events of a batch with nearly as much data as they may have: no more fit into one.
const EVENTS: i64 = 7;
/// Bytes of an event's data, but for what is around its text.
const DATA: usize = 8_000;

const MINUTE: i64 = 60_000;

/// A batch of a session, some minutes after its start, whose events say this.
fn batch(session: &str, number: i64, start: i64, text: &str) -> Sent {
    let event = |position: i64| Event {
        name: if position % 3 == 0 { "page_view" } else { "noted" }.to_owned(),
        url: Some(format!("/{position}")),
        // Neither in the order of the batches' ids nor without ties.
        created_at: start + (number * 37 % 200) * MINUTE + position % 4,
        data: Some(json!({ "number": number, "text": text })),
    };
    let mut sent = page_view("v_large", session, &format!("b_{number:03}"), start);
    sent.sent_at = start + number;
    sent.events = (0..EVENTS).map(event).collect();
    sent
}

async fn count(stack: &Stack, project: &Project, batches: &[Sent]) -> Oracle {
    let (mut oracle, mut stored) = (Oracle::default(), Vec::<Stored>::new());
    for (number, sent) in batches.iter().enumerate() {
        stored.push((project.id.clone(), stack.store_batch(project, number, sent).await.unwrap()));
        oracle.store(sent.clone());
    }
    let consumer = Consumer::new(stack.store().clone());
    deliver(&consumer, &stored, Order::StoredByVisitor, &mut fastrand::Rng::with_seed(1)).await.unwrap();
    oracle
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_is_what_was_sent_however_much_that_is() {
    let stack = Stack::start(Counting::ByTest).await;
    let project = stack.project().await;
    let start = now() - 20 * 60 * MINUTE;
    let text = "x".repeat(DATA);
    // More than is held at once, in more batches than are read at once, and another session at the same time.
    let of = |session: &'static str, count: i64| {
        let text = &text;
        (0..count).map(move |number| batch(session, number, start, text))
    };
    let batches: Vec<Sent> = of("ses_large", 190).chain(of("ses_other", 20)).collect();
    let mut oracle = count(&stack, &project, &batches).await;
    let api = stack.api(&project);
    api.teach_ids(&mut oracle).await.unwrap();
    let mut requests = vec![Request::new("sessions/ses_large"), Request::new("visitors/v_large")];
    for (name, value) in [("session_id", "ses_large"), ("visitor_id", "v_large")] {
        let list = Request::new("events").with(name, value).with("limit", 100);
        let total = list.total(&oracle);
        assert!(total as i64 >= 190 * EVENTS);
        requests.extend((1..=total.div_ceil(100) + 1).map(|page| list.clone().with("page", page)));
        requests.extend([1, 7].map(|page| list.clone().with("type", "noted").with("page", page)));
    }
    api.compare_each(&oracle, requests).await.unwrap();
    stack.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_timeline_ends_where_an_answer_has_no_more_room_and_the_list_has_it_all() {
    let stack = Stack::start(Counting::ByTest).await;
    let project = stack.project().await;
    let start = now() - 20 * 60 * MINUTE;
    // Twice as long in JSON, and four times in the gateway's hands, as what is in the figures; just what fits into a batch.
    let text = "\\".repeat(DATA / 2);
    let batches: Vec<Sent> = (0..80).map(|number| batch("ses_large", number, start, &text)).collect();
    count(&stack, &project, &batches).await;

    let answer = get(&stack.at("sessions/ses_large"), &project.secret_key).await.ok();
    let in_envelope = serde_json::to_string(&answer.to_string()).unwrap().len();
    assert!((MAX_ANSWER / 2..MAX_ANSWER).contains(&in_envelope), "{in_envelope} bytes");
    let events = answer["data"]["events"].as_array().unwrap();
    assert!(events.len() < 500, "{} events", events.len());
    assert_eq!(answer["data"]["event_count"], 80 * EVENTS);
    let list = Request::new("events").with("session_id", "ses_large");
    let all = stack.api(&project).all_rows(&list).await.unwrap();
    assert_eq!(all.len() as i64, 80 * EVENTS);
    let instants =
        |rows: &[Value]| -> Vec<i64> { rows.iter().map(|row| row["created_at"].as_i64().unwrap()).collect() };
    let mut oldest = instants(&all);
    oldest.sort_unstable();
    assert_eq!(instants(events), oldest[..events.len()]);
    stack.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_there_is_counted_whole_and_listed_as_far_as_an_answer_has_room() {
    let stack = Stack::start(Counting::ByTest).await;
    let project = stack.project().await;
    let at = now() - MINUTE;
    // Written as seven characters each, in the gateway's hands.
    let page = "\u{1}".repeat(2_048);
    let visitor = |number: i64| {
        let mut sent = page_view(&format!("v_{number}"), "ses_1", "b_1", at - number);
        sent.events[0].url = Some(page.clone());
        sent
    };
    let batches: Vec<Sent> = (0..480).map(visitor).collect();
    count(&stack, &project, &batches).await;
    let live = get(&stack.at("live"), &project.secret_key).await.ok();
    let in_envelope = serde_json::to_string(&live.to_string()).unwrap().len();
    assert!((MAX_ANSWER / 2..MAX_ANSWER).contains(&in_envelope), "{in_envelope} bytes");
    let listed = live["data"].as_array().unwrap();
    assert_eq!(live["count"], 480);
    assert!(listed.len() < 480);
    let ids: Vec<&str> = listed.iter().map(|row| row["visitor_id"].as_str().unwrap()).collect();
    assert_eq!(ids, (0..listed.len()).map(|number| format!("v_{number}")).collect::<Vec<_>>());
    stack.shutdown().await;
}
