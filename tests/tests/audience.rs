//! What `/audience` says, against the lists that it must agree with, and on days with more of it than is kept apart.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use counting::Consumer;
use fastrand::Rng;
use serde_json::{Value, json};
use tests::clock::now;
use tests::delivery::{Order, deliver};
use tests::example::page_view;
use tests::http;
use tests::sent::{Sent, Visitor};
use tests::stack::{Counting, Project, Stack};

const MS_PER_DAY: i64 = 86_400_000;

/// More than a day keeps apart of what clients choose.
const MANY: usize = 2_100;

/// Some time in the past days.
fn days_ago(days: i64, ms: i64) -> i64 {
    (now().div_euclid(MS_PER_DAY) - days) * MS_PER_DAY + ms
}

fn text(text: impl Into<String>) -> Option<String> {
    Some(text.into())
}

/// A session of a visitor that has its number, made with this.
fn session(visitor: usize, started_at: i64, with: Visitor) -> Sent {
    let mut sent = page_view(&format!("v_{visitor}"), &format!("s_{visitor}_{started_at}"), "b_1", started_at);
    sent.visitor = Visitor { visitor_id: sent.visitor.visitor_id, ..with };
    sent
}

async fn count(stack: &Stack, consumer: &Consumer, project: &Project, sent: impl IntoIterator<Item = Sent>) {
    let mut stored = Vec::new();
    for (number, sent) in sent.into_iter().enumerate() {
        stored.push((project.id.clone(), stack.store_batch(project, number, &sent).await.unwrap()));
    }
    deliver(consumer, &stored, Order::Stored, &mut Rng::with_seed(1)).await.unwrap();
}

