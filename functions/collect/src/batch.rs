//! The rules of a batch, for what trackers send and for what is imported: bytes in, a [`Draft`]
//! or the field that breaks a rule out.

use std::net::IpAddr;
use std::ops::Range;
use std::sync::Arc;

use figures::ids::{BatchId, DERIVED_BYTES, ProjectId, SessionId, VisitorId};
use figures::model::batch::MAX_AHEAD_MS;
use figures::model::session::MAX_SESSION_MS;
use figures::model::{Batch, Event, SessionFacts, VisitorFacts};
use figures::table::ip::IpKey;
use figures::table::store::StoreError;
use figures::time::{DAY_MS, Millis};
use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};
use shared::error::ApiError;

use crate::fields::{Address, Data, EventName, Flag, Instant, Label, List, Object, Parsed, Text, Whole};
use crate::limits::{MAX_ALIASES, MAX_BODY, MAX_EVENTS, MAX_SHORT, MAX_URL, MAX_UTM};
use crate::surrogates;

/// Unix seconds from September 2001 to November 2286. As milliseconds they are of the first hundred days of 1970.
const SECONDS: Range<i64> = 1_000_000_000..10_000_000_000;

/// Differences of clocks up to this are the network's, and stay.
const MAX_SKEW_MS: i64 = 2_000;
/// An event that is older is refused.
const MAX_AGE_MS: i64 = 7 * DAY_MS;
/// A session began at most so long before the oldest event that is sent of it: it ends a day after its start.
const MAX_LEAD_MS: i64 = MAX_SESSION_MS;
/// A session began at most so long ago: no batch changes the figures of earlier days.
const MAX_SESSION_AGE_MS: i64 = 8 * DAY_MS;

/// A batch that breaks a rule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {problem}")]
pub struct Invalid {
    /// The path of the field that breaks it, such as `events[3].name`; `body` is the whole.
    pub field: String,
    /// What it must be.
    pub problem: String,
}

impl Invalid {
    fn new(field: impl Into<String>, problem: impl Into<String>) -> Self {
        Invalid { field: field.into(), problem: problem.into() }
    }
}

impl From<Invalid> for ApiError {
    fn from(invalid: Invalid) -> Self {
        ApiError::InvalidBody(invalid.to_string())
    }
}

/// Who sent a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sender {
    /// A visitor that names itself.
    Named(VisitorId),
    /// One that does not; its session started at this instant by its own clock, which no difference of clocks changes.
    Unnamed(Millis),
}

/// A batch that keeps to every rule, before it is stored.
#[derive(Debug, Clone)]
pub struct Draft {
    /// In which session.
    pub session_id: SessionId,
    /// Its own identifier.
    pub batch_id: BatchId,
    /// When the client sent it.
    pub sent_at: Millis,
    /// The page it was sent from.
    pub page: Option<String>,
    /// The visitor, but for the address.
    pub visitor: VisitorFacts,
    /// What it says about its session.
    pub session: SessionFacts,
    /// What happened.
    pub events: Vec<Event>,
    /// The visitor's address, not encrypted yet.
    pub ip: Option<IpAddr>,
}

impl Draft {
    /// The batch to store, its address encrypted with the project's key of the day.
    pub fn into_batch(self, visitor_id: VisitorId, stored_at: Millis, key: &IpKey) -> Result<Batch, StoreError> {
        let ip = self.ip.map(|address| key.encrypt(address)).transpose()?;
        Ok(Batch {
            visitor_id,
            session_id: self.session_id,
            batch_id: self.batch_id,
            stored_at,
            sent_at: self.sent_at,
            page: self.page,
            visitor: VisitorFacts { ip, ..self.visitor },
            session: self.session,
            events: self.events,
        })
    }

    /// Moves every instant by the difference between the server's clock and the client's, where that
    /// is more than the network's doing.
    fn correct_clock(&mut self, now: Millis) -> Result<(), Invalid> {
        let difference = now.0 - self.sent_at.0;
        if difference.abs() <= MAX_SKEW_MS {
            return Ok(());
        }
        self.sent_at = now;
        self.session.started_at = self.session.started_at.plus(difference);
        for (position, event) in self.events.iter_mut().enumerate() {
            event.created_at = event.created_at.plus(difference);
            if event.created_at.0 < 0 {
                return Err(Invalid::new(
                    created_at(position),
                    "lies before 1970 by the server's clock, going by sent_at",
                ));
            }
        }
        Ok(())
    }

