//! Randomness, of the system's source.

use crate::table::store::StoreError;

/// A number that nobody else has at the same time.
pub fn number() -> Result<u64, StoreError> {
    getrandom::u64().map_err(|error| StoreError::Failed(error.to_string()))
}
