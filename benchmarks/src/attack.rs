//! What a stranger with the public key can make the owner pay: requests as costly as they can be made, sent through the
//! collector, and counted in the windows in which the stream brings them.

use std::collections::BTreeMap;

use counting::Consumer;
use fastrand::Rng;
use figures::ids::ProjectId;
use figures::log::View;
use figures::model::Batch;
use figures::table::keys::{self, Key};
use figures::table::store::{Consistency, Store};
use figures::time::Millis;
use identity::dev::{Options, Stack};
use serde::Serialize;
use serde_json::{Value, json};

use crate::BenchError;
use crate::client::Client;
use crate::progress::Progress;
use crate::states::send;

/// Requests that one invocation of `rollup` counts together.
const WINDOW: usize = 10;
/// Events of a request: as many as one may have.
const EVENTS: usize = 100;
/// Days on which events may happen.
const DAYS: usize = 7;
const DAY_MS: i64 = 86_400_000;
/// Addresses that requests come from.
const ADDRESSES: usize = 10_000;

/// A way to attack.
#[derive(Debug, Clone, Copy)]
pub enum Attack {
    /// What a real visitor sends, from ever new visitors: to compare with.
    Usual,
    /// A hundred pages nobody else sees, with URLs of 120 characters, on all days.
    LongPages,
    /// A hundred of them with URLs as short as they can be.
    ShortPages,
    /// Events of all kinds with texts as long as they may be, each a key of its own.
    LongTexts,
    /// Heartbeats of a visitor whose profile is as large as it may be.
    LargeVisitor,
    /// A hundred new pages a request, all seen by one visitor.
    OneVisitor,
    /// What costs most of what no throttle minds: few short texts, each a key of its own.
    ShortTexts,
    /// A page view as few bytes as it can be, whose session names what texts it may, each a key of its own.
    Campaigns,
}

impl Attack {
    /// All of them.
    pub const ALL: [Attack; 8] = [
        Attack::Usual,
        Attack::LongPages,
        Attack::ShortPages,
        Attack::LongTexts,
        Attack::LargeVisitor,
        Attack::OneVisitor,
        Attack::ShortTexts,
        Attack::Campaigns,
    ];

    /// What it is called in the table.
    pub fn name(self) -> &'static str {
        match self {
            Attack::Usual => "usual page views, to compare",
            Attack::LongPages => "100 new pages of 120 characters, on 7 days",
            Attack::ShortPages => "100 new pages of 8 characters, on 7 days",
            Attack::LongTexts => "6 kinds of events with 2,000 characters, on 7 days",
            Attack::LargeVisitor => "heartbeats of a visitor with 100 long names",
            Attack::OneVisitor => "100 new pages of 8 characters, all seen by one visitor",
            Attack::ShortTexts => "2 new pages of 50 characters",
            Attack::Campaigns => "a page view of a session with 5 campaign texts of 256 characters",
        }
    }

    fn visitor(self, number: usize) -> String {
        match self {
            Attack::LargeVisitor | Attack::OneVisitor => "v_one".to_owned(),
            _ => format!("v_{number}"),
        }
    }

    /// The body of one of its requests.
    pub fn body(self, number: usize, key: &str, rng: &mut Rng) -> Value {
        let now = Millis::now().0;
        let mut text = |length: usize| -> String { (0..length).map(|_| rng.alphanumeric()).collect() };
        let event = |name: &str, url: String, day: usize, data: Value| {
            let created_at = now - 1_000 - (day % DAYS) as i64 * DAY_MS;
            json!({ "name": name, "url": url, "created_at": created_at, "data": data })
        };
        let mut visitor = json!({ "visitor_id": self.visitor(number) });
        let mut session = json!({ "session_id": format!("ses_{number}"), "started_at": now - 1_000, "url": "/" });
        let events: Vec<Value> = match self {
            Attack::Usual => ["page_view", "web_vitals"]
                .map(|name| event(name, format!("/articles/{}", number % 200), 0, json!({ "lcp": 1834 })))
                .into(),
            Attack::LongPages => {
                (0..EVENTS).map(|at| event("page_view", format!("/{}", text(119)), at, Value::Null)).collect()
            }
            Attack::ShortPages | Attack::OneVisitor => {
                let days = if matches!(self, Attack::OneVisitor) { 1 } else { DAYS };
                (0..EVENTS).map(|at| event("page_view", format!("/{}", text(7)), at % days, Value::Null)).collect()
            }
            Attack::LongTexts => {
                let kinds = ["page_view", "js_error", "rage_click", "form_abandon", "reading_behavior", "seo_audit"];
                let of = |at: usize| {
                    let long = text(2_000);
                    let data = json!({ "message": long, "selector": long, "form": long, "issues": [long] });
                    event(kinds[at % kinds.len()], format!("/{}", text(200)), at, data)
                };
                (0..kinds.len()).map(of).collect()
            }
            Attack::LargeVisitor => {
                // A request may have 20, and a visitor 100.
                let names: Vec<String> = (0..20).map(|_| text(250)).collect();
                visitor["aliases"] = json!(if number < 5 { names } else { Vec::new() });
                Vec::new()
            }
            Attack::ShortTexts => {
                (0..2).map(|_| event("page_view", format!("/{}", text(49)), 0, Value::Null)).collect()
            }
            Attack::Campaigns => {
                for name in ["utm_source", "utm_medium", "utm_campaign", "utm_term", "utm_content"] {
                    session[name] = json!(text(256));
                }
                vec![event("page_view", format!("/{}", text(200)), 0, Value::Null)]
            }
        };
        json!({
            "key": key, "batch_id": format!("b_{number}"), "sent_at": now, "visitor": visitor, "session": session,
            "events": events,
        })
    }
}

