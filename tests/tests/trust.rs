//! A visitor that is trusted is in every figure as if no score had ever been sent of it: whatever was sent before, whatever
//! comes later, and wherever it is stopped.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use std::time::Duration;

use counting::Consumer;
use fastrand::Rng;
use figures::ids::VisitorId;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use tests::delivery::{Order, Stored, deliver};
use tests::faults::{Fault, FaultyProxy, Schedule};
use tests::generate::history;
use tests::property::{holds, runtime};
use tests::stack::{Counting, Stack};
use tests::told::Told;

fn order() -> impl Strategy<Value = Order> {
    select(Order::ALL.to_vec())
}

/// A visitor of each project that has sent something, and what a stranger now sends of it: the highest score.
async fn slander(told: &mut Told, stack: &Stack, which: [Index; 2]) -> ([Option<VisitorId>; 2], Vec<Stored>) {
    let (mut visitors, mut sent) = ([None, None], Vec::new());
    for (of, index) in which.into_iter().enumerate() {
        let batches = told.oracles[of].batches();
        if batches.is_empty() {
            continue;
        }
        let mut batch = index.get(batches).clone();
        batch.batch_id = "b_stranger".to_owned();
        batch.visitor.bot_score = Some(100);
        let stored = stack.store_batch(&told.projects[of], 1_000_000, &batch).await.unwrap();
        visitors[of] = Some(stored.visitor_id.clone());
        told.oracles[of].store(batch);
        sent.push((told.projects[of].id.clone(), stored));
    }
    told.stored.extend(sent.clone());
    (visitors, sent)
}

/// Trusts them in the model.
fn trust_in_model(told: &mut Told, visitors: &[Option<VisitorId>; 2]) {
    for (oracle, visitor) in told.oracles.iter_mut().zip(visitors) {
        if let Some(visitor) = visitor {
            *oracle = oracle.trusting(visitor.as_str());
        }
    }
}

async fn trust(consumer: &Consumer, told: &Told, visitors: &[Option<VisitorId>; 2]) -> Result<(), String> {
    for (project, visitor) in told.projects.iter().zip(visitors) {
        if let Some(visitor) = visitor {
            let trusted = consumer.trust(&project.id, visitor).await.map_err(|error| error.to_string())?;
            trusted.ok_or_else(|| format!("nothing is known of {visitor}"))?;
        }
    }
    Ok(())
}

/// Trusted once all came, or between: then the rest comes, some of it again.
#[test]
fn a_trusted_visitor_is_in_all_figures_as_if_no_score_had_been_sent() {
    let runtime = runtime();
    let stack = runtime.block_on(Stack::start(Counting::ByTest));
    // Nobody reads while it writes.
    let consumer = Consumer::new(stack.store().clone()).with_grace(Duration::from_millis(1));
    let cases = (history(60), order(), any::<[Index; 2]>(), any::<Index>(), any::<[bool; 2]>(), any::<u64>());
    holds(&runtime, 6, &cases, async |(history, order, which, split, [is_compacted, is_rebuilt], seed)| {
        let mut rng = Rng::with_seed(seed);
        let mut told = Told::store(&stack, &history).await;
        let (before, after) = told.stored.split_at(split.index(told.stored.len() + 1));
        let (mut before, mut after) = (before.to_vec(), after.to_vec());
        deliver(&consumer, &before, order, &mut rng).await?;
        let (visitors, slander) = slander(&mut told, &stack, which).await;
        // Before it is trusted, or as one more batch afterwards.
        if rng.bool() {
            deliver(&consumer, &slander, order, &mut rng).await?;
            before.extend(slander);
        } else {
            after.extend(slander);
        }
        if is_compacted {
            for project in &told.projects {
                consumer.compact(&project.id).await.map_err(|error| error.to_string())?;
            }
        }
        let known = |visitor: &Option<VisitorId>, of: usize| {
            let project = &told.projects[of].id;
            let is_of = |(id, batch): &Stored| id == project && Some(&batch.visitor_id) == visitor.as_ref();
            visitor.clone().filter(|_| before.iter().any(is_of))
        };
        let visitors = [known(&visitors[0], 0), known(&visitors[1], 1)];
        trust(&consumer, &told, &visitors).await?;
        trust_in_model(&mut told, &visitors);
        deliver(&consumer, &after, order, &mut rng).await?;
        if is_rebuilt {
            for project in &told.projects {
                consumer.rebuild(&project.id, false, |_| {}).await.map_err(|error| error.to_string())?;
            }
        }
        told.compare_all(&stack, &mut rng).await?;
        told.check_rebuilt(&consumer).await
    });
    runtime.block_on(stack.shutdown());
}

/// It is stopped at its first write, its second, and so on, and run again.
#[test]
fn trust_may_fail_at_any_write() {
    let runtime = runtime();
    let stack = runtime.block_on(Stack::start(Counting::ByTest));
    let consumer = Consumer::new(stack.store().clone()).with_grace(Duration::from_millis(1));
    holds(
        &runtime,
        2,
        &(history(20), order(), any::<[Index; 2]>(), any::<u64>()),
        async |(history, order, which, seed)| {
            for (write, fault) in (1..).zip(Fault::ALL.into_iter().cycle()) {
                let mut told = Told::store(&stack, &history).await;
                let (visitors, _) = slander(&mut told, &stack, which).await;
                deliver(&consumer, &told.stored, order, &mut Rng::with_seed(seed)).await?;
                let proxy = FaultyProxy::start(&stack.endpoint_url(), Schedule::Once { write, fault }).await.unwrap();
                let faulty = Consumer::new(stack.store_through(&proxy.url()).await);
                if trust(&faulty, &told, &visitors).await.is_err() {
                    trust(&consumer, &told, &visitors).await?;
                }
                trust_in_model(&mut told, &visitors);
                let compared = told.compare_briefly(&stack).await;
                compared.map_err(|difference| format!("after {fault:?} at write {write}: {difference}"))?;
                told.check_rebuilt(&consumer).await?;
                if proxy.writes() < write {
                    break;
                }
            }
            Ok(())
        },
    );
    runtime.block_on(stack.shutdown());
}
