//! What rankings keep of the texts that pages send: so much that people can tell them apart, and no more, so that no text
//! makes a figure expensive.

use std::borrow::Cow;

use serde_json::value::RawValue;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use crate::measures::event_data::MAX_MESSAGE;
use crate::model::session::BOUNDED_SINCE;
use crate::model::{Batch, Event};

/// The most bytes of a text that are kept as they are.
pub const MAX_TEXT: usize = 256;
/// Hexadecimal digits of the hash that tells longer texts apart.
const HASH_DIGITS: usize = 16;
/// What stands between the beginning of a longer text and its hash.
const ELLIPSIS: &str = "…";
/// The most texts that are kept of a list, such as the issues of a page.
const MAX_LIST: usize = 64;

/// A text as rankings keep it: itself, or where it is longer, its beginning and the first bits of its SHA-256.
pub fn kept(text: &str) -> Cow<'_, str> {
    if text.len() <= MAX_TEXT {
        return Cow::Borrowed(text);
    }
    let beginning = &text[..text.floor_char_boundary(MAX_TEXT - ELLIPSIS.len() - HASH_DIGITS)];
    let digest = Sha256::digest(text.as_bytes());
    let hash: String = digest.iter().take(HASH_DIGITS / 2).map(|byte| format!("{byte:02x}")).collect();
    Cow::Owned(format!("{beginning}{ELLIPSIS}{hash}"))
}

/// A text as rankings keep it for a session that is counted with a version of the measures.
pub fn kept_since(measures: u16, text: &str) -> Cow<'_, str> {
    if measures < BOUNDED_SINCE { Cow::Borrowed(text) } else { kept(text) }
}

/// A batch with its events' texts as rankings keep them for a session that is counted with a version of the measures.
pub fn kept_batch(measures: u16, batch: &Batch) -> Cow<'_, Batch> {
    if measures < BOUNDED_SINCE || batch.events.iter().all(is_kept) {
        return Cow::Borrowed(batch);
    }
    let mut batch = batch.clone();
    for event in batch.events.iter_mut().filter(|event| !is_kept(event)) {
        event.url = event.url.take().map(|url| kept(&url).into());
        event.data = event.data.take().map(|data| kept_data(&data).unwrap_or(data));
    }
    Cow::Owned(batch)
}

/// Whether none of an event's texts can be too long.
fn is_kept(event: &Event) -> bool {
    event.url.as_ref().is_none_or(|url| url.len() <= MAX_TEXT)
        && event.data.as_ref().is_none_or(|data| data.get().len() <= MAX_TEXT)
}

fn kept_data(data: &RawValue) -> Option<Box<RawValue>> {
    let data: Map<String, Value> = serde_json::from_str(data.get()).ok()?;
    let data: Map<String, Value> = data.into_iter().map(|(name, value)| kept_fact(name, value)).collect();
    serde_json::value::to_raw_value(&data).ok()
}

fn kept_fact(name: String, value: Value) -> (String, Value) {
    let value = match value {
        // Errors are grouped by the beginning of their message, whatever follows.
        Value::String(message) if name == "message" => {
            let beginning: String = message.chars().take(MAX_MESSAGE).collect();
            Value::String(kept(&beginning).into_owned())
        }
        Value::String(text) => Value::String(kept(&text).into_owned()),
        Value::Array(values) => Value::Array(values.into_iter().take(MAX_LIST).map(kept_text).collect()),
        other => other,
    };
    (name, value)
}

fn kept_text(value: Value) -> Value {
    match value {
        Value::String(text) => Value::String(kept(&text).into_owned()),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_is_cut_and_told_apart_from_others_that_begin_alike() {
        let text = |last: &str| format!("{}{last}", "é".repeat(200));
        let (one, other) = (text("1"), text("2"));
        assert_ne!(kept(&one), kept(&other));
        for long in [&one, &other] {
            let short = kept(long);
            assert!(short.len() <= MAX_TEXT && short.len() > MAX_TEXT - 4, "{short}");
            assert!(short.starts_with(&"é".repeat(100)));
            assert_eq!(kept(&short), short);
        }
        let fits = "a".repeat(MAX_TEXT);
        assert_eq!(kept(&fits), fits);
    }
}
