//! Real answers of a running stack, held against its own description.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;

use reqwest::{Client, Method};
use serde_json::{Map, Value, json};
use shared::auth::KeyKind;
use shared::routes::ROUTES;
use tests::clock::now;
use tests::example::page_view;
use tests::http::{Response, bare, get, send};
use tests::sent::{Event, Sent, Session, Visitor};
use tests::stack::{Counting, Project, Stack};
use tests::tracker::{Tracker, keyed};

const VISITOR: &str = "v_1";
const SESSION: &str = "ses_1";

/// Described, but not in every answer.
const OPTIONAL: [&str; 2] = ["meta", "series"];

/// What `/api/v1/openapi.json` answers.
struct Description(Value);

impl Description {
    /// The described response of an operation, under its status.
    fn response(&self, method: &str, path: &str, status: u16) -> &Value {
        let responses = &self.0["paths"][path][method]["responses"];
        self.resolve(responses.get(status.to_string()).unwrap_or_else(|| panic!("{method} {path}: {status}")))
    }

    fn resolve<'a>(&'a self, value: &'a Value) -> &'a Value {
        match value.get("$ref") {
            Some(reference) => self.0.pointer(reference.as_str().unwrap().strip_prefix('#').unwrap()).unwrap(),
            None => value,
        }
    }

    fn parameters(&self, path: &str, place: &str) -> Vec<&Value> {
        let listed = self.0["paths"][path]["get"]["parameters"].as_array().into_iter().flatten();
        listed.map(|parameter| self.resolve(parameter)).filter(|parameter| parameter["in"] == place).collect()
    }

    /// The paths that are read, but for the description's own.
    fn reads(&self) -> Vec<&str> {
        let paths = self.0["paths"].as_object().unwrap().iter();
        let reads = paths.filter(|(_, path)| path.get("get").is_some_and(|get| get.get("security").is_none()));
        reads.map(|(path, _)| path.as_str()).collect()
    }

    /// Asserts that a response is as described, and has all that is described of it and nothing else.
    fn check(&self, method: &str, path: &str, answer: &Response) {
        let described = self.response(method, path, answer.status.as_u16());
        for (name, header) in described["headers"].as_object().into_iter().flatten() {
            let value = answer.header(name);
            let value = value.parse::<u64>().map_or(json!(value), |number| json!(number));
            let problems = problems(&self.0["components"], &self.resolve(header)["schema"], &value);
            assert!(problems.is_empty(), "{method} {path}, header {name}: {problems:#?}");
        }
        let Some(content) = described.get("content") else {
            return assert_eq!(answer.text, "", "{method} {path}");
        };
        let content = content.get(answer.header("content-type")).unwrap_or_else(|| panic!("{method} {path}"));
        let mut components = self.0["components"].clone();
        components["schemas"].as_object_mut().unwrap().values_mut().for_each(close);
        let body = match answer.header("content-type") {
            "application/json" => answer.json(),
            _ => json!(answer.text),
        };
        let problems = problems(&components, &content["schema"], &body);
        assert!(problems.is_empty(), "{method} {path}: {problems:#?}\n{}", answer.text);
        if let Some(codes) = described.get("x-error-codes") {
            assert!(codes.as_array().unwrap().contains(&body["error"]["code"]), "{method} {path}: {body}");
            assert_eq!(body["error"]["status"], answer.status.as_u16(), "{method} {path}");
        }
    }
}

fn problems(components: &Value, schema: &Value, value: &Value) -> Vec<String> {
    let schema = json!({ "components": components, "allOf": [schema] });
    let validator = jsonschema::draft202012::options().should_validate_formats(true).build(&schema).unwrap();
    validator.iter_errors(value).map(|error| format!("{}: {error}", error.instance_path())).collect()
}

/// Makes a schema refuse what it does not describe, and ask for all that it does. As published it is open: what a later
/// version adds is no reason to fail for who reads it.
fn close(schema: &mut Value) {
    let Some(properties) = schema.get("properties").and_then(Value::as_object) else { return };
    let names: Vec<&String> = properties.keys().filter(|name| !OPTIONAL.contains(&name.as_str())).collect();
    schema["required"] = json!(names);
    schema["additionalProperties"] = json!(false);
}

