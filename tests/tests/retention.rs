//! What is kept: batches and single visitors for so many days, figures for ever. A project that keeps 30 days is held
//! against one that is sent the same and keeps all.
//!
//! The first day that is told is today, and the clock goes on: the engine deletes by its own one what is over, which is nothing.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use counting::{Consumer, Left};
use fastrand::Rng;
use figures::ids::ProjectId;
use figures::measures::Measure;
use figures::model::Batch;
use figures::retention::{Kept, Retention};
use figures::table::keys::{self, Key};
use figures::table::store::{DATA, EXPIRES, Item, Query, SK, Store, binary, item_key, read_number, read_text};
use figures::time::{Clock, DAY_MS, Day, Millis};
use serde_json::{Value, json};
use shared::projects::{self, Changes};
use shared::routes::{Answers, ROUTES};
use tests::http::send;
use tests::sent::{Event, Sent, Session, Visitor};
use tests::stack::{Project, Stack};

const DAYS_KEPT: i32 = 30;
/// So many days are told, the last of them today.
const DAYS: i32 = 75;

/// What visitors send who come for some weeks, and one who comes all the time; sessions over midnight among them.
fn told(rng: &mut Rng, today: Day) -> BTreeMap<Day, Vec<Sent>> {
    let mut days: BTreeMap<Day, Vec<Sent>> = BTreeMap::new();
    let first = today.plus(1 - DAYS);
    for visitor in 0..14 {
        let is_regular = visitor < 2;
        let begins = if is_regular { 0 } else { rng.i32(0..DAYS - 1) };
        let ends = if is_regular { DAYS } else { (begins + rng.i32(1..24)).min(DAYS) };
        let mut at = begins;
        let mut number = 0;
        while at < ends {
            let day = first.plus(at);
            // Some begin shortly before midnight.
            let into_day = if rng.u8(..4) == 0 { DAY_MS - 600_000 } else { rng.i64(3_600_000..20 * 3_600_000) };
            let is_today = day == today;
            let start = if is_today { day.start().0 + 1 } else { day.start().0 + into_day };
            visit(&mut days, rng, &format!("v_{visitor}"), &format!("s_{visitor}_{number}"), start);
            number += 1;
            at += rng.i32(1..6);
        }
    }
    days
}

/// A session of some batches, the last of which may come after midnight.
fn visit(days: &mut BTreeMap<Day, Vec<Sent>>, rng: &mut Rng, visitor: &str, session: &str, start: i64) {
    let step = 400_000;
    for batch in 0..rng.i64(1..5) {
        let at = start + batch * step;
        // Who comes all the time does the same each time: nobody is away from a page for longer than is kept.
        let is_regular = ["v_0", "v_1"].contains(&visitor);
        let url = Some(format!("https://shop.example/{}", if is_regular { 0 } else { rng.u8(..4) }));
        let event = |name: &str, after: i64| Event {
            name: name.to_owned(),
            url: url.clone(),
            created_at: at + after,
            data: Some(json!({ "selector": "#buy", "message": "no", "lcp": 1200 })),
        };
        let mut events = vec![event("page_view", 0)];
        for name in ["rage_click", "js_exception", "form_abandon"] {
            if is_regular || rng.u8(..3) == 0 {
                events.push(event(name, 5));
            }
        }
        let sent = Sent {
            batch_id: format!("{session}_b{batch}"),
            sent_at: at + 10,
            page: url.clone(),
            visitor: Visitor {
                visitor_id: visitor.to_owned(),
                browser_name: Some("Firefox".to_owned()),
                os: Some("Linux".to_owned()),
                geo_country: Some("Serbia".to_owned()),
                geo_country_code: Some("RS".to_owned()),
                aliases: vec![format!("alias-of-{session}")],
                ..Visitor::default()
            },
            session: Session {
                session_id: session.to_owned(),
                started_at: start,
                url: Some("https://shop.example/".to_owned()),
                referrer: Some("https://news.example/".to_owned()),
                ..Session::default()
            },
            events,
        };
        days.entry(Millis(at).day()).or_default().push(sent);
    }
}

