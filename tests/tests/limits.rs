//! What is cut off, and what is counted however much there is: more than any page shows, and more than the
//! consumer keeps in one item.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use counting::Consumer;
use tests::check::Request;
use tests::clock::now;
use tests::delivery::{Order, Stored, deliver};
use tests::example::page_view;
use tests::http::get;
use tests::oracle::Oracle;
use tests::sent::{Event, Sent};
use tests::stack::{Counting, Project, Stack};

const MS_PER_HOUR: i64 = 3_600_000;

/// A project, what was stored in it, and what the model knows of it.
struct Site {
    stack: Stack,
    project: Project,
    oracle: Oracle,
    stored: Vec<Stored>,
    rng: fastrand::Rng,
}

impl Site {
    async fn start() -> Self {
        let stack = Stack::start(Counting::ByTest).await;
        let project = stack.project().await;
        Site { stack, project, oracle: Oracle::default(), stored: Vec::new(), rng: fastrand::Rng::with_seed(1) }
    }

    /// Stores batches and delivers them, more than once, and some of the earlier ones again.
    async fn count(&mut self, batches: impl IntoIterator<Item = Sent>) {
        let from = self.stored.len().saturating_sub(20);
        for sent in batches {
            let batch = self.stack.store_batch(&self.project, self.stored.len(), &sent).await.unwrap();
            self.stored.push((self.project.id.clone(), batch));
            self.oracle.store(sent);
        }
        let consumer = Consumer::new(self.stack.store().clone());
        for order in [Order::StoredByVisitor, Order::Any] {
            deliver(&consumer, &self.stored[from..], order, &mut self.rng).await.unwrap();
        }
    }

    /// Lets one more visitor stay for so many signs of life that all figures are merged.
    async fn merge(&mut self, visitor: &str) {
        let start = now() - MS_PER_HOUR;
        for number in 0..80 {
            let mut sent = page_view(visitor, "ses", &format!("b_{number}"), start + number);
            sent.events.clear();
            self.count([sent]).await;
        }
        Consumer::new(self.stack.store().clone()).compact(&self.project.id).await.unwrap();
    }

    async fn compare(&mut self, requests: &[&str]) {
        let api = self.stack.api(&self.project);
        api.teach_ids(&mut self.oracle).await.unwrap();
        let always = |path: &&str| Request::new(*path).with("start_date", "1970-01-01").with("limit", 100);
        for request in requests.iter().map(always) {
            api.compare(&self.oracle, &request).await.unwrap_or_else(|difference| panic!("{difference}"));
        }
    }

