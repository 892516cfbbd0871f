//! Projects: created and listed.

use aws_sdk_dynamodb::types::AttributeValue;
use figures::ids::ProjectId;
use figures::table::keys;
use figures::table::store::{
    Consistency, HOSTS, Item, ORIGINS, Query, SK, Store, StoreError, key_item, number, read_number, read_text, text,
};
use figures::time::Millis;

use crate::args::ProjectCommand;
use crate::error::CliError;
use crate::output;

const NAME: &str = "name";
const CREATED_AT: &str = "created_at";

/// What a project is created with.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// Its name for people; none is its identifier.
    pub name: Option<String>,
    /// The site's own hosts, which are no referrers.
    pub hosts: Vec<String>,
    /// The origins whose pages may send data; none is any.
    pub origins: Vec<String>,
}

/// Runs a command of `project`.
pub async fn run(store: &Store, command: ProjectCommand) -> Result<(), CliError> {
    match command {
        ProjectCommand::Create { id, name, hosts, origins } => {
            if !create(store, &id, &Settings { name, hosts, origins }, Millis::now()).await? {
                return Err(CliError::Failed(format!("project {id:?} exists already", id = id.as_str())));
            }
            output::line(id.as_str())?;
            eprintln!(
                "Created. Make its keys with `identity key create --project {id} --kind public` and `--kind secret`."
            );
            Ok(())
        }
        ProjectCommand::List => {
            let projects = store.query(Query::partition(keys::PROJECTS)).await?;
            let rows = projects.iter().map(row).collect::<Result<Vec<_>, _>>()?;
            output::table(["PROJECT", "NAME", "HOSTS", "ORIGINS", "CREATED"], &rows)
        }
    }
}

/// Creates a project; says whether it did, or there is one already.
pub async fn create(store: &Store, id: &ProjectId, settings: &Settings, now: Millis) -> Result<bool, StoreError> {
    let texts = |values: &[String]| AttributeValue::L(values.iter().map(text).collect());
    let mut item = key_item(&keys::project(id));
    item.insert(NAME.to_owned(), text(settings.name.as_deref().unwrap_or(id.as_str())));
    item.insert(HOSTS.to_owned(), texts(&settings.hosts));
    item.insert(ORIGINS.to_owned(), texts(&settings.origins));
    item.insert(CREATED_AT.to_owned(), number(now.0));
    Ok(store.put_at(item, None).await?.is_stored())
}

/// Fails if there is no such project, and says how to create it.
pub async fn must_exist(store: &Store, id: &ProjectId) -> Result<(), CliError> {
    match store.get(&keys::project(id), Consistency::Strong).await? {
        Some(_) => Ok(()),
        None => Err(CliError::Failed(format!(
            "there is no project {:?}. Create it with `identity project create {id}`, or choose another with --project.",
            id.as_str()
        ))),
    }
}

fn row(item: &Item) -> Result<[String; 5], StoreError> {
    Ok([
        read_text(item, SK)?.to_owned(),
        read_text(item, NAME)?.to_owned(),
        joined(item, HOSTS),
        joined(item, ORIGINS),
        output::instant(Millis(read_number(item, CREATED_AT)?)),
    ])
}

fn joined(item: &Item, name: &str) -> String {
    let texts = item.get(name).and_then(|value| value.as_l().ok()).map(Vec::as_slice).unwrap_or_default();
    texts.iter().filter_map(|value| value.as_s().ok()).map(String::as_str).collect::<Vec<_>>().join(",")
}