    /// Moves the session's start to the nearest instant that it may have. It is not refused: it decides in a session's first
    /// batch alone, and none of the others is to be lost for it.
    fn bound_start(&mut self, now: Millis) {
        let oldest = self.events.iter().map(|event| event.created_at).min().unwrap_or(self.sent_at);
        let earliest = oldest.plus(-MAX_LEAD_MS).max(now.plus(-MAX_SESSION_AGE_MS)).max(Millis(0));
        self.session.started_at = self.session.started_at.max(earliest).min(now);
    }

    fn check_ages(&self, now: Millis) -> Result<(), Invalid> {
        let latest = now.plus(MAX_AHEAD_MS);
        for (position, event) in self.events.iter().enumerate() {
            if event.created_at > latest {
                return Err(Invalid::new(created_at(position), "must not lie more than 5 minutes ahead"));
            }
            if event.created_at < now.plus(-MAX_AGE_MS) {
                return Err(Invalid::new(created_at(position), "must not lie more than 7 days back"));
            }
        }
        Ok(())
    }
}

fn created_at(position: usize) -> String {
    format!("events[{position}].created_at")
}

/// What is read of a body before anything else is judged.
#[derive(Debug, PartialEq, Eq)]
pub struct Envelope {
    /// The public key that it is sent with.
    pub key: String,
    /// How many events it says it has.
    pub events: usize,
}

impl Envelope {
    /// Reads a body's.
    pub fn of(body: &[u8]) -> Result<Self, Invalid> {
        #[derive(Deserialize)]
        struct Read {
            key: Option<Text<{ MAX_BODY }>>,
            events: Option<Box<RawValue>>,
        }
        let Read { key, events } = read(body)?;
        let events = events.and_then(|events| serde_json::from_str::<Vec<IgnoredAny>>(events.get()).ok());
        Ok(Envelope { key: required(key, "key")?.0, events: events.map_or(0, |events| events.len()) })
    }
}

/// The batch of a body sent to the collector, its instants corrected by the difference of the clocks.
pub fn collected(body: &[u8], now: Millis) -> Result<(Sender, Draft), Invalid> {
    let body = read::<Body>(body)?;
    let named = body.visitor_id();
    let mut draft = body.into_draft()?;
    let sender = named.map_or(Sender::Unnamed(draft.session.started_at), Sender::Named);
    draft.correct_clock(now)?;
    draft.check_ages(now)?;
    draft.bound_start(now);
    Ok((sender, draft))
}

/// The batch of an imported line: of any age, by its own clock, with what the server would have known.
pub fn imported(line: &[u8], project: &ProjectId) -> Result<(VisitorId, Draft), Invalid> {
    #[derive(Deserialize)]
    struct Line {
        visitor: Option<Object<KnownBody>>,
    }
    let body = read::<Body>(line)?;
    let named = body.visitor_id();
    let draft = body.into_draft()?;
    in_milliseconds(draft.session.started_at, "session.started_at")?;
    let known = required(read::<Line>(line)?.visitor, "visitor")?.0;
    let visitor = named.map_or_else(|| known_by_fingerprint(project, &draft.visitor), Ok)?;
    Ok((visitor, known.complete(draft)))
}

/// Reads a JSON object and nothing after it.
fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Invalid> {
    let text = std::str::from_utf8(bytes).map_err(|error| Invalid::new("body", format!("is not UTF-8: {error}")))?;
    let text = surrogates::replaced(text);
    let mut reader = serde_json::Deserializer::from_str(&text);
    let object: Object<T> = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        let path = error.path().to_string();
        refused(&path, error.inner())
    })?;
    reader.end().map_err(|error| refused("body", &error))?;
    Ok(object.0)
}

