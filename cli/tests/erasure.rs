//! What is erased is gone from the data file of `identity dev`, byte for byte.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod common;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use common::{browser, now};
use counting::Consumer;
use dynoxide::storage::Storage;
use dynoxide::types::AttributeValue;
use figures::log::BatchRef;
use figures::model::batch::json_of;
use figures::table::store::DATA;
use identity::dev::{Options, Stack};
use serde_json::{Value, json};

/// A text of which no two characters go well with compression, in every id and in everything that is sent.
const MARK: &str = "qZ7xK0vJ3wU9";

/// How many batches a visitor sends, in sessions of three.
const BATCHES: usize = 60;

fn reference(visitor: &str, number: usize) -> BatchRef {
    BatchRef {
        visitor: format!("v_{visitor}").parse().unwrap(),
        session: format!("s_{visitor}_{}", number / 3).parse().unwrap(),
        batch: format!("b_{visitor}_{number}").parse().unwrap(),
    }
}

fn body(key: &str, visitor: &str, number: usize) -> Value {
    let BatchRef { visitor: visitor_id, session, batch } = reference(visitor, number);
    let at = now() - 3_600_000 + 1_000 * number as i64;
    let url = format!("/{visitor}/{number}");
    json!({
        "key": key, "batch_id": batch.as_str(), "sent_at": now(),
        "visitor": { "visitor_id": visitor_id.as_str() },
        "session": { "session_id": session.as_str(), "started_at": at, "url": url },
        "events": [
            { "name": "page_view", "created_at": at, "url": url },
            { "name": "js_exception", "created_at": at, "data": { "message": format!("of {visitor}: {number}") } },
        ],
    })
}

async fn start(file: &Path) -> Stack {
    let options = Options { data: Some(file.to_owned()), ..Options::empty("demo".parse().unwrap()) };
    Stack::start(options).await.unwrap()
}

/// Sends a visitor's batches, in turn with another's, and waits until they are counted.
async fn send(stack: &Stack, consumer: &Consumer, visitors: [&str; 2]) {
    let url = format!("{}/collect", stack.base_url());
    let mut waiting = Vec::new();
    for number in 0..BATCHES {
        for visitor in visitors {
            let body = body(stack.public_key(), visitor, number);
            assert_eq!(browser().post(&url).json(&body).send().await.unwrap().status(), 202);
            waiting.push(reference(visitor, number));
        }
    }
    while !waiting.is_empty() {
        waiting = consumer.pending(stack.project(), waiting).await.unwrap();
    }
}

/// What is in the files of a database.
fn files(file: &Path) -> Vec<u8> {
    let beside = |suffix: &str| PathBuf::from(format!("{}{suffix}", file.display()));
    [file.to_owned(), beside("-wal"), beside("-journal")]
        .iter()
        .flat_map(|file| std::fs::read(file).unwrap_or_default())
        .collect()
}

fn occurrences(bytes: &[u8], text: &str) -> usize {
    bytes.windows(text.len()).filter(|part| *part == text.as_bytes()).count()
}

/// The batches whose content is still among the stream's records.
fn streamed(file: &Path) -> Vec<String> {
    let storage = Storage::new(file.to_str().unwrap()).unwrap();
    let mut records = storage.conn().prepare("SELECT new_image FROM _stream_records WHERE new_image NOT NULL").unwrap();
    let images = records.query_map([], |row| row.get::<_, String>(0)).unwrap();
    let text = |image: String| {
        let item: HashMap<String, AttributeValue> = serde_json::from_str(&image).unwrap();
        let AttributeValue::B(data) = &item[DATA] else { panic!("{image}") };
        String::from_utf8(json_of(data).unwrap()).unwrap()
    };
    images.map(|image| text(image.unwrap())).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_of_an_erased_visitor_is_left_in_the_data_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("site.db");
    let stack = start(&file).await;
    let consumer = Consumer::new(stack.store().clone()).with_grace(Duration::from_millis(1));
    send(&stack, &consumer, [MARK, "other"]).await;
    stack.shutdown().await;
    assert!(occurrences(&files(&file), MARK) > 0, "it would be found");
    assert_eq!(streamed(&file).iter().filter(|batch| batch.contains(MARK)).count(), BATCHES);

    let stack = start(&file).await;
    let consumer = Consumer::new(stack.store().clone()).with_grace(Duration::from_millis(1));
    consumer.erase(stack.project(), &reference(MARK, 0).visitor, |_| {}).await.unwrap();
    // The stream goes on behind what was erased.
    send(&stack, &consumer, ["later", "latest"]).await;
    stack.shutdown().await;
    assert_eq!(occurrences(&files(&file), MARK), 0);
    assert!(!streamed(&file).iter().any(|batch| batch.contains(MARK)));
    assert!(occurrences(&files(&file), "other") > 0, "the others are there");
}
