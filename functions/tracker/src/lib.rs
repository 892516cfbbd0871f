//! `GET /identity.js` with its second part, `/identity-more.js`, and `/identity-lite.js`: the tracker as built from
//! `tracker/`, whole or light, for any page.
//!
//! The same bytes are under `/v/<version>/`, where they never change, so that a page can hold them to a hash
//! (`integrity`). All six paths are one function's, so that whatever is deployed, the name and the version mean one
//! build.

mod script;

use http::{HeaderValue, header};
use lambda_http::{Body, Request, Response};
use shared::error::ApiError;
use shared::open;
use shared::routes;

/// The version that is served.
pub const VERSION: &str = include_str!("../../../tracker/dist/version.txt").trim_ascii();

/// How long a name may stand for the same bytes: a new version is in every page within a day.
const OF_A_NAME: HeaderValue = HeaderValue::from_static("public, max-age=3600, stale-while-revalidate=86400");
/// A version stands for its bytes for ever.
const OF_A_VERSION: HeaderValue = HeaderValue::from_static("max-age=31536000, immutable");

const CROSS_ORIGIN_RESOURCE_POLICY: &str = "cross-origin-resource-policy";

/// Answers a request.
pub fn handle(request: &Request) -> Response<Body> {
    open::answer(request, answer)
}

fn answer(request: &Request) -> Result<Response<Body>, ApiError> {
    let path = request.uri().path();
    let script = script::at(path).ok_or(ApiError::NotFound("No such script."))?;
    let lifetime = match routes::parameter(path).as_str() {
        "" => OF_A_NAME,
        VERSION => OF_A_VERSION,
        _ => return Err(ApiError::NotFound("No such version of the script: the deployed one is at /identity.js.")),
    };
    let mut response = script.answer(request.headers());
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, lifetime);
    // It runs in pages of other sites, also in those that ask for proof that they may read it.
    headers.insert(CROSS_ORIGIN_RESOURCE_POLICY, HeaderValue::from_static("cross-origin"));
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    Ok(response)
}