    /// The body of a request over all time.
    async fn body(&self, path: &str) -> serde_json::Value {
        get(&self.stack.at(path), &self.project.secret_key).await.ok()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_of_very_many_batches_counts_each_once() {
    let mut site = Site::start().await;
    let start = now() - 40 * MS_PER_HOUR;
    let batch = |number: i64| {
        let mut sent = page_view("v_1", "ses_1", &format!("b_{number}"), start + 60_000 * number);
        sent.session.started_at = start;
        if number % 2 == 0 {
            // A heartbeat.
            sent.events.clear();
        }
        sent
    };
    site.count((0..1_300).map(batch)).await;
    site.count((1_300..1_400).map(batch)).await;
    site.compare(&["sessions/ses_1", "visitors/v_1", "stats", "events/types", "sessions", "visitors", "events"]).await;
    site.stack.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_visitor_of_very_many_sessions_is_taken_out_whole_once_it_is_a_bot() {
    let mut site = Site::start().await;
    let start = now() - 200 * MS_PER_HOUR;
    let visit = |number: i64| page_view("v_many", &format!("ses_{number}"), "b_1", start + number * MS_PER_HOUR);
    let paths = ["visitors/v_many", "sessions", "visitors", "events", "stats", "events/types", "sessions/ses_0"];
    let other = page_view("v_other", "ses_other", "b_1", start);
    site.count((0..130).map(visit).chain([other])).await;
    site.compare(&paths).await;
    let mut flagged = visit(60);
    flagged.batch_id = "b_2".to_owned();
    flagged.visitor.bot_score = Some(41);
    site.count([flagged]).await;
    site.compare(&paths).await;
    site.count([visit(130), visit(131)]).await;
    site.compare(&paths).await;
    site.stack.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_visitors_names_end_where_they_come_to_eight_kilobytes() {
    let mut site = Site::start().await;
    let named = |number: i64| {
        let mut sent = page_view("v_1", "ses_1", &format!("b_{number}"), now() - MS_PER_HOUR + number);
        // As many as a batch may have, and then one that is short enough.
        let (count, length) = if number == 4 { (1, 5) } else { (20, 200) };
        sent.visitor.aliases = (0..count).map(|at| format!("{number}_{at}_{}", "x".repeat(length - 5))).collect();
        sent
    };
    site.count((1..5).map(named)).await;
    let body = site.body("visitors/v_1").await;
    let names: Vec<&str> =
        body["data"]["aliases"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
    assert!(names.iter().map(|name| name.len()).sum::<usize>() <= 8 << 10);
    let of = |number: &str| names.iter().filter(|name| name.starts_with(number)).count();
    assert_eq!([of("1_"), of("2_"), of("3_"), of("4_")], [20, 20, 1, 1], "{} names", names.len());
    site.stack.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn at_most_five_hundred_are_listed_as_live_and_all_are_counted() {
    let mut site = Site::start().await;
    let seen = now() - 20_000;
    let visitor = |number: i64| page_view(&format!("v_{number:03}"), "ses", "b_1", seen - number);
    site.count((0..520).map(visitor)).await;
    let live = site.body("live").await;
    assert_eq!((live["data"].as_array().unwrap().len(), &live["count"]), (500, &serde_json::json!(520)));
    assert_eq!((&live["data"][0]["visitor_id"], &live["data"][499]["visitor_id"]), (&"v_000".into(), &"v_499".into()));
    site.stack.shutdown().await;
}

/// Who holds the public key can make up event types without end. No event is lost to that.
#[tokio::test(flavor = "multi_thread")]
async fn more_event_types_than_are_kept_apart_still_count_exactly() {
    let mut site = Site::start().await;
    let start = now().div_euclid(24 * MS_PER_HOUR) * 24 * MS_PER_HOUR - 12 * MS_PER_HOUR;
    let batch = |visitor: &'static str, hundred: i64| {
        let mut sent = page_view(visitor, "ses", &format!("b_{hundred}"), start);
        let event = |number: i64| Event {
            name: format!("type_{number:04}"),
            url: None,
            created_at: start + number,
            data: None,
        };
        sent.events = (100 * hundred..100 * hundred + 100).map(event).collect();
        sent
    };
    let flag = |visitor: &'static str| {
        let mut flagged = batch(visitor, 0);
        flagged.batch_id = "flag".to_owned();
        flagged.events.clear();
        flagged.visitor.bot_score = Some(100);
        flagged
    };
    let check = async |site: &Site, events: u64| {
        assert_eq!(site.body("stats").await["data"]["total_events"], events);
        assert_eq!(site.body("events").await["pagination"]["total"], events);
        let types = site.body("events/types").await;
        let counts = types["data"].as_array().unwrap().iter().map(|row| row["count"].as_u64().unwrap());
        assert_eq!(counts.sum::<u64>(), events);
    };
    let check_type = async |site: &Site, name: &str, events: u64| {
        let list = site.body(&format!("events?type={name}")).await;
        let rows = list["data"].as_array().unwrap().len() as u64;
        assert_eq!((&list["pagination"]["total"], rows), (&events.into(), events), "{name}");
    };
    // The bots' types come first and last, so that the person's find no place, and the last bot's neither.
    site.count((0..15).map(|hundred| batch("v_bot", hundred))).await;
    site.count((10..30).map(|hundred| batch("v_person", hundred))).await;
    site.count((30..35).map(|hundred| batch("v_late_bot", hundred))).await;
    site.merge("v_stays").await;
    check(&site, 4_000).await;
    for (name, events) in [("type_0000", 1), ("type_1200", 2), ("type_2999", 1), ("type_3100", 1), ("type_9", 0)] {
        check_type(&site, name, events).await;
    }
    // One after the other: the places that the first one leaves must not confuse the second one's leaving.
    site.count([flag("v_bot")]).await;
    site.merge("v_stays_too").await;
    check(&site, 2_500).await;
    site.count([flag("v_late_bot")]).await;
    check(&site, 2_000).await;
    for (name, events) in [("type_0000", 0), ("type_1200", 1), ("type_2999", 1), ("type_3100", 0)] {
        check_type(&site, name, events).await;
    }
    site.stack.shutdown().await;
}
