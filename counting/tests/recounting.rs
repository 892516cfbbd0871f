//! A visitor with many sessions turns out to be a bot: its sessions go out of the figures in bounded steps, which the
//! table's stream brings, and nobody else waits for them. The same if it is erased, but for who brings the steps.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod common;
#[path = "common/site.rs"]
mod site;

use std::cell::Cell;
use std::collections::BTreeMap;
use std::time::Duration;

use counting::{Applied, Consumer, Trusted};
use figures::ids::VisitorId;
use figures::log::BatchRef;
use figures::model::Batch;
use figures::table::keys;
use figures::table::store::{Consistency, Store};
use figures::time::Millis;
use site::{START, Seen, assert_eq_seen, batches, project, seen, send, site, works};

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
    assert_eq!(applied.recounting, [bot()]);
    assert!(calls <= 2 * MAX_CALLS, "{calls} calls");
    let delivered = delivery[1..].iter().map(BatchRef::of).collect();
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
    let reference = BatchRef::of(&confession);
    assert_eq!(consumer.pending(&project(), vec![reference.clone()]).await.unwrap(), [reference]);
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

/// A site's figures had a score never been sent.
async fn without_scores(batches: &[Batch]) -> Seen {
    let mut batches = batches.to_vec();
    batches.iter_mut().filter(|batch| batch.visitor_id == bot()).for_each(|batch| batch.visitor.bot_score = 0);
    let (store, _) = site(&batches).await;
    seen(&store).await
}

#[tokio::test]
async fn a_trusted_visitor_with_many_sessions_is_counted_again_in_bounded_steps() {
    let sent: Vec<Batch> = history().into_iter().chain([confession()]).collect();
    let expected = without_scores(&sent).await;
    // While the bot is not yet taken out as well as afterwards; by one consumer, or with others beside it.
    for (is_recounted, is_alone) in [(true, true), (false, true), (true, false), (false, false)] {
        let (store, consumer) = site(&history()).await;
        assert!(deliver(&store, &[confession()]).await.0.failed.is_empty());
        if is_recounted {
            resume(&store).await;
        }
        let is_done = Cell::new(false);
        let trusting = async {
            let trusted = consumer.trust(&project(), &bot()).await.unwrap().unwrap();
            assert!(trusted.sessions > 0 && (trusted.sessions as i64 == SESSIONS + 1) == is_recounted, "{trusted:?}");
            is_done.set(true);
        };
        let others = async {
            while !is_alone && !is_done.get() {
                let (helper, calls) = metered(&store);
                helper.resume(works(&store).await).await.unwrap();
                assert!(calls() <= MAX_CALLS, "{} calls", calls());
                tokio::task::yield_now().await;
            }
        };
        tokio::join!(trusting, others);
        resume(&store).await;
        consumer.compact(&project()).await.unwrap();
        assert_eq_seen(&expected, &seen(&store).await);
        assert!(consumer.rebuild(&project(), true, |_| {}).await.unwrap().is_empty());
        // It stays a person, and it is nothing to do twice.
        let mut again = confession();
        again.batch_id = "b_again".parse().unwrap();
        assert_eq!(deliver(&store, &[again]).await.0.recounting, []);
        assert_eq!(consumer.trust(&project(), &bot()).await.unwrap(), Some(Trusted { sessions: 0 }));
        assert_eq!(works(&store).await, []);
        assert_counted(&store, &consumer).await;
    }
}

