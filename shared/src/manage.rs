//! What a request of `/manage/v1` goes through: the person's cookie, the rate limit, the page it comes from, the person's role.
//!
//! No key can manage anything. A change is made only after its token is taken, unlike reading, which can be thrown away.

use std::sync::Arc;

use figures::ids::ProjectId;
use figures::retention::Retention;
use figures::table::store::Store;
use figures::time::Millis;
use http::{HeaderMap, Method, StatusCode, header};
use lambda_http::{Body, Request, Response};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::api::{Data, finish, in_parts};
use crate::api_keys::{self, Entry};
use crate::app::{App, in_time};
use crate::auth::{self, Cookie, CookieScope, Credential, Hint, Holder, Person, Projects, Role, SIGNED_OUT, Site};
use crate::error::ApiError;
use crate::params::Params;
use crate::projects;
use crate::rate_limit::Standing;
use crate::response::json_response;
use crate::telemetry;

/// The largest body that is taken: a hundred hosts and a hundred origins fit in.
const MAX_BODY: usize = 64 << 10;

const OTHER_PAGE: &str = "Only the dashboard's own pages may do that.";
const NO_JSON: &str = "Send it with Content-Type: application/json.";
const NO_ADMIN: &str = "This takes an admin.";

/// Who manages, and what with.
pub struct Manager<'a> {
    app: &'a App,
    request: &'a Request,
    /// Who is signed in.
    pub person: Arc<Person>,
    /// Their cookie.
    pub cookie: Cookie,
    /// The table.
    pub store: Store,
    /// When the request arrived.
    pub now: Millis,
}

impl Manager<'_> {
    /// What projects keep that have no setting of their own.
    pub fn deployment_keeps(&self) -> Retention {
        self.app.kept().default_retention()
    }
}

/// Answers a request of somebody who has this role at least.
pub async fn answer(
    app: &App,
    request: &Request,
    role: Role,
    act: impl AsyncFnOnce(&Manager<'_>) -> Result<Response<Body>, ApiError>,
) -> Response<Body> {
    let (now, store) = (app.now(), app.store().metered());
    let answered = async {
        let (manager, standing) = signed_in(app, request, &store, now).await?;
        let outcome = match may_manage(&manager, role) {
            Ok(()) => act(&manager).await,
            Err(error) => Err(error),
        };
        Ok((standing, outcome))
    };
    let (standing, outcome) = in_parts(in_time(answered).await);
    finish(request, &store, now, standing, outcome)
}

/// Answers a request of whoever comes with an invitation, and has no cookie yet.
pub async fn answer_anyone(
    app: &App,
    request: &Request,
    act: impl AsyncFnOnce(&Store, Millis) -> Result<Response<Body>, ApiError>,
) -> Response<Body> {
    let (now, store) = (app.now(), app.store().metered());
    let answered = async {
        own_page(request, app.cookies())?;
        act(&store, now).await
    };
    let outcome = in_time(answered).await.unwrap_or(Err(ApiError::Unavailable));
    finish(request, &store, now, None, outcome)
}

async fn signed_in<'a>(
    app: &'a App,
    request: &'a Request,
    store: &Store,
    now: Millis,
) -> Result<(Manager<'a>, Standing), ApiError> {
    let cookie = Cookie::sent(request.headers(), app.cookies()).ok_or(ApiError::Unauthorized(SIGNED_OUT))?;
    let (credential, at) = (Credential::of_cookie(&cookie), now.0 * 1000);
    if let Hint::Exhausted(standing) = auth::look_up(store, app.keys(), &credential, at).await? {
        return Err(ApiError::RateLimited(standing));
    }
    match auth::take_token(store, app.keys(), &credential, at).await? {
        (Holder::Person(person), standing) => {
            Ok((Manager { app, request, person, cookie, store: store.clone(), now }, standing))
        }
        (Holder::Project(_), _) => Err(ApiError::Unauthorized(SIGNED_OUT)),
    }
}

/// Refuses whoever has less than a role, and what no page of the dashboard asks.
fn may_manage(manager: &Manager<'_>, role: Role) -> Result<(), ApiError> {
    own_page(manager.request, manager.app.cookies())?;
    if manager.person.access.role >= role { Ok(()) } else { Err(ApiError::Forbidden(NO_ADMIN)) }
}

/// Refuses what a page of another origin may have sent. Browsers send no form and no simple request as JSON, and say where
/// a request comes from in a header that no script can set; old ones name the origin alone.
fn own_page(request: &Request, cookies: CookieScope) -> Result<(), ApiError> {
    let headers = request.headers();
    let site = Site::of(headers);
    if matches!(*request.method(), Method::GET | Method::HEAD) {
        return if site == Site::Other { Err(ApiError::Forbidden(OTHER_PAGE)) } else { Ok(()) };
    }
    let is_own = match site {
        Site::Own => true,
        Site::Other => false,
        Site::Unsaid => headers.get(header::ORIGIN).is_some_and(|origin| {
            own_origin(headers, cookies).is_some_and(|own| origin.as_bytes().eq_ignore_ascii_case(own.as_bytes()))
        }),
    };
    if !is_own {
        return Err(ApiError::Forbidden(OTHER_PAGE));
    }
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    if kind.eq_ignore_ascii_case("application/json") { Ok(()) } else { Err(ApiError::Forbidden(NO_JSON)) }
}

