//! Commands that are stopped at any write: what they leave is exact for readers and for consumers at once, and whoever comes
//! next completes or undoes it without waiting.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use std::time::Duration;

use fastrand::Rng;
use proptest::prelude::*;
use proptest::sample::Index;
use rollup::Consumer;
use shared::derived::BatchRef;
use shared::ids::VisitorId;
use shared::keys;
use shared::model::Batch;
use shared::store::{Query, SK, item_key, read_text};
use tests::delivery::{Order, deliver};
use tests::example::page_view;
use tests::faults::{Fault, FaultyProxy, Schedule};
use tests::generate::history;
use tests::property::{holds, runtime};
use tests::sent::{Event, Sent};
use tests::stack::{Counting, Stack, now};
use tests::told::Told;

/// How a command is stopped at its `n`th write, in turn.
fn schedule(write: usize) -> Schedule {
    match write % 4 {
        0 => Schedule::From(write),
        1 => Schedule::Once { write, fault: Fault::AnswerLost },
        2 => Schedule::Once { write, fault: Fault::InternalError },
        _ => Schedule::Once { write, fault: Fault::Refused },
    }
}

/// A consumer whose readers are quick, so that a test does not wait for slow ones.
fn consumer(store: shared::store::Store) -> Consumer {
    Consumer::new(store).with_grace(Duration::from_millis(1))
}

/// Loses one of the changes of the first project that are not merged yet, if there is any.
async fn lose_a_change(stack: &Stack, told: &Told, which: Index) {
    let tail = stack.store().query(Query::partition(keys::tail(&told.projects[0].id))).await.unwrap();
    let changes: Vec<_> = tail.iter().filter(|item| keys::is_segment(read_text(item, SK).unwrap())).collect();
    if !changes.is_empty() {
        stack.store().delete(&item_key(changes[which.index(changes.len())]).unwrap()).await.unwrap();
    }
}

/// A rebuild is stopped at its first write, its second, and so on. Where nothing was wrong, readers see the same figures
/// at every stop, and what is counted afterwards is exact; where a change was lost, the next rebuild puts it right.
#[test]
fn a_rebuild_may_stop_at_any_write() {
    let runtime = runtime();
    let stack = runtime.block_on(Stack::start(Counting::ByTest));
    let cases = (history(12), any::<bool>(), any::<Index>(), any::<u64>());
    holds(&runtime, 1, &cases, async |(history, is_broken, which, seed)| {
        let clean = consumer(stack.store().clone());
        for write in 1.. {
            let mut rng = Rng::with_seed(seed);
            let mut told = Told::store(&stack, &history).await;
            let (before, after) = told.stored.split_at(told.stored.len() * 2 / 3);
            deliver(&clean, before, Order::Stored, &mut rng).await?;
            if is_broken {
                lose_a_change(&stack, &told, which).await;
            }
            let proxy = FaultyProxy::start(&stack.endpoint_url(), schedule(write)).await.unwrap();
            let faulty = consumer(stack.store_through(&proxy.url()).await);
            let stopped = faulty.rebuild(&told.projects[0].id, false, |_| {}).await;
            let outcome = stopped.map(|_| "done").unwrap_or("stopped");
            let context =
                |what: &'static str| move |error: String| format!("{outcome} at write {write}, {what}: {error}");
            deliver(&clean, after, Order::Stored, &mut rng).await?;
            if !is_broken {
                told.compare_briefly(&stack).await.map_err(context("before the next rebuild"))?;
            }
            let again = clean.rebuild(&told.projects[0].id, false, |_| {}).await;
            again.map_err(|error| context("the next rebuild")(error.to_string()))?;
            told.compare_briefly(&stack).await.map_err(context("after the next rebuild"))?;
            told.check_rebuilt(&clean).await.map_err(context("a check after the next rebuild"))?;
            if proxy.writes() < write {
                break;
            }
        }
        Ok(())
    });
    runtime.block_on(stack.shutdown());
}

/// A batch whose many pages make the tail so long that it is merged.
fn wide(number: usize) -> Sent {
    let at = now() - 60_000;
    let mut sent = page_view(&format!("v_{number}"), "ses_1", "b_1", at);
    let event = |page: u64| Event {
        name: "page_view".to_owned(),
        url: Some(format!("/{:016x}", Rng::with_seed(100 * number as u64 + page).u64(..))),
        created_at: at,
        data: None,
    };
    sent.events = (0..90).map(event).collect();
    sent
}

