//! Clocks of different machines, and clocks that are set right.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use shared::auth::{ApiKey, Credential, KeyKind, KeyMemory, take_token};
use shared::error::ApiError;
use shared::rate_limit::Micros;
use tests::clock::now;
use tests::stack::{Counting, Stack};

const SECOND: Micros = 1_000_000;
const DAY: Micros = 86_400 * SECOND;
const LIMIT: u32 = 60;

/// An instance that answers requests with one key: whether a token is taken, or in how many seconds one may be.
struct Instance<'a> {
    stack: &'a Stack,
    memory: KeyMemory,
    credential: Credential,
}

impl<'a> Instance<'a> {
    fn new(stack: &'a Stack, key: &str) -> Self {
        Instance { stack, memory: KeyMemory::default(), credential: Credential::of_key(&ApiKey::parse(key).unwrap()) }
    }

    async fn take(&self, at: Micros) -> Result<(), u64> {
        match take_token(self.stack.store(), &self.memory, &self.credential, at).await {
            Ok(_) => Ok(()),
            Err(ApiError::RateLimited(standing)) => Err(standing.next_token_secs),
            Err(other) => panic!("{other}"),
        }
    }

    async fn taken_at_once(&self, at: Micros) -> usize {
        let mut taken = 0;
        while self.take(at).await.is_ok() {
            taken += 1;
        }
        taken
    }
}

#[tokio::test]
async fn a_clock_that_steps_back_empties_a_bucket_at_the_most() {
    let stack = Stack::start(Counting::ByTest).await;
    let project = stack.project().await;
    let start = now() * 1_000;
    for ahead in [2 * SECOND, 120 * SECOND, DAY, 400 * DAY] {
        for is_exhausted in [false, true] {
            let key = stack.key(&project.id, KeyKind::Secret, Some(LIMIT)).await;
            let (stepping, other) = (Instance::new(&stack, &key), Instance::new(&stack, &key));
            if is_exhausted {
                assert_eq!(stepping.taken_at_once(start + ahead).await, LIMIT as usize);
            } else {
                stepping.take(start + ahead).await.unwrap();
            }
            // Set right: the instance that it happened to, and one that never was wrong.
            for (instance, at) in [(&stepping, start), (&other, start + 2 * SECOND)] {
                match instance.take(at).await {
                    Ok(()) => {}
                    Err(seconds) => {
                        assert!(seconds <= 60, "{ahead} ahead: {seconds} s");
                        instance.take(at + seconds as Micros * SECOND).await.unwrap();
                    }
                }
            }
            // From then on it holds what it always held.
            let later = start + 200 * SECOND;
            assert_eq!(other.taken_at_once(later).await, LIMIT as usize);
            assert_eq!(stepping.take(later).await, Err(1));
            assert_eq!(other.taken_at_once(later + 5 * SECOND).await, 5);
        }
    }
    stack.shutdown().await;
}
