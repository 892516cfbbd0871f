//! A queue that speaks as much of SQS as dead letters need: what is received stays away until it is deleted
//! or the queue is told that its time is up.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use aws_sdk_sqs::config::{BehaviorVersion, Credentials, Region};
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// The queue, until it is dropped.
#[derive(Debug)]
pub struct FakeQueue {
    address: SocketAddr,
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

#[derive(Debug, Default)]
struct Shared {
    messages: Mutex<Vec<Message>>,
    is_down: AtomicBool,
}

#[derive(Debug)]
struct Message {
    body: String,
    is_away: bool,
}

impl FakeQueue {
    /// Listens on loopback.
    ///
    /// # Errors
    /// If there is no port to listen on.
    pub async fn start() -> std::io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared::default());
        let served = shared.clone();
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let shared = served.clone();
                let service = service_fn(move |request| {
                    let shared = shared.clone();
                    async move { shared.answer(request).await }
                });
                tokio::spawn(
                    hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service),
                );
            }
        });
        Ok(FakeQueue { address, shared, task })
    }

    /// A client of it.
    pub fn client(&self) -> counting::dead_letters::Queue {
        let config = aws_sdk_sqs::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .http_client(shared::aws::https_client())
            .region(Region::new("us-east-1"))
            .credentials_provider(Credentials::new("local", "local", None, None, "local"))
            .endpoint_url(format!("http://{}", self.address))
            .build();
        counting::dead_letters::Queue::new(aws_sdk_sqs::Client::from_conf(config), &self.url())
    }

    /// Its URL.
    pub fn url(&self) -> String {
        format!("http://{}/000000000000/dead-letters", self.address)
    }

    /// The bodies of its messages.
    pub fn bodies(&self) -> Vec<String> {
        self.shared.messages.lock().unwrap().iter().map(|message| message.body.clone()).collect()
    }

    /// Puts a message there.
    pub fn put(&self, body: &str) {
        self.shared.messages.lock().unwrap().push(Message { body: body.to_owned(), is_away: false });
    }

    /// What was received and not deleted comes again.
    pub fn time_is_up(&self) {
        self.shared.messages.lock().unwrap().iter_mut().for_each(|message| message.is_away = false);
    }

    /// From now on, it answers nothing but errors; or no more.
    pub fn set_down(&self, is_down: bool) {
        self.shared.is_down.store(is_down, Ordering::SeqCst);
    }
}

impl Drop for FakeQueue {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Shared {
    async fn answer(&self, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, hyper::Error> {
        let target = request.headers().get("x-amz-target").map(|target| target.to_str().unwrap().to_owned());
        let body = request.into_body().collect().await?.to_bytes();
        let input: Value = serde_json::from_slice(&body).unwrap();
        let (status, output) = match target.as_deref() {
            _ if self.is_down.load(Ordering::SeqCst) => {
                (StatusCode::BAD_REQUEST, json!({ "__type": "com.amazonaws.sqs#KmsDisabled", "message": "on purpose" }))
            }
            Some("AmazonSQS.SendMessageBatch") => (StatusCode::OK, self.send(&input)),
            Some("AmazonSQS.ReceiveMessage") => (StatusCode::OK, self.receive(&input)),
            Some("AmazonSQS.DeleteMessage") => (StatusCode::OK, self.delete(&input)),
            other => panic!("the queue does not know {other:?}"),
        };
        let mut response = Response::new(Full::from(output.to_string()));
        *response.status_mut() = status;
        Ok(response)
    }

    fn send(&self, input: &Value) -> Value {
        let entries = input["Entries"].as_array().unwrap();
        assert!((1..=10).contains(&entries.len()), "SQS takes 1 to 10 messages at once");
        let mut messages = self.messages.lock().unwrap();
        for entry in entries {
            messages.push(Message { body: entry["MessageBody"].as_str().unwrap().to_owned(), is_away: false });
        }
        let sent = |entry: &Value| json!({ "Id": entry["Id"], "MessageId": "m", "MD5OfMessageBody": "" });
        json!({ "Successful": entries.iter().map(sent).collect::<Vec<_>>(), "Failed": [] })
    }

    fn receive(&self, input: &Value) -> Value {
        let most = input["MaxNumberOfMessages"].as_u64().unwrap() as usize;
        let mut received = Vec::new();
        let mut messages = self.messages.lock().unwrap();
        for message in messages.iter_mut().filter(|message| !message.is_away).take(most) {
            message.is_away = true;
            received.push(json!({ "MessageId": "m", "ReceiptHandle": message.body, "Body": message.body }));
        }
        json!({ "Messages": received })
    }

    fn delete(&self, input: &Value) -> Value {
        self.messages.lock().unwrap().retain(|message| input["ReceiptHandle"] != *message.body);
        json!({})
    }
}
