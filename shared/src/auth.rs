//! API keys: who asks, for which project, and whether its bucket has a token.

use std::fmt;

use aws_sdk_dynamodb::error::ProvideErrorMetadata;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue, ReturnValuesOnConditionCheckFailure};
use http::{HeaderMap, header};
use sha2::{Digest, Sha256};

use crate::cache::Cache;
use crate::error::ApiError;
use crate::rate_limit::{Bucket, Micros, Standing};
use figures::ids::ProjectId;
use figures::table::keys;
use figures::table::store::{
    Consistency, Item, PK, Store, StoreError, failure, key_item, number, read_number, read_text,
};
use figures::time::Millis;

/// The attribute with a key's project.
pub const PROJECT: &str = "project";
/// The attribute with a key's kind.
pub const KIND: &str = "kind";
/// The attribute with a key's requests a minute.
pub const LIMIT: &str = "limit";
/// The attribute with a key's theoretical arrival time.
const ARRIVAL: &str = "tat";

const RANDOM_LENGTH: usize = 32;
const ALPHABET: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/// How long a warm instance believes that a public key is valid: under the 60 seconds within which a
/// revoked key must stop working.
const PUBLIC_KEY_TRUST_MS: i64 = 45_000;

/// How long an instance believes that there is no such secret key.
const UNKNOWN_KEY_TRUST: Micros = 60_000_000;

/// The most keys that an instance remembers, and as many that there are not.
const MAX_REMEMBERED: usize = 10_000;

/// Tries to take a token before other writers are held to have won them all.
const MAX_TAKES: usize = 12;

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
        let formed = random.len() == RANDOM_LENGTH && random.bytes().all(|byte| byte.is_ascii_alphanumeric());
        formed.then(|| ApiKey { kind, text: text.to_owned() })
    }

    /// Makes a key from the system's generator of secure random numbers.
    pub fn generate(kind: KeyKind) -> Result<Self, StoreError> {
        let mut text = kind.prefix().to_owned();
        while text.len() < kind.prefix().len() + RANDOM_LENGTH {
            let mut byte = [0];
            getrandom::fill(&mut byte).map_err(|error| StoreError::Failed(error.to_string()))?;
            // 248 is the largest multiple of 62 in a byte: what lies above would favour some letters.
            if byte[0] < 248 {
                text.push(char::from(ALPHABET[usize::from(byte[0]) % ALPHABET.len()]));
            }
        }
        Ok(ApiKey { kind, text })
    }

    /// What the key is for.
    pub fn kind(&self) -> KeyKind {
        self.kind
    }

    /// The plain key, to be shown once.
    pub fn reveal(&self) -> &str {
        &self.text
    }

    /// The SHA-256 by which the table knows it. Looked up whole, so nothing compares secrets bytewise.
    pub fn sha256(&self) -> String {
        Sha256::digest(self.text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

const NO_KEY: &str = "Missing API key. Send it as `Authorization: Bearer sk_live_…`.";
const BAD_KEY: &str = "Invalid API key.";
const PUBLIC_KEY: &str = "Public keys (pk_live_) are for the tracker only. Use a secret key (sk_live_).";
const SECRET_KEY: &str = "The collector takes a public key (pk_live_). Never put a secret key in a page.";

/// The key of `Authorization: Bearer sk_live_…`.
pub fn bearer(headers: &HeaderMap) -> Result<ApiKey, ApiError> {
    let value = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let Some((scheme, credentials)) = value.trim().split_once(' ') else {
        return Err(ApiError::Unauthorized(NO_KEY));
    };
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(ApiError::Unauthorized(NO_KEY));
    }
    match ApiKey::parse(credentials.trim()) {
        None => Err(ApiError::Unauthorized(BAD_KEY)),
        Some(key) if key.kind == KeyKind::Public => Err(ApiError::Unauthorized(PUBLIC_KEY)),
        Some(key) => Ok(key),
    }
}

/// What a warm instance remembers of a key.
#[derive(Debug, Clone)]
struct Remembered {
    project: ProjectId,
    bucket: Bucket,
    arrival: Micros,
    /// When the table last confirmed a public key.
    confirmed_at: Millis,
}

impl Remembered {
    /// What a secret key's item says.
    fn of(item: &Item, now: Micros) -> Result<Self, ApiError> {
        Ok(Remembered {
            project: project_of(item, KeyKind::Secret, PUBLIC_KEY)?,
            bucket: Bucket::new(read_number(item, LIMIT)?),
            arrival: read_number::<Micros>(item, ARRIVAL).unwrap_or_default(),
            confirmed_at: Millis(now / 1000),
        })
    }
}

/// What an instance remembers of keys, by hash. A hint: the table decides.
#[derive(Debug)]
pub struct KeyMemory {
    known: Cache<String, Remembered>,
    /// When the table was found to have no such key. Apart from the others, which made-up keys must not drive out.
    unknown: Cache<String, Micros>,
}

impl Default for KeyMemory {
    fn default() -> Self {
        KeyMemory { known: Cache::new(MAX_REMEMBERED), unknown: Cache::new(MAX_REMEMBERED) }
    }
}

/// What a request may be answered with before its token is known to be taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Hint {
    /// The key was good for this project and its bucket was not empty.
    Likely(ProjectId),
    /// The bucket is known to be empty until a token is due.
    Exhausted(Standing),
}

