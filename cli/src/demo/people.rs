//! The people of the demo data, and what they do in a session.

use std::net::{IpAddr, Ipv4Addr};

use fastrand::Rng;
use figures::ids::{BatchId, SessionId, VisitorId};
use figures::model::{Batch, Event, SessionFacts, VisitorFacts};
use figures::table::ip::{EncryptedIp, IpKey};
use figures::time::Millis;
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Value, json};

use super::site::{
    CRAWLER, DEAD_TARGETS, DEVICES, Device, FAULTS, LANDINGS, PHANTOM_TARGETS, PLACES, Page, Place, RAGE_TARGETS,
    SCRAPER, SOURCES, Source, Weighted, page,
};

/// Draws one of some things by their weights.
pub fn draw<'a, T>(rng: &mut Rng, things: &'a [Weighted<T>]) -> Option<&'a T> {
    let total: u32 = things.iter().map(|(weight, _)| weight).sum();
    let mut at = rng.u32(..total.max(1));
    things.iter().find_map(|(weight, thing)| {
        if at < *weight {
            return Some(thing);
        }
        at -= weight;
        None
    })
}

fn chance(rng: &mut Rng, percent: u32) -> bool {
    rng.u32(..100) < percent
}

/// Something between two bounds, nearer to the lower one: load times and pauses are skewed.
fn skewed(rng: &mut Rng, low: f64, high: f64) -> f64 {
    let part = rng.f64();
    low + (high - low) * part * part
}

/// A visitor of the site.
#[derive(Debug, Clone)]
pub struct Person {
    /// Its identifier.
    pub id: VisitorId,
    fingerprint: String,
    device: &'static Device,
    screen: (u32, u32),
    /// Where it is.
    pub place: &'static Place,
    city: &'static str,
    address: IpAddr,
    ad_block: u8,
    score: u8,
    alias: Option<String>,
}

impl Person {
    /// A person made of random numbers; `None` never happens with the tables of this site.
    pub fn new(rng: &mut Rng) -> Option<Self> {
        let (device, score) = match rng.u32(..100) {
            0..=2 => (&CRAWLER, 100),
            3..=5 => (&SCRAPER, rng.u8(45..96)),
            _ => (draw(rng, &DEVICES)?, rng.u8(..16)),
        };
        let place = draw(rng, &PLACES)?;
        let number = rng.u64(..);
        Some(Person {
            id: format!("v_{:012x}", number >> 16).parse().ok()?,
            fingerprint: format!("{:016x}{:016x}", rng.u64(..), rng.u64(..)),
            device,
            screen: *rng.choice(device.screens)?,
            place,
            city: rng.choice(place.cities)?,
            // The addresses of RFC 5737, which are nobody's.
            address: Ipv4Addr::from([203, 0, 113, rng.u8(1..255)]).into(),
            ad_block: u8::from(chance(rng, 24)),
            score,
            alias: (score < 40 && chance(rng, 12)).then(|| format!("user-{}", 1000 + number % 9000)),
        })
    }

    /// Whether it is no human.
    pub fn is_bot(&self) -> bool {
        self.score > 40
    }

    fn facts(&self, ip: EncryptedIp, knows_alias: bool) -> VisitorFacts {
        VisitorFacts {
            fingerprint_hash: Some(self.fingerprint.clone()),
            screen_width: Some(self.screen.0),
            screen_height: Some(self.screen.1),
            timezone: Some(self.place.timezone.to_owned()),
            language: Some(self.place.language.to_owned()),
            ad_block: Some(self.ad_block),
            bot_score: self.score,
            aliases: self.alias.iter().filter(|_| knows_alias).cloned().collect(),
            browser_name: Some(self.device.browser.to_owned()),
            browser_version: Some(self.device.version.to_owned()),
            os: Some(self.device.os.to_owned()),
            mobile: Some(u8::from(self.device.is_mobile)),
            geo_country: Some(self.place.country.to_owned()),
            geo_country_code: Some(self.place.code.to_owned()),
            geo_city: Some(self.city.to_owned()),
            ip: Some(ip),
        }
    }
}

/// A session that is being lived.
#[derive(Debug)]
pub struct Visit {
    person: Person,
    id: SessionId,
    source: Source,
    started_at: Millis,
    /// The instant that it has come to.
    pub now: Millis,
    page: &'static Page,
    landing: &'static Page,
    clicks: u32,
    depth: u8,
    batches: u32,
    is_known: bool,
    troubles: Troubles,
    events: Vec<Event>,
}

/// What a frustration score is computed from.
#[derive(Debug, Default)]
struct Troubles {
    rage_clicks: u32,
    dead_clicks: u32,
    errors: u32,
    abandons: u32,
}

