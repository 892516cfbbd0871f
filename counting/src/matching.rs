//! Finding visitors by what they sent: those that an owner did not want. The whole table is read, a page at a time, and of a
//! visitor no more is kept than what counts it.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::IpAddr;
use std::str::FromStr;

use aws_sdk_dynamodb::types::ReturnConsumedCapacity;

use crate::Consumer;
use crate::erasure::Erased;
use crate::history::Project;
use crate::tombstones::Tombstones;
use figures::channels::referrer_host;
use figures::ids::{ProjectId, SessionId, VisitorId};
use figures::model::Batch;
use figures::model::batch::StoredOrder;
use figures::table::ip::IpKeys;
use figures::table::keys::{self, BatchKey, Key};
use figures::table::store::{DATA, Item, PK, SK, Store, StoreError, failure, item_key, text};
use figures::time::{Day, Millis};

/// Visitors that are erased as one: what is left of them in the log of changes is removed once for all of them, and their
/// identifiers fit into memory.
const ERASED_TOGETHER: usize = 5_000;

/// What is asked of a visitor, all of it: that everything it ever sent came from an address and within a time, and that some
/// of it was of a page and of a referrer. So a visitor that was there before, or is somewhere else too, is not taken for one
/// that somebody made up.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// From where everything came.
    pub addresses: Option<AddressRange>,
    /// When the first of it was stored at the earliest.
    pub since: Option<Millis>,
    /// Before when the last of it was stored.
    pub until: Option<Millis>,
    /// A page that it began a session or was at.
    pub url: Option<Pattern>,
    /// What brought it, or the host of it.
    pub referrer: Option<Pattern>,
    /// How many batches it sent at least.
    pub min_batches: Option<u32>,
    /// How many batches it sent at most.
    pub max_batches: Option<u32>,
}

/// A text as it is, or what it begins with, followed by `*`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern(String);

impl From<&str> for Pattern {
    fn from(text: &str) -> Self {
        Pattern(text.to_owned())
    }
}

impl Pattern {
    fn matches(&self, text: &str) -> bool {
        match self.0.strip_suffix('*') {
            Some(prefix) => text.starts_with(prefix),
            None => text == self.0,
        }
    }
}

/// Addresses that begin with the same bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AddressRange {
    address: IpAddr,
    bits: u32,
}

/// Why a text is no range of addresses.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("must be an address, such as 203.0.113.9, or the beginning of one with its bits, such as 203.0.113.0/24")]
pub struct NoAddressRange;

impl FromStr for AddressRange {
    type Err = NoAddressRange;

    fn from_str(text: &str) -> Result<Self, NoAddressRange> {
        let (address, bits) = text.split_once('/').map_or((text, None), |(address, bits)| (address, Some(bits)));
        let address: IpAddr = address.parse().map_err(|_| NoAddressRange)?;
        let all = if address.is_ipv4() { 32 } else { 128 };
        let bits = bits.map_or(Ok(all), str::parse).map_err(|_| NoAddressRange)?;
        if bits > all { Err(NoAddressRange) } else { Ok(AddressRange { address, bits }) }
    }
}

impl AddressRange {
    fn holds(&self, address: IpAddr) -> bool {
        match (self.address, address) {
            (IpAddr::V4(of), IpAddr::V4(other)) => {
                let differing = of.to_bits() ^ other.to_bits();
                differing.checked_shr(32 - self.bits).unwrap_or_default() == 0
            }
            (IpAddr::V6(of), IpAddr::V6(other)) => {
                let differing = of.to_bits() ^ other.to_bits();
                differing.checked_shr(128 - self.bits).unwrap_or_default() == 0
            }
            _ => false,
        }
    }
}

/// A visitor that matches, and what is stored of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Match {
    /// Which one.
    pub visitor: VisitorId,
    /// Its batches.
    pub batches: usize,
    /// Its sessions and events, by the days that they belong to.
    pub days: BTreeMap<Day, OfDay>,
}

/// How much of a day.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct OfDay {
    /// Sessions that started.
    pub sessions: usize,
    /// Events that happened.
    pub events: usize,
}

impl Match {
    /// Its sessions.
    pub fn sessions(&self) -> usize {
        self.days.values().map(|day| day.sessions).sum()
    }

    /// Its events.
    pub fn events(&self) -> usize {
        self.days.values().map(|day| day.events).sum()
    }
}

impl Consumer {
    /// Goes through all that is stored of a project's visitors, and shows those that match. A visitor whose erasure was
    /// stopped is shown as well: it is for who erases them to finish it.
    pub async fn find_matching(
        &self,
        project: &ProjectId,
        filter: &Filter,
        mut show: impl FnMut(Match),
    ) -> Result<(), StoreError> {
        let mut search = Search::begin(&self.store, self.project(project.clone()).await?, filter).await?;
        while let Some(found) = search.next_page().await? {
            found.into_iter().for_each(&mut show);
        }
        Ok(())
    }

