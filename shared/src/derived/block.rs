//! Blocks: a measure's day of counters, in one item, or in several where it is large.
//!
//! A large day is spread over numbered parts by a hash of the keys. The head and its parts are written in
//! one transaction and carry the same round; a reader that meets parts of another round reads again.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Measure;
use super::counters::Rows;
use crate::codec;
use crate::dates::DateRange;
use crate::ids::ProjectId;
use crate::keys;
use crate::store::{
    DATA, Item, Outcome, Query, REV, SK, SortKeys, Store, StoreError, Write, binary, item_key, key_item, number,
    read_number, read_packed, read_text,
};
use crate::time::Day;

/// A block above this size is spread over parts.
const MAX_HEAD_BYTES: usize = 256 << 10;
/// About the size that parts begin with.
const PART_BYTES: usize = 128 << 10;
/// The most parts: the transaction that writes them must stay below 4 MB.
const MAX_PARTS: usize = 16;

/// A measure's block.
#[derive(Debug)]
pub struct Block {
    /// Whose day it is.
    pub day: Day,
    /// The last round of compaction merged into it.
    pub round: u64,
    /// Its counters.
    pub rows: Rows,
    parts: usize,
}

/// What the head item holds: all rows, or how many parts hold them.
#[derive(Debug, Serialize, Deserialize)]
enum Head {
    Whole(Rows),
    Parts(u32),
}

/// What a query of blocks found.
#[derive(Debug)]
pub enum Found {
    /// The blocks, by day.
    Blocks(Vec<Block>),
    /// A block was being written: read again.
    Torn,
}

/// Which blocks of a range are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reading {
    /// All of them.
    All,
    /// All of them, as of now.
    Strong,
    /// The first items only: so many blocks where each is one item.
    First(usize),
}

/// Reads a measure's blocks of a range of days.
pub async fn read(
    store: &Store,
    project: &ProjectId,
    measure: Measure,
    range: DateRange,
    reading: Reading,
) -> Result<Found, StoreError> {
    let days = SortKeys::Between(range.start().to_string(), format!("{}~", range.end()));
    let query = Query::partition(keys::blocks(project, measure)).sort_keys(days);
    let query = match reading {
        Reading::All => query,
        Reading::Strong => query.strong(),
        Reading::First(items) => query.limit(items),
    };
    assemble(&store.query(query).await?)
}

/// Puts blocks together from their items, in order of sort keys: a head, then its parts.
fn assemble(items: &[Item]) -> Result<Found, StoreError> {
    let mut by_day: BTreeMap<Day, Vec<&Item>> = BTreeMap::new();
    for item in items {
        let sort_key = read_text(item, SK)?;
        let day = keys::block_day(sort_key)
            .ok_or_else(|| StoreError::Corrupt { key: sort_key.to_owned(), cause: "no day".to_owned() })?;
        by_day.entry(day).or_default().push(item);
    }
    let mut blocks = Vec::with_capacity(by_day.len());
    for (day, items) in by_day {
        match assemble_day(day, &items)? {
            Some(block) => blocks.push(block),
            None => return Ok(Found::Torn),
        }
    }
    Ok(Found::Blocks(blocks))
}

fn assemble_day(day: Day, items: &[&Item]) -> Result<Option<Block>, StoreError> {
    let Some((head, parts)) =
        items.split_first().filter(|(head, _)| read_text(head, SK).is_ok_and(|sort_key| sort_key == day.to_string()))
    else {
        return Ok(None);
    };
    let round = read_number(head, REV)?;
    let count = match read_packed(head)? {
        Head::Whole(rows) if parts.is_empty() => return Ok(Some(Block { day, round, rows, parts: 0 })),
        Head::Whole(_) => return Ok(None),
        Head::Parts(count) => count as usize,
    };
    let mut rows = Vec::with_capacity(count);
    for part in parts {
        if read_number::<u64>(part, REV)? != round {
            return Ok(None);
        }
        rows.push(read_packed(part)?);
    }
    Ok((rows.len() == count).then(|| Block { day, round, rows: Rows::join(rows), parts: count }))
}

/// A day of a measure as it is found, readable or not.
#[derive(Debug)]
pub struct StoredDay {
    /// Which day.
    pub day: Day,
    /// The keys of its items.
    pub keys: Vec<keys::Key>,
    /// The block, if it can be read.
    pub block: Option<Block>,
}

/// All days of a measure, for a rebuild.
pub async fn read_ever(store: &Store, project: &ProjectId, measure: Measure) -> Result<Vec<StoredDay>, StoreError> {
    let items = store.query(Query::partition(keys::blocks(project, measure)).strong()).await?;
    let mut by_day: BTreeMap<Day, Vec<&Item>> = BTreeMap::new();
    for item in &items {
        if let Some(day) = keys::block_day(read_text(item, SK)?) {
            by_day.entry(day).or_default().push(item);
        }
    }
    let read = |(day, items): (Day, Vec<&Item>)| {
        let keys = items.iter().map(|item| item_key(item)).collect::<Result<_, _>>()?;
        Ok(StoredDay { day, keys, block: assemble_day(day, &items).unwrap_or_default() })
    };
    by_day.into_iter().map(read).collect()
}

/// Writes a block as of a round, unless someone else wrote it since `before` was read. Says whether it did.
pub async fn write(
    store: &Store,
    project: &ProjectId,
    measure: Measure,
    day: Day,
    before: Option<&Block>,
    round: u64,
    rows: Rows,
) -> Result<bool, StoreError> {
    let known = before.map(|block| block.round);
    let had_parts = before.map_or(0, |block| block.parts);
    let item = |key: keys::Key, packed: Vec<u8>| {
        let mut item = key_item(&key);
        item.insert(REV.to_owned(), number(round));
        item.insert(DATA.to_owned(), binary(packed));
        item
    };
    let head = keys::block(project, measure, day);
    let whole = codec::pack(&Head::Whole(rows.clone()))?;
    if whole.len() <= MAX_HEAD_BYTES && had_parts == 0 {
        return store.put_at(item(head, whole), known).await;
    }
    let part_key = |part: usize| keys::block_part(project, measure, day, part);
    let mut writes = Vec::new();
    let count = if whole.len() <= MAX_HEAD_BYTES {
        writes.push(Write::PutAt(item(head, whole), known));
        0
    } else {
        let count = whole.len().div_ceil(PART_BYTES).next_power_of_two().clamp(had_parts.max(2), MAX_PARTS);
        writes.push(Write::PutAt(item(head, codec::pack(&Head::Parts(count as u32))?), known));
        for (part, rows) in rows.split(count).into_iter().enumerate() {
            writes.push(Write::Put(item(part_key(part), codec::pack(&rows)?)));
        }
        count
    };
    writes.extend((count..had_parts).map(|part| Write::Delete(part_key(part))));
    Ok(store.transact(writes).await? == Outcome::Committed)
}
