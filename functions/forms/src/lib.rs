//! `GET /api/v1/insights/forms`: the forms that were left in a range, and the fields that made people hesitate.

use figures::log::View;
use figures::measures::Measure;
use figures::measures::event_data::parts;
use figures::measures::forms::{Timed, abandonment, hesitation, last_field};
use figures::numbers::mean_of_micros;
use lambda_http::{Body, Request, Response};
use serde::Serialize;
use shared::api::{Caller, Data, answer};
use shared::app::App;
use shared::error::ApiError;
use shared::ranking::{Parameters, ranked};

/// The forms of a range.
#[derive(Debug, Serialize)]
pub struct Forms {
    abandonment: Vec<Abandonment>,
    hesitation: Vec<Hesitation>,
}

/// A form that was left.
#[derive(Debug, Serialize)]
pub struct Abandonment {
    form: Option<String>,
    url: Option<String>,
    abandons: i64,
    avg_time_spent_ms: i64,
    last_field: Option<String>,
}

/// A field that made people hesitate.
#[derive(Debug, Serialize)]
pub struct Hesitation {
    form: Option<String>,
    field: Option<String>,
    url: Option<String>,
    count: i64,
    avg_hesitation_ms: i64,
}

/// Answers a request.
pub async fn handle(app: &App, request: &Request) -> Response<Body> {
    answer(app, request, Parameters::parse, read).await
}

async fn read(caller: Caller, Parameters { range, limit }: Parameters) -> Result<Data<Forms>, ApiError> {
    let view = View::load(&caller.store, &caller.project, &[(Measure::Forms, range)]).await?;
    let days = || view.days(Measure::Forms);
    let abandonment = ranked(abandonment(days()), limit, |left| left.count, parts).map(|([form, url], left)| {
        let last_field = last_field(days(), form.as_deref(), url.as_deref());
        Abandonment { form, url, abandons: left.count, avg_time_spent_ms: mean(&left), last_field }
    });
    let hesitation = ranked(hesitation(days()), limit, |hesitated| hesitated.count, parts);
    let hesitation = hesitation.map(|([form, field, url], hesitated)| Hesitation {
        form,
        field,
        url,
        count: hesitated.count,
        avg_hesitation_ms: mean(&hesitated),
    });
    Ok(Data { data: Forms { abandonment: abandonment.collect(), hesitation: hesitation.collect() } })
}

/// The average over the events that gave a time.
fn mean(timed: &Timed) -> i64 {
    mean_of_micros(timed.micros, timed.timed)
}
