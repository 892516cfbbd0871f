//! The rules of a batch, each with the message that names the field.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use collect::batch::{self, Draft, Envelope, Invalid, Sender};
use figures::ids::ProjectId;
use figures::time::Millis;
use proptest::prelude::*;
use serde_json::{Value, json};

const NOW: Millis = Millis(1_719_302_460_000);

fn project() -> ProjectId {
    "demo".parse().unwrap()
}

/// A body that keeps to every rule, sent at `NOW`.
fn body() -> Value {
    json!({
        "key": "pk_live_aBcDeFgHiJkLmNoPqRsTuVwXyZ012345",
        "batch_id": "b_1",
        "sent_at": NOW.0,
        "page": "/pricing",
        "visitor": {
            "visitor_id": "v_1", "fingerprint_hash": "8f14e45f", "screen_width": 1920, "screen_height": 1080,
            "timezone": "Europe/Belgrade", "language": "sr", "ad_block": 0, "bot_score": 5, "aliases": ["user-42"]
        },
        "session": {
            "session_id": "ses_1", "started_at": NOW.0 - 60_000, "url": "/", "referrer": "https://google.com",
            "utm_source": "google", "click_count": 8, "max_scroll_depth": 87
        },
        "events": [
            { "name": "page_view", "url": "/", "created_at": NOW.0 - 60_000, "data": { "url": "/" } },
            { "name": "rage_click", "created_at": NOW.0 - 1_000, "data": { "selector": "#buy" } }
        ]
    })
}

/// The body with the value at a JSON pointer replaced, or added.
fn with(pointer: &str, value: Value) -> Value {
    let mut body = body();
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    match body.pointer_mut(parent).unwrap() {
        Value::Array(items) => items[name.parse::<usize>().unwrap()] = value,
        parent => parent[name] = value,
    }
    body
}

fn without(pointer: &str) -> Value {
    let mut body = body();
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    body.pointer_mut(parent).unwrap().as_object_mut().unwrap().remove(name).unwrap();
    body
}

fn read(body: &[u8], now: Millis) -> Result<Draft, Invalid> {
    batch::collected(body, now).map(|(_, draft)| draft)
}

fn collected(body: &Value) -> Result<Draft, Invalid> {
    read(body.to_string().as_bytes(), NOW)
}

fn read_line(line: &[u8]) -> Result<Draft, Invalid> {
    batch::imported(line, &project()).map(|(_, draft)| draft)
}

fn imported(body: &Value) -> Result<Draft, Invalid> {
    read_line(body.to_string().as_bytes())
}

fn refusal(body: &Value) -> String {
    collected(body).expect_err("a rule is broken").to_string()
}

