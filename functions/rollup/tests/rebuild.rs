//! Erasing and rebuilding, against the embedded engine.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod common;

use std::collections::BTreeMap;
use std::time::Duration;

use rollup::Consumer;
use serde_json::{Value, json};
use shared::dates::DateRange;
use shared::derived::{BatchEntry, BatchRef, Measure, Rows, View};
use shared::ids::{ProjectId, VisitorId};
use shared::keys;
use shared::model::{Batch, Event, SessionFacts, VisitorFacts};
use shared::store::{DATA, Query, Store, binary, item_key, key_item, read_text};
use shared::time::{Day, Hour, Millis};

/// Nobody reads while these tests write.
const GRACE: Duration = Duration::from_millis(1);

const START: i64 = 1_750_000_000_000;
const NAMES: [&str; 12] = [
    "page_view",
    "page_view",
    "rage_click",
    "dead_click",
    "js_exception",
    "console_warning",
    "seo_diagnostics",
    "reading_behavior",
    "form_abandon",
    "field_hesitation",
    "web_vitals",
    "custom_event",
];

fn project() -> ProjectId {
    "demo".parse().unwrap()
}

/// Numbers that look random and are the same in every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}

fn event(dice: &mut Dice, at: i64) -> Event {
    let name = NAMES[dice.roll(NAMES.len() as u64) as usize];
    let url = format!("/{}", dice.roll(6));
    let data: Value = json!({
        "url": url, "selector": format!("#s{}", dice.roll(3)), "message": format!("m{}", dice.roll(3)),
        "issues": ["missing_h1"], "title": "t", "scroll_depth": dice.roll(100), "active_time_ms": dice.roll(9_000),
        "total_time_ms": 9_000, "form": "f", "field": "e", "last_field": format!("l{}", dice.roll(2)),
        "time_spent_ms": 5, "hesitation_ms": 7, "lcp": dice.roll(6_000), "cls": 0.01,
    });
    Event { name: name.to_owned(), url: Some(url), created_at: Millis(at), data: serde_json::from_value(data).ok() }
}

/// A site's batches: `visitors` people over a fortnight, some of them late, some of them bots.
fn batches(visitors: u64) -> Vec<Batch> {
    let mut dice = Dice(7);
    let mut batches = Vec::new();
    for visitor in 0..visitors {
        let is_bot = visitor % 7 == 3;
        for session in 0..1 + dice.roll(4) {
            let started = START + (dice.roll(14 * 24 * 60) * 60_000) as i64;
            let count = 1 + dice.roll(5) + if visitor == 5 { 60 } else { 0 };
            for batch in 0..count {
                let at = started + (batch * 400_000 + dice.roll(300_000)) as i64;
                let events = (0..dice.roll(5)).map(|position| event(&mut dice, at + position as i64 * 900)).collect();
                batches.push(Batch {
                    visitor_id: format!("v{visitor}").parse().unwrap(),
                    session_id: format!("s{visitor}_{session}").parse().unwrap(),
                    batch_id: format!("b{batch}").parse().unwrap(),
                    stored_at: Millis(at + dice.roll(3_000_000) as i64),
                    sent_at: Millis(at + 5_000),
                    page: Some("/".to_owned()),
                    visitor: VisitorFacts {
                        bot_score: if is_bot && session + batch > 1 { 90 } else { 0 },
                        browser_name: Some(format!("B{}", dice.roll(2))),
                        aliases: vec![format!("alias{}", dice.roll(2))],
                        ..VisitorFacts::default()
                    },
                    session: SessionFacts {
                        started_at: Millis(started),
                        url: Some("/".to_owned()),
                        referrer: Some("https://www.google.com/".to_owned()),
                        utm_source: (dice.roll(2) == 0).then(|| "mail".to_owned()),
                        utm_medium: None,
                        utm_campaign: None,
                        utm_term: None,
                        utm_content: None,
                        click_count: None,
                        max_scroll_depth: None,
                    },
                    events,
                });
            }
        }
    }
    batches.sort_by_key(|batch| (batch.stored_at, batch.visitor_id.clone(), batch.batch_id.clone()));
    batches
}

async fn site(batches: &[Batch]) -> (Store, Consumer) {
    let store = common::store().await;
    store.put(key_item(&keys::project(&project()))).await.unwrap();
    let consumer = Consumer::new(store.clone()).with_grace(GRACE);
    send(&store, &consumer, batches).await;
    (store, consumer)
}

async fn send(store: &Store, consumer: &Consumer, batches: &[Batch]) {
    for window in batches.chunks(3) {
        for batch in window {
            assert!(store.put_at(batch.to_item(&project()).unwrap(), None).await.unwrap().is_stored());
        }
        consumer.apply(BTreeMap::from([(project(), window.to_vec())])).await.complete().unwrap();
    }
    consumer.compact(&project()).await.unwrap();
}

/// All that readers can see of figures and indexes.
struct Seen {
    figures: BTreeMap<(Measure, Day), Rows>,
    sessions: Vec<(String, String)>,
    batches: Vec<(Hour, BatchRef, BatchEntry)>,
}

