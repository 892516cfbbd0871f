//! Hands stored batches to consumers as a stream on a bad day does: cut anywhere, again and again, in
//! company, out of order.

use std::collections::BTreeMap;

use counting::Consumer;
use fastrand::Rng;
use figures::ids::ProjectId;
use figures::model::Batch;
use figures::table::store::StoreError;

/// A stored batch and whose it is.
pub type Stored = (ProjectId, Batch);

/// Deliveries in a row that may fail before the consumer is held to be stuck.
const MAX_FAILURES: usize = 50;

/// In which order batches are delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// As they were stored.
    Stored,
    /// Each visitor's as they were stored, shuffled across visitors, as shards come.
    StoredByVisitor,
    /// Any, as dead letters come.
    Any,
}

impl Order {
    /// All of them.
    pub const ALL: [Order; 3] = [Order::Stored, Order::StoredByVisitor, Order::Any];

    fn arrange(self, batches: &[Stored], rng: &mut Rng) -> Vec<Stored> {
        let mut arranged = batches.to_vec();
        if self == Order::Stored {
            return arranged;
        }
        rng.shuffle(&mut arranged);
        if self == Order::StoredByVisitor {
            // The places of each visitor stay; its batches take them in the order of storage.
            let mut queues: BTreeMap<_, Vec<Stored>> = BTreeMap::new();
            for stored in batches.iter().rev() {
                queues.entry(owner(stored)).or_default().push(stored.clone());
            }
            for place in &mut arranged {
                if let Some(next) = queues.get_mut(&owner(place)).and_then(Vec::pop) {
                    *place = next;
                }
            }
        }
        arranged
    }
}

fn owner((project, batch): &Stored) -> (String, String) {
    (project.to_string(), batch.visitor_id.to_string())
}

/// Delivers everything, cut at random, some of it twice and some to two consumers at once, until
/// every delivery was taken. A delivery that fails because the table was not there for it comes again with
/// other boundaries.
///
/// # Errors
/// If a consumer fails in any other way, or again and again.
pub async fn deliver(consumer: &Consumer, batches: &[Stored], order: Order, rng: &mut Rng) -> Result<(), String> {
    let queue = order.arrange(batches, rng);
    let largest = [1, 3, 10, 100][rng.usize(..4)];
    let (mut done, mut failures) = (0, 0);
    while done < queue.len() {
        let to = queue.len().min(done + rng.usize(1..=largest));
        let delivered = &queue[done..to];
        let outcome = match rng.u8(..4) {
            // Another consumer is given the same records, and more or fewer around them, at the same time.
            0 => {
                let from = done.saturating_sub(rng.usize(..3));
                let until = queue.len().min(from + rng.usize(1..=largest));
                let (one, other) = tokio::join!(apply(consumer, delivered), apply(consumer, &queue[from..until]));
                one.and(other)
            }
            1 => match apply(consumer, delivered).await {
                Ok(()) => apply(consumer, delivered).await,
                failed => failed,
            },
            _ => apply(consumer, delivered).await,
        };
        match outcome {
            Ok(()) => (done, failures) = (to, 0),
            Err(StoreError::Unavailable(_)) if failures < MAX_FAILURES => failures += 1,
            Err(error) => return Err(format!("the consumer fails: {error}")),
        }
    }
    Ok(())
}

async fn apply(consumer: &Consumer, delivered: &[Stored]) -> Result<(), StoreError> {
    let mut by_project: BTreeMap<ProjectId, Vec<Batch>> = BTreeMap::new();
    for (project, batch) in delivered {
        by_project.entry(project.clone()).or_default().push(batch.clone());
    }
    consumer.apply(by_project).await.complete()
}
