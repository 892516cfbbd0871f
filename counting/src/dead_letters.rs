//! The queue of batches that can't be processed, or could not be when they came. A message names the batch, which stays in
//! the table.

use aws_sdk_sqs::Client;
use aws_sdk_sqs::error::{DisplayErrorContext, SdkError};
use aws_sdk_sqs::types::{Message, SendMessageBatchRequestEntry};
use serde::{Deserialize, Serialize};

use figures::ids::ProjectId;
use figures::table::keys::{self, BatchKey, Key};
use figures::table::store::StoreError;

use crate::Refused;

/// The environment variable with the queue's URL.
pub const QUEUE_VARIABLE: &str = "DEAD_LETTER_QUEUE_URL";

/// How many messages one call sends or receives at most: SQS's own limit.
const TOGETHER: usize = 10;
/// How long a look at the queue waits for messages, so that all its servers are asked.
const WAIT_SECS: i32 = 1;
/// The longest cause in a message, in characters.
const MAX_CAUSE: usize = 512;

/// A queued batch, or a queued work item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeadLetter {
    /// The partition key it is stored under.
    pub pk: String,
    /// The sort key it is stored under.
    pub sk: String,
    /// What is wrong with it.
    pub cause: String,
}

impl DeadLetter {
    /// A letter about what is stored at a key.
    pub fn new(key: Key, cause: &StoreError) -> Self {
        DeadLetter { pk: key.pk, sk: key.sk, cause: cause.to_string().chars().take(MAX_CAUSE).collect() }
    }

    /// The batch it names.
    pub fn key(&self) -> Option<BatchKey> {
        keys::parse_batch(&self.pk, &self.sk)
    }

    /// The work item it names, with its project.
    pub fn work(&self) -> Option<(ProjectId, Key)> {
        let key = Key { pk: self.pk.clone(), sk: self.sk.clone() };
        keys::parse_work(&key).map(|project| (project, key))
    }
}

impl From<&Refused> for DeadLetter {
    fn from(refused: &Refused) -> Self {
        DeadLetter::new(refused.key.key(), &refused.cause)
    }
}

/// Why the queue could not be used.
#[derive(Debug, thiserror::Error)]
#[error("the queue of dead letters: {0}")]
pub struct QueueError(String);

impl<E: std::error::Error + 'static, R: std::fmt::Debug + 'static> From<SdkError<E, R>> for QueueError {
    fn from(error: SdkError<E, R>) -> Self {
        QueueError(DisplayErrorContext(error).to_string())
    }
}

/// The queue.
#[derive(Debug, Clone)]
pub struct Queue {
    client: Client,
    url: String,
}

/// A received message, which comes again unless it is deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    /// The batch it names; `None` for a message of another kind, as Lambda sends for stream records that it gave up.
    pub letter: Option<DeadLetter>,
    /// Its text.
    pub body: String,
    receipt: String,
}

impl Queue {
    /// A queue at a URL.
    pub fn new(client: Client, url: &str) -> Self {
        Queue { client, url: url.to_owned() }
    }

    /// Queues dead letters: all of them, or it fails.
    pub async fn send(&self, letters: &[DeadLetter]) -> Result<(), QueueError> {
        for together in letters.chunks(TOGETHER) {
            let mut send = self.client.send_message_batch().queue_url(&self.url);
            for (at, letter) in together.iter().enumerate() {
                let body = serde_json::to_string(letter).map_err(|error| QueueError(error.to_string()))?;
                let entry = SendMessageBatchRequestEntry::builder().id(at.to_string()).message_body(body).build();
                send = send.entries(entry.map_err(|error| QueueError(error.to_string()))?);
            }
            if let Some(failed) = send.send().await?.failed().first() {
                return Err(QueueError(format!("{}: {}", failed.code(), failed.message().unwrap_or_default())));
            }
        }
        Ok(())
    }

    /// Some of the messages, which nobody else receives for a while; none if there are none left.
    pub async fn receive(&self) -> Result<Vec<Received>, QueueError> {
        let receive = self.client.receive_message().queue_url(&self.url);
        let response = receive.max_number_of_messages(TOGETHER as i32).wait_time_seconds(WAIT_SECS).send().await?;
        Ok(response.messages.unwrap_or_default().into_iter().filter_map(received).collect())
    }

    /// Removes a message.
    pub async fn delete(&self, message: &Received) -> Result<(), QueueError> {
        self.client.delete_message().queue_url(&self.url).receipt_handle(&message.receipt).send().await?;
        Ok(())
    }
}

fn received(message: Message) -> Option<Received> {
    let body = message.body.unwrap_or_default();
    Some(Received { letter: serde_json::from_str(&body).ok(), body, receipt: message.receipt_handle? })
}
