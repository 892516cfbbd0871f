//! A made-up site's traffic over the days that end now, in the order in which it would arrive.

use fastrand::Rng;
use figures::model::{Batch, Event, SessionFacts, VisitorFacts};
use figures::time::Millis;
use serde_json::value::RawValue;
use serde_json::{Value, json};

const DAY_MS: i64 = 86_400_000;
/// The range of days that requests ask for by default.
pub const DAYS: i64 = 30;
/// Events of a visitor: visitors are a fifth of events.
const EVENTS_EACH: usize = 5;
/// Events of a batch, about.
const EVENTS_A_BATCH: usize = 2;
/// Events of a session of the heavy visitor.
const HEAVY_SESSION: usize = 20;

/// The visitor that half of all events come from, where one is heavy.
pub const HEAVY_VISITOR: &str = "v_000000000000";

/// What a site is like.
#[derive(Debug, Clone, Copy)]
pub struct Site {
    /// Events in all.
    pub events: usize,
    /// Different URLs, of which the k-th is seen 1/k as often as the first (Zipf's law).
    pub urls: usize,
    /// Whether half of all events come from a single visitor.
    pub heavy: bool,
    /// Over how many days.
    pub days: i64,
}

/// A session to come.
#[derive(Debug, Clone, Copy)]
struct Planned {
    start: i64,
    visitor: u64,
    number: u64,
    events: usize,
}

impl Site {
    /// Its batches, session by session in the order of their start.
    pub fn batches(self, now: Millis) -> impl Iterator<Item = Batch> {
        let weights = cumulative(self.urls);
        self.plan(now).into_iter().flat_map(move |session| batches_of(session, &weights, now))
    }

    fn plan(self, now: Millis) -> Vec<Planned> {
        let mut rng = Rng::with_seed(20_240_625);
        let mut sessions = Vec::new();
        let heavy = if self.heavy { self.events / 2 } else { 0 };
        let mut number = 0;
        let mut add = |rng: &mut Rng, visitor, events| {
            number += 1;
            sessions.push(Planned { start: start(rng, now, self.days), visitor, number, events });
        };
        for _ in 0..heavy / HEAVY_SESSION {
            add(&mut rng, 0, HEAVY_SESSION);
        }
        for visitor in 1..=((self.events - heavy) / EVENTS_EACH) as u64 {
            match rng.u8(..10) {
                0..3 => {
                    add(&mut rng, visitor, 3);
                    add(&mut rng, visitor, 2);
                }
                _ => add(&mut rng, visitor, EVENTS_EACH),
            }
        }
        sessions.sort_unstable_by_key(|session| (session.start, session.number));
        sessions
    }
}

/// An instant of the last days, by day more often than by night.
fn start(rng: &mut Rng, now: Millis, days: i64) -> i64 {
    let first = now.day().plus(1 - days as i32).start().0;
    loop {
        let hour = rng.i64(0..24);
        let at = first + rng.i64(0..days) * DAY_MS + hour * 3_600_000 + rng.i64(0..3_600_000);
        let is_likely = rng.i64(0..12) < 12 - (hour - 14).abs().min(10);
        if is_likely && at < now.0 - 600_000 {
            return at;
        }
    }
}

/// Sums of the weights of the first URLs.
fn cumulative(urls: usize) -> Vec<f64> {
    let mut sum = 0.0;
    (1..=urls)
        .map(|rank| {
            sum += 1.0 / rank as f64;
            sum
        })
        .collect()
}

fn url(rng: &mut Rng, weights: &[f64]) -> String {
    let at = rng.f64() * weights.last().copied().unwrap_or_default();
    let rank = weights.partition_point(|sum| *sum < at);
    format!("/articles/{rank}/a-page-with-a-usual-name")
}

fn batches_of(session: Planned, weights: &[f64], now: Millis) -> Vec<Batch> {
    let mut rng = Rng::with_seed(session.number);
    let mut at = session.start;
    let mut events = Vec::with_capacity(session.events);
    let mut page = url(&mut rng, weights);
    let landing = page.clone();
    for position in 0..session.events {
        at = (at + rng.i64(300..20_000)).min(now.0);
        let (name, data) = match position % 5 {
            0 | 2 | 4 => {
                page = url(&mut rng, weights);
                ("page_view", json!({ "url": page, "title": "A page with a usual title – the site" }))
            }
            1 => insight(&mut rng),
            _ => ("web_vitals", json!({ "lcp": rng.u32(800..5_000), "cls": 0.05, "ttfb": rng.u32(80..900) })),
        };
        events.push(event(name, &page, at, &data));
    }
    let mut parts = Vec::new();
    while !events.is_empty() {
        let rest = events.split_off(events.len().min(EVENTS_A_BATCH));
        parts.push(std::mem::replace(&mut events, rest));
    }
    let facts = visitor(session.visitor);
    let of_session = facts_of(&mut rng, session.start, landing);
    let batch = |(part, events): (usize, Vec<Event>)| {
        let sent_at = events.last().map_or(session.start, |event| event.created_at.0) + 900;
        Some(Batch {
            visitor_id: format!("v_{:012x}", session.visitor).parse().ok()?,
            session_id: format!("ses_{:012x}", session.number).parse().ok()?,
            batch_id: format!("b_{part:03}").parse().ok()?,
            stored_at: Millis(sent_at + 100),
            sent_at: Millis(sent_at),
            page: events.last().and_then(|event| event.url.as_deref().map(str::to_owned)),
            visitor: facts.clone(),
            session: of_session.clone(),
            events,
        })
    };
    parts.into_iter().enumerate().filter_map(batch).collect()
}

