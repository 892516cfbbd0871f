//! What a request goes through that anyone may make, and that is answered without the table.

use figures::table::store::Consumed;
use figures::time::Millis;
use lambda_http::{Body, Request, Response};

use crate::error::ApiError;
use crate::request_log;

/// Answers a request.
pub fn answer(request: &Request, answer: impl FnOnce(&Request) -> Result<Response<Body>, ApiError>) -> Response<Body> {
    let now = Millis::now();
    let response = answer(request).unwrap_or_else(ApiError::into_response);
    request_log::finished(request, response, Consumed::default(), now)
}
