//! `GET /api/v1/pages`: the most viewed pages of a range.

use figures::log::View;
use figures::measures::Measure;
use figures::measures::stats::{StatsDay, total};
use figures::numbers::ratio;
use lambda_http::{Body, Request, Response};
use serde::Serialize;
use shared::api::{Caller, Data, answer};
use shared::app::App;
use shared::error::ApiError;
use shared::ranking::Parameters;
use shared::rows::pages::{PageRow, top_pages};

/// The pages of a range.
#[derive(Debug, Serialize)]
pub struct Pages {
    top_pages: Vec<PageRow>,
    avg_pages_per_session: f64,
}

/// Answers a request.
pub async fn handle(app: &App, request: &Request) -> Response<Body> {
    answer(app, request, Parameters::parse, read).await
}

async fn read(caller: Caller, parameters: Parameters) -> Result<Data<Pages>, ApiError> {
    let measures = [Measure::Pages, Measure::Stats].map(|measure| (measure, parameters.range));
    let view = View::load(&caller.store, &caller.project, &measures).await?;
    let of_days = |figure: fn(StatsDay<'_>) -> i64| total(view.days(Measure::Stats), figure);
    let pages = Pages {
        top_pages: top_pages(&view, &parameters),
        avg_pages_per_session: ratio(of_days(|day| day.page_views()), of_days(|day| day.sessions())),
    };
    Ok(Data { data: pages })
}
