//! Blocks: a measure's day of counters, in one item, or in several where it is large.
//!
//! A large day is spread over parts by a hash of the keys. Parts are written once, under a number that no other write
//! has, and the head names the number: once the head is written, the parts it named before are removed. So a block of any
//! size goes from the old figures to the new ones at once. A reader that finds fewer parts than the head says was
//! overtaken, and reads again; parts that no head names are what a writer left that did not end, and the next one removes.
//!
//! A block that is far larger than what changes gets *layers*: what one round adds, in an item of its own on top of the
//! others. Once they come to half of what they lie on, all of it is written anew. So a round costs what it changes, and a
//! reader reads half as much again at most. Which layers count, [`stack`] says.
//!
//! Each block belongs to a [`Generation`]. Readers find those of all generations, and leave out all but the one shown.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::AttributeValue;
use futures::stream::{self, TryStreamExt};
use serde::{Deserialize, Serialize};

use crate::counters::FlatRows;
use crate::counters::rows::Rows;
use crate::dates::DateRange;
use crate::generation::Generation;
use crate::ids::ProjectId;
use crate::measures::Measure;
use crate::random;
use crate::retention::Kept;
use crate::table::codec::{self, Packed};
use crate::table::keys::{self, BlockItem, BlockKey, Key};
use crate::table::store::{
    ConditionalPut, DATA, Item, Query, REV, SK, SortKeys, Store, StoreError, binary, item_key, key_item, number,
    read_binary, read_number, read_packed, read_text,
};
use crate::time::Day;

/// A block above this size is spread over parts.
const MAX_HEAD_BYTES: usize = 256 << 10;
/// About the size of a part.
const PART_BYTES: usize = 128 << 10;
/// The most parts: far more than a day of any project fills.
const MAX_PARTS: usize = 256;

/// A block above this size gets layers.
const MIN_LAYERED_BYTES: usize = 4 << 10;

/// The attribute of a block that holds what the rebuild of its generation counted.
const BASED: &str = "based";

/// Parts that are written or removed at once.
const CONCURRENCY: usize = 8;

/// A measure's block: to be changed, or with [`FlatRows`] to be read.
///
/// [`FlatRows`]: crate::counters::FlatRows
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
    /// The round that the head carries.
    head_round: u64,
    /// The size of the head and the parts it names, and that of the layers that count on them.
    bytes: usize,
    layer_bytes: usize,
    /// The parts and layers that were found, those that are left over too.
    behind: Vec<Key>,
}

impl<R> Block<R> {
    /// Whether there are layers on it that count.
    pub fn has_layers(&self) -> bool {
        self.round > self.head_round
    }
}

/// The rows of a block, for those who change it or those who read it.
pub trait BlockRows: for<'a> Packed<'a> + FromIterator<Self> {
    /// Rows with what layers add to them.
    fn with_layers(self, layers: &[Rows], measure: Measure) -> Self;
}

impl BlockRows for Rows {
    fn with_layers(mut self, layers: &[Rows], measure: Measure) -> Self {
        layers.iter().for_each(|layer| self.add_all(layer));
        measure.limit(&mut self);
        self
    }
}

impl BlockRows for FlatRows {
    fn with_layers(self, layers: &[Rows], measure: Measure) -> Self {
        let mut added = Rows::default();
        layers.iter().for_each(|layer| added.add_all(layer));
        measure.limited(self.plus(&added))
    }
}

/// Which of a head's layers count, ascending by the round that each lies on; `None` if one is missing between them.
///
/// Each is given as the round it lies on and the round it adds. One that adds a round that is below it already, in the
/// head or in another layer, is what a slow writer left, and counts no more.
///
/// Invariant *LayersFollow*: those that count add each round after the head's once, in order.
pub fn stack(head_round: u64, layers: &[(u64, u64)]) -> Option<Vec<usize>> {
    let (mut top, mut counting) = (head_round, Vec::new());
    for (position, (before, round)) in layers.iter().enumerate() {
        if *round <= top {
            continue;
        }
        if *before > top {
            return None;
        }
        top = *round;
        counting.push(position);
    }
    Some(counting)
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
}

/// Reads a measure's blocks of a range of days, in one generation.
pub async fn read<R: BlockRows>(
    store: &Store,
    project: &ProjectId,
    measure: Measure,
    generation: Generation,
    range: DateRange,
    reading: Reading,
) -> Result<Found<R>, StoreError> {
    let items = fetch(store, project, measure, range, reading).await?;
    assemble(measure, &items, generation)
}

