//! A batch that can't be processed holds up no other and is not lost; nor is what a consumer missed while it was away.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use counting::dead_letters::DeadLetter;
use counting::heartbeat::{Heartbeat, Pulse};
use counting::{Consumer, Reconciled};
use figures::ids::VisitorId;
use figures::log::BatchRef;
use figures::model::Batch;
use figures::table::ip;
use figures::table::keys::{self, Key};
use figures::table::store::{Consistency, DATA, Item, Query, binary, key_item, number};
use figures::time::Millis;
use identity::replay;
use rollup::stream::{StreamConsumer, TIME_LIMIT};
use serde_json::{Value, json};
use tests::clock::now;
use tests::example::page_view;
use tests::faults::{FaultyProxy, Outage, Schedule};
use tests::queue::FakeQueue;
use tests::stack::{Counting, Project, Stack};
use tests::stream::{Deployed, event, key_of, sequence_number};

const HOUR_MS: i64 = 3_600_000;

/// A batch of a visitor, stored but not counted.
async fn store(stack: &Stack, project: &Project, number: usize, visitor: &str) -> Batch {
    let sent = page_view(visitor, &format!("s_{visitor}"), &format!("b_{number}"), now() - 60_000 + number as i64);
    stack.store_batch(project, number, &sent).await.unwrap()
}

/// Writes nonsense over what an item holds, and gives what was there.
async fn garble(stack: &Stack, key: &Key) -> Option<Item> {
    let before = stack.store().get(key, Consistency::Strong).await.unwrap();
    let mut item = key_item(key);
    item.insert(DATA.to_owned(), binary(vec![1, 2, 3]));
    item.insert("r".to_owned(), number(1));
    stack.store().put(item).await.unwrap();
    before
}

async fn visitors(stack: &Stack, project: &Project) -> BTreeSet<String> {
    let answer: Value =
        serde_json::from_str(&tests::http::get(&stack.at("visitors"), &project.secret_key).await.text).unwrap();
    let listed = answer["data"].as_array().unwrap().iter();
    listed.map(|row| row["visitor_id"].as_str().unwrap().to_owned()).collect()
}

/// A consumer whose readers are quick, so that a test does not wait for slow ones.
fn quick(stack: &Stack) -> Consumer {
    Consumer::new(stack.store().clone()).with_grace(Duration::from_millis(1))
}

async fn erase(stack: &Stack, project: &Project, visitor: &str) {
    let _ = quick(stack).erase(&project.id, &visitor.parse().unwrap(), |_| {}).await.unwrap();
}

/// What is left of an erased visitor: items of its own, and tombstones that say that its erasure is not done.
async fn left_of(stack: &Stack, project: &Project, visitor: &str) -> Vec<Item> {
    let visitor: VisitorId = visitor.parse().unwrap();
    let mut left =
        stack.store().query(Query::partition(keys::visitor_partition(&project.id, &visitor)).strong()).await.unwrap();
    let tombstones = stack.store().query(Query::partition(keys::tombstones(&project.id)).strong()).await.unwrap();
    assert_eq!(tombstones.len(), 1);
    left.extend(tombstones.into_iter().filter(|item| item.contains_key("unfinished_days")));
    left
}

/// The batches that are queued.
fn queued(queue: &FakeQueue) -> BTreeSet<(String, String)> {
    let letters = queue.bodies().into_iter().map(|body| serde_json::from_str::<DeadLetter>(&body).unwrap());
    letters.map(|letter| (letter.pk, letter.sk)).collect()
}

fn named<const N: usize>(names: [&str; N]) -> BTreeSet<String> {
    names.map(str::to_owned).into()
}

