//! The commands of API keys.

use figures::ids::ProjectId;
use figures::table::store::Store;
use figures::time::Millis;
use shared::api_keys::{self, Entry};
use shared::auth::{ApiKey, KeyKind};
use shared::rate_limit::DEFAULT_LIMIT;

use crate::args::KeyCommand;
use crate::error::CliError;
use crate::{output, project};

/// Runs a command of `key`.
pub async fn run(store: &Store, project: &ProjectId, command: KeyCommand) -> Result<(), CliError> {
    let now = Millis::now();
    match command {
        KeyCommand::Create { kind, rate_limit, label } => {
            let limit = limit_of(kind.into(), rate_limit)?;
            project::must_exist(store, project).await?;
            let (key, entry) = api_keys::create(store, project, kind.into(), limit, &label, now).await?;
            show(&key, &entry, project)
        }
        KeyCommand::List => {
            project::must_exist(store, project).await?;
            let rows: Vec<_> = api_keys::list(store, project, "").await?.iter().map(row).collect();
            output::table(["ID", "KIND", "KEY", "LIMIT", "LABEL", "CREATED", "REVOKED"], &rows)
        }
        KeyCommand::Rotate { id } => {
            let old = active(store, project, &id).await?;
            let (key, new) = api_keys::rotate(store, project, &old, now).await?;
            show(&key, &new, project)?;
            eprintln!("Key {} is revoked.", old.id());
            Ok(())
        }
        KeyCommand::Revoke { id } => {
            let old = active(store, project, &id).await?;
            api_keys::revoke(store, project, &old, now).await?;
            output::line(old.id())?;
            eprintln!("Revoked. It stops working everywhere within a minute.");
            Ok(())
        }
    }
}

fn limit_of(kind: KeyKind, asked: Option<u32>) -> Result<Option<u32>, CliError> {
    match (kind, asked) {
        (KeyKind::Secret, asked) => Ok(Some(asked.unwrap_or(DEFAULT_LIMIT))),
        (KeyKind::Public, None) => Ok(None),
        (KeyKind::Public, Some(_)) => Err(CliError::Usage("--rate-limit is for secret keys".to_owned())),
    }
}

/// The key on standard output alone, so that it can be piped.
fn show(key: &ApiKey, entry: &Entry, project: &ProjectId) -> Result<(), CliError> {
    let limit = entry.limit.map(|limit| format!(", {limit} requests a minute")).unwrap_or_default();
    eprintln!("{} key {} of project {project}{limit}. It is shown this once:", entry.kind.name(), entry.id());
    output::line(key.reveal())
}

/// The one key that works and whose identifier begins so.
async fn active(store: &Store, project: &ProjectId, id: &str) -> Result<Entry, CliError> {
    project::must_exist(store, project).await?;
    let mut found = api_keys::list(store, project, id).await?;
    match (found.pop(), found.len()) {
        (None, _) => Err(CliError::Failed(format!("project {project} has no key {id}; see `identity key list`"))),
        (Some(entry), 0) if entry.revoked_at.is_some() => {
            Err(CliError::Failed(format!("key {} is revoked already", entry.id())))
        }
        (Some(entry), 0) => Ok(entry),
        (Some(_), more) => Err(CliError::Failed(format!("{} keys begin with {id}; give more of it", more + 1))),
    }
}

fn row(entry: &Entry) -> [String; 7] {
    [
        entry.id().to_owned(),
        entry.kind.name().to_owned(),
        format!("{}…", entry.hint),
        entry.limit.map(|limit| limit.to_string()).unwrap_or_default(),
        entry.label.clone(),
        output::instant(entry.created_at),
        entry.revoked_at.map(output::instant).unwrap_or_default(),
    ]
}