/// The items of a measure's blocks of a range of days, of whatever generations.
pub async fn fetch(
    store: &Store,
    project: &ProjectId,
    measure: Measure,
    range: DateRange,
    reading: Reading,
) -> Result<Vec<Item>, StoreError> {
    let query = blocks_of(project, measure, range);
    let query = match reading {
        Reading::All => query,
        Reading::Strong => query.strong(),
    };
    store.query(query).await
}

fn blocks_of(project: &ProjectId, measure: Measure, range: DateRange) -> Query {
    let days = SortKeys::Between(range.start().to_string(), format!("{}~", range.end()));
    Query::partition(keys::blocks(project, measure.name())).sort_keys(days)
}

/// Reads the first blocks of a range of days, as many as so many items hold, and says up to which day they are all there
/// is. None: these items don't tell.
pub async fn read_first<R: BlockRows>(
    store: &Store,
    project: &ProjectId,
    measure: Measure,
    generation: Generation,
    range: DateRange,
    limit: usize,
) -> Result<Option<(Vec<Block<R>>, Day)>, StoreError> {
    let mut items = store.query(blocks_of(project, measure, range).limit(limit)).await?;
    let keys = items.iter().map(sort_key).collect::<Result<Vec<_>, _>>()?;
    let mut read_to = range.end();
    if let Some(last) = keys.last().filter(|_| keys.len() == limit) {
        // More items of its day may come after it.
        items.truncate(keys.iter().filter(|key| key.day < last.day).count());
        read_to = last.day.plus(-1);
    }
    if keys.iter().any(|key| key.generation != generation) || items.is_empty() && !keys.is_empty() {
        return Ok(None);
    }
    Ok(match assemble(measure, &items, generation)? {
        Found::Blocks(blocks) => Some((blocks, read_to)),
        Found::Torn => None,
    })
}

/// Puts blocks of one generation together from items in order of sort keys: a head, its parts, its layers.
pub fn assemble<R: BlockRows>(
    measure: Measure,
    items: &[Item],
    generation: Generation,
) -> Result<Found<R>, StoreError> {
    let mut blocks = Vec::new();
    for (day, items) in by_day(items, generation)? {
        match assemble_day(measure, day, &items)? {
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

/// What the items of a day come to.
enum Assembled<R> {
    Block(Block<R>),
    /// Only parts and layers without a head.
    Nothing,
    /// Not all the parts that the head names, or not all layers.
    Torn,
}

fn assemble_day<R: BlockRows>(measure: Measure, day: Day, items: &[&Item]) -> Result<Assembled<R>, StoreError> {
    let is_head = |head: &Item| sort_key(head).is_ok_and(|key| key.item == BlockItem::Head);
    let Some((head, behind)) = items.split_first().filter(|(head, _)| is_head(head)) else {
        return Ok(Assembled::Nothing);
    };
    let mut bytes = read_binary(head, DATA)?.len();
    let rows = match read_packed::<Content<R>>(head)? {
        Content::Whole(rows) => rows,
        Content::Parts(named, count) => {
            let mut rows = Vec::new();
            for part in behind {
                if named.include(head, part)? {
                    bytes += read_binary(part, DATA)?.len();
                    rows.push(read_packed(part)?);
                }
            }
            if rows.len() != count as usize {
                return Ok(Assembled::Torn);
            }
            rows.into_iter().collect()
        }
    };
    let head_round = read_number(head, REV)?;
    let Some(layers) = layers_on(head_round, behind)? else { return Ok(Assembled::Torn) };
    let round = layers.last().map_or(Ok(head_round), |layer| read_number(layer, REV))?;
    let layer_bytes = layers.iter().map(|layer| Ok(read_binary(layer, DATA)?.len())).sum::<Result<_, StoreError>>()?;
    let layers = layers.into_iter().map(read_packed).collect::<Result<Vec<Rows>, _>>()?;
    let rows = if layers.is_empty() { rows } else { rows.with_layers(&layers, measure) };
    let behind = behind.iter().map(|item| item_key(item)).collect::<Result<_, _>>()?;
    let is_based = head.contains_key(BASED);
    Ok(Assembled::Block(Block { day, round, is_based, rows, head_round, bytes, layer_bytes, behind }))
}

/// The layers that count, among the items behind a head; none if one is missing.
fn layers_on<'a>(head_round: u64, behind: &[&'a Item]) -> Result<Option<Vec<&'a Item>>, StoreError> {
    let (mut layers, mut revisions) = (Vec::new(), Vec::new());
    for item in behind {
        if let BlockItem::Layer(before) = sort_key(item)?.item {
            layers.push(*item);
            revisions.push((before, read_number(item, REV)?));
        }
    }
    let counting = stack(head_round, &revisions);
    Ok(counting.map(|counting| counting.into_iter().filter_map(|position| layers.get(position).copied()).collect()))
}

