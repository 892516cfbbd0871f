//! What a page view costs in write units, all derived writes included. Units repeat exactly from run to
//! run but for the random moments of compaction, so the bounds have a little room.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod common;

use std::collections::BTreeMap;
use std::time::Duration;

use counting::{Consumer, GRACE};
use figures::ids::ProjectId;
use figures::model::{Batch, Event, SessionFacts, VisitorFacts};
use figures::time::Millis;

/// The batches of a visit of three page views, four events and two batches each, a tenth of a second apart.
fn visit(number: u64, start: i64) -> Vec<Batch> {
    let mut batches = Vec::new();
    for view in 0..3_i64 {
        for half in 0..2_i64 {
            let at = Millis(start + view * 30_000 + half * 12_000);
            let url = format!("/articles/{}/a-page-with-a-usual-name", (number * 7 + view as u64 * 13) % 200);
            let names = if half == 0 { ["page_view", "web_vitals"] } else { ["reading_behavior", "dead_click"] };
            let event = |(position, name): (usize, &str)| {
                Event {
                name: name.to_owned(),
                url: Some(url.clone().into()),
                created_at: at.plus(position as i64 * 900),
                data: serde_json::from_value(serde_json::json!({
                    "url": url, "title": "A page with a usual title – the site", "selector": "main > a.button", "lcp": 1834
                }))
                .ok(),
            }
            };
            batches.push(Batch {
                visitor_id: format!("v_{number:012x}").parse().unwrap(),
                session_id: format!("ses_{number:012x}").parse().unwrap(),
                batch_id: format!("b_{number:010x}{view}{half}").parse().unwrap(),
                stored_at: at.plus(2_000),
                sent_at: at.plus(1_900),
                page: Some(url.clone()),
                visitor: VisitorFacts {
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
                },
                session: SessionFacts {
                    started_at: Millis(start),
                    url: Some("/".to_owned()),
                    referrer: Some("https://www.google.com/".to_owned()),
                    utm_source: Some("google".to_owned()),
                    click_count: Some(8),
                    max_scroll_depth: Some(87),
                    ..SessionFacts::default()
                },
                events: names.into_iter().enumerate().map(event).collect(),
            });
        }
    }
    batches
}

async fn units_per_page_view(windows: Vec<Vec<Batch>>) -> f64 {
    let project: ProjectId = "demo".parse().unwrap();
    let store = common::store().await;
    let consumer = Consumer::new(store.clone());
    let before = store.consumed().write_units;
    let mut views = 0;
    for window in windows {
        for batch in &window {
            views += batch.events.iter().filter(|event| event.is_page_view()).count();
            assert!(store.put_at(batch.to_item(&project).unwrap(), None).await.unwrap().is_stored());
        }
        consumer.apply(BTreeMap::from([(project.clone(), window)])).await.complete().unwrap();
    }
    // What is merged is removed later, and costs too.
    tokio::time::sleep(GRACE + Duration::from_millis(100)).await;
    consumer.compact(&project).await.unwrap();
    let consumed = store.consumed();
    (consumed.write_units - before) / views as f64
}

#[tokio::test]
async fn a_page_view_alone_is_affordable() {
    let visits = (0..120).flat_map(|number| visit(number, 1_750_000_000_000 + number as i64 * 600_000));
    let units = units_per_page_view(visits.map(|batch| vec![batch]).collect()).await;
    println!("write units a page view, each batch alone: {units:.2}");
    assert!(units <= 14.0, "{units}");
}

#[tokio::test]
async fn a_page_view_at_volume_is_cheap() {
    // 10 page views a second are 3⅓ visits a second; windows of 5 s, four shards by visitor.
    let mut windows: BTreeMap<(i64, u64), Vec<Batch>> = BTreeMap::new();
    for number in 0..600_u64 {
        for batch in visit(number, 1_750_000_000_000 + number as i64 * 300) {
            windows.entry((batch.stored_at.0 / 5_000, number % 4)).or_default().push(batch);
        }
    }
    let units = units_per_page_view(windows.into_values().collect()).await;
    println!("write units a page view at volume: {units:.2}");
    assert!(units <= 7.6, "{units}");
}
