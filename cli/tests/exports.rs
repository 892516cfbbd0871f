//! `identity import --from`: what other tools export, in the shapes that they publish, read back from the API.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod common;

use std::process::Output;

use common::{Dev, assert_status, run, run_with_input, stderr, stdout};
use serde_json::{Value, json};

const GA4: &str = include_str!("samples/ga4.jsonl");
const UMAMI: &str = include_str!("samples/umami.csv");
const PLAUSIBLE: &str = include_str!("samples/plausible.jsonl");
const MATOMO: &str = include_str!("samples/matomo.json");

/// The days of the samples.
const RANGE: &str = "start_date=2024-06-25&end_date=2024-06-26";

fn import(dev: &Dev, source: &str, text: &str) -> Output {
    run_with_input(&["import", "--from", source, "-", "--endpoint-url", &dev.endpoint], text)
}

fn noted(output: &Output, begin: &str) -> Vec<String> {
    stderr(output).lines().filter(|line| line.starts_with(begin)).map(str::to_owned).collect()
}

/// What an endpoint answers of the samples' days, and of it the fields that are named.
async fn figures<const N: usize>(dev: &Dev, path: &str, fields: [&str; N]) -> [Value; N] {
    let answer = dev.get(&format!("{path}?{RANGE}")).await;
    fields.map(|field| answer["data"][field].clone())
}

/// A table's rows, each as the values of some of its columns.
fn columns<const N: usize>(rows: &Value, names: [&str; N]) -> Value {
    let rows = rows.as_array().unwrap().iter();
    rows.map(|row| names.map(|name| row[name].clone()).to_vec()).collect::<Vec<_>>().into()
}

async fn totals(dev: &Dev) -> [Value; 4] {
    figures(dev, "/stats", ["total_visitors", "total_sessions", "total_page_views", "total_events"]).await
}

async fn pages(dev: &Dev) -> Value {
    let [pages] = figures(dev, "/pages", ["top_pages"]).await;
    columns(&pages, ["url", "views", "unique_visitors"])
}

async fn channels(dev: &Dev) -> Value {
    let [channels] = figures(dev, "/acquisition", ["channels"]).await;
    columns(&channels, ["channel", "sessions"])
}

async fn countries(dev: &Dev) -> Value {
    let [countries] = figures(dev, "/audience", ["countries"]).await;
    columns(&countries, ["country_code", "country", "visitors"])
}

/// A second import of the same file stores nothing, and no figure changes.
async fn changes_nothing(dev: &Dev, source: &str, text: &str, expected: &str) {
    let paths = ["/stats", "/pages", "/acquisition", "/audience", "/sessions", "/events", "/visitors"];
    let mut before = Vec::new();
    for path in paths {
        before.push(dev.get(&format!("{path}?{RANGE}")).await);
    }
    let again = import(dev, source, text);
    assert_eq!(stdout(&again), expected);
    for (path, before) in paths.iter().zip(before) {
        assert_eq!(dev.get(&format!("{path}?{RANGE}")).await, before, "{path}");
    }
}

