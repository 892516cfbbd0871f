//! The collector, `POST /collect`: validates what a tracker sends, adds what only the server can
//! know, and stores it with one conditional write before it answers.
//!
//! The checks, in their order: method, size, JSON with a key, authentication, origin, throttle,
//! all other rules of [`batch`], the throttle of what makes the tail grow. What is stored is the only source of truth;
//! `rollup` derives the rest from it.

pub mod batch;
mod cors;
mod fields;
mod growth;
pub mod limits;
mod project_cache;
mod settings;
pub mod surrogates;
mod throttle;
pub mod user_agent;
mod viewer;

use std::fmt;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use figures::ids::{ProjectId, VisitorId};
use figures::retention::Kept;
use figures::table::cookieless::{DaySecret, Traits, Unnamed};
use figures::table::ip::{self, IpKey};
use figures::table::spending;
use figures::table::store::{Store, StoreError};
use figures::time::Millis;
use futures::future::{TryFutureExt, try_join3};
use lambda_http::http::{Method, StatusCode, header};
use lambda_http::{Body, Request, Response};
use serde_json::json;
use shared::app::{App, in_time};
use shared::auth;
use shared::error::ApiError;
use shared::origin::OriginSecrets;
use shared::request_log;
use shared::response::json_response;
use shared::routes;

use crate::batch::{Draft, Envelope, Sender};
use crate::cors::AllowedOrigin;
use crate::limits::MAX_BODY;
use crate::project_cache::ProjectCache;
use crate::settings::{SETTINGS_TRUST_MS, Settings};
use crate::throttle::{GROWTH_PER_ADDRESS, PER_ADDRESS, PER_KEY, Throttle};
use crate::user_agent::UserAgents;
use crate::viewer::Viewer;

const TOO_LARGE: &str = "A batch is at most 64 KiB. Send fewer events at a time.";
/// The `Allow` header, should the route table not know the collector.
const ALLOWED: &str = "POST, OPTIONS";

/// The collector and what it remembers between requests.
pub struct Collector {
    app: Arc<App>,
    origin_secrets: Option<OriginSecrets>,
    user_agents: UserAgents,
    settings: ProjectCache<Settings>,
    ip_keys: ProjectCache<IpKey>,
    day_secrets: ProjectCache<DaySecret>,
    spent: ProjectCache<u64>,
    max_daily_units: Option<u64>,
    per_address: Throttle<IpAddr>,
    growth_per_address: Throttle<IpAddr>,
    per_key: Throttle<String>,
}

impl fmt::Debug for Collector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Collector").finish_non_exhaustive()
    }
}

/// A request that may send to a project.
struct Admitted {
    project: ProjectId,
    ip_key: IpKey,
    origin: AllowedOrigin,
    kept: Kept,
}

impl Collector {
    /// A collector that believes no CDN.
    pub fn new(app: Arc<App>) -> Self {
        Collector {
            app,
            origin_secrets: None,
            user_agents: UserAgents::new(),
            settings: ProjectCache::default(),
            ip_keys: ProjectCache::default(),
            day_secrets: ProjectCache::default(),
            spent: ProjectCache::default(),
            max_daily_units: None,
            per_address: Throttle::new(PER_ADDRESS),
            growth_per_address: Throttle::new(GROWTH_PER_ADDRESS),
            per_key: Throttle::new(PER_KEY),
        }
    }

    /// Believes the viewer headers of requests that carry one of these secrets.
    pub fn trusting(mut self, secrets: Option<OriginSecrets>) -> Self {
        self.origin_secrets = secrets;
        self
    }

    /// Takes no more batches of a project on a day on which they took so many write units.
    pub fn spending_at_most(mut self, max_daily_units: Option<u64>) -> Self {
        self.max_daily_units = max_daily_units;
        self
    }

    async fn post(&self, request: &Request, store: &Store, now: Millis) -> Response<Body> {
        let viewer = Viewer::of(request, self.origin_secrets.as_ref());
        let admitted = match self.admit(request, &viewer, store, now).await {
            Ok(admitted) => admitted,
            Err(error) => return cors::readable(error.into_response(), &AllowedOrigin::Any),
        };
        let response = match self.take(request, viewer, &admitted, store, now).await {
            Ok(events) => json_response(StatusCode::ACCEPTED, &json!({ "data": { "accepted": events } })),
            Err(error) => error.into_response(),
        };
        cors::readable(response, &admitted.origin)
    }

    async fn admit(
        &self,
        request: &Request,
        viewer: &Viewer,
        store: &Store,
        now: Millis,
    ) -> Result<Admitted, ApiError> {
        if request.body().len() > MAX_BODY {
            return Err(ApiError::PayloadTooLarge(TOO_LARGE));
        }
        let Envelope { key, events } = Envelope::of(request.body())?;
        let project = auth::public_project(store, self.app.keys(), &key, now).await?;
        let (settings, ip_key, ()) = try_join3(
            self.settings(store, &project, now).map_err(ApiError::from),
            self.ip_key(store, &project, now).map_err(ApiError::from),
            self.check_spending(store, &project, now),
        )
        .await?;
        let origin = settings.allowed(request.headers())?;
        let tokens = throttle::tokens(request.body().len(), events);
        if let Some(address) = viewer.address {
            self.per_address.take(throttle::client(address), tokens, now)?;
        }
        self.per_key.take(key, tokens, now)?;
        Ok(Admitted { project, ip_key, origin, kept: settings.kept })
    }

