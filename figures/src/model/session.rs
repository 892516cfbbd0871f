//! A session's state: all that its figures and its row in a list need.

use serde::{Deserialize, Serialize};

use crate::channels::{Channel, Source, channel, referrer_host};
use crate::ids::SessionId;
use crate::model::batch::{Batch, StoredOrder, VisitorFacts};
use crate::model::trail::Trail;
use crate::site::HostPattern;
use crate::table::codec::{self, CodecError, Packed};
use crate::table::ip::EncryptedIp;
use crate::time::{DAY_MS, Day, Millis};

/// The version since which a session ends a day after its start, and rankings keep so much of a text.
pub const BOUNDED_SINCE: u16 = 2;

/// A session keeps so many events; what is sent beyond is dropped. A person's have some hundreds.
pub const MAX_EVENTS: usize = 10_000;
/// A session keeps so many batches, heartbeats among them, which no person's comes near in a day.
pub const MAX_BATCHES: usize = 5_000;

/// A session ends so long after its start, whatever is sent of it later.
pub const MAX_SESSION_MS: i64 = DAY_MS;

/// How many applied batches a session remembers inline before the list moves to items of its own.
pub const MAX_RECENT: usize = 32;
/// How many applied batches one such item lists.
pub const MAX_PART: usize = 512;

/// A session and what was applied of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// Its identifier within its visitor.
    pub session_id: SessionId,
    /// The first batch of it that was stored; the fields up to `channel` are that batch's.
    pub origin: StoredOrder,
    /// When it started.
    pub started_at: Millis,
    /// The page it landed on.
    pub url: Option<String>,
    /// Where it came from.
    pub referrer: Option<String>,
    /// Campaign parameter.
    pub utm_source: Option<String>,
    /// Campaign parameter.
    pub utm_medium: Option<String>,
    /// Campaign parameter.
    pub utm_campaign: Option<String>,
    /// Campaign parameter.
    pub utm_term: Option<String>,
    /// Campaign parameter.
    pub utm_content: Option<String>,
    /// The device's browser.
    pub browser_name: Option<String>,
    /// The device's operating system.
    pub os: Option<String>,
    /// The country's English name.
    pub geo_country: Option<String>,
    /// ISO 3166-1 alpha-2.
    pub geo_country_code: Option<String>,
    /// The city's name.
    pub geo_city: Option<String>,
    /// The address, readable as long as its day's key is kept.
    pub ip: Option<EncryptedIp>,
    /// The referring host, unless it is the project's own.
    pub referrer_host: Option<String>,
    /// The channel it came by, as the release before the last ones of them reads it; which it really is, [`Later`] says.
    #[serde(serialize_with = "Channel::serialize_as_before")]
    pub channel: Channel,
    /// The earliest event or heartbeat.
    pub first_instant: Millis,
    /// The latest event or heartbeat.
    pub last_instant: Millis,
    /// The largest number of clicks reported.
    pub click_count: Option<u32>,
    /// The largest scroll depth reported.
    pub max_scroll_depth: Option<u8>,
    /// Page views.
    pub page_views: u32,
    /// Events.
    pub event_count: u32,
    /// The day on which the visitor's next session started, if it had another one.
    pub next_day: Option<Day>,
    /// Its first and last page view, as far as it is counted.
    pub trail: Trail,
    /// Whether it is the visitor's first one.
    pub is_first: bool,
    /// Whether the figures contain it; a bot's sessions are taken out again.
    pub counted: bool,
    /// The version of the measures that it is counted with: it adds nothing to a later measure, and what it adds is counted as
    /// that version does, so that nothing is ever subtracted that was not added.
    pub measures: u16,
    /// The batches applied to it.
    pub applied: Applied,
    /// How many more events came when it was full. Of the session itself it stands last; what is stored behind it, [`WithLater`] says.
    #[serde(deserialize_with = "codec::or_default")]
    pub dropped: u32,
    /// What its first stored batch says it was made with. It is stored apart ([`Later`]); none where functions of a release
    /// that does not know it have stored the session since.
    #[serde(skip)]
    pub device: Option<Device>,
}