/// What is written as a block.
#[derive(Debug)]
pub struct NewBlock {
    /// The last round of compaction merged into it.
    pub round: u64,
    /// Whether it holds what the rebuild of its generation counted.
    pub is_based: bool,
    /// What its project keeps: the blocks of a measure that shows single visitors are no exception.
    pub kept: Kept,
    /// Its counters.
    pub rows: Rows,
}

/// Writes a block as of a round, unless someone else wrote it since `before` was read. Says whether it did.
///
/// Layers that others lay on it meanwhile stay, and count if they add a later round.
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
    let NewBlock { round, is_based, kept, rows } = new;
    let known = before.map(|block| block.head_round);
    let whole = codec::pack(&Head::Whole(&rows))?;
    let (head, parts) = match whole.len() {
        ..=MAX_HEAD_BYTES => (whole, Vec::new()),
        bytes => {
            let unique = random::number()?;
            let count = bytes.div_ceil(PART_BYTES).next_power_of_two().min(MAX_PARTS);
            let parts = rows.split(count).into_iter().enumerate();
            let parts = parts.map(|(part, rows)| {
                Ok((keys::block_part(project, measure.name(), generation, day, unique, part), codec::pack(&rows)?))
            });
            (
                codec::pack(&Head::<Rows>::Parts { unique, count: count as u32 })?,
                parts.collect::<Result<_, StoreError>>()?,
            )
        }
    };
    let new_parts: Vec<Key> = parts.iter().map(|(key, _)| key.clone()).collect();
    let part_item = |key: &Key, packed| part_item(key, packed, (measure, day), kept);
    let puts = parts.into_iter().map(|(key, packed)| Ok(store.put(part_item(&key, packed))));
    stream::iter(puts).try_buffer_unordered(CONCURRENCY).try_collect::<Vec<()>>().await?;
    let mut item = part_item(&keys::block(project, measure.name(), generation, day), head);
    item.insert(REV.to_owned(), number(round));
    item.extend(is_based.then(|| (BASED.to_owned(), AttributeValue::Bool(true))));
    let put = store.put_at(item, known).await?;
    let obsolete = match &put {
        ConditionalPut::Stored => before.map_or(&[][..], |block| &block.behind),
        ConditionalPut::Refused(Some(_)) => &new_parts,
        ConditionalPut::Refused(None) => &[],
    };
    let deletes = obsolete.iter().map(|key| Ok(store.delete(key)));
    stream::iter(deletes).try_buffer_unordered(CONCURRENCY).try_collect::<Vec<()>>().await?;
    Ok(put.is_stored())
}

/// What the segments of a round change, as a layer to be put on a block where none is; `None` where the block is better
/// written anew.
pub fn layer(
    project: &ProjectId,
    measure: Measure,
    generation: Generation,
    block: &Block,
    (round, kept): (u64, Kept),
    changes: &[&Rows],
) -> Result<Option<Item>, StoreError> {
    if block.bytes < MIN_LAYERED_BYTES {
        return Ok(None);
    }
    let mut sum = Rows::default();
    changes.iter().for_each(|change| sum.add_all(change));
    sum.prune();
    let packed = codec::pack(&sum)?;
    if block.layer_bytes + packed.len() > block.bytes / 2 {
        return Ok(None);
    }
    let key = keys::block_layer(project, measure.name(), generation, block.day, block.round);
    let mut item = part_item(&key, packed, (measure, block.day), kept);
    item.insert(REV.to_owned(), number(round));
    Ok(Some(item))
}

/// The last of a measure's items before a day, of whatever generation.
pub async fn last_before(
    store: &Store,
    project: &ProjectId,
    measure: Measure,
    day: Day,
) -> Result<Option<BlockKey>, StoreError> {
    let Some(range) = DateRange::new(DateRange::always().start(), day.plus(-1)) else { return Ok(None) };
    let query = blocks_of(project, measure, range).descending().limit(1).keys_only();
    store.query(query).await?.first().map(sort_key).transpose()
}

/// An item of a block, which expires where it shows visitors.
fn part_item(key: &Key, packed: Vec<u8>, (measure, day): (Measure, Day), kept: Kept) -> Item {
    let mut item = key_item(key);
    item.insert(DATA.to_owned(), binary(packed));
    if measure.shows_visitors() {
        kept.note(&mut item, day);
    }
    item
}
