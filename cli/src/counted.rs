//! Waiting until stored batches are counted.

use std::time::{Duration, Instant};

use counting::Consumer;
use figures::ids::ProjectId;
use figures::log::BatchRef;
use figures::table::store::{Store, StoreError};

use crate::progress::{Progress, Unit};

/// How many batches are asked about at once: few where they are being counted just now, many where all
/// of them turn out to be counted.
const CHUNK: std::ops::RangeInclusive<usize> = 50..=1000;
/// How many batches are kept before those that are counted are looked for.
const MANY: usize = 10_000;
/// The pause between two looks at the same batches.
const PAUSE: Duration = Duration::from_millis(200);
/// After this long without progress, nobody seems to be counting.
const STALL: Duration = Duration::from_secs(60);

/// Stored batches that were not seen to be counted yet.
#[derive(Debug)]
pub struct Uncounted {
    consumer: Consumer,
    project: ProjectId,
    batches: Vec<BatchRef>,
}

/// Why waiting ended too early.
#[derive(Debug, thiserror::Error)]
pub enum WaitError {
    /// The table can't be asked.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Nothing was counted for a long time.
    #[error(
        "{left} batches are stored but none of them was counted for {} s: the consumer of the table's stream seems not to run. \
         They are counted once it does; run the same command again to wait for it.",
        STALL.as_secs()
    )]
    Stalled {
        /// How many are not counted.
        left: usize,
    },
}

impl Uncounted {
    /// None yet.
    pub fn new(store: &Store, project: &ProjectId) -> Self {
        Uncounted {
            consumer: Consumer::new(store.clone()).keeping_as_noted(),
            project: project.clone(),
            batches: Vec::new(),
        }
    }

    /// Adds a stored batch. Now and then it forgets those that are counted, so that few are kept in memory.
    pub async fn add(&mut self, batch: BatchRef) -> Result<(), StoreError> {
        self.batches.push(batch);
        if self.batches.len().is_multiple_of(MANY) {
            for chunk in std::mem::take(&mut self.batches).chunks(*CHUNK.end()) {
                self.batches.extend(self.consumer.pending(&self.project, chunk.to_vec()).await?);
            }
        }
        Ok(())
    }

    /// Returns once all of them are counted.
    pub async fn wait(mut self, label: &'static str) -> Result<(), WaitError> {
        let total = self.batches.len();
        let progress = Progress::begin(label, Unit::Batches, Some(total as u64));
        let mut size = *CHUNK.start();
        while !self.batches.is_empty() {
            let later = self.batches.split_off(self.batches.len().min(size));
            let mut chunk = std::mem::replace(&mut self.batches, later);
            size = (2 * size).min(*CHUNK.end());
            let mut moved_at = Instant::now();
            loop {
                let before = chunk.len();
                chunk = self.consumer.pending(&self.project, chunk).await?;
                let left = chunk.len() + self.batches.len();
                progress.at((total - left) as u64);
                if chunk.is_empty() {
                    break;
                }
                if chunk.len() < before {
                    moved_at = Instant::now();
                } else if moved_at.elapsed() > STALL {
                    return Err(WaitError::Stalled { left });
                }
                size = *CHUNK.start();
                tokio::time::sleep(PAUSE).await;
            }
        }
        progress.end();
        Ok(())
    }
}
