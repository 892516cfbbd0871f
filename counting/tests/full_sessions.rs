//! Sessions that somebody fills without end, against the embedded engine.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod common;
#[path = "common/memory.rs"]
mod memory;
#[path = "common/site.rs"]
mod site;

use std::collections::BTreeMap;
use std::time::Duration;

use counting::Consumer;
use figures::log::BatchRef;
use figures::model::{Batch, Event, SessionFacts, Visitor, VisitorFacts};
use figures::table::keys;
use figures::table::store::{Query, SK, Store, key_item, read_packed, read_text};
use figures::time::Millis;
use memory::peak;
use site::{START, assert_eq_seen, project, seen};

/// What a session keeps at most.
const MAX_EVENTS: u32 = 10_000;
const MAX_BATCHES: i64 = 5_000;

async fn empty_site() -> (Store, Consumer) {
    let store = common::store().await;
    store.put(key_item(&keys::project(&project()))).await.unwrap();
    // Nobody reads while these tests write.
    let consumer = Consumer::new(store.clone()).with_grace(Duration::from_millis(1));
    (store, consumer)
}

fn batch(number: i64, at: i64, events: usize, url: &str) -> Batch {
    let event = |position: i64| Event {
        name: "page_view".to_owned(),
        url: Some(url.into()),
        created_at: Millis(at + position),
        data: None,
    };
    Batch {
        visitor_id: "v1".parse().unwrap(),
        session_id: "s1".parse().unwrap(),
        batch_id: format!("b{number:06}").parse().unwrap(),
        stored_at: Millis(START + number),
        sent_at: Millis(at + 1_000),
        page: None,
        visitor: VisitorFacts::default(),
        session: SessionFacts { started_at: Millis(START), url: Some("/".to_owned()), ..SessionFacts::default() },
        events: (0..events as i64).map(event).collect(),
    }
}

fn hundreds(numbers: std::ops::Range<i64>, url: &str) -> Vec<Batch> {
    numbers.map(|number| batch(number, START + number * 1_000, 100, url)).collect()
}

async fn store_all(store: &Store, batches: &[Batch]) {
    for batch in batches {
        assert!(store.put_at(batch.to_item(&project()).unwrap(), None).await.unwrap().is_stored());
    }
}

async fn deliver(consumer: &Consumer, batches: &[Batch]) {
    for window in batches.chunks(40) {
        consumer.apply(BTreeMap::from([(project(), window.to_vec())])).await.complete().unwrap();
    }
}

async fn visitor(store: &Store) -> (Visitor, usize) {
    let items =
        store.query(Query::partition(keys::visitor_partition(&project(), &"v1".parse().unwrap()))).await.unwrap();
    let is = |item: &&figures::table::store::Item, sort: &str| read_text(item, SK).unwrap().starts_with(sort);
    let visitor = items.iter().find(|item| is(item, "VISITOR")).unwrap();
    (read_packed(visitor).unwrap(), items.iter().filter(|item| is(item, "B#")).count())
}

#[tokio::test]
async fn a_full_session_drops_what_comes_and_says_how_much() {
    let (store, consumer) = empty_site().await;
    let kept = hundreds(0..100, "/kept");
    store_all(&store, &kept).await;
    deliver(&consumer, &kept).await;
    let before = seen(&store).await;

    let beyond: Vec<Batch> = hundreds(100..130, "/beyond");
    store_all(&store, &beyond).await;
    // However often they come, in whatever company.
    for _ in 0..2 {
        deliver(&consumer, &beyond).await;
        let (twice, _) = tokio::join!(deliver(&consumer, &beyond), deliver(&consumer, &kept[90..]));
        let () = twice;
    }
    assert_eq_seen(&seen(&store).await, &before);
    let (state, stored) = visitor(&store).await;
    assert_eq!((state.latest.event_count, state.latest.dropped, stored), (MAX_EVENTS, 3_000, 100));
    let asked = beyond.iter().map(BatchRef::of).collect();
    assert_eq!(consumer.pending(&project(), asked).await.unwrap(), []);

    let differences = consumer.rebuild(&project(), true, |_| {}).await.unwrap();
    assert!(differences.is_empty(), "{differences:?}");
    // What was dropped is in no batch: the state alone tells, and a rebuild that writes it anew keeps it.
    let mut damaged = state.clone();
    damaged.latest.page_views = 1;
    let key = keys::visitor(&project(), &"v1".parse().unwrap());
    let mut item = store.get(&key, figures::table::store::Consistency::Strong).await.unwrap().unwrap();
    item.insert(figures::table::store::DATA.to_owned(), figures::table::store::binary(damaged.pack().unwrap()));
    store.put(item).await.unwrap();
    assert!(!consumer.rebuild(&project(), false, |_| {}).await.unwrap().is_empty());
    let latest = visitor(&store).await.0.latest;
    assert_eq!((latest.page_views, latest.dropped), (MAX_EVENTS, 3_000));
}

#[tokio::test]
async fn a_session_has_an_end_to_its_heartbeats_too() {
    let (store, consumer) = empty_site().await;
    let beats: Vec<Batch> = (0..MAX_BATCHES + 20).map(|number| batch(number, START + number, 0, "/")).collect();
    for window in beats.chunks(500) {
        store_all(&store, window).await;
        deliver(&consumer, window).await;
    }
    let (state, stored) = visitor(&store).await;
    assert_eq!((state.latest.dropped, stored), (20, MAX_BATCHES as usize));
}

/// A page view that comes late makes all of a session be read again. The session is as full as it gets, of pages whose names
/// deflate to nothing.
#[tokio::test]
async fn a_late_page_view_of_a_full_session_takes_little_memory() {
    let (store, consumer) = empty_site().await;
    let long = "\u{1f600}".repeat(2_048);
    for from in 0..10 {
        let some = hundreds(from * 10..from * 10 + 9, &long);
        store_all(&store, &some).await;
        deliver(&consumer, &some).await;
    }
    let late = batch(999, START - 1, 1, "/late");
    store_all(&store, std::slice::from_ref(&late)).await;
    peak();
    let before = peak();
    deliver(&consumer, &[late]).await;
    let grown = peak() - before;
    assert!(grown < 40 << 20, "{} MiB more", grown >> 20);
    assert_eq!(visitor(&store).await.0.latest.page_views, 9_001);
}
