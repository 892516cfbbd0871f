//! Hands what is queued to the counting again.

use std::collections::BTreeMap;
use std::time::Duration;

use futures::stream::{self, StreamExt, TryStreamExt};
use tokio::time::Instant;

use figures::ids::ProjectId;
use figures::log::BatchRef;
use figures::table::keys::{BatchKey, Key};
use figures::table::store::StoreError;

use crate::dead_letters::{DeadLetter, Queue, QueueError, Received};
use crate::{Consumer, Refused, heartbeat};

/// Messages that are taken off the queue before what they name is applied together.
const TOGETHER: usize = 100;
/// Messages that are removed at once.
const REMOVED_AT_ONCE: usize = 10;

/// What became of what is queued.
#[derive(Debug, Default)]
pub struct Replayed {
    /// How many messages are counted or have nothing to count any more, and are removed.
    pub removed: usize,
    /// Batches that still can't be applied. Their messages come again.
    pub refused: Vec<Refused>,
    /// How many messages were about stream records that were given up. They don't say which batches they held; the table
    /// says now that some may be missed, and they are removed.
    pub given_up: usize,
}

/// Why what is queued could not be replayed.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// The queue could not be used.
    #[error(transparent)]
    Queue(#[from] QueueError),
    /// The table could not be used, or not now. The messages come again.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What some messages name.
#[derive(Debug, Default)]
struct Queued {
    batches: BTreeMap<ProjectId, Vec<(BatchRef, Received)>>,
    works: Vec<(Key, Received)>,
    given_up: Vec<Received>,
}

impl Consumer {
    /// Applies what is queued, and takes it off the queue if that works. It begins with no more messages after some time,
    /// and reports how many it has seen.
    ///
    /// # Errors
    /// If the queue or the table can't be used. What was removed before stays removed.
    pub async fn replay(&self, queue: &Queue, time: Duration, report: impl Fn(usize)) -> Result<Replayed, ReplayError> {
        let mut replayed = Replayed::default();
        let begun = Instant::now();
        while begun.elapsed() < time {
            let queued = Queued::receive(queue).await?;
            if queued.is_empty() {
                break;
            }
            replayed.given_up += queued.given_up.len();
            self.note_given_up(queue, &queued.given_up).await?;
            for (project, batches) in queued.batches {
                self.replay_batches(queue, &project, batches, &mut replayed).await?;
            }
            for (key, message) in queued.works {
                self.resume(vec![key]).await?;
                queue.delete(&message).await?;
                replayed.removed += 1;
            }
            report(replayed.removed + replayed.refused.len());
        }
        Ok(replayed)
    }

    /// Notes that batches may be missed. Whoever looks for them may not receive the messages, which are away for a while once
    /// anybody has.
    async fn note_given_up(&self, queue: &Queue, messages: &[Received]) -> Result<(), ReplayError> {
        if messages.is_empty() {
            return Ok(());
        }
        heartbeat::note_missed(self.store(), self.now()).await?;
        for message in messages {
            tracing::error!(
                body = message.body,
                "records of the stream were given up; they are looked for in the whole table"
            );
            queue.delete(message).await?;
        }
        Ok(())
    }

    async fn replay_batches(
        &self,
        queue: &Queue,
        project: &ProjectId,
        batches: Vec<(BatchRef, Received)>,
        replayed: &mut Replayed,
    ) -> Result<(), ReplayError> {
        let (references, messages): (Vec<BatchRef>, Vec<Received>) = batches.into_iter().unzip();
        let applied = self.apply_stored(project, &references).await?;
        let is_done = |message: &&Received| {
            let key = message.letter.as_ref().and_then(DeadLetter::key);
            !applied.refused.iter().any(|refused| Some(&refused.key) == key.as_ref())
        };
        let done: Vec<&Received> = messages.iter().filter(is_done).collect();
        replayed.removed += done.len();
        let removals = stream::iter(done).map(|message| queue.delete(message)).buffer_unordered(REMOVED_AT_ONCE);
        removals.try_collect::<()>().await?;
        replayed.refused.extend(applied.refused);
        Ok(())
    }
}

impl Queued {
    fn is_empty(&self) -> bool {
        self.batches.is_empty() && self.works.is_empty() && self.given_up.is_empty()
    }

    async fn receive(queue: &Queue) -> Result<Self, QueueError> {
        let (mut queued, mut count) = (Queued::default(), 0);
        while count < TOGETHER {
            let messages = queue.receive().await?;
            if messages.is_empty() {
                break;
            }
            count += messages.len();
            for message in messages {
                let letter = message.letter.as_ref();
                if let Some(BatchKey { project, visitor, session, batch }) = letter.and_then(DeadLetter::key) {
                    queued.batches.entry(project).or_default().push((BatchRef { visitor, session, batch }, message));
                } else if let Some((_, key)) = letter.and_then(DeadLetter::work) {
                    queued.works.push((key, message));
                } else {
                    queued.given_up.push(message);
                }
            }
        }
        Ok(queued)
    }
}
