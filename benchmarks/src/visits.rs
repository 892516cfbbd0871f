//! What page views cost as the tracker sends them: batches that it sent from scripted visits of a real browser, each time as
//! another visitor's, sent through the collector and counted.

use std::collections::BTreeMap;

use counting::Consumer;
use figures::ids::{ProjectId, SessionId};
use figures::time::Millis;
use identity::dev::{Options, Stack};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::BenchError;
use crate::attack::stored;
use crate::progress::Progress;

/// What `npm run visits` in `tracker/` recorded: a request a line.
const RECORDED: &str = include_str!("../data/visits.jsonl");

/// Visitors that are counted together where they are many.
const WINDOW: usize = 20;

/// A request of a visit.
#[derive(Debug, Clone, Deserialize)]
pub struct Request {
    /// Which visit's: how many pages it has, and how slowly they are gone through.
    pub visit: String,
    /// The visit's page views.
    pub pages: usize,
    /// What was sent.
    pub body: Value,
}

/// What a kind of visit costs.
#[derive(Debug, Clone, Serialize)]
pub struct VisitCost {
    /// How many pages it has, and how slowly they are gone through.
    pub visit: String,
    /// Its page views.
    pub pages: usize,
    /// Its batches.
    pub batches: usize,
    /// Write units of the whole visit, each batch counted alone.
    pub alone: f64,
    /// The same, where twenty visitors' batches are counted together.
    pub together: f64,
}

/// The recorded visits, each with its requests.
pub fn recorded() -> Result<Vec<Vec<Request>>, BenchError> {
    let requests: Vec<Request> = RECORDED.lines().map(serde_json::from_str).collect::<Result<_, _>>()?;
    let mut visits: Vec<Vec<Request>> = Vec::new();
    for request in requests {
        match visits.last_mut().filter(|visit| visit[0].visit == request.visit) {
            Some(visit) => visit.push(request),
            None => visits.push(vec![request]),
        }
    }
    Ok(visits)
}

/// Measures each kind of visit, so many visitors of it.
pub async fn measure(visitors: usize) -> Result<Vec<VisitCost>, BenchError> {
    let mut costs = Vec::new();
    for visit in recorded()? {
        costs.push(VisitCost {
            visit: visit[0].visit.clone(),
            pages: visit[0].pages,
            batches: visit.len(),
            alone: units(&visit, visitors, 1).await?,
            together: units(&visit, visitors, WINDOW).await?,
        });
    }
    Ok(costs)
}

/// Write units of a visit, where so many visitors' batches are counted together.
async fn units(visit: &[Request], visitors: usize, window: usize) -> Result<f64, BenchError> {
    let project: ProjectId = "bench".parse().map_err(|_| BenchError::Failed("the project's name".to_owned()))?;
    let options = Options { counts: false, ..Options::empty(project.clone()) };
    let stack = Stack::start(options).await.map_err(|error| BenchError::Failed(error.to_string()))?;
    let (client, url) = (reqwest::Client::new(), format!("{}/collect", stack.base_url()));
    let progress = Progress::begin(&visit[0].visit, (visitors * visit.len()) as u64);
    let mut sum = 0.0;
    for first in (0..visitors).step_by(window) {
        for request in visit {
            let mut batches = Vec::new();
            for visitor in first..visitors.min(first + window) {
                let body = of_visitor(&request.body, &visit[visit.len() - 1].body, visitor, stack.public_key());
                let answer = client.post(&url).body(body.to_string()).send().await?;
                if answer.status() != 202 {
                    return Err(BenchError::Failed(format!("the collector answers {}", answer.text().await?)));
                }
                let (batch, units) = stored(stack.store(), &project, &body).await?;
                batches.push(batch);
                sum += units;
                progress.add(1);
            }
            let store = stack.store().metered();
            let consumer = Consumer::new(store.clone());
            consumer.apply(BTreeMap::from([(project.clone(), batches)])).await.complete()?;
            sum += store.consumed().write_units;
        }
    }
    progress.end();
    stack.shutdown().await;
    Ok(sum / visitors as f64)
}

/// A recorded body as another visitor sends it now: its visit ends as the recorded one's last body is sent.
fn of_visitor(recorded: &Value, last: &Value, visitor: usize, key: &str) -> Value {
    let later = Millis::now().0 - last["sent_at"].as_i64().unwrap_or_default();
    let mut body = recorded.clone();
    body["key"] = json!(key);
    body["batch_id"] = renamed(&recorded["batch_id"], visitor);
    body["visitor"]["visitor_id"] = renamed(&recorded["visitor"]["visitor_id"], visitor);
    body["sent_at"] = shifted(&recorded["sent_at"], later);
    let start = Millis(recorded["session"]["started_at"].as_i64().unwrap_or_default() + later);
    body["session"]["started_at"] = json!(start);
    let visitor = body["visitor"]["visitor_id"].as_str().and_then(|visitor| visitor.parse().ok());
    body["session"]["session_id"] = json!(visitor.and_then(|visitor| SessionId::telling(&visitor, start)));
    for event in body["events"].as_array_mut().into_iter().flatten() {
        event["created_at"] = shifted(&event["created_at"], later);
    }
    body
}

/// An identifier as long as the recorded one, so that it takes as much.
fn renamed(recorded: &Value, visitor: usize) -> Value {
    let recorded = recorded.as_str().unwrap_or_default();
    let number = format!("{visitor:04}");
    json!(format!("{}{number}", &recorded[..recorded.len().saturating_sub(number.len())]))
}

fn shifted(instant: &Value, by: i64) -> Value {
    json!(instant.as_i64().unwrap_or_default() + by)
}

/// The table, as Markdown.
pub fn markdown(costs: &[VisitCost]) -> String {
    let mut lines = vec![
        "| a visit | page views | batches | write units, alone | a page view | write units, 20 visitors together | a page view |"
            .to_owned(),
        "|---|---:|---:|---:|---:|---:|---:|".to_owned(),
    ];
    lines.extend(costs.iter().map(|cost| {
        let VisitCost { visit, pages, batches, alone, together } = cost;
        let a_page = |units: f64| units / *pages as f64;
        format!(
            "| {visit} | {pages} | {batches} | {alone:.1} | {:.2} | {together:.1} | {:.2} |",
            a_page(*alone),
            a_page(*together),
        )
    }));
    lines.join("\n") + "\n"
}
