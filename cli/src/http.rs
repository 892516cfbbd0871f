//! HTTP/1 on loopback: what the local stack's servers have in common.

use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use lambda_http::{Body, Request, Response};
use shared::error::ApiError;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::heads::{Heads, Stage};

/// What is read of a body and thrown away, so that the client gets to read the answer.
const MAX_DRAINED: usize = 16 << 20;

/// How long a client may take to send a request.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);

/// How long requests that are being answered may take when the server stops.
const STOP_TIMEOUT: Duration = Duration::from_secs(5);

/// What answers the requests of a server.
pub trait Responder: Send + Sync + 'static {
    /// How much is read of a body. It has to be more than what is taken, so that it shows what is too large.
    const MAX_READ: usize;

    /// Answers a request from an address.
    fn respond(&self, client: IpAddr, request: Request) -> impl Future<Output = Response<Body>> + Send;
}

/// A running server.
#[derive(Debug)]
pub struct Listening {
    /// Stops it, at the latest when this is dropped.
    stop: DropGuard,
    task: JoinHandle<()>,
}

impl Listening {
    /// Begins to take requests.
    pub fn start(listener: TcpListener, answers: impl Responder) -> Self {
        let stop = CancellationToken::new();
        let task = tokio::spawn(accept(listener, Arc::new(answers), stop.clone()));
        Listening { stop: stop.drop_guard(), task }
    }

    /// Takes no more requests, and answers those that have begun.
    pub async fn stop(self) {
        self.stop.disarm().cancel();
        if let Err(error) = self.task.await {
            tracing::error!(%error, "the server failed");
        }
    }
}

async fn accept<A: Responder>(listener: TcpListener, answers: Arc<A>, stop: CancellationToken) {
    let connections = GracefulShutdown::new();
    while let Some(accepted) = stop.run_until_cancelled(listener.accept()).await {
        match accepted {
            Ok((stream, peer)) => serve(stream, peer.ip(), answers.clone(), &connections),
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

fn serve<A: Responder>(stream: TcpStream, client: IpAddr, answers: Arc<A>, connections: &GracefulShutdown) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "TCP_NODELAY could not be set");
    }
    let stage = Arc::new(Stage::default());
    let heads = Heads::new(stream, stage.clone());
    let service = service_fn(move |request| {
        stage.begin_answer();
        let (answers, stage) = (answers.clone(), stage.clone());
        async move {
            let response = answer(&*answers, client, request).await;
            stage.end_answer();
            Ok::<_, Infallible>(response)
        }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(REQUEST_TIMEOUT)
        .serve_connection(TokioIo::new(heads), service);
    let connection = connections.watch(connection);
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::debug!(%error, "a connection ended early");
        }
    });
}

async fn answer<A: Responder>(answers: &A, client: IpAddr, request: hyper::Request<Incoming>) -> Response<Full<Bytes>> {
    let (parts, incoming) = request.into_parts();
    let response = match tokio::time::timeout(REQUEST_TIMEOUT, read(incoming, A::MAX_READ)).await {
        Ok(Ok(body)) => answers.respond(client, Request::from_parts(parts, body)).await,
        Ok(Err(error)) => ApiError::InvalidBody(format!("The body ended early: {error}")).into_response(),
        Err(_) => ApiError::InvalidBody("The body came too slowly.".to_owned()).into_response(),
    };
    response.map(|body| {
        Full::new(match body {
            Body::Text(text) => Bytes::from(text),
            Body::Binary(bytes) => Bytes::from(bytes),
            _ => Bytes::new(),
        })
    })
}

/// The body, as much of it as is of use.
async fn read(mut incoming: Incoming, max: usize) -> Result<Body, hyper::Error> {
    let (mut kept, mut seen) = (Vec::new(), 0);
    while let Some(frame) = incoming.frame().await {
        let Ok(data) = frame?.into_data() else { continue };
        seen += data.len();
        kept.extend_from_slice(&data[..data.len().min(max - kept.len())]);
        if seen > MAX_DRAINED {
            break;
        }
    }
    Ok(if kept.is_empty() { Body::Empty } else { Body::Binary(kept) })
}