#[test]
fn a_full_body_is_read_as_sent() {
    let draft = collected(&body()).unwrap();
    assert_eq!(draft.session_id.as_str(), "ses_1");
    assert_eq!((draft.batch_id.as_str(), draft.sent_at, draft.page.as_deref()), ("b_1", NOW, Some("/pricing")));
    assert_eq!(draft.visitor.fingerprint_hash.as_deref(), Some("8f14e45f"));
    assert_eq!((draft.visitor.screen_width, draft.visitor.screen_height), (Some(1920), Some(1080)));
    assert_eq!(draft.visitor.timezone.as_deref(), Some("Europe/Belgrade"));
    assert_eq!(draft.visitor.language.as_deref(), Some("sr"));
    assert_eq!((draft.visitor.ad_block, draft.visitor.bot_score), (Some(0), 5));
    assert_eq!(draft.visitor.aliases, ["user-42"]);
    assert_eq!(draft.session.started_at, Millis(NOW.0 - 60_000));
    assert_eq!(draft.session.url.as_deref(), Some("/"));
    assert_eq!(draft.session.referrer.as_deref(), Some("https://google.com"));
    assert_eq!((draft.session.utm_source.as_deref(), draft.session.utm_medium), (Some("google"), None));
    assert_eq!((draft.session.click_count, draft.session.max_scroll_depth), (Some(8), Some(87)));
    assert_eq!(draft.events.len(), 2);
    assert_eq!((draft.events[0].name.as_str(), draft.events[0].created_at), ("page_view", Millis(NOW.0 - 60_000)));
    assert_eq!(draft.events[0].data.as_ref().unwrap().get(), r##"{"url":"/"}"##);
}

#[test]
fn a_bare_body_is_a_heartbeat() {
    let bare = json!({
        "key": "k", "batch_id": "b", "sent_at": NOW.0, "visitor": { "visitor_id": "v" },
        "session": { "session_id": "s", "started_at": NOW.0 }
    });
    for events in [None, Some(Value::Null), Some(json!([]))] {
        let mut body = bare.clone();
        if let Some(events) = events {
            body["events"] = events;
        }
        let draft = collected(&body).unwrap();
        assert!(draft.events.is_empty());
        assert_eq!((draft.visitor.bot_score, draft.visitor.screen_width, draft.page), (0, None, None));
    }
}

#[test]
fn null_is_absent_and_unknown_fields_are_ignored() {
    for pointer in [
        "/page",
        "/visitor/fingerprint_hash",
        "/visitor/screen_width",
        "/visitor/timezone",
        "/visitor/ad_block",
        "/visitor/bot_score",
        "/visitor/aliases",
        "/session/url",
        "/session/utm_term",
        "/session/click_count",
        "/session/max_scroll_depth",
        "/events/0/url",
        "/events/0/data",
    ] {
        assert!(collected(&with(pointer, Value::Null)).is_ok(), "{pointer}");
    }
    for pointer in ["/extra", "/visitor/extra", "/session/extra", "/events/0/extra", "/visitor/ip", "/visitor/os"] {
        assert!(collected(&with(pointer, json!({ "any": ["thing", 1e300] }))).is_ok(), "{pointer}");
    }
    assert_eq!(collected(&with("/visitor/os", json!("BeOS"))).unwrap().visitor.os, None, "the server alone decides");
}

#[test]
fn a_whole_number_may_be_written_as_a_fraction() {
    let clicks = |number: &str| {
        let body = body().to_string().replace("\"click_count\":8", &format!("\"click_count\":{number}"));
        read(body.as_bytes(), NOW).map(|draft| draft.session.click_count)
    };
    for (number, expected) in [
        ("7.0", 7),
        ("7e2", 700),
        ("-0", 0),
        ("4294967295.0", u32::MAX),
        ("7.5", 8),
        ("7.49", 7),
        ("0.2", 0),
        ("4294967294.5", u32::MAX),
    ] {
        assert_eq!(clicks(number), Ok(Some(expected)), "{number}");
    }
    for number in ["-7.0", "-0.1", "4294967295.1", "4294967296.0", "1e300"] {
        assert!(clicks(number).is_err(), "{number}");
    }
}

#[test]
fn what_browsers_measure_in_fractions_is_rounded() {
    let mut body = body();
    body["sent_at"] = json!(NOW.0 as f64 + 0.25);
    body["session"]["started_at"] = json!((NOW.0 - 60_000) as f64 + 0.75);
    body["session"]["max_scroll_depth"] = json!(87.4);
    body["visitor"]["screen_width"] = json!(1707.33);
    body["visitor"]["bot_score"] = json!(4.5);
    body["events"][1]["created_at"] = json!((NOW.0 - 1_000) as f64 + 0.5);
    let draft = collected(&body).unwrap();
    assert_eq!((draft.sent_at, draft.session.started_at), (NOW, NOW.plus(-59_999)));
    assert_eq!((draft.session.max_scroll_depth, draft.visitor.screen_width), (Some(87), Some(1707)));
    assert_eq!((draft.visitor.bot_score, draft.events[1].created_at), (5, NOW.plus(-999)));
}

#[test]
fn times_in_seconds_are_refused_by_name() {
    let seconds = NOW.0 / 1_000;
    let problem = format!("must be in milliseconds; {seconds} seems to be in seconds");
    for (pointer, field) in [("/sent_at", "sent_at"), ("/events/1/created_at", "events[1].created_at")] {
        assert_eq!(refusal(&with(pointer, json!(seconds))), format!("{field}: {problem}"));
        let refused = imported(&with(pointer, json!(seconds))).expect_err("a time in seconds").to_string();
        assert_eq!(refused, format!("{field}: {problem}"));
    }
    // The collector moves a start that can't be, and decides nothing by it. An import takes it as it is.
    let started_at = with("/session/started_at", json!(seconds));
    assert_eq!(collected(&started_at).unwrap().session.started_at, Millis(NOW.0 - 60_000 - 86_400_000));
    let refused = imported(&started_at).expect_err("a time in seconds").to_string();
    assert_eq!(refused, format!("session.started_at: {problem}"));
}

#[test]
fn a_referrer_is_kept_without_what_is_secret_in_it() {
    for (sent, kept) in [
        ("https://google.com", "https://google.com"),
        ("https://www.google.com/search?q=my+name", "https://www.google.com/search"),
        ("https://ana:secret@partner.example/a@b?token=1#t", "https://partner.example/a@b"),
        ("https://ana@b@partner.example", "https://partner.example"),
        ("https://partner.example#token=1", "https://partner.example"),
        ("android-app://com.slack/", "android-app://com.slack/"),
        ("partner.example/page?token=1", "partner.example/page"),
        ("?token=1", ""),
    ] {
        for draft in
            [collected(&with("/session/referrer", json!(sent))), imported(&with("/session/referrer", json!(sent)))]
        {
            assert_eq!(draft.unwrap().session.referrer.as_deref(), Some(kept), "{sent}");
        }
    }
}

#[test]
fn empty_texts_are_kept() {
    let draft = collected(&with("/session/referrer", json!(""))).unwrap();
    assert_eq!(draft.session.referrer.as_deref(), Some(""));
}

#[test]
fn what_is_required_is_named_when_it_is_missing() {
    for (pointer, field) in [
        ("/batch_id", "batch_id"),
        ("/sent_at", "sent_at"),
        ("/visitor", "visitor"),
        ("/session", "session"),
        ("/session/session_id", "session.session_id"),
        ("/session/started_at", "session.started_at"),
        ("/events/1/name", "events[1].name"),
        ("/events/1/created_at", "events[1].created_at"),
    ] {
        assert_eq!(refusal(&without(pointer)), format!("{field}: is required"));
        assert_eq!(refusal(&with(pointer, Value::Null)), format!("{field}: is required"));
    }
}

#[test]
fn values_out_of_their_limits_are_named_with_their_rule() {
    let id = "must be 1 to 128 characters of A-Z, a-z, 0-9, _ and -";
    let name = "must be 1 to 64 characters of a-z, 0-9 and _";
    let instant = "must be an integer from 0 to 253402300799999";
    let url = "must be a string of at most 2048 characters";
    let short = "must be a string of at most 256 characters";
    let cases = [
        ("/batch_id", json!("a b"), "batch_id", id),
        ("/batch_id", json!(""), "batch_id", id),
        ("/batch_id", json!(7), "batch_id", id),
        ("/batch_id", json!("x".repeat(129)), "batch_id", id),
        ("/visitor/visitor_id", json!("v#1"), "visitor.visitor_id", id),
        ("/session/session_id", json!("ünicode"), "session.session_id", id),
        ("/sent_at", json!("1719302460000"), "sent_at", instant),
        ("/sent_at", json!(-1), "sent_at", instant),
        ("/sent_at", json!(-1.5), "sent_at", instant),
        ("/sent_at", json!(Millis::MAX.0 + 1), "sent_at", instant),
        ("/session/started_at", json!([NOW.0]), "session.started_at", instant),
        ("/events/1/created_at", json!(true), "events[1].created_at", instant),
        ("/page", json!("x".repeat(2_049)), "page", url),
        ("/page", json!(5), "page", url),
        ("/session/url", json!("x".repeat(2_049)), "session.url", url),
        ("/session/referrer", json!("ä".repeat(2_049)), "session.referrer", url),
        ("/events/0/url", json!("x".repeat(2_049)), "events[0].url", url),
        (
            "/session/utm_campaign",
            json!("x".repeat(513)),
            "session.utm_campaign",
            "must be a string of at most 512 characters",
        ),
        ("/visitor/fingerprint_hash", json!("x".repeat(257)), "visitor.fingerprint_hash", short),
        ("/visitor/timezone", json!({}), "visitor.timezone", short),
        ("/visitor/language", json!("x".repeat(257)), "visitor.language", short),
        ("/visitor/screen_width", json!(-1), "visitor.screen_width", "must be an integer from 0 to 4294967295"),
        (
            "/visitor/screen_height",
            json!(4_294_967_296_u64),
            "visitor.screen_height",
            "must be an integer from 0 to 4294967295",
        ),
        ("/visitor/ad_block", json!(2), "visitor.ad_block", "must be 0 or 1"),
        ("/visitor/ad_block", json!(true), "visitor.ad_block", "must be 0 or 1"),
        ("/visitor/bot_score", json!(101), "visitor.bot_score", "must be an integer from 0 to 100"),
        ("/visitor/ad_block", json!(0.5), "visitor.ad_block", "must be 0 or 1"),
        ("/session/max_scroll_depth", json!(101), "session.max_scroll_depth", "must be an integer from 0 to 100"),
        ("/session/click_count", json!("8"), "session.click_count", "must be an integer from 0 to 4294967295"),
        ("/visitor/aliases", json!(["a", ""]), "visitor.aliases[1]", "must be a string of 1 to 256 characters"),
        ("/visitor/aliases", json!([7]), "visitor.aliases[0]", "must be a string of 1 to 256 characters"),
        ("/visitor/aliases", json!(vec!["a"; 21]), "visitor.aliases", "must be an array of at most 20 items"),
        ("/events/0/name", json!("Page View"), "events[0].name", name),
        ("/events/0/name", json!(""), "events[0].name", name),
        ("/events/1/name", json!("x".repeat(65)), "events[1].name", name),
        ("/events/1/name", json!("page_vıew"), "events[1].name", name),
        ("/events/0/data", json!([1]), "events[0].data", "must be a JSON object"),
        ("/events/0/data", json!("text"), "events[0].data", "must be a JSON object"),
        ("/events/0/data", json!({ "a": "x".repeat(8_185) }), "events[0].data", "must be at most 8192 bytes of JSON"),
        ("/events", json!(vec![body()["events"][0].clone(); 101]), "events", "must be an array of at most 100 items"),
    ];
    for (pointer, value, field, rule) in cases {
        assert_eq!(refusal(&with(pointer, value.clone())), format!("{field}: {rule}"), "{value}");
    }
    for (pointer, field) in [("/visitor", "visitor"), ("/session", "session"), ("/events/0", "events[0]")] {
        for value in [json!([]), json!("text"), json!(1)] {
            let message = refusal(&with(pointer, value));
            assert!(message.starts_with(&format!("{field}: ")) && message.ends_with("a JSON object"), "{message}");
        }
    }
    let message = refusal(&with("/events", json!({})));
    assert!(message.starts_with("events: ") && message.contains("an array"), "{message}");
}

#[test]
fn values_at_their_limits_are_taken() {
    for (pointer, value) in [
        ("/batch_id", json!("x".repeat(128))),
        ("/page", json!("ä".repeat(2_048))),
        ("/session/referrer", json!("😀".repeat(2_048))),
        ("/session/utm_term", json!("x".repeat(512))),
        ("/visitor/fingerprint_hash", json!("x".repeat(256))),
        ("/visitor/screen_width", json!(u32::MAX)),
        ("/visitor/ad_block", json!(1)),
        ("/visitor/bot_score", json!(100)),
        ("/session/max_scroll_depth", json!(100)),
        ("/visitor/aliases", json!(vec!["x".repeat(256); 20])),
        ("/events/0/name", json!("x".repeat(64))),
        ("/events/0/data", json!({ "a": "x".repeat(8_184) })),
        ("/events/0/data", json!({})),
        ("/events", json!(vec![body()["events"][0].clone(); 100])),
    ] {
        collected(&with(pointer, value)).unwrap();
    }
}

#[test]
fn what_is_no_json_object_is_said_to_be_none() {
    let read = |bytes: &[u8]| Envelope::of(bytes).expect_err("no object").to_string();
    for bytes in [&b""[..], b"{", b"{\"key\":\"k\"} x", b"{'key':1}", b"key=1", b"{\"key\":\"k\",}"] {
        assert!(read(bytes).starts_with("body: is not valid JSON: "), "{}", read(bytes));
    }
    for bytes in [&b"[]"[..], b"5", b"null", b"\"text\"", b"[\"pk_live_x\"]"] {
        assert!(read(bytes).ends_with("expected a JSON object"), "{}", read(bytes));
    }
    assert!(read(b"{\"key\":\"\xff\"}").starts_with("body: is not UTF-8: "));
    assert_eq!(read(b"{}"), "key: is required");
    assert_eq!(read(b"{\"key\":null}"), "key: is required");
    assert!(read(b"{\"key\":5}").starts_with("key: must be a string"));
    assert_eq!(Envelope::of(b" {\"key\":\"k\",\"events\":7} "), Ok(Envelope { key: "k".to_owned(), events: 0 }));
}

#[test]
fn data_that_a_reader_could_not_take_is_refused() {
    for data in [r#"{"a":1e999}"#.to_owned(), format!("{{\"a\":{}{}}}", "[".repeat(500), "]".repeat(500))] {
        let text = body().to_string().replace(r##"{"selector":"#buy"}"##, &data);
        let refused = read(text.as_bytes(), NOW).expect_err("unreadable");
        assert_eq!(refused.field, "events[1].data", "{refused}");
    }
}

#[test]
fn data_is_kept_to_the_letter() {
    let data = r#"{ "b":1.0,  "a":"\u00e9", "n":12345678901234567890123 }"#;
    let text = body().to_string().replace(r##"{"selector":"#buy"}"##, data);
    let draft = read(text.as_bytes(), NOW).unwrap();
    assert_eq!(draft.events[1].data.as_ref().unwrap().get(), data);
}

/// As JavaScript writes a string that was cut in the middle of an emoji.
#[test]
fn half_of_a_surrogate_pair_costs_the_character_and_not_the_batch() {
    let text = body().to_string();
    let halved = text
        .replace(
            r##"{"selector":"#buy"}"##,
            r#"{"text":"Buy \uD83D","\udc00":["\\ud800","\ud83d\ude00"],"url":"/\uDFFF"}"#,
        )
        .replace(r#""language":"sr""#, r#""language":"s\udbff""#)
        .replace(r#""aliases":["user-42"]"#, r#""aliases":["\ud800"]"#)
        .replace(r#""page":"/pricing""#, r#""page":"/\ud83d\ud83d\ude00""#);
    for read in [read(halved.as_bytes(), NOW), read_line(halved.as_bytes())] {
        let draft = read.unwrap();
        let data = r#"{"text":"Buy \ufffd","\ufffd":["\\ud800","\ud83d\ude00"],"url":"/\ufffd"}"#;
        assert_eq!(draft.events[1].data.as_ref().unwrap().get(), data);
        assert_eq!(draft.events[1].url.as_deref(), Some("/\u{fffd}"));
        assert_eq!(draft.visitor.language.as_deref(), Some("s\u{fffd}"));
        assert_eq!(draft.visitor.aliases, ["\u{fffd}"]);
        assert_eq!(draft.page.as_deref(), Some("/\u{fffd}\u{1f600}"));
    }
    // An identifier is no text: the field is named.
    let refused = read(text.replace("b_1", r"b_\ud800").as_bytes(), NOW).expect_err("no id");
    assert_eq!(refused.field, "batch_id");
}

#[test]
fn an_events_page_is_its_url_else_its_datas_else_the_batchs() {
    let page = |event: Value| collected(&with("/events/0", event)).unwrap().events[0].url.clone();
    let at = NOW.0;
    assert_eq!(
        page(json!({ "name": "e", "created_at": at, "url": "/own", "data": { "url": "/data" } })).as_deref(),
        Some("/own")
    );
    for data in [json!({ "url": "/data" }), json!({ "url": "/data", "title": "T" })] {
        assert_eq!(page(json!({ "name": "e", "created_at": at, "data": data })).as_deref(), Some("/data"));
    }
    for data in
        [json!({}), json!(null), json!({ "url": 5 }), json!({ "url": null }), json!({ "url": "x".repeat(2_049) })]
    {
        assert_eq!(page(json!({ "name": "e", "created_at": at, "data": data })).as_deref(), Some("/pricing"));
    }
    let mut pageless = without("/page");
    pageless["events"][0] = json!({ "name": "e", "created_at": at });
    assert_eq!(collected(&pageless).unwrap().events[0].url, None);
}

#[test]
fn a_visitor_names_itself_or_is_told_by_its_session() {
    let sender = |body: &Value| batch::collected(body.to_string().as_bytes(), NOW).unwrap().0;
    assert_eq!(sender(&body()), Sender::Named("v_1".parse().unwrap()));
    let started_at = NOW.0 - 60_000;
    for nameless in
        [without("/visitor/visitor_id"), with("/visitor", json!({})), with("/visitor/visitor_id", Value::Null)]
    {
        assert_eq!(sender(&nameless), Sender::Unnamed(Millis(started_at)));
    }
    // By the client's clock, also where that is wrong.
    let mut skewed = skewed(-3_600_000);
    skewed["visitor"] = json!({});
    assert_eq!(sender(&skewed), Sender::Unnamed(Millis(started_at - 3_600_000)));
}

#[test]
fn an_imported_visitor_without_id_is_known_by_its_projects_fingerprint() {
    let imported = |project: &str, fingerprint: Value| {
        let mut body = without("/visitor/visitor_id");
        body["visitor"]["fingerprint_hash"] = fingerprint;
        batch::imported(body.to_string().as_bytes(), &project.parse().unwrap()).map(|(visitor, _)| visitor)
    };
    let id = |project, fingerprint: &str| imported(project, json!(fingerprint)).unwrap().as_str().to_owned();
    // The start of `printf 'demo#8f14e45f' | sha256sum`.
    assert_eq!(id("demo", "8f14e45f"), "v_ab0f0609583472cb2930fd82");
    assert_ne!(id("demo", "8f14e45f"), id("shop", "8f14e45f"));
    assert_ne!(id("demo", "8f14e45f"), id("demo", "8f14e45e"));
    for none in [json!(""), Value::Null] {
        let refusal = imported("demo", none).expect_err("nobody").to_string();
        assert_eq!(refusal, "visitor.visitor_id: is required where there is no fingerprint_hash");
    }
}

/// The body as a client sends it whose clock is off by so many milliseconds.
fn skewed(skew: i64) -> Value {
    let mut body = body();
    for pointer in ["/sent_at", "/session/started_at", "/events/0/created_at", "/events/1/created_at"] {
        let instant = body.pointer_mut(pointer).unwrap();
        *instant = json!(instant.as_i64().unwrap() + skew);
    }
    body
}

#[test]
fn clocks_that_differ_by_over_two_seconds_are_corrected() {
    let instants = |skew: i64| {
        let draft = collected(&skewed(skew)).unwrap();
        let mut all = vec![draft.sent_at.0, draft.session.started_at.0];
        all.extend(draft.events.iter().map(|event| event.created_at.0));
        all.iter().map(|at| at - NOW.0).collect::<Vec<_>>()
    };
    for skew in [2_001, -2_001, 3_600_000, -3_600_000, 400 * 86_400_000, -400 * 86_400_000, -NOW.0 + 60_000] {
        assert_eq!(instants(skew), [0, -60_000, -60_000, -1_000], "corrected by {skew}");
    }
    for skew in [0, 2_000, -2_000] {
        assert_eq!(instants(skew), [skew, skew - 60_000, skew - 60_000, skew - 1_000], "left with {skew}");
    }
}

#[test]
fn events_too_old_or_too_far_ahead_are_refused_by_the_servers_clock() {
    const WEEK: i64 = 7 * 86_400_000;
    const AHEAD: i64 = 300_000;
    for skew in [0, 86_400_000, -86_400_000] {
        let with_event = |offset: i64| {
            let mut body = skewed(skew);
            body["events"][1]["created_at"] = json!(NOW.0 + skew + offset);
            collected(&body).map(|draft| draft.events[1].created_at.0 - NOW.0)
        };
        assert_eq!(with_event(-WEEK), Ok(-WEEK));
        assert_eq!(with_event(AHEAD), Ok(AHEAD));
        assert_eq!(
            with_event(-WEEK - 1).unwrap_err().to_string(),
            "events[1].created_at: must not lie more than 7 days back"
        );
        assert_eq!(
            with_event(AHEAD + 1).unwrap_err().to_string(),
            "events[1].created_at: must not lie more than 5 minutes ahead"
        );
    }
}

/// A session's start is moved to where it may lie, and no batch is lost for it.
#[test]
fn a_start_lies_at_most_a_day_before_the_oldest_event_and_eight_days_back() {
    const DAY: i64 = 86_400_000;
    let started = |skew: i64, start: i64, oldest: i64| {
        let mut body = skewed(skew);
        body["session"]["started_at"] = json!((NOW.0 + skew + start).max(0));
        body["events"][0]["created_at"] = json!(NOW.0 + skew + oldest);
        collected(&body).unwrap().session.started_at.0 - NOW.0
    };
    for skew in [0, DAY, -DAY] {
        for (start, oldest, expected) in [
            (-DAY - 60_000, -60_000, -DAY - 60_000),
            (-DAY - 60_001, -60_000, -DAY - 60_000),
            (-60 * DAY, -60_000, -DAY - 60_000),
            (-8 * DAY, -7 * DAY, -8 * DAY),
            (-NOW.0, -7 * DAY, -8 * DAY),
            (-60_000, -7 * DAY, -60_000),
            (0, -60_000, 0),
            (1, -60_000, 0),
            (400 * DAY, -60_000, 0),
        ] {
            assert_eq!(started(skew, start, oldest), expected, "{skew}: {start} with {oldest}");
        }
    }
    let mut heartbeat = body();
    heartbeat["events"] = json!([]);
    heartbeat["session"]["started_at"] = json!(NOW.0 - 5 * DAY);
    assert_eq!(collected(&heartbeat).unwrap().session.started_at.0, NOW.0 - DAY);
}

#[test]
fn an_event_that_a_correction_moves_to_before_1970_is_refused() {
    let mut body = skewed(60_000_000);
    body["session"]["started_at"] = json!(0);
    assert!(collected(&body).is_ok());
    body["events"][0]["created_at"] = json!(0);
    assert_eq!(collected(&body).unwrap_err().field, "events[0].created_at");
}

#[test]
fn an_imported_line_is_of_any_age_and_keeps_its_clock() {
    let mut line = body();
    line.as_object_mut().unwrap().remove("key");
    for (sent_at, created_at) in [(0, 0), (1_000_000, 5), (NOW.0, 0), (NOW.0, Millis::MAX.0), (Millis::MAX.0, 7)] {
        line["sent_at"] = json!(sent_at);
        line["events"][0]["created_at"] = json!(created_at);
        line["session"]["started_at"] = json!(created_at);
        let draft = imported(&line).unwrap();
        assert_eq!((draft.sent_at.0, draft.events[0].created_at.0), (sent_at, created_at));
        assert_eq!(draft.session.started_at.0, created_at);
    }
}

#[test]
fn an_imported_line_says_what_the_server_would_have_known() {
    let mut line = body();
    for (name, value) in [
        ("browser_name", json!("Chrome")),
        ("browser_version", json!("126.0.0.0")),
        ("os", json!("Windows")),
        ("mobile", json!(0)),
        ("geo_country", json!("Serbia")),
        ("geo_country_code", json!("RS")),
        ("geo_city", json!("Belgrade")),
        ("ip", json!("203.0.113.9")),
    ] {
        line["visitor"][name] = value;
    }
    let draft = imported(&line).unwrap();
    assert_eq!(draft.visitor.browser_name.as_deref(), Some("Chrome"));
    assert_eq!(draft.visitor.browser_version.as_deref(), Some("126.0.0.0"));
    assert_eq!((draft.visitor.os.as_deref(), draft.visitor.mobile), (Some("Windows"), Some(0)));
    assert_eq!(draft.visitor.geo_country.as_deref(), Some("Serbia"));
    assert_eq!(draft.visitor.geo_country_code.as_deref(), Some("RS"));
    assert_eq!(draft.visitor.geo_city.as_deref(), Some("Belgrade"));
    assert_eq!(draft.ip, "203.0.113.9".parse().ok());
    assert_eq!(draft.visitor.timezone.as_deref(), Some("Europe/Belgrade"), "and all that a tracker says");

    let refusal = |name: &str, value: Value| {
        let mut wrong = line.clone();
        wrong["visitor"][name] = value;
        imported(&wrong).unwrap_err().to_string()
    };
    assert_eq!(refusal("mobile", json!(2)), "visitor.mobile: must be 0 or 1");
    assert_eq!(refusal("ip", json!("nowhere")), "visitor.ip: must be an IPv4 or IPv6 address");
    assert_eq!(refusal("os", json!(5)), "visitor.os: must be a string of at most 256 characters");
    assert_eq!(refusal("bot_score", json!(101)), "visitor.bot_score: must be an integer from 0 to 100");
    let mut many = line.clone();
    many["events"] = json!(vec![body()["events"][0].clone(); 101]);
    assert_eq!(imported(&many).unwrap_err().field, "events");
    let mut nobody = line.clone();
    nobody.as_object_mut().unwrap().remove("visitor");
    assert_eq!(imported(&nobody).unwrap_err().to_string(), "visitor: is required");
}

/// JSON of any shape, in the names that the collector reads.
fn any_json() -> impl Strategy<Value = Value> {
    let names = [
        "key",
        "batch_id",
        "sent_at",
        "page",
        "visitor",
        "session",
        "events",
        "visitor_id",
        "session_id",
        "started_at",
        "name",
        "created_at",
        "data",
        "url",
        "aliases",
        "ip",
        "fingerprint_hash",
        "click_count",
        "other",
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        (NOW.0 - 1_000..NOW.0 + 1_000).prop_map(Value::from),
        "\\PC{0,8}".prop_map(Value::from),
        "[a-z_]{1,8}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 40, 6, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            proptest::collection::hash_map(
                proptest::sample::select(names.to_vec()).prop_map(str::to_owned),
                inner,
                0..8
            )
            .prop_map(|entries| Value::Object(entries.into_iter().collect())),
        ]
    })
}

/// What is true of every batch that was taken.
fn keeps_the_rules(draft: &Draft) -> bool {
    let fits = |text: Option<&str>| text.is_none_or(|text| text.chars().count() <= 2_048);
    let real = |at: Millis| (0..=Millis::MAX.0).contains(&at.0);
    draft.events.len() <= 100
        && fits(draft.page.as_deref())
        && real(draft.sent_at)
        && real(draft.session.started_at)
        && draft.visitor.bot_score <= 100
        && draft.events.iter().all(|event| {
            let data = event.data.as_ref().map_or("{}", |data| data.get());
            real(event.created_at)
                && fits(event.url.as_deref())
                && data.len() <= 8_192
                && serde_json::from_str::<Value>(data).is_ok_and(|data| data.is_object())
        })
}

fn judge(bytes: &[u8], now: Millis) -> Result<(), TestCaseError> {
    for outcome in [read(bytes, now), read_line(bytes)] {
        match outcome {
            Ok(draft) => prop_assert!(keeps_the_rules(&draft)),
            Err(invalid) => prop_assert!(!invalid.field.is_empty() && !invalid.problem.is_empty()),
        }
    }
    let _ = Envelope::of(bytes);
    Ok(())
}

proptest! {
    #[test]
    fn any_bytes_are_judged(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        judge(&bytes, NOW)?;
    }

    #[test]
    fn any_json_is_judged(body in any_json()) {
        judge(body.to_string().as_bytes(), NOW)?;
    }

    #[test]
    fn any_change_of_a_good_body_is_judged(
        place in proptest::sample::select(vec![
            "/batch_id", "/sent_at", "/page", "/visitor", "/visitor/visitor_id", "/visitor/aliases", "/visitor/bot_score",
            "/session", "/session/started_at", "/session/url", "/events", "/events/0", "/events/1", "/events/0/name",
            "/events/0/created_at", "/events/0/data", "/events/1/url",
        ]),
        value in any_json(),
        now in 0..=Millis::MAX.0,
    ) {
        judge(with(place, value).to_string().as_bytes(), Millis(now))?;
    }

    #[test]
    fn any_cut_of_a_good_body_is_refused(at in 0..body().to_string().len()) {
        let text = body().to_string();
        prop_assert!(read(text.as_bytes().get(..at).unwrap_or_default(), NOW).is_err());
    }
}
