//! What one visitor sent takes little memory to read, however much it is. A test of its own, so that nothing else takes any.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod common;
#[path = "common/memory.rs"]
mod memory;

use std::collections::BTreeMap;

use counting::Consumer;
use figures::dates::DateRange;
use figures::ids::{ProjectId, SessionId, VisitorId};
use figures::model::{Batch, Event, SessionFacts, VisitorFacts};
use figures::time::{Day, Millis};
use memory::peak;
use serde_json::value::to_raw_value;
use shared::pagination::Page;
use shared::params::Params;
use shared::rows::events;
use shared::rows::visitor_events::{VisitorEvents, Wanted};

const START: i64 = 1_750_000_000_000;
/// Nearly as many events as a session keeps, and as much of each as it may have: 80 MB, which deflate to nothing.
const BATCHES: i64 = 1_400;
const EVENTS: i64 = 7;
const DATA: usize = 8_000;

/// What a request may take, the engine's own part included.
const BOUND: u64 = 32 << 20;

fn batch(number: i64) -> Batch {
    let event = |position: i64| Event {
        name: "noted".to_owned(),
        url: None,
        created_at: Millis(START + number * 1_000 + position),
        data: to_raw_value(&serde_json::json!({ "text": "x".repeat(DATA) })).ok(),
    };
    Batch {
        visitor_id: "v1".parse().unwrap(),
        session_id: "s1".parse().unwrap(),
        batch_id: format!("b{number:06}").parse().unwrap(),
        stored_at: Millis(START + number),
        sent_at: Millis(START + number * 1_000),
        page: None,
        visitor: VisitorFacts::default(),
        session: SessionFacts { started_at: Millis(START), ..SessionFacts::default() },
        events: (0..EVENTS).map(event).collect(),
    }
}

#[tokio::test]
async fn what_one_visitor_sent_takes_little_memory_to_read() {
    let (store, project): (_, ProjectId) = (common::store().await, "demo".parse().unwrap());
    let (visitor, session): (VisitorId, SessionId) = ("v1".parse().unwrap(), "s1".parse().unwrap());
    let consumer = Consumer::new(store.clone());
    for first in (0..BATCHES).step_by(10) {
        let window: Vec<Batch> = (first..first + 10).map(batch).collect();
        for batch in &window {
            assert!(store.put_at(batch.to_item(&project).unwrap(), None).await.unwrap().is_stored());
        }
        consumer.apply(BTreeMap::from([(project.clone(), window)])).await.complete().unwrap();
    }

    let visitor_events = VisitorEvents { store: &store, project: &project, visitor: &visitor };
    let wanted = |query: &str| {
        let page = Page::parse(&Params::parse(query, Day(0))).unwrap();
        Wanted { range: DateRange::always(), event_type: None, page }
    };
    let all = BATCHES * EVENTS;
    // A page's first event, counted from the newest one on, or a timeline's.
    for query in ["limit=1", "limit=100", "limit=100&page=49", "limit=100&page=98"] {
        let wanted = wanted(query);
        peak();
        let before = peak();
        let (total, of_session) = visitor_events.of_session(&session, &wanted).await.unwrap();
        let (counted, of_visitor) = visitor_events.page(&wanted).await.unwrap();
        check(query, peak().saturating_sub(before));
        assert_eq!((total, counted), (all as u64, all as u64));
        let newest = all - 1 - wanted.page.offset() as i64;
        for rows in [of_session, of_visitor] {
            assert_eq!((rows.len(), rows[0].created_at), (wanted.page.limit(), instant(newest)), "{query}");
            assert!(rows.iter().all(|row| row.data.as_ref().is_some_and(|data| data.get().len() > DATA)), "{query}");
        }
    }
    peak();
    let before = peak();
    let first = events::first_of_session(&store, &project, &visitor, &session, 500).await.unwrap();
    check("the first ones", peak().saturating_sub(before));
    assert_eq!((first.len(), first[499].created_at), (500, instant(499)));
}

/// When an event happened, counted from the oldest one on.
fn instant(number: i64) -> Millis {
    Millis(START + number / EVENTS * 1_000 + number % EVENTS)
}

fn check(what: &str, grown: u64) {
    println!("{what}: {} MiB more", grown >> 20);
    assert!(grown < BOUND, "{what}: {} MiB more", grown >> 20);
}
