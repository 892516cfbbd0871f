//! `GET /api/v1/insights/clicks`: the elements on which clicks went wrong in a range.

use figures::log::View;
use figures::measures::Measure;
use figures::measures::clicks::{Kind, by_element};
use figures::measures::event_data::parts;
use lambda_http::{Body, Request, Response};
use serde::Serialize;
use shared::api::{Caller, Data, answer};
use shared::app::App;
use shared::error::ApiError;
use shared::ranking::{Parameters, ranked};

/// The clicks that went wrong, by kind.
#[derive(Debug, Serialize)]
pub struct Clicks {
    rage_clicks: Vec<ElementRow>,
    dead_clicks: Vec<ElementRow>,
    phantom_clicks: Vec<ElementRow>,
}

/// An element of a page and how often it was clicked.
#[derive(Debug, Serialize)]
pub struct ElementRow {
    selector: Option<String>,
    url: Option<String>,
    count: i64,
    unique_visitors: u64,
}

/// Answers a request.
pub async fn handle(app: &App, request: &Request) -> Response<Body> {
    answer(app, request, Parameters::parse, read).await
}

async fn read(caller: Caller, Parameters { range, limit }: Parameters) -> Result<Data<Clicks>, ApiError> {
    let view = View::load(&caller.store, &caller.project, &[(Measure::Clicks, range)]).await?;
    let elements = |kind| {
        let elements = by_element(view.days(Measure::Clicks), kind, range.end());
        let rows = ranked(elements, limit, |element| element.count, parts);
        rows.map(|([selector, url], element)| ElementRow {
            selector,
            url,
            count: element.count,
            unique_visitors: element.unique_visitors,
        })
        .collect()
    };
    let clicks = Clicks {
        rage_clicks: elements(Kind::Rage),
        dead_clicks: elements(Kind::Dead),
        phantom_clicks: elements(Kind::Phantom),
    };
    Ok(Data { data: clicks })
}
