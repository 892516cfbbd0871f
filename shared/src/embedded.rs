//! Files that a function holds, in the encodings that they were compressed in when they were built: nothing is compressed for a
//! request.

use http::{HeaderMap, HeaderValue, StatusCode, header};
use lambda_http::{Body, Response};
use sha2::{Digest, Sha256};

use crate::encoding::Encoding;

/// Bytes of the hash in a tag: 128 bits never meet by chance.
const TAG_BYTES: usize = 16;

/// A file in all its encodings.
#[derive(Debug)]
pub struct Embedded {
    kind: &'static str,
    plain: Representation,
    gzip: Representation,
    brotli: Representation,
}

/// A file as one encoding has it.
#[derive(Debug)]
struct Representation {
    bytes: &'static [u8],
    /// Its strong `ETag`. Other bytes have another tag, and so has each encoding.
    tag: HeaderValue,
}

impl Embedded {
    /// A file of a media type: as it is, by gzip, by brotli.
    pub fn new(kind: &'static str, plain: &'static [u8], gzip: &'static [u8], brotli: &'static [u8]) -> Self {
        Embedded {
            kind,
            plain: Representation::of(plain),
            gzip: Representation::of(gzip),
            brotli: Representation::of(brotli),
        }
    }

    /// The file in the encoding that the client wants most, or that it has it already. How long it may be kept is for the
    /// function to add.
    pub fn answer(&self, asked: &HeaderMap) -> Response<Body> {
        let encoding = Encoding::preferred(asked);
        let representation = match encoding {
            Encoding::Brotli => &self.brotli,
            Encoding::Gzip => &self.gzip,
            Encoding::Identity => &self.plain,
        };
        let mut response = Response::new(Body::Empty);
        let headers = response.headers_mut();
        headers.insert(header::ETAG, representation.tag.clone());
        headers.insert(header::VARY, HeaderValue::from_static("Accept-Encoding"));
        headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        if is_held(asked, &representation.tag) {
            *response.status_mut() = StatusCode::NOT_MODIFIED;
            return response;
        }
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(self.kind));
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
}

impl Representation {
    fn of(bytes: &'static [u8]) -> Self {
        let hash = Sha256::digest(bytes);
        let digits: String = hash.iter().take(TAG_BYTES).map(|byte| format!("{byte:02x}")).collect();
        // Digits are legal in any header; no tag would only cost a cache.
        let tag = HeaderValue::try_from(format!("\"{digits}\""));
        Representation { bytes, tag: tag.unwrap_or_else(|_| HeaderValue::from_static("\"\"")) }
    }
}

/// Whether the client says that it holds what has this tag (RFC 9110, section 13.1.2).
fn is_held(asked: &HeaderMap, tag: &HeaderValue) -> bool {
    let lines = asked.get_all(header::IF_NONE_MATCH).iter();
    lines.filter_map(|line| line.to_str().ok()).flat_map(|line| line.split(',')).map(str::trim).any(|held| {
        // A cache on the way may have made it weak; the bytes are as good.
        held == "*" || held.strip_prefix("W/").unwrap_or(held).as_bytes() == tag.as_bytes()
    })
}