#[tokio::test]
async fn google_analytics_rows_become_visits() {
    let dev = Dev::start(&["--empty"]);
    let output = import(&dev, "ga4", GA4);
    assert_status(&output, 1);
    assert_eq!(stdout(&output), "14 rows, 4 batches: 4 stored, 0 already there; 2 rows refused\n");
    assert_eq!(
        noted(&output, "line "),
        ["line 5: is a JSON object that does not end", "line 10: event_timestamp: must be Unix microseconds",]
    );
    assert_eq!(
        noted(&output, "not carried over: "),
        [
            "not carried over: 1 events of no session (no ga_session_id), left out",
            "not carried over: 1 events of nobody (no user_pseudo_id, as without consent), left out",
            "not carried over: 1 events whose purchase items were left out",
            "not carried over: 1 page views whose address is taken without its query",
        ]
    );

    assert_eq!(totals(&dev).await, [json!(3), json!(3), json!(5), json!(10)]);
    assert_eq!(pages(&dev).await, json!([["/pricing", 2, 2], ["/", 1, 1], ["/landing", 1, 1], ["/news", 1, 1]]));
    assert_eq!(channels(&dev).await, json!([["Email", 1], ["Organic Search", 1], ["Paid Search", 1]]));
    assert_eq!(countries(&dev).await, json!([["GB", "United Kingdom", 2], ["RS", "Serbia", 1]]));

    let session = dev.get("/sessions/ga4_1093824756_1719302399__1719302400").await["data"].clone();
    for (field, expected) in [
        ("visitor_id", json!("ga4_1093824756_1719302399")),
        ("started_at", json!(1_719_302_400_000_i64)),
        ("duration_ms", json!(60_000)),
        ("url", json!("/")),
        ("referrer", json!("https://www.google.com/search")),
        ("utm_source", json!(null)),
        ("max_scroll_depth", json!(90)),
        ("page_views", json!(2)),
        ("event_count", json!(6)),
    ] {
        assert_eq!(session[field], expected, "{field}");
    }
    let names: Vec<_> = session["events"].as_array().unwrap().iter().map(|event| event["name"].clone()).collect();
    assert_eq!(names, ["session_start", "first_visit", "page_view", "scroll", "page_view", "purchase"]);
    assert_eq!(
        session["events"][5]["data"],
        json!({ "value": 59.9, "currency": "EUR", "transaction_id": "T-1", "purchase_revenue": 59.9 })
    );
    assert_eq!(session["events"][4]["data"], json!({ "url": "/pricing", "title": "(1) Pricing" }));

    let visitor = dev.get("/visitors/ga4_77_1719300000").await["data"].clone();
    for (field, expected) in [
        ("browser_name", json!("Safari")),
        ("browser_version", json!("17.5")),
        ("os", json!("iOS")),
        ("mobile", json!(1)),
        ("language", json!("sr")),
        ("geo_city", json!("Novi Sad")),
    ] {
        assert_eq!(visitor[field], expected, "{field}");
    }
    assert_eq!(visitor["events"][0]["name"], "outbound_click");
    assert_eq!(dev.get("/visitors/ga4_1093824756_1719302399").await["data"]["aliases"], json!(["customer-1"]));
    changes_nothing(&dev, "ga4", GA4, "14 rows, 4 batches: 0 stored, 4 already there; 2 rows refused\n").await;
}

#[tokio::test]
async fn days_of_google_analytics_can_be_imported_one_by_one() {
    let day = |day: &str| {
        let rows = GA4.lines().filter(|line| line.contains(&format!("\"event_date\": \"{day}\"")));
        rows.map(|line| format!("{line}\n")).collect::<String>()
    };
    let dev = Dev::start(&["--empty"]);
    assert_eq!(
        stdout(&import(&dev, "ga4", &day("20240625"))),
        "12 rows, 3 batches: 3 stored, 0 already there; 1 rows refused\n"
    );
    assert_eq!(
        stdout(&import(&dev, "ga4", &day("20240626"))),
        "1 rows, 1 batches: 1 stored, 0 already there; 0 rows refused\n"
    );
    let all = import(&dev, "ga4", GA4);
    assert_eq!(stdout(&all), "14 rows, 4 batches: 0 stored, 4 already there; 2 rows refused\n");
    assert_eq!(totals(&dev).await, [json!(3), json!(3), json!(5), json!(10)]);
}

