//! What the endpoints of rankings answer, against figures worked out by hand, with what turned out to be a bot's taken out
//! again.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;

use counting::Consumer;
use figures::generation::Generation;
use figures::ids::ProjectId;
use figures::measures::Measure;
use figures::model::{Batch, Event, SessionFacts, VisitorFacts};
use figures::site::HostPattern;
use figures::table::keys;
use figures::table::store::Consistency;
use figures::time::{Day, Millis};
use serde_json::{Value, json};
use shared::auth::KeyKind;
use shared::projects::{self, Settings};
use tests::http::get;
use tests::stack::{Counting, Stack};

/// More batches than a tail holds before it is compacted.
const ENOUGH_TO_COMPACT: usize = 80;

/// A project, counted by the test.
struct Site {
    stack: Stack,
    id: ProjectId,
    key: String,
    consumer: Consumer,
}

impl Site {
    async fn new() -> Self {
        let stack = Stack::start(Counting::ByTest).await;
        let id: ProjectId = "shop".parse().unwrap();
        let settings = Settings { hosts: vec![HostPattern::stored("shop.example")], ..Settings::default() };
        assert!(projects::create(stack.store(), &id, &settings, Millis::now()).await.unwrap().is_some());
        let key = stack.key(&id, KeyKind::Secret, Some(1_000_000)).await;
        Site { consumer: Consumer::new(stack.store().clone()), stack, id, key }
    }

    async fn store(&self, batches: &[Batch]) {
        for batch in batches {
            assert!(self.stack.store().put_at(batch.to_item(&self.id).unwrap(), None).await.unwrap().is_stored());
        }
    }

    /// Counts batches, each delivered alone.
    async fn count(&self, batches: &[Batch]) {
        for batch in batches {
            self.consumer.apply(BTreeMap::from([(self.id.clone(), vec![batch.clone()])])).await.complete().unwrap();
        }
    }

    /// Counts what is no person's, until the tail is merged into blocks.
    async fn compact(&self, session: &str) {
        let noise = |number: usize| {
            let started_at = at(5, 1, 0);
            bot(batch("noise", session, &number.to_string(), started_at, vec![page_view(started_at, "/noise")]))
        };
        let noise: Vec<Batch> = (0..ENOUGH_TO_COMPACT).map(noise).collect();
        self.store(&noise).await;
        self.count(&noise).await;
        self.consumer.compact(&self.id).await.unwrap();
        let block = keys::block(&self.id, Measure::Pages.name(), Generation::FIRST, day(1));
        assert!(self.stack.store().get(&block, Consistency::Strong).await.unwrap().is_some());
    }

    /// What an endpoint answers for the days from one to another.
    async fn data(&self, path: &str, days: (i32, i32)) -> Value {
        let join = if path.contains('?') { '&' } else { '?' };
        let query = format!("{path}{join}start_date={}&end_date={}", day(days.0), day(days.1));
        let answer = get(&self.stack.at(&query), &self.key).await;
        let body = answer.json();
        assert_eq!((answer.status.as_u16(), body.as_object().unwrap().len()), (200, 1), "{path}: {body}");
        body["data"].clone()
    }
}

/// The days of the test: 1 to 5.
fn day(number: i32) -> Day {
    "2025-03-09".parse::<Day>().unwrap().plus(number)
}

/// An instant of a day: its hour, and seconds after that.
fn at(of: i32, hour: i64, seconds: i64) -> Millis {
    day(of).start().plus(hour * 3_600_000 + seconds * 1_000)
}

fn event(name: &str, at: Millis, url: &str, data: Value) -> Event {
    let data = serde_json::value::to_raw_value(&data).ok();
    Event { name: name.to_owned(), url: Some(url.into()), created_at: at, data }
}

fn page_view(at: Millis, url: &str) -> Event {
    event("page_view", at, url, json!({}))
}

fn batch(visitor: &str, session: &str, id: &str, started_at: Millis, events: Vec<Event>) -> Batch {
    Batch {
        visitor_id: visitor.parse().unwrap(),
        session_id: session.parse().unwrap(),
        batch_id: id.parse().unwrap(),
        stored_at: started_at,
        sent_at: started_at,
        page: None,
        visitor: VisitorFacts::default(),
        session: SessionFacts { started_at, ..SessionFacts::default() },
        events,
    }
}

fn bot(mut batch: Batch) -> Batch {
    batch.visitor.bot_score = 90;
    batch
}

