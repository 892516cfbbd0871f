//! Every key of the table. Nothing else in the program knows a `#`.
//!
//! | item | PK | SK |
//! |---|---|---|
//! | API key, or a person's cookie, with its token bucket | `KEY#<sha256>` | `KEY` |
//! | who is signed in | `PEOPLE` | `<sha256 of the cookie>` |
//! | invitation | `INVITATION#<sha256>` | `INVITATION` |
//! | project | `PROJECTS` | `<project>` |
//! | a project's list of keys | `P#<project>#KEYS` | `<sha256>` |
//! | key that encrypts a day's IP addresses | `P#<project>#IP` | `<day>` |
//! | secret that a day's visitors without a name are told apart with | `P#<project>#SECRET` | `<day>` |
//! | whose a session without a visitor's name is | `P#<project>#U#<hash of the session>` | `VISITOR` |
//! | visitor, with its latest session | `P#<project>#V#<visitor>` | `VISITOR` |
//! | earlier session | `P#<project>#V#<visitor>` | `S#<started_at>#<session>` |
//! | batch | `P#<project>#V#<visitor>` | `B#<session>#<batch>` |
//! | a long session's applied batches | `P#<project>#V#<visitor>` | `A#<session>#<part>` |
//! | what a visitor was seen at, where it is much: a part of a run | `P#<project>#V#<visitor>` | `K#<level>#<index>#<part>` |
//! | the same in a shard, as earlier versions stored it | `P#<project>#V#<visitor>` | `K#<shard>` |
//! | that a visitor is trusted | `P#<project>#TRUSTED` | `<visitor>` |
//! | tombstone of an erased visitor | `P#<project>#ERASED` | `<keyed hash>` |
//! | session lookup | `P#<project>#SID#<session>` | `<visitor>` |
//! | segment: deltas not yet compacted | `P#<project>#TAIL` | `S#<created_at>#<unique>` |
//! | manifest: the round of compaction | `P#<project>#TAIL` | `MANIFEST` |
//! | work that is left for later | `P#<project>#WORK` | `W#<created_at>#<unique>` |
//! | write units of a day's batches | `P#<project>#SPENT` | `<day>` |
//! | block: a measure's day | `P#<project>#R#<measure>` | `<day>[@<generation>]` |
//! | a part of a large block | `P#<project>#R#<measure>` | `<day>[@<generation>]#<unique>#<part>` |
//! | a layer of a block | `P#<project>#R#<measure>` | `<day>[@<generation>]+<round before>` |
//! | run: an hour of a time index | `P#<project>#X#<index>#<day>` | `<hour>[@<generation>]#<round>` |
//! | how far `identity dev` applied the stream | `DEV` | `CHECKPOINT` |
//! | the demo data of `identity dev` | `DEV` | `DEMO#<project>` |
//!
//! Blocks and runs of a project's first generation name none.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::generation::Generation;
use crate::ids::{BatchId, ProjectId, SessionId, VisitorId};
use crate::table::erasure_key::ErasureKey;
use crate::time::{Day, Hour, Millis};

/// A primary key of the table.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// Partition key.
    pub pk: String,
    /// Sort key.
    pub sk: String,
}

impl Key {
    fn new(pk: impl Into<String>, sk: impl Into<String>) -> Self {
        Key { pk: pk.into(), sk: sk.into() }
    }
}

/// The item of an API key or of a person's cookie, by the SHA-256 of that in hexadecimal.
pub fn api_key(sha256: &str) -> Key {
    Key::new(format!("KEY#{sha256}"), "KEY")
}

/// The partition that lists who is signed in.
pub const PEOPLE: &str = "PEOPLE";

/// The entry of who is signed in with a cookie, by the SHA-256 of that in hexadecimal.
pub fn person(sha256: &str) -> Key {
    Key::new(PEOPLE, sha256)
}

