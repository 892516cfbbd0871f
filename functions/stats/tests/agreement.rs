//! The figures and the lists of a project agree with what was sent, page by page, whatever the order
//! and grouping in which it was counted.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use rollup::Consumer;
use serde_json::{Value, json};
use shared::app::App;
use shared::auth::{ApiKey, KIND, KeyKind, LIMIT, PROJECT};
use shared::ids::ProjectId;
use shared::keys;
use shared::model::{Batch, Event, SessionFacts, VisitorFacts};
use shared::store::{Store, key_item, number, text};
use shared::time::{Day, Millis};

const VISITORS: u64 = 40;
const DAYS: i64 = 12;
const HOUR_MS: i64 = 3_600_000;

/// A linear congruential generator (Knuth's MMIX constants): the same data in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}

/// A project with data, and the API's functions on it.
struct Site {
    app: App,
    key: ApiKey,
    sent: Vec<Batch>,
}

impl Site {
    async fn with(sent: Vec<Batch>) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(dynoxide::server::serve_on(listener, dynoxide::Database::memory().unwrap()));
        let store = Store::new(shared::app::client(Some(&endpoint)).await, "identity");
        shared::table::create(&store).await.unwrap();

        let project: ProjectId = "demo".parse().unwrap();
        let key = ApiKey::generate(KeyKind::Secret).unwrap();
        let mut item = key_item(&keys::api_key(&key.sha256()));
        item.insert(PROJECT.to_owned(), text(project.as_str()));
        item.insert(KIND.to_owned(), text(KeyKind::Secret.name()));
        item.insert(LIMIT.to_owned(), number(1_000_000));
        store.put(item).await.unwrap();

        let consumer = Consumer::new(store.clone());
        for batch in &sent {
            assert!(store.put_at(batch.to_item(&project).unwrap(), None).await.unwrap().is_stored());
        }
        for delivered in sent.chunks(3) {
            consumer.apply(BTreeMap::from([(project.clone(), delivered.to_vec())])).await.complete().unwrap();
        }
        Site { app: App::new(store), key, sent }
    }

    async fn get(&self, path: &str) -> (u16, Value) {
        let request = http::Request::get(format!("https://example.test/api/v1/{path}"))
            .header("authorization", format!("Bearer {}", self.key.reveal()))
            .body(lambda_http::Body::Empty)
            .unwrap();
        let (route, _) = shared::routes::find(request.uri().path()).unwrap();
        let (app, request) = (&self.app, &request);
        let response = match route.function {
            "visitors" => visitors::handle(app, request).await,
            "visitor" => visitor::handle(app, request).await,
            "sessions" => sessions::handle(app, request).await,
            "session" => session::handle(app, request).await,
            "events" => events::handle(app, request).await,
            "event-types" => event_types::handle(app, request).await,
            "stats" => stats::handle(app, request).await,
            "live" => live::handle(app, request).await,
            other => panic!("{other}"),
        };
        (response.status().as_u16(), serde_json::from_slice(response.body().as_ref()).unwrap())
    }

    async fn data(&self, path: &str) -> Value {
        let (status, body) = self.get(path).await;
        assert_eq!(status, 200, "{path}: {body}");
        body["data"].clone()
    }

    /// All rows of a list, page by page, as the values of a key.
    async fn list(&self, path: &str, key: &str) -> Vec<Value> {
        let (mut rows, mut page) = (Vec::new(), 1);
        loop {
            let join = if path.contains('?') { '&' } else { '?' };
            let (status, body) = self.get(&format!("{path}{join}limit=7&page={page}")).await;
            assert_eq!(status, 200, "{path}: {body}");
            rows.extend(body["data"].as_array().unwrap().iter().map(|row| row[key].clone()));
            if body["pagination"]["has_next"] == json!(false) {
                assert_eq!(body["pagination"]["total"], json!(rows.len()), "{path}");
                return rows;
            }
            page += 1;
        }
    }

    fn is_bot(&self, visitor: &str) -> bool {
        self.sent.iter().any(|batch| batch.visitor_id.as_str() == visitor && batch.visitor.bot_score > 40)
    }

    fn people(&self) -> impl Iterator<Item = &Batch> {
        self.sent.iter().filter(|batch| !self.is_bot(batch.visitor_id.as_str()))
    }

    /// The sessions of people, a batch of each, the newest start first.
    fn sessions(&self) -> Vec<&Batch> {
        let place = |batch: &&Batch| (batch.session.started_at, batch.session_id.clone(), batch.visitor_id.clone());
        let sessions: BTreeMap<_, &Batch> = self.people().map(|batch| (place(&batch), batch)).collect();
        sessions.into_values().rev().collect()
    }

    /// The visitors' last sessions of a range.
    fn visits(&self, range: (Day, Day)) -> Vec<&Batch> {
        let mut seen = BTreeSet::new();
        let started = self.sessions().into_iter().filter(|batch| within(range, batch.session.started_at));
        started.filter(|batch| seen.insert(batch.visitor_id.clone())).collect()
    }
}

