//! Compares the API's answers over HTTP with the oracle's, request by request.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use chrono::{Days, NaiveDate};
use fastrand::Rng;
use futures::stream::{self, StreamExt, TryStreamExt};
use serde_json::Value;
use shared::routes::{Answers, ROUTES};

use crate::clock::now;
use crate::oracle::{Answer, Oracle, Query, day_of};

/// Most differences that a report names.
const MAX_DIFFERENCES: usize = 12;

/// Requests under way at once.
const CONCURRENCY: usize = 8;

/// The API as one key's holder sees it.
#[derive(Debug, Clone)]
pub struct Api {
    client: reqwest::Client,
    base_url: String,
    secret_key: String,
}

/// A request of the API: a path below the base, and its parameters.
#[derive(Debug, Clone)]
pub struct Request {
    path: String,
    params: Vec<(&'static str, String)>,
}

impl Request {
    /// A request without parameters.
    pub fn new(path: impl Into<String>) -> Self {
        Request { path: path.into(), params: Vec::new() }
    }

    /// With a parameter more.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl ToString) -> Self {
        self.params.push((name, value.to_string()));
        self
    }

    /// How many rows a list has by the oracle.
    pub fn total(&self, oracle: &Oracle) -> usize {
        oracle.answer(&self.path, Query(&self.params), now()).body["pagination"]["total"].as_u64().unwrap() as usize
    }

    /// What differs between an answer and the oracle's as of an instant.
    pub fn differences(&self, oracle: &Oracle, actual: &Answer, instant: i64) -> Vec<String> {
        let (query, mut actual) = (Query(&self.params), actual.clone());
        order_ties(&self.path, &mut actual.body);
        let mut expected = match oracle.ranking(&self.path, query, day_of(instant), &actual.body) {
            Some(body) => Answer { status: 200, body },
            None => oracle.answer(&self.path, query, instant),
        };
        order_ties(&self.path, &mut expected.body);
        differences(&expected, &actual)
    }

    /// All figures of all days.
    pub fn all_figures() -> Vec<Request> {
        let always = [("start_date", "1970-01-01".to_owned())];
        figures(&always).into_iter().chain(rankings(&always)).collect()
    }

    fn within(mut self, range: &[(&'static str, String)]) -> Self {
        self.params.extend(range.iter().cloned());
        self
    }
}

impl fmt::Display for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let params: Vec<String> = self.params.iter().map(|(name, value)| format!("{name}={value}")).collect();
        write!(f, "GET /{}?{}", self.path, params.join("&"))
    }
}

impl Api {
    /// The API below a base URL such as `http://127.0.0.1:3000/api/v1`.
    pub fn new(base_url: &str, secret_key: &str) -> Self {
        Api { client: reqwest::Client::new(), base_url: base_url.to_owned(), secret_key: secret_key.to_owned() }
    }

    /// The answer to a request; of an error only its code.
    ///
    /// # Errors
    /// If there is none, or it is no JSON.
    pub async fn get(&self, request: &Request) -> Result<Answer, String> {
        let url = format!("{}/{}", self.base_url, request.path);
        let sent = self.client.get(url).query(&request.params).bearer_auth(&self.secret_key).send();
        let response = sent.await.map_err(|error| format!("{request}: {error}"))?;
        let status = response.status().as_u16();
        let body: Value = response.json().await.map_err(|error| format!("{request}: {status}, {error}"))?;
        let body = if status == 200 { body } else { body["error"]["code"].clone() };
        Ok(Answer { status, body })
    }

    /// All rows of a list, page by page.
    ///
    /// # Errors
    /// If a page can't be had.
    pub async fn all_rows(&self, request: &Request) -> Result<Vec<Value>, String> {
        let mut rows = Vec::new();
        for page in 1.. {
            let answer = self.get(&request.clone().with("limit", 100).with("page", page)).await?;
            let data = answer.body["data"].as_array().ok_or(format!("{request}: {answer:?}"))?;
            rows.extend(data.iter().cloned());
            if answer.body["pagination"]["has_next"] != true {
                break;
            }
        }
        Ok(rows)
    }

