//! Segments that are stored in place of merged ones, against the embedded engine.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod common;
#[path = "common/site.rs"]
mod site;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use counting::Consumer;
use figures::table::keys;
use figures::table::store::{Query, REV, SK, Store, read_number, read_text};
use figures::time::{Clock, Millis};
use site::{assert_eq_seen, batches, project, seen, send, site};

/// The revisions of the segments that are stored.
async fn revisions(store: &Store) -> Vec<u64> {
    let items = store.query(Query::partition(keys::tail(&project())).strong()).await.unwrap();
    let segments = items.iter().filter(|item| keys::is_segment(read_text(item, SK).unwrap()));
    segments.map(|item| read_number(item, REV).unwrap()).collect()
}

#[tokio::test]
async fn segments_take_the_place_of_merged_ones_and_all_count_once() {
    let batches = batches(120);
    let (store, consumer) = site(&batches).await;
    let replaced = revisions(&store).await.into_iter().filter(|revision| *revision > 1).count();
    assert!(replaced > 20, "{replaced} segments took another one's place");
    assert!(consumer.rebuild(&project(), true, |_| {}).await.unwrap().is_empty());
}

#[tokio::test]
async fn all_count_once_where_rounds_are_minutes_apart() {
    let (store, _) = site(&[]).await;
    let at = Arc::new(AtomicI64::new(Millis::now().0));
    let consumer = Consumer::new(store.clone()).with_clock(Clock::Set(at.clone()));
    for window in batches(120).chunks(3) {
        at.fetch_add(10_000, Ordering::Relaxed);
        send(&store, &consumer, window).await;
    }
    let replaced = revisions(&store).await.into_iter().filter(|revision| *revision > 1).count();
    assert!(replaced > 20, "{replaced} segments took another one's place");
    let found = consumer.rebuild(&project(), true, |_| {}).await.unwrap();
    assert!(found.is_empty(), "{found:?}");
}

/// Two consumers and a compactor that knows neither's segments.
#[tokio::test]
async fn several_consumers_replace_no_segment_of_each_other() {
    let batches = batches(60);
    let (apart, _) = site(&batches).await;
    let (store, compactor) = site(&[]).await;
    let consumers = [0, 1].map(|_| Consumer::new(store.clone()).with_grace(Duration::from_millis(1)));
    for (number, batch) in batches.iter().enumerate() {
        assert!(store.put_at(batch.to_item(&project()).unwrap(), None).await.unwrap().is_stored());
        let applied = consumers[number % 2].apply(BTreeMap::from([(project(), vec![batch.clone()])])).await;
        assert!(applied.failed.is_empty() && applied.refused.is_empty());
        compactor.resume(site::works(&store).await).await.unwrap();
        if number % 50 == 0 {
            compactor.compact(&project()).await.unwrap();
        }
    }
    let mut brought = site::works(&store).await;
    while !brought.is_empty() {
        compactor.resume(brought).await.unwrap();
        brought = site::works(&store).await;
    }
    assert!(revisions(&store).await.into_iter().any(|revision| revision > 1));
    assert_eq_seen(&seen(&store).await, &seen(&apart).await);
}
