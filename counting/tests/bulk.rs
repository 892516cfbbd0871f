//! Batches as large as clients can make them are counted, however many come at once.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod common;

use std::collections::BTreeMap;
use std::time::Duration;

use counting::{Consumer, GRACE};
use figures::counters::Rows;
use figures::dates::DateRange;
use figures::generation::Generation;
use figures::ids::ProjectId;
use figures::log::View;
use figures::log::block::{self, Found, NewBlock, Reading};
use figures::measures::Measure;
use figures::measures::clicks::{Kind, by_element};
use figures::model::{Batch, Event, SessionFacts, VisitorFacts};
use figures::retention::Kept;
use figures::table::keys;
use figures::table::store::{Item, Query, SK, Store, read_text};
use figures::time::Millis;
use serde_json::json;

const START: i64 = 1_741_600_000_000;

/// Numbers that look random and are the same in every run.
struct Random(u64);

impl Random {
    fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.0 ^ (self.0 >> 29)
    }

    /// Text that hardly compresses.
    fn text(&mut self, length: usize) -> String {
        let mut text = String::new();
        while text.len() < length {
            text.push_str(&format!("{:016x}", self.number()));
        }
        text.truncate(length);
        text
    }
}

fn batch(visitor: usize, number: usize, events: Vec<Event>) -> Batch {
    let at = Millis(START + number as i64);
    Batch {
        visitor_id: format!("v{visitor}").parse().unwrap(),
        session_id: "1".parse().unwrap(),
        batch_id: number.to_string().parse().unwrap(),
        stored_at: at,
        sent_at: at,
        page: None,
        visitor: VisitorFacts::default(),
        session: SessionFacts { started_at: Millis(START), ..SessionFacts::default() },
        events,
    }
}

/// Stores batches and counts them, so many at a time.
async fn deliver(store: &Store, sent: &[Batch], together: usize) {
    for batch in sent {
        assert!(store.put_at(batch.to_item(&project()).unwrap(), None).await.unwrap().is_stored());
    }
    let consumer = Consumer::new(store.clone());
    for delivered in sent.chunks(together) {
        consumer.apply(BTreeMap::from([(project(), delivered.to_vec())])).await.complete().unwrap();
    }
}

fn project() -> ProjectId {
    "demo".parse().unwrap()
}

/// Batches that fill the collector's 64 KiB, of many visitors and of one.
#[tokio::test]
async fn the_largest_batches_are_counted_together() {
    let (store, mut random) = (common::store().await, Random(7));
    let mut full = |visitor, number| {
        let click = |selector: String| Event {
            name: "rage_click".to_owned(),
            url: Some("/".into()),
            created_at: Millis(START),
            data: serde_json::value::to_raw_value(&json!({"selector": selector})).ok(),
        };
        batch(visitor, number, (0..7).map(|_| click(random.text(8_000))).collect())
    };
    let mut sent: Vec<Batch> = (0..20).map(|visitor| full(visitor, 0)).collect();
    sent.extend((0..20).map(|number| full(20, number)));
    deliver(&store, &sent, sent.len()).await;

    let day = Millis(START).day();
    let range = DateRange::new(day, day).unwrap();
    let view = View::load(&store, &project(), &[(Measure::Clicks, range)]).await.unwrap();
    let clicks = by_element(view.days(Measure::Clicks), Kind::Rage, day);
    assert_eq!(clicks.map(|(_, click)| click.count).sum::<i64>(), 7 * 40);
}

/// So much in one hour that its runs can't all be merged into one item.
#[tokio::test]
async fn a_busy_hour_is_listed_in_full() {
    let (store, mut random) = (common::store().await, Random(7));
    let mut event = || Event { name: random.text(64), url: None, created_at: Millis(START), data: None };
    let mut events = || (0..100).map(|_| event()).collect();
    let sent: Vec<Batch> = (0..300).map(|number| batch(number, number, events())).collect();
    deliver(&store, &sent, 20).await;

    let view = View::load(&store, &project(), &[]).await.unwrap();
    let listed = view.batches(&[Millis(START).hour()]).await.unwrap();
    assert_eq!(listed.iter().map(|(_, _, entry)| entry.events.len()).sum::<usize>(), 300 * 100);
}

