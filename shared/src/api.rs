//! What every request of the API goes through: authentication, rate limit, parameters, resource.

use http::{Method, StatusCode};
use lambda_http::{Body, Request, Response};
use serde::Serialize;

use crate::app::{App, in_time};
use crate::auth::{self, Hint};
use crate::error::ApiError;
use crate::forecast::Forecast;
use crate::params::Params;
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
    /// Where the rows of the list were that the request asks for.
    pub forecast: Forecast,
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
        let forecast = app.forecasts().of(&project, request.uri().path(), &params);
        read(Caller { project, store: store.clone(), now, forecast }, parameters).await
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

async fn admitted<T>(
    app: &App,
    store: &Store,
    request: &Request,
    now: Millis,
    resource: impl AsyncFnOnce(ProjectId) -> Result<T, ApiError>,
) -> (Option<Standing>, Result<T, ApiError>) {
    let key = match auth::bearer(request.headers()) {
        Ok(key) => key,
        Err(error) => return (None, Err(error)),
    };
    let at = now.0 * 1000;
    let (taken, read) = match auth::look_up(store, app.keys(), &key, at).await {
        Err(error) => (Err(error), None),
        Ok(Hint::Exhausted(standing)) => (Err(ApiError::RateLimited(standing)), None),
        Ok(Hint::Likely(project)) => {
            let token = auth::take_token(store, app.keys(), &key, at);
            let (taken, read) = tokio::join!(token, resource(project.clone()));
            match taken {
                Ok((actual, standing)) if actual == project => (Ok(standing), Some(read)),
                Ok(_) => (Err(ApiError::Unavailable), None),
                Err(error) => (Err(error), None),
            }
        }
    };
    match (taken, read) {
        (Ok(standing), Some(read)) => (Some(standing), read),
        (Err(ApiError::RateLimited(standing)), _) => (Some(standing), Err(ApiError::RateLimited(standing))),
        (Err(error), _) => (None, Err(error)),
        (Ok(standing), None) => (Some(standing), Err(ApiError::Unavailable)),
    }
}

/// A response body that holds nothing beside its data.
#[derive(Debug, Serialize)]
pub struct Data<T> {
    /// What was asked for.
    pub data: T,
}
