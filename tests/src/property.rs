//! Runs a property over random values, on a runtime, with a stack that all cases share.
//!
//! Two environment variables of proptest's change what is run. With `PROPTEST_CASES=1000`, each property is tried with so
//! many values, in place of the few that its test asks for. A failure names its seed: with `PROPTEST_RNG_SEED` set to it, the value that
//! failed comes first.

use std::env;

use proptest::strategy::Strategy;
use proptest::test_runner::{Config, RngSeed, TestCaseError, TestError, TestRunner};
use tokio::runtime::{Builder, Runtime};

/// How long a failing case is made smaller: each try is a project of its own and takes a while.
const MAX_SHRINK_MS: u32 = 120_000;

/// How many cases there are, in place of the tests' own numbers.
const CASES_VARIABLE: &str = "PROPTEST_CASES";

/// The seed of the first case; one more for each that follows.
const SEED_VARIABLE: &str = "PROPTEST_RNG_SEED";

/// A runtime as the product's.
pub fn runtime() -> Runtime {
    Builder::new_multi_thread().enable_all().build().unwrap()
}

/// Checks that a property holds for random values: for so many of them, or as many as `PROPTEST_CASES` says.
///
/// # Panics
/// If it does not hold, with the smallest value found and the seed of the case.
pub fn holds<S>(runtime: &Runtime, cases: u32, values: &S, property: impl AsyncFn(S::Value) -> Result<(), String>)
where
    S: Strategy,
{
    let usual = Config::default();
    let cases = if env::var_os(CASES_VARIABLE).is_some() { usual.cases } else { cases };
    let first_seed = match usual.rng_seed {
        RngSeed::Fixed(seed) => seed,
        RngSeed::Random => fastrand::u64(..),
    };
    for seed in (0..cases).map(|case| first_seed.wrapping_add(u64::from(case))) {
        let config = Config {
            cases: 1,
            max_shrink_time: MAX_SHRINK_MS,
            max_shrink_iters: u32::MAX - 1,
            failure_persistence: None,
            rng_seed: RngSeed::Fixed(seed),
            ..usual.clone()
        };
        let outcome = TestRunner::new(config).run(values, |value| {
            // On the heap: what a property waits for is more than a test's stack should hold.
            runtime.block_on(Box::pin(property(value))).map_err(|difference| {
                eprintln!("It fails with {SEED_VARIABLE}={seed}, and is made smaller: {difference}\n");
                TestCaseError::fail(difference)
            })
        });
        match outcome {
            Ok(()) => {}
            Err(TestError::Fail(reason, value)) => {
                panic!("{reason}\n\nThe smallest case found: {value:#?}\n\nAgain: {SEED_VARIABLE}={seed}")
            }
            Err(TestError::Abort(reason)) => panic!("{reason}\n\nAgain: {SEED_VARIABLE}={seed}"),
        }
    }
}