#[tokio::test]
async fn a_batch_that_can_not_be_processed_is_queued_by_its_key_and_replayed_once_it_can() {
    let stack = Stack::start(Counting::ByTest).await;
    let project = stack.project().await;
    let Deployed { stream, queue, proxy: _proxy } = Deployed::start(&stack).await;

    let mut batches = Vec::new();
    for (number, visitor) in ["good", "state", "state", "batch", "other"].into_iter().enumerate() {
        batches.push(store(&stack, &project, number, visitor).await);
    }
    garble(&stack, &keys::visitor(&project.id, &"state".parse().unwrap())).await;
    let unreadable = key_of(&project, &batches[3]);
    let readable = garble(&stack, &unreadable).await.unwrap();
    let all: Vec<_> = batches.iter().map(|batch| (&project, batch)).collect();
    let response = stream.handle(event(&stack, &all, now()).await).await;
    assert!(response.batch_item_failures.is_empty(), "nothing is delivered again: {response:?}");

    assert_eq!(visitors(&stack, &project).await, named(["good", "other"]));
    let expected = batches[1..4].iter().map(|batch| key_of(&project, batch));
    assert_eq!(queued(&queue), expected.map(|key| (key.pk, key.sk)).collect());

    // As long as nothing is mended, they stay where they are.
    assert!(!replay::run(stack.store(), Some(&queue.client())).await.unwrap());
    assert_eq!(queue.bodies().len(), 3);
    queue.time_is_up();

    stack.store().put(readable).await.unwrap();
    stack.store().delete(&keys::visitor(&project.id, &"state".parse().unwrap())).await.unwrap();
    assert!(replay::run(stack.store(), Some(&queue.client())).await.unwrap());
    assert!(queue.bodies().is_empty());
    assert_eq!(visitors(&stack, &project).await, named(["batch", "good", "other", "state"]));
    stack.shutdown().await;
}

#[tokio::test]
async fn what_can_not_be_queued_is_delivered_again() {
    let stack = Stack::start(Counting::ByTest).await;
    let (broken, fine) = (stack.project().await, stack.project().await);
    let Deployed { stream, queue, proxy: _proxy } = Deployed::start(&stack).await;
    let batches =
        [store(&stack, &fine, 0, "a").await, store(&stack, &broken, 1, "b").await, store(&stack, &fine, 2, "c").await];
    garble(&stack, &keys::visitor(&broken.id, &"b".parse().unwrap())).await;
    queue.set_down(true);
    let records = [(&fine, &batches[0]), (&broken, &batches[1]), (&fine, &batches[2])];
    let delivered = event(&stack, &records, now()).await;
    let again = |response: aws_lambda_events::streams::DynamoDbEventResponse| -> Vec<Option<String>> {
        response.batch_item_failures.into_iter().map(|failure| failure.item_identifier).collect()
    };
    let failed = again(stream.handle(delivered.clone()).await);
    assert_eq!(failed, [Some(sequence_number(1))]);
    assert_eq!(visitors(&stack, &fine).await, named(["a", "c"]));

    queue.set_down(false);
    assert!(again(stream.handle(delivered).await).is_empty());
    assert_eq!(queue.bodies().len(), 1);
    assert_eq!(visitors(&stack, &fine).await, named(["a", "c"]));
    stack.shutdown().await;
}

#[tokio::test]
async fn a_consumer_that_was_away_for_two_days_loses_nothing() {
    let stack = Stack::start(Counting::ByTest).await;
    let project = stack.project().await;
    let consumer = Consumer::new(stack.store().clone());
    let stream = || StreamConsumer::new(consumer.clone(), None);
    let counted = store(&stack, &project, 0, "counted").await;
    stream().handle(event(&stack, &[(&project, &counted)], now()).await).await;
    assert_eq!(consumer.reconcile_if_due(Millis(now())).await.unwrap(), None, "nothing can have been missed");

    // Two days: the stream forgot what was stored on the first of them.
    let missed = [store(&stack, &project, 1, "missed").await, store(&stack, &project, 2, "missed_too").await];
    let kept = store(&stack, &project, 3, "kept").await;
    assert!(consumer.reconcile_if_due(Millis(now() + 13 * HOUR_MS)).await.unwrap().is_some(), "nobody worked since");
    for batch in &missed {
        let visitor = &batch.visitor_id;
        assert!(visitors(&stack, &project).await.contains(visitor.as_str()));
    }
    let gone = store(&stack, &project, 4, "gone").await;
    stream().handle(event(&stack, &[(&project, &kept)], now() - 23 * HOUR_MS).await).await;
    assert_eq!(visitors(&stack, &project).await, named(["counted", "kept", "missed", "missed_too"]));
    let found = consumer.reconcile_if_due(Millis(now())).await.unwrap();
    assert_eq!(found, Some(Reconciled { batches: 5, applied: 1, refused: 0 }), "the consumer came late");
    assert!(visitors(&stack, &project).await.contains(gone.visitor_id.as_str()));
    assert_eq!(consumer.reconcile_if_due(Millis(now())).await.unwrap(), None, "and all is well again");
    stack.shutdown().await;
}

