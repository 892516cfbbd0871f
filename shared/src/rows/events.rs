//! Rows of events.

use crate::rows::event_row::EventRow;
use crate::rows::picked::{Oldest, Picked};
use figures::ids::{ProjectId, SessionId, VisitorId};
use figures::model::Batch;
use figures::table::keys;
use figures::table::store::{Pages, Query, SortKeys, Store, StoreError};

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