/// A visit in which everything happens.
fn visit() -> Sent {
    let at = now() - 60_000;
    let happened = [
        ("page_view", json!({ "url": "/", "title": "Home" })),
        ("page_view", json!({ "url": "/pricing", "title": "Pricing" })),
        ("rage_click", json!({ "selector": "#buy", "text": "Buy" })),
        ("dead_click", json!({ "selector": "img.hero" })),
        ("phantom_click", json!({ "selector": ".banner" })),
        ("js_exception", json!({ "message": "plan is undefined", "source": "/shop.js", "line": 210 })),
        ("promise_rejection", json!({ "message": "timeout" })),
        ("console_error", json!({ "message": "404" })),
        ("console_warning", json!({ "message": "deprecated" })),
        ("form_abandon", json!({ "form": "checkout", "last_field": "card", "time_spent_ms": 41_300 })),
        ("field_hesitation", json!({ "form": "checkout", "field": "card", "hesitation_ms": 6_200 })),
        (
            "reading_behavior",
            json!({ "scroll_depth": 71.4, "active_time_ms": 48_200, "total_time_ms": 60_000, "scroll_velocity": 310.5 }),
        ),
        ("seo_diagnostics", json!({ "title": "Pricing", "title_length": 7, "h1_count": 2, "issues": ["multiple_h1"] })),
        ("web_vitals", json!({ "lcp": 2310.5, "inp": 184, "fid": 12, "cls": 0.08, "fcp": 1640, "ttfb": 620 })),
        ("frustration_score", json!({ "score": 78 })),
        ("something_of_the_sites_own", Value::Null),
    ];
    let events = happened.into_iter().zip(0..).map(|((name, data), second)| Event {
        name: name.to_owned(),
        url: (name != "page_view").then(|| "/pricing".to_owned()),
        created_at: at + 1_000 * second,
        data: Some(data).filter(Value::is_object),
    });
    let text = |text: &str| Some(text.to_owned());
    let plain = page_view(VISITOR, SESSION, "b_1", at);
    Sent {
        visitor: Visitor { aliases: vec!["user-42".to_owned()], ..plain.visitor },
        session: Session {
            referrer: text("https://www.google.com/search"),
            utm_source: text("google"),
            utm_medium: text("cpc"),
            utm_campaign: text("spring"),
            utm_term: text("analytics"),
            utm_content: text("blue"),
            ..plain.session
        },
        events: events.collect(),
        ..plain
    }
}

/// A stack that the visit is counted on, and its description.
async fn visited() -> (Stack, Project, Description) {
    let stack = Stack::start(Counting::ByStream).await;
    let project = stack.project().await;
    let sent = Tracker::default().send(&stack, &project, visit()).await.unwrap();
    stack.counted(&project.id, &[sent]).await;
    let description = Description(bare(Method::GET, &stack.at("openapi.json")).await.ok());
    (stack, project, description)
}

fn url(stack: &Stack, path: &str) -> String {
    format!("{}{}", stack.origin(), path.replace("{visitor_id}", VISITOR).replace("{session_id}", SESSION))
}

/// Where a value has a list without rows.
fn empty_lists(place: &str, value: &Value, found: &mut Vec<String>) {
    let items: Map<String, Value> = match value {
        Value::Array(items) if items.is_empty() => return found.push(place.to_owned()),
        Value::Array(items) => items.iter().enumerate().map(|(at, item)| (at.to_string(), item.clone())).collect(),
        Value::Object(object) => object.clone(),
        _ => return,
    };
    items.iter().for_each(|(name, item)| empty_lists(&format!("{place}/{name}"), item, found));
}

#[tokio::test]
async fn every_read_is_answered_as_described() {
    let (stack, project, description) = visited().await;
    let reads = description.reads();
    assert_eq!(reads.len(), ROUTES.iter().filter(|route| route.reads_a_project()).count());
    for path in reads {
        let url = url(&stack, path);
        let answer = get(&url, &project.secret_key).await;
        description.check("get", path, &answer);
        let mut empty = Vec::new();
        empty_lists("", &answer.ok(), &mut empty);
        assert!(empty.is_empty(), "{path} was checked without rows in {empty:?}");

        let examples = description.parameters(path, "query").into_iter();
        let examples: Vec<(&str, String)> = examples
            .map(|parameter| {
                let example = &parameter["example"];
                let text = example.as_str().map_or_else(|| example.to_string(), str::to_owned);
                (parameter["name"].as_str().unwrap(), text)
            })
            .collect();
        let request = Client::new().get(&url).query(&examples).bearer_auth(&project.secret_key);
        let answer = send(request).await;
        answer.ok();
        description.check("get", path, &answer);
    }
    let by_day = get(&stack.at("stats?interval=day"), &project.secret_key).await;
    assert!(by_day.ok()["data"]["series"].is_array());
    description.check("get", "/api/v1/stats", &by_day);
    stack.shutdown().await;
}

