//! Rebuilding everything that is derived from the stored batches, or telling what differs.

use std::cell::RefCell;
use std::sync::Mutex;

use counting::{Consumer, Differences, Progress as Step};
use figures::ids::ProjectId;
use figures::table::store::Store;

use crate::error::CliError;
use crate::progress::{Progress, Unit};
use crate::project;

/// How many differing of a kind are named one by one.
const NAMED: usize = 20;

/// Rebuilds a project, or with `is_check` only compares. Says whether nothing differed.
pub async fn run(store: &Store, project: &ProjectId, is_check: bool) -> Result<bool, CliError> {
    project::must_exist(store, project).await?;
    let shown: Mutex<Shown> = Mutex::default();
    let differences = Consumer::new(store.clone())
        .keeping_as_noted()
        .rebuild(project, is_check, |step| {
            if let Ok(mut shown) = shown.lock() {
                shown.show(step);
            }
        })
        .await?;
    if let Ok(mut shown) = shown.lock() {
        shown.end();
    }
    describe(&differences, is_check);
    Ok(differences.is_empty())
}

/// The step that is shown.
#[derive(Debug, Default)]
struct Shown(RefCell<Option<(&'static str, Progress)>>);

impl Shown {
    fn show(&mut self, step: Step) {
        let (label, unit, done, total) = match step {
            Step::Replaying(done) => ("Replaying visitors", Unit::Visitors, done, None),
            Step::Comparing(done, all) => ("Comparing figures and indexes", Unit::Days, done, Some(all as u64)),
            Step::Writing(done, all) => ("Writing what differs", Unit::Days, done, Some(all as u64)),
            Step::Waiting => {
                self.end();
                return eprintln!("Waiting for requests that are under way.");
            }
        };
        if self.0.borrow().as_ref().is_none_or(|(shown, _)| *shown != label) {
            self.end();
            self.0.replace(Some((label, Progress::begin(label, unit, total))));
        }
        if let Some((_, progress)) = &*self.0.borrow() {
            progress.at(done as u64);
        }
    }

    fn end(&mut self) {
        if let Some((_, progress)) = self.0.take() {
            progress.end();
        }
    }
}

fn describe(differences: &Differences, is_check: bool) {
    if differences.is_empty() {
        println!("Nothing differs from the stored batches.");
        return;
    }
    let verdict = if is_check { "differs" } else { "differed and is rebuilt" };
    list(verdict, "visitor", differences.visitors.iter().map(|visitor| visitor.to_string()));
    if differences.more_visitors > 0 {
        println!("visitor: {} more", differences.more_visitors);
    }
    list(verdict, "figures", differences.figures.iter().map(|(measure, day)| format!("{} {day}", measure.name())));
    let hour = |(index, hour): &(figures::table::keys::Index, figures::time::Hour)| {
        format!("index of {} {}T{:02}", index.name(), hour.day(), hour.of_day())
    };
    list(verdict, "hour", differences.hours.iter().map(hour));
    if differences.lookups > 0 {
        println!("{} lookups of sessions that don't exist", differences.lookups);
    }
    if differences.segments > 0 {
        println!("{} items of the tail that can't be read", differences.segments);
    }
    if is_check {
        eprintln!("Run `identity rebuild` without --check to put it right.");
    }
}

fn list(verdict: &str, kind: &str, differing: impl ExactSizeIterator<Item = String>) {
    let count = differing.len();
    for one in differing.take(NAMED) {
        println!("{kind} {one} {verdict}");
    }
    if count > NAMED {
        println!("{kind}: {} more", count - NAMED);
    }
}
