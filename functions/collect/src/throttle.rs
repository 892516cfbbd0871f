//! The collector's throttle: token buckets in the instance's own memory.
//!
//! It keeps one page, script or key from taking an instance for itself. It costs no write, so it
//! costs nothing under attack; each instance counts for itself, which is why it is generous.
//! A bucket is one instant, as in [`shared::rate_limit`].

use std::collections::HashMap;
use std::hash::Hash;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};

use figures::time::Millis;
use shared::error::ApiError;
use shared::rate_limit::Micros;

const MICROS_PER_SECOND: i64 = 1_000_000;

/// The most buckets that are kept, about 5 MB.
const MAX_BUCKETS: usize = 50_000;

/// A token is good for so many bytes of a body, and so many events, begun ones included: usual batches take one.
const BYTES_OF_TOKEN: usize = 8 << 10;
const EVENTS_OF_TOKEN: usize = 10;

/// How many tokens a batch takes: what it costs to count grows with its size and with its events.
pub fn tokens(bytes: usize, events: usize) -> i64 {
    bytes.div_ceil(BYTES_OF_TOKEN).max(events.div_ceil(EVENTS_OF_TOKEN)).max(1) as i64
}

/// A bucket's shape.
#[derive(Debug, Clone, Copy)]
pub struct Rate {
    /// Tokens refilled in a second.
    per_second: i64,
    /// Tokens of a full bucket.
    burst: i64,
}

/// One address can be the way out of a whole company or mobile network: hundreds of visitors with a
/// batch every few seconds each, and thousands at once after an outage.
pub const PER_ADDRESS: Rate = Rate { per_second: 100, burst: 2_000 };

/// Bytes by which one address may make the tail grow (see [`crate::growth`]): a hundred usual batches a second, hundreds at once.
/// All of the burst and of five seconds, for which merged segments stay, are what a request reads in 28 units.
pub const GROWTH_PER_ADDRESS: Rate = Rate { per_second: 16 << 10, burst: 128 << 10 };

/// More than one instance can store, so that only a flood meets it.
pub const PER_KEY: Rate = Rate { per_second: 5_000, burst: 20_000 };

/// Buckets by key, all of one shape.
pub struct Throttle<K> {
    rate: Rate,
    arrivals: Mutex<HashMap<K, Micros>>,
}

impl<K: Eq + Hash> Throttle<K> {
    /// Full buckets.
    pub fn new(rate: Rate) -> Self {
        Throttle { rate, arrivals: Mutex::default() }
    }

    /// Takes tokens, or says how many seconds it takes until there are so many. What wants more than a full bucket holds
    /// empties it.
    pub fn take(&self, key: K, tokens: i64, now: Millis) -> Result<(), ApiError> {
        let (now, tokens) = (now.0 * 1000, tokens.min(self.rate.burst));
        let mut arrivals = self.arrivals.lock().unwrap_or_else(PoisonError::into_inner);
        if arrivals.len() >= MAX_BUCKETS {
            shrink(&mut arrivals, now);
        }
        let token = MICROS_PER_SECOND / self.rate.per_second;
        let ceiling = now + token * (self.rate.burst - tokens);
        let arrival = arrivals.entry(key).or_insert(now);
        // An instant from before the clock stepped back: empty is the most that a bucket can be.
        *arrival = (*arrival).min(now + token * self.rate.burst);
        if *arrival > ceiling {
            return Err(ApiError::Throttled((*arrival - ceiling).unsigned_abs().div_ceil(1_000_000)));
        }
        *arrival = (*arrival).max(now) + token * tokens;
        Ok(())
    }
}

/// Forgets full buckets; all of them where most are in use, as memory matters more than the throttle.
fn shrink<K: Eq + Hash>(arrivals: &mut HashMap<K, Micros>, now: Micros) {
    arrivals.retain(|_, arrival| *arrival > now);
    if arrivals.len() > MAX_BUCKETS / 2 {
        arrivals.clear();
    }
}

