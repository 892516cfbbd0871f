//! API keys as a project's owner sees them: made, listed, rotated and revoked. Only a key's SHA-256 is ever stored.

use std::collections::HashMap;
use std::time::Duration;

use figures::backoff::Backoff;
use figures::ids::ProjectId;
use figures::table::keys::{self, Key};
use figures::table::store::{
    CREATED_AT, Consistency, Item, Outcome, Query, SK, SortKeys, Store, StoreError, Write, key_item, number,
    read_number, read_text, text,
};
use figures::time::Millis;
use futures::{StreamExt, TryStreamExt, stream};
use serde::Serialize;

use crate::auth::{ApiKey, ID_LENGTH, KIND, KeyKind, LABEL, LIMIT, PROJECT, USED_AT, id_of};
use crate::error::ApiError;
use crate::telemetry::readable;

const HINT: &str = "shown";
const REVOKED_AT: &str = "revoked_at";

/// How many of a key's random characters are kept to know it by: 23.8 of its 190.5 bits.
const HINT_RANDOM: usize = 4;

/// The most requests a minute that a key may be limited to. A bucket is refilled by the microsecond: above this, a token would be
/// worth less than one.
pub const MAX_LIMIT: u32 = 60_000_000;

/// Tries at rotating a key that is in use.
const MAX_ROTATIONS: u32 = 10;
const CONTENTION: Backoff = Backoff { first: Duration::from_millis(20), longest: Duration::from_millis(400) };

/// Projects that are looked through at the same time.
const AT_ONCE: usize = 16;

/// A project's entry of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    sha256: String,
    /// What it is for.
    pub kind: KeyKind,
    /// Requests a minute; none for a public key, as the collector's throttle is no matter of the key.
    pub limit: Option<u32>,
    /// What it is known by.
    pub label: String,
    /// When it was made.
    pub created_at: Millis,
    /// How it begins.
    pub hint: String,
    /// When it was revoked.
    pub revoked_at: Option<Millis>,
}

/// A key as it is shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct KeyRow {
    id: String,
    kind: &'static str,
    label: Option<String>,
    rate_limit: Option<u32>,
    created_at: Millis,
    last_used_at: Option<Millis>,
    hint: String,
    /// The key itself, right after it was made and never again.
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<RevealedKey>,
}

/// A key that is shown in plain text, to whoever made it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct RevealedKey(ApiKey);

impl Serialize for RevealedKey {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.reveal())
    }
}

/// Why a key is not changed.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// Somebody else changed it at the same time.
    #[error("the key was changed by somebody else; try again")]
    Beaten,
    /// It belongs to another project.
    #[error("key {id} belongs to project {project:?}; choose another key")]
    OfAnother {
        /// The key.
        id: String,
        /// Whose it is.
        project: String,
    },
    /// The table fails.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<KeyError> for ApiError {
    fn from(error: KeyError) -> Self {
        match error {
            KeyError::Store(error) => error.into(),
            KeyError::Beaten | KeyError::OfAnother { .. } => ApiError::Conflict(format!("{error}.")),
        }
    }
}

/// Makes a key.
pub async fn create(
    store: &Store,
    project: &ProjectId,
    kind: KeyKind,
    limit: Option<u32>,
    label: &str,
    now: Millis,
) -> Result<(ApiKey, Entry), KeyError> {
    let key = ApiKey::generate(kind)?;
    let entry = Entry::of(&key, limit, label, now);
    committed(store.transact(entry.additions(project)).await?)?;
    Ok((key, entry))
}