impl Troubles {
    fn score(&self) -> u32 {
        (10 * self.rage_clicks + 4 * self.dead_clicks + 8 * self.errors + 12 * self.abandons).min(100)
    }
}

impl Visit {
    /// A person arrives.
    pub fn begin(rng: &mut Rng, person: &Person, at: Millis) -> Option<Self> {
        let source = *draw(rng, &SOURCES)?;
        let landing = page(match source.landing {
            Some(landing) => landing,
            None => draw(rng, &LANDINGS)?,
        });
        let mut visit = Visit {
            person: person.clone(),
            id: format!("ses_{:013x}", rng.u64(..) >> 12).parse().ok()?,
            source,
            started_at: at,
            now: at,
            page: landing,
            landing,
            clicks: 0,
            depth: 0,
            batches: 0,
            is_known: false,
            troubles: Troubles::default(),
            events: Vec::new(),
        };
        visit.open(rng);
        Some(visit)
    }

    fn event(&mut self, name: &str, data: Value) {
        let data: Option<Box<RawValue>> = to_raw_value(&data).ok();
        let url = Some(self.page.url.into());
        self.events.push(Event { name: name.to_owned(), url, created_at: self.now, data });
    }

    /// Opens the current page.
    fn open(&mut self, rng: &mut Rng) {
        self.event("page_view", json!({ "url": self.page.url, "title": self.page.title }));
        self.is_known |= self.page.url == "/app";
        self.now = self.now.plus(rng.i64(40..400));
        if self.events.len() < 3 || chance(rng, 25) {
            let vitals = self.web_vitals(rng);
            self.event("web_vitals", vitals);
        }
        if chance(rng, 8) {
            let findings = self.seo_diagnostics();
            self.event("seo_diagnostics", findings);
        }
        if chance(rng, 5) {
            self.fault(rng);
        }
    }

    /// Spends some time on the page, with all that may happen there. Says how long.
    pub fn stay(&mut self, rng: &mut Rng) {
        let (mobile, article) = (self.person.device.is_mobile, self.page.is_article);
        if !article && chance(rng, 4) {
            self.now = self.now.plus(rng.i64(300..1_200));
            return;
        }
        let entered = self.now;
        let longest = if article { 240_000.0 } else { 70_000.0 };
        let total = skewed(rng, 3_000.0, longest) as i64;
        let depth = self.look_around(rng);
        self.now = entered.plus(total / 3);
        if chance(rng, 7) {
            self.click_in_vain(rng);
        }
        if chance(rng, 3) {
            self.troubles.rage_clicks += 1;
            self.click(rng, "rage_click", &RAGE_TARGETS);
        }
        if chance(rng, 2) {
            self.click(rng, "phantom_click", &PHANTOM_TARGETS);
        }
        self.now = entered.plus(total / 2);
        self.fill_form(rng, total / 4);
        self.now = entered.plus(total);
        if article || chance(rng, 20) {
            let active = total * rng.i64(45..96) / 100;
            let velocity = skewed(rng, 90.0, if mobile { 1_400.0 } else { 800.0 }).round();
            let reading = json!({
                "url": self.page.url, "scroll_depth": depth, "active_time_ms": active, "total_time_ms": total,
                "scroll_velocity": velocity,
            });
            self.event("reading_behavior", reading);
        }
    }

    /// Scrolls and clicks on the page. Says how far down.
    pub fn look_around(&mut self, rng: &mut Rng) -> u8 {
        let depth = skewed(rng, 15.0, 130.0).min(100.0) as u8;
        self.depth = self.depth.max(depth);
        self.clicks += rng.u32(0..4);
        depth
    }

    /// Clicks on what can't be clicked.
    pub fn click_in_vain(&mut self, rng: &mut Rng) {
        self.troubles.dead_clicks += 1;
        self.click(rng, "dead_click", &DEAD_TARGETS);
    }

    /// Goes on to another page.
    pub fn go_on(&mut self, rng: &mut Rng) {
        self.now = self.now.plus(rng.i64(100..900));
        if let Some(next) = draw(rng, self.page.next) {
            self.page = page(next);
            self.clicks += 1;
            self.open(rng);
        }
    }

    /// The tracker's last words.
    pub fn leave(&mut self) {
        if self.troubles.score() > 0 {
            let score = json!({ "score": self.troubles.score() });
            self.event("frustration_score", score);
        }
    }

    fn click(&mut self, rng: &mut Rng, name: &str, targets: &[(&str, &str)]) {
        if let Some((selector, text)) = rng.choice(targets) {
            self.event(name, json!({ "selector": selector, "text": text, "url": self.page.url }));
        }
    }

