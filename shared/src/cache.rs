//! What an instance remembers between requests: so much at most.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Values by key, of which there are never more than its capacity: where one more comes, all others are forgotten. They are
/// hints, whoever asks more often than that has them again after one read each.
#[derive(Debug)]
pub struct Cache<K, V> {
    capacity: usize,
    values: Mutex<HashMap<K, V>>,
}

impl<K: Eq + Hash, V: Clone> Cache<K, V> {
    /// An empty one.
    pub fn new(capacity: usize) -> Self {
        Cache { capacity, values: Mutex::default() }
    }

    /// The value of a key, if it is remembered.
    pub fn get<Q: Eq + Hash + ?Sized>(&self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
    {
        self.values().get(key).cloned()
    }

    /// Remembers a value.
    pub fn insert(&self, key: K, value: V) {
        let mut values = self.values();
        if values.len() >= self.capacity && !values.contains_key(&key) {
            values.clear();
        }
        values.insert(key, value);
    }

    /// Forgets the value of a key.
    pub fn remove<Q: Eq + Hash + ?Sized>(&self, key: &Q)
    where
        K: Borrow<Q>,
    {
        self.values().remove(key);
    }

    /// How many values are remembered.
    pub fn len(&self) -> usize {
        self.values().len()
    }

    /// Whether nothing is remembered.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn values(&self) -> MutexGuard<'_, HashMap<K, V>> {
        self.values.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_never_more_values_than_it_has_room_for() {
        let cache = Cache::new(10);
        for number in 0..35 {
            cache.insert(number, number);
            assert!(cache.len() <= 10);
            assert_eq!(cache.get(&number), Some(number));
        }
        cache.insert(34, 7);
        assert_eq!((cache.len(), cache.get(&34), cache.get(&29)), (5, Some(7), None));
        cache.remove(&34);
        assert_eq!(cache.get(&34), None);
    }
}