/// Makes a key like another one, and revokes the other one, all or nothing.
///
/// Requests that use the old one change its item, which is what a transaction may meet; so it is tried again.
pub async fn rotate(store: &Store, project: &ProjectId, old: &Entry, now: Millis) -> Result<(ApiKey, Entry), KeyError> {
    let key = ApiKey::generate(old.kind)?;
    let entry = Entry::of(&key, old.limit, &old.label, now);
    let authorization = keys::api_key(&old.sha256);
    for tried in 1..=MAX_ROTATIONS {
        let mut writes = entry.additions(project);
        writes.extend([Write::Take(authorization.clone()), Write::Put(old.revoked(now).item(project))]);
        if store.transact(writes).await? == Outcome::Committed {
            return Ok((key, entry));
        }
        if store.get(&authorization, Consistency::Strong).await?.is_none() {
            return Err(KeyError::Beaten);
        }
        CONTENTION.wait(tried).await;
    }
    Err(StoreError::Unavailable("the key is in use all the time".to_owned()).into())
}

/// Stops a key from working, for good, however often it is used meanwhile.
pub async fn revoke(store: &Store, project: &ProjectId, old: &Entry, now: Millis) -> Result<(), StoreError> {
    // Its authorization first: while the entry says that it works, another try finds it.
    store.delete(&keys::api_key(&old.sha256)).await?;
    store.put(old.revoked(now).item(project)).await
}

/// Registers a key that was chosen elsewhere. Registering it again sets its limit.
pub async fn register(
    store: &Store,
    project: &ProjectId,
    key: &ApiKey,
    limit: Option<u32>,
    now: Millis,
) -> Result<(), KeyError> {
    let mut entry = Entry::of(key, limit, "identity dev", now);
    if let Some(known) = store.get(&keys::api_key(&entry.sha256), Consistency::Strong).await?
        && read_text(&known, PROJECT)? != project.as_str()
    {
        let owner = read_text(&known, PROJECT)?.to_owned();
        return Err(KeyError::OfAnother { id: entry.id().to_owned(), project: owner });
    }
    if let Some(known) = store.get(&keys::project_key(project, &entry.sha256), Consistency::Strong).await? {
        let known = Entry::read(&known)?;
        entry = Entry { label: known.label, created_at: known.created_at, ..entry };
    }
    let writes = vec![Write::Put(entry.authorization(project)), Write::Put(entry.item(project))];
    committed(store.transact(writes).await?)
}

/// A project's keys whose identifiers begin with some text, revoked ones too, the oldest first. What can't be read is left out.
pub async fn list(store: &Store, project: &ProjectId, prefix: &str) -> Result<Vec<Entry>, StoreError> {
    // DynamoDB takes no empty text to compare a key with.
    let sort_keys = if prefix.is_empty() { SortKeys::All } else { SortKeys::Prefix(prefix.to_owned()) };
    let query = Query::partition(keys::project_keys(project)).sort_keys(sort_keys).strong();
    let mut entries = readable("a key's entry", store.query(query).await?.iter().map(Entry::read));
    entries.sort_by_key(|entry| entry.created_at);
    Ok(entries)
}

/// Those of them that work.
async fn working(store: &Store, project: &ProjectId, prefix: &str) -> Result<Vec<Entry>, StoreError> {
    let mut entries = list(store, project, prefix).await?;
    entries.retain(|entry| entry.revoked_at.is_none());
    Ok(entries)
}

/// The keys that work, as they are shown, with when each was last used.
pub async fn rows(store: &Store, project: &ProjectId) -> Result<Vec<KeyRow>, StoreError> {
    let entries = working(store, project, "").await?;
    let authorizations = entries.iter().map(|entry| keys::api_key(&entry.sha256)).collect();
    let found: HashMap<Key, Item> = store.get_many(authorizations, Consistency::Strong).await?;
    let used_at = |entry: &Entry| read_number(found.get(&keys::api_key(&entry.sha256))?, USED_AT).ok().map(Millis);
    Ok(entries.iter().map(|entry| KeyRow { last_used_at: used_at(entry), ..entry.row() }).collect())
}

