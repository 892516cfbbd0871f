//! Secrets of a project: random bytes that are made where they are first needed, once for all instances, and expire.

use crate::table::keys::Key;
use crate::table::store::{Consistency, DATA, EXPIRES, Store, StoreError, binary, key_item, number, read_binary};
use crate::time::Millis;

/// The secret under a key, made where there is none yet.
pub async fn of_key<const LENGTH: usize>(
    store: &Store,
    key: &Key,
    expires_at: Millis,
) -> Result<[u8; LENGTH], StoreError> {
    if let Some(item) = store.get(key, Consistency::Eventual).await? {
        return read(read_binary(&item, DATA)?);
    }
    let fresh: [u8; LENGTH] = random()?;
    let mut item = key_item(key);
    item.insert(DATA.to_owned(), binary(fresh.to_vec()));
    item.insert(EXPIRES.to_owned(), number(expires_at.0 / 1000));
    if store.put_at(item, None).await?.is_stored() {
        return Ok(fresh);
    }
    match store.get(key, Consistency::Strong).await? {
        Some(item) => read(read_binary(&item, DATA)?),
        None => Err(StoreError::Unavailable("a secret vanished as it was made".to_owned())),
    }
}

/// A secret as it is stored.
pub fn read<const LENGTH: usize>(bytes: &[u8]) -> Result<[u8; LENGTH], StoreError> {
    bytes
        .try_into()
        .map_err(|_| StoreError::Corrupt { key: "a secret".to_owned(), cause: format!("not {LENGTH} bytes") })
}

/// The system's random bytes.
pub fn random<const LENGTH: usize>() -> Result<[u8; LENGTH], StoreError> {
    let mut bytes = [0; LENGTH];
    getrandom::fill(&mut bytes).map_err(|error| StoreError::Failed(error.to_string()))?;
    Ok(bytes)
}
