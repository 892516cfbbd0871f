//! How long to wait before another try.

use std::time::Duration;

/// Pauses of half a bound to all of it, which doubles with each try: so that those who tried at the same time hardly meet again.
/// This is "equal jitter" of <https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/>.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    /// The longest pause after the first try.
    pub first: Duration,
    /// The longest pause of all.
    pub longest: Duration,
}

impl Backoff {
    /// How long to wait after so many tries.
    pub fn pause(self, tries: u32) -> Duration {
        // Without randomness, each pause is as long as it may be.
        let part = getrandom::u32().map_or(1.0, |random| f64::from(random) / f64::from(u32::MAX));
        self.bound(tries).mul_f64(0.5 + part / 2.0)
    }

    /// Waits so long.
    pub async fn wait(self, tries: u32) {
        tokio::time::sleep(self.pause(tries)).await;
    }

    fn bound(self, tries: u32) -> Duration {
        let doubled = 2_u32.checked_pow(tries.saturating_sub(1)).and_then(|times| self.first.checked_mul(times));
        doubled.map_or(self.longest, |bound| bound.min(self.longest))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_longest() {
        let backoff = Backoff { first: Duration::from_millis(10), longest: Duration::from_millis(45) };
        assert_eq!(
            [0, 1, 2, 3, 4, 40, u32::MAX].map(|tries| backoff.bound(tries).as_millis()),
            [10, 10, 20, 40, 45, 45, 45]
        );
        assert!((0..1_000).all(|_| (10..=20).contains(&backoff.pause(2).as_millis())));
    }
}