/// A site that nobody visits is read once more when its consumer falls silent, and then no more until something is stored.
#[tokio::test]
async fn a_silent_site_is_not_read_again_and_again() {
    const DAY_MS: i64 = 24 * HOUR_MS;
    let stack = Stack::start(Counting::ByTest).await;
    let project = stack.project().await;
    let store_metered = stack.store().metered();
    let consumer = Consumer::new(store_metered.clone());
    let stored = store(&stack, &project, 0, "a").await;
    StreamConsumer::new(consumer.clone(), None).handle(event(&stack, &[(&project, &stored)], now()).await).await;
    let in_days = |days: i64| Millis(now() + days * DAY_MS);
    let reconciled = async |days: i64| consumer.reconcile_if_due(in_days(days)).await.unwrap();
    assert!(reconciled(2).await.is_some(), "nobody worked for two days");
    let before = store_metered.consumed();
    for days in 3..40 {
        assert_eq!(reconciled(days).await, None, "nothing was stored since");
    }
    let after = store_metered.consumed();
    assert!(after.read_units - before.read_units <= 37.0 * 4.0, "a day costs a few reads: {after:?}");

    // Something is stored, and the consumer is still away.
    ip::key_of_today(stack.store(), &project.id, in_days(40)).await.unwrap();
    let missed = store(&stack, &project, 1, "b").await;
    assert_eq!(reconciled(41).await, Some(Reconciled { batches: 2, applied: 1, refused: 0 }));
    assert!(visitors(&stack, &project).await.contains(missed.visitor_id.as_str()));
    // On a day with batches it can't be told which came after it.
    assert!(reconciled(42).await.is_some());
    assert_eq!(reconciled(43).await, None);
    stack.shutdown().await;
}

#[tokio::test]
async fn a_message_about_records_that_were_given_up_makes_replay_look_for_them() {
    let stack = Stack::start(Counting::ByTest).await;
    let project = stack.project().await;
    let queue = FakeQueue::start().await.unwrap();
    let batch = store(&stack, &project, 0, "lost").await;
    let lambdas: Value = json!({
        "requestContext": { "condition": "RetryAttemptsExhausted", "approximateInvokeCount": 101 },
        "DDBStreamBatchInfo": { "shardId": "shardId-1", "startSequenceNumber": "1000", "batchSize": 1 },
    });
    queue.put(&lambdas.to_string());
    assert!(replay::run(stack.store(), Some(&queue.client())).await.unwrap());
    assert!(queue.bodies().is_empty());
    assert!(
        Consumer::new(stack.store().clone()).pending(&project.id, vec![BatchRef::of(&batch)]).await.unwrap().is_empty()
    );
    stack.shutdown().await;
}

