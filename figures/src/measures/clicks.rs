//! The `clicks` measure: clicks that went wrong, by element and page.

use crate::counters::Days;
use crate::counters::flat::FlatRows;
use crate::counters::rows::{Cells, TableId};
use crate::counters::sums::sums;
use crate::measures::definition::Definition;
use crate::measures::distinct;
use crate::measures::distinct::{Others, Seen};
use crate::measures::event_data::{EventData, joint_key, table_of};
use crate::model::Batch;
use crate::model::event_types::{DEAD_CLICK, PHANTOM_CLICK, RAGE_CLICK};
use crate::time::{Day, Millis};

/// The types, each with a table of its own, in this order.
const TYPES: [&str; 3] = [RAGE_CLICK, DEAD_CLICK, PHANTOM_CLICK];
const COUNT: u32 = 0;

/// A kind of click that went wrong, in the order of the tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Repeated fast clicks.
    Rage,
    /// Clicks on what does not react.
    Dead,
    /// Clicks on what was gone.
    Phantom,
}

/// The measure.
pub const DEFINITION: Definition =
    Definition { add_batch, distinct: &[0, 1, 2], seen, strength, ..Definition::new("clicks") };

fn clicks(batch: &Batch) -> impl Iterator<Item = (TableId, String, Millis)> {
    batch.events.iter().filter_map(|event| {
        let table = table_of(&TYPES, &event.name)?;
        let data = EventData::of(event);
        Some((table, joint_key([data.text("selector"), event.url.as_deref()]), event.created_at))
    })
}

/// What a person's batch adds.
fn add_batch(days: &mut Days, batch: &Batch) {
    for (table, key, at) in clicks(batch) {
        days.rows_mut(at.day()).add(table, &key, COUNT, 1);
    }
}

/// Which keys a batch's visitor was seen at.
fn seen(batch: &Batch) -> Vec<Seen> {
    let visitor = || batch.visitor_id.clone();
    clicks(batch).map(|(table, key, at)| Seen { table, key, day: at.day(), visitor: visitor() }).collect()
}

/// A row's visitors, or clicks if these are fewer.
fn strength(_: TableId, row: Cells<'_>) -> i64 {
    distinct::visitors(row).min(row.get(COUNT))
}

/// An element's figures in a range.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ClickFigures {
    /// How many clicks.
    pub count: i64,
    /// Of how many distinct visitors.
    pub unique_visitors: u64,
}

/// The clicks of one kind on days in a range that ends on `end`, by the joint key of selector and URL.
pub fn by_element<'a>(
    days: impl Iterator<Item = (&'a Day, &'a FlatRows)> + Clone,
    kind: Kind,
    end: Day,
) -> impl Iterator<Item = (&'a str, ClickFigures)> {
    let table = kind as TableId;
    let others = Others::of(days.clone(), table);
    let elements = sums(days, [table], move |figures: &mut ClickFigures, (day, _), row| {
        figures.count += row.get(COUNT);
        figures.unique_visitors += distinct::counted(row, day, end);
    });
    let elements = elements.filter(|(_, figures)| figures.count > 0);
    elements.map(move |(key, figures)| {
        (key, ClickFigures { unique_visitors: others.distinct(key, figures.unique_visitors), ..figures })
    })
}
