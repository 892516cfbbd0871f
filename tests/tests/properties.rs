//! Whatever is sent, in whatever order it is counted and whatever fails on the way: every endpoint
//! answers what the model answers, on every page and under every filter.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use std::time::Duration;

use counting::Consumer;
use fastrand::Rng;
use proptest::prelude::*;
use proptest::sample::select;
use tests::clock::now;
use tests::delivery::{Order, deliver};
use tests::faults::{Fault, FaultyProxy, Schedule};
use tests::generate::history;
use tests::oracle::Oracle;
use tests::property::{holds, runtime};
use tests::stack::{Counting, Stack};
use tests::told::Told;
use tests::tracker::Tracker;

fn order() -> impl Strategy<Value = Order> {
    select(Order::ALL.to_vec())
}

#[test]
fn every_endpoint_answers_what_was_sent() {
    let runtime = runtime();
    let stack = runtime.block_on(Stack::start(Counting::ByTest));
    let consumer = Consumer::new(stack.store().clone());
    let history = prop_oneof![1 => history(6), 2 => history(40)];
    holds(&runtime, 16, &(history, order(), any::<u64>()), async |(history, order, seed)| {
        let mut rng = Rng::with_seed(seed);
        let mut told = Told::store(&stack, &history).await;
        deliver(&consumer, &told.stored, order, &mut rng).await?;
        told.compare_all(&stack, &mut rng).await
    });
    runtime.block_on(stack.shutdown());
}

/// The stack's own consumer takes the stream while the test delivers the same batches in its way.
#[test]
fn two_consumers_count_everything_once() {
    let runtime = runtime();
    let stack = runtime.block_on(Stack::start(Counting::ByStream));
    let consumer = Consumer::new(stack.store().clone());
    holds(&runtime, 4, &(history(40), order(), any::<u64>()), async |(history, order, seed)| {
        let mut rng = Rng::with_seed(seed);
        let mut told = Told::store(&stack, &history).await;
        deliver(&consumer, &told.stored, order, &mut rng).await?;
        for (project, oracle) in told.projects.iter().zip(&told.oracles) {
            stack.counted(&project.id, oracle.batches()).await;
        }
        told.compare_all(&stack, &mut rng).await
    });
    runtime.block_on(stack.shutdown());
}

/// Histories long enough that their figures are merged again and again, while writes fail at random
/// and while they are read.
#[test]
fn long_histories_are_counted_and_merged_exactly() {
    let runtime = runtime();
    let stack = runtime.block_on(Stack::start(Counting::ByTest));
    let history = history(300).prop_filter("long", |history| history.len() > 150);
    holds(&runtime, 2, &(history, order(), any::<u64>()), async |(history, order, seed)| {
        let mut rng = Rng::with_seed(seed);
        let mut told = Told::store(&stack, &history).await;
        let schedule = Schedule::Randomly { one_in: 40, seed };
        let proxy = FaultyProxy::start(&stack.endpoint_url(), schedule).await.unwrap();
        let faulty = Consumer::new(stack.store_through(&proxy.url()).await);
        deliver(&faulty, &told.stored, order, &mut rng).await?;
        let consumer = Consumer::new(stack.store().clone());
        let ids = told.projects.each_ref().map(|project| project.id.clone());
        let merging = async {
            for id in &ids {
                consumer.compact(id).await.map_err(|error| error.to_string())?;
            }
            Ok(())
        };
        let (merged, compared) = tokio::join!(merging, told.compare_all(&stack, &mut rng));
        merged.and(compared)
    });
    runtime.block_on(stack.shutdown());
}

