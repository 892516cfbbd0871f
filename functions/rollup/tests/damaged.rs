//! Stored items that this version can't read: what is derived is derived again, and what a newer version wrote waits.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

#[path = "../../../counting/tests/common/mod.rs"]
mod common;
#[path = "../../../counting/tests/common/site.rs"]
mod site;

use std::collections::BTreeMap;
use std::rc::Rc;

use aws_sdk_dynamodb::types::AttributeValue;
use counting::Consumer;
use figures::counters::Rows;
use figures::generation::Generation;
use figures::log::BatchRef;
use figures::log::block::{self, NewBlock};
use figures::measures::Measure;
use figures::model::Batch;
use figures::model::batch::json_of;
use figures::retention::Kept;
use figures::table::store::{DATA, Item, PK, Query, SK, Store, StoreError, binary, read_binary, read_text};
use figures::table::{codec, keys};
use futures::FutureExt;
use futures::future::join_all;
use rollup::stream::StreamConsumer;
use serde_json::json;
use site::{Seen, assert_eq_seen, batches, project, seen, send, site};

/// Higher than any format there is.
const NEWER: u8 = 200;

/// What can't be read, and whatever else of the kind is in the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Derived {
    Visitors,
    Sessions,
    Applied,
    Seen,
    Lookups,
    Segments,
    Manifest,
    Blocks,
    Parts,
    SessionRuns,
    EventRuns,
}

impl Derived {
    const ALL: [Derived; 11] = [
        Derived::Visitors,
        Derived::Sessions,
        Derived::Applied,
        Derived::Seen,
        Derived::Lookups,
        Derived::Segments,
        Derived::Manifest,
        Derived::Blocks,
        Derived::Parts,
        Derived::SessionRuns,
        Derived::EventRuns,
    ];

    fn of(item: &Item) -> Option<Self> {
        let (pk, sk) = (read_text(item, PK).unwrap(), read_text(item, SK).unwrap());
        let partition: Vec<&str> = pk.split('#').skip(2).collect();
        Some(match (&partition[..], sk.split('#').next().unwrap()) {
            (["V", ..], "VISITOR") => Derived::Visitors,
            (["V", ..], "S") => Derived::Sessions,
            (["V", ..], "A") => Derived::Applied,
            (["V", ..], "K") => Derived::Seen,
            (["SID", ..], _) => Derived::Lookups,
            (["TAIL"], "S") => Derived::Segments,
            (["TAIL"], "MANIFEST") => Derived::Manifest,
            (["R", ..], _) if sk.len() == 10 => Derived::Blocks,
            (["R", ..], _) => Derived::Parts,
            (["X", "sessions", ..], _) => Derived::SessionRuns,
            (["X", "events", ..], _) => Derived::EventRuns,
            _ => return None,
        })
    }
}

/// In which way an item is damaged.
#[derive(Debug, Clone, Copy)]
enum Damage {
    Outdated,
    Newer,
    Flipped,
    Cut,
    Gone,
}

impl Damage {
    const ALL: [Damage; 5] = [Damage::Outdated, Damage::Newer, Damage::Flipped, Damage::Cut, Damage::Gone];

    fn apply(self, mut data: Vec<u8>) -> Vec<u8> {
        match self {
            Damage::Outdated => data[0] = 1,
            Damage::Newer => data[0] = NEWER,
            Damage::Flipped => data[1..].iter_mut().for_each(|byte| *byte ^= 0xff),
            Damage::Cut => data.truncate(data.len() / 2),
            Damage::Gone => data.clear(),
        }
        data
    }
}

async fn all_items(store: &Store) -> Vec<Item> {
    let (mut items, mut from) = (Vec::new(), None);
    loop {
        let page = store.client().scan().table_name(store.table()).set_exclusive_start_key(from).send().await.unwrap();
        items.extend(page.items.unwrap_or_default());
        from = page.last_evaluated_key;
        if from.is_none() {
            return items;
        }
    }
}

/// A table with these items, and what reads and writes it.
async fn table(items: &[Item]) -> (Store, Consumer) {
    let store = common::store().await;
    for item in items {
        store.put(item.clone()).await.unwrap();
    }
    let consumer = Consumer::new(store.clone()).with_grace(std::time::Duration::from_millis(1));
    (store, consumer)
}