/// What is queued is replayed every few minutes, and what somebody received is away for as long. So the daily look does not
/// rest on receiving the message itself.
#[tokio::test]
async fn records_that_were_given_up_are_looked_for_whoever_received_the_message() {
    let stack = Stack::start(Counting::ByTest).await;
    let project = stack.project().await;
    let queue = FakeQueue::start().await.unwrap();
    let consumer = Consumer::new(stack.store().clone());
    let counted = store(&stack, &project, 0, "counted").await;
    StreamConsumer::new(consumer.clone(), None).handle(event(&stack, &[(&project, &counted)], now()).await).await;
    assert_eq!(consumer.reconcile_if_due(Millis(now())).await.unwrap(), None, "nothing can have been missed");
    store(&stack, &project, 1, "lost").await;
    queue.put(&json!({ "requestContext": { "condition": "RetryAttemptsExhausted" } }).to_string());
    for _ in 0..2 {
        consumer.replay(&queue.client(), Duration::from_secs(60), |_| ()).await.unwrap();
    }
    let found = consumer.reconcile_if_due(Millis(now())).await.unwrap();
    assert_eq!(found, Some(Reconciled { batches: 2, applied: 1, refused: 0 }));
    assert_eq!(visitors(&stack, &project).await, named(["counted", "lost"]));
    assert_eq!(consumer.reconcile_if_due(Millis(now())).await.unwrap(), None, "and nothing is missed any more");
    queue.time_is_up();
    assert!(queue.bodies().is_empty());
    stack.shutdown().await;
}

/// What is missed while a reconciliation goes on may lie behind it.
#[tokio::test]
async fn what_is_missed_during_a_reconciliation_is_looked_for_after_it() {
    let stack = Stack::start(Counting::ByTest).await;
    let at = |ms: i64| Millis(now() + ms);
    Heartbeat::default().beat(stack.store(), at(-48 * HOUR_MS), at(0)).await.unwrap();
    let begun = Pulse::read(stack.store()).await.unwrap();
    assert!(begun.may_have_missed(at(0)));
    let consumer = Heartbeat::default();
    consumer.doubt(at(1_000));
    consumer.beat(stack.store(), at(1_000), at(2_000)).await.unwrap();
    begun.note_found(stack.store(), at(0)).await.unwrap();
    assert!(Pulse::read(stack.store()).await.unwrap().may_have_missed(at(3_000)));
    // The next one finds it.
    Pulse::read(stack.store()).await.unwrap().note_found(stack.store(), at(3_000)).await.unwrap();
    assert!(!Pulse::read(stack.store()).await.unwrap().may_have_missed(at(3_000)));
    stack.shutdown().await;
}

/// A table that is out of order holds up no record, and uses up no try of Lambda's: what could not be applied is queued,
/// and applied once the table is back.
#[tokio::test]
async fn what_a_table_out_of_order_does_not_take_is_queued_and_comes_later() {
    for outage in [Outage::Throttled, Outage::Silence] {
        let stack = Stack::start(Counting::ByTest).await;
        let project = stack.project().await;
        let Deployed { stream, queue, proxy } = Deployed::start(&stack).await;
        let batches = [store(&stack, &project, 0, "a").await, store(&stack, &project, 1, "b").await];
        let delivered = event(&stack, &[(&project, &batches[0]), (&project, &batches[1])], now()).await;

        proxy.set_outage(Some(outage));
        let begun = Instant::now();
        let response = stream.handle(delivered).await;
        assert!(response.batch_item_failures.is_empty(), "nothing is delivered again: {response:?}");
        assert!(begun.elapsed() < TIME_LIMIT + Duration::from_secs(2), "{:?}", begun.elapsed());
        assert_eq!(
            queued(&queue),
            batches.iter().map(|batch| key_of(&project, batch)).map(|key| (key.pk, key.sk)).collect()
        );
        proxy.set_outage(None);

        assert!(visitors(&stack, &project).await.is_empty());
        let consumer = Consumer::new(stack.store().clone());
        let replayed = consumer.replay(&queue.client(), Duration::from_secs(60), |_| ()).await.unwrap();
        assert_eq!((replayed.removed, replayed.refused.len(), replayed.given_up), (2, 0, 0));
        assert!(queue.bodies().is_empty());
        assert_eq!(visitors(&stack, &project).await, named(["a", "b"]));
        stack.shutdown().await;
    }
}

