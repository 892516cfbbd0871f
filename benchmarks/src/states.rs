//! States of the table that a stranger with the public key can bring about, in which what is asked for takes much memory.

use std::time::Duration;

use fastrand::Rng;
use figures::ids::ProjectId;
use figures::table::store::{Consistency, Item};
use figures::time::Millis;
use http::{Request, header};
use hyper::body::Bytes;
use identity::dev::Stack;
use serde_json::{Value, json};

use crate::BenchError;
use crate::attack::{Attack, key_of};
use crate::client::{Body, Client};

/// Addresses that requests come from: what one may send at once is bounded.
const ADDRESSES: u16 = 64;

/// Tries of a request that comes too soon, and the pause between them.
const MAX_TRIES: usize = 60;
const PAUSE: Duration = Duration::from_millis(500);
const TOO_MANY: u16 = 429;

/// Requests that are counted together: as many as the stream hands on at once, as long as they are no more than its
/// bytes.
const WINDOW: usize = 100;
const WINDOW_BYTES: usize = 3 << 20;

/// The visitor that a state is about, where it is about one.
const VISITOR: &str = "v_one";

/// A state.
#[derive(Debug, Clone, Copy)]
pub enum State {
    /// After an attack on what is counted.
    Attacked(Attack),
    /// A session with as many events as it keeps, of pages whose names deflate to nothing.
    FullSession,
    /// A session with nearly as much data as it keeps; a quarter of it does not deflate.
    LargeSession,
    /// A visitor with many sessions at one time, all of whose texts are as long as they may be.
    ManySessions,
    /// Many visitors with a session of one id.
    Namesakes,
    /// Many visitors at once whose profiles are as large as they may be, on pages whose names are long to write.
    LargeVisitors,
}

impl State {
    /// All of them.
    pub const ALL: [State; 9] = [
        State::FullSession,
        State::LargeSession,
        State::ManySessions,
        State::Namesakes,
        State::LargeVisitors,
        State::Attacked(Attack::LongPages),
        State::Attacked(Attack::LongTexts),
        State::Attacked(Attack::LargeVisitor),
        State::Attacked(Attack::OneVisitor),
    ];

    /// What it is called in the table.
    pub fn name(self) -> &'static str {
        match self {
            State::Attacked(attack) => attack.name(),
            State::FullSession => "a session of 10,000 events, each on a page with a name of 8 KB",
            State::LargeSession => "a session of 1,000 batches of 57 KB, a quarter of which don't deflate",
            State::ManySessions => "a visitor with 1,000 sessions at one time, 15 KB each",
            State::Namesakes => "2,000 visitors with one session's id",
            State::LargeVisitors => "500 visitors at once, who send 100 KB of names each",
        }
    }

    /// How many requests it takes.
    fn requests(self, of_attack: usize) -> usize {
        match self {
            State::Attacked(_) => of_attack,
            State::FullSession => 130,
            State::LargeSession => 1_000,
            State::ManySessions => 1_000,
            State::Namesakes => 2_000,
            State::LargeVisitors => 2_500,
        }
    }

    fn body(self, number: usize, key: &str, rng: &mut Rng) -> Value {
        /// Bytes of an event's data, about as many as it may have.
        const DATA: usize = 8_100;
        let now = Millis::now().0;
        let mut text = |length: usize| -> String { (0..length).map(|_| rng.alphanumeric()).collect() };
        let mut body = json!({
            "key": key, "batch_id": format!("b_{number}"), "sent_at": now,
            "visitor": { "visitor_id": VISITOR },
            "session": { "session_id": "ses_one", "started_at": now - 60_000, "url": "/" },
        });
        let event = |data: Value| json!({ "name": "other", "created_at": now - 1_000, "data": data });
        match self {
            State::Attacked(attack) => body = attack.body(number, key, rng),
            State::FullSession => {
                body["page"] = json!("\u{1f600}".repeat(2_048));
                body["events"] = (0..100).map(|_| json!({ "name": "page_view", "created_at": now - 1_000 })).collect();
            }
            State::LargeSession => {
                let mut data = || if number.is_multiple_of(4) { text(DATA) } else { "x".repeat(DATA) };
                body["events"] = (0..7).map(|_| event(json!({ "a": data() }))).collect();
            }
            State::ManySessions => {
                body["session"] = json!({
                    "session_id": format!("ses_{number}"), "started_at": now - 60_000,
                    "url": text(2_048), "referrer": text(2_048), "utm_source": text(512), "utm_medium": text(512),
                    "utm_campaign": text(512), "utm_term": text(512), "utm_content": text(512),
                });
                body["events"] = json!([event(json!({ "a": text(DATA) }))]);
            }
            State::Namesakes => body["visitor"]["visitor_id"] = json!(format!("v_{number}")),
            State::LargeVisitors => {
                let mut name = || -> String { (0..256).map(|_| rng.char('\u{10000}'..'\u{1ffff}')).collect() };
                body["visitor"] = json!({
                    "visitor_id": format!("v_{}", number / 5), "aliases": (0..20).map(|_| name()).collect::<Vec<_>>(),
                });
                body["page"] = json!("\u{1}".repeat(2_048));
            }
        }
        body
    }
}

