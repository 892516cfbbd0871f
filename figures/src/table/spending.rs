//! What a project's batches took of the table in a day, in write units: `rollup` adds it up, and the collector takes no
//! more batches once it is as much as the deployment's owner allows a day.

use aws_sdk_dynamodb::types::{ReturnConsumedCapacity, ReturnValue};

use crate::ids::ProjectId;
use crate::table::keys;
use crate::table::store::{Consistency, EXPIRES, Store, StoreError, failure, key_item, number, read_number};
use crate::time::Day;

/// The attribute with the write units.
const UNITS: &str = "units";

/// A day's item stays for so many days, for owners who look into it.
const RETENTION_DAYS: i32 = 30;

/// The write units of a project's day that are noted.
pub async fn of_day(store: &Store, project: &ProjectId, day: Day) -> Result<u64, StoreError> {
    let item = store.get(&keys::spending(project, day), Consistency::Eventual).await?;
    item.map_or(Ok(0), |item| read_number(&item, UNITS))
}

/// Notes more write units of a project's day, and gives all of them. One that is tried again for a lost answer may count
/// twice: it is an estimate that errs on the safe side.
pub async fn add(store: &Store, project: &ProjectId, day: Day, units: u64) -> Result<u64, StoreError> {
    let update = store
        .client()
        .update_item()
        .table_name(store.table())
        .set_key(Some(key_item(&keys::spending(project, day))))
        .update_expression("ADD #units :units SET #expires = :expires")
        .expression_attribute_names("#units", UNITS)
        .expression_attribute_names("#expires", EXPIRES)
        .expression_attribute_values(":units", number(units))
        .expression_attribute_values(":expires", number(day.plus(RETENTION_DAYS).start().0 / 1_000))
        .return_values(ReturnValue::UpdatedNew)
        .return_consumed_capacity(ReturnConsumedCapacity::None);
    let call = store.begin();
    let updated = update.send().await.map_err(failure)?.attributes.unwrap_or_default();
    store.count_write(call);
    read_number(&updated, UNITS)
}
