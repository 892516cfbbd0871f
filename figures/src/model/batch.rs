//! A batch: one message of a tracker, validated, enriched and stored once.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};

use crate::hash::first_64_bits;
use crate::ids::{BatchId, ProjectId, SessionId, VisitorId};
use crate::model::event_types::PAGE_VIEW;
use crate::table::codec::{self, CodecError};
use crate::table::ip::EncryptedIp;
use crate::table::keys;
use crate::table::store::{DATA, Item, StoreError, binary, key_item, read_binary};
use crate::time::Millis;

/// What the first byte of a batch of format 2 or later has set, with the format's number above these bits. No deflated
/// text begins so: block type 3 is reserved (RFC 1951, 3.2.3). So a batch of format 1 needs no such byte.
const MARKER: u8 = 0b110;

/// Before a batch of format 2: what follows is what a batch of format 1 is.
const FORMAT_2: u8 = (2 << 3) | MARKER;

/// Before a batch of format 3, which is written: what follows was deflated with [`DICTIONARY_1`].
const FORMAT_3: u8 = (3 << 3) | MARKER;

/// What batches are expected to repeat: their fields, the tracker's events, frequent values. Batches are kept for ever, and
/// so is this, byte for byte; a better one is another one, with a format of its own.
const DICTIONARY_1: &[u8] = include_bytes!("../../data/batch_dictionary_1.txt");

/// How far ahead of the server's clock an event may lie; the collector refuses what lies further.
pub const MAX_AHEAD_MS: i64 = 5 * 60_000;

/// A stored batch. Instants are corrected by the collector already.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Batch {
    /// Who sent it.
    pub visitor_id: VisitorId,
    /// In which session.
    pub session_id: SessionId,
    /// Its own identifier.
    pub batch_id: BatchId,
    /// When the server stored it. Orders batches where the contract asks for the first one stored.
    pub stored_at: Millis,
    /// When the client sent it.
    pub sent_at: Millis,
    /// The page it was sent from.
    pub page: Option<String>,
    /// The visitor as it was then.
    pub visitor: VisitorFacts,
    /// What it says about its session.
    pub session: SessionFacts,
    /// What happened; nothing is a heartbeat.
    pub events: Vec<Event>,
}

/// What one batch says about its visitor.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct VisitorFacts {
    /// The tracker's fingerprint of the browser.
    pub fingerprint_hash: Option<String>,
    /// Width in pixels.
    pub screen_width: Option<u32>,
    /// Height in pixels.
    pub screen_height: Option<u32>,
    /// IANA name.
    pub timezone: Option<String>,
    /// BCP 47 tag.
    pub language: Option<String>,
    /// 1 if an ad blocker was found.
    pub ad_block: Option<u8>,
    /// 0 to 100, the larger of what client and server say.
    pub bot_score: u8,
    /// The site's own names for the visitor.
    pub aliases: Vec<String>,
    /// From the `User-Agent`.
    pub browser_name: Option<String>,
    /// From the `User-Agent`.
    pub browser_version: Option<String>,
    /// From the `User-Agent`.
    pub os: Option<String>,
    /// 1 on a phone or tablet.
    pub mobile: Option<u8>,
    /// The country's English name.
    pub geo_country: Option<String>,
    /// ISO 3166-1 alpha-2.
    pub geo_country_code: Option<String>,
    /// The city's name.
    pub geo_city: Option<String>,
    /// The address, readable as long as its day's key is kept.
    pub ip: Option<EncryptedIp>,
}

/// What one batch says about its session.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionFacts {
    /// When the session started.
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
    /// Clicks so far.
    pub click_count: Option<u32>,
    /// 0 to 100, so far.
    pub max_scroll_depth: Option<u8>,
}

/// One event.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Event {
    /// Its type.
    pub name: String,
    /// The page it happened on: its own `url`, else its data's, else its batch's page. Events of one batch share the text.
    pub url: Option<Arc<str>>,
    /// When it happened.
    pub created_at: Millis,
    /// A JSON object as the client wrote it.
    pub data: Option<Box<RawValue>>,
}

impl Event {
    /// Whether this is a page view.
    pub fn is_page_view(&self) -> bool {
        self.name == PAGE_VIEW
    }
}

/// A batch's position in the order of storage.
pub type StoredOrder = (Millis, BatchId);

impl Batch {
    /// Where it stands among all batches in the order of storage.
    pub fn stored_order(&self) -> StoredOrder {
        (self.stored_at, self.batch_id.clone())
    }

    /// Its earliest instant: that of its events, or when it was sent if it has none.
    pub fn first_instant(&self) -> Millis {
        self.events.iter().map(|event| event.created_at).min().unwrap_or(self.sent_at)
    }

    /// Its latest instant.
    pub fn last_instant(&self) -> Millis {
        self.events.iter().map(|event| event.created_at).max().unwrap_or(self.sent_at)
    }

    /// The page at its latest instant.
    pub fn last_page(&self) -> Option<&str> {
        let latest = self.events.iter().max_by_key(|event| event.created_at);
        latest.map_or(self.page.as_deref(), |event| event.url.as_deref())
    }

