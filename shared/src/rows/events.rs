//! Rows of events.

use std::cmp::Reverse;
use std::sync::Arc;

use serde::Serialize;
use serde_json::value::RawValue;

use crate::ids::{ProjectId, SessionId, VisitorId};
use crate::keys;
use crate::model::Batch;
use crate::store::{Query, SortKeys, Store, StoreError};
use crate::time::Millis;

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
    /// The rows of a batch's events, in the order they were sent.
    pub fn of_batch(batch: Batch) -> impl Iterator<Item = EventRow> {
        let ids = batch.event_ids();
        batch.events.into_iter().zip(ids).map(move |(event, id)| EventRow {
            id,
            name: event.name,
            data: event.data,
            url: event.url,
            created_at: event.created_at,
            session_id: batch.session_id.clone(),
            visitor_id: batch.visitor_id.clone(),
        })
    }
}

/// The events of batches, the oldest first, ties in the order they were sent.
pub fn oldest_first(mut batches: Vec<Batch>) -> Vec<EventRow> {
    batches.sort_by(|a, b| (a.sent_at, a.stored_at, &a.batch_id).cmp(&(b.sent_at, b.stored_at, &b.batch_id)));
    let mut rows: Vec<EventRow> = batches.into_iter().flat_map(EventRow::of_batch).collect();
    rows.sort_by_key(|row| row.created_at);
    rows
}

/// The events of batches, the newest first, ties by descending id.
pub fn newest_first(batches: Vec<Batch>) -> Vec<EventRow> {
    let mut rows: Vec<EventRow> = batches.into_iter().flat_map(EventRow::of_batch).collect();
    sort_newest_first(&mut rows);
    rows
}

/// Brings events into the order of lists: the newest first, ties by descending id.
pub fn sort_newest_first(rows: &mut [EventRow]) {
    rows.sort_by_key(|row| Reverse((row.created_at, row.id)));
}

/// Reads the batches of all of a visitor's sessions.
pub async fn read_of_visitor(
    store: &Store,
    project: &ProjectId,
    visitor: &VisitorId,
) -> Result<Vec<Batch>, StoreError> {
    read_batches(store, batches_of(project, visitor, keys::BATCH_PREFIX.to_owned())).await
}

/// Reads at most so many of a visitor's batches, in the order of their keys.
pub async fn read_some_of_visitor(
    store: &Store,
    project: &ProjectId,
    visitor: &VisitorId,
    limit: usize,
) -> Result<Vec<Batch>, StoreError> {
    read_batches(store, batches_of(project, visitor, keys::BATCH_PREFIX.to_owned()).limit(limit)).await
}

/// Reads the batches of a visitor's session.
pub async fn read_of_session(
    store: &Store,
    project: &ProjectId,
    visitor: &VisitorId,
    session: &SessionId,
) -> Result<Vec<Batch>, StoreError> {
    read_batches(store, batches_of(project, visitor, keys::session_batches(session))).await
}

fn batches_of(project: &ProjectId, visitor: &VisitorId, prefix: String) -> Query {
    Query::partition(keys::visitor_partition(project, visitor)).sort_keys(SortKeys::Prefix(prefix))
}

async fn read_batches(store: &Store, query: Query) -> Result<Vec<Batch>, StoreError> {
    store.query(query).await?.iter().map(Batch::from_item).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Event, SessionFacts, VisitorFacts};

    fn batch(id: &str, sent_at: i64, created_at: &[i64]) -> Batch {
        let (Ok(visitor_id), Ok(session_id), Ok(batch_id)) = ("v".parse(), "s".parse(), id.parse()) else {
            panic!("legal identifiers")
        };
        let event = |(position, at): (usize, &i64)| Event {
            name: format!("{id}{position}"),
            url: None,
            created_at: Millis(*at),
            data: None,
        };
        Batch {
            visitor_id,
            session_id,
            batch_id,
            stored_at: Millis(sent_at + 10),
            sent_at: Millis(sent_at),
            page: None,
            visitor: VisitorFacts::default(),
            session: SessionFacts { started_at: Millis(0), ..SessionFacts::default() },
            events: created_at.iter().enumerate().map(event).collect(),
        }
    }

    fn names(rows: &[EventRow]) -> Vec<&str> {
        rows.iter().map(|row| row.name.as_str()).collect()
    }

    #[test]
    fn a_timeline_breaks_ties_in_the_order_of_sending() {
        let batches = vec![batch("b", 30, &[7, 5]), batch("c", 20, &[5, 5]), batch("a", 30, &[5])];
        assert_eq!(names(&oldest_first(batches)), ["c0", "c1", "a0", "b1", "b0"]);
    }

    #[test]
    fn a_list_breaks_ties_by_descending_id() {
        let rows = newest_first(vec![batch("a", 0, &[5, 5, 5]), batch("b", 0, &[9, 5])]);
        assert_eq!(names(&rows).first(), Some(&"b0"));
        assert!(rows[1..].windows(2).all(|pair| pair[0].id > pair[1].id));
        assert!(rows.iter().all(|row| row.id < 1 << 53));
    }
}
