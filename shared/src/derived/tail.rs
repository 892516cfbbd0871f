//! The tail: segments that compaction has not merged yet, and the manifest that says which it is merging.
//!
//! Compaction goes in rounds. A round's manifest lists the segments it merges. Each block carries the
//! number of the last round merged into it, so that a round may be carried out again after a crash, by
//! anyone, even by two at once, and still counts every segment exactly once: a block at round `n`
//! contains the segments of rounds up to `n`, and nothing else. A reader that finds a segment of
//! round `n` beside a block of round `n` leaves the segment out for that block.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};

use super::contributions::Delta;
use crate::codec;
use crate::ids::ProjectId;
use crate::keys;
use crate::store::{
    DATA, Item, Query, REV, SK, Store, StoreError, binary, key_item, number, read_number, read_packed, read_text,
};
use crate::time::Millis;

/// What compaction is doing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// The sort keys of the segments of the current round.
    pub segments: HashSet<String>,
    /// When the round was complete; `None` while it goes on.
    pub done_at: Option<Millis>,
}

/// A segment as stored.
#[derive(Debug, Clone)]
pub struct Segment {
    /// Its sort key.
    pub id: String,
    /// Its size in the table, in bytes.
    pub size: usize,
    /// What it changes.
    pub delta: Delta,
}

/// Everything in a project's tail.
#[derive(Debug, Clone, Default)]
pub struct Tail {
    /// The number of the current round; 0 before the first.
    pub round: u64,
    /// The current round.
    pub manifest: Manifest,
    /// All segments, those of the current round among them, oldest first.
    pub segments: Vec<Segment>,
}

impl Tail {
    /// Reads a project's tail.
    pub async fn load(store: &Store, project: &ProjectId, strong: bool) -> Result<Self, StoreError> {
        let query = Query::partition(keys::tail(project));
        let items = store.query(if strong { query.strong() } else { query }).await?;
        let mut tail = Tail::default();
        for item in &items {
            let id = read_text(item, SK)?;
            if keys::is_segment(id) {
                let size = crate::store::read_binary(item, DATA)?.len();
                tail.segments.push(Segment { id: id.to_owned(), size, delta: read_packed(item)? });
            } else {
                tail.round = read_number(item, REV)?;
                tail.manifest = read_packed(item)?;
            }
        }
        Ok(tail)
    }

    /// The segments that a block at this round does not contain yet.
    pub fn beyond(&self, block_round: u64) -> impl Iterator<Item = &Segment> {
        let current_is_merged = block_round >= self.round;
        self.segments.iter().filter(move |segment| !(current_is_merged && self.manifest.segments.contains(&segment.id)))
    }
}

/// A segment's item. `unique` tells it from every other one.
pub fn segment_item(project: &ProjectId, at: Millis, unique: u64, delta: &Delta) -> Result<Item, StoreError> {
    let mut item = key_item(&keys::segment(project, at, unique));
    item.insert(DATA.to_owned(), binary(codec::pack(delta)?));
    Ok(item)
}

/// The manifest's item for a round.
pub fn manifest_item(project: &ProjectId, round: u64, manifest: &Manifest) -> Result<Item, StoreError> {
    let mut item = key_item(&keys::manifest(project));
    item.insert(REV.to_owned(), number(round));
    item.insert(DATA.to_owned(), binary(codec::pack(manifest)?));
    Ok(item)
}