/// An invitation, by the SHA-256 of what it is accepted with in hexadecimal.
pub fn invitation(sha256: &str) -> Key {
    Key::new(format!("INVITATION#{sha256}"), "INVITATION")
}

/// The partition that lists all projects.
pub const PROJECTS: &str = "PROJECTS";

/// A project's item.
pub fn project(project: &ProjectId) -> Key {
    Key::new(PROJECTS, project.as_str())
}

/// The partition that lists a project's API keys.
pub fn project_keys(project: &ProjectId) -> String {
    format!("P#{project}#KEYS")
}

/// An API key's entry in its project's list.
pub fn project_key(project: &ProjectId, sha256: &str) -> Key {
    Key::new(project_keys(project), sha256)
}

/// The partition of the keys that encrypt IP addresses.
pub fn ip_keys(project: &ProjectId) -> String {
    format!("P#{project}#IP")
}

/// The key that encrypts the IP addresses received on a day.
pub fn ip_key(project: &ProjectId, day: Day) -> Key {
    Key::new(ip_keys(project), day.to_string())
}

/// The secret that visitors which don't name themselves are told apart with on a day.
pub fn day_secret(project: &ProjectId, day: Day) -> Key {
    Key::new(format!("P#{project}#SECRET"), day.to_string())
}

/// Whose a session is whose visitor does not name itself, by a hash of the session.
pub fn unnamed_session(project: &ProjectId, hash: &[u8]) -> Key {
    Key::new(format!("P#{project}#U#{}", hexadecimal(hash)), VISITOR)
}

/// The partition of all that belongs to one visitor.
pub fn visitor_partition(project: &ProjectId, visitor: &VisitorId) -> String {
    format!("P#{project}#V#{visitor}")
}

/// What the partition of each of a project's visitors begins with.
pub fn visitors_prefix(project: &ProjectId) -> String {
    format!("P#{project}#V#")
}

/// The partition of a project's tombstones.
pub fn tombstones(project: &ProjectId) -> String {
    format!("P#{project}#ERASED")
}

/// The tombstone of an erased visitor: a hash with the project's own key, which does not tell who it was.
pub fn tombstone(project: &ProjectId, visitor: &VisitorId, key: &ErasureKey) -> Key {
    Key::new(tombstones(project), hexadecimal(&key.hash(visitor_partition(project, visitor).as_bytes())))
}

/// The tombstone that earlier versions stored: a hash without a key.
pub fn unkeyed_tombstone(project: &ProjectId, visitor: &VisitorId) -> Key {
    Key::new(tombstones(project), hexadecimal(&Sha256::digest(visitor_partition(project, visitor))))
}

/// That a visitor is a person, as the project's owner says. It is no item of the visitor's own partition, all of which is
/// derived from its batches or is one.
pub fn trusted(project: &ProjectId, visitor: &VisitorId) -> Key {
    Key::new(format!("P#{project}#TRUSTED"), visitor.as_str())
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// An item of what is remembered beside a visitor's state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SeenItem {
    /// A shard, as they were written before there were runs. Whatever it says is older than all runs.
    Shard(u8),
    /// A part of a run.
    Run(RunPart),
}

/// A part of a run, which holds the keys with some hashes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RunPart {
    /// How often what it holds was merged.
    pub level: u8,
    /// Which run of its level, from the oldest on.
    pub index: u8,
    /// Which part.
    pub part: u8,
}

const VISITOR: &str = "VISITOR";

/// A visitor's item.
pub fn visitor(project: &ProjectId, visitor: &VisitorId) -> Key {
    Key::new(visitor_partition(project, visitor), VISITOR)
}

/// What every sort key of an earlier session begins with.
pub const SESSION_PREFIX: &str = "S#";

/// An earlier session's item, in order of its start.
pub fn session(project: &ProjectId, visitor: &VisitorId, started_at: Millis, session: &SessionId) -> Key {
    Key::new(visitor_partition(project, visitor), session_sort(started_at, session))
}

