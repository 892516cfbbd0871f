//! The tail: segments that compaction has not removed yet, and the manifest that says what it merged.
//!
//! Compaction goes in rounds, one at a time. The manifest lists the segments of each round before the
//! first of them is merged, and each block carries the number of the last round merged into it. So
//! a round may be carried out again after a crash, by anyone, even by two at once, and still counts
//! every segment exactly once.
//!
//! Invariant *EachSegmentCountsOnce*: a segment of round `n` is missing from a block exactly if the block's number is below `n` and the segment
//! counts in the block's [`Generation`]. Readers and compaction go by this rule alone.
//!
//! A segment whose round is over may be replaced by a new one, where it is in the table. So its sort key says where it is, and
//! only with its revision which one it is: that is what rounds list.
//!
//! Every change of the manifest's generations is a round of its own, without segments. So the round's number is the
//! manifest's version, and no two generations have the same number.

use std::collections::{BTreeSet, HashMap};
use std::convert::Infallible;
use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use serde::{Deserialize, Serialize};

use crate::generation::Generation;
use crate::ids::ProjectId;
use crate::log::Delta;
use crate::log::packed::{self, PackedDelta};
use crate::retention::{Kept, Retention};
use crate::table::codec::{self, Packed};
use crate::table::keys::{self, Key};
use crate::table::store::{
    Consistency, DATA, Item, Query, RETENTION_DAYS, REV, SK, Store, StoreError, binary, key_item, number, read_binary,
    read_number, read_packed, read_text,
};
use crate::time::{Day, Millis};

/// The attribute of a segment, a visitor or the manifest with a generation; none is the first one.
const GENERATION: &str = "g";
/// The attribute of the manifest with the generation that is being built.
const BUILDING: &str = "building";
/// The attribute of the manifest with the instant until which the builder need not be heard of.
const BUILDING_UNTIL: &str = "building_until";
/// The attribute of the manifest with the number that tells the builder from others.
const BUILDER: &str = "builder";
/// The attribute of the manifest with the generations that are to be removed.
const STALE: &str = "stale";
/// The attribute of the manifest with the days of which the round under way removes what is left of erased visitors.
const EXPUNGED: &str = "expunged";
/// The attribute of the manifest that says since when only releases put it that know the layers of blocks.
const LAYERS_SINCE: &str = "layers_since";

/// Blocks get no layers until the manifest was put for so long by releases alone that know them: during an upgrade, functions
/// of the one before still read blocks, and drop the attribute when they put the manifest.
const UPGRADE_MS: i64 = 15 * 60_000;

/// No segments stay for others to be stored in their place where rounds are no further apart than this.
const QUICK_ROUNDS_MS: i64 = 30_000;

/// What compaction did and does, and which generations there are.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Manifest {
    /// The number of the last round that was begun, which is the manifest's version; 0 before the first.
    pub round: u64,
    /// The rounds whose segments are still in the tail, oldest first; all but the last are complete.
    pub rounds: Vec<Round>,
    /// The generation that readers see.
    pub shown: Generation,
    /// The generation that a rebuild is building.
    pub building: Option<Building>,
    /// Generations that nobody reads any more, whose blocks and runs may still be there.
    pub stale: Vec<Generation>,
    /// The days of which the round under way removes what is left of erased visitors.
    pub expunged: Vec<Day>,
    /// Since when only releases put it that know the layers of blocks; `None` where one did that doesn't.
    pub layers_since: Option<Millis>,
    /// What projects keep that have no setting of their own, as functions said that know: none where none did.
    pub retention: Option<Retention>,
    /// The packed rounds where they can't be read: they stay until a generation is shown that knows none of them.
    pub damaged: Option<Vec<u8>>,
}

/// What a project keeps. Who does not know what the deployment keeps goes by what functions noted that do.
pub async fn kept_of(
    store: &Store,
    project: &ProjectId,
    item: Option<&Item>,
    deployment: Option<Retention>,
) -> Result<Kept, StoreError> {
    let is_own = item.is_some_and(|item| item.contains_key(RETENTION_DAYS));
    let default = match deployment {
        Some(known) => known,
        None if is_own => Retention::ALL,
        None => {
            let manifest = store.get(&keys::manifest(project), Consistency::Strong).await?;
            let manifest = manifest.as_ref().map(Manifest::read_generations).transpose()?;
            manifest.and_then(|manifest| manifest.retention).unwrap_or_default()
        }
    };
    Ok(Kept::of(item, default))
}

