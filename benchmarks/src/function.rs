//! A function's own program in a process of its own, called as Lambda calls it, so that its memory is what Lambda would see.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use figures::time::Millis;
use http::{Method, Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::{Mutex, mpsc};
use tokio::task::JoinHandle;

use crate::BenchError;
use crate::served::peak_memory_mib;

/// How long a call may take: longer than any function's own limit but that of `reconcile`.
const PATIENCE: Duration = Duration::from_secs(60);

/// Looks at a function's log for a request's line, and the pause between them.
const MAX_LOOKS: usize = 200;
const LOOK: Duration = Duration::from_millis(5);

/// A running function.
#[derive(Debug)]
pub struct Function {
    process: Child,
    events: mpsc::UnboundedSender<Bytes>,
    answers: mpsc::UnboundedReceiver<Answer>,
    runtime_api: JoinHandle<()>,
    logged: Arc<std::sync::Mutex<Logged>>,
}

/// What a function's log says of its requests.
#[derive(Debug, Default)]
struct Logged {
    requests: usize,
    read_units: f64,
}

/// What a function answers.
#[derive(Debug)]
struct Answer {
    is_failure: bool,
    body: Bytes,
}

impl Function {
    /// Starts a program on an engine's table.
    pub async fn start(program: &Path, name: &str, endpoint_url: &str) -> Result<Self, BenchError> {
        let failed = |error: std::io::Error| BenchError::Failed(format!("{}: {error}", program.display()));
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let (events, to_poll) = mpsc::unbounded_channel();
        let (answered, answers) = mpsc::unbounded_channel();
        let to_poll = Arc::new(Mutex::new(to_poll));
        let runtime_api = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (to_poll, answered) = (to_poll.clone(), answered.clone());
                let service = service_fn(move |request| answer(request, to_poll.clone(), answered.clone()));
                tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
            }
        });
        let process = Command::new(program)
            .env_clear()
            .env("AWS_LAMBDA_RUNTIME_API", address.to_string())
            .env("AWS_LAMBDA_FUNCTION_NAME", name)
            .envs([("AWS_LAMBDA_FUNCTION_VERSION", "1"), ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128")])
            .envs([("AWS_LAMBDA_LOG_GROUP_NAME", "group"), ("AWS_LAMBDA_LOG_STREAM_NAME", "stream")])
            .envs([("AWS_REGION", "us-east-1"), ("AWS_ACCESS_KEY_ID", "local"), ("AWS_SECRET_ACCESS_KEY", "local")])
            .env("TABLE_NAME", shared::aws::DEFAULT_TABLE)
            .env("AWS_ENDPOINT_URL_DYNAMODB", endpoint_url)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(failed)?;
        let logged = Arc::default();
        let mut function = Function { process, events, answers, runtime_api, logged };
        if let Some(output) = function.process.stdout.take() {
            let logged = function.logged.clone();
            std::thread::spawn(move || read_log(output, &logged));
        }
        Ok(function)
    }

    /// How many requests its log has a line of.
    pub fn logged(&self) -> usize {
        self.logged.lock().unwrap_or_else(PoisonError::into_inner).requests
    }

    /// The read units of the last request, once its log has a line more than so many: it is written just before the answer.
    pub async fn read_units(&self, logged_before: usize) -> f64 {
        for _ in 0..MAX_LOOKS {
            if self.logged() > logged_before {
                break;
            }
            tokio::time::sleep(LOOK).await;
        }
        self.logged.lock().unwrap_or_else(PoisonError::into_inner).read_units
    }

    /// Hands an event to the function. Gives its answer, and the bytes that this came to.
    pub async fn call(&mut self, event: &Value) -> Result<(Value, usize), BenchError> {
        let ended = || BenchError::Failed("a function ended".to_owned());
        self.events.send(event.to_string().into()).map_err(|_| ended())?;
        let answer = tokio::time::timeout(PATIENCE, self.answers.recv()).await;
        let answer = answer.map_err(|_| BenchError::Failed("a function does not answer".to_owned()))?;
        let Answer { is_failure, body } = answer.ok_or_else(ended)?;
        if is_failure {
            return Err(BenchError::Failed(format!("a function failed: {}", String::from_utf8_lossy(&body))));
        }
        Ok((serde_json::from_slice(&body)?, body.len()))
    }

    /// The most memory that it ever had, where the system tells, in MiB.
    pub fn peak_memory_mib(&self) -> f64 {
        peak_memory_mib(&self.process.id().to_string())
    }
}

impl Drop for Function {
    fn drop(&mut self) {
        self.runtime_api.abort();
        if let Err(error) = self.process.kill().and_then(|()| self.process.wait()) {
            eprintln!("a function can't be ended: {error}");
        }
    }
}

fn read_log(output: ChildStdout, logged: &std::sync::Mutex<Logged>) {
    for line in BufReader::new(output).lines().map_while(Result::ok) {
        let line: Value = serde_json::from_str(&line).unwrap_or_default();
        if line["message"] == "request" {
            let mut logged = logged.lock().unwrap_or_else(PoisonError::into_inner);
            logged.requests += 1;
            logged.read_units = line["read_units"].as_f64().unwrap_or_default();
        }
    }
}

/// What Lambda's Runtime API answers: the next event, once there is one, or that it heard.
async fn answer(
    request: Request<Incoming>,
    to_poll: Arc<Mutex<mpsc::UnboundedReceiver<Bytes>>>,
    answered: mpsc::UnboundedSender<Answer>,
) -> Result<Response<Full<Bytes>>, BenchError> {
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let body = request.into_body().collect().await.map_err(|error| BenchError::Failed(error.to_string()))?.to_bytes();
    let answer = if method == Method::GET {
        let event = to_poll.lock().await.recv().await;
        let event = event.ok_or_else(|| BenchError::Failed("nobody calls any more".to_owned()))?;
        Response::builder()
            .header("Lambda-Runtime-Aws-Request-Id", "00000000-0000-0000-0000-000000000000")
            .header("Lambda-Runtime-Deadline-Ms", (Millis::now().0 + 900_000).to_string())
            .header("Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:us-east-1:000000000000:function:f")
            .body(Full::new(event))
    } else {
        // Nobody is left to hear it once the function is not called any more.
        let _ = answered.send(Answer { is_failure: !path.ends_with("/response"), body });
        Response::builder().status(202).body(Full::default())
    };
    answer.map_err(|error| BenchError::Failed(error.to_string()))
}
