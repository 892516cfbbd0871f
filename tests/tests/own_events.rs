//! A visitor with more batches than are read at once: its list of events and its detail are what the model answers, on
//! every page, however its sessions overlap, touch or lie apart.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;

use counting::Consumer;
use fastrand::Rng;
use proptest::prelude::*;
use proptest::sample::select;
use shared::rows::visitor_events::MANY_BATCHES;
use tests::check::{Api, Request};
use tests::clock::now;
use tests::delivery::{Order, Stored, deliver};
use tests::oracle::{Oracle, day_of};
use tests::property::{holds, runtime};
use tests::sent::{Event, Sent, Session, Visitor};
use tests::stack::{Counting, Stack};

const MINUTE: i64 = 60_000;
const DAY: i64 = 1_440 * MINUTE;
/// More than the detail shows.
const SESSIONS: usize = 130;
const VISITOR: &str = "v_many";
/// It has sessions of the same ids at other times.
const NAMESAKE: &str = "v_other";

/// How a visitor's sessions lie to each other.
#[derive(Debug, Clone, Copy)]
struct Shape {
    /// Most minutes from one session's start to the next one's. All instants are whole minutes, so that many are equal.
    most_apart: i64,
    /// One in so many events is up to two days late.
    late_one_in: usize,
    /// One in so many events happened before its session began.
    early_one_in: usize,
    is_bot: bool,
}

fn shape() -> impl Strategy<Value = Shape> {
    let rarely = || select(vec![40, 40, usize::MAX]);
    (select(vec![3, 12, 40]), rarely(), rarely(), prop::bool::weighted(0.2)).prop_map(
        |(most_apart, late_one_in, early_one_in, is_bot)| Shape { most_apart, late_one_in, early_one_in, is_bot },
    )
}

impl Shape {
    /// The batches, session by session.
    fn batches(self, rng: &mut Rng) -> Vec<Sent> {
        let mut batches = Vec::new();
        let mut start = day_start() - 7 * DAY + rng.i64(1_200..1_440) * MINUTE;
        for number in 0..SESSIONS {
            start += rng.i64(0..=self.most_apart) * MINUTE;
            if rng.u8(..40) == 0 {
                start += rng.i64(0..600) * MINUTE;
            }
            // The ids' order is none of time.
            let session_id = format!("ses_{:02x}_{number}", rng.u8(..));
            for part in 0..1 + rng.usize(0..5) {
                batches.push(self.batch(rng, &session_id, start, part));
            }
        }
        let mut other = batches[0].clone();
        other.visitor.visitor_id = NAMESAKE.to_owned();
        batches.push(other);
        batches
    }

    fn batch(self, rng: &mut Rng, session_id: &str, started_at: i64, part: usize) -> Sent {
        Sent {
            batch_id: format!("b_{part}"),
            sent_at: self.instant(rng, started_at),
            page: None,
            visitor: Visitor {
                visitor_id: VISITOR.to_owned(),
                bot_score: self.is_bot.then_some(100),
                ..Visitor::default()
            },
            session: Session { session_id: session_id.to_owned(), started_at, ..Session::default() },
            events: (0..rng.usize(0..=3)).map(|_| self.event(rng, started_at)).collect(),
        }
    }

    fn event(self, rng: &mut Rng, started_at: i64) -> Event {
        let names = ["page_view", "page_view", "page_view", "rage_click", "signup"];
        Event {
            name: names[rng.usize(..names.len())].to_owned(),
            url: Some(format!("/{}", rng.u8(..9))),
            created_at: self.instant(rng, started_at),
            data: None,
        }
    }

    fn instant(self, rng: &mut Rng, started_at: i64) -> i64 {
        let minutes = if rng.usize(..self.late_one_in) == 0 {
            rng.i64(0..2_880)
        } else if rng.usize(..self.early_one_in) == 0 {
            -rng.i64(0..600)
        } else {
            [0, 0, 1, 2, 5][rng.usize(..5)]
        };
        started_at + minutes * MINUTE
    }
}

fn day_start() -> i64 {
    now().div_euclid(DAY) * DAY
}

