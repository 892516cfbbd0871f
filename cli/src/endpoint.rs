//! The way to the engine for other processes of this machine.
//!
//! It asks for no password, so it has to be sure that no web page asks: a browser lets any page send requests to
//! loopback, and any page may have a name that is resolved to loopback.

use std::net::IpAddr;

use lambda_http::http::header::{CONTENT_TYPE, HOST, HeaderName, HeaderValue, ORIGIN};
use lambda_http::http::request::Parts;
use lambda_http::http::uri::Authority;
use lambda_http::http::{Method, StatusCode};
use lambda_http::{Body, Request, Response};
use serde_json::json;

use crate::connector::{Connector, OPERATION, operation};
use crate::http::Responder;

/// The most that DynamoDB takes in a request.
const MAX_BODY: usize = 16 << 20;

/// What browsers send with each request to this machine, and nobody else: `Origin` is left out of some.
const OF_BROWSERS: [HeaderName; 2] = [ORIGIN, HeaderName::from_static("sec-fetch-site")];

/// Answers other processes with the engine.
#[derive(Debug)]
pub struct Endpoint {
    connector: Connector,
}

/// Why a request does not get to the engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
enum Refusal {
    #[error("The database of identity dev answers programs on this machine, and no browser.")]
    Browser,
    #[error("The database of identity dev answers to localhost and loopback addresses alone.")]
    ForeignHost,
    #[error("DynamoDB's protocol is POST / with the header X-Amz-Target.")]
    NoOperation,
    #[error("A request is at most 16 MB.")]
    TooLarge,
}

impl Refusal {
    /// The status, and what DynamoDB calls such an error.
    fn status(self) -> (StatusCode, &'static str) {
        match self {
            Refusal::Browser | Refusal::ForeignHost => (StatusCode::FORBIDDEN, "AccessDeniedException"),
            Refusal::NoOperation => (StatusCode::NOT_FOUND, "UnknownOperationException"),
            Refusal::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "RequestEntityTooLargeException"),
        }
    }

    fn into_response(self) -> Response<Body> {
        let (status, kind) = self.status();
        let body = json!({ "__type": format!("com.amazon.coral.service#{kind}"), "message": self.to_string() });
        response(status, body.to_string())
    }
}

impl Endpoint {
    /// Hands on to an engine.
    pub fn new(connector: Connector) -> Self {
        Endpoint { connector }
    }

    async fn perform(&self, request: Request) -> Result<Response<Body>, Refusal> {
        let (head, body) = request.into_parts();
        check_caller(&head)?;
        let target = head.headers.get(OPERATION).and_then(|target| target.to_str().ok());
        let Some(target) = target.filter(|_| head.method == Method::POST) else { return Err(Refusal::NoOperation) };
        if body.len() > MAX_BODY {
            return Err(Refusal::TooLarge);
        }
        let (status, body) = self.connector.perform(operation(target), &body).await;
        Ok(response(StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR), body))
    }
}

impl Responder for Endpoint {
    const MAX_READ: usize = MAX_BODY + 1;

    async fn respond(&self, _: IpAddr, request: Request) -> Response<Body> {
        self.perform(request).await.unwrap_or_else(Refusal::into_response)
    }
}

fn check_caller(head: &Parts) -> Result<(), Refusal> {
    if OF_BROWSERS.iter().any(|name| head.headers.contains_key(name)) {
        return Err(Refusal::Browser);
    }
    // Any port: who comes through a tunnel names the tunnel's, and a page can't choose what name its requests carry.
    let host = head.headers.get(HOST).and_then(|host| host.to_str().ok());
    let is_own = host.is_some_and(|host| host.parse().is_ok_and(|host| is_loopback(&host)));
    let is_own_uri = head.uri.authority().is_none_or(is_loopback);
    if is_own && is_own_uri { Ok(()) } else { Err(Refusal::ForeignHost) }
}

/// Whether a name can't be anything but this machine.
fn is_loopback(host: &Authority) -> bool {
    let name = host.host();
    let address = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(name);
    address.parse::<IpAddr>().map_or_else(|_| name.eq_ignore_ascii_case("localhost"), |address| address.is_loopback())
}

fn response(status: StatusCode, body: String) -> Response<Body> {
    let mut response = Response::new(Body::Text(body));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/x-amz-json-1.0"));
    response
}
