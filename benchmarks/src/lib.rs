//! What requests and page views cost, how that grows with the data, and what a server bears. The benchmarks themselves
//! are in `benches/`; `-- --help` says what each takes.

pub mod api;
pub mod attack;
pub mod bill;
pub mod client;
pub mod flood;
pub mod function;
pub mod instance;
pub mod ledger;
pub mod load;
pub mod memory;
pub mod probe;
pub mod progress;
pub mod reads;
pub mod report;
pub mod served;
pub mod site;
pub mod states;
pub mod traffic;
pub mod visits;
pub mod writes;

use std::process::ExitCode;

use figures::table::store::StoreError;

/// How a benchmark's program ends: an error is told first.
pub fn ended(outcome: Result<ExitCode, BenchError>) -> ExitCode {
    outcome.unwrap_or_else(|error| {
        eprintln!("error: {error}");
        ExitCode::FAILURE
    })
}

/// How a check ends: it fails if it was asked for and a bound was not kept.
pub fn checked(is_kept: bool, check: bool) -> ExitCode {
    if is_kept || !check { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Why a benchmark ends early.
#[derive(Debug, thiserror::Error)]
pub enum BenchError {
    /// Something is not as it should be.
    #[error("{0}")]
    Failed(String),
    /// The API was too busy to answer.
    #[error("{0}")]
    Busy(String),
    /// The table could not be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The API could not be asked.
    #[error(transparent)]
    Http(#[from] reqwest::Error),
    /// The API did not answer JSON.
    #[error(transparent)]
    Json(#[from] serde_json::Error),
}