/// What is over in a moment is not queued: its figures would come minutes later.
#[tokio::test]
async fn a_short_disturbance_is_waited_for() {
    let stack = Stack::start(Counting::ByTest).await;
    let project = stack.project().await;
    let Deployed { stream, queue, proxy } = Deployed::start(&stack).await;
    let batch = store(&stack, &project, 0, "a").await;
    let delivered = event(&stack, &[(&project, &batch)], now()).await;
    proxy.set_outage(Some(Outage::Refused));
    let (response, ()) = tokio::join!(stream.handle(delivered), async {
        tokio::time::sleep(Duration::from_millis(1_500)).await;
        proxy.set_outage(None);
    });
    assert!(response.batch_item_failures.is_empty() && queue.bodies().is_empty());
    assert_eq!(visitors(&stack, &project).await, named(["a"]));
    stack.shutdown().await;
}

/// Neither the table nor the queue takes it: then Lambda may give it up without a trace, and it has to be looked for.
#[tokio::test]
async fn what_may_be_lost_to_the_stream_is_looked_for() {
    let stack = Stack::start(Counting::ByTest).await;
    let project = stack.project().await;
    let Deployed { stream, queue, proxy } = Deployed::start(&stack).await;
    let batches = [store(&stack, &project, 0, "lost").await, store(&stack, &project, 1, "next").await];
    proxy.set_outage(Some(Outage::Throttled));
    queue.set_down(true);
    let response = stream.handle(event(&stack, &[(&project, &batches[0])], now()).await).await;
    assert_eq!(response.batch_item_failures.len(), 1);
    queue.set_down(false);
    proxy.set_outage(None);

    let consumer = Consumer::new(stack.store().clone());
    stream.handle(event(&stack, &[(&project, &batches[1])], now()).await).await;
    assert_eq!(visitors(&stack, &project).await, named(["next"]));
    let found = consumer.reconcile_if_due(Millis(now())).await.unwrap();
    assert_eq!(found, Some(Reconciled { batches: 2, applied: 1, refused: 0 }));
    assert_eq!(consumer.reconcile_if_due(Millis(now())).await.unwrap(), None, "and nothing is missed any more");
    stack.shutdown().await;
}

/// A visitor is erased and counted after that, by who was given its batch before. To erase it once more takes longer than a
/// delivery may, as slow readers are waited for. It is done all the same, and what else was delivered does not wait for it.
#[tokio::test]
async fn an_erased_visitor_that_is_counted_late_holds_up_nobody_and_goes() {
    let stack = Stack::start(Counting::ByTest).await;
    let project = stack.project().await;
    let Deployed { stream, queue, proxy } = Deployed::start(&stack).await;
    let batches = [store(&stack, &project, 0, "erased").await, store(&stack, &project, 1, "other").await];
    let delivered = event(&stack, &[(&project, &batches[0]), (&project, &batches[1])], now()).await;
    proxy.let_through(0);
    let begun = Instant::now();
    let (response, ()) = tokio::join!(stream.handle(delivered), async {
        // It has found no tombstone, and is about to begin both visitors.
        proxy.arrived(1).await;
        erase(&stack, &project, "erased").await;
        proxy.let_through(usize::MAX);
    });
    assert!(response.batch_item_failures.is_empty(), "nothing is delivered again: {response:?}");
    assert!(begun.elapsed() < counting::GRACE, "{:?}", begun.elapsed());
    let key = key_of(&project, &batches[0]);
    assert_eq!(queued(&queue), [(key.pk, key.sk)].into());
    assert!(visitors(&stack, &project).await.contains("other"));

    let replayed = quick(&stack).replay(&queue.client(), Duration::from_secs(60), |_| ()).await.unwrap();
    assert_eq!((replayed.removed, replayed.refused.len()), (1, 0));
    assert_eq!(left_of(&stack, &project, "erased").await, []);
    assert!(quick(&stack).rebuild(&project.id, true, |_| {}).await.unwrap().is_empty());
    assert_eq!(visitors(&stack, &project).await, named(["other"]));
    stack.shutdown().await;
}