#[tokio::test]
async fn umami_rows_become_visits() {
    let dev = Dev::start(&["--empty"]);
    let output = import(&dev, "umami", UMAMI);
    assert_status(&output, 1);
    assert_eq!(stdout(&output), "9 rows, 3 batches: 3 stored, 0 already there; 2 rows refused\n");
    assert_eq!(
        noted(&output, "line "),
        ["line 5: is a row of 3 cells under a heading of 41", "line 6: created_at: must be 2024-06-25 08:00:00",]
    );
    assert_eq!(
        noted(&output, "not carried over: "),
        [
            "not carried over: 1 clicks of links and views of pixels, which are no visits, left out",
            "not carried over: 1 page views whose address is taken without its query",
        ]
    );

    assert_eq!(totals(&dev).await, [json!(2), json!(3), json!(4), json!(6)]);
    assert_eq!(pages(&dev).await, json!([["/", 1, 1], ["/caf%C3%A9", 1, 1], ["/news", 1, 1], ["/pricing", 1, 1]]));
    assert_eq!(channels(&dev).await, json!([["Email", 1], ["Paid Search", 1], ["Referral", 1]]));
    assert_eq!(countries(&dev).await, json!([["RS", "Serbia", 1], ["GB", "United Kingdom", 1]]));
    let session = dev.get("/sessions/umami_0b9e7a5c-1111-6111-8111-111111111111").await["data"].clone();
    for (field, expected) in [
        ("visitor_id", json!("umami_0b9e7a5c-1111-5111-8111-111111111111")),
        ("duration_ms", json!(61_000)),
        ("url", json!("/")),
        ("referrer", json!("https://partner.example/links")),
        ("page_views", json!(2)),
    ] {
        assert_eq!(session[field], expected, "{field}");
    }
    assert_eq!(session["events"][0]["data"], json!({ "url": "/", "title": "Shop, \"the\" one" }));
    assert_eq!(
        (&session["events"][2]["name"], &session["events"][2]["data"]),
        (&json!("sign_up"), &json!({ "tag": "b" }))
    );
    let [vitals] = figures(&dev, "/metrics", ["web_vitals"]).await;
    assert_eq!(
        (&vitals["lcp"]["samples"], &vitals["lcp"]["good"], &vitals["inp"]["samples"]),
        (&json!(1), &json!(1), &json!(0))
    );
    let visitor = dev.get("/visitors/umami_0b9e7a5c-2222-5222-8222-222222222222").await["data"].clone();
    for (field, expected) in [
        ("browser_name", json!("Safari")),
        ("os", json!("iOS")),
        ("mobile", json!(1)),
        ("screen_width", json!(390)),
        ("visit_count", json!(2)),
    ] {
        assert_eq!(visitor[field], expected, "{field}");
    }
    changes_nothing(&dev, "umami", UMAMI, "9 rows, 3 batches: 0 stored, 3 already there; 2 rows refused\n").await;
}

#[tokio::test]
async fn plausible_rows_become_visits() {
    let dev = Dev::start(&["--empty"]);
    let output = import(&dev, "plausible", PLAUSIBLE);
    assert_status(&output, 1);
    assert_eq!(stdout(&output), "8 rows, 3 batches: 3 stored, 0 already there; 2 rows refused\n");
    assert_eq!(noted(&output, "line "), ["line 5: user_id: is required", "line 8: is no JSON object"]);
    assert_eq!(
        noted(&output, "not carried over: "),
        ["not carried over: 4 events whose city is known by a number alone, left out",]
    );

    assert_eq!(totals(&dev).await, [json!(2), json!(3), json!(4), json!(6)]);
    assert_eq!(pages(&dev).await, json!([["/", 1, 1], ["/landing", 1, 1], ["/news", 1, 1], ["/pricing", 1, 1]]));
    assert_eq!(channels(&dev).await, json!([["Email", 1], ["Paid Search", 1], ["Referral", 1]]));
    assert_eq!(countries(&dev).await, json!([["RS", "Serbia", 1], ["GB", "United Kingdom", 1]]));
    let session = dev.get("/sessions/plausible_8434712930912348123__1111111111111111111").await["data"].clone();
    for (field, expected) in [
        ("visitor_id", json!("plausible_8434712930912348123")),
        ("duration_ms", json!(60_000)),
        ("referrer", json!("https://partner.example/links")),
        ("max_scroll_depth", json!(80)),
        ("page_views", json!(2)),
    ] {
        assert_eq!(session[field], expected, "{field}");
    }
    let (clicked, url) = (&session["events"][3], json!({ "url": "https://elsewhere.example/a" }));
    assert_eq!(
        (&clicked["name"], &clicked["url"], &clicked["data"]),
        (&json!("outbound_link_click"), &json!("/pricing"), &url)
    );
    let visitor = dev.get("/visitors/plausible_9007199254740993").await["data"].clone();
    assert_eq!(
        (&visitor["os"], &visitor["mobile"], &visitor["visit_count"]),
        (&json!("Android"), &json!(1), &json!(2))
    );
    changes_nothing(&dev, "plausible", PLAUSIBLE, "8 rows, 3 batches: 0 stored, 3 already there; 2 rows refused\n")
        .await;
}