    /// Tells the oracle which ids the API gives to events.
    ///
    /// # Errors
    /// If a visitor's list of events is not what the oracle knows.
    pub async fn teach_ids(&self, oracle: &mut Oracle) -> Result<(), String> {
        let visitors: Vec<String> = oracle.visitor_ids().into_iter().map(str::to_owned).collect();
        for visitor in visitors {
            let request = Request::new("events").with("visitor_id", &visitor).with("start_date", "1970-01-01");
            let rows = self.all_rows(&request).await?;
            oracle.learn_ids(&visitor, &rows).map_err(|difference| format!("{request}: {difference}"))?;
        }
        Ok(())
    }

    /// Compares an answer with the oracle's.
    ///
    /// # Errors
    /// If they differ, with what differs.
    pub async fn compare(&self, oracle: &Oracle, request: &Request) -> Result<(), String> {
        let asked_at = now();
        let actual = self.get(request).await?;
        let differences = request.differences(oracle, &actual, asked_at);
        // What depends on the clock may have been answered an instant later.
        if differences.is_empty() || request.differences(oracle, &actual, now()).is_empty() {
            return Ok(());
        }
        Err(format!("{request}\n{}\nanswered: {}", differences.join("\n"), actual.body))
    }

    /// Compares every endpoint, with random ranges and filters, on every page.
    ///
    /// # Errors
    /// At the first difference.
    pub async fn compare_all(&self, oracle: &mut Oracle, rng: &mut Rng) -> Result<(), String> {
        self.teach_ids(oracle).await?;
        let mut requests = details(oracle);
        for range in ranges(&days_of(oracle), rng) {
            requests.extend(figures(&range));
            requests.extend(rankings(&range).map(|ranking| limited(ranking, rng)));
            for list in lists(oracle, rng, &range) {
                requests.extend(pages(oracle, &list, rng));
            }
        }
        self.compare_each(oracle, requests).await
    }

    /// Compares what any lost, doubled or misplaced batch would show in.
    ///
    /// # Errors
    /// At the first difference.
    pub async fn compare_briefly(&self, oracle: &mut Oracle) -> Result<(), String> {
        self.compare_briefly_without(oracle, &[]).await
    }

    /// The same without some paths.
    ///
    /// # Errors
    /// At the first difference.
    pub async fn compare_briefly_without(&self, oracle: &mut Oracle, left_out: &[&str]) -> Result<(), String> {
        self.teach_ids(oracle).await?;
        let always = [("start_date", "1970-01-01".to_owned())];
        let lists = ["visitors", "sessions", "events"].map(|path| Request::new(path).within(&always));
        let figures = figures(&always).into_iter().chain(rankings(&always));
        let requests = details(oracle).into_iter().chain(figures).chain(lists);
        let requests = requests.filter(|request| !left_out.contains(&request.path.as_str())).collect();
        self.compare_each(oracle, requests).await
    }

    /// Compares several answers with the oracle's.
    ///
    /// # Errors
    /// At the first difference.
    pub async fn compare_each(&self, oracle: &Oracle, requests: Vec<Request>) -> Result<(), String> {
        stream::iter(requests)
            .map(|request| async move { self.compare(oracle, &request).await })
            .buffer_unordered(CONCURRENCY)
            .try_collect()
            .await
    }
}

/// Every page of a list, and the one past its end, at some limit.
fn pages(oracle: &Oracle, list: &Request, rng: &mut Rng) -> Vec<Request> {
    let total = list.total(oracle);
    // Many small pages of a short list, few of a long one.
    let limit = match rng.u8(..4) {
        0 => 100,
        1 => 1 + total / 2,
        _ => 1 + rng.usize(total / 8..=total / 3),
    };
    let (list, limit) = match rng.u8(..8) {
        0 => (list.clone(), 50),
        _ => (list.clone().with("limit", limit), limit.min(100)),
    };
    (1..=total.div_ceil(limit) + 1).map(|page| list.clone().with("page", page)).collect()
}

/// The days that hold anything of a project.
fn days_of(oracle: &Oracle) -> Vec<NaiveDate> {
    let batches = oracle.batches().iter();
    let instants = batches.flat_map(|batch| {
        batch.events.iter().map(|event| event.created_at).chain([batch.session.started_at, batch.sent_at])
    });
    let days: BTreeSet<NaiveDate> = instants.map(day_of).collect();
    days.into_iter().collect()
}