/// What counts as one client: an IPv4 address, or the /64 network that a subscriber of IPv6 is given
/// to take addresses from at will (RFC 6177).
pub fn client(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() >> 64 << 64)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wait(throttle: &Throttle<u32>, key: u32, ms: i64) -> Option<u64> {
        match throttle.take(key, 1, Millis(ms)) {
            Ok(()) => None,
            Err(ApiError::Throttled(seconds)) => Some(seconds),
            Err(other) => panic!("{other}"),
        }
    }

    #[test]
    fn a_bucket_gives_its_burst_then_its_rate() {
        let throttle = Throttle::new(Rate { per_second: 10, burst: 30 });
        for _ in 0..30 {
            assert_eq!(wait(&throttle, 1, 5_000), None);
        }
        assert_eq!(wait(&throttle, 1, 5_000), Some(1));
        assert_eq!(wait(&throttle, 2, 5_000), None, "another key has a bucket of its own");
        assert_eq!(wait(&throttle, 1, 5_099), Some(1));
        assert_eq!(wait(&throttle, 1, 5_100), None, "a token every 100 ms");
        assert_eq!(wait(&throttle, 1, 5_100), Some(1));
        let refilled = (0..100).take_while(|_| wait(&throttle, 1, 60_000).is_none()).count();
        assert_eq!(refilled, 30, "it never holds more than its burst");
    }

    #[test]
    fn a_large_batch_takes_more_tokens() {
        assert_eq!([0, 1, 8 << 10, (8 << 10) + 1, 64 << 10].map(|bytes| tokens(bytes, 1)), [1, 1, 1, 2, 8]);
        assert_eq!([0, 1, 10, 11, 100].map(|events| tokens(900, events)), [1, 1, 1, 2, 10]);
        assert_eq!(tokens(64 << 10, 11), 8);
        let throttle = Throttle::new(Rate { per_second: 10, burst: 30 });
        let taken = |count| throttle.take(1, count, Millis(5_000)).is_ok();
        assert_eq!([taken(8), taken(8), taken(8), taken(8)], [true, true, true, false]);
        assert_eq!([taken(6), taken(1)], [true, false], "the rest is for smaller ones");
        assert!(taken(0), "what takes none needs none");
        let full = Throttle::new(Rate { per_second: 10, burst: 30 });
        let taken = |ms| full.take(1, 40, Millis(ms)).is_ok();
        assert_eq!([taken(0), taken(2_999), taken(3_000)], [true, false, true], "more than there can be takes all");
    }

    #[test]
    fn a_slow_bucket_says_how_long_to_wait() {
        let throttle = Throttle::new(Rate { per_second: 1, burst: 1 });
        assert_eq!(wait(&throttle, 1, 0), None);
        assert_eq!(wait(&throttle, 1, 0), Some(1));
        let throttle = Throttle::new(Rate { per_second: 1, burst: 5 });
        (0..5).for_each(|_| assert_eq!(wait(&throttle, 1, 0), None));
        assert_eq!(wait(&throttle, 1, 0), Some(1));
    }

    #[test]
    fn a_clock_that_steps_back_locks_nobody_out() {
        let day = 24 * 3_600_000;
        let throttle = Throttle::new(Rate { per_second: 10, burst: 30 });
        while wait(&throttle, 1, day).is_none() {}
        assert_eq!(wait(&throttle, 1, 0), Some(1));
        assert_eq!(wait(&throttle, 1, 100), None, "a token every 100 ms");
        assert_eq!(wait(&throttle, 1, 100), Some(1), "the bucket is not full again");
    }

    #[test]
    fn memory_is_bounded_and_full_buckets_are_forgotten_first() {
        let many = MAX_BUCKETS as u32;
        let throttle = Throttle::new(Rate { per_second: 1, burst: 2 });
        // Full again after a second.
        (2..many).for_each(|key| assert_eq!(wait(&throttle, key, 0), None));
        assert_eq!(
            [wait(&throttle, 1, 5_000), wait(&throttle, 1, 5_000), wait(&throttle, 1, 5_000)],
            [None, None, Some(1)]
        );
        assert_eq!([wait(&throttle, many, 5_000), wait(&throttle, many + 1, 5_000)], [None, None]);
        assert_eq!(wait(&throttle, 1, 5_000), Some(1));
        assert_eq!(throttle.arrivals.lock().map(|arrivals| arrivals.len()).ok(), Some(3));

        let flood = Throttle::new(Rate { per_second: 1, burst: 2 });
        (0..2 * many).for_each(|key| assert_eq!(wait(&flood, key, 0), None));
        assert!(flood.arrivals.lock().is_ok_and(|arrivals| arrivals.len() <= MAX_BUCKETS));
    }

    #[test]
    fn addresses_of_one_ipv6_network_are_one_client() {
        let client = |text: &str| text.parse().map(client).ok();
        assert_eq!(client("2001:db8:1:2::9"), client("2001:db8:1:2:ffff::1"));
        assert_ne!(client("2001:db8:1:2::9"), client("2001:db8:1:3::9"));
        assert_ne!(client("203.0.113.9"), client("203.0.113.8"));
    }
}
