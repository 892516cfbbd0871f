//! New items that wait at the same time are stored in one transaction.
//!
//! The engine waits for the disk at each commit: this way it waits once for all of them. DynamoDB charges twice for what
//! is in a transaction, so no function does this.

use dynoxide::actions::put_item::{PutItemRequest, PutItemResponse};
use dynoxide::actions::transact_write_items::{TransactPut, TransactWriteItem, TransactWriteItemsRequest};
use dynoxide::types::{ConsumedCapacity, consumed_capacity, item_size, write_capacity_units};
use dynoxide::{Database, DynoxideError};
use tokio::sync::oneshot;

/// DynamoDB's limit of items in a transaction.
pub const MAX_TOGETHER: usize = 100;

/// The condition of an item that is stored if there is none with its key.
const IS_NEW: &str = "attribute_not_exists(#pk)";

/// A new item that waits.
pub struct NewItem {
    request: PutItemRequest,
    answer: oneshot::Sender<Result<PutItemResponse, DynoxideError>>,
}

/// What will come of an item.
pub type Answered = oneshot::Receiver<Result<PutItemResponse, DynoxideError>>;

/// Whether a request stores an item only if there is none with its key.
pub fn is_new(request: &PutItemRequest) -> bool {
    request.condition_expression.as_deref() == Some(IS_NEW)
}

impl NewItem {
    /// An item that begins to wait.
    pub fn waiting(request: PutItemRequest) -> (Self, Answered) {
        let (answer, answered) = oneshot::channel();
        (NewItem { request, answer }, answered)
    }

    fn in_transaction(&self) -> TransactWriteItem {
        let PutItemRequest {
            table_name,
            item,
            condition_expression,
            expression_attribute_names,
            expression_attribute_values,
            ..
        } = &self.request;
        let put = TransactPut {
            table_name: table_name.clone(),
            item: item.clone(),
            condition_expression: condition_expression.clone(),
            expression_attribute_names: expression_attribute_names.clone(),
            expression_attribute_values: expression_attribute_values.clone(),
            return_values_on_condition_check_failure: None,
        };
        TransactWriteItem { put: Some(put), ..TransactWriteItem::default() }
    }
}

/// Stores items in one transaction. If that fails, for one of them or for all, each is stored by itself.
pub fn store(database: &Database, items: Vec<NewItem>) {
    let are_stored = items.len() > 1 && store_together(database, &items).is_ok();
    for NewItem { request, answer } in items {
        let outcome = match are_stored {
            true => Ok(PutItemResponse { consumed_capacity: price(&request), ..PutItemResponse::default() }),
            false => database.put_item(request),
        };
        // Who has gone away needs no answer.
        let _ = answer.send(outcome);
    }
}

/// What DynamoDB takes for the item: there, it is stored by itself.
fn price(request: &PutItemRequest) -> Option<ConsumedCapacity> {
    let units = write_capacity_units(item_size(&request.item));
    consumed_capacity(&request.table_name, units, &request.return_consumed_capacity)
}

fn store_together(database: &Database, items: &[NewItem]) -> Result<(), DynoxideError> {
    let transact_items = items.iter().map(NewItem::in_transaction).collect();
    let request = TransactWriteItemsRequest { transact_items, ..TransactWriteItemsRequest::default() };
    database.transact_write_items(request).map(drop)
}
