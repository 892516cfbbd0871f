//! Whether a request came through the CDN in front, which proves itself with a secret that it adds to what it forwards.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::task::{Context, Poll};

use futures::future::Either;
use http::HeaderMap;
use lambda_http::{Body, Request, Response, Service};
use subtle::{Choice, ConstantTimeEq};

use crate::error::ApiError;
use crate::open;

/// The header with the CDN's secret.
pub const HEADER: &str = "x-origin-secret";
/// The environment variables with the secrets that are accepted: the CDN's, and the one that it had before.
pub const SECRET_VARIABLES: [&str; 2] = ["ORIGIN_SECRET", "PREVIOUS_ORIGIN_SECRET"];
/// The environment variable that says whether requests without a secret are refused.
pub const REQUIRED_VARIABLE: &str = "REQUIRE_ORIGIN_SECRET";

const AROUND_THE_CDN: &str = "Requests to this address are not answered. Use the API's public address.";

/// What the CDN proves itself with. There are two while one takes the other's place.
#[derive(Clone)]
pub struct OriginSecrets(Vec<String>);

impl OriginSecrets {
    /// Some secrets; an empty one is none, as everyone knows it.
    pub fn new(secrets: impl IntoIterator<Item = String>) -> Option<Self> {
        let secrets: Vec<String> = secrets.into_iter().filter(|secret| !secret.is_empty()).collect();
        (!secrets.is_empty()).then_some(OriginSecrets(secrets))
    }

    /// The secrets of the environment.
    pub fn from_environment() -> Option<Self> {
        OriginSecrets::new(SECRET_VARIABLES.iter().filter_map(|name| std::env::var(name).ok()))
    }

    /// Whether headers hold one of the secrets. It takes as long for a wrong one as for any.
    pub fn are_in(&self, headers: &HeaderMap) -> bool {
        headers.get(HEADER).is_some_and(|given| {
            let matches = |found: Choice, secret: &String| found | given.as_bytes().ct_eq(secret.as_bytes());
            self.0.iter().fold(Choice::from(0), matches).into()
        })
    }
}

/// Answers requests that came through the CDN by a handler, and refuses all others before it is asked, where that is
/// required.
pub struct Guarded<S> {
    handler: S,
    required: Option<OriginSecrets>,
}

impl<S> Guarded<S> {
    /// A handler behind what the environment requires.
    pub fn by_environment(handler: S) -> Self {
        let is_required = std::env::var(REQUIRED_VARIABLE).is_ok_and(|required| required == "true");
        Guarded::new(handler, OriginSecrets::from_environment().filter(|_| is_required))
    }

    /// A handler behind secrets of which requests must hold one, if there are any.
    pub fn new(handler: S, required: Option<OriginSecrets>) -> Self {
        Guarded { handler, required }
    }
}

impl<S> Service<Request> for Guarded<S>
where
    S: Service<Request, Response = Response<Body>, Error = Infallible>,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Either<Ready<Result<Response<Body>, Infallible>>, S::Future>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.handler.poll_ready(context)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        match &self.required {
            Some(secrets) if !secrets.are_in(request.headers()) => Either::Left(ready(Ok(refuse(&request)))),
            _ => Either::Right(self.handler.call(request)),
        }
    }
}

fn refuse(request: &Request) -> Response<Body> {
    open::answer(request, |_| Err(ApiError::Forbidden(AROUND_THE_CDN)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::executor::block_on;
    use http::Method;
    use lambda_http::service_fn;

    fn secrets(secrets: &[&str]) -> Option<OriginSecrets> {
        OriginSecrets::new(secrets.iter().map(|&secret| secret.to_owned()))
    }

    fn request(method: Method, secret: Option<&'static str>) -> Request {
        let mut request = Request::new(Body::Empty);
        *request.method_mut() = method;
        request.headers_mut().extend(
            secret.map(|secret| (http::HeaderName::from_static(HEADER), http::HeaderValue::from_static(secret))),
        );
        request
    }

    fn answer(required: Option<OriginSecrets>, request: Request) -> Response<Body> {
        let handler = service_fn(async |_| Ok::<_, Infallible>(Response::new(Body::Empty)));
        block_on(Guarded::new(handler, required).call(request)).unwrap_or_else(|never| match never {})
    }

    #[test]
    fn either_secret_is_accepted_and_nothing_else() {
        let Some(both) = secrets(&["new-secret", "", "old-secret"]) else { panic!("there are two") };
        for (given, expected) in [
            (Some("new-secret"), true),
            (Some("old-secret"), true),
            (Some(""), false),
            (Some("new-secre"), false),
            (Some("new-secrets"), false),
            (Some("NEW-SECRET"), false),
            (Some("new-secretold-secret"), false),
            (None, false),
        ] {
            assert_eq!(both.are_in(request(Method::GET, given).headers()), expected, "{given:?}");
        }
        assert!(secrets(&["", ""]).is_none(), "an empty secret is none");
    }

    #[test]
    fn a_request_around_the_cdn_is_refused_where_the_secret_is_required() {
        for (required, given, expected) in [
            (None, None, 200),
            (None, Some("other"), 200),
            (secrets(&["secret"]), Some("secret"), 200),
            (secrets(&["secret"]), Some("other"), 403),
            (secrets(&["secret"]), None, 403),
        ] {
            let response = answer(required, request(Method::GET, given));
            assert_eq!(response.status(), expected, "{given:?}");
            if expected == 403 {
                let Body::Text(text) = response.body() else { panic!("{response:?}") };
                assert!(
                    text.starts_with(r#"{"error":{"status":403,"#) && text.contains(r#""code":"forbidden""#),
                    "{text}"
                );
            }
        }
        let response = answer(secrets(&["secret"]), request(Method::HEAD, None));
        assert!(response.status() == 403 && matches!(response.body(), Body::Empty), "{response:?}");
    }
}
