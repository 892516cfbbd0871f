//! A visitor's own events, the newest first, without reading all that it ever sent.
//!
//! Its batches lie in the order of their sessions' ids, so no query finds the newest events. A few batches are simply
//! read. Of a visitor with more, the sessions tell where a page is: each knows its first and last instant, and how
//! many events it has. Sessions whose instants overlap or touch make a *cluster*. All events of a cluster are newer
//! than all of the next one, so counters alone lead to the clusters of the page, and only their batches are read.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::ops::Range;

use futures::future::try_join;
use futures::stream::{self, StreamExt, TryStreamExt};

use super::{EventRow, events, sessions};
use crate::dates::DateRange;
use crate::ids::{ProjectId, SessionId, VisitorId};
use crate::keys;
use crate::model::batch::PAGE_VIEW;
use crate::model::{Batch, Session, Visitor};
use crate::pagination::Page;
use crate::store::{Consistency, Store, StoreError, read_packed};
use crate::time::Millis;

/// A visitor with fewer batches has them all read at once, which takes some 15 read units at most.
pub const MANY_BATCHES: usize = 200;

/// Sessions whose batches are read at once.
const CONCURRENCY: usize = 16;

/// Which events are asked for.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// Only those of these days.
    pub range: DateRange,
    /// Only those of this type.
    pub event_type: Option<&'a str>,
    /// Of these, only those of this page.
    pub page: Page,
}

/// The number of wanted events, and those of the page.
pub type Found = (u64, Vec<EventRow>);

impl Wanted<'_> {
    /// The wanted events of batches.
    pub fn of(&self, batches: Vec<Batch>) -> Found {
        let mut rows = events::newest_first(batches);
        rows.retain(|row| self.takes(row));
        (rows.len() as u64, self.page.slice(rows))
    }

    fn takes(&self, row: &EventRow) -> bool {
        self.range.contains(row.created_at.day()) && self.event_type.is_none_or(|wanted| wanted == row.name)
    }

    /// Whether a session may hold events of the range.
    fn meets(&self, session: &Session) -> bool {
        let (first, last) = self.range.instants();
        session.first_instant <= last && first <= session.last_instant
    }

    /// How many of a session's events are wanted; `None` if only its batches tell.
    fn count(&self, session: &Session) -> Option<u64> {
        let (first, last) = self.range.instants();
        let is_inside = first <= session.first_instant && session.last_instant <= last;
        match self.event_type {
            _ if !is_inside => None,
            None => Some(session.event_count.into()),
            Some(PAGE_VIEW) => Some(session.page_views.into()),
            Some(_) if session.page_views == session.event_count => Some(0),
            Some(_) => None,
        }
    }
}

/// Whose events they are.
#[derive(Debug, Clone, Copy)]
pub struct History<'a> {
    /// The table.
    pub store: &'a Store,
    /// The visitor's project.
    pub project: &'a ProjectId,
    /// The visitor.
    pub visitor: &'a VisitorId,
}

