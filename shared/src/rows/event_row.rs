//! An event as the API shows it.

use std::sync::Arc;

use figures::ids::{SessionId, VisitorId};
use figures::model::{Batch, Event};
use figures::time::Millis;
use serde::Serialize;
use serde_json::value::RawValue;

/// An event as the API shows it.
#[derive(Debug, Clone, Serialize)]
pub struct EventRow {
    /// Its identifier, under 2^53.
    pub id: u64,
    /// Its type.
    pub name: String,
    /// Its data, as the client wrote it.
    pub data: Option<Box<RawValue>>,
    /// The page it happened on.
    pub url: Option<Arc<str>>,
    /// When it happened.
    pub created_at: Millis,
    /// In which session.
    pub session_id: SessionId,
    /// Whose it is.
    pub visitor_id: VisitorId,
}

impl EventRow {
    /// The row of an event.
    pub fn new(event: Event, id: u64, session: &SessionId, visitor: &VisitorId) -> Self {
        EventRow {
            id,
            name: event.name,
            data: event.data,
            url: event.url,
            created_at: event.created_at,
            session_id: session.clone(),
            visitor_id: visitor.clone(),
        }
    }

    /// The rows of a batch's events, in the order they were sent.
    pub fn of_batch(batch: Batch) -> impl Iterator<Item = EventRow> {
        let ids = batch.event_ids();
        let Batch { session_id, visitor_id, events, .. } = batch;
        events.into_iter().zip(ids).map(move |(event, id)| EventRow::new(event, id, &session_id, &visitor_id))
    }

    /// About how much memory it takes, in bytes.
    pub fn size(&self) -> usize {
        let data = self.data.as_ref().map_or(0, |data| data.get().len());
        let url = self.url.as_ref().map_or(0, |url| url.len());
        let ids = self.session_id.as_str().len() + self.visitor_id.as_str().len();
        size_of::<EventRow>() + self.name.len() + data + url + ids
    }
}
