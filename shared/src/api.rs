//! What every request of the API goes through: authentication, rate limit, parameters, resource.

use http::{Method, StatusCode};
use lambda_http::{Body, Request, Response};
use serde::Serialize;

use crate::app::{App, in_time};
use crate::auth::{self, Hint};
use crate::error::ApiError;
use crate::params::Params;
use crate::prefetch::Prefetch;
use crate::rate_limit::Standing;
use crate::request_log;
use crate::response::json_response;
use figures::ids::ProjectId;
use figures::table::store::Store;
use figures::time::Millis;

/// What a resource is read with, once the caller is known.
#[derive(Debug)]
pub struct Caller {
    /// The only project whose data the request may see.
    pub project: ProjectId,
    /// The table.
    pub store: Store,
    /// When the request arrived.
    pub now: Millis,
    /// Where the rows likely are of the list that the request asks for.
    pub prefetch: Prefetch,
}

/// Answers a request of the API.
///
/// `parse` reads the parameters, `read` the resource, which is read while the token is taken; the token still decides
/// what is answered.
pub async fn answer<P, T: Serialize>(
    app: &App,
    request: &Request,
    parse: impl FnOnce(&Params) -> Result<P, ApiError>,
    read: impl AsyncFnOnce(Caller, P) -> Result<T, ApiError>,
) -> Response<Body> {
    let now = app.now();
    let params = Params::parse(request.uri().query().unwrap_or_default(), now.day());
    let store = app.store().metered();
    let resource = async |project| {
        let parameters = parse(&params)?;
        let prefetch = app.prefetches().of(&project, request.uri().path(), &params);
        read(Caller { project, store: store.clone(), now, prefetch }, parameters).await
    };
    let admitted = in_time(admitted(app, &store, request, now, resource)).await;
    let (standing, outcome) = admitted.unwrap_or((None, Err(ApiError::Unavailable)));
    let mut response = match outcome {
        Ok(body) => json_response(StatusCode::OK, &body),
        Err(error) => error.into_response(),
    };
    if let Some(standing) = standing {
        standing.describe(response.headers_mut());
    }
    if request.method() == Method::HEAD {
        *response.body_mut() = Body::Empty;
    }
    let consumed = store.consumed();
    response.extensions_mut().insert(consumed);
    request_log::log(request, &response, consumed, now);
    response
}

/// What the resource comes to, with the state of the key's bucket where that is known.
async fn admitted<T>(
    app: &App,
    store: &Store,
    request: &Request,
    now: Millis,
    resource: impl AsyncFnOnce(ProjectId) -> Result<T, ApiError>,
) -> (Option<Standing>, Result<T, ApiError>) {
    match admit(app, store, request, now, resource).await {
        Ok((standing, read)) => (Some(standing), read),
        Err(ApiError::RateLimited(standing)) => (Some(standing), Err(ApiError::RateLimited(standing))),
        Err(error) => (None, Err(error)),
    }
}

/// Takes a token and reads the resource at the same time. Fails where no token is to be had.
async fn admit<T>(
    app: &App,
    store: &Store,
    request: &Request,
    now: Millis,
    resource: impl AsyncFnOnce(ProjectId) -> Result<T, ApiError>,
) -> Result<(Standing, Result<T, ApiError>), ApiError> {
    let key = auth::bearer(request.headers())?;
    let at = now.0 * 1000;
    let likely = match auth::look_up(store, app.keys(), &key, at).await? {
        Hint::Likely(project) => project,
        Hint::Exhausted(standing) => return Err(ApiError::RateLimited(standing)),
    };
    let token = auth::take_token(store, app.keys(), &key, at);
    let (taken, read) = tokio::join!(token, resource(likely.clone()));
    let (project, standing) = taken?;
    // What was read may be another project's only if the key was made anew for one, and then nobody gets to see it.
    if project == likely { Ok((standing, read)) } else { Err(ApiError::Unavailable) }
}

/// A response body that holds nothing beside its data.
#[derive(Debug, Serialize)]
pub struct Data<T> {
    /// What was asked for.
    pub data: T,
}