#[tokio::test]
async fn matomo_visits_become_visits() {
    let dev = Dev::start(&["--empty"]);
    let output = import(&dev, "matomo", MATOMO);
    assert_status(&output, 1);
    assert_eq!(stdout(&output), "4 rows, 2 batches: 2 stored, 0 already there; 1 rows refused\n");
    assert_eq!(noted(&output, "line "), ["line 3: idVisit: is required"]);
    assert_eq!(
        noted(&output, "not carried over: "),
        [
            "not carried over: 1 actions of other kinds (content, media, forms and others), left out",
            "not carried over: 1 orders and carts whose items were left out",
            "not carried over: 1 page views whose address is taken without its query",
            "not carried over: 1 visits without any action, left out",
        ]
    );

    assert_eq!(totals(&dev).await, [json!(2), json!(2), json!(3), json!(8)]);
    assert_eq!(pages(&dev).await, json!([["/", 1, 1], ["/news", 1, 1], ["/pricing", 1, 1]]));
    assert_eq!(channels(&dev).await, json!([["Email", 1], ["Referral", 1]]));
    assert_eq!(countries(&dev).await, json!([["GB", "United Kingdom", 1], ["RS", "Serbia", 1]]));
    let session = dev.get("/sessions/matomo_41").await["data"].clone();
    for (field, expected) in [
        ("visitor_id", json!("matomo_9d3f0a1b2c4d5e6f")),
        ("duration_ms", json!(60_000)),
        ("url", json!("/")),
        ("referrer", json!("https://partner.example/links")),
    ] {
        assert_eq!(session[field], expected, "{field}");
    }
    let events: Vec<_> = session["events"]
        .as_array()
        .unwrap()
        .iter()
        .map(|event| (event["name"].clone(), event["url"].clone()))
        .collect();
    let expected = [
        ("page_view", "/"),
        ("page_view", "/pricing"),
        ("video_play", "/pricing"),
        ("site_search", "/pricing"),
        ("outlink", "/pricing"),
        ("ecommerce_order", "/pricing"),
        ("goal", "/pricing"),
    ];
    assert_eq!(events, expected.map(|(name, url)| (json!(name), json!(url))));
    assert_eq!(session["events"][0]["data"]["title"], "It's a shop");
    assert_eq!(
        session["events"][2]["data"],
        json!({ "category": "Video", "action": "Play", "name": "Tour", "value": 3.0 })
    );
    let visitor = dev.get("/visitors/matomo_1111aaaa2222bbbb").await["data"].clone();
    assert_eq!(
        (&visitor["browser_name"], &visitor["os"], &visitor["geo_city"]),
        (&json!("Safari"), &json!("iOS"), &json!("Novi Sad"))
    );
    changes_nothing(&dev, "matomo", MATOMO, "4 rows, 2 batches: 0 stored, 2 already there; 1 rows refused\n").await;
}

#[tokio::test]
async fn columns_and_orders_that_are_new_change_nothing() {
    let dev = Dev::start(&["--empty"]);
    let heading = UMAMI.lines().next().unwrap();
    let row = "w,v1,v1,e1,shop.example,chrome,Linux,desktop,1440x900,en,GB,GB-ENG,Leeds,/,,,,,,,,,,Shop,,,,,,,\\N,\\N,\\N,\\N,\\N,1,,,,2024-06-25 08:00:00,\\N";
    let later = row.replace("08:00:00", "08:05:00").replace("e1", "e2").replace(",/,", ",/late,");
    let text = format!("new,{heading}\nx,{later}\ny,{row}\n");
    assert_eq!(stdout(&import(&dev, "umami", &text)), "2 rows, 1 batches: 1 stored, 0 already there; 0 rows refused\n");
    let session = dev.get("/sessions/umami_v1").await["data"].clone();
    assert_eq!((&session["url"], &session["duration_ms"]), (&json!("/"), &json!(300_000)));
}

