//! Reading figures and indexes: blocks and runs, with the tail's segments added.

use std::collections::BTreeMap;

use futures::future::{try_join, try_join_all};
use tokio::sync::OnceCell;

use crate::counters::flat::FlatRows;
use crate::counters::rows::Rows;
use crate::dates::DateRange;
use crate::generation::Generation;
use crate::ids::ProjectId;
use crate::log::block::{self, Block, Found, Reading};
use crate::log::index::{
    self, BatchEntry, BatchRef, Entries, FoundRef, HourEntries, SessionEntry, SessionRef, Versioned, keep_latest, merge,
};
use crate::log::packed::PackedDelta;
use crate::log::tail::Tail;
use crate::measures::Measure;
use crate::table::keys;
use crate::table::keys::Index;
use crate::table::store::{Consistency, Item, Query, SortKeys, Store, StoreError, inflated, read_packed, read_plain};
use crate::time::{Day, Hour};

/// How often a read starts over because compaction overtook it, or one of the table's copies is behind another.
const MAX_TRIES: usize = 5;

/// The tries after these read as of now: copies that are behind can't make them start over.
const EVENTUAL_TRIES: usize = 2;

/// How many days' entries are read at a time where a filter needs all of them, and how many sessions of theirs, unless
/// a single day has more: some 15 MB.
const DAYS_AT_ONCE: usize = 32;
const SESSIONS_AT_ONCE: u64 = 300_000;

/// Where a filter needs all entries, they are read before it is sure which days have any, if they are likely no more
/// than this: some 15 MB.
pub const SCANNED_AHEAD: u64 = 300_000;

/// How many blocks' items are read at a time in search of the first day with data: nearly always the first one is it.
const ITEMS_AT_ONCE: usize = 2;

/// Figures as of one moment, and what is needed to read the indexes as of the same one.
#[derive(Debug)]
pub struct View {
    store: Store,
    project: ProjectId,
    tail: Tail<PackedDelta>,
    rows: BTreeMap<(Measure, Day), FlatRows>,
    ahead: Vec<StoredRuns>,
    sessions_in_tail: OnceCell<Entries<SessionRef, SessionEntry>>,
}

/// The runs of some hours of a day, as stored.
#[derive(Debug)]
struct StoredRuns {
    index: Index,
    span: Span,
    items: Vec<Item>,
}

/// Hours of one day, from the first to the last.
#[derive(Debug, Clone, Copy)]
struct Span {
    first: Hour,
    last: Hour,
}

impl View {
    /// Reads measures, each in a range of days, all at once.
    pub async fn load(store: &Store, project: &ProjectId, wanted: &[(Measure, DateRange)]) -> Result<Self, StoreError> {
        for number in 0..MAX_TRIES {
            let (items, tail) = View::fetch(store, project, wanted, number).await?;
            let Some(blocks) = agreeing(wanted, &items, &tail)? else { continue };
            let mut view = View {
                store: store.clone(),
                project: project.clone(),
                tail,
                rows: BTreeMap::new(),
                ahead: Vec::new(),
                sessions_in_tail: OnceCell::new(),
            };
            for ((measure, range), blocks) in wanted.iter().zip(blocks) {
                let days = with_tail(&view.tail, *measure, *range, blocks)?;
                view.rows.extend(days.into_iter().map(|(day, rows)| ((*measure, day), rows)));
            }
            return Ok(view);
        }
        Err(overtaken())
    }

    /// The items of the blocks of measures, and the tail. The last tries read the tail last, as of now: it knows of every
    /// round whose blocks they found.
    async fn fetch(
        store: &Store,
        project: &ProjectId,
        wanted: &[(Measure, DateRange)],
        number: usize,
    ) -> Result<(Vec<Vec<Item>>, Tail<PackedDelta>), StoreError> {
        let reading = reading_of(number);
        let blocks = wanted.iter().map(|(measure, range)| block::fetch(store, project, *measure, *range, reading));
        let blocks = try_join_all(blocks);
        if reading == Reading::Strong {
            return Ok((blocks.await?, Tail::load_packed(store, project, Consistency::Strong).await?));
        }
        try_join(blocks, Tail::load_packed(store, project, Consistency::Eventual)).await
    }

    /// As [`View::load`], and reads at the same time what an index has for hours that are likely asked for.
    pub async fn load_ahead(
        store: &Store,
        project: &ProjectId,
        wanted: &[(Measure, DateRange)],
        index: Index,
        hours: &[Hour],
    ) -> Result<Self, StoreError> {
        let runs = spans(hours).into_iter().map(|span| StoredRuns::read(store, project, index, span));
        let (view, ahead) = try_join(View::load(store, project, wanted), try_join_all(runs)).await?;
        Ok(View { ahead, ..view })
    }

