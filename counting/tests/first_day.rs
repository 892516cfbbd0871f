//! The first day that holds data, beside compaction, against the embedded engine.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod common;

use std::collections::BTreeMap;

use counting::Consumer;
use figures::dates::DateRange;
use figures::ids::ProjectId;
use figures::log::View;
use figures::measures::Measure;
use figures::measures::stats::StatsDay;
use figures::model::{Batch, SessionFacts, VisitorFacts};
use figures::table::store::Store;
use figures::time::{DAY_MS, Millis};

const START: i64 = 1_750_000_000_000;

fn project() -> ProjectId {
    "demo".parse().unwrap()
}

/// A sign of life that is all there is of a session.
fn heartbeat(visitor: &str, batch: &str, stored_at: i64, started_at: i64) -> Batch {
    Batch {
        visitor_id: visitor.parse().unwrap(),
        session_id: format!("s_{visitor}").parse().unwrap(),
        batch_id: batch.parse().unwrap(),
        stored_at: Millis(stored_at),
        sent_at: Millis(started_at),
        page: None,
        visitor: VisitorFacts::default(),
        session: SessionFacts { started_at: Millis(started_at), ..SessionFacts::default() },
        events: Vec::new(),
    }
}

async fn count(store: &Store, consumer: &Consumer, batch: Batch) {
    assert!(store.put_at(batch.to_item(&project()).unwrap(), None).await.unwrap().is_stored());
    consumer.apply(BTreeMap::from([(project(), vec![batch])])).await.complete().unwrap();
}

/// Counts so much of later days that all of before is merged.
async fn merge(store: &Store, consumer: &Consumer, name: &str) {
    for number in 0..80 {
        let later = START + 5 * DAY_MS + number;
        count(store, consumer, heartbeat(name, &format!("b{number:02}"), later, later)).await;
    }
    consumer.compact(&project()).await.unwrap();
}

#[tokio::test]
async fn a_day_holds_data_whatever_is_merged_after_the_tail_was_read() {
    let store = common::store().await;
    let consumer = Consumer::new(store.clone());
    count(&store, &consumer, heartbeat("v_stays", "b1", START, START)).await;
    count(&store, &consumer, heartbeat("v_moves", "b2", START, START)).await;
    merge(&store, &consumer, "v_first").await;
    // A batch that was stored before the other one moves the session to the day before. The tail has what that takes away.
    count(&store, &consumer, heartbeat("v_moves", "b1", START - 1, START - DAY_MS)).await;

    let day = Millis(START).day();
    let range = DateRange::new(day, day.plus(30)).unwrap();
    let view = View::load(&store, &project(), &[]).await.unwrap();
    let first_day = async || view.first_day(Measure::Stats, range, |rows| StatsDay(rows).holds_data()).await.unwrap();
    assert_eq!(first_day().await, Some(day));
    merge(&store, &consumer, "v_second").await;
    assert_eq!(first_day().await, Some(day));
}
