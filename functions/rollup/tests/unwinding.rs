//! A visitor with many sessions turns out to be a bot: its sessions go out of the figures in bounded steps, which the
//! table's stream brings, and nobody else waits for them. The same if it is erased, but for who brings the steps.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod common;
#[path = "common/site.rs"]
mod site;

use std::cell::Cell;
use std::collections::BTreeMap;
use std::time::Duration;

use rollup::{Applied, Consumer};
use shared::ids::VisitorId;
use shared::model::Batch;
use shared::store::Store;
use shared::time::Millis;
use site::{START, assert_eq_seen, batches, project, reference, seen, send, site, works};

const SESSIONS: i64 = 130;
/// Calls of a delivery, or of a look at the tail, that carries out a round of the erasure: it merges the runs of some days'
/// hours and writes their blocks, however many sessions are erased.
const MAX_CALLS_OF_ROUND: u64 = 1_600;

const HOUR_MS: i64 = 3_600_000;

/// Calls to the table that a delivery or a step may make, whatever the history.
const MAX_CALLS: u64 = 60;

fn bot() -> VisitorId {
    "v_bot".parse().unwrap()
}

/// The bot's sessions, a batch each, before anyone knows.
fn history() -> Vec<Batch> {
    let template = batches(1).remove(0);
    (0..SESSIONS).map(|number| session(&template, number)).collect()
}

fn session(template: &Batch, number: i64) -> Batch {
    let started_at = Millis(START + number * HOUR_MS);
    let mut batch = template.clone();
    batch.visitor_id = bot();
    batch.session_id = format!("s_bot{number:03}").parse().unwrap();
    batch.session.started_at = started_at;
    (batch.stored_at, batch.sent_at) = (started_at.plus(2_000), started_at.plus(1_000));
    for event in &mut batch.events {
        event.created_at = started_at.plus(500);
    }
    batch
}

/// The batch that says so, in one more session.
fn confession() -> Batch {
    let mut batch = session(&batches(1).remove(0), SESSIONS);
    batch.visitor.bot_score = 100;
    batch
}

/// Stores batches and gives them to a consumer at once, as one delivery.
async fn deliver(store: &Store, batches: &[Batch]) -> (Applied, u64) {
    for batch in batches {
        assert!(store.put_at(batch.to_item(&project()).unwrap(), None).await.unwrap().is_stored());
    }
    let (consumer, calls) = metered(store);
    let applied = consumer.apply(BTreeMap::from([(project(), batches.to_vec())])).await;
    (applied, calls())
}

fn metered(store: &Store) -> (Consumer, impl Fn() -> u64) {
    let store = store.metered();
    (Consumer::new(store.clone()).with_grace(Duration::from_millis(1)), move || store.consumed().calls)
}

/// Gives the consumer its work items until there are none, and says how often.
async fn resume(store: &Store) -> usize {
    for number in 0.. {
        let brought = works(store).await;
        if brought.is_empty() {
            return number;
        }
        let (consumer, calls) = metered(store);
        consumer.resume(brought).await.unwrap();
        assert!(calls() <= MAX_CALLS, "{} calls", calls());
    }
    unreachable!()
}

/// The figures are those of a table that is counted anew.
async fn assert_counted(store: &Store, consumer: &Consumer) {
    consumer.compact(&project()).await.unwrap();
    let before = seen(store).await;
    assert!(before.sessions.iter().all(|(visitor, _)| *visitor != bot().to_string()), "{:?}", before.sessions);
    consumer.rebuild(&project(), false, |_| {}).await.unwrap();
    assert_eq_seen(&before, &seen(store).await);
}

#[tokio::test]
async fn a_bot_with_many_sessions_is_taken_out_in_bounded_steps_and_nobody_waits() {
    let (store, consumer) = site(&history()).await;
    let others = batches(6);
    let delivery: Vec<Batch> = [confession()].into_iter().chain(others.iter().take(40).cloned()).collect();
    let (applied, calls) = deliver(&store, &delivery).await;
    assert!(applied.failed.is_empty() && applied.refused.is_empty());
    assert_eq!(applied.unwinding, [bot()]);
    assert!(calls <= 2 * MAX_CALLS, "{calls} calls");
    let delivered = delivery[1..].iter().map(reference).collect();
    assert_eq!(consumer.pending(&project(), delivered).await.unwrap(), []);

    let steps = resume(&store).await;
    assert!((2..=SESSIONS as usize / 10).contains(&steps), "{steps} steps");
    send(&store, &consumer, &others[40..]).await;
    assert_counted(&store, &consumer).await;
}

