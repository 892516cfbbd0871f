//! Which visits there are: those that were recorded in a browser, each time as somebody's, through pages of a site.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr};

use fastrand::Rng;
use figures::ids::SessionId;
use figures::time::{DAY_MS, Millis};
use serde_json::{Value, json};

use crate::BenchError;
use crate::visits::{self, Request};

/// Visits by their number of pages: of a hundred so many. They come to three page views a visit.
const PAGES: [(usize, f64); 3] = [(1, 0.49), (3, 0.37), (10, 0.14)];

/// Visits by how slowly pages are gone through: 2, 8 and 25 seconds each.
const PACES: [(&str, f64); 3] = [("quick", 0.2), ("middling", 0.4), ("slow", 0.4)];

/// Visits of those who have been there before.
pub const RETURNING: f64 = 0.3;
/// Of these, who have been there within a day. How long ago the others were there is spread exponentially, over so many days in the mean.
const WITHIN_A_DAY: f64 = 0.4;
const AWAY_DAYS: f64 = 8.0;
/// Nobody comes back sooner: a tracker's session goes on for so long after its last event.
const SESSION_MS: i64 = 30 * 60_000;

/// Pages of the site, seen after Zipf's law.
const SITE_PAGES: usize = 200;

/// From the browser to the collector.
const NETWORK_MS: i64 = 60;

const AGENTS: [&str; 6] = [
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Mobile Safari/537.36",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Safari/605.1.15",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:127.0) Gecko/20100101 Firefox/127.0",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36 Edg/126.0.0.0",
];
const SCREENS: [(u32, u32); 5] = [(1920, 1080), (390, 844), (412, 915), (1440, 900), (1366, 768)];
const LANGUAGES: [(&str, &str); 5] = [
    ("en-US", "America/New_York"),
    ("de-DE", "Europe/Berlin"),
    ("sr-RS", "Europe/Belgrade"),
    ("en-GB", "Europe/London"),
    ("ja-JP", "Asia/Tokyo"),
];
const REFERRERS: [&str; 4] =
    ["https://www.google.com/", "https://duckduckgo.com/", "https://news.ycombinator.com/", "https://t.co/x"];

/// A recorded visit, and how often it comes.
#[derive(Debug)]
pub struct Kind {
    share: f64,
    requests: Vec<Request>,
}

impl Kind {
    /// When the last batch of a visit arrives that begins at an instant.
    pub fn ends(&self, start: Millis) -> Millis {
        self.requests.last().map_or(start, |last| arrival(&last.body, later(&self.requests, start)))
    }
}

/// Numbers from 0 to 1 that are spread evenly, however few they are: so few visits are as mixed as many.
/// <https://en.wikipedia.org/wiki/Low-discrepancy_sequence#Additive_recurrence>
#[derive(Debug)]
struct Even {
    at: f64,
    step: f64,
}

impl Even {
    fn next(&mut self) -> f64 {
        self.at = (self.at + self.step).fract();
        self.at
    }
}

/// The parts of the golden mean and of the root of two behind the point, whose multiples are spread the most evenly.
const GOLDEN: f64 = 0.618_033_988_749_895;
const SILVER: f64 = 0.414_213_562_373_095;

/// The visits that there are.
#[derive(Debug)]
pub struct Mix {
    kinds: Vec<Kind>,
    /// Sums of the weights of the site's first pages.
    pages: Vec<f64>,
}

/// What a page sends.
#[derive(Debug, Clone)]
pub struct Sent {
    /// When it arrives.
    pub at: Millis,
    /// From where.
    pub address: IpAddr,
    /// By which browser.
    pub agent: &'static str,
    /// The request's body.
    pub body: String,
    /// The page views in it.
    pub page_views: usize,
    /// Whether the browser had to ask for the tracker's files before.
    pub asks_for_files: bool,
}