/// The consumer is stopped at its first write, its second, and so on until one run meets no fault;
/// what it left undone is delivered again.
#[test]
fn a_consumer_may_fail_at_any_write() {
    let runtime = runtime();
    let stack = runtime.block_on(Stack::start(Counting::ByTest));
    holds(&runtime, 3, &(history(10), order(), any::<u64>()), async |(history, order, seed)| {
        for (write, fault) in (1..).zip(Fault::ALL.into_iter().cycle()) {
            let mut told = Told::store(&stack, &history).await;
            let proxy = FaultyProxy::start(&stack.endpoint_url(), Schedule::Once { write, fault }).await.unwrap();
            let faulty = Consumer::new(stack.store_through(&proxy.url()).await);
            deliver(&faulty, &told.stored, order, &mut Rng::with_seed(seed)).await?;
            let compared = told.compare_briefly(&stack).await;
            compared.map_err(|difference| format!("after {fault:?} at write {write}: {difference}"))?;
            if proxy.writes() < write {
                break;
            }
        }
        Ok(())
    });
    runtime.block_on(stack.shutdown());
}

/// No write's first answer arrives, so the SDK makes each one twice, as a deployed function's does.
#[test]
fn a_consumer_may_lose_every_answer() {
    let runtime = runtime();
    let stack = runtime.block_on(Stack::start(Counting::ByTest));
    holds(&runtime, 2, &(history(40), order(), any::<u64>()), async |(history, order, seed)| {
        let mut rng = Rng::with_seed(seed);
        let mut told = Told::store(&stack, &history).await;
        let schedule = Schedule::FirstTries(Fault::AnswerLost);
        let proxy = FaultyProxy::start(&stack.endpoint_url(), schedule).await.unwrap();
        let unsure = Consumer::new(stack.store_as_deployed(&proxy.url()).await);
        deliver(&unsure, &told.stored, order, &mut rng).await?;
        for project in &told.projects {
            unsure.compact(&project.id).await.map_err(|error| error.to_string())?;
        }
        told.compare_all(&stack, &mut rng).await
    });
    runtime.block_on(stack.shutdown());
}

/// However figures came to be, a rebuild comes to the same. A visitor that is erased leaves no trace in
/// them, also when its batches come again.
#[test]
fn figures_are_what_a_rebuild_finds_and_an_erased_visitor_is_in_none() {
    let runtime = runtime();
    let stack = runtime.block_on(Stack::start(Counting::ByTest));
    // Nobody reads while it writes.
    let consumer = Consumer::new(stack.store().clone()).with_grace(Duration::from_millis(1));
    let cases = (history(60), order(), any::<[prop::sample::Index; 2]>(), any::<bool>(), any::<u64>());
    holds(&runtime, 4, &cases, async |(history, order, erased, is_compacted, seed)| {
        let mut rng = Rng::with_seed(seed);
        let mut told = Told::store(&stack, &history).await;
        deliver(&consumer, &told.stored, order, &mut rng).await?;
        if is_compacted {
            for project in &told.projects {
                consumer.compact(&project.id).await.map_err(|error| error.to_string())?;
            }
        }
        told.check_rebuilt(&consumer).await?;
        let visitors = erased.map(|index| format!("v_{}", index.index(4)).parse().unwrap());
        told.erase(&stack, &consumer, &visitors).await?;
        deliver(&consumer, &told.stored, order, &mut rng).await?;
        told.compare_all(&stack, &mut rng).await?;
        told.compare_briefly(&stack).await?;
        told.check_rebuilt(&consumer).await
    });
    runtime.block_on(stack.shutdown());
}

/// What a browser's tracker sends to the collector, counted by the stack itself.
#[test]
fn what_the_collector_takes_is_what_the_api_answers() {
    let runtime = runtime();
    let stack = runtime.block_on(Stack::start(Counting::ByStream));
    let tracker = Tracker::default();
    holds(&runtime, 4, &(history(30), any::<u64>()), async |(history, seed)| {
        let projects = [stack.project().await, stack.project().await];
        let mut oracles = [Oracle::default(), Oracle::default()];
        for (of, sent) in history.recent(now()) {
            oracles[of].store(tracker.send(&stack, &projects[of], sent).await?);
        }
        for (project, oracle) in projects.iter().zip(&mut oracles) {
            stack.counted(&project.id, oracle.batches()).await;
            if !oracle.batches().is_empty() {
                stack.api(project).compare_all(oracle, &mut Rng::with_seed(seed)).await?;
            }
        }
        Ok(())
    });
    runtime.block_on(stack.shutdown());
}
