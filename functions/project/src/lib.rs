//! `PATCH /manage/v1/projects/{id}`: another name, other hosts, other origins, how long is kept. What is left out stays.

use lambda_http::{Body, Request, Response};
use serde_json::json;
use shared::app::App;
use shared::auth::Role;
use shared::error::ApiError;
use shared::manage::{answer, found, record};
use shared::projects::{self, Changes, Given, NO_PROJECT};

/// Answers a request.
pub async fn handle(app: &App, request: &Request) -> Response<Body> {
    answer(app, request, Role::Admin, async |manager| {
        let changes = manager.body::<Given>()?.parse()?;
        let id = manager.project(&manager.path_parameter()).await?;
        let changed =
            projects::change(&manager.store, &id, &changes, Some(manager.deployment_keeps()), manager.now).await?;
        let project = changed.ok_or(ApiError::NotFound(NO_PROJECT))?;
        let Changes { name, hosts, origins, retention } = changes;
        let changed = json!({
            "name": name, "hosts": hosts, "origins": origins, "retention_days": retention.map(|retention| retention.days()),
        });
        record(&manager.person, "change project", &[("project", id.as_str().into()), ("changed", changed)]);
        Ok(found(project))
    })
    .await
}