/// Every page of the visitor's events, by range and type, and its detail.
fn requests(oracle: &Oracle, rng: &mut Rng) -> Vec<Request> {
    let instants = oracle.batches().iter().flat_map(|batch| batch.events.iter().map(|event| event.created_at));
    let days: BTreeSet<_> = instants.map(day_of).collect();
    let days: Vec<_> = days.into_iter().collect();
    let list = || Request::new("events").with("visitor_id", VISITOR);
    let within = |first: usize, last: usize| list().with("start_date", days[first]).with("end_date", days[last]);
    let (one, other) = (rng.usize(..days.len()), rng.usize(..days.len()));
    let ranges = [
        list(),
        list().with("start_date", "1970-01-01"),
        within(one.min(other), one.max(other)),
        within(one, one),
        within(0, other),
    ];
    let mut requests = vec![Request::new(format!("visitors/{VISITOR}")), Request::new(format!("visitors/{NAMESAKE}"))];
    // Where a small page ends between sessions that touch, the order of ties shows on both sides.
    let small = |page| ranges[1].clone().with("limit", 7).with("page", page);
    requests.extend((1..=ranges[1].total(oracle).div_ceil(7)).map(small));
    for range in ranges {
        requests.push(range.clone().with("page", 1_000_000));
        let filter = ["page_view", "page_view", "signup", "absent"][rng.usize(..4)];
        for event_type in [None, Some(filter)] {
            let range = event_type.map_or(range.clone(), |name| range.clone().with("type", name));
            let limit = rng.usize(20..=100);
            let total = range.total(oracle);
            let page = |page| range.clone().with("limit", limit).with("page", page);
            requests.extend((1..=total.div_ceil(limit) + 1).map(page));
        }
    }
    requests
}

/// A batch that is stored and not counted yet is not there yet, or it is there with its events; no answer is an error.
async fn ask_while_uncounted(api: &Api, oracle: &Oracle) -> Result<(), String> {
    let list = Request::new("events").with("visitor_id", VISITOR).with("start_date", "1970-01-01");
    let total = list.total(oracle);
    for page in 1..=total.div_ceil(50) {
        let answer = api.get(&list.clone().with("page", page)).await?;
        let rows = answer.body["data"].as_array().map_or(0, Vec::len);
        let least = total.saturating_sub(50 * (page - 1)).min(50);
        if answer.status != 200 || answer.body["pagination"]["total"] != total || !(least..=50).contains(&rows) {
            return Err(format!("page {page} of {total} has {rows} rows: {answer:?}"));
        }
    }
    Ok(())
}

#[test]
fn every_page_of_a_visitor_with_many_batches_is_what_was_sent() {
    let runtime = runtime();
    let stack = runtime.block_on(Stack::start(Counting::ByTest));
    let consumer = Consumer::new(stack.store().clone());
    let cases = (shape(), select(Order::ALL.to_vec()), any::<u64>());
    holds(&runtime, 2, &cases, async |(shape, order, seed)| {
        let mut rng = Rng::with_seed(seed);
        let (project, mut oracle) = (stack.project().await, Oracle::default());
        let batches = shape.batches(&mut rng);
        assert!(batches.len() > MANY_BATCHES + 1, "{} batches are read at once", batches.len());
        let mut stored: Vec<Stored> = Vec::new();
        for (number, sent) in batches.into_iter().enumerate() {
            let batch = stack.store_batch(&project, number, &sent).await.unwrap();
            stored.push((project.id.clone(), batch));
            assert!(oracle.store(sent));
        }
        deliver(&consumer, &stored, order, &mut rng).await?;
        let api = stack.api(&project);
        api.teach_ids(&mut oracle).await?;
        api.compare_each(&oracle, requests(&oracle, &mut rng)).await?;

        let mut uncounted = oracle.batches()[rng.usize(..oracle.batches().len())].clone();
        uncounted.batch_id = "b_uncounted".to_owned();
        stack.store_batch(&project, stored.len(), &uncounted).await.unwrap();
        ask_while_uncounted(&api, &oracle).await
    });
    runtime.block_on(stack.shutdown());
}