impl History<'_> {
    /// The wanted events.
    pub async fn page(&self, wanted: &Wanted<'_>) -> Result<Found, StoreError> {
        let key = keys::visitor(self.project, self.visitor);
        let (visitor, batches) = try_join(self.store.get(&key, Consistency::Eventual), self.first_batches()).await?;
        if batches.len() < MANY_BATCHES {
            return Ok(wanted.of(batches));
        }
        // Nothing of a visitor that is not known yet has been counted.
        let Some(visitor) = visitor else { return Ok((0, Vec::new())) };
        let visitor: Visitor = read_packed(&visitor)?;
        let clusters = clusters(self.sessions(&visitor, wanted).await?);
        self.of_clusters(&visitor, &clusters, wanted).await
    }

    /// Some of the visitor's batches: all of them, unless it has many.
    pub async fn first_batches(&self) -> Result<Vec<Batch>, StoreError> {
        events::read_some_of_visitor(self.store, self.project, self.visitor, MANY_BATCHES).await
    }

    /// The newest events of a visitor whose first batches and newest sessions were read already.
    pub async fn newest(
        &self,
        visitor: &Visitor,
        batches: Vec<Batch>,
        sessions: &[Session],
        limit: usize,
    ) -> Result<Vec<EventRow>, StoreError> {
        let wanted = Wanted { range: DateRange::always(), event_type: None, page: Page::first(limit) };
        if batches.len() < MANY_BATCHES {
            return Ok(wanted.of(batches).1);
        }
        let mut newest = clusters(sessions.to_vec());
        if let Some(oldest) = sessions.last().filter(|_| sessions.len() < visitor.visit_count as usize) {
            // The others started no later than this one, and lasted no longer than the longest.
            let known_after = oldest.started_at.plus(visitor.longest_session_ms);
            newest.retain(|cluster| cluster.first > known_after);
            let events: u64 = newest.iter().map(Cluster::events).sum();
            if events < limit as u64 {
                newest = clusters(self.sessions(visitor, &wanted).await?);
            }
        }
        Ok(self.of_clusters(visitor, &newest, &wanted).await?.1)
    }

    /// The visitor's sessions that may hold events of a range.
    async fn sessions(&self, visitor: &Visitor, wanted: &Wanted<'_>) -> Result<Vec<Session>, StoreError> {
        let (first, last) = wanted.range.instants();
        let starts = (first.plus(-visitor.longest_session_ms), last.plus(visitor.longest_lead_ms));
        let earlier = sessions::read_earlier(self.store, self.project, self.visitor, starts).await?;
        let mut found = sessions::newest_first(Some(visitor.latest.clone()), earlier);
        found.retain(|session| wanted.meets(session));
        Ok(found)
    }

    /// The wanted events of sessions. Of a batch that came after its session was read, the events are there, and
    /// not counted yet.
    async fn of_clusters(
        &self,
        visitor: &Visitor,
        clusters: &[Cluster],
        wanted: &Wanted<'_>,
    ) -> Result<Found, StoreError> {
        let of_page = locate(clusters, wanted);
        let is_needed = |(at, session): &(usize, &Session)| match wanted.count(session) {
            Some(count) => count > 0 && of_page.contains(at),
            None => true,
        };
        let all = clusters.iter().enumerate();
        let all = all.flat_map(|(at, cluster)| cluster.sessions.iter().map(move |session| (at, session)));
        let needed = all.filter(is_needed).map(|(_, session)| session.session_id.clone()).collect();
        let mut read = self.read(visitor, needed, wanted).await?;
        let (mut total, mut newer, mut rows) = (0, 0, Vec::new());
        for (at, cluster) in clusters.iter().enumerate() {
            for session in &cluster.sessions {
                let found = read.remove(&session.session_id).unwrap_or_default();
                total += wanted.count(session).unwrap_or(found.len() as u64);
                if of_page.contains(&at) {
                    rows.extend(found);
                }
            }
            if at < of_page.start {
                newer = total;
            }
        }
        events::sort_newest_first(&mut rows);
        let skip = usize::try_from(wanted.page.offset().saturating_sub(newer)).unwrap_or(usize::MAX);
        Ok((total, rows.into_iter().skip(skip).take(wanted.page.limit()).collect()))
    }

    /// The wanted events of some sessions, by session.
    async fn read(
        &self,
        visitor: &Visitor,
        needed: Vec<SessionId>,
        wanted: &Wanted<'_>,
    ) -> Result<HashMap<SessionId, Vec<EventRow>>, StoreError> {
        // Where most of all sessions are needed, one query of everything takes fewer units than one for each.
        let batches = if needed.len() * 2 > visitor.visit_count as usize {
            vec![events::read_of_visitor(self.store, self.project, self.visitor).await?]
        } else {
            stream::iter(needed)
                .map(async |session| events::read_of_session(self.store, self.project, self.visitor, &session).await)
                .buffer_unordered(CONCURRENCY)
                .try_collect()
                .await?
        };
        let mut rows: HashMap<SessionId, Vec<EventRow>> = HashMap::new();
        for row in batches.into_iter().flatten().flat_map(EventRow::of_batch).filter(|row| wanted.takes(row)) {
            rows.entry(row.session_id.clone()).or_default().push(row);
        }
        Ok(rows)
    }
}

/// Sessions whose instants overlap or touch.
#[derive(Debug, PartialEq)]
struct Cluster {
    /// Their earliest instant.
    first: Millis,
    sessions: Vec<Session>,
}

impl Cluster {
    fn events(&self) -> u64 {
        self.sessions.iter().map(|session| u64::from(session.event_count)).sum()
    }
}

/// The clusters of sessions, the newest first. Those without events are in none.
fn clusters(mut sessions: Vec<Session>) -> Vec<Cluster> {
    sessions.retain(|session| session.event_count > 0);
    sessions.sort_by_key(|session| Reverse(session.last_instant));
    let mut clusters: Vec<Cluster> = Vec::new();
    for session in sessions {
        match clusters.last_mut() {
            // Events of one instant go by their ids, whichever session they are of.
            Some(newer) if newer.first <= session.last_instant => {
                newer.first = newer.first.min(session.first_instant);
                newer.sessions.push(session);
            }
            _ => clusters.push(Cluster { first: session.first_instant, sessions: vec![session] }),
        }
    }
    clusters
}

