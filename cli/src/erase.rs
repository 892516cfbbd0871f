//! Erasing visitors: one that asks for it (GDPR article 17), or those that an owner did not want.

use std::collections::BTreeMap;

use counting::{Consumer, Erased, Filter, Match, OfDay};
use figures::ids::{ProjectId, VisitorId};
use figures::table::store::Store;
use figures::time::Day;

use crate::error::CliError;
use crate::progress::{Progress, Unit};
use crate::{output, project};

/// How many visitors are named that would be erased.
const NAMED: usize = 10;

/// Erases a visitor and says what was removed.
pub async fn run(store: &Store, project: &ProjectId, visitor: &VisitorId) -> Result<(), CliError> {
    project::must_exist(store, project).await?;
    eprintln!("Erasing {visitor} from {project}. It can be stopped and run again.");
    let erased = Consumer::new(store.clone())
        .keeping_as_noted()
        .erase(project, visitor, |erased| eprintln!("{} sessions, {} items erased", erased.sessions, erased.items))
        .await?;
    println!("Erased {visitor}: {} sessions, {} items.", erased.sessions, erased.items);
    if erased.items == 0 {
        eprintln!("Nothing was stored of it. What it sends from now on is refused.");
    }
    Ok(())
}

/// What would be erased.
#[derive(Debug, Default)]
struct Shown {
    visitors: usize,
    sessions: usize,
    events: usize,
    batches: usize,
    first: Vec<[String; 4]>,
    days: BTreeMap<Day, OfDay>,
}

impl Shown {
    fn add(&mut self, found: &Match) {
        let (sessions, events) = (found.sessions(), found.events());
        self.visitors += 1;
        self.sessions += sessions;
        self.events += events;
        self.batches += found.batches;
        if self.first.len() < NAMED {
            let counts = [sessions, events, found.batches].map(|count| count.to_string());
            let [sessions, events, batches] = counts;
            self.first.push([found.visitor.to_string(), sessions, events, batches]);
        }
        for (day, of_day) in &found.days {
            let sum = self.days.entry(*day).or_default();
            sum.sessions += of_day.sessions;
            sum.events += of_day.events;
        }
    }

    fn print(&self) -> Result<(), CliError> {
        let Shown { visitors, sessions, events, batches, first, days } = self;
        output::line(&format!("{visitors} visitors match: {sessions} sessions, {events} events, {batches} batches."))?;
        if first.is_empty() {
            return Ok(());
        }
        output::line("")?;
        output::table(["VISITOR", "SESSIONS", "EVENTS", "BATCHES"], first)?;
        if *visitors > first.len() {
            output::line(&format!("and {} more", visitors - first.len()))?;
        }
        output::line("")?;
        let row =
            |(day, of_day): (&Day, &OfDay)| [day.to_string(), of_day.sessions.to_string(), of_day.events.to_string()];
        output::table(["DAY", "SESSIONS", "EVENTS"], &days.iter().map(row).collect::<Vec<_>>())
    }
}

/// Shows what erasing the visitors that match would remove.
pub async fn show_matching(store: &Store, project: &ProjectId, filter: &Filter) -> Result<(), CliError> {
    project::must_exist(store, project).await?;
    let progress = Progress::begin("Looking for visitors", Unit::Visitors, None);
    let mut shown = Shown::default();
    let show = |found: Match| {
        shown.add(&found);
        progress.at(shown.visitors as u64);
    };
    let looked = Consumer::new(store.clone()).keeping_as_noted().find_matching(project, filter, show).await;
    progress.end();
    looked?;
    shown.print()?;
    if shown.visitors > 0 {
        eprintln!("Nothing is removed yet. Run it again with --yes to erase them, for good.");
    }
    Ok(())
}

/// Erases the visitors that match and says what was removed.
pub async fn erase_matching(store: &Store, project: &ProjectId, filter: &Filter) -> Result<(), CliError> {
    project::must_exist(store, project).await?;
    eprintln!("Erasing what matches from {project}. It can be stopped and run again.");
    let progress = Progress::begin("Erasing visitors", Unit::Visitors, None);
    let report = |erased: Erased| progress.at(erased.visitors as u64);
    let erased = Consumer::new(store.clone()).keeping_as_noted().erase_matching(project, filter, report).await;
    progress.end();
    let Erased { visitors, sessions, items } = erased?;
    output::line(&format!("Erased {visitors} visitors: {sessions} sessions, {items} items."))
}
