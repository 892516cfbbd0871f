//! `GET /api/v1/visitors`: the visitors active in a range, the one with the newest visit first.

mod search;

use figures::dates::DateRange;
use figures::ids::VisitorId;
use figures::log::index::FoundRef;
use figures::log::view::{SCANNED_AHEAD, locate};
use figures::log::{SessionEntry, View};
use figures::measures::Measure;
use figures::measures::places::{PlaceFilter, quarter};
use figures::measures::visits::counted_by_hour;
use figures::table::keys::Index;
use figures::table::store::StoreError;
use figures::time::{Day, Hour};
use futures::future::try_join;
use lambda_http::{Body, Request, Response};
use shared::api::{Caller, answer};
use shared::app::App;
use shared::error::ApiError;
use shared::pagination::{Listing, Page};
use shared::params::Params;
use shared::rows::sessions::SessionPlace;
use shared::rows::{VisitorRow, visitors};

use search::Search;

/// The query parameters.
#[derive(Debug)]
pub struct Parameters {
    /// `start_date` and `end_date`: only visitors with a visit in between.
    pub range: DateRange,
    /// `page` and `limit`.
    pub page: Page,
    /// `browser`, `os` and `country`: only visitors whose last visit of the range was made with, or in, these.
    pub places: PlaceFilter,
    /// `search`: only visitors whose id, or whose last visit of the range, contains this.
    pub search: Option<String>,
}

impl Parameters {
    fn parse(params: &Params) -> Result<Self, ApiError> {
        Ok(Parameters {
            range: params.dates()?,
            page: Page::parse(params)?,
            places: PlaceFilter {
                browser: params.folded("browser"),
                os: params.folded("os"),
                country: params.folded("country"),
            },
            search: params.folded("search"),
        })
    }

    /// Whether the range counts and lists a visitor at this visit, and the filter on places passes it.
    fn lists(&self, entry: &SessionEntry<&str>) -> bool {
        entry.next_day.is_none_or(|next| next > self.range.end())
            && self.places.matches(entry.browser_name, entry.os, entry.geo_country_code)
    }
}

/// Answers a request.
pub async fn handle(app: &App, request: &Request) -> Response<Body> {
    answer(app, request, Parameters::parse, read).await
}

async fn read(caller: Caller, parameters: Parameters) -> Result<Listing<VisitorRow>, ApiError> {
    let (total, page) = match &parameters.search {
        Some(needle) => searched(&caller, &parameters, needle).await?,
        None if parameters.places.is_empty() => unfiltered(&caller, &parameters).await?,
        None => in_places(&caller, &parameters).await?,
    };
    let mut rows = visitors::read_many(&caller.store, &caller.project, &page, VisitorRow::new).await?;
    let data = page.into_iter().filter_map(|id| rows.remove(&id)).collect();
    Ok(Listing { data, pagination: parameters.page.describe(total) })
}

/// The number of visitors, and those of the page.
type Found = (u64, Vec<VisitorId>);

async fn unfiltered(caller: &Caller, parameters: &Parameters) -> Result<Found, StoreError> {
    let range = parameters.range;
    let (wanted, likely) = ([(Measure::Visits, range)], caller.forecast.hours(parameters.page));
    let view = View::load_ahead(&caller.store, &caller.project, &wanted, Index::Sessions, &likely).await?;
    let counts: Vec<(Hour, u64)> = view
        .days(Measure::Visits)
        .flat_map(|(day, rows)| day.hours().zip(counted_by_hour(rows, *day, range.end())))
        .collect();
    located(caller, &view, parameters, &counts, |hour| vec![hour]).await
}

/// Filters on places are counted by the quarter of a day, so whole quarters are read to the page.
async fn in_places(caller: &Caller, parameters: &Parameters) -> Result<Found, StoreError> {
    let range = parameters.range;
    let (wanted, likely) = ([(Measure::Places, range)], caller.forecast.hours(parameters.page));
    let likely: Vec<Hour> = likely.into_iter().flat_map(quarter).collect();
    let view = View::load_ahead(&caller.store, &caller.project, &wanted, Index::Sessions, &likely).await?;
    let counts: Vec<(Hour, u64)> =
        view.days(Measure::Places).flat_map(|(day, rows)| parameters.places.counted(rows, *day, range.end())).collect();
    located(caller, &view, parameters, &counts, |hour| quarter(hour).collect()).await
}

