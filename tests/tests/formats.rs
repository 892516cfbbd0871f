//! What is stored stays readable: samples of every kind of item, in every format that is read, and what they hold.
//! `tests/examples/samples.rs` says what `rollup`'s are of.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use std::net::IpAddr;
use std::time::Duration;

use counting::Consumer;
use counting::heartbeat::{Heartbeat, Pulse};
use fastrand::Rng;
use figures::channels::Channel;
use figures::counters::{FlatRows, Rows};
use figures::dates::DateRange;
use figures::generation::Generation;
use figures::ids::ProjectId;
use figures::log::block::{self, Block, BlockRows, Found, NewBlock, Reading};
use figures::log::contributions::seen_in_batch;
use figures::log::index::{HourEntries, Versioned};
use figures::log::packed::PackedDelta;
use figures::log::tail::Manifest;
use figures::log::{BatchEntry, BatchRef, Delta, SessionEntry, SessionRef};
use figures::measures::Measure;
use figures::measures::distinct::Seen;
use figures::model::batch::StoredOrder;
use figures::model::seen::{SeenDays, shard};
use figures::model::seen_runs::SeenRuns;
use figures::model::session::Device;
use figures::model::trail::{Step, Trail};
use figures::model::{Batch, Event, Session, Visitor};
use figures::retention::Kept;
use figures::site::{HostPattern, OriginPattern};
use figures::table::codec::{self, Format};
use figures::table::cookieless::{DaySecret, Name, Traits, Unnamed};
use figures::table::ip::IpKeys;
use figures::table::keys;
use figures::table::keys::Index;
use figures::table::spending;
use figures::table::store::{
    Consistency, DATA, HOSTS, Item, PK, Query, REV, SK, Store, binary, item_key, key_item, number, read_binary,
    read_number, read_packed, read_text, read_texts, text,
};
use figures::time::{Day, Millis};
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};
use shared::api_keys;
use shared::auth::{ApiKey, Role};
use shared::projects::{self, Settings};
use shared::routes::{COLLECT, ROUTES};
use tests::clock::now;
use tests::example::page_view;
use tests::faults::{Fault, FaultyProxy, Schedule, until_done};
use tests::formats::{Kind, all_items};
use tests::generate::history;
use tests::http;
use tests::people::{self, Browser};
use tests::property::{holds, runtime};
use tests::sent;
use tests::stack::{Counting, Project, Stack};
use tests::tracker::keyed;

const SECRET_KEY: &str = "sk_live_SampleSampleSampleSampleSampleAb";
const PUBLIC_KEY: &str = "pk_live_SampleSampleSampleSampleSampleAb";

/// When most of the samples' site happened, 15 June 2025, and how long a day is.
const START: i64 = 1_750_000_000_000;
const DAY_MS: i64 = 86_400_000;

/// The partition of the sample of a trusted visitor.
const TRUSTED_PARTITION: &str = "P#trusted#V#v_trusted";

/// The partition of the samples of a visitor whose sessions tell what they were made with, and the earlier one's sort key.
const MADE_PARTITION: &str = "P#made#V#v_made";
const MADE_EARLIER: &str = "S#001750000000000#s_earlier";

fn demo() -> ProjectId {
    "demo".parse().unwrap()
}

fn today() -> Day {
    Millis(START).day()
}

/// The sample of a kind with these keys.
fn sample(kind: Kind, format: u8, pk: &str, sk: &str) -> Item {
    let is_it = |item: &Item| read_text(item, PK).unwrap() == pk && read_text(item, SK).unwrap() == sk;
    kind.samples(format).into_iter().find(is_it).unwrap_or_else(|| panic!("{kind:?} {pk} / {sk} in format {format}"))
}

/// What a table has that was written in one format: all that is not packed is in its first one.
fn site(format: Format) -> Vec<Item> {
    let format_of = |kind: Kind| if kind.formats().contains(&1) { 1 } else { format as u8 };
    Kind::ALL.into_iter().flat_map(|kind| kind.samples(format_of(kind))).collect()
}

/// A stack whose table has these items.
async fn stack_of(items: &[Item]) -> Stack {
    let stack = Stack::start(Counting::ByTest).await;
    for item in items {
        stack.store().put(item.clone()).await.unwrap();
    }
    stack
}

/// What every route of the API answers about the samples' days.
async fn answers(stack: &Stack) -> BTreeMap<&'static str, Value> {
    let mut answers = BTreeMap::new();
    for route in ROUTES.iter().filter(|route| route.reads_a_project()) {
        let path = route.path.replace("{visitor_id}", "v_person").replace("{session_id}", "s_second");
        let url = format!("{}{path}?start_date=2025-06-14&end_date=2025-06-17&limit=100", stack.origin());
        answers.insert(route.path, http::get(&url, SECRET_KEY).await.ok());
    }
    answers
}

/// Makes the samples of what the command line, the collector and the local stack store:
/// `cargo test -p tests --test formats -- --ignored`.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "it writes samples"]
async fn samples_of_attributes_are_written() {
    let stack = Stack::start(Counting::ByStream).await;
    fill(&stack).await;
    let items = all_items(stack.store()).await;
    let key = keys::visitor(&demo(), &"v_1".parse().unwrap());
    write_sample_of_trust(items.iter().find(|item| item_key(item).unwrap() == key).unwrap());
    write_samples(items);
    stack.shutdown().await;
}

/// A block that is large enough for layers, and a layer on it: what it changes.
fn layered() -> (ProjectId, NewBlock, Rows) {
    let (mut rows, mut change) = (Rows::default(), Rows::default());
    let mut rng = Rng::with_seed(7);
    for number in 0..400 {
        rows.add(0, &format!("/{:032x}", rng.u128(..)), 0, number);
    }
    change.add(0, "/new", 0, 3);
    change.add(1, "/", 5, -2);
    ("layered".parse().unwrap(), NewBlock { round: 3, is_based: false, kept: Kept::default(), rows }, change)
}

/// Makes the sample of a layer, in the same way.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "it writes a sample"]
async fn the_sample_of_a_layer_is_written() {
    let stack = Stack::start(Counting::ByTest).await;
    let ((project, new, change), first) = (layered(), Generation::FIRST);
    assert!(block::write(stack.store(), &project, Measure::Pages, first, today(), None, new).await.unwrap());
    let block = rows_of_a_day::<Rows>(&stack, &project, Measure::Pages).await;
    let layer =
        block::layer(&project, Measure::Pages, first, &block, (5, Kept::default()), &[&change]).unwrap().unwrap();
    Kind::BlockLayer.write_samples(Format::CURRENT as u8, &[layer]);
    stack.shutdown().await;
}

