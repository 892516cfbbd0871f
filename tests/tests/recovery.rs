//! Commands that are stopped at any write, or held up before it: what they leave is exact for readers and for consumers at once,
//! and whoever comes next completes or undoes it without waiting.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use std::time::Duration;

use counting::Consumer;
use counting::dead_letters::DeadLetter;
use counting::heartbeat::Heartbeat;
use fastrand::Rng;
use figures::ids::VisitorId;
use figures::log::BatchRef;
use figures::model::Batch;
use figures::table::keys;
use figures::table::store::Query;
use figures::time::Millis;
use identity::replay;
use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::Value;
use tests::clock::now;
use tests::delivery::{Order, deliver};
use tests::example::page_view;
use tests::faults::{Fault, FaultyProxy, Schedule, until_done};
use tests::generate::history;
use tests::http::get;
use tests::property::{holds, runtime};
use tests::queue::FakeQueue;
use tests::sent::{Event, Sent};
use tests::stack::{Counting, Project, Stack};
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

/// A case stops a command at one in so many of its writes, so that more histories can be tried. Odd, so that it is stopped in
/// every way.
const STRIDE: usize = 7;

/// A consumer whose readers are quick, so that a test does not wait for slow ones.
fn consumer(store: figures::table::store::Store) -> Consumer {
    Consumer::new(store).with_grace(Duration::from_millis(1))
}

