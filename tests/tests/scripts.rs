//! The tracker as a page's browser fetches it.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use std::path::PathBuf;

use reqwest::{Client, Method, RequestBuilder};
use tests::http::{Response, bare, send};
use tests::stack::{Counting, Stack};

const SCRIPTS: [&str; 3] = ["identity.js", "identity-more.js", "identity-lite.js"];
/// Encodings, with the ends of the built files' names.
const ENCODINGS: [(&str, &str); 3] = [("br", ".br"), ("gzip", ".gz"), ("", "")];

/// What `Accept-Encoding` asks for, and what is sent.
const ASKED: [(&str, &str); 8] = [
    ("", ""),
    ("gzip, deflate, br, zstd", "br"),
    ("gzip", "gzip"),
    ("br;q=0.5, gzip;q=0.8", "gzip"),
    ("br;q=0, *", "gzip"),
    ("identity", ""),
    ("gzip;q=0.1, identity;q=0.5", ""),
    ("zstd, identity;q=0", ""),
];

fn built(name: &str) -> Vec<u8> {
    std::fs::read(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../tracker/dist").join(name)).unwrap()
}

fn version() -> String {
    String::from_utf8(built("version.txt")).unwrap().trim().to_owned()
}

fn request(method: Method, url: &str, encodings: &str) -> RequestBuilder {
    let request = Client::new().request(method, url);
    if encodings.is_empty() { request } else { request.header("accept-encoding", encodings) }
}

/// What every answer says that stands for a script, with or without its bytes.
fn is_for_any_page(answer: &Response, lifetime: &str) {
    for (header, expected) in [
        ("cache-control", lifetime),
        ("vary", "Accept-Encoding"),
        ("cross-origin-resource-policy", "cross-origin"),
        ("access-control-allow-origin", "*"),
        ("x-content-type-options", "nosniff"),
        ("set-cookie", ""),
    ] {
        assert_eq!(answer.header(header), expected, "{header}");
    }
    let tag = answer.header("etag");
    assert!(tag.starts_with('"') && tag.ends_with('"') && tag.len() > 2, "{tag} is no strong tag");
}

fn paths() -> Vec<(String, &'static str, &'static str)> {
    let (name, versioned) = ("public, max-age=3600, stale-while-revalidate=86400", "max-age=31536000, immutable");
    let of = |script| [(format!("/{script}"), script, name), (format!("/v/{}/{script}", version()), script, versioned)];
    SCRIPTS.into_iter().flat_map(of).collect()
}

#[tokio::test]
async fn a_script_is_sent_as_it_was_built_in_the_encoding_that_is_asked_for() {
    let stack = Stack::start(Counting::ByTest).await;
    for (path, script, lifetime) in paths() {
        let url = format!("{}{path}", stack.origin());
        for (asked, encoding) in ASKED {
            let answer = send(request(Method::GET, &url, asked)).await;
            assert_eq!(answer.status, 200, "{path} {asked}");
            is_for_any_page(&answer, lifetime);
            assert_eq!(answer.header("content-type"), "text/javascript; charset=utf-8");
            assert_eq!(answer.header("content-encoding"), encoding, "{path} {asked}");
            let (_, end) = ENCODINGS.iter().find(|(name, _)| *name == encoding).unwrap();
            assert!(answer.bytes == built(&format!("{script}{end}")), "{path} {asked}: other bytes");

            let head = send(request(Method::HEAD, &url, asked)).await;
            assert_eq!((head.status, head.bytes.len()), (answer.status, 0));
            for header in ["content-type", "content-encoding", "etag"] {
                assert_eq!(head.header(header), answer.header(header), "{path} {asked}: {header}");
            }
            is_for_any_page(&head, lifetime);
        }
    }
    stack.shutdown().await;
}

#[tokio::test]
async fn a_script_that_the_browser_holds_is_not_sent_again() {
    let stack = Stack::start(Counting::ByTest).await;
    let mut tags = Vec::new();
    for (path, _, lifetime) in paths() {
        let url = format!("{}{path}", stack.origin());
        for (encoding, _) in ENCODINGS {
            let tag = send(request(Method::GET, &url, encoding)).await.header("etag").to_owned();
            let (weak, among) = (format!("W/{tag}"), format!("\"other\" , {tag}"));
            for held in [tag.as_str(), &weak, &among, "*"] {
                for method in [Method::GET, Method::HEAD] {
                    let answer = send(request(method, &url, encoding).header("if-none-match", held)).await;
                    assert_eq!((answer.status.as_u16(), answer.bytes.len()), (304, 0), "{path} {held}");
                    is_for_any_page(&answer, lifetime);
                    assert_eq!(answer.header("etag"), tag);
                    assert_eq!(answer.header("content-encoding"), "");
                }
            }
            for other in ["\"other\"", tag.trim_matches('"'), ""] {
                let answer = send(request(Method::GET, &url, encoding).header("if-none-match", other)).await;
                assert_eq!(answer.status, 200, "{path} {other}");
            }
            tags.push(tag);
        }
    }
    // The same bytes have the same tag, whatever their path, and no others have it.
    tags.sort_unstable();
    tags.dedup();
    assert_eq!(tags.len(), SCRIPTS.len() * ENCODINGS.len());
    stack.shutdown().await;
}

#[tokio::test]
async fn other_methods_versions_and_names_are_refused_in_the_one_form() {
    let stack = Stack::start(Counting::ByTest).await;
    for (path, ..) in paths() {
        let url = format!("{}{path}", stack.origin());
        for method in [Method::POST, Method::PUT, Method::PATCH, Method::DELETE, Method::OPTIONS] {
            let answer = bare(method, &url).await;
            answer.error(405, "method_not_allowed");
            assert_eq!(answer.header("allow"), "GET, HEAD");
        }
    }
    let version = version();
    let unknown = [
        "/v/0.0.0-none/identity.js".to_owned(),
        format!("/v/{version}x/identity-lite.js"),
        format!("/v/{version}/identity.mjs"),
        format!("/v/{version}"),
        format!("/v/{version}/"),
        format!("/{version}/identity.js"),
        "/v//identity.js".to_owned(),
        "/v/identity.js".to_owned(),
        "/identity".to_owned(),
        "/identity.js/".to_owned(),
        "/identity.js.br".to_owned(),
        "/Identity.js".to_owned(),
    ];
    for path in unknown {
        let url = format!("{}{path}", stack.origin());
        let answer = bare(Method::GET, &url).await;
        answer.error(404, "not_found");
        assert_eq!(answer.header("cache-control"), "no-store", "a version may come yet");
        let head = bare(Method::HEAD, &url).await;
        assert_eq!((head.status.as_u16(), head.bytes.len()), (404, 0));
    }
    stack.shutdown().await;
}