/// Makes the samples of states that tell what their sessions were made with, in the same way.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "it writes samples"]
async fn the_samples_of_devices_are_written() {
    let stack = Stack::start(Counting::ByTest).await;
    let made = |session: &str, at: i64, visitor: sent::Visitor| {
        let mut sent = page_view("v_made", session, "b_1", at);
        sent.visitor = sent::Visitor { visitor_id: "v_made".to_owned(), ..visitor };
        sent
    };
    let earlier = sent::Visitor {
        mobile: Some(1),
        language: Some("sr-Latn-RS".to_owned()),
        screen_width: Some(390),
        screen_height: Some(844),
        ..sent::Visitor::default()
    };
    let latest = sent::Visitor { mobile: Some(0), ..sent::Visitor::default() };
    let project = Project { id: "made".parse().unwrap(), secret_key: String::new(), public_key: String::new() };
    let mut stored = Vec::new();
    for (number, sent) in
        [made("s_earlier", START, earlier), made("s_latest", START + DAY_MS, latest)].iter().enumerate()
    {
        stored.push(stack.store_batch(&project, number, sent).await.unwrap());
    }
    let consumer = Consumer::new(stack.store().clone());
    consumer.apply(BTreeMap::from([(project.id, stored)])).await.complete().unwrap();
    for (kind, sk) in [(Kind::Visitor, "VISITOR"), (Kind::Session, MADE_EARLIER)] {
        let mut samples = kind.samples(Format::CURRENT as u8);
        samples.retain(|item| read_text(item, PK).unwrap() != MADE_PARTITION);
        let is_it = |item: &Item| read_text(item, PK).unwrap() == MADE_PARTITION && read_text(item, SK).unwrap() == sk;
        samples.push(all_items(stack.store()).await.into_iter().find(is_it).unwrap());
        kind.write_samples(Format::CURRENT as u8, &samples);
    }
    stack.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn layers_are_read_on_their_block() {
    let stack = Stack::start(Counting::ByTest).await;
    let (store, first) = (stack.store(), Generation::FIRST);
    for format in Kind::BlockLayer.formats() {
        let (project, new, change) = layered();
        let mut expected = new.rows.clone();
        expected.add_all(&change);
        assert!(block::write(store, &project, Measure::Pages, first, today(), None, new).await.unwrap());
        for layer in Kind::BlockLayer.samples(format) {
            store.put(layer).await.unwrap();
        }
        let block = rows_of_a_day::<Rows>(&stack, &project, Measure::Pages).await;
        assert_eq!((block.round, &block.rows), (5, &expected));
        let flat = rows_of_a_day::<FlatRows>(&stack, &project, Measure::Pages).await;
        assert_eq!(flat.rows.to_rows(), expected);
        let new = NewBlock { round: 6, is_based: false, kept: Kept::default(), rows: expected };
        assert!(block::write(store, &project, Measure::Pages, first, today(), Some(&block), new).await.unwrap());
        assert_eq!(
            store.query(Query::partition(keys::blocks(&project, Measure::Pages.name()))).await.unwrap().len(),
            1
        );
    }
    stack.shutdown().await;
}

/// The session that a visitor without a name has in the samples.
fn unnamed() -> Unnamed {
    Unnamed::new(&demo(), &"s_unnamed".parse().unwrap(), Millis(START))
}

/// What the samples' day calls that visitor.
async fn name(store: &Store) -> Name {
    let traits = Traits { address: "203.0.113.9".parse().ok(), user_agent: b"Firefox", fingerprint: "f1" };
    DaySecret::of_today(store, &demo(), Millis(START)).await.unwrap().name(&demo(), &traits)
}

/// Stores something of every kind that is made of attributes.
async fn fill(stack: &Stack) {
    let store = stack.store();
    let mut secret = key_item(&keys::day_secret(&demo(), today()));
    secret.insert(DATA.to_owned(), binary(vec![7; 64]));
    secret.insert("expires_at".to_owned(), number(today().plus(1).start().0 / 1_000));
    store.put(secret).await.unwrap();
    unnamed().begin(store, name(store).await, Millis(START)).await.unwrap();
    spending::add(store, &demo(), today(), 1_234).await.unwrap();
    let settings = Settings {
        name: Some("Demo shop".to_owned()),
        hosts: vec![HostPattern::stored("shop.example")],
        origins: vec![OriginPattern::stored("https://shop.example")],
        retention: None,
    };
    assert!(projects::create(store, &demo(), &settings, Millis(START)).await.unwrap().is_some());
    let limits = [(SECRET_KEY, Some(1_000)), (PUBLIC_KEY, None)];
    for (text, limit) in limits {
        api_keys::register(store, &demo(), &ApiKey::parse(text).unwrap(), limit, Millis(START)).await.unwrap();
    }
    http::get(&stack.at("stats"), SECRET_KEY).await.ok();
    people::invitation(store, "vera", Role::Viewer, &[]).await;
    Browser::of(stack, "ana", Role::Admin, &[]).await;
    let consumer = Consumer::new(store.clone());
    consumer.erase(&demo(), &"v_erased".parse().unwrap(), |_| {}).await.unwrap();
    let beat = Heartbeat::default();
    beat.beat(store, Millis(START), Millis(START)).await.unwrap();
    let beat = Heartbeat::default();
    beat.beat(store, Millis(START), Millis(START + DAY_MS)).await.unwrap();
    let mut demo_data = key_item(&keys::dev_demo(&demo()));
    demo_data.insert("until".to_owned(), number(START));
    store.put(demo_data).await.unwrap();
    // Something for the stream's checkpoint to name.
    let sent = page_view("v_1", "ses_1", "b_1", now());
    let project = Project { id: demo(), secret_key: SECRET_KEY.to_owned(), public_key: PUBLIC_KEY.to_owned() };
    stack.store_batch(&project, 1, &sent).await.unwrap();
    stack.counted(&demo(), &[sent]).await;
    consumer.trust(&demo(), &"v_1".parse().unwrap()).await.unwrap();
}

fn write_samples(items: Vec<Item>) {
    let mut samples: BTreeMap<Kind, Vec<Item>> = BTreeMap::new();
    for item in items {
        let key = item_key(&item).unwrap();
        let kind = kind_of(&item);
        let is_ours = !format!("{}{}", key.pk, key.sk).contains("main") && kind != Kind::IpKey;
        let is_ours = is_ours && ![Kind::ApiKey, Kind::Invitation, Kind::Person].contains(&kind);
        if kind.is_of_attributes() && is_ours {
            samples.entry(kind).or_default().push(item);
        }
    }
    for (kind, items) in samples {
        kind.write_samples(1, &items);
    }
    // Those of batches are all of the first format's.
    let of_person =
        Kind::Batch.samples(1).into_iter().filter(|item| read_text(item, PK).unwrap().ends_with("v_person"));
    let of_person: Vec<Item> = of_person.collect();
    let marked = of_person.iter().cloned().map(|mut item| {
        let data = [&[2 << 3 | 0b110], read_binary(&item, DATA).unwrap()].concat();
        item.insert(DATA.to_owned(), binary(data));
        item
    });
    Kind::Batch.write_samples(2, &marked.collect::<Vec<_>>());
    let written = of_person.iter().map(|item| batch_item(&Batch::from_item(item).unwrap()));
    Kind::Batch.write_samples(3, &written.collect::<Vec<_>>());
}

/// A trusted visitor's state. It is no part of the samples' site, which is the same in every format.
fn write_sample_of_trust(state: &Item) {
    let mut state = state.clone();
    state.insert(PK.to_owned(), text(TRUSTED_PARTITION));
    let mut samples = Kind::Visitor.samples(Format::CURRENT as u8);
    samples.retain(|item| read_text(item, PK).unwrap() != TRUSTED_PARTITION);
    samples.push(state);
    Kind::Visitor.write_samples(Format::CURRENT as u8, &samples);
}

#[test]
fn there_are_samples_of_every_kind_in_every_format_that_is_read() {
    for kind in Kind::ALL {
        for format in kind.formats() {
            let samples = kind.samples(format);
            assert!(!samples.is_empty(), "{kind:?} in format {format}: see tests/src/formats.rs");
            for item in samples {
                let key = item_key(&item).unwrap();
                assert_eq!(Kind::of(&key), Some(kind), "{key:?}");
                if !kind.formats().contains(&1) {
                    assert_eq!(read_binary(&item, DATA).unwrap()[0], format, "{key:?}");
                }
            }
        }
    }
}

/// Whoever was let in by an earlier version is in, and a link that it made is good.
#[tokio::test]
async fn who_was_let_in_stays_in() {
    let stack = Stack::start(Counting::ByTest).await;
    for kind in [Kind::ApiKey, Kind::Invitation, Kind::Person, Kind::Project] {
        for item in kind.samples(1) {
            stack.store().put(item).await.unwrap();
        }
    }
    let ana = Browser { cookie: Some("a".repeat(43)), ..Browser::new(&stack) };
    ana.read("stats", &demo()).await.ok();
    let known = ana.look("people").await.ok();
    assert_eq!(known["data"].as_array().unwrap().len(), 1);
    assert_eq!((&known["data"][0]["label"], &known["data"][0]["role"]), (&json!("ana"), &json!("admin")));
    let mut vera = Browser::new(&stack);
    assert_eq!(vera.sign_in(&"b".repeat(43)).await.ok()["data"]["label"], "vera");
    stack.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_has_items_of_these_kinds_alone() {
    let stack = Stack::start(Counting::ByStream).await;
    let projects = [stack.project().await, stack.project().await];
    let history = history(120).prop_filter("long", |history| history.len() > 60);
    let batches = history.new_tree(&mut TestRunner::deterministic()).unwrap().current().recent(now());
    for (number, (of, sent)) in batches.iter().enumerate() {
        stack.store_batch(&projects[*of], number, sent).await;
    }
    for (of, project) in projects.iter().enumerate() {
        let sent: Vec<_> = batches.iter().filter(|(owner, _)| *owner == of).map(|(_, sent)| sent.clone()).collect();
        stack.counted(&project.id, &sent).await;
    }
    fill(&stack).await;
    let kinds: BTreeSet<Kind> = all_items(stack.store()).await.iter().map(kind_of).collect();
    // Work is done by now, and gone.
    let stay = |kind: &Kind| kind.is_of_attributes() && *kind != Kind::Work;
    assert!(Kind::ALL.into_iter().filter(stay).all(|kind| kinds.contains(&kind)), "{kinds:?}");
    stack.shutdown().await;
}

fn kind_of(item: &Item) -> Kind {
    let key = item_key(item).unwrap();
    Kind::of(&key).unwrap_or_else(|| panic!("{key:?} is of no kind: see tests/src/formats.rs"))
}

/// The key of a sample's visitor.
fn visitor(name: &str) -> String {
    format!("P#demo#V#{name}")
}

/// Says what a person's session has as all of the samples' have it.
fn is_landed(session: &Session) {
    let text = |text: &str| Some(text.to_owned());
    assert_eq!(session.url, text("/landing"));
    assert_eq!(session.referrer, text("https://www.google.com/"));
    assert_eq!(session.referrer_host, text("google.com"));
    assert_eq!(session.utm_source, text("mail"));
    assert_eq!(session.utm_medium, text("email"));
    assert_eq!(session.utm_campaign, text("june"));
    assert_eq!(session.utm_term, text("term"));
    assert_eq!(session.utm_content, text("content"));
    assert_eq!(session.channel, Channel::Email);
    assert_eq!(session.max_scroll_depth, Some(50));
    assert_eq!(session.measures, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn visitors_and_their_sessions_are_read() {
    let stack = stack_of(&Kind::IpKey.samples(1)).await;
    let ip_keys = IpKeys::load(stack.store(), &demo(), Millis(START)).await.unwrap();
    let text = |text: &str| Some(text.to_owned());
    for format in Format::ALL {
        let read = |name: &str| {
            let item = sample(Kind::Visitor, format as u8, &visitor(name), "VISITOR");
            (read_number::<u64>(&item, REV).unwrap(), read_packed::<Visitor>(&item).unwrap())
        };
        let (rev, person) = read("v_person");
        assert_eq!((rev, person.visit_count, person.bot_score), (4, 3, 5));
        assert_eq!((person.first_seen_at, person.last_seen_at), (Millis(START - DAY_MS), Millis(START + DAY_MS)));
        // Format 2 has no such bounds; none is too narrow.
        let bounds = match format {
            Format::V2 => (2 * DAY_MS, 2 * DAY_MS),
            Format::V3 => (47 * 60_000, 0),
        };
        assert_eq!((person.longest_session_ms, person.longest_lead_ms), bounds);
        let names: Vec<&str> = person.aliases.iter().map(|alias| alias.name.as_str()).collect();
        assert_eq!(names, ["ada", "ada@example.org"]);
        assert_eq!(person.aliases[1].linked, ((Millis(START - DAY_MS + 2_000), "b0".parse().unwrap()), 1));
        assert_eq!((person.recounting, person.is_erased, person.has_seen_more), (false, false, true));
        let (profile, facts) = (&person.profile, &person.profile.facts);
        assert_eq!((profile.at, profile.page.clone()), (Millis(START + DAY_MS), text("/again")));
        assert_eq!(profile.stored, (Millis(START + DAY_MS + 2_000), "b0".parse().unwrap()));
        assert_eq!(profile.session_id.as_str(), "s_third");
        assert_eq!((facts.screen_width, facts.screen_height), (Some(1920), Some(1080)));
        assert_eq!((facts.ad_block, facts.bot_score, facts.mobile), (Some(1), 5, Some(0)));
        assert_eq!(facts.fingerprint_hash, text("f1"));
        assert_eq!((facts.timezone.clone(), facts.language.clone()), (text("Europe/Belgrade"), text("sr")));
        assert_eq!((facts.browser_name.clone(), facts.browser_version.clone()), (text("Firefox"), text("126.0")));
        assert_eq!((facts.os.clone(), facts.geo_country.clone()), (text("Linux"), text("Serbia")));
        assert_eq!((facts.geo_country_code.clone(), facts.geo_city.clone()), (text("RS"), text("Belgrade")));
        let address: IpAddr = "203.0.113.9".parse().unwrap();
        assert_eq!(facts.ip.as_ref().and_then(|ip| ip_keys.decrypt(ip)), Some(address));

        let latest = &person.latest;
        is_landed(latest);
        assert_eq!((latest.session_id.as_str(), latest.started_at), ("s_third", Millis(START + DAY_MS)));
        assert_eq!((latest.page_views, latest.event_count, latest.click_count), (1, 1, Some(0)));
        assert_eq!((latest.next_day, latest.is_first, latest.counted), (None, false, true));
        assert_eq!((latest.applied.recent.len(), latest.applied.listed), (1, 0));
        assert_eq!(latest.ip.as_ref().and_then(|ip| ip_keys.decrypt(ip)), Some(address));

        let (_, single) = read("v_single");
        assert_eq!((single.visit_count, single.longest_session_ms, single.longest_lead_ms), (1, 0, 60_000));
        assert_eq!((single.seen.len(), single.latest.is_first), (1, true));
        let (_, bot) = read("v_bot");
        assert_eq!((bot.bot_score, bot.latest.counted, bot.seen.len()), (90, false, 0));
        assert_eq!(bot.latest.trail, Trail::default());

        let session = |started_at: i64, id: &str| -> Session {
            let sort_key = format!("S#{started_at:015}#{id}");
            read_packed(&sample(Kind::Session, format as u8, &visitor("v_person"), &sort_key)).unwrap()
        };
        let first = session(START - DAY_MS, "s_first");
        is_landed(&first);
        assert_eq!((first.first_instant, first.last_instant), (Millis(START - DAY_MS), Millis(START - DAY_MS + 1_000)));
        assert_eq!((first.page_views, first.event_count, first.is_first), (2, 2, true));
        assert_eq!(first.next_day, Some(today()));
        let second = session(START, "s_second");
        is_landed(&second);
        assert_eq!(second.origin, (Millis(START + 2_000), "b0".parse().unwrap()));
        assert_eq!((second.first_instant, second.last_instant), (Millis(START), Millis(START + 47 * 60_000)));
        assert_eq!((second.page_views, second.event_count, second.click_count), (48, 58, Some(47)));
        assert_eq!((second.next_day, second.is_first, second.applied.listed), (Some(today().plus(1)), false, 48));
        let mut trail = Trail::default();
        for batch in batches_of("v_person", "s_second") {
            trail.extend(Step::of(&batch));
        }
        assert_eq!(second.trail, trail);
    }
    stack.shutdown().await;
}

/// What a stranger says of a trusted visitor counts as little in a release that finds its state in an earlier one, or none.
#[tokio::test(flavor = "multi_thread")]
async fn a_visitor_stays_trusted() {
    let state = sample(Kind::Visitor, Format::CURRENT as u8, TRUSTED_PARTITION, "VISITOR");
    let trusted: Visitor = read_packed(&state).unwrap();
    assert!(trusted.is_trusted && trusted.bot_score == 0 && trusted.latest.counted);
    // A state from before there was trust ends earlier. The release from then reads no further.
    let packed = read_binary(&state, DATA).unwrap();
    let plain = codec::inflate(&packed[1..], codec::NO_DICTIONARY).unwrap();
    let before: Visitor = codec::read(&plain[..plain.len() - 1]).unwrap();
    assert_eq!(before, Visitor { is_trusted: false, ..trusted.clone() });
    let later: Visitor = codec::read(&[&plain[..], &[7]].concat()).unwrap();
    assert_eq!(later, trusted);

    let mark = sample(Kind::Trusted, 1, "P#demo#TRUSTED", "v_1");
    let mut batch = batches_of("v_single", "s_single").remove(0);
    batch.visitor_id = read_text(&mark, SK).unwrap().parse().unwrap();
    batch.visitor.bot_score = 100;
    for state in [None, Some(before)] {
        let stack = stack_of(&[key_item(&keys::project(&demo())), mark.clone()]).await;
        let key = keys::visitor(&demo(), &batch.visitor_id);
        if let Some(state) = &state {
            let mut item = key_item(&key);
            item.insert(DATA.to_owned(), binary(state.pack().unwrap()));
            item.insert(REV.to_owned(), number(1));
            stack.store().put(item).await.unwrap();
        }
        stack.store().put(batch_item(&batch)).await.unwrap();
        let consumer = Consumer::new(stack.store().clone());
        consumer.apply(BTreeMap::from([(demo(), vec![batch.clone()])])).await.complete().unwrap();
        let item = stack.store().get(&key, Consistency::Strong).await.unwrap().unwrap();
        let visitor: Visitor = read_packed(&item).unwrap();
        assert!(visitor.is_trusted && visitor.bot_score == 0 && visitor.latest.counted, "{visitor:?}");
        stack.shutdown().await;
    }
}

/// What a session was made with stands behind all else of a state. A state from before ends earlier, and the release from then
/// reads no further.
#[test]
fn states_tell_what_their_sessions_were_made_with() {
    let current = Format::CURRENT as u8;
    let plain_of = |item: &Item| codec::inflate(&read_binary(item, DATA).unwrap()[1..], codec::NO_DICTIONARY).unwrap();
    let state = sample(Kind::Visitor, current, MADE_PARTITION, "VISITOR");
    let visitor: Visitor = read_packed(&state).unwrap();
    assert_eq!(visitor.latest.device, Some(Device { mobile: Some(0), language: None, screen: None }));
    let mut before = visitor.clone();
    before.latest.device = None;
    assert_eq!(codec::read::<Visitor>(&plain_of(&state)).unwrap(), before);
    assert_eq!(codec::unpack::<Visitor>(&codec::pack(&before).unwrap()).unwrap(), before);
    assert_eq!(codec::unpack::<Visitor>(&visitor.pack().unwrap()).unwrap(), visitor);

    let state = sample(Kind::Session, current, MADE_PARTITION, MADE_EARLIER);
    let session: Session = read_packed(&state).unwrap();
    let device = Device { mobile: Some(1), language: Some("sr".to_owned()), screen: Some((390, 844)) };
    assert_eq!((session.session_id.as_str(), session.device.clone()), ("s_earlier", Some(device)));
    let before = Session { device: None, ..session.clone() };
    assert_eq!(codec::read::<Session>(&plain_of(&state)).unwrap(), before);
    assert_eq!(codec::unpack::<Session>(&codec::pack(&before).unwrap()).unwrap(), before);
    assert_eq!(codec::unpack::<Session>(&session.pack().unwrap()).unwrap(), session);
}

/// Channels that the release before does not know are written as one that it knows, and told apart behind all else.
#[test]
fn states_tell_which_of_the_later_channels_a_session_came_by() {
    let current = Format::CURRENT as u8;
    let sampled: Session = read_packed(&sample(Kind::Session, current, MADE_PARTITION, MADE_EARLIER)).unwrap();
    let sampled_visitor: Visitor = read_packed(&sample(Kind::Visitor, current, MADE_PARTITION, "VISITOR")).unwrap();
    for channel in Channel::ALL {
        let (mut session, mut visitor) = (sampled.clone(), sampled_visitor.clone());
        session.channel = channel;
        visitor.latest.channel = channel;
        let packed = [session.pack().unwrap(), visitor.pack().unwrap()];
        assert_eq!(codec::unpack::<Session>(&packed[0]).unwrap(), session);
        assert_eq!(codec::unpack::<Visitor>(&packed[1]).unwrap(), visitor);
        let known = if channel as usize <= Channel::Unassigned as usize { channel } else { Channel::Unassigned };
        let plain = packed.map(|packed| codec::inflate(&packed[1..], codec::NO_DICTIONARY).unwrap());
        assert_eq!(codec::read::<Session>(&plain[0]).unwrap().channel, known);
        assert_eq!(codec::read::<Visitor>(&plain[1]).unwrap().latest.channel, known);
    }
}

/// The sampled batches of a session, in the order they were stored.
fn batches_of(visitor: &str, session: &str) -> Vec<Batch> {
    let mut batches: Vec<Batch> = Kind::Batch.samples(1).iter().map(|item| Batch::from_item(item).unwrap()).collect();
    batches.retain(|batch| batch.visitor_id.as_str() == visitor && batch.session_id.as_str() == session);
    batches.sort_by_key(Batch::stored_order);
    batches
}

#[test]
fn what_a_visitor_remembers_is_read() {
    for format in Format::ALL.map(|format| format as u8) {
        let listed = sample(Kind::Applied, format, &visitor("v_person"), "A#s_second#000000");
        let expected: Vec<u64> = batches_of("v_person", "s_second").iter().map(Batch::fingerprint).collect();
        assert_eq!(read_packed::<Vec<u64>>(&listed).unwrap(), expected);
        assert_eq!((expected.len(), expected[0]), (48, 10_404_907_809_224_057_909));

        let second = sample(Kind::Session, format, &visitor("v_person"), &format!("S#{START:015}#s_second"));
        let second: Session = read_packed(&second).unwrap();
        let mut shards: BTreeMap<String, SeenDays> = BTreeMap::new();
        for item in Kind::Seen.samples(format) {
            shards.insert(read_text(&item, SK).unwrap().to_owned(), read_packed(&item).unwrap());
        }
        let mut days = BTreeSet::new();
        for batch in batches_of("v_person", "s_second") {
            for (measure, seen) in seen_in_batch(&second, &batch) {
                let hash = seen.hash(measure.name());
                let shard = &shards[&format!("K#{:02}", shard(hash))];
                assert!(shard.contains(hash, seen.day), "{seen:?}");
                days.insert((hash, seen.day));
            }
        }
        // Besides two pages of the day before.
        assert_eq!(shards.values().map(SeenDays::len).sum::<usize>(), days.len() + 2);

        let lookup = sample(Kind::Lookup, format, "P#demo#SID#s_second", "v_person");
        let expected: (StoredOrder, Millis) = ((Millis(START + 2_000), "b0".parse().unwrap()), Millis(START));
        assert_eq!(read_packed::<(StoredOrder, Millis)>(&lookup).unwrap(), expected);
    }
}

/// A visitor of the samples with runs, and all that it remembers.
fn reader(name: &str) -> (Visitor, SeenDays) {
    let pk = format!("P#readers#V#{name}");
    let mut state: Visitor = read_packed(&sample(Kind::Visitor, Format::V3 as u8, &pk, "VISITOR")).unwrap();
    let was = state.clone();
    let mut memory = state.take_seen();
    for item in memory.items() {
        let key = keys::seen(&"readers".parse().unwrap(), &name.parse().unwrap(), item);
        memory.take_in(item, read_packed(&sample(Kind::SeenRun, Format::V3 as u8, &key.pk, &key.sk)).unwrap());
    }
    (was, memory.all())
}

#[test]
fn runs_of_what_a_visitor_remembers_are_read() {
    // 125 pages a session, a session a day.
    let pages = |sessions: std::ops::Range<i32>| {
        let mut pages = SeenDays::default();
        for page in sessions.start * 125..sessions.end * 125 {
            let (key, day) = (format!("/page/{page}"), today().plus(page / 125));
            let visitor = "v_reader".parse().unwrap();
            pages.insert(Seen { table: 0, key, day, visitor }.hash(Measure::Pages.name()), day);
        }
        pages
    };
    let (state, all) = reader("v_reader");
    assert_eq!((all, state.has_seen_more), (pages(0..3), false));
    assert_ne!(state.runs, SeenRuns::default());
    // Its last session is out of the figures, and one more.
    let (state, all) = reader("v_crawler");
    assert_eq!((all, state.recounting), (pages(1..3), true));
    // A state of the last release names none.
    let old: Visitor = read_packed(&sample(Kind::Visitor, Format::V3 as u8, &visitor("v_person"), "VISITOR")).unwrap();
    assert_eq!((old.runs, old.latest.dropped), (SeenRuns::default(), 0));
}

/// What the last release left in shards is remembered, counts no more if the visitor is a bot, and stays as it is.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_visitor_remembers_in_shards_goes_on_in_runs() {
    for format in Format::ALL {
        let stack = stack_of(&site(format)).await;
        let consumer = Consumer::new(stack.store().clone());
        let like = batches_of("v_person", "s_third").remove(0);
        let send = async |number: i64, bot_score: u8, pages: std::ops::Range<i64>| {
            let mut batch = like.clone();
            batch.batch_id = format!("more{number}").parse().unwrap();
            (batch.stored_at, batch.visitor.bot_score) = (batch.stored_at.plus(3_600_000 + number), bot_score);
            let view = |page: i64| Event {
                url: Some(format!("/page/{page}").into()),
                created_at: Millis(START + DAY_MS + page),
                ..like.events[0].clone()
            };
            batch.events = pages.map(view).collect();
            stack.store().put(batch_item(&batch)).await.unwrap();
            consumer.apply(BTreeMap::from([(demo(), vec![batch])])).await.complete().unwrap();
            let found = consumer.rebuild(&demo(), true, |_| {}).await.unwrap();
            // The samples' sessions are counted as they were before there was an audience.
            let is_later = |(measure, _): &(Measure, Day)| measure.since() > 1;
            assert!(found.figures.iter().all(is_later) && found.hours.is_empty(), "{found:?}");
        };
        // Some of the pages were seen the day before.
        send(1, 5, 1..30).await;
        send(2, 5, 20..120).await;
        let items = all_items(stack.store()).await;
        assert!(Kind::Seen.samples(format as u8).iter().all(|shard| items.contains(shard)));
        let is_run =
            |item: &&Item| kind_of(item) == Kind::SeenRun && read_text(item, PK).unwrap() == visitor("v_person");
        assert!(items.iter().any(|item| is_run(&item)));
        send(3, 90, 0..1).await;
        stack.shutdown().await;
    }
}

#[test]
fn the_tail_is_read() {
    for format in Format::ALL.map(|format| format as u8) {
        let item = sample(Kind::Manifest, format, "P#demo#TAIL", "MANIFEST");
        let manifest = Manifest::read(&item).unwrap();
        assert_eq!(read_number::<u64>(&item, REV).unwrap(), 2);
        assert_eq!(manifest.rounds.iter().map(|round| round.number).collect::<Vec<_>>(), [1, 2]);
        assert_eq!((manifest.round, manifest.shown, manifest.building), (2, Generation::FIRST, None));
        // What a rebuild says in it is read back, and the rounds stay.
        let building =
            manifest.begin_building(Millis(START), Millis(START + 1), 1).begin_building(Millis(START), Millis(9), 2);
        assert_eq!(Manifest::read(&building.to_item(&demo()).unwrap()).unwrap(), building);
        let shown = building.show_built(Millis(START + 2)).expunge(vec![today(), Day(3)]);
        let read = Manifest::read(&shown.to_item(&demo()).unwrap()).unwrap();
        assert_eq!((read.shown, read.building, read.stale.len()), (Generation(4), None, 2));
        assert_eq!(BTreeSet::from_iter(read.expunged), BTreeSet::from([today(), Day(3)]));
        for round in manifest.rounds {
            assert!(round.done_at.is_some());
            assert_eq!(round.segments.len(), 64);
            assert!(round.segments.iter().all(|id| keys::is_segment(id)), "{:?}", round.segments);
        }

        let mut delta = Delta::default();
        for item in Kind::Segment.samples(format) {
            let packed = PackedDelta::of(&item).unwrap();
            let whole = packed.unpack().unwrap();
            assert_eq!(
                (packed.sessions().unwrap(), packed.events().unwrap()),
                (whole.sessions.clone(), whole.events.clone())
            );
            delta.add_all(&whole);
        }
        let day = today().plus(1);
        let again = delta.counters.rows(Measure::Pages, day).unwrap();
        assert_eq!(again.row(0, "/again").get(0), 1);
        // It was added in one segment and taken out in another.
        assert_eq!(again.row(0, "/trap").get(0), 0);
        let hour = Millis(START + DAY_MS).hour();
        let sessions: Vec<_> =
            delta.sessions.0[&hour].iter().map(|(key, entry)| (key.session.as_str(), entry)).collect();
        assert_eq!(sessions.iter().map(|(id, _)| *id).collect::<Vec<_>>(), ["s_third", "s_trapped"]);
        assert_eq!(sessions[0].1.value.as_ref().unwrap().started_at, Millis(START + DAY_MS));
        assert_eq!(*sessions[1].1, Versioned { rev: 2, value: None });
        assert!(
            delta.events.0[&hour]
                .iter()
                .any(|(key, entry)| key.visitor.as_str() == "v_trapped" && entry.value.is_none())
        );
    }
}

#[test]
fn runs_are_read() {
    let hour_of = |round: u64| format!("15#{round:012}");
    for format in Format::ALL.map(|format| format as u8) {
        let read = |round| -> HourEntries<SessionRef, SessionEntry> {
            let pk = keys::runs(&demo(), Index::Sessions, today());
            read_packed(&sample(Kind::Run, format, &pk, &hour_of(round))).unwrap()
        };
        let entry = |entries: &HourEntries<SessionRef, SessionEntry>, id: &str| {
            entries.iter().find(|(key, _)| key.session.as_str() == id).unwrap().1.clone()
        };
        let first = read(1);
        assert_eq!(first.len(), 4);
        let Versioned { rev: 2, value: Some(second) } = entry(&first, "s_second") else { panic!("{first:?}") };
        let text = |text: &str| Some(text.to_owned());
        assert_eq!((second.started_at, second.next_day), (Millis(START), None));
        assert_eq!((second.url, second.browser_name, second.os), (text("/landing"), text("Firefox"), text("Linux")));
        assert_eq!(
            (second.geo_country, second.geo_country_code, second.geo_city),
            (text("Serbia"), text("RS"), text("Belgrade"))
        );
        assert!(second.ip.is_some() && entry(&first, "s_bot").value.is_some());
        let later = read(2);
        assert_eq!(entry(&later, "s_bot"), Versioned { rev: 2, value: None });
        assert_eq!(entry(&later, "s_filler1").value.unwrap().next_day, Some(today().plus(1)));

        let read = |round| -> HourEntries<BatchRef, BatchEntry> {
            let pk = keys::runs(&demo(), Index::Events, today());
            read_packed(&sample(Kind::Run, format, &pk, &hour_of(round))).unwrap()
        };
        let entry = |entries: &HourEntries<BatchRef, BatchEntry>, session: &str, batch: &str| {
            let is_it = |key: &BatchRef| (key.session.as_str(), key.batch.as_str()) == (session, batch);
            entries.iter().find(|(key, _)| is_it(key)).unwrap().1.clone()
        };
        let Versioned { value: Some(all), .. } = entry(&read(1), "s_second", "b0") else { panic!("it is listed") };
        let events: Vec<_> = all.events.iter().map(|(at, position, name)| (*at, *position, name.as_str())).collect();
        assert_eq!(events.len(), 11);
        assert_eq!(events[1], (410_000, 1, "rage_click"));
        assert_eq!(events[10], (500_000, 10, "custom_event"));
        let Versioned { value: Some(beat), .. } = entry(&read(1), "s_filler1", "b1") else { panic!("it is listed") };
        assert_eq!((beat.heartbeat, beat.events.len()), (Some(461_000), 0));
        assert_eq!(entry(&read(2), "s_bot", "b0"), Versioned { rev: 2, value: None });
    }
}

async fn rows_of_a_day<R>(stack: &Stack, project: &ProjectId, measure: Measure) -> Block<R>
where
    R: BlockRows + Debug,
{
    let range = DateRange::new(today(), today()).unwrap();
    match block::read(stack.store(), project, measure, Generation::FIRST, range, Reading::Strong).await.unwrap() {
        Found::Blocks(mut blocks) if blocks.len() == 1 => blocks.remove(0),
        found => panic!("{found:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn blocks_are_read_whole_and_in_parts() {
    for format in Format::ALL {
        let stack = stack_of(&site(format)).await;
        // The samples are as old as the first version of the measures.
        for measure in Measure::ALL.into_iter().filter(|measure| measure.since() == 1) {
            // They are two rounds old; what the second one did not touch, one.
            let block = rows_of_a_day::<Rows>(&stack, &demo(), measure).await;
            assert!((1..=2).contains(&block.round), "{measure:?}: {}", block.round);
            assert_ne!(block.rows, Rows::default(), "{measure:?}");
        }
        let large: ProjectId = "large".parse().unwrap();
        let block = rows_of_a_day::<Rows>(&stack, &large, Measure::Pages).await;
        assert_eq!(block.round, 3);
        let mut expected = Rows::default();
        for number in 0..20_u32 {
            expected.add(0, &format!("/{number}"), 0, i64::from(number) + 1);
        }
        assert_eq!(block.rows, expected);

        let flat = rows_of_a_day::<FlatRows>(&stack, &large, Measure::Pages).await;
        assert_eq!(flat.rows.to_rows(), expected);

        // It is no longer large: written again, it is one item, and in the current format.
        let new = NewBlock { round: 4, is_based: false, kept: Kept::default(), rows: expected.clone() };
        let (store, first) = (stack.store(), Generation::FIRST);
        assert!(block::write(store, &large, Measure::Pages, first, today(), Some(&block), new).await.unwrap());
        let items = stack.store().query(Query::partition(keys::blocks(&large, Measure::Pages.name()))).await.unwrap();
        let [head] = &items[..] else { panic!("{items:?}") };
        assert_eq!(read_binary(head, DATA).unwrap()[0], Format::CURRENT as u8);
        let block = rows_of_a_day::<Rows>(&stack, &large, Measure::Pages).await;
        assert_eq!((block.round, block.rows), (4, expected));
        stack.shutdown().await;
    }
}

#[test]
fn batches_are_read() {
    for format in Kind::Batch.formats() {
        let item = sample(Kind::Batch, format, &visitor("v_person"), "B#s_second#b0");
        let batch = Batch::from_item(&item).unwrap();
        let text = |text: &str| Some(text.to_owned());
        assert_eq!((batch.visitor_id.as_str(), batch.session_id.as_str()), ("v_person", "s_second"));
        assert_eq!((batch.batch_id.as_str(), batch.page), ("b0", text("/")));
        assert_eq!((batch.stored_at, batch.sent_at), (Millis(START + 2_000), Millis(START + 1_000)));
        assert_eq!(batch.visitor.aliases, ["ada", "ada@example.org"]);
        assert_eq!((batch.visitor.bot_score, batch.visitor.screen_width), (5, Some(1920)));
        assert_eq!((batch.session.started_at, batch.session.utm_source), (Millis(START), text("mail")));
        assert_eq!((batch.session.click_count, batch.session.max_scroll_depth), (Some(0), Some(50)));
        assert_eq!(batch.events.len(), 11);
        let event = &batch.events[9];
        assert_eq!((event.name.as_str(), event.created_at), ("web_vitals", Millis(START + 90_000)));
        let data: Value = serde_json::from_str(event.data.as_ref().unwrap().get()).unwrap();
        assert_eq!((&data["lcp"], &data["selector"]), (&json!(1_834.5), &json!("#buy")));
        let written = batch_item(&Batch::from_item(&item).unwrap());
        assert_eq!(written, sample(Kind::Batch, 3, &visitor("v_person"), "B#s_second#b0"));
    }
}

fn batch_item(batch: &Batch) -> Item {
    batch.to_item(&demo()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn attributes_are_read() {
    let stack = stack_of(&site(Format::CURRENT)).await;
    let store = stack.store();
    let stats = http::get(&stack.at("stats"), SECRET_KEY).await;
    stats.ok();
    assert_eq!(stats.header("ratelimit-policy"), "\"default\";q=1000;w=60");
    http::get(&stack.at("stats"), PUBLIC_KEY).await.error(401, "unauthorized");

    let sent = keyed(&page_view("v_new", "ses_new", "b_new", now()), PUBLIC_KEY);
    let post = |origin: &str| {
        let request = reqwest::Client::new().post(format!("{}{COLLECT}", stack.origin())).header("origin", origin);
        http::send(request.json(&sent))
    };
    assert_eq!(post("https://shop.example").await.status, 202);
    assert_eq!(post("https://other.example").await.status, 403);
    let project = sample(Kind::Project, 1, "PROJECTS", "demo");
    assert_eq!(read_texts(&project, HOSTS), ["shop.example"]);
    let listed = Kind::ListedKey.samples(1);
    let kinds: BTreeSet<&str> = listed.iter().map(|item| read_text(item, "kind").unwrap()).collect();
    assert_eq!(kinds, BTreeSet::from(["public", "secret"]));

    // Whose a session is is still known, and what the day calls its visitor.
    let visitor = Some("v_47b09854e67c4be81153a5da".parse().unwrap());
    assert_eq!(unnamed().visitor(store).await.unwrap(), visitor);
    let other = Unnamed::new(&demo(), &"s_other".parse().unwrap(), Millis(START));
    assert_eq!(Some(other.begin(store, name(store).await, Millis(START)).await.unwrap()), visitor);

    assert_eq!(spending::of_day(store, &demo(), today()).await.unwrap(), 1_234);

    // Whoever was erased stays away.
    let mut batch = batches_of("v_single", "s_single").remove(0);
    batch.visitor_id = "v_erased".parse().unwrap();
    store.put(batch_item(&batch)).await.unwrap();
    let consumer = Consumer::new(store.clone());
    consumer.apply(BTreeMap::from([(demo(), vec![batch.clone()])])).await.complete().unwrap();
    assert_eq!(store.get(&item_key(&batch_item(&batch)).unwrap(), Consistency::Strong).await.unwrap(), None);

    // Work on somebody who is no bot is done, and gone.
    let works = Kind::Work.samples(1).iter().map(|item| item_key(item).unwrap()).collect();
    consumer.resume(works).await.unwrap();
    assert_eq!(store.query(Query::partition(keys::works(&demo())).strong()).await.unwrap(), []);

    let pulse = Pulse::read(store).await.unwrap();
    assert!(pulse.may_have_missed(Millis(START + DAY_MS)));
    pulse.note_found(store, Millis(START + DAY_MS)).await.unwrap();
    let pulse = Pulse::read(store).await.unwrap();
    assert!(!pulse.may_have_missed(Millis(START + DAY_MS)));
    stack.shutdown().await;
}

/// The local stack's own notes, which it reads when it starts again.
#[test]
fn the_local_stack_finds_where_it_was() {
    let checkpoint = sample(Kind::Checkpoint, 1, "DEV", "CHECKPOINT");
    assert!(read_text(&checkpoint, "stream").unwrap().starts_with("arn:aws:dynamodb:"));
    let positions = checkpoint["positions"].as_m().unwrap();
    assert!(positions.iter().all(|(shard, at)| shard.starts_with("shardId-") && at.as_s().is_ok()), "{positions:?}");
    let demo_data = sample(Kind::Demo, 1, "DEV", "DEMO#demo");
    assert_eq!(read_number::<i64>(&demo_data, "until").unwrap(), START);
}

/// The API's answers do not depend on the format that they are read from, and both are what the batches say.
#[tokio::test(flavor = "multi_thread")]
async fn answers_are_the_same_from_either_format() {
    let mut all = Vec::new();
    for format in Format::ALL {
        let stack = stack_of(&site(format)).await;
        let answers = answers(&stack).await;
        let stats = &answers["/api/v1/stats"]["data"];
        assert_eq!((&stats["total_visitors"], &stats["total_sessions"]), (&json!(3), &json!(6)));
        assert_eq!((&stats["total_page_views"], &stats["total_events"]), (&json!(52), &json!(62)));
        assert_eq!(answers["/api/v1/insights/frustration"]["data"]["scores"][0]["score"], 40);
        assert_eq!(answers["/api/v1/metrics"]["data"]["web_vitals"]["lcp"]["p75"], 1834.5);
        assert_eq!(
            answers["/api/v1/pages"]["data"]["top_pages"][0],
            json!({ "url": "/", "views": 2, "unique_visitors": 2 })
        );
        let mut found = Consumer::new(stack.store().clone()).rebuild(&demo(), true, |_| {}).await.unwrap();
        found.figures.retain(|(measure, _)| measure.since() == 1);
        assert!(found.figures.is_empty() && found.hours.is_empty() && found.lookups == 0, "{found:?}");
        // Their sessions are counted with the measures of version 1, which here make no difference to the figures.
        let expected = ["v_bot", "v_filler", "v_person", "v_single", "v_trapped"];
        assert_eq!(found.visitors.iter().map(|visitor| visitor.as_str()).collect::<Vec<_>>(), expected);
        all.push(answers);
        stack.shutdown().await;
    }
    assert_eq!(all[0], all[1]);
}

/// What is changed is written in the current format, and nothing else is.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_touched_is_in_the_current_format() {
    let mut all = Vec::new();
    for format in Format::ALL {
        let items = site(format);
        let stack = stack_of(&items).await;
        let consumer = Consumer::new(stack.store().clone());
        for (visitor, session) in [("v_person", "s_third"), ("v_filler", "s_filler2"), ("v_single", "s_single")] {
            let like = batches_of(visitor, session).remove(0);
            for number in 0..25 {
                let mut batch = like.clone();
                batch.batch_id = format!("more{number}").parse().unwrap();
                batch.stored_at = batch.stored_at.plus(3_600_000 + number);
                batch.sent_at = batch.sent_at.plus(number * 1_000);
                stack.store().put(batch_item(&batch)).await.unwrap();
                consumer.apply(BTreeMap::from([(demo(), vec![batch])])).await.complete().unwrap();
            }
        }
        consumer.compact(&demo()).await.unwrap();

        let before: BTreeMap<_, _> = items.iter().map(|item| (item_key(item).unwrap(), item)).collect();
        let mut written = BTreeSet::new();
        for item in all_items(stack.store()).await {
            let (key, kind) = (item_key(&item).unwrap(), kind_of(&item));
            if !kind.formats().contains(&1) && before.get(&key).is_none_or(|was| **was != item) {
                assert_eq!(read_binary(&item, DATA).unwrap()[0], Format::CURRENT as u8, "{key:?}");
                written.extend(before.contains_key(&key).then_some(kind));
            }
        }
        let replaced = [Kind::Visitor, Kind::Manifest, Kind::Block];
        assert!(replaced.iter().all(|kind| written.contains(kind)), "{written:?}");
        all.push(answers(&stack).await);
        stack.shutdown().await;
    }
    assert_eq!(all[0], all[1]);
}

/// What is stored in an earlier format is counted on, merged, rebuilt and erased by a consumer that is stopped at any
/// write or never gets a first answer: what it leaves is readable, and whoever comes next makes of it what comes of it without faults.
#[test]
fn an_upgrade_may_stop_at_any_write() {
    let runtime = runtime();
    let more: Vec<Batch> = [("v_person", "s_third"), ("v_filler", "s_filler2"), ("v_single", "s_single")]
        .into_iter()
        .flat_map(|(visitor, session)| {
            let like = batches_of(visitor, session).remove(0);
            (0..3).map(move |number| {
                let mut batch = like.clone();
                batch.batch_id = format!("more{number}").parse().unwrap();
                batch.stored_at = batch.stored_at.plus(3_600_000 + number);
                batch.sent_at = batch.sent_at.plus(number * 1_000);
                batch
            })
        })
        .collect();
    let upgrade = async |consumer: &Consumer| {
        for batch in &more {
            consumer.apply(BTreeMap::from([(demo(), vec![batch.clone()])])).await.complete()?;
        }
        consumer.compact(&demo()).await?;
        consumer.rebuild(&demo(), false, |_| {}).await?;
        consumer.erase(&demo(), &"v_filler".parse().unwrap(), |_| {}).await
    };
    let begun = async || {
        let stack = stack_of(&site(Format::ALL[0])).await;
        for batch in &more {
            stack.store().put(batch_item(batch)).await.unwrap();
        }
        stack
    };
    let quick = |store: Store| Consumer::new(store).with_grace(Duration::from_millis(1));
    let expected = runtime.block_on(async {
        let stack = begun().await;
        upgrade(&quick(stack.store().clone())).await.unwrap();
        let answers = answers(&stack).await;
        stack.shutdown().await;
        answers
    });
    let stopped_at = (1..200_usize, 0..4_u8);
    holds(&runtime, 2, &stopped_at, async |(write, kind)| {
        let stack = begun().await;
        let schedule = match kind {
            0 => Schedule::From(write),
            1 => Schedule::Once { write, fault: Fault::InternalError },
            2 => Schedule::Once { write, fault: Fault::AnswerLost },
            _ => Schedule::FirstTries(Fault::AnswerLost),
        };
        let proxy = FaultyProxy::start(&stack.endpoint_url(), schedule).await.unwrap();
        let store = match schedule {
            Schedule::FirstTries(_) => stack.store_as_deployed(&proxy.url()).await,
            _ => stack.store_through(&proxy.url()).await,
        };
        let unsure = quick(store);
        let stopped = match schedule {
            Schedule::FirstTries(_) => until_done(async || upgrade(&unsure).await).await,
            _ => upgrade(&unsure).await.map_err(|error| error.to_string()),
        };
        if stopped.is_err() && (matches!(schedule, Schedule::FirstTries(_)) || proxy.writes() < write) {
            return Err(format!("{stopped:?}, and there was no fault"));
        }
        answers(&stack).await;
        let clean = quick(stack.store().clone());
        upgrade(&clean).await.map_err(|error| error.to_string())?;
        let (found, answered) = (clean.rebuild(&demo(), true, |_| {}).await.unwrap(), answers(&stack).await);
        stack.shutdown().await;
        match (found.is_empty(), answered == expected) {
            (true, true) => Ok(()),
            _ => {
                Err(format!("{stopped:?}: a rebuild finds {found:?}, answered is {answered:?}, expected {expected:?}"))
            }
        }
    });
}