/// A rebuild is stopped at any of its writes. Where nothing was wrong, readers see the same figures at every stop, and what
/// is counted afterwards is exact; where a change was lost, the next rebuild puts it right.
#[test]
fn a_rebuild_may_stop_at_any_write() {
    let runtime = runtime();
    let stack = runtime.block_on(Stack::start(Counting::ByTest));
    let cases = (history(12), 1..=STRIDE, any::<bool>(), any::<Index>(), any::<u64>());
    holds(&runtime, STRIDE as u32, &cases, async |(history, first, is_broken, which, seed)| {
        let clean = consumer(stack.store().clone());
        for write in (first..).step_by(STRIDE) {
            let mut rng = Rng::with_seed(seed);
            let mut told = Told::store(&stack, &history).await;
            let (before, after) = told.stored.split_at(told.stored.len() * 2 / 3);
            deliver(&clean, before, Order::Stored, &mut rng).await?;
            if is_broken {
                told.lose_a_change(&stack, which).await;
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
        let references: Vec<BatchRef> = batches.iter().map(BatchRef::of).collect();
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
                told.lose_a_change(&stack, which).await;
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
    let cases = (history(12), 1..=STRIDE, any::<[Index; 2]>(), any::<u64>());
    holds(&runtime, STRIDE as u32, &cases, async |(history, first, erased, seed)| {
        let clean = consumer(stack.store().clone());
        let visitors: [VisitorId; 2] = erased.map(|index| format!("v_{}", index.index(4)).parse().unwrap());
        for write in (first..).step_by(STRIDE) {
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

/// What changes a project's figures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Command {
    Count,
    Erase,
    Rebuild,
}

impl Command {
    const ALL: [Command; 3] = [Command::Count, Command::Erase, Command::Rebuild];

    async fn run(self, consumer: &Consumer, told: &Told, visitor: &VisitorId, seed: u64) -> Result<(), String> {
        let project = &told.projects[0].id;
        match self {
            Command::Count => deliver(consumer, &told.stored, Order::Any, &mut Rng::with_seed(seed)).await,
            Command::Erase => {
                consumer.erase(project, visitor, |_| {}).await.map(drop).map_err(|error| error.to_string())
            }
            Command::Rebuild => {
                consumer.rebuild(project, false, |_| {}).await.map(drop).map_err(|error| error.to_string())
            }
        }
    }
}

/// A command is held up before any of its writes for as long as another one takes, and then goes on with what it read before that.
/// It may be refused, but neither of them is undone.
#[test]
fn a_command_may_be_overtaken_before_any_write() {
    let runtime = runtime();
    let stack = runtime.block_on(Stack::start(Counting::ByTest));
    let command = || prop::sample::select(&Command::ALL[..]);
    // As often as not, two erasures are of the same visitor.
    let erased = prop_oneof![any::<[Index; 2]>(), any::<Index>().prop_map(|of_both| [of_both; 2])];
    let cases = (history(12), command(), command(), 1..=STRIDE, erased, any::<Index>(), any::<u64>());
    holds(&runtime, STRIDE as u32, &cases, async |(history, late, quick, first, erased, lost, seed)| {
        let clean = consumer(stack.store().clone());
        let erased: [VisitorId; 2] = erased.map(|index| format!("v_{}", index.index(4)).parse().unwrap());
        for write in (first..).step_by(STRIDE) {
            let mut told = Told::store(&stack, &history).await;
            let half = told.stored.len() / 2;
            told.store_again(&stack, half).await;
            deliver(&clean, &told.stored[..half], Order::Any, &mut Rng::with_seed(seed)).await?;
            // A rebuild that finds nothing wrong is not shown.
            let is_broken = [late, quick].contains(&Command::Rebuild);
            if is_broken {
                told.lose_a_change(&stack, lost).await;
                told.miscount(&stack, lost).await;
            }
            let proxy = FaultyProxy::start(&stack.endpoint_url(), Schedule::Never).await.unwrap();
            let held_up = consumer(stack.store_through(&proxy.url()).await);
            proxy.let_through(write - 1);
            let outcome = {
                let mut overtaking = Box::pin(async {
                    proxy.arrived(write).await;
                    let done = quick.run(&clean, &told, &erased[0], seed).await;
                    proxy.let_through(usize::MAX);
                    done.map_err(|error| format!("{quick:?} before write {write} of {late:?}: {error}"))
                });
                let mut overtaken = Box::pin(late.run(&held_up, &told, &erased[1], seed));
                tokio::select! {
                    outcome = &mut overtaken => {
                        // It did not wait for so long, if it came to that write.
                        if proxy.writes() >= write {
                            overtaking.await?;
                        }
                        outcome
                    }
                    done = &mut overtaking => {
                        done?;
                        overtaken.await
                    }
                }
            };
            let context = |error: String| format!("{quick:?} before write {write} of {late:?} ({outcome:?}): {error}");
            let is_overtaken = proxy.writes() >= write;
            let is_done = |command| (quick == command && is_overtaken) || (late == command && outcome.is_ok());
            // What is done once more would make up for what was lost.
            if !is_done(Command::Count) {
                deliver(&clean, &told.stored, Order::Stored, &mut Rng::with_seed(seed)).await?;
            }
            if is_broken && !is_done(Command::Rebuild) {
                Command::Rebuild.run(&clean, &told, &erased[0], seed).await.map_err(context)?;
            }
            if [late, quick].contains(&Command::Erase) {
                for visitor in &erased {
                    told.erase(&stack, &clean, &[visitor.clone(), visitor.clone()]).await.map_err(context)?;
                }
            }
            told.compare_briefly(&stack).await.map_err(context)?;
            told.check_rebuilt(&clean).await.map_err(context)?;
            if !is_overtaken {
                break;
            }
        }
        Ok(())
    });
    runtime.block_on(stack.shutdown());
}

/// Who was given a batch before its visitor was erased may count it after that, and takes it out again. Somebody who was given
/// another one meets the visitor meanwhile: what is not stored any more could never be taken out.
#[tokio::test]
async fn nothing_is_left_of_an_erased_visitor_that_several_consumers_were_given() {
    let stack = Stack::start(Counting::ByTest).await;
    let clean = consumer(stack.store().clone());
    for erased_before in [false, true] {
        let project = stack.project().await;
        if erased_before {
            let _ = clean.erase(&project.id, &"v_other".parse().unwrap(), |_| {}).await.unwrap();
        }
        let mut batches = Vec::new();
        for number in 0..2 {
            let view = page_view("v_1", "s_1", &format!("b_{number}"), now() - 10_000);
            batches.push(stack.store_batch(&project, number, &view).await.unwrap());
        }
        let given = |batch: &Batch| [(project.id.clone(), vec![batch.clone()])].into();
        let proxy = FaultyProxy::start(&stack.endpoint_url(), Schedule::Never).await.unwrap();
        let late = consumer(stack.store_through(&proxy.url()).await);
        proxy.let_through(0);
        let meanwhile = async {
            // It has found no tombstone, and is about to begin the visitor.
            proxy.arrived(1).await;
            let _ = clean.erase(&project.id, &"v_1".parse().unwrap(), |_| {}).await.unwrap();
            proxy.let_through(1);
            // It has begun the visitor, found the tombstone, and is about to take the visitor out again.
            proxy.arrived(2).await;
            clean.apply(given(&batches[1])).await.complete().unwrap();
            proxy.let_through(usize::MAX);
        };
        let (counted, ()) = tokio::join!(late.apply(given(&batches[0])), meanwhile);
        counted.complete().unwrap();
        let differences = clean.rebuild(&project.id, true, |_| {}).await.unwrap();
        assert!(differences.is_empty(), "erased before: {erased_before}, {differences:?}");
    }
    stack.shutdown().await;
}

/// It stops anywhere before it has taken the visitor out again: whoever is given its batch then does it, and nobody else.
#[tokio::test]
async fn an_erased_visitor_that_was_begun_late_goes_when_its_batch_comes_again() {
    let stack = Stack::start(Counting::ByTest).await;
    let clean = consumer(stack.store().clone());
    let mut stops = 0;
    for write in 2.. {
        let project = stack.project().await;
        let mut batches = Vec::new();
        for number in 0..2 {
            let view = page_view("v_1", "s_1", &format!("b_{number}"), now() - 10_000);
            batches.push(stack.store_batch(&project, number, &view).await.unwrap());
        }
        let given = |batch: &Batch| [(project.id.clone(), vec![batch.clone()])].into();
        let proxy = FaultyProxy::start(&stack.endpoint_url(), Schedule::From(write)).await.unwrap();
        let late = consumer(stack.store_through(&proxy.url()).await);
        proxy.let_through(0);
        let erasing = async {
            proxy.arrived(1).await;
            let _ = clean.erase(&project.id, &"v_1".parse().unwrap(), |_| {}).await.unwrap();
            proxy.let_through(usize::MAX);
        };
        let (outcome, ()) = tokio::join!(late.apply(given(&batches[0])), erasing);
        stops += usize::from(outcome.complete().is_err());
        // What the one that stopped was given comes again, and another one comes.
        for batch in [&batches[1], &batches[0]] {
            clean.apply(given(batch)).await.complete().unwrap();
        }
        let differences = clean.rebuild(&project.id, true, |_| {}).await.unwrap();
        assert!(differences.is_empty(), "write {write}: {differences:?}");
        let partition = keys::visitor_partition(&project.id, &"v_1".parse().unwrap());
        assert_eq!(stack.store().query(Query::partition(partition)).await.unwrap(), [], "write {write}");
        if proxy.writes() < write {
            break;
        }
    }
    assert!(stops > 3, "{stops}");
    stack.shutdown().await;
}

/// A visitor is begun while its batches are being deleted: its erasure takes it out once they are there again.
#[tokio::test]
async fn an_erasure_waits_for_the_batches_of_a_visitor_that_is_begun_meanwhile() {
    let stack = Stack::start(Counting::ByTest).await;
    let project = stack.project().await;
    let view = page_view("v_1", "s_1", "b_0", now() - 10_000);
    let batch = stack.store_batch(&project, 0, &view).await.unwrap();
    let (to_late, to_erasing) = (
        FaultyProxy::start(&stack.endpoint_url(), Schedule::Never).await.unwrap(),
        FaultyProxy::start(&stack.endpoint_url(), Schedule::Never).await.unwrap(),
    );
    let late = consumer(stack.store_through(&to_late.url()).await);
    let erasing = consumer(stack.store_through(&to_erasing.url()).await);
    to_late.let_through(0);
    // The project's key and the tombstone.
    to_erasing.let_through(2);
    let visitor: VisitorId = "v_1".parse().unwrap();
    let order = async {
        to_late.arrived(1).await;
        to_erasing.arrived(3).await;
        to_late.let_through(1);
        to_late.arrived(2).await;
        to_erasing.let_through(usize::MAX);
        // It has met the visitor. Does it take it out, with the batch missing?
        to_erasing.arrived(4).await;
        let _ = tokio::time::timeout(Duration::from_millis(200), to_erasing.arrived(5)).await;
        to_late.let_through(usize::MAX);
    };
    let counted = async { late.apply([(project.id.clone(), vec![batch.clone()])].into()).await.complete() };
    let erased = async {
        // It is begun once the other one has looked for tombstones.
        to_late.arrived(1).await;
        erasing.erase(&project.id, &visitor, |_| {}).await
    };
    let (counted, erased, ()) = tokio::join!(counted, erased, order);
    counted.unwrap();
    let _ = erased.unwrap();
    let differences = consumer(stack.store().clone()).rebuild(&project.id, true, |_| {}).await.unwrap();
    assert!(differences.is_empty(), "{differences:?}");
    let partition = keys::visitor_partition(&project.id, &visitor);
    assert_eq!(stack.store().query(Query::partition(partition)).await.unwrap(), []);
    stack.shutdown().await;
}

/// Queues batches that are stored and not counted.
async fn queue_of(told: &Told) -> FakeQueue {
    let queue = FakeQueue::start().await.unwrap();
    for (project, batch) in &told.stored {
        let key = keys::batch(project, &batch.visitor_id, &batch.session_id, &batch.batch_id);
        let letter = DeadLetter { pk: key.pk, sk: key.sk, cause: "it was damaged".to_owned() };
        queue.put(&serde_json::to_string(&letter).unwrap());
    }
    queue
}

/// A replay of what is queued is stopped at its first write, its second, and so on, and run again.
#[test]
fn a_replay_may_stop_at_any_write() {
    let runtime = runtime();
    let stack = runtime.block_on(Stack::start(Counting::ByTest));
    holds(&runtime, 1, &history(8), async |history| {
        for write in 1.. {
            let mut told = Told::store(&stack, &history).await;
            let queue = queue_of(&told).await;
            let proxy = FaultyProxy::start(&stack.endpoint_url(), schedule(write)).await.unwrap();
            let stopped = replay::run(&stack.store_through(&proxy.url()).await, Some(&queue.client())).await;
            let context = |error: String| format!("{stopped:?} at write {write}: {error}");
            queue.time_is_up();
            let again = replay::run(stack.store(), Some(&queue.client())).await;
            if !again.map_err(|error| context(error.to_string()))? || !queue.bodies().is_empty() {
                return Err(context(format!("{} batches are still queued", queue.bodies().len())));
            }
            told.compare_briefly(&stack).await.map_err(context)?;
            told.check_rebuilt(&consumer(stack.store().clone())).await.map_err(context)?;
            if proxy.writes() < write {
                break;
            }
        }
        Ok(())
    });
    runtime.block_on(stack.shutdown());
}

/// The look for batches that were left behind is stopped at any write, while the consumer counts some of them. It stays
/// due until it has come to its end, and then all of them are counted.
#[test]
fn a_reconciliation_may_stop_at_any_write() {
    let runtime = runtime();
    let stack = runtime.block_on(Stack::start(Counting::ByTest));
    holds(&runtime, 1, &(history(8), any::<u64>()), async |(history, seed)| {
        let clean = consumer(stack.store().clone());
        for write in 1.. {
            let mut told = Told::store(&stack, &history).await;
            let (given, _) = told.stored.split_at(told.stored.len() / 2);
            // The consumer was away for longer than the stream keeps what it missed.
            let silent_since = Millis(now() - 2 * 86_400_000);
            Heartbeat::default().beat(stack.store(), silent_since, Millis(now())).await.unwrap();
            let proxy = FaultyProxy::start(&stack.endpoint_url(), schedule(write)).await.unwrap();
            let faulty = consumer(stack.store_through(&proxy.url()).await);
            let mut rng = Rng::with_seed(seed);
            let counting = deliver(&clean, given, Order::Any, &mut rng);
            let (stopped, counted) = tokio::join!(faulty.reconcile_if_due(Millis(now())), counting);
            counted?;
            let context = |error: String| format!("{stopped:?} at write {write}: {error}");
            let again = clean.reconcile_if_due(Millis(now())).await;
            again.map_err(|error| context(error.to_string()))?;
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

/// More sessions than a bot's are taken out of the figures at once.
const MANY_SESSIONS: usize = 45;

/// Stores batches that nobody counts. The last one makes a bot of the visitor that sent all of them.
async fn store_late_bot(stack: &Stack, project: &Project) {
    let begun = now() - 86_400_000;
    for number in 0..MANY_SESSIONS {
        let mut view = page_view("v_1", &format!("s_{number}"), "b_1", begun + 60_000 * number as i64);
        view.visitor.bot_score = (number + 1 == MANY_SESSIONS).then_some(93);
        stack.store_batch(project, number, &view).await.unwrap();
    }
}

async fn counted_sessions(stack: &Stack, project: &Project) -> Value {
    let stats = get(&stack.at("stats"), &project.secret_key).await.ok();
    stats["data"]["total_sessions"].clone()
}

/// Batches that were left behind make a bot of a visitor with many sessions: once they are found, none of its sessions is counted,
/// though no consumer is there to do what work items say; and whichever write fails, the look stays due.
#[tokio::test]
async fn a_bot_that_was_left_behind_is_taken_out_of_the_figures() {
    let stack = Stack::start(Counting::ByTest).await;
    let clean = consumer(stack.store().clone());
    let mut failures = 0;
    for write in 1.. {
        let project = stack.project().await;
        store_late_bot(&stack, &project).await;
        Heartbeat::default().beat(stack.store(), Millis(now() - 2 * 86_400_000), Millis(now())).await.unwrap();
        let schedule = Schedule::Once { write, fault: Fault::Refused };
        let proxy = FaultyProxy::start(&stack.endpoint_url(), schedule).await.unwrap();
        let stopped = consumer(stack.store_through(&proxy.url()).await).reconcile_if_due(Millis(now())).await;
        failures += usize::from(stopped.is_err());
        let _ = clean.reconcile_if_due(Millis(now())).await.unwrap();
        assert_eq!(counted_sessions(&stack, &project).await, 0, "{stopped:?} at write {write}");
        if proxy.writes() < write {
            break;
        }
    }
    assert!(failures > 3, "{failures}");
    stack.shutdown().await;
}

/// The same where a rebuild finds them.
#[tokio::test]
async fn a_bot_that_a_rebuild_counts_is_taken_out_of_the_figures() {
    let stack = Stack::start(Counting::ByTest).await;
    let project = stack.project().await;
    store_late_bot(&stack, &project).await;
    let clean = consumer(stack.store().clone());
    let _ = clean.rebuild(&project.id, false, |_| {}).await.unwrap();
    assert_eq!(counted_sessions(&stack, &project).await, 0);
    let differences = clean.rebuild(&project.id, true, |_| {}).await.unwrap();
    assert!(differences.is_empty(), "{differences:?}");
    stack.shutdown().await;
}

/// No write's first answer arrives, so the SDK makes each one twice, as a deployed function's does: whatever is done.
#[test]
fn whatever_is_done_may_lose_every_answer() {
    let runtime = runtime();
    let stack = runtime.block_on(Stack::start(Counting::ByTest));
    let cases = (history(24), any::<[Index; 2]>(), any::<Index>(), any::<u64>());
    holds(&runtime, 1, &cases, async |(history, erased, lost, seed)| {
        let mut rng = Rng::with_seed(seed);
        let mut told = Told::store(&stack, &history).await;
        let schedule = Schedule::FirstTries(Fault::AnswerLost);
        let proxy = FaultyProxy::start(&stack.endpoint_url(), schedule).await.unwrap();
        let store = stack.store_as_deployed(&proxy.url()).await;
        let unsure = consumer(store.clone());

        // A third of the batches is given to the consumer, a third comes from the queue, and the rest is found.
        let third = told.stored.len().div_ceil(3);
        let (given, rest) = told.stored.split_at(third);
        deliver(&unsure, given, Order::Any, &mut rng).await?;
        let queue = queue_of(&Told { stored: rest[..third.min(rest.len())].to_vec(), ..told.clone() }).await;
        until_done(async || {
            queue.time_is_up();
            replay::run(&store, Some(&queue.client())).await
        })
        .await?;
        until_done(async || unsure.reconcile(|_| ()).await).await?;
        told.compare_briefly(&stack).await?;

        told.lose_a_change(&stack, lost).await;
        until_done(async || unsure.rebuild(&told.projects[0].id, false, |_| {}).await).await?;
        told.compare_briefly(&stack).await?;
        let visitors: [VisitorId; 2] = erased.map(|index| format!("v_{}", index.index(4)).parse().unwrap());
        for (project, visitor) in told.projects.iter().zip(&visitors) {
            until_done(async || unsure.erase(&project.id, visitor, |_| {}).await).await?;
        }
        told.forget(&visitors);
        told.compare_briefly(&stack).await?;
        told.check_rebuilt(&consumer(stack.store().clone())).await
    });
    runtime.block_on(stack.shutdown());
}