fn within((start, end): (Day, Day), at: Millis) -> bool {
    start <= at.day() && at.day() <= end
}

/// The ids of events in the order of the list.
fn listed_events<'a>(batches: impl Iterator<Item = &'a Batch>, wanted: impl Fn(&Event) -> bool) -> Vec<Value> {
    let mut events: Vec<_> = batches
        .flat_map(|batch| batch.events.iter().zip(batch.event_ids()))
        .filter(|(event, _)| wanted(event))
        .map(|(event, id)| (event.created_at, id))
        .collect();
    events.sort_by_key(|place| Reverse(*place));
    events.into_iter().map(|(_, id)| json!(id)).collect()
}

fn history(now: Millis) -> Vec<Batch> {
    let mut random = Random(7);
    let mut sent = Vec::new();
    for visitor in 0..VISITORS {
        for session in 0..1 + random.below(5) {
            // Whole hours, so that starts and instants tie.
            let started_at = Millis(now.0 - HOUR_MS * random.below(24 * DAYS as u64 - 30) as i64).hour().start();
            for batch in 0..1 + random.below(3) {
                let at = started_at.plus(batch as i64 * 600_000);
                let names = ["page_view", "page_view", "rage_click", "my_event"];
                let events: Vec<Event> = (0..random.below(4))
                    .map(|_| Event {
                        name: names[random.below(4) as usize].to_owned(),
                        url: Some("/".to_owned()),
                        created_at: at.plus(60_000 * random.below(3) as i64),
                        data: serde_json::value::to_raw_value(&json!({"of": visitor})).ok(),
                    })
                    .collect();
                sent.push(Batch {
                    visitor_id: format!("v{visitor}").parse().unwrap(),
                    session_id: format!("s{session}").parse().unwrap(),
                    batch_id: format!("b{batch}").parse().unwrap(),
                    stored_at: now,
                    sent_at: at,
                    page: None,
                    visitor: VisitorFacts {
                        bot_score: if visitor % 9 == 4 && batch == 1 { 90 } else { 5 },
                        aliases: vec![format!("user {visitor}")],
                        browser_name: Some(["Chrome", "Firefox"][(visitor + session) as usize % 2].to_owned()),
                        os: Some("Linux".to_owned()),
                        geo_country_code: (session != 1).then(|| "RS".to_owned()),
                        geo_city: (visitor % 3 == 0).then(|| "Niš".to_owned()),
                        ..VisitorFacts::default()
                    },
                    session: SessionFacts {
                        started_at,
                        url: Some(format!("/Landing/{}", session % 2)),
                        referrer: None,
                        utm_source: None,
                        utm_medium: None,
                        utm_campaign: None,
                        utm_term: None,
                        utm_content: None,
                        click_count: Some(batch as u32),
                        max_scroll_depth: None,
                    },
                    events,
                });
            }
        }
    }
    for position in (1..sent.len()).rev() {
        sent.swap(position, random.below(position as u64 + 1) as usize);
    }
    for (position, batch) in sent.iter_mut().enumerate() {
        batch.stored_at = now.plus(position as i64);
    }
    sent
}

#[tokio::test]
async fn lists_and_figures_agree_with_what_was_sent() {
    let now = Millis::now();
    let site = Site::with(history(now)).await;
    let today = now.day();
    for (start, end) in [(30, 0), (9, 3), (6, 6), (400, 20)] {
        let range = (today.plus(-start), today.plus(-end));
        let dates = format!("start_date={}&end_date={}", range.0, range.1);
        // Twice, as the second time is read ahead.
        for _ in 0..2 {
            visitors_agree(&site, range, &dates).await;
            sessions_agree(&site, range, &dates).await;
            events_agree(&site, range, &dates).await;
        }
        figures_agree(&site, range, &dates, today).await;
    }
}

