//! What every request of the API goes through: authentication, rate limit, parameters, resource.

use http::{HeaderValue, Method, StatusCode, header};
use lambda_http::{Body, Request, RequestExt, Response};
use serde::Serialize;

use crate::app::{App, in_time};
use crate::auth::{self, Hint};
use crate::derived::shown::take_below_zero;
use crate::error::{ApiError, ErrorCode};
use crate::forecast::Forecast;
use crate::ids::ProjectId;
use crate::params::Params;
use crate::rate_limit::Standing;
use crate::routes;
use crate::store::{Consumed, Store};
use crate::telemetry::{self, Metric};
use crate::time::Millis;

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
    log(request, &response, consumed, now);
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

/// A JSON response with the headers that every one has.
pub fn json_response(status: StatusCode, body: &impl Serialize) -> Response<Body> {
    let (status, text) = match serde_json::to_string(body) {
        Ok(text) => (status, text),
        Err(error) => {
            tracing::error!(%error, "a response can't be written as JSON");
            let text = r#"{"error":{"status":500,"message":"Internal error.","code":"internal_error"}}"#;
            (StatusCode::INTERNAL_SERVER_ERROR, text.to_owned())
        }
    };
    let mut response = Response::new(Body::Text(text));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

/// One line a request, with its metrics. It names the route, not the path or the query, which hold what visitors are
/// looked up by.
pub fn log(request: &Request, response: &Response<Body>, consumed: Consumed, started_at: Millis) {
    let route = routes::find(request.uri().path()).map_or("none", |(route, _)| route.path);
    let status = response.status().as_u16();
    let code = response.extensions().get().map_or("", |ErrorCode(code)| *code);
    let mut metrics = vec![Metric::count("Requests", 1).by("Status", status.to_string())];
    if route == routes::COLLECT && request.method() == Method::POST {
        // An alarm can't add up what it does not know the dimensions of.
        metrics.extend(match code {
            "" => vec![Metric::count("Batches", 1)],
            reason => vec![Metric::count("RefusedBatches", 1), Metric::count("RefusedBatches", 1).by("Reason", reason)],
        });
    }
    telemetry::report(
        "request",
        &[
            ("request_id", request.lambda_context_ref().map(|context| context.request_id.clone()).into()),
            ("method", request.method().as_str().into()),
            ("route", route.into()),
            ("status", status.into()),
            ("code", code.into()),
            ("duration_ms", (Millis::now().0 - started_at.0).into()),
            ("read_units", consumed.read_units.into()),
            ("write_units", consumed.write_units.into()),
            ("calls", consumed.calls.into()),
            ("round_trips", consumed.round_trips.into()),
            ("below_zero", take_below_zero().into()),
        ],
        &metrics,
    );
}
