//! Time indexes: small entries by hour, that lists are read from without touching whole items.
//!
//! An entry carries the revision of its visitor that wrote it, and the highest revision wins.
//! So merging runs and segments is idempotent and needs no order, and a removal is an entry without a value.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::generation::Generation;
use crate::ids::{BatchId, SessionId, VisitorId};
use crate::model::event_types::DOCUMENTED;
use crate::model::{Batch, Session};
use crate::table::codec::Packed;
use crate::table::ip::EncryptedIp;
use crate::table::keys::{RunKey, RunKind};
use crate::table::store::{Item, SK, StoreError, read_text};
use crate::time::{Day, Hour, Millis};

/// Which session an entry is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SessionRef<S = SessionId, V = VisitorId> {
    /// The session; first, so that entries sort by it.
    pub session: S,
    /// Its visitor.
    pub visitor: V,
}

/// As readers find it: its texts are borrowed from what they unpacked, and no copy is made of those that they pass over.
pub type FoundRef<'a> = SessionRef<&'a str, &'a str>;

impl SessionRef {
    /// The same with its texts borrowed.
    pub fn borrowed(&self) -> FoundRef<'_> {
        SessionRef { session: self.session.as_str(), visitor: self.visitor.as_str() }
    }
}

/// What lists and filters need to know of a session. Readers borrow its texts from what they unpacked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionEntry<T = String> {
    /// When it started.
    pub started_at: Millis,
    /// The day of the visitor's next session; `None`: this is its latest.
    pub next_day: Option<Day>,
    /// The page it landed on.
    pub url: Option<T>,
    /// The device's browser.
    pub browser_name: Option<T>,
    /// The device's operating system.
    pub os: Option<T>,
    /// The country's English name.
    pub geo_country: Option<T>,
    /// ISO 3166-1 alpha-2.
    pub geo_country_code: Option<T>,
    /// The city's name.
    pub geo_city: Option<T>,
    /// The address, readable as long as its day's key is kept.
    pub ip: Option<EncryptedIp>,
}

impl SessionEntry {
    /// The entry of a session.
    pub fn of(session: &Session) -> Self {
        SessionEntry {
            started_at: session.started_at,
            next_day: session.next_day,
            url: session.url.clone(),
            browser_name: session.browser_name.clone(),
            os: session.os.clone(),
            geo_country: session.geo_country.clone(),
            geo_country_code: session.geo_country_code.clone(),
            geo_city: session.geo_city.clone(),
            ip: session.ip.clone(),
        }
    }

    /// The entry with its texts borrowed.
    pub fn borrowed(&self) -> SessionEntry<&str> {
        SessionEntry {
            started_at: self.started_at,
            next_day: self.next_day,
            url: self.url.as_deref(),
            browser_name: self.browser_name.as_deref(),
            os: self.os.as_deref(),
            geo_country: self.geo_country.as_deref(),
            geo_country_code: self.geo_country_code.as_deref(),
            geo_city: self.geo_city.as_deref(),
            ip: self.ip.clone(),
        }
    }
}

/// Which batch an entry is of.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct BatchRef {
    /// Its visitor.
    pub visitor: VisitorId,
    /// Its session.
    pub session: SessionId,
    /// The batch.
    pub batch: BatchId,
}

impl BatchRef {
    /// Which one a batch is.
    pub fn of(batch: &Batch) -> Self {
        BatchRef { visitor: batch.visitor_id.clone(), session: batch.session_id.clone(), batch: batch.batch_id.clone() }
    }
}

/// What lists need to know of a batch's instants within one hour.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BatchEntry {
    /// Its events: milliseconds into the hour, position in the batch, type.
    pub events: Vec<(u32, u16, EventName)>,
    /// Milliseconds into the hour of a heartbeat.
    pub heartbeat: Option<u32>,
}

/// An event's type: the documented ones by number, so that an index of millions stays small.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum EventName {
    /// A position in [`DOCUMENTED`].
    Documented(u8),
    /// Any other type.
    Custom(String),
}

impl EventName {
    /// The code of a type.
    pub fn of(name: &str) -> Self {
        match DOCUMENTED.iter().position(|documented| *documented == name) {
            Some(position) => EventName::Documented(position as u8),
            None => EventName::Custom(name.to_owned()),
        }
    }

    /// The type.
    pub fn as_str(&self) -> &str {
        match self {
            EventName::Documented(position) => DOCUMENTED.get(usize::from(*position)).copied().unwrap_or_default(),
            EventName::Custom(name) => name,
        }
    }
}

/// The entries of a batch, one for each hour that an instant of it lies in.
pub fn batch_entries(batch: &Batch) -> BTreeMap<Hour, BatchEntry> {
    let into_hour = |at: Millis| (at.0 - at.hour().start().0) as u32;
    let mut hours: BTreeMap<Hour, BatchEntry> = BTreeMap::new();
    for (position, event) in batch.events.iter().enumerate() {
        let at = event.created_at;
        let entry = hours.entry(at.hour()).or_default();
        entry.events.push((into_hour(at), position as u16, EventName::of(&event.name)));
    }
    if batch.events.is_empty() {
        let heartbeat = Some(into_hour(batch.sent_at));
        hours.insert(batch.sent_at.hour(), BatchEntry { events: Vec::new(), heartbeat });
    }
    hours
}

/// An entry's value as of a revision of its visitor; without a value, a removal.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Versioned<V> {
    /// The revision.
    pub rev: u64,
    /// The value.
    pub value: Option<V>,
}

/// Entries of one hour.
pub type HourEntries<K, V> = BTreeMap<K, Versioned<V>>;

/// A run, to be merged.
impl<'a, K: Ord + Deserialize<'a>, V: Deserialize<'a>> Packed<'a> for HourEntries<K, V> {
    type V2 = Self;
    type V3 = Self;
}