/// A generation that is not shown yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Building {
    /// Which one.
    pub generation: Generation,
    /// Its builder says until then that it is at work; later, anyone may give the generation up.
    pub until: Millis,
    /// A number of its builder's own: what another one begins at the same instant is no second try of this one.
    pub builder: u64,
}

impl Packed<'_> for Vec<Round> {
    type V2 = Self;
    type V3 = Self;
}

/// A round of compaction.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Round {
    /// Its number, from 1.
    pub number: u64,
    /// The ids of the segments it merges.
    pub segments: BTreeSet<String>,
    /// When it was complete; `None` while it goes on.
    pub done_at: Option<Millis>,
}

impl Round {
    /// Whether no reader can be behind it any more, where readers take no longer than the grace.
    pub fn is_over(&self, now: Millis, grace: Duration) -> bool {
        self.done_at.is_some_and(|done_at| now.0 - done_at.0 >= grace.as_millis() as i64)
    }
}

impl Manifest {
    /// Reads its item.
    pub fn read(item: &Item) -> Result<Self, StoreError> {
        Ok(Manifest { rounds: read_packed(item)?, ..Manifest::read_generations(item)? })
    }

    /// Reads its item for a rebuild, which needs no rounds that can't be read.
    fn read_readable(item: &Item) -> Result<Self, StoreError> {
        let manifest = Manifest::read_generations(item)?;
        Ok(match read_packed(item) {
            Ok(rounds) => Manifest { rounds, ..manifest },
            Err(error) if error.is_unreadable() => {
                Manifest { damaged: Some(read_binary(item, DATA).unwrap_or_default().to_vec()), ..manifest }
            }
            Err(error) => return Err(error),
        })
    }

    /// Reads what of its item is not packed: all but the rounds.
    pub fn read_generations(item: &Item) -> Result<Self, StoreError> {
        let building = match item.get(BUILDING) {
            Some(_) => Some(Building {
                generation: Generation(read_number(item, BUILDING)?),
                until: Millis(read_number(item, BUILDING_UNTIL)?),
                builder: item.get(BUILDER).map_or(Ok(0), |_| read_number(item, BUILDER))?,
            }),
            None => None,
        };
        let numbers = |name| item.get(name).and_then(|value| value.as_ns().ok()).into_iter().flatten();
        Ok(Manifest {
            round: read_number(item, REV)?,
            rounds: Vec::new(),
            shown: read_generation(item)?,
            building,
            stale: numbers(STALE).filter_map(|number| number.parse().ok().map(Generation)).collect(),
            expunged: numbers(EXPUNGED).filter_map(|number| number.parse().ok().map(Day)).collect(),
            layers_since: item.get(LAYERS_SINCE).map(|_| read_number(item, LAYERS_SINCE).map(Millis)).transpose()?,
            retention: Retention::read(item),
            damaged: None,
        })
    }

    /// Its item.
    pub fn to_item(&self, project: &ProjectId) -> Result<Item, StoreError> {
        let mut item = key_item(&keys::manifest(project));
        let rounds = match &self.damaged {
            Some(damaged) => damaged.clone(),
            None => codec::pack(&self.rounds)?,
        };
        item.insert(REV.to_owned(), number(self.round));
        item.insert(DATA.to_owned(), binary(rounds));
        item.extend(self.layers_since.map(|since| (LAYERS_SINCE.to_owned(), number(since.0))));
        item.extend(self.retention.map(|retention| (RETENTION_DAYS.to_owned(), number(retention.days()))));
        mark(&mut item, self.shown);
        if let Some(Building { generation, until, builder }) = self.building {
            item.insert(BUILDING.to_owned(), number(generation.0));
            item.insert(BUILDING_UNTIL.to_owned(), number(until.0));
            item.insert(BUILDER.to_owned(), number(builder));
        }
        let stale: BTreeSet<String> = self.stale.iter().map(|generation| generation.0.to_string()).collect();
        let expunged: BTreeSet<String> = self.expunged.iter().map(|day| day.0.to_string()).collect();
        for (name, numbers) in [(STALE, stale), (EXPUNGED, expunged)] {
            if !numbers.is_empty() {
                item.insert(name.to_owned(), AttributeValue::Ns(numbers.into_iter().collect()));
            }
        }
        Ok(item)
    }