async fn visitors_agree(site: &Site, range: (Day, Day), dates: &str) {
    let expect = |wanted: &dyn Fn(&Batch) -> bool| -> Vec<Value> {
        let visits = site.visits(range).into_iter().filter(|visit| wanted(visit));
        visits.map(|visit| json!(visit.visitor_id.as_str())).collect()
    };
    let list = async |filter: &str| site.list(&format!("visitors?{dates}{filter}"), "visitor_id").await;
    assert_eq!(list("").await, expect(&|_| true), "{dates}");
    let firefox = |visit: &Batch| visit.visitor.browser_name.as_deref() == Some("Firefox");
    let serbian = |visit: &Batch| visit.visitor.geo_country_code.is_some();
    assert_eq!(list("&browser=FIREFOX").await, expect(&firefox), "{dates}");
    assert_eq!(list("&country=rs&browser=firefox").await, expect(&|v| firefox(v) && serbian(v)), "{dates}");
    let found = |visit: &Batch| visit.visitor.geo_city.is_some() || visit.visitor_id.as_str().contains('š');
    assert_eq!(list("&search=N%C4%B0%C5%A0").await, Vec::<Value>::new());
    assert_eq!(list("&search=NI%C5%A0").await, expect(&found), "{dates}");
    assert_eq!(list("&search=ni%C5%A1&browser=firefox").await, expect(&|v| found(v) && firefox(v)), "{dates}");
    assert_eq!(list("&search=v1").await, expect(&|v| v.visitor_id.as_str().starts_with("v1")), "{dates}");
}

async fn sessions_agree(site: &Site, range: (Day, Day), dates: &str) {
    let id = |batch: &Batch| json!([batch.visitor_id.as_str(), batch.session_id.as_str()]);
    let expect = |wanted: &dyn Fn(&Batch) -> bool| -> Vec<Value> {
        let started = site.sessions().into_iter().filter(|batch| within(range, batch.session.started_at));
        started.filter(|batch| wanted(batch)).map(id).collect()
    };
    let list = async |filter: &str| {
        let path = format!("sessions?{dates}{filter}");
        let (visitors, sessions) = (site.list(&path, "visitor_id").await, site.list(&path, "session_id").await);
        visitors.into_iter().zip(sessions).map(|(visitor, session)| json!([visitor, session])).collect::<Vec<_>>()
    };
    let landed = |batch: &Batch| batch.session.url.as_deref() == Some("/Landing/1");
    assert_eq!(list("").await, expect(&|_| true), "{dates}");
    assert_eq!(list("&url=landing/1").await, expect(&landed), "{dates}");
    let of_v6 = |batch: &Batch| batch.visitor_id.as_str() == "v6";
    assert_eq!(list("&visitor_id=v6").await, expect(&of_v6), "{dates}");
    assert_eq!(list("&visitor_id=v6&url=LANDING/1").await, expect(&|b| of_v6(b) && landed(b)), "{dates}");
    assert_eq!(list("&visitor_id=v").await, Vec::<Value>::new());
    assert_eq!(list("&visitor_id=%23").await, Vec::<Value>::new());
}

async fn events_agree(site: &Site, range: (Day, Day), dates: &str) {
    let list = async |filter: &str| site.list(&format!("events?{dates}{filter}"), "id").await;
    let on_day = |event: &Event| within(range, event.created_at);
    assert_eq!(list("").await, listed_events(site.people(), on_day), "{dates}");
    let rage = |event: &Event| on_day(event) && event.name == "rage_click";
    assert_eq!(list("&type=rage_click").await, listed_events(site.people(), rage), "{dates}");
    let stored_first = site.sent.iter().find(|batch| batch.session_id.as_str() == "s0").unwrap();
    for visitor in ["v6", "v4", stored_first.visitor_id.as_str()] {
        let own = || site.sent.iter().filter(|batch| batch.visitor_id.as_str() == visitor);
        assert_eq!(list(&format!("&visitor_id={visitor}")).await, listed_events(own(), on_day), "{dates}");
        // A session's id stands for the one that was stored first, whoever had it.
        let first =
            own().filter(|b| b.session_id == stored_first.session_id && b.visitor_id == stored_first.visitor_id);
        let filter = format!("&visitor_id={visitor}&session_id=s0&type=rage_click");
        assert_eq!(list(&filter).await, listed_events(first, rage), "{dates}");
    }
    let own = site
        .sent
        .iter()
        .filter(|batch| batch.session_id == stored_first.session_id && batch.visitor_id == stored_first.visitor_id);
    assert_eq!(list("&session_id=s0").await, listed_events(own, on_day), "{dates}");
}