#[tokio::test]
async fn trust_that_was_stopped_is_carried_on_by_whoever_comes_and_survives_a_rebuild() {
    let mut sent: Vec<Batch> = history().into_iter().chain([confession()]).collect();
    let (store, consumer) = site(&sent).await;
    // It is stopped after its first change.
    let trusting = Box::pin(async { drop(consumer.trust(&project(), &bot()).await) });
    let begun = async {
        while works(&store).await.is_empty() {
            tokio::task::yield_now().await
        }
    };
    tokio::select! {
        () = begun => {}
        () = trusting => {}
    }
    assert!(!works(&store).await.is_empty(), "something is left to do");
    for lost in works(&store).await {
        store.delete(&lost).await.unwrap();
    }
    // Sessions begin meanwhile, and earlier ones go on.
    let template = batches(1).remove(0);
    let mut late = [session(&template, -20), session(&template, SESSIONS / 2), session(&template, SESSIONS + 30)];
    late[1].batch_id = "b_later".parse().unwrap();
    late[2].visitor.bot_score = 90;
    sent.extend(late.clone());
    let (applied, _) = deliver(&store, &late).await;
    assert!(applied.failed.is_empty() && applied.refused.is_empty(), "{applied:?}");
    resume(&store).await;
    let expected = without_scores(&sent).await;
    consumer.compact(&project()).await.unwrap();
    assert_eq_seen(&expected, &seen(&store).await);
    assert!(consumer.rebuild(&project(), true, |_| {}).await.unwrap().is_empty());

    // All that is derived of the visitor is lost.
    store.delete(&keys::visitor(&project(), &bot())).await.unwrap();
    consumer.rebuild(&project(), false, |_| {}).await.unwrap();
    assert_eq_seen(&expected, &seen(&store).await);
    assert!(consumer.rebuild(&project(), true, |_| {}).await.unwrap().is_empty());
    let mut again = confession();
    again.batch_id = "b_again".parse().unwrap();
    assert_eq!(deliver(&store, &[again]).await.0.recounting, []);

    consumer.erase(&project(), &bot(), |_| {}).await.unwrap();
    assert_eq!(store.get(&keys::trusted(&project(), &bot()), Consistency::Strong).await.unwrap(), None);
    assert_eq!(consumer.trust(&project(), &bot()).await.unwrap(), None);
    assert!(seen(&store).await.sessions.is_empty());
}

/// All that is derived of a visitor is gone but its figures, of which some are not merged yet.
#[tokio::test]
async fn a_visitor_with_many_sessions_whose_item_is_lost_is_rebuilt() {
    for is_compacted in [false, true] {
        let (store, consumer) = site(&[]).await;
        for batches in history().chunks(10) {
            assert!(deliver(&store, batches).await.0.failed.is_empty());
        }
        if is_compacted {
            consumer.compact(&project()).await.unwrap();
        }
        let expected = seen(&store).await;
        store.delete(&keys::visitor(&project(), &bot())).await.unwrap();
        assert!(!consumer.rebuild(&project(), false, |_| {}).await.unwrap().is_empty());
        assert_eq_seen(&expected, &seen(&store).await);
        assert!(consumer.rebuild(&project(), true, |_| {}).await.unwrap().is_empty());
    }
}

/// What any batch costs that makes no bot of its visitor.
#[tokio::test]
async fn trust_costs_other_batches_nothing() {
    let template = batches(1).remove(0);
    let costs = async |is_trusted: bool| {
        let (store, consumer) = site(&[session(&template, 0)]).await;
        if is_trusted {
            consumer.trust(&project(), &bot()).await.unwrap();
        }
        let (metered, mut batch) = (store.metered(), session(&template, 0));
        (batch.batch_id, batch.visitor.bot_score) = ("b_later".parse().unwrap(), if is_trusted { 100 } else { 30 });
        let applied = Consumer::new(metered.clone()).apply(BTreeMap::from([(project(), vec![batch])])).await;
        assert!(applied.failed.is_empty() && applied.refused.is_empty());
        let consumed = metered.consumed();
        (consumed.read_units, consumed.write_units, consumed.calls)
    };
    // One in eight looks at the tail besides.
    let least = async |is_trusted: bool| {
        let mut least = costs(is_trusted).await;
        for _ in 0..5 {
            let again = costs(is_trusted).await;
            least = if again.2 < least.2 { again } else { least };
        }
        least
    };
    assert_eq!(least(true).await, least(false).await);
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
            let pending = consumer.pending(&project(), delivered.iter().map(BatchRef::of).collect()).await.unwrap();
            assert!(pending.is_empty() || !applied.recounting.is_empty());
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
