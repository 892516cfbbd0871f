//! API keys: created, listed, rotated and revoked. Only a key's SHA-256 is ever stored.

use figures::ids::ProjectId;
use figures::table::keys;
use figures::table::store::{
    Consistency, Item, Outcome, Query, SK, SortKeys, Store, StoreError, Write, key_item, number, read_number,
    read_text, text,
};
use figures::time::Millis;
use shared::auth::{ApiKey, KIND, KeyKind, LIMIT, PROJECT};
use shared::rate_limit::DEFAULT_LIMIT;

use crate::args::KeyCommand;
use crate::error::CliError;
use crate::{output, project};

const LABEL: &str = "label";
const CREATED_AT: &str = "created_at";
const SHOWN: &str = "shown";
const REVOKED_AT: &str = "revoked_at";

/// How much of a key's SHA-256 is its identifier.
const ID_LENGTH: usize = 12;
/// How many of a key's random characters are kept to know it by: 23.8 of its 190.5 bits.
const SHOWN_RANDOM: usize = 4;

/// What is listed of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing {
    sha256: String,
    kind: KeyKind,
    /// Requests a minute; the collector's throttle is no matter of the key.
    limit: Option<u32>,
    label: String,
    created_at: Millis,
    shown: String,
    revoked_at: Option<Millis>,
}

/// Runs a command of `key`.
pub async fn run(store: &Store, project: &ProjectId, command: KeyCommand) -> Result<(), CliError> {
    let now = Millis::now();
    match command {
        KeyCommand::Create { kind, rate_limit, label } => {
            let limit = limit_of(kind.into(), rate_limit)?;
            project::must_exist(store, project).await?;
            let key = ApiKey::generate(kind.into())?;
            let listing = Listing::of(&key, limit, &label, now);
            committed(store.transact(listing.additions(project)).await?)?;
            show(&key, &listing, project)
        }
        KeyCommand::List => {
            project::must_exist(store, project).await?;
            let items = store.query(Query::partition(keys::project_keys(project)).strong()).await?;
            let mut listings = items.iter().map(Listing::read).collect::<Result<Vec<_>, _>>()?;
            listings.sort_by_key(|listing| listing.created_at);
            let rows: Vec<_> = listings.iter().map(Listing::row).collect();
            output::table(["ID", "KIND", "KEY", "LIMIT", "LABEL", "CREATED", "REVOKED"], &rows)
        }
        KeyCommand::Rotate { id } => {
            let old = active(store, project, &id).await?;
            let key = ApiKey::generate(old.kind)?;
            let new = Listing::of(&key, old.limit, &old.label, now);
            let writes = new.additions(project).into_iter().chain(old.removals(project, now)).collect();
            committed(store.transact(writes).await?)?;
            show(&key, &new, project)?;
            eprintln!("Key {} is revoked.", old.id());
            Ok(())
        }
        KeyCommand::Revoke { id } => {
            let old = active(store, project, &id).await?;
            committed(store.transact(old.removals(project, now)).await?)?;
            output::line(old.id())?;
            eprintln!("Revoked. It stops working everywhere within a minute.");
            Ok(())
        }
    }
}

/// Registers a key that was chosen elsewhere. Registering it again sets its limit.
pub async fn register(
    store: &Store,
    project: &ProjectId,
    key: &ApiKey,
    limit: Option<u32>,
    now: Millis,
) -> Result<(), CliError> {
    let mut listing = Listing::of(key, limit, "identity dev", now);
    if let Some(known) = store.get(&keys::api_key(&listing.sha256), Consistency::Strong).await?
        && read_text(&known, PROJECT)? != project.as_str()
    {
        let (id, owner) = (listing.id(), read_text(&known, PROJECT)?);
        return Err(CliError::Failed(format!("key {id} belongs to project {owner:?}; choose another key")));
    }
    if let Some(known) = store.get(&keys::project_key(project, &listing.sha256), Consistency::Strong).await? {
        let known = Listing::read(&known)?;
        listing = Listing { label: known.label, created_at: known.created_at, ..listing };
    }
    let writes = vec![Write::Put(listing.authorization(project)), Write::Put(listing.entry(project))];
    committed(store.transact(writes).await?)
}

fn limit_of(kind: KeyKind, asked: Option<u32>) -> Result<Option<u32>, CliError> {
    match (kind, asked) {
        (KeyKind::Secret, asked) => Ok(Some(asked.unwrap_or(DEFAULT_LIMIT))),
        (KeyKind::Public, None) => Ok(None),
        (KeyKind::Public, Some(_)) => Err(CliError::Usage("--rate-limit is for secret keys".to_owned())),
    }
}

