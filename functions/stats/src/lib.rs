//! `GET /api/v1/stats`: the figures of a range, and of each of its days.

use figures::counters::FlatRows;
use figures::dates::DateRange;
use figures::log::View;
use figures::measures::Measure;
use figures::measures::stats::{StatsDay, total};
use figures::measures::visits::counted_by_hour;
use figures::numbers::{mean, percent, ratio};
use figures::table::store::StoreError;
use figures::time::Day;
use lambda_http::{Body, Request, Response};
use serde::Serialize;
use shared::api::{Caller, Data, answer};
use shared::app::App;
use shared::error::ApiError;
use shared::params::Params;

/// No instant is earlier, so no day before it holds data.
const EPOCH: Day = Day(0);

/// The query parameters.
#[derive(Debug)]
pub struct Parameters {
    /// `start_date` and `end_date`.
    pub range: DateRange,
    /// `interval=day`: the figures of each day too.
    pub by_day: bool,
}

impl Parameters {
    fn parse(params: &Params) -> Result<Self, ApiError> {
        let range = params.dates()?;
        match params.get("interval") {
            None => Ok(Parameters { range, by_day: false }),
            Some("day") => Ok(Parameters { range, by_day: true }),
            Some(_) => Err(ApiError::InvalidParameter("interval must be \"day\", or left out.".to_owned())),
        }
    }
}

/// The figures of a range.
#[derive(Debug, Serialize)]
pub struct Stats {
    total_visitors: i64,
    new_visitors: i64,
    returning_visitors: i64,
    total_sessions: i64,
    total_page_views: i64,
    total_events: i64,
    bounce_rate: f64,
    avg_session_duration_ms: i64,
    avg_pages_per_session: f64,
    period: Period,
    #[serde(skip_serializing_if = "Option::is_none")]
    series: Option<Vec<DayStats>>,
}

/// The range that the figures are of.
#[derive(Debug, Serialize)]
pub struct Period {
    start_date: String,
    end_date: String,
}

/// The figures of a day.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct DayStats {
    date: String,
    visitors: i64,
    sessions: i64,
    page_views: i64,
    events: i64,
}

/// Answers a request.
pub async fn handle(app: &App, request: &Request) -> Response<Body> {
    answer(app, request, Parameters::parse, read).await
}

async fn read(caller: Caller, parameters: Parameters) -> Result<Data<Stats>, ApiError> {
    let range = parameters.range;
    let measures = [(Measure::Stats, range), (Measure::Visits, range)];
    let view = View::load(&caller.store, &caller.project, &measures).await?;
    let series = match parameters.by_day {
        true => Some(series(&view, range, caller.now.day()).await?),
        false => None,
    };
    Ok(Data { data: Stats { series, ..figures(&view, range) } })
}

fn figures(view: &View, range: DateRange) -> Stats {
    let of_days = |figure: fn(StatsDay<'_>) -> i64| total(view.days(Measure::Stats), figure);
    let sessions = of_days(|day| day.sessions());
    let page_views = of_days(|day| day.page_views());
    let new_visitors = of_days(|day| day.new_visitors());
    let visitors = visitors(view, range);
    Stats {
        total_visitors: visitors,
        new_visitors,
        returning_visitors: visitors - new_visitors,
        total_sessions: sessions,
        total_page_views: page_views,
        total_events: of_days(|day| day.events()),
        bounce_rate: percent(of_days(|day| day.bounces()), sessions),
        avg_session_duration_ms: mean(of_days(|day| day.duration_ms()), sessions),
        avg_pages_per_session: ratio(page_views, sessions),
        period: Period { start_date: range.start().to_string(), end_date: range.end().to_string() },
        series: None,
    }
}

/// The distinct visitors active in a loaded range.
fn visitors(view: &View, range: DateRange) -> i64 {
    sum(view.days(Measure::Visits).flat_map(|(day, rows)| counted_by_hour(rows, *day, range.end())))
}

async fn series(view: &View, range: DateRange, today: Day) -> Result<Vec<DayStats>, StoreError> {
    let holds_data = |rows: &FlatRows| StatsDay(rows).holds_data();
    let first_within = view.days(Measure::Stats).find(|(_, rows)| holds_data(rows)).map(|(day, _)| *day);
    // Most ranges begin with a day of data; only the others need to know whether there is any before.
    let before = DateRange::new(EPOCH, range.start().plus(-1)).filter(|_| first_within != Some(range.start()));
    let first_before = match before {
        Some(before) => view.first_day(Measure::Stats, before, holds_data).await?,
        None => None,
    };
    Ok(shown(range, first_before.or(first_within), today).map(|day| day_stats(view, day)).collect())
}

/// The days of a range from the first one that holds data, in the range or before, to today.
fn shown(range: DateRange, first_data: Option<Day>, today: Day) -> impl Iterator<Item = Day> {
    let days = first_data.and_then(|first| DateRange::new(range.start().max(first), range.end().min(today)));
    days.into_iter().flat_map(|days| days.days())
}

fn day_stats(view: &View, day: Day) -> DayStats {
    let nothing = FlatRows::default();
    let stats = StatsDay(view.day(Measure::Stats, day).unwrap_or(&nothing));
    let visits = view.day(Measure::Visits, day).unwrap_or(&nothing);
    DayStats {
        date: day.to_string(),
        visitors: sum(counted_by_hour(visits, day, day)),
        sessions: stats.sessions(),
        page_views: stats.page_views(),
        events: stats.events(),
    }
}

fn sum(counts: impl IntoIterator<Item = u64>) -> i64 {
    counts.into_iter().sum::<u64>() as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_series_runs_from_the_first_data_to_today() {
        let days = |start, end, first: Option<i32>, today| -> Vec<i32> {
            let Some(range) = DateRange::new(Day(start), Day(end)) else { panic!("a range") };
            shown(range, first.map(Day), Day(today)).map(|day| day.0).collect()
        };
        assert_eq!(days(3, 5, Some(1), 9), [3, 4, 5]);
        assert_eq!(days(3, 5, Some(4), 9), [4, 5]);
        assert_eq!(days(3, 9, Some(3), 4), [3, 4]);
        assert!(days(3, 5, None, 9).is_empty());
        assert!(days(3, 5, Some(6), 9).is_empty());
        assert!(days(5, 9, Some(1), 4).is_empty());
    }

    #[test]
    fn no_interval_but_a_day_is_known() {
        let by_day = |query: &str| Parameters::parse(&Params::parse(query, Day(0))).ok().map(|given| given.by_day);
        assert_eq!(by_day(""), Some(false));
        assert_eq!(by_day("interval=day"), Some(true));
        for query in ["interval=", "interval=hour", "interval=Day"] {
            assert_eq!(by_day(query), None, "{query}");
        }
    }
}
