//! The events of a page, picked from batches that are gone through one after the other.
//!
//! A stranger can make one visitor's or session's batches come to hundreds of megabytes. So none of them is kept: of each event
//! that may be on the page its order is remembered, some 40 bytes, and what is shown of it as long as that is not too much.
//! What had to be forgotten, since it was only going to be on the page if newer events came, is read again at the end: from as
//! many batches as the page has rows, at most.

use std::cmp::{Ordering, Reverse};
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use crate::rows::event_row::EventRow;
use figures::ids::{BatchId, ProjectId, SessionId, VisitorId};
use figures::model::{Batch, Event};
use figures::table::keys;
use figures::table::store::{Consistency, Store, StoreError};
use figures::time::Millis;

/// What is shown of events may take so much memory, in bytes, before that of events outside the page is forgotten.
const MAX_HELD: usize = 8 << 20;

/// So many events more than can be on the page are remembered before the last ones are forgotten.
const MAX_SPARE: usize = 1_024;

/// What events of a list are sorted by. The least come first.
pub trait EventOrder: Ord + Clone + Send {
    /// That of an event at a position of a batch.
    fn of(origin: &Arc<Origin>, position: usize, event: &Event, id: u64) -> Self;
}

/// The order of lists: the newest first, ties by descending id.
pub type Newest = Reverse<(Millis, u64)>;

impl EventOrder for Newest {
    fn of(_: &Arc<Origin>, _: usize, event: &Event, id: u64) -> Self {
        Reverse((event.created_at, id))
    }
}

/// The order of a timeline: the oldest first, ties in the order they were sent.
pub type Oldest = (Millis, Arc<Origin>, usize);

impl EventOrder for Oldest {
    fn of(origin: &Arc<Origin>, position: usize, event: &Event, _: u64) -> Self {
        (event.created_at, origin.clone(), position)
    }
}

/// The batch that an event is of; they are ordered as they were sent.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Origin {
    sent_at: Millis,
    stored_at: Millis,
    batch: BatchId,
    session: SessionId,
}

/// Picks the events of a page.
#[derive(Debug)]
pub struct Picked<P> {
    skip: usize,
    limit: usize,
    candidates: Vec<Candidate<P>>,
    /// What comes after it is not on the page, once there are enough candidates before it.
    last: Option<P>,
    held: usize,
}

/// An event that may be on the page.
#[derive(Debug)]
struct Candidate<P> {
    order: P,
    id: u64,
    origin: Arc<Origin>,
    /// What is shown of it, unless that had to be forgotten.
    row: Option<Box<EventRow>>,
}

impl<P: EventOrder> Picked<P> {
    /// Picks so many events after so many others.
    pub fn new(skip: u64, limit: usize) -> Self {
        let skip = usize::try_from(skip).unwrap_or(usize::MAX);
        Picked { skip, limit, candidates: Vec::new(), last: None, held: 0 }
    }

    /// Goes through a batch. Says how many of its events are wanted.
    pub fn go_through(&mut self, batch: Batch, is_wanted: impl Fn(&Event) -> bool) -> u64 {
        let mut wanted = 0;
        let origin = Arc::new(Origin {
            sent_at: batch.sent_at,
            stored_at: batch.stored_at,
            batch: batch.batch_id.clone(),
            session: batch.session_id.clone(),
        });
        let ids = batch.event_ids();
        for ((position, event), id) in batch.events.into_iter().enumerate().zip(ids) {
            if !is_wanted(&event) {
                continue;
            }
            wanted += 1;
            let order = P::of(&origin, position, &event, id);
            if self.last.as_ref().is_some_and(|last| order > *last) {
                continue;
            }
            let row = EventRow::new(event, id, &batch.session_id, &batch.visitor_id);
            self.held += row.size();
            self.candidates.push(Candidate { order, id, origin: origin.clone(), row: Some(Box::new(row)) });
        }
        self.forget();
        wanted
    }

    /// How many events are on the page or before it.
    fn most(&self) -> usize {
        self.skip.saturating_add(self.limit)
    }

    fn forget(&mut self) {
        let most = self.most();
        let spare = if self.held > MAX_HELD { 0 } else { MAX_SPARE.max(most / 4) };
        if self.candidates.len() > most.saturating_add(spare) {
            self.keep_first(most);
        }
        if self.held > MAX_HELD && self.candidates.len() > self.skip && self.skip > 0 {
            self.candidates.select_nth_unstable_by(self.skip, by_order);
        }
        if self.held > MAX_HELD {
            let before = self.candidates.len().min(self.skip);
            self.candidates.iter_mut().take(before).for_each(|candidate| candidate.row = None);
            self.count_held();
        }
    }

    fn keep_first(&mut self, most: usize) {
        if let Some(last) = most.checked_sub(1) {
            let (_, last, _) = self.candidates.select_nth_unstable_by(last, by_order);
            self.last = Some(last.order.clone());
        }
        self.candidates.truncate(most);
        self.count_held();
    }

    fn count_held(&mut self) {
        self.held = self.candidates.iter().filter_map(|candidate| Some(candidate.row.as_ref()?.size())).sum();
    }

    fn page(mut self, skip: u64) -> Vec<Candidate<P>> {
        let skip = usize::try_from(skip).unwrap_or(usize::MAX);
        self.candidates.sort_unstable_by(by_order);
        self.candidates.into_iter().skip(skip).take(self.limit).collect()
    }