async fn audience(stack: &Stack, project: &Project, query: &str) -> Value {
    http::get(&stack.at(&format!("audience?{query}")), &project.secret_key).await.ok()["data"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_visitor_is_counted_once_in_each_list_with_its_last_session() {
    let stack = Stack::start(Counting::ByTest).await;
    let (consumer, project) = (Consumer::new(stack.store().clone()), stack.project().await);
    let at_home = Visitor {
        browser_name: text("Firefox"),
        os: text("Linux"),
        mobile: Some(0),
        geo_country: text("Serbia"),
        geo_country_code: text("RS"),
        geo_city: text("Belgrade"),
        language: text("sr-Latn-RS"),
        screen_width: Some(1920),
        screen_height: Some(1080),
        ..Visitor::default()
    };
    let away = Visitor { mobile: Some(1), geo_city: text("Paris"), geo_country_code: text("fr"), ..Visitor::default() };
    // What a session was made with, its first batch says: later ones change the visitor's profile alone.
    let mut later = session(1, days_ago(3, 0), Visitor { language: text("fr"), ..away.clone() });
    later.batch_id = "b_2".to_owned();
    let sent = [
        session(1, days_ago(3, 0), at_home.clone()),
        later,
        session(1, days_ago(3, 7_200_000), at_home.clone()),
        session(1, days_ago(2, 0), away.clone()),
        session(2, days_ago(2, 1_000), Visitor { geo_country_code: text("FR"), geo_country: text("France"), ..away }),
        session(3, days_ago(2, 0), Visitor { bot_score: Some(100), ..at_home }),
    ];
    count(&stack, &consumer, &project, sent).await;

    let row = |mut row: Value, visitors: u64, sessions: u64| {
        (row["visitors"], row["sessions"]) = (json!(visitors), json!(sessions));
        row
    };
    let before = audience(&stack, &project, &format!("end_date={}", tests::oracle::day_of(days_ago(3, 0)))).await;
    let (serbia, belgrade) =
        (json!({"country_code": "RS", "country": "Serbia"}), json!({"city": "Belgrade", "country_code": "RS"}));
    let expected = json!({
        "countries": [row(serbia.clone(), 1, 2)],
        "cities": [row(belgrade.clone(), 1, 2)],
        "browsers": [row(json!({"browser": "Firefox"}), 1, 2)],
        "systems": [row(json!({"os": "Linux"}), 1, 2)],
        "devices": [row(json!({"device": "desktop"}), 1, 2)],
        "languages": [row(json!({"language": "sr"}), 1, 2)],
        "screens": [row(json!({"screen": "1920x1080"}), 1, 2)],
    });
    assert_eq!(before, expected);
    let all = audience(&stack, &project, "").await;
    let expected = json!({
        "countries": [row(json!({"country_code": "FR", "country": "France"}), 2, 2), row(serbia, 0, 2)],
        "cities": [
            row(json!({"city": "Paris", "country_code": "FR"}), 1, 1),
            row(json!({"city": "Paris", "country_code": "fr"}), 1, 1),
            row(belgrade, 0, 2),
        ],
        "browsers": [row(json!({"browser": null}), 2, 2), row(json!({"browser": "Firefox"}), 0, 2)],
        "systems": [row(json!({"os": null}), 2, 2), row(json!({"os": "Linux"}), 0, 2)],
        "devices": [row(json!({"device": "mobile"}), 2, 2), row(json!({"device": "desktop"}), 0, 2)],
        "languages": [row(json!({"language": null}), 2, 2), row(json!({"language": "sr"}), 0, 2)],
        "screens": [row(json!({"screen": null}), 2, 2), row(json!({"screen": "1920x1080"}), 0, 2)],
    });
    assert_eq!(all, expected);
    let limited = audience(&stack, &project, "limit=1").await;
    assert!(limited.as_object().unwrap().values().all(|list| list.as_array().unwrap().len() == 1), "{limited}");
    stack.shutdown().await;
}

/// Whoever holds the public key makes up languages and screens, but no country.
#[tokio::test(flavor = "multi_thread")]
async fn a_crowded_day_keeps_all_that_visitors_are_filtered_by() {
    let stack = Stack::start(Counting::ByTest).await;
    let (consumer, project) = (Consumer::new(stack.store().clone()), stack.project().await);
    let known = |number: usize| Visitor {
        browser_name: text(if number.is_multiple_of(2) { "Chrome" } else { "CHROME" }),
        geo_country_code: text(format!("X{number}")),
        geo_city: text(format!("C{number}")),
        language: text(format!("l{number}")),
        screen_width: Some(number as u32),
        screen_height: Some(1),
        ..Visitor::default()
    };
    // The last two hundred share the first one's language.
    let spoken = |number: usize| if number < MANY { number } else { 0 };
    let with = |number: usize| Visitor { language: text(format!("l{}", spoken(number))), ..known(number) };
    count(&stack, &consumer, &project, (0..MANY + 200).map(|number| session(number, days_ago(1, 0), with(number))))
        .await;
    for _ in 0..2 {
        let lists = audience(&stack, &project, "limit=100").await;
        let languages = lists["languages"].as_array().unwrap();
        let row = |language: &str| languages.iter().find(|row| row["language"] == language).cloned();
        assert_eq!(row("l0"), Some(json!({"language": "l0", "visitors": 201, "sessions": 201})));
        assert_eq!(row("(other)"), Some(json!({"language": "(other)", "visitors": 100, "sessions": 100})));
        // Each list has room of its own.
        let of = |list: &str, name: &str| {
            let rows = lists[list].as_array().unwrap().iter();
            rows.filter(|row| row[name] == "(other)").map(|row| row["sessions"].as_u64().unwrap()).sum::<u64>()
        };
        assert_eq!((of("screens", "screen"), of("cities", "city")), (300, 300));
        assert_eq!(lists["countries"].as_array().unwrap().len(), 100);
        assert!(
            lists["countries"].as_array().unwrap().iter().all(|row| row["visitors"] == 1),
            "{}",
            lists["countries"]
        );
        let all = json!([{"browser": "CHROME", "visitors": MANY + 200, "sessions": MANY + 200}]);
        assert_eq!(lists["browsers"], all);
        let chrome = http::get(&stack.at("visitors?browser=chrome"), &project.secret_key).await.ok();
        assert_eq!(chrome["pagination"]["total"], json!(MANY + 200));
        consumer.compact(&project.id).await.unwrap();
    }
    stack.shutdown().await;
}