/// A run, to be read.
impl<'a, K: Deserialize<'a>, V: Deserialize<'a>> Packed<'a> for Vec<(K, Versioned<V>)> {
    type V2 = Self;
    type V3 = Self;
}

/// Entries of an index, by hour.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(bound(
    serialize = "K: Ord + Serialize, V: Serialize",
    deserialize = "K: Ord + Deserialize<'de>, V: Deserialize<'de>"
))]
pub struct Entries<K, V>(pub BTreeMap<Hour, HourEntries<K, V>>);

impl<K, V> Default for Entries<K, V> {
    fn default() -> Self {
        Entries(BTreeMap::new())
    }
}

impl<K: Ord, V> Entries<K, V> {
    /// Sets or removes an entry as of a revision.
    pub fn set(&mut self, hour: Hour, key: K, rev: u64, value: Option<V>) {
        merge_entry(self.0.entry(hour).or_default(), key, Versioned { rev, value });
    }

    /// Makes all entries those of one revision.
    pub fn revise(&mut self, rev: u64) {
        for versioned in self.0.values_mut().flat_map(BTreeMap::values_mut) {
            versioned.rev = rev;
        }
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.0.values().map(BTreeMap::len).sum()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Drops the hours of days before this one.
    pub fn drop_before(&mut self, day: Day) {
        self.0 = self.0.split_off(&day.hour(0));
    }

    /// The first half of the entries, and the second.
    pub fn halves(self) -> (Self, Self) {
        let (half, mut halves) = (self.len() / 2, (Entries::default(), Entries::default()));
        let entries =
            self.0.into_iter().flat_map(|(hour, entries)| entries.into_iter().map(move |entry| (hour, entry)));
        for (position, (hour, (key, versioned))) in entries.enumerate() {
            let part: &mut Self = if position < half { &mut halves.0 } else { &mut halves.1 };
            part.0.entry(hour).or_default().insert(key, versioned);
        }
        halves
    }

    /// Merges other entries.
    pub fn merge(&mut self, other: Self) {
        for (hour, entries) in other.0 {
            merge(self.0.entry(hour).or_default(), entries);
        }
    }
}

/// The runs of an hour in one generation.
#[derive(Debug)]
pub struct HourRuns<T> {
    /// Those that count, in order.
    pub current: Vec<T>,
    /// Those that a major run replaced.
    pub replaced: Vec<T>,
}

impl<T> HourRuns<T> {
    /// Picks them from all of the hour and the generation, in order of their keys.
    ///
    /// Invariant *NothingComesBack*: a run that sorts before a major one of its hour does not count. So a removal that the
    /// major run has carried out needs no entry any more, whoever writes an old round's run again.
    pub fn of(runs: impl IntoIterator<Item = (RunKey, T)>) -> Self {
        let (mut current, mut replaced) = (Vec::new(), Vec::new());
        for (key, run) in runs {
            if key.kind == (RunKind::Major { part: 0 }) {
                replaced.append(&mut current);
            }
            current.push(run);
        }
        HourRuns { current, replaced }
    }
}

/// Picks the runs of an hour in one generation from the items of its day, in order of sort keys.
pub fn runs_of(items: &[Item], hour: Hour, generation: Generation) -> Result<HourRuns<&Item>, StoreError> {
    let mut runs = Vec::new();
    for item in items {
        let sort_key = read_text(item, SK)?;
        let key = RunKey::parse(hour.day(), sort_key)
            .ok_or_else(|| StoreError::Corrupt { key: sort_key.to_owned(), cause: "no key of a run".to_owned() })?;
        if key.hour == hour && key.generation == generation {
            runs.push((key, item));
        }
    }
    Ok(HourRuns::of(runs))
}

/// Merges entries of one hour into others of it.
pub fn merge<K: Ord, V>(into: &mut HourEntries<K, V>, from: HourEntries<K, V>) {
    if into.is_empty() {
        *into = from;
        return;
    }
    for (key, versioned) in from {
        merge_entry(into, key, versioned);
    }
}

/// Leaves of entries of one hour, in any order, the highest revision of each, in the order of their keys.
pub fn keep_latest<K: Ord, V>(entries: &mut Vec<(K, Versioned<V>)>) {
    // Most hours have a single run, which is as it should be.
    if entries.is_sorted_by(|(a, _), (b, _)| a < b) {
        return;
    }
    entries.sort_by(|(a, left), (b, right)| (a, left.rev).cmp(&(b, right.rev)));
    entries.dedup_by(|later, kept| {
        let is_same = later.0 == kept.0;
        if is_same {
            std::mem::swap(later, kept);
        }
        is_same
    });
}

/// Merges one entry into others of its hour.
pub fn merge_entry<K: Ord, V>(into: &mut HourEntries<K, V>, key: K, versioned: Versioned<V>) {
    match into.get(&key) {
        Some(known) if known.rev > versioned.rev => {}
        _ => {
            into.insert(key, versioned);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// However entries are spread over runs, what is kept is what merging them one by one comes to.
        #[test]
        fn the_latest_entries_are_kept(entries in proptest::collection::vec((0u8..6, 0u64..4, any::<bool>()), 0..20)) {
            let versioned = |rev, is_there: bool| Versioned { rev, value: is_there.then_some(rev) };
            let mut one_by_one = HourEntries::new();
            let mut kept = Vec::new();
            for (key, rev, is_there) in entries {
                merge_entry(&mut one_by_one, key, versioned(rev, is_there));
                kept.push((key, versioned(rev, is_there)));
            }
            keep_latest(&mut kept);
            prop_assert_eq!(kept, one_by_one.into_iter().collect::<Vec<_>>());
        }
    }
}
