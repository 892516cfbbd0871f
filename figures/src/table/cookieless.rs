//! Visitors that don't name themselves: known by their address and their browser, for a day.
//!
//! Such a visitor's id is a keyed hash, whose key is a secret of the project and the day. It is gone when the day is over, and with
//! it every way from an address to an id, or from one day's id to another's.
//!
//! Who a session is of, its first batch decides, and that is kept for as long as any of its batches may come again. So a
//! batch that is sent again is the same batch, whatever the day and the network it comes through by then, and a session
//! over midnight stays one.

use std::net::IpAddr;

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

use crate::ids::{DERIVED_BYTES, ProjectId, SessionId, VisitorId};
use crate::table::keys::{self, Key};
use crate::table::secret;
use crate::table::store::{
    ConditionalPut, Consistency, DATA, EXPIRES, Item, Store, StoreError, binary, key_item, number, read_binary,
};
use crate::time::{Day, Millis};

/// How long it is kept who a session is of. A session ends a day after its start, and what is over 7 days old is refused.
const KEPT_DAYS: i32 = 9;

/// What tells a visitor from others.
#[derive(Debug, Clone, Copy, Default)]
pub struct Traits<'a> {
    /// Where it sends from.
    pub address: Option<IpAddr>,
    /// Its `User-Agent`.
    pub user_agent: &'a [u8],
    /// What its page says of its browser and device.
    pub fingerprint: &'a str,
}

/// The secret of a day: a block of the hash.
#[derive(Clone, PartialEq, Eq)]
pub struct DaySecret([u8; 64]);

impl DaySecret {
    /// A project's secret of the current day, made where there is none yet. There is no other way to one, so that of a day that is
    /// over is of no use, even if it was not deleted yet.
    pub async fn of_today(store: &Store, project: &ProjectId, now: Millis) -> Result<Self, StoreError> {
        let day = now.day();
        secret::of_key(store, &keys::day_secret(project, day), end_of(day)).await.map(DaySecret)
    }

    /// What the visitor with these traits is called on the secret's day.
    pub fn name(&self, project: &ProjectId, traits: &Traits<'_>) -> Name {
        let address = match traits.address {
            None => Vec::new(),
            Some(IpAddr::V4(v4)) => v4.octets().to_vec(),
            Some(IpAddr::V6(v6)) => v6.octets().to_vec(),
        };
        let parts = [project.as_str().as_bytes(), &address, traits.user_agent, traits.fingerprint.as_bytes()];
        let mut hash = Hmac::<Sha256>::new(&self.0.into());
        parts.iter().for_each(|part| delimited(part, |bytes| hash.update(bytes)));
        let [name, _] = split(hash.finalize().into_bytes().into());
        Name(name)
    }
}

/// When nothing of a day is told apart any more.
fn end_of(day: Day) -> Millis {
    day.plus(1).start()
}

/// A visitor's name for a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Name([u8; DERIVED_BYTES]);

/// A session whose visitor does not name itself, by what its client sends unchanged in each of its batches.
pub struct Unnamed {
    key: Key,
    /// Hides the visitor in the session's item from whoever does not know the session: of one that was erased, nothing
    /// is left in it.
    mask: [u8; DERIVED_BYTES],
}

impl Unnamed {
    /// A session, with its start by the client's own clock. A client that makes no random ids may send the one of another.
    pub fn new(project: &ProjectId, session: &SessionId, started_at: Millis) -> Self {
        let mut hash = Sha256::new();
        for part in [project.as_str().as_bytes(), session.as_str().as_bytes(), &started_at.0.to_be_bytes()] {
            delimited(part, |bytes| hash.update(bytes));
        }
        let [name, mask] = split(hash.finalize().into());
        Unnamed { key: keys::unnamed_session(project, &name), mask }
    }

    /// The visitor, if the session is known.
    pub async fn visitor(&self, store: &Store) -> Result<Option<VisitorId>, StoreError> {
        let item = store.get(&self.key, Consistency::Eventual).await?;
        item.map(|item| self.read(&item)).transpose()
    }

