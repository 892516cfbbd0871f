//! Blocks: a measure's day of counters, in one item, or in several where it is large.
//!
//! A large day is spread over parts by a hash of the keys. Parts are written once, under a number that no other write
//! has, and the head names the number: once the head is written, the parts it named before are removed. So a block of any
//! size goes from the old figures to the new ones at once. A reader that finds fewer parts than the head says was
//! overtaken, and reads again; parts that no head names are what a writer left that did not end, and the next one removes.
//!
//! Each block belongs to a [`Generation`]. Readers find those of all generations, and leave out all but the one shown.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::AttributeValue;
use futures::stream::{self, TryStreamExt};
use serde::{Deserialize, Serialize};

use super::counters::Rows;
use super::{Generation, Measure};
use crate::codec::{self, Packed};
use crate::dates::DateRange;
use crate::ids::ProjectId;
use crate::keys::{self, BlockItem, BlockKey, Key};
use crate::store::{
    ConditionalPut, DATA, Item, Query, REV, SK, SortKeys, Store, StoreError, binary, item_key, key_item, number,
    read_number, read_packed, read_text,
};
use crate::time::Day;

/// A block above this size is spread over parts.
const MAX_HEAD_BYTES: usize = 256 << 10;
/// About the size of a part.
const PART_BYTES: usize = 128 << 10;
/// The most parts: far more than a day of any project fills.
const MAX_PARTS: usize = 256;