    /// Erases the visitors that match, and finishes erasures that were stopped. Memory holds some thousands of their
    /// identifiers at a time. It can stop anywhere and be run again.
    pub async fn erase_matching(
        &self,
        project: &ProjectId,
        filter: &Filter,
        report: impl Fn(Erased),
    ) -> Result<Erased, StoreError> {
        let mut search = Search::begin(&self.store, self.project(project.clone()).await?, filter).await?;
        let (mut erased, mut waiting, mut is_over) = (Erased::default(), Vec::new(), false);
        while !is_over {
            match search.next_page().await? {
                Some(found) => waiting.extend(found.into_iter().map(|found| found.visitor)),
                None => is_over = true,
            }
            let count = if is_over { waiting.len() } else { waiting.len() / ERASED_TOGETHER * ERASED_TOGETHER };
            for together in waiting.drain(..count).collect::<Vec<_>>().chunks(ERASED_TOGETHER) {
                let before = erased;
                let of_these =
                    Box::pin(self.erase_all(project, together, |so_far| report(before.plus(so_far)))).await?;
                erased = before.plus(of_these);
            }
        }
        self.finish_erasures(project, search.unfinished).await?;
        Ok(erased)
    }

    /// Removes what erasures that were stopped have left in the log of changes, where nothing else is left of their visitors.
    async fn finish_erasures(
        &self,
        project: &ProjectId,
        stopped: HashMap<Key, BTreeSet<Day>>,
    ) -> Result<(), StoreError> {
        let mut unfinished = Tombstones::unfinished(&self.store, project).await?;
        unfinished.retain(|key, _| stopped.contains_key(key));
        let days: BTreeSet<Day> = unfinished.values().flatten().copied().collect();
        if !days.is_empty() {
            self.give_up_building(project).await?;
            self.compaction(project).expunge(&days).await?;
        }
        for key in unfinished.keys() {
            Tombstones::finish(&self.store, key).await?;
        }
        Ok(())
    }
}

/// A search under way.
struct Search<'a> {
    store: &'a Store,
    project: Project,
    filter: &'a Filter,
    ip_keys: IpKeys,
    /// The erasures that were stopped, by their tombstones.
    unfinished: HashMap<Key, BTreeSet<Day>>,
    /// The visitor whose items are being read.
    current: Option<Candidate>,
    position: Position,
}

/// How far the table is read.
enum Position {
    Beginning,
    After(Item),
    End,
}

/// A visitor as far as it was read.
struct Candidate {
    found: Match,
    /// Whether all was readable, came from the address and within the time.
    is_all_of_it: bool,
    is_of_url: bool,
    is_of_referrer: bool,
    /// The session whose batches are being read: a visitor's batches are sorted by it.
    session: Option<(SessionId, StoredOrder, Millis)>,
}

impl<'a> Search<'a> {
    async fn begin(store: &'a Store, project: Project, filter: &'a Filter) -> Result<Self, StoreError> {
        let ip_keys = match filter.addresses {
            Some(_) => IpKeys::load(store, &project.id, Millis::now()).await?,
            None => IpKeys::default(),
        };
        let unfinished = Tombstones::unfinished(store, &project.id).await?;
        Ok(Search { store, project, filter, ip_keys, unfinished, current: None, position: Position::Beginning })
    }

    /// The matching visitors of the next page of the table; none at its end.
    async fn next_page(&mut self) -> Result<Option<Vec<Match>>, StoreError> {
        let from = match std::mem::replace(&mut self.position, Position::End) {
            Position::Beginning => None,
            Position::After(key) => Some(key),
            Position::End => return Ok(None),
        };
        let page = self.scan(from).await?;
        let mut found = Vec::new();
        for item in page.items() {
            let key = item_key(item)?;
            let Some(BatchKey { visitor, session, .. }) = keys::parse_batch(&key.pk, &key.sk) else { continue };
            if self.current.as_ref().is_none_or(|current| current.found.visitor != visitor) {
                found.extend(self.conclude());
                self.current = Some(Candidate::new(visitor));
            }
            self.look_at(item, session)?;
        }
        match page.last_evaluated_key {
            Some(key) => self.position = Position::After(key),
            None => found.extend(self.conclude()),
        }
        Ok(Some(found))
    }

    /// A page of the project's batches, as of now. The items of a partition follow each other.
    async fn scan(&self, from: Option<Item>) -> Result<aws_sdk_dynamodb::operation::scan::ScanOutput, StoreError> {
        self.store
            .client()
            .scan()
            .table_name(self.store.table())
            .consistent_read(true)
            .projection_expression("#pk, #sk, #d")
            .filter_expression("begins_with(#pk, :visitors) AND begins_with(#sk, :batches)")
            .expression_attribute_names("#pk", PK)
            .expression_attribute_names("#sk", SK)
            .expression_attribute_names("#d", DATA)
            .expression_attribute_values(":visitors", text(keys::visitors_prefix(&self.project.id)))
            .expression_attribute_values(":batches", text(keys::BATCH_PREFIX))
            .set_exclusive_start_key(from)
            .return_consumed_capacity(ReturnConsumedCapacity::None)
            .send()
            .await
            .map_err(failure)
    }

