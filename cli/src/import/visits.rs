//! Hits in order of visits, made into batches.

use std::collections::HashSet;
use std::io;
use std::iter::Peekable;

use collect::limits::{MAX_ALIASES, MAX_EVENTS};
use figures::model::session::MAX_SESSION_MS;
use serde::Serialize;
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};

use super::hit::{Client, Hit, Landing, Tags};
use super::lines::Line;

/// Bytes of a batch's events, well below what an item of the table holds.
const MAX_BYTES: usize = 256 << 10;

/// The batches of hits that are in order of visits, each as a line to import.
pub struct Batches<I: Iterator<Item = io::Result<Hit>>> {
    hits: Peekable<Once<I>>,
    visit: Option<Visit>,
}

/// Hits without those that came before: exports overlap, and answers of an API that come page by page do.
struct Once<I> {
    hits: I,
    /// Visitor, session and time of the last one.
    at: (String, String, i64),
    /// The marks of those at that instant.
    marks: HashSet<u64>,
}

impl<I: Iterator<Item = io::Result<Hit>>> Iterator for Once<I> {
    type Item = io::Result<Hit>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let hit = match self.hits.next()? {
                Ok(hit) => hit,
                Err(error) => return Some(Err(error)),
            };
            if (&self.at.0, &self.at.1, self.at.2) != (&hit.visitor, &hit.session, hit.micros) {
                self.at = (hit.visitor.clone(), hit.session.clone(), hit.micros);
                self.marks.clear();
            }
            if hit.mark.is_none_or(|mark| self.marks.insert(mark)) {
                return Some(Ok(hit));
            }
        }
    }
}

/// The visit that is being made into batches.
struct Visit {
    visitor: String,
    session: String,
    /// How many sessions came before it of the same visit: each ends after a day.
    before: u64,
    started_at: i64,
    url: Option<String>,
    landing: Landing,
}

impl<I: Iterator<Item = io::Result<Hit>>> Batches<I> {
    /// Those of hits.
    pub fn new(hits: I) -> Self {
        let hits = Once { hits, at: <(String, String, i64)>::default(), marks: HashSet::new() };
        Batches { hits: hits.peekable(), visit: None }
    }

    /// The next hits that one batch holds.
    fn take(&mut self) -> io::Result<Vec<Hit>> {
        let Some(first) = self.hits.next().transpose()? else { return Ok(Vec::new()) };
        let began =
            self.visit.as_ref().filter(|visit| visit.holds(&first)).map_or(first.millis(), |visit| visit.started_at);
        let mut bytes = first.size();
        let mut hits = vec![first];
        while hits.len() < MAX_EVENTS {
            let goes_on = |next: &io::Result<Hit>| match (next, hits.first()) {
                (Ok(next), Some(first)) => {
                    (&next.visitor, &next.session, next.day) == (&first.visitor, &first.session, first.day)
                        && next.millis() < began.saturating_add(MAX_SESSION_MS)
                        && bytes + next.size() <= MAX_BYTES
                }
                _ => false,
            };
            let Some(next) = self.hits.next_if(goes_on) else { break };
            let next = next?;
            bytes += next.size();
            hits.push(next);
        }
        Ok(hits)
    }

    fn batch(&mut self) -> io::Result<Option<Line>> {
        let hits = self.take()?;
        let Some(first) = hits.first() else { return Ok(None) };
        let visit = match self.visit.take() {
            Some(visit) if visit.holds(first) => visit,
            Some(visit) if visit.is_of(first) => {
                Visit { before: visit.before + 1, started_at: first.millis(), ..visit }
            }
            _ => Visit::begin(first, &hits),
        };
        let text = serde_json::to_vec(&batch(&visit, first, &hits)).map_err(io::Error::other)?;
        self.visit = Some(visit);
        Ok(Some(Line { number: first.line, length: text.len(), text, read: 0 }))
    }
}

impl<I: Iterator<Item = io::Result<Hit>>> Iterator for Batches<I> {
    type Item = io::Result<Line>;

    fn next(&mut self) -> Option<Self::Item> {
        self.batch().transpose()
    }
}

impl Visit {
    fn begin(first: &Hit, hits: &[Hit]) -> Self {
        let tagged = hits.iter().map(|hit| &hit.landing.tags).find(|tags| !tags.are_none());
        // Where somebody came from is known where the first page is; later pages are referred to by the site itself.
        let landed = hits.iter().find(|hit| hit.event.url.is_some());
        Visit {
            visitor: first.visitor.clone(),
            session: first.session.clone(),
            before: 0,
            started_at: first.millis(),
            url: landed.and_then(|hit| hit.event.url.clone()),
            landing: Landing {
                referrer: landed.unwrap_or(first).landing.referrer.clone(),
                tags: tagged.cloned().unwrap_or_default(),
            },
        }
    }