fn committed(outcome: Outcome) -> Result<(), CliError> {
    match outcome {
        Outcome::Committed => Ok(()),
        Outcome::Conflict(_) => Err(CliError::Failed("the keys were changed by another command; try again".to_owned())),
    }
}

/// The key on standard output alone, so that it can be piped.
fn show(key: &ApiKey, listing: &Listing, project: &ProjectId) -> Result<(), CliError> {
    let limit = listing.limit.map(|limit| format!(", {limit} requests a minute")).unwrap_or_default();
    eprintln!("{} key {} of project {project}{limit}. It is shown this once:", listing.kind.name(), listing.id());
    output::line(key.reveal())
}

/// The one key that works and whose identifier begins so.
async fn active(store: &Store, project: &ProjectId, id: &str) -> Result<Listing, CliError> {
    project::must_exist(store, project).await?;
    let query = Query::partition(keys::project_keys(project)).sort_keys(SortKeys::Prefix(id.to_owned())).strong();
    let found = store.query(query).await?;
    let mut found = found.iter().map(Listing::read).collect::<Result<Vec<_>, _>>()?;
    match (found.pop(), found.len()) {
        (None, _) => Err(CliError::Failed(format!("project {project} has no key {id}; see `identity key list`"))),
        (Some(listing), 0) if listing.revoked_at.is_some() => {
            Err(CliError::Failed(format!("key {} is revoked already", listing.id())))
        }
        (Some(listing), 0) => Ok(listing),
        (Some(_), more) => Err(CliError::Failed(format!("{} keys begin with {id}; give more of it", more + 1))),
    }
}

impl Listing {
    fn of(key: &ApiKey, limit: Option<u32>, label: &str, now: Millis) -> Self {
        let shown: String = key.reveal().chars().take(key.kind().prefix().len() + SHOWN_RANDOM).collect();
        Listing {
            sha256: key.sha256(),
            kind: key.kind(),
            limit,
            label: label.to_owned(),
            created_at: now,
            shown: format!("{shown}…"),
            revoked_at: None,
        }
    }

    fn read(item: &Item) -> Result<Self, StoreError> {
        let sha256 = read_text(item, SK)?.to_owned();
        let kind = KeyKind::from_name(read_text(item, KIND)?)
            .ok_or_else(|| StoreError::Corrupt { key: sha256.clone(), cause: "a key of unknown kind".to_owned() })?;
        Ok(Listing {
            kind,
            limit: read_number(item, LIMIT).ok(),
            label: read_text(item, LABEL)?.to_owned(),
            created_at: Millis(read_number(item, CREATED_AT)?),
            shown: read_text(item, SHOWN)?.to_owned(),
            revoked_at: read_number(item, REVOKED_AT).ok().map(Millis),
            sha256,
        })
    }

    fn id(&self) -> &str {
        self.sha256.get(..ID_LENGTH).unwrap_or(&self.sha256)
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
    fn entry(&self, project: &ProjectId) -> Item {
        let mut item = key_item(&keys::project_key(project, &self.sha256));
        item.insert(KIND.to_owned(), text(self.kind.name()));
        item.extend(self.limit.map(|limit| (LIMIT.to_owned(), number(limit))));
        item.insert(LABEL.to_owned(), text(&self.label));
        item.insert(CREATED_AT.to_owned(), number(self.created_at.0));
        item.insert(SHOWN.to_owned(), text(&self.shown));
        item.extend(self.revoked_at.map(|at| (REVOKED_AT.to_owned(), number(at.0))));
        item
    }

    fn additions(&self, project: &ProjectId) -> Vec<Write> {
        vec![Write::PutAt(self.authorization(project), None), Write::PutAt(self.entry(project), None)]
    }

    fn removals(&self, project: &ProjectId, now: Millis) -> Vec<Write> {
        let revoked = Listing { revoked_at: Some(now), ..self.clone() };
        vec![Write::Delete(keys::api_key(&self.sha256)), Write::Put(revoked.entry(project))]
    }

    fn row(&self) -> [String; 7] {
        [
            self.id().to_owned(),
            self.kind.name().to_owned(),
            self.shown.clone(),
            self.limit.map(|limit| limit.to_string()).unwrap_or_default(),
            self.label.clone(),
            output::instant(self.created_at),
            self.revoked_at.map(output::instant).unwrap_or_default(),
        ]
    }
}
