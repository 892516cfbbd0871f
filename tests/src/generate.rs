//! Random histories that make what breaks things: few visitors and sessions, so that they collide, with
//! equal instants, late batches, conflicting values, visitors that turn out to be bots, any script.

use std::collections::BTreeMap;

use figures::ids::SessionId;
use figures::time::Millis;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::{Value, json};

use crate::generate_insights::{Insight, campaign, insight, referrer};
use crate::sent::{Event, Sent, Session, Visitor};

const VISITORS: usize = 4;
/// Sessions of a visitor; the last one's id is the same for all visitors.
const SESSIONS: usize = 4;
const MS_PER_DAY: i64 = 86_400_000;
const MAX_URL_LENGTH: usize = 2_048;

/// What is sent to two projects side by side, in the order of storage.
#[derive(Debug, Clone)]
pub struct History {
    starts: Vec<Moment>,
    steps: Vec<Step>,
}

/// One batch on its way.
#[derive(Debug, Clone)]
enum Step {
    Send(Box<Draft>),
    /// An earlier one again, unchanged.
    Again(Index),
}

/// An instant relative to when the history is told.
#[derive(Debug, Clone, Copy)]
enum Moment {
    /// Milliseconds ago.
    Ago(i64),
    /// Days ago, and milliseconds into that day.
    Day(i64, i64),
}

/// An instant of an event or a heartbeat.
#[derive(Debug, Clone, Copy)]
enum When {
    /// Milliseconds into its session.
    Into(i64),
    /// Whenever.
    At(Moment),
}

/// A batch before its identifiers and instants are known.
#[derive(Debug, Clone)]
struct Draft {
    project: usize,
    visitor: usize,
    session: usize,
    /// Another start than the session's other batches give.
    other_start: Option<Moment>,
    sent: When,
    page: Option<String>,
    profile: Profile,
    device: Device,
    place: Place,
    visit: Visit,
    events: Vec<DraftEvent>,
}

#[derive(Debug, Clone)]
struct DraftEvent {
    name: String,
    url: Option<String>,
    when: When,
    data: Option<Value>,
}

#[derive(Debug, Clone)]
struct Profile {
    fingerprint_hash: Option<String>,
    screen: Option<(u32, Option<u32>)>,
    timezone: Option<String>,
    language: Option<String>,
    ad_block: Option<u8>,
    bot_score: Option<u8>,
    aliases: Vec<String>,
}

#[derive(Debug, Clone, Copy)]
struct Device {
    browser: Option<(&'static str, &'static str)>,
    os: Option<&'static str>,
    mobile: Option<u8>,
}

#[derive(Debug, Clone, Copy)]
struct Place {
    country: Option<(&'static str, &'static str)>,
    city: Option<&'static str>,
    ip: Option<&'static str>,
}

#[derive(Debug, Clone)]
struct Visit {
    url: Option<String>,
    referrer: Option<String>,
    utm: [Option<String>; 5],
    click_count: Option<u32>,
    max_scroll_depth: Option<u8>,
}

/// Histories of at most so many batches.
pub fn history(max_batches: usize) -> impl Strategy<Value = History> {
    let step = prop_oneof![12 => draft().prop_map(|draft| Step::Send(Box::new(draft))), 1 => any::<Index>().prop_map(Step::Again)];
    (vec(moment(), VISITORS * SESSIONS), vec(step, 1..=max_batches))
        .prop_map(|(starts, steps)| History { starts, steps })
}

impl History {
    /// How many batches are sent.
    pub fn len(&self) -> usize {
        self.steps.len()
    }

    /// Whether nothing is sent; never so.
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// The history as an import may tell it, with each batch's project.
    pub fn told(&self, now: i64) -> Vec<(usize, Sent)> {
        let mut counts: BTreeMap<(usize, usize, usize), usize> = BTreeMap::new();
        let mut told: Vec<(usize, Sent)> = Vec::new();
        for step in &self.steps {
            match step {
                Step::Again(index) if !told.is_empty() => told.push(index.get(&told).clone()),
                Step::Again(_) => {}
                Step::Send(draft) => {
                    let count = counts.entry((draft.project, draft.visitor, draft.session)).or_default();
                    *count += 1;
                    told.push((draft.project, self.sent(draft, *count, now)));
                }
            }
        }
        told
    }