    /// A measure's days that hold anything, ascending.
    pub fn days(&self, measure: Measure) -> impl DoubleEndedIterator<Item = (&Day, &FlatRows)> + Clone {
        self.rows.range((measure, Day(i32::MIN))..=(measure, Day(i32::MAX))).map(|((_, day), rows)| (day, rows))
    }

    /// What a loaded day of a measure holds, if anything.
    pub fn day(&self, measure: Measure, day: Day) -> Option<&FlatRows> {
        self.rows.get(&(measure, day))
    }

    /// The first day of a range, loaded or not, whose rows of a measure pass a test.
    ///
    /// Its blocks are read after the view's tail, so compaction may have written them since, with segments that are still in
    /// that tail: what an erasure takes out would be taken out twice, and a day that holds data would seem to hold none. So
    /// they have to agree with its tail, or else are read again with a tail as of now.
    pub async fn first_day(
        &self,
        measure: Measure,
        range: DateRange,
        passes: impl Fn(&FlatRows) -> bool,
    ) -> Result<Option<Day>, StoreError> {
        let (store, project) = (&self.store, &self.project);
        let (mut rest, mut newer, mut tries) = (Some(range), None, 0);
        while let Some(range) = rest {
            let tail = newer.as_ref().unwrap_or(&self.tail);
            let shown = tail.manifest.shown;
            let first = block::read_first(store, project, measure, shown, range, ITEMS_AT_ONCE).await?;
            let (some, read_to) = match first {
                Some(some) => some,
                None => (self.all_blocks(measure, shown, range).await?, range.end()),
            };
            if !some.iter().all(|block| tail.manifest.agrees_with(block.round)) {
                tries += 1;
                if tries == MAX_TRIES {
                    return Err(overtaken());
                }
                newer = Some(Tail::load_packed(store, project, Consistency::Strong).await?);
                continue;
            }
            if let Some(read) = DateRange::new(range.start(), read_to) {
                let days = with_tail(tail, measure, read, some)?;
                if let Some((day, _)) = days.into_iter().find(|(_, rows)| passes(rows)) {
                    return Ok(Some(day));
                }
            }
            rest = DateRange::new(read_to.plus(1), range.end());
        }
        Ok(None)
    }

    async fn all_blocks(
        &self,
        measure: Measure,
        shown: Generation,
        range: DateRange,
    ) -> Result<Vec<Block<FlatRows>>, StoreError> {
        for number in 0..MAX_TRIES {
            let read = block::read(&self.store, &self.project, measure, shown, range, reading_of(number)).await?;
            if let Found::Blocks(blocks) = read {
                return Ok(blocks);
            }
        }
        Err(overtaken())
    }