fn refused(path: &str, error: &serde_json::Error) -> Invalid {
    if !error.is_data() {
        return Invalid::new("body", format!("is not valid JSON: {error}"));
    }
    let field = if path == "." { "body" } else { path };
    let problem = error.to_string();
    // The path says where; the line and column in a body that a program wrote help no one.
    let position = format!(" at line {} column {}", error.line(), error.column());
    Invalid::new(field, problem.strip_suffix(&position).unwrap_or(&problem))
}

fn required<T>(value: Option<T>, field: &str) -> Result<T, Invalid> {
    value.ok_or_else(|| Invalid::new(field, "is required"))
}

fn text<const MAX: usize>(value: Option<Text<MAX>>) -> Option<String> {
    value.map(|text| text.0)
}

fn number<T, const MAX: u64>(value: Option<Whole<T, MAX>>) -> Option<T> {
    value.map(|number| number.0)
}

fn flag(value: Option<Flag>) -> Option<u8> {
    value.map(|flag| flag.0)
}

/// An instant that decides where something is counted, which one in seconds would do wrong.
fn in_milliseconds(instant: Millis, field: &str) -> Result<Millis, Invalid> {
    if SECONDS.contains(&instant.0) {
        return Err(Invalid::new(field, format!("must be in milliseconds; {} seems to be in seconds", instant.0)));
    }
    Ok(instant)
}

/// What collector and import have in common. All fields are optional here, so that a missing one is
/// named by its own path.
#[derive(Deserialize)]
struct Body {
    batch_id: Option<Parsed<BatchId>>,
    sent_at: Option<Instant>,
    page: Option<Text<MAX_URL>>,
    visitor: Option<Object<VisitorBody>>,
    session: Option<Object<SessionBody>>,
    events: Option<List<Object<EventBody>, MAX_EVENTS>>,
}

#[derive(Deserialize)]
struct VisitorBody {
    visitor_id: Option<Parsed<VisitorId>>,
    fingerprint_hash: Option<Text<MAX_SHORT>>,
    screen_width: Option<Whole<u32, { u32::MAX as u64 }>>,
    screen_height: Option<Whole<u32, { u32::MAX as u64 }>>,
    timezone: Option<Text<MAX_SHORT>>,
    language: Option<Text<MAX_SHORT>>,
    ad_block: Option<Flag>,
    bot_score: Option<Whole<u8, 100>>,
    aliases: Option<List<Label<MAX_SHORT>, MAX_ALIASES>>,
}

#[derive(Deserialize)]
struct SessionBody {
    session_id: Option<Parsed<SessionId>>,
    started_at: Option<Instant>,
    url: Option<Text<MAX_URL>>,
    referrer: Option<Text<MAX_URL>>,
    utm_source: Option<Text<MAX_UTM>>,
    utm_medium: Option<Text<MAX_UTM>>,
    utm_campaign: Option<Text<MAX_UTM>>,
    utm_term: Option<Text<MAX_UTM>>,
    utm_content: Option<Text<MAX_UTM>>,
    click_count: Option<Whole<u32, { u32::MAX as u64 }>>,
    max_scroll_depth: Option<Whole<u8, 100>>,
}

#[derive(Deserialize)]
struct EventBody {
    name: Option<Parsed<EventName>>,
    url: Option<Text<MAX_URL>>,
    created_at: Option<Instant>,
    data: Option<Data>,
}

/// What the server knows of a collected batch's visitor, and an imported one says itself.
#[derive(Deserialize)]
struct KnownBody {
    browser_name: Option<Text<MAX_SHORT>>,
    browser_version: Option<Text<MAX_SHORT>>,
    os: Option<Text<MAX_SHORT>>,
    mobile: Option<Flag>,
    geo_country: Option<Text<MAX_SHORT>>,
    geo_country_code: Option<Text<MAX_SHORT>>,
    geo_city: Option<Text<MAX_SHORT>>,
    ip: Option<Parsed<Address>>,
}

impl Body {
    fn visitor_id(&self) -> Option<VisitorId> {
        self.visitor.as_ref()?.0.visitor_id.as_ref().map(|id| id.0.clone())
    }

