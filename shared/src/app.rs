//! What a function keeps between requests.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use figures::ids::ProjectId;
use figures::retention::Retention;
use figures::table::keys;
use figures::table::store::{Consistency, Store};
use figures::time::{Clock, Millis};

use crate::auth::{CookieScope, KeyMemory};
use crate::aws;
use crate::cache::Cache;
use crate::kept::KeptMemory;
use crate::prefetch::Prefetches;

/// What a request may take. Its function's own limit is two seconds later: a request that takes too long is
/// answered with 503 rather than broken off.
pub const TIME_LIMIT: Duration = Duration::from_secs(8);

/// A request's extension with the address of the client, for requests that no gateway describes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClientAddress(pub IpAddr);

/// The most projects that an instance remembers.
const MAX_PROJECTS: usize = 1_000;

/// The table, and what is remembered of keys, lists and projects.
#[derive(Debug)]
pub struct App {
    store: Store,
    cookies: CookieScope,
    keys: KeyMemory,
    prefetches: Arc<Prefetches>,
    projects: Cache<ProjectId, ()>,
    kept: Arc<KeptMemory>,
    clock: Clock,
}

impl App {
    /// An app on a table.
    pub fn new(store: Store) -> Self {
        App {
            store,
            cookies: CookieScope::Secure,
            keys: KeyMemory::default(),
            prefetches: Arc::default(),
            projects: Cache::new(MAX_PROJECTS),
            kept: Arc::new(KeptMemory::new(Retention::ALL)),
            clock: Clock::System,
        }
    }

    /// The same by another clock.
    pub fn with_clock(self, clock: Clock) -> Self {
        App { clock, ..self }
    }

    /// The same where projects that have no setting of their own keep so much. Others keep all.
    pub fn keeping(self, retention: Retention) -> Self {
        App { kept: Arc::new(KeptMemory::new(retention)), ..self }
    }

    /// The same for browsers of this machine, which come without TLS.
    pub fn on_loopback(self) -> Self {
        App { cookies: CookieScope::Loopback, ..self }
    }

    /// The app of a Lambda function, from its environment. One read opens the connection while
    /// the function still has the whole CPU of its init phase.
    pub async fn from_environment() -> Self {
        let app = App::new(aws::store().await).keeping(aws::retention_of_environment());
        app.warm_up().await;
        app
    }

    async fn warm_up(&self) {
        if let Ok(nobody) = "warm-up".parse::<ProjectId>()
            && let Err(error) = self.store.get(&keys::manifest(&nobody), Consistency::Eventual).await
        {
            tracing::warn!(%error, "the table could not be reached during init");
        }
    }

    /// The table.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// How browsers keep the cookie of a person.
    pub fn cookies(&self) -> CookieScope {
        self.cookies
    }

    /// The projects that are known to exist; none is ever removed.
    pub fn projects(&self) -> &Cache<ProjectId, ()> {
        &self.projects
    }

    /// What is known of what projects keep.
    pub fn kept(&self) -> &Arc<KeptMemory> {
        &self.kept
    }

    /// What is remembered of keys.
    pub fn keys(&self) -> &KeyMemory {
        &self.keys
    }

    /// What is remembered of lists.
    pub fn prefetches(&self) -> &Arc<Prefetches> {
        &self.prefetches
    }

    /// The current instant.
    pub fn now(&self) -> Millis {
        self.clock.now()
    }
}

/// What a request comes to, unless it takes too long. It is put on the heap: with all that it may wait for it is
/// large, and a server's stack holds it once for each endpoint.
pub async fn in_time<T>(request: impl Future<Output = T>) -> Option<T> {
    tokio::time::timeout(TIME_LIMIT, Box::pin(request)).await.ok()
}
