//! `GET` and `POST /manage/v1/people`: who has access, and an invitation's link.

use figures::ids::ProjectId;
use figures::time::Millis;
use http::Method;
use lambda_http::{Body, Request, Response};
use serde::{Deserialize, Serialize};
use serde_json::json;
use shared::app::App;
use shared::auth::{Access, Projects, Role};
use shared::error::ApiError;
use shared::manage::{Manager, answer, found, made, record};
use shared::params::text_of;
use shared::people::{self, INVITATION_MS};

const NOT_ALL: &str = "Only an admin of all projects can let somebody see all of them.";

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Invited {
    label: String,
    #[serde(default = "viewer")]
    role: Role,
    /// None: all.
    projects: Option<Vec<String>>,
}

fn viewer() -> Role {
    Role::Viewer
}

/// An invitation, for whoever made it to send.
#[derive(Serialize)]
struct Sendable {
    #[serde(flatten)]
    access: Access,
    link: String,
    expires_at: Millis,
}

/// Answers a request.
pub async fn handle(app: &App, request: &Request) -> Response<Body> {
    match *request.method() {
        Method::POST => answer(app, request, Role::Admin, invite).await,
        _ => answer(app, request, Role::Admin, list).await,
    }
}

/// Those who may see no more than whoever asks.
async fn list(manager: &Manager<'_>) -> Result<Response<Body>, ApiError> {
    Ok(found(people::within(&manager.store, &manager.person, manager.now).await?))
}

async fn invite(manager: &Manager<'_>) -> Result<Response<Body>, ApiError> {
    let invited: Invited = manager.body()?;
    let label = text_of("label", &invited.label)?;
    if label.is_empty() {
        return Err(ApiError::InvalidBody("label must say who is invited.".to_owned()));
    }
    let projects = projects_of(manager, invited.projects).await?;
    let access = Access { label, role: invited.role, projects };
    let base_url = manager.base_url()?;
    let invitation = people::invite(&manager.store, &access, Some(&manager.cookie), manager.now).await?;
    record(&manager.person, "invite", &[("access", json!(access))]);
    if let Err(error) = people::forget_gone(&manager.store, manager.now).await {
        tracing::warn!(%error, "those whose access has ended are left in the list");
    }
    let expires_at = manager.now.plus(INVITATION_MS);
    Ok(made(Sendable { access, link: invitation.link(&base_url), expires_at }))
}

/// No more than whoever invites may see, and nothing that is not there.
async fn projects_of(manager: &Manager<'_>, named: Option<Vec<String>>) -> Result<Projects, ApiError> {
    let Some(named) = named else {
        return match manager.person.access.projects {
            Projects::All => Ok(Projects::All),
            Projects::Only(_) => Err(ApiError::Forbidden(NOT_ALL)),
        };
    };
    if named.is_empty() || named.len() > people::MAX_PROJECTS {
        let message = format!("projects must name 1 to {} projects, or be null for all.", people::MAX_PROJECTS);
        return Err(ApiError::InvalidBody(message));
    }
    let mut projects: Vec<ProjectId> = Vec::with_capacity(named.len());
    for name in named {
        let project = manager.project(&name).await?;
        if !projects.contains(&project) {
            projects.push(project);
        }
    }
    Ok(Projects::Only(projects))
}
