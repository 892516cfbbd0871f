//! `POST /manage/v1/keys/{id}/rotate`: a key like another one, in its place.

use lambda_http::{Body, Request, Response};
use shared::api_keys;
use shared::app::App;
use shared::auth::Role;
use shared::manage::{answer, made, record};

/// Answers a request.
pub async fn handle(app: &App, request: &Request) -> Response<Body> {
    answer(app, request, Role::Admin, async |manager| {
        let (project, old) = manager.key().await?;
        let (key, new) = api_keys::rotate(&manager.store, &project, &old, manager.now).await?;
        let project = project.as_str();
        let told = [("project", project.into()), ("key", old.id().into()), ("new_key", new.id().into())];
        record(&manager.person, "rotate key", &told);
        Ok(made(new.row().revealing(&key)))
    })
    .await
}