fn from(mut batch: Batch, referrer: Option<&str>, [source, medium, campaign]: [Option<&str>; 3]) -> Batch {
    let owned = |text: Option<&str>| text.map(str::to_owned);
    batch.session.referrer = owned(referrer);
    batch.session.utm_source = owned(source);
    batch.session.utm_medium = owned(medium);
    batch.session.utm_campaign = owned(campaign);
    batch
}

/// What people sent. Every figure of this test follows from it.
fn people() -> Vec<Batch> {
    let late_evening = at(1, 23, 58 * 60);
    let a1 = vec![
        page_view(late_evening, "/"),
        // A second later: a rapid navigation.
        page_view(late_evening.plus(1_000), "/pricing"),
    ];
    // After midnight, still in the session of the day before.
    let a1_later = vec![
        page_view(at(2, 0, 30), "/pricing"),
        event("rage_click", at(2, 0, 31), "/pricing", json!({"selector": "#buy"})),
        event("rage_click", at(2, 0, 32), "/pricing", json!({"selector": "#buy"})),
        page_view(at(2, 0, 60), "/signup"),
    ];
    let a2 = vec![
        page_view(at(3, 10, 0), "/"),
        event("js_exception", at(3, 10, 5), "/", json!({"message": "boom"})),
        event("phantom_click", at(3, 10, 6), "/", json!({"selector": "#gone"})),
        event("form_abandon", at(3, 10, 7), "/signup", json!({"form": "signup", "last_field": "name"})),
        event("reading_behavior", at(3, 10, 8), "/", json!({"scroll_depth": "deep"})),
        event("seo_diagnostics", at(3, 10, 8), "/", json!({"title": "Home", "issues": ["no_title"]})),
        event("web_vitals", at(3, 10, 9), "/", json!({"lcp": 4001, "cls": 0.3})),
        event("web_vitals", at(3, 10, 9), "/", json!({"lcp": 100})),
    ];
    let b1 = vec![
        page_view(at(1, 12, 0), "/"),
        event("promise_rejection", at(1, 12, 60), "/", json!({"message": "x".repeat(300)})),
        event("console_error", at(1, 12, 90), "/", json!({"message": "late"})),
        event("dead_click", at(1, 12, 91), "/docs", json!({"selector": "#logo"})),
        event("dead_click", at(1, 12, 92), "/docs", json!({"selector": "#logo"})),
        event("rage_click", at(1, 12, 93), "/pricing", json!({"selector": "#buy"})),
        page_view(at(1, 12, 300), "/docs"),
    ];
    // Sent after the page view that follows.
    let b1_between = vec![
        page_view(at(1, 12, 120), "/pricing"),
        event(
            "form_abandon",
            at(1, 12, 130),
            "/signup",
            json!({"form": "signup", "last_field": "name", "time_spent_ms": 500}),
        ),
        event(
            "field_hesitation",
            at(1, 12, 131),
            "/signup",
            json!({"form": "signup", "field": "name", "hesitation_ms": 100}),
        ),
        event(
            "reading_behavior",
            at(1, 12, 140),
            "/docs",
            json!({"scroll_depth": 71, "active_time_ms": 2001, "total_time_ms": 4000}),
        ),
        event("seo_diagnostics", at(1, 12, 150), "/", json!({"title_length": 4, "issues": ["no_h1", "no_title"]})),
        event("web_vitals", at(1, 12, 160), "/", json!({"lcp": 2500, "cls": 0.1, "fid": "slow"})),
    ];
    let c1 = vec![
        event("js_exception", at(2, 9, 10), "/docs", json!({"message": "boom"})),
        event("js_exception", at(2, 9, 11), "/docs", json!({"message": "boom"})),
        event("console_warning", at(2, 9, 12), "/docs", json!({"message": 7})),
        event("rage_click", at(2, 9, 13), "/docs", json!({})),
        event("dead_click", at(2, 9, 13), "/", json!({"selector": "#logo"})),
        event("dead_click", at(2, 9, 14), "/", json!({"selector": "#logo"})),
        event(
            "form_abandon",
            at(2, 9, 15),
            "/signup",
            json!({"form": "signup", "last_field": "email", "time_spent_ms": 1500.5}),
        ),
        event("form_abandon", at(2, 9, 16), "/docs", json!({})),
        event(
            "field_hesitation",
            at(2, 9, 17),
            "/signup",
            json!({"form": "signup", "field": "email", "hesitation_ms": 700}),
        ),
        event(
            "field_hesitation",
            at(2, 9, 17),
            "/signup",
            json!({"form": "signup", "field": "email", "hesitation_ms": 801}),
        ),
        event(
            "reading_behavior",
            at(2, 9, 18),
            "/docs",
            json!({"scroll_depth": 80, "active_time_ms": 1000, "total_time_ms": 4000, "scroll_velocity": 1.25}),
        ),
        event(
            "seo_diagnostics",
            at(2, 9, 19),
            "/docs",
            json!({"images_missing_alt": 3, "h1_count": 1, "meta_description_length": 0, "issues": ["alt", "no_title"]}),
        ),
        event("web_vitals", at(2, 9, 20), "/docs", json!({"lcp": 2501.5, "ttfb": 900})),
    ];
    let google = Some("https://www.google.com/");
    vec![
        from(batch("b", "1", "1", at(1, 12, 0), b1), google, [Some("google"), Some("cpc"), None]),
        from(batch("b", "1", "2", at(1, 12, 0), b1_between), google, [Some("google"), Some("cpc"), None]),
        from(batch("a", "1", "1", late_evening, a1), google, [None; 3]),
        from(batch("a", "1", "2", late_evening, a1_later), google, [None; 3]),
        from(batch("c", "1", "1", at(2, 9, 0), c1), Some("https://www.shop.example/cart"), [None; 3]),
        from(batch("a", "2", "1", at(3, 10, 0), a2), None, [Some("newsletter"), Some("email"), Some("spring")]),
    ]
}