impl KeyMemory {
    /// What is known of a key; `None` if nothing is.
    fn hint(&self, hash: &str, now: Micros) -> Option<Hint> {
        let known = self.known.get(hash)?;
        // An instant from before the clock stepped back is for the table to mend.
        if known.arrival > known.bucket.ceiling(now) && known.arrival <= known.bucket.emptied(now) {
            return Some(Hint::Exhausted(known.bucket.standing(known.arrival, now)));
        }
        Some(Hint::Likely(known.project))
    }

    fn is_unknown(&self, hash: &str, now: Micros) -> bool {
        self.unknown.get(hash).is_some_and(|found_at| (0..UNKNOWN_KEY_TRUST).contains(&(now - found_at)))
    }

    fn remember_unknown(&self, hash: &str, now: Micros) {
        self.known.remove(hash);
        self.unknown.insert(hash.to_owned(), now);
    }

    fn public(&self, hash: &str, now: Millis) -> Option<ProjectId> {
        let known = self.known.get(hash)?;
        (0..PUBLIC_KEY_TRUST_MS).contains(&(now.0 - known.confirmed_at.0)).then_some(known.project)
    }
}

/// Which of the conditional writes is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Guess {
    Full,
    InUse,
    /// The stored instant is this one, further ahead than an empty bucket's: the bucket is set to empty, and no token
    /// is taken.
    Ahead(Micros),
}

/// What is known of a secret key.
///
/// One that this instance has not seen is looked up before anything is written: made-up keys cost a read each, and for
/// a minute nothing. The read is a consistent one, so that a new key works at once, and it finds the bucket as it is, so
/// that the write which takes the token is the right one.
pub async fn look_up(store: &Store, memory: &KeyMemory, key: &ApiKey, now: Micros) -> Result<Hint, ApiError> {
    let hash = key.sha256();
    if let Some(hint) = memory.hint(&hash, now) {
        return Ok(hint);
    }
    if memory.is_unknown(&hash, now) {
        return Err(ApiError::Unauthorized(BAD_KEY));
    }
    let Some(item) = store.get(&keys::api_key(&hash), Consistency::Strong).await? else {
        memory.remember_unknown(&hash, now);
        return Err(ApiError::Unauthorized(BAD_KEY));
    };
    let known = Remembered::of(&item, now)?;
    let project = known.project.clone();
    memory.known.insert(hash.clone(), known);
    Ok(memory.hint(&hash, now).unwrap_or(Hint::Likely(project)))
}

