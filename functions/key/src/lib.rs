//! `DELETE /manage/v1/keys/{id}`: the key stops working, for good.

use lambda_http::{Body, Request, Response};
use shared::api_keys;
use shared::app::App;
use shared::auth::Role;
use shared::manage::{answer, gone, record};

/// Answers a request.
pub async fn handle(app: &App, request: &Request) -> Response<Body> {
    answer(app, request, Role::Admin, async |manager| {
        let (project, entry) = manager.key().await?;
        api_keys::revoke(&manager.store, &project, &entry, manager.now).await?;
        record(&manager.person, "revoke key", &[("project", project.as_str().into()), ("key", entry.id().into())]);
        Ok(gone())
    })
    .await
}