async fn figures_agree(site: &Site, range: (Day, Day), dates: &str, today: Day) {
    let sessions: Vec<_> =
        site.sessions().into_iter().filter(|batch| within(range, batch.session.started_at)).collect();
    let batches_of = |session: &Batch| {
        let own = |batch: &&Batch| (&batch.visitor_id, &batch.session_id) == (&session.visitor_id, &session.session_id);
        site.sent.iter().filter(own).collect::<Vec<_>>()
    };
    let events: Vec<&Event> =
        site.people().flat_map(|batch| &batch.events).filter(|event| within(range, event.created_at)).collect();
    let views = |session: &Batch| {
        batches_of(session).into_iter().flat_map(|batch| &batch.events).filter(|event| event.is_page_view()).count()
    };
    let duration = |session: &Batch| {
        let last = batches_of(session).into_iter().map(Batch::last_instant).max().unwrap();
        (last.0 - session.session.started_at.0).max(0)
    };
    let firsts = site.visits(range).into_iter().filter(|visit| {
        let mut own = site.sessions().into_iter().filter(|session| session.visitor_id == visit.visitor_id);
        within(range, own.next_back().unwrap().session.started_at)
    });
    let (count, new) = (site.visits(range).len(), firsts.count());
    let page_views = events.iter().filter(|event| event.is_page_view()).count();
    let tenths = |part: usize, whole: usize, by: f64| match whole {
        0 => 0.0,
        _ => (part as f64 / whole as f64 * by * 10.0 + 0.5).floor() / 10.0,
    };
    let bounced = sessions.iter().filter(|session| views(session) <= 1).count();
    let total: i64 = sessions.iter().map(|session| duration(session)).sum();
    let mean = if sessions.is_empty() { 0.0 } else { (total as f64 / sessions.len() as f64 + 0.5).floor() };

    let mut answered = site.data(&format!("stats?{dates}&interval=day")).await;
    let series = answered.as_object_mut().unwrap().remove("series").unwrap();
    let expected = json!({
        "total_visitors": count, "new_visitors": new, "returning_visitors": count - new,
        "total_sessions": sessions.len(), "total_page_views": page_views, "total_events": events.len(),
        "bounce_rate": tenths(bounced, sessions.len(), 100.0), "avg_session_duration_ms": mean as i64,
        "avg_pages_per_session": tenths(page_views, sessions.len(), 1.0),
        "period": {"start_date": range.0.to_string(), "end_date": range.1.to_string()},
    });
    assert_eq!(answered, expected, "{dates}");

    let instants = site
        .sent
        .iter()
        .flat_map(|batch| batch.events.iter().map(|event| event.created_at).chain([batch.session.started_at]));
    let first = instants.min().unwrap().day().max(range.0);
    let days = (first.0..=range.1.min(today).0).map(|day| {
        let day = Day(day);
        let on_day = |at: Millis| within((day, day), at);
        let events = events.iter().filter(|event| on_day(event.created_at));
        json!({
            "date": day.to_string(), "visitors": site.visits((day, day)).len(),
            "sessions": sessions.iter().filter(|session| on_day(session.session.started_at)).count(),
            "page_views": events.clone().filter(|event| event.is_page_view()).count(), "events": events.count(),
        })
    });
    assert_eq!(series, Value::Array(days.collect()), "{dates}");

    let mut types: BTreeMap<&str, usize> = BTreeMap::new();
    events.iter().for_each(|event| *types.entry(&event.name).or_default() += 1);
    let mut types: Vec<_> = types.into_iter().collect();
    types.sort_by_key(|(_, count)| Reverse(*count));
    let types: Vec<_> = types.into_iter().map(|(name, count)| json!({"name": name, "count": count})).collect();
    assert_eq!(site.data(&format!("events/types?{dates}")).await, json!(types), "{dates}");
}

