//! Visitors that are erased by what they sent: those that the filters say and no others, and figures are then as if they had
//! never come, wherever it is stopped.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use counting::{Consumer, Erased, Filter, Match, Pattern};
use fastrand::Rng;
use figures::channels::referrer_host;
use figures::model::Batch;
use figures::table::keys;
use figures::table::store::Query;
use figures::time::Millis;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use tests::delivery::{Order, deliver};
use tests::faults::{Fault, FaultyProxy, Schedule};
use tests::generate::history;
use tests::property::{holds, runtime};
use tests::sent::Sent;
use tests::stack::{Counting, Stack};
use tests::told::Told;

fn order() -> impl Strategy<Value = Order> {
    select(Order::ALL.to_vec())
}

/// What is asked for, taken from something that was sent.
#[derive(Debug, Clone)]
struct Asked {
    of: Index,
    address: bool,
    since: bool,
    until: bool,
    url: Option<usize>,
    referrer: Option<usize>,
    min_batches: Option<u32>,
    max_batches: Option<u32>,
}

fn asked() -> impl Strategy<Value = Asked> {
    let rarely = || prop_oneof![3 => Just(false), 1 => Just(true)];
    let part = || prop_oneof![3 => Just(None), 1 => (0..12usize).prop_map(Some)];
    let count = || prop_oneof![3 => Just(None), 1 => (1..12u32).prop_map(Some)];
    (any::<Index>(), rarely(), rarely(), rarely(), part(), part(), count(), count()).prop_map(
        |(of, address, since, until, url, referrer, min_batches, max_batches)| Asked {
            of,
            address,
            since,
            until,
            url,
            referrer,
            min_batches,
            max_batches,
        },
    )
}

/// The first characters of a text, and what stands for the others; all of it if there are no more.
fn beginning(text: &str, length: usize) -> String {
    match text.char_indices().nth(length) {
        Some((at, _)) => format!("{}*", &text[..at]),
        None => text.to_owned(),
    }
}

/// A filter, and what it says of a visitor's batches.
struct Meant {
    filter: Filter,
    address: Option<String>,
    url: Option<String>,
    referrer: Option<String>,
}

impl Meant {
    fn new(asked: &Asked, batches: &[(&Sent, &Batch)]) -> Self {
        let (sent, stored) = asked.of.get(batches);
        let address = sent.visitor.ip.clone().filter(|_| asked.address);
        let text = |length: Option<usize>, text: Option<&String>| Some(beginning(text?, length?));
        let url = text(asked.url, sent.session.url.as_ref());
        let referrer = text(asked.referrer, sent.session.referrer.as_ref());
        let filter = Filter {
            addresses: address.as_ref().map(|address| address.parse().unwrap()),
            since: asked.since.then_some(stored.stored_at),
            until: asked.until.then(|| stored.stored_at.plus(1)),
            url: url.as_deref().map(Pattern::from),
            referrer: referrer.as_deref().map(Pattern::from),
            min_batches: asked.min_batches,
            max_batches: asked.max_batches,
        };
        Meant { filter, address, url, referrer }
    }

    fn matches(&self, batches: &[(&Sent, &Batch)]) -> bool {
        let is = |pattern: &str, text: &str| match pattern.strip_suffix('*') {
            Some(prefix) => text.starts_with(prefix),
            None => text == pattern,
        };
        let of_pages = |sent: &Sent| {
            let pages = sent.events.iter().filter_map(|event| sent.page_of(event));
            pages.chain(sent.session.url.as_deref()).chain(sent.page.as_deref()).map(str::to_owned).collect::<Vec<_>>()
        };
        let host = |referrer: &str| referrer_host(referrer, &[]);
        let count = batches.len() as u32;
        let within = |at: Millis| {
            self.filter.since.is_none_or(|since| at >= since) && self.filter.until.is_none_or(|until| at < until)
        };
        batches.iter().all(|(sent, stored)| {
            within(stored.stored_at) && self.address.as_ref().is_none_or(|of| sent.visitor.ip.as_ref() == Some(of))
        }) && self
            .url
            .as_ref()
            .is_none_or(|url| batches.iter().any(|(sent, _)| of_pages(sent).iter().any(|page| is(url, page))))
            && self.referrer.as_ref().is_none_or(|referrer| {
                let mut given = batches.iter().filter_map(|(sent, _)| sent.session.referrer.as_deref());
                given.any(|text| is(referrer, text) || host(text).is_some_and(|host| is(referrer, &host)))
            })
            && self.filter.min_batches.is_none_or(|least| count >= least)
            && self.filter.max_batches.is_none_or(|most| count <= most)
    }
}

/// What matches in a project: each visitor with its numbers of batches, sessions and events.
fn expected(told: &Told, of: usize, asked: &Asked) -> Option<(Filter, BTreeMap<String, [usize; 3]>)> {
    let stored = told.stored.iter().filter(|(project, _)| *project == told.projects[of].id).map(|(_, batch)| batch);
    let batches: Vec<(&Sent, &Batch)> = told.oracles[of].batches().iter().zip(stored).collect();
    if batches.is_empty() {
        return None;
    }
    let told = Meant::new(asked, &batches);
    let mut visitors: BTreeMap<&str, Vec<(&Sent, &Batch)>> = BTreeMap::new();
    for (sent, stored) in batches {
        assert_eq!(sent.batch_id, stored.batch_id.as_str());
        visitors.entry(&sent.visitor.visitor_id).or_default().push((sent, stored));
    }
    visitors.retain(|_, batches| told.matches(batches));
    let counts = visitors.into_iter().map(|(visitor, batches)| {
        let sessions: BTreeSet<&str> = batches.iter().map(|(sent, _)| sent.session.session_id.as_str()).collect();
        let events = batches.iter().map(|(sent, _)| sent.events.len()).sum();
        (visitor.to_owned(), [batches.len(), sessions.len(), events])
    });
    Some((told.filter, counts.collect()))
}

