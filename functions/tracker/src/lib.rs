//! `GET /identity.js` with its second part, `/identity-more.js`, and `/identity-lite.js`: the tracker as built from
//! `tracker/`, whole or light, for any page.
//!
//! The same bytes are under `/v/<version>/`, where they never change, so that a page can hold them to a hash
//! (`integrity`). All six paths are one function's, so that whatever is deployed, the name and the version mean one
//! build.

mod encoding;
mod script;

use figures::table::store::Consumed;
use figures::time::Millis;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use lambda_http::{Body, Request, Response};
use shared::error::ApiError;
use shared::request_log::log;
use shared::routes;

use crate::encoding::Encoding;
use crate::script::{Representation, Script};

/// The version that is served.
pub const VERSION: &str = include_str!("../../../tracker/dist/version.txt").trim_ascii();

/// How long a name may stand for the same bytes: a new version is in every page within a day.
const OF_A_NAME: HeaderValue = HeaderValue::from_static("public, max-age=3600, stale-while-revalidate=86400");
/// A version stands for its bytes for ever.
const OF_A_VERSION: HeaderValue = HeaderValue::from_static("max-age=31536000, immutable");

const CROSS_ORIGIN_RESOURCE_POLICY: &str = "cross-origin-resource-policy";

/// Answers a request.
pub fn handle(request: &Request) -> Response<Body> {
    let now = Millis::now();
    let mut response = answer(request).unwrap_or_else(ApiError::into_response);
    if request.method() == Method::HEAD {
        *response.body_mut() = Body::Empty;
    }
    log(request, &response, Consumed::default(), now);
    response
}

fn answer(request: &Request) -> Result<Response<Body>, ApiError> {
    let path = request.uri().path();
    let script = Script::at(path).ok_or(ApiError::NotFound("No such script."))?;
    let lifetime = match routes::parameter(path).as_str() {
        "" => OF_A_NAME,
        VERSION => OF_A_VERSION,
        _ => return Err(ApiError::NotFound("No such version of the script: the deployed one is at /identity.js.")),
    };
    let encoding = Encoding::preferred(request.headers());
    let mut response = represented(script.in_encoding(encoding), encoding, request.headers());
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, lifetime);
    headers.insert(header::VARY, HeaderValue::from_static("Accept-Encoding"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    // It runs in pages of other sites, also in those that ask for proof that they may read it.
    headers.insert(CROSS_ORIGIN_RESOURCE_POLICY, HeaderValue::from_static("cross-origin"));
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    Ok(response)
}

/// The script in an encoding, or that the client has it already.
fn represented(representation: &Representation, encoding: Encoding, asked: &HeaderMap) -> Response<Body> {
    let mut response = Response::new(Body::Empty);
    response.headers_mut().insert(header::ETAG, representation.tag.clone());
    if is_held(asked, &representation.tag) {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        return response;
    }
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/javascript; charset=utf-8"));
    if let Some(coding) = encoding.coding() {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(coding));
    }
    // The gateway is handed text as it is, and other bytes in base64.
    *response.body_mut() = match (encoding, std::str::from_utf8(representation.bytes)) {
        (Encoding::Identity, Ok(text)) => Body::from(text),
        _ => Body::from(representation.bytes),
    };
    response
}

/// Whether the client says that it holds what has this tag (RFC 9110, section 13.1.2).
fn is_held(asked: &HeaderMap, tag: &HeaderValue) -> bool {
    let lines = asked.get_all(header::IF_NONE_MATCH).iter();
    lines.filter_map(|line| line.to_str().ok()).flat_map(|line| line.split(',')).map(str::trim).any(|held| {
        // A cache on the way may have made it weak; the bytes are as good.
        held == "*" || held.strip_prefix("W/").unwrap_or(held).as_bytes() == tag.as_bytes()
    })
}
