//! `GET /` and `GET /assets/…`: the page on which people look at what the API answers, as built from `dashboard/`.
//!
//! It is static, and the same for everyone: who is signed in is a matter of what it asks the API.

use std::collections::HashMap;
use std::sync::LazyLock;

use http::{HeaderName, HeaderValue, header};
use lambda_http::{Body, Request, Response};
use shared::embedded::Embedded;
use shared::error::ApiError;
use shared::open;

static FILES: LazyLock<HashMap<&str, Embedded>> =
    LazyLock::new(|| include!(concat!(env!("OUT_DIR"), "/files.rs")).into_iter().collect());

/// The document, whose address stays.
const DOCUMENT: &str = "/";
/// It is asked for each time, and mostly answered with 304.
const OF_THE_DOCUMENT: HeaderValue = HeaderValue::from_static("no-cache");
/// The name of any other file has the hash of its bytes.
const OF_A_HASH: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");

/// Nothing but this host's own files runs, is shown or is asked, and no other page may show this one. What is shown was sent by
/// strangers.
const POLICIES: [(HeaderName, &str); 5] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; font-src 'self'; \
         base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    ),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    // Whatever browsers let a page have by itself, but for writing to the clipboard: buttons copy keys.
    (
        HeaderName::from_static("permissions-policy"),
        "accelerometer=(), autoplay=(), browsing-topics=(), camera=(), clipboard-read=(), display-capture=(), \
         encrypted-media=(), fullscreen=(), geolocation=(), gyroscope=(), hid=(), idle-detection=(), local-fonts=(), \
         magnetometer=(), microphone=(), midi=(), payment=(), picture-in-picture=(), publickey-credentials-create=(), \
         publickey-credentials-get=(), screen-wake-lock=(), serial=(), storage-access=(), usb=(), window-management=(), \
         xr-spatial-tracking=()",
    ),
];

/// Answers a request.
pub fn handle(request: &Request) -> Response<Body> {
    open::answer(request, answer)
}

fn answer(request: &Request) -> Result<Response<Body>, ApiError> {
    let path = request.uri().path();
    let file = FILES.get(path).ok_or(ApiError::NotFound("No such file. Load the dashboard anew: it is at /."))?;
    let mut response = file.answer(request.headers());
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, if path == DOCUMENT { OF_THE_DOCUMENT } else { OF_A_HASH });
    headers.extend(POLICIES.map(|(name, policy)| (name, HeaderValue::from_static(policy))));
    Ok(response)
}
