//! Plain requests, for tests of what surrounds the answers.

use std::collections::BTreeSet;

use reqwest::header::HeaderMap;
use reqwest::{Client, Method, RequestBuilder, StatusCode};
use serde_json::Value;

/// A whole response.
#[derive(Debug, Clone)]
pub struct Response {
    /// Its status.
    pub status: StatusCode,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body.
    pub bytes: Vec<u8>,
    /// Its body as text.
    pub text: String,
}

/// Sends a request and reads all of the response.
pub async fn send(request: RequestBuilder) -> Response {
    let response = request.send().await.unwrap();
    let (status, headers) = (response.status(), response.headers().clone());
    Response::new(status, headers, response.bytes().await.unwrap().to_vec())
}

/// A request of a URL with a key.
pub async fn get(url: &str, key: &str) -> Response {
    send(Client::new().get(url).bearer_auth(key)).await
}

/// A request of a URL without a key.
pub async fn bare(method: Method, url: &str) -> Response {
    send(Client::new().request(method, url)).await
}

impl Response {
    /// A response with a body of any bytes.
    pub fn new(status: StatusCode, headers: HeaderMap, bytes: Vec<u8>) -> Self {
        Response { status, headers, text: String::from_utf8_lossy(&bytes).into_owned(), bytes }
    }

    /// A header's text; empty if it is missing.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    /// Asserts that it is the documented envelope of an error, and gives its message.
    pub fn error(&self, status: u16, code: &str) -> String {
        assert_eq!((self.status.as_u16(), self.header("content-type")), (status, "application/json"), "{self:?}");
        let body = self.json();
        assert_eq!(names(&body), ["error"]);
        assert_eq!(names(&body["error"]), ["code", "message", "status"]);
        assert_eq!(
            (body["error"]["status"].as_u64(), body["error"]["code"].as_str()),
            (Some(status.into()), Some(code))
        );
        let message = body["error"]["message"].as_str().unwrap().to_owned();
        assert!(!message.is_empty());
        message
    }

    /// Asserts that it is a success, and gives its body.
    pub fn ok(&self) -> Value {
        assert_eq!((self.status.as_u16(), self.header("content-type")), (200, "application/json"), "{self:?}");
        self.json()
    }
}

fn names(value: &Value) -> Vec<&str> {
    let names: BTreeSet<&str> = value.as_object().unwrap().keys().map(String::as_str).collect();
    names.into_iter().collect()
}