impl Mix {
    /// The recorded visits, as often as they come.
    pub fn recorded() -> Result<Self, BenchError> {
        let mut kinds = Vec::new();
        for requests in visits::recorded()? {
            let (pages, pace) = (requests[0].pages, requests[0].visit.split(' ').nth(1).unwrap_or_default());
            let of_pages = PAGES.iter().find(|(count, _)| *count == pages).map(|(_, share)| share);
            let of_pace = PACES.iter().find(|(name, _)| *name == pace).map(|(_, share)| share);
            let share = of_pages.zip(of_pace).map(|(pages, pace)| pages * pace);
            let share = share.ok_or_else(|| BenchError::Failed(format!("how often is {}?", requests[0].visit)))?;
            kinds.push(Kind { share, requests });
        }
        let mut sum = 0.0;
        let pages = (1..=SITE_PAGES).map(|rank| {
            sum += 1.0 / rank as f64;
            sum
        });
        Ok(Mix { kinds, pages: pages.collect() })
    }

    /// How often its visits come, in all.
    pub fn shares(&self) -> f64 {
        self.kinds.iter().map(|kind| kind.share).sum()
    }

    /// Page views of a visit, in the mean.
    pub fn page_views_a_visit(&self) -> f64 {
        self.kinds.iter().map(|kind| kind.share * kind.requests[0].pages as f64).sum()
    }

    /// Batches of a visit, in the mean.
    pub fn batches_a_visit(&self) -> f64 {
        self.kinds.iter().map(|kind| kind.share * kind.requests.len() as f64).sum()
    }

    /// The kind that is at a place of all, from 0 to 1, of which each takes its share.
    pub fn kind(&self, place: f64) -> Option<&Kind> {
        let mut left = place * self.shares();
        let kind = self.kinds.iter().find(|kind| {
            left -= kind.share;
            left < 0.0
        });
        kind.or(self.kinds.last())
    }

    /// What somebody's visit sends.
    pub fn visit(&self, rng: &mut Rng, kind: &Kind, visitor: u64, start: Millis, key: &str) -> Vec<Sent> {
        let requests = &kind.requests;
        let pages: Vec<usize> = (0..requests[0].pages).map(|_| self.page(rng)).collect();
        let referrer = (rng.f64() < 0.6).then(|| REFERRERS[rng.usize(..REFERRERS.len())]);
        let later = later(requests, start);
        let person = Person::of(visitor);
        let session = json!(person.id.parse().ok().and_then(|visitor| SessionId::telling(&visitor, start)));
        let sent = requests.iter().map(|Request { body: recorded, .. }| {
            let mut body = recorded.clone();
            body["key"] = json!(key);
            body["batch_id"] = json!(random_id(rng, text(&recorded["batch_id"])));
            body["sent_at"] = shifted(&recorded["sent_at"], later);
            body["page"] = json!(page_path(&pages, &recorded["page"]));
            person.describe(&mut body["visitor"]);
            body["session"]["session_id"] = session.clone();
            body["session"]["started_at"] = json!(start.0);
            body["session"]["url"] = json!(page_path(&pages, &recorded["session"]["url"]));
            if let Some(referrer) = referrer {
                body["session"]["referrer"] = json!(referrer);
            }
            let mut page_views = 0;
            for event in body["events"].as_array_mut().into_iter().flatten() {
                page_views += usize::from(event["name"] == "page_view");
                event["created_at"] = shifted(&event["created_at"], later);
                let (page, path) = (page_of(&pages, &event["data"]["url"]), page_path(&pages, &event["data"]["url"]));
                event["data"]["url"] = json!(path);
                if event["data"]["title"].is_string() {
                    event["data"]["title"] = json!(format!("Page {page} of a site"));
                }
            }
            Sent {
                at: arrival(recorded, later),
                address: person.address,
                agent: person.agent,
                body: body.to_string(),
                page_views,
                asks_for_files: false,
            }
        });
        sent.collect()
    }

    fn page(&self, rng: &mut Rng) -> usize {
        let at = rng.f64() * self.pages.last().copied().unwrap_or_default();
        self.pages.partition_point(|sum| *sum < at) + 1
    }
}

/// A visitor: its browser and place, the same in all of its visits.
#[derive(Debug)]
struct Person {
    id: String,
    agent: &'static str,
    address: IpAddr,
    screen: (u32, u32),
    language: (&'static str, &'static str),
}