    fn sent(&self, draft: &Draft, number: usize, now: i64) -> Sent {
        let start = draft.other_start.unwrap_or(self.starts[draft.visitor * SESSIONS + draft.session]);
        let is_shared = draft.session == SESSIONS - 1;
        // Two visitors' sessions of one id and one start have no documented order, so their starts differ.
        let started_at = start.at(now) + if is_shared { 7 * draft.visitor as i64 } else { 0 };
        let session_id = match is_shared {
            true => "ses_shared".to_owned(),
            // Some tell their visitor and start, as the tracker's do.
            false if draft.session.is_multiple_of(2) => {
                let start = self.starts[draft.visitor * SESSIONS + draft.session].at(now);
                SessionId::telling(&format!("v_{}", draft.visitor).parse().unwrap(), Millis(start)).unwrap().to_string()
            }
            false => format!("ses_{}-{}", draft.visitor, draft.session),
        };
        let at = |when: When| match when {
            When::Into(ms) => (started_at + ms).min(now - 10_000),
            When::At(moment) => moment.at(now),
        };
        let (profile, visit) = (draft.profile.clone(), draft.visit.clone());
        let [utm_source, utm_medium, utm_campaign, utm_term, utm_content] = visit.utm;
        let owned = |text: Option<&str>| text.map(str::to_owned);
        Sent {
            batch_id: format!("b_{number}"),
            sent_at: at(draft.sent),
            page: draft.page.clone(),
            visitor: Visitor {
                visitor_id: format!("v_{}", draft.visitor),
                fingerprint_hash: profile.fingerprint_hash,
                screen_width: profile.screen.map(|(width, _)| width),
                screen_height: profile.screen.and_then(|(_, height)| height),
                timezone: profile.timezone,
                language: profile.language,
                ad_block: profile.ad_block,
                bot_score: profile.bot_score,
                aliases: profile.aliases,
                browser_name: owned(draft.device.browser.map(|(name, _)| name)),
                browser_version: owned(draft.device.browser.map(|(_, version)| version)),
                os: owned(draft.device.os),
                mobile: draft.device.mobile,
                geo_country: owned(draft.place.country.map(|(name, _)| name)),
                geo_country_code: owned(draft.place.country.map(|(_, code)| code)),
                geo_city: owned(draft.place.city),
                ip: owned(draft.place.ip),
            },
            session: Session {
                session_id,
                started_at,
                url: visit.url,
                referrer: visit.referrer,
                utm_source,
                utm_medium,
                utm_campaign,
                utm_term,
                utm_content,
                click_count: visit.click_count,
                max_scroll_depth: visit.max_scroll_depth,
            },
            events: draft
                .events
                .iter()
                .map(|event| Event {
                    name: event.name.clone(),
                    url: event.url.clone(),
                    created_at: at(event.when),
                    data: event.data.clone(),
                })
                .collect(),
        }
    }

    /// The history as trackers send it: nothing in it is older than the collector takes, and nothing
    /// tells what the server finds out for itself.
    pub fn recent(&self, now: i64) -> Vec<(usize, Sent)> {
        const OLDEST_DAYS: i64 = 6;
        let recent = |instant: i64| {
            let age = (now - instant).rem_euclid(OLDEST_DAYS * MS_PER_DAY);
            now - age
        };
        let mut told = self.told(now);
        for (_, batch) in &mut told {
            batch.session.started_at = recent(batch.session.started_at);
            for event in &mut batch.events {
                event.created_at = recent(event.created_at);
            }
            let visitor = std::mem::take(&mut batch.visitor);
            batch.visitor = Visitor {
                browser_name: None,
                browser_version: None,
                os: None,
                mobile: None,
                geo_country: None,
                geo_country_code: None,
                geo_city: None,
                ip: None,
                ..visitor
            };
        }
        told
    }
}

impl Moment {
    fn at(self, now: i64) -> i64 {
        match self {
            Moment::Ago(ms) => now - ms,
            Moment::Day(days, ms) => (now.div_euclid(MS_PER_DAY) - days) * MS_PER_DAY + ms,
        }
    }
}

fn moment() -> impl Strategy<Value = Moment> {
    // Where a day or an hour ends is where attribution goes wrong.
    let edge = select(vec![0, 1, 3_599_999, 3_600_000, 43_200_000, MS_PER_DAY - 1_000, MS_PER_DAY - 1]);
    let of_day = prop_oneof![edge, 0..MS_PER_DAY];
    // None near a whole minute that a threshold of `/live` may ask for.
    let ago = select(vec![20_000, 210_000, 1_230_000, 3_030_000]);
    prop_oneof![3 => (1i64..=10, of_day).prop_map(|(days, ms)| Moment::Day(days, ms)), 1 => ago.prop_map(Moment::Ago)]
}

fn when() -> impl Strategy<Value = When> {
    let into = select(vec![
        0,
        0,
        1,
        1_000,
        1_999,
        2_000,
        2_001,
        4_000,
        60_000,
        1_800_000,
        10_800_000,
        MS_PER_DAY,
        MS_PER_DAY + 1,
        3 * MS_PER_DAY,
    ]);
    prop_oneof![5 => into.prop_map(When::Into), 1 => moment().prop_map(When::At)]
}

fn draft() -> impl Strategy<Value = Draft> {
    let who = (0..2usize, 0..VISITORS, 0..SESSIONS);
    let what = (rarely(moment()), when(), rarely(url()), vec(event(), 0..=5));
    (who, what, profile(), device(), place(), visit()).prop_map(
        |((project, visitor, session), (other_start, sent, page, events), profile, device, place, visit)| Draft {
            project,
            visitor,
            session,
            other_start,
            sent,
            page,
            profile,
            device,
            place,
            visit,
            events,
        },
    )
}

