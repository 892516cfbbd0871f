//! `GET /api/v1/live`: the visitors that gave a sign of life within the last minutes.

use std::collections::HashMap;

use figures::ids::{SessionId, VisitorId};
use figures::log::{BatchEntry, BatchRef, View};
use figures::model::batch::MAX_AHEAD_MS;
use figures::model::visitor::Profile;
use figures::table::keys::Index;
use figures::time::{Hour, Millis};
use lambda_http::{Body, Request, Response};
use serde::Serialize;
use shared::api::{Caller, answer};
use shared::app::App;
use shared::error::ApiError;
use shared::params::Params;
use shared::room;
use shared::rows::visitors;

const MINUTE_MS: i64 = 60_000;

/// Minutes without a sign of life after which a visitor has left, where none are asked for.
const DEFAULT_THRESHOLD: u64 = 5;
/// The most minutes that can be asked for.
const MAX_THRESHOLD: u64 = 60;

/// The most visitors that are listed.
const MAX_ROWS: usize = 500;

/// The query parameters.
#[derive(Debug)]
pub struct Parameters {
    /// `threshold_minutes`: 1 to 60.
    pub threshold_minutes: i64,
}

impl Parameters {
    fn parse(params: &Params) -> Result<Self, ApiError> {
        let minutes = params.integer("threshold_minutes", 1..=MAX_THRESHOLD, DEFAULT_THRESHOLD)?;
        Ok(Parameters { threshold_minutes: minutes as i64 })
    }
}

/// The response body.
#[derive(Debug, Serialize)]
pub struct Live {
    /// The latest first, as many as an answer has room for.
    data: Vec<LiveVisitor>,
    /// All of them, listed or not.
    count: usize,
}

/// A visitor who is there.
#[derive(Debug, Serialize)]
pub struct LiveVisitor {
    visitor_id: VisitorId,
    current_page: Option<String>,
    browser_name: Option<String>,
    geo_country: Option<String>,
    geo_city: Option<String>,
    session_id: SessionId,
    last_seen_at: Millis,
}

impl LiveVisitor {
    fn new(visitor_id: VisitorId, profile: Profile, last_seen_at: Millis) -> Self {
        LiveVisitor {
            visitor_id,
            current_page: profile.page,
            browser_name: profile.facts.browser_name,
            geo_country: profile.facts.geo_country,
            geo_city: profile.facts.geo_city,
            session_id: profile.session_id,
            last_seen_at,
        }
    }
}

/// Answers a request.
pub async fn handle(app: &App, request: &Request) -> Response<Body> {
    answer(app, request, Parameters::parse, read).await
}

async fn read(caller: Caller, parameters: Parameters) -> Result<Live, ApiError> {
    let since = caller.now.plus(-parameters.threshold_minutes * MINUTE_MS);
    let until = caller.now.plus(MAX_AHEAD_MS);
    let hours: Vec<Hour> = (since.hour().0..=until.hour().0).map(Hour).collect();
    let view = View::load_ahead(&caller.store, &caller.project, &[], Index::Events, &hours).await?;
    let mut present = latest_first(view.batches(&hours).await?, since);
    let count = present.len();
    present.truncate(MAX_ROWS);
    let ids = present.iter().map(|(id, _)| id);
    let mut found = visitors::read_many(&caller.store, &caller.project, ids, |_, visitor| visitor.profile).await?;
    let data = present
        .into_iter()
        .filter_map(|(id, last_seen_at)| found.remove(&id).map(|profile| LiveVisitor::new(id, profile, last_seen_at)))
        .collect();
    Ok(Live { data: room::fitting(data), count })
}

/// The visitors with an event or heartbeat since an instant, and the latest one of each.
fn latest_first(batches: Vec<(Hour, BatchRef, BatchEntry)>, since: Millis) -> Vec<(VisitorId, Millis)> {
    let mut latest: HashMap<VisitorId, Millis> = HashMap::new();
    for (hour, key, entry) in batches {
        let instants = entry.events.iter().map(|(ms, _, _)| *ms).chain(entry.heartbeat);
        let at = instants.max().map(|ms| hour.start().plus(i64::from(ms)));
        if let Some(at) = at.filter(|at| *at >= since) {
            let known = latest.entry(key.visitor).or_insert(at);
            *known = at.max(*known);
        }
    }
    let mut latest: Vec<_> = latest.into_iter().collect();
    latest.sort_by(|(a, at_a), (b, at_b)| (at_b, a).cmp(&(at_a, b)));
    latest
}

#[cfg(test)]
mod tests {
    use super::*;
    use figures::log::index::EventName;
    use figures::time::Day;

    #[test]
    fn thresholds_are_one_to_sixty_minutes() {
        let read = |query: &str| Parameters::parse(&Params::parse(query, Day(0))).ok().map(|p| p.threshold_minutes);
        assert_eq!(read(""), Some(5));
        assert_eq!(read("threshold_minutes=60"), Some(60));
        for query in ["0", "61", "-5", "2.5", "", "five"] {
            assert_eq!(read(&format!("threshold_minutes={query}")), None, "{query}");
        }
    }

    #[test]
    fn the_latest_sign_of_life_counts_and_ties_go_by_visitor() {
        let batch = |visitor: &str, hour, events: &[u32], heartbeat| {
            let (Ok(visitor), Ok(session), Ok(batch)) = (visitor.parse(), "s".parse(), "b".parse()) else {
                panic!("legal identifiers")
            };
            let events = events.iter().map(|ms| (*ms, 0, EventName::of("page_view"))).collect();
            (Hour(hour), BatchRef { visitor, session, batch }, BatchEntry { events, heartbeat })
        };
        let batches = vec![
            batch("early", 1, &[3, 99], None),
            batch("b", 1, &[500, 100], None),
            batch("a", 1, &[], Some(500)),
            batch("c", 1, &[400], None),
            batch("c", 2, &[], Some(0)),
            batch("none", 2, &[], None),
        ];
        let since = Hour(1).start().plus(100);
        let listed: Vec<_> = latest_first(batches, since).into_iter().map(|(id, at)| (id.to_string(), at.0)).collect();
        let expected = [("c", 7_200_000), ("a", 3_600_500), ("b", 3_600_500)];
        assert_eq!(listed, expected.map(|(id, at)| (id.to_owned(), at)));
    }
}