/// What someone sent who seemed to be a person, in two sessions, and what gave it away.
fn impostor() -> (Vec<Batch>, Batch) {
    let suffered = |of: i32| {
        vec![
            page_view(at(of, 11, 0), "/"),
            page_view(at(of, 11, 1), "/pricing"),
            event("js_exception", at(of, 11, 2), "/trap", json!({"message": "boom"})),
            event("rage_click", at(of, 11, 3), "/pricing", json!({"selector": "#buy"})),
            event("dead_click", at(of, 11, 3), "/", json!({"selector": "#logo"})),
            event("phantom_click", at(of, 11, 3), "/", json!({"selector": "#gone"})),
            event(
                "form_abandon",
                at(of, 11, 4),
                "/signup",
                json!({"form": "signup", "last_field": "zip", "time_spent_ms": 9}),
            ),
            event(
                "field_hesitation",
                at(of, 11, 4),
                "/signup",
                json!({"form": "signup", "field": "email", "hesitation_ms": 9}),
            ),
            event(
                "reading_behavior",
                at(of, 11, 5),
                "/docs",
                json!({"scroll_depth": 1, "active_time_ms": 1, "total_time_ms": 1, "scroll_velocity": 1}),
            ),
            event("seo_diagnostics", at(of, 11, 6), "/", json!({"issues": ["trap"]})),
            event(
                "web_vitals",
                at(of, 11, 7),
                "/",
                json!({"lcp": 1, "inp": 1, "fid": 1, "cls": 1, "fcp": 1, "ttfb": 1}),
            ),
        ]
    };
    let tags = [Some("trap"), Some("trap"), Some("trap")];
    let session =
        |id: &str, of| from(batch("z", id, "1", at(of, 11, 0), suffered(of)), Some("https://trap.example"), tags);
    let given_away = bot(batch("z", "2", "2", at(3, 11, 0), vec![page_view(at(3, 11, 30), "/")]));
    (vec![session("1", 2), session("2", 3)], given_away)
}

#[tokio::test]
async fn figures_are_those_of_people_and_of_no_bot() {
    let (people, (seeming, given_away)) = (people(), impostor());
    let site = Site::new().await;
    site.store(&people).await;
    site.store(&seeming).await;
    site.store(std::slice::from_ref(&given_away)).await;
    site.count(&people[..4]).await;
    site.count(&seeming).await;
    site.compact("1").await;
    site.count(&people[4..]).await;

    let home = json!({"url": "/", "views": 5, "unique_visitors": 3});
    assert_eq!(site.data("pages", (1, 5)).await["top_pages"][0], home);
    let listed = site.data("insights/frustration", (1, 5)).await["scores"].as_array().unwrap().len();
    assert_eq!(listed, 4);
    assert_eq!(site.data("insights/seo", (1, 5)).await["issues"][1], json!({"issue": "no_title", "pages": 1}));

    site.count(&[given_away]).await;
    all_agrees(&site).await;
    site.compact("2").await;
    all_agrees(&site).await;
    site.stack.shutdown().await;
}