    /// Stores the request's batch and says how many events it holds. A batch that was stored before
    /// is left as it is.
    async fn take(
        &self,
        request: &Request,
        viewer: Viewer,
        admitted: &Admitted,
        store: &Store,
        now: Millis,
    ) -> Result<usize, ApiError> {
        let (sender, mut draft) = batch::collected(request.body(), now)?;
        // Whoever develops on this machine sends what it likes. On Lambda, nobody comes from there.
        if let Some(address) = viewer.address.filter(|address| *address != Ipv4Addr::LOCALHOST) {
            let growth = growth::growth(&sender, &draft) as i64;
            self.growth_per_address.take(throttle::client(address), growth, now)?;
        }
        self.enrich(&mut draft, request, viewer);
        let visitor = match sender {
            Sender::Named(visitor) => visitor,
            Sender::Unnamed(started_at) => {
                let session = Unnamed::new(&admitted.project, &draft.session_id, started_at);
                match session.visitor(store).await? {
                    Some(visitor) => visitor,
                    None => self.begin(&session, request, &draft, &admitted.project, store, now).await?,
                }
            }
        };
        let batch = draft.into_batch(visitor, now, &admitted.ip_key)?;
        let mut item = batch.to_item(&admitted.project)?;
        admitted.kept.note(&mut item, batch.last_instant().day());
        let _ = store.put_at(item, None).await?;
        Ok(batch.events.len())
    }

    /// The visitor of a session that begins without its name.
    async fn begin(
        &self,
        session: &Unnamed,
        request: &Request,
        draft: &Draft,
        project: &ProjectId,
        store: &Store,
        now: Millis,
    ) -> Result<VisitorId, StoreError> {
        let secret = self.day_secret(store, project, now).await?;
        let traits = Traits {
            address: draft.ip.map(throttle::client),
            user_agent: request.headers().get(header::USER_AGENT).map_or(&[], |agent| agent.as_bytes()),
            fingerprint: draft.visitor.fingerprint_hash.as_deref().unwrap_or_default(),
        };
        session.begin(store, secret.name(project, &traits), now).await
    }

    /// Adds what the server alone decides.
    fn enrich(&self, draft: &mut Draft, request: &Request, viewer: Viewer) {
        let client = self.user_agents.describe(request.headers());
        let facts = &mut draft.visitor;
        facts.bot_score = facts.bot_score.max(client.bot_score);
        facts.browser_name = client.browser_name;
        facts.browser_version = client.browser_version;
        facts.os = client.os;
        facts.mobile = client.mobile;
        facts.geo_country = viewer.country;
        facts.geo_country_code = viewer.country_code;
        facts.geo_city = viewer.city;
        draft.ip = viewer.address;
    }

    async fn settings(&self, store: &Store, project: &ProjectId, now: Millis) -> Result<Settings, StoreError> {
        let good = now..now.plus(SETTINGS_TRUST_MS);
        self.settings
            .get_or_load(project, good, Settings::load(store, project, self.app.kept().default_retention()))
            .await
    }

    async fn check_spending(&self, store: &Store, project: &ProjectId, now: Millis) -> Result<(), ApiError> {
        let Some(max) = self.max_daily_units else { return Ok(()) };
        let good = now..now.plus(SETTINGS_TRUST_MS).min(tomorrow(now));
        let spent = self.spent.get_or_load(project, good, spending::of_day(store, project, now.day())).await?;
        if spent < max {
            return Ok(());
        }
        let left = now.day().end().0 - now.0;
        Err(ApiError::Throttled(left.unsigned_abs().div_ceil(1_000).max(1)))
    }

    async fn ip_key(&self, store: &Store, project: &ProjectId, now: Millis) -> Result<IpKey, StoreError> {
        self.ip_keys.get_or_load(project, now..tomorrow(now), ip::key_of_today(store, project, now)).await
    }

    async fn day_secret(&self, store: &Store, project: &ProjectId, now: Millis) -> Result<DaySecret, StoreError> {
        self.day_secrets.get_or_load(project, now..tomorrow(now), DaySecret::of_today(store, project, now)).await
    }
}

fn tomorrow(now: Millis) -> Millis {
    now.day().end().plus(1)
}

/// Answers a request to the collector.
pub async fn handle(collector: &Collector, request: &Request) -> Response<Body> {
    handle_at(collector, request, collector.app.now()).await
}

/// Answers a request at an instant.
pub async fn handle_at(collector: &Collector, request: &Request, now: Millis) -> Response<Body> {
    let store = collector.app.store().metered();
    let response = match *request.method() {
        Method::POST => in_time(collector.post(request, &store, now))
            .await
            .unwrap_or_else(|| cors::readable(ApiError::Unavailable.into_response(), &AllowedOrigin::Any)),
        Method::OPTIONS => cors::preflight(),
        _ => {
            let allowed = routes::find(routes::COLLECT).map_or(ALLOWED, |(route, _)| route.allowed());
            cors::readable(ApiError::MethodNotAllowed(allowed).into_response(), &AllowedOrigin::Any)
        }
    };
    request_log::finished(request, response, store.consumed(), now)
}