    /// Whether its rounds can't be read.
    pub fn is_damaged(&self) -> bool {
        self.damaged.is_some()
    }

    /// The round that was begun and is not complete: the last one, unless a rebuild began while it could not be carried
    /// out.
    pub fn unfinished(&self) -> Option<&Round> {
        self.rounds.iter().find(|round| round.done_at.is_none())
    }

    /// Whether a block of this round may be read together with this manifest. If not, compaction wrote the block after
    /// the tail was read, and the tail does not tell which of its segments are in the block.
    ///
    /// Invariant *ReadsAreExact*: what is read of such blocks and a tail, in whatever order but within the grace, is
    /// what was counted when the tail was read.
    pub fn agrees_with(&self, block_round: u64) -> bool {
        block_round <= self.round
    }

    /// Whether a generation is neither read nor built any more. One that is begun later has a number beyond the manifest's.
    pub fn is_gone(&self, generation: Generation) -> bool {
        generation.0 <= self.round && self.merged().all(|named| named != generation)
    }

    /// Whether requests may be under way that began before generations changed last.
    pub fn changed_lately(&self, now: Millis, grace: Duration) -> bool {
        self.rounds.iter().any(|round| round.segments.is_empty() && !round.is_over(now, grace))
    }

    /// Which rounds are over, so that their segments may be removed or replaced.
    pub fn rounds_over(&self, now: Millis, grace: Duration) -> BTreeSet<u64> {
        self.rounds.iter().filter(|round| round.is_over(now, grace)).map(|round| round.number).collect()
    }

    /// The segments that are over and may be replaced: those of the last round, which stay until the one after the next begins, so
    /// that who knows of them finds them there. None where rounds follow each other so quickly that they would be many.
    pub fn replaceable(&self, now: Millis, grace: Duration) -> BTreeSet<&str> {
        let mut done = self.rounds.iter().rev().filter_map(|round| round.done_at);
        if let (Some(last), Some(before)) = (done.next(), done.next())
            && last.0 - before.0 < QUICK_ROUNDS_MS
        {
            return BTreeSet::new();
        }
        let over = self.rounds.iter().filter(|round| round.number == self.round && round.is_over(now, grace));
        over.flat_map(|round| round.segments.iter().map(String::as_str)).collect()
    }

    /// The rounds as they are kept: of those that are over, the segments that are left.
    ///
    /// Invariant *RemovedBeforeForgotten*: a segment that no round lists counts, so one stays listed until it is known to be gone.
    pub fn rounds_left(&self, now: Millis, grace: Duration, is_left: impl Fn(&str) -> bool) -> Vec<Round> {
        let mut left = self.rounds.clone();
        for round in left.iter_mut().filter(|round| round.is_over(now, grace)) {
            round.segments.retain(|id| is_left(id));
        }
        left.retain(|round| !round.segments.is_empty() || !round.is_over(now, grace));
        // What a clock that was ahead completed is over as soon as what is completed now.
        for done_at in left.iter_mut().filter_map(|round| round.done_at.as_mut()) {
            *done_at = (*done_at).min(now);
        }
        left
    }

    /// Begins the round that merges some segments, with those of the rounds before that are kept.
    pub fn begin_round(&self, remaining: Vec<Round>, segments: BTreeSet<String>, now: Millis) -> Self {
        let mut next = Manifest { rounds: remaining, ..self.clone() };
        // No other release works on a project of which there is no manifest yet.
        next.layers_since = self.layers_since.or(Some(if self.round == 0 { Millis(0) } else { now }));
        next.round += 1;
        next.rounds.push(Round { number: next.round, segments, done_at: None });
        next
    }

