//! Days with more different values and instants than are kept one by one: what must be exact still is, and
//! percentiles are close enough, also once a visitor turns out to be a bot and what it sent is taken out.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use counting::Consumer;
use fastrand::Rng;
use figures::measures::Measure;
use figures::table::keys;
use figures::table::store::Query;
use serde_json::json;
use tests::check::Request;
use tests::clock::now;
use tests::delivery::{Order, Stored, deliver};
use tests::faults::{Fault, FaultyProxy, Schedule};
use tests::oracle::Oracle;
use tests::property::runtime;
use tests::sent::{Event, Sent, Session, Visitor};
use tests::stack::{Counting, Project, Stack};

const MS_PER_DAY: i64 = 86_400_000;
const VISITORS: usize = 6;
const BATCHES: usize = 90;
const EVENTS: usize = 100;

/// The first of two days on which everything happens.
fn midnight() -> i64 {
    (now().div_euclid(MS_PER_DAY) - 3) * MS_PER_DAY
}

fn batch(number: usize, bot_score: Option<u8>, events: Vec<Event>) -> Sent {
    Sent {
        batch_id: format!("b_{number}"),
        sent_at: midnight() + 2 * MS_PER_DAY - 1,
        page: Some("/".to_owned()),
        visitor: Visitor { visitor_id: format!("v_{}", number % VISITORS), bot_score, ..Visitor::default() },
        session: Session {
            session_id: format!("ses_{}", number % VISITORS),
            started_at: midnight(),
            ..Session::default()
        },
        events,
    }
}

/// Milliseconds as browsers measure them, to the microsecond, over four decades.
fn measured(rng: &mut Rng) -> f64 {
    ((rng.f64() * 9.2).exp() * 1_000.0).round() / 1_000.0
}

fn event(rng: &mut Rng) -> Event {
    let (name, data) = match rng.u8(..3) {
        0 => ("js_exception", json!({ "message": format!("boom {}", rng.u8(..3)) })),
        1 => ("seo_diagnostics", json!({ "title": format!("Title {}", rng.u8(..3)), "issues": ["no_h1"] })),
        _ => (
            "web_vitals",
            json!({ "lcp": measured(rng), "ttfb": measured(rng), "cls": f64::from(rng.u32(..300_000)) / 1e6 }),
        ),
    };
    Event {
        name: name.to_owned(),
        url: Some(format!("/{}", rng.u8(..2))),
        created_at: midnight() + rng.i64(0..2 * MS_PER_DAY),
        data: Some(data),
    }
}

async fn store(stack: &Stack, project: &Project, oracle: &mut Oracle, number: usize, sent: Sent) -> Stored {
    let batch = stack.store_batch(project, number, &sent).await.unwrap();
    assert!(oracle.store(sent));
    (project.id.clone(), batch)
}

async fn compare(stack: &Stack, project: &Project, oracle: &Oracle) {
    for path in ["metrics", "insights/errors", "insights/seo", "insights/frustration"] {
        for last in [midnight(), midnight() + MS_PER_DAY] {
            let request =
                Request::new(path).with("start_date", "1970-01-01").with("end_date", tests::oracle::day_of(last));
            stack.api(project).compare(oracle, &request).await.unwrap();
        }
    }
}

#[test]
fn large_days_are_answered_as_small_ones() {
    let runtime = runtime();
    runtime.block_on(async {
        let stack = Stack::start(Counting::ByTest).await;
        let consumer = Consumer::new(stack.store().clone());
        let (project, mut oracle) = (stack.project().await, Oracle::default());
        let mut rng = Rng::with_seed(75);
        let mut stored = Vec::new();
        for number in 0..BATCHES {
            let events = (0..EVENTS).map(|_| event(&mut rng)).collect();
            stored.push(store(&stack, &project, &mut oracle, number, batch(number, None, events)).await);
        }
        deliver(&consumer, &stored, Order::Any, &mut rng).await.unwrap();
        compare(&stack, &project, &oracle).await;
        consumer.compact(&project.id).await.unwrap();
        compare(&stack, &project, &oracle).await;

        for number in BATCHES..BATCHES + VISITORS / 2 {
            let told = store(&stack, &project, &mut oracle, number, batch(number, Some(41), Vec::new())).await;
            deliver(&consumer, &[told], Order::Stored, &mut rng).await.unwrap();
        }
        compare(&stack, &project, &oracle).await;
        stack.shutdown().await;
    });
}

/// A message that hardly compresses.
fn incompressible(rng: &mut Rng) -> String {
    (0..400).map(|_| rng.alphanumeric()).collect()
}

/// A day too large for an item is merged twice, and every write's first try is carried out without the writer learning
/// of it: the next try meets what the first one stored.
#[test]
fn a_day_in_parts_survives_lost_answers() {
    let runtime = runtime();
    runtime.block_on(async {
        let stack = Stack::start(Counting::ByTest).await;
        let proxy = FaultyProxy::start(&stack.endpoint_url(), Schedule::FirstTries(Fault::AnswerLost)).await.unwrap();
        let consumer = Consumer::new(stack.store_as_deployed(&proxy.url()).await);
        let (project, mut oracle) = (stack.project().await, Oracle::default());
        let mut rng = Rng::with_seed(3);
        for round in 0..2 {
            let mut stored = Vec::new();
            for number in round * 8..(round + 1) * 8 {
                let error = |rng: &mut Rng| Event {
                    name: "js_exception".to_owned(),
                    url: Some("/".to_owned()),
                    created_at: midnight() + rng.i64(0..MS_PER_DAY),
                    data: Some(json!({ "message": incompressible(rng) })),
                };
                let events = (0..EVENTS).map(|_| error(&mut rng)).collect();
                stored.push(store(&stack, &project, &mut oracle, number, batch(number, None, events)).await);
            }
            deliver(&consumer, &stored, Order::Stored, &mut rng).await.unwrap();
            consumer.compact(&project.id).await.unwrap();
            let blocks = Query::partition(keys::blocks(&project.id, Measure::Errors.name())).strong();
            let items = stack.store().query(blocks).await.unwrap().len();
            assert!(items > 2, "round {round}: the day is in {items} items");
            let request = Request::new("insights/errors").with("start_date", "1970-01-01").with("limit", 100);
            stack.api(&project).compare(&oracle, &request).await.unwrap();
        }
        stack.shutdown().await;
    });
}
