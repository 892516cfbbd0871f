//! Looks at the calls to DynamoDB, and counts the bytes of its answers.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use aws_sdk_dynamodb::config::interceptors::AfterDeserializationInterceptorContextRef;
use aws_sdk_dynamodb::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_dynamodb::error::BoxError;
use figures::table::store::Store;

/// The same table through a client whose calls are looked at.
pub fn watched(store: &Store, by: impl Intercept + 'static) -> Store {
    let config = store.client().config().to_builder().interceptor(by).build();
    Store::new(aws_sdk_dynamodb::Client::from_conf(config), store.table())
}

/// Bytes received so far.
#[derive(Debug, Clone, Default)]
pub struct Bytes(Arc<AtomicU64>);

impl Bytes {
    /// The same table through a client that counts here.
    pub fn counting(&self, store: &Store) -> Store {
        watched(store, self.clone())
    }

    /// What was received since the last look.
    pub fn take(&self) -> u64 {
        self.0.swap(0, Ordering::Relaxed)
    }
}

impl Intercept for Bytes {
    fn name(&self) -> &'static str {
        "Bytes"
    }

    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let body = context.response().body().bytes().map_or(0, <[u8]>::len);
        self.0.fetch_add(body as u64, Ordering::Relaxed);
        Ok(())
    }
}
