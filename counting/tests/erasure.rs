//! What is left of an erased visitor in the table itself, against the embedded engine.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod common;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use counting::Consumer;
use figures::ids::ProjectId;
use figures::model::batch::json_of;
use figures::model::{Batch, Event, SessionFacts, VisitorFacts};
use figures::table::codec;
use figures::table::keys;
use figures::table::store::{Item, PK, Query, SK, Store, item_key, key_item, read_text};
use figures::time::Millis;
use serde_json::json;
use tokio::sync::Notify;

const START: i64 = 1_750_000_000_000;
const DAY_MS: i64 = 86_400_000;

/// What all that the erased visitor sent has in it.
const MARK: &str = "ada-mark";

fn project() -> ProjectId {
    "demo".parse().unwrap()
}

fn event(name: &str, url: String, at: i64, text: &str) -> Event {
    let data = json!({
        "url": url, "selector": format!("#{text}"), "message": text, "title": text, "issues": ["missing_h1"],
        "form": text, "field": text, "last_field": text, "time_spent_ms": 5, "hesitation_ms": 7,
        "scroll_depth": 50, "active_time_ms": 4_000, "total_time_ms": 9_000, "lcp": 1_000,
    });
    Event {
        name: name.to_owned(),
        url: Some(url.into()),
        created_at: Millis(at),
        data: serde_json::from_value(data).ok(),
    }
}

const NAMES: [&str; 9] = [
    "page_view",
    "rage_click",
    "js_exception",
    "console_warning",
    "seo_diagnostics",
    "reading_behavior",
    "form_abandon",
    "field_hesitation",
    "custom",
];

fn batch(visitor: &str, number: i64, at: i64, events: Vec<Event>) -> Batch {
    Batch {
        visitor_id: visitor.parse().unwrap(),
        session_id: format!("{visitor}-{}", number / 3).parse().unwrap(),
        batch_id: format!("{visitor}-{number}").parse().unwrap(),
        stored_at: Millis(at),
        sent_at: Millis(at),
        page: None,
        visitor: VisitorFacts { aliases: vec![format!("{visitor}-alias")], ..VisitorFacts::default() },
        session: SessionFacts {
            started_at: Millis(at - (number % 3) * 60_000),
            url: Some(format!("/{visitor}/landing")),
            referrer: Some(format!("https://{visitor}.example/")),
            utm_source: Some(format!("{visitor}-source")),
            utm_campaign: Some(format!("{visitor}-campaign")),
            ..SessionFacts::default()
        },
        events,
    }
}

/// The batches of a visitor over some days, each session in three batches.
fn visits(visitor: &str, sessions: i64) -> Vec<Batch> {
    let mut batches = Vec::new();
    for number in 0..sessions * 3 {
        let at = START + number / 3 * DAY_MS / 2 + number % 3 * 60_000;
        let events = NAMES.iter().enumerate();
        let events = events
            .map(|(position, name)| event(name, format!("/{visitor}/{}", number % 5), at + position as i64, visitor));
        batches.push(batch(visitor, number, at, events.collect()));
    }
    batches
}

/// Many errors with one message of their own: more instants than a row keeps.
fn outburst(visitor: &str) -> Batch {
    let at = START + 3_600_000;
    let events = (0..100).map(|number| event("js_exception", format!("/{visitor}"), at + number * 10, visitor));
    batch(visitor, 999, at + 2_000, events.collect())
}

/// So many pages that a day turns keys away: the first of them take the visitor's own between them.
fn crowd() -> Vec<Batch> {
    (0..24)
        .map(|number| {
            let at = START + 7_200_000 + number;
            let pages = (0..100).map(|page| event("page_view", format!("/crowd/{number}/{page}"), at, "crowd"));
            batch(&format!("crowd-{number}"), 0, at, pages.collect())
        })
        .collect()
}

struct Site {
    store: Store,
    consumer: Consumer,
}

impl Site {
    async fn new() -> Self {
        let store = common::store().await;
        store.put(key_item(&keys::project(&project()))).await.unwrap();
        // Nobody reads while these tests write.
        let consumer = Consumer::new(store.clone()).with_grace(Duration::from_millis(1));
        Site { store, consumer }
    }

    async fn send(&self, batches: &[Batch]) {
        for together in batches.chunks(7) {
            for batch in together {
                assert!(self.store.put_at(batch.to_item(&project()).unwrap(), None).await.unwrap().is_stored());
            }
            self.consumer.apply(BTreeMap::from([(project(), together.to_vec())])).await.complete().unwrap();
        }
    }

    async fn erase(&self) {
        self.consumer.erase(&project(), &MARK.parse().unwrap(), |_| {}).await.unwrap();
    }

    /// Erases while a rebuild stands still, as it reports for the `nth` time. Then that goes on, or it was killed there. Says whether
    /// it came to that report.
    async fn erase_during_rebuild(&self, nth: usize, goes_on: bool) -> bool {
        let (project, reports, stands_still) = (project(), AtomicUsize::new(0), Notify::new());
        let report = |_| {
            if reports.fetch_add(1, Ordering::Relaxed) + 1 == nth {
                stands_still.notify_one();
            }
        };
        let mut rebuild = Box::pin(self.consumer.rebuild(&project, false, report));
        tokio::select! {
            biased;
            () = stands_still.notified() => {}
            rebuilt = &mut rebuild => {
                rebuilt.unwrap();
                return false;
            }
        }
        if goes_on {
            self.erase().await;
            assert!(rebuild.await.is_err(), "it may have counted the visitor");
        } else {
            drop(rebuild);
            self.erase().await;
        }
        true
    }