/// A site with an item of every kind. One block of it is too large for an item, and wrong; what it should be is seen.
async fn sample() -> (Vec<Item>, Seen) {
    let (store, _) = site(&batches(14)).await;
    let right = seen(&store).await;
    let mut rows = Rows::default();
    let mut bits = 7_u64;
    for _ in 0..8_000 {
        let words = (0..12).map(|_| {
            bits = bits.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            format!("{:08x}", bits >> 32)
        });
        rows.add(0, &words.collect::<String>(), 0, 1);
    }
    let (_, day) = *right.figures.keys().find(|(measure, _)| *measure == Measure::Pages).unwrap();
    let heads = store.query(Query::partition(keys::blocks(&project(), Measure::Pages.name()))).await.unwrap();
    let round = heads.iter().find(|head| read_text(head, SK).unwrap() == day.to_string());
    if round.is_some() {
        store.delete(&keys::block(&project(), Measure::Pages.name(), Generation::FIRST, day)).await.unwrap();
    }
    let new = NewBlock { round: 1, is_based: false, kept: Kept::default(), rows };
    assert!(block::write(&store, &project(), Measure::Pages, Generation::FIRST, day, None, new).await.unwrap());
    let items = all_items(&store).await;
    for kind in Derived::ALL {
        assert!(items.iter().any(|item| Derived::of(item) == Some(kind)), "{kind:?}");
    }
    (items, right)
}