#[tokio::test]
async fn details_show_bots_too_and_nothing_that_is_unknown() {
    let site = Site::with(history(Millis::now())).await;
    for id in ["v4", "v6"] {
        let own = || site.sent.iter().filter(|batch| batch.visitor_id.as_str() == id);
        let visitor = site.data(&format!("visitors/{id}")).await;
        let mut events = listed_events(own(), |_| true);
        events.truncate(100);
        let shown: Vec<_> = visitor["events"].as_array().unwrap().iter().map(|event| event["id"].clone()).collect();
        assert_eq!(shown, events);
        assert_eq!(visitor["aliases"], json!([format!("user {}", &id[1..])]));
        assert_eq!(visitor["events"][0]["data"], json!({"of": id[1..].parse::<u64>().unwrap()}));
        let sessions: BTreeSet<_> =
            own().map(|batch| (batch.session.started_at.0, batch.session_id.to_string())).collect();
        let shown: Vec<_> = visitor["sessions"].as_array().unwrap().iter().map(|s| s["session_id"].clone()).collect();
        assert_eq!(shown, sessions.iter().rev().map(|(_, id)| json!(id)).collect::<Vec<_>>());
        assert_eq!(visitor["visit_count"], json!(sessions.len()));
        assert_eq!(visitor["bot_score"].as_u64().unwrap() > 40, site.is_bot(id));
    }
    assert!(site.is_bot("v4"));
    let session = site.data("sessions/s0").await;
    let first = site.sent.iter().find(|batch| batch.session_id.as_str() == "s0").unwrap();
    assert_eq!(session["visitor_id"], json!(first.visitor_id.as_str()));
    let instants: Vec<_> =
        session["events"].as_array().unwrap().iter().map(|event| event["created_at"].as_i64().unwrap()).collect();
    assert!(instants.is_sorted());
    assert_eq!(session["event_count"], json!(instants.len()));
    for path in ["visitors/nobody", "visitors/%20", "sessions/none", "sessions/a%23b"] {
        let (status, body) = site.get(path).await;
        assert_eq!((status, &body["error"]["code"]), (404, &json!("not_found")), "{path}");
    }
}

#[tokio::test]
async fn whoever_gave_a_sign_of_life_is_live() {
    let now = Millis::now();
    let mut sent = history(now.plus(-24 * HOUR_MS));
    for (position, minutes) in [(0, 2), (1, 1), (2, 7)] {
        let batch: &mut Batch = &mut sent[position];
        batch.visitor_id = format!("live{position}").parse().unwrap();
        batch.page = Some("/now".to_owned());
        batch.events.clear();
        batch.visitor.bot_score = 0;
        batch.sent_at = now.plus(-60_000 * minutes);
    }
    let expected: Vec<_> = [1, 0, 2].iter().map(|at| json!([format!("live{at}"), sent[*at].sent_at.0])).collect();
    let site = Site::with(sent).await;
    for (query, count) in [("", 2), ("?threshold_minutes=10", 3)] {
        let (_, body) = site.get(&format!("live{query}")).await;
        assert_eq!(body["count"], json!(count));
        let rows = body["data"].as_array().unwrap();
        assert!(rows.iter().all(|row| row["current_page"] == json!("/now")));
        let listed: Vec<_> = rows.iter().map(|row| json!([row["visitor_id"], row["last_seen_at"]])).collect();
        assert_eq!(listed, expected[..count]);
    }
}

/// A type that came after so many others that the day counts it as one of them.
#[tokio::test]
async fn a_type_is_found_on_a_day_of_too_many_types() {
    let now = Millis::now();
    let template = history(now).swap_remove(0);
    let batch = |number: usize, names: Vec<String>| {
        let event = |name| Event { name, url: None, created_at: now.plus(number as i64), data: None };
        Batch {
            batch_id: format!("b{number}").parse().unwrap(),
            visitor_id: "v".parse().unwrap(),
            stored_at: now.plus(number as i64),
            visitor: VisitorFacts::default(),
            events: names.into_iter().map(event).collect(),
            ..template.clone()
        }
    };
    let mut sent: Vec<Batch> =
        (0..25).map(|number| batch(number, (0..100).map(|name| format!("t{number}_{name}")).collect())).collect();
    sent.push(batch(25, vec!["zebra".to_owned(), "zebra".to_owned()]));
    let site = Site::with(sent).await;
    let types = site.data("events/types").await;
    assert!(types.as_array().unwrap().iter().any(|row| row["name"] == json!("(other)")));
    assert_eq!(site.list("events?type=zebra", "name").await, [json!("zebra"), json!("zebra")]);
    assert_eq!(site.list("events?type=%28other%29", "name").await, Vec::<Value>::new());
    assert_eq!(site.list("events?type=t3_7", "name").await, [json!("t3_7")]);
}
