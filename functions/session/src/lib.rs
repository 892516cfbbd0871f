//! `GET /api/v1/sessions/{session_id}`: a session and its events.

use figures::ids::SessionId;
use futures::future::try_join;
use lambda_http::{Body, Request, Response};
use serde::Serialize;
use shared::api::{Caller, Data, answer};
use shared::app::App;
use shared::error::ApiError;
use shared::room;
use shared::routes;
use shared::rows::{EventRow, SessionRow, events, sessions};

/// The most events of a session that are shown.
const MAX_EVENTS: usize = 500;

const UNKNOWN: ApiError = ApiError::NotFound("No such session.");

/// The path parameter.
#[derive(Debug)]
pub struct Parameters {
    /// `session_id`; `None` if it is one that no session can have.
    pub session: Option<SessionId>,
}

impl Parameters {
    fn parse(path: &str) -> Self {
        Parameters { session: routes::parameter(path).parse().ok() }
    }
}

/// A session with its timeline.
#[derive(Debug, Serialize)]
pub struct SessionDetail {
    #[serde(flatten)]
    session: SessionRow,
    /// How many more events were sent when the session was full.
    dropped_events: u32,
    /// The oldest first: as many of the first ones as an answer has room for.
    events: Vec<EventRow>,
}

/// Answers a request.
pub async fn handle(app: &App, request: &Request) -> Response<Body> {
    answer(app, request, |_| Ok(Parameters::parse(request.uri().path())), read).await
}

async fn read(caller: Caller, parameters: Parameters) -> Result<Data<SessionDetail>, ApiError> {
    let (store, project) = (&caller.store, &caller.project);
    let id = parameters.session.ok_or(UNKNOWN)?;
    let found = sessions::find(&caller, &id).await?.ok_or(UNKNOWN)?;
    let session = found.read(store, project);
    let events = events::first_of_session(store, project, found.visitor(), &id, MAX_EVENTS);
    let (session, events) = try_join(session, events).await?;
    let session = session.ok_or(UNKNOWN)?;
    let dropped_events = session.dropped;
    let session = SessionRow::new(found.visitor().clone(), session);
    Ok(Data { data: SessionDetail { session, dropped_events, events: room::fitting(events) } })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_that_no_session_can_have_is_none() {
        let read = |path| Parameters::parse(path).session.map(|id| id.to_string());
        assert_eq!(read("/api/v1/sessions/ses%5F1"), Some("ses_1".to_owned()));
        assert_eq!(read("/api/v1/sessions/a%23b"), None);
        assert_eq!(read("/api/v1/sessions/%F0%9F%98%80"), None);
    }
}
