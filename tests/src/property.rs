//! Runs a property over random values, on a runtime, with a stack that all cases share.

use proptest::strategy::Strategy;
use proptest::test_runner::{Config, TestCaseError, TestError, TestRunner};
use tokio::runtime::{Builder, Runtime};

/// How long a failing case is made smaller: each try is a project of its own and takes a while.
const MAX_SHRINK_MS: u32 = 120_000;

/// The cases of `PROPTEST_CASES` that the tests' own numbers are scaled by.
const USUAL_CASES: u32 = 256;

/// A runtime as the product's.
pub fn runtime() -> Runtime {
    Builder::new_multi_thread().enable_all().build().unwrap()
}

/// Checks that a property holds for random values: for so many of them, or more as `PROPTEST_CASES`
/// is raised over its usual 256.
///
/// # Panics
/// If it does not hold, with the smallest value found.
pub fn holds<S>(runtime: &Runtime, cases: u32, values: &S, property: impl AsyncFn(S::Value) -> Result<(), String>)
where
    S: Strategy,
{
    let usual = Config::default();
    let cases = (cases * usual.cases).div_ceil(USUAL_CASES);
    let config = Config {
        cases,
        max_shrink_time: MAX_SHRINK_MS,
        max_shrink_iters: u32::MAX - 1,
        failure_persistence: None,
        ..usual
    };
    let outcome = TestRunner::new(config).run(values, |value| {
        runtime.block_on(property(value)).map_err(|difference| {
            eprintln!("It fails, and is made smaller: {difference}\n");
            TestCaseError::fail(difference)
        })
    });
    match outcome {
        Ok(()) => {}
        Err(TestError::Fail(reason, value)) => panic!("{reason}\n\nThe smallest case found: {value:#?}"),
        Err(TestError::Abort(reason)) => panic!("{reason}"),
    }
}
