//! `GET /api/v1/sessions`: the sessions started in a range, the newest first.

use figures::dates::DateRange;
use figures::ids::VisitorId;
use figures::log::index::FoundRef;
use figures::log::{SessionEntry, View};
use figures::measures::Measure;
use figures::measures::stats::StatsDay;
use figures::model::Session;
use figures::table::keys::Index;
use figures::table::store::{StoreError, read_packed};
use futures::future::try_join;
use lambda_http::{Body, Request, Response};
use shared::api::{Caller, answer};
use shared::app::App;
use shared::error::ApiError;
use shared::pagination::{Listing, Page};
use shared::params::Params;
use shared::rows::indexed::IndexedList;
use shared::rows::sessions::{SessionRowKey, earlier, read_page};
use shared::rows::{SessionRow, visitors};

/// The query parameters.
#[derive(Debug)]
pub struct Parameters {
    /// `start_date` and `end_date`: only sessions started in between.
    pub range: DateRange,
    /// `page` and `limit`.
    pub page: Page,
    /// `visitor_id`: only sessions of this visitor, a bot's too.
    pub visitor: Option<String>,
    /// `url`: only sessions whose landing page contains this.
    pub url: Option<String>,
}

impl Parameters {
    fn parse(params: &Params) -> Result<Self, ApiError> {
        Ok(Parameters {
            range: params.dates()?,
            page: Page::parse(params)?,
            visitor: params.filter("visitor_id").map(str::to_owned),
            url: params.folded("url"),
        })
    }

    /// Whether the filter on landing pages passes a session.
    fn passes(&self, url: Option<&str>) -> bool {
        self.url.as_ref().is_none_or(|part| url.is_some_and(|url| url.to_lowercase().contains(part)))
    }
}

/// Answers a request.
pub async fn handle(app: &App, request: &Request) -> Response<Body> {
    answer(app, request, Parameters::parse, read).await
}

async fn read(caller: Caller, parameters: Parameters) -> Result<Listing<SessionRow>, ApiError> {
    let Some(range) = caller.kept_of(parameters.range).await? else { return Ok(Listing::empty(parameters.page)) };
    let parameters = Parameters { range, ..parameters };
    let (total, data) = match (&parameters.visitor, &parameters.url) {
        (Some(visitor), _) => match visitor.parse() {
            Ok(visitor) => of_visitor(&caller, &parameters, &visitor).await?,
            // No visitor has an id that is none.
            Err(_) => (0, Vec::new()),
        },
        (None, Some(_)) => landed(&caller, &parameters).await?,
        (None, None) => unfiltered(&caller, &parameters).await?,
    };
    Ok(Listing { data, pagination: parameters.page.describe(total) })
}

/// The number of sessions, and those of the page.
type Found = (u64, Vec<SessionRow>);

impl Parameters {
    fn list<'a>(&self, caller: &'a Caller) -> IndexedList<'a> {
        let (index, measure) = (Index::Sessions, Measure::Stats);
        IndexedList { caller, index, measure, range: self.range, page: self.page }
    }
}

async fn unfiltered(caller: &Caller, parameters: &Parameters) -> Result<Found, StoreError> {
    let by_hour = async |view: &View| {
        let days = view.days(Measure::Stats);
        Ok(days.flat_map(|(day, rows)| day.hours().zip(StatsDay(rows).sessions_by_hour())).collect())
    };
    let located = parameters.list(caller).locate(|hour| vec![hour], by_hour).await?;
    let row_keys = located.view.sessions(&located.hours, SessionRowKey::of).await?;
    let row_keys = located.page(row_keys).collect();
    Ok((located.total, read_page(&caller.store, &caller.project, row_keys).await?))
}

/// No counter knows landing pages, so the slim entries of the range are read.
async fn landed(caller: &Caller, parameters: &Parameters) -> Result<Found, StoreError> {
    let days = parameters.list(caller).days(|_, rows| StatsDay(rows).sessions_by_hour().iter().sum()).await?;
    let pick = |key: FoundRef<'_>, entry: &SessionEntry<&str>| {
        if parameters.passes(entry.url) { SessionRowKey::of(key, entry) } else { None }
    };
    let (total, row_keys) = days.scan(pick).await?;
    Ok((total, read_page(&caller.store, &caller.project, row_keys).await?))
}

/// A visitor's own sessions, which no index needs to hold.
async fn of_visitor(caller: &Caller, parameters: &Parameters, id: &VisitorId) -> Result<Found, StoreError> {
    let visitor = visitors::read(&caller.store, &caller.project, id);
    let mut pages = earlier(&caller.store, &caller.project, id, parameters.range.instants());
    let (visitor, mut page) = try_join(visitor, pages.next()).await?;
    let mut listed = Listed::new(parameters, id);
    let mut latest = visitor.map(|visitor| visitor.latest);
    let known = latest.as_ref().map(|latest| latest.session_id.clone());
    while let Some(items) = page {
        for item in &items {
            let session: Session = read_packed(item)?;
            // Where it moved between the two reads, the latest one is named again.
            if Some(&session.session_id) == known.as_ref() {
                continue;
            }
            if let Some(latest) = latest.take_if(|latest| latest.order() > session.order()) {
                listed.add(latest);
            }
            listed.add(session);
        }
        page = pages.next().await?;
    }
    latest.into_iter().for_each(|latest| listed.add(latest));
    Ok((listed.total, listed.rows))
}

/// The sessions of a visitor's list that are on the page. They come one after the other, the newest first, as a visitor may
/// have any number of them.
struct Listed<'a> {
    parameters: &'a Parameters,
    visitor: &'a VisitorId,
    total: u64,
    rows: Vec<SessionRow>,
}

impl<'a> Listed<'a> {
    fn new(parameters: &'a Parameters, visitor: &'a VisitorId) -> Self {
        Listed { parameters, visitor, total: 0, rows: Vec::new() }
    }

    fn add(&mut self, session: Session) {
        if !self.parameters.range.contains(session.day()) || !self.parameters.passes(session.url.as_deref()) {
            return;
        }
        self.total += 1;
        let page = self.parameters.page;
        if self.total > page.offset() && self.rows.len() < page.limit() {
            self.rows.push(SessionRow::new(self.visitor.clone(), session));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use figures::time::Day;

    #[test]
    fn a_landing_page_is_searched_without_case() {
        let passes = |query: &str, url| {
            Parameters::parse(&Params::parse(query, Day(0))).is_ok_and(|parameters| parameters.passes(url))
        };
        assert!(passes("url=PRICING", Some("/Pricing?plan=a")));
        assert!(!passes("url=pricing", Some("/")));
        assert!(!passes("url=pricing", None));
        assert!(passes("url=", None));
    }
}
