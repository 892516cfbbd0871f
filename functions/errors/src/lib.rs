//! `GET /api/v1/insights/errors`: the errors and warnings of a range.

use figures::log::View;
use figures::measures::Measure;
use figures::measures::errors::{by_message, latest_url};
use figures::measures::event_data::parts;
use figures::time::Millis;
use lambda_http::{Body, Request, Response};
use serde::Serialize;
use shared::api::{Caller, Data, answer};
use shared::app::App;
use shared::error::ApiError;
use shared::ranking::{Parameters, ranked};

/// An error or a warning.
#[derive(Debug, Serialize)]
pub struct ErrorRow {
    #[serde(rename = "type")]
    name: Option<String>,
    message: Option<String>,
    count: i64,
    unique_visitors: u64,
    first_seen_at: Option<Millis>,
    last_seen_at: Option<Millis>,
    url: Option<String>,
}

/// Answers a request.
pub async fn handle(app: &App, request: &Request) -> Response<Body> {
    answer(app, request, Parameters::parse, read).await
}

async fn read(caller: Caller, Parameters { range, limit }: Parameters) -> Result<Data<Vec<ErrorRow>>, ApiError> {
    let view = View::load(&caller.store, &caller.project, &[(Measure::Errors, range)]).await?;
    let errors = by_message(view.days(Measure::Errors), range.end());
    let url = |key: &str, latest: Millis| latest_url(view.day(Measure::Errors, latest.day())?, key, latest);
    let rows = ranked(errors, limit, |error| error.count, |key| (parts(key), key));
    let rows = rows.map(|(([name, message], key), error)| ErrorRow {
        name,
        message,
        count: error.count,
        unique_visitors: error.unique_visitors,
        first_seen_at: error.first_seen_at,
        last_seen_at: error.last_seen_at,
        url: error.last_seen_at.and_then(|latest| url(key, latest)),
    });
    Ok(Data { data: rows.collect() })
}
