//! Erasing and rebuilding, against the embedded engine.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod common;
#[path = "common/site.rs"]
mod site;

use figures::ids::VisitorId;
use figures::log::BatchRef;
use figures::measures::Measure;
use figures::model::Batch;
use figures::table::keys;
use figures::table::store::{DATA, Query, binary, item_key, read_text};
use figures::time::Millis;
use site::{assert_eq_seen, batches, project, seen, send, site};

#[tokio::test]
async fn a_rebuild_finds_nothing_in_an_untouched_table_and_heals_a_broken_one() {
    let batches = batches(24);
    let (store, consumer) = site(&batches).await;
    let before = seen(&store).await;
    let untouched = consumer.rebuild(&project(), true, |_| {}).await.unwrap();
    assert!(untouched.is_empty(), "{untouched:?}");

    let runs = keys::runs(&project(), figures::table::keys::Index::Sessions, batches[0].session.started_at.day());
    let broken = [
        keys::blocks(&project(), Measure::Stats.name()),
        keys::blocks(&project(), Measure::Pages.name()),
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
    let asked = vec![BatchRef::of(lost), BatchRef::of(&waiting)];
    assert_eq!(consumer.pending(&project(), asked).await.unwrap(), [BatchRef::of(&waiting)]);
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
