//! `GET /api/v1/insights/frustration`: how frustrated visitors were in a range.

use figures::log::View;
use figures::measures::Measure;
use figures::measures::frustration::{Frustration, by_visitor};
use figures::numbers::ratio;
use lambda_http::{Body, Request, Response};
use serde::Serialize;
use shared::api::{Caller, Data, answer};
use shared::app::App;
use shared::error::ApiError;
use shared::ranking::{Parameters, ranked};

/// The scores of a range.
#[derive(Debug, PartialEq, Serialize)]
pub struct Scores {
    scores: Vec<VisitorScore>,
    average: Average,
}

/// A visitor's score and what it is made of.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct VisitorScore {
    visitor_id: String,
    score: i64,
    rage_clicks: i64,
    dead_clicks: i64,
    errors: i64,
    form_abandons: i64,
    rapid_navigations: i64,
}

/// The average over all visitors with a score.
#[derive(Debug, PartialEq, Serialize)]
pub struct Average {
    avg_score: f64,
    visitor_count: i64,
}

/// Answers a request.
pub async fn handle(app: &App, request: &Request) -> Response<Body> {
    answer(app, request, Parameters::parse, read).await
}

async fn read(caller: Caller, parameters: Parameters) -> Result<Data<Scores>, ApiError> {
    let Some(range) = caller.kept_of(parameters.range).await? else {
        return Ok(Data { data: scores([].into_iter(), parameters.limit) });
    };
    let measures = [(Measure::Frustration, range)];
    let view = View::load(&caller.store, &caller.project, &measures).await?;
    Ok(Data { data: scores(by_visitor(view.days(Measure::Frustration)), parameters.limit) })
}

fn scores<'a>(visitors: impl Iterator<Item = (&'a str, Frustration)>, limit: usize) -> Scores {
    let (mut visitor_count, mut sum) = (0, 0);
    let visitors = visitors.inspect(|(_, suffered)| {
        visitor_count += 1;
        sum += suffered.score();
    });
    let rows = ranked(visitors, limit, Frustration::score, |visitor| visitor).map(|(visitor, suffered)| VisitorScore {
        visitor_id: visitor.to_owned(),
        score: suffered.score(),
        rage_clicks: suffered.rage_clicks,
        dead_clicks: suffered.dead_clicks,
        errors: suffered.errors,
        form_abandons: suffered.form_abandons,
        rapid_navigations: suffered.rapid_navigations,
    });
    let scores = rows.collect();
    Scores { scores, average: Average { avg_score: ratio(sum, visitor_count), visitor_count } }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_average_is_over_all_visitors_not_only_those_listed() {
        let rage = |rage_clicks| Frustration { rage_clicks, ..Frustration::default() };
        let visitors = [("v1", rage(1)), ("v2", rage(50)), ("v3", rage(3)), ("v4", rage(3))];
        let Scores { scores, average } = scores(visitors.into_iter(), 2);
        let listed: Vec<_> = scores.iter().map(|row| (row.visitor_id.as_str(), row.score)).collect();
        assert_eq!(listed, [("v2", 100), ("v3", 30)]);
        assert_eq!(average, Average { avg_score: 42.5, visitor_count: 4 });
    }

    #[test]
    fn nobody_is_no_one_on_average() {
        assert_eq!(scores([].into_iter(), 50).average, Average { avg_score: 0.0, visitor_count: 0 });
    }
}