    fn fault(&mut self, rng: &mut Rng) {
        let Some(fault) = draw(rng, &FAULTS) else { return };
        let (source, line, column) = fault.source;
        self.troubles.errors += u32::from(["js_exception", "promise_rejection"].contains(&fault.event));
        let report = json!({
            "message": fault.message, "source": source, "line": line, "column": column, "stack": fault.stack,
            "url": self.page.url,
        });
        self.event(fault.event, report);
    }

    fn fill_form(&mut self, rng: &mut Rng, longest: i64) {
        let Some((form, fields)) = self.page.form else { return };
        let reached = rng.usize(..=fields.len());
        for field in &fields[..reached] {
            let hesitation = skewed(rng, 800.0, 9_000.0) as i64;
            self.now = self.now.plus(hesitation.min(longest / 4));
            if hesitation > 3_000 {
                let data = json!({
                    "form": form, "field": field, "url": self.page.url, "hesitation_ms": hesitation,
                });
                self.event("field_hesitation", data);
            }
        }
        let last = fields[..reached].last().filter(|_| reached < fields.len() && chance(rng, 60));
        if let Some(last) = last {
            self.troubles.abandons += 1;
            let data = json!({
                "form": form, "url": self.page.url, "last_field": last, "time_spent_ms": longest,
            });
            self.event("form_abandon", data);
        }
    }

    fn web_vitals(&self, rng: &mut Rng) -> Value {
        let slower = if self.person.device.is_mobile { 1.5 } else { 1.0 };
        let mut time = |low: f64, high: f64| (skewed(rng, low, high) * slower).round();
        let (ttfb, fcp, lcp) = (time(60.0, 900.0), time(500.0, 2_400.0), time(900.0, 4_200.0));
        let (inp, fid) = (time(40.0, 420.0), time(3.0, 160.0));
        let cls = (skewed(rng, 0.0, 0.32) * 1_000.0).round() / 1_000.0;
        json!({
            "url": self.page.url, "lcp": lcp.max(fcp), "inp": inp, "fid": fid, "cls": cls, "fcp": fcp.max(ttfb),
            "ttfb": ttfb,
        })
    }

    fn seo_diagnostics(&self) -> Value {
        let (title, seo) = (self.page.title, &self.page.seo);
        let length = title.chars().count();
        let issues = [
            (length > 60, "title_too_long"),
            (seo.description == 0, "missing_meta_description"),
            (seo.headings == 0, "missing_h1"),
            (seo.headings > 1, "multiple_h1"),
            (seo.images > 0, "images_missing_alt"),
        ];
        let issues: Vec<_> = issues.iter().filter(|(found, _)| *found).map(|(_, issue)| issue).collect();
        json!({
            "url": self.page.url, "title": title, "title_length": length,
            "meta_description_length": seo.description, "h1_count": seo.headings, "images_missing_alt": seo.images,
            "issues": issues,
        })
    }

    /// What happened since the last batch, as the tracker would send it; nothing is a heartbeat.
    pub fn send(&mut self, ip_key: &IpKey) -> Option<Batch> {
        self.batches += 1;
        let batch_id: BatchId = format!("b_{}_{}", self.id, self.batches).parse().ok()?;
        let ip = ip_key.encrypt(self.person.address).ok()?;
        let sent_at = self.now.plus(150);
        let utm = self.source.utm;
        let medium = utm.map(|(_, medium, _)| medium);
        let detail = self.source.detail.map(str::to_owned);
        let is_search = medium == Some("cpc");
        Some(Batch {
            visitor_id: self.person.id.clone(),
            session_id: self.id.clone(),
            batch_id,
            stored_at: sent_at.plus(40),
            sent_at,
            page: Some(self.page.url.to_owned()),
            visitor: self.person.facts(ip, self.is_known),
            session: SessionFacts {
                started_at: self.started_at,
                url: Some(self.landing.url.to_owned()),
                referrer: self.source.referrer.map(str::to_owned),
                utm_source: utm.map(|(source, _, _)| source.to_owned()),
                utm_medium: medium.map(str::to_owned),
                utm_campaign: utm.map(|(_, _, campaign)| campaign.to_owned()),
                utm_term: detail.clone().filter(|_| is_search),
                utm_content: detail.filter(|_| !is_search),
                click_count: Some(self.clicks),
                max_scroll_depth: Some(self.depth),
            },
            events: std::mem::take(&mut self.events),
        })
    }

    /// How many events were not sent yet.
    pub fn unsent(&self) -> usize {
        self.events.len()
    }
}
