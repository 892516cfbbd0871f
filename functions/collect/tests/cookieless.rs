//! Visitors that don't name themselves, as the collector stores them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;

use collect::Collector;
use figures::ids::ProjectId;
use figures::model::Batch;
use figures::table::keys;
use figures::table::store::{Consistency, Item, PK, SK, Store, key_item, read_number, read_text, text};
use figures::time::{Day, Millis};
use lambda_http::http::{HeaderValue, Method};
use lambda_http::{Body, Request};
use serde_json::{Value, json};
use shared::app::{App, ClientAddress};
use shared::auth::{ApiKey, KIND, KeyKind, PROJECT};

const HOME: &str = "203.0.113.9";
const FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0";
const SAFARI: &str = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) \
                      Version/17.5 Mobile/15E148 Safari/604.1";

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;

/// A day that the tests have for themselves: no engine takes what expires after it for expired.
fn day() -> Day {
    "2125-06-15".parse().unwrap()
}

fn noon() -> Millis {
    day().start().plus(12 * HOUR)
}

/// A collector on a fresh engine with one project.
struct Stage {
    store: Store,
    collector: Collector,
    project: ProjectId,
    key: String,
}

/// What a client sends, and how.
#[derive(Clone)]
struct Client {
    address: &'static str,
    user_agent: &'static str,
    session: &'static str,
    started_at: Millis,
    fingerprint: Option<&'static str>,
}

impl Client {
    fn at(started_at: Millis) -> Self {
        Client { address: HOME, user_agent: FIREFOX, session: "ses_1", started_at, fingerprint: None }
    }
}

impl Stage {
    async fn new() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(dynoxide::server::serve_on(listener, dynoxide::Database::memory().unwrap()));
        let store = Store::new(shared::aws::client(Some(&endpoint)).await, "identity");
        figures::table::schema::create(&store).await.unwrap();
        let project: ProjectId = "shop".parse().unwrap();
        store.put(key_item(&keys::project(&project))).await.unwrap();
        let key = ApiKey::generate(KeyKind::Public).unwrap();
        let mut item = key_item(&keys::api_key(&key.sha256()));
        item.insert(PROJECT.to_owned(), text(project.as_str()));
        item.insert(KIND.to_owned(), text(KeyKind::Public.name()));
        store.put(item).await.unwrap();
        Stage { collector: collector(&store), store, project, key: key.reveal().to_owned() }
    }

    /// Sends a batch at an instant.
    async fn send(&self, client: &Client, batch: &str, now: Millis) {
        self.send_through(&self.collector, client, batch, now).await;
    }

    async fn send_through(&self, collector: &Collector, client: &Client, batch: &str, now: Millis) {
        let body = json!({
            "key": self.key,
            "batch_id": batch,
            "sent_at": now.0,
            "visitor": { "fingerprint_hash": client.fingerprint },
            "session": { "session_id": client.session, "started_at": client.started_at.0, "url": "/" },
            "events": [{ "name": "page_view", "created_at": now.0 }],
        });
        let mut request = Request::new(Body::from(body.to_string()));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = "/collect".parse().unwrap();
        request.headers_mut().insert("user-agent", HeaderValue::from_static(client.user_agent));
        request.extensions_mut().insert(ClientAddress(client.address.parse::<IpAddr>().unwrap()));
        let response = collect::handle_at(collector, &request, now).await;
        let answer: Value = serde_json::from_slice(response.body()).unwrap();
        assert_eq!((response.status().as_u16(), answer), (202, json!({ "data": { "accepted": 1 } })));
    }

    async fn items(&self) -> Vec<Item> {
        let scan = self.store.client().scan().table_name(self.store.table()).send().await.unwrap();
        scan.items.unwrap_or_default()
    }

    async fn batches(&self) -> Vec<Batch> {
        let items = self.items().await;
        let batches = items.iter().filter(|item| read_text(item, SK).unwrap().starts_with(keys::BATCH_PREFIX));
        batches.map(|item| Batch::from_item(item).unwrap()).collect()
    }

    async fn visitors(&self) -> BTreeSet<String> {
        self.batches().await.iter().map(|batch| batch.visitor_id.as_str().to_owned()).collect()
    }
}

/// An instance that remembers nothing.
fn collector(store: &Store) -> Collector {
    Collector::new(Arc::new(App::new(store.clone())))
}

#[tokio::test]
async fn a_visitor_is_one_all_day_by_its_address_and_its_browser() {
    let stage = Stage::new().await;
    let mut batch = 0..;
    let mut send = async |client: Client, now: Millis| {
        stage.send(&client, &format!("b_{}", batch.next().unwrap()), now).await;
        stage.visitors().await.len()
    };
    let morning = day().start();
    let client = Client::at(morning);
    assert_eq!(send(client.clone(), morning).await, 1);
    // In the same session and in later ones, until the day is over.
    assert_eq!(send(client.clone(), morning.plus(MINUTE)).await, 1);
    let evening = day().end();
    let later = Client { session: "ses_2", started_at: evening, ..client };
    assert_eq!(send(later.clone(), evening).await, 1);
    // Others are others.
    let next = |session: &'static str| Client { session, ..later.clone() };
    assert_eq!(send(Client { address: "203.0.113.8", ..next("ses_3") }, evening).await, 2);
    assert_eq!(send(Client { user_agent: SAFARI, ..next("ses_4") }, evening).await, 3);
    assert_eq!(send(Client { fingerprint: Some("8f14e45f"), ..next("ses_5") }, evening).await, 4);
    // Of IPv6 a subscriber has a network, and takes a new address from it at will.
    assert_eq!(send(Client { address: "2001:db8:1:2::9", ..next("ses_6") }, evening).await, 5);
    assert_eq!(send(Client { address: "2001:db8:1:2:ffff::1", ..next("ses_7") }, evening).await, 5);
    assert_eq!(send(Client { address: "2001:db8:1:3::9", ..next("ses_8") }, evening).await, 6);
}

