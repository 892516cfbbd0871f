//! What is logged of a request.

use figures::counters::shown::take_below_zero;
use figures::table::store::Consumed;
use figures::time::Millis;
use http::{Method, StatusCode};
use lambda_http::{Body, Request, RequestExt, Response};

use crate::error::ErrorCode;
use crate::routes;
use crate::summary::Summary;
use crate::telemetry::{self, Metric};

/// The response to a request as it leaves a function: without a body where `HEAD` asked for it, and with its line in the log.
pub fn finished(
    request: &Request,
    mut response: Response<Body>,
    consumed: Consumed,
    started_at: Millis,
) -> Response<Body> {
    if request.method() == Method::HEAD {
        *response.body_mut() = Body::Empty;
    }
    log(request, &response, consumed, started_at);
    response
}

/// Batches that were stored: most of all requests, and no two of their lines would differ in what matters.
static STORED: Summary = Summary::new("requests", &[("route", routes::COLLECT), ("status", "202")]);

/// The tracker's files that were sent, for which every visitor asks.
static SERVED: Summary = Summary::new("requests", &[("function", TRACKER), ("status", "200")]);

/// The function that serves them.
const TRACKER: &str = "tracker";

/// One line a request, with its metrics; one for all that went well within a minute where that is most of what comes. It
/// names the route, not the path or the query, which hold what visitors are looked up by.
fn log(request: &Request, response: &Response<Body>, consumed: Consumed, started_at: Millis) {
    let (route, function) =
        routes::find(request.uri().path()).map_or(("none", ""), |(route, _)| (route.path, route.function));
    let (now, status) = (Millis::now(), response.status());
    let code = response.extensions().get().map_or("", |ErrorCode(code)| *code);
    let duration_ms = now.0 - started_at.0;
    let mut metrics = vec![Metric::count("Requests", 1).by("Status", status.as_str())];
    if route == routes::COLLECT && request.method() == Method::POST {
        if status == StatusCode::ACCEPTED {
            metrics.push(Metric::count("Batches", 1));
            let figures = [
                ("duration_ms", duration_ms as f64),
                ("read_units", consumed.read_units),
                ("write_units", consumed.write_units),
                ("calls", consumed.calls as f64),
            ];
            return STORED.add(started_at, &figures, &metrics);
        }
        // An alarm can't add up what it does not know the dimensions of.
        metrics.extend([Metric::count("RefusedBatches", 1), Metric::count("RefusedBatches", 1).by("Reason", code)]);
        STORED.flush(started_at);
    }
    if function == TRACKER && status == StatusCode::OK {
        return SERVED.add(started_at, &[("duration_ms", duration_ms as f64)], &metrics);
    }
    telemetry::report(
        "request",
        &[
            ("request_id", request.lambda_context_ref().map(|context| context.request_id.clone()).into()),
            ("method", request.method().as_str().into()),
            ("route", route.into()),
            ("status", status.as_u16().into()),
            ("code", code.into()),
            ("duration_ms", duration_ms.into()),
            ("read_units", consumed.read_units.into()),
            ("write_units", consumed.write_units.into()),
            ("calls", consumed.calls.into()),
            ("round_trips", consumed.round_trips.into()),
            ("below_zero", take_below_zero().into()),
        ],
        &metrics,
    );
}