/// One write of a delivery fails, the first, the second, and so on: the delivery fails exactly where a batch of it is not
/// counted. What is left of the tail's compaction comes with the next one.
#[tokio::test]
async fn a_delivery_fails_only_for_batches_that_are_not_counted() {
    let stack = Stack::start(Counting::ByTest).await;
    let sent: Vec<Sent> = (0..24).map(wide).collect();
    let mut failed_in_compaction = 0;
    for write in 1.. {
        let project = stack.project().await;
        let mut batches = Vec::new();
        for (number, sent) in sent.iter().enumerate() {
            batches.push(stack.store_batch(&project, number, sent).await.unwrap());
        }
        let reference = |batch: &Batch| BatchRef {
            visitor: batch.visitor_id.clone(),
            session: batch.session_id.clone(),
            batch: batch.batch_id.clone(),
        };
        let references: Vec<BatchRef> = batches.iter().map(reference).collect();
        let schedule = Schedule::Once { write, fault: Fault::InternalError };
        let proxy = FaultyProxy::start(&stack.endpoint_url(), schedule).await.unwrap();
        let faulty = consumer(stack.store_through(&proxy.url()).await);
        let outcome = faulty.apply([(project.id.clone(), batches)].into()).await.complete();
        let pending = faulty.pending(&project.id, references).await.unwrap();
        assert_eq!(outcome.is_ok(), pending.is_empty(), "write {write}: {outcome:?}");
        if proxy.writes() < write {
            break;
        }
        failed_in_compaction += usize::from(outcome.is_ok());
    }
    assert!(failed_in_compaction > 0, "nothing was merged");
    stack.shutdown().await;
}

/// While a rebuild goes on, batches are counted, figures are merged and read: readers see what is right all the time.
#[test]
fn a_rebuild_goes_on_beside_consumers_and_readers() {
    let runtime = runtime();
    let stack = runtime.block_on(Stack::start(Counting::ByTest));
    holds(
        &runtime,
        4,
        &(history(60), any::<bool>(), any::<Index>(), any::<u64>()),
        async |(history, is_broken, which, seed)| {
            let clean = consumer(stack.store().clone());
            let mut rng = Rng::with_seed(seed);
            let mut told = Told::store(&stack, &history).await;
            let (before, after) = told.stored.split_at(told.stored.len() / 2);
            deliver(&clean, before, Order::Any, &mut rng).await?;
            if is_broken {
                lose_a_change(&stack, &told, which).await;
            }
            let id = told.projects[0].id.clone();
            let (rebuilt, counted) =
                tokio::join!(clean.rebuild(&id, false, |_| {}), deliver(&clean, after, Order::Any, &mut rng));
            rebuilt.map_err(|error| error.to_string())?;
            counted?;
            told.compare_all(&stack, &mut rng).await?;
            told.check_rebuilt(&clean).await
        },
    );
    runtime.block_on(stack.shutdown());
}

/// An erasure is stopped at any write, and run again at once.
#[test]
fn an_erasure_may_stop_at_any_write() {
    let runtime = runtime();
    let stack = runtime.block_on(Stack::start(Counting::ByTest));
    holds(&runtime, 1, &(history(12), any::<[Index; 2]>(), any::<u64>()), async |(history, erased, seed)| {
        let clean = consumer(stack.store().clone());
        let visitors: [VisitorId; 2] = erased.map(|index| format!("v_{}", index.index(4)).parse().unwrap());
        for write in 1.. {
            let mut rng = Rng::with_seed(seed);
            let mut told = Told::store(&stack, &history).await;
            deliver(&clean, &told.stored, Order::Stored, &mut rng).await?;
            let proxy = FaultyProxy::start(&stack.endpoint_url(), schedule(write)).await.unwrap();
            let faulty = consumer(stack.store_through(&proxy.url()).await);
            let stopped = faulty.erase(&told.projects[0].id, &visitors[0], |_| {}).await;
            let outcome = stopped.map(|_| "done").unwrap_or("stopped");
            let context = |error: String| format!("{outcome} at write {write}: {error}");
            deliver(&clean, &told.stored, Order::Stored, &mut rng).await?;
            told.erase(&stack, &clean, &visitors).await.map_err(context)?;
            told.compare_briefly(&stack).await.map_err(context)?;
            told.check_rebuilt(&clean).await.map_err(context)?;
            if proxy.writes() < write {
                break;
            }
        }
        Ok(())
    });
    runtime.block_on(stack.shutdown());
}