async fn seen(store: &Store) -> Seen {
    let first = Millis(START).day();
    let range = DateRange::new(first.plus(-2), first.plus(20)).unwrap();
    let view = View::load(store, &project(), &Measure::ALL.map(|measure| (measure, range))).await.unwrap();
    let mut figures = BTreeMap::new();
    for measure in Measure::ALL {
        for (day, rows) in view.days(measure) {
            let rows = measure.comparable(rows.to_rows());
            if rows != Rows::default() {
                figures.insert((measure, *day), rows);
            }
        }
    }
    let hours: Vec<Hour> = range.days().flat_map(|day| day.hours().collect::<Vec<_>>()).collect();
    let sessions = view.sessions(&hours, |key, entry| Some((format!("{key:?}"), format!("{entry:?}")))).await.unwrap();
    Seen { figures, sessions, batches: view.batches(&hours).await.unwrap() }
}

fn assert_eq_seen(left: &Seen, right: &Seen) {
    for place in left.figures.keys().chain(right.figures.keys()) {
        assert_eq!(left.figures.get(place), right.figures.get(place), "{place:?}");
    }
    assert_eq!(left.sessions, right.sessions);
    assert_eq!(left.batches, right.batches);
}

#[tokio::test]
async fn a_rebuild_finds_nothing_in_an_untouched_table_and_heals_a_broken_one() {
    let batches = batches(24);
    let (store, consumer) = site(&batches).await;
    let before = seen(&store).await;
    let untouched = consumer.rebuild(&project(), true, |_| {}).await.unwrap();
    assert!(untouched.is_empty(), "{untouched:?}");

    let runs = keys::runs(&project(), shared::derived::Index::Sessions, batches[0].session.started_at.day());
    let broken = [
        keys::blocks(&project(), Measure::Stats),
        keys::blocks(&project(), Measure::Pages),
        keys::visitor_partition(&project(), &"v5".parse().unwrap()),
        runs,
    ];
    for (position, partition) in broken.into_iter().enumerate() {
        let items = store.query(Query::partition(partition)).await.unwrap();
        let derived = items.iter().filter(|item| !read_text(item, "SK").unwrap().starts_with("B#"));
        assert!(derived.clone().next().is_some());
        for item in derived.take(3) {
            let mut item = item.clone();
            if position % 2 == 0 {
                store.delete(&item_key(&item).unwrap()).await.unwrap();
            } else {
                item.insert(DATA.to_owned(), binary(vec![1, 2, 3]));
                store.put(item).await.unwrap();
            }
        }
    }
    let found = consumer.rebuild(&project(), true, |_| {}).await.unwrap();
    assert!(!found.visitors.is_empty() && !found.figures.is_empty(), "{found:?}");
    consumer.rebuild(&project(), false, |_| {}).await.unwrap();
    assert_eq_seen(&seen(&store).await, &before);
    let healed = consumer.rebuild(&project(), true, |_| {}).await.unwrap();
    assert!(healed.is_empty(), "{healed:?}");
}

#[tokio::test]
async fn a_rebuild_counts_lost_batches_and_leaves_those_on_their_way_to_the_consumer() {
    let mut batches = batches(6);
    let (store, consumer) = site(&batches[1..]).await;
    let lost = &mut batches[0];
    assert!(store.put_at(lost.to_item(&project()).unwrap(), None).await.unwrap().is_stored());
    let mut waiting = lost.clone();
    waiting.batch_id = "waiting".parse().unwrap();
    waiting.stored_at = Millis::now();
    assert!(store.put_at(waiting.to_item(&project()).unwrap(), None).await.unwrap().is_stored());
    let found = consumer.rebuild(&project(), false, |_| {}).await.unwrap();
    assert_eq!(found.visitors, std::slice::from_ref(&lost.visitor_id));
    let pending = |batch: &Batch| BatchRef {
        visitor: batch.visitor_id.clone(),
        session: batch.session_id.clone(),
        batch: batch.batch_id.clone(),
    };
    let asked = vec![pending(lost), pending(&waiting)];
    assert_eq!(consumer.pending(&project(), asked).await.unwrap(), [pending(&waiting)]);
}

#[tokio::test]
async fn an_erased_visitor_never_came_and_does_not_come_back() {
    let batches = batches(12);
    for gone in ["v3", "v5"] {
        let gone: VisitorId = gone.parse().unwrap();
        let others: Vec<Batch> = batches.iter().filter(|batch| batch.visitor_id != gone).cloned().collect();
        let (store, consumer) = site(&batches).await;
        consumer.erase(&project(), &gone, |_| {}).await.unwrap();
        let (without, _) = site(&others).await;
        assert_eq_seen(&seen(&store).await, &seen(&without).await);
        let partition = keys::visitor_partition(&project(), &gone);
        assert!(store.query(Query::partition(partition.clone())).await.unwrap().is_empty());

        let late: Vec<Batch> = batches.iter().filter(|batch| batch.visitor_id == gone).take(2).cloned().collect();
        send(&store, &consumer, &late).await;
        assert_eq_seen(&seen(&store).await, &seen(&without).await);
        assert!(store.query(Query::partition(partition)).await.unwrap().is_empty());
        assert!(consumer.rebuild(&project(), true, |_| {}).await.unwrap().is_empty());
    }
}
