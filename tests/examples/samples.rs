//! Writes samples of what `rollup` stores, one file for each kind of item and format, from a small made-up site.
//!
//! `tests/tests/formats.rs` reads them and says what they hold. Those of an earlier format are made in a work tree of the last
//! commit that wrote it, by this file as it was when the crates had the names that they have there:
//!
//! ```sh
//! git worktree add /tmp/before df97bbd^          # the last commit that wrote format 2
//! mkdir -p /tmp/before/functions/rollup/examples
//! git show e8a7ee1:functions/rollup/examples/samples.rs > /tmp/before/functions/rollup/examples/samples.rs
//! samples=$PWD/tests/formats
//! (cd /tmp/before && cargo run --locked -p rollup --example samples -- "$samples")
//! ```
//!
//! The samples of batches are of format 1; the ignored test of `tests/tests/formats.rs` makes those of later formats of them.
//!
//! Format 3 was written before there were runs of what a visitor was seen at, and its samples stay as they were then. Those
//! with runs are added to them: `cargo run -p tests --example samples -- tests/formats runs`.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "whoever runs it sees it fail")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use aws_lambda_events::encodings::Body;
use aws_sdk_dynamodb::types::AttributeValue;
use counting::Consumer;
use figures::counters::Rows;
use figures::generation::Generation;
use figures::ids::ProjectId;
use figures::log::block::{self, NewBlock};
use figures::log::tail::Tail;
use figures::measures::Measure;
use figures::model::{Batch, Event, SessionFacts, VisitorFacts};
use figures::retention::Kept;
use figures::table::store::{
    DATA, EXPIRES, Item, PK, Query, SK, Store, binary, key_item, number, read_binary, read_text,
};
use figures::table::{codec, ip, keys};
use figures::time::{Day, Millis};
use serde_json::{Map, Value, json};

/// 15 June 2025, 15:06:40 UTC.
const START: i64 = 1_750_000_000_000;
const DAY_MS: i64 = 86_400_000;
const MINUTE_MS: i64 = 60_000;

/// A tail of so many segments is compacted.
const SEGMENTS_OF_A_ROUND: usize = 64;

/// An event of every kind that a measure counts.
const NAMES: [&str; 11] = [
    "page_view",
    "rage_click",
    "dead_click",
    "js_exception",
    "console_warning",
    "seo_diagnostics",
    "reading_behavior",
    "form_abandon",
    "field_hesitation",
    "web_vitals",
    "custom_event",
];

#[tokio::main]
async fn main() {
    let folder = PathBuf::from(std::env::args().nth(1).expect("the folder to write to"));
    let is_of_runs = std::env::args().nth(2).is_some_and(|what| what == "runs");
    let items = match is_of_runs {
        true => readers().await,
        false => [site().await, large_day().await].concat(),
    };
    let mut samples: BTreeMap<(&str, u8), Vec<Value>> = BTreeMap::new();
    for item in &items {
        if let Some(kind) = kind(item) {
            samples.entry((kind, format(kind, item))).or_default().push(to_json(item));
        }
    }
    for ((kind, format), samples) in samples {
        std::fs::create_dir_all(folder.join(kind)).unwrap();
        let file = folder.join(kind).join(format!("{format}.json"));
        let there = std::fs::read_to_string(&file).ok().filter(|_| is_of_runs);
        let mut all: Vec<Value> = there.map(|text| serde_json::from_str(&text).unwrap()).unwrap_or_default();
        let is_new = |was: &Value| samples.iter().all(|new| (&new["PK"], &new["SK"]) != (&was["PK"], &was["SK"]));
        all.retain(is_new);
        all.extend(samples);
        write(&file, &all);
    }
}

fn write(file: &Path, samples: &[Value]) {
    let lines: Vec<String> = samples.iter().map(Value::to_string).collect();
    std::fs::write(file, format!("[\n{}\n]\n", lines.join(",\n"))).unwrap();
    println!("{}: {}", file.display(), samples.len());
}