    /// The visitor of a session that may not be known yet: this one, unless a batch that came at the same time said another.
    pub async fn begin(&self, store: &Store, visitor: Name, now: Millis) -> Result<VisitorId, StoreError> {
        let mut item = key_item(&self.key);
        item.insert(DATA.to_owned(), binary(self.masked(visitor.0).to_vec()));
        item.insert(EXPIRES.to_owned(), number(end_of(now.day().plus(KEPT_DAYS)).0 / 1000));
        let known = match store.put_at(item, None).await? {
            ConditionalPut::Stored => return Ok(VisitorId::derived(&visitor.0)),
            ConditionalPut::Refused(Some(item)) => Some(item),
            ConditionalPut::Refused(None) => store.get(&self.key, Consistency::Strong).await?,
        };
        let vanished = || StoreError::Unavailable("a session vanished as it began".to_owned());
        self.read(&known.ok_or_else(vanished)?)
    }

    fn read(&self, item: &Item) -> Result<VisitorId, StoreError> {
        secret::read(read_binary(item, DATA)?).map(|hidden| VisitorId::derived(&self.masked(hidden)))
    }

    fn masked(&self, mut name: [u8; DERIVED_BYTES]) -> [u8; DERIVED_BYTES] {
        name.iter_mut().zip(self.mask).for_each(|(byte, mask)| *byte ^= mask);
        name
    }
}

/// Feeds a hash, so that no two lists of parts feed it the same.
fn delimited(part: &[u8], mut feed: impl FnMut(&[u8])) {
    feed(&(part.len() as u64).to_be_bytes());
    feed(part);
}

/// Two names' worth of a hash.
fn split(hash: [u8; 32]) -> [[u8; DERIVED_BYTES]; 2] {
    let mut parts = [[0; DERIVED_BYTES]; 2];
    parts.as_flattened_mut().iter_mut().zip(hash).for_each(|(byte, of_hash)| *byte = of_hash);
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn project(text: &str) -> ProjectId {
        text.parse().unwrap_or_else(|error| panic!("{error}"))
    }

    fn name(secret: u8, of: &str, address: &str, user_agent: &str, fingerprint: &str) -> Name {
        let traits = Traits { address: address.parse().ok(), user_agent: user_agent.as_bytes(), fingerprint };
        DaySecret([secret; 64]).name(&project(of), &traits)
    }

    #[test]
    fn a_visitor_is_told_from_others_by_each_of_its_traits_and_only_on_its_day() {
        let one = || name(1, "shop", "203.0.113.9", "Firefox", "f");
        assert_eq!(one(), one());
        for other in [
            name(2, "shop", "203.0.113.9", "Firefox", "f"),
            name(1, "demo", "203.0.113.9", "Firefox", "f"),
            name(1, "shop", "203.0.113.8", "Firefox", "f"),
            name(1, "shop", "2001:db8::", "Firefox", "f"),
            name(1, "shop", "", "Firefox", "f"),
            name(1, "shop", "203.0.113.9", "Chrome", "f"),
            name(1, "shop", "203.0.113.9", "Firefox", ""),
            name(1, "shop", "203.0.113.9", "Firefoxf", ""),
            name(1, "shop", "203.0.113.9", "", "Firefoxf"),
        ] {
            assert_ne!(one(), other);
        }
    }

    #[test]
    fn a_session_keeps_its_visitor_from_whoever_does_not_know_it() {
        let session = |id: &str, at| match id.parse() {
            Ok(id) => Unnamed::new(&project("shop"), &id, Millis(at)),
            Err(error) => panic!("{error}"),
        };
        let one = session("ses_1", 1);
        let name = name(1, "shop", "203.0.113.9", "Firefox", "f");
        assert_ne!(one.masked(name.0), name.0);
        assert_eq!(one.masked(one.masked(name.0)), name.0);
        for other in [session("ses_1", 2), session("ses_2", 1)] {
            assert_ne!(one.key, other.key);
            assert_ne!(one.mask, other.mask);
        }
    }
}
