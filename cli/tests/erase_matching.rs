//! `identity erase --matching`, against a running stack.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod common;

use std::time::{Duration, Instant};

use common::{Dev, assert_status, batch, now, run, stderr, stdout};
use serde_json::{Value, json};

/// How many visitors somebody makes up.
const MADE_UP: i64 = 30;

/// A made-up visitor's batch, and a real one's, which comes from elsewhere.
fn lines() -> String {
    let at = now() - 86_400_000;
    let made_up = (0..MADE_UP).map(|number| {
        let mut sent = batch(number, at);
        sent["visitor"] = json!({ "visitor_id": format!("spam{number:02}"), "ip": "203.0.113.9" });
        sent["session"]["session_id"] = json!(format!("spam{number}"));
        sent["session"]["referrer"] = json!("https://www.spam.example/buy");
        sent
    });
    let real = (0..5).map(|number| {
        let mut sent = batch(number, at);
        sent["visitor"]["ip"] = json!("198.51.100.7");
        sent
    });
    // One of them came once from where the others are.
    let mut once = batch(1, at + 1_000);
    once["batch_id"] = json!("b_once");
    once["visitor"]["ip"] = json!("203.0.113.10");
    let lines: Vec<String> = made_up.chain(real).chain([once]).map(|line: Value| line.to_string()).collect();
    lines.join("\n")
}

fn import(dev: &Dev) {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), lines()).unwrap();
    assert_status(&dev.run(&["import", file.path().to_str().unwrap()]), 0);
}

#[tokio::test]
async fn what_matches_is_shown_and_then_erased() {
    let dev = Dev::start(&["--empty"]);
    import(&dev);
    let before = dev.get("/stats").await;
    assert_eq!(before["data"]["total_visitors"], MADE_UP + 5);
    let filters = [
        &["--ip", "203.0.113.0/24", "--since", "2025-01-01"][..],
        &["--referrer", "spam.example"],
        &["--referrer", "https://www.spam.example/*", "--url", "/pricing", "--min-batches", "1", "--max-batches", "1"],
    ];
    for filter in filters {
        let shown = dev.run(&[&["erase", "--matching"], filter].concat());
        assert_status(&shown, 0);
        let printed = stdout(&shown);
        let lines: Vec<&str> = printed.lines().collect();
        assert_eq!(lines[0], "30 visitors match: 30 sessions, 60 events, 30 batches.", "{filter:?}");
        assert_eq!(lines[2].split_whitespace().collect::<Vec<_>>(), ["VISITOR", "SESSIONS", "EVENTS", "BATCHES"]);
        assert!(lines[3..13].iter().all(|line| line.starts_with("spam") && line.ends_with('1')), "{printed}");
        assert_eq!(lines[13], "and 20 more");
        assert_eq!(lines[15].split_whitespace().collect::<Vec<_>>(), ["DAY", "SESSIONS", "EVENTS"]);
        assert!(stderr(&shown).contains("--yes"), "{}", stderr(&shown));
    }
    for (filter, count) in [
        (&["--ip", "203.0.113.0/24", "--until", "2025-01-01"][..], 0),
        (&["--min-batches", "2"], 1),
        (&["--url", "/pric*", "--ip", "198.51.100.7"], 4),
        (&["--url", "/pric"], 0),
    ] {
        let shown = dev.run(&[&["erase", "--matching"], filter].concat());
        assert_status(&shown, 0);
        assert!(stdout(&shown).starts_with(&format!("{count} visitors match")), "{filter:?}: {}", stdout(&shown));
    }
    assert_eq!(dev.get("/stats").await, before, "nothing is removed yet");

    let erase = ["erase", "--matching", "--ip", "203.0.113.0/24", "--referrer", "spam.example", "--yes"];
    let erased = dev.run(&erase);
    assert_status(&erased, 0);
    assert!(stdout(&erased).starts_with("Erased 30 visitors: 30 sessions, "), "{}", stdout(&erased));
    let stats = dev.get("/stats").await;
    assert_eq!((&stats["data"]["total_visitors"], &stats["data"]["total_sessions"]), (&json!(5), &json!(5)));
    let again = dev.run(&erase);
    assert_status(&again, 0);
    assert_eq!(stdout(&again), "Erased 0 visitors: 0 sessions, 0 items.\n");
    // What is sent again of them is refused.
    import(&dev);
    assert_eq!(dev.get("/stats").await, stats);
    // They are in the table until the stream brings them.
    let patience = Instant::now() + Duration::from_secs(20);
    while dev.run(&["rebuild", "--check"]).status.code() != Some(0) && Instant::now() < patience {
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    assert_status(&dev.run(&["rebuild", "--check"]), 0);
}

#[test]
fn what_is_to_be_erased_has_to_be_said() {
    for line in [
        "erase",
        "erase --matching",
        "erase --matching --yes",
        "erase --ip 203.0.113.9",
        "erase v_1 --matching --ip 203.0.113.9",
        "erase --matching --ip somewhere",
        "erase --matching --since yesterday",
    ] {
        assert_status(&run(&line.split(' ').collect::<Vec<_>>()), 2);
    }
}
