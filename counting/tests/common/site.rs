//! A made-up site, and all that readers see of it.
#![allow(dead_code, reason = "each test uses some of it")]

use std::collections::BTreeMap;
use std::time::Duration;

use counting::Consumer;
use figures::counters::Rows;
use figures::dates::DateRange;
use figures::ids::ProjectId;
use figures::log::{BatchEntry, BatchRef, View};
use figures::measures::Measure;
use figures::model::{Batch, Event, SessionFacts, VisitorFacts};
use figures::table::keys::{self, Key};
use figures::table::store::{Query, Store, item_key, key_item};
use figures::time::{Day, Hour, Millis};
use serde_json::{Value, json};

pub const START: i64 = 1_750_000_000_000;
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

pub fn project() -> ProjectId {
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
    Event {
        name: name.to_owned(),
        url: Some(url.into()),
        created_at: Millis(at),
        data: serde_json::from_value(data).ok(),
    }
}

/// A site's batches: `visitors` people over a fortnight, some of them late, some of them bots.
pub fn batches(visitors: u64) -> Vec<Batch> {
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
                        ..SessionFacts::default()
                    },
                    events,
                });
            }
        }
    }
    batches.sort_by_key(|batch| (batch.stored_at, batch.visitor_id.clone(), batch.batch_id.clone()));
    batches
}

pub async fn site(batches: &[Batch]) -> (Store, Consumer) {
    let store = crate::common::store().await;
    store.put(key_item(&keys::project(&project()))).await.unwrap();
    // Nobody reads while these tests write.
    let consumer = Consumer::new(store.clone()).with_grace(Duration::from_millis(1));
    send(&store, &consumer, batches).await;
    (store, consumer)
}

pub async fn send(store: &Store, consumer: &Consumer, batches: &[Batch]) {
    for window in batches.chunks(3) {
        for batch in window {
            assert!(store.put_at(batch.to_item(&project()).unwrap(), None).await.unwrap().is_stored());
        }
        let applied = consumer.apply(BTreeMap::from([(project(), window.to_vec())])).await;
        assert!(applied.failed.is_empty() && applied.refused.is_empty());
        let mut brought = works(store).await;
        while !brought.is_empty() {
            consumer.resume(brought).await.unwrap();
            brought = works(store).await;
        }
    }
    consumer.compact(&project()).await.unwrap();
}

/// The work items whose insertion the stream brings.
pub async fn works(store: &Store) -> Vec<Key> {
    let items = store.query(Query::partition(keys::works(&project())).strong()).await.unwrap();
    items.iter().map(|item| item_key(item).unwrap()).collect()
}

/// All that readers can see of figures and indexes.
pub struct Seen {
    pub figures: BTreeMap<(Measure, Day), Rows>,
    pub sessions: Vec<(String, String)>,
    pub batches: Vec<(Hour, BatchRef, BatchEntry)>,
}

pub async fn seen(store: &Store) -> Seen {
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

pub fn assert_eq_seen(left: &Seen, right: &Seen) {
    for block in left.figures.keys().chain(right.figures.keys()) {
        assert_eq!(left.figures.get(block), right.figures.get(block), "{block:?}");
    }
    assert_eq!(left.sessions, right.sessions);
    assert_eq!(left.batches, right.batches);
}
