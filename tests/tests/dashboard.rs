//! The dashboard's files as a browser fetches them.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use std::path::{Path, PathBuf};

use reqwest::{Client, Method};
use serde_json::Value;
use tests::http::{Response, bare, send};
use tests::stack::{Counting, Stack};

const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
                                       connect-src 'self'; font-src 'self'; base-uri 'none'; form-action 'none'; \
                                       frame-ancestors 'none'";

fn dist() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../dashboard/dist")
}

/// Each file with its path and its media type.
fn files() -> Vec<(String, PathBuf, String)> {
    let files: Vec<Value> = serde_json::from_slice(&std::fs::read(dist().join("files.json")).unwrap()).unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    files.iter().map(|file| (text(&file["path"]), dist().join(text(&file["file"])), text(&file["type"]))).collect()
}

/// What every answer says that stands for a file, with or without its bytes.
fn is_held_to_its_policies(answer: &Response, path: &str) {
    let lifetime = if path == "/" { "no-cache" } else { "public, max-age=31536000, immutable" };
    for (header, expected) in [
        ("cache-control", lifetime),
        ("vary", "Accept-Encoding"),
        ("content-security-policy", CONTENT_SECURITY_POLICY),
        ("referrer-policy", "no-referrer"),
        ("x-frame-options", "DENY"),
        ("cross-origin-opener-policy", "same-origin"),
        ("x-content-type-options", "nosniff"),
        ("access-control-allow-origin", ""),
        ("set-cookie", ""),
    ] {
        assert_eq!(answer.header(header), expected, "{path}: {header}");
    }
    let allowed = answer.header("permissions-policy").split(", ").all(|policy| policy.ends_with("=()"));
    assert!(allowed && answer.header("permissions-policy").len() > 100, "nothing is allowed");
    let tag = answer.header("etag");
    assert!(tag.starts_with('"') && tag.ends_with('"') && tag.len() > 2, "{tag} is no strong tag");
}

#[tokio::test]
async fn every_file_is_sent_as_it_was_built() {
    let stack = Stack::start(Counting::ByTest).await;
    let files = files();
    assert!(files.iter().any(|(path, ..)| path == "/") && files.len() > 10);
    for (path, file, kind) in &files {
        let url = format!("{}{path}", stack.origin());
        for (asked, encoding, ending) in [("br, gzip", "br", ".br"), ("gzip", "gzip", ".gz"), ("", "", "")] {
            let mut request = Client::new().get(&url);
            if !asked.is_empty() {
                request = request.header("accept-encoding", asked);
            }
            let answer = send(request.try_clone().unwrap()).await;
            let built = std::fs::read(format!("{}{ending}", file.display())).unwrap();
            assert!(answer.status == 200 && answer.bytes == built, "{path} {asked}");
            assert_eq!((answer.header("content-type"), answer.header("content-encoding")), (kind.as_str(), encoding));
            is_held_to_its_policies(&answer, path);
            let held = send(request.header("if-none-match", answer.header("etag"))).await;
            assert_eq!((held.status.as_u16(), held.bytes.len()), (304, 0));
            is_held_to_its_policies(&held, path);
        }
        let head = bare(Method::HEAD, &url).await;
        assert_eq!((head.status.as_u16(), head.bytes.len()), (200, 0));
        is_held_to_its_policies(&head, path);
        bare(Method::POST, &url).await.error(405, "method_not_allowed");
    }
    stack.shutdown().await;
}

/// The document asks for nothing that is not there, and for nothing elsewhere.
#[tokio::test]
async fn all_that_the_document_asks_for_is_there() {
    let stack = Stack::start(Counting::ByTest).await;
    let document = bare(Method::GET, &stack.origin()).await.text;
    let asked: Vec<&str> = document.split(['"', '\'']).filter(|text| text.starts_with('/')).collect();
    assert!(asked.len() >= 3, "{document}");
    for path in asked {
        assert_eq!(bare(Method::GET, &format!("{}{path}", stack.origin())).await.status, 200, "{path}");
    }
    assert!(!document.contains("http://") && !document.contains("https://") && !document.contains("<style"));
    for path in
        ["/assets/", "/assets/nothing.js", "/assets/..%2findex.html", "/index.html", "/files.json", "/favicon.ico"]
    {
        bare(Method::GET, &format!("{}{path}", stack.origin())).await.error(404, "not_found");
    }
    stack.shutdown().await;
}
