//! `GET /api/v1/events`: the events of a range, the newest first.

use std::collections::{BTreeMap, BTreeSet};

use figures::counters::rows::OTHER;
use figures::dates::DateRange;
use figures::ids::{SessionId, VisitorId};
use figures::log::{BatchEntry, BatchRef, View};
use figures::measures::Measure;
use figures::measures::stats::StatsDay;
use figures::model::Batch;
use figures::model::batch::event_ids;
use figures::table::keys::Index;
use figures::table::keys::{self, Key};
use figures::table::store::{Consistency, StoreError};
use figures::time::{Hour, Millis};
use lambda_http::{Body, Request, Response};
use shared::api::{Caller, answer};
use shared::app::App;
use shared::error::ApiError;
use shared::pagination::{Listing, Page};
use shared::params::Params;
use shared::rows::indexed::IndexedList;
use shared::rows::visitor_events::{Found, VisitorEvents, Wanted};
use shared::rows::{EventRow, sessions};

/// The query parameters.
#[derive(Debug)]
pub struct Parameters {
    /// `start_date` and `end_date`: only events that happened in between.
    pub range: DateRange,
    /// `page` and `limit`.
    pub page: Page,
    /// `type`: only events of this type.
    pub event_type: Option<String>,
    /// `visitor_id`: only events of this visitor, a bot's too.
    pub visitor: Option<String>,
    /// `session_id`: only events of this session, a bot's too.
    pub session: Option<String>,
}

impl Parameters {
    fn parse(params: &Params) -> Result<Self, ApiError> {
        let filter = |name| params.filter(name).map(str::to_owned);
        Ok(Parameters {
            range: params.dates()?,
            page: Page::parse(params)?,
            event_type: filter("type"),
            visitor: filter("visitor_id"),
            session: filter("session_id"),
        })
    }

    /// What of one visitor's or one session's events is asked for.
    fn wanted(&self) -> Wanted<'_> {
        Wanted { range: self.range, event_type: self.event_type.as_deref(), page: self.page }
    }

    /// Whether the filter on visitors passes one.
    fn may_be_by(&self, visitor: &VisitorId) -> bool {
        self.visitor.as_ref().is_none_or(|wanted| wanted == visitor.as_str())
    }

    /// Whether the filter on types passes an event.
    fn passes(&self, name: &str) -> bool {
        self.event_type.as_ref().is_none_or(|wanted| wanted == name)
    }
}

/// Answers a request.
pub async fn handle(app: &App, request: &Request) -> Response<Body> {
    answer(app, request, Parameters::parse, read).await
}

async fn read(caller: Caller, parameters: Parameters) -> Result<Listing<EventRow>, ApiError> {
    let Some(range) = caller.kept_of(parameters.range).await? else { return Ok(Listing::empty(parameters.page)) };
    let parameters = Parameters { range, ..parameters };
    let (total, data) = match Owner::of(&parameters) {
        Some(owner) => of_owner(&caller, &parameters, owner).await?,
        None => of_everyone(&caller, &parameters).await?,
    };
    Ok(Listing { data, pagination: parameters.page.describe(total) })
}

/// Whose events are asked for.
enum Owner {
    Visitor(VisitorId),
    /// The session that is found by the id, whoever else is asked for.
    Session(SessionId),
    /// An id is none that anyone can have.
    Nobody,
}

impl Owner {
    fn of(parameters: &Parameters) -> Option<Self> {
        let visitor = parameters.visitor.as_deref().map(str::parse);
        let session = parameters.session.as_deref().map(str::parse);
        match (visitor, session) {
            (None, None) => None,
            (Some(Ok(visitor)), None) => Some(Owner::Visitor(visitor)),
            (None | Some(Ok(_)), Some(Ok(session))) => Some(Owner::Session(session)),
            (Some(Err(_)), _) | (_, Some(Err(_))) => Some(Owner::Nobody),
        }
    }
}

async fn of_owner(caller: &Caller, parameters: &Parameters, owner: Owner) -> Result<Found, StoreError> {
    let (store, project) = (&caller.store, &caller.project);
    let wanted = parameters.wanted();
    match owner {
        Owner::Visitor(visitor) => VisitorEvents { store, project, visitor: &visitor }.page(&wanted).await,
        Owner::Session(session) => match sessions::find(caller, &session).await? {
            Some(found) if parameters.may_be_by(found.visitor()) => {
                VisitorEvents { store, project, visitor: found.visitor() }.of_session(&session, &wanted).await
            }
            _ => Ok((0, Vec::new())),
        },
        Owner::Nobody => Ok((0, Vec::new())),
    }
}

async fn of_everyone(caller: &Caller, parameters: &Parameters) -> Result<Found, StoreError> {
    let (index, measure) = (Index::Events, Measure::Stats);
    let list = IndexedList { caller, index, measure, range: parameters.range, page: parameters.page };
    let located = list.locate(|hour| vec![hour], async |view| count(view, parameters).await).await?;
    let batches = located.view.batches(&located.hours).await?;
    let row_keys: Vec<EventRowKey> = located.page(EventRowKey::all(&batches, parameters)).collect();

    let key = |row_key: &EventRowKey| batch_key(caller, &batches[row_key.batch].1);
    let keys: BTreeSet<Key> = row_keys.iter().map(key).collect();
    let items = caller.store.get_many(keys.into_iter().collect(), Consistency::Eventual).await?;
    let mut rows = BTreeMap::new();
    for item in items.values() {
        rows.extend(EventRow::of_batch(Batch::from_item(item)?).map(|row| (row.id, row)));
    }
    Ok((located.total, row_keys.iter().filter_map(|row_key| rows.remove(&row_key.id)).collect()))
}