    /// Whether its round may lay layers on blocks.
    pub fn takes_layers(&self, now: Millis) -> bool {
        self.layers_since.is_some_and(|since| now.0 - since.0 >= UPGRADE_MS)
    }

    /// The same with a round complete.
    pub fn complete(&self, number: u64, now: Millis) -> Self {
        let mut complete = Manifest { expunged: Vec::new(), ..self.clone() };
        for round in complete.rounds.iter_mut().filter(|round| round.number == number) {
            round.done_at = Some(now);
        }
        complete
    }

    /// The generation in which a new visitor is counted from its first batch on.
    pub fn newest(&self) -> Generation {
        self.building.map_or(self.shown, |building| building.generation)
    }

    /// The generations into which a round is merged.
    pub fn merged(&self) -> impl Iterator<Item = Generation> + use<> {
        [Some(self.shown), self.building.map(|building| building.generation)].into_iter().flatten()
    }

    /// The manifest of the next round, which changes generations and merges nothing.
    pub fn next(&self, now: Millis) -> Self {
        let mut next = self.clone();
        next.round += 1;
        next.rounds.push(Round { number: next.round, segments: BTreeSet::new(), done_at: Some(now) });
        next
    }

    /// Begins the round that removes what is left of erased visitors on some days.
    pub fn expunge(&self, days: Vec<Day>) -> Self {
        let mut next = self.clone();
        next.round += 1;
        next.rounds.push(Round { number: next.round, segments: BTreeSet::new(), done_at: None });
        next.expunged = days;
        next
    }

    /// Begins to build a generation, in place of one that is being built.
    pub fn begin_building(&self, now: Millis, until: Millis, builder: u64) -> Self {
        let mut next = self.give_up_building(now);
        next.building = Some(Building { generation: Generation(next.round), until, builder });
        next
    }

    /// Gives up the generation that is being built.
    pub fn give_up_building(&self, now: Millis) -> Self {
        let mut next = self.next(now);
        next.stale.extend(next.building.take().map(|building| building.generation));
        next
    }

    /// Shows the generation that was built. A round that could not be carried out means nothing in it.
    pub fn show_built(&self, now: Millis) -> Self {
        let mut next = self.next(now);
        if let Some(building) = next.building.take() {
            next.stale.push(std::mem::replace(&mut next.shown, building.generation));
            next.rounds.retain(|round| round.done_at.is_some());
            next.damaged = None;
        }
        next
    }
}

/// The generation that an item is marked with.
pub fn read_generation(item: &Item) -> Result<Generation, StoreError> {
    match item.get(GENERATION) {
        Some(_) => read_number(item, GENERATION).map(Generation),
        None => Ok(Generation::FIRST),
    }
}

/// Marks an item with a generation.
pub fn mark(item: &mut Item, generation: Generation) {
    if generation != Generation::FIRST {
        item.insert(GENERATION.to_owned(), number(generation.0));
    }
}

/// A segment as stored; readers leave its delta packed.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Segment<D = Delta> {
    /// What tells it from all others, earlier ones with its key included: see [`place_of`].
    pub id: String,
    /// Its size in the table, in bytes.
    pub size: usize,
    /// The mark of its visitors.
    pub generation: Generation,
    /// The round that merges it, if one does.
    pub round: Option<u64>,
    /// What it changes.
    pub delta: D,
}

impl<D> Segment<D> {
    /// Whether a block of a generation, at this round, lacks the segment. A block that does not exist is at round 0.
    pub fn is_missing_from(&self, generation: Generation, block_round: u64) -> bool {
        self.counts_in(generation) && self.round.is_none_or(|round| round > block_round)
    }

    /// Whether the segment counts in a generation.
    pub fn counts_in(&self, generation: Generation) -> bool {
        self.generation >= generation
    }
}

/// Everything in a project's tail.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Tail<D = Delta> {
    /// The manifest.
    pub manifest: Manifest,
    /// The segments that count in the generation shown, oldest first.
    pub segments: Vec<Segment<D>>,
    /// The ids of the segments that count no more.
    pub obsolete: Vec<String>,
}

