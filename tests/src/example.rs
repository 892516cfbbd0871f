//! Plain batches, for tests that are about something else.

use crate::sent::{Event, Sent, Session, Visitor};

/// A visitor's page view in a session, at an instant.
pub fn page_view(visitor_id: &str, session_id: &str, batch_id: &str, at: i64) -> Sent {
    Sent {
        batch_id: batch_id.to_owned(),
        sent_at: at,
        page: Some("/".to_owned()),
        visitor: Visitor { visitor_id: visitor_id.to_owned(), ..Visitor::default() },
        session: Session {
            session_id: session_id.to_owned(),
            started_at: at,
            url: Some("/".to_owned()),
            ..Session::default()
        },
        events: vec![Event { name: "page_view".to_owned(), url: Some("/".to_owned()), created_at: at, data: None }],
    }
}