/// A project that keeps 30 days and one that keeps all, which were told the same day by day.
struct Site {
    stack: Stack,
    client: reqwest::Client,
    short: Project,
    all: Project,
    clock: Arc<AtomicI64>,
    today: Day,
    rng: Rng,
    number: usize,
}

impl Site {
    async fn start(seed: u64) -> Self {
        let today = Millis::now().day().plus(DAYS);
        let clock = Arc::new(AtomicI64::new(today.start().0 + DAY_MS / 2));
        let stack = Stack::start_by(Clock::Set(clock.clone())).await;
        let (short, all) = (stack.project().await, stack.project().await);
        keep(&stack, &short.id, DAYS_KEPT, Millis::now()).await;
        Site { stack, client: reqwest::Client::new(), short, all, clock, today, rng: Rng::with_seed(seed), number: 0 }
    }

    fn store(&self) -> &Store {
        self.stack.store()
    }

    fn consumer(&self) -> Consumer {
        let consumer = Consumer::new(self.store().clone()).with_grace(Duration::ZERO);
        consumer.with_clock(Clock::Set(self.clock.clone()))
    }

    /// Noon of the last day.
    fn now(&self) -> Millis {
        self.today.start().plus(DAY_MS / 2)
    }

    /// The first day that is kept.
    fn horizon(&self) -> Day {
        self.today.plus(-DAYS_KEPT)
    }

    /// Stores and counts batches in both projects, as the collector and the consumer do at an instant.
    async fn send(&mut self, at: Millis, sent: &[Sent]) {
        self.clock.store(at.0, Ordering::Relaxed);
        let kept = Kept::of(None, Retention::of_days(DAYS_KEPT).unwrap());
        for (project, kept) in [(self.short.clone(), kept), (self.all.clone(), Kept::default())] {
            for (at, sent) in sent.iter().enumerate() {
                let batch = self.stack.store_batch(&project, self.number + at, sent).await.unwrap();
                let mut item = batch.to_item(&project.id).unwrap();
                kept.note(&mut item, batch.last_instant().day());
                self.store().put(item).await.unwrap();
                self.apply(&project.id, vec![batch]).await;
            }
        }
        self.number += sent.len();
    }

    async fn apply(&self, project: &ProjectId, batches: Vec<Batch>) {
        let applied = self.consumer().apply(BTreeMap::from([(project.clone(), batches)])).await;
        assert!(applied.failed.is_empty() && applied.refused.is_empty(), "{applied:?}");
    }

    /// Tells both projects everything, day by day, and merges now and then.
    async fn tell(&mut self) {
        let days = told(&mut self.rng, self.today);
        for (day, sent) in days {
            let end = if day == self.today { self.now() } else { day.end() };
            self.send(end, &sent).await;
            if self.rng.u8(..5) == 0 {
                self.merge().await;
            }
        }
        self.clock.store(self.now().0, Ordering::Relaxed);
    }

    async fn merge(&self) {
        for project in [&self.short.id, &self.all.id] {
            while self.consumer().compact(project).await.unwrap() != Left::Nothing {
                // A clock that stands still grants nobody a grace.
                self.clock.fetch_add(2, Ordering::Relaxed);
            }
        }
    }

    /// Deletes what the table may delete by now, all of it or some.
    async fn sweep(&mut self, is_all: bool) -> usize {
        let prefix = keys::project_prefix(&self.short.id);
        let scan = self.store().client().scan().table_name(self.store().table()).send().await.unwrap();
        let (mut pages, mut items) = (scan.last_evaluated_key, scan.items.unwrap_or_default());
        while let Some(from) = pages {
            let page =
                self.store().client().scan().table_name(self.store().table()).set_exclusive_start_key(Some(from));
            let page = page.send().await.unwrap();
            items.extend(page.items.unwrap_or_default());
            pages = page.last_evaluated_key;
        }
        let mut deleted = 0;
        for item in &items {
            let key = item_key(item).unwrap();
            let is_due = read_number::<i64>(item, EXPIRES).is_ok_and(|at| at * 1_000 <= self.now().0);
            if key.pk.starts_with(&prefix) && is_due && (is_all || self.rng.bool()) {
                self.store().delete(&key).await.unwrap();
                deleted += 1;
            }
        }
        deleted
    }

