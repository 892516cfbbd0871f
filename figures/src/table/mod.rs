//! The table: its keys, the formats of its items, and operations on it.

pub mod codec;
pub mod cookieless;
pub mod erasure_key;
pub mod ip;
pub mod keys;
pub mod schema;
mod secret;
pub mod spending;
pub mod store;
