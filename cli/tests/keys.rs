//! `identity project` and `identity key`, against a running stack.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod common;

use std::time::Duration;

use common::{Dev, assert_status, batch, get, now, stderr, stdout};
use serde_json::{Value, json};

/// The rows of a printed table, but for its heading, as words.
fn rows(table: &str) -> Vec<Vec<String>> {
    table.lines().skip(1).map(|line| line.split_whitespace().map(str::to_owned).collect()).collect()
}

/// The listed key whose shown part this one begins with.
fn listed(dev: &Dev, key: &str) -> Vec<String> {
    let list = dev.run(&["key", "list"]);
    assert_status(&list, 0);
    assert!(!stdout(&list).contains(key));
    let shown = format!("{}…", &key[..12]);
    rows(&stdout(&list)).into_iter().find(|row| row.contains(&shown)).expect("the key is listed")
}

#[tokio::test]
async fn a_secret_key_has_the_limit_it_was_made_with() {
    let dev = Dev::start(&["--empty"]);
    let made = dev.run(&["key", "create", "--kind", "secret", "--rate-limit", "2"]);
    let key = stdout(&made).trim().to_owned();
    for expected in [200, 200, 429] {
        let (status, body) = get(&dev.base, "/stats", &key).await;
        assert_eq!(status, expected);
        if status == 429 {
            assert_eq!(body["error"]["message"], "Rate limit exceeded. Max 2 requests per minute.");
        }
    }
}

#[tokio::test]
async fn a_secret_key_is_made_rotated_and_revoked() {
    let dev = Dev::start(&["--empty"]);
    let made = dev.run(&["key", "create", "--kind", "secret", "--rate-limit", "70", "--label", "dashboard"]);
    assert_status(&made, 0);
    let key = stdout(&made).trim().to_owned();
    assert!(key.starts_with("sk_live_") && key.len() == 40, "standard output is the key alone");
    assert!(!stderr(&made).contains(&key));
    assert_eq!(get(&dev.base, "/stats", &key).await.0, 200);
    let row = listed(&dev, &key);
    assert_eq!((row[1].as_str(), row[3].as_str(), row[4].as_str()), ("secret", "70", "dashboard"));

    let rotated = dev.run(&["key", "rotate", &row[0][..8]]);
    assert_status(&rotated, 0);
    let new = stdout(&rotated).trim().to_owned();
    assert_ne!(new, key);
    assert_eq!(get(&dev.base, "/stats", &key).await.0, 401);
    assert_eq!(get(&dev.base, "/stats", &new).await.0, 200);
    let new_row = listed(&dev, &new);
    assert_eq!((new_row[3].as_str(), new_row[4].as_str(), new_row[6].as_str()), ("70", "dashboard", "-"));
    assert_ne!(listed(&dev, &key)[6], "-");

    let revoked = dev.run(&["key", "revoke", &new_row[0]]);
    assert_status(&revoked, 0);
    assert_eq!(stdout(&revoked).trim(), new_row[0]);
    assert_eq!(get(&dev.base, "/stats", &new).await.0, 401);
    for id in [&new_row[0], &row[0], "000000000000"] {
        assert_status(&dev.run(&["key", "revoke", id]), 1);
        assert_status(&dev.run(&["key", "rotate", id]), 1);
    }
    assert_eq!(get(&dev.base, "/stats", &dev.secret).await.0, 200);
}

#[tokio::test]
async fn a_public_key_sends_and_reads_nothing() {
    let dev = Dev::start(&["--empty"]);
    let made = dev.run(&["key", "create", "--kind", "public"]);
    let key = stdout(&made).trim().to_owned();
    assert!(key.starts_with("pk_live_"));
    let mut sent = batch(1, now());
    sent["key"] = json!(key);
    assert_eq!(dev.collect(&sent).await.unwrap(), 202);
    assert_eq!(get(&dev.base, "/stats", &key).await.0, 401);
    assert_eq!(listed(&dev, &key)[3], "-");
}

#[test]
fn projects_are_created_once_and_listed() {
    let dev = Dev::start(&["--empty"]);
    let line = [
        "project",
        "create",
        "shop",
        "--name",
        "Shop",
        "--host",
        "www.Shop.example",
        "--host",
        "shop.test",
        "--origin",
        "https://shop.example",
        "--retention-days",
        "90",
    ];
    let created = dev.run(&line);
    assert_status(&created, 0);
    assert_eq!(stdout(&created), "shop\n");
    let again = dev.run(&line);
    assert_status(&again, 1);
    assert!(stderr(&again).contains("exists already"), "{}", stderr(&again));
    let list = dev.run(&["project", "list"]);
    assert_status(&list, 0);
    let projects = rows(&stdout(&list));
    assert_eq!(projects.len(), 2);
    assert_eq!(projects[0][0], "demo");
    assert_eq!(projects[1][..5], ["shop", "Shop", "shop.example,shop.test", "https://shop.example", "90"]);

    let nowhere = dev.run(&["key", "create", "--kind", "secret", "--project", "nowhere"]);
    assert_status(&nowhere, 1);
    assert!(stderr(&nowhere).contains("identity project create nowhere"), "{}", stderr(&nowhere));
}

