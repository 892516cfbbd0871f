//! A visitor that turns out to be a bot leaves no trace in any figure, and who is one is told from what browsers send.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use reqwest::Client;
use serde_json::{Value, json};
use shared::routes::{Answers, COLLECT, ROUTES, Route};
use tests::clock::now;
use tests::example::page_view;
use tests::http::{get, send};
use tests::sent::{Event, Sent};
use tests::stack::{Counting, Project, Stack};
use tests::tracker::{Tracker, USER_AGENT, keyed};

/// The endpoints that are about more than one visitor.
fn resources() -> impl Iterator<Item = &'static str> {
    ROUTES.iter().filter(|route| route.reads_a_project() && route.answers != Answers::One).map(Route::resource)
}

/// Something for every figure there is.
fn events(at: i64) -> Vec<Event> {
    let kinds = [
        ("page_view", json!({ "url": "/", "title": "Home" })),
        ("page_view", json!({ "url": "/pricing" })),
        ("rage_click", json!({ "selector": "#buy", "url": "/" })),
        ("dead_click", json!({ "selector": "#sell", "url": "/" })),
        ("phantom_click", json!({ "selector": "#gone", "url": "/" })),
        ("js_exception", json!({ "message": "undefined is not a function" })),
        ("console_warning", json!({ "message": "deprecated" })),
        ("form_abandon", json!({ "form": "#order", "last_field": "email", "time_spent_ms": 900 })),
        ("field_hesitation", json!({ "form": "#order", "field": "email", "hesitation_ms": 4_000 })),
        (
            "reading_behavior",
            json!({ "scroll_depth": 50, "active_time_ms": 10, "total_time_ms": 20, "scroll_velocity": 1.5 }),
        ),
        ("seo_diagnostics", json!({ "url": "/", "title": "Home", "h1_count": 0, "issues": ["missing_h1"] })),
        ("web_vitals", json!({ "lcp": 2_500, "cls": 0.1 })),
    ];
    let event = |(position, (name, data)): (usize, (&str, Value))| Event {
        name: name.to_owned(),
        url: None,
        created_at: at + position as i64,
        data: Some(data),
    };
    kinds.into_iter().enumerate().map(event).collect()
}

