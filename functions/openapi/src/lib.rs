//! `GET /api/v1/openapi.json`: the API's own description, for anyone.

use http::{HeaderValue, header};
use lambda_http::{Body, Request, Response};
use shared::open;

/// The description, in OpenAPI 3.1.
pub const DESCRIPTION: &str = include_str!("../../../docs/openapi.json");

/// Answers a request.
pub fn handle(request: &Request) -> Response<Body> {
    open::answer(request, |_| Ok(described()))
}

fn described() -> Response<Body> {
    let mut response = Response::new(Body::from(DESCRIPTION));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=3600"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    // Viewers of descriptions are pages of other sites.
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    response
}