    /// The last change, which is not merged yet, is lost, so that a rebuild shows what it derives.
    async fn lose_a_change(&self) {
        let changes = self.store.query(Query::partition(keys::tail(&project()))).await.unwrap();
        self.store.delete(&item_key(changes.last().unwrap()).unwrap()).await.unwrap();
    }

    /// All items of the table.
    async fn items(&self) -> Vec<Item> {
        let (mut items, mut from) = (Vec::new(), None);
        loop {
            let scan = self.store.client().scan().table_name(self.store.table()).set_exclusive_start_key(from);
            let page = scan.send().await.unwrap();
            items.extend(page.items.unwrap_or_default());
            from = page.last_evaluated_key;
            if from.is_none() {
                return items;
            }
        }
    }

    /// The items that hold anything that the visitor sent, as stored or once inflated.
    async fn traces(&self) -> Vec<String> {
        let items = self.items().await;
        let traces = items.iter().filter(|item| holds_a_trace(item));
        traces.map(|item| format!("{} / {}", read(item, PK), read(item, SK))).collect()
    }
}

fn read<'a>(item: &'a Item, name: &str) -> &'a str {
    read_text(item, name).unwrap()
}

fn holds_a_trace(item: &Item) -> bool {
    let is_in = |bytes: &[u8]| bytes.windows(MARK.len()).any(|part| part == MARK.as_bytes());
    item.values().any(|value| match value {
        AttributeValue::B(blob) => {
            let packed = blob.as_ref();
            let of_packed = codec::inflate(packed.get(1..).unwrap_or_default(), codec::NO_DICTIONARY);
            let inflated = [json_of(packed), of_packed].map(Result::unwrap_or_default);
            is_in(packed) || inflated.iter().any(|plain| is_in(plain))
        }
        other => is_in(format!("{other:?}").as_bytes()),
    })
}

#[tokio::test]
async fn nothing_of_an_erased_visitor_is_left_on_a_quiet_project() {
    let site = Site::new().await;
    site.send(&visits("somebody", 3)).await;
    site.send(&visits(MARK, 2)).await;
    assert!(!site.traces().await.is_empty());
    site.erase().await;
    assert_eq!(site.traces().await, [""; 0]);
}

#[tokio::test]
async fn nothing_of_an_erased_visitor_is_left_where_it_was_merged_with_others() {
    let site = Site::new().await;
    for round in 0..4 {
        let others: Vec<Batch> = (0..12).flat_map(|other| visits(&format!("other-{round}-{other}"), 4)).collect();
        site.send(&others).await;
        if round == 1 {
            site.send(&visits(MARK, 8)).await;
            site.send(&[outburst(MARK)]).await;
        }
    }
    site.erase().await;
    assert_eq!(site.traces().await, [""; 0]);
    assert!(site.consumer.rebuild(&project(), true, |_| {}).await.unwrap().is_empty());
    // What still comes leaves nothing either.
    site.send(&[batch(MARK, 500, START + 60_000, Vec::new())]).await;
    assert_eq!(site.traces().await, [""; 0]);
}

#[tokio::test]
async fn nothing_of_an_erased_visitor_is_left_where_a_day_is_crowded() {
    let site = Site::new().await;
    site.send(&visits(MARK, 1)).await;
    site.send(&crowd()).await;
    site.erase().await;
    assert_eq!(site.traces().await, [""; 0]);
}

#[tokio::test]
async fn nothing_of_an_erased_visitor_is_left_after_a_rebuild() {
    let site = Site::new().await;
    site.send(&visits(MARK, 4)).await;
    site.send(&visits("somebody", 4)).await;
    site.lose_a_change().await;
    let found = site.consumer.rebuild(&project(), false, |_| {}).await.unwrap();
    assert!(!found.figures.is_empty() && !found.hours.is_empty(), "{found:?}");
    assert!(site.consumer.rebuild(&project(), true, |_| {}).await.unwrap().is_empty());
    site.erase().await;
    assert_eq!(site.traces().await, [""; 0]);
    assert!(site.consumer.rebuild(&project(), true, |_| {}).await.unwrap().is_empty());
}

/// The rebuild is anywhere, and killed there, or asleep until the visitor is erased. The erasure waits for nobody, and nothing is
/// left in what was built either.
#[tokio::test]
async fn nothing_of_an_erased_visitor_is_left_by_a_rebuild_under_way() {
    for goes_on in [false, true] {
        let mut interrupted = 0;
        for nth in 1.. {
            let site = Site::new().await;
            site.send(&visits(MARK, 2)).await;
            site.send(&visits("somebody", 2)).await;
            site.lose_a_change().await;
            if !site.erase_during_rebuild(nth, goes_on).await {
                break;
            }
            interrupted += 1;
            assert_eq!(site.traces().await, [""; 0], "goes on: {goes_on}, from report {nth}");
        }
        assert!(interrupted > 5, "{interrupted}");
    }
}

/// A consumer read the table before the erasure, and its transaction lands afterwards; then it stops. What it was given
/// comes again.
#[tokio::test]
async fn a_visitor_that_is_stored_late_is_erased_once_more() {
    let site = Site::new().await;
    site.send(&visits("somebody", 1)).await;
    let before = site.items().await;
    let late = visits(MARK, 1);
    site.send(&late).await;
    let written: Vec<Item> = site.items().await.into_iter().filter(|item| !before.contains(item)).collect();
    site.erase().await;
    for item in written.iter().filter(|item| keys::parse_batch(read(item, PK), read(item, SK)).is_none()) {
        site.store.put(item.clone()).await.unwrap();
    }
    assert!(!site.traces().await.is_empty());
    site.consumer.apply(BTreeMap::from([(project(), late)])).await.complete().unwrap();
    assert_eq!(site.traces().await, [""; 0]);
}
