//! Projects: created, listed, changed.

use std::str::FromStr;

use aws_sdk_dynamodb::error::ProvideErrorMetadata;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue};
use figures::ids::ProjectId;
use figures::log::tail::kept_of;
use figures::retention::{InvalidRetention, Retention};
use figures::site::{HostPattern, InvalidSite, OriginPattern};
use figures::table::keys;
use figures::table::store::{
    CREATED_AT, Consistency, HOSTS, Item, KEPT_SINCE, ORIGINS, PK, Query, RETENTION_DAYS, SK, Store, StoreError,
    failure, key_item, number, read_number, read_text, read_texts, text,
};
use figures::time::Millis;
use serde::{Deserialize, Serialize};

use crate::app::App;
use crate::auth::{Person, Projects};
use crate::error::ApiError;
use crate::params::{Integer, text_of};
use crate::telemetry::readable;

const NAME: &str = "name";

/// The most hosts, and the most origins, of a project.
const MAX_LISTED: usize = 100;
/// The longest of them, in characters: a host's name has 253, and an origin a scheme and a port besides.
const MAX_LENGTH: usize = 270;

/// What is told of a project that is not there, or that is not for whoever asks.
pub const NO_PROJECT: &str = "No such project.";

/// A project.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Project {
    /// Its identifier.
    pub id: ProjectId,
    /// Its name for people.
    pub name: String,
    /// The site's own hosts, which are no referrers.
    pub hosts: Vec<HostPattern>,
    /// The origins whose pages may send data; none is any.
    pub origins: Vec<OriginPattern>,
    /// For how many days it keeps batches and visitors, 0 for ever; none is as the deployment has it.
    pub retention_days: Option<i32>,
    /// When it was created.
    pub created_at: Millis,
}

/// What a project is created with.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// Its name for people; none is its identifier.
    pub name: Option<String>,
    /// The site's own hosts, which are no referrers.
    pub hosts: Vec<HostPattern>,
    /// The origins whose pages may send data; none is any.
    pub origins: Vec<OriginPattern>,
    /// For how many days it keeps batches and visitors; none is as the deployment has it.
    pub retention: Option<Retention>,
}

/// What changes of a project; what is none stays.
#[derive(Debug, Clone, Default)]
pub struct Changes {
    /// Another name.
    pub name: Option<String>,
    /// Other hosts.
    pub hosts: Option<Vec<HostPattern>>,
    /// Other origins.
    pub origins: Option<Vec<OriginPattern>>,
    /// For how many days it keeps batches and visitors.
    pub retention: Option<Retention>,
}

/// Changes as somebody typed them, in JSON.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Given {
    /// Another name.
    pub name: Option<String>,
    /// Other hosts.
    pub hosts: Option<Vec<String>>,
    /// Other origins.
    pub origins: Option<Vec<String>>,
    /// For how many days it keeps batches and visitors; 0 is for ever.
    pub retention_days: Option<Integer<i32>>,
}

impl Given {
    /// Reads them strictly.
    pub fn parse(self) -> Result<Changes, ApiError> {
        let name = self.name.map(|name| text_of("name", &name)).transpose()?;
        if name.as_deref() == Some("") {
            return Err(ApiError::InvalidBody("name must not be empty.".to_owned()));
        }
        Ok(Changes {
            name,
            hosts: self.hosts.map(|hosts| parsed("hosts", &hosts)).transpose()?,
            origins: self.origins.map(|origins| parsed("origins", &origins)).transpose()?,
            retention: self.retention_days.map(|days| Retention::of_days(days.0)).transpose().map_err(unkeepable)?,
        })
    }
}

fn unkeepable(error: InvalidRetention) -> ApiError {
    ApiError::InvalidBody(format!("retention_days {error}."))
}

fn parsed<T: FromStr<Err = InvalidSite>>(field: &str, given: &[String]) -> Result<Vec<T>, ApiError> {
    if given.len() > MAX_LISTED || given.iter().any(|text| text.chars().count() > MAX_LENGTH) {
        let message = format!("{field} must be up to {MAX_LISTED}, of up to {MAX_LENGTH} characters each.");
        return Err(ApiError::InvalidBody(message));
    }
    let invalid = |text, error| ApiError::InvalidBody(format!("{field}: {text:?} {error}."));
    given.iter().map(|text| text.parse().map_err(|error| invalid(text, error))).collect()
}

impl Project {
    fn new(id: &ProjectId, settings: &Settings, now: Millis) -> Self {
        Project {
            id: id.clone(),
            name: settings.name.clone().unwrap_or_else(|| id.as_str().to_owned()),
            hosts: settings.hosts.clone(),
            origins: settings.origins.clone(),
            retention_days: settings.retention.map(Retention::days),
            created_at: now,
        }
    }

    fn read(item: &Item) -> Result<Self, StoreError> {
        let id = read_text(item, SK)?;
        let corrupt =
            |_| StoreError::Corrupt { key: id.to_owned(), cause: "a project without an identifier".to_owned() };
        Ok(Project {
            id: id.parse().map_err(corrupt)?,
            name: read_text(item, NAME)?.to_owned(),
            hosts: read_texts(item, HOSTS).iter().map(|host| HostPattern::stored(host)).collect(),
            origins: read_texts(item, ORIGINS).iter().map(|origin| OriginPattern::stored(origin)).collect(),
            retention_days: Retention::read(item).map(Retention::days),
            created_at: Millis(read_number(item, CREATED_AT)?),
        })
    }