/// A large import merges much in a short time, and what it merged is not read by every request from then on.
#[tokio::test]
async fn what_a_busy_time_leaves_behind_is_removed() {
    let (store, mut random) = (common::store().await, Random(7));
    let mut event = || Event { name: random.text(64), url: None, created_at: Millis(START), data: None };
    let mut events = || (0..100).map(|_| event()).collect();
    let sent: Vec<Batch> = (0..100).map(|number| batch(number, number, events())).collect();
    deliver(&store, &sent, 20).await;
    let units = async || {
        let store = store.metered();
        View::load(&store, &project(), &[]).await.unwrap();
        store.consumed().read_units
    };
    assert!(units().await > 20.0, "nothing is left behind that could be removed");

    tokio::time::sleep(GRACE + Duration::from_millis(100)).await;
    Consumer::new(store.clone()).compact(&project()).await.unwrap();
    let units = units().await;
    assert!(units <= 8.0, "an idle project's tail takes {units} read units");
}

/// More frustrated visitors on a day than fit into a transaction, let alone into an item.
#[tokio::test]
async fn a_day_of_any_size_is_kept_and_changed() {
    let (store, mut random) = (common::store().await, Random(7));
    let (measure, day) = (Measure::Frustration, Millis(START).day());
    let range = DateRange::new(day, day).unwrap();
    let new = |round, rows: &Rows| NewBlock { round, is_based: false, kept: Kept::default(), rows: rows.clone() };
    let mut rows = Rows::default();
    for _ in 0..200_000 {
        rows.add(0, &random.text(36), 0, 1);
    }
    assert!(block::write(&store, &project(), measure, Generation::FIRST, day, None, new(1, &rows)).await.unwrap());
    let read = async |reading| match block::read::<Rows>(&store, &project(), measure, Generation::FIRST, range, reading)
        .await
        .unwrap()
    {
        Found::Blocks(mut blocks) => blocks.pop().unwrap(),
        Found::Torn => panic!("nobody writes"),
    };
    let stored = read(Reading::Strong).await;
    assert!(stored.rows == rows, "what is read is not what was written");

    // Another round changes a row, a late one of the same round nothing, and one that would fit into an item shrinks it.
    rows.add(0, "late", 0, 1);
    assert!(
        block::write(&store, &project(), measure, Generation::FIRST, day, Some(&stored), new(2, &rows)).await.unwrap()
    );
    assert!(
        !block::write(&store, &project(), measure, Generation::FIRST, day, Some(&stored), new(2, &Rows::default()))
            .await
            .unwrap()
    );
    let stored = read(Reading::All).await;
    assert!(stored.round == 2 && stored.rows == rows, "the round is not what was written");
    let mut small = Rows::default();
    small.add(0, "only", 0, 1);
    assert!(
        block::write(&store, &project(), measure, Generation::FIRST, day, Some(&stored), new(3, &small)).await.unwrap()
    );
    let items = store.query(Query::partition(keys::blocks(&project(), measure.name()))).await.unwrap();
    assert_eq!(items.len(), 1, "parts are left over");
    assert!(read(Reading::All).await.rows == small);
}