/// The kind of an item, by its key; those that are not packed but have attributes are no matter of this file.
fn kind(item: &Item) -> Option<&'static str> {
    let (pk, sk) = (read_text(item, PK).unwrap(), read_text(item, SK).unwrap());
    let partition = pk.split('#').nth(2).unwrap_or_default();
    Some(match (partition, sk.split('#').next().unwrap()) {
        ("IP", _) => "ip-key",
        ("V", "B") => "batch",
        ("V", "VISITOR") => "visitor",
        ("V", "S") => "session",
        ("V", "A") => "applied",
        ("V", "K") if sk.matches('#').count() == 1 => "seen",
        ("V", "K") => "seen-run",
        ("SID", _) => "lookup",
        ("TAIL", "MANIFEST") => "manifest",
        ("TAIL", _) => "segment",
        ("R", _) if sk.len() == 10 => "block",
        ("R", _) => "block-part",
        ("X", _) => "run",
        _ => return None,
    })
}

/// The format of an item: what is packed says it; batches and IP keys are in their first one.
fn format(kind: &str, item: &Item) -> u8 {
    match kind {
        "batch" | "ip-key" => 1,
        _ => *read_binary(item, DATA).unwrap().first().unwrap(),
    }
}

fn to_json(item: &Item) -> Value {
    let attribute = |value: &AttributeValue| match value {
        AttributeValue::S(text) => json!({ "S": text }),
        AttributeValue::N(number) => json!({ "N": number }),
        AttributeValue::B(bytes) => json!({ "B": Body::Binary(bytes.clone().into_inner()) }),
        other => panic!("{other:?}"),
    };
    let sorted: BTreeMap<_, _> = item.iter().collect();
    Value::Object(sorted.into_iter().map(|(name, value)| (name.clone(), attribute(value))).collect::<Map<_, _>>())
}

async fn store() -> Store {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(dynoxide::server::serve_on(listener, dynoxide::Database::memory().unwrap()));
    let store = Store::new(shared::aws::client(Some(&endpoint)).await, "identity");
    figures::table::schema::create(&store).await.unwrap();
    store
}

async fn all_items(store: &Store) -> Vec<Item> {
    let items = store.client().scan().table_name(store.table()).send().await.unwrap().items.unwrap();
    let mut sorted: Vec<_> = items
        .into_iter()
        .map(|item| ((read_text(&item, PK).unwrap().to_owned(), read_text(&item, SK).unwrap().to_owned()), item))
        .collect();
    sorted.sort_by(|(a, _), (b, _)| a.cmp(b));
    sorted.into_iter().map(|(_, item)| item).collect()
}

/// One visitor's session.
struct Visit {
    visitor: &'static str,
    session: &'static str,
    started_at: i64,
}

impl Visit {
    fn batch(&self, number: i64, facts: &VisitorFacts, events: Vec<Event>) -> Batch {
        let at = self.started_at + number * MINUTE_MS;
        let text = |text: &str| Some(text.to_owned());
        Batch {
            visitor_id: self.visitor.parse().unwrap(),
            session_id: self.session.parse().unwrap(),
            batch_id: format!("b{number}").parse().unwrap(),
            stored_at: Millis(at + 2_000),
            sent_at: Millis(at + 1_000),
            page: text("/"),
            visitor: facts.clone(),
            session: SessionFacts {
                started_at: Millis(self.started_at),
                url: text("/landing"),
                referrer: text("https://www.google.com/"),
                utm_source: text("mail"),
                utm_medium: text("email"),
                utm_campaign: text("june"),
                utm_term: text("term"),
                utm_content: text("content"),
                click_count: Some(number as u32),
                max_scroll_depth: Some(50),
            },
            events,
        }
    }
}

fn event(name: &str, url: &str, at: i64) -> Event {
    let data = json!({
        "url": url, "selector": "#buy", "message": "it broke", "issues": ["missing_h1"], "title": "Title",
        "scroll_depth": 80, "active_time_ms": 4_000, "total_time_ms": 9_000, "form": "signup", "field": "email",
        "last_field": "email", "time_spent_ms": 5_000, "hesitation_ms": 700, "lcp": 1_834.5, "cls": 0.01,
    });
    let data = serde_json::from_value(data).ok();
    Event { name: name.to_owned(), url: Some(url.into()), created_at: Millis(at), data }
}

