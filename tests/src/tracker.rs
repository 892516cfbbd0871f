//! A browser with the tracker in its page.

use std::time::Duration;

use reqwest::{RequestBuilder, StatusCode};
use serde_json::{Value, json};

use crate::clock::now;
use crate::sent::{Sent, Session, Visitor};
use crate::stack::{Project, Stack};

/// What the browser says it is.
pub const USER_AGENT: &str =
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36";

/// Up to this difference the collector leaves a client's instants as they are.
const MAX_SKEW_MS: i64 = 2_000;

/// A session began no longer before its batch's oldest event.
const MAX_LEAD_MS: i64 = 86_400_000;

/// Sends batches.
#[derive(Debug, Clone, Default)]
pub struct Tracker(reqwest::Client);

impl Tracker {
    /// A request that posts a batch to the collector.
    pub fn post(&self, stack: &Stack, body: &Value) -> RequestBuilder {
        let url = format!("{}{}", stack.origin(), shared::routes::COLLECT);
        self.0.post(url).header("user-agent", USER_AGENT).body(body.to_string())
    }

    /// Sends a batch now, and gives it back as the collector stores it.
    ///
    /// # Errors
    /// If it is refused.
    pub async fn send(&self, stack: &Stack, project: &Project, sent: Sent) -> Result<Sent, String> {
        // Two batches of one millisecond are stored in no order that anyone else could know.
        tokio::time::sleep(Duration::from_millis(2)).await;
        let sent = Sent { sent_at: now(), ..sent };
        let response = self.post(stack, &keyed(&sent, &project.public_key)).send().await;
        let response = response.map_err(|error| error.to_string())?;
        let status = response.status();
        let answer: Value = response.json().await.map_err(|error| error.to_string())?;
        if status != StatusCode::ACCEPTED || answer != json!({ "data": { "accepted": sent.events.len() } }) {
            return Err(format!("{status} {answer} to {sent:?}"));
        }
        assert!(now() - sent.sent_at < MAX_SKEW_MS, "this machine is too busy to send a batch within 2 s");
        Ok(seen(sent, "127.0.0.1"))
    }
}

/// A batch's body with a public key.
pub fn keyed(sent: &Sent, public_key: &str) -> Value {
    let mut body = serde_json::to_value(sent).unwrap();
    body["key"] = json!(public_key);
    body
}

/// A batch as the collector stores it: with what it sees of the browser at an address besides, and with when it takes the
/// session to have started.
pub fn seen(sent: Sent, address: &str) -> Sent {
    let oldest = sent.events.iter().map(|event| event.created_at).min().unwrap_or(sent.sent_at);
    let started_at = sent.session.started_at.max(oldest - MAX_LEAD_MS);
    let session = Session { started_at, ..sent.session.clone() };
    let visitor = Visitor {
        browser_name: Some("Chrome".to_owned()),
        browser_version: Some("126.0.0.0".to_owned()),
        os: Some("Windows".to_owned()),
        mobile: Some(0),
        ip: Some(address.to_owned()),
        ..sent.visitor.clone()
    };
    Sent { visitor, session, ..sent }
}
