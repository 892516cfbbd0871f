//! A proxy before DynamoDB that fails writes: either before they are done, or just after, so that the
//! writer can't know.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use fastrand::Rng;
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// The operations that write.
const WRITES: [&str; 5] = ["PutItem", "UpdateItem", "DeleteItem", "TransactWriteItems", "BatchWriteItem"];

/// What happens to a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The connection closes; nothing is written.
    Refused,
    /// DynamoDB answers with an internal error; nothing is written.
    InternalError,
    /// It is written, and the connection closes before the answer.
    AnswerLost,
}

impl Fault {
    /// All of them.
    pub const ALL: [Fault; 3] = [Fault::Refused, Fault::InternalError, Fault::AnswerLost];
}

/// Which writes fail, counted from 1.
#[derive(Debug, Clone, Copy)]
pub enum Schedule {
    /// This one.
    Once {
        /// Its number.
        write: usize,
        /// What happens to it.
        fault: Fault,
    },
    /// One in so many, each in some way.
    Randomly {
        /// In how many.
        one_in: usize,
        /// Which ones.
        seed: u64,
    },
}

impl Schedule {
    fn fault_of(self, number: usize) -> Option<Fault> {
        match self {
            Schedule::Once { write, fault } => (number == write).then_some(fault),
            Schedule::Randomly { one_in, seed } => {
                let mut rng = Rng::with_seed(seed.wrapping_add(number as u64));
                (rng.usize(..one_in) == 0).then(|| Fault::ALL[rng.usize(..Fault::ALL.len())])
            }
        }
    }
}

/// The proxy, until it is dropped.
#[derive(Debug)]
pub struct FaultyProxy {
    address: SocketAddr,
    writes: Arc<AtomicUsize>,
    task: JoinHandle<()>,
}

#[derive(Debug, Clone)]
struct Plan {
    target: String,
    client: reqwest::Client,
    writes: Arc<AtomicUsize>,
    schedule: Schedule,
}

/// The connection is closed without an answer.
#[derive(Debug, thiserror::Error)]
#[error("closed on purpose")]
struct Closed;

impl FaultyProxy {
    /// Listens on loopback, forwards to an endpoint, and fails some writes.
    ///
    /// # Errors
    /// If there is no port to listen on.
    pub async fn start(target: &str, schedule: Schedule) -> std::io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let writes = Arc::new(AtomicUsize::new(0));
        let client = reqwest::Client::new();
        let plan = Plan { target: target.to_owned(), client, writes: writes.clone(), schedule };
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let plan = plan.clone();
                let service = service_fn(move |request| {
                    let plan = plan.clone();
                    async move { plan.answer(request).await }
                });
                tokio::spawn(async move {
                    // It ends with an error where a connection is closed on purpose.
                    let _ = hyper::server::conn::http1::Builder::new()
                        .serve_connection(TokioIo::new(stream), service)
                        .await;
                });
            }
        });
        Ok(FaultyProxy { address, writes, task })
    }

    /// Where it listens.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// How many writes came through.
    pub fn writes(&self) -> usize {
        self.writes.load(Ordering::SeqCst)
    }
}

impl Drop for FaultyProxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Plan {
    async fn answer(&self, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Closed> {
        match self.fault_of(&request) {
            None => self.forward(request).await,
            Some(Fault::Refused) => Err(Closed),
            Some(Fault::InternalError) => Ok(internal_error()),
            Some(Fault::AnswerLost) => {
                self.forward(request).await?;
                Err(Closed)
            }
        }
    }

    fn fault_of(&self, request: &Request<Incoming>) -> Option<Fault> {
        let target = request.headers().get("x-amz-target")?.to_str().ok()?;
        let operation = target.rsplit('.').next()?;
        if !WRITES.contains(&operation) {
            return None;
        }
        self.schedule.fault_of(self.writes.fetch_add(1, Ordering::SeqCst) + 1)
    }

    async fn forward(&self, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Closed> {
        let (head, body) = request.into_parts();
        let body = body.collect().await.map_err(|_| Closed)?.to_bytes();
        let sent = self.client.request(head.method, format!("{}{}", self.target, head.uri)).headers(head.headers);
        let answer = sent.body(body).send().await.map_err(|_| Closed)?;
        let mut response = Response::new(Full::default());
        *response.status_mut() = answer.status();
        *response.headers_mut() = answer.headers().clone();
        // The body is sent whole, whatever framing it came in.
        response.headers_mut().remove("transfer-encoding");
        *response.body_mut() = Full::new(answer.bytes().await.map_err(|_| Closed)?);
        Ok(response)
    }
}

fn internal_error() -> Response<Full<Bytes>> {
    let body = r#"{"__type":"com.amazonaws.dynamodb.v20120810#InternalServerError","message":"on purpose"}"#;
    let mut response = Response::new(Full::new(Bytes::from_static(body.as_bytes())));
    *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
    response
}
