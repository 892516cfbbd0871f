//! `DELETE /manage/v1/people/{id}`: somebody's access is taken away, at once.

use lambda_http::{Body, Request, Response};
use shared::app::App;
use shared::auth::Role;
use shared::error::ApiError;
use shared::manage::{answer, gone, record};
use shared::people;

const NOBODY: &str = "Nobody with this identifier has access.";

/// Answers a request.
pub async fn handle(app: &App, request: &Request) -> Response<Body> {
    answer(app, request, Role::Admin, async |manager| {
        let id = manager.path_parameter();
        if !people::remove(&manager.store, &manager.person, &id, manager.now).await? {
            return Err(ApiError::NotFound(NOBODY));
        }
        record(&manager.person, "remove person", &[("removed", id.into())]);
        Ok(gone())
    })
    .await
}
