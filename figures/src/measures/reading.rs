//! The `reading` measure: how pages are read.

use crate::counters::Days;
use crate::counters::flat::FlatRows;
use crate::counters::rows::TableId;
use crate::counters::sums::sums;
use crate::measures::definition::Definition;
use crate::measures::event_data::EventData;
use crate::model::Batch;
use crate::model::event_types::READING_BEHAVIOR;
use crate::numbers::MICROS;
use crate::time::Day;

const PAGES: TableId = 0;
const READS: u32 = 0;
/// The fields of the data, each with a field for how many reads have it and one for its sum in millionths.
const FIELDS: [&str; 4] = ["scroll_depth", "active_time_ms", "total_time_ms", "scroll_velocity"];
/// The end of a page, in percent of it.
const END: i64 = 100 * MICROS;

/// The measure.
pub const DEFINITION: Definition = Definition { add_batch, ..Definition::new("reading") };

/// What a person's batch adds.
fn add_batch(days: &mut Days, batch: &Batch) {
    for event in batch.events.iter().filter(|event| event.name == READING_BEHAVIOR) {
        let Some(url) = &event.url else { continue };
        let measured = measured(&EventData::of(event));
        let rows = days.rows_mut(event.created_at.day());
        rows.add(PAGES, url, READS, 1);
        for (micros, field) in measured.into_iter().zip((1..).step_by(2)) {
            if let Some(micros) = micros {
                rows.add(PAGES, url, field, 1);
                rows.add(PAGES, url, field + 1, micros);
            }
        }
    }
}

/// What a read says of each of [`FIELDS`]: no page is read beyond its end, nor for longer than it is open.
fn measured(data: &EventData) -> [Option<i64>; 4] {
    let [depth, active, total, velocity] = FIELDS.map(|name| data.micros(name));
    let active = active.map(|active| total.map_or(active, |total| active.min(total)));
    [depth.map(|depth| depth.min(END)), active, total, velocity]
}

/// A number of measurements and their sum in millionths.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sum {
    /// How many.
    pub count: i64,
    /// What they come to, in millionths.
    pub micros: i128,
}

/// A page's figures in a range.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ReadFigures {
    /// How often it was read.
    pub reads: i64,
    /// How far it was scrolled.
    pub scroll_depth: Sum,
    /// How long it was read actively, in milliseconds.
    pub active_time_ms: Sum,
    /// How long it was open, in milliseconds.
    pub total_time_ms: Sum,
    /// How fast it was scrolled.
    pub scroll_velocity: Sum,
}

/// The pages read on some days, by URL.
pub fn by_page<'a>(
    days: impl Iterator<Item = (&'a Day, &'a FlatRows)>,
) -> impl Iterator<Item = (&'a str, ReadFigures)> {
    let pages = sums(days, [PAGES], |page: &mut ReadFigures, _, row| {
        page.reads += row.get(READS);
        let measured =
            [&mut page.scroll_depth, &mut page.active_time_ms, &mut page.total_time_ms, &mut page.scroll_velocity];
        for (sum, field) in measured.into_iter().zip((1..).step_by(2)) {
            sum.count += row.get(field);
            sum.micros += i128::from(row.get(field + 1));
        }
    });
    pages.filter(|(_, page)| page.reads > 0)
}
