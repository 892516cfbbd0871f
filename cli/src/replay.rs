//! `identity replay`: hands batches to the counting again that were not counted the first time.

use aws_config::BehaviorVersion;
use rollup::dead_letters::{DeadLetter, Queue, Received};
use rollup::{Consumer, Reconciled};
use shared::derived::BatchRef;
use shared::keys::BatchKey;
use shared::store::Store;

use crate::error::CliError;
use crate::output;
use crate::progress::{Progress, Unit};

/// What became of queued batches.
#[derive(Debug, Default)]
struct Replayed {
    counted: u64,
    failed: u64,
    /// Messages for stream records that were given up: they don't say which batches they held.
    given_up: Vec<Received>,
}

/// The queue at a URL, with the AWS environment's credentials.
pub async fn queue(url: &str) -> Queue {
    let config = aws_config::defaults(BehaviorVersion::latest()).http_client(shared::app::https_client()).load().await;
    Queue::new(aws_sdk_sqs::Client::new(&config), url)
}

/// Replays what is queued, or looks through the table where there is no queue. Says whether all of it is counted.
pub async fn run(store: &Store, queue: Option<&Queue>) -> Result<bool, CliError> {
    let consumer = Consumer::new(store.clone());
    let Some(queue) = queue else { return reconcile(&consumer).await };
    let mut replayed = Replayed::default();
    let progress = Progress::begin("Replaying", Unit::Batches, None);
    loop {
        let messages = queue.receive().await?;
        if messages.is_empty() {
            break;
        }
        for message in messages {
            replay(&consumer, queue, message, &mut replayed).await?;
            progress.at(replayed.counted + replayed.failed);
        }
    }
    progress.end();
    output::line(&format!("{} batches counted, {} still can't be", replayed.counted, replayed.failed))?;
    if replayed.given_up.is_empty() {
        return Ok(replayed.failed == 0);
    }
    let is_complete = reconcile(&consumer).await?;
    for message in &replayed.given_up {
        queue.delete(message).await?;
    }
    Ok(is_complete && replayed.failed == 0)
}

/// Counts a queued batch, and takes it off the queue if that works.
async fn replay(
    consumer: &Consumer,
    queue: &Queue,
    message: Received,
    replayed: &mut Replayed,
) -> Result<(), CliError> {
    let Some(BatchKey { project, visitor, session, batch }) = message.letter.as_ref().and_then(DeadLetter::key) else {
        replayed.given_up.push(message);
        return Ok(());
    };
    let applied = consumer.apply_stored(&project, &[BatchRef { visitor, session, batch }]).await?;
    match applied.refused.first() {
        None => {
            queue.delete(&message).await?;
            replayed.counted += 1;
        }
        Some(refused) => {
            let key = refused.key.key();
            eprintln!("{} / {}: {}", key.pk, key.sk, refused.cause);
            replayed.failed += 1;
        }
    }
    Ok(())
}

async fn reconcile(consumer: &Consumer) -> Result<bool, CliError> {
    let progress = Progress::begin("Looking for batches that were left behind", Unit::Batches, None);
    let found = consumer.reconcile(|batches| progress.at(batches as u64)).await?;
    progress.end();
    let Reconciled { batches, applied, refused } = found;
    output::line(&format!("{batches} batches looked at: {applied} counted now, {refused} can't be"))?;
    Ok(found.refused == 0)
}