fn rarely<T: std::fmt::Debug>(strategy: impl Strategy<Value = T>) -> impl Strategy<Value = Option<T>> {
    option::weighted(0.15, strategy)
}

fn event() -> impl Strategy<Value = DraftEvent> {
    let documented = select(vec!["page_view", "page_view", "rage_click", "js_exception", "reading_behavior"]);
    let name = prop_oneof![
        6 => documented.prop_map(str::to_owned),
        1 => select(vec!["a".to_owned(), "signup_2".to_owned(), "_".to_owned(), "x".repeat(64)]),
    ];
    let any = (name, option::of(url()), data()).prop_map(|(name, url, data)| Insight { name, url, data });
    (prop_oneof![any, insight()], when()).prop_map(|(Insight { name, url, data }, when)| DraftEvent {
        name,
        url,
        when,
        data,
    })
}

fn data() -> impl Strategy<Value = Option<Value>> {
    let plain = select(vec![
        json!({}),
        json!({ "url": "/of-data" }),
        json!({ "url": 5 }),
        json!({ "message": "Ünïcödé \" \\ \u{1f600} \u{0}", "line": 12, "stack": null }),
        json!({ "lcp": 2500.5, "cls": 0.01, "deep": [[{ "a": [true, false, null] }], "", -1] }),
        json!({ "text": "x".repeat(1_000) }),
    ]);
    option::of(prop_oneof![3 => plain, 1 => "\\PC{0,20}".prop_map(|text| json!({ "selector": text }))])
}

fn url() -> impl Strategy<Value = String> {
    prop_oneof![
        6 => select(vec!["/", "/pricing", "/PRICING?x=1", "/straße/ÄÖÜ", "/日本語/ページ", "", "/İstanbul/ΟΔΟΣ", "/a%20b&c=d#e"])
            .prop_map(str::to_owned),
        1 => "/\\PC{0,24}",
        1 => Just(format!("/{}", "u".repeat(MAX_URL_LENGTH - 1))),
    ]
}

fn profile() -> impl Strategy<Value = Profile> {
    let bot_score = prop_oneof![12 => Just(None), 12 => (0..=40u8).prop_map(Some), 2 => (41..=100u8).prop_map(Some)];
    let text = |texts: &[&str]| option::of(select(texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>()));
    (
        text(&["8f14e45fceea167a5a36", "c9f0f895fb98ab9159f5"]),
        option::of(select(vec![(1920, Some(1080)), (390, Some(844)), (0, Some(0)), (640, None)])),
        text(&["Europe/Belgrade", "Asia/Tokyo"]),
        text(&[
            "sr",
            "de-DE",
            "DE",
            "sr-Latn-RS",
            "en_US",
            "(other)",
            "quite-long",
            "notalanguage",
            "čeština",
            "-x",
            "",
        ]),
        option::of(0..=1u8),
        bot_score,
        vec(select(vec!["user-42".to_owned(), "user-7".to_owned(), "Ünïcödé".to_owned()]), 0..=2),
    )
        .prop_map(|(fingerprint_hash, screen, timezone, language, ad_block, bot_score, aliases)| Profile {
            fingerprint_hash,
            screen,
            timezone,
            language,
            ad_block,
            bot_score,
            aliases,
        })
}

fn device() -> impl Strategy<Value = Device> {
    let device = |browser, os, mobile| Device { browser, os, mobile };
    select(vec![
        device(Some(("Chrome", "126.0.0.0")), Some("Windows"), Some(0)),
        device(Some(("chrome", "127.0.0.0")), Some("Android"), Some(1)),
        device(Some(("Firefox", "128.0")), Some("Windows"), Some(0)),
        device(Some(("Safari", "17.5")), Some("iOS"), Some(1)),
        device(None, None, None),
    ])
}

fn place() -> impl Strategy<Value = Place> {
    let place = |country, city, ip| Place { country, city, ip };
    select(vec![
        place(Some(("Serbia", "RS")), Some("Belgrade"), Some("203.0.113.9")),
        place(Some(("Serbia", "RS")), Some("Novi Sad"), Some("203.0.113.77")),
        place(Some(("Germany", "DE")), Some("München"), Some("2001:db8::9")),
        place(Some(("Türkiye", "TR")), Some("İstanbul"), None),
        place(Some(("Turkey", "tr")), None, None),
        place(None, None, None),
    ])
}

fn visit() -> impl Strategy<Value = Visit> {
    (option::weighted(0.8, url()), option::of(referrer()), campaign(), option::of(0..50u32), option::of(0..=100u8))
        .prop_map(|(url, referrer, utm, click_count, max_scroll_depth)| Visit {
            url,
            referrer,
            utm,
            click_count,
            max_scroll_depth,
        })
}
