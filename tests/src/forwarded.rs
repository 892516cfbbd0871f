//! Requests on their way to the table.

use hyper::body::Bytes;
use hyper::{HeaderMap, Method};

/// A request on its way to the table.
#[derive(Debug)]
pub(crate) struct Forwarded {
    pub(crate) method: Method,
    pub(crate) uri: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}
