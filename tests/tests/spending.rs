//! What a project's batches take of the table is noted, and ends on a day where the owner says.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use std::sync::Arc;

use collect::Collector;
use counting::Consumer;
use figures::table::spending;
use figures::time::Millis;
use lambda_http::http::Method;
use rollup::stream::StreamConsumer;
use shared::app::App;
use tests::clock::now;
use tests::example::page_view;
use tests::stack::{Counting, Project, Stack};
use tests::stream::event;
use tests::tracker::keyed;

const DAY_MS: i64 = 86_400_000;

/// Sends a page view at an instant; the status and how many seconds to wait.
async fn send(collector: &Collector, project: &Project, at: i64) -> (u16, Option<i64>) {
    let sent = page_view("v_late", "s_late", "b_late", at);
    let mut request = lambda_http::Request::new(keyed(&sent, &project.public_key).to_string().into());
    *request.method_mut() = Method::POST;
    *request.uri_mut() = "/collect".parse().unwrap();
    let response = collect::handle_at(collector, &request, Millis(at)).await;
    let wait = response.headers().get("retry-after").map(|wait| wait.to_str().unwrap().parse().unwrap());
    (response.status().as_u16(), wait)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_projects_batches_are_refused_for_a_day_once_they_took_as_much_as_they_may() {
    let stack = Stack::start(Counting::ByTest).await;
    let (project, other) = (stack.project().await, stack.project().await);
    let stream = StreamConsumer::new(Consumer::new(stack.store().clone()), None);
    let noted =
        async |project: &Project| spending::of_day(stack.store(), &project.id, Millis(now()).day()).await.unwrap();
    let mut batches = Vec::new();
    for number in 0..240 {
        let name = format!("v_{number}");
        let sent = page_view(&name, &format!("s_{number}"), "b_1", now() - 60_000);
        batches.push(stack.store_batch(&project, number, &sent).await.unwrap());
    }
    assert_eq!(noted(&project).await, 0);
    for together in batches.chunks(20) {
        let records: Vec<_> = together.iter().map(|batch| (&project, batch)).collect();
        assert!(stream.handle(event(&stack, &records, now()).await).await.batch_item_failures.is_empty());
    }
    // A batch takes some five with all that follows from it. What is less than a thousand is not worth a write yet.
    let units = noted(&project).await;
    assert!((1_000..240 * 7).contains(&units), "{units}");
    assert_eq!(noted(&other).await, 0);

    let collector = |max| Collector::new(Arc::new(App::new(stack.store().clone()))).spending_at_most(max);
    let at = now();
    let strict = collector(Some(1_000));
    let (status, wait) = send(&strict, &project, at).await;
    assert_eq!((status, wait), (429, Some((DAY_MS - at.rem_euclid(DAY_MS)).unsigned_abs().div_ceil(1_000) as i64)));
    assert_eq!(send(&strict, &other, at).await.0, 202, "another project's");
    assert_eq!(send(&strict, &project, at + DAY_MS).await.0, 202, "the next day");
    assert_eq!(send(&collector(Some(1_000_000)), &project, at).await.0, 202);
    assert_eq!(send(&collector(None), &project, at).await.0, 202);
    stack.shutdown().await;
}
