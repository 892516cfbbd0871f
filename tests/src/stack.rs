//! The product in this process, and projects to test it with.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::retry::{RetryConfig, RetryPartition, TokenBucket};
use counting::Consumer;
use figures::ids::ProjectId;
use figures::log::BatchRef;
use figures::model::{self, Batch};
use figures::site::HostPattern;
use figures::table::ip::{self, IpKey};
use figures::table::store::Store;
use figures::time::{Clock, Millis};
use identity::dev::{self, Options};
use serde_json::value::RawValue;
use shared::api_keys;
use shared::auth::{ApiKey, KeyKind};
use shared::projects::{self, Settings};

use crate::check::Api;
use crate::clock::now;
use crate::oracle_insights::OWN_HOSTS;
use crate::sent::Sent;

/// No test of anything else ever meets this limit.
const PLENTY: u32 = 1_000_000;

/// Longer than anything takes on a busy machine; no test passes or fails by how quick it is.
const PATIENCE: Duration = Duration::from_secs(120);

/// The environment variable with the address of a DynamoDB that all stacks of the tests have their tables on,
/// instead of an embedded engine each: `scripts/dynamodb-local` sets it.
const ENDPOINT_VARIABLE: &str = "IDENTITY_TEST_ENDPOINT";

/// Who hands stored batches to the consumer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counting {
    /// The stack, from the table's stream, as in production.
    ByStream,
    /// Nobody but the test.
    ByTest,
}

/// A running stack.
#[derive(Debug)]
pub struct Stack(dev::Stack);

/// A project of its own, with a key of each kind.
#[derive(Debug, Clone)]
pub struct Project {
    /// Its identifier.
    pub id: ProjectId,
    /// Reads the API, as often as it likes.
    pub secret_key: String,
    /// Sends to the collector.
    pub public_key: String,
}

impl Stack {
    /// Starts an empty stack, with an engine in memory or on a table of its own elsewhere.
    pub async fn start(counting: Counting) -> Self {
        let options = Options { counts: counting == Counting::ByStream, ..Options::empty("main".parse().unwrap()) };
        let started = match std::env::var(ENDPOINT_VARIABLE) {
            Ok(endpoint_url) => dev::Stack::start_on(&endpoint_url, &unused_table(), options).await,
            Err(_) => dev::Stack::start(options).await,
        };
        Stack(started.unwrap())
    }

    /// The same whose API goes by a clock, in memory; nobody counts.
    pub async fn start_by(clock: Clock) -> Self {
        let options = Options { counts: false, clock, ..Options::empty("main".parse().unwrap()) };
        Stack(dev::Stack::start(options).await.unwrap())
    }

    /// Another one on a stack's table, which it reaches through another endpoint.
    pub async fn start_through(stack: &Stack, endpoint_url: &str) -> Self {
        let options = Options { counts: false, ..Options::empty("main".parse().unwrap()) };
        Stack(dev::Stack::start_on(endpoint_url, stack.store().table(), options).await.unwrap())
    }

    /// Ends it.
    pub async fn shutdown(self) {
        self.0.shutdown().await;
    }

    /// Scheme, host and port.
    pub fn origin(&self) -> String {
        self.0.base_url()
    }

    /// What every path of the API stands below.
    pub fn base_url(&self) -> String {
        format!("{}{}", self.origin(), shared::routes::BASE)
    }

    /// The address of a path of the API, such as `visitors?page=2`.
    pub fn at(&self, path: &str) -> String {
        format!("{}/{path}", self.base_url())
    }

    /// Where the engine speaks DynamoDB's protocol.
    pub fn endpoint_url(&self) -> String {
        self.0.endpoint_url().to_owned()
    }

    /// The table.
    pub fn store(&self) -> &Store {
        self.0.store()
    }

    /// The table through another endpoint, by a client that tries everything once.
    pub async fn store_through(&self, endpoint_url: &str) -> Store {
        self.store_trying(RetryConfig::disabled(), endpoint_url).await
    }

    /// The table through another endpoint, by a client that tries as often as a deployed function's.
    pub async fn store_as_deployed(&self, endpoint_url: &str) -> Store {
        self.store_trying(shared::aws::retries(), endpoint_url).await
    }

    async fn store_trying(&self, retries: RetryConfig, endpoint_url: &str) -> Store {
        let client = shared::aws::client(Some(endpoint_url)).await;
        // The SDK makes no second try while too many others are under way. Where each first one fails, that is always.
        let partition = RetryPartition::custom("tests").token_bucket(TokenBucket::unlimited()).build();
        let config = client.config().to_builder().retry_config(retries).retry_partition(partition).build();
        Store::new(Client::from_conf(config), self.store().table())
    }

