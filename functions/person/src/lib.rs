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
        let known = people::within(&manager.store, &manager.person, manager.now).await?;
        let mut named = known.into_iter().filter(|known| known.person.id.as_str() == id);
        let known = named.next().ok_or(ApiError::NotFound(NOBODY))?;
        people::remove(&manager.store, &known).await?;
        record(&manager.person, "remove person", None, &format!("{id} {}", known.person.access.label));
        Ok(gone())
    })
    .await
}