/// Which clusters may hold events of the page. Where only batches tell how many events of a session are wanted, it may
/// be none of them or all.
fn locate(clusters: &[Cluster], wanted: &Wanted<'_>) -> Range<usize> {
    let (offset, limit) = (wanted.page.offset(), wanted.page.limit() as u64);
    let (mut least, mut most) = (0, 0);
    let (mut begin, mut end) = (0, 0);
    for (at, cluster) in clusters.iter().enumerate() {
        if least < offset.saturating_add(limit) {
            end = at + 1;
        }
        for session in &cluster.sessions {
            let count = wanted.count(session);
            least += count.unwrap_or_default();
            most += count.unwrap_or(session.event_count.into());
        }
        if most <= offset {
            begin = at + 1;
        }
    }
    begin..end.max(begin)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{SessionFacts, VisitorFacts};
    use crate::time::Day;

    /// A session with an earliest and a latest instant and so many events, of which some are page views.
    fn session(id: &str, first: i64, last: i64, (event_count, page_views): (u32, u32)) -> Session {
        let (Ok(visitor_id), Ok(session_id), Ok(batch_id)) = ("v".parse(), id.parse(), "b".parse()) else {
            panic!("legal identifiers")
        };
        let started_at = Millis(first);
        let batch = Batch {
            visitor_id,
            session_id,
            batch_id,
            stored_at: started_at,
            sent_at: started_at,
            page: None,
            visitor: VisitorFacts::default(),
            session: SessionFacts { started_at, ..SessionFacts::default() },
            events: Vec::new(),
        };
        let begun = Session::begin(&batch, &[]);
        Session { first_instant: started_at, last_instant: Millis(last), event_count, page_views, ..begun }
    }

    fn wanted(query: &str) -> Wanted<'static> {
        let page = Page::parse(&crate::params::Params::parse(query, Day(0)));
        let Ok(page) = page else { panic!("a legal page") };
        Wanted { range: DateRange::always(), event_type: None, page }
    }

    fn only(first: i32, last: i32) -> DateRange {
        let Some(range) = DateRange::new(Day(first), Day(last)) else { panic!("a legal range") };
        range
    }

    #[test]
    fn sessions_that_overlap_or_touch_are_one_cluster() {
        let sessions = vec![
            session("within", 22, 23, (1, 1)),
            session("first", 0, 10, (1, 1)),
            session("touching", 10, 19, (1, 1)),
            session("silent", 15, 25, (0, 0)),
            session("around", 20, 30, (1, 1)),
            session("overlapping", 28, 40, (1, 1)),
        ];
        let clusters = clusters(sessions);
        let ids = |cluster: &Cluster| -> Vec<String> {
            cluster.sessions.iter().map(|session| session.session_id.to_string()).collect()
        };
        assert_eq!(clusters.iter().map(|cluster| cluster.first.0).collect::<Vec<_>>(), [20, 0]);
        assert_eq!(
            clusters.iter().map(ids).collect::<Vec<_>>(),
            [vec!["overlapping", "around", "within"], vec!["touching", "first"]]
        );
    }

    #[test]
    fn a_page_is_in_the_clusters_that_hold_its_positions() {
        let clusters = clusters((0..5).map(|at| session("s", 10 * at, 10 * at + 1, (20, 8))).collect());
        let located = |query, event_type| locate(&clusters, &Wanted { event_type, ..wanted(query) });
        assert_eq!(located("limit=20", None), 0..1);
        assert_eq!(located("limit=20&page=5", None), 4..5);
        assert_eq!(located("limit=30&page=2", None), 1..3);
        assert_eq!(located("limit=30&page=2", Some(PAGE_VIEW)), 3..5);
        assert_eq!(located("limit=50&page=3", None), 5..5);
        // Any of them may hold 0 to 20 events.
        assert_eq!(located("limit=30&page=2", Some("click")), 1..5);
    }

    #[test]
    fn an_event_count_is_known_where_all_events_are_within_the_range() {
        let day = |day: i32| Day(day).start().0;
        let count = |range, event_type, session: &Session| Wanted { range, event_type, ..wanted("") }.count(session);
        let mixed = session("s", day(3), day(4) - 1, (5, 2));
        assert_eq!(count(only(3, 3), None, &mixed), Some(5));
        assert_eq!(count(only(3, 3), Some(PAGE_VIEW), &mixed), Some(2));
        assert_eq!(count(only(3, 3), Some("click"), &mixed), None);
        let viewed = session("s", day(3), day(4), (5, 5));
        assert_eq!(count(only(3, 4), Some("click"), &viewed), Some(0));
        for range in [only(3, 3), only(4, 4), only(4, 9)] {
            assert_eq!(count(range, None, &viewed), None);
            assert!(Wanted { range, ..wanted("") }.meets(&viewed));
        }
        assert!(!Wanted { range: only(5, 9), ..wanted("") }.meets(&viewed));
        assert!(!Wanted { range: only(0, 2), ..wanted("") }.meets(&viewed));
    }

    #[test]
    fn a_page_lies_between_what_the_sessions_over_the_edge_may_hold() {
        let day = |day: i32| Day(day).start().0;
        let clusters = clusters(vec![
            session("over", day(9) + 50, day(10), (10, 10)),
            session("newer", day(9) + 20, day(9) + 30, (5, 5)),
            session("older", day(9), day(9) + 10, (5, 5)),
        ]);
        let located = |query| locate(&clusters, &Wanted { range: only(9, 9), ..wanted(query) });
        assert_eq!(located("limit=5"), 0..2);
        assert_eq!(located("limit=5&page=2"), 0..3);
        assert_eq!(located("limit=5&page=3"), 1..3);
        assert_eq!(located("limit=5&page=4"), 2..3);
        assert_eq!(located("limit=5&page=5"), 3..3);
    }
}
