//! `identity replay`: hands batches to the counting again that were not counted the first time.

use std::time::Duration;

use aws_config::BehaviorVersion;
use counting::dead_letters::Queue;
use counting::{Consumer, Reconciled};
use figures::table::store::Store;

use crate::error::CliError;
use crate::output;
use crate::progress::{Progress, Unit};

/// The queue at a URL, with the AWS environment's credentials.
pub async fn queue(url: &str) -> Queue {
    let config = aws_config::defaults(BehaviorVersion::latest()).http_client(shared::aws::https_client()).load().await;
    Queue::new(aws_sdk_sqs::Client::new(&config), url)
}

/// Replays what is queued, or looks through the table where there is no queue. Says whether all of it is counted.
pub async fn run(store: &Store, queue: Option<&Queue>) -> Result<bool, CliError> {
    let consumer = Consumer::new(store.clone()).keeping_as_noted();
    let Some(queue) = queue else { return reconcile(&consumer).await };
    let progress = Progress::begin("Replaying", Unit::Batches, None);
    let replayed = consumer.replay(queue, Duration::MAX, |seen| progress.at(seen as u64)).await?;
    progress.end();
    for refused in &replayed.refused {
        let key = refused.key.key();
        eprintln!("{} / {}: {}", key.pk, key.sk, refused.cause);
    }
    let are_all_counted = replayed.refused.is_empty();
    output::line(&format!("{} batches counted, {} still can't be", replayed.removed, replayed.refused.len()))?;
    Ok((replayed.given_up == 0 || reconcile(&consumer).await?) && are_all_counted)
}

async fn reconcile(consumer: &Consumer) -> Result<bool, CliError> {
    let progress = Progress::begin("Looking for batches that were left behind", Unit::Batches, None);
    let found = consumer.reconcile_now(consumer.now(), |batches| progress.at(batches as u64)).await?;
    progress.end();
    let Reconciled { batches, applied, refused } = found;
    output::line(&format!("{batches} batches looked at: {applied} counted now, {refused} can't be"))?;
    Ok(found.refused == 0)
}