async fn all_agrees(site: &Site) {
    pages_agree(site).await;
    frustration_agrees(site).await;
    errors_agree(site).await;
    clicks_agree(site).await;
    seo_agrees(site).await;
    journeys_agree(site).await;
    reading_agrees(site).await;
    forms_agree(site).await;
    acquisition_agrees(site).await;
    metrics_agree(site).await;
}

fn page(url: &str, views: u64, unique_visitors: u64) -> Value {
    json!({"url": url, "views": views, "unique_visitors": unique_visitors})
}

async fn pages_agree(site: &Site) {
    for (days, avg, pages) in [
        ((1, 5), 2.0, vec![page("/", 3, 2), page("/pricing", 3, 2), page("/docs", 1, 1), page("/signup", 1, 1)]),
        // `a` comes back to `/` after the end of the range.
        ((1, 2), 2.3, vec![page("/pricing", 3, 2), page("/", 2, 2), page("/docs", 1, 1), page("/signup", 1, 1)]),
        ((2, 2), 2.0, vec![page("/pricing", 1, 1), page("/signup", 1, 1)]),
        ((4, 5), 0.0, vec![]),
    ] {
        let expected = json!({"top_pages": pages, "avg_pages_per_session": avg});
        assert_eq!(site.data("pages", days).await, expected, "{days:?}");
    }
}

async fn frustration_agrees(site: &Site) {
    let row = |visitor: &str, score, [rage, dead, errors, abandons, rapid]: [u64; 5]| {
        json!({"visitor_id": visitor, "score": score, "rage_clicks": rage, "dead_clicks": dead, "errors": errors,
            "form_abandons": abandons, "rapid_navigations": rapid})
    };
    let c = row("c", 58, [1, 2, 2, 2, 0]);
    let b = row("b", 38, [1, 2, 1, 1, 0]);
    for (days, scores, average) in [
        ((1, 5), vec![c.clone(), row("a", 46, [2, 0, 1, 1, 1]), b.clone()], 47.3),
        ((1, 1), vec![b.clone(), row("a", 6, [0, 0, 0, 0, 1])], 22.0),
        ((2, 3), vec![c.clone(), row("a", 40, [2, 0, 1, 1, 0])], 49.0),
        ((4, 5), vec![], 0.0),
    ] {
        let average = json!({"avg_score": average, "visitor_count": scores.len()});
        let expected = json!({"scores": scores, "average": average});
        assert_eq!(site.data("insights/frustration", days).await, expected, "{days:?}");
    }
}

async fn errors_agree(site: &Site) {
    let row = |name: &str, message: Value, [count, visitors]: [u64; 2], [first, last]: [Millis; 2], url: &str| {
        json!({"type": name, "message": message, "count": count, "unique_visitors": visitors,
            "first_seen_at": first.0, "last_seen_at": last.0, "url": url})
    };
    let once = |name, message, at, url| row(name, message, [1, 1], [at, at], url);
    let others = [
        once("console_error", json!("late"), at(1, 12, 90), "/"),
        once("console_warning", json!(null), at(2, 9, 12), "/docs"),
        once("promise_rejection", json!("x".repeat(256)), at(1, 12, 60), "/"),
    ];
    let boom = |counts, last, url| row("js_exception", json!("boom"), counts, [at(2, 9, 10), last], url);
    let with_others = |boom| std::iter::once(boom).chain(others.clone()).collect::<Vec<_>>();
    let all = with_others(boom([3, 2], at(3, 10, 5), "/"));
    assert_eq!(site.data("insights/errors", (1, 5)).await, json!(all));
    let before = with_others(boom([2, 1], at(2, 9, 11), "/docs"));
    assert_eq!(site.data("insights/errors", (1, 2)).await, json!(before));
    assert_eq!(site.data("insights/errors", (4, 5)).await, json!([]));
}