/// The origin of the address that a request was sent to.
fn own_origin(headers: &HeaderMap, cookies: CookieScope) -> Option<String> {
    let host = headers.get(header::HOST)?.to_str().ok()?;
    Some(format!("{}://{host}", cookies.scheme()))
}

impl Manager<'_> {
    /// The query.
    pub fn params(&self) -> Params {
        Params::parse(self.request.uri().query().unwrap_or_default(), self.now.day())
    }

    /// The body.
    pub fn body<T: DeserializeOwned>(&self) -> Result<T, ApiError> {
        body(self.request)
    }

    /// The parameter in the path.
    pub fn path_parameter(&self) -> String {
        crate::routes::parameter(self.request.uri().path())
    }

    /// A project that the person has a right to.
    pub async fn project(&self, id: &str) -> Result<ProjectId, ApiError> {
        let id = id.parse().map_err(|_| ApiError::NotFound(projects::NO_PROJECT))?;
        projects::must_be_open(self.app, &self.store, &self.person, &id).await?;
        Ok(id)
    }

    /// The address of the dashboard that the request comes from: what the browser says, as a CDN in front has another name.
    pub fn base_url(&self) -> Result<String, ApiError> {
        let headers = self.request.headers();
        let said = headers.get(header::ORIGIN).and_then(|origin| origin.to_str().ok());
        let said = said.filter(|origin| origin.starts_with("https://") || origin.starts_with("http://"));
        said.map(str::to_owned).or_else(|| own_origin(headers, self.app.cookies())).ok_or(ApiError::InvalidRequest)
    }

    /// The key that the path names, of a project that the person has a right to.
    pub async fn key(&self) -> Result<(ProjectId, Entry), ApiError> {
        let projects = match &self.person.access.projects {
            Projects::All => projects::list(&self.store).await?.into_iter().map(|project| project.id).collect(),
            Projects::Only(projects) => projects.clone(),
        };
        let found = api_keys::find(&self.store, projects, &self.path_parameter()).await?;
        found.ok_or(ApiError::NotFound("No such key."))
    }
}

/// Writes down what was changed, by whom, and what else there is to say of it. Nothing that is told is a secret.
pub fn record(person: &Person, change: &'static str, properties: &[(&'static str, Value)]) {
    let who = [
        ("change", change.into()),
        ("person", person.id.as_str().into()),
        ("label", person.access.label.as_str().into()),
    ];
    telemetry::report_change(&[&who[..], properties].concat());
}

/// A request's body, as JSON.
pub fn body<T: DeserializeOwned>(request: &Request) -> Result<T, ApiError> {
    let bytes: &[u8] = request.body();
    if bytes.len() > MAX_BODY {
        return Err(ApiError::PayloadTooLarge("The body is larger than 64 KB."));
    }
    // What is read by names would be read by positions as well.
    if bytes.trim_ascii_start().first() != Some(&b'{') {
        return Err(ApiError::InvalidBody("The body must be a JSON object.".to_owned()));
    }
    serde_json::from_slice(bytes).map_err(|error| ApiError::InvalidBody(format!("The body can't be read: {error}.")))
}

/// 200 with what was asked for.
pub fn found(data: impl Serialize) -> Response<Body> {
    json_response(StatusCode::OK, &Data { data })
}

/// 201 with what was made.
pub fn made(data: impl Serialize) -> Response<Body> {
    json_response(StatusCode::CREATED, &Data { data })
}

/// 204: it is gone.
pub fn gone() -> Response<Body> {
    let mut response = Response::new(Body::Empty);
    *response.status_mut() = StatusCode::NO_CONTENT;
    response.headers_mut().insert(header::CACHE_CONTROL, header::HeaderValue::from_static("no-store"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_own(method: Method, pairs: &[(&'static str, &'static str)]) -> bool {
        let mut request = Request::new(Body::Empty);
        *request.method_mut() = method;
        for (name, value) in pairs {
            request.headers_mut().append(*name, header::HeaderValue::from_static(value));
        }
        own_page(&request, CookieScope::Loopback).is_ok()
    }

    #[test]
    fn changes_come_from_own_pages_as_json_alone() {
        let (json, host) = (("content-type", "application/json"), ("host", "127.0.0.1:3000"));
        let (own, origin) = (("sec-fetch-site", "same-origin"), ("origin", "http://127.0.0.1:3000"));
        for method in [Method::POST, Method::PATCH, Method::DELETE] {
            let is_own = |pairs: &[_]| is_own(method.clone(), pairs);
            assert!(is_own(&[json, host, own]));
            assert!(is_own(&[("content-type", "Application/JSON; charset=utf-8"), host, own, origin]));
            assert!(is_own(&[json, host, origin]), "a browser that does not say the site");
            for kind in ["text/plain", "application/x-www-form-urlencoded", "application/jsonp", ""] {
                assert!(!is_own(&[("content-type", kind), host, own]), "{kind}");
            }
            assert!(!is_own(&[host, own]) && !is_own(&[json, host]) && !is_own(&[json, origin]));
            for other in ["http://127.0.0.1:3001", "https://127.0.0.1:3000", "http://evil.example", "null", ""] {
                assert!(!is_own(&[json, host, ("origin", other)]), "{other}");
            }
            for site in ["cross-site", "same-site", "none", ""] {
                assert!(!is_own(&[json, host, ("sec-fetch-site", site), origin]), "{site}");
            }
        }
        assert!(is_own(Method::GET, &[]) && is_own(Method::GET, &[own]));
        assert!(!is_own(Method::GET, &[("sec-fetch-site", "cross-site")]));
    }
}
