//! What every request of the API goes through: authentication, rate limit, parameters, resource.

use std::sync::{Arc, OnceLock};

use http::{HeaderMap, StatusCode};
use lambda_http::{Body, Request, Response};
use serde::Serialize;

use crate::app::{App, in_time};
use crate::auth::{self, Credential, Hint, Holder};
use crate::error::ApiError;
use crate::kept::KeptMemory;
use crate::params::Params;
use crate::prefetch::Prefetch;
use crate::projects::{self, NO_PROJECT};
use crate::rate_limit::Standing;
use crate::request_log;
use crate::response::json_response;
use figures::dates::DateRange;
use figures::ids::ProjectId;
use figures::retention::is_always_kept;
use figures::table::store::{Store, StoreError};
use figures::time::{Day, Millis};

/// The header with the project that a person asks for.
const PROJECT_HEADER: &str = "identity-project";

/// What a resource is read with, once the caller is known.
#[derive(Debug)]
pub struct Caller {
    /// The only project whose data the request may see.
    pub project: ProjectId,
    /// The table.
    pub store: Store,
    /// When the request arrived.
    pub now: Millis,
    /// Where the rows likely are of the list that the request asks for.
    pub prefetch: Prefetch,
    kept: Arc<KeptMemory>,
    cut_at: Arc<OnceLock<Day>>,
}

impl Caller {
    /// The first day of which lists and single visitors are kept; none where all are.
    async fn first_kept(&self) -> Result<Option<Day>, StoreError> {
        Ok(self.kept.of(&self.store, &self.project, self.now).await?.horizon(self.now))
    }

    /// The days of a range of which single visitors are kept, if any. Where that is less than the range, the answer says so.
    pub async fn kept_of(&self, range: DateRange) -> Result<Option<DateRange>, StoreError> {
        match self.cut(range.start()).await? {
            Some(first) => Ok(DateRange::new(first, range.end())),
            None => Ok(Some(range)),
        }
    }

    /// The first day that is kept, if something began before it. The answer says so then.
    pub async fn cut(&self, began: Day) -> Result<Option<Day>, StoreError> {
        // Nobody keeps less than is asked for as a rule.
        if is_always_kept(began, self.now) {
            return Ok(None);
        }
        let first = self.first_kept().await?.filter(|first| began < *first);
        if let Some(first) = first {
            let _ = self.cut_at.set(first);
        }
        Ok(first)
    }

    /// Whether what ended on a day is kept.
    pub async fn keeps(&self, ended: Day) -> Result<bool, StoreError> {
        Ok(is_always_kept(ended, self.now) || self.first_kept().await?.is_none_or(|first| first <= ended))
    }
}

/// An answer that tells of less than was asked for.
#[derive(Debug, Serialize)]
struct Cut<T> {
    #[serde(flatten)]
    body: T,
    meta: Meta,
}

/// What an answer can still show.
#[derive(Debug, Serialize)]
struct Meta {
    /// The first day of which lists and single visitors are kept.
    kept_since: String,
}

/// Answers a request of the API.
///
/// `parse` reads the parameters, `read` the resource, which is read while the token is taken; the token still decides
/// what is answered.
pub async fn answer<P, T: Serialize>(
    app: &App,
    request: &Request,
    parse: impl FnOnce(&Params) -> Result<P, ApiError>,
    read: impl AsyncFnOnce(Caller, P) -> Result<T, ApiError>,
) -> Response<Body> {
    let now = app.now();
    let params = Params::parse(request.uri().query().unwrap_or_default(), now.day());
    let store = app.store().metered();
    let cut_at: Arc<OnceLock<Day>> = Arc::default();
    let resource = async |project| {
        let parameters = parse(&params)?;
        let prefetch = app.prefetches().of(&project, request.uri().path(), &params);
        let (kept, cut_at) = (app.kept().clone(), cut_at.clone());
        read(Caller { project, store: store.clone(), now, prefetch, kept, cut_at }, parameters).await
    };
    let (standing, outcome) = in_parts(in_time(admitted(app, &store, request, now, resource)).await);
    let response = outcome.map(|body| match cut_at.get() {
        Some(first) => json_response(StatusCode::OK, &Cut { body, meta: Meta { kept_since: first.to_string() } }),
        None => json_response(StatusCode::OK, &body),
    });
    finish(request, &store, now, standing, response)
}

