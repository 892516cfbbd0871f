//! Counts as they are shown.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counts below zero that this process was to show since it last reported them.
static BELOW_ZERO: AtomicU64 = AtomicU64::new(0);

/// A count as it is shown. One below zero is shown as zero, and reported: it is the one sign that something
/// was taken out of the figures twice.
pub fn shown(count: i64) -> u64 {
    u64::try_from(count).unwrap_or_else(|_| {
        BELOW_ZERO.fetch_add(1, Ordering::Relaxed);
        0
    })
}

/// Takes how many counts below zero are still to be reported.
pub fn take_below_zero() -> u64 {
    BELOW_ZERO.swap(0, Ordering::Relaxed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_count_below_zero_is_shown_as_zero_and_reported_once() {
        let _ = take_below_zero();
        assert_eq!([3, 0, -1, -7].map(shown), [3, 0, 0, 0]);
        assert_eq!([take_below_zero(), take_below_zero()], [2, 0]);
    }
}
