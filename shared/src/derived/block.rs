//! Blocks: a measure's day of counters, in one item, or in several where it is large.
//!
//! A large day is spread over parts by a hash of the keys. Parts are written once, under a number that no other write
//! has, and the head names the number: once the head is written, the parts it named before are removed. So a block of any
//! size goes from the old figures to the new ones at once. A reader that finds fewer parts than the head says was
//! overtaken, and reads again; parts that no head names are what a writer left that did not end, and the next one removes.

use std::collections::BTreeMap;

use futures::stream::{self, TryStreamExt};
use serde::{Deserialize, Serialize};

use super::Measure;
use super::counters::Rows;
use crate::codec::{self, Packed};
use crate::dates::DateRange;
use crate::ids::ProjectId;
use crate::keys::{self, Key};
use crate::store::{
    DATA, Item, Query, REV, SK, SortKeys, Store, StoreError, binary, item_key, key_item, number, read_number,
    read_packed, read_text,
};
use crate::time::Day;

/// A block above this size is spread over parts.
const MAX_HEAD_BYTES: usize = 256 << 10;
/// About the size of a part.
const PART_BYTES: usize = 128 << 10;
/// The most parts: far more than a day of any project fills.
const MAX_PARTS: usize = 256;

/// Parts that are written or removed at once.
const CONCURRENCY: usize = 8;

/// A measure's block: to be changed, or with [`FlatRows`] to be read.
///
/// [`FlatRows`]: super::FlatRows
#[derive(Debug)]
pub struct Block<R = Rows> {
    /// Whose day it is.
    pub day: Day,
    /// The last round of compaction merged into it.
    pub round: u64,
    /// Its counters.
    pub rows: R,
    /// The parts that were found, those that are left over too.
    parts: Vec<Key>,
}

/// What the head item holds: all rows, or which parts hold them.
#[derive(Debug, Serialize, Deserialize)]
enum Head<R> {
    Whole(R),
    Parts { unique: u64, count: u32 },
}

/// A head in format 2, which was written in one transaction with its parts.
#[derive(Debug, Deserialize)]
enum HeadV2<R> {
    Whole(R),
    Parts(u32),
}

/// What a head says, whatever its format.
#[derive(Debug)]
enum Content<R> {
    Whole(R),
    Parts(Parts, u32),
}

/// Which items are a block's parts.
#[derive(Debug, Clone, Copy)]
enum Parts {
    /// Those that carry the number of the write.
    Of(u64),
    /// Those that are merely numbered, and carry the head's round: format 2.
    Numbered,
}

impl<'a, R: Packed<'a>> Packed<'a> for Content<R> {
    type V2 = HeadV2<R::V2>;
    type V3 = Head<R::V3>;
}

impl<L: Into<R>, R> From<HeadV2<L>> for Content<R> {
    fn from(head: HeadV2<L>) -> Self {
        match head {
            HeadV2::Whole(rows) => Content::Whole(rows.into()),
            HeadV2::Parts(count) => Content::Parts(Parts::Numbered, count),
        }
    }
}

impl<L: Into<R>, R> From<Head<L>> for Content<R> {
    fn from(head: Head<L>) -> Self {
        match head {
            Head::Whole(rows) => Content::Whole(rows.into()),
            Head::Parts { unique, count } => Content::Parts(Parts::Of(unique), count),
        }
    }
}

impl Parts {
    /// Whether an item that lies behind a head is a part of its block.
    fn include(self, head: &Item, item: &Item) -> Result<bool, StoreError> {
        let sort_key = read_text(item, SK)?;
        Ok(match self {
            Parts::Of(unique) => keys::is_block_part_of(sort_key, unique),
            Parts::Numbered => {
                keys::is_numbered_block_part(sort_key)
                    && read_number::<u64>(item, REV)? == read_number::<u64>(head, REV)?
            }
        })
    }
}