#[tokio::test]
async fn every_refused_read_is_answered_as_described() {
    let (stack, project, description) = visited().await;
    for path in description.reads() {
        let url = url(&stack, path);
        let mut provoked =
            vec![bare(Method::GET, &url).await, get(&url, &project.public_key).await, bare(Method::POST, &url).await];
        for parameter in description.parameters(path, "query") {
            let (name, schema) = (parameter["name"].as_str().unwrap(), &parameter["schema"]);
            if schema.get("format").is_some() || schema.get("enum").is_some() || schema["type"] == "integer" {
                provoked.push(get(&format!("{url}?{name}=never"), &project.secret_key).await);
            }
        }
        if path.contains('{') {
            provoked.push(get(&format!("{url}_of_nobody"), &project.secret_key).await);
        }
        let limited = stack.key(&project.id, KeyKind::Secret, Some(1)).await;
        get(&url, &limited).await.ok();
        provoked.push(get(&url, &limited).await);

        for answer in &provoked {
            assert!(answer.status.is_client_error(), "{path}: {answer:?}");
            description.check("get", path, answer);
        }
        let statuses: BTreeSet<String> = provoked.iter().map(|answer| answer.status.as_u16().to_string()).collect();
        let responses = description.0["paths"][path]["get"]["responses"].as_object().unwrap().keys();
        let described: BTreeSet<String> = responses.filter(|status| status.starts_with('4')).cloned().collect();
        assert_eq!(statuses, described, "{path}");
    }
    stack.shutdown().await;
}

#[tokio::test]
async fn the_scripts_are_answered_as_described() {
    let (stack, _, description) = visited().await;
    let paths = description.0["paths"].as_object().unwrap().keys();
    let scripts: Vec<&String> = paths.filter(|path| path.ends_with(".js")).collect();
    assert_eq!(scripts.len(), 6);
    let version = include_str!("../../tracker/dist/version.txt").trim();
    for path in scripts {
        let url = |version: &str| format!("{}{}", stack.origin(), path.replace("{version}", version));
        let found = bare(Method::GET, &url(version)).await;
        assert_eq!(found.status, 200);
        let held = Client::new().get(url(version)).header("if-none-match", found.header("etag"));
        let mut answers = vec![send(held).await, bare(Method::POST, &url(version)).await, found];
        assert_eq!((answers[0].status.as_u16(), answers[1].status.as_u16()), (304, 405));
        if path.contains("{version}") {
            answers.push(bare(Method::GET, &url("of-nobody")).await);
        }
        answers.iter().for_each(|answer| description.check("get", path, answer));
    }
    stack.shutdown().await;
}

#[tokio::test]
async fn the_collector_answers_as_described() {
    let (stack, project, description) = visited().await;
    let tracker = Tracker::default();
    let batch = keyed(&page_view(VISITOR, SESSION, "b_2", now()), &project.public_key);
    let changed = |field: &str, value: Value| {
        let mut batch = batch.clone();
        batch[field] = value;
        tracker.post(&stack, &batch)
    };
    let requests = [
        (202, tracker.post(&stack, &batch).header("content-type", "text/plain")),
        (202, tracker.post(&stack, &batch).header("content-type", "application/json")),
        (400, changed("batch_id", json!("no identifier"))),
        (401, changed("key", json!(project.secret_key))),
        (413, changed("padding", json!("x".repeat(64 << 10)))),
        (405, Client::new().put(url(&stack, "/collect"))),
    ];
    for (status, request) in requests {
        let answer = send(request).await;
        assert_eq!(answer.status.as_u16(), status);
        description.check("post", "/collect", &answer);
    }
    description.check("options", "/collect", &bare(Method::OPTIONS, &url(&stack, "/collect")).await);
    stack.shutdown().await;
}

#[tokio::test]
async fn anyone_may_read_the_description_and_keep_it_for_a_while() {
    let stack = Stack::start(Counting::ByTest).await;
    let address = stack.at("openapi.json");
    let answer = bare(Method::GET, &address).await;
    let description = Description(answer.ok());
    assert_eq!(description.0["openapi"], "3.1.0");
    for (status, method) in [(200, Method::GET), (405, Method::POST)] {
        let answer = bare(method, &address).await;
        assert_eq!(answer.status.as_u16(), status);
        assert!(answer.headers.get("ratelimit").is_none());
    }
    assert_eq!(answer.header("cache-control"), "public, max-age=3600");
    let head = bare(Method::HEAD, &address).await;
    assert_eq!((head.status, head.text.as_str()), (answer.status, ""));
    stack.shutdown().await;
}
