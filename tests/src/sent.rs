//! A batch as its sender writes it: what the oracle answers from and what the product is fed with.

use serde::Serialize;
use serde_json::Value;

/// A batch in the collector's format, with what only an import may add.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Sent {
    /// Unique within its session.
    pub batch_id: String,
    /// Unix milliseconds.
    pub sent_at: i64,
    /// The page it was sent from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub page: Option<String>,
    /// Who sent it.
    pub visitor: Visitor,
    /// In which session.
    pub session: Session,
    /// Nothing is a heartbeat.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub events: Vec<Event>,
}

/// What a batch says about its visitor. The fields from `browser_name` on only an import may carry.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[expect(missing_docs, reason = "the documented fields, by their documented names")]
pub struct Visitor {
    pub visitor_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fingerprint_hash: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub screen_width: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub screen_height: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timezone: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ad_block: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bot_score: Option<u8>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub aliases: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub browser_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub browser_version: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub os: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mobile: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub geo_country: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub geo_country_code: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub geo_city: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ip: Option<String>,
}

/// What a batch says about its session.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[expect(missing_docs, reason = "the documented fields, by their documented names")]
pub struct Session {
    pub session_id: String,
    pub started_at: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub referrer: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub utm_source: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub utm_medium: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub utm_campaign: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub utm_term: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub utm_content: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub click_count: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_scroll_depth: Option<u8>,
}

/// One event.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[expect(missing_docs, reason = "the documented fields, by their documented names")]
pub struct Event {
    pub name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    pub created_at: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data: Option<Value>,
}

impl Sent {
    /// The page of one of its events: the event's `url`, else its `data.url`, else the batch's `page`.
    pub fn page_of<'a>(&'a self, event: &'a Event) -> Option<&'a str> {
        let of_data = || event.data.as_ref()?.get("url")?.as_str();
        event.url.as_deref().or_else(of_data).or(self.page.as_deref())
    }
}