/// Some ranges of dates, as parameters.
fn ranges(days: &[NaiveDate], rng: &mut Rng) -> Vec<Vec<(&'static str, String)>> {
    let some_day = |rng: &mut Rng| days[rng.usize(..days.len())];
    let (one, other) = (some_day(rng), some_day(rng));
    let (first, last) = (one.min(other), one.max(other));
    let today = day_of(now());
    let from = |day: NaiveDate| ("start_date", day.to_string());
    let to = |day: NaiveDate| ("end_date", day.to_string());
    let mut others = [
        vec![],
        vec![from(some_day(rng).min(today))],
        vec![to(some_day(rng))],
        vec![from(first), to(last)],
        vec![from(one), to(one)],
        vec![from(first - Days::new(3)), to(today + Days::new(2))],
    ];
    rng.shuffle(&mut others);
    let [one, two, three, ..] = others;
    vec![vec![("start_date", "1970-01-01".to_owned())], one, two, three]
}

/// The requests whose answers no parameter but a range changes.
fn figures(range: &[(&'static str, String)]) -> Vec<Request> {
    ["stats", "events/types"]
        .map(|path| Request::new(path).within(range))
        .into_iter()
        .chain([Request::new("stats").with("interval", "day").within(range)])
        .collect()
}

/// The rankings of a range.
fn rankings(range: &[(&'static str, String)]) -> impl Iterator<Item = Request> {
    let rankings = ROUTES.iter().filter(|route| matches!(route.answers, Answers::Ranking(_)));
    rankings.map(|route| Request::new(route.resource()).within(range))
}

/// A ranking with some limit.
fn limited(ranking: Request, rng: &mut Rng) -> Request {
    match rng.u8(..4) {
        0 => ranking,
        1 => ranking.with("limit", 1_000),
        _ => ranking.with("limit", rng.usize(1..=6)),
    }
}

/// The details of everything known and of something unknown, and who is live.
fn details(oracle: &Oracle) -> Vec<Request> {
    let visitors = oracle.visitor_ids().into_iter().map(|id| Request::new(format!("visitors/{id}")));
    let sessions = oracle.session_ids().into_iter().map(|id| Request::new(format!("sessions/{id}")));
    let unknown = ["visitors/v_nobody", "sessions/ses_none", "visitors/ses_shared"].map(Request::new);
    let live = [1, 4, 5, 30, 60].map(|minutes| Request::new("live").with("threshold_minutes", minutes));
    visitors.chain(sessions).chain(unknown).chain([Request::new("live")]).chain(live).collect()
}

/// The lists in a range: unfiltered, and with random filters of what is there and of what is not.
fn lists(oracle: &Oracle, rng: &mut Rng, range: &[(&'static str, String)]) -> Vec<Request> {
    let mut requests: Vec<Request> = ["visitors", "sessions", "events"].map(Request::new).to_vec();
    requests.extend([filtered_visitors(oracle, rng), filtered_visitors(oracle, rng)]);
    requests.extend([filtered_sessions(oracle, rng), filtered_events(oracle, rng)]);
    requests.into_iter().map(|request| request.within(range)).collect()
}

fn filtered_visitors(oracle: &Oracle, rng: &mut Rng) -> Request {
    let mut request = Request::new("visitors");
    let batches = oracle.batches();
    // All values from one batch, so that combinations match something.
    let at = &batches[rng.usize(..batches.len())].visitor;
    let filters = [("browser", &at.browser_name), ("os", &at.os), ("country", &at.geo_country_code)];
    for (name, value) in filters {
        if rng.bool() {
            request = request.with(name, other_case(value.as_deref().unwrap_or("Opera"), rng));
        }
    }
    if rng.bool() {
        let values = [&at.browser_name, &at.os, &at.geo_country, &at.geo_country_code, &at.geo_city, &at.ip];
        let value = values[rng.usize(..values.len())].as_deref().unwrap_or(&at.visitor_id);
        request = request.with("search", other_case(part(value, rng), rng));
    }
    request
}

fn filtered_sessions(oracle: &Oracle, rng: &mut Rng) -> Request {
    let mut request = Request::new("sessions");
    let batches = oracle.batches();
    let batch = &batches[rng.usize(..batches.len())];
    if rng.bool() {
        request = request.with("visitor_id", &batch.visitor.visitor_id);
    }
    let url = batch.session.url.as_deref().filter(|url| !url.is_empty()).unwrap_or("/pri");
    if rng.bool() {
        request = request.with("url", other_case(part(url, rng), rng));
    }
    request
}

fn filtered_events(oracle: &Oracle, rng: &mut Rng) -> Request {
    let mut request = Request::new("events");
    let batches = oracle.batches();
    let batch = &batches[rng.usize(..batches.len())];
    if rng.bool() {
        request = request.with("visitor_id", &batch.visitor.visitor_id);
    }
    if rng.bool() {
        // Now and then another visitor's session, or one that nobody has.
        let any = &batches[rng.usize(..batches.len())].session.session_id;
        let id = if rng.u8(..4) > 0 { &batch.session.session_id } else { any };
        request = request.with("session_id", if rng.u8(..12) > 0 { id } else { "ses_none" });
    }
    if rng.bool() {
        let name = batch.events.first().map_or("page_view", |event| &event.name);
        request = request.with("type", if rng.u8(..12) > 0 { name } else { "PAGE_VIEW" });
    }
    request
}

/// A piece of a text of at least one character.
fn part<'a>(text: &'a str, rng: &mut Rng) -> &'a str {
    let mut ends: Vec<usize> = text.char_indices().map(|(at, _)| at).collect();
    ends.push(text.len());
    let from = rng.usize(..ends.len() - 1);
    let to = rng.usize(from + 1..ends.len());
    &text[ends[from]..ends[to.min(from + 24)]]
}

fn other_case(text: &str, rng: &mut Rng) -> String {
    match rng.u8(..3) {
        0 => text.to_uppercase(),
        1 => text.to_lowercase(),
        _ => text.to_owned(),
    }
}

/// Brings what has no documented order into one: visitors on `/live` seen at the same instant go by their
/// ids; of events in a session that nothing but their ids tells apart, the lower id comes first.
fn order_ties(path: &str, body: &mut Value) {
    if path == "live" {
        let Some(rows) = body.pointer_mut("/data").and_then(Value::as_array_mut) else { return };
        for chunk in rows.chunk_by_mut(|a, b| a["last_seen_at"] == b["last_seen_at"]) {
            chunk.sort_by_key(|row| row["visitor_id"].to_string());
        }
    }
    if path.starts_with("sessions/") {
        let Some(rows) = body.pointer_mut("/data/events").and_then(Value::as_array_mut) else { return };
        let mut alike: BTreeMap<String, Vec<Value>> = BTreeMap::new();
        for row in rows.iter_mut() {
            let id = row["id"].take();
            alike.entry(row.to_string()).or_default().push(id);
        }
        for ids in alike.values_mut() {
            ids.sort_by_key(|id| std::cmp::Reverse(id.as_u64()));
        }
        for row in rows {
            row["id"] = alike.get_mut(&row.to_string()).and_then(Vec::pop).unwrap_or_default();
        }
    }
}

/// What differs between the expected answer and the actual one; nothing if they are the same.
pub fn differences(expected: &Answer, actual: &Answer) -> Vec<String> {
    let mut found = Vec::new();
    if expected.status != actual.status {
        found.push(format!("status: expected {}, got {}", expected.status, actual.status));
    }
    compare_values("", &expected.body, &actual.body, &mut found);
    found.truncate(MAX_DIFFERENCES);
    found
}

fn compare_values(at: &str, expected: &Value, actual: &Value, found: &mut Vec<String>) {
    match (expected, actual) {
        (Value::Object(expected), Value::Object(actual)) => {
            let names: BTreeSet<&String> = expected.keys().chain(actual.keys()).collect();
            for name in names {
                match (expected.get(name), actual.get(name)) {
                    (Some(expected), Some(actual)) => compare_values(&format!("{at}.{name}"), expected, actual, found),
                    (Some(expected), None) => found.push(format!("{at}.{name}: missing, expected {expected}")),
                    (None, _) => found.push(format!("{at}.{name}: not expected at all")),
                }
            }
        }
        (Value::Array(expected), Value::Array(actual)) => {
            if expected.len() != actual.len() {
                found.push(format!("{at}: expected {} rows, got {}", expected.len(), actual.len()));
            }
            for (position, (expected, actual)) in expected.iter().zip(actual).enumerate() {
                compare_values(&format!("{at}[{position}]"), expected, actual, found);
            }
        }
        // 0 and 0.0 are the same number.
        (Value::Number(one), Value::Number(other)) if one.as_f64() == other.as_f64() => {}
        (expected, actual) if expected == actual => {}
        (expected, actual) => found.push(format!("{at}: expected {expected}, got {actual}")),
    }
}
