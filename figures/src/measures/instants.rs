//! Rows whose fields are instants of the day, to know the first and the last one, also after some are taken out.
//!
//! A field is the millisecond of the day, its count how many events happened then. A row that grows
//! keeps its earliest and its latest instants and drops those between; from then on it takes no more
//! between. So adding and taking out stay exact, in any order, until a day's every kept instant at
//! one end was taken out, which only a rebuild can mend.

use crate::counters::rows::{Cells, Table};
use crate::time::{Day, Millis};

/// How many instants a row keeps at each end once it is full.
const KEPT: usize = 24;
/// A row with more instants than this is full.
const MAX_INSTANTS: usize = 72;

/// Fields above every millisecond of a day: the last instant of the early end, the first of the late end.
const EARLY_END: u32 = MARKERS;
const LATE_START: u32 = MARKERS + 1;

/// Fields from here on say something of their row, and are not added to another one's.
pub const MARKERS: u32 = 100_000_000;

/// The field of an instant.
pub fn field(at: Millis) -> u32 {
    (at.0 - at.day().start().0) as u32
}

/// The earliest and the latest instant of a row.
pub fn span(row: Cells<'_>, day: Day) -> Option<(Millis, Millis)> {
    let mut instants = row.before_field(EARLY_END).filter(|(_, count)| *count > 0).map(|(field, _)| field);
    let first = instants.next()?;
    let last = instants.next_back().unwrap_or(first);
    Some((day.start().plus(i64::from(first)), day.start().plus(i64::from(last))))
}

/// How many of its instants a row keeps.
pub fn kept(row: Cells<'_>) -> i64 {
    row.before_field(MARKERS).map(|(_, count)| count).sum()
}

/// Drops what lies between the kept ends of the rows of a table.
pub fn trim(table: &mut Table) {
    for row in table.values_mut() {
        let cells = row.cells();
        if cells.contains(EARLY_END) && cells.contains(LATE_START) {
            let (early, late) = (cells.get(EARLY_END), cells.get(LATE_START));
            row.retain(|field, _| field >= EARLY_END || i64::from(field) <= early || i64::from(field) >= late);
        }
        let instants: Vec<u32> = row.cells().before_field(EARLY_END).map(|(field, _)| field).collect();
        if instants.len() > MAX_INSTANTS {
            let (early, late) = (instants[KEPT - 1], instants[instants.len() - KEPT]);
            row.retain(|field, _| field >= EARLY_END || field <= early || field >= late);
            row.set(EARLY_END, i64::from(early));
            row.set(LATE_START, i64::from(late));
        }
    }
}

/// Whether no instant is left of a row, whatever it dropped.
pub fn is_emptied(row: Cells<'_>) -> bool {
    row.before_field(EARLY_END).all(|(_, count)| count == 0)
}

/// Leaves the first and the last instant of each row.
pub fn reduce(table: &mut Table) {
    for row in table.values_mut() {
        let mut instants = row.cells().before_field(EARLY_END).filter(|(_, count)| *count > 0).map(|(field, _)| field);
        let first = instants.next();
        let ends = [first, instants.next_back().or(first)];
        drop(instants);
        *row = ends.into_iter().flatten().map(|field| (field, 1)).collect();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::counters::rows::Row;

    #[test]
    fn a_full_row_still_knows_its_ends_when_some_are_taken_out() {
        let mut table = Table::from([("key".to_owned(), (0..500).map(|at| (at * 10, 1)).collect::<Row>())]);
        trim(&mut table);
        let Some(row) = table.get_mut("key") else { panic!("the row stays") };
        assert!(row.cells().len() <= 2 * KEPT + 2);
        assert_eq!(span(row.cells(), Day(0)), Some((Millis(0), Millis(4_990))));
        for taken in [0, 10, 4_990, 2_500] {
            row.add(taken, -1);
        }
        trim(&mut table);
        assert_eq!(table.get("key").and_then(|row| span(row.cells(), Day(0))), Some((Millis(20), Millis(4_980))));
    }
}