    async fn ask(&self, project: &Project, path: &str) -> (u16, Value) {
        let response = send(self.client.get(self.stack.at(path)).bearer_auth(&project.secret_key)).await;
        (response.status.as_u16(), serde_json::from_str(&response.text).unwrap())
    }

    async fn found(&self, project: &Project, path: &str) -> Value {
        let (status, body) = self.ask(project, path).await;
        assert_eq!(status, 200, "{path}: {body}");
        body
    }

    /// All figures that are kept for ever, of some days.
    async fn figures(&self, project: &Project, (first, last): (Day, Day)) -> Vec<(String, Value)> {
        let rankings = ROUTES.iter().filter(|route| matches!(route.answers, Answers::Ranking(_)));
        let rankings = rankings.map(|route| route.resource()).filter(|path| *path != "insights/frustration");
        let mut figures = Vec::new();
        for path in rankings.chain(["stats", "events/types"]) {
            let asked = format!("{path}?start_date={first}&end_date={last}");
            let answer = self.found(project, &asked).await;
            assert_eq!(answer.get("meta"), None, "{asked}");
            figures.push((asked, answer));
        }
        figures
    }

    async fn all_figures(&self, project: &Project, days: (Day, Day)) -> Vec<(String, Value)> {
        let mut figures = self.figures(project, days).await;
        let mut day = days.0;
        while day <= days.1 {
            figures.extend(self.figures(project, (day, day)).await);
            day = day.plus(9);
        }
        figures
    }

    async fn assert_same_figures(&self, days: (Day, Day)) {
        let (short, all) = (self.all_figures(&self.short, days).await, self.all_figures(&self.all, days).await);
        for (short, all) in short.iter().zip(&all) {
            assert_eq!(short, all);
        }
    }

    async fn assert_nothing_differs(&self) {
        for project in [&self.short.id, &self.all.id] {
            let differences = self.consumer().rebuild(project, true, |_| {}).await.unwrap();
            assert!(differences.is_empty(), "{project}: {differences:?}");
        }
    }

    /// Lists and single visitors from the horizon on are those of who keeps all; before it, there are none.
    async fn assert_lists(&self) {
        let (first, horizon) = (self.today.plus(1 - DAYS), self.horizon());
        for list in ["sessions", "events", "visitors"] {
            let kept = format!("{list}?start_date={horizon}&limit=100");
            let (short, all) = (self.found(&self.short, &kept).await, self.found(&self.all, &kept).await);
            assert_eq!(short, all, "{kept}");
            let wide = format!("{list}?start_date={first}&limit=100");
            let mut answer = self.found(&self.short, &wide).await;
            let meta = answer.as_object_mut().unwrap().remove("meta");
            assert_eq!(meta, Some(json!({ "kept_since": horizon.to_string() })), "{wide}");
            assert_eq!(answer, short, "{wide}");
            let past = format!("{list}?start_date={first}&end_date={}", horizon.plus(-1));
            let answer = self.found(&self.short, &past).await;
            assert_eq!((&answer["data"], &answer["pagination"]["total"]), (&json!([]), &json!(0)), "{past}");
            assert_eq!(answer["meta"], json!({ "kept_since": horizon.to_string() }), "{past}");
            let answer = self.found(&self.all, &past).await;
            assert!(answer["pagination"]["total"].as_u64().unwrap() > 0, "{past}");
            assert_eq!(answer.get("meta"), None, "{past}");
        }
        let score = format!("insights/frustration?start_date={first}&limit=100");
        let kept = format!("insights/frustration?start_date={horizon}&limit=100");
        let (wide, kept) = (self.found(&self.short, &score).await, self.found(&self.all, &kept).await);
        assert_eq!((&wide["data"], &wide["meta"]), (&kept["data"], &json!({ "kept_since": horizon.to_string() })));
        self.assert_details().await;
    }

