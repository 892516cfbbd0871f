//! Rows of sessions.

use std::collections::{BTreeSet, HashMap};

use serde::Serialize;

use figures::ids::{ProjectId, SessionId, VisitorId};
use figures::log::SessionEntry;
use figures::log::index::FoundRef;
use figures::model::batch::StoredOrder;
use figures::model::{Session, Visitor};
use figures::table::keys::{self, Key};
use figures::table::store::{Consistency, Item, Pages, Query, SK, SortKeys, Store, StoreError, read_packed, read_text};
use figures::time::Millis;

use crate::api::Caller;

/// A session as the API shows it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SessionRow {
    session_id: SessionId,
    visitor_id: VisitorId,
    url: Option<String>,
    referrer: Option<String>,
    utm_source: Option<String>,
    utm_medium: Option<String>,
    utm_campaign: Option<String>,
    utm_term: Option<String>,
    utm_content: Option<String>,
    started_at: Millis,
    ended_at: Millis,
    duration_ms: i64,
    page_views: u32,
    event_count: u32,
    click_count: Option<u32>,
    max_scroll_depth: Option<u8>,
    browser_name: Option<String>,
    os: Option<String>,
    geo_country_code: Option<String>,
    geo_city: Option<String>,
}

impl SessionRow {
    /// The row of a visitor's session.
    pub fn new(visitor_id: VisitorId, session: Session) -> Self {
        SessionRow {
            visitor_id,
            ended_at: session.ended_at(),
            duration_ms: session.duration_ms(),
            session_id: session.session_id,
            url: session.url,
            referrer: session.referrer,
            utm_source: session.utm_source,
            utm_medium: session.utm_medium,
            utm_campaign: session.utm_campaign,
            utm_term: session.utm_term,
            utm_content: session.utm_content,
            started_at: session.started_at,
            page_views: session.page_views,
            event_count: session.event_count,
            click_count: session.click_count,
            max_scroll_depth: session.max_scroll_depth,
            browser_name: session.browser_name,
            os: session.os,
            geo_country_code: session.geo_country_code,
            geo_city: session.geo_city,
        }
    }
}

/// What a session's row in a list is found and sorted by. Lists descend: the newest start first, ties by session, then by visitor.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct SessionRowKey {
    /// When it started.
    pub started_at: Millis,
    /// The session.
    pub session: SessionId,
    /// Its visitor.
    pub visitor: VisitorId,
    /// Whether its visitor's item holds it, as far as the index knows.
    pub is_latest: bool,
}

impl SessionRowKey {
    /// The key of a session of the index; none where an identifier is none, as nothing that was stored has.
    pub fn of(key: FoundRef<'_>, entry: &SessionEntry<&str>) -> Option<Self> {
        Some(SessionRowKey {
            started_at: entry.started_at,
            session: key.session.parse().ok()?,
            visitor: key.visitor.parse().ok()?,
            is_latest: entry.next_day.is_none(),
        })
    }

    fn visitor_item(&self, project: &ProjectId) -> Key {
        keys::visitor(project, &self.visitor)
    }

    fn own_item(&self, project: &ProjectId) -> Key {
        keys::session(project, &self.visitor, self.started_at, &self.session)
    }

    /// The session, if it is among these items. One of them has it: it goes from the one to the other in one transaction.
    fn find(&self, project: &ProjectId, items: &HashMap<Key, Item>) -> Result<Option<Session>, StoreError> {
        if let Some(item) = items.get(&self.own_item(project)) {
            return read_packed(item).map(Some);
        }
        let Some(item) = items.get(&self.visitor_item(project)) else { return Ok(None) };
        let latest = read_packed::<Visitor>(item)?.latest;
        Ok(Some(latest).filter(|latest| latest.session_id == self.session))
    }
}

/// Reads the sessions of a page, in its order. One that is nowhere is left out: it was erased since.
pub async fn read_page(
    store: &Store,
    project: &ProjectId,
    page: Vec<SessionRowKey>,
) -> Result<Vec<SessionRow>, StoreError> {
    let likely = page.iter().map(|key| match key.is_latest {
        true => key.visitor_item(project),
        false => key.own_item(project),
    });
    let items = store.get_many(distinct(likely), Consistency::Eventual).await?;
    let sessions = page.iter().map(|key| key.find(project, &items)).collect::<Result<Vec<_>, _>>()?;
    // Where the index was behind, the session has moved from the one item to the other since.
    let moved = page.iter().zip(&sessions).filter(|(_, session)| session.is_none()).map(|(key, _)| key);
    let both = distinct(moved.flat_map(|key| [key.visitor_item(project), key.own_item(project)]));
    let items = store.get_many(both, Consistency::Strong).await?;
    let mut rows = Vec::with_capacity(page.len());
    for (key, session) in page.into_iter().zip(sessions) {
        let session = match session {
            None => key.find(project, &items)?,
            found => found,
        };
        rows.extend(session.map(|session| SessionRow::new(key.visitor, session)));
    }
    Ok(rows)
}

/// A batch of reads must not name a key twice.
fn distinct(keys: impl Iterator<Item = Key>) -> Vec<Key> {
    keys.collect::<BTreeSet<_>>().into_iter().collect()
}

/// A session that was found by its id.
#[derive(Debug)]
pub struct SessionOfId {
    key: SessionRowKey,
    /// The session, where finding it took reading it.
    session: Option<Session>,
}

impl SessionOfId {
    /// Whose session it is.
    pub fn visitor(&self) -> &VisitorId {
        &self.key.visitor
    }