/// A person with three sessions, one of them long; a visitor of one session; and one who turns out to be a bot after
/// it was counted. Most is compacted, a little waits in the tail.
async fn site() -> Vec<Item> {
    let store = store().await;
    let project: ProjectId = "demo".parse().unwrap();
    store.put(key_item(&keys::project(&project))).await.unwrap();
    let consumer = Consumer::new(store.clone());
    store.put(ip_key(&project)).await.unwrap();
    let key = ip::key_of_today(&store, &project, Millis(START)).await.unwrap();
    let ip = key.encrypt("203.0.113.9".parse().unwrap()).unwrap();
    let text = |text: &str| Some(text.to_owned());
    let facts = VisitorFacts {
        fingerprint_hash: text("f1"),
        screen_width: Some(1920),
        screen_height: Some(1080),
        timezone: text("Europe/Belgrade"),
        language: text("sr"),
        ad_block: Some(1),
        bot_score: 5,
        aliases: vec!["ada".to_owned(), "ada@example.org".to_owned()],
        browser_name: text("Firefox"),
        browser_version: text("126.0"),
        os: text("Linux"),
        mobile: Some(0),
        geo_country: text("Serbia"),
        geo_country_code: text("RS"),
        geo_city: text("Belgrade"),
        ip: Some(ip),
    };
    let visit = |visitor, session, started_at| Visit { visitor, session, started_at };

    let first = visit("v_person", "s_first", START - DAY_MS);
    let views = ["/", "/pricing"]
        .iter()
        .enumerate()
        .map(|(at, url)| event("page_view", url, first.started_at + at as i64 * 1_000));
    apply(&store, &consumer, &project, vec![first.batch(0, &facts, views.collect())]).await;
    let second = visit("v_person", "s_second", START);
    let events = NAMES.iter().enumerate().map(|(at, name)| event(name, "/all", START + at as i64 * 10_000));
    apply(&store, &consumer, &project, vec![second.batch(0, &facts, events.collect())]).await;
    // So many pages that the state does not remember all of them itself, and so many batches.
    let pages =
        |number: i64| vec![event("page_view", &format!("/page/{number}"), second.started_at + number * MINUTE_MS)];
    let many = (1..48).map(|number| second.batch(number, &facts, pages(number))).collect();
    apply(&store, &consumer, &project, many).await;
    let bot = visit("v_bot", "s_bot", START);
    let before = event("page_view", "/trap", START);
    apply(&store, &consumer, &project, vec![bot.batch(0, &VisitorFacts::default(), vec![before])]).await;
    let single = visit("v_single", "s_single", START - 2 * MINUTE_MS);
    // Its event lies before the session's start.
    let early = event("page_view", "/", START - 3 * MINUTE_MS);
    apply(&store, &consumer, &project, vec![single.batch(0, &VisitorFacts::default(), vec![early])]).await;
    round(&store, &consumer, &project, &visit("v_filler", "s_filler1", START)).await;

    let is_bot = VisitorFacts { bot_score: 90, ..VisitorFacts::default() };
    apply(&store, &consumer, &project, vec![bot.batch(1, &is_bot, Vec::new())]).await;
    round(&store, &consumer, &project, &visit("v_filler", "s_filler2", START + DAY_MS)).await;

    let third = visit("v_person", "s_third", START + DAY_MS);
    let view = event("page_view", "/again", START + DAY_MS);
    apply(&store, &consumer, &project, vec![third.batch(0, &facts, vec![view])]).await;
    // Taken out of the indexes in a segment, too.
    let trapped = visit("v_trapped", "s_trapped", START + DAY_MS);
    let before = event("page_view", "/trap", START + DAY_MS);
    apply(&store, &consumer, &project, vec![trapped.batch(0, &VisitorFacts::default(), vec![before])]).await;
    apply(&store, &consumer, &project, vec![trapped.batch(1, &is_bot, Vec::new())]).await;

    // Merged segments go after a while; these are as if they had gone.
    let tail = Tail::load(&store, &project).await.unwrap();
    let merged: BTreeSet<&str> =
        tail.segments.iter().filter(|segment| segment.round.is_some()).map(|segment| segment.id.as_str()).collect();
    let items = all_items(&store).await;
    items.into_iter().filter(|item| !merged.contains(read_text(item, SK).unwrap())).collect()
}

