//! Everything that no other function answers: unknown paths, and methods that a path does not take.

use http::HeaderValue;
use http::header::ACCESS_CONTROL_ALLOW_ORIGIN;
use lambda_http::{Body, Request, Response};
use shared::error::ApiError;
use shared::open;
use shared::routes;

/// Answers a request.
pub fn handle(request: &Request) -> Response<Body> {
    open::answer(request, |request| Ok(refusal(request)))
}

fn refusal(request: &Request) -> Response<Body> {
    let mut response = error(request).into_response();
    if request.uri().path() == routes::COLLECT {
        // As all that the collector answers: so that a tracker's author sees what is wrong.
        response.headers_mut().insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    }
    response
}

fn error(request: &Request) -> ApiError {
    match routes::find(request.uri().path()) {
        Some((route, _)) if !route.takes(request.method().as_str()) => ApiError::MethodNotAllowed(route.allowed()),
        // A path may only look like a known one once it is decoded and its spaces are gone.
        _ => ApiError::NotFound("No such endpoint."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::Method;

    #[test]
    fn a_page_can_read_what_is_wrong_with_what_it_sends_to_the_collector() {
        for (path, allowed) in [(routes::COLLECT, Some("*")), ("/api/v1/stats", None), ("/collect/", None)] {
            let mut request = Request::new(Body::Empty);
            *request.method_mut() = Method::PUT;
            *request.uri_mut() = path.parse().unwrap_or_default();
            let response = handle(&request);
            let header = response.headers().get(ACCESS_CONTROL_ALLOW_ORIGIN).and_then(|value| value.to_str().ok());
            assert_eq!(header, allowed, "{path}");
        }
    }

    #[test]
    fn a_known_path_says_what_it_takes() {
        let answered = |method: Method, path: &str| {
            let mut request = Request::new(Body::Empty);
            *request.method_mut() = method;
            *request.uri_mut() = path.parse().unwrap_or_default();
            let response = error(&request).into_response();
            let allow = response.headers().get("allow").and_then(|value| value.to_str().ok()).map(str::to_owned);
            (response.status().as_u16(), allow)
        };
        assert_eq!(answered(Method::PUT, "/api/v1/visitors/v_1"), (405, Some("GET, HEAD".to_owned())));
        assert_eq!(answered(Method::GET, "/collect"), (405, Some("POST, OPTIONS".to_owned())));
        assert_eq!(answered(Method::GET, "/api/v1/nothing"), (404, None));
        assert_eq!(answered(Method::POST, "/"), (405, Some("GET, HEAD".to_owned())));
        assert_eq!(answered(Method::GET, "/"), (404, None), "the gateway had another path for it");
    }
}