fn insight(rng: &mut Rng) -> (&'static str, Value) {
    match rng.u8(..6) {
        0 => ("rage_click", json!({ "selector": format!("main > a.button-{}", rng.u8(..20)), "text": "Buy" })),
        1 => ("dead_click", json!({ "selector": format!("section:nth-child({})", rng.u8(..20)) })),
        2 => ("js_exception", json!({ "message": format!("TypeError: property {} of undefined", rng.u8(..30)) })),
        3 => (
            "reading_behavior",
            json!({ "scroll_depth": rng.u8(..101), "active_time_ms": rng.u32(500..60_000), "total_time_ms": 60_000 }),
        ),
        4 => ("form_abandon", json!({ "form": "#signup", "last_field": "email", "time_spent_ms": rng.u32(..30_000) })),
        _ => ("seo_diagnostics", json!({ "title": "A page", "title_length": 6, "h1_count": 0, "issues": ["no_h1"] })),
    }
}

fn event(name: &str, page: &str, at: i64, data: &Value) -> Event {
    Event {
        name: name.to_owned(),
        url: Some(page.into()),
        created_at: Millis(at),
        data: RawValue::from_string(data.to_string()).ok(),
    }
}

/// A visitor's device and place, the same in all of its sessions.
fn visitor(number: u64) -> VisitorFacts {
    const BROWSERS: [&str; 4] = ["Chrome", "Safari", "Firefox", "Edge"];
    const SYSTEMS: [&str; 5] = ["Windows", "macOS", "Android", "iOS", "Linux"];
    const PLACES: [(&str, &str, &str); 6] = [
        ("United States", "US", "Seattle"),
        ("Germany", "DE", "Leipzig"),
        ("Serbia", "RS", "Belgrade"),
        ("Japan", "JP", "Osaka"),
        ("Brazil", "BR", "Recife"),
        ("India", "IN", "Pune"),
    ];
    let mut rng = Rng::with_seed(number.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let (country, code, city) = PLACES[rng.usize(..PLACES.len())];
    VisitorFacts {
        fingerprint_hash: Some(format!("{:032x}", rng.u128(..))),
        screen_width: Some(1920),
        screen_height: Some(1080),
        timezone: Some("Europe/Belgrade".to_owned()),
        language: Some("sr".to_owned()),
        ad_block: Some(0),
        bot_score: 5,
        browser_name: Some(BROWSERS[rng.usize(..BROWSERS.len())].to_owned()),
        browser_version: Some("126.0.0.0".to_owned()),
        os: Some(SYSTEMS[rng.usize(..SYSTEMS.len())].to_owned()),
        mobile: Some(rng.u8(..2)),
        geo_country: Some(country.to_owned()),
        geo_country_code: Some(code.to_owned()),
        geo_city: Some(city.to_owned()),
        ..VisitorFacts::default()
    }
}

fn facts_of(rng: &mut Rng, start: i64, landing: String) -> SessionFacts {
    const REFERRERS: [&str; 4] =
        ["https://www.google.com/", "https://duckduckgo.com/", "https://news.ycombinator.com/", "https://t.co/x"];
    let sources = ["google", "newsletter", "partner"];
    let source = (rng.u8(..4) == 0).then(|| sources[rng.usize(..sources.len())].to_owned());
    SessionFacts {
        started_at: Millis(start),
        url: Some(landing),
        referrer: (rng.u8(..3) > 0).then(|| REFERRERS[rng.usize(..REFERRERS.len())].to_owned()),
        utm_medium: source.as_ref().map(|_| "cpc".to_owned()),
        utm_source: source,
        utm_campaign: None,
        utm_term: None,
        utm_content: None,
        click_count: Some(rng.u32(..20)),
        max_scroll_depth: Some(rng.u8(..101)),
    }
}