    /// What `pick` takes of the sessions that started on some days, the greatest first: how many there are, and those of a
    /// page. For filters that no counter can answer. `days` says how many sessions each day has, roughly.
    ///
    /// What it picks is greater the later the session started. So memory holds an hour of it, and the page, however much
    /// there is.
    pub async fn scan_sessions<T: Ord>(
        &self,
        mut days: Vec<(Day, u64)>,
        (offset, limit): (u64, usize),
        pick: impl Fn(FoundRef<'_>, &SessionEntry<&str>) -> Option<T>,
    ) -> Result<(u64, Vec<T>), StoreError> {
        days.sort_unstable_by_key(|(day, _)| std::cmp::Reverse(*day));
        let (mut total, mut page) = (0, Vec::with_capacity(limit));
        while !days.is_empty() {
            let hours: Vec<Hour> = take_scanned(&mut days).into_iter().flat_map(Day::hours).collect();
            let runs = self.runs(Index::Sessions, &hours).await?;
            for hour in hours.into_iter().rev() {
                let mut picked = self.pick_sessions(&runs, hour, &pick).await?;
                picked.sort_unstable_by(|a, b| b.cmp(a));
                let skipped = usize::try_from(offset.saturating_sub(total)).unwrap_or(usize::MAX);
                total += picked.len() as u64;
                page.extend(picked.into_iter().skip(skipped).take(limit - page.len()));
            }
        }
        Ok((total, page))
    }

    /// What `pick` takes of the sessions that started in some hours.
    pub async fn sessions<T>(
        &self,
        hours: &[Hour],
        pick: impl Fn(FoundRef<'_>, &SessionEntry<&str>) -> Option<T>,
    ) -> Result<Vec<T>, StoreError> {
        let runs = self.runs(Index::Sessions, hours).await?;
        let mut picked = Vec::new();
        for hour in hours {
            picked.append(&mut self.pick_sessions(&runs, *hour, &pick).await?);
        }
        Ok(picked)
    }

    async fn pick_sessions<T>(
        &self,
        runs: &Runs<'_>,
        hour: Hour,
        pick: &impl Fn(FoundRef<'_>, &SessionEntry<&str>) -> Option<T>,
    ) -> Result<Vec<T>, StoreError> {
        let in_tail = self.sessions_in_tail().await?;
        let items = runs.of(hour)?;
        let inflated = items.iter().map(|item| inflated(item)).collect::<Result<Vec<_>, _>>()?;
        let mut found: Vec<(FoundRef<'_>, Versioned<SessionEntry<&str>>)> = Vec::new();
        for (item, plain) in items.iter().zip(&inflated) {
            found.append(&mut read_plain(item, plain)?);
        }
        for (key, Versioned { rev, value }) in in_tail.0.get(&hour).into_iter().flatten() {
            let value = value.as_ref().map(SessionEntry::borrowed);
            found.push((key.borrowed(), Versioned { rev: *rev, value }));
        }
        keep_latest(&mut found);
        Ok(found.iter().filter_map(|(key, versioned)| pick(*key, versioned.value.as_ref()?)).collect())
    }

    /// The batches with an instant in some hours, with the hour.
    pub async fn batches(&self, hours: &[Hour]) -> Result<Vec<(Hour, BatchRef, BatchEntry)>, StoreError> {
        let runs = self.runs(Index::Events, hours).await?;
        let mut in_tail = Entries::default();
        for segment in &self.tail.segments {
            in_tail.merge(segment.delta.events()?);
        }
        let mut batches = Vec::new();
        for hour in hours {
            let mut found: HourEntries<BatchRef, BatchEntry> = BTreeMap::new();
            for item in runs.of(*hour)? {
                merge(&mut found, read_packed(item)?);
            }
            merge(&mut found, in_tail.0.remove(hour).unwrap_or_default());
            batches.extend(found.into_iter().filter_map(|(key, versioned)| Some((*hour, key, versioned.value?))));
        }
        Ok(batches)
    }

    async fn sessions_in_tail(&self) -> Result<&Entries<SessionRef, SessionEntry>, StoreError> {
        let merged = async || {
            let mut merged = Entries::default();
            for segment in &self.tail.segments {
                merged.merge(segment.delta.sessions()?);
            }
            Ok(merged)
        };
        self.sessions_in_tail.get_or_try_init(merged).await
    }

    /// The runs of some hours: those that were read ahead, and the others now.
    async fn runs(&self, index: Index, hours: &[Hour]) -> Result<Runs<'_>, StoreError> {
        let (mut known, mut unknown) = (Vec::new(), Vec::new());
        for span in spans(hours) {
            match self.ahead.iter().find(|runs| runs.hold(index, span)) {
                Some(runs) => known.push(runs),
                None => unknown.push(StoredRuns::read(&self.store, &self.project, index, span)),
            }
        }
        Ok(Runs { known, read: try_join_all(unknown).await?, generation: self.tail.manifest.shown })
    }
}

/// The blocks of a range with what the tail has for its days.
fn with_tail(
    tail: &Tail<PackedDelta>,
    measure: Measure,
    range: DateRange,
    blocks: Vec<Block<FlatRows>>,
) -> Result<BTreeMap<Day, FlatRows>, StoreError> {
    let (mut days, mut rounds) = (BTreeMap::<Day, FlatRows>::new(), BTreeMap::new());
    for block in blocks {
        rounds.insert(block.day, block.round);
        days.insert(block.day, block.rows);
    }
    let mut added: BTreeMap<Day, Rows> = BTreeMap::new();
    for segment in &tail.segments {
        for (day, rows) in segment.delta.days(measure)? {
            let block_round = rounds.get(&day).copied().unwrap_or_default();
            if range.contains(day) && segment.is_missing_from(tail.manifest.shown, block_round) {
                added.entry(day).or_default().add_all(&rows);
            }
        }
    }
    for (day, added) in added {
        let merged = days.remove(&day).unwrap_or_default();
        days.insert(day, measure.limited(merged.plus(&added)));
    }
    Ok(days)
}

fn reading_of(number: usize) -> Reading {
    if number < EVENTUAL_TRIES { Reading::All } else { Reading::Strong }
}

fn overtaken() -> StoreError {
    StoreError::Unavailable("compaction overtook every try to read".to_owned())
}

/// Takes the days whose entries are read together from the front, where the latest one is. They come back ascending.
fn take_scanned(days: &mut Vec<(Day, u64)>) -> Vec<Day> {
    let mut sessions = 0;
    let fitting = days.iter().take(DAYS_AT_ONCE).take_while(|(_, count)| {
        sessions += count;
        sessions <= SESSIONS_AT_ONCE
    });
    let count = fitting.count().max(1).min(days.len());
    let mut taken: Vec<Day> = days.drain(..count).map(|(day, _)| day).collect();
    taken.reverse();
    taken
}

/// The runs of some hours.
#[derive(Debug)]
struct Runs<'a> {
    known: Vec<&'a StoredRuns>,
    read: Vec<StoredRuns>,
    generation: Generation,
}

impl Runs<'_> {
    /// The items of an hour.
    fn of(&self, hour: Hour) -> Result<Vec<&Item>, StoreError> {
        let runs = self.known.iter().copied().chain(&self.read).find(|runs| runs.span.first.day() == hour.day());
        let items = runs.map_or(&[][..], |runs| &runs.items);
        Ok(index::runs_of(items, hour, self.generation)?.current)
    }
}

impl StoredRuns {
    async fn read(store: &Store, project: &ProjectId, index: Index, span: Span) -> Result<Self, StoreError> {
        let hours = SortKeys::Between(keys::run_hour(span.first), format!("{}~", keys::run_hour(span.last)));
        let query = Query::partition(keys::runs(project, index, span.first.day())).sort_keys(hours);
        Ok(StoredRuns { index, span, items: store.query(query).await? })
    }

