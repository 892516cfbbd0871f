//! New items that wait at the same time are stored together.
//!
//! This is for an engine of one's own, which waits for the disk at each commit: it waits once for all of them, and is
//! asked once. DynamoDB charges twice for what is in a transaction, so no function does this.

use tokio::sync::{mpsc, oneshot};

use crate::store::{ConditionalPut, Item, MAX_TRANSACTION_ITEMS, Outcome, Store, StoreError, Write};

/// A way to the table for new items.
#[derive(Debug, Clone)]
pub(crate) struct Group {
    puts: mpsc::Sender<Put>,
}

/// An item that waits.
struct Put {
    item: Item,
    answer: oneshot::Sender<Result<Answer, StoreError>>,
}

/// What became of an item.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    /// Whether it is stored.
    pub put: ConditionalPut,
    /// Its share of the write units.
    pub write_units: f64,
}

impl Group {
    /// Begins to store what is put, until nobody is left to put anything.
    pub fn start(store: Store) -> Self {
        let (puts, mut waiting) = mpsc::channel(MAX_TRANSACTION_ITEMS);
        tokio::spawn(async move {
            let mut group = Vec::with_capacity(MAX_TRANSACTION_ITEMS);
            while waiting.recv_many(&mut group, MAX_TRANSACTION_ITEMS).await > 0 {
                store_all(&store, &mut group).await;
            }
        });
        Group { puts }
    }

    /// Stores an item if there is none.
    pub async fn put(&self, item: Item) -> Result<Answer, StoreError> {
        let ended = || StoreError::Unavailable("nothing is stored any more".to_owned());
        let (answer, answered) = oneshot::channel();
        self.puts.send(Put { item, answer }).await.map_err(|_| ended())?;
        answered.await.map_err(|_| ended())?
    }
}

/// Stores items in one transaction. If that fails, for one of them or for all, each is stored by itself.
async fn store_all(store: &Store, group: &mut Vec<Put>) {
    let together = match &group[..] {
        [_] => None,
        many => store_together(store, many).await,
    };
    for Put { item, answer } in group.drain(..) {
        let outcome = match together {
            Some(ref answer) => Ok(answer.clone()),
            None => store_alone(store, item).await,
        };
        // Who has gone away needs no answer.
        let _ = answer.send(outcome);
    }
}

async fn store_together(store: &Store, group: &[Put]) -> Option<Answer> {
    let store = store.metered();
    let writes = group.iter().map(|put| Write::PutAt(put.item.clone(), None)).collect();
    let is_stored = matches!(store.transact(writes).await, Ok(Outcome::Committed));
    let write_units = store.consumed().write_units / group.len() as f64;
    is_stored.then_some(Answer { put: ConditionalPut::Stored, write_units })
}

async fn store_alone(store: &Store, item: Item) -> Result<Answer, StoreError> {
    let store = store.metered();
    let put = store.put_at(item, None).await?;
    Ok(Answer { put, write_units: store.consumed().write_units })
}
