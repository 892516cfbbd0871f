//! `GET /api/v1/events/types`: how many events of each type a range holds.

use std::collections::HashMap;

use figures::dates::DateRange;
use figures::log::View;
use figures::measures::Measure;
use figures::measures::stats::StatsDay;
use lambda_http::{Body, Request, Response};
use serde::Serialize;
use shared::api::{Caller, Data, answer};
use shared::app::App;
use shared::error::ApiError;
use shared::params::Params;
use shared::ranking::ranked;

/// The query parameters.
#[derive(Debug)]
pub struct Parameters {
    /// `start_date` and `end_date`: only events that happened in between.
    pub range: DateRange,
}

impl Parameters {
    fn parse(params: &Params) -> Result<Self, ApiError> {
        Ok(Parameters { range: params.dates()? })
    }
}

/// A type and how many events are of it.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct EventType {
    name: String,
    count: u64,
}

/// Answers a request.
pub async fn handle(app: &App, request: &Request) -> Response<Body> {
    answer(app, request, Parameters::parse, read).await
}

async fn read(caller: Caller, parameters: Parameters) -> Result<Data<Vec<EventType>>, ApiError> {
    let view = View::load(&caller.store, &caller.project, &[(Measure::Stats, parameters.range)]).await?;
    let by_hour = view.days(Measure::Stats).flat_map(|(_, rows)| StatsDay(rows).events_by_type());
    Ok(Data { data: most_frequent_first(by_hour.map(|(name, hours)| (name, hours.iter().sum()))) })
}

/// Adds up the counts of each type. Ties go by name.
fn most_frequent_first<'a>(counts: impl Iterator<Item = (&'a str, u64)>) -> Vec<EventType> {
    let mut totals: HashMap<&str, u64> = HashMap::new();
    for (name, count) in counts.filter(|(_, count)| *count > 0) {
        *totals.entry(name).or_default() += count;
    }
    let all = totals.len();
    ranked(totals, all, |count| *count, str::to_owned).map(|(name, count)| EventType { name, count }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_added_up_and_ties_go_by_name() {
        let counts = [("page_view", 2), ("rage_click", 1), ("gone", 0), ("page_view", 1), ("a_click", 1)];
        let listed: Vec<_> = most_frequent_first(counts.into_iter()).into_iter().map(|t| (t.name, t.count)).collect();
        let expected = [("page_view", 3), ("a_click", 1), ("rage_click", 1)];
        assert_eq!(listed, expected.map(|(name, count)| (name.to_owned(), count)));
    }
}
