//! CORS: which pages may send, and read what they are answered. Never with credentials.

use lambda_http::http::{HeaderValue, StatusCode, header};
use lambda_http::{Body, Response};

/// Who may read an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AllowedOrigin {
    /// Every page.
    Any,
    /// The pages of one origin, which the project lists.
    Only(HeaderValue),
}

/// Lets pages read an answer, errors included, so that a tracker's author sees what is wrong.
pub fn readable(mut response: Response<Body>, origin: &AllowedOrigin) -> Response<Body> {
    let headers = response.headers_mut();
    // Scripts see no header of another origin's that is not named, and the tracker waits as long as this one says.
    if headers.contains_key(header::RETRY_AFTER) {
        headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static("Retry-After"));
    }
    match origin {
        AllowedOrigin::Any => {
            headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
        }
        AllowedOrigin::Only(origin) => {
            headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
            headers.insert(header::VARY, HeaderValue::from_static("Origin"));
        }
    }
    response
}

/// The answer to a preflight request. It names no project, so every origin passes here; the request
/// that follows is checked.
pub fn preflight() -> Response<Body> {
    let mut response = Response::new(Body::Empty);
    *response.status_mut() = StatusCode::NO_CONTENT;
    let headers = response.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("POST, OPTIONS"));
    headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static("content-type"));
    // A day; browsers cap it at less.
    headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("86400"));
    readable(response, &AllowedOrigin::Any)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_readable_by_any_page_or_by_one_origin() {
        let any = readable(Response::new(Body::Empty), &AllowedOrigin::Any);
        assert_eq!(any.headers()["access-control-allow-origin"], "*");
        assert!(!any.headers().contains_key("vary"));
        let only = AllowedOrigin::Only(HeaderValue::from_static("https://a.example"));
        let one = readable(Response::new(Body::Empty), &only);
        assert_eq!(one.headers()["access-control-allow-origin"], "https://a.example");
        assert_eq!(one.headers()["vary"], "Origin");
        for response in [any, one] {
            assert!(!response.headers().contains_key("access-control-allow-credentials"));
            assert!(!response.headers().contains_key("access-control-expose-headers"));
        }
    }

    #[test]
    fn a_page_may_read_how_long_to_wait() {
        let mut response = Response::new(Body::Empty);
        response.headers_mut().insert("retry-after", HeaderValue::from_static("7"));
        let response = readable(response, &AllowedOrigin::Any);
        assert_eq!(response.headers()["access-control-expose-headers"], "Retry-After");
    }
}