/// The sort key of an earlier session.
pub fn session_sort(started_at: Millis, session: &SessionId) -> String {
    format!("{}#{session}", sessions_from(started_at))
}

/// Sorts before every session that started at this instant or later, after every one before.
pub fn sessions_from(started_at: Millis) -> String {
    format!("{SESSION_PREFIX}{:015}", started_at.0.max(0))
}

/// What every sort key of a batch begins with; the stream's event filter relies on it.
pub const BATCH_PREFIX: &str = "B#";

/// A batch's item: made of what a client sends unchanged when it retries.
pub fn batch(project: &ProjectId, visitor: &VisitorId, session: &SessionId, batch: &BatchId) -> Key {
    Key::new(visitor_partition(project, visitor), format!("{}{batch}", session_batches(session)))
}

/// What the sort keys of a session's batches begin with.
pub fn session_batches(session: &SessionId) -> String {
    format!("{BATCH_PREFIX}{session}#")
}

/// A part of a long session's list of applied batches.
pub fn applied(project: &ProjectId, visitor: &VisitorId, session: &SessionId, part: u32) -> Key {
    Key::new(visitor_partition(project, visitor), format!("A#{session}#{part:06}"))
}

/// An item of what a visitor was seen at.
pub fn seen(project: &ProjectId, visitor: &VisitorId, item: SeenItem) -> Key {
    let sort_key = match item {
        SeenItem::Shard(shard) => format!("K#{shard:02}"),
        SeenItem::Run(RunPart { level, index, part }) => format!("K#{level}#{index}#{part:02}"),
    };
    Key::new(visitor_partition(project, visitor), sort_key)
}

fn parse_seen(rest: &str) -> Option<SeenItem> {
    let numbers = rest.split('#').map(|number| number.parse().ok()).collect::<Option<Vec<u8>>>()?;
    match numbers[..] {
        [shard] => Some(SeenItem::Shard(shard)),
        [level, index, part] => Some(SeenItem::Run(RunPart { level, index, part })),
        _ => None,
    }
}

/// The partition of all sessions with one id, a visitor each.
pub fn session_lookup_partition(project: &ProjectId, session: &SessionId) -> String {
    format!("P#{project}#SID#{session}")
}

/// Where a visitor's session with this id is.
pub fn session_lookup(project: &ProjectId, session: &SessionId, visitor: &VisitorId) -> Key {
    Key::new(session_lookup_partition(project, session), visitor.as_str())
}

/// The partition of segments and their manifest.
pub fn tail(project: &ProjectId) -> String {
    format!("P#{project}#TAIL")
}

const MANIFEST: &str = "MANIFEST";
const SEGMENT_PREFIX: &str = "S#";

/// The manifest of compaction.
pub fn manifest(project: &ProjectId) -> Key {
    Key::new(tail(project), MANIFEST)
}

/// A segment, in order of creation; `unique` tells apart those of one millisecond.
pub fn segment(project: &ProjectId, created_at: Millis, unique: u64) -> Key {
    Key::new(tail(project), format!("{SEGMENT_PREFIX}{:015}#{unique:016x}", created_at.0.max(0)))
}

/// Whether an item of the tail is a segment.
pub fn is_segment(sort_key: &str) -> bool {
    sort_key.starts_with(SEGMENT_PREFIX)
}

/// The partition of a project's work that is left for later.
pub fn works(project: &ProjectId) -> String {
    format!("P#{project}{WORKS}")
}

const WORKS: &str = "#WORK";

/// What every sort key of a work item begins with; the stream's event filter relies on it.
pub const WORK_PREFIX: &str = "W#";

/// A work item, in order of creation; `unique` tells apart those of one millisecond.
pub fn work(project: &ProjectId, created_at: Millis, unique: u64) -> Key {
    Key::new(works(project), format!("{WORK_PREFIX}{:015}#{unique:016x}", created_at.0.max(0)))
}

