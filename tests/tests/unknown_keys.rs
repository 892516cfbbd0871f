//! Keys that there are not: what trying them costs, and that none of it is in the way of those that there are.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use std::sync::Arc;

use figures::table::store::Consumed;
use figures::time::Millis;
use identity::server::Functions;
use lambda_http::{Body, Request};
use shared::app::App;
use shared::auth::{ApiKey, Credential, Hint, Holder, KeyKind, KeyMemory, look_up};
use shared::error::ApiError;
use shared::rate_limit::Micros;
use tests::clock::now;
use tests::stack::{Counting, Stack};

const SECOND: Micros = 1_000_000;

/// One instance of each function, that has seen no request.
struct Instance(Functions);

impl Instance {
    fn new(stack: &Stack) -> Self {
        Instance(Functions::new(Arc::new(App::new(stack.store().clone()))))
    }

    /// The status of a request with a key, and what it consumed.
    async fn ask(&self, key: &str) -> (u16, Consumed) {
        let request = Request::new(Body::Empty);
        let (mut parts, body) = request.into_parts();
        parts.uri = "/api/v1/stats".parse().unwrap();
        parts.headers.insert("authorization", format!("Bearer {key}").parse().unwrap());
        let response = self.0.answer(&Request::from_parts(parts, body)).await;
        (response.status().as_u16(), *response.extensions().get::<Consumed>().unwrap())
    }
}

fn made_up() -> String {
    ApiKey::generate(KeyKind::Secret).unwrap().reveal().to_owned()
}

#[tokio::test]
async fn a_made_up_key_costs_one_read_and_then_nothing() {
    let stack = Stack::start(Counting::ByTest).await;
    let (instance, key) = (Instance::new(&stack), made_up());
    let (status, first) = instance.ask(&key).await;
    assert_eq!((status, first.calls, first.read_units, first.write_units), (401, 1, 1.0, 0.0));
    for _ in 0..20 {
        let (status, again) = instance.ask(&key).await;
        assert_eq!((status, again.calls), (401, 0));
    }
    let (status, other) = instance.ask(&made_up()).await;
    assert_eq!((status, other.calls, other.write_units), (401, 1, 0.0));
    stack.shutdown().await;
}

#[tokio::test]
async fn a_key_works_as_soon_as_it_is_made_and_takes_one_write() {
    let stack = Stack::start(Counting::ByTest).await;
    let project = stack.project().await;
    let instance = Instance::new(&stack);
    for _ in 0..50 {
        instance.ask(&made_up()).await;
    }
    for limit in [1, 60, 600] {
        let key = stack.key(&project.id, KeyKind::Secret, Some(limit)).await;
        let (status, first) = instance.ask(&key).await;
        assert_eq!((status, first.write_units), (200, 1.0), "{limit}");
        let (status, second) = instance.ask(&key).await;
        if limit == 1 {
            assert_eq!((status, second.calls), (429, 0), "an empty bucket is known");
            // Another instance finds it empty by reading it.
            let (status, elsewhere) = Instance::new(&stack).ask(&key).await;
            assert_eq!((status, elsewhere.calls, elsewhere.write_units), (429, 1, 0.0));
        } else {
            assert_eq!((status, second.write_units), (200, 1.0), "{limit}");
            assert_eq!(second.calls, first.calls - 1, "a key that is known is not looked up");
        }
        // While the token is taken, the resource is read: that costs a first request no time.
        assert!(first.round_trips <= 2, "{first:?}");
    }
    stack.shutdown().await;
}

#[tokio::test]
async fn a_revoked_key_costs_no_write_for_a_minute() {
    let stack = Stack::start(Counting::ByTest).await;
    let project = stack.project().await;
    let instance = Instance::new(&stack);
    assert_eq!(instance.ask(&project.secret_key).await.0, 200);
    let id = ApiKey::parse(&project.secret_key).unwrap().sha256();
    let revoke = identity::args::KeyCommand::Revoke { id };
    identity::key::run(stack.store(), &project.id, revoke).await.unwrap();
    assert_eq!(instance.ask(&project.secret_key).await.0, 401);
    let (status, again) = instance.ask(&project.secret_key).await;
    assert_eq!((status, again.calls), (401, 0));
    stack.shutdown().await;
}

#[tokio::test]
async fn a_minute_later_the_table_is_asked_again() {
    let stack = Stack::start(Counting::ByTest).await;
    let project = stack.project().await;
    let (memory, start) = (KeyMemory::default(), now() * 1_000);
    let key = ApiKey::generate(KeyKind::Secret).unwrap();
    let ask = async |at: Micros| look_up(stack.store(), &memory, &Credential::of_key(&key), at).await;
    assert!(matches!(ask(start).await, Err(ApiError::Unauthorized(_))));
    shared::api_keys::register(stack.store(), &project.id, &key, Some(60), Millis::now()).await.unwrap();
    assert!(matches!(ask(start + 59 * SECOND).await, Err(ApiError::Unauthorized(_))));
    assert_eq!(ask(start + 60 * SECOND).await.unwrap(), Hint::Likely(Holder::Project(project.id.clone())));
    // A clock that steps back lets nobody wait for it.
    let other = ApiKey::generate(KeyKind::Secret).unwrap();
    let ask = async |at: Micros| look_up(stack.store(), &memory, &Credential::of_key(&other), at).await;
    assert!(matches!(ask(start + 86_400 * SECOND).await, Err(ApiError::Unauthorized(_))));
    shared::api_keys::register(stack.store(), &project.id, &other, Some(60), Millis::now()).await.unwrap();
    assert_eq!(ask(start).await.unwrap(), Hint::Likely(Holder::Project(project.id.clone())));
    stack.shutdown().await;
}