/// What an attack costs.
#[derive(Debug, Clone, Serialize)]
pub struct Damage {
    /// The attack.
    pub name: &'static str,
    /// Requests that were sent.
    pub requests: usize,
    /// Kilobytes of a request's body.
    pub kilobytes: f64,
    /// Write units of a request, that of its batch included; and of the last quarter of them.
    pub write_units: [f64; 2],
    /// Those of the dearest window, for each of its requests.
    pub worst: f64,
    /// Read units of the consumer for a request.
    pub read_units: f64,
    /// The most read units of a request's look at the tail meanwhile.
    pub tail_units: f64,
}

impl Damage {
    /// What a request may cost.
    pub fn bound(&self) -> f64 {
        20.0 + 6.0 * self.kilobytes
    }
}

/// Sends requests and counts them.
pub async fn measure(attack: Attack, requests: usize) -> Result<Damage, BenchError> {
    let project: ProjectId = "bench".parse().map_err(|_| BenchError::Failed("the project's name".to_owned()))?;
    let options = Options { counts: false, ..Options::empty(project.clone()) };
    let stack = Stack::start(options).await.map_err(|error| BenchError::Failed(error.to_string()))?;
    let (mut rng, progress) = (Rng::with_seed(7), Progress::begin(attack.name(), requests as u64));
    let (mut bytes, mut windows, mut read_units, mut tail_units) = (0, Vec::new(), 0.0, 0.0_f64);
    for first in (0..requests).step_by(WINDOW) {
        let mut window = Vec::new();
        for number in first..requests.min(first + WINDOW) {
            let body = attack.body(number, stack.public_key(), &mut rng);
            let text = body.to_string();
            bytes += text.len();
            // Each from an address of its own: what the throttle lets through of one says nothing of a request.
            let address = u16::try_from(number % ADDRESSES).unwrap_or_default();
            send(&mut Client::new(stack.base_url().as_str(), address)?, text).await?;
            window.push(stored(stack.store(), &project, &body).await?);
        }
        let (store, count) = (stack.store().metered(), window.len() as f64);
        let of_batches = window.iter().map(|(_, units)| units).sum::<f64>();
        let batches = window.into_iter().map(|(batch, _)| batch).collect();
        let consumer = Consumer::new(store.clone());
        consumer.apply(BTreeMap::from([(project.clone(), batches)])).await.complete()?;
        let consumed = store.consumed();
        windows.push((consumed.write_units + of_batches) / count);
        read_units += consumed.read_units;
        let reader = stack.store().metered();
        View::load(&reader, &project, &[]).await?;
        tail_units = tail_units.max(reader.consumed().read_units);
        progress.add(count as u64);
    }
    progress.end();
    stack.shutdown().await;
    let mean = |windows: &[f64]| windows.iter().sum::<f64>() / windows.len().max(1) as f64;
    Ok(Damage {
        name: attack.name(),
        requests,
        kilobytes: bytes as f64 / 1_024.0 / requests as f64,
        write_units: [mean(&windows), mean(&windows[windows.len() * 3 / 4..])],
        worst: windows.iter().copied().fold(0.0, f64::max),
        read_units: read_units / requests as f64,
        tail_units,
    })
}

/// The batch that a request became, and the units that it took to store it.
pub async fn stored(store: &Store, project: &ProjectId, body: &Value) -> Result<(Batch, f64), BenchError> {
    let key = key_of(project, body)?;
    let item = store.get(&key, Consistency::Strong).await?;
    let item = item.ok_or_else(|| BenchError::Failed("a batch is not stored".to_owned()))?;
    let bytes: usize = item.values().filter_map(|value| value.as_b().ok()).map(|data| data.as_ref().len()).sum();
    Ok((Batch::from_item(&item)?, (bytes + key.pk.len() + key.sk.len()).div_ceil(1_024) as f64))
}

/// Where the batch is stored that a request's body becomes.
pub fn key_of(project: &ProjectId, body: &Value) -> Result<Key, BenchError> {
    let name = |error: figures::ids::InvalidId| BenchError::Failed(error.to_string());
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    Ok(keys::batch(
        project,
        &text(&body["visitor"]["visitor_id"]).parse().map_err(name)?,
        &text(&body["session"]["session_id"]).parse().map_err(name)?,
        &text(&body["batch_id"]).parse().map_err(name)?,
    ))
}

/// The table, as Markdown.
pub fn markdown(damages: &[Damage]) -> String {
    let mut lines = vec![
        "| one request, sent again and again | KB | requests | write units | last quarter | dearest window | bound | read units | tail, read units |"
            .to_owned(),
        "|---|---:|---:|---:|---:|---:|---:|---:|---:|".to_owned(),
    ];
    lines.extend(damages.iter().map(|damage| {
        let [mean, last] = damage.write_units;
        format!(
            "| {} | {:.1} | {} | {mean:.1} | {last:.1} | {:.1} | {:.0} | {:.1} | {:.1} |",
            damage.name,
            damage.kilobytes,
            damage.requests,
            damage.worst,
            damage.bound(),
            damage.read_units,
            damage.tail_units,
        )
    }));
    lines.join("\n") + "\n"
}