/// The project whose work item has this key; `None` if it is another item's.
pub fn parse_work(key: &Key) -> Option<ProjectId> {
    key.sk.strip_prefix(WORK_PREFIX)?;
    key.pk.strip_prefix("P#")?.strip_suffix(WORKS)?.parse().ok()
}

/// What a project's batches took of the table in a day.
pub fn spending(project: &ProjectId, day: Day) -> Key {
    Key::new(format!("P#{project}#SPENT"), day.to_string())
}

/// The partition of the blocks of a measure, by its name: a day each.
pub fn blocks(project: &ProjectId, measure: &str) -> String {
    format!("P#{project}#R#{measure}")
}

/// A block's item, or the head of a block in parts.
pub fn block(project: &ProjectId, measure: &str, generation: Generation, day: Day) -> Key {
    Key::new(blocks(project, measure), format!("{day}{}", of_generation(generation)))
}

/// A part of a large block; `unique` tells apart the parts of different writes.
pub fn block_part(
    project: &ProjectId,
    measure: &str,
    generation: Generation,
    day: Day,
    unique: u64,
    part: usize,
) -> Key {
    Key::new(blocks(project, measure), format!("{day}{}#{unique:016x}#{part:03}", of_generation(generation)))
}

/// A layer of a block, on what rounds up to `before` made of it: two writers of the next layer meet at one key.
pub fn block_layer(project: &ProjectId, measure: &str, generation: Generation, day: Day, before: u64) -> Key {
    Key::new(blocks(project, measure), format!("{day}{}{LAYER}{before:012}", of_generation(generation)))
}

/// What comes before the number of a layer. It sorts after what comes before a part's.
const LAYER: char = '+';

/// What the sort key of a block's item says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BlockKey {
    /// The block's day.
    pub day: Day,
    /// The block's generation.
    pub generation: Generation,
    /// Which of its items it is.
    pub item: BlockItem,
}

/// An item of a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BlockItem {
    /// The block itself, or the head of one in parts.
    Head,
    /// A part, of the write with this number.
    Part(u64),
    /// A part as format 2 has them: `<day>#<part>`.
    NumberedPart,
    /// A layer, on what rounds up to this one made of the block.
    Layer(u64),
}

/// Reads the sort key of a block's item.
pub fn parse_block(sort_key: &str) -> Option<BlockKey> {
    if let Some((block, before)) = sort_key.split_once(LAYER) {
        let (day, generation) = split_generation(block)?;
        return Some(BlockKey { day: day.parse().ok()?, generation, item: BlockItem::Layer(before.parse().ok()?) });
    }
    let (block, part) = sort_key.split_once('#').map_or((sort_key, None), |(block, part)| (block, Some(part)));
    let (day, generation) = split_generation(block)?;
    let item = match part.map(|part| part.split_once('#')) {
        None => BlockItem::Head,
        Some(Some((unique, _))) => BlockItem::Part(u64::from_str_radix(unique, 16).ok()?),
        Some(None) => BlockItem::NumberedPart,
    };
    Some(BlockKey { day: day.parse().ok()?, generation, item })
}

/// The name of the measure whose blocks a partition holds.
pub fn parse_blocks<'a>(project: &ProjectId, pk: &'a str) -> Option<&'a str> {
    pk.strip_prefix(&project_prefix(project))?.strip_prefix("R#")
}

/// What follows a day or an hour in the keys of a generation: nothing in the first one.
fn of_generation(generation: Generation) -> String {
    match generation {
        Generation::FIRST => String::new(),
        Generation(number) => format!("@{number:012}"),
    }
}

fn split_generation(text: &str) -> Option<(&str, Generation)> {
    match text.split_once('@') {
        Some((before, number)) => Some((before, Generation(number.parse().ok()?))),
        None => Some((text, Generation::FIRST)),
    }
}