    async fn assert_details(&self) {
        let (first, horizon) = (self.today.plus(1 - DAYS), self.horizon());
        let all = self.found(&self.all, &format!("visitors?start_date={first}&limit=100")).await;
        let (mut gone, mut cut) = (0, 0);
        for visitor in all["data"].as_array().unwrap() {
            let path = format!("visitors/{}", visitor["visitor_id"].as_str().unwrap());
            let whole = self.found(&self.all, &path).await;
            let is_gone = Millis(whole["data"]["last_seen_at"].as_i64().unwrap()).day() < horizon;
            let (status, short) = self.ask(&self.short, &path).await;
            assert_eq!(status, if is_gone { 404 } else { 200 }, "{path}");
            gone += usize::from(is_gone);
            for session in whole["data"]["sessions"].as_array().unwrap() {
                let path = format!("sessions/{}", session["session_id"].as_str().unwrap());
                let is_gone = Millis(session["started_at"].as_i64().unwrap()).day() < horizon;
                assert_eq!(self.ask(&self.short, &path).await.0, if is_gone { 404 } else { 200 }, "{path}");
            }
            if is_gone {
                continue;
            }
            let is_cut = Millis(whole["data"]["first_seen_at"].as_i64().unwrap()).day() < horizon;
            cut += usize::from(is_cut);
            assert_eq!(short.get("meta").is_some(), is_cut, "{path}");
            for key in ["visit_count", "first_seen_at", "last_seen_at", "aliases", "bot_score"] {
                assert_eq!(short["data"][key], whole["data"][key], "{path}: {key}");
            }
            let kept = |key: &str, at: &str| -> Vec<Value> {
                let rows = whole["data"][key].as_array().unwrap().iter();
                rows.filter(|row| Millis(row[at].as_i64().unwrap()).day() >= horizon).cloned().collect()
            };
            assert_eq!(short["data"]["sessions"], json!(kept("sessions", "started_at")), "{path}");
            let events = short["data"]["events"].as_array().unwrap();
            assert!(events.iter().all(|row| Millis(row["created_at"].as_i64().unwrap()).day() >= horizon), "{path}");
            assert!(events.len() >= kept("events", "created_at").len(), "{path}");
        }
        assert!(gone > 0 && cut >= 2, "{gone} gone, {cut} cut");
    }
}

async fn keep(stack: &Stack, project: &ProjectId, days: i32, now: Millis) {
    let changes = Changes { retention: Some(Retention::of_days(days).unwrap()), ..Changes::default() };
    let changed = projects::change(stack.store(), project, &changes, None, now).await.unwrap();
    assert_eq!(changed.unwrap().retention_days, Some(days));
}

/// Whatever the table has deleted by then: figures stay, lists begin at the horizon, and nothing is to be rebuilt.
#[tokio::test(flavor = "multi_thread")]
async fn figures_stay_and_single_visitors_go() {
    let seed = Rng::new().u64(..);
    println!("seed {seed}");
    let mut site = Site::start(seed).await;
    let ever = (site.today.plus(1 - DAYS), site.today);
    site.tell().await;
    for is_all in [None, Some(false), Some(true)] {
        if let Some(is_all) = is_all {
            assert!(site.sweep(is_all).await > 20);
        }
        site.assert_same_figures(ever).await;
        site.assert_lists().await;
        site.assert_nothing_differs().await;
        let reconciled = site.consumer().reconcile(|_| ()).await.unwrap();
        assert_eq!((reconciled.applied, reconciled.refused), (0, 0));
        site.assert_same_figures(ever).await;
    }
    site.stack.shutdown().await;
}

