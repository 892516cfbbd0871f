//! `GET /api/v1/insights/reading`: how pages were read in a range.

use figures::log::View;
use figures::measures::Measure;
use figures::measures::reading::{ReadFigures, by_page};
use figures::numbers::{mean_of_micros, percent, ratio_of_micros};
use lambda_http::{Body, Request, Response};
use serde::Serialize;
use shared::api::{Caller, Data, answer};
use shared::app::App;
use shared::error::ApiError;
use shared::ranking::{Parameters, ranked};

/// The most of its time that a page can have somebody's attention.
const ALL: f64 = 100.0;

/// How a page was read. Each average is over the reads that gave the value.
#[derive(Debug, PartialEq, Serialize)]
pub struct ReadRow {
    url: String,
    reads: i64,
    avg_scroll_depth: f64,
    avg_active_time_ms: i64,
    avg_scroll_velocity: f64,
    attention_percent: f64,
}

impl ReadRow {
    fn new(url: &str, read: &ReadFigures) -> Self {
        ReadRow {
            url: url.to_owned(),
            reads: read.reads,
            avg_scroll_depth: ratio_of_micros(read.scroll_depth.micros, read.scroll_depth.count),
            avg_active_time_ms: mean_of_micros(read.active_time_ms.micros, read.active_time_ms.count),
            avg_scroll_velocity: ratio_of_micros(read.scroll_velocity.micros, read.scroll_velocity.count),
            // A read that gave no total may have been longer than the others were.
            attention_percent: percent(read.active_time_ms.micros, read.total_time_ms.micros).min(ALL),
        }
    }
}

/// Answers a request.
pub async fn handle(app: &App, request: &Request) -> Response<Body> {
    answer(app, request, Parameters::parse, read).await
}

async fn read(caller: Caller, Parameters { range, limit }: Parameters) -> Result<Data<Vec<ReadRow>>, ApiError> {
    let view = View::load(&caller.store, &caller.project, &[(Measure::Reading, range)]).await?;
    let pages = ranked(by_page(view.days(Measure::Reading)), limit, |page| page.reads, |url| url);
    Ok(Data { data: pages.map(|(url, page)| ReadRow::new(url, &page)).collect() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use figures::measures::reading::Sum;

    #[test]
    fn averages_are_over_the_reads_that_gave_the_value() {
        let sum = |count, micros| Sum { count, micros };
        let figures = ReadFigures {
            reads: 4,
            scroll_depth: sum(2, 150_500_000),
            active_time_ms: sum(3, 10_000_500_000),
            total_time_ms: sum(4, 30_000_000_000),
            scroll_velocity: sum(0, 0),
        };
        let expected = ReadRow {
            url: "/".to_owned(),
            reads: 4,
            avg_scroll_depth: 75.3,
            avg_active_time_ms: 3_334,
            avg_scroll_velocity: 0.0,
            attention_percent: 33.3,
        };
        assert_eq!(ReadRow::new("/", &figures), expected);
    }
}