fn batch_key(caller: &Caller, batch: &BatchRef) -> Key {
    keys::batch(&caller.project, &batch.visitor, &batch.session, &batch.batch)
}

/// How many of the wanted events each hour holds.
async fn count(view: &View, parameters: &Parameters) -> Result<Vec<(Hour, u64)>, StoreError> {
    let (mut counts, mut crowded) = (BTreeMap::new(), Vec::new());
    for (day, rows) in view.days(Measure::Stats) {
        let types = || StatsDay(rows).events_by_type();
        // Where a day has more types than are counted apart, the counters don't know how many are of this one.
        if parameters.event_type.is_some() && types().any(|(name, _)| name == OTHER) {
            crowded.extend(day.hours());
            continue;
        }
        let wanted = types().filter(|(name, _)| parameters.passes(name));
        for (hour, count) in wanted.flat_map(|(_, by_hour)| day.hours().zip(by_hour)) {
            *counts.entry(hour).or_default() += count;
        }
    }
    if !crowded.is_empty() {
        for (hour, _, entry) in view.batches(&crowded).await? {
            let wanted = entry.events.iter().filter(|(_, _, name)| parameters.passes(name.as_str())).count();
            *counts.entry(hour).or_default() += wanted as u64;
        }
    }
    Ok(counts.into_iter().collect())
}

/// What an event's row in the list is found and sorted by. The list descends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct EventRowKey {
    created_at: Millis,
    id: u64,
    /// Which of the indexed batches it is in.
    batch: usize,
}

impl EventRowKey {
    /// Those of all wanted events of some batches.
    fn all(batches: &[(Hour, BatchRef, BatchEntry)], parameters: &Parameters) -> Vec<EventRowKey> {
        let mut row_keys = Vec::new();
        for (batch, (hour, key, entry)) in batches.iter().enumerate() {
            let wanted = || entry.events.iter().filter(|(_, _, name)| parameters.passes(name.as_str()));
            let Some(last) = wanted().map(|(_, position, _)| usize::from(*position)).max() else { continue };
            let ids: Vec<u64> = event_ids(&key.visitor, &key.session, &key.batch, last + 1).collect();
            row_keys.extend(wanted().filter_map(|(ms, position, _)| {
                let id = *ids.get(usize::from(*position))?;
                Some(EventRowKey { created_at: hour.start().plus(i64::from(*ms)), id, batch })
            }));
        }
        row_keys
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use figures::log::index::EventName;
    use figures::time::Day;

    fn parameters(query: &str) -> Parameters {
        match Parameters::parse(&Params::parse(query, Day(20))) {
            Ok(parameters) => parameters,
            Err(error) => panic!("{error}"),
        }
    }

    fn indexed(batch: &str, hour: i32, events: &[(u32, u16, &str)]) -> (Hour, BatchRef, BatchEntry) {
        let (Ok(visitor), Ok(session), Ok(batch)) = ("v".parse(), "s".parse(), batch.parse()) else {
            panic!("legal identifiers")
        };
        let events = events.iter().map(|(ms, position, name)| (*ms, *position, EventName::of(name))).collect();
        (Hour(hour), BatchRef { visitor, session, batch }, BatchEntry { events, heartbeat: None })
    }

    #[test]
    fn places_have_the_ids_and_instants_that_the_batches_have() {
        let batches = [
            indexed("a", 1, &[(5, 2, "page_view"), (7, 0, "custom")]),
            indexed("a", 2, &[(0, 1, "page_view")]),
            indexed("b", 2, &[]),
        ];
        let key = &batches[0].1;
        let ids: Vec<u64> = event_ids(&key.visitor, &key.session, &key.batch, 3).collect();
        let row_keys = |query: &str| -> Vec<(i64, u64, usize)> {
            let row_keys = EventRowKey::all(&batches, &parameters(query));
            row_keys.iter().map(|row_key| (row_key.created_at.0, row_key.id, row_key.batch)).collect()
        };
        assert_eq!(row_keys(""), [(3_600_005, ids[2], 0), (3_600_007, ids[0], 0), (7_200_000, ids[1], 1)]);
        assert_eq!(row_keys("type=custom"), [(3_600_007, ids[0], 0)]);
        assert_eq!(row_keys("type=Custom"), []);
    }

    #[test]
    fn an_id_that_nobody_can_have_has_no_events() {
        let owner = |query: &str| Owner::of(&parameters(query));
        assert!(owner("visitor_id=&session_id=").is_none());
        assert!(matches!(owner("visitor_id=v"), Some(Owner::Visitor(_))));
        assert!(matches!(owner("session_id=s"), Some(Owner::Session(_))));
        assert!(matches!(owner("session_id=s&visitor_id=v"), Some(Owner::Session(_))));
        assert!(matches!(owner("session_id=s&visitor_id=v%23"), Some(Owner::Nobody)));
        assert!(matches!(owner("session_id=%20"), Some(Owner::Nobody)));
    }
}