    /// The session, wherever it is.
    pub async fn read(&self, store: &Store, project: &ProjectId) -> Result<Option<Session>, StoreError> {
        match &self.session {
            Some(session) => Ok(Some(session.clone())),
            None => read(store, project, &self.key, Consistency::Strong).await,
        }
    }
}

/// Finds the session with an id, if it is kept: that of the visitor whom the id tells, else of those that several visitors
/// have the one stored first.
pub async fn find(caller: &Caller, id: &SessionId) -> Result<Option<SessionOfId>, StoreError> {
    let (store, project) = (&caller.store, &caller.project);
    let told = match id.told() {
        Some((visitor, started_at)) if caller.keeps(started_at.day()).await? => {
            Some(SessionRowKey { started_at, session: id.clone(), visitor, is_latest: true })
        }
        _ => None,
    };
    if let Some(key) = &told
        && let session @ Some(_) = read(store, project, key, Consistency::Eventual).await?
    {
        return Ok(Some(SessionOfId { key: key.clone(), session }));
    }
    if let Some(key) = stored_first(caller, id).await? {
        return Ok(Some(SessionOfId { key, session: None }));
    }
    let Some(key) = told else { return Ok(None) };
    // It may have moved from the one item to the other between the two reads.
    let session = read(store, project, &key, Consistency::Strong).await?;
    Ok(session.map(|session| SessionOfId { key, session: Some(session) }))
}

/// Of the sessions that have a lookup by an id and are kept, that of the visitor whom the id tells, or the one stored first.
async fn stored_first(caller: &Caller, id: &SessionId) -> Result<Option<SessionRowKey>, StoreError> {
    let (store, project) = (&caller.store, &caller.project);
    // Whoever likes may give any number of visitors a session of that id.
    let mut lookups = store.pages(Query::partition(keys::session_lookup_partition(project, id)));
    let told = id.told().map(|(visitor, _)| visitor);
    let mut first: Option<(bool, StoredOrder, VisitorId, Millis)> = None;
    while let Some(items) = lookups.next().await? {
        for item in &items {
            let (origin, started_at) = read_packed::<(StoredOrder, Millis)>(item)?;
            if !caller.keeps(started_at.day()).await? {
                continue;
            }
            let sort_key = read_text(item, SK)?;
            let visitor: VisitorId = sort_key
                .parse()
                .map_err(|_| StoreError::Corrupt { key: sort_key.to_owned(), cause: "no visitor".to_owned() })?;
            let is_other = told.as_ref() != Some(&visitor);
            let order = |first: &(bool, StoredOrder, VisitorId, Millis)| {
                (is_other, &origin, &visitor) < (first.0, &first.1, &first.2)
            };
            if first.as_ref().is_none_or(order) {
                first = Some((is_other, origin, visitor, started_at));
            }
        }
    }
    Ok(first.map(|(_, _, visitor, started_at)| SessionRowKey {
        started_at,
        session: id.clone(),
        visitor,
        is_latest: true,
    }))
}

/// Reads one session, wherever it is.
async fn read(
    store: &Store,
    project: &ProjectId,
    key: &SessionRowKey,
    consistency: Consistency,
) -> Result<Option<Session>, StoreError> {
    let both = vec![key.visitor_item(project), key.own_item(project)];
    key.find(project, &store.get_many(both, consistency).await?)
}

/// A visitor's earlier sessions that started from the first instant to the last, the newest first, page by page.
pub fn earlier(store: &Store, project: &ProjectId, visitor: &VisitorId, (first, last): (Millis, Millis)) -> Pages {
    let starts = SortKeys::Between(keys::sessions_from(first), keys::sessions_from(last.plus(1)));
    store.pages(visitor_sessions(project, visitor).sort_keys(starts))
}

/// Reads the newest ones of a visitor's earlier sessions.
pub async fn read_newest_earlier(
    store: &Store,
    project: &ProjectId,
    visitor: &VisitorId,
    limit: usize,
) -> Result<Vec<Session>, StoreError> {
    let all = SortKeys::Prefix(keys::SESSION_PREFIX.to_owned());
    store.query(visitor_sessions(project, visitor).sort_keys(all).limit(limit)).await?.iter().map(read_packed).collect()
}

fn visitor_sessions(project: &ProjectId, visitor: &VisitorId) -> Query {
    Query::partition(keys::visitor_partition(project, visitor)).descending()
}

/// A visitor's sessions, the newest first: its latest one and earlier ones, which may name it again
/// where it moved between the two reads.
pub fn newest_first(latest: Option<Session>, earlier: Vec<Session>) -> Vec<Session> {
    let mut sessions: Vec<Session> = latest.into_iter().collect();
    let known = sessions.first().map(|latest| latest.session_id.clone());
    sessions.extend(earlier.into_iter().filter(|session| Some(&session.session_id) != known.as_ref()));
    sessions.sort_by_key(|session| std::cmp::Reverse(session.order()));
    sessions
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ties_go_by_session_then_visitor_descending() {
        let row_key = |started_at, session: &str, visitor: &str| match (session.parse(), visitor.parse()) {
            (Ok(session), Ok(visitor)) => {
                SessionRowKey { started_at: Millis(started_at), session, visitor, is_latest: true }
            }
            _ => panic!("legal identifiers"),
        };
        let mut row_keys = [row_key(1, "z", "a"), row_key(2, "a", "b"), row_key(2, "a", "c"), row_key(2, "b", "d")];
        row_keys.sort_unstable_by(|a, b| b.cmp(a));
        let order: Vec<String> = row_keys.iter().map(|key| key.visitor.to_string()).collect();
        assert_eq!(order, ["d", "c", "b", "a"]);
    }
}
