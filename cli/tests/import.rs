//! `identity import`: what is taken, what is refused, and what a second run or a kill changes.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod common;

use std::io::Write;
use std::time::Duration;

use common::{Dev, assert_status, batch, command, get, now, run, run_with_input, stderr, stdout, write_batches};
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[tokio::test]
async fn lines_are_taken_or_refused_one_by_one_and_once() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("batches.jsonl");
    let good = |number| batch(number, 1_719_302_400_000 + number * 60_000);
    let mut nameless = good(7);
    nameless["events"][1].as_object_mut().unwrap().remove("name");
    let mut foreign = good(8);
    foreign["session"]["started_at"] = json!("yesterday");
    let lines = [
        good(0).to_string(),
        "{ this is no JSON".to_owned(),
        nameless.to_string(),
        String::new(),
        good(1).to_string(),
        foreign.to_string(),
        format!("{{\"batch_id\":\"{}\"}}", "x".repeat(2 << 20)),
        good(1).to_string(),
        good(2).to_string(),
    ];
    std::fs::write(&file, lines.join("\n")).unwrap();
    let dev = Dev::start(&["--empty"]);
    let line = ["import", file.to_str().unwrap()];

    let output = dev.run(&line);
    assert_status(&output, 1);
    assert_eq!(stdout(&output), "8 lines: 3 stored, 1 already there, 4 refused\n");
    let refused: Vec<_> = stderr(&output).lines().filter(|line| line.starts_with("line ")).map(str::to_owned).collect();
    let expected = ["line 2: body:", "line 3: events[1].name:", "line 6: session.started_at:", "line 7: body:"];
    assert_eq!(refused.len(), expected.len(), "{refused:?}");
    for (line, expected) in refused.iter().zip(expected) {
        assert!(line.starts_with(expected), "{line}");
    }
    // It returned, so all of it is counted.
    let range = "start_date=2024-06-25&end_date=2024-06-25";
    let stats = dev.get(&format!("/stats?{range}")).await;
    assert_eq!((&stats["data"]["total_visitors"], &stats["data"]["total_events"]), (&json!(3), &json!(6)));

    let again = dev.run(&line);
    assert_status(&again, 1);
    assert_eq!(stdout(&again), "8 lines: 0 stored, 4 already there, 4 refused\n");
    assert_eq!(dev.get(&format!("/stats?{range}")).await, stats);
}

/// What a project does not keep is neither stored nor counted, and stays so; what was counted before it kept less stays, too.
#[tokio::test]
async fn what_is_older_than_the_project_keeps_is_left_out() {
    const DAY_MS: i64 = 86_400_000;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("batches.jsonl");
    let lines = [45, 32, 29, 0].map(|days| batch(days, now() - days * DAY_MS).to_string());
    std::fs::write(&file, lines.join("\n")).unwrap();
    let dev = Dev::start(&["--empty"]);
    let keep = |project: &str, days: &str| {
        assert_status(&dev.run(&["project", "update", project, "--retention-days", days]), 0);
    };
    let import = |project: &str, expected: &str, left_out: usize| {
        let output = dev.run(&["import", file.to_str().unwrap(), "--project", project]);
        assert_status(&output, 0);
        assert_eq!(stdout(&output), format!("4 lines: {expected}, 0 refused\n"));
        let told = stderr(&output).contains(&format!("left out: {left_out} batches"));
        assert_eq!(told, left_out > 0, "{}", stderr(&output));
    };
    assert_status(&dev.run(&["project", "create", "short", "--retention-days", "30"]), 0);
    let secret = stdout(&dev.run(&["key", "create", "--kind", "secret", "--project", "short"])).trim().to_owned();
    let sessions = async |key: &str| {
        let (_, stats) = get(&dev.base, "/stats?start_date=2020-01-01", key).await;
        stats["data"]["total_sessions"].clone()
    };

    import("short", "2 stored, 0 already there", 2);
    keep("short", "0");
    import("short", "0 stored, 2 already there", 2);
    assert_eq!(sessions(&secret).await, 2);

    import("demo", "4 stored, 0 already there", 0);
    keep("demo", "30");
    import("demo", "0 stored, 2 already there", 2);
    assert_eq!(sessions(&dev.secret).await, 4);
}

