//! How much a batch makes the tail of segments grow, which every request reads: about as many bytes as its texts that are
//! counted apart, and some for each page of a day that they stand at. The size of its body says little of that, and the number
//! of its events neither: a hundred events of one page are one row.

use std::borrow::Cow;
use std::collections::BTreeSet;

use figures::measures::kept::MAX_TEXT;
use figures::model::event_types::{DOCUMENTED, PAGE_VIEW};
use figures::time::Day;
use serde_json::Value;

use crate::batch::{Draft, Sender};

/// What a page of a day takes besides its address, in all measures together.
const BYTES_OF_PAGE: usize = 24;

/// By about how many bytes a batch makes the tail grow.
pub fn growth(sender: &Sender, draft: &Draft) -> usize {
    let texts: usize = texts(draft).iter().map(|text| text.len()).sum();
    let visitor = match sender {
        Sender::Named(visitor) => visitor.as_str().len(),
        Sender::Unnamed(_) => 0,
    };
    let identifiers = visitor + draft.session_id.as_str().len() + draft.batch_id.as_str().len();
    let pages: BTreeSet<(Day, Option<&str>)> =
        draft.events.iter().map(|event| (event.created_at.day(), event.url.as_deref())).collect();
    identifiers + texts + pages.len() * BYTES_OF_PAGE
}

/// The texts of a batch that figures or lists may name, each once.
fn texts(draft: &Draft) -> BTreeSet<Cow<'_, str>> {
    let (visitor, session) = (&draft.visitor, &draft.session);
    let campaign =
        [&session.utm_source, &session.utm_medium, &session.utm_campaign, &session.utm_term, &session.utm_content];
    let facts = campaign.into_iter().chain([&visitor.language]).filter_map(|text| text.as_deref());
    let names = draft.events.iter().map(|event| event.name.as_str()).filter(|name| !DOCUMENTED.contains(name));
    let pages = draft.events.iter().filter_map(|event| event.url.as_deref());
    let referrer = session.referrer.as_deref().map(host);
    let counted = facts.chain(names).chain(pages).chain(referrer);
    let mut texts: BTreeSet<Cow<'_, str>> = counted.map(|text| Cow::Borrowed(kept(text))).collect();
    // Of a page view's data nothing but the page is counted.
    let others = draft.events.iter().filter(|event| event.name != PAGE_VIEW);
    for data in others.filter_map(|event| event.data.as_ref()) {
        add_texts(serde_json::from_str(data.get()).unwrap_or_default(), &mut texts);
    }
    // The list of sessions shows it whole.
    texts.extend(session.url.as_deref().map(Cow::Borrowed));
    texts
}

fn add_texts(value: Value, texts: &mut BTreeSet<Cow<'_, str>>) {
    match value {
        Value::String(text) => {
            texts.insert(Cow::Owned(kept(&text).to_owned()));
        }
        Value::Array(values) => values.into_iter().for_each(|value| add_texts(value, texts)),
        Value::Object(values) => values.into_iter().for_each(|(_, value)| add_texts(value, texts)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// The beginning of a text, as long as rankings keep it.
fn kept(text: &str) -> &str {
    &text[..text.floor_char_boundary(MAX_TEXT)]
}

fn host(referrer: &str) -> &str {
    referrer.split('/').nth(2).unwrap_or(referrer)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;
    use crate::batch;
    use figures::time::Millis;
    use serde_json::json;

    /// What the tracker sent in a browser, for the benchmark of visits.
    const VISITS: &str = include_str!("../../../benchmarks/data/visits.jsonl");
    const NOW: i64 = 1_790_000_000_000;
    const DAY: i64 = 86_400_000;

    fn growth_of(body: &Value) -> usize {
        let now = Millis(body["sent_at"].as_i64().unwrap());
        let (sender, draft) = batch::collected(body.to_string().as_bytes(), now).unwrap();
        growth(&sender, &draft)
    }

    fn with_events(events: Vec<Value>) -> Value {
        json!({
            "batch_id": "b_1", "sent_at": NOW, "visitor": { "visitor_id": "v_1" },
            "session": { "session_id": "ses_1", "started_at": NOW }, "events": events,
        })
    }

    #[test]
    fn what_the_tracker_sends_makes_the_tail_grow_by_some_two_hundred_bytes() {
        let visits = VISITS.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        let mut growths: Vec<usize> = visits.map(|visit| growth_of(&visit["body"])).collect();
        growths.sort_unstable();
        assert!(growths[growths.len() * 4 / 5] <= 250, "{growths:?}");
        assert!(growths.iter().all(|growth| *growth < 600), "{growths:?}");
    }

    #[test]
    fn a_text_counts_once_and_as_long_as_it_is_kept() {
        let event = |message: &str, url: &str| json!({ "name": "js_error", "url": url, "created_at": NOW, "data": { "message": message } });
        let base = growth_of(&with_events(vec![event(&"a".repeat(256), &"b".repeat(256))]));
        assert!(base > 256);
        assert_eq!(growth_of(&with_events(vec![event(&"a".repeat(256), &"b".repeat(256)); 50])), base);
        assert_eq!(growth_of(&with_events(vec![event(&"a".repeat(2_000), &"b".repeat(256))])), base);
        let other = with_events(vec![event(&"a".repeat(256), &"b".repeat(256)), event("", &"c".repeat(100))]);
        assert_eq!(growth_of(&other), base + 100 + BYTES_OF_PAGE);
    }

    #[test]
    fn pages_count_by_day_and_texts_wherever_they_stand() {
        let views = |days: i64| {
            let event = |at: i64| json!({ "name": "page_view", "url": format!("/{}", at % 10), "created_at": NOW - at / 10 * DAY });
            growth_of(&with_events((0..10 * days).map(event).collect()))
        };
        assert_eq!(views(7) - views(1), 60 * BYTES_OF_PAGE);
        let long = "x".repeat(250);
        let plain = with_events(Vec::new());
        let with = |path: &str| {
            let mut body = plain.clone();
            let (parent, name) = path.rsplit_once('/').unwrap();
            body.pointer_mut(parent).unwrap()[name] = json!(long);
            growth_of(&body)
        };
        assert_eq!(growth_of(&plain), "b_1v_1ses_1".len());
        for path in
            ["/session/url", "/session/referrer", "/session/utm_source", "/session/utm_term", "/visitor/language"]
        {
            assert!(with(path) > growth_of(&plain), "{path}");
        }
        let names = json!({ "name": "n".repeat(64), "created_at": NOW, "data": { "deep": [{ "list": [long] }] } });
        assert_eq!(growth_of(&with_events(vec![names])), 64 + 250 + "b_1v_1ses_1".len() + BYTES_OF_PAGE);
    }
}
