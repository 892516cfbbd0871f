//! Short hashes.

use sha2::{Digest, Sha256};

/// The first 64 bits of a hash.
pub fn first_64_bits(hash: Sha256) -> u64 {
    let mut first = [0; 8];
    first.copy_from_slice(&hash.finalize()[..8]);
    u64::from_be_bytes(first)
}
