//! Why a command fails, and what its exit status is.

use counting::dead_letters::QueueError;
use counting::replay::ReplayError;
use figures::table::store::StoreError;
use shared::api_keys::KeyError;

/// Why a command fails. Says what to do next, where that is known.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    /// The command line asks for something that makes no sense.
    #[error("{0}")]
    Usage(String),
    /// The command could not do what it was asked to.
    #[error("{0}")]
    Failed(String),
    /// The queue could not be used.
    #[error(transparent)]
    Queue(#[from] QueueError),
    /// The table could not be used.
    #[error("{0}")]
    Store(#[from] StoreError),
}

impl From<ReplayError> for CliError {
    fn from(error: ReplayError) -> Self {
        match error {
            ReplayError::Queue(error) => CliError::Queue(error),
            ReplayError::Store(error) => CliError::Store(error),
        }
    }
}

impl From<KeyError> for CliError {
    fn from(error: KeyError) -> Self {
        match error {
            KeyError::Store(error) => CliError::Store(error),
            KeyError::Beaten | KeyError::OfAnother { .. } => CliError::Failed(error.to_string()),
        }
    }
}

impl CliError {
    /// The process's exit status.
    pub fn exit_status(&self) -> u8 {
        match self {
            CliError::Usage(_) => 2,
            CliError::Failed(_) | CliError::Queue(_) | CliError::Store(_) => 1,
        }
    }
}
