//! How much of each thing a batch may hold. What prepares batches keeps to the same.

/// Bytes of a request's body.
pub const MAX_BODY: usize = 64 << 10;
/// Events of a batch.
pub const MAX_EVENTS: usize = 100;
/// The site's own names for a visitor in a batch.
pub const MAX_ALIASES: usize = 20;
/// Characters of a URL.
pub const MAX_URL: usize = 2_048;
/// Characters of short texts: names, tags, hashes.
pub const MAX_SHORT: usize = 256;
/// Characters of a campaign parameter.
pub const MAX_UTM: usize = 512;
/// Bytes of an event's data.
pub const MAX_DATA: usize = 8 << 10;
/// Bytes of an event's name.
pub const MAX_NAME: usize = 64;
