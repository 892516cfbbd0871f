//! All that the counting of a measure consists of.

use crate::counters::rows::{Cells, TableId};
use crate::counters::{Days, Rows};
use crate::ids::VisitorId;
use crate::measures::distinct::Seen;
use crate::model::trail::Transition;
use crate::model::{Batch, Session};

/// The most keys of a table's day that are kept apart, so that nobody who holds the public key can make reading expensive.
const MAX_KEYS: usize = 2_000;

/// A measure: what is added to it, and how its rows stay small. Its file says it, and nothing else does.
#[derive(Debug, Clone, Copy)]
pub struct Definition {
    /// Its name in the table's keys.
    pub name: &'static str,
    /// The version of the set of measures that it came with. A session that is counted with an earlier one adds nothing
    /// to it.
    pub since: u16,
    /// What a session adds, whoever had it.
    pub add_presence_of_session: fn(&mut Days, &Session),
    /// What a person's session adds besides, apart from its batches.
    pub add_session: fn(&mut Days, &Session),
    /// What a batch adds, whoever sent it.
    pub add_presence_of_batch: fn(&mut Days, &Batch),
    /// What a person's batch adds besides.
    pub add_batch: fn(&mut Days, &Batch),
    /// What it adds that a page view of a person's session follows another.
    pub add_transition: fn(&mut Days, &VisitorId, &Transition),
    /// The tables whose rows count distinct visitors.
    pub distinct: &'static [TableId],
    /// At which keys of these tables a batch's visitor was seen.
    pub seen: fn(&Batch) -> Vec<Seen>,
    /// How many keys of a table a day keeps apart. `None`: all, as clients can't choose them.
    pub max_keys: Option<usize>,
    /// What a row has behind it: where a day has too many keys, those with the most are kept apart.
    pub strength: fn(TableId, Cells<'_>) -> i64,
    /// Keeps a day's rows small, where adding alone would let them grow with the number of events.
    pub trim: fn(&mut Rows),
    /// Leaves of a day's rows what readers see, where that is less.
    pub reduce: fn(&mut Rows),
    /// Whether a row counts nothing any more.
    pub is_emptied: fn(TableId, Cells<'_>) -> bool,
}

impl Definition {
    /// A measure of this name to which nothing is added yet. Rows are as strong as their first field, which counts what they
    /// are of.
    pub const fn new(name: &'static str) -> Self {
        Definition {
            name,
            since: 1,
            add_presence_of_session: |_, _| {},
            add_session: |_, _| {},
            add_presence_of_batch: |_, _| {},
            add_batch: |_, _| {},
            add_transition: |_, _, _| {},
            distinct: &[],
            seen: |_| Vec::new(),
            max_keys: Some(MAX_KEYS),
            strength: |_, row| row.get(0),
            trim: |_| {},
            reduce: |_| {},
            is_emptied: |_, row| row.iter().all(|(_, count)| count == 0),
        }
    }
}