/// A day with ever new keys is not written anew by each round, and once the next day begins it is one block again.
#[tokio::test]
async fn what_is_laid_on_a_day_is_merged_when_the_next_one_begins() {
    let (store, mut random) = (common::store().await, Random(7));
    let mut page_view = |day: i64| Event {
        name: "page_view".to_owned(),
        url: Some(format!("/{}", random.text(60)).into()),
        created_at: Millis(START + day * 86_400_000),
        data: None,
    };
    let mut views = |day, count: usize| (0..count).map(|_| page_view(day)).collect::<Vec<_>>();
    let pages = keys::blocks(&project(), Measure::Pages.name());
    let items = async || store.query(Query::partition(pages.clone())).await.unwrap();
    let is_layer = |item: &&Item| read_text(item, SK).unwrap().contains('+');
    // A day of some size, then little by little, until something is laid on it.
    let full: Vec<Batch> = (0..30).map(|number| batch(number, 0, views(0, 50))).collect();
    deliver(&store, &full, 1).await;
    let mut count = full.len();
    while items().await.iter().filter(is_layer).count() == 0 {
        assert!(count < 300, "each round wrote all of the day anew");
        deliver(&store, &[batch(count, 0, views(0, 1))], 1).await;
        Consumer::new(store.clone()).compact(&project()).await.unwrap();
        count += 1;
    }
    let next: Vec<Batch> = (0..16).map(|number| batch(count + number, 0, views(1, 50))).collect();
    deliver(&store, &next, 1).await;
    Consumer::new(store.clone()).compact(&project()).await.unwrap();

    let (first, second) = (Millis(START).day(), Millis(START).day().plus(1));
    let of_first: Vec<Item> =
        items().await.into_iter().filter(|item| read_text(item, SK).unwrap().starts_with(&first.to_string())).collect();
    assert_eq!(of_first.len(), 1, "layers of the day before are left");
    let range = DateRange::new(first, second).unwrap();
    let view = View::load(&store, &project(), &[(Measure::Pages, range)]).await.unwrap();
    for (day, pages) in [(first, 50 * full.len() + count - full.len()), (second, 50 * next.len())] {
        assert_eq!(view.day(Measure::Pages, day).unwrap().table(0).len(), pages, "{day}");
    }
    assert!(Consumer::new(store.clone()).rebuild(&project(), true, |_| {}).await.unwrap().is_empty());
}

/// Rounds that add little to a large block, which becomes several times as large: most are laid on it, and what is read is
/// all of them at every moment.
#[tokio::test]
async fn a_large_day_is_written_anew_now_and_then() {
    let (store, mut random) = (common::store().await, Random(7));
    let (measure, day, first) = (Measure::Frustration, Millis(START).day(), Generation::FIRST);
    let range = DateRange::new(day, day).unwrap();
    let mut expected = Rows::default();
    let mut added = |count| {
        let mut rows = Rows::default();
        (0..count).for_each(|_| rows.add(0, &random.text(36), 0, 1));
        rows
    };
    expected.add_all(&added(1_000));
    let new = NewBlock { round: 1, is_based: false, kept: Kept::default(), rows: expected.clone() };
    assert!(block::write(&store, &project(), measure, first, day, None, new).await.unwrap());
    let (mut layers, mut anew) = (0, 0);
    for round in 2..60 {
        let read = block::read::<Rows>(&store, &project(), measure, first, range, Reading::Strong).await.unwrap();
        let Found::Blocks(mut blocks) = read else { panic!("nobody writes") };
        let block = blocks.pop().unwrap();
        assert!(block.round == round - 1 && block.rows == expected, "round {round}");
        let change = added(50);
        expected.add_all(&change);
        match block::layer(&project(), measure, first, &block, (round, Kept::default()), &[&change]).unwrap() {
            Some(layer) => {
                layers += 1;
                assert!(store.put_at(layer, None).await.unwrap().is_stored());
            }
            None => {
                anew += 1;
                let new = NewBlock { round, is_based: false, kept: Kept::default(), rows: expected.clone() };
                assert!(block::write(&store, &project(), measure, first, day, Some(&block), new).await.unwrap());
                let items = store.query(Query::partition(keys::blocks(&project(), measure.name()))).await.unwrap();
                assert_eq!(items.len(), 1, "layers are left over");
            }
        }
    }
    assert!(layers > 10 * anew && anew >= 2, "{layers} layers, {anew} times anew");
}