#[tokio::test]
async fn what_is_in_an_input_twice_is_imported_once() {
    let dev = Dev::start(&["--empty"]);
    let heading = UMAMI.lines().next().unwrap();
    let again = UMAMI.strip_prefix(heading).unwrap();
    for (source, text) in [("ga4", GA4.repeat(2)), ("matomo", MATOMO.repeat(2)), ("umami", format!("{UMAMI}{again}"))] {
        import(&dev, source, &text);
    }
    let once = [[3, 3, 5, 10], [2, 2, 3, 8], [2, 3, 4, 6]];
    let sums = [0, 1, 2, 3].map(|at| json!(once.iter().map(|totals| totals[at]).sum::<u64>()));
    assert_eq!(totals(&dev).await, sums);
}

#[tokio::test]
async fn parameters_of_a_pages_address_are_kept_where_they_are_named() {
    let dev = Dev::start(&["--empty"]);
    let line = ["import", "--from", "matomo", "--params", "tab,plan", "-", "--endpoint-url", &dev.endpoint];
    let output = run_with_input(&line, MATOMO);
    assert!(noted(&output, "not carried over: ").iter().all(|line| !line.contains("query")), "{}", stderr(&output));
    assert_eq!(pages(&dev).await, json!([["/", 1, 1], ["/news", 1, 1], ["/pricing?plan=team", 1, 1]]));
}

#[tokio::test]
async fn a_long_visit_is_stored_in_parts_and_ends_after_a_day() {
    const START: i64 = 1_719_302_400;
    let dev = Dev::start(&["--empty"]);
    // 250 page views, a minute apart, and one two days later.
    let mut seconds: Vec<i64> = (0..250).map(|minute| START + minute * 60).collect();
    seconds.push(START + 2 * 86_400);
    let actions: Vec<_> =
        seconds.iter().map(|at| json!({ "type": "action", "url": "https://shop.example/", "timestamp": at })).collect();
    let visit = json!({ "idVisit": 1, "visitorId": "aa", "actionDetails": actions });
    let output = import(&dev, "matomo", &visit.to_string());
    assert_status(&output, 0);
    assert_eq!(stdout(&output), "1 rows, 4 batches: 4 stored, 0 already there; 0 rows refused\n");
    let session = dev.get("/sessions/matomo_1").await["data"].clone();
    assert_eq!((&session["page_views"], &session["duration_ms"]), (&json!(250), &json!(249 * 60_000)));
    assert_eq!(dev.get("/sessions/matomo_1_2").await["data"]["page_views"], 1);
}

#[tokio::test]
async fn what_is_no_export_of_the_tool_is_said() {
    let dev = Dev::start(&["--empty"]);
    let zip = "PK\u{3}\u{4}\u{14}\0";
    let strange = "no,rows\n".repeat(1_000);
    for (source, text, said) in [
        ("plausible", "\"date\",\"visitors\",\"pageviews\"\n\"2024-06-25\",\"1\",\"2\"\n", "holds totals by day"),
        ("plausible", zip, "holds totals by day"),
        ("umami", zip, "website_event.csv"),
        ("umami", "x,y\n/,12\n", "missing: session_id, created_at, url_path"),
        ("umami", "", "missing: session_id, created_at, url_path"),
        ("ga4", &strange, "none of the first 20 rows can be read"),
        ("matomo", "{\"result\":\"error\",\"message\":\"no access\"}", "is an error that Matomo answered: no access"),
    ] {
        let output = import(&dev, source, text);
        assert_status(&output, 1);
        assert!(stderr(&output).contains(said), "{source}: {}", stderr(&output));
        assert!(stderr(&output).lines().count() < 30, "{source}: {}", stderr(&output));
    }
    assert_eq!(dev.get("/stats").await["data"]["total_sessions"], 0);
}

#[test]
fn the_help_shows_each_tool() {
    let help = stdout(&run(&["import", "--help"]));
    for source in ["ga4", "umami", "plausible", "matomo"] {
        assert!(help.contains(&format!("--from {source} ")), "{help}");
    }
}