/// A time index: what lists are read from, kept in runs an hour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Index {
    /// Sessions by start.
    Sessions,
    /// Batches by the instants of their events.
    Events,
}

impl Index {
    /// All of them.
    pub const ALL: [Index; 2] = [Index::Sessions, Index::Events];

    /// Its name in the table's keys.
    pub fn name(self) -> &'static str {
        match self {
            Index::Sessions => "sessions",
            Index::Events => "events",
        }
    }
}

/// The partition of a day of a time index.
pub fn runs(project: &ProjectId, index: Index, day: Day) -> String {
    format!("P#{project}#X#{}#{day}", index.name())
}

/// What a run stands for beside others of its hour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RunKind {
    /// The entries of one round.
    Plain,
    /// Replaces runs up to its round's, removals included: those runs may still be there.
    Merged,
    /// A part of all there is of the hour up to its round, without removals. Runs that sort before the first part count
    /// no more, even one that is written late.
    Major {
        /// Which part.
        part: u32,
    },
}

/// What the sort key of a run says. Within an hour of a generation, runs sort by round, then by kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RunKey {
    /// The run's hour.
    pub hour: Hour,
    /// The run's generation.
    pub generation: Generation,
    /// The round of compaction it was written in.
    pub round: u64,
    /// What it stands for.
    pub kind: RunKind,
}

const MERGED: &str = "+";
const MAJOR: &str = "=";

impl RunKey {
    /// The key of the run's item.
    pub fn key(&self, project: &ProjectId, index: Index) -> Key {
        let kind = match self.kind {
            RunKind::Plain => String::new(),
            RunKind::Merged => MERGED.to_owned(),
            RunKind::Major { part } => format!("{MAJOR}{part:03}"),
        };
        let sort_key = format!("{}{:012}{kind}", self.generation_prefix(), self.round);
        Key::new(runs(project, index, self.hour.day()), sort_key)
    }

    /// What the sort keys of its hour and generation begin with.
    pub fn generation_prefix(&self) -> String {
        format!("{}{}#", run_hour(self.hour), of_generation(self.generation))
    }

    /// Reads the sort key of a run of a day.
    pub fn parse(day: Day, sort_key: &str) -> Option<RunKey> {
        let (hour, round) = sort_key.split_once('#')?;
        let (hour, generation) = split_generation(hour)?;
        let (round, kind) = match (round.strip_suffix(MERGED), round.split_once(MAJOR)) {
            (Some(round), _) => (round, RunKind::Merged),
            (_, Some((round, part))) => (round, RunKind::Major { part: part.parse().ok()? }),
            (None, None) => (round, RunKind::Plain),
        };
        Some(RunKey { hour: day.hour(hour.parse().ok()?), generation, round: round.parse().ok()?, kind })
    }
}

/// What the sort keys of an hour's runs begin with.
pub fn run_hour(hour: Hour) -> String {
    format!("{:02}", hour.of_day())
}

/// When the stream's consumer last worked.
pub fn heartbeat() -> Key {
    Key::new("CONSUMER", "HEARTBEAT")
}

const DEV: &str = "DEV";

/// How far the local stack applied the table's stream.
pub fn dev_checkpoint() -> Key {
    Key::new(DEV, "CHECKPOINT")
}

/// What demo data the local stack made for a project.
pub fn dev_demo(project: &ProjectId) -> Key {
    Key::new(DEV, format!("DEMO#{project}"))
}

/// What every partition key of a project's data begins with.
pub fn project_prefix(project: &ProjectId) -> String {
    format!("P#{project}#")
}

/// The visitor whose partition this is.
pub fn parse_visitor(project: &ProjectId, pk: &str) -> Option<VisitorId> {
    pk.strip_prefix(&project_prefix(project))?.strip_prefix("V#")?.parse().ok()
}

