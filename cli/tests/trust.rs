//! `identity visitor trust`, against a running stack.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod common;

use common::{Dev, assert_status, batch, now, stderr, stdout};
use serde_json::{Value, json};

/// A batch of `v1` in one of its sessions, with a score.
fn scored(dev: &Dev, number: i64, score: u8) -> Value {
    let mut sent = batch(number * 80 + 1, now() - number * 60_000);
    sent["key"] = json!(dev.public);
    sent["session"]["session_id"] = json!(format!("s{number}"));
    sent["visitor"]["bot_score"] = json!(score);
    sent
}

async fn send(dev: &Dev, sent: &Value) {
    assert_eq!(dev.collect(sent).await.unwrap(), 202);
}

#[tokio::test]
async fn a_visitor_that_a_stranger_called_a_bot_is_trusted() {
    let dev = Dev::start(&["--empty"]);
    let sent: Vec<Value> = (1..=3).map(|number| scored(&dev, number, 0)).collect();
    for sent in &sent {
        send(&dev, sent).await;
    }
    dev.eventually("/stats", |stats| stats["data"]["total_sessions"] == 3).await;
    // All that the stranger's heartbeat changes is how long its session takes.
    let counts = async || {
        let stats = dev.get("/stats").await;
        ["total_visitors", "new_visitors", "total_sessions", "total_page_views", "total_events", "bounce_rate"]
            .map(|name| stats["data"][name].clone())
    };
    let before = counts().await;
    let mut stranger = sent[0].clone();
    (stranger["batch_id"], stranger["events"]) = (json!("b_stranger"), json!([]));
    stranger["visitor"]["bot_score"] = json!(100);
    send(&dev, &stranger).await;
    dev.eventually("/stats", |stats| stats["data"]["total_visitors"] == 0).await;

    let trusted = dev.run(&["visitor", "trust", "v1"]);
    assert_status(&trusted, 0);
    assert_eq!(stdout(&trusted), "Trusted v1: 3 sessions count again.\n");
    assert_eq!(counts().await, before);
    assert_eq!(dev.get("/visitors/v1").await["data"]["bot_score"], 0);

    // Whatever comes later, and what is derived anew.
    stranger["batch_id"] = json!("b_stranger_again");
    send(&dev, &stranger).await;
    send(&dev, &scored(&dev, 4, 100)).await;
    dev.eventually("/stats", |stats| stats["data"]["total_sessions"] == 4).await;
    assert_status(&dev.run(&["rebuild", "--check"]), 0);
    let again = dev.run(&["visitor", "trust", "v1"]);
    assert_status(&again, 0);
    assert_eq!(stdout(&again), "Trusted v1: all its sessions are counted, and stay so.\n");

    let erased = dev.run(&["erase", "v1"]);
    assert_status(&erased, 0);
    for unknown in ["v1", "v_never"] {
        let refused = dev.run(&["visitor", "trust", unknown]);
        assert_status(&refused, 1);
        assert!(stdout(&refused).is_empty() && stderr(&refused).contains(unknown), "{}", stderr(&refused));
    }
    let elsewhere = dev.run(&["visitor", "trust", "v1", "--project", "elsewhere"]);
    assert_status(&elsewhere, 1);
    assert!(stderr(&elsewhere).contains("project create"), "{}", stderr(&elsewhere));
}