    /// The ids of its events, in their order.
    pub fn event_ids(&self) -> impl Iterator<Item = u64> + use<> {
        event_ids(&self.visitor_id, &self.session_id, &self.batch_id, self.events.len())
    }

    /// The 64 bits by which its session remembers that it was applied.
    pub fn fingerprint(&self) -> u64 {
        fingerprint(&self.batch_id)
    }

    /// The item that is stored.
    pub fn to_item(&self, project: &ProjectId) -> Result<Item, StoreError> {
        let json = serde_json::to_vec(self).map_err(|error| StoreError::Failed(error.to_string()))?;
        let mut item = key_item(&keys::batch(project, &self.visitor_id, &self.session_id, &self.batch_id));
        let mut data = vec![FORMAT_3];
        codec::append_deflated(&json, DICTIONARY_1, &mut data)?;
        item.extend(HashMap::from([(DATA.to_owned(), binary(data))]));
        Ok(item)
    }

    /// Reads a stored item.
    pub fn from_item(item: &Item) -> Result<Self, StoreError> {
        Self::from_data(read_binary(item, DATA)?)
    }

    /// Reads the data attribute of a stored item.
    pub fn from_data(data: &[u8]) -> Result<Self, StoreError> {
        let mut batch: Batch = serde_json::from_slice(&json_of(data)?)
            .map_err(|error| StoreError::Corrupt { key: "batch".to_owned(), cause: error.to_string() })?;
        batch.share_pages();
        Ok(batch)
    }

    /// Lets the events of one page share its text, which deflates to nothing and may be a hundred times as long unpacked.
    fn share_pages(&mut self) {
        let mut pages: HashSet<Arc<str>> = HashSet::new();
        for page in self.events.iter_mut().filter_map(|event| event.url.as_mut()) {
            match pages.get(page) {
                Some(known) => *page = known.clone(),
                None => drop(pages.insert(page.clone())),
            }
        }
    }
}

/// The JSON of a stored batch's data, whatever its format.
pub fn json_of(data: &[u8]) -> Result<Vec<u8>, CodecError> {
    match data.split_first() {
        Some((&FORMAT_3, deflated)) => codec::inflate(deflated, DICTIONARY_1),
        Some((&FORMAT_2, deflated)) => codec::inflate(deflated, codec::NO_DICTIONARY),
        Some((first, _)) if first & MARKER == MARKER => Err(CodecError::Newer(first >> 3)),
        _ => codec::inflate(data, codec::NO_DICTIONARY),
    }
}

/// The 64 bits by which a session remembers that a batch was applied.
pub fn fingerprint(batch: &BatchId) -> u64 {
    first_bits(&[batch.as_str()])
}

/// The ids of a batch's events: 53 bits, so that every JSON reader takes them exactly.
pub fn event_ids(
    visitor: &VisitorId,
    session: &SessionId,
    batch: &BatchId,
    count: usize,
) -> impl Iterator<Item = u64> + use<> {
    let base = first_bits(&[visitor.as_str(), session.as_str(), batch.as_str()]);
    (0..count as u64).map(move |position| mix(base ^ mix(position.wrapping_add(1))) >> 11)
}

/// The first 64 bits of the SHA-256 of texts that hold no `#`.
fn first_bits(texts: &[&str]) -> u64 {
    let mut hash = Sha256::new();
    for text in texts {
        hash.update(text.as_bytes());
        hash.update(b"#");
    }
    first_64_bits(hash)
}

/// The finalizer of SplitMix64 (Steele, Lea and Flood 2014): a bijection that spreads every bit.
fn mix(mut bits: u64) -> u64 {
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    const JSON: &str = r#"{"visitor_id":"v","session_id":"s","batch_id":"b","stored_at":1790000000000,"sent_at":1790000000000,"visitor":{"screen_width":1920,"screen_height":1080,"bot_score":0,"aliases":[]},"session":{"started_at":1790000000000},"events":[{"name":"page_view","url":"/","created_at":1790000000000,"data":{"url":"/","title":"A page"}}]}"#;

    #[test]
    fn a_batch_is_short_and_one_in_a_later_format_is_left_to_a_newer_version() {
        let mut data = vec![FORMAT_3];
        codec::append_deflated(JSON.as_bytes(), DICTIONARY_1, &mut data).unwrap_or_default();
        assert!(data.len() < 120, "{}", data.len());
        assert_eq!(json_of(&data).unwrap_or_default(), JSON.as_bytes());
        let batch = Batch::from_data(&data).ok();
        assert_eq!(batch.map(|batch| batch.events.len()), Some(1));
        data[0] = (4 << 3) | MARKER;
        assert!(matches!(json_of(&data), Err(CodecError::Newer(4))));
    }

    /// Batches that are stored need it as it is.
    #[test]
    fn the_dictionary_is_what_it_always_was() {
        let mut hash = Sha256::new();
        hash.update(DICTIONARY_1);
        assert_eq!(first_64_bits(hash), 0xa944_2a7c_27cb_d75e);
    }
}
