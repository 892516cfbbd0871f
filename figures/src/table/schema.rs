//! The table's definition, for engines that `template.yaml` does not create it on.

use aws_sdk_dynamodb::error::ProvideErrorMetadata;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType, StreamSpecification,
    StreamViewType, TimeToLiveSpecification,
};

use crate::table::store::{EXPIRES, PK, SK, Store, StoreError, failure};

/// Creates the table with its stream, unless it is there.
pub async fn create(store: &Store) -> Result<(), StoreError> {
    let invalid = |error: aws_sdk_dynamodb::error::BuildError| StoreError::Failed(error.to_string());
    let attribute = |name: &str| {
        AttributeDefinition::builder()
            .attribute_name(name)
            .attribute_type(ScalarAttributeType::S)
            .build()
            .map_err(invalid)
    };
    let key = |name: &str, kind: KeyType| {
        KeySchemaElement::builder().attribute_name(name).key_type(kind).build().map_err(invalid)
    };
    let stream = StreamSpecification::builder()
        .stream_enabled(true)
        .stream_view_type(StreamViewType::NewImage)
        .build()
        .map_err(invalid)?;
    let created = store
        .client()
        .create_table()
        .table_name(store.table())
        .billing_mode(BillingMode::PayPerRequest)
        .attribute_definitions(attribute(PK)?)
        .attribute_definitions(attribute(SK)?)
        .key_schema(key(PK, KeyType::Hash)?)
        .key_schema(key(SK, KeyType::Range)?)
        .stream_specification(stream)
        .send()
        .await;
    match created {
        Ok(_) => expire(store).await,
        Err(error) if error.code() == Some("ResourceInUseException") => Ok(()),
        Err(error) => Err(failure(error)),
    }
}

async fn expire(store: &Store) -> Result<(), StoreError> {
    let specification = TimeToLiveSpecification::builder()
        .attribute_name(EXPIRES)
        .enabled(true)
        .build()
        .map_err(|error| StoreError::Failed(error.to_string()))?;
    store
        .client()
        .update_time_to_live()
        .table_name(store.table())
        .time_to_live_specification(specification)
        .send()
        .await
        .map(|_| ())
        .map_err(failure)
}
