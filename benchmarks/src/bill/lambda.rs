//! What Lambda does: instances that stay warm, and the gathering of a stream's records into invocations.

use std::collections::VecDeque;

use figures::time::Millis;
use serde_json::Value;

/// How long an instance that nobody calls is kept. AWS does not say; it is often seen to be some minutes.
const KEPT_MS: i64 = 10 * 60_000;

/// The instances of a function.
#[derive(Debug)]
pub struct Instances<T> {
    /// Until when each is busy.
    warm: Vec<(Millis, T)>,
}

impl<T> Default for Instances<T> {
    fn default() -> Self {
        Instances { warm: Vec::new() }
    }
}

impl<T> Instances<T> {
    /// An instance that is warm and free: of these, the one that was called last, so that others can end.
    pub fn take(&mut self, now: Millis) -> Option<T> {
        self.warm.retain(|(until, _)| now.0 - until.0 < KEPT_MS);
        let free = self.warm.iter().enumerate().filter(|(_, (until, _))| *until <= now);
        let (at, _) = free.max_by_key(|(_, (until, _))| *until)?;
        Some(self.warm.swap_remove(at).1)
    }

    /// Gives an instance back, which is busy for a while.
    pub fn give_back(&mut self, instance: T, until: Millis) {
        self.warm.push((until, instance));
    }
}

/// How records of the stream come to the function: what the template says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gathering {
    /// Shards of the stream, one for each partition of the table.
    pub shards: u64,
    /// Invocations at once for each of them (`RollupParallelization`).
    pub parallelization: u64,
    /// How long records are gathered (`RollupWindowSeconds`), in milliseconds.
    pub window_ms: i64,
    /// The most records of an invocation (`BatchSize`).
    pub batch_size: usize,
}

/// The template's defaults, on as many partitions as a new table has.
pub const DEPLOYED: Gathering = Gathering { shards: 4, parallelization: 2, window_ms: 5_000, batch_size: 100 };

/// From a write to the poll that finds it: Lambda polls a shard four times a second.
const POLLED_AFTER_MS: i64 = 250;

/// A new batch on its way to the function.
#[derive(Debug, Clone)]
pub struct Record {
    /// When it was stored.
    pub stored_at: Millis,
    /// The item, as the stream has it.
    pub item: Value,
    /// The page views in it.
    pub page_views: usize,
}

impl Record {
    fn visible_at(&self) -> Millis {
        self.stored_at.plus(POLLED_AFTER_MS)
    }
}

/// The stream: records wait in lanes, in each of which one invocation goes on at a time.
#[derive(Debug)]
pub struct Stream {
    gathering: Gathering,
    lanes: Vec<Lane>,
}

#[derive(Debug, Clone, Default)]
struct Lane {
    waiting: VecDeque<Record>,
    busy_until: Millis,
}

impl Stream {
    /// An empty stream.
    pub fn new(gathering: Gathering) -> Self {
        let lanes = vec![Lane::default(); (gathering.shards * gathering.parallelization) as usize];
        Stream { gathering, lanes }
    }

    /// Adds a record. A partition key's records are in one lane.
    pub fn push(&mut self, record: Record) {
        let lane = hash(record.item["PK"]["S"].as_str().unwrap_or_default()) % self.lanes.len() as u64;
        self.lanes[lane as usize].waiting.push_back(record);
    }

    /// When the next invocation is due, and in which lane.
    pub fn due(&self) -> Option<(Millis, usize)> {
        let due = |(at, lane): (usize, &Lane)| Some((lane.due(self.gathering)?, at));
        self.lanes.iter().enumerate().filter_map(due).min()
    }

    /// Takes what a lane's invocation is given.
    pub fn take(&mut self, lane: usize, now: Millis) -> Vec<Record> {
        let waiting = &mut self.lanes[lane].waiting;
        let count = waiting.iter().take(self.gathering.batch_size).filter(|record| record.visible_at() <= now).count();
        waiting.drain(..count).collect()
    }

    /// Has a lane wait until its invocation ends.
    pub fn keep_busy(&mut self, lane: usize, until: Millis) {
        self.lanes[lane].busy_until = until;
    }
}

impl Lane {
    /// When it has gathered for long enough, or enough, and its last invocation is over.
    fn due(&self, gathering: Gathering) -> Option<Millis> {
        let gathered = self.waiting.front()?.visible_at().plus(gathering.window_ms);
        let full = self.waiting.get(gathering.batch_size - 1).map_or(gathered, Record::visible_at);
        Some(gathered.min(full).max(self.busy_until))
    }
}

/// FNV-1a, with its bits mixed once more: short keys that differ in their last letters should not be near each other.
/// <http://www.isthe.com/chongo/tech/comp/fnv/>
fn hash(key: &str) -> u64 {
    let hash = key
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3));
    (hash ^ (hash >> 32)).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 20
}
