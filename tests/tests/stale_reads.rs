//! Eventually consistent reads are answered from copies that are some writes behind: nothing that is counted, rebuilt or erased
//! goes by them, and readers see the figures of a moment that has just been, not a mixture of several.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use counting::{Consumer, GRACE};
use fastrand::Rng;
use figures::ids::VisitorId;
use figures::log::tail::Manifest;
use figures::table::keys;
use figures::table::store::{Consistency, Store};
use futures::future::try_join;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use tests::check::Request;
use tests::clock::now;
use tests::copies::MAX_AGE;
use tests::delivery::{Order, deliver};
use tests::example::page_view;
use tests::faults::{FaultyProxy, Schedule, until_done};
use tests::generate::history;
use tests::oracle::{Answer, Oracle};
use tests::property::{holds, runtime};
use tests::sent::{Event, Sent};
use tests::stack::{Counting, Stack};
use tests::told::Told;

const _: () = assert!(MAX_AGE.as_millis() * 5 <= GRACE.as_millis(), "a copy is never as far behind as readers may be");

/// Batches that make some rounds of compaction.
const WIDE: u64 = 30;

/// A table, and a stack whose eventually consistent reads are behind it.
struct Lagging {
    table: Stack,
    proxy: FaultyProxy,
    stack: Stack,
}

impl Lagging {
    async fn start(seed: u64) -> Self {
        let table = Stack::start(Counting::ByTest).await;
        let proxy = FaultyProxy::start_lagging(&table, Schedule::Never, seed).await.unwrap();
        let stack = Stack::start_through(&table, &proxy.url()).await;
        Lagging { table, proxy, stack }
    }

    /// A consumer that gives readers as long as a deployed one.
    fn consumer(&self) -> Consumer {
        Consumer::new(self.stack.store().clone())
    }

    async fn shutdown(self) {
        assert!(self.proxy.copies().stale_reads().await > 0, "nothing was read from behind");
        self.stack.shutdown().await;
        self.table.shutdown().await;
    }
}

/// A consumer for when nobody reads while it writes.
fn hasty(store: Store) -> Consumer {
    Consumer::new(store).with_grace(Duration::from_millis(1))
}

/// Besides, writes fail at random. Once the lag is gone, everything is what the model answers.
#[test]
fn what_is_written_does_not_go_by_what_is_behind() {
    let runtime = runtime();
    let lagging = runtime.block_on(Lagging::start(fastrand::u64(..)));
    let cases = (history(40), select(Order::ALL.to_vec()), any::<[Index; 2]>(), any::<Index>(), any::<u64>());
    holds(&runtime, 1, &cases, async |(history, order, erased, lost, seed)| {
        let mut rng = Rng::with_seed(seed);
        let (stack, clean) = (&lagging.stack, hasty(lagging.stack.store().clone()));
        let mut told = Told::store(stack, &history).await;
        let schedule = Schedule::Randomly { one_in: 150, seed };
        let proxy = FaultyProxy::start(&lagging.proxy.url(), schedule).await.unwrap();
        let faulty = hasty(stack.store_through(&proxy.url()).await);

        let (before, after) = told.stored.split_at(told.stored.len() / 2);
        deliver(&faulty, before, order, &mut rng).await?;
        told.lose_a_change(stack, lost).await;
        let id = told.projects[0].id.clone();
        let rebuilding = until_done(async || faulty.rebuild(&id, false, |_| {}).await);
        let (rebuilt, counted) = tokio::join!(rebuilding, deliver(&faulty, after, order, &mut rng));
        rebuilt?;
        counted?;
        let visitors: [VisitorId; 2] = erased.map(|index| format!("v_{}", index.index(4)).parse().unwrap());
        for (project, visitor) in told.projects.iter().zip(&visitors) {
            until_done(async || faulty.erase(&project.id, visitor, |_| {}).await).await?;
        }
        lagging.proxy.copies().catch_up().await;
        told.erase(stack, &clean, &visitors).await?;
        lagging.proxy.copies().catch_up().await;
        told.compare_briefly(stack).await?;
        told.check_rebuilt(&clean).await
    });
    runtime.block_on(lagging.shutdown());
}

/// A batch with so many pages that some of them make a tail that is merged. All of them have fewer than are kept apart.
fn wide(number: u64) -> Sent {
    let at = now() - 60_000;
    let mut sent = page_view(&format!("v_wide{number}"), "ses_1", "b_1", at);
    let url = |page: u64| {
        let mut rng = Rng::with_seed(100 * (number % 10) + page);
        format!("/{:032x}{:032x}", rng.u128(..), rng.u128(..))
    };
    let event = |page: u64| Event { name: "page_view".to_owned(), url: Some(url(page)), created_at: at, data: None };
    sent.events = (0..90).map(event).collect();
    sent
}

/// Asks for figures again and again, with a pause after each answer, until something is done; `judge` is told what was asked when,
/// and what came.
async fn read_until(
    stack: &Stack,
    secret_key: &str,
    pause: Duration,
    is_done: &AtomicBool,
    judge: &impl Fn(&Request, Instant, Answer) -> Result<(), String>,
) -> Result<(), String> {
    let api = tests::check::Api::new(&stack.base_url(), secret_key);
    let requests = Request::all_figures();
    while !is_done.load(Ordering::SeqCst) {
        for request in &requests {
            let asked_at = Instant::now();
            judge(request, asked_at, api.get(request).await?)?;
            tokio::time::sleep(pause).await;
        }
    }
    Ok(())
}