async fn clicks_agree(site: &Site) {
    let row = |selector: Value, url: &str, count, visitors| json!({"selector": selector, "url": url, "count": count, "unique_visitors": visitors});
    let (buy, logo) = (json!("#buy"), json!("#logo"));
    let expected = json!({
        "rage_clicks": [row(buy.clone(), "/pricing", 3, 2), row(json!(null), "/docs", 1, 1)],
        "dead_clicks": [row(logo.clone(), "/", 2, 1), row(logo.clone(), "/docs", 2, 1)],
        "phantom_clicks": [row(json!("#gone"), "/", 1, 1)],
    });
    assert_eq!(site.data("insights/clicks", (1, 5)).await, expected);
    let expected = json!({
        "rage_clicks": [row(buy, "/pricing", 1, 1)], "dead_clicks": [row(logo, "/docs", 2, 1)], "phantom_clicks": [],
    });
    assert_eq!(site.data("insights/clicks", (1, 1)).await, expected);
}

async fn seo_agrees(site: &Site) {
    let docs = json!({"url": "/docs", "title": null, "title_length": null, "meta_description_length": 0, "h1_count": 1,
        "images_missing_alt": 3, "issues": ["alt", "no_title"], "checked_at": at(2, 9, 19).0});
    let home = |title: Value, length: Value, issues: &[&str], checked_at: Millis| {
        json!({"url": "/", "title": title, "title_length": length, "meta_description_length": null, "h1_count": null,
            "images_missing_alt": null, "issues": issues, "checked_at": checked_at.0})
    };
    let issue = |issue: &str, pages| json!({"issue": issue, "pages": pages});
    let latest = home(json!("Home"), json!(null), &["no_title"], at(3, 10, 8));
    let expected = json!({"pages": [docs, latest], "issues": [issue("no_title", 2), issue("alt", 1)]});
    assert_eq!(site.data("insights/seo", (1, 5)).await, expected);
    let earlier = home(json!(null), json!(4), &["no_h1", "no_title"], at(1, 12, 150));
    let issues = [issue("no_title", 2), issue("alt", 1), issue("no_h1", 1)];
    assert_eq!(site.data("insights/seo", (1, 2)).await, json!({"pages": [earlier, docs], "issues": issues}));
    // The issues are those of all pages, also where not all are listed.
    let expected = json!({"pages": [docs], "issues": [issue("no_title", 2)]});
    assert_eq!(site.data("insights/seo?limit=1", (1, 5)).await, expected);
}

async fn journeys_agree(site: &Site) {
    let transition = |from: &str, to: &str, count| json!({"from": from, "to": to, "count": count});
    let end = |url: &str, count| json!({"url": url, "count": count});
    let on_day_1 = [transition("/", "/pricing", 2), transition("/pricing", "/docs", 1)];
    let on_day_2 = transition("/pricing", "/signup", 1);
    for (days, transitions, entries, exits) in [
        (
            (1, 5),
            vec![on_day_1[0].clone(), on_day_1[1].clone(), on_day_2.clone()],
            vec![end("/", 3)],
            vec![end("/", 1), end("/docs", 1), end("/signup", 1)],
        ),
        ((1, 1), on_day_1.to_vec(), vec![end("/", 2)], vec![end("/docs", 1), end("/signup", 1)]),
        // The session that went on after midnight began the day before.
        ((2, 2), vec![on_day_2], vec![], vec![]),
        ((3, 3), vec![], vec![end("/", 1)], vec![end("/", 1)]),
    ] {
        let expected = json!({"transitions": transitions, "entry_pages": entries, "exit_pages": exits});
        assert_eq!(site.data("insights/journeys", days).await, expected, "{days:?}");
    }
}

async fn reading_agrees(site: &Site) {
    let row = |url: &str, reads, depth: f64, active, velocity: f64, attention: f64| {
        json!({"url": url, "reads": reads, "avg_scroll_depth": depth, "avg_active_time_ms": active,
            "avg_scroll_velocity": velocity, "attention_percent": attention})
    };
    let expected = json!([row("/docs", 2, 75.5, 1501, 1.3, 37.5), row("/", 1, 0.0, 0, 0.0, 0.0)]);
    assert_eq!(site.data("insights/reading", (1, 5)).await, expected);
    assert_eq!(site.data("insights/reading", (1, 1)).await, json!([row("/docs", 1, 71.0, 2001, 0.0, 50.0)]));
}