/// The session and the visitor of a session lookup.
pub fn parse_session_lookup(project: &ProjectId, pk: &str, sk: &str) -> Option<(SessionId, VisitorId)> {
    let session = pk.strip_prefix(&project_prefix(project))?.strip_prefix("SID#")?;
    Some((session.parse().ok()?, sk.parse().ok()?))
}

/// Whether this is the key of a session lookup.
pub fn is_session_lookup(key: &Key) -> bool {
    key.pk.contains("#SID#")
}

/// The index and the day of a partition of runs.
pub fn parse_runs(project: &ProjectId, pk: &str) -> Option<(Index, Day)> {
    let (index, day) = pk.strip_prefix(&project_prefix(project))?.strip_prefix("X#")?.split_once('#')?;
    let index = Index::ALL.into_iter().find(|known| known.name() == index)?;
    Some((index, day.parse().ok()?))
}

/// A derived item of a visitor's partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VisitorItem {
    /// The visitor with its latest session.
    Visitor,
    /// An earlier session.
    Session,
    /// A part of a session's applied batches.
    Applied(SessionId),
    /// An item of what the visitor was seen at.
    Seen(SeenItem),
}

/// Which derived item of a visitor's partition a key is of.
pub fn visitor_item(key: &Key) -> Option<VisitorItem> {
    if key.sk == VISITOR && key.pk.contains("#V#") {
        return Some(VisitorItem::Visitor);
    }
    let (kind, rest) = key.sk.split_once('#')?;
    match kind {
        "S" => Some(VisitorItem::Session),
        "A" => rest.split_once('#').and_then(|(session, _)| session.parse().ok()).map(VisitorItem::Applied),
        "K" => parse_seen(rest).map(VisitorItem::Seen),
        _ => None,
    }
}

/// What a table key of a visitor's partition stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchKey {
    /// Whose project it is.
    pub project: ProjectId,
    /// Whose batch it is.
    pub visitor: VisitorId,
    /// The session it belongs to.
    pub session: SessionId,
    /// The batch.
    pub batch: BatchId,
}

impl BatchKey {
    /// Where it is stored.
    pub fn key(&self) -> Key {
        batch(&self.project, &self.visitor, &self.session, &self.batch)
    }
}

/// Reads the key of a batch; `None` if it is another item's.
pub fn parse_batch(pk: &str, sk: &str) -> Option<BatchKey> {
    let (project, visitor) = pk.strip_prefix("P#")?.split_once("#V#")?;
    let (session, batch) = sk.strip_prefix(BATCH_PREFIX)?.split_once('#')?;
    Some(BatchKey {
        project: project.parse().ok()?,
        visitor: visitor.parse().ok()?,
        session: session.parse().ok()?,
        batch: batch.parse().ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_key_reads_back_and_other_keys_do_not() {
        let parts = ("demo".parse(), "v_1".parse(), "ses-1".parse(), "b_1".parse());
        let (Ok(project), Ok(visitor), Ok(session), Ok(id)) = parts else { panic!("legal identifiers") };
        let key = batch(&project, &visitor, &session, &id);
        assert_eq!(
            parse_batch(&key.pk, &key.sk),
            Some(BatchKey { project: project.clone(), visitor: visitor.clone(), session: session.clone(), batch: id })
        );
        let other = super::session(&project, &visitor, Millis(5), &session);
        assert_eq!(parse_batch(&other.pk, &other.sk), None);
    }

    #[test]
    fn sessions_sort_by_start() {
        let Ok(id) = "a".parse() else { panic!("legal identifier") };
        let starts = [0, 9, 10, 1_719_302_400_000, Millis::MAX.0];
        let keys: Vec<_> = starts.iter().map(|at| session_sort(Millis(*at), &id)).collect();
        assert!(keys.is_sorted());
        assert!(sessions_from(Millis(10)) < keys[2] && sessions_from(Millis(10)) > keys[1]);
    }
}
