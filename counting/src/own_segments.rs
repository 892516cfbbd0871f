//! Segments that a consumer stored itself, and may store others in place of.
//!
//! Once the round that merged a segment is over, nobody needs it any more. Another one in its place takes no more units than
//! under a key of its own, and spares removing it. Nobody else stores anything there, so hardly any write meets
//! another's; what a compactor removed meanwhile refuses it. Nothing rests on what is remembered here: compaction removes what
//! is forgotten.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use figures::ids::ProjectId;
use figures::log::tail::{Manifest, Tail, id_of};
use figures::table::store::{Item, REV, SK, StoreError, Write, number, read_text, text};
use figures::time::Millis;

/// The most projects that are remembered, some megabytes.
const MAX_PROJECTS: usize = 1_000;

/// The most segments of a project that are remembered.
const MAX_SEGMENTS: usize = 128;

/// A write takes a unit for so many bytes.
const UNIT_BYTES: usize = 1 << 10;
/// The most bytes of a number.
const NUMBER_BYTES: usize = 21;

/// The segments of one consumer, by project.
#[derive(Debug, Clone, Default)]
pub struct OwnSegments(Arc<Mutex<HashMap<ProjectId, Vec<Own>>>>);

/// A segment where it was stored last.
#[derive(Debug, Clone)]
struct Own {
    sort_key: String,
    revision: u64,
    units: usize,
    /// Whether it stays for another to be stored in its place, as far as is known.
    is_replaceable: bool,
}

impl Own {
    fn id(&self) -> String {
        id_of(&self.sort_key, Some(self.revision))
    }
}

/// A segment that is to be stored.
#[derive(Debug)]
pub struct Placed {
    segment: Item,
    /// The revision of the one that it replaces.
    replaces: Option<u64>,
    /// What is remembered of it once it is stored.
    own: Own,
}

impl Placed {
    /// The write that stores it.
    pub fn write(&self) -> Write {
        match self.replaces {
            Some(revision) => Write::PutAt(self.segment.clone(), Some(revision)),
            None => Write::Put(self.segment.clone()),
        }
    }
}

impl OwnSegments {
    /// Finds a segment a place: that of one which is over, or under its own key.
    pub fn place(&self, project: &ProjectId, mut segment: Item) -> Result<Placed, StoreError> {
        let units = units(&segment);
        let before = self.take(project, units);
        let replaces = before.as_ref().map(|before| before.revision);
        let sort_key = match before {
            Some(before) => before.sort_key,
            None => read_text(&segment, SK)?.to_owned(),
        };
        let own = Own { sort_key, revision: replaces.unwrap_or_default() + 1, units, is_replaceable: false };
        segment.insert(SK.to_owned(), text(&own.sort_key));
        segment.insert(REV.to_owned(), number(own.revision));
        Ok(Placed { segment, replaces, own })
    }

    /// Takes the largest segment that may be replaced and takes no more units than so many.
    fn take(&self, project: &ProjectId, units: usize) -> Option<Own> {
        let mut projects = self.lock();
        let segments = projects.get_mut(project)?;
        let fitting = segments.iter().enumerate().filter(|(_, own)| own.is_replaceable && own.units <= units);
        let (largest, _) = fitting.max_by_key(|(_, own)| own.units)?;
        Some(segments.swap_remove(largest))
    }

    /// Remembers a segment that is stored now.
    pub fn remember(&self, project: &ProjectId, placed: Placed) {
        let mut projects = self.lock();
        if projects.len() >= MAX_PROJECTS && !projects.contains_key(project) {
            projects.clear();
        }
        let segments = projects.entry(project.clone()).or_default();
        if segments.len() >= MAX_SEGMENTS {
            segments.remove(0);
        }
        segments.push(placed.own);
    }

    /// Takes note that one was gone: others may be. The next look tells.
    pub fn doubt(&self, project: &ProjectId) {
        if let Some(segments) = self.lock().get_mut(project) {
            segments.iter_mut().for_each(|own| own.is_replaceable = false);
        }
    }

    /// Takes note of what a manifest says of them.
    pub fn note(&self, project: &ProjectId, manifest: &Manifest, now: Millis, grace: Duration) {
        let mut projects = self.lock();
        let Some(segments) = projects.get_mut(project) else { return };
        let replaceable = manifest.replaceable(now, grace);
        for own in segments {
            own.is_replaceable = replaceable.contains(own.id().as_str());
        }
    }

    /// Takes note of what a look at the tail shows of them, and forgets those that are gone.
    pub fn look<D>(&self, project: &ProjectId, tail: &Tail<D>, now: Millis, grace: Duration) {
        self.note(project, &tail.manifest, now, grace);
        let stored: BTreeSet<&str> = tail.segments.iter().map(|segment| segment.id.as_str()).collect();
        if let Some(segments) = self.lock().get_mut(project) {
            segments.retain(|own| stored.contains(own.id().as_str()));
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<ProjectId, Vec<Own>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The units that writing an item takes, or a little more.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html>
fn units(item: &Item) -> usize {
    let bytes = |value: &AttributeValue| match value {
        AttributeValue::S(text) => text.len(),
        AttributeValue::B(bytes) => bytes.as_ref().len(),
        _ => NUMBER_BYTES,
    };
    item.iter().map(|(name, value)| name.len() + bytes(value)).sum::<usize>().div_ceil(UNIT_BYTES)
}
