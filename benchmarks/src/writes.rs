//! What a page view costs to store and to count, by kind of item.

use std::collections::BTreeMap;
use std::time::Duration;

use counting::{Consumer, GRACE};
use figures::ids::ProjectId;
use figures::model::{Batch, Event, SessionFacts, VisitorFacts};
use figures::time::Millis;
use identity::dev::{Options, Stack};
use serde::Serialize;
use serde_json::value::RawValue;

use crate::BenchError;
use crate::ledger::Ledger;
use crate::progress::Progress;

/// Page views of a visit, with two batches of two events each.
const VIEWS: i64 = 3;
/// When the first visit begins.
const BEGINS: i64 = 1_750_000_000_000;
/// Shards of the stream, which divide visitors among consumers.
const SHARDS: u64 = 4;
/// How long records are gathered.
const WINDOW_MS: i64 = 5_000;

/// Write units a page view, by kind of item.
#[derive(Debug, Clone, Serialize)]
pub struct Units {
    /// How the batches came.
    pub name: &'static str,
    /// By kind of item.
    pub kinds: BTreeMap<&'static str, f64>,
    /// Of everything, as the engine reports it.
    pub total: f64,
}

/// Measures a page view alone and at volume.
pub async fn measure(visits: u64) -> Result<Vec<Units>, BenchError> {
    let alone: Vec<Vec<Batch>> = (0..visits / 4)
        .flat_map(|number| visit(number, BEGINS + number as i64 * 600_000))
        .map(|batch| vec![batch])
        .collect();
    // 10 page views a second.
    let mut windows: BTreeMap<(i64, u64), Vec<Batch>> = BTreeMap::new();
    for number in 0..visits {
        for batch in visit(number, BEGINS + number as i64 * 300) {
            windows.entry((batch.stored_at.0 / WINDOW_MS, number % SHARDS)).or_default().push(batch);
        }
    }
    let volume = windows.into_values().collect();
    Ok(vec![
        units("each batch alone", alone).await?,
        units("10 page views a second, 5 s windows, four shards", volume).await?,
    ])
}

async fn units(name: &'static str, windows: Vec<Vec<Batch>>) -> Result<Units, BenchError> {
    let project: ProjectId = "bench".parse().map_err(|_| BenchError::Failed("the project's name".to_owned()))?;
    let options = Options { counts: false, ..Options::empty(project.clone()) };
    let stack = Stack::start(options).await.map_err(|error| BenchError::Failed(error.to_string()))?;
    let ledger = Ledger::default();
    let store = ledger.watch(stack.store());
    let consumer = Consumer::new(store.clone());
    let progress = Progress::begin(&format!("writing, {name}"), windows.len() as u64);
    let mut views = 0;
    for window in windows {
        for batch in &window {
            views += batch.events.iter().filter(|event| event.is_page_view()).count();
            let _ = store.put_at(batch.to_item(&project)?, None).await?;
        }
        consumer.apply(BTreeMap::from([(project.clone(), window)])).await.complete()?;
        progress.add(1);
    }
    // What is merged is removed later, and costs too.
    tokio::time::sleep(GRACE + Duration::from_millis(100)).await;
    consumer.compact(&project).await?;
    progress.end();
    let total = store.consumed().write_units / views as f64;
    let mut kinds = ledger.take().written;
    kinds.values_mut().for_each(|units| *units /= views as f64);
    stack.shutdown().await;
    Ok(Units { name, kinds, total })
}

/// A visit's batches, a tenth of a second after what they tell.
fn visit(number: u64, start: i64) -> Vec<Batch> {
    let batch = |view: i64, half: i64| {
        let at = Millis(start + view * 30_000 + half * 12_000);
        let url = format!("/articles/{}/a-page-with-a-usual-name", (number * 7 + view as u64 * 13) % 200);
        let names = if half == 0 { ["page_view", "web_vitals"] } else { ["reading_behavior", "dead_click"] };
        let data = serde_json::json!({
            "url": url, "title": "A page with a usual title – the site", "selector": "main > a.button", "lcp": 1834,
        });
        let event = |(position, name): (usize, &str)| Event {
            name: name.to_owned(),
            url: Some(url.clone().into()),
            created_at: at.plus(position as i64 * 900),
            data: RawValue::from_string(data.to_string()).ok(),
        };
        Some(Batch {
            visitor_id: format!("v_{number:012x}").parse().ok()?,
            session_id: format!("ses_{number:012x}").parse().ok()?,
            batch_id: format!("b_{number:010x}{view}{half}").parse().ok()?,
            stored_at: at.plus(2_000),
            sent_at: at.plus(1_900),
            page: Some(url.clone()),
            visitor: facts(number),
            session: session(start),
            events: names.into_iter().enumerate().map(event).collect(),
        })
    };
    (0..VIEWS).flat_map(|view| [batch(view, 0), batch(view, 1)]).flatten().collect()
}

fn facts(number: u64) -> VisitorFacts {
    VisitorFacts {
        fingerprint_hash: Some(format!("{:032x}", u128::from(number) * 0x9e37_79b9_7f4a_7c15)),
        screen_width: Some(1920),
        screen_height: Some(1080),
        timezone: Some("Europe/Belgrade".to_owned()),
        language: Some("sr".to_owned()),
        ad_block: Some(0),
        bot_score: 5,
        browser_name: Some(["Chrome", "Firefox", "Safari"][number as usize % 3].to_owned()),
        browser_version: Some("126.0.0.0".to_owned()),
        os: Some(["Windows", "macOS", "Android", "iOS"][number as usize % 4].to_owned()),
        mobile: Some(0),
        geo_country: Some("Serbia".to_owned()),
        geo_country_code: Some("RS".to_owned()),
        geo_city: Some("Belgrade".to_owned()),
        ..VisitorFacts::default()
    }
}

fn session(start: i64) -> SessionFacts {
    SessionFacts {
        started_at: Millis(start),
        url: Some("/".to_owned()),
        referrer: Some("https://www.google.com/".to_owned()),
        utm_source: Some("google".to_owned()),
        utm_medium: None,
        utm_campaign: None,
        utm_term: None,
        utm_content: None,
        click_count: Some(8),
        max_scroll_depth: Some(87),
    }
}