/// The attribute of a block that holds what the rebuild of its generation counted.
const BASED: &str = "based";

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
    /// Whether it holds what the rebuild of its generation counted, and not only what changed since.
    pub is_based: bool,
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
        Ok(match (self, sort_key(item)?.item) {
            (Parts::Of(unique), BlockItem::Part(of)) => of == unique,
            (Parts::Numbered, BlockItem::NumberedPart) => {
                read_number::<u64>(item, REV)? == read_number::<u64>(head, REV)?
            }
            _ => false,
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

/// Reads a measure's blocks of a range of days, in one generation.
pub async fn read<R: for<'a> Packed<'a> + FromIterator<R>>(
    store: &Store,
    project: &ProjectId,
    measure: Measure,
    generation: Generation,
    range: DateRange,
    reading: Reading,
) -> Result<Found<R>, StoreError> {
    let items = fetch(store, project, measure, range, reading).await?;
    let is_cut = matches!(reading, Reading::First(_)) && items.iter().any(|item| !is_of(item, generation));
    if is_cut { Ok(Found::Torn) } else { assemble(&items, generation) }
}

/// The items of a measure's blocks of a range of days, of whatever generations.
pub async fn fetch(
    store: &Store,
    project: &ProjectId,
    measure: Measure,
    range: DateRange,
    reading: Reading,
) -> Result<Vec<Item>, StoreError> {
    let days = SortKeys::Between(range.start().to_string(), format!("{}~", range.end()));
    let query = Query::partition(keys::blocks(project, measure)).sort_keys(days);
    let query = match reading {
        Reading::All => query,
        Reading::Strong => query.strong(),
        Reading::First(items) => query.limit(items),
    };
    store.query(query).await
}

/// Puts blocks of one generation together from items in order of sort keys: a head, then its parts.
pub fn assemble<R: for<'a> Packed<'a> + FromIterator<R>>(
    items: &[Item],
    generation: Generation,
) -> Result<Found<R>, StoreError> {
    let mut blocks = Vec::new();
    for (day, items) in by_day(items, generation)? {
        match assemble_day(day, &items)? {
            Assembled::Block(block) => blocks.push(block),
            Assembled::Nothing => {}
            Assembled::Torn => return Ok(Found::Torn),
        }
    }
    Ok(Found::Blocks(blocks))
}

fn by_day(items: &[Item], generation: Generation) -> Result<BTreeMap<Day, Vec<&Item>>, StoreError> {
    let mut days: BTreeMap<Day, Vec<&Item>> = BTreeMap::new();
    for item in items {
        let key = sort_key(item)?;
        if key.generation == generation {
            days.entry(key.day).or_default().push(item);
        }
    }
    Ok(days)
}

fn sort_key(item: &Item) -> Result<BlockKey, StoreError> {
    let sort_key = read_text(item, SK)?;
    keys::parse_block(sort_key)
        .ok_or_else(|| StoreError::Corrupt { key: sort_key.to_owned(), cause: "no key of a block".to_owned() })
}

fn is_of(item: &Item, generation: Generation) -> bool {
    sort_key(item).is_ok_and(|key| key.generation == generation)
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
    let is_head = |head: &Item| sort_key(head).is_ok_and(|key| key.item == BlockItem::Head);
    let Some((head, parts)) = items.split_first().filter(|(head, _)| is_head(head)) else {
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
    let is_based = head.contains_key(BASED);
    Ok(Assembled::Block(Block { day, round: read_number(head, REV)?, is_based, rows, parts }))
}

/// What is written as a block.
#[derive(Debug)]
pub struct NewBlock {
    /// The last round of compaction merged into it.
    pub round: u64,
    /// Whether it holds what the rebuild of its generation counted.
    pub is_based: bool,
    /// Its counters.
    pub rows: Rows,
}

/// Writes a block as of a round, unless someone else wrote it since `before` was read. Says whether it did.
///
/// Invariant *HeadsNameTheirParts*: all parts that a head names are there as long as it is.
/// Parts are removed only once it is known that no head names them. Where that is in doubt, they stay for the next writer,
/// who removes what no head names.
pub async fn write(
    store: &Store,
    project: &ProjectId,
    measure: Measure,
    generation: Generation,
    day: Day,
    before: Option<&Block>,
    new: NewBlock,
) -> Result<bool, StoreError> {
    let NewBlock { round, is_based, rows } = new;
    let known = before.map(|block| block.round);
    let whole = codec::pack(&Head::Whole(&rows))?;
    let (head, parts) = match whole.len() {
        ..=MAX_HEAD_BYTES => (whole, Vec::new()),
        bytes => {
            let unique = getrandom::u64().map_err(|error| StoreError::Failed(error.to_string()))?;
            let count = bytes.div_ceil(PART_BYTES).next_power_of_two().min(MAX_PARTS);
            let parts = rows.split(count).into_iter().enumerate();
            let parts = parts.map(|(part, rows)| {
                Ok((keys::block_part(project, measure, generation, day, unique, part), codec::pack(&rows)?))
            });
            (
                codec::pack(&Head::<Rows>::Parts { unique, count: count as u32 })?,
                parts.collect::<Result<_, StoreError>>()?,
            )
        }
    };
    let new_parts: Vec<Key> = parts.iter().map(|(key, _)| key.clone()).collect();
    let puts = parts.into_iter().map(|(key, packed)| Ok(store.put(part_item(&key, packed))));
    stream::iter(puts).try_buffer_unordered(CONCURRENCY).try_collect::<Vec<()>>().await?;
    let mut item = part_item(&keys::block(project, measure, generation, day), head);
    item.insert(REV.to_owned(), number(round));
    item.extend(is_based.then(|| (BASED.to_owned(), AttributeValue::Bool(true))));
    let put = store.put_at(item, known).await?;
    let obsolete = match &put {
        ConditionalPut::Stored => before.map_or(&[][..], |block| &block.parts),
        ConditionalPut::Refused(Some(_)) => &new_parts,
        ConditionalPut::Refused(None) => &[],
    };
    let deletes = obsolete.iter().map(|key| Ok(store.delete(key)));
    stream::iter(deletes).try_buffer_unordered(CONCURRENCY).try_collect::<Vec<()>>().await?;
    Ok(put.is_stored())
}

fn part_item(key: &Key, packed: Vec<u8>) -> Item {
    let mut item = key_item(key);
    item.insert(DATA.to_owned(), binary(packed));
    item
}
