//! A visitor that sees ever more pages: to remember them costs the same however many there are, and what they come to is
//! exact.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod common;
#[path = "common/site.rs"]
mod site;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use counting::Consumer;
use figures::ids::VisitorId;
use figures::model::{Batch, Event, SessionFacts, Visitor, VisitorFacts};
use figures::table::keys::{self, Key};
use figures::table::store::{
    Consistency, DATA, Item, PK, Query, SK, SortKeys, Store, item_key, read_binary, read_packed, read_text,
};
use figures::time::Millis;
use site::{START, assert_eq_seen, batches, project, seen, send, site};

/// Pages of a batch.
const PAGES: i64 = 40;

fn heavy() -> VisitorId {
    "v_heavy".parse().unwrap()
}

/// A batch of page views in one of many sessions, which begin so many hours after each other.
fn batch(session: i64, hours: i64, number: i64, pages: impl Iterator<Item = i64>) -> Batch {
    let started_at = Millis(START + session * hours * 3_600_000);
    let at = started_at.plus(number * 20_000);
    let view = |(position, page): (usize, i64)| Event {
        name: "page_view".to_owned(),
        url: Some(format!("/page/{page}").into()),
        created_at: at.plus(position as i64),
        data: None,
    };
    Batch {
        visitor_id: heavy(),
        session_id: format!("s{session:04}").parse().unwrap(),
        batch_id: format!("b{number:06}").parse().unwrap(),
        stored_at: at.plus(2_000),
        sent_at: at.plus(1_000),
        page: None,
        visitor: VisitorFacts::default(),
        session: SessionFacts { started_at, ..SessionFacts::default() },
        events: pages.enumerate().map(view).collect(),
    }
}

/// The items that remember what the visitor saw, besides its state.
async fn memory(store: &Store) -> HashMap<Key, Item> {
    let partition = keys::visitor_partition(&project(), &heavy());
    let query = Query::partition(partition).sort_keys(SortKeys::Prefix("K#".to_owned())).strong();
    let items = store.query(query).await.unwrap();
    items.into_iter().map(|item| (item_key(&item).unwrap(), item)).collect()
}

/// What it takes to write an item in a transaction.
fn units(item: &Item) -> usize {
    let text = |name: &str| name.len() + read_text(item, name).unwrap().len();
    2 * (text(PK) + text(SK) + DATA.len() + read_binary(item, DATA).unwrap().len()).div_ceil(1_024)
}

/// Sessions on many days. Each sees new pages, and some that others saw.
fn visits(sessions: i64) -> Vec<Batch> {
    let of = |session: i64| {
        let page = move |at: i64| if at % 8 == 0 { (session * 7 + at) % 160 } else { session * 320 + at };
        (0..8).map(move |number| batch(session, 10, number, (number * PAGES..(number + 1) * PAGES).map(page)))
    };
    (0..sessions).flat_map(of).collect()
}

/// What the memory consists of: the items that count.
async fn live(store: &Store) -> BTreeSet<Key> {
    let item = store.get(&keys::visitor(&project(), &heavy()), Consistency::Strong).await.unwrap().unwrap();
    let mut state: Visitor = read_packed(&item).unwrap();
    state.take_seen().items().map(|item| keys::seen(&project(), &heavy(), item)).collect()
}