async fn found(consumer: &Consumer, told: &Told, of: usize, filter: &Filter) -> BTreeMap<String, [usize; 3]> {
    let mut found = BTreeMap::new();
    let show = |of: Match| {
        let counts = [of.batches, of.sessions(), of.events()];
        assert_eq!(found.insert(of.visitor.to_string(), counts), None, "a visitor is found once");
    };
    consumer.find_matching(&told.projects[of].id, filter, show).await.unwrap();
    found
}

fn forget(told: &mut Told, of: usize, visitors: &BTreeMap<String, [usize; 3]>) {
    for visitor in visitors.keys() {
        told.oracles[of] = told.oracles[of].without(visitor);
    }
}

#[test]
fn visitors_that_match_are_erased_as_if_they_had_never_come() {
    let runtime = runtime();
    let stack = runtime.block_on(Stack::start(Counting::ByTest));
    let consumer = Consumer::new(stack.store().clone()).with_grace(Duration::from_millis(1));
    let cases = (history(60), order(), asked(), any::<bool>(), any::<u64>());
    holds(&runtime, 8, &cases, async |(history, order, asked, is_beside, seed)| {
        let mut rng = Rng::with_seed(seed);
        let mut told = Told::store(&stack, &history).await;
        let stored = told.stored.clone();
        // Counted before, or by a consumer beside it, with a rebuild.
        if !is_beside {
            deliver(&consumer, &stored, order, &mut rng).await?;
        }
        for of in 0..2 {
            let Some((filter, expected)) = expected(&told, of, &asked) else { continue };
            let shown = found(&consumer, &told, of, &filter).await;
            if shown != expected {
                return Err(format!("{filter:?} finds {shown:?} instead of {expected:?}"));
            }
            let id = told.projects[of].id.clone();
            let counting = async {
                match is_beside {
                    true => deliver(&consumer, &stored, order, &mut rng).await,
                    false => Ok(()),
                }
            };
            // An erasure gives it up, unless it is done before.
            let rebuilding = async {
                if is_beside {
                    drop(consumer.rebuild(&id, false, |_| {}).await);
                }
            };
            let erasing = consumer.erase_matching(&id, &filter, |_| {});
            let (erased, counted, ()) = tokio::join!(Box::pin(erasing), Box::pin(counting), Box::pin(rebuilding));
            counted?;
            let Erased { visitors, .. } = erased.map_err(|error| error.to_string())?;
            // What counts beside it meets the tombstones, and may erase some of them first.
            let least = if is_beside { 0 } else { expected.len() };
            if !(least..=expected.len()).contains(&visitors) {
                return Err(format!("{visitors} of {} are erased", expected.len()));
            }
            forget(&mut told, of, &expected);
        }
        deliver(&consumer, &stored, order, &mut rng).await?;
        told.compare_all(&stack, &mut rng).await?;
        told.check_rebuilt(&consumer).await
    });
    runtime.block_on(stack.shutdown());
}

/// It is stopped at one of its writes, and run again: what it has left of a visitor matches no more by itself.
#[test]
fn erasing_what_matches_may_fail_at_any_write() {
    let runtime = runtime();
    let stack = runtime.block_on(Stack::start(Counting::ByTest));
    let consumer = Consumer::new(stack.store().clone()).with_grace(Duration::from_millis(1));
    let cases = (history(24), any::<Index>(), 2..4u32, 1..90usize, select(Fault::ALL.to_vec()), any::<u64>());
    holds(&runtime, 6, &cases, async |(history, index, min_batches, write, fault, seed)| {
        let context = |what: String| format!("after {fault:?} at write {write}: {what}");
        let mut told = Told::store(&stack, &history).await;
        deliver(&consumer, &told.stored, Order::Stored, &mut Rng::with_seed(seed)).await?;
        let asked = Asked {
            of: index,
            address: false,
            since: false,
            until: false,
            url: None,
            referrer: None,
            min_batches: Some(min_batches),
            max_batches: None,
        };
        let proxy = FaultyProxy::start(&stack.endpoint_url(), Schedule::Once { write, fault }).await.unwrap();
        let faulty = Consumer::new(stack.store_through(&proxy.url()).await).with_grace(Duration::from_millis(1));
        for of in 0..2 {
            let Some((filter, expected)) = expected(&told, of, &asked) else { continue };
            let id = told.projects[of].id.clone();
            if faulty.erase_matching(&id, &filter, |_| {}).await.is_err() {
                let again = consumer.erase_matching(&id, &filter, |_| {}).await;
                again.map_err(|error| context(error.to_string()))?;
            }
            forget(&mut told, of, &expected);
            let tombstones = stack.store().query(Query::partition(keys::tombstones(&id)).strong()).await.unwrap();
            if tombstones.iter().any(|tombstone| tombstone.len() > 2) {
                return Err(context("an erasure is not finished".to_owned()));
            }
        }
        told.compare_briefly(&stack).await.map_err(context)?;
        told.check_rebuilt(&consumer).await.map_err(context)
    });
    runtime.block_on(stack.shutdown());
}
