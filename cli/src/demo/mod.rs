//! Demo data: a past to look at, and people on the site while the stack runs.

mod history;
mod live;
mod people;
mod site;

use aws_sdk_dynamodb::types::AttributeValue;
use figures::ids::ProjectId;
use figures::log::BatchRef;
use figures::measures::Measure;
use figures::model::Batch;
use figures::table::ip::key_of_today;
use figures::table::keys;
use figures::table::store::{
    Consistency, Item, Outcome, Query, Store, StoreError, Write, key_item, number, read_number,
};
use figures::time::Millis;
use tokio_util::sync::CancellationToken;

use self::live::Live;
use crate::counted::{Uncounted, WaitError};
use crate::progress::{Progress, Unit};

/// The attribute with the instant that the demo data ends at.
const UNTIL: &str = "until";
/// The attribute that says that all of it is stored.
const COMPLETE: &str = "complete";

/// How many batches are stored together.
const GROUP: usize = 50;

/// What there is of demo data.
#[derive(Debug, Clone, Copy)]
enum Plan {
    /// The project's data is its owner's own: nothing is added.
    Foreign,
    /// Made before, in full.
    Complete,
    /// To be made, or made in part before.
    Until(Millis),
}

/// Makes the demo data of a project that has no other data, and keeps people on its site.
pub async fn run(store: Store, project: ProjectId, stop: CancellationToken) {
    let plan = match plan(&store, &project).await {
        Ok(Plan::Foreign) => return,
        Ok(plan) => plan,
        Err(error) => return tracing::error!(%error, "the demo data can't be made"),
    };
    let past = async {
        if let Plan::Until(until) = plan
            && let Some(Err(error)) = stop.run_until_cancelled(make(&store, &project, until)).await
        {
            tracing::error!(%error, "the demo data is incomplete");
        }
    };
    tokio::join!(Live::new(store.clone(), project.clone()).run(stop.clone()), past);
}

async fn plan(store: &Store, project: &ProjectId) -> Result<Plan, StoreError> {
    if let Some(item) = store.get(&keys::dev_demo(project), Consistency::Strong).await? {
        let until = Millis(read_number(&item, UNTIL)?);
        return Ok(if item.contains_key(COMPLETE) { Plan::Complete } else { Plan::Until(until) });
    }
    for partition in [keys::tail(project), keys::blocks(project, Measure::Stats.name())] {
        if !store.query(Query::partition(partition).limit(1).strong()).await?.is_empty() {
            return Ok(Plan::Foreign);
        }
    }
    let until = Millis::now();
    store.put(marker(project, until)).await?;
    Ok(Plan::Until(until))
}

fn marker(project: &ProjectId, until: Millis) -> Item {
    let mut item = key_item(&keys::dev_demo(project));
    item.insert(UNTIL.to_owned(), number(until.0));
    item
}

/// Stores the past until an instant, and waits until it is counted.
async fn make(store: &Store, project: &ProjectId, until: Millis) -> Result<(), WaitError> {
    let ip_key = key_of_today(store, project, until).await?;
    let batches = history::batches(project, until, &ip_key);
    let progress = Progress::begin("Storing the demo data", Unit::Batches, Some(batches.len() as u64));
    let mut uncounted = Uncounted::new(store, project);
    for (stored, group) in batches.chunks(GROUP).enumerate() {
        put(store, project, group).await?;
        progress.at((stored * GROUP) as u64);
        for batch in group {
            uncounted.add(BatchRef::of(batch)).await?;
        }
    }
    progress.end();
    uncounted.wait("Counting the demo data").await?;
    let mut complete = marker(project, until);
    complete.insert(COMPLETE.to_owned(), AttributeValue::Bool(true));
    store.put(complete).await?;
    eprintln!("The demo data is ready.");
    Ok(())
}

/// Stores batches together, but for those that are there already.
async fn put(store: &Store, project: &ProjectId, batches: &[Batch]) -> Result<(), StoreError> {
    let items = batches.iter().map(|batch| batch.to_item(project)).collect::<Result<Vec<_>, _>>()?;
    let mut writes: Vec<_> = items.into_iter().map(|item| Write::PutAt(item, None)).collect();
    while !writes.is_empty() {
        match store.transact(writes.clone()).await? {
            Outcome::Committed => return Ok(()),
            Outcome::Conflict(present) if present.is_empty() => {
                return Err(StoreError::Unavailable("the batches are being written by another process".to_owned()));
            }
            Outcome::Conflict(present) => {
                let missing = writes.into_iter().enumerate().filter(|(at, _)| !present.contains(at));
                writes = missing.map(|(_, write)| write).collect();
            }
        }
    }
    Ok(())
}