/// With what a session was made, as far as its row in a list does not show it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Device {
    /// 1 on a phone or tablet.
    pub mobile: Option<u8>,
    /// The first subtag of the language, in lower case.
    pub language: Option<String>,
    /// Width and height of the screen in pixels, where both are known.
    pub screen: Option<(u32, u32)>,
}

impl Device {
    fn of(facts: &VisitorFacts) -> Self {
        Device {
            mobile: facts.mobile,
            language: facts.language.as_deref().and_then(first_subtag),
            screen: facts.screen_width.zip(facts.screen_height),
        }
    }
}

/// The longest subtag of a language (BCP 47).
const MAX_SUBTAG: usize = 8;

/// The first subtag of a language, if it may be one: clients send what they like.
fn first_subtag(tag: &str) -> Option<String> {
    let subtag = tag.split(['-', '_']).next()?;
    let is_subtag = (1..=MAX_SUBTAG).contains(&subtag.len()) && subtag.bytes().all(|byte| byte.is_ascii_alphanumeric());
    is_subtag.then(|| subtag.to_ascii_lowercase())
}

/// What a session has that was added to it after its format was set.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Later {
    #[serde(deserialize_with = "codec::or_default")]
    device: Option<Device>,
    #[serde(deserialize_with = "codec::or_default")]
    channel: Option<Channel>,
}

/// A state as it is stored, with [`Later`] of the session in it behind all else: a visitor's state has more after its session,
/// and a release that does not know of it reads no further.
#[derive(Debug, Serialize, Deserialize)]
pub struct WithLater<State> {
    state: State,
    later: Later,
}

impl<State> WithLater<State> {
    /// A state, and the session in it.
    pub fn new(state: State, session: &Session) -> Self {
        let later = Later { device: session.device.clone(), channel: session.channel.later() };
        WithLater { state, later }
    }

    /// The state, once the session in it was given what was stored apart.
    pub fn complete(self, session: impl FnOnce(&mut State) -> &mut Session) -> State {
        let WithLater { mut state, later } = self;
        let session = session(&mut state);
        session.device = later.device;
        session.channel = later.channel.unwrap_or(session.channel);
        state
    }
}

impl From<WithLater<Session>> for Session {
    fn from(stored: WithLater<Session>) -> Self {
        stored.complete(|session| session)
    }
}

/// Which batches were applied to a session, by their fingerprints.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Applied {
    /// The latest ones.
    pub recent: Vec<u64>,
    /// How many more are listed in items of their own.
    pub listed: u32,
}

impl Applied {
    /// How many there are.
    pub fn count(&self) -> usize {
        self.recent.len() + self.listed as usize
    }
}

impl Packed<'_> for Session {
    type V2 = Self;
    type V3 = WithLater<Self>;
}

/// A part of a long list of applied batches.
impl Packed<'_> for Vec<u64> {
    type V2 = Self;
    type V3 = Self;
}

/// What a session's lookup holds: the first batch of it that was stored, and when it started.
impl Packed<'_> for (StoredOrder, Millis) {
    type V2 = Self;
    type V3 = Self;
}

/// A session's position in its visitor's history.
pub type SessionOrder = (Millis, SessionId);

impl Session {
    /// The session that a batch begins, to be counted with this version of the measures. The project's own hosts are no
    /// referrers.
    pub fn begin(batch: &Batch, own_hosts: &[HostPattern], measures: u16) -> Self {
        let mut session = Session {
            session_id: batch.session_id.clone(),
            origin: batch.stored_order(),
            started_at: batch.session.started_at,
            url: None,
            referrer: None,
            utm_source: None,
            utm_medium: None,
            utm_campaign: None,
            utm_term: None,
            utm_content: None,
            browser_name: None,
            os: None,
            geo_country: None,
            geo_country_code: None,
            geo_city: None,
            ip: None,
            referrer_host: None,
            channel: Channel::Direct,
            first_instant: batch.first_instant(),
            last_instant: batch.last_instant(),
            click_count: None,
            max_scroll_depth: None,
            page_views: 0,
            event_count: 0,
            next_day: None,
            trail: Trail::default(),
            is_first: true,
            counted: true,
            measures,
            applied: Applied::default(),
            dropped: 0,
            device: None,
        };
        session.originate(batch, own_hosts);
        session
    }