/// Two visitors with more pages than their states remember, of which one turned out to be a bot: most of its sessions still
/// count. Their states and runs, in a project of their own.
async fn readers() -> Vec<Item> {
    let store = store().await;
    let project: ProjectId = "readers".parse().unwrap();
    store.put(key_item(&keys::project(&project))).await.unwrap();
    let consumer = Consumer::new(store.clone());
    for (visitor, sessions) in [("v_reader", 3), ("v_crawler", 4)] {
        for session in 0..sessions {
            let name = ["s_0", "s_1", "s_2", "s_3"][session as usize];
            let visit = Visit { visitor, session: name, started_at: START + session * DAY_MS };
            let view = |page: i64| event("page_view", &format!("/page/{page}"), visit.started_at + page);
            let pages = (session * 125..(session + 1) * 125).map(view);
            apply(&store, &consumer, &project, vec![visit.batch(0, &VisitorFacts::default(), pages.collect())]).await;
        }
    }
    let visit = Visit { visitor: "v_crawler", session: "s_3", started_at: START + 3 * DAY_MS };
    let is_bot = VisitorFacts { bot_score: 90, ..VisitorFacts::default() };
    let confession = visit.batch(1, &is_bot, Vec::new());
    assert!(store.put_at(confession.to_item(&project).unwrap(), None).await.unwrap().is_stored());
    let applied = consumer.apply(BTreeMap::from([(project.clone(), vec![confession])])).await;
    assert!(applied.failed.is_empty() && applied.refused.is_empty() && !applied.recounting.is_empty());
    let items = all_items(&store).await;
    let is_of_memory = |item: &Item| matches!(kind(item), Some("visitor" | "seen-run"));
    items.into_iter().filter(is_of_memory).collect()
}

/// The key that encrypts the day's addresses: always the same one, so that it decrypts those of every format's samples.
fn ip_key(project: &ProjectId) -> Item {
    let day = Millis(START).day();
    let mut item = key_item(&keys::ip_key(project, day));
    item.insert(DATA.to_owned(), binary(vec![7; 32]));
    item.insert(EXPIRES.to_owned(), number(day.plus(1 + ip::RETENTION_DAYS).start().0 / 1000));
    item
}

async fn apply(store: &Store, consumer: &Consumer, project: &ProjectId, batches: Vec<Batch>) {
    for batch in &batches {
        assert!(store.put_at(batch.to_item(project).unwrap(), None).await.unwrap().is_stored());
    }
    consumer.apply(BTreeMap::from([(project.clone(), batches)])).await.complete().unwrap();
}

/// Fills the tail with heartbeats until it is compacted.
async fn round(store: &Store, consumer: &Consumer, project: &ProjectId, visit: &Visit) {
    let before = Tail::load(store, project).await.unwrap().manifest.round;
    for number in 0..SEGMENTS_OF_A_ROUND as i64 {
        let tail = Tail::load(store, project).await.unwrap();
        if tail.segments.iter().filter(|segment| segment.round.is_none()).count() >= SEGMENTS_OF_A_ROUND
            || tail.manifest.round > before
        {
            break;
        }
        apply(store, consumer, project, vec![visit.batch(number, &VisitorFacts::default(), Vec::new())]).await;
    }
    consumer.compact(project).await.unwrap();
    let tail = Tail::load(store, project).await.unwrap();
    assert_eq!(tail.manifest.round, before + 1);
    assert!(tail.segments.iter().all(|segment| segment.round.is_some()));
}

/// A day that is spread over parts. It takes more than a sample should: the head is that of a large day, and its parts
/// hold a few rows instead.
async fn large_day() -> Vec<Item> {
    let store = store().await;
    let (project, day): (ProjectId, Day) = ("large".parse().unwrap(), Millis(START).day());
    let mut rows = Rows::default();
    let mut bits = 7_u64;
    for _ in 0..8_000 {
        let words = (0..12).map(|_| {
            bits = bits.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            format!("{:08x}", bits >> 32)
        });
        rows.add(0, &words.collect::<String>(), 0, 1);
    }
    let new = NewBlock { round: 3, is_based: false, kept: Kept::default(), rows };
    assert!(block::write(&store, &project, Measure::Pages, Generation::FIRST, day, None, new).await.unwrap());
    let mut items = store.query(Query::partition(keys::blocks(&project, Measure::Pages.name()))).await.unwrap();
    let (_, parts) = items.split_first_mut().unwrap();
    let mut few = Rows::default();
    for number in 0..20_u32 {
        few.add(0, &format!("/{number}"), 0, i64::from(number) + 1);
    }
    assert!(parts.len() > 1);
    let split = few.split(parts.len());
    for (part, rows) in parts.iter_mut().zip(&split) {
        part.insert(DATA.to_owned(), binary(codec::pack(rows).unwrap()));
    }
    items
}
