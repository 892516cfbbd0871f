//! Sessions that were counted before a measure came add nothing to it, and nothing is taken out of it for them.
//!
//! The first measures came with version 1. So a session of version 0 is to all of them what one of today will be to a
//! measure that comes later.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod common;
#[path = "common/site.rs"]
mod site;

use std::collections::{BTreeMap, BTreeSet};

use counting::Consumer;
use figures::counters::Rows;
use figures::ids::SessionId;
use figures::log::Counters;
use figures::log::packed::{self, PackedDelta};
use figures::measures::Measure;
use figures::measures::VERSION;
use figures::model::seen::SeenDays;
use figures::model::seen_runs::SeenRuns;
use figures::model::{Batch, Session, Visitor};
use figures::table::keys;
use figures::table::store::{DATA, Item, PK, Query, SK, Store, binary, item_key, read_packed, read_text};
use figures::time::Day;
use site::{assert_eq_seen, batches, project, seen, send, site};

const VISITORS: u64 = 9;

/// Batches of people, the first of which are stored before the measures come.
fn people() -> Vec<Batch> {
    let mut batches = batches(VISITORS);
    for batch in &mut batches {
        batch.visitor.bot_score = 0;
    }
    batches
}

/// Makes the table what it would be if there had been no measure yet.
async fn count_with_none(store: &Store) {
    let replace = async |item: &Item, packed: Vec<u8>| {
        let mut item = item.clone();
        item.insert(DATA.to_owned(), binary(packed));
        store.put(item).await.unwrap();
    };
    let items = store.client().scan().table_name(store.table()).send().await.unwrap();
    assert!(items.last_evaluated_key().is_none());
    for item in items.items() {
        let (pk, sk) = (read_text(item, PK).unwrap(), read_text(item, SK).unwrap());
        let partition = pk.split('#').nth(2).unwrap_or_default();
        match (partition, sk.split('#').next().unwrap()) {
            ("V", "VISITOR") => {
                let mut visitor: Visitor = read_packed(item).unwrap();
                visitor.latest.measures = 0;
                (visitor.seen, visitor.runs, visitor.has_seen_more) = (SeenDays::default(), SeenRuns::default(), false);
                replace(item, visitor.pack().unwrap()).await;
            }
            ("V", "S") => {
                let session = Session { measures: 0, ..read_packed(item).unwrap() };
                replace(item, session.pack().unwrap()).await;
            }
            ("TAIL", "S") => {
                let mut delta = PackedDelta::of(item).unwrap().unpack().unwrap();
                delta.counters = Counters::default();
                replace(item, packed::pack(&delta).unwrap()).await;
            }
            ("V", "K") | ("R", _) => store.delete(&item_key(item).unwrap()).await.unwrap(),
            _ => {}
        }
    }
}

/// What does not depend on a visitor's other sessions.
fn of_its_own(figures: &BTreeMap<(Measure, Day), Rows>) -> BTreeMap<(Measure, Day), Rows> {
    let others = [Measure::Stats, Measure::Visits, Measure::Dimensions, Measure::Audience];
    figures.clone().into_iter().filter(|((measure, _), _)| !others.contains(measure)).collect()
}

/// Nothing was taken out that was not in it.
fn is_nowhere_negative(figures: &BTreeMap<(Measure, Day), Rows>) {
    for (block, rows) in figures {
        let cells = rows.by_table().flat_map(|(_, table)| table.values()).flat_map(|row| row.cells().iter());
        for (field, count) in cells {
            assert!(count >= 0, "{block:?}, field {field}: {count}");
        }
    }
}

async fn measured_from(cut: usize) -> (Store, Consumer, Vec<Batch>) {
    let all = people();
    let (early, late) = all.split_at(all.len() * cut / 10);
    let (store, consumer) = site(early).await;
    count_with_none(&store).await;
    assert!(seen(&store).await.figures.is_empty());
    send(&store, &consumer, late).await;

    let known: BTreeSet<&SessionId> = early.iter().map(|batch| &batch.session_id).collect();
    let new: Vec<Batch> = late.iter().filter(|batch| !known.contains(&batch.session_id)).cloned().collect();
    assert!(!new.is_empty() && new.len() < late.len());
    let (of_new, _) = site(&new).await;
    let now = seen(&store).await.figures;
    is_nowhere_negative(&now);
    assert_eq!(of_its_own(&now), of_its_own(&seen(&of_new).await.figures), "{cut}");
    (store, consumer, all)
}

#[tokio::test]
async fn a_session_adds_to_the_measures_that_it_began_with() {
    for cut in [2, 4, 5, 7, 8] {
        let (store, consumer, all) = measured_from(cut).await;
        // All of them turn out to be bots: what is left is that something was there.
        let bots = (0..VISITORS).map(|number| {
            let mut batch = all.iter().find(|batch| batch.visitor_id.as_str() == format!("v{number}")).unwrap().clone();
            (batch.batch_id, batch.visitor.bot_score) = ("bot".parse().unwrap(), 90);
            batch
        });
        send(&store, &consumer, &bots.collect::<Vec<_>>()).await;
        let left = seen(&store).await;
        is_nowhere_negative(&left.figures);
        let measures: BTreeSet<Measure> = left.figures.keys().map(|(measure, _)| *measure).collect();
        assert_eq!(measures, BTreeSet::from([Measure::Stats]), "{cut}");
        assert!(left.sessions.is_empty() && left.batches.is_empty(), "{cut}");
    }
}

#[tokio::test]
async fn a_rebuild_counts_with_the_latest_measures() {
    let (store, consumer, all) = measured_from(6).await;
    consumer.rebuild(&project(), false, |_| {}).await.unwrap();
    let (anew, _) = site(&all).await;
    assert_eq_seen(&seen(&store).await, &seen(&anew).await);
    let partition = keys::visitor_partition(&project(), &"v1".parse().unwrap());
    let visitor = store.query(Query::partition(partition)).await.unwrap();
    let visitor = visitor.iter().find(|item| read_text(item, SK).unwrap() == "VISITOR").unwrap();
    assert_eq!(read_packed::<Visitor>(visitor).unwrap().latest.measures, VERSION);
}