    fn is_of(&self, hit: &Hit) -> bool {
        (&self.visitor, &self.session) == (&hit.visitor, &hit.session)
    }

    fn holds(&self, hit: &Hit) -> bool {
        self.is_of(hit) && hit.millis() < self.started_at.saturating_add(MAX_SESSION_MS)
    }

    fn session_id(&self) -> String {
        match self.before {
            0 => self.session.clone(),
            before => format!("{}_{}", self.session, before + 1),
        }
    }
}

/// The identifier of a batch: the same for the same hits, so that a second import changes nothing.
fn batch_id(visit: &Visit, hits: &[Hit]) -> String {
    let mut hash = Sha256::new();
    let mut add = |text: &str| {
        hash.update(text.as_bytes());
        hash.update([0]);
    };
    add(&visit.visitor);
    add(&visit.session_id());
    for Hit { micros, event, .. } in hits {
        add(&micros.to_string());
        add(&event.name);
        add(event.url.as_deref().unwrap_or_default());
    }
    let digest: String = hash.finalize().iter().take(12).map(|byte| format!("{byte:02x}")).collect();
    format!("b_{digest}")
}

/// A batch as it is imported.
#[derive(Serialize)]
struct Batch<'a> {
    batch_id: String,
    sent_at: i64,
    visitor: Visitor<'a>,
    session: Session<'a>,
    events: Vec<BatchEvent<'a>>,
}

#[derive(Serialize)]
struct Visitor<'a> {
    visitor_id: &'a str,
    browser_name: &'a Option<String>,
    browser_version: &'a Option<String>,
    os: &'a Option<String>,
    mobile: Option<u8>,
    geo_country: &'a Option<String>,
    geo_country_code: &'a Option<String>,
    geo_city: &'a Option<String>,
    language: &'a Option<String>,
    screen_width: Option<u32>,
    screen_height: Option<u32>,
    aliases: Vec<&'a str>,
}

#[derive(Serialize)]
struct Session<'a> {
    session_id: String,
    started_at: i64,
    url: &'a Option<String>,
    referrer: &'a Option<String>,
    utm_source: &'a Option<String>,
    utm_medium: &'a Option<String>,
    utm_campaign: &'a Option<String>,
    utm_term: &'a Option<String>,
    utm_content: &'a Option<String>,
    max_scroll_depth: Option<u8>,
}

#[derive(Serialize)]
struct BatchEvent<'a> {
    name: &'a str,
    url: &'a Option<String>,
    created_at: i64,
    data: Option<&'a RawValue>,
}

fn batch<'a>(visit: &'a Visit, first: &'a Hit, hits: &'a [Hit]) -> Batch<'a> {
    let Client {
        browser_name,
        browser_version,
        os,
        mobile,
        geo_country,
        geo_country_code,
        geo_city,
        language,
        screen,
        ..
    } = &first.client;
    let Tags { source, medium, campaign, term, content } = &visit.landing.tags;
    Batch {
        batch_id: batch_id(visit, hits),
        sent_at: hits.last().unwrap_or(first).millis(),
        visitor: Visitor {
            visitor_id: &visit.visitor,
            browser_name,
            browser_version,
            os,
            mobile: *mobile,
            geo_country,
            geo_country_code,
            geo_city,
            language,
            screen_width: screen.map(|(width, _)| width),
            screen_height: screen.map(|(_, height)| height),
            aliases: aliases(hits),
        },
        session: Session {
            session_id: visit.session_id(),
            started_at: visit.started_at,
            url: &visit.url,
            referrer: &visit.landing.referrer,
            utm_source: source,
            utm_medium: medium,
            utm_campaign: campaign,
            utm_term: term,
            utm_content: content,
            max_scroll_depth: hits.iter().filter_map(|hit| hit.scroll_depth).max(),
        },
        events: hits.iter().map(event).collect(),
    }
}

fn aliases(hits: &[Hit]) -> Vec<&str> {
    let mut aliases = Vec::new();
    for alias in hits.iter().filter_map(|hit| hit.client.alias.as_deref()) {
        if !aliases.contains(&alias) && aliases.len() < MAX_ALIASES {
            aliases.push(alias);
        }
    }
    aliases
}

fn event(hit: &Hit) -> BatchEvent<'_> {
    BatchEvent {
        name: &hit.event.name,
        url: &hit.event.url,
        created_at: hit.millis(),
        data: hit.event.data.as_deref().and_then(|data| serde_json::from_str(data).ok()),
    }
}
