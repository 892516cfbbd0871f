//! Identifiers that clients choose, validated once.

use std::fmt;
use std::marker::PhantomData;
use std::str::FromStr;

use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::time::Millis;

/// The longest identifier the collector takes.
pub const MAX_ID_LENGTH: usize = 128;

/// An identifier of 1 to 128 characters of `[A-Za-z0-9_-]`: it can stand in a key of the table
/// without escaping. `K` says what it identifies, so that one kind is never taken for another.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id<K> {
    text: Box<str>,
    kind: PhantomData<K>,
}

/// Kinds of [`Id`].
pub mod kind {
    /// A site whose visitors are recorded.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
    pub enum Project {}
    /// A browser, as far as the tracker can tell.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
    pub enum Visitor {}
    /// One visit of a visitor.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
    pub enum Session {}
    /// One message of the tracker.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
    pub enum Batch {}
}

/// A project's identifier.
pub type ProjectId = Id<kind::Project>;
/// A visitor's identifier.
pub type VisitorId = Id<kind::Visitor>;
/// A session's identifier, unique within its visitor.
pub type SessionId = Id<kind::Session>;
/// A batch's identifier, unique within its session.
pub type BatchId = Id<kind::Batch>;

/// Text that is no identifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be 1 to 128 characters of A-Z, a-z, 0-9, _ and -")]
pub struct InvalidId;

/// Bytes of a visitor's derived identifier: 96 bits never meet by chance.
pub const DERIVED_BYTES: usize = 12;

impl VisitorId {
    /// The identifier of a visitor that does not name itself.
    pub fn derived(bytes: &[u8; DERIVED_BYTES]) -> Self {
        let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        Id { text: format!("v_{digits}").into(), kind: PhantomData }
    }
}

/// The base of the instants in identifiers: digits and lower-case letters.
const BASE: u32 = 36;

impl SessionId {
    /// The visitor and the start that the identifier tells, as the tracker makes it: `ses_X_T` is a session of the visitor
    /// `v_X`, begun at `T`, Unix milliseconds in base 36. Anybody may make an identifier up, so it says where to look for
    /// the session, and no more.
    pub fn told(&self) -> Option<(VisitorId, Millis)> {
        let (visitor, start) = self.text.strip_prefix("ses_")?.rsplit_once('_')?;
        let is_number = start.bytes().all(|byte| byte.is_ascii_digit() || byte.is_ascii_lowercase());
        let start = i64::from_str_radix(start, BASE).ok().filter(|_| is_number)?;
        Some((format!("v_{visitor}").parse().ok()?, Millis(start)))
    }

    /// The identifier that tells a visitor and a start; none where the tracker makes no such visitor, or no such start.
    pub fn telling(visitor: &VisitorId, start: Millis) -> Option<Self> {
        let (visitor, mut left) = (visitor.as_str().strip_prefix("v_")?, u64::try_from(start.0).ok()?);
        let mut digits = Vec::new();
        while left > 0 || digits.is_empty() {
            digits.push(char::from_digit((left % u64::from(BASE)) as u32, BASE)?);
            left /= u64::from(BASE);
        }
        let start: String = digits.into_iter().rev().collect();
        format!("ses_{visitor}_{start}").parse().ok()
    }
}

impl<K> Id<K> {
    /// The identifier's text.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl<K> FromStr for Id<K> {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let legal = (1..=MAX_ID_LENGTH).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-');
        if legal { Ok(Id { text: text.into(), kind: PhantomData }) } else { Err(InvalidId) }
    }
}

impl<K> fmt::Display for Id<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl<K> Serialize for Id<K> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl<'de, K> Deserialize<'de> for Id<K> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(FromText(PhantomData))
    }
}

/// Reads an identifier where it is, without a copy of the text in between: indexes hold millions.
struct FromText<K>(PhantomData<K>);

impl<K> Visitor<'_> for FromText<K> {
    type Value = Id<K>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an identifier: it {InvalidId}")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Id<K>, E> {
        text.parse().map_err(E::custom)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn a_session_tells_its_visitor_and_start() {
        let told = |id: &str| id.parse::<SessionId>().unwrap().told();
        let tells = |visitor: &str, start| Some((visitor.parse().unwrap(), Millis(start)));
        assert_eq!(told("ses_aB3-_x_ly23gsg0"), tells("v_aB3-_x", 1_719_784_800_000));
        assert_eq!(told("ses_a_0"), tells("v_a", 0));
        for id in ["ses_aB3-_x_ly23gsg0", "ses_a_0", "ses_a_z", "ses_a_10"] {
            let (visitor, start) = told(id).unwrap();
            assert_eq!(SessionId::telling(&visitor, start).unwrap().as_str(), id);
        }
        assert_eq!(SessionId::telling(&"a".parse().unwrap(), Millis(0)), None);
        assert_eq!(SessionId::telling(&"v_a".parse().unwrap(), Millis(-1)), None);
        for other in ["ses_abc123", "ses_a_", "ses_a_-5", "ses_a_LY23GSG0", "ses_a_zzzzzzzzzzzzzz", "s_a_0", "ses_0"] {
            assert_eq!(told(other), None, "{other}");
        }
    }

    #[test]
    fn only_key_safe_text_is_an_identifier() {
        for text in ["v", "ses_abc-123", &"x".repeat(128)] {
            assert!(text.parse::<VisitorId>().is_ok(), "{text}");
        }
        for text in ["", "a#b", "a b", "ä", "a/b", &"x".repeat(129)] {
            assert!(text.parse::<VisitorId>().is_err(), "{text}");
        }
    }
}
