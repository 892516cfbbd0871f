//! `GET /manage/v1/me`: who is signed in, and which projects they may see.

use figures::ids::ProjectId;
use http::header;
use lambda_http::{Body, Request, Response};
use serde::Serialize;
use shared::app::App;
use shared::auth::{Person, Role};
use shared::manage::{answer, found};
use shared::projects::{self, Project};

#[derive(Debug, Serialize)]
struct Me<'a> {
    #[serde(flatten)]
    person: &'a Person,
    /// The projects there are of those that the person may see.
    visible_projects: Vec<Named>,
}

#[derive(Debug, Serialize)]
struct Named {
    id: ProjectId,
    name: String,
}

impl From<Project> for Named {
    fn from(Project { id, name, .. }: Project) -> Self {
        Named { id, name }
    }
}

/// Answers a request.
pub async fn handle(app: &App, request: &Request) -> Response<Body> {
    answer(app, request, Role::Viewer, async |manager| {
        let (store, person) = (&manager.store, &*manager.person);
        let visible_projects = projects::visible(store, person).await?.into_iter().map(Named::from).collect();
        let mut response = found(Me { person, visible_projects });
        // The table keeps it for thirty days from now on, and so shall the browser.
        response.headers_mut().insert(header::SET_COOKIE, manager.cookie.to_keep(app.cookies())?);
        Ok(response)
    })
    .await
}
