//! The token bucket of an API key: one item, one conditional write a request.
//!
//! The bucket is stored as one instant, the *theoretical arrival time* of the generic cell rate
//! algorithm (GCRA, ITU-T I.371): a full bucket's lies in the past, and each token taken moves it one
//! token's worth into the future. DynamoDB's update expressions have no `max`, so there are two
//! writes to choose from: one for a full bucket, one for a bucket in use. A warm instance knows which
//! it saw last and rarely chooses wrong; a wrong choice comes back with the item, and the other follows.

use http::{HeaderMap, HeaderValue};

const MICROS_PER_MINUTE: i64 = 60_000_000;

/// Requests a minute of a key that is created without a limit of its own.
pub const DEFAULT_LIMIT: u32 = 60;

/// An instant in Unix microseconds, the resolution of buckets.
pub type Micros = i64;

/// A bucket's shape: as many tokens as requests a minute, refilled continuously.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bucket {
    limit: u32,
}

/// What a bucket holds after a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// Tokens of a full bucket, which is the limit of requests a minute.
    pub limit: u32,
    /// Whole tokens left.
    pub left: u32,
    /// Seconds until there is one more, at least 1.
    pub next_token_secs: u64,
}

impl Bucket {
    /// A bucket of a limit of at least one request a minute.
    pub fn new(limit: u32) -> Self {
        Bucket { limit: limit.max(1) }
    }

    /// Its limit of requests a minute.
    pub fn limit(&self) -> u32 {
        self.limit
    }

    /// What one token is worth in time.
    pub fn token(&self) -> Micros {
        (MICROS_PER_MINUTE / i64::from(self.limit)).max(1)
    }

    /// The latest arrival time that still leaves a token to take.
    pub fn ceiling(&self, now: Micros) -> Micros {
        now + self.token() * (i64::from(self.limit) - 1)
    }

    /// The arrival time of a bucket that has just been emptied. A later one comes from a clock that was ahead.
    pub fn emptied(&self, now: Micros) -> Micros {
        self.ceiling(now) + self.token()
    }

    /// When a bucket that is exhausted has a token again.
    pub fn next_token_at(&self, arrival: Micros) -> Micros {
        arrival - self.token() * (i64::from(self.limit) - 1)
    }

    /// What is left in a bucket with this arrival time.
    pub fn standing(&self, arrival: Micros, now: Micros) -> Standing {
        let used = (arrival - now).max(0);
        let tokens_used = (used + self.token() - 1) / self.token();
        let left = (i64::from(self.limit) - tokens_used).max(0);
        // One more token is whole once no more than `limit - left - 1` are used.
        let wait = used - self.token() * (i64::from(self.limit) - left - 1).max(0);
        Standing { limit: self.limit, left: left as u32, next_token_secs: (wait.max(1) as u64).div_ceil(1_000_000) }
    }
}

impl Standing {
    /// Adds the headers of draft-ietf-httpapi-ratelimit-headers-10.
    pub fn describe(&self, headers: &mut HeaderMap) {
        let mut set = |name: &'static str, value: String| {
            if let Ok(value) = HeaderValue::try_from(value) {
                headers.insert(name, value);
            }
        };
        set("ratelimit-policy", format!("\"default\";q={};w=60", self.limit));
        set("ratelimit", format!("\"default\";r={};t={}", self.left, self.next_token_secs));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_fresh_bucket_holds_its_limit() {
        let bucket = Bucket::new(60);
        let after_one = bucket.token();
        assert_eq!(bucket.standing(after_one, 0), Standing { limit: 60, left: 59, next_token_secs: 1 });
        let after_all = 60 * bucket.token();
        assert_eq!(bucket.standing(after_all, 0), Standing { limit: 60, left: 0, next_token_secs: 1 });
        assert_eq!(bucket.next_token_at(after_all), bucket.token());
        let slow = Bucket::new(2);
        assert_eq!(slow.standing(2 * slow.token(), 0), Standing { limit: 2, left: 0, next_token_secs: 30 });
    }

    proptest! {
        /// The instant agrees with a bucket that counts tokens as they drip in.
        #[test]
        fn the_instant_behaves_as_a_bucket_of_tokens(
            limit in 1u32..200,
            waits in proptest::collection::vec(0i64..3_000_000, 1..300),
        ) {
            let bucket = Bucket::new(limit);
            let full = bucket.token() * i64::from(limit);
            let (mut now, mut arrival, mut level) = (0, i64::MIN / 4, full);
            for wait in waits {
                now += wait;
                level = (level + wait).min(full);
                let allowed = arrival <= bucket.ceiling(now);
                prop_assert_eq!(allowed, level >= bucket.token());
                if allowed {
                    level -= bucket.token();
                    arrival = arrival.max(now) + bucket.token();
                }
                prop_assert_eq!(i64::from(bucket.standing(arrival, now).left), level / bucket.token());
            }
        }
    }
}