/// Batches are counted one by one, and merged as they become many. Whatever figures are read meanwhile are what they were after one
/// of the batches, and not one that is longer ago than the lag.
#[test]
fn figures_are_those_of_a_moment_that_has_just_been() {
    let runtime = runtime();
    holds(&runtime, 1, &(history(20), any::<u64>()), async |(history, seed)| {
        let lagging = Lagging::start(seed).await;
        let project = lagging.stack.project().await;
        let (mut stored, mut moments) = (Vec::new(), vec![Oracle::default()]);
        let told = history.told(now()).into_iter().map(|(_, sent)| sent);
        let mut sent: Vec<Sent> = told.chain((0..WIDE).map(wide)).collect();
        Rng::with_seed(seed).shuffle(&mut sent);
        for (number, mut sent) in sent.into_iter().enumerate() {
            // Who turns out to be a bot goes out of the figures in several steps.
            sent.visitor.bot_score = None;
            let Some(batch) = lagging.stack.store_batch(&project, number, &sent).await else { continue };
            let mut moment = moments.last().cloned().unwrap_or_default();
            assert!(moment.store(sent));
            moments.push(moment);
            stored.push((project.id.clone(), batch));
        }
        let (begun, ended, is_done) = (AtomicUsize::new(0), Mutex::new(Vec::new()), AtomicBool::new(false));
        let judge = |request: &Request, asked_at: Instant, answer: Answer| {
            let is_old = |at: &&Instant| **at + MAX_AGE < asked_at;
            let oldest = ended.lock().unwrap().iter().filter(is_old).count();
            let newest = begun.load(Ordering::SeqCst);
            let differences = |moment: &Oracle| request.differences(moment, &answer, now());
            if moments[oldest..=newest].iter().any(|moment| differences(moment).is_empty()) {
                return Ok(());
            }
            let difference = differences(&moments[newest]).join("\n");
            Err(format!(
                "{request}: not what it was after any of batches {oldest} to {newest}, of the last:\n{difference}"
            ))
        };
        let reader = || read_until(&lagging.stack, &project.secret_key, Duration::ZERO, &is_done, &judge);
        let reading = try_join(reader(), reader());
        let counting = async {
            let consumer = lagging.consumer();
            for batch in &stored {
                begun.fetch_add(1, Ordering::SeqCst);
                let counted = deliver(&consumer, std::slice::from_ref(batch), Order::Stored, &mut Rng::new()).await;
                ended.lock().unwrap().push(Instant::now());
                counted?;
                consumer.compact(&project.id).await.map_err(|error| error.to_string())?;
            }
            is_done.store(true, Ordering::SeqCst);
            Ok::<_, String>(())
        };
        let (read, counted) = tokio::join!(reading, counting);
        counted?;
        read?;
        let manifest = lagging.stack.store().get(&keys::manifest(&project.id), Consistency::Strong).await.unwrap();
        let rounds = manifest.map_or(0, |manifest| Manifest::read(&manifest).unwrap().round);
        assert!(rounds > 2, "{rounds} rounds");
        lagging.shutdown().await;
        Ok(())
    });
}

/// A rebuild puts right what was wrong at once: readers see the figures from before it, then those from after it.
#[test]
fn figures_are_those_from_before_a_rebuild_or_from_after_it() {
    let runtime = runtime();
    let lagging = runtime.block_on(Lagging::start(fastrand::u64(..)));
    let history = history(60).prop_filter("enough", |history| history.len() > 20);
    holds(&runtime, 1, &(history, any::<Index>(), any::<u64>()), async |(history, lost, seed)| {
        let (stack, consumer) = (&lagging.stack, lagging.consumer());
        let mut told = Told::store(stack, &history).await;
        deliver(&consumer, &told.stored, Order::Any, &mut Rng::with_seed(seed)).await?;
        told.lose_a_change(stack, lost).await;
        lagging.proxy.copies().catch_up().await;
        let project = told.projects[0].clone();
        let api = stack.api(&project);
        let mut before = Vec::new();
        for request in Request::all_figures() {
            before.push((request.to_string(), api.get(&request).await?));
        }
        let is_done = AtomicBool::new(false);
        let judge = |request: &Request, _, answer: Answer| {
            let name = request.to_string();
            let is_before = before.iter().any(|(known, was)| *known == name && *was == answer);
            let differences = request.differences(&told.oracles[0], &answer, now());
            if is_before || differences.is_empty() {
                return Ok(());
            }
            Err(format!("{request}: neither from before nor from after\n{}\n{}", differences.join("\n"), answer.body))
        };
        let rebuilding = async {
            let rebuilt = consumer.rebuild(&project.id, false, |_| {}).await.map_err(|error| error.to_string());
            is_done.store(true, Ordering::SeqCst);
            rebuilt
        };
        // A rebuild takes 10 s, most of it waiting for readers.
        let reading = read_until(stack, &project.secret_key, Duration::from_millis(10), &is_done, &judge);
        let (rebuilt, read) = tokio::join!(rebuilding, reading);
        rebuilt?;
        read?;
        lagging.proxy.copies().catch_up().await;
        told.compare_briefly(stack).await
    });
    runtime.block_on(lagging.shutdown());
}
