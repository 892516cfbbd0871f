//! `GET /api/v1/insights/journeys`: from which page to which visitors went in a range, and where their
//! sessions began and ended.

use figures::log::View;
use figures::measures::Measure;
use figures::measures::event_data::parts;
use figures::measures::journeys::{entries, exits, transitions};
use lambda_http::{Body, Request, Response};
use serde::Serialize;
use shared::api::{Caller, Data, answer};
use shared::app::App;
use shared::error::ApiError;
use shared::ranking::{Parameters, ranked};

/// The journeys of a range.
#[derive(Debug, Serialize)]
pub struct Journeys {
    transitions: Vec<Transition>,
    entry_pages: Vec<End>,
    exit_pages: Vec<End>,
}

/// How often a page followed another one.
#[derive(Debug, Serialize)]
pub struct Transition {
    from: Option<String>,
    to: Option<String>,
    count: i64,
}

/// How many sessions began, or ended, on a page.
#[derive(Debug, Serialize)]
pub struct End {
    url: String,
    count: i64,
}

/// Answers a request.
pub async fn handle(app: &App, request: &Request) -> Response<Body> {
    answer(app, request, Parameters::parse, read).await
}

async fn read(caller: Caller, Parameters { range, limit }: Parameters) -> Result<Data<Journeys>, ApiError> {
    let view = View::load(&caller.store, &caller.project, &[(Measure::Journeys, range)]).await?;
    let days = || view.days(Measure::Journeys);
    let transitions = ranked(transitions(days()), limit, |count| *count, parts);
    let journeys = Journeys {
        transitions: transitions.map(|([from, to], count)| Transition { from, to, count }).collect(),
        entry_pages: ends(entries(days()), limit),
        exit_pages: ends(exits(days()), limit),
    };
    Ok(Data { data: journeys })
}

fn ends<'a>(counts: impl Iterator<Item = (&'a str, i64)>, limit: usize) -> Vec<End> {
    ranked(counts, limit, |count| *count, str::to_owned).map(|(url, count)| End { url, count }).collect()
}
