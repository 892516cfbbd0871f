//! Reads the batches out of a stream event.

use std::collections::BTreeMap;

use aws_lambda_events::dynamodb::{Event, EventRecord};
use serde_dynamo::AttributeValue;

use shared::ids::ProjectId;
use shared::keys;
use shared::model::Batch;
use shared::store::{DATA, PK, SK};

/// The new batches of an event, by project. Records of other items are passed over. A record that can't be
/// read is logged and passed over too, so that it holds up nobody else: its batch is still in the table.
pub fn batches_of(event: Event) -> BTreeMap<ProjectId, Vec<Batch>> {
    let mut batches: BTreeMap<ProjectId, Vec<Batch>> = BTreeMap::new();
    for record in event.records.iter().filter(|record| record.event_name == "INSERT") {
        let keys = record.change.keys.get(PK).zip(record.change.keys.get(SK));
        let Some((AttributeValue::S(pk), AttributeValue::S(sk))) = keys else { continue };
        let Some(key) = keys::parse_batch(pk, sk) else { continue };
        match read(record) {
            Ok(batch) => batches.entry(key.project).or_default().push(batch),
            Err(cause) => tracing::error!(pk, sk, cause, "a batch can't be read"),
        }
    }
    batches
}

fn read(record: &EventRecord) -> Result<Batch, String> {
    match record.change.new_image.get(DATA) {
        Some(AttributeValue::B(data)) => Batch::from_data(data).map_err(|error| error.to_string()),
        _ => Err("the record has no image".to_owned()),
    }
}
