//! `identity project` and `identity key`, against a running stack.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod common;

use common::{Dev, assert_status, batch, get, now, stderr, stdout};
use serde_json::json;

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
    assert_eq!(projects[1][..4], ["shop", "Shop", "shop.example,shop.test", "https://shop.example"]);

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

#[test]
fn another_table_is_named_when_it_is_missing() {
    let dev = Dev::start(&["--empty"]);
    let output = dev.run(&["project", "list", "--table", "elsewhere"]);
    assert_status(&output, 1);
    assert!(stderr(&output).contains("there is no table \"elsewhere\""), "{}", stderr(&output));
}