/// The same, but the delivery ends before it has put back the batch that it counted: what is queued names a batch that is gone.
#[tokio::test]
async fn a_queued_batch_that_is_gone_tells_that_its_erased_visitor_is_still_there() {
    let stack = Stack::start(Counting::ByTest).await;
    let project = stack.project().await;
    let Deployed { stream, queue, proxy } = Deployed::start(&stack).await;
    let stream = stream.with_time_limit(Duration::from_secs(5));
    let batch = store(&stack, &project, 0, "erased").await;
    let delivered = event(&stack, &[(&project, &batch)], now()).await;
    proxy.let_through(0);
    let (response, ()) = tokio::join!(stream.handle(delivered), async {
        proxy.arrived(1).await;
        erase(&stack, &project, "erased").await;
        proxy.let_through(1);
    });
    assert!(response.batch_item_failures.is_empty(), "nothing is delivered again: {response:?}");
    let key = key_of(&project, &batch);
    assert_eq!(queued(&queue), [(key.pk.clone(), key.sk.clone())].into());
    assert_eq!(stack.store().get(&key, Consistency::Strong).await.unwrap(), None);
    assert_eq!(visitors(&stack, &project).await, named(["erased"]));

    let replayed = quick(&stack).replay(&queue.client(), Duration::from_secs(60), |_| ()).await.unwrap();
    assert_eq!((replayed.removed, replayed.refused.len()), (1, 0));
    assert_eq!(left_of(&stack, &project, "erased").await, []);
    assert!(visitors(&stack, &project).await.is_empty());
    stack.shutdown().await;
}

/// Erasing is stopped anywhere, and nobody tries again: what the visitor still sends does.
#[tokio::test]
async fn an_erasure_that_was_stopped_is_finished_when_its_visitor_sends_something() {
    let stack = Stack::start(Counting::ByTest).await;
    let mut stops = 0;
    // The project's key and the tombstone.
    for write in 3.. {
        let project = stack.project().await;
        let queue = FakeQueue::start().await.unwrap();
        let stream = StreamConsumer::new(quick(&stack), Some(queue.client()));
        let batches = [store(&stack, &project, 0, "erased").await, store(&stack, &project, 1, "other").await];
        let delivered = event(&stack, &[(&project, &batches[0]), (&project, &batches[1])], now()).await;
        stream.handle(delivered).await;
        let proxy = FaultyProxy::start(&stack.endpoint_url(), Schedule::From(write)).await.unwrap();
        let stopped = Consumer::new(stack.store_through(&proxy.url()).await).with_grace(Duration::from_millis(1));
        let outcome = stopped.erase(&project.id, &"erased".parse().unwrap(), |_| {}).await;
        stops += usize::from(outcome.is_err());

        let next = store(&stack, &project, 2, "erased").await;
        stream.handle(event(&stack, &[(&project, &next)], now()).await).await;
        let replayed = quick(&stack).replay(&queue.client(), Duration::from_secs(60), |_| ()).await.unwrap();
        assert_eq!(replayed.refused.len(), 0, "write {write}");
        assert_eq!(left_of(&stack, &project, "erased").await, [], "write {write}");
        assert!(quick(&stack).rebuild(&project.id, true, |_| {}).await.unwrap().is_empty(), "write {write}");
        assert_eq!(visitors(&stack, &project).await, named(["other"]), "write {write}");
        if proxy.writes() < write {
            break;
        }
    }
    assert!(stops > 3, "{stops}");
    stack.shutdown().await;
}

/// The consumer never saw what a visitor sent before it was erased, or after that.
#[tokio::test]
async fn what_was_missed_of_an_erased_visitor_is_removed() {
    let stack = Stack::start(Counting::ByTest).await;
    let project = stack.project().await;
    erase(&stack, &project, "erased").await;
    store(&stack, &project, 0, "erased").await;
    store(&stack, &project, 1, "other").await;
    let found = quick(&stack).reconcile_now(Millis(now()), |_| ()).await.unwrap();
    assert_eq!((found.batches, found.refused), (2, 0));
    assert_eq!(left_of(&stack, &project, "erased").await, []);
    assert_eq!(visitors(&stack, &project).await, named(["other"]));
    stack.shutdown().await;
}