#[tokio::test]
async fn steps_that_come_twice_or_at_once_or_whose_item_is_lost_change_nothing_more() {
    let (store, consumer) = site(&history()).await;
    assert!(deliver(&store, &[confession()]).await.0.failed.is_empty());
    for _ in 0..3 {
        let brought = works(&store).await;
        let (first, second) = (metered(&store).0, metered(&store).0);
        let (one, other) = tokio::join!(first.resume(brought.clone()), second.resume(brought.clone()));
        one.unwrap();
        other.unwrap();
        consumer.resume(brought).await.unwrap();
        assert!(works(&store).await.len() <= 1);
    }
    for lost in works(&store).await {
        store.delete(&lost).await.unwrap();
    }
    // Whatever of the bot comes next, or is looked for, brings the work back.
    let confession = confession();
    assert_eq!(consumer.pending(&project(), vec![reference(&confession)]).await.unwrap(), [reference(&confession)]);
    assert!(consumer.apply(BTreeMap::from([(project(), vec![confession])])).await.failed.is_empty());
    resume(&store).await;
    assert_counted(&store, &consumer).await;
}

#[tokio::test]
async fn sessions_that_come_while_a_bot_is_taken_out_are_not_counted_and_an_erasure_ends_the_work() {
    let (store, consumer) = site(&history()).await;
    assert!(deliver(&store, &[confession()]).await.0.failed.is_empty());
    let template = batches(1).remove(0);
    // Earlier than where the work has come to, and later.
    let late = [session(&template, -20), session(&template, SESSIONS + 30)];
    assert!(deliver(&store, &late).await.0.failed.is_empty());
    resume(&store).await;
    assert_counted(&store, &consumer).await;

    let (store, consumer) = site(&history()).await;
    assert!(deliver(&store, &[confession()]).await.0.failed.is_empty());
    assert!(!works(&store).await.is_empty());
    consumer.erase(&project(), &bot(), |_| {}).await.unwrap();
    assert_eq!(works(&store).await, []);
    assert_counted(&store, &consumer).await;
}

/// On each of many days, and others are counted meanwhile.
#[tokio::test]
async fn a_visitor_with_many_sessions_is_erased_in_bounded_steps_and_nobody_waits() {
    let template = batches(1).remove(0);
    let history: Vec<Batch> = (0..SESSIONS).map(|number| session(&template, number * 6)).collect();
    let (store, consumer) = site(&history).await;
    let others = batches(12);
    let (is_done, mut deliveries) = (Cell::new(false), others.chunks(1));
    let erasing = async {
        consumer.erase(&project(), &bot(), |_| {}).await.unwrap();
        is_done.set(true);
    };
    let counting = async {
        let (mut most, mut helped) = (0, 0);
        while !is_done.get() {
            let delivered = deliveries.next().expect("enough of the others");
            let (applied, calls) = deliver(&store, delivered).await;
            assert!(applied.failed.is_empty() && applied.refused.is_empty());
            let pending = consumer.pending(&project(), delivered.iter().map(reference).collect()).await.unwrap();
            assert!(pending.is_empty() || !applied.unwinding.is_empty());
            // Now and then a delivery looks at the tail.
            let (helper, calls_of_help) = metered(&store);
            helper.compact(&project()).await.unwrap();
            most = calls.max(most);
            helped = calls_of_help().max(helped);
        }
        (most, helped)
    };
    let ((), (most, helped)) = tokio::join!(erasing, counting);
    assert!(most.max(helped) <= MAX_CALLS_OF_ROUND, "{most} and {helped} calls");
    resume(&store).await;
    for delivered in deliveries {
        assert!(deliver(&store, delivered).await.0.failed.is_empty());
    }
    resume(&store).await;
    assert_counted(&store, &consumer).await;
}
