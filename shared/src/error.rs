//! The one error envelope: `{"error":{"status":…,"message":"…","code":"…"}}`.

use http::{HeaderValue, StatusCode, header};
use lambda_http::{Body, Response};
use serde::Serialize;

use crate::rate_limit::Standing;
use crate::response::json_response;
use figures::table::store::StoreError;

/// The body of every error.
#[derive(Debug, Serialize)]
struct Envelope {
    error: Described,
}

#[derive(Debug, Serialize)]
struct Described {
    status: u16,
    message: String,
    code: &'static str,
}

/// A response's extension with the envelope's `code`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ErrorCode(pub &'static str);

/// Why a request is answered with an error.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    /// 400: a date that is none, or a range that ends before it starts.
    #[error("{0}")]
    InvalidDate(String),
    /// 400: another parameter that can't be read.
    #[error("{0}")]
    InvalidParameter(String),
    /// 400: a batch that breaks a rule of the collector.
    #[error("{0}")]
    InvalidBody(String),
    /// 400: what is no request of HTTP.
    #[error("The request is not well-formed HTTP/1.1.")]
    InvalidRequest,
    /// 414: more of a URI than is read.
    #[error("The request's URI is too long.")]
    UriTooLong,
    /// 431: more headers than are read.
    #[error("The request has too many headers, or too long ones.")]
    HeadersTooLarge,
    /// 401: no key, or one that is unknown, revoked or of the wrong kind.
    #[error("{0}")]
    Unauthorized(&'static str),
    /// 403: a page of an origin that the project does not list.
    #[error("This project does not take data from pages of that origin.")]
    OriginNotAllowed,
    /// 403: whoever asks may not do that, or not from there.
    #[error("{0}")]
    Forbidden(&'static str),
    /// 404: no such resource or endpoint.
    #[error("{0}")]
    NotFound(&'static str),
    /// 405, with the methods that are allowed.
    #[error("Method not allowed. Use {0}.")]
    MethodNotAllowed(&'static str),
    /// 409: there is one already.
    #[error("{0}")]
    Conflict(String),
    /// 413: more than the collector takes in one batch.
    #[error("{0}")]
    PayloadTooLarge(&'static str),
    /// 429 of the API: the key's bucket is empty.
    #[error("Rate limit exceeded. Max {} requests per minute.", .0.limit)]
    RateLimited(Standing),
    /// 429 of the collector: wait so many seconds.
    #[error("Too many batches. Send again in {0} s.")]
    Throttled(u64),
    /// 503: the table can't be reached or is throttled; nothing was changed.
    #[error("The service is busy. Try again shortly.")]
    Unavailable,
    /// 500. The cause is for the log alone.
    #[error("Internal error.")]
    Internal(String),
}

/// The `code` of what no function gets to see. Only `identity dev` answers so: on AWS, the gateway has its own words.
const INVALID_REQUEST: &str = "invalid_request";

impl ApiError {
    /// The HTTP status and the envelope's `code`.
    pub fn status(&self) -> (StatusCode, &'static str) {
        match self {
            ApiError::InvalidDate(_) => (StatusCode::BAD_REQUEST, "invalid_date"),
            ApiError::InvalidParameter(_) => (StatusCode::BAD_REQUEST, "invalid_parameter"),
            ApiError::InvalidBody(_) => (StatusCode::BAD_REQUEST, "invalid_body"),
            ApiError::InvalidRequest => (StatusCode::BAD_REQUEST, INVALID_REQUEST),
            ApiError::UriTooLong => (StatusCode::URI_TOO_LONG, INVALID_REQUEST),
            ApiError::HeadersTooLarge => (StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, INVALID_REQUEST),
            ApiError::Unauthorized(_) => (StatusCode::UNAUTHORIZED, "unauthorized"),
            ApiError::OriginNotAllowed => (StatusCode::FORBIDDEN, "origin_not_allowed"),
            ApiError::Forbidden(_) => (StatusCode::FORBIDDEN, "forbidden"),
            ApiError::NotFound(_) => (StatusCode::NOT_FOUND, "not_found"),
            ApiError::MethodNotAllowed(_) => (StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed"),
            ApiError::Conflict(_) => (StatusCode::CONFLICT, "conflict"),
            ApiError::PayloadTooLarge(_) => (StatusCode::PAYLOAD_TOO_LARGE, "payload_too_large"),
            ApiError::RateLimited(_) | ApiError::Throttled(_) => (StatusCode::TOO_MANY_REQUESTS, "rate_limited"),
            ApiError::Unavailable => (StatusCode::SERVICE_UNAVAILABLE, "unavailable"),
            ApiError::Internal(_) => (StatusCode::INTERNAL_SERVER_ERROR, "internal_error"),
        }
    }

    /// The response, and a log line with the cause where it is ours.
    pub fn into_response(self) -> Response<Body> {
        let (status, code) = self.status();
        if let ApiError::Internal(cause) = &self {
            tracing::error!(cause, "internal error");
        }
        let error = Described { status: status.as_u16(), message: self.to_string(), code };
        let mut response = json_response(status, &Envelope { error });
        response.extensions_mut().insert(ErrorCode(code));
        let headers = response.headers_mut();
        match &self {
            ApiError::Unauthorized(_) => {
                headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            }
            ApiError::MethodNotAllowed(allowed) => {
                headers.insert(header::ALLOW, HeaderValue::from_static(allowed));
            }
            ApiError::RateLimited(standing) => {
                standing.describe(headers);
                headers.insert(header::RETRY_AFTER, HeaderValue::from(standing.next_token_secs));
            }
            ApiError::Throttled(seconds) => {
                headers.insert(header::RETRY_AFTER, HeaderValue::from(*seconds));
            }
            ApiError::Unavailable => {
                headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
            }
            _ => {}
        }
        response
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unavailable(cause) | StoreError::Newer { cause, .. } => {
                tracing::warn!(cause, "the table is unavailable");
                ApiError::Unavailable
            }
            other => ApiError::Internal(other.to_string()),
        }
    }
}
