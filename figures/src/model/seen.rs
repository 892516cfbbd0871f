//! Days on which a visitor was seen at keys: URLs, messages, selectors.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::table::codec::Packed;
use crate::time::Day;

/// Days at keys, by the key's hash.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeenDays(BTreeMap<u64, Vec<Day>>);

impl Packed<'_> for SeenDays {
    type V2 = Self;
    type V3 = Self;
}

impl SeenDays {
    /// How many days at keys there are.
    pub fn len(&self) -> usize {
        self.0.values().map(Vec::len).sum()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The days at a key, in order.
    pub fn days(&self, hash: u64) -> &[Day] {
        self.0.get(&hash).map(Vec::as_slice).unwrap_or_default()
    }

    /// All days, by key.
    pub fn iter(&self) -> impl Iterator<Item = (u64, Day)> {
        self.0.iter().flat_map(|(hash, days)| days.iter().map(|day| (*hash, *day)))
    }

    /// Whether a key's day is among them.
    pub fn contains(&self, hash: u64, day: Day) -> bool {
        self.days(hash).binary_search(&day).is_ok()
    }

    /// Adds a key's day; says whether it was not among them.
    pub fn insert(&mut self, hash: u64, day: Day) -> bool {
        let days = self.0.entry(hash).or_default();
        match days.binary_search(&day) {
            Ok(_) => false,
            Err(index) => {
                days.insert(index, day);
                true
            }
        }
    }

    /// Removes a key's day; says whether it was among them.
    pub fn remove(&mut self, hash: u64, day: Day) -> bool {
        let Some(days) = self.0.get_mut(&hash) else { return false };
        let Ok(index) = days.binary_search(&day) else { return false };
        days.remove(index);
        if days.is_empty() {
            self.0.remove(&hash);
        }
        true
    }

    /// Drops the days before this one.
    pub fn drop_before(&mut self, first: Day) {
        self.0.values_mut().for_each(|days| days.retain(|day| *day >= first));
        self.0.retain(|_, days| !days.is_empty());
    }

    /// Takes so many days out, if there are as many.
    pub fn take(&mut self, count: usize) -> SeenDays {
        let (mut taken, mut left) = (SeenDays::default(), count);
        while left > 0
            && let Some((hash, mut days)) = self.0.pop_first()
        {
            let rest = days.split_off(left.min(days.len()));
            left -= days.len();
            taken.0.insert(hash, days);
            if !rest.is_empty() {
                self.0.insert(hash, rest);
            }
        }
        taken
    }
}

/// How many shards remember what the state has no room for, as they were written before there were runs.
pub const SHARDS: u8 = 16;

/// The shard that remembers a key.
pub fn shard(hash: u64) -> u8 {
    (hash % u64::from(SHARDS)) as u8
}
