//! A hit: one thing that another tool saw somebody do, in the words of this one.

use serde::{Deserialize, Serialize};

/// What somebody did, in which visit, with what the other tool knew of both.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Hit {
    /// The visitor's identifier.
    pub visitor: String,
    /// The session's.
    pub session: String,
    /// When: Unix microseconds.
    pub micros: i64,
    /// Which it is of those at one instant, where the export knows.
    pub rank: i64,
    /// What tells it from others at one instant, where the export knows: another hit that has the same is the same hit.
    pub mark: Option<u64>,
    /// The line of the export that tells of it.
    pub line: u64,
    /// The day of the export that it is in; no batch holds hits of two, so that days can be imported one by one.
    pub day: i64,
    /// What was done.
    pub event: Event,
    /// How the visit began, if this is where it began.
    pub landing: Landing,
    /// How much of a page was seen, in percent.
    pub scroll_depth: Option<u8>,
    /// With what, and from where.
    pub client: Client,
}

/// What was done.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// Its name.
    pub name: String,
    /// On which page.
    pub url: Option<String>,
    /// What else is known: a JSON object.
    pub data: Option<String>,
}

/// How a visit began.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Landing {
    /// Where the visitor came from.
    pub referrer: Option<String>,
    /// The campaign that brought it.
    pub tags: Tags,
}

/// The parameters of a campaign.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tags {
    /// `utm_source`.
    pub source: Option<String>,
    /// `utm_medium`.
    pub medium: Option<String>,
    /// `utm_campaign`.
    pub campaign: Option<String>,
    /// `utm_term`.
    pub term: Option<String>,
    /// `utm_content`.
    pub content: Option<String>,
}

/// What is known of a visitor and its device.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Client {
    /// The browser.
    pub browser_name: Option<String>,
    /// Its version.
    pub browser_version: Option<String>,
    /// The operating system.
    pub os: Option<String>,
    /// 1 on a phone or tablet.
    pub mobile: Option<u8>,
    /// The country's English name.
    pub geo_country: Option<String>,
    /// ISO 3166-1 alpha-2.
    pub geo_country_code: Option<String>,
    /// The city.
    pub geo_city: Option<String>,
    /// The language.
    pub language: Option<String>,
    /// Width and height, in pixels.
    pub screen: Option<(u32, u32)>,
    /// The site's own name for the visitor.
    pub alias: Option<String>,
}

impl Hit {
    /// A hit of which no more is known yet.
    pub fn new(visitor: String, session: String, micros: i64, line: u64) -> Self {
        let day = micros.div_euclid(MICROS_A_DAY);
        Hit { visitor, session, micros, line, day, ..Hit::default() }
    }

    /// When: Unix milliseconds.
    pub fn millis(&self) -> i64 {
        self.micros.div_euclid(1_000)
    }

    /// What hits are sorted by.
    pub fn order(&self) -> (&str, &str, i64, i64) {
        (&self.visitor, &self.session, self.micros, self.rank)
    }

    /// Some bytes that it takes in memory.
    pub fn size(&self) -> usize {
        let Hit { visitor, session, event, landing, .. } = self;
        let Tags { source, medium, campaign, term, content } = &landing.tags;
        let texts =
            [&event.url, &event.data, &landing.referrer, source, medium, campaign, term, content].map(Option::as_ref);
        // What is known of the client, and the rest of what memory costs, comes to some hundred bytes.
        size_of::<Hit>()
            + 200
            + visitor.len()
            + session.len()
            + texts.into_iter().flatten().map(String::len).sum::<usize>()
    }
}

impl Tags {
    /// Whether there is no campaign.
    pub fn are_none(&self) -> bool {
        *self == Tags::default()
    }
}

const MICROS_A_DAY: i64 = 86_400_000_000;
