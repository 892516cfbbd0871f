//! `GET /api/v1/events/types`: how many events of each type a range holds.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use lambda_http::{Body, Request, Response};
use serde::Serialize;
use shared::api::{Caller, Data, answer};
use shared::app::App;
use shared::dates::DateRange;
use shared::derived::stats::StatsDay;
use shared::derived::{Measure, Rows, View};
use shared::error::ApiError;
use shared::params::Params;

/// The query parameters.
#[derive(Debug)]
pub struct Parameters {
    /// `start_date` and `end_date`: only events that happened in between.
    pub range: DateRange,
}

impl Parameters {
    fn parse(params: &Params) -> Result<Self, ApiError> {
        Ok(Parameters { range: DateRange::parse(params)? })
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
    Ok(Data { data: most_frequent_first(view.days(Measure::Stats).map(|(_, rows)| rows)) })
}

fn most_frequent_first<'a>(days: impl Iterator<Item = &'a Rows>) -> Vec<EventType> {
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    for (name, by_hour) in days.flat_map(|rows| StatsDay(rows).events_by_type()) {
        *counts.entry(name).or_default() += by_hour.iter().sum::<u64>();
    }
    let mut types: Vec<EventType> = counts
        .into_iter()
        .filter(|(_, count)| *count > 0)
        .map(|(name, count)| EventType { name: name.to_owned(), count })
        .collect();
    // Stable, so equal counts stay in the order of their names.
    types.sort_by_key(|event_type| Reverse(event_type.count));
    types
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_added_up_over_days_and_ties_go_by_name() {
        let rows = |counts: &[(&str, u32, i64)]| {
            let mut rows = Rows::default();
            counts.iter().for_each(|(name, hour, count)| rows.add(name, *hour, *count));
            rows
        };
        let days = [
            rows(&[("", 3, 9), ("page_view", 0, 2), ("rage_click", 5, 1), ("gone", 1, 1), ("gone", 1, -1)]),
            rows(&[("page_view", 23, 1), ("a_click", 7, 1)]),
        ];
        let listed: Vec<_> = most_frequent_first(days.iter()).into_iter().map(|t| (t.name, t.count)).collect();
        let expected = [("page_view", 3), ("a_click", 1), ("rage_click", 1)];
        assert_eq!(listed, expected.map(|(name, count)| (name.to_owned(), count)));
    }
}
