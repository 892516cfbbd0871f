//! The tail: segments that compaction has not removed yet, and the manifest that says what it merged.
//!
//! Compaction goes in rounds, one at a time. The manifest lists the segments of each round before the
//! first of them is merged, and each block carries the number of the last round merged into it. So
//! a round may be carried out again after a crash, by anyone, even by two at once, and still counts
//! every segment exactly once: a segment of round `n` is missing from a block exactly if the block's
//! number is below `n`. Readers and compaction go by this rule alone.

use std::collections::{HashMap, HashSet};

use serde::{Deserialize, Serialize};

use super::contributions::Delta;
use super::packed::{self, PackedDelta};
use crate::codec::{self, Packed};
use crate::ids::ProjectId;
use crate::keys;
use crate::store::{
    DATA, Item, Query, REV, SK, Store, StoreError, binary, key_item, number, read_binary, read_number, read_packed,
    read_text,
};
use crate::time::Millis;

/// The rounds of compaction whose segments are still in the tail, oldest first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// The rounds; all but the last are complete.
    pub rounds: Vec<Round>,
}

impl Packed<'_> for Manifest {
    type V2 = Self;
    type V3 = Self;
}

/// A round of compaction.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Round {
    /// Its number, from 1.
    pub number: u64,
    /// The sort keys of the segments it merges.
    pub segments: HashSet<String>,
    /// When it was complete; `None` while it goes on.
    pub done_at: Option<Millis>,
}

/// A segment as stored; readers leave its delta packed.
#[derive(Debug, Clone)]
pub struct Segment<D = Delta> {
    /// Its sort key.
    pub id: String,
    /// Its size in the table, in bytes.
    pub size: usize,
    /// The round that merges it, if one does.
    pub round: Option<u64>,
    /// What it changes.
    pub delta: D,
}

impl<D> Segment<D> {
    /// Whether a block at this round lacks the segment. A block that does not exist is at round 0.
    pub fn is_beyond(&self, block_round: u64) -> bool {
        self.round.is_none_or(|round| round > block_round)
    }
}

/// Everything in a project's tail.
#[derive(Debug, Clone)]
pub struct Tail<D = Delta> {
    /// The number of the last round that was begun; 0 before the first.
    pub round: u64,
    /// The rounds whose segments are still there.
    pub manifest: Manifest,
    /// All segments, oldest first.
    pub segments: Vec<Segment<D>>,
}

impl Tail {
    /// Reads a project's tail as of now, to change it.
    pub async fn load(store: &Store, project: &ProjectId) -> Result<Self, StoreError> {
        let items = store.query(Query::partition(keys::tail(project)).strong()).await?;
        Tail::read(&items, read_delta)
    }

    /// Reads a project's tail for a rebuild: a segment that can't be read changes nothing. Says how many can't.
    pub async fn load_readable(store: &Store, project: &ProjectId) -> Result<(Self, usize), StoreError> {
        let items = store.query(Query::partition(keys::tail(project)).strong()).await?;
        let mut unreadable = 0;
        let tail = Tail::read(&items, |item| {
            Ok(read_delta(item).unwrap_or_else(|_| {
                unreadable += 1;
                Delta::default()
            }))
        })?;
        Ok((tail, unreadable))
    }
}

impl Tail<PackedDelta> {
    /// Reads a project's tail, to add it to blocks and runs.
    pub async fn load_packed(store: &Store, project: &ProjectId) -> Result<Self, StoreError> {
        let items = store.query(Query::partition(keys::tail(project))).await?;
        Tail::read(&items, PackedDelta::of)
    }
}

impl<D> Tail<D> {
    fn read(items: &[Item], mut delta: impl FnMut(&Item) -> Result<D, StoreError>) -> Result<Self, StoreError> {
        let mut tail = Tail { round: 0, manifest: Manifest::default(), segments: Vec::new() };
        for item in items {
            let id = read_text(item, SK)?;
            if keys::is_segment(id) {
                let size = read_binary(item, DATA)?.len();
                tail.segments.push(Segment { id: id.to_owned(), size, round: None, delta: delta(item)? });
            } else {
                tail.round = read_number(item, REV)?;
                tail.manifest = read_packed(item)?;
            }
        }
        tail.assign_rounds();
        Ok(tail)
    }

    fn assign_rounds(&mut self) {
        let rounds: HashMap<&str, u64> = self
            .manifest
            .rounds
            .iter()
            .flat_map(|round| round.segments.iter().map(|id| (id.as_str(), round.number)))
            .collect();
        for segment in &mut self.segments {
            segment.round = rounds.get(segment.id.as_str()).copied();
        }
    }
}

fn read_delta(item: &Item) -> Result<Delta, StoreError> {
    Ok(PackedDelta::of(item)?.unpack()?)
}

/// A segment is split above this size: DynamoDB's items end at 400 KB.
const MAX_SEGMENT_BYTES: usize = 300 << 10;

/// The items of a change: one segment, or several where it is too large for one item. `unique` tells
/// them from all others.
pub fn segment_items(project: &ProjectId, at: Millis, unique: u64, delta: Delta) -> Result<Vec<Item>, StoreError> {
    let (mut items, mut parts) = (Vec::new(), vec![delta]);
    while let Some(part) = parts.pop() {
        let packed = packed::pack(&part)?;
        if packed.len() > MAX_SEGMENT_BYTES && part.is_divisible() {
            parts.extend(part.halves());
            continue;
        }
        let mut item = key_item(&keys::segment(project, at, unique.wrapping_add(items.len() as u64)));
        item.insert(DATA.to_owned(), binary(packed));
        items.push(item);
    }
    Ok(items)
}

/// The manifest's item for a round.
pub fn manifest_item(project: &ProjectId, round: u64, manifest: &Manifest) -> Result<Item, StoreError> {
    let mut item = key_item(&keys::manifest(project));
    item.insert(REV.to_owned(), number(round));
    item.insert(DATA.to_owned(), binary(codec::pack(manifest)?));
    Ok(item)
}