impl Tail {
    /// Reads a project's tail for a rebuild: what can't be read changes nothing. Says how many segments can't.
    pub async fn load_readable(store: &Store, project: &ProjectId) -> Result<(Self, usize), StoreError> {
        let items = store.query(Query::partition(keys::tail(project)).strong()).await?;
        let mut unreadable = 0;
        let tail = Tail::read(&items, Manifest::read_readable, |item| match unpacked(item) {
            Err(error) if error.is_unreadable() => {
                unreadable += 1;
                Ok(Delta::default())
            }
            delta => delta,
        })?;
        Ok((tail, unreadable))
    }
}

impl Tail<Item> {
    /// Reads a project's tail as of now, to change it. What a long one holds stays packed.
    pub async fn load(store: &Store, project: &ProjectId) -> Result<Self, StoreError> {
        let items = store.query(Query::partition(keys::tail(project)).strong()).await?;
        Tail::read(&items, Manifest::read, |item| Ok(item.clone()))
    }

    /// The same tail with another manifest, and without the segments that went.
    pub fn followed_by(self, manifest: Manifest, gone: &BTreeSet<String>) -> Self {
        let left = self.segments.into_iter().filter(|segment| !gone.contains(&segment.id));
        let stored = left.map(|segment| (segment.id, segment.generation, (segment.size, segment.delta)));
        match Tail::of(manifest, stored, Ok::<_, Infallible>) {
            Ok(tail) => Tail { obsolete: self.obsolete, ..tail },
            Err(never) => match never {},
        }
    }
}

impl Segment<Item> {
    /// What it changes.
    pub fn unpack(&self) -> Result<Delta, StoreError> {
        unpacked(&self.delta)
    }
}

impl Tail<PackedDelta> {
    /// Reads a project's tail, to add it to blocks and runs.
    pub async fn load_packed(store: &Store, project: &ProjectId, consistency: Consistency) -> Result<Self, StoreError> {
        let query = Query::partition(keys::tail(project));
        let query = if consistency == Consistency::Strong { query.strong() } else { query };
        let items = store.query(query).await?;
        Tail::read(&items, Manifest::read, PackedDelta::of)
    }
}

impl<D> Tail<D> {
    fn read(
        items: &[Item],
        manifest: impl Fn(&Item) -> Result<Manifest, StoreError>,
        mut delta: impl FnMut(&Item) -> Result<D, StoreError>,
    ) -> Result<Self, StoreError> {
        let (mut read, mut stored) = (Manifest::default(), Vec::new());
        for item in items {
            let sort_key = read_text(item, SK)?;
            if keys::is_segment(sort_key) {
                let revision = item.get(REV).map(|_| read_number(item, REV)).transpose()?;
                stored.push((id_of(sort_key, revision), read_generation(item)?, item));
            } else {
                read = manifest(item)?;
            }
        }
        Tail::of(read, stored, |item| Ok((read_binary(item, DATA)?.len(), delta(item)?)))
    }

    /// The tail of a manifest and of the segments that are stored, each with its mark: `unpack` gives the size and the
    /// change of those that count.
    pub fn of<S, E>(
        manifest: Manifest,
        stored: impl IntoIterator<Item = (String, Generation, S)>,
        mut unpack: impl FnMut(S) -> Result<(usize, D), E>,
    ) -> Result<Self, E> {
        let rounds: HashMap<&str, u64> = manifest
            .rounds
            .iter()
            .flat_map(|round| round.segments.iter().map(|id| (id.as_str(), round.number)))
            .collect();
        let (mut segments, mut obsolete) = (Vec::new(), Vec::new());
        for (id, generation, stored) in stored {
            if generation < manifest.shown {
                obsolete.push(id);
                continue;
            }
            let (round, (size, delta)) = (rounds.get(id.as_str()).copied(), unpack(stored)?);
            segments.push(Segment { id, size, generation, round, delta });
        }
        Ok(Tail { manifest, segments, obsolete })
    }
}

/// Stands before a segment's revision in its id.
const REVISION_MARK: char = '~';