async fn forms_agree(site: &Site) {
    let left = |form: Value, url: &str, abandons, time, last_field: Value| json!({"form": form, "url": url, "abandons": abandons, "avg_time_spent_ms": time, "last_field": last_field});
    let hesitated = |field: &str, count, time| json!({"form": "signup", "field": field, "url": "/signup", "count": count, "avg_hesitation_ms": time});
    let unnamed = left(json!(null), "/docs", 1, 0, json!(null));
    let hesitation = [hesitated("email", 2, 751), hesitated("name", 1, 100)];
    let signup = |abandons, last_field: &str| left(json!("signup"), "/signup", abandons, 1000, json!(last_field));
    let expected = json!({"abandonment": [signup(3, "name"), unnamed], "hesitation": hesitation});
    assert_eq!(site.data("insights/forms", (1, 5)).await, expected);
    let expected = json!({"abandonment": [signup(2, "email"), unnamed], "hesitation": hesitation});
    assert_eq!(site.data("insights/forms", (1, 2)).await, expected);
}

async fn acquisition_agrees(site: &Site) {
    let value = |value: &str| json!([{"value": value, "sessions": 1}]);
    let mut sources = value("google");
    sources.as_array_mut().unwrap().push(value("newsletter")[0].clone());
    let mut mediums = value("cpc");
    mediums.as_array_mut().unwrap().push(value("email")[0].clone());
    let channels = |names: &[&str], share: f64| -> Vec<Value> {
        names.iter().map(|name| json!({"channel": name, "sessions": 1, "share": share})).collect()
    };
    let expected = json!({
        "referrers": [{"referrer": "google.com", "sessions": 2}],
        "utm": {"source": sources, "medium": mediums, "campaign": value("spring"), "term": [], "content": []},
        "channels": channels(&["Direct", "Email", "Organic Search", "Paid Search"], 25.0),
    });
    assert_eq!(site.data("acquisition", (1, 5)).await, expected);
    let expected = json!({
        "referrers": [{"referrer": "google.com", "sessions": 2}],
        "utm": {"source": value("google"), "medium": value("cpc"), "campaign": [], "term": [], "content": []},
        "channels": channels(&["Direct", "Organic Search", "Paid Search"], 33.3),
    });
    assert_eq!(site.data("acquisition", (1, 2)).await, expected);
}

async fn metrics_agree(site: &Site) {
    let vital = |p75: Value, [good, needs_improvement, poor]: [u64; 3]| {
        json!({"p75": p75, "samples": good + needs_improvement + poor, "good": good,
            "needs_improvement": needs_improvement, "poor": poor})
    };
    let none = || vital(json!(null), [0; 3]);
    let expected = json!({
        "web_vitals": {
            "lcp": vital(json!(2501.5), [2, 1, 1]), "inp": none(), "fid": none(), "cls": vital(json!(0.3), [1, 0, 1]),
            "fcp": none(), "ttfb": vital(json!(900.0), [0, 1, 0]),
        },
        // 180, 9, 300 and 20 seconds.
        "avg_session_duration_ms": 127_250,
        "bounce_rate": 50.0,
        "top_pages": [page("/", 3, 2)],
    });
    assert_eq!(site.data("metrics?limit=1", (1, 5)).await, expected);
    let nothing = json!({
        "web_vitals": {"lcp": none(), "inp": none(), "fid": none(), "cls": none(), "fcp": none(), "ttfb": none()},
        "avg_session_duration_ms": 0, "bounce_rate": 0.0, "top_pages": [],
    });
    assert_eq!(site.data("metrics", (4, 5)).await, nothing);
}

/// So many keys in a day that the last ones are not kept apart.
#[tokio::test]
async fn nothing_is_read_beyond_its_end_or_longer_than_it_is_open() {
    let site = Site::new().await;
    let read = |second, url: &str, data| event("reading_behavior", at(1, 12, second), url, data);
    let events = vec![
        read(1, "/", json!({"scroll_depth": 120, "active_time_ms": 6000, "total_time_ms": 4000})),
        read(2, "/", json!({"scroll_depth": 50, "active_time_ms": 1000, "total_time_ms": 4000})),
        read(3, "/open", json!({"active_time_ms": 9000})),
        read(4, "/open", json!({"total_time_ms": 4000})),
    ];
    let sent = [batch("a", "1", "1", at(1, 12, 0), events)];
    site.store(&sent).await;
    site.count(&sent).await;
    let page = |url: &str, depth: f64, active: i64, attention: f64| {
        json!({
            "url": url, "reads": 2, "avg_scroll_depth": depth, "avg_active_time_ms": active,
            "avg_scroll_velocity": 0.0, "attention_percent": attention,
        })
    };
    let expected = json!([page("/", 75.0, 2500, 62.5), page("/open", 0.0, 9000, 100.0)]);
    assert_eq!(site.data("insights/reading", (1, 1)).await, expected);
    site.stack.shutdown().await;
}

