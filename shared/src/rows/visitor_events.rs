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
use futures::stream::{self, BoxStream, StreamExt, TryStreamExt};

use crate::pagination::Page;
use crate::rows::picked::{Newest, Picked};
use crate::rows::{EventRow, events, sessions};
use figures::dates::DateRange;
use figures::ids::{ProjectId, SessionId, VisitorId};
use figures::model::event_types::PAGE_VIEW;
use figures::model::{Batch, Event, Session, Visitor};
use figures::table::keys;
use figures::table::store::{Consistency, Item, Pages, Store, StoreError, read_packed};
use figures::time::Millis;

/// A visitor with fewer batches has them all read at once, which takes some 15 read units, unless they are large.
pub const MANY_BATCHES: usize = 200;

/// Sessions whose batches are read at once.
const CONCURRENCY: usize = 16;

/// Sessions of one visitor in a range that are looked at, some 200 bytes each. To read more of them takes longer than a
/// request may.
const MAX_SESSIONS: usize = 200_000;

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
    fn takes(&self, event: &Event) -> bool {
        self.range.contains(event.created_at.day()) && self.event_type.is_none_or(|wanted| wanted == event.name)
    }

    /// Whether a session may hold events of the range.
    fn meets(&self, session: &Extent) -> bool {
        let (first, last) = self.range.instants();
        session.first <= last && first <= session.last
    }

    /// How many of a session's events are wanted; `None` if only its batches tell.
    fn count(&self, session: &Extent) -> Option<u64> {
        let (first, last) = self.range.instants();
        let is_inside = first <= session.first && session.last <= last;
        match self.event_type {
            _ if !is_inside => None,
            None => Some(session.events.into()),
            Some(PAGE_VIEW) => Some(session.page_views.into()),
            Some(_) if session.page_views == session.events => Some(0),
            Some(_) => None,
        }
    }

    /// Picks the page from batches, some newer events than which are left out.
    fn picked(&self, newer: u64) -> Picked<Newest> {
        Picked::new(self.page.offset().saturating_sub(newer), self.page.limit())
    }

    /// Goes through stored batches. Says how many of their events are wanted.
    fn pick(&self, items: &[Item], picked: &mut Picked<Newest>) -> Result<u64, StoreError> {
        items.iter().map(|item| Ok(picked.go_through(Batch::from_item(item)?, |event| self.takes(event)))).sum()
    }
}

/// Whose events they are.
#[derive(Debug, Clone, Copy)]
pub struct VisitorEvents<'a> {
    /// The table.
    pub store: &'a Store,
    /// The visitor's project.
    pub project: &'a ProjectId,
    /// The visitor.
    pub visitor: &'a VisitorId,
}

/// What one look at a visitor's batches brings: all of them, unless they are many or large.
#[derive(Debug)]
pub struct FirstBatches {
    items: Vec<Item>,
    are_all: bool,
}