#[tokio::test]
async fn a_project_that_lists_origins_takes_no_others() {
    let dev = Dev::start(&["--empty"]);
    assert_status(&dev.run(&["project", "create", "shop", "--origin", "https://shop.example"]), 0);
    let made = dev.run(&["key", "create", "--kind", "public", "--project", "shop"]);
    let mut sent = batch(1, now());
    sent["key"] = json!(stdout(&made).trim());
    for (origin, status) in [("https://shop.example", 202), ("https://other.example", 403)] {
        let request = common::browser().post(format!("{}/collect", dev.base)).header("origin", origin);
        assert_eq!(request.body(sent.to_string()).send().await.unwrap().status(), status, "{origin}");
    }
}

#[tokio::test]
async fn what_an_owner_types_is_what_a_browser_sends() {
    let dev = Dev::start(&["--empty"]);
    let created = dev.run(&[
        "project",
        "create",
        "shop",
        "--origin",
        "https://münchen.example:443",
        "--origin",
        "https://*.Shop.example",
        "--host",
        "www.münchen.example.",
        "--host",
        "*.shop.example",
    ]);
    assert_status(&created, 0);
    let shop = || rows(&stdout(&dev.run(&["project", "list"])))[1].clone();
    assert_eq!(
        shop()[2..4],
        ["xn--mnchen-3ya.example,*.shop.example", "https://xn--mnchen-3ya.example,https://*.shop.example"]
    );
    let public = stdout(&dev.run(&["key", "create", "--kind", "public", "--project", "shop"])).trim().to_owned();
    let secret = stdout(&dev.run(&["key", "create", "--kind", "secret", "--project", "shop"])).trim().to_owned();
    let mut sent = batch(1, now());
    sent["key"] = json!(public);
    let referrers = ["https://xn--mnchen-3ya.example/", "https://blog.shop.example/", "https://other.example/"];
    for (number, (origin, status)) in [
        ("https://xn--mnchen-3ya.example", 202),
        ("https://blog.shop.example", 202),
        ("https://a.b.shop.example", 202),
        ("https://shop.example", 403),
        ("http://blog.shop.example", 403),
    ]
    .into_iter()
    .enumerate()
    {
        sent["batch_id"] = json!(format!("b_{number}"));
        sent["session"]["session_id"] = json!(format!("ses_{number}"));
        sent["session"]["referrer"] = json!(referrers[number % 3]);
        let request = common::browser().post(format!("{}/collect", dev.base)).header("origin", origin);
        let response = request.body(sent.to_string()).send().await.unwrap();
        assert_eq!(response.status(), status, "{origin}");
        let readable = response.headers().get("access-control-allow-origin").and_then(|by| by.to_str().ok());
        assert_eq!(readable, Some(if status == 202 { origin } else { "*" }), "{origin}");
    }
    let referrers = counted(&dev, &secret, 3).await["data"]["referrers"].clone();
    assert_eq!(referrers, json!([{ "referrer": "other.example", "sessions": 1 }]));
}

/// What came from where, once so many sessions are counted.
async fn counted(dev: &Dev, key: &str, sessions: u64) -> Value {
    for _ in 0..40 {
        let (_, stats) = get(&dev.base, "/stats", key).await;
        if stats["data"]["total_sessions"] == sessions {
            return get(&dev.base, "/acquisition", key).await.1;
        }
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
    panic!("{sessions} sessions are not counted after ten seconds")
}

#[test]
fn what_is_given_of_a_project_is_changed_and_nothing_else() {
    let dev = Dev::start(&["--empty"]);
    assert_status(
        &dev.run(&["project", "create", "shop", "--host", "shop.example", "--origin", "https://shop.example"]),
        0,
    );
    let update = |changes: &[&str]| {
        let output = dev.run(&[&["project", "update", "shop"], changes].concat());
        assert_status(&output, 0);
        let shown = rows(&stdout(&output))[0].clone();
        assert_eq!(shown, rows(&stdout(&dev.run(&["project", "list"])))[1]);
        shown[1..5].to_vec()
    };
    assert_eq!(update(&["--name", "Shop"]), ["Shop", "shop.example", "https://shop.example", "-"]);
    assert_eq!(
        update(&["--host", "a.example", "--host", "*.a.example"]),
        ["Shop", "a.example,*.a.example", "https://shop.example", "-"]
    );
    assert_eq!(update(&["--no-host", "--origin", "https://A.example"]), ["Shop", "-", "https://a.example", "-"]);
    assert_eq!(update(&["--any-origin"]), ["Shop", "-", "-", "-"]);
    assert_eq!(update(&["--retention-days", "30"]), ["Shop", "-", "-", "30"]);
    assert_eq!(update(&["--retention-days", "0"]), ["Shop", "-", "-", "all"]);
    for (wrong, status) in [
        (&["project", "update", "shop"][..], 2),
        (&["project", "update", "shop", "--no-host", "--host", "a.example"], 2),
        (&["project", "update", "shop", "--any-origin", "--origin", "https://a.example"], 2),
        (&["project", "update", "shop", "--retention-days", "29"], 2),
        (&["project", "update", "nowhere", "--name", "x"], 1),
    ] {
        let output = dev.run(wrong);
        assert_status(&output, status);
        assert_eq!(stdout(&output), "");
    }
    let refused = dev.run(&["project", "update", "shop", "--host", "*"]);
    assert_status(&refused, 2);
    assert!(stderr(&refused).contains("as in *.shop.example"), "{}", stderr(&refused));
}

#[test]
fn another_table_is_named_when_it_is_missing() {
    let dev = Dev::start(&["--empty"]);
    let output = dev.run(&["project", "list", "--table", "elsewhere"]);
    assert_status(&output, 1);
    assert!(stderr(&output).contains("there is no table \"elsewhere\""), "{}", stderr(&output));
}
