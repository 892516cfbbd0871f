//! API keys in plain text.

use std::fmt;

use figures::table::store::StoreError;

use super::secret::{is_random_text, random_text, sha256};

const RANDOM_LENGTH: usize = 32;

/// What a key is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum KeyKind {
    /// Reads the API.
    Secret,
    /// Sends to the collector.
    Public,
}

impl KeyKind {
    /// How keys of this kind begin.
    pub fn prefix(self) -> &'static str {
        match self {
            KeyKind::Secret => "sk_live_",
            KeyKind::Public => "pk_live_",
        }
    }

    /// Its name in the table and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            KeyKind::Secret => "secret",
            KeyKind::Public => "public",
        }
    }

    /// Reads [`KeyKind::name`].
    pub fn from_name(name: &str) -> Option<Self> {
        [KeyKind::Secret, KeyKind::Public].into_iter().find(|kind| kind.name() == name)
    }
}

/// A key in plain text, well-formed. Never stored, never logged.
#[derive(Clone, PartialEq, Eq)]
pub struct ApiKey {
    kind: KeyKind,
    text: String,
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}…", self.kind.prefix())
    }
}

impl ApiKey {
    /// Reads a key of either kind.
    pub fn parse(text: &str) -> Option<Self> {
        let kind = [KeyKind::Secret, KeyKind::Public].into_iter().find(|kind| text.starts_with(kind.prefix()))?;
        let random = &text[kind.prefix().len()..];
        is_random_text(random, RANDOM_LENGTH).then(|| ApiKey { kind, text: text.to_owned() })
    }

    /// Makes a key.
    pub fn generate(kind: KeyKind) -> Result<Self, StoreError> {
        Ok(ApiKey { kind, text: format!("{}{}", kind.prefix(), random_text(RANDOM_LENGTH)?) })
    }

    /// What the key is for.
    pub fn kind(&self) -> KeyKind {
        self.kind
    }

    /// The plain key, to be shown once.
    pub fn reveal(&self) -> &str {
        &self.text
    }

    /// The SHA-256 by which the table knows it.
    pub fn sha256(&self) -> String {
        sha256(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn generated_keys_are_well_formed_and_differ() {
        let made: Vec<_> = (0..2).filter_map(|_| ApiKey::generate(KeyKind::Secret).ok()).collect();
        assert_eq!(made.len(), 2);
        assert_ne!(made[0], made[1]);
        assert_eq!(ApiKey::parse(made[0].reveal()).as_ref(), Some(&made[0]));
        assert!(!format!("{:?}", made[0]).contains(&made[0].reveal()[8..]));
    }
}