#[tokio::test]
async fn keys_beyond_a_days_limit_are_one_row() {
    const KEYS: i64 = 2_100;
    let site = Site::new().await;
    // A session keeps fewer events than these together.
    let one = |number: i64| {
        let (at, key) = (at(1, 10, number), format!("{number:04}"));
        vec![
            page_view(at, &format!("/{key}")),
            event("rage_click", at, "/", json!({"selector": key})),
            event("js_exception", at, &format!("/{key}"), json!({"message": "everywhere"})),
        ]
    };
    let other = |number: i64| {
        let (at, key) = (at(1, 10, number), format!("{number:04}"));
        vec![
            event("console_error", at, "/", json!({"message": key})),
            event("form_abandon", at, "/", json!({"form": key, "last_field": "name"})),
            event("seo_diagnostics", at, &format!("/{key}"), json!({"issues": []})),
        ]
    };
    let started_at = at(1, 9, 0);
    let first = event("js_exception", started_at, "/first", json!({"message": "everywhere"}));
    let sent = [
        batch("v", "1", "1", started_at, vec![first]),
        batch("v", "1", "2", started_at, (0..KEYS).flat_map(one).collect()),
        batch("v", "2", "3", started_at, (0..KEYS).flat_map(other).collect()),
    ];
    site.store(&sent).await;
    site.count(&sent).await;

    let row = &site.data("pages", (1, 1)).await["top_pages"][0];
    assert_eq!([&row["url"], &row["views"]], [&json!("(other)"), &json!(100)]);
    let row = &site.data("insights/clicks", (1, 1)).await["rage_clicks"][0];
    assert_eq!([&row["selector"], &row["url"], &row["count"]], [&json!("(other)"), &Value::Null, &json!(100)]);
    let row = &site.data("insights/journeys", (1, 1)).await["transitions"][0];
    assert_eq!(row, &json!({"from": "(other)", "to": null, "count": 99}));
    let row = &site.data("insights/forms", (1, 1)).await["abandonment"][0];
    let expected = json!({"form": "(other)", "url": null, "abandons": 100, "avg_time_spent_ms": 0, "last_field": null});
    assert_eq!(row, &expected);
    let page = &site.data("insights/seo", (1, 1)).await["pages"][0];
    assert_eq!([&page["url"], &page["issues"], &page["title"]], [&json!("(other)"), &json!([]), &Value::Null]);

    // An error keeps its first and last time, also where there were too many URLs to tell its own.
    let errors = site.data("insights/errors", (1, 1)).await;
    let expected = json!({"type": "js_exception", "message": "everywhere", "count": KEYS + 1, "unique_visitors": 1,
        "first_seen_at": started_at.0, "last_seen_at": at(1, 10, KEYS - 1).0, "url": null});
    assert_eq!(errors[0], expected);
    assert_eq!([&errors[1]["type"], &errors[1]["message"]], [&json!("(other)"), &Value::Null]);
    site.stack.shutdown().await;
}

/// A visitor who is seen at more keys than its own item remembers.
#[tokio::test]
async fn a_visitor_of_many_pages_is_one_visitor_of_each() {
    const PAGES: i64 = 60;
    let site = Site::new().await;
    let visit = |of: i32| {
        let events = (0..PAGES).map(|page| page_view(at(of, 10, page), &format!("/{page}"))).collect();
        batch("v", &format!("{of}"), "1", at(of, 10, 0), events)
    };
    let sent = [visit(2), visit(1), visit(3)];
    site.store(&sent).await;
    site.count(&sent).await;
    for (days, views) in [((1, 3), 3), ((1, 2), 2), ((2, 2), 1)] {
        let pages = site.data("pages?limit=100", days).await;
        let rows = pages["top_pages"].as_array().unwrap();
        assert_eq!(rows.len(), PAGES as usize);
        assert!(rows.iter().all(|row| row["views"] == json!(views) && row["unique_visitors"] == json!(1)), "{pages}");
    }
    let given_away = [bot(batch("v", "2", "2", at(2, 10, 0), Vec::new()))];
    site.store(&given_away).await;
    site.count(&given_away).await;
    assert_eq!(site.data("pages", (1, 5)).await, json!({"top_pages": [], "avg_pages_per_session": 0.0}));
    site.stack.shutdown().await;
}