#[tokio::test]
async fn a_batch_of_new_pages_costs_the_same_however_many_were_seen() {
    const BATCHES: i64 = 520;
    let (store, _) = site(&[]).await;
    let (mut before, mut units_of_memory) = (HashMap::new(), 0);
    let (mut units_of_batches, mut read_units) = (Vec::new(), Vec::new());
    for number in 0..BATCHES {
        let batch = batch(number / 100, 1, number % 100, number * PAGES..(number + 1) * PAGES);
        assert!(store.put_at(batch.to_item(&project()).unwrap(), None).await.unwrap().is_stored());
        let metered = store.metered();
        Consumer::new(metered.clone()).apply(BTreeMap::from([(project(), vec![batch])])).await.complete().unwrap();
        let now = memory(&store).await;
        let written = now.iter().filter(|(key, item)| before.get(*key) != Some(*item));
        units_of_memory += written.map(|(_, item)| units(item)).sum::<usize>();
        before = now;
        units_of_batches.push(metered.consumed().write_units);
        read_units.push(metered.consumed().read_units);
    }
    let of_a_page = units_of_memory as f64 / (BATCHES * PAGES) as f64;
    // After 20,000 pages, of which a batch now and then merges the most there are.
    let last = &units_of_batches[500..];
    let of_a_batch = last.iter().sum::<f64>() / last.len() as f64;
    let most = units_of_batches.iter().copied().fold(0.0, f64::max);
    let most_read = read_units.iter().copied().fold(0.0, f64::max);
    println!("write units a page to remember it: {of_a_page:.3}");
    println!(
        "write units a batch of {PAGES} new pages after 20,000: {of_a_batch:.1}; the most {most}, read {most_read}"
    );
    assert!(of_a_page <= 0.1, "{of_a_page}");
    assert!(of_a_batch <= 40.0, "{of_a_batch}");
    assert!(most <= 400.0 && most_read <= 300.0, "{most} and {most_read}");
}

#[tokio::test]
async fn a_rebuild_finds_nothing_in_what_merging_left_and_heals_a_lost_run() {
    let visits = visits(9);
    let (store, consumer) = site(&batches(4)).await;
    send(&store, &consumer, &visits).await;
    let right = seen(&store).await;
    let stored: BTreeSet<Key> = memory(&store).await.into_keys().collect();
    let lives = live(&store).await;
    assert!(lives.is_subset(&stored) && lives.len() > 10 && lives.len() < stored.len(), "{lives:?} of {stored:?}");
    let found = consumer.rebuild(&project(), true, |_| {}).await.unwrap();
    assert!(found.is_empty(), "{found:?}");

    // A rebuild merges in another order, for it knows all batches at once.
    let lost = lives.last().unwrap();
    store.delete(lost).await.unwrap();
    let refused = consumer.apply(BTreeMap::from([(project(), vec![batch(9, 10, 0, 0..2_000)])])).await.refused;
    assert_eq!(refused.len(), 1, "the visitor can't be read");
    let found = consumer.rebuild(&project(), false, |_| {}).await.unwrap();
    assert_eq!(found.visitors, [heavy()]);
    assert!(found.figures.is_empty() && found.hours.is_empty(), "{found:?}");
    let stored: BTreeSet<Key> = memory(&store).await.into_keys().collect();
    assert_eq!(stored, live(&store).await);
    assert_eq_seen(&seen(&store).await, &right);
    assert!(consumer.rebuild(&project(), true, |_| {}).await.unwrap().is_empty());

    // What comes then meets what is remembered.
    let late = vec![batch(0, 10, 100, 0..700)];
    send(&store, &consumer, &late).await;
    assert!(consumer.rebuild(&project(), true, |_| {}).await.unwrap().is_empty());
}

#[tokio::test]
async fn all_that_a_heavy_visitor_saw_is_taken_out_if_it_is_a_bot_or_erased() {
    let people = batches(4);
    let (without, _) = site(&people).await;
    let right = seen(&without).await;
    let (store, consumer) = site(&people).await;
    send(&store, &consumer, &visits(9)).await;
    let mut confession = batch(9, 10, 0, 0..20);
    confession.visitor.bot_score = 100;
    send(&store, &consumer, &[confession]).await;
    let found = consumer.rebuild(&project(), true, |_| {}).await.unwrap();
    assert!(found.is_empty(), "{found:?}");
    assert_eq!(live(&store).await, BTreeSet::new());
    let now = seen(&store).await;
    assert_eq!((&now.sessions, &now.batches), (&right.sessions, &right.batches));
    consumer.erase(&project(), &heavy(), |_| {}).await.unwrap();
    let partition = keys::visitor_partition(&project(), &heavy());
    assert_eq!(store.query(Query::partition(partition.clone()).strong()).await.unwrap(), []);
    assert_eq_seen(&seen(&store).await, &right);

    let (store, consumer) = site(&people).await;
    send(&store, &consumer, &visits(9)).await;
    consumer.erase(&project(), &heavy(), |_| {}).await.unwrap();
    assert_eq!(store.query(Query::partition(partition).strong()).await.unwrap(), []);
    assert_eq_seen(&seen(&store).await, &right);
}