/// What a request comes to once its token is taken, with the state of the bucket; an error where no token is to be had.
pub(crate) type Admitted<T> = Result<(Standing, Result<T, ApiError>), ApiError>;

/// The state of the bucket, where a token was taken, and what is answered. `None` took too long.
pub(crate) fn in_parts<T>(admitted: Option<Admitted<T>>) -> (Option<Standing>, Result<T, ApiError>) {
    match admitted {
        Some(Ok((standing, outcome))) => (Some(standing), outcome),
        Some(Err(error)) => (None, Err(error)),
        None => (None, Err(ApiError::Unavailable)),
    }
}

/// The response to what a request came to, with the state of the bucket where that is known, and its line in the log.
pub(crate) fn finish(
    request: &Request,
    store: &Store,
    now: Millis,
    standing: Option<Standing>,
    outcome: Result<Response<Body>, ApiError>,
) -> Response<Body> {
    let mut response = outcome.unwrap_or_else(ApiError::into_response);
    if let Some(standing) = standing {
        standing.describe(response.headers_mut());
    }
    let consumed = store.consumed();
    response.extensions_mut().insert(consumed);
    request_log::finished(request, response, consumed, now)
}

/// What the resource comes to, for whoever the request says that it is of.
async fn admitted<T>(
    app: &App,
    store: &Store,
    request: &Request,
    now: Millis,
    resource: impl AsyncFnOnce(ProjectId) -> Result<T, ApiError>,
) -> Admitted<T> {
    let credential = Credential::of_request(request.headers(), app.cookies())?;
    let of_project =
        async |holder: &Holder| resource(project_asked(app, store, holder, request.headers()).await?).await;
    admit(app, store, &credential, now, of_project).await
}

/// Takes a token and reads the resource at the same time. Fails where no token is to be had.
async fn admit<T>(
    app: &App,
    store: &Store,
    credential: &Credential,
    now: Millis,
    resource: impl AsyncFnOnce(&Holder) -> Result<T, ApiError>,
) -> Admitted<T> {
    let at = now.0 * 1000;
    let likely = match auth::look_up(store, app.keys(), credential, at).await? {
        Hint::Likely(holder) => holder,
        Hint::Exhausted(standing) => return Err(ApiError::RateLimited(standing)),
    };
    let token = auth::take_token(store, app.keys(), credential, at);
    let (taken, read) = tokio::join!(token, resource(&likely));
    let (holder, standing) = taken?;
    // What was read may be another project's only if the key was made anew for one, and then nobody gets to see it.
    if holder == likely { Ok((standing, read)) } else { Err(ApiError::Unavailable) }
}

/// The project whose data is asked for: a key's own, or the one that a person names and may see.
async fn project_asked(app: &App, store: &Store, holder: &Holder, headers: &HeaderMap) -> Result<ProjectId, ApiError> {
    let person = match holder {
        Holder::Project(project) => return Ok(project.clone()),
        Holder::Person(person) => person,
    };
    let named = headers
        .get(PROJECT_HEADER)
        .filter(|named| !named.is_empty())
        .ok_or_else(|| ApiError::InvalidParameter("Name the project in the header Identity-Project.".to_owned()))?;
    let named = named.to_str().ok().and_then(|named| named.parse().ok()).ok_or(ApiError::NotFound(NO_PROJECT))?;
    projects::must_be_open(app, store, person, &named).await?;
    Ok(named)
}

/// A response body that holds nothing beside its data.
#[derive(Debug, Serialize)]
pub struct Data<T> {
    /// What was asked for.
    pub data: T,
}
