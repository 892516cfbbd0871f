//! Secrets that are handed out once and known by their hash alone.

use figures::table::store::StoreError;
use sha2::{Digest, Sha256};

const ALPHABET: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/// The random letters and digits of what lets a person in: 256 bits, and 5.95 in each.
pub(crate) const LENGTH: usize = 43;

/// So many letters and digits, from the system's generator of secure random numbers.
pub(crate) fn random_text(length: usize) -> Result<String, StoreError> {
    let mut text = String::with_capacity(length);
    while text.len() < length {
        let mut byte = [0];
        getrandom::fill(&mut byte).map_err(|error| StoreError::Failed(error.to_string()))?;
        // 248 is the largest multiple of 62 in a byte: what lies above would favour some letters.
        if byte[0] < 248 {
            text.push(char::from(ALPHABET[usize::from(byte[0]) % ALPHABET.len()]));
        }
    }
    Ok(text)
}

/// Whether a text is what [`random_text`] makes of this length.
pub(crate) fn is_random_text(text: &str, length: usize) -> bool {
    text.len() == length && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// How much of a secret's SHA-256 identifies what it is the secret of: 48 bits.
pub(crate) const ID_LENGTH: usize = 12;

/// What identifies what a secret is of: the beginning of its SHA-256.
pub(crate) fn id_of(sha256: &str) -> &str {
    sha256.get(..ID_LENGTH).unwrap_or(sha256)
}

/// The SHA-256, in hexadecimal, by which the table knows a secret. It is looked up whole, so nothing compares secrets bytewise.
pub(crate) fn sha256(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}