/// Authenticates a secret key and takes a token from its bucket, in one write where the guess is right.
pub async fn take_token(
    store: &Store,
    memory: &KeyMemory,
    key: &ApiKey,
    now: Micros,
) -> Result<(ProjectId, Standing), ApiError> {
    let hash = key.sha256();
    let (mut bucket, mut guess) = match memory.known.get(&hash) {
        Some(known) if known.arrival >= now => (known.bucket, Guess::InUse),
        Some(known) => (known.bucket, Guess::Full),
        None => (Bucket::new(crate::rate_limit::DEFAULT_LIMIT), Guess::Full),
    };
    for _ in 0..MAX_TAKES {
        let (item, taken) = match update(store, &hash, bucket, guess, now).await? {
            Update::Taken(item) => (item, true),
            Update::Refused(Some(item)) => (item, false),
            Update::Refused(None) => {
                memory.remember_unknown(&hash, now);
                return Err(ApiError::Unauthorized(BAD_KEY));
            }
        };
        // A limit other than the guessed one took a token of the wrong size only if the write passed;
        // the condition on the limit keeps it from passing.
        let known = Remembered::of(&item, now)?;
        let (project, stored, arrival) = (known.project.clone(), known.bucket, known.arrival);
        memory.known.insert(hash.clone(), known);
        let standing = stored.standing(arrival, now);
        match (taken, guess) {
            (true, Guess::Ahead(_)) => return Err(ApiError::RateLimited(standing)),
            (true, _) => return Ok((project, standing)),
            (false, _) => {}
        }
        if arrival > stored.emptied(now) {
            // The clock was ahead when it was written: empty is the most that a bucket can be.
            guess = Guess::Ahead(arrival);
            bucket = stored;
            continue;
        }
        if arrival > stored.ceiling(now) {
            return Err(ApiError::RateLimited(standing));
        }
        bucket = stored;
        guess = if arrival >= now { Guess::InUse } else { Guess::Full };
    }
    Err(ApiError::Unavailable)
}

enum Update {
    Taken(Item),
    Refused(Option<Item>),
}

async fn update(store: &Store, hash: &str, bucket: Bucket, guess: Guess, now: Micros) -> Result<Update, StoreError> {
    let request = store
        .client()
        .update_item()
        .table_name(store.table())
        .set_key(Some(key_item(&keys::api_key(hash))))
        .expression_attribute_names("#pk", PK)
        .expression_attribute_names("#kind", KIND)
        .expression_attribute_values(":kind", AttributeValue::S(KeyKind::Secret.name().to_owned()))
        .expression_attribute_names("#limit", LIMIT)
        .expression_attribute_values(":limit", number(bucket.limit()))
        .expression_attribute_names("#tat", ARRIVAL)
        .expression_attribute_values(":now", number(now))
        .return_values(ReturnValue::AllNew)
        .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
    let request = match guess {
        Guess::Full => request
            .update_expression("SET #tat = :arrival")
            .condition_expression(
                "attribute_exists(#pk) AND #kind = :kind AND #limit = :limit AND (attribute_not_exists(#tat) OR #tat < :now)",
            )
            .expression_attribute_values(":arrival", number(now + bucket.token())),
        Guess::Ahead(arrival) => request
            .update_expression("SET #tat = :emptied")
            .condition_expression(
                "attribute_exists(#pk) AND #kind = :kind AND #limit = :limit AND #tat = :ahead AND #tat > :now",
            )
            .expression_attribute_values(":emptied", number(bucket.emptied(now)))
            .expression_attribute_values(":ahead", number(arrival)),
        Guess::InUse => request
            .update_expression("SET #tat = #tat + :token")
            .condition_expression(
                "attribute_exists(#pk) AND #kind = :kind AND #limit = :limit AND #tat BETWEEN :now AND :ceiling",
            )
            .expression_attribute_values(":token", number(bucket.token()))
            .expression_attribute_values(":ceiling", number(bucket.ceiling(now))),
    };
    let call = store.begin();
    match request.send().await {
        Ok(response) => {
            store.count_write(call);
            Ok(Update::Taken(response.attributes.unwrap_or_default()))
        }
        Err(error) if error.code() == Some("ConditionalCheckFailedException") => {
            store.count_write(call);
            let item = error.into_service_error();
            match item {
                aws_sdk_dynamodb::operation::update_item::UpdateItemError::ConditionalCheckFailedException(failed) => {
                    Ok(Update::Refused(failed.item))
                }
                other => Err(StoreError::Failed(other.to_string())),
            }
        }
        Err(error) => Err(failure(error)),
    }
}

