//! Changes by day, more of them than memory holds: the latest are in memory, the others in a file that nobody else can
//! open and that is gone with its process.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};

use figures::log::packed::{self, PackedDelta};
use figures::log::{Delta, Entries};
use figures::table::codec::{self, Plain};
use figures::table::store::StoreError;
use figures::time::{Day, Hour};

/// How many bytes of changes are collected in memory, as they are before they are packed: several times as much while
/// they can be added to.
const MAX_COLLECTED: usize = 4 << 20;

/// The sum of changes, by day.
#[derive(Debug)]
pub struct Spill {
    collected: BTreeMap<Day, Delta>,
    bytes: usize,
    file: File,
    written: u64,
    records: BTreeMap<Day, Vec<Record>>,
}

/// Where a day's changes are in the file.
#[derive(Debug, Clone, Copy)]
struct Record {
    at: u64,
    length: usize,
}

impl Spill {
    /// An empty one.
    pub fn new() -> Result<Self, StoreError> {
        let file = tempfile::tempfile().map_err(failed)?;
        Ok(Spill { collected: BTreeMap::new(), bytes: 0, file, written: 0, records: BTreeMap::new() })
    }

    /// Adds a change.
    pub fn add(&mut self, delta: Delta) -> Result<(), StoreError> {
        self.bytes += codec::size(&delta)?;
        for ((measure, day), rows) in delta.counters.iter() {
            self.day(day).counters.rows_mut(measure, day).add_all(rows);
        }
        for (day, entries) in by_day(delta.sessions) {
            self.day(day).sessions.merge(entries);
        }
        for (day, entries) in by_day(delta.events) {
            self.day(day).events.merge(entries);
        }
        if self.bytes > MAX_COLLECTED { self.write() } else { Ok(()) }
    }

    fn day(&mut self, day: Day) -> &mut Delta {
        self.collected.entry(day).or_default()
    }

    fn write(&mut self) -> Result<(), StoreError> {
        self.file.seek(SeekFrom::Start(self.written)).map_err(failed)?;
        for (day, delta) in std::mem::take(&mut self.collected) {
            let packed = packed::pack(&delta)?;
            self.file.write_all(&packed).map_err(failed)?;
            self.records.entry(day).or_default().push(Record { at: self.written, length: packed.len() });
            self.written += packed.len() as u64;
        }
        self.bytes = 0;
        Ok(())
    }

    /// The days of which there is anything.
    pub fn days(&self) -> BTreeSet<Day> {
        self.collected.keys().chain(self.records.keys()).copied().collect()
    }

    /// What was added of a day.
    pub fn of_day(&mut self, day: Day) -> Result<Delta, StoreError> {
        let mut sum = self.collected.get(&day).cloned().unwrap_or_default();
        for Record { at, length } in self.records.get(&day).cloned().unwrap_or_default() {
            let mut packed = vec![0; length];
            self.file.seek(SeekFrom::Start(at)).map_err(failed)?;
            self.file.read_exact(&mut packed).map_err(failed)?;
            let delta = PackedDelta::from(Plain::of(&packed)?).unpack()?;
            for ((measure, day), rows) in delta.counters.iter() {
                sum.counters.rows_mut(measure, day).add_all(rows);
            }
            sum.sessions.merge(delta.sessions);
            sum.events.merge(delta.events);
        }
        sum.counters.prune();
        Ok(sum)
    }
}

fn by_day<K: Ord, V>(entries: Entries<K, V>) -> BTreeMap<Day, Entries<K, V>> {
    let mut days: BTreeMap<Day, Entries<K, V>> = BTreeMap::new();
    for (hour, entries) in entries.0 {
        let hour: Hour = hour;
        days.entry(hour.day()).or_default().0.insert(hour, entries);
    }
    days
}

fn failed(error: std::io::Error) -> StoreError {
    StoreError::Failed(format!("the temporary file of the rebuild: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use figures::measures::Measure;

    #[test]
    fn what_was_added_comes_back_by_day_however_much_it_is() {
        let Ok(mut spill) = Spill::new() else { panic!("there is a folder for temporary files") };
        let mut sums: BTreeMap<Day, Delta> = BTreeMap::new();
        for number in 0..400_i32 {
            let mut delta = Delta::default();
            let day = Day(number % 7);
            for key in 0..500 {
                let key = format!("/pages/{}/{}", key * number % 900, "x".repeat(30));
                delta.counters.rows_mut(Measure::Pages, day).add(0, &key, 1, 1);
            }
            sums.entry(day).or_default().add_all(&delta);
            assert!(spill.add(delta).is_ok());
        }
        assert!(spill.written > 0, "some of it was written");
        assert_eq!(spill.days(), sums.keys().copied().collect());
        for (day, sum) in sums {
            assert_eq!(spill.of_day(day).ok(), Some(sum), "{day}");
        }
    }
}
