//! `GET /api/v1/visitors`: the visitors active in a range, the one with the newest visit first.

mod search;

use figures::dates::DateRange;
use figures::ids::VisitorId;
use figures::log::index::FoundRef;
use figures::log::{SessionEntry, View};
use figures::measures::Measure;
use figures::measures::dimensions::{DimensionFilter, quarter};
use figures::measures::visits::counted_by_hour;
use figures::table::keys::Index;
use figures::table::store::StoreError;
use futures::future::try_join;
use lambda_http::{Body, Request, Response};
use shared::api::{Caller, answer};
use shared::app::App;
use shared::error::ApiError;
use shared::pagination::{Listing, Page};
use shared::params::Params;
use shared::rows::indexed::{IndexedList, Located};
use shared::rows::sessions::SessionRowKey;
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
    pub dimensions: DimensionFilter,
    /// `search`: only visitors whose id, or whose last visit of the range, contains this.
    pub search: Option<String>,
}

impl Parameters {
    fn parse(params: &Params) -> Result<Self, ApiError> {
        Ok(Parameters {
            range: params.dates()?,
            page: Page::parse(params)?,
            dimensions: DimensionFilter {
                browser: params.folded("browser"),
                os: params.folded("os"),
                country: params.folded("country"),
            },
            search: params.folded("search"),
        })
    }

    /// Whether the range counts and lists a visitor at this visit, and the filter on dimensions passes it.
    fn lists(&self, entry: &SessionEntry<&str>) -> bool {
        entry.next_day.is_none_or(|next| next > self.range.end())
            && self.dimensions.matches(entry.browser_name, entry.os, entry.geo_country_code)
    }
}

/// Answers a request.
pub async fn handle(app: &App, request: &Request) -> Response<Body> {
    answer(app, request, Parameters::parse, read).await
}

async fn read(caller: Caller, parameters: Parameters) -> Result<Listing<VisitorRow>, ApiError> {
    let Some(range) = caller.kept_of(parameters.range).await? else { return Ok(Listing::empty(parameters.page)) };
    let parameters = Parameters { range, ..parameters };
    let (total, page) = match &parameters.search {
        Some(needle) => searched(&caller, &parameters, needle).await?,
        None if parameters.dimensions.is_empty() => unfiltered(&caller, &parameters).await?,
        None => of_dimensions(&caller, &parameters).await?,
    };
    let mut rows = visitors::read_many(&caller.store, &caller.project, &page, VisitorRow::new).await?;
    let data = page.into_iter().filter_map(|id| rows.remove(&id)).collect();
    Ok(Listing { data, pagination: parameters.page.describe(total) })
}

/// The number of visitors, and those of the page.
type Found = (u64, Vec<VisitorId>);

impl Parameters {
    /// The list, as a measure counts it.
    fn list<'a>(&self, caller: &'a Caller, measure: Measure) -> IndexedList<'a> {
        IndexedList { caller, index: Index::Sessions, measure, range: self.range, page: self.page }
    }
}

async fn unfiltered(caller: &Caller, parameters: &Parameters) -> Result<Found, StoreError> {
    let end = parameters.range.end();
    let by_hour = async |view: &View| {
        let days = view.days(Measure::Visits);
        Ok(days.flat_map(|(day, rows)| day.hours().zip(counted_by_hour(rows, *day, end))).collect())
    };
    let located = parameters.list(caller, Measure::Visits).locate(|hour| vec![hour], by_hour).await?;
    listed(parameters, &located).await
}

/// Filters on dimensions are counted by the quarter of a day, so whole quarters are read to the page.
async fn of_dimensions(caller: &Caller, parameters: &Parameters) -> Result<Found, StoreError> {
    let end = parameters.range.end();
    let by_quarter = async |view: &View| {
        let days = view.days(Measure::Dimensions);
        Ok(days.flat_map(|(day, rows)| parameters.dimensions.counted(rows, *day, end)).collect())
    };
    let list = parameters.list(caller, Measure::Dimensions);
    let located = list.locate(|hour| quarter(hour).collect(), by_quarter).await?;
    listed(parameters, &located).await
}

/// What no counter knows is looked for in the slim entries of the range.
async fn searched(caller: &Caller, parameters: &Parameters, needle: &str) -> Result<Found, StoreError> {
    let end = parameters.range.end();
    let list = parameters.list(caller, Measure::Visits);
    let days = list.days(|day, rows| counted_by_hour(rows, day, end).into_iter().sum());
    let search = Search::prepare(&caller.store, &caller.project, caller.now, needle);
    let (days, search) = try_join(days, search).await?;
    let pick = |key: FoundRef<'_>, entry: &SessionEntry<&str>| {
        let is_listed = parameters.lists(entry) && search.matches(key.visitor, entry);
        if is_listed { SessionRowKey::of(key, entry) } else { None }
    };
    let (total, row_keys) = days.scan(pick).await?;
    Ok((total, row_keys.into_iter().map(|key| key.visitor).collect()))
}

/// The visitors of a page that counters found.
async fn listed(parameters: &Parameters, located: &Located) -> Result<Found, StoreError> {
    let pick = |key: FoundRef<'_>, entry: &SessionEntry<&str>| {
        if parameters.lists(entry) { SessionRowKey::of(key, entry) } else { None }
    };
    let row_keys = located.view.sessions(&located.hours, pick).await?;
    Ok((located.total, located.page(row_keys).map(|key| key.visitor).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use figures::time::{Day, Millis};

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
}