/// The project that a public key sends to.
pub async fn public_project(store: &Store, memory: &KeyMemory, key: &str, now: Millis) -> Result<ProjectId, ApiError> {
    let key = ApiKey::parse(key).ok_or(ApiError::Unauthorized(BAD_KEY))?;
    if key.kind == KeyKind::Secret {
        return Err(ApiError::Unauthorized(SECRET_KEY));
    }
    let hash = key.sha256();
    if let Some(project) = memory.public(&hash, now) {
        return Ok(project);
    }
    let Some(item) = store.get(&keys::api_key(&hash), Consistency::Eventual).await? else {
        memory.known.remove(&hash);
        return Err(ApiError::Unauthorized(BAD_KEY));
    };
    let project = project_of(&item, KeyKind::Public, SECRET_KEY)?;
    let bucket = Bucket::new(crate::rate_limit::DEFAULT_LIMIT);
    memory.known.insert(hash, Remembered { project: project.clone(), bucket, arrival: 0, confirmed_at: now });
    Ok(project)
}

fn project_of(item: &Item, kind: KeyKind, otherwise: &'static str) -> Result<ProjectId, ApiError> {
    if read_text(item, KIND)? != kind.name() {
        return Err(ApiError::Unauthorized(otherwise));
    }
    read_text(item, PROJECT)?.parse().map_err(|_| ApiError::Internal("a key's project is no identifier".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bearer_of(value: &str) -> Result<ApiKey, ApiError> {
        let mut headers = HeaderMap::new();
        if let Ok(value) = value.parse() {
            headers.insert(header::AUTHORIZATION, value);
        }
        bearer(&headers)
    }

    #[test]
    fn the_scheme_is_read_in_any_case_and_the_key_strictly() {
        let key = format!("sk_live_{}", "a1".repeat(16));
        for scheme in ["Bearer", "bearer", "BEARER"] {
            assert_eq!(
                bearer_of(&format!("{scheme} {key}")).ok().map(|key| key.reveal().to_owned()),
                Some(key.clone())
            );
        }
        let public = format!("Bearer pk_live_{}", "a1".repeat(16));
        for value in ["", &key, "Basic abc", "Bearer ", "Bearer sk_live_short", &format!("Bearer {key}x"), &public] {
            assert!(matches!(bearer_of(value), Err(ApiError::Unauthorized(_))), "{value}");
        }
    }

    #[test]
    fn made_up_keys_take_bounded_memory_and_drive_out_no_other() {
        let (memory, now) = (KeyMemory::default(), 1_000_000);
        let Ok(project) = "shop".parse::<ProjectId>() else { panic!("an identifier") };
        let known =
            Remembered { project: project.clone(), bucket: Bucket::new(60), arrival: 0, confirmed_at: Millis(1_000) };
        memory.known.insert("known".to_owned(), known);
        for number in 0..3 * MAX_REMEMBERED {
            memory.remember_unknown(&number.to_string(), now);
            assert!(memory.is_unknown(&number.to_string(), now));
        }
        assert!(memory.unknown.len() <= MAX_REMEMBERED);
        assert_eq!(memory.hint("known", now), Some(Hint::Likely(project)));
    }

    #[test]
    fn generated_keys_are_well_formed_and_differ() {
        let made: Vec<_> = (0..2).filter_map(|_| ApiKey::generate(KeyKind::Secret).ok()).collect();
        assert_eq!(made.len(), 2);
        assert_ne!(made[0], made[1]);
        assert_eq!(ApiKey::parse(made[0].reveal()).as_ref(), Some(&made[0]));
        assert!(!format!("{:?}", made[0]).contains(&made[0].reveal()[8..]));
    }
}