/// What was sent to bring a state about.
#[derive(Debug)]
pub struct Sent {
    /// A visitor and a session to ask about: the last ones.
    pub visitor: String,
    /// See above.
    pub session: String,
    /// Bytes of all requests.
    pub bytes: usize,
}

/// Brings a state about through the collector of a stack that counts nothing by itself. What was stored is handed on in windows,
/// as the table's stream does.
pub async fn bring_about(
    state: State,
    of_attack: usize,
    stack: &Stack,
    mut count: impl AsyncFnMut(Vec<Item>) -> Result<(), BenchError>,
) -> Result<Sent, BenchError> {
    let mut clients =
        (0..ADDRESSES).map(|number| Client::new(&stack.base_url(), number)).collect::<Result<Vec<_>, _>>()?;
    let mut rng = Rng::with_seed(7);
    let mut sent = Sent { visitor: String::new(), session: String::new(), bytes: 0 };
    let (mut window, mut window_bytes) = (Vec::new(), 0);
    for number in 0..state.requests(of_attack) {
        let body = state.body(number, stack.public_key(), &mut rng);
        let text = body.to_string();
        sent.bytes += text.len();
        let client = number % clients.len();
        send(&mut clients[client], text).await?;
        let item = stored(stack, stack.project(), &body).await?;
        window_bytes +=
            item.values().filter_map(|value| value.as_b().ok()).map(|data| data.as_ref().len()).sum::<usize>();
        window.push(item);
        if window.len() == WINDOW || window_bytes > WINDOW_BYTES {
            count(std::mem::take(&mut window)).await?;
            window_bytes = 0;
        }
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        (sent.visitor, sent.session) = (text(&body["visitor"]["visitor_id"]), text(&body["session"]["session_id"]));
    }
    if !window.is_empty() {
        count(window).await?;
    }
    Ok(sent)
}

/// Sends a batch, and again as long as too many came.
pub async fn send(client: &mut Client, body: String) -> Result<(), BenchError> {
    let body = Bytes::from(body);
    for _ in 0..MAX_TRIES {
        if is_taken(client, body.clone()).await? {
            return Ok(());
        }
        tokio::time::sleep(PAUSE).await;
    }
    Err(BenchError::Failed("the collector takes no more".to_owned()))
}

/// Sends a batch. Says whether it is taken; if not, too many came.
pub async fn is_taken(client: &mut Client, body: Bytes) -> Result<bool, BenchError> {
    let request = Request::post("/collect").header(header::CONTENT_TYPE, "text/plain");
    let request = request.body(Body::new(body)).map_err(|error| BenchError::Failed(error.to_string()))?;
    match client.ask(request).await? {
        202 => Ok(true),
        TOO_MANY => Ok(false),
        status => Err(BenchError::Failed(format!("the collector answers {status}"))),
    }
}

async fn stored(stack: &Stack, project: &ProjectId, body: &Value) -> Result<Item, BenchError> {
    let item = stack.store().get(&key_of(project, body)?, Consistency::Strong).await?;
    item.ok_or_else(|| BenchError::Failed("a batch is not stored".to_owned()))
}
