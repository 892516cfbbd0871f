//! `GET /api/v1/metrics`: how fast pages were in a range, and how long visitors stayed.

use figures::log::View;
use figures::measures::Measure;
use figures::measures::stats::{StatsDay, total};
use figures::measures::vitals::{Vital, VitalFigures, summary};
use figures::numbers::{mean, percent};
use lambda_http::{Body, Request, Response};
use serde::Serialize;
use shared::api::{Caller, Data, answer};
use shared::app::App;
use shared::error::ApiError;
use shared::ranking::Parameters;
use shared::rows::pages::{PageRow, top_pages};

/// The metrics of a range.
#[derive(Debug, Serialize)]
pub struct Metrics {
    web_vitals: WebVitals,
    avg_session_duration_ms: i64,
    bounce_rate: f64,
    top_pages: Vec<PageRow>,
}

/// The Web Vitals, in milliseconds but for CLS, which has no unit.
#[derive(Debug, Serialize)]
pub struct WebVitals {
    lcp: VitalFigures,
    inp: VitalFigures,
    fid: VitalFigures,
    cls: VitalFigures,
    fcp: VitalFigures,
    ttfb: VitalFigures,
}

/// Answers a request.
pub async fn handle(app: &App, request: &Request) -> Response<Body> {
    answer(app, request, Parameters::parse, read).await
}

async fn read(caller: Caller, parameters: Parameters) -> Result<Data<Metrics>, ApiError> {
    let measures = [Measure::Vitals, Measure::Stats, Measure::Pages].map(|measure| (measure, parameters.range));
    let view = View::load(&caller.store, &caller.project, &measures).await?;
    let of_days = |figure: fn(StatsDay<'_>) -> i64| total(view.days(Measure::Stats), figure);
    let sessions = of_days(|day| day.sessions());
    let vital = |vital| summary(view.days(Measure::Vitals), vital);
    let web_vitals = WebVitals {
        lcp: vital(&Vital::LCP),
        inp: vital(&Vital::INP),
        fid: vital(&Vital::FID),
        cls: vital(&Vital::CLS),
        fcp: vital(&Vital::FCP),
        ttfb: vital(&Vital::TTFB),
    };
    let metrics = Metrics {
        web_vitals,
        avg_session_duration_ms: mean(of_days(|day| day.duration_ms()), sessions),
        bounce_rate: percent(of_days(|day| day.bounces()), sessions),
        top_pages: top_pages(&view, &parameters),
    };
    Ok(Data { data: metrics })
}
