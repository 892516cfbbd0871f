//! Rows of events.

use std::sync::Arc;

use serde::Serialize;
use serde_json::value::RawValue;

use crate::rows::picked::{Oldest, Picked};
use figures::ids::{ProjectId, SessionId, VisitorId};
use figures::model::{Batch, Event};
use figures::table::keys;
use figures::table::store::{Pages, Query, SortKeys, Store, StoreError};
use figures::time::Millis;

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

/// The batches of all of a visitor's sessions, page by page.
pub fn of_visitor(store: &Store, project: &ProjectId, visitor: &VisitorId) -> Pages {
    store.pages(batches_of(project, visitor, keys::BATCH_PREFIX.to_owned()))
}

/// At most so many of a visitor's batches, in the order of their keys, page by page.
pub fn some_of_visitor(store: &Store, project: &ProjectId, visitor: &VisitorId, limit: usize) -> Pages {
    store.pages(batches_of(project, visitor, keys::BATCH_PREFIX.to_owned()).limit(limit))
}

/// The batches of a visitor's session, page by page.
pub fn of_session(store: &Store, project: &ProjectId, visitor: &VisitorId, session: &SessionId) -> Pages {
    store.pages(batches_of(project, visitor, keys::session_batches(session)))
}

fn batches_of(project: &ProjectId, visitor: &VisitorId, prefix: String) -> Query {
    Query::partition(keys::visitor_partition(project, visitor)).sort_keys(SortKeys::Prefix(prefix))
}

/// The first events of a session, the oldest first, ties in the order they were sent.
pub async fn first_of_session(
    store: &Store,
    project: &ProjectId,
    visitor: &VisitorId,
    session: &SessionId,
    limit: usize,
) -> Result<Vec<EventRow>, StoreError> {
    let (mut pages, mut first) = (of_session(store, project, visitor, session), Picked::<Oldest>::new(0, limit));
    while let Some(items) = pages.next().await? {
        for item in &items {
            first.go_through(Batch::from_item(item)?, |_| true);
        }
    }
    first.rows(0, store, project, visitor).await
}
