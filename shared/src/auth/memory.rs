//! What a warm instance remembers of credentials.

use figures::ids::ProjectId;
use figures::table::store::{EXPIRES, Item, read_number};
use figures::time::Millis;

use super::credential::{Credential, CredentialKind};
use super::holder::{ARRIVAL, Holder, LIMIT};
use crate::cache::Cache;
use crate::error::ApiError;
use crate::rate_limit::{Bucket, Micros, Standing};

/// How long a warm instance believes that a public key is valid: under the 60 seconds within which a
/// revoked key must stop working.
const PUBLIC_KEY_TRUST_MS: i64 = 45_000;

/// How long an instance believes that there is no such secret.
const UNKNOWN_TRUST: Micros = 60_000_000;

/// The most keys that an instance remembers, and as many that there are not.
const MAX_REMEMBERED: usize = 10_000;

/// What is remembered of a credential.
#[derive(Debug, Clone)]
pub(super) struct Remembered {
    pub holder: Holder,
    pub bucket: Bucket,
    pub arrival: Micros,
    /// When a person's access ends unless it is used, in Unix seconds; a key has no end.
    expires_at: Option<i64>,
}

impl Remembered {
    /// What a credential's item says.
    pub fn of(item: &Item, credential: &Credential) -> Result<Self, ApiError> {
        Ok(Remembered {
            holder: Holder::read(item, credential)?,
            bucket: Bucket::new(read_number(item, LIMIT)?),
            arrival: read_number::<Micros>(item, ARRIVAL).unwrap_or_default(),
            expires_at: match credential.kind {
                CredentialKind::SecretKey => None,
                CredentialKind::Cookie => Some(read_number(item, EXPIRES)?),
            },
        })
    }

    /// Whether it is over: DynamoDB removes such an item some days later.
    pub fn has_expired(&self, now: Micros) -> bool {
        self.expires_at.is_some_and(|at| at <= now / 1_000_000)
    }
}

/// A public key as the table last confirmed it.
#[derive(Debug, Clone)]
struct Confirmed {
    project: ProjectId,
    at: Millis,
}

/// What an instance remembers of credentials, by hash. A hint: the table decides.
#[derive(Debug)]
pub struct KeyMemory {
    known: Cache<String, Remembered>,
    public: Cache<String, Confirmed>,
    /// When the table was found to have no such item. Apart from the others, which made-up keys must not drive out.
    unknown: Cache<String, Micros>,
}

impl Default for KeyMemory {
    fn default() -> Self {
        KeyMemory {
            known: Cache::new(MAX_REMEMBERED),
            public: Cache::new(MAX_REMEMBERED),
            unknown: Cache::new(MAX_REMEMBERED),
        }
    }
}

/// What a request may be answered with before its token is known to be taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Hint {
    /// The credential was this holder's and its bucket was not empty.
    Likely(Holder),
    /// The bucket is known to be empty until a token is due.
    Exhausted(Standing),
}

impl KeyMemory {
    /// What is known of a credential; `None` if nothing is.
    pub(super) fn hint(&self, hash: &str, now: Micros) -> Option<Hint> {
        let known = self.known.get(hash)?;
        // An instant from before the clock stepped back is for the table to mend.
        if known.arrival > known.bucket.ceiling(now) && known.arrival <= known.bucket.emptied(now) {
            return Some(Hint::Exhausted(known.bucket.standing(known.arrival, now)));
        }
        Some(Hint::Likely(known.holder))
    }

    pub(super) fn known(&self, hash: &str) -> Option<Remembered> {
        self.known.get(hash)
    }

    pub(super) fn remember(&self, hash: &str, known: Remembered) {
        self.known.insert(hash.to_owned(), known);
    }

    pub(super) fn is_unknown(&self, hash: &str, now: Micros) -> bool {
        self.unknown.get(hash).is_some_and(|found_at| (0..UNKNOWN_TRUST).contains(&(now - found_at)))
    }

    pub(super) fn remember_unknown(&self, hash: &str, now: Micros) {
        self.known.remove(hash);
        self.unknown.insert(hash.to_owned(), now);
    }

    /// The project of a public key that the table confirmed lately.
    pub(super) fn public(&self, hash: &str, now: Millis) -> Option<ProjectId> {
        let confirmed = self.public.get(hash)?;
        (0..PUBLIC_KEY_TRUST_MS).contains(&(now.0 - confirmed.at.0)).then_some(confirmed.project)
    }

    pub(super) fn confirm_public(&self, hash: String, project: ProjectId, at: Millis) {
        self.public.insert(hash, Confirmed { project, at });
    }

    pub(super) fn forget_public(&self, hash: &str) {
        self.public.remove(hash);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn made_up_keys_take_bounded_memory_and_drive_out_no_other() {
        let (memory, now) = (KeyMemory::default(), 1_000_000);
        let Ok(project) = "shop".parse::<ProjectId>() else { panic!("an identifier") };
        let holder = Holder::Project(project);
        let known = Remembered { holder: holder.clone(), bucket: Bucket::new(60), arrival: 0, expires_at: None };
        memory.remember("known", known);
        for number in 0..3 * MAX_REMEMBERED {
            memory.remember_unknown(&number.to_string(), now);
            assert!(memory.is_unknown(&number.to_string(), now));
        }
        assert!(memory.unknown.len() <= MAX_REMEMBERED);
        assert_eq!(memory.hint("known", now), Some(Hint::Likely(holder)));
    }
}