    fn hold(&self, index: Index, span: Span) -> bool {
        self.index == index && self.span.first <= span.first && span.last <= self.span.last
    }
}

/// The hours by day, each day from the first one to the last one in it.
fn spans(hours: &[Hour]) -> Vec<Span> {
    let mut days: BTreeMap<Day, Span> = BTreeMap::new();
    for hour in hours {
        let span = days.entry(hour.day()).or_insert(Span { first: *hour, last: *hour });
        *span = Span { first: span.first.min(*hour), last: span.last.max(*hour) };
    }
    days.into_values().collect()
}

/// The blocks among items, unless compaction wrote some of them after the tail was read.
fn agreeing(
    wanted: &[(Measure, DateRange)],
    found: &[Vec<Item>],
    tail: &Tail<PackedDelta>,
) -> Result<Option<Vec<Vec<Block<FlatRows>>>>, StoreError> {
    let mut agreeing = Vec::with_capacity(found.len());
    for ((measure, _), items) in wanted.iter().zip(found) {
        match block::assemble(*measure, items, tail.manifest.shown)? {
            Found::Blocks(blocks) if blocks.iter().all(|block| tail.manifest.agrees_with(block.round)) => {
                agreeing.push(blocks);
            }
            Found::Blocks(_) | Found::Torn => return Ok(None),
        }
    }
    Ok(Some(agreeing))
}

/// Which hours hold a page of a list, newest first, and how many rows of them come before the page.
/// `counts` are the rows of each hour, in any order. The hours come back sorted.
pub fn locate(counts: impl IntoIterator<Item = (Hour, u64)>, offset: u64, limit: usize) -> (Vec<Hour>, usize) {
    let mut newest_first: Vec<(Hour, u64)> = counts.into_iter().filter(|(_, count)| *count > 0).collect();
    newest_first.sort_by_key(|(hour, _)| std::cmp::Reverse(*hour));
    let (mut before, mut skip, mut hours) = (0, 0, Vec::new());
    for (hour, count) in newest_first {
        if before >= offset.saturating_add(limit as u64) {
            break;
        }
        if before + count > offset {
            if hours.is_empty() {
                skip = (offset - before) as usize;
            }
            hours.push(hour);
        }
        before += count;
    }
    hours.reverse();
    (hours, skip)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_read_together_as_long_as_they_are_not_too_large() {
        let mut days = vec![(Day(9), 200_000), (Day(8), 100_000), (Day(5), 1), (Day(4), 900_000), (Day(1), 0)];
        let mut together = Vec::new();
        while !days.is_empty() {
            together.push(take_scanned(&mut days));
        }
        assert_eq!(together, [vec![Day(8), Day(9)], vec![Day(5)], vec![Day(4)], vec![Day(1)]]);
        let mut many: Vec<(Day, u64)> = (0..40).rev().map(|day| (Day(day), 1)).collect();
        assert_eq!(take_scanned(&mut many).len(), DAYS_AT_ONCE);
    }

    #[test]
    fn a_page_is_located_by_counts() {
        let counts = [(Hour(1), 10), (Hour(2), 0), (Hour(3), 5), (Hour(4), 3)];
        assert_eq!(locate(counts, 0, 3), (vec![Hour(4)], 0));
        assert_eq!(locate(counts, 2, 3), (vec![Hour(3), Hour(4)], 2));
        assert_eq!(locate(counts, 8, 100), (vec![Hour(1)], 0));
        assert_eq!(locate(counts, 9, 1), (vec![Hour(1)], 1));
        assert_eq!(locate(counts, 18, 10), (vec![], 0));
        assert_eq!(locate(counts, u64::MAX, 10), (vec![], 0));
    }
}
