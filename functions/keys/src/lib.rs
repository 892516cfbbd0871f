//! `GET` and `POST /manage/v1/keys`: a project's keys that work, and a new one.

use http::Method;
use lambda_http::{Body, Request, Response};
use serde::Deserialize;
use shared::api_keys::{self, MAX_LIMIT};
use shared::app::App;
use shared::auth::{KeyKind, Role};
use shared::error::ApiError;
use shared::manage::{Manager, answer, found, made, record};
use shared::params::{Integer, text_of};
use shared::rate_limit::DEFAULT_LIMIT;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct NewKey {
    project: String,
    kind: Kind,
    label: Option<String>,
    rate_limit: Option<Integer<u32>>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Secret,
    Public,
}

/// Answers a request.
pub async fn handle(app: &App, request: &Request) -> Response<Body> {
    match *request.method() {
        Method::POST => answer(app, request, Role::Admin, create).await,
        _ => answer(app, request, Role::Admin, list).await,
    }
}

async fn list(manager: &Manager<'_>) -> Result<Response<Body>, ApiError> {
    let params = manager.params();
    let named = params.filter("project").ok_or_else(|| {
        ApiError::InvalidParameter("project must name the project whose keys are asked for.".to_owned())
    })?;
    let project = manager.project(named).await?;
    Ok(found(api_keys::rows(&manager.store, &project).await?))
}

async fn create(manager: &Manager<'_>) -> Result<Response<Body>, ApiError> {
    let new: NewKey = manager.body()?;
    let label = text_of("label", new.label.as_deref().unwrap_or_default())?;
    let (kind, limit) = match new.kind {
        Kind::Secret => (KeyKind::Secret, Some(limit(new.rate_limit)?)),
        Kind::Public if new.rate_limit.is_some() => {
            return Err(ApiError::InvalidBody("rate_limit is for secret keys.".to_owned()));
        }
        Kind::Public => (KeyKind::Public, None),
    };
    let project = manager.project(&new.project).await?;
    let (key, entry) = api_keys::create(&manager.store, &project, kind, limit, &label, manager.now).await?;
    record(&manager.person, "create key", &[("project", project.as_str().into()), ("key", entry.id().into())]);
    Ok(made(entry.row().revealing(&key)))
}

fn limit(asked: Option<Integer<u32>>) -> Result<u32, ApiError> {
    match asked.map_or(DEFAULT_LIMIT, |asked| asked.0) {
        limit @ 1..=MAX_LIMIT => Ok(limit),
        _ => Err(ApiError::InvalidBody(format!("rate_limit must be 1 to {MAX_LIMIT} requests a minute."))),
    }
}