async fn answers(stack: &Stack, project: &Project) -> Vec<(&'static str, Value)> {
    let mut answers = Vec::new();
    for path in resources() {
        answers.push((path, get(&stack.at(path), &project.secret_key).await.ok()));
    }
    answers
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_bot_left_is_in_no_figure_any_more() {
    let stack = Stack::start(Counting::ByStream).await;
    let (project, untouched) = (stack.project().await, stack.project().await);
    let nothing = answers(&stack, &untouched).await;
    let send = async |sent: Sent| {
        let stored = Tracker::default().send(&stack, &project, sent).await.unwrap();
        stack.counted(&project.id, &[stored]).await;
    };
    for number in 1..=3 {
        let mut sent = page_view("v_1", &format!("ses_{number}"), "b_1", now() - number * 60_000);
        sent.session.referrer = Some("https://www.google.com/".to_owned());
        sent.session.utm_source = Some("newsletter".to_owned());
        sent.events = events(sent.session.started_at);
        send(sent).await;
    }
    for ((path, empty), (_, full)) in nothing.iter().zip(answers(&stack, &project).await) {
        assert_ne!(*empty, full, "{path} shows what the visitor did while it is no bot");
    }
    let mut flagged = page_view("v_1", "ses_1", "b_2", now());
    flagged.visitor.bot_score = Some(41);
    send(flagged).await;
    for ((path, empty), (_, left)) in nothing.iter().zip(answers(&stack, &project).await) {
        assert_eq!(*empty, left, "{path}");
    }
    stack.shutdown().await;
}

/// Sends a page view of a visitor with a request's headers, and waits until it is counted.
async fn visit(stack: &Stack, project: &Project, visitor: &str, headers: &[(&str, &str)]) {
    let sent = page_view(visitor, &format!("ses_of_{visitor}"), "b_1", now());
    let request = Client::new().post(format!("{}{COLLECT}", stack.origin()));
    let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
    let answer = send(request.body(keyed(&sent, &project.public_key).to_string())).await;
    assert_eq!(answer.status, 202, "{answer:?}");
    stack.counted(&project.id, &[sent]).await;
}

/// What a page view with these user agents makes of their visitors, by number, and how many visitors there are.
async fn scores(stack: &Stack, project: &Project, agents: &[String]) -> (Vec<Value>, Value) {
    let mut scores = Vec::new();
    for (number, agent) in agents.iter().enumerate() {
        let visitor = format!("v_{number}");
        visit(stack, project, &visitor, &[("user-agent", agent)]).await;
        let found = get(&stack.at(&format!("visitors/{visitor}")), &project.secret_key).await.ok();
        scores.push(found["data"]["bot_score"].clone());
    }
    let listed = get(&stack.at("visitors"), &project.secret_key).await.ok();
    (scores, listed["pagination"]["total"].clone())
}

#[tokio::test(flavor = "multi_thread")]
async fn monitors_agents_and_programs_are_no_visitors() {
    let stack = Stack::start(Counting::ByStream).await;
    let project = stack.project().await;
    let pretending =
        ["DatadogSynthetics", "NewRelicSynthetics/1.0", "(ThousandEyes Agent)", "; Manus-User/1.0", "Crawl4AI/0.4"];
    let alone =
        ["Claude-User/1.0", "meta-externalagent/1.1", "node", "-", "Mozilla/5.0 (compatible; SomethingNew/1.0)"];
    let pretending = pretending.map(|word| format!("{USER_AGENT} {word}"));
    let agents: Vec<String> = pretending.into_iter().chain(alone.map(str::to_owned)).collect();
    let (scores, total) = scores(&stack, &project, &agents).await;
    for (agent, score) in agents.iter().zip(scores) {
        assert_eq!(score, 100, "{agent}");
    }
    assert_eq!(total, 0);
    stack.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn people_whose_devices_or_apps_have_a_bots_word_are_visitors() {
    let stack = Stack::start(Counting::ByStream).await;
    let project = stack.project().await;
    let android = |model: &str, end: &str| {
        format!(
            "Mozilla/5.0 (Linux; Android 12; {model}) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Mobile Safari/537.36{end}"
        )
    };
    let agents = [
        android("Spider 8", ""),
        android("M bot 51", ""),
        android("CUBOT Build/CUBOT", ""),
        android("TLA001", " SogouMSE,SogouMobileBrowser/6.1.5"),
        "[FBAN/FB4A;FBAV/470.0.0.44.75;FBLC/en_US]".to_owned(),
        "Mozilla/5.0 (compatible; MSIE 10.0; Windows NT 6.2; Trident/6.0)".to_owned(),
    ];
    let (scores, total) = scores(&stack, &project, &agents).await;
    for (agent, score) in agents.iter().zip(scores) {
        assert_eq!(score, 0, "{agent}");
    }
    assert_eq!(total, agents.len());
    stack.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_visitor_has_the_names_of_its_user_agent_and_its_hints() {
    let stack = Stack::start(Counting::ByStream).await;
    let project = stack.project().await;
    let harmony = "Mozilla/5.0 (Phone; OpenHarmony 6.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/132.0.0.0 Safari/537.36 \
                   ArkWeb/6.0.0.130 Mobile HuaweiBrowser/5.1.12.351";
    let app = "Mozilla/5.0 (Linux; Android 14; SM-S911B Build/UP1A; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 \
               Chrome/126.0.6478.71 Mobile Safari/537.36 [FB_IAB/FB4A;FBAV/470.0.0.44.75;]";
    let brands = r#""Not/A)Brand";v="8", "Chromium";v="126", "Brave";v="126""#;
    let hinted = [
        ("user-agent", USER_AGENT),
        ("sec-ch-ua", brands),
        ("sec-ch-ua-mobile", "?1"),
        ("sec-ch-ua-platform", r#""Android""#),
    ];
    let headless = [("user-agent", USER_AGENT), ("sec-ch-ua", r#""Chromium";v="126", "HeadlessChrome";v="126""#)];
    visit(&stack, &project, "v_harmony", &[("user-agent", harmony)]).await;
    visit(&stack, &project, "v_app", &[("user-agent", app)]).await;
    visit(&stack, &project, "v_hinted", &hinted).await;
    visit(&stack, &project, "v_headless", &headless).await;
    for (visitor, expected) in [
        ("v_harmony", json!(["Huawei Browser", "5.1.12.351", "HarmonyOS", 1, 0])),
        ("v_app", json!(["Facebook", "126.0.6478.71", "Android", 1, 0])),
        ("v_hinted", json!(["Brave", "126.0.0.0", "Android", 1, 0])),
        ("v_headless", json!(["Chrome", "126.0.0.0", "Windows", 0, 100])),
    ] {
        let found = get(&stack.at(&format!("visitors/{visitor}")), &project.secret_key).await.ok();
        let fields = ["browser_name", "browser_version", "os", "mobile", "bot_score"];
        assert_eq!(json!(fields.map(|field| &found["data"][field])), expected, "{visitor}");
    }
    let brave = get(&stack.at("visitors?browser=brave&os=android"), &project.secret_key).await.ok();
    assert_eq!(brave["pagination"]["total"], 1);
    let audience = get(&stack.at("audience"), &project.secret_key).await.ok();
    let browsers: Vec<&Value> =
        audience["data"]["browsers"].as_array().unwrap().iter().map(|row| &row["browser"]).collect();
    assert_eq!(browsers, ["Brave", "Facebook", "Huawei Browser"]);
    stack.shutdown().await;
}
