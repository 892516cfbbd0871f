//! `GET /api/v1/visitors/{visitor_id}`: a visitor with its sessions, events and aliases.

use figures::dates::DateRange;
use figures::ids::{SessionId, VisitorId};
use figures::model::Session;
use figures::time::Millis;
use futures::future::try_join3;
use lambda_http::{Body, Request, Response};
use serde::Serialize;
use serde_json::value::RawValue;
use shared::api::{Caller, Data, answer};
use shared::app::App;
use shared::error::ApiError;
use shared::routes;
use shared::rows::visitor_events::VisitorEvents;
use shared::rows::{EventRow, VisitorRow, sessions, visitors};

/// The most sessions that are shown.
const MAX_SESSIONS: usize = 100;
/// The most events that are shown.
const MAX_EVENTS: usize = 100;

const UNKNOWN: ApiError = ApiError::NotFound("No such visitor.");

/// The path parameter.
#[derive(Debug)]
pub struct Parameters {
    /// `visitor_id`; `None` if it is one that no visitor can have.
    pub visitor: Option<VisitorId>,
}

impl Parameters {
    fn parse(path: &str) -> Self {
        Parameters { visitor: routes::parameter(path).parse().ok() }
    }
}

/// A visitor with its sessions and events.
#[derive(Debug, Serialize)]
pub struct VisitorDetail {
    #[serde(flatten)]
    visitor: VisitorRow,
    /// The site's own names for the visitor, in order of first link.
    aliases: Vec<String>,
    /// The newest first.
    sessions: Vec<Visit>,
    /// The newest first.
    events: Vec<Happening>,
}

/// A session, as far as a visitor's history tells of it.
#[derive(Debug, Serialize)]
struct Visit {
    session_id: SessionId,
    url: Option<String>,
    started_at: Millis,
    duration_ms: i64,
}

impl From<Session> for Visit {
    fn from(session: Session) -> Self {
        Visit {
            duration_ms: session.duration_ms(),
            session_id: session.session_id,
            url: session.url,
            started_at: session.started_at,
        }
    }
}

/// An event, as far as a visitor's history tells of it.
#[derive(Debug, Serialize)]
struct Happening {
    id: u64,
    name: String,
    data: Option<Box<RawValue>>,
    created_at: Millis,
}

impl From<EventRow> for Happening {
    fn from(event: EventRow) -> Self {
        Happening { id: event.id, name: event.name, data: event.data, created_at: event.created_at }
    }
}

/// Answers a request.
pub async fn handle(app: &App, request: &Request) -> Response<Body> {
    answer(app, request, |_| Ok(Parameters::parse(request.uri().path())), read).await
}

async fn read(caller: Caller, parameters: Parameters) -> Result<Data<VisitorDetail>, ApiError> {
    let (store, project) = (&caller.store, &caller.project);
    let id = parameters.visitor.ok_or(UNKNOWN)?;
    let visitor = visitors::read(store, project, &id);
    let earlier = sessions::read_newest_earlier(store, project, &id, MAX_SESSIONS);
    let visitor_events = VisitorEvents { store, project, visitor: &id };
    let (visitor, earlier, batches) = try_join3(visitor, earlier, visitor_events.first_batches()).await?;
    let visitor = visitor.ok_or(UNKNOWN)?;
    if !caller.keeps(visitor.last_seen_at.day()).await? {
        return Err(UNKNOWN);
    }
    let range = match caller.cut(visitor.first_seen_at.day()).await? {
        Some(first) => DateRange::new(first, DateRange::always().end()).ok_or(UNKNOWN)?,
        None => DateRange::always(),
    };

    let aliases = visitor.aliases.iter().map(|alias| alias.name.clone()).collect();
    let sessions = sessions::newest_first(Some(visitor.latest.clone()), earlier);
    let events = visitor_events.newest(&visitor, batches, &sessions, (range, MAX_EVENTS)).await?;
    let events = events.into_iter().map(Happening::from).collect();
    let sessions = sessions
        .into_iter()
        .filter(|session| range.contains(session.day()))
        .take(MAX_SESSIONS)
        .map(Visit::from)
        .collect();
    Ok(Data { data: VisitorDetail { visitor: VisitorRow::new(id, visitor), aliases, sessions, events } })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_that_no_visitor_can_have_is_none() {
        let read = |path| Parameters::parse(path).visitor.map(|id| id.to_string());
        assert_eq!(read("/api/v1/visitors/v_1"), Some("v_1".to_owned()));
        assert_eq!(read("/api/v1/visitors/v%20"), None);
    }
}