/// What a query of blocks found.
#[derive(Debug)]
pub enum Found<R = Rows> {
    /// The blocks, by day.
    Blocks(Vec<Block<R>>),
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
pub async fn read<R: for<'a> Packed<'a> + FromIterator<R>>(
    store: &Store,
    project: &ProjectId,
    measure: Measure,
    range: DateRange,
    reading: Reading,
) -> Result<Found<R>, StoreError> {
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
fn assemble<R: for<'a> Packed<'a> + FromIterator<R>>(items: &[Item]) -> Result<Found<R>, StoreError> {
    let mut blocks = Vec::new();
    for (day, items) in by_day(items)? {
        match assemble_day(day, &items)? {
            Assembled::Block(block) => blocks.push(block),
            Assembled::Nothing => {}
            Assembled::Torn => return Ok(Found::Torn),
        }
    }
    Ok(Found::Blocks(blocks))
}

fn by_day(items: &[Item]) -> Result<BTreeMap<Day, Vec<&Item>>, StoreError> {
    let mut days: BTreeMap<Day, Vec<&Item>> = BTreeMap::new();
    for item in items {
        let sort_key = read_text(item, SK)?;
        let day = keys::block_day(sort_key)
            .ok_or_else(|| StoreError::Corrupt { key: sort_key.to_owned(), cause: "no day".to_owned() })?;
        days.entry(day).or_default().push(item);
    }
    Ok(days)
}

/// What the items of a day come to.
enum Assembled<R> {
    Block(Block<R>),
    /// Only parts that no head names.
    Nothing,
    /// Not all the parts that the head names.
    Torn,
}

fn assemble_day<R: for<'a> Packed<'a> + FromIterator<R>>(
    day: Day,
    items: &[&Item],
) -> Result<Assembled<R>, StoreError> {
    let Some((head, parts)) =
        items.split_first().filter(|(head, _)| read_text(head, SK).is_ok_and(|sort_key| sort_key == day.to_string()))
    else {
        return Ok(Assembled::Nothing);
    };
    let rows = match read_packed::<Content<R>>(head)? {
        Content::Whole(rows) => rows,
        Content::Parts(named, count) => {
            let mut rows = Vec::new();
            for part in parts {
                if named.include(head, part)? {
                    rows.push(read_packed(part)?);
                }
            }
            if rows.len() != count as usize {
                return Ok(Assembled::Torn);
            }
            rows.into_iter().collect()
        }
    };
    let parts = parts.iter().map(|part| item_key(part)).collect::<Result<_, _>>()?;
    Ok(Assembled::Block(Block { day, round: read_number(head, REV)?, rows, parts }))
}

/// A day of a measure as it is found, readable or not.
#[derive(Debug)]
pub struct StoredDay {
    /// Which day.
    pub day: Day,
    /// The keys of its items.
    pub keys: Vec<Key>,
    /// The block, if it can be read.
    pub block: Option<Block>,
}

/// All days of a measure, for a rebuild.
pub async fn read_ever(store: &Store, project: &ProjectId, measure: Measure) -> Result<Vec<StoredDay>, StoreError> {
    let mut items = store.query(Query::partition(keys::blocks(project, measure)).strong()).await?;
    // What is no day's is nothing that a rebuild could mend.
    items.retain(|item| read_text(item, SK).is_ok_and(|sort_key| keys::block_day(sort_key).is_some()));
    let read = |(day, items): (Day, Vec<&Item>)| {
        let keys = items.iter().map(|item| item_key(item)).collect::<Result<_, _>>()?;
        let block = match assemble_day(day, &items) {
            Ok(Assembled::Block(block)) => Some(block),
            Ok(Assembled::Nothing | Assembled::Torn) | Err(_) => None,
        };
        Ok(StoredDay { day, keys, block })
    };
    by_day(&items)?.into_iter().map(read).collect()
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
    let whole = codec::pack(&Head::Whole(&rows))?;
    let (head, parts) = match whole.len() {
        ..=MAX_HEAD_BYTES => (whole, Vec::new()),
        bytes => {
            let unique = getrandom::u64().map_err(|error| StoreError::Failed(error.to_string()))?;
            let count = bytes.div_ceil(PART_BYTES).next_power_of_two().min(MAX_PARTS);
            let parts = rows.split(count).into_iter().enumerate();
            let parts = parts
                .map(|(part, rows)| Ok((keys::block_part(project, measure, day, unique, part), codec::pack(&rows)?)));
            (
                codec::pack(&Head::<Rows>::Parts { unique, count: count as u32 })?,
                parts.collect::<Result<_, StoreError>>()?,
            )
        }
    };
    let new: Vec<Key> = parts.iter().map(|(key, _)| key.clone()).collect();
    let puts = parts.into_iter().map(|(key, packed)| Ok(store.put(item(&key, packed, None))));
    stream::iter(puts).try_buffer_unordered(CONCURRENCY).try_collect::<Vec<()>>().await?;
    let is_written = store.put_at(item(&keys::block(project, measure, day), head, Some(round)), known).await?;
    let old = before.map_or(&[][..], |block| &block.parts);
    let obsolete = if is_written { old } else { &new };
    let deletes = obsolete.iter().map(|key| Ok(store.delete(key)));
    stream::iter(deletes).try_buffer_unordered(CONCURRENCY).try_collect::<Vec<()>>().await?;
    Ok(is_written)
}

fn item(key: &Key, packed: Vec<u8>, round: Option<u64>) -> Item {
    let mut item = key_item(key);
    item.insert(DATA.to_owned(), binary(packed));
    if let Some(round) = round {
        item.insert(REV.to_owned(), number(round));
    }
    item
}