/// What is over can't be derived anew: a rebuild takes its figures over as they are, and derives the others.
#[tokio::test(flavor = "multi_thread")]
async fn a_rebuild_leaves_figures_of_what_is_over() {
    let mut site = Site::start(7).await;
    let ever = (site.today.plus(1 - DAYS), site.today);
    site.tell().await;
    site.merge().await;
    site.sweep(true).await;
    let before = site.all_figures(&site.short, ever).await;
    let blocks =
        site.store().query(Query::partition(keys::blocks(&site.short.id, Measure::Stats.name()))).await.unwrap();
    let is_open = |item: &Item| keys::parse_block(read_text(item, SK).unwrap()).unwrap().day > site.horizon();
    let damaged: Vec<Item> = blocks.into_iter().filter(is_open).collect();
    assert!(!damaged.is_empty());
    for mut item in damaged {
        item.insert(DATA.to_owned(), binary(vec![3, 0xff]));
        site.store().put(item).await.unwrap();
    }
    let differences = site.consumer().rebuild(&site.short.id, false, |_| {}).await.unwrap();
    assert!(!differences.figures.is_empty(), "{differences:?}");
    assert!(differences.figures.iter().all(|(_, day)| *day > site.horizon()), "{differences:?}");
    assert_eq!(site.all_figures(&site.short, ever).await, before);
    site.assert_same_figures(ever).await;
    site.assert_lists().await;
    site.assert_nothing_differs().await;
    // Once more, on top of what the first one took over.
    let visitor = keys::visitor(&site.short.id, &"v_0".parse().unwrap());
    site.store().delete(&visitor).await.unwrap();
    site.consumer().rebuild(&site.short.id, false, |_| {}).await.unwrap();
    let closed = (ever.0, site.horizon());
    assert_eq!(site.all_figures(&site.short, closed).await, site.all_figures(&site.all, closed).await);
    site.stack.shutdown().await;
}

/// Erasing takes out of the figures what is kept, and a visitor that turns out to be a bot leaves the figures of the days
/// that are.
#[tokio::test(flavor = "multi_thread")]
async fn erasing_and_recounting_leave_figures_of_what_is_over() {
    for is_swept in [false, true] {
        let mut site = Site::start(11).await;
        let (first, open) = (site.today.plus(1 - DAYS), site.horizon().plus(1));
        let closed = (first, site.horizon());
        site.tell().await;
        site.merge().await;
        if is_swept {
            site.sweep(true).await;
        }
        let before = days_apart(&site, closed).await;

        let mut bot = told(&mut Rng::with_seed(1), site.today).into_values().flatten().next().unwrap();
        bot.visitor = Visitor { visitor_id: "v_0".to_owned(), bot_score: Some(100), ..bot.visitor };
        bot.session = Session { session_id: "s_bot".to_owned(), started_at: site.now().0, ..bot.session };
        (bot.batch_id, bot.sent_at) = ("b_bot".to_owned(), site.now().0);
        let at = site.now().0;
        bot.events.iter_mut().for_each(|event| event.created_at = at);
        site.send(site.now(), &[bot]).await;
        for project in [&site.short.id, &site.all.id] {
            loop {
                let works = site.store().query(Query::partition(keys::works(project)).strong()).await.unwrap();
                if works.is_empty() {
                    break;
                }
                site.consumer().resume(works.iter().map(|item| item_key(item).unwrap()).collect()).await.unwrap();
            }
        }
        assert_eq!(days_apart(&site, closed).await, before, "a bot");
        site.assert_same_figures((open, site.today)).await;
        site.assert_nothing_differs().await;

        for project in [&site.short.id, &site.all.id] {
            let erased = site.consumer().erase(project, &"v_1".parse().unwrap(), |_| {}).await.unwrap();
            assert_eq!(erased.visitors, 1);
        }
        assert_eq!(days_apart(&site, closed).await, before, "an erasure");
        site.assert_same_figures((open, site.today)).await;
        site.assert_nothing_differs().await;
        assert_eq!(site.ask(&site.short, "visitors/v_1").await.0, 404);
        site.stack.shutdown().await;
    }
}

/// The figures of each of some days.
async fn days_apart(site: &Site, (first, last): (Day, Day)) -> Vec<(String, Value)> {
    let mut figures = Vec::new();
    let mut day = first;
    while day <= last {
        figures.extend(site.figures(&site.short, (day, day)).await);
        day = day.plus(7);
    }
    figures
}