#[tokio::test]
async fn nobody_is_known_again_the_next_day() {
    let stage = Stage::new().await;
    for (number, session) in ["ses_1", "ses_2", "ses_3"].into_iter().enumerate() {
        let now = day().plus(number as i32).start();
        stage.send(&Client { session, ..Client::at(now) }, "b_1", now).await;
    }
    assert_eq!(stage.visitors().await.len(), 3);
    // The day's secret ends with it.
    for number in 0..3 {
        let day = day().plus(number);
        let item = stage.store.get(&keys::day_secret(&stage.project, day), Consistency::Strong).await.unwrap().unwrap();
        assert_eq!(read_number::<i64>(&item, "expires_at").unwrap() * 1_000, day.plus(1).start().0);
    }
}

#[tokio::test]
async fn another_instance_gives_the_same_visitor() {
    let stage = Stage::new().await;
    let client = Client::at(noon());
    for (number, session) in ["ses_1", "ses_2"].into_iter().enumerate() {
        let client = Client { session, ..client.clone() };
        stage.send_through(&collector(&stage.store), &client, &format!("b_{number}"), noon()).await;
    }
    assert_eq!(stage.visitors().await.len(), 1);
}

/// The answer is lost, the phone leaves the house, midnight passes, and the batch is sent again.
#[tokio::test]
async fn a_batch_that_is_sent_again_is_stored_once_whenever_and_wherever_from() {
    let stage = Stage::new().await;
    let client = Client::at(day().end().plus(-MINUTE));
    stage.send(&client, "b_1", day().end()).await;
    let stored = stage.batches().await;
    for (address, now) in [
        (HOME, day().end().plus(1)),
        ("198.51.100.7", day().end()),
        ("2001:db8::1", day().end().plus(HOUR)),
        ("198.51.100.7", day().plus(3).start()),
        ("198.51.100.7", day().plus(8).start()),
    ] {
        let moved = Client { address, ..client.clone() };
        stage.send(&moved, "b_1", now).await;
        stage.send_through(&collector(&stage.store), &moved, "b_1", now).await;
    }
    assert_eq!(stage.batches().await.len(), stored.len());
}

#[tokio::test]
async fn a_session_stays_its_visitors_over_midnight_and_through_another_network() {
    let stage = Stage::new().await;
    let client = Client::at(day().end().plus(-MINUTE));
    stage.send(&client, "b_1", day().end()).await;
    stage.send(&client, "b_2", day().end().plus(MINUTE)).await;
    stage.send(&Client { address: "198.51.100.7", ..client.clone() }, "b_3", day().end().plus(HOUR)).await;
    assert_eq!((stage.visitors().await.len(), stage.batches().await.len()), (1, 3));
    // Its next session is that of a stranger.
    let now = day().end().plus(2 * HOUR);
    stage.send(&Client { session: "ses_2", ..Client::at(now) }, "b_4", now).await;
    assert_eq!(stage.visitors().await.len(), 2);
}

/// Equal phones may make the same session id of what they are; they don't start it in the same millisecond.
#[tokio::test]
async fn sessions_of_one_id_are_told_apart_by_their_start() {
    let stage = Stage::new().await;
    stage.send(&Client::at(noon()), "b_1", noon()).await;
    let other = Client { address: "198.51.100.7", ..Client::at(noon().plus(1)) };
    stage.send(&other, "b_2", noon().plus(1)).await;
    assert_eq!(stage.visitors().await.len(), 2);
}

#[tokio::test]
async fn first_batches_that_come_at_once_are_one_visitors() {
    let stage = Stage::new().await;
    let addresses = ["203.0.113.1", "203.0.113.2", "203.0.113.3", "203.0.113.4", "203.0.113.5", "203.0.113.6"];
    let send = async |(number, address): (usize, &'static str)| {
        let client = Client { address, ..Client::at(noon()) };
        stage.send_through(&collector(&stage.store), &client, &format!("b_{number}"), noon()).await;
    };
    futures::future::join_all(addresses.into_iter().enumerate().map(send)).await;
    assert_eq!((stage.visitors().await.len(), stage.batches().await.len()), (1, addresses.len()));
}

#[tokio::test]
async fn what_is_kept_of_a_session_does_not_tell_whose_it_is() {
    let stage = Stage::new().await;
    stage.send(&Client::at(noon()), "b_1", noon()).await;
    let [visitor] = &stage.visitors().await.into_iter().collect::<Vec<_>>()[..] else { panic!("one visitor") };
    let items = stage.items().await;
    let kept: Vec<&Item> = items.iter().filter(|item| read_text(item, PK).unwrap().contains("#U#")).collect();
    let [kept] = kept[..] else { panic!("one session: {kept:?}") };
    let text = format!("{kept:?}");
    assert!(!text.contains(visitor) && !text.contains("ses_1"), "{text}");
    let bytes: Vec<u8> =
        (2..visitor.len()).step_by(2).map(|at| u8::from_str_radix(&visitor[at..at + 2], 16).unwrap()).collect();
    assert_ne!(kept["d"].as_b().unwrap().as_ref(), bytes);
    // For as long as a batch of it could be taken: a session lasts a day, and an event is taken for a week.
    let expires_at = Millis(read_number::<i64>(kept, "expires_at").unwrap() * 1_000);
    assert!(expires_at >= noon().plus(8 * 24 * HOUR) && expires_at <= noon().plus(10 * 24 * HOUR));
}