/// Damages the items of some kinds, rebuilds, and says what is wrong then.
async fn rebuilt(
    items: &[Item],
    right: &Seen,
    is_damaged: impl Fn(Derived) -> bool,
    damages: &[Damage],
) -> Result<(), String> {
    let (store, consumer) = table(items).await;
    let damaged = items.iter().filter(|item| Derived::of(item).is_some_and(&is_damaged));
    for (item, damage) in damaged.zip(damages.iter().cycle()) {
        let data = damage.apply(read_binary(item, DATA).unwrap().to_vec());
        let mut item = item.clone();
        item.insert(DATA.to_owned(), binary(data));
        store.put(item).await.unwrap();
    }
    consumer.rebuild(&project(), false, |_| {}).await.map_err(|error| format!("the rebuild fails: {error}"))?;
    let check =
        consumer.rebuild(&project(), true, |_| {}).await.map_err(|error| format!("the check fails: {error}"))?;
    if !check.is_empty() {
        return Err(format!("the rebuild leaves {check:?}"));
    }
    let now =
        tokio::spawn(async move { seen(&store).await }).await.map_err(|error| format!("readers fail: {error}"))?;
    match (now.figures == right.figures, now.sessions == right.sessions, now.batches == right.batches) {
        (true, true, true) => Ok(()),
        same => Err(format!("figures, sessions and batches are the same: {same:?}")),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rebuild_needs_nothing_that_it_rebuilds() {
    let (items, right) = sample().await;
    let (items, right) = (Rc::new(items), Rc::new(right));
    let by_kind = Derived::ALL.map(|kind| (format!("{kind:?}"), vec![kind], Damage::ALL.to_vec()));
    let all = Damage::ALL.map(|damage| (format!("all {damage:?}"), Derived::ALL.to_vec(), vec![damage]));
    let cases = by_kind.into_iter().chain(all).map(|(name, kinds, damages)| {
        let (items, right) = (items.clone(), right.clone());
        let case = async move {
            let outcome = rebuilt(&items, &right, |of| kinds.contains(&of), &damages).await;
            outcome.map_err(|wrong| format!("{name}: {wrong}"))
        };
        case.boxed_local()
    });
    let outcomes = join_all(cases).await;
    let wrong: Vec<String> = outcomes.into_iter().filter_map(Result::err).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Without a rebuild, too, what was derived before is still right afterwards.
#[tokio::test]
async fn an_undamaged_copy_of_the_site_reads_the_same() {
    let (store, _) = site(&batches(5)).await;
    let (copy, _) = table(&all_items(&store).await).await;
    assert_eq_seen(&seen(&copy).await, &seen(&store).await);
}

async fn rewrite(store: &Store, key: &keys::Key, change: impl Fn(&mut Vec<u8>)) {
    let mut item = store.get(key, figures::table::store::Consistency::Strong).await.unwrap().unwrap();
    let mut data = read_binary(&item, DATA).unwrap().to_vec();
    change(&mut data);
    item.insert(DATA.to_owned(), binary(data));
    store.put(item).await.unwrap();
}

#[tokio::test]
async fn batches_of_a_visitor_in_a_newer_format_come_again_and_those_of_a_damaged_one_are_refused() {
    let all = batches(3);
    let (late, early): (Vec<Batch>, Vec<Batch>) =
        all.into_iter().partition(|batch| batch.visitor_id.as_str() == "v1" && batch.batch_id.as_str() == "b0");
    let (store, consumer) = site(&early).await;
    let late = vec![late.into_iter().next().unwrap()];
    let key = keys::visitor(&project(), &late[0].visitor_id);
    let deliver = async || consumer.apply(BTreeMap::from([(project(), late.clone())])).await;

    rewrite(&store, &key, |data| data[0] = NEWER).await;
    let applied = deliver().await;
    assert!(applied.refused.is_empty(), "{applied:?}");
    assert!(matches!(applied.failed.get(&project()), Some(StoreError::Newer { .. })), "{applied:?}");
    let pending = consumer.pending(&project(), vec![BatchRef::of(&late[0])]).await;
    assert!(matches!(pending, Err(StoreError::Newer { .. })), "{pending:?}");

    rewrite(&store, &key, |data| data[0] = 1).await;
    let applied = deliver().await;
    assert!(applied.failed.is_empty(), "{applied:?}");
    assert!(matches!(&applied.refused[..], [refused] if matches!(refused.cause, StoreError::Corrupt { .. })));

    rewrite(&store, &key, |data| data[0] = 3).await;
    deliver().await.complete().unwrap();
}

/// A batch's JSON as format 1 has it.
fn deflated(json: &[u8]) -> Vec<u8> {
    let mut deflated = Vec::new();
    codec::append_deflated(json, codec::NO_DICTIONARY, &mut deflated).unwrap();
    deflated
}

/// The same as format 2 has it, or one that is not known yet.
fn marked(format: u8, mut data: Vec<u8>) -> Vec<u8> {
    data.insert(0, format << 3 | 0b110);
    data
}

/// A record of the table's stream.
fn record(batch: &Batch, number: u32, data: Vec<u8>) -> serde_json::Value {
    let key = keys::batch(&project(), &batch.visitor_id, &batch.session_id, &batch.batch_id);
    let keys = json!({ "PK": { "S": key.pk }, "SK": { "S": key.sk } });
    let image = json!({
        "PK": { "S": key.pk }, "SK": { "S": key.sk },
        "d": { "B": aws_lambda_events::encodings::Body::Binary(data) },
    });
    json!({
        "awsRegion": "eu-central-1", "eventName": "INSERT", "eventID": "1", "eventSource": "aws:dynamodb",
        "dynamodb": {
            "Keys": keys, "NewImage": image, "SequenceNumber": number.to_string(),
            "ApproximateCreationDateTime": 1_750_000_000, "SizeBytes": 100, "StreamViewType": "NEW_IMAGE",
        },
    })
}

#[tokio::test]
async fn a_batch_in_a_newer_format_comes_again_and_one_in_an_earlier_format_counts() {
    let all = batches(3);
    let (first, rest) = all.split_first().unwrap();
    let (store, consumer) = site(rest).await;
    let data = read_binary(&first.to_item(&project()).unwrap(), DATA).unwrap().to_vec();
    let stream = StreamConsumer::new(consumer.clone(), None);
    let deliver = async |data: Vec<u8>| {
        let event = serde_json::from_value(json!({ "Records": [record(first, 7, data)] })).unwrap();
        serde_json::to_value(stream.handle(event).await).unwrap()
    };
    let deflated = deflated(&json_of(&data).unwrap());
    for unknown in [0, 1, 4, 31] {
        let answer = deliver(marked(unknown, deflated.clone())).await;
        assert_eq!(answer, json!({ "batchItemFailures": [{ "itemIdentifier": "7" }] }), "{unknown}");
    }
    let mut stored = first.to_item(&project()).unwrap();
    for earlier in [marked(2, deflated.clone()), deflated] {
        stored.insert(DATA.to_owned(), AttributeValue::B(earlier.clone().into()));
        store.put(stored.clone()).await.unwrap();
        assert_eq!(deliver(earlier).await, json!({ "batchItemFailures": [] }));
    }
    let (other, _) = site(&all).await;
    assert_eq_seen(&seen(&store).await, &seen(&other).await);

    // What is stored in it is read as well.
    assert!(consumer.rebuild(&project(), true, |_| {}).await.unwrap().is_empty());
    let item = consumer.apply_stored(&project(), &[BatchRef::of(first)]).await.unwrap();
    assert!(item.refused.is_empty(), "{item:?}");
}

#[tokio::test]
async fn a_stored_batch_in_a_newer_format_is_left_to_the_newer_version() {
    let all = batches(3);
    let (store, consumer) = site(&all).await;
    let before = seen(&store).await;
    let batch = &all[0];
    let key = keys::batch(&project(), &batch.visitor_id, &batch.session_id, &batch.batch_id);
    rewrite(&store, &key, |data| *data = marked(9, data.clone())).await;
    let outcome = consumer.apply_stored(&project(), &[BatchRef::of(batch)]).await;
    assert!(matches!(outcome, Err(StoreError::Newer { .. })), "{outcome:?}");
    // A rebuild that left it out would take it out of the figures.
    let outcome = consumer.rebuild(&project(), false, |_| {}).await;
    assert!(matches!(outcome, Err(StoreError::Newer { .. })), "{outcome:?}");
    rewrite(&store, &key, |data| *data = data.split_off(1)).await;
    assert_eq_seen(&seen(&store).await, &before);
    send(&store, &consumer, &[]).await;
}