    fn item(&self) -> Item {
        let mut item = key_item(&keys::project(&self.id));
        item.insert(NAME.to_owned(), text(&self.name));
        item.insert(HOSTS.to_owned(), texts(&self.hosts));
        item.insert(ORIGINS.to_owned(), texts(&self.origins));
        item.extend(self.retention_days.map(|days| (RETENTION_DAYS.to_owned(), number(days))));
        item.insert(CREATED_AT.to_owned(), number(self.created_at.0));
        item
    }
}

fn texts<T: ToString>(values: &[T]) -> AttributeValue {
    AttributeValue::L(values.iter().map(|value| text(value.to_string())).collect())
}

/// Creates a project; none if there is one already.
pub async fn create(
    store: &Store,
    id: &ProjectId,
    settings: &Settings,
    now: Millis,
) -> Result<Option<Project>, StoreError> {
    let project = Project::new(id, settings, now);
    Ok(store.put_at(project.item(), None).await?.is_stored().then_some(project))
}

/// All projects, by identifier. What can't be read is left out.
pub async fn list(store: &Store) -> Result<Vec<Project>, StoreError> {
    let items = store.query(Query::partition(keys::PROJECTS).strong()).await?;
    Ok(readable("a project", items.iter().map(Project::read)))
}

/// Those that a person may see.
pub async fn visible(store: &Store, person: &Person) -> Result<Vec<Project>, StoreError> {
    let mut projects = list(store).await?;
    projects.retain(|project| person.access.projects.include(&project.id));
    Ok(projects)
}

/// Whether there is such a project.
pub async fn exists(store: &Store, id: &ProjectId) -> Result<bool, StoreError> {
    Ok(store.get(&keys::project(id), Consistency::Strong).await?.is_some())
}

/// The first day that is kept, before another setting is: what was over then stays over, however long is kept from now on.
async fn kept_until_now(
    store: &Store,
    id: &ProjectId,
    deployment: Option<Retention>,
    now: Millis,
) -> Result<Option<AttributeValue>, StoreError> {
    let item = store.get(&keys::project(id), Consistency::Strong).await?;
    let kept = kept_of(store, id, item.as_ref(), deployment).await?;
    Ok(kept.horizon(now).map(|first| number(first.0)))
}

/// Changes a project, and leaves alone whatever else its item holds; none if there is no such project. Who does not know what
/// the deployment keeps says none.
pub async fn change(
    store: &Store,
    id: &ProjectId,
    changes: &Changes,
    deployment: Option<Retention>,
    now: Millis,
) -> Result<Option<Project>, StoreError> {
    let kept_since = match changes.retention {
        Some(_) => kept_until_now(store, id, deployment, now).await?,
        None => None,
    };
    let values = [
        (RETENTION_DAYS, changes.retention.map(|retention| number(retention.days()))),
        (KEPT_SINCE, kept_since),
        (NAME, changes.name.as_ref().map(text)),
        (HOSTS, changes.hosts.as_deref().map(texts)),
        (ORIGINS, changes.origins.as_deref().map(texts)),
    ];
    let mut request = store
        .client()
        .update_item()
        .table_name(store.table())
        .set_key(Some(key_item(&keys::project(id))))
        .condition_expression("attribute_exists(#pk)")
        .expression_attribute_names("#pk", PK)
        .return_values(ReturnValue::AllNew);
    let mut sets = Vec::new();
    for (name, value) in values {
        let Some(value) = value else { continue };
        sets.push(format!("#{name} = :{name}"));
        request = request
            .expression_attribute_names(format!("#{name}"), name)
            .expression_attribute_values(format!(":{name}"), value);
    }
    if !sets.is_empty() {
        request = request.update_expression(format!("SET {}", sets.join(", ")));
    }
    let call = store.begin();
    match request.send().await {
        Ok(response) => {
            store.count_write(call);
            response.attributes.as_ref().map(Project::read).transpose()
        }
        Err(error) if error.code() == Some("ConditionalCheckFailedException") => {
            store.count_write(call);
            Ok(None)
        }
        Err(error) => Err(failure(error)),
    }
}

/// Refuses a project that a person has no right to, or that does not exist, in the same words.
pub(crate) async fn must_be_open(app: &App, store: &Store, person: &Person, id: &ProjectId) -> Result<(), ApiError> {
    match &person.access.projects {
        Projects::Only(projects) if projects.contains(id) => return Ok(()),
        Projects::Only(_) => return Err(ApiError::NotFound(NO_PROJECT)),
        Projects::All if app.projects().get(id).is_some() => return Ok(()),
        Projects::All => {}
    }
    if !exists(store, id).await? {
        return Err(ApiError::NotFound(NO_PROJECT));
    }
    app.projects().insert(id.clone(), ());
    Ok(())
}