    fn look_at(&mut self, item: &Item, session: SessionId) -> Result<(), StoreError> {
        let Some(current) = &mut self.current else { return Ok(()) };
        current.found.batches += 1;
        match Batch::from_item(item) {
            Ok(batch) => current.add(&batch, session, self.filter, &self.ip_keys),
            // Nobody knows what was in it.
            Err(error) if error.is_of_items() => current.is_all_of_it = false,
            Err(error) => return Err(error),
        }
        Ok(())
    }

    /// The visitor that was read, if it matches.
    fn conclude(&mut self) -> Option<Match> {
        let mut candidate = self.current.take()?;
        candidate.end_session();
        let is_begun = || {
            let tombstones = &self.project.tombstones;
            !self.unfinished.is_empty()
                && tombstones
                    .keys(&self.project.id, &candidate.found.visitor)
                    .any(|key| self.unfinished.contains_key(&key))
        };
        (candidate.matches(self.filter) || is_begun()).then_some(candidate.found)
    }
}

impl Candidate {
    fn new(visitor: VisitorId) -> Self {
        let found = Match { visitor, batches: 0, days: BTreeMap::new() };
        Candidate { found, is_all_of_it: true, is_of_url: false, is_of_referrer: false, session: None }
    }

    fn add(&mut self, batch: &Batch, session: SessionId, filter: &Filter, ip_keys: &IpKeys) {
        let address = || batch.visitor.ip.as_ref().and_then(|ip| ip_keys.decrypt(ip));
        let is_from = |range: &AddressRange| address().is_some_and(|address| range.holds(address));
        self.is_all_of_it &= filter.addresses.as_ref().is_none_or(is_from);
        self.is_all_of_it &= filter.since.is_none_or(|since| batch.stored_at >= since);
        self.is_all_of_it &= filter.until.is_none_or(|until| batch.stored_at < until);
        self.is_of_url |= filter.url.as_ref().is_some_and(|url| {
            let of_events = batch.events.iter().filter_map(|event| event.url.as_deref());
            let of_session = batch.session.url.as_deref().into_iter().chain(batch.page.as_deref());
            of_session.chain(of_events).any(|text| url.matches(text))
        });
        self.is_of_referrer |= filter.referrer.as_ref().is_some_and(|referrer| {
            let host = |text| referrer_host(text, &[]).is_some_and(|host| referrer.matches(&host));
            batch.session.referrer.as_deref().is_some_and(|text| referrer.matches(text) || host(text))
        });
        for event in &batch.events {
            self.found.days.entry(event.created_at.day()).or_default().events += 1;
        }
        let (order, started_at) = (batch.stored_order(), batch.session.started_at);
        match &mut self.session {
            Some((known, first, start)) if *known == session => {
                if order < *first {
                    (*first, *start) = (order, started_at);
                }
            }
            _ => {
                self.end_session();
                self.session = Some((session, order, started_at));
            }
        }
    }

    /// A session belongs to the day that its first stored batch says.
    fn end_session(&mut self) {
        if let Some((_, _, started_at)) = self.session.take() {
            self.found.days.entry(started_at.day()).or_default().sessions += 1;
        }
    }

    fn matches(&self, filter: &Filter) -> bool {
        let batches = self.found.batches;
        self.is_all_of_it
            && (self.is_of_url || filter.url.is_none())
            && (self.is_of_referrer || filter.referrer.is_none())
            && filter.min_batches.is_none_or(|least| batches >= least as usize)
            && filter.max_batches.is_none_or(|most| batches <= most as usize)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn a_range_holds_the_addresses_that_begin_alike() {
        let holds = |range: &str, address: &str| {
            range.parse::<AddressRange>().unwrap().holds(address.parse::<IpAddr>().unwrap())
        };
        for (range, inside, outside) in [
            ("203.0.113.9", "203.0.113.9", "203.0.113.8"),
            ("203.0.113.0/24", "203.0.113.255", "203.0.114.0"),
            ("203.0.113.77/31", "203.0.113.76", "203.0.113.78"),
            ("2001:db8::/64", "2001:db8::ffff:0:0:1", "2001:db8:0:1::"),
            ("2001:db8::1", "2001:db8::1", "2001:db8::2"),
            ("0.0.0.0/0", "203.0.113.9", "::"),
            ("::/0", "2001:db8::1", "0.0.0.0"),
        ] {
            assert!(holds(range, inside), "{range} {inside}");
            assert!(!holds(range, outside), "{range} {outside}");
        }
        for bad in ["", "203.0.113", "203.0.113.0/33", "::/129", "203.0.113.0/", "203.0.113.0/-1", "example.org"] {
            assert_eq!(bad.parse::<AddressRange>(), Err(NoAddressRange), "{bad}");
        }
    }

    #[test]
    fn a_pattern_is_a_text_or_what_it_begins_with() {
        let matches = |pattern: &str, text: &str| Pattern::from(pattern).matches(text);
        assert!(matches("/spam", "/spam") && matches("/spam*", "/spam/1") && matches("*", ""));
        assert!(!matches("/spam", "/spam/1") && !matches("/spam*", "/") && !matches("/*/1", "/spam/1"));
    }
}