impl VisitorEvents<'_> {
    /// The wanted events.
    pub async fn page(&self, wanted: &Wanted<'_>) -> Result<Found, StoreError> {
        let key = keys::visitor(self.project, self.visitor);
        let (visitor, first) = try_join(self.store.get(&key, Consistency::Eventual), self.first_batches()).await?;
        if first.are_all {
            return self.of_items(&first.items, wanted).await;
        }
        drop(first);
        // Nothing of a visitor that is not known yet has been counted.
        let Some(visitor) = visitor else { return Ok((0, Vec::new())) };
        let visitor: Visitor = read_packed(&visitor)?;
        let clusters = clusters(self.sessions(&visitor, wanted).await?);
        self.of_clusters(&visitor, &clusters, wanted).await
    }

    /// Some of the visitor's batches: all of them, unless they are many or large.
    pub async fn first_batches(&self) -> Result<FirstBatches, StoreError> {
        let mut pages = events::some_of_visitor(self.store, self.project, self.visitor, MANY_BATCHES);
        let items = pages.next().await?.unwrap_or_default();
        let are_all = items.len() < MANY_BATCHES && !pages.has_more();
        Ok(FirstBatches { items, are_all })
    }

    /// The wanted events of one of the visitor's sessions.
    pub async fn of_session(&self, session: &SessionId, wanted: &Wanted<'_>) -> Result<Found, StoreError> {
        self.of_pages(events::of_session(self.store, self.project, self.visitor, session), wanted).await
    }

    async fn of_pages(&self, mut pages: Pages, wanted: &Wanted<'_>) -> Result<Found, StoreError> {
        let (mut total, mut picked) = (0, wanted.picked(0));
        while let Some(items) = pages.next().await? {
            total += wanted.pick(&items, &mut picked)?;
        }
        Ok((total, picked.rows(wanted.page.offset(), self.store, self.project, self.visitor).await?))
    }

    async fn of_items(&self, items: &[Item], wanted: &Wanted<'_>) -> Result<Found, StoreError> {
        let mut picked = wanted.picked(0);
        let total = wanted.pick(items, &mut picked)?;
        Ok((total, picked.rows(wanted.page.offset(), self.store, self.project, self.visitor).await?))
    }

    /// The newest events in a range of a visitor whose first batches and newest sessions were read already.
    pub async fn newest(
        &self,
        visitor: &Visitor,
        first: FirstBatches,
        sessions: &[Session],
        (range, limit): (DateRange, usize),
    ) -> Result<Vec<EventRow>, StoreError> {
        let wanted = Wanted { range, event_type: None, page: Page::first(limit) };
        if first.are_all {
            return Ok(self.of_items(&first.items, &wanted).await?.1);
        }
        drop(first);
        let mut newest = clusters(sessions.iter().map(Extent::of).collect());
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
    async fn sessions(&self, visitor: &Visitor, wanted: &Wanted<'_>) -> Result<Vec<Extent>, StoreError> {
        let (first, last) = wanted.range.instants();
        let starts = (first.plus(-visitor.longest_session_ms), last.plus(visitor.longest_lead_ms));
        let mut pages = sessions::earlier(self.store, self.project, self.visitor, starts);
        let mut found = vec![Extent::of(&visitor.latest)];
        found.retain(|session| wanted.meets(session));
        while let Some(items) = pages.next().await? {
            for item in &items {
                let session = Extent::of(&read_packed(item)?);
                // Where it moved between the two reads, the latest one is named again.
                if session.id != visitor.latest.session_id && wanted.meets(&session) {
                    found.push(session);
                }
            }
            if found.len() > MAX_SESSIONS {
                return Err(StoreError::Unavailable(format!(
                    "a visitor has over {MAX_SESSIONS} sessions in the range"
                )));
            }
        }
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
        let mut needed: HashMap<&SessionId, Needed> = HashMap::new();
        let mut certainly_newer = 0;
        for (at, cluster) in clusters.iter().enumerate() {
            let is_on_page = of_page.contains(&at);
            for session in &cluster.sessions {
                let count = wanted.count(session);
                if at < of_page.start {
                    certainly_newer += count.unwrap_or_default();
                }
                if count.is_none_or(|count| count > 0 && is_on_page) {
                    needed.insert(&session.id, Needed { is_on_page, found: 0 });
                }
            }
        }
        let mut picked = wanted.picked(certainly_newer);
        let mut pages = self.batches(visitor, needed.keys().map(|session| (*session).clone()).collect());
        while let Some(items) = pages.try_next().await? {
            for item in &items {
                let batch = Batch::from_item(item)?;
                match needed.get_mut(&batch.session_id) {
                    Some(session) if session.is_on_page => {
                        session.found += picked.go_through(batch, |event| wanted.takes(event));
                    }
                    Some(session) => {
                        session.found += batch.events.iter().filter(|event| wanted.takes(event)).count() as u64;
                    }
                    None => {}
                }
            }
        }
        drop(pages);
        let (mut total, mut newer) = (0, 0);
        for (at, cluster) in clusters.iter().enumerate() {
            for session in &cluster.sessions {
                let found = || needed.get(&session.id).map_or(0, |needed| needed.found);
                total += wanted.count(session).unwrap_or_else(found);
            }
            if at < of_page.start {
                newer = total;
            }
        }
        let skip = wanted.page.offset().saturating_sub(newer);
        Ok((total, picked.rows(skip, self.store, self.project, self.visitor).await?))
    }

    /// The batches of some sessions, page by page; and those of others where that takes fewer units.
    fn batches(&self, visitor: &Visitor, needed: Vec<SessionId>) -> BoxStream<'static, Result<Vec<Item>, StoreError>> {
        // Where most of all sessions are needed, one query of everything takes fewer units than one for each.
        if needed.len() * 2 > visitor.visit_count as usize {
            return events::of_visitor(self.store, self.project, self.visitor).into_stream().boxed();
        }
        let (store, project, visitor) = (self.store.clone(), self.project.clone(), self.visitor.clone());
        let pages = move |session| events::of_session(&store, &project, &visitor, &session).into_stream().boxed();
        stream::iter(needed).map(pages).flatten_unordered(CONCURRENCY).boxed()
    }
}

/// A session whose batches are read, and how many wanted events they held.
#[derive(Debug)]
struct Needed {
    is_on_page: bool,
    found: u64,
}

/// What of a session tells where its events are. A visitor may have any number of them.
#[derive(Debug, Clone, PartialEq)]
struct Extent {
    id: SessionId,
    /// Its earliest and latest instant.
    first: Millis,
    last: Millis,
    events: u32,
    page_views: u32,
}

impl Extent {
    fn of(session: &Session) -> Self {
        Extent {
            id: session.session_id.clone(),
            first: session.first_instant,
            last: session.last_instant,
            events: session.event_count,
            page_views: session.page_views,
        }
    }
}

/// Sessions whose instants overlap or touch.
#[derive(Debug, PartialEq)]
struct Cluster {
    /// Their earliest instant.
    first: Millis,
    sessions: Vec<Extent>,
}

impl Cluster {
    fn events(&self) -> u64 {
        self.sessions.iter().map(|session| u64::from(session.events)).sum()
    }
}

/// The clusters of sessions, the newest first. Those without events are in none.
fn clusters(mut sessions: Vec<Extent>) -> Vec<Cluster> {
    sessions.retain(|session| session.events > 0);
    sessions.sort_by_key(|session| Reverse(session.last));
    let mut clusters: Vec<Cluster> = Vec::new();
    for session in sessions {
        match clusters.last_mut() {
            // Events of one instant go by their ids, whichever session they are of.
            Some(newer) if newer.first <= session.last => {
                newer.first = newer.first.min(session.first);
                newer.sessions.push(session);
            }
            _ => clusters.push(Cluster { first: session.first, sessions: vec![session] }),
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
            most += count.unwrap_or(session.events.into());
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
    use figures::time::Day;

    /// A session with an earliest and a latest instant and so many events, of which some are page views.
    fn session(id: &str, first: i64, last: i64, (events, page_views): (u32, u32)) -> Extent {
        let Ok(id) = id.parse() else { panic!("a legal identifier") };
        Extent { id, first: Millis(first), last: Millis(last), events, page_views }
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
            cluster.sessions.iter().map(|session| session.id.to_string()).collect()
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
        let count = |range, event_type, session: &Extent| Wanted { range, event_type, ..wanted("") }.count(session);
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
