//! A delta as a segment stores it: in sections, of which a reader unpacks those that it needs. Every request reads the
//! whole tail, and most want one measure of it.

use serde::{Deserialize, Serialize};

use crate::counters::Days;
use crate::log::delta::{Counters, Delta};
use crate::log::index::{BatchEntry, BatchRef, Entries, SessionEntry, SessionRef};
use crate::measures::Measure;
use crate::table::codec::{self, CodecError, Packed, Plain};
use crate::table::store::{Item, StoreError, inflated};

/// The parts of a delta, each as postcard.
#[derive(Debug, Serialize, Deserialize)]
struct Sections<'a> {
    /// By the number of the measure: a reader passes over those of a later release.
    #[serde(borrow)]
    counters: Vec<(u32, &'a [u8])>,
    sessions: &'a [u8],
    events: &'a [u8],
}

impl<'a> Packed<'a> for Sections<'a> {
    type V2 = Self;
    type V3 = Self;
}

/// Packs a delta.
pub fn pack(delta: &Delta) -> Result<Vec<u8>, CodecError> {
    let measures = delta.counters.by_measure().filter(|(_, days)| !days.is_empty());
    let counters =
        measures.map(|(measure, days)| Ok((measure.number(), codec::plain(days)?))).collect::<Result<Vec<_>, _>>()?;
    let (sessions, events) = (codec::plain(&delta.sessions)?, codec::plain(&delta.events)?);
    codec::pack(&Sections {
        counters: counters.iter().map(|(measure, days)| (*measure, days.as_slice())).collect(),
        sessions: &sessions,
        events: &events,
    })
}

/// A packed delta, inflated.
#[derive(Debug)]
pub struct PackedDelta(Plain);

impl From<Plain> for PackedDelta {
    fn from(plain: Plain) -> Self {
        PackedDelta(plain)
    }
}

impl PackedDelta {
    /// Inflates what a segment's item holds.
    pub fn of(item: &Item) -> Result<Self, StoreError> {
        inflated(item).map(PackedDelta)
    }

    /// What is added to a measure's counters, by day.
    pub fn days(&self, measure: Measure) -> Result<Days, CodecError> {
        let found = self.sections()?.counters.into_iter().find(|(number, _)| *number == measure.number());
        found.map_or_else(|| Ok(Days::default()), |(_, days)| codec::read(days))
    }

    /// What changes in the index of sessions.
    pub fn sessions(&self) -> Result<Entries<SessionRef, SessionEntry>, CodecError> {
        codec::read(self.sections()?.sessions)
    }

    /// What changes in the index of events.
    pub fn events(&self) -> Result<Entries<BatchRef, BatchEntry>, CodecError> {
        codec::read(self.sections()?.events)
    }

    /// All of it.
    pub fn unpack(&self) -> Result<Delta, CodecError> {
        let mut counters = Counters::default();
        for (number, days) in self.sections()?.counters {
            let measure = Measure::numbered(number).ok_or(CodecError::NewerMeasure(number))?;
            *counters.days_mut(measure) = codec::read(days)?;
        }
        Ok(Delta { counters, sessions: self.sessions()?, events: self.events()? })
    }

    fn sections(&self) -> Result<Sections<'_>, CodecError> {
        self.0.read()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Day;

    /// While functions of two releases work on one table, the later one's segments may hold more measures.
    #[test]
    fn measures_of_a_later_release_are_passed_over_and_not_merged() {
        let mut delta = Delta::default();
        delta.counters.rows_mut(Measure::Pages, Day(3)).add(0, "/", 0, 1);
        let Ok(packed) = pack(&delta).and_then(|packed| Plain::of(&packed)).map(PackedDelta) else {
            panic!("it packs")
        };
        let Ok(mut sections) = packed.sections() else { panic!("it is read") };
        sections.counters.push((Measure::ALL.len() as u32, &[9, 9, 9]));
        let Ok(later) = codec::pack(&sections).and_then(|packed| Plain::of(&packed)).map(PackedDelta) else {
            panic!("it packs")
        };
        assert_eq!(later.days(Measure::Pages).ok(), packed.days(Measure::Pages).ok());
        assert!(matches!(later.unpack(), Err(CodecError::NewerMeasure(_))));
    }

    #[test]
    fn parts_and_the_whole_are_what_was_packed() {
        let mut delta = Delta::default();
        for (measure, day, key) in [(Measure::Pages, 3, "/"), (Measure::Pages, 4, "/a"), (Measure::Errors, 3, "e")] {
            delta.counters.rows_mut(measure, Day(day)).add(0, key, 7, i64::from(day));
        }
        let Ok(packed) = pack(&delta).and_then(|packed| Plain::of(&packed)).map(PackedDelta) else {
            panic!("it packs")
        };
        assert_eq!(packed.unpack().ok(), Some(delta.clone()));
        let pages = packed.days(Measure::Pages).unwrap_or_default();
        assert_eq!(pages.iter().map(|(day, _)| day).collect::<Vec<_>>(), [Day(3), Day(4)]);
        assert_eq!(pages.rows(Day(4)), delta.counters.rows(Measure::Pages, Day(4)));
        assert!(packed.days(Measure::Seo).is_ok_and(|days| days.is_empty()));
        assert!(packed.sessions().is_ok_and(|sessions| sessions.is_empty()));
    }
}