async fn searched(caller: &Caller, parameters: &Parameters, needle: &str) -> Result<Found, StoreError> {
    let (wanted, likely) = ([(Measure::Visits, parameters.range)], caller.forecast.days(SCANNED_AHEAD));
    let likely: Vec<Hour> = likely.into_iter().flat_map(Day::hours).collect();
    let view = View::load_ahead(&caller.store, &caller.project, &wanted, Index::Sessions, &likely);
    let search = Search::prepare(&caller.store, &caller.project, caller.now, needle);
    let (view, search) = try_join(view, search).await?;
    let end = parameters.range.end();
    let visitors = |day: Day, rows| counted_by_hour(rows, day, end).into_iter().sum();
    let counts: Vec<(Hour, u64)> =
        view.days(Measure::Visits).map(|(day, rows)| (day.hour(0), visitors(*day, rows))).collect();
    caller.forecast.remember(&counts);
    let days = counts.into_iter().filter(|(_, visitors)| *visitors > 0);
    let days = days.map(|(hour, visitors)| (hour.day(), visitors)).collect();
    scanned(&view, parameters, days, |key, entry| search.matches(key.visitor, entry)).await
}

/// Finds the page by counts; `span` is the hours that a count is of.
async fn located(
    caller: &Caller,
    view: &View,
    parameters: &Parameters,
    counts: &[(Hour, u64)],
    span: impl Fn(Hour) -> Vec<Hour>,
) -> Result<Found, StoreError> {
    caller.forecast.remember(counts);
    let total = counts.iter().map(|(_, count)| count).sum();
    let page = parameters.page;
    let (located, skip) = locate(counts.iter().copied(), page.offset(), page.limit());
    let hours: Vec<Hour> = located.into_iter().flat_map(span).collect();
    let listed = |key: FoundRef<'_>, entry: &SessionEntry<&str>| {
        if parameters.lists(entry) { SessionPlace::of(key, entry) } else { None }
    };
    let places = view.sessions(&hours, listed).await?;
    Ok((total, newest_first(places).skip(skip).take(page.limit()).collect()))
}

/// Finds the page by reading the slim entries of some days.
async fn scanned(
    view: &View,
    parameters: &Parameters,
    days: Vec<(Day, u64)>,
    matches: impl Fn(FoundRef<'_>, &SessionEntry<&str>) -> bool,
) -> Result<Found, StoreError> {
    let pick = |key: FoundRef<'_>, entry: &SessionEntry<&str>| {
        if parameters.lists(entry) && matches(key, entry) { SessionPlace::of(key, entry) } else { None }
    };
    let page = parameters.page;
    let (total, places) = view.scan_sessions(days, (page.offset(), page.limit()), pick).await?;
    Ok((total, places.into_iter().map(|place| place.visitor).collect()))
}

fn newest_first(mut places: Vec<SessionPlace>) -> impl Iterator<Item = VisitorId> {
    places.sort_by(|a, b| b.cmp(a));
    places.into_iter().map(|place| place.visitor)
}

#[cfg(test)]
mod tests {
    use super::*;
    use figures::time::Millis;

    fn entry(next_day: Option<i32>) -> SessionEntry<&'static str> {
        SessionEntry {
            started_at: Millis(0),
            next_day: next_day.map(Day),
            url: None,
            browser_name: Some("Mobile Safari"),
            os: Some("iOS"),
            geo_country: None,
            geo_country_code: None,
            geo_city: None,
            ip: None,
        }
    }

    fn parameters(query: &str) -> Parameters {
        match Parameters::parse(&Params::parse(query, Day(20))) {
            Ok(parameters) => parameters,
            Err(error) => panic!("{error}"),
        }
    }

    #[test]
    fn a_visitor_is_listed_at_its_last_visit_of_the_range() {
        let range = parameters("end_date=1970-01-11");
        assert!(range.lists(&entry(None)));
        assert!(range.lists(&entry(Some(11))));
        assert!(!range.lists(&entry(Some(10))));
    }

    #[test]
    fn filters_compare_whole_values_without_case_and_all_must_pass() {
        let lists = |query: &str| parameters(query).lists(&entry(None));
        assert!(lists("browser=mobile+SAFARI&os=ios"));
        assert!(lists("browser=&country="));
        assert!(!lists("browser=Safari"));
        assert!(!lists("os=iOS&country=RS"));
    }

    #[test]
    fn ties_go_by_session_then_visitor_descending() {
        let place = |started_at, session: &str, visitor: &str| match (session.parse(), visitor.parse()) {
            (Ok(session), Ok(visitor)) => {
                SessionPlace { started_at: Millis(started_at), session, visitor, is_latest: true }
            }
            _ => panic!("legal identifiers"),
        };
        let places = vec![place(1, "z", "a"), place(2, "a", "b"), place(2, "a", "c"), place(2, "b", "d")];
        let order: Vec<String> = newest_first(places).map(|visitor| visitor.to_string()).collect();
        assert_eq!(order, ["d", "c", "b", "a"]);
    }
}
