//! The HTTP server of the local stack: each route is answered by the handler that Lambda runs.

use std::convert::Infallible;
use std::net::IpAddr;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use collect::{Collector, MAX_BODY};
use futures::FutureExt;
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use lambda_http::{Body, Request, Response};
use shared::app::{App, ClientAddress};
use shared::error::ApiError;
use shared::routes;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::demo_site::DemoSite;

/// What is read of a body: a byte more than the collector takes, so that it sees what is too large.
const MAX_READ: usize = MAX_BODY + 1;

/// What is read and thrown away of a larger one, so that the client gets to read the answer.
const MAX_DRAINED: usize = 16 << 20;

/// How long a client may take to send a request.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);

/// Requests that read and are answered at the same time; the others wait. More would be no faster on one machine, and
/// each takes memory for what it reads. Batches take none to speak of, and the more wait, the more are stored together.
const AT_ONCE: usize = 16;

/// How long requests that are being answered may take when the server stops.
const STOP_TIMEOUT: Duration = Duration::from_secs(5);

/// A running server.
#[derive(Debug)]
pub struct Server {
    stop: CancellationToken,
    task: JoinHandle<()>,
}

/// What answers requests: each route by its own function.
pub struct Functions {
    app: Arc<App>,
    collector: Collector,
    demo_site: Option<DemoSite>,
    turns: Semaphore,
}

impl std::fmt::Debug for Functions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Functions").finish_non_exhaustive()
    }
}

impl Functions {
    /// What one instance of each function would be, with a memory that they share.
    pub fn new(app: Arc<App>) -> Self {
        Functions { collector: Collector::new(app.clone()), app, demo_site: None, turns: Semaphore::new(AT_ONCE) }
    }

    /// With a site to try the tracker on, which is no function.
    pub fn with(self, demo_site: DemoSite) -> Self {
        Functions { demo_site: Some(demo_site), ..self }
    }

    /// Answers a request.
    pub async fn answer(&self, request: &Request) -> Response<Body> {
        let app = &self.app;
        if let Some(site) = &self.demo_site
            && let Some(response) = site.answer(request).await
        {
            return response;
        }
        let route = routes::find(request.uri().path()).map(|(route, _)| route);
        let function = route.filter(|route| route.takes(request.method().as_str())).map(|route| route.function);
        let _turn = match function {
            Some("collect") => None,
            _ => self.turns.acquire().await.ok(),
        };
        match function {
            Some("acquisition") => acquisition::handle(app, request).await,
            Some("clicks") => clicks::handle(app, request).await,
            Some("collect") => collect::handle(&self.collector, request).await,
            Some("errors") => errors::handle(app, request).await,
            Some("event-types") => event_types::handle(app, request).await,
            Some("events") => events::handle(app, request).await,
            Some("forms") => forms::handle(app, request).await,
            Some("frustration") => frustration::handle(app, request).await,
            Some("journeys") => journeys::handle(app, request).await,
            Some("live") => live::handle(app, request).await,
            Some("metrics") => metrics::handle(app, request).await,
            Some("openapi") => openapi::handle(request),
            Some("pages") => pages::handle(app, request).await,
            Some("reading") => reading::handle(app, request).await,
            Some("seo") => seo::handle(app, request).await,
            Some("session") => session::handle(app, request).await,
            Some("sessions") => sessions::handle(app, request).await,
            Some("stats") => stats::handle(app, request).await,
            Some("tracker") => tracker::handle(request),
            Some("visitor") => visitor::handle(app, request).await,
            Some("visitors") => visitors::handle(app, request).await,
            _ => not_found::handle(request),
        }
    }
}

impl Server {
    /// Serves all routes, and the demo site.
    pub fn start(listener: TcpListener, app: Arc<App>, demo_site: DemoSite) -> Self {
        let functions = Arc::new(Functions::new(app).with(demo_site));
        let stop = CancellationToken::new();
        let task = tokio::spawn(accept(listener, functions, stop.clone()));
        Server { stop, task }
    }

    /// Takes no more requests, and answers those that have begun.
    pub async fn stop(self) {
        self.stop.cancel();
        if let Err(error) = self.task.await {
            tracing::error!(%error, "the server failed");
        }
    }
}

async fn accept(listener: TcpListener, functions: Arc<Functions>, stop: CancellationToken) {
    let connections = GracefulShutdown::new();
    while let Some(accepted) = stop.run_until_cancelled(listener.accept()).await {
        match accepted {
            Ok((stream, peer)) => serve(stream, peer.ip(), functions.clone(), &connections),
            Err(error) => {
                // Out of file descriptors, most likely: others end and free some.
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
    drop(listener);
    if tokio::time::timeout(STOP_TIMEOUT, connections.shutdown()).await.is_err() {
        tracing::warn!("some requests were still being answered when the server stopped");
    }
}

fn serve(stream: TcpStream, client: IpAddr, functions: Arc<Functions>, connections: &GracefulShutdown) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "TCP_NODELAY could not be set");
    }
    let service = service_fn(move |request| {
        let functions = functions.clone();
        async move { Ok::<_, Infallible>(respond(&functions, client, request).await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(REQUEST_TIMEOUT)
        .serve_connection(TokioIo::new(stream), service);
    let connection = connections.watch(connection);
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::debug!(%error, "a connection ended early");
        }
    });
}

async fn respond(functions: &Functions, client: IpAddr, request: hyper::Request<Incoming>) -> Response<Full<Bytes>> {
    let (parts, incoming) = request.into_parts();
    let body = match tokio::time::timeout(REQUEST_TIMEOUT, read(incoming)).await {
        Ok(Ok(body)) => body,
        Ok(Err(error)) => {
            return complete(ApiError::InvalidBody(format!("The body ended early: {error}")).into_response());
        }
        Err(_) => return complete(ApiError::InvalidBody("The body came too slowly.".to_owned()).into_response()),
    };
    let mut request = Request::from_parts(parts, body);
    request.extensions_mut().insert(ClientAddress(client));
    let answer = AssertUnwindSafe(functions.answer(&request)).catch_unwind().await;
    complete(answer.unwrap_or_else(|_| ApiError::Internal("a handler panicked".to_owned()).into_response()))
}

/// The body, as much of it as any function could take.
async fn read(mut incoming: Incoming) -> Result<Body, hyper::Error> {
    let (mut kept, mut seen) = (Vec::new(), 0);
    while let Some(frame) = incoming.frame().await {
        let Ok(data) = frame?.into_data() else { continue };
        seen += data.len();
        kept.extend_from_slice(&data[..data.len().min(MAX_READ - kept.len())]);
        if seen > MAX_DRAINED {
            break;
        }
    }
    Ok(if kept.is_empty() { Body::Empty } else { Body::Binary(kept) })
}

fn complete(response: Response<Body>) -> Response<Full<Bytes>> {
    response.map(|body| {
        Full::new(match body {
            Body::Text(text) => Bytes::from(text),
            Body::Binary(bytes) => Bytes::from(bytes),
            _ => Bytes::new(),
        })
    })
}
