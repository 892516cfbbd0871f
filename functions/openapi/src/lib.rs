//! `GET /api/v1/openapi.json`: the API's own description, for anyone.

use figures::table::store::Consumed;
use figures::time::Millis;
use http::{HeaderValue, Method, header};
use lambda_http::{Body, Request, Response};
use shared::request_log::log;

/// The description, in OpenAPI 3.1.
pub const DESCRIPTION: &str = include_str!("../../../docs/openapi.json");

/// Answers a request.
pub fn handle(request: &Request) -> Response<Body> {
    let now = Millis::now();
    let body = if request.method() == Method::HEAD { Body::Empty } else { Body::from(DESCRIPTION) };
    let response = described(body);
    log(request, &response, Consumed::default(), now);
    response
}

fn described(body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=3600"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    // Viewers of descriptions are pages of other sites.
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    response
}
