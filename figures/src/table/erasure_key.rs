//! The key by which a project knows erased visitors again, without knowing who they were.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// The attribute of a project's item that holds the key.
pub const ERASURE_KEY: &str = "erasure_key";

/// The attribute of a project's item that says whether earlier versions, which had no key, may have stored tombstones.
pub const HAS_UNKEYED: &str = "has_unkeyed_tombstones";

/// The attribute of a project's item that says when its last erasure began.
pub const LAST_ERASURE: &str = "last_erasure_at";

/// 64 random bytes (a block of the hash), made once for a project.
///
/// It lies beside what it hashes: it keeps a tombstone from being recognized elsewhere and in other projects, not from
/// someone who can read the table and guesses an identifier.
#[derive(Clone, PartialEq, Eq)]
pub struct ErasureKey([u8; 64]);

impl ErasureKey {
    /// A new key, from the system's random numbers.
    pub fn generate() -> Result<Self, getrandom::Error> {
        let mut key = [0; 64];
        getrandom::fill(&mut key)?;
        Ok(ErasureKey(key))
    }

    /// The key of these bytes, if they are one.
    pub fn of(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(ErasureKey)
    }

    /// Its bytes, to be stored.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// HMAC-SHA-256 of a text (RFC 2104).
    pub fn hash(&self, text: &[u8]) -> [u8; 32] {
        Hmac::<Sha256>::new(&self.0.into()).chain_update(text).finalize().into_bytes().into()
    }
}

impl std::fmt::Debug for ErasureKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ErasureKey(…)")
    }
}