    /// A project that nobody else uses.
    pub async fn project(&self) -> Project {
        static MADE: AtomicU32 = AtomicU32::new(0);
        let id: ProjectId = format!("project-{}", MADE.fetch_add(1, Ordering::Relaxed)).parse().unwrap();
        let settings = Settings { hosts: OWN_HOSTS.map(HostPattern::stored).to_vec(), ..Settings::default() };
        assert!(projects::create(self.store(), &id, &settings, Millis::now()).await.unwrap().is_some());
        Project {
            secret_key: self.key(&id, KeyKind::Secret, Some(PLENTY)).await,
            public_key: self.key(&id, KeyKind::Public, None).await,
            id,
        }
    }

    /// A key more for a project, with a limit of requests a minute.
    pub async fn key(&self, project: &ProjectId, kind: KeyKind, limit: Option<u32>) -> String {
        let made = ApiKey::generate(kind).unwrap();
        api_keys::register(self.store(), project, &made, limit, Millis::now()).await.unwrap();
        made.reveal().to_owned()
    }

    /// The API as a project's owner sees it.
    pub fn api(&self, project: &Project) -> Api {
        Api::new(&self.base_url(), &project.secret_key)
    }

    /// Stores a batch as an import does, the `number`th of its project. Gives it back, unless it was stored before.
    pub async fn store_batch(&self, project: &Project, number: usize, sent: &Sent) -> Option<Batch> {
        let ip_key = ip::key_of_today(self.store(), &project.id, Millis::now()).await.unwrap();
        // An instant of its own for each, so that the order of storage is the order of the numbers.
        let batch = batch(sent, Millis(1_000_000_000_000 + number as i64), &ip_key);
        let item = batch.to_item(&project.id).unwrap();
        self.store().put_at(item, None).await.unwrap().is_stored().then_some(batch)
    }

    /// Waits until all these batches are counted.
    ///
    /// # Panics
    /// If they never are.
    pub async fn counted(&self, project: &ProjectId, batches: &[Sent]) {
        let consumer = Consumer::new(self.store().clone());
        let reference = |sent: &Sent| BatchRef {
            visitor: sent.visitor.visitor_id.parse().unwrap(),
            session: sent.session.session_id.parse().unwrap(),
            batch: sent.batch_id.parse().unwrap(),
        };
        let since = Instant::now();
        let mut waiting: Vec<BatchRef> = batches.iter().map(reference).collect();
        while !waiting.is_empty() {
            waiting = consumer.pending(project, waiting).await.unwrap();
            assert!(since.elapsed() < PATIENCE, "{} batches of {project} are never counted", waiting.len());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

/// A table's name that no other stack has, of this run or an earlier one.
fn unused_table() -> String {
    static MADE: AtomicU32 = AtomicU32::new(0);
    let (process, made) = (std::process::id(), MADE.fetch_add(1, Ordering::Relaxed));
    format!("identity-{}-{process}-{made}", now())
}

/// A sent batch as it is stored.
fn batch(sent: &Sent, stored_at: Millis, ip_key: &IpKey) -> Batch {
    let (visitor, session) = (sent.visitor.clone(), sent.session.clone());
    let ip = visitor.ip.map(|text| ip_key.encrypt(text.parse::<IpAddr>().unwrap()).unwrap());
    let event = |event: &crate::sent::Event| model::Event {
        name: event.name.clone(),
        url: sent.page_of(event).map(Arc::from),
        created_at: Millis(event.created_at),
        data: event.data.as_ref().map(|data| RawValue::from_string(data.to_string()).unwrap()),
    };
    Batch {
        visitor_id: visitor.visitor_id.parse().unwrap(),
        session_id: session.session_id.parse().unwrap(),
        batch_id: sent.batch_id.parse().unwrap(),
        stored_at,
        sent_at: Millis(sent.sent_at),
        page: sent.page.clone(),
        visitor: model::VisitorFacts {
            fingerprint_hash: visitor.fingerprint_hash,
            screen_width: visitor.screen_width,
            screen_height: visitor.screen_height,
            timezone: visitor.timezone,
            language: visitor.language,
            ad_block: visitor.ad_block,
            bot_score: visitor.bot_score.unwrap_or(0),
            aliases: visitor.aliases,
            browser_name: visitor.browser_name,
            browser_version: visitor.browser_version,
            os: visitor.os,
            mobile: visitor.mobile,
            geo_country: visitor.geo_country,
            geo_country_code: visitor.geo_country_code,
            geo_city: visitor.geo_city,
            ip,
        },
        session: model::SessionFacts {
            started_at: Millis(session.started_at),
            url: session.url,
            referrer: session.referrer,
            utm_source: session.utm_source,
            utm_medium: session.utm_medium,
            utm_campaign: session.utm_campaign,
            utm_term: session.utm_term,
            utm_content: session.utm_content,
            click_count: session.click_count,
            max_scroll_depth: session.max_scroll_depth,
        },
        events: sent.events.iter().map(event).collect(),
    }
}