#[tokio::test]
async fn what_the_server_would_have_known_is_taken_from_the_line() {
    let dev = Dev::start(&["--empty"]);
    let mut known = batch(1, now() - 400 * 86_400_000);
    let visitor = json!({ "visitor_id": "v1", "browser_name": "Safari", "browser_version": "17.5", "os": "iOS",
        "mobile": 1, "geo_country": "Serbia", "geo_country_code": "RS", "geo_city": "Novi Sad", "ip": "203.0.113.77",
        "bot_score": 7 });
    known["visitor"] = visitor;
    let line = ["import", "-", "--endpoint-url", &dev.endpoint];
    let output = run_with_input(&line, format!("{known}\r\n"));
    assert_status(&output, 0);
    assert_eq!(stdout(&output), "1 lines: 1 stored, 0 already there, 0 refused\n");
    let found = dev.get("/visitors?start_date=2020-01-01&search=203.0.113.77").await;
    let row = &found["data"][0];
    for (name, value) in [
        ("browser_name", json!("Safari")),
        ("browser_version", json!("17.5")),
        ("os", json!("iOS")),
        ("mobile", json!(1)),
        ("geo_country", json!("Serbia")),
        ("geo_country_code", json!("RS")),
        ("geo_city", json!("Novi Sad")),
        ("bot_score", json!(7)),
    ] {
        assert_eq!(row[name], value, "{name}");
    }
}

#[tokio::test]
async fn half_of_a_surrogate_pair_costs_the_character_and_not_the_line() {
    let dev = Dev::start(&["--empty"]);
    let line = batch(1, now()).to_string().replace("/pricing", r"/\ud83d");
    let output = run_with_input(&["import", "-", "--endpoint-url", &dev.endpoint], &line);
    assert_eq!(stdout(&output), "1 lines: 1 stored, 0 already there, 0 refused\n");
    assert_eq!(dev.get("/events").await["data"][0]["url"], "/\u{fffd}");
}

#[tokio::test]
async fn a_byte_order_mark_is_read_over_and_gzip_is_unpacked() {
    let folder = tempfile::tempdir().unwrap();
    let dev = Dev::start(&["--empty"]);
    let lines = |first: i64| format!("{}\r\n{}\n", batch(first, now()), batch(first + 1, now()));
    let marked = |text: String| ["\u{feff}".as_bytes(), text.as_bytes()].concat();
    for (number, bytes) in
        [marked(lines(0)), gzip(lines(2).as_bytes()), gzip(&marked(lines(4)))].into_iter().enumerate()
    {
        let file = folder.path().join(format!("{number}.jsonl"));
        std::fs::write(&file, &bytes).unwrap();
        let output = dev.run(&["import", file.to_str().unwrap()]);
        assert_status(&output, 0);
        assert_eq!(stdout(&output), "2 lines: 2 stored, 0 already there, 0 refused\n");
        let again = run_with_input(&["import", "-", "--endpoint-url", &dev.endpoint], &bytes);
        assert_eq!(stdout(&again), "2 lines: 0 stored, 2 already there, 0 refused\n");
    }
    assert_eq!(dev.get("/stats").await["data"]["total_events"], 12);
}

#[tokio::test]
async fn what_is_no_text_is_named_with_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let dev = Dev::start(&["--empty"]);
    let wide = |convert: fn(u16) -> [u8; 2]| {
        let text = format!("\u{feff}{}\n", batch(0, now()));
        text.encode_utf16().flat_map(convert).collect::<Vec<u8>>()
    };
    for (bytes, said) in [
        (wide(u16::to_le_bytes), "is UTF-16 text"),
        (wide(u16::to_be_bytes), "iconv -f UTF-16 -t UTF-8"),
        (b"PK\x03\x04\x14\0".to_vec(), "is a zip archive. Give the file that is in it: unzip -p"),
        (b"PAR1\x15\x04".to_vec(), "is a Parquet file. Export lines of JSON instead"),
        (b"\x28\xb5\x2f\xfd\0".to_vec(), "zstd -dc"),
    ] {
        let file = folder.path().join("batches");
        std::fs::write(&file, &bytes).unwrap();
        let from_file = dev.run(&["import", file.to_str().unwrap()]);
        let from_input = run_with_input(&["import", "-", "--endpoint-url", &dev.endpoint], &bytes);
        for (name, output) in [(file.to_str().unwrap(), from_file), ("standard input", from_input)] {
            assert_status(&output, 1);
            assert!(stderr(&output).starts_with(&format!("error: {name} is ")), "{}", stderr(&output));
            assert!(stderr(&output).contains(said), "{}", stderr(&output));
        }
    }
    let cut = gzip(&batch(0, now()).to_string().into_bytes());
    let output = run_with_input(&["import", "-", "--endpoint-url", &dev.endpoint], &cut[..cut.len() - 12]);
    assert_status(&output, 1);
    assert!(stderr(&output).starts_with("error: stopped at line 0: "), "{}", stderr(&output));
    assert_eq!(dev.get("/stats").await["data"]["total_events"], 0);
}