    fn into_draft(self) -> Result<Draft, Invalid> {
        let visitor = required(self.visitor, "visitor")?.0;
        let session = required(self.session, "session")?.0;
        let page = text(self.page);
        let shared_page: Option<Arc<str>> = page.as_deref().map(Arc::from);
        let events = self.events.unwrap_or_default().0.into_iter().enumerate();
        let events = events.map(|(position, event)| event.0.into_event(position, shared_page.as_ref()));
        Ok(Draft {
            batch_id: required(self.batch_id, "batch_id")?.0,
            sent_at: in_milliseconds(Millis(required(self.sent_at, "sent_at")?.0), "sent_at")?,
            session_id: required(session.session_id, "session.session_id")?.0,
            session: SessionFacts {
                started_at: Millis(required(session.started_at, "session.started_at")?.0),
                url: text(session.url),
                referrer: text(session.referrer).map(|referrer| without_secrets(&referrer)),
                utm_source: text(session.utm_source),
                utm_medium: text(session.utm_medium),
                utm_campaign: text(session.utm_campaign),
                utm_term: text(session.utm_term),
                utm_content: text(session.utm_content),
                click_count: number(session.click_count),
                max_scroll_depth: number(session.max_scroll_depth),
            },
            events: events.collect::<Result<_, _>>()?,
            page,
            visitor: visitor.into_facts(),
            ip: None,
        })
    }
}

/// A referrer without user, password, query and fragment: what other sites put there is not for this one's owner.
fn without_secrets(referrer: &str) -> String {
    let address = referrer.split(['?', '#']).next().unwrap_or_default();
    let Some((scheme, rest)) = address.split_once("://") else { return address.to_owned() };
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let host = authority.rsplit('@').next().unwrap_or_default();
    format!("{scheme}://{host}{path}")
}

impl VisitorBody {
    fn into_facts(self) -> VisitorFacts {
        VisitorFacts {
            fingerprint_hash: text(self.fingerprint_hash),
            screen_width: number(self.screen_width),
            screen_height: number(self.screen_height),
            timezone: text(self.timezone),
            language: text(self.language),
            ad_block: flag(self.ad_block),
            bot_score: number(self.bot_score).unwrap_or_default(),
            aliases: self.aliases.unwrap_or_default().0.into_iter().map(|alias| alias.0).collect(),
            ..VisitorFacts::default()
        }
    }
}

/// The visitor of an imported line that names none: the same for the project's same fingerprint, whenever it is imported.
fn known_by_fingerprint(project: &ProjectId, facts: &VisitorFacts) -> Result<VisitorId, Invalid> {
    let missing = || Invalid::new("visitor.visitor_id", "is required where there is no fingerprint_hash");
    let fingerprint = facts.fingerprint_hash.as_ref().filter(|hash| !hash.is_empty()).ok_or_else(missing)?;
    let digest: [u8; 32] = Sha256::digest(format!("{project}#{fingerprint}")).into();
    digest.first_chunk::<DERIVED_BYTES>().map(VisitorId::derived).ok_or_else(missing)
}

impl EventBody {
    fn into_event(self, position: usize, page: Option<&Arc<str>>) -> Result<Event, Invalid> {
        let (data, named) = self.data.map_or((None, None), |data| (Some(data.text), data.url));
        let field = created_at(position);
        Ok(Event {
            name: required(self.name, &format!("events[{position}].name"))?.0.0,
            created_at: in_milliseconds(Millis(required(self.created_at, &field)?.0), &field)?,
            url: text(self.url).or(named).map(Arc::from).or_else(|| page.cloned()),
            data,
        })
    }
}

impl KnownBody {
    fn complete(self, draft: Draft) -> Draft {
        let visitor = VisitorFacts {
            browser_name: text(self.browser_name),
            browser_version: text(self.browser_version),
            os: text(self.os),
            mobile: flag(self.mobile),
            geo_country: text(self.geo_country),
            geo_country_code: text(self.geo_country_code),
            geo_city: text(self.geo_city),
            ..draft.visitor
        };
        Draft { visitor, ip: self.ip.map(|ip| ip.0.0), ..draft }
    }
}
