//! `GET` and `POST /manage/v1/projects`: the projects that an admin may manage, and a new one.

use figures::ids::ProjectId;
use http::Method;
use lambda_http::{Body, Request, Response};
use serde::Deserialize;
use shared::app::App;
use shared::auth::{Projects, Role};
use shared::error::ApiError;
use shared::manage::{Manager, answer, found, made, record};
use shared::params::Integer;
use shared::projects::{self, Given, Settings};

const NOT_ALL: &str = "Only an admin of all projects can create one.";

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct NewProject {
    id: String,
    name: Option<String>,
    hosts: Option<Vec<String>>,
    origins: Option<Vec<String>>,
    retention_days: Option<Integer<i32>>,
}

/// Answers a request.
pub async fn handle(app: &App, request: &Request) -> Response<Body> {
    match *request.method() {
        Method::POST => answer(app, request, Role::Admin, create).await,
        _ => answer(app, request, Role::Admin, list).await,
    }
}

async fn list(manager: &Manager<'_>) -> Result<Response<Body>, ApiError> {
    Ok(found(projects::visible(&manager.store, &manager.person).await?))
}

async fn create(manager: &Manager<'_>) -> Result<Response<Body>, ApiError> {
    if manager.person.access.projects != Projects::All {
        return Err(ApiError::Forbidden(NOT_ALL));
    }
    let NewProject { id, name, hosts, origins, retention_days } = manager.body()?;
    let id: ProjectId = id.parse().map_err(|error| ApiError::InvalidBody(format!("id {error}.")))?;
    let changes = Given { name, hosts, origins, retention_days }.parse()?;
    let settings = Settings {
        name: changes.name,
        hosts: changes.hosts.unwrap_or_default(),
        origins: changes.origins.unwrap_or_default(),
        retention: changes.retention,
    };
    let created = projects::create(&manager.store, &id, &settings, manager.now).await?;
    let project = created.ok_or_else(|| ApiError::Conflict(format!("There is a project {id} already.")))?;
    record(&manager.person, "create project", &[("project", id.as_str().into())]);
    Ok(made(project))
}