impl Person {
    fn of(number: u64) -> Self {
        let mut rng = Rng::with_seed(number.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        Person {
            id: random_id(&mut rng, "v_0000000000000000"),
            agent: AGENTS[rng.usize(..AGENTS.len())],
            address: IpAddr::V4(Ipv4Addr::from_bits(rng.u32(0x0b00_0000..0x7e00_0000))),
            screen: SCREENS[rng.usize(..SCREENS.len())],
            language: LANGUAGES[rng.usize(..LANGUAGES.len())],
        }
    }

    fn describe(&self, visitor: &mut Value) {
        visitor["visitor_id"] = json!(self.id);
        visitor["screen_width"] = json!(self.screen.0);
        visitor["screen_height"] = json!(self.screen.1);
        visitor["language"] = json!(self.language.0);
        visitor["timezone"] = json!(self.language.1);
    }
}

/// Who has been there, in the order of their visits.
#[derive(Debug)]
pub struct People {
    visits: Vec<(Millis, u64)>,
    /// When each was there last.
    last: HashMap<u64, Millis>,
    kinds: Even,
    returning: Even,
}

/// Who comes.
#[derive(Debug, Clone, Copy)]
pub struct Visitor {
    /// Its number.
    pub number: u64,
    /// How long ago its last visit began, as far as it was looked for.
    pub away_ms: Option<i64>,
}

impl People {
    /// Nobody yet. The random numbers decide where what is spread evenly begins.
    pub fn new(rng: &mut Rng) -> Self {
        let mut even = |step| Even { at: rng.f64(), step };
        People { visits: Vec::new(), last: HashMap::new(), kinds: even(GOLDEN), returning: even(SILVER) }
    }

    /// Which visit comes next: its place among all kinds.
    pub fn next_kind(&mut self) -> f64 {
        self.kinds.next()
    }

    /// Who comes at an instant, after all who came before.
    pub fn next(&mut self, rng: &mut Rng, at: Millis) -> Visitor {
        let comes_again = self.returning.next() < RETURNING;
        let known = comes_again.then(|| self.who_was_there(rng, at)).flatten();
        let visitor = known.unwrap_or(Visitor { number: self.last.len() as u64, away_ms: None });
        self.visits.push((at, visitor.number));
        self.last.insert(visitor.number, at);
        visitor
    }

    fn who_was_there(&self, rng: &mut Rng, at: Millis) -> Option<Visitor> {
        let away_ms = match rng.f64() < WITHIN_A_DAY {
            true => rng.i64(SESSION_MS..DAY_MS),
            false => DAY_MS + (-(1.0 - rng.f64()).ln() * (AWAY_DAYS - 1.0) * DAY_MS as f64) as i64,
        };
        // Who came about then, and not since: what is there of the past is a sample, and nobody is to come for many.
        let about = self.visits.partition_point(|(visit, _)| visit.0 <= at.0 - away_ms);
        let near = (about..self.visits.len()).chain((0..about).rev());
        let mut visits = near.map(|place| self.visits[place]);
        let is_gone =
            |visit: Millis, number: &u64| at.0 - visit.0 >= SESSION_MS && self.last.get(number) == Some(&visit);
        let (visit, number) = visits.find(|(visit, number)| is_gone(*visit, number))?;
        Some(Visitor { number, away_ms: Some(at.0 - visit.0) })
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// An identifier with the beginning of a recorded one, and as long.
fn random_id(rng: &mut Rng, recorded: &str) -> String {
    let prefix = recorded.find('_').map_or(0, |at| at + 1);
    let rest = (prefix..recorded.len()).map(|_| rng.alphanumeric());
    recorded[..prefix].chars().chain(rest).collect()
}

/// The page of the site that stands for a recorded one, `/0` and so on.
fn page_of(pages: &[usize], recorded: &Value) -> usize {
    let number: usize = text(recorded).trim_start_matches('/').parse().unwrap_or_default();
    pages[number.min(pages.len() - 1)]
}

fn page_path(pages: &[usize], recorded: &Value) -> String {
    format!("/articles/{}/a-page-with-a-usual-name", page_of(pages, recorded))
}

fn shifted(instant: &Value, by: i64) -> Value {
    json!(instant.as_i64().unwrap_or_default() + by)
}

/// By how much a visit is later than the recorded one.
fn later(requests: &[Request], start: Millis) -> i64 {
    start.0 - requests[0].body["session"]["started_at"].as_i64().unwrap_or_default()
}

fn arrival(recorded: &Value, later: i64) -> Millis {
    Millis(recorded["sent_at"].as_i64().unwrap_or_default() + later + NETWORK_MS)
}