/// A shorter setting hides at once; a longer one brings nothing back, and counts nothing twice.
#[tokio::test(flavor = "multi_thread")]
async fn another_setting_counts_from_then_on() {
    let mut site = Site::start(3).await;
    let ever = (site.today.plus(1 - DAYS), site.today);
    site.tell().await;
    let all = site.all.clone();
    let past = format!("sessions?start_date={}&end_date={}", ever.0, site.horizon().plus(-1));
    assert!(site.found(&all, &past).await["pagination"]["total"].as_u64().unwrap() > 0);
    keep(&site.stack, &all.id, DAYS_KEPT, site.now()).await;
    // An instance may go by the setting before for a minute.
    site.clock.fetch_add(60_000, Ordering::Relaxed);
    let answer = site.found(&all, &past).await;
    assert_eq!((&answer["data"], &answer["pagination"]["total"]), (&json!([]), &json!(0)));
    site.assert_same_figures(ever).await;
    keep(&site.stack, &all.id, 365, site.now()).await;
    let kept = site.consumer().kept(&all.id).await.unwrap();
    assert_eq!(kept.horizon(site.now()), Some(site.horizon()), "what was over stays over");
    assert_eq!(kept.retention().days(), 365);
    site.assert_same_figures(ever).await;
    site.assert_nothing_differs().await;
    site.stack.shutdown().await;
}

/// A visitor that comes again after all of it is over is another one, whether or not the table has deleted what there was.
#[tokio::test(flavor = "multi_thread")]
async fn who_comes_again_after_that_is_another_visitor() {
    for is_swept in [false, true] {
        let mut site = Site::start(5).await;
        let mut days = BTreeMap::new();
        let old = site.today.plus(-60);
        visit(&mut days, &mut Rng::with_seed(2), "v_back", "s_old", old.start().0 + 1_000);
        for (day, sent) in days {
            site.send(day.end(), &sent).await;
        }
        if is_swept {
            site.sweep(true).await;
        }
        let mut days = BTreeMap::new();
        visit(&mut days, &mut Rng::with_seed(2), "v_back", "s_new", site.today.plus(-1).start().0 + 1_000);
        for (_, sent) in days {
            site.send(site.now(), &sent).await;
        }
        let visitor = site.found(&site.short, "visitors/v_back").await;
        assert_eq!(visitor["data"]["visit_count"], 1);
        assert_eq!(visitor["data"]["sessions"].as_array().unwrap().len(), 1);
        let stats = site.found(&site.short, &format!("stats?start_date={old}")).await;
        assert_eq!((&stats["data"]["total_sessions"], &stats["data"]["new_visitors"]), (&json!(2), &json!(2)));
        site.assert_nothing_differs().await;
        site.stack.shutdown().await;
    }
}

/// What is stored says when it may be deleted; what the figures are of never does.
#[tokio::test(flavor = "multi_thread")]
async fn all_but_figures_expires() {
    let mut site = Site::start(9).await;
    site.tell().await;
    site.merge().await;
    let expires = |item: &Item| item.contains_key(EXPIRES);
    let of = |pk: String| Query::partition(pk);
    let project = site.short.id.clone();
    let visitor = of(keys::visitor_partition(&project, &"v_0".parse().unwrap()));
    let items = site.store().query(visitor).await.unwrap();
    assert!(items.len() > 10 && items.iter().all(expires));
    for measure in Measure::ALL {
        let blocks = site.store().query(of(keys::blocks(&project, measure.name()))).await.unwrap();
        assert!(blocks.iter().all(|item| expires(item) == (measure == Measure::Frustration)), "{}", measure.name());
    }
    for index in keys::Index::ALL {
        let (mut short, mut all) = (Vec::new(), Vec::new());
        for day in (1 - DAYS..=0).map(|ago| site.today.plus(ago)) {
            short.extend(site.store().query(of(keys::runs(&project, index, day))).await.unwrap());
            all.extend(site.store().query(of(keys::runs(&site.all.id, index, day))).await.unwrap());
        }
        assert!(!short.is_empty() && short.iter().all(expires));
        assert!(!all.is_empty() && !all.iter().any(expires));
    }
    let lookup = Key { pk: keys::session_lookup_partition(&project, &"s_0_1".parse().unwrap()), sk: "v_0".to_owned() };
    assert!(site.store().query(of(lookup.pk)).await.unwrap().iter().all(expires));
    site.stack.shutdown().await;
}