    /// The events of the page, in their order. It begins after so many events: as many as were said at first, or fewer.
    pub async fn rows(
        self,
        skip: u64,
        store: &Store,
        project: &ProjectId,
        visitor: &VisitorId,
    ) -> Result<Vec<EventRow>, StoreError> {
        let page = self.page(skip);
        let forgotten = page.iter().filter(|candidate| candidate.row.is_none());
        let batches: BTreeSet<_> = forgotten
            .map(|candidate| keys::batch(project, visitor, &candidate.origin.session, &candidate.origin.batch))
            .collect();
        let mut again = HashMap::new();
        if !batches.is_empty() {
            let ids: BTreeSet<u64> = page.iter().map(|candidate| candidate.id).collect();
            for item in store.get_many(batches.into_iter().collect(), Consistency::Eventual).await?.into_values() {
                let rows = EventRow::of_batch(Batch::from_item(&item)?);
                again.extend(rows.filter(|row| ids.contains(&row.id)).map(|row| (row.id, row)));
            }
        }
        // One that is nowhere any more was erased since.
        let row = |candidate: Candidate<P>| match candidate.row {
            Some(row) => Some(*row),
            None => again.remove(&candidate.id),
        };
        Ok(page.into_iter().filter_map(row).collect())
    }
}

fn by_order<P: Ord>(a: &Candidate<P>, b: &Candidate<P>) -> Ordering {
    a.order.cmp(&b.order)
}

#[cfg(test)]
mod tests {
    use super::*;
    use figures::model::{SessionFacts, VisitorFacts};

    /// A batch whose events are named after it, each with so many bytes of data.
    fn batch(id: &str, sent_at: i64, created_at: &[i64], data: usize) -> Batch {
        let (Ok(visitor_id), Ok(session_id), Ok(batch_id)) = ("v".parse(), "s".parse(), id.parse()) else {
            panic!("legal identifiers")
        };
        let event = |(position, at): (usize, &i64)| Event {
            name: format!("{id}{position}"),
            url: None,
            created_at: Millis(*at),
            data: serde_json::value::to_raw_value(&"x".repeat(data)).ok(),
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

    fn picked<P: EventOrder>(batches: Vec<Batch>, skip: u64, limit: usize) -> Vec<Candidate<P>> {
        let mut picked = Picked::<P>::new(skip, limit);
        for batch in batches {
            picked.go_through(batch, |_| true);
        }
        picked.page(skip)
    }

    fn names<P>(candidates: &[Candidate<P>]) -> Vec<&str> {
        candidates.iter().filter_map(|candidate| Some(candidate.row.as_ref()?.name.as_str())).collect()
    }

    #[test]
    fn a_timeline_breaks_ties_in_the_order_of_sending() {
        let batches = vec![batch("b", 30, &[7, 5], 0), batch("c", 20, &[5, 5], 0), batch("a", 30, &[5], 0)];
        assert_eq!(names(&picked::<Oldest>(batches.clone(), 0, 9)), ["c0", "c1", "a0", "b1", "b0"]);
        assert_eq!(names(&picked::<Oldest>(batches, 1, 3)), ["c1", "a0", "b1"]);
    }

    #[test]
    fn a_list_breaks_ties_by_descending_id() {
        let rows = picked::<Newest>(vec![batch("a", 0, &[5, 5, 5], 0), batch("b", 0, &[9, 5], 0)], 0, 9);
        assert_eq!((rows.len(), names(&rows).first()), (5, Some(&"b0")));
        assert!(rows[1..].windows(2).all(|pair| pair[0].id > pair[1].id));
        assert!(rows.iter().all(|row| row.id < 1 << 53));
    }

    #[test]
    fn only_wanted_events_are_counted_and_picked() {
        let mut picked = Picked::<Newest>::new(0, 9);
        let wanted = picked.go_through(batch("a", 0, &[1, 2, 3], 0), |event| event.created_at != Millis(2));
        assert_eq!((wanted, names(&picked.page(0))), (2, vec!["a2", "a0"]));
    }

    /// Whatever comes in which order, and however much had to be forgotten, it is the right events.
    #[test]
    fn a_page_is_what_sorting_everything_comes_to_and_little_is_held() {
        const DATA: usize = 8_000;
        let batches: Vec<Batch> = (0..60_i64)
            .map(|number| {
                let created_at: Vec<i64> = (0..100).map(|at| (number * 7_919 + at * 104_729) % 3_000).collect();
                batch(&format!("b{number}"), number, &created_at, DATA)
            })
            .collect();
        let orders = |batch: &Batch| -> Vec<Newest> {
            batch.events.iter().zip(batch.event_ids()).map(|(event, id)| Reverse((event.created_at, id))).collect()
        };
        let mut sorted: Vec<Newest> = batches.iter().flat_map(orders).collect();
        sorted.sort_unstable();
        for (skip, limit) in [(0, 1), (0, 100), (100, 100), (3_000, 50), (5_990, 100), (7_000, 100)] {
            let mut picked = Picked::<Newest>::new(skip, limit);
            let mut most_held = 0;
            for batch in batches.clone() {
                picked.go_through(batch, |_| true);
                let rows = picked.candidates.iter().filter_map(|candidate| candidate.row.as_ref());
                most_held = most_held.max(rows.map(|row| row.size()).sum());
            }
            assert!(most_held <= MAX_HELD, "{skip}, {limit}: {most_held}");
            let page: Vec<Newest> = picked.page(skip).into_iter().map(|candidate| candidate.order).collect();
            let expected: Vec<Newest> = sorted.iter().skip(skip as usize).take(limit).copied().collect();
            assert_eq!(page, expected, "{skip}, {limit}");
        }
    }
}
