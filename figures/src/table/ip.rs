//! Encrypted IP addresses: readable for 30 days, then gone from every copy at once.
//!
//! An address is stored encrypted with a key that belongs to the project and the day it was
//! received on. The key's item expires; with it every address of that day becomes unreadable, in
//! batches, sessions, indexes and backups of them, without a single one being rewritten.
//!
//! The cipher hides and does not authenticate: whoever can write to the table can change what an address reads as.

use std::collections::HashMap;
use std::net::IpAddr;

use chacha20::ChaCha20;
use chacha20::cipher::{KeyIvInit, StreamCipher};
use serde::{Deserialize, Serialize};

use crate::ids::ProjectId;
use crate::table::keys;
use crate::table::secret;
use crate::table::store::{DATA, EXPIRES, Query, SK, Store, StoreError, read_binary, read_number, read_text};
use crate::time::{Day, Millis};

/// Days that an address stays readable after the day it was received on.
pub const RETENTION_DAYS: i32 = 30;

/// An address that only its day's key can read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EncryptedIp {
    /// The day it was received on.
    day: Day,
    /// Random, so that its key stream differs from that of every other address of the day.
    nonce: [u8; 12],
    /// 4 or 16 bytes.
    // The name under which it has always been stored.
    #[serde(rename = "sealed")]
    encrypted: Vec<u8>,
}

/// The key that encrypts the addresses received on a day.
#[derive(Clone, PartialEq, Eq)]
pub struct IpKey {
    day: Day,
    secret: [u8; 32],
}

impl IpKey {
    /// Encrypts an address, with a nonce of the system's random numbers.
    pub fn encrypt(&self, address: IpAddr) -> Result<EncryptedIp, StoreError> {
        let nonce = secret::random()?;
        let mut encrypted = match address {
            IpAddr::V4(v4) => v4.octets().to_vec(),
            IpAddr::V6(v6) => v6.octets().to_vec(),
        };
        self.cipher(&nonce).apply_keystream(&mut encrypted);
        Ok(EncryptedIp { day: self.day, nonce, encrypted })
    }

    fn cipher(&self, nonce: &[u8; 12]) -> ChaCha20 {
        ChaCha20::new(&self.secret.into(), &(*nonce).into())
    }
}

/// The keys that are still kept, to read addresses with.
#[derive(Default)]
pub struct IpKeys(HashMap<Day, IpKey>);

impl IpKeys {
    /// Loads a project's keys: at most one a day of the retention.
    pub async fn load(store: &Store, project: &ProjectId, now: Millis) -> Result<Self, StoreError> {
        let items = store.query(Query::partition(keys::ip_keys(project))).await?;
        let mut keys = HashMap::with_capacity(items.len());
        for item in &items {
            let kept = read_number::<i64>(item, EXPIRES)? * 1000 > now.0;
            if let (true, Ok(day)) = (kept, read_text(item, SK)?.parse()) {
                keys.insert(day, IpKey { day, secret: secret::read(read_binary(item, DATA)?)? });
            }
        }
        Ok(IpKeys(keys))
    }

    /// Reads an address, while its key is kept.
    pub fn decrypt(&self, ip: &EncryptedIp) -> Option<IpAddr> {
        let mut plain = ip.encrypted.clone();
        self.0.get(&ip.day)?.cipher(&ip.nonce).apply_keystream(&mut plain);
        match plain.len() {
            4 => <[u8; 4]>::try_from(plain).ok().map(IpAddr::from),
            16 => <[u8; 16]>::try_from(plain).ok().map(IpAddr::from),
            _ => None,
        }
    }
}

/// The key of the current day, made where there is none yet.
pub async fn key_of_today(store: &Store, project: &ProjectId, now: Millis) -> Result<IpKey, StoreError> {
    let day = now.day();
    let expires_at = day.plus(1 + RETENTION_DAYS).start();
    let secret = secret::of_key(store, &keys::ip_key(project, day), expires_at).await?;
    Ok(IpKey { day, secret })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_readable_with_its_key_alone() {
        let key = |day, byte| IpKey { day: Day(day), secret: [byte; 32] };
        let keys = |day, byte| IpKeys(HashMap::from([(Day(day), key(day, byte))]));
        for text in ["203.0.113.9", "2001:db8::1"] {
            let Ok(address) = text.parse::<IpAddr>() else { panic!("an address") };
            let encrypt = || key(3, 7).encrypt(address).unwrap_or_else(|error| panic!("{error}"));
            let (encrypted, again) = (encrypt(), encrypt());
            assert_eq!(keys(3, 7).decrypt(&encrypted), Some(address));
            assert_ne!(keys(3, 8).decrypt(&encrypted), Some(address));
            assert_eq!(keys(4, 7).decrypt(&encrypted), None);
            assert_ne!(
                encrypted.encrypted, again.encrypted,
                "no key stream is used twice, for the same visitor neither"
            );
        }
    }
}
