//! Endpoints as Lambda functions.

use std::borrow::Cow;
use std::convert::Infallible;

use futures::future::BoxFuture;
use lambda_http::request::LambdaRequest;
use lambda_http::tower::util::MapRequest;
use lambda_http::{Adapter, Body, LambdaEvent, Request, Response, Service, service_fn};
use percent_encoding::{AsciiSet, CONTROLS, percent_encode};

use crate::app::App;
use crate::auth::is_own_cookie;
use crate::aws::table_of_environment;
use crate::origin::Guarded;
use crate::telemetry;

/// Runs an endpoint as a Lambda function.
pub async fn run<H>(handle: H) -> Result<(), lambda_http::Error>
where
    H: for<'a> Fn(&'a App, &'a Request) -> BoxFuture<'a, Response<Body>> + Sync,
{
    telemetry::start_json(&table_of_environment());
    let app = App::from_environment().await;
    let (app, handle) = (&app, &handle);
    serve(service_fn(async |request: Request| Ok::<_, Infallible>(handle(app, &request).await))).await
}

/// Runs an endpoint that reads nothing as a Lambda function.
pub async fn run_without_table(handle: impl Fn(&Request) -> Response<Body> + Sync) -> Result<(), lambda_http::Error> {
    telemetry::start_json(&table_of_environment());
    let handle = &handle;
    serve(service_fn(async |request: Request| Ok::<_, Infallible>(handle(&request)))).await
}

/// Answers the gateway's events with a handler. Every function's requests pass here.
pub async fn serve<'a, S>(handler: S) -> Result<(), lambda_http::Error>
where
    S: Service<Request, Response = Response<Body>, Error = Infallible>,
    S::Future: Send + 'a,
{
    let adapter: Adapter<'a, _, _> = Adapter::from(Guarded::by_environment(handler));
    lambda_http::lambda_runtime::run(MapRequest::new(adapter, legible)).await
}

/// What a URI's path and query can't hold.
const ILLEGAL: &AsciiSet = &CONTROLS.add(b' ').add(b'"').add(b'#').add(b'<').add(b'>');

/// A URI, or a part of one, with what the client should have encoded.
pub fn legal_uri(uri: &[u8]) -> Cow<'_, str> {
    percent_encode(uri, ILLEGAL).into()
}

/// The gateway hands on what the client wrote. `lambda_http` takes no event whose query is no URI's, and drops all cookies
/// where one of them, of any host of the domain, holds what a header can't.
fn legible(mut event: LambdaEvent<LambdaRequest>) -> LambdaEvent<LambdaRequest> {
    if let LambdaRequest::ApiGatewayV2(request) = &mut event.payload {
        if let Some(query) = &mut request.raw_query_string {
            *query = legal_uri(query.as_bytes()).into_owned();
        }
        if let Some(cookies) = &mut request.cookies {
            cookies.retain(|cookie| is_own_cookie(cookie));
        }
    }
    event
}
