//! The time.

use figures::time::Millis;

/// The current instant in Unix milliseconds.
pub fn now() -> i64 {
    Millis::now().0
}