#[tokio::test]
async fn of_two_lines_under_one_key_the_first_is_stored() {
    let dev = Dev::start(&["--empty"]);
    let at = now();
    let lines: Vec<String> = (0..20)
        .map(|number| {
            let mut line = batch(1, at);
            line["session"]["url"] = json!(format!("/{number}"));
            line.to_string()
        })
        .collect();
    let output = run_with_input(&["import", "-", "--endpoint-url", &dev.endpoint], lines.join("\n"));
    assert_eq!(stdout(&output), "20 lines: 1 stored, 19 already there, 0 refused\n");
    assert_eq!(dev.get("/sessions").await["data"][0]["url"], "/0");
}

#[tokio::test]
async fn the_first_line_of_a_session_decides_where_it_began() {
    let dev = Dev::start(&["--empty"]);
    let at = now();
    let lines: Vec<String> = (0..100)
        .map(|number| {
            let mut line = batch(number, at);
            line["visitor"]["visitor_id"] = json!("v");
            line["session"] = json!({ "session_id": "s", "started_at": at, "url": format!("/{number}") });
            line.to_string()
        })
        .collect();
    let output = run_with_input(&["import", "-", "--endpoint-url", &dev.endpoint], lines.join("\n"));
    assert_status(&output, 0);
    let session = dev.get("/sessions/s").await;
    assert_eq!((&session["data"]["url"], &session["data"]["page_views"]), (&json!("/0"), &json!(200)));
}

#[tokio::test]
async fn a_kill_in_the_middle_loses_and_doubles_nothing() {
    const BATCHES: i64 = 1_500;
    let folder = tempfile::tempdir().unwrap();
    let (data, file) = (folder.path().join("site.db"), folder.path().join("batches.jsonl"));
    write_batches(&file, BATCHES);
    let (data, file) = (data.to_str().unwrap(), file.to_str().unwrap());
    let untouched = Dev::start(&["--empty"]);
    assert_status(&untouched.run(&["import", file]), 0);

    for pause in [300, 700] {
        let dev = Dev::start(&["--empty", "--data", data]);
        let mut import = command(&["import", file, "--endpoint-url", &dev.endpoint]).spawn().unwrap();
        tokio::time::sleep(Duration::from_millis(pause)).await;
        dev.kill();
        import.kill().unwrap();
        import.wait().unwrap();
    }
    let dev = Dev::start(&["--empty", "--data", data]);
    let output = dev.run(&["import", file]);
    assert_status(&output, 0);
    assert!(stdout(&output).starts_with(&format!("{BATCHES} lines: ")), "{}", stdout(&output));
    for path in ["/stats?interval=day", "/events/types", "/visitors?limit=100", "/sessions?limit=100"] {
        assert_eq!(dev.get(path).await, untouched.get(path).await, "{path}");
    }
    let stats = dev.get("/stats").await;
    assert_eq!(stats["data"]["total_events"], 2 * BATCHES);
}

#[tokio::test]
async fn without_waiting_it_is_counted_soon() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("batches.jsonl");
    write_batches(&file, 50);
    let dev = Dev::start(&["--empty"]);
    assert_status(&dev.run(&["import", file.to_str().unwrap(), "--no-wait"]), 0);
    dev.eventually("/stats", |stats: &Value| stats["data"]["total_events"] == 100).await;
}

#[tokio::test]
async fn projects_are_kept_apart() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("batches.jsonl");
    write_batches(&file, 10);
    let line = ["import", file.to_str().unwrap(), "--project", "shop"];
    let dev = Dev::start(&["--empty"]);
    let missing = dev.run(&line);
    assert_status(&missing, 1);
    assert!(stderr(&missing).contains("identity project create shop"), "{}", stderr(&missing));
    assert_status(&dev.run(&["project", "create", "shop"]), 0);
    assert_status(&dev.run(&line), 0);
    assert_eq!(dev.get("/stats").await["data"]["total_visitors"], 0);
    let key = dev.run(&["key", "create", "--kind", "secret", "--project", "shop"]);
    let (_, stats) = common::get(&dev.base, "/stats", stdout(&key).trim()).await;
    assert_eq!(stats["data"]["total_visitors"], 10);
}

#[test]
fn what_can_not_be_reached_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("batches.jsonl");
    write_batches(&file, 1);
    let output = run(&["import", folder.path().join("none").to_str().unwrap(), "--endpoint-url", "http://127.0.0.1:9"]);
    assert_status(&output, 1);
    assert!(stderr(&output).contains("can't be read"), "{}", stderr(&output));
    let output = run(&["import", file.to_str().unwrap(), "--endpoint-url", "http://127.0.0.1:9"]);
    assert_status(&output, 1);
    assert!(stderr(&output).contains("is `identity dev` running"), "{}", stderr(&output));
}