    /// Takes from a batch what the first stored one decides. The project's own hosts are no referrers.
    pub fn originate(&mut self, batch: &Batch, own_hosts: &[HostPattern]) {
        let (facts, visitor) = (batch.session.clone(), batch.visitor.clone());
        self.device = Some(Device::of(&visitor));
        self.origin = batch.stored_order();
        self.started_at = facts.started_at;
        self.url = facts.url;
        self.referrer = facts.referrer;
        self.utm_source = facts.utm_source;
        self.utm_medium = facts.utm_medium;
        self.utm_campaign = facts.utm_campaign;
        self.utm_term = facts.utm_term;
        self.utm_content = facts.utm_content;
        self.browser_name = visitor.browser_name;
        self.os = visitor.os;
        self.geo_country = visitor.geo_country;
        self.geo_country_code = visitor.geo_country_code;
        self.geo_city = visitor.geo_city;
        self.ip = visitor.ip;
        self.referrer_host = self.referrer.as_deref().and_then(|referrer| referrer_host(referrer, own_hosts));
        let source = Source {
            landing_url: self.url.as_deref(),
            utm_source: self.utm_source.as_deref(),
            utm_medium: self.utm_medium.as_deref(),
            utm_campaign: self.utm_campaign.as_deref(),
        };
        self.channel = channel(&source, self.referrer_host.as_deref());
    }

    /// Packs it for an item of its own.
    pub fn pack(&self) -> Result<Vec<u8>, CodecError> {
        codec::pack(&WithLater::new(self, self))
    }

    /// Whether it keeps a batch besides those that were applied to it.
    pub fn has_room_for(&self, batch: &Batch) -> bool {
        self.applied.count() < MAX_BATCHES && self.event_count as usize + batch.events.len() <= MAX_EVENTS
    }

    /// Takes from a batch what accumulates, and remembers that it was applied.
    pub fn accumulate(&mut self, batch: &Batch) {
        self.first_instant = self.first_instant.min(batch.first_instant());
        self.last_instant = self.last_instant.max(batch.last_instant());
        self.click_count = self.click_count.max(batch.session.click_count);
        self.max_scroll_depth = self.max_scroll_depth.max(batch.session.max_scroll_depth);
        self.page_views += batch.events.iter().filter(|event| event.is_page_view()).count() as u32;
        self.event_count += batch.events.len() as u32;
        self.applied.recent.push(batch.fingerprint());
    }

    /// Its position in its visitor's history.
    pub fn order(&self) -> SessionOrder {
        (self.started_at, self.session_id.clone())
    }

    /// The day it belongs to.
    pub fn day(&self) -> Day {
        self.started_at.day()
    }

    /// The latest instant known of it.
    pub fn latest(&self) -> Millis {
        self.started_at.max(self.last_instant)
    }

    /// Its end: the latest instant known of it, a day after its start at most.
    pub fn ended_at(&self) -> Millis {
        if self.measures < BOUNDED_SINCE {
            return self.latest();
        }
        self.latest().min(self.started_at.plus(MAX_SESSION_MS))
    }

    /// From its start to the latest instant known of it.
    pub fn span_ms(&self) -> i64 {
        self.latest().0 - self.started_at.0
    }

    /// From its start to its end.
    pub fn duration_ms(&self) -> i64 {
        self.ended_at().0 - self.started_at.0
    }

    /// From its earliest instant to its start, which may come later.
    pub fn lead_ms(&self) -> i64 {
        self.started_at.0 - self.earliest().0
    }

    /// The earliest instant known of it.
    pub fn earliest(&self) -> Millis {
        self.started_at.min(self.first_instant)
    }
}