/// The one key of some projects that works and has this identifier.
pub async fn find(
    store: &Store,
    projects: impl IntoIterator<Item = ProjectId>,
    id: &str,
) -> Result<Option<(ProjectId, Entry)>, StoreError> {
    // A shorter one is no identifier, and would list them all.
    if id.len() != ID_LENGTH {
        return Ok(None);
    }
    let of_project = async |project: ProjectId| {
        let found = working(store, &project, id).await?.pop();
        Ok::<_, StoreError>(found.map(|entry| (project, entry)))
    };
    let mut found = stream::iter(projects).map(of_project).buffer_unordered(AT_ONCE);
    while let Some(entry) = found.try_next().await? {
        if entry.is_some() {
            return Ok(entry);
        }
    }
    Ok(None)
}

fn committed(outcome: Outcome) -> Result<(), KeyError> {
    match outcome {
        Outcome::Committed => Ok(()),
        Outcome::Conflict(_) => Err(KeyError::Beaten),
    }
}

impl Entry {
    fn of(key: &ApiKey, limit: Option<u32>, label: &str, now: Millis) -> Self {
        Entry {
            sha256: key.sha256(),
            kind: key.kind(),
            limit,
            label: label.to_owned(),
            created_at: now,
            hint: key.reveal().chars().take(key.kind().prefix().len() + HINT_RANDOM).collect(),
            revoked_at: None,
        }
    }

    fn read(item: &Item) -> Result<Self, StoreError> {
        let sha256 = read_text(item, SK)?.to_owned();
        let kind = KeyKind::from_name(read_text(item, KIND)?)
            .ok_or_else(|| StoreError::Corrupt { key: sha256.clone(), cause: "a key of unknown kind".to_owned() })?;
        Ok(Entry {
            kind,
            limit: read_number(item, LIMIT).ok(),
            label: read_text(item, LABEL)?.to_owned(),
            created_at: Millis(read_number(item, CREATED_AT)?),
            // It is stored with what stands for the rest.
            hint: read_text(item, HINT)?.trim_end_matches('…').to_owned(),
            revoked_at: read_number(item, REVOKED_AT).ok().map(Millis),
            sha256,
        })
    }

    /// What it is called by: the beginning of its SHA-256.
    pub fn id(&self) -> &str {
        id_of(&self.sha256)
    }

    /// As it is shown.
    pub fn row(&self) -> KeyRow {
        KeyRow {
            id: self.id().to_owned(),
            kind: self.kind.name(),
            label: Some(self.label.clone()).filter(|label| !label.is_empty()),
            rate_limit: self.limit,
            created_at: self.created_at,
            last_used_at: None,
            hint: self.hint.clone(),
            key: None,
        }
    }

    /// The item that a request is authenticated by.
    fn authorization(&self, project: &ProjectId) -> Item {
        let mut item = key_item(&keys::api_key(&self.sha256));
        item.insert(PROJECT.to_owned(), text(project.as_str()));
        item.insert(KIND.to_owned(), text(self.kind.name()));
        item.extend(self.limit.map(|limit| (LIMIT.to_owned(), number(limit))));
        item
    }

    /// The item in the project's list.
    fn item(&self, project: &ProjectId) -> Item {
        let mut item = key_item(&keys::project_key(project, &self.sha256));
        item.insert(KIND.to_owned(), text(self.kind.name()));
        item.extend(self.limit.map(|limit| (LIMIT.to_owned(), number(limit))));
        item.insert(LABEL.to_owned(), text(&self.label));
        item.insert(CREATED_AT.to_owned(), number(self.created_at.0));
        item.insert(HINT.to_owned(), text(format!("{}…", self.hint)));
        item.extend(self.revoked_at.map(|at| (REVOKED_AT.to_owned(), number(at.0))));
        item
    }

    fn additions(&self, project: &ProjectId) -> Vec<Write> {
        vec![Write::PutAt(self.authorization(project), None), Write::PutAt(self.item(project), None)]
    }

    fn revoked(&self, now: Millis) -> Self {
        Entry { revoked_at: Some(now), ..self.clone() }
    }
}

impl KeyRow {
    /// With the key itself, for whoever made it.
    pub fn revealing(self, key: &ApiKey) -> Self {
        KeyRow { key: Some(RevealedKey(key.clone())), ..self }
    }
}
