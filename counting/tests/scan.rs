//! Lists whose filters no counter can answer read the sessions of all days, and keep no more of them than a page needs.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod common;
#[path = "common/site.rs"]
mod site;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};

use figures::dates::DateRange;
use figures::log::View;
use figures::measures::Measure;
use figures::time::{Hour, Millis};
use site::{START, batches, project, site};

/// How many picked sessions are in memory, and how many were at most.
static KEPT: AtomicUsize = AtomicUsize::new(0);
static MOST_KEPT: AtomicUsize = AtomicUsize::new(0);

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Picked(Millis, String);

impl Picked {
    fn new(started_at: Millis, session: &str) -> Self {
        MOST_KEPT.fetch_max(1 + KEPT.fetch_add(1, Ordering::SeqCst), Ordering::SeqCst);
        Picked(started_at, session.to_owned())
    }
}

impl Drop for Picked {
    fn drop(&mut self) {
        KEPT.fetch_sub(1, Ordering::SeqCst);
    }
}

#[tokio::test]
async fn a_scan_counts_all_and_keeps_a_page() {
    const LIMIT: usize = 10;
    let (store, _) = site(&batches(30)).await;
    let first = Millis(START).day();
    let range = DateRange::new(first.plus(-1), first.plus(20)).unwrap();
    let view = View::load(&store, &project(), &[(Measure::Stats, range)]).await.unwrap();
    let days: Vec<_> = view.days(Measure::Stats).map(|(day, _)| (*day, 50)).collect();
    let hours: Vec<Hour> = days.iter().flat_map(|(day, _)| day.hours()).collect();
    let mut all = view.sessions(&hours, |key, entry| Some((entry.started_at, key.session.to_owned()))).await.unwrap();
    all.sort_unstable_by(|a, b| b.cmp(a));
    assert!(days.len() > 10 && all.len() > 50, "{} sessions on {} days", all.len(), days.len());
    let mut by_hour: BTreeMap<Hour, usize> = BTreeMap::new();
    for (started_at, _) in &all {
        *by_hour.entry(started_at.hour()).or_default() += 1;
    }
    for offset in [0, 7, all.len() / 2, all.len() - 3, all.len(), usize::MAX] {
        let pick = |key: figures::log::index::FoundRef<'_>, entry: &figures::log::SessionEntry<&str>| {
            Some(Picked::new(entry.started_at, key.session))
        };
        let (total, page) = view.scan_sessions(days.clone(), (offset as u64, LIMIT), pick).await.unwrap();
        assert_eq!(total, all.len() as u64);
        let page: Vec<_> = page.iter().map(|Picked(started_at, session)| (*started_at, session.clone())).collect();
        assert_eq!(page, all.iter().skip(offset).take(LIMIT).cloned().collect::<Vec<_>>());
    }
    let most = MOST_KEPT.load(Ordering::SeqCst);
    assert!(most <= LIMIT + by_hour.values().max().unwrap(), "{most} of {} sessions were kept at once", all.len());
}