/// The id of the segment with a sort key and a revision; segments of earlier releases have none.
pub fn id_of(sort_key: &str, revision: Option<u64>) -> String {
    match revision {
        Some(revision) => format!("{sort_key}{REVISION_MARK}{revision}"),
        None => sort_key.to_owned(),
    }
}

/// The key of the segment with an id, and the revision that it has there, if any.
pub fn place_of(project: &ProjectId, id: &str) -> (Key, Option<u64>) {
    let (sort_key, revision) = match id.split_once(REVISION_MARK) {
        Some((sort_key, revision)) => (sort_key, revision.parse().ok()),
        None => (id, None),
    };
    (Key { pk: keys::tail(project), sk: sort_key.to_owned() }, revision)
}

fn unpacked(item: &Item) -> Result<Delta, StoreError> {
    Ok(PackedDelta::of(item)?.unpack()?)
}

/// A segment is split above this size: DynamoDB's items end at 400 KB.
const MAX_SEGMENT_BYTES: usize = 300 << 10;

/// The items of a change: one segment, or several where it is too large for one item. `unique` tells
/// them from all others.
pub fn segment_items(
    project: &ProjectId,
    at: Millis,
    unique: u64,
    generation: Generation,
    delta: Delta,
) -> Result<Vec<Item>, StoreError> {
    let (mut items, mut parts) = (Vec::new(), vec![delta]);
    while let Some(part) = parts.pop() {
        let packed = packed::pack(&part)?;
        if packed.len() > MAX_SEGMENT_BYTES && part.is_divisible() {
            parts.extend(part.halves());
            continue;
        }
        let mut item = key_item(&keys::segment(project, at, unique.wrapping_add(items.len() as u64)));
        item.insert(DATA.to_owned(), binary(packed));
        mark(&mut item, generation);
        items.push(item);
    }
    Ok(items)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whoever stored a segment may replace it once its round is over, until another round begins.
    #[test]
    fn what_is_over_and_of_the_last_round_may_be_replaced() {
        const GRACE: Duration = Duration::from_secs(5);
        let first = Manifest::default().begin_round(Vec::new(), BTreeSet::from(["a".to_owned()]), Millis(0));
        let replaceable = |manifest: &Manifest, now| {
            manifest.replaceable(Millis(now), GRACE).into_iter().map(str::to_owned).collect::<Vec<_>>()
        };
        assert!(replaceable(&first, 1_000_000).is_empty(), "it is being merged");
        let first = first.complete(1, Millis(100_000));
        assert!(replaceable(&first, 104_999).is_empty(), "readers may need it");
        assert_eq!(replaceable(&first, 105_000), ["a"]);
        let second = first.begin_round(first.rounds.clone(), BTreeSet::from(["b".to_owned()]), Millis(0));
        assert!(replaceable(&second, 200_000).is_empty(), "it may be about to be removed");
        assert_eq!(replaceable(&second.complete(2, Millis(200_000)), 300_000), ["b"]);
        assert!(replaceable(&second.complete(2, Millis(110_000)), 300_000).is_empty(), "rounds are too quick");
    }

    /// While the release before still puts the manifest, which drops what it does not know, there are no layers.
    #[test]
    fn blocks_get_layers_once_no_other_release_puts_the_manifest() {
        let round = |before: &Manifest, now| before.begin_round(Vec::new(), BTreeSet::new(), Millis(now));
        let first = round(&Manifest::default(), 5);
        assert!(first.takes_layers(Millis(UPGRADE_MS)), "a new project has been touched by no other release");
        let by_the_last_release = Manifest { layers_since: None, ..first };
        assert!(!by_the_last_release.takes_layers(Millis(i64::MAX)));
        let upgraded = round(&round(&by_the_last_release, 1_000), 2_000);
        assert!(!upgraded.takes_layers(Millis(999 + UPGRADE_MS)));
        assert!(upgraded.takes_layers(Millis(1_000 + UPGRADE_MS)));
        let project = "demo".parse().ok();
        let stored = project.and_then(|project| upgraded.to_item(&project).ok());
        assert_eq!(
            stored.and_then(|item| Manifest::read_generations(&item).ok()).map(|read| read.layers_since),
            Some(Some(Millis(1_000)))
        );
    }
}
