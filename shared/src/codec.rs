//! How derived state is packed into one binary attribute: a format byte, then deflated postcard.
//!
//! Write units are charged by the kilobyte, so the items that every batch rewrites are packed.
//! Only derived items are stored this way: they can be computed again from the stored batches,
//! which are JSON (see [`crate::model::batch`]), so a new format needs no migration but a rebuild.

use std::io::{Read, Write};

use flate2::Compression;
use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;
use postcard::ser_flavors::Size;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// The format this build writes, and the only one it reads.
const FORMAT: u8 = 3;

/// No packed item may unpack to more than this: far above any that is written, below what hurts.
const MAX_UNPACKED: u64 = 64 << 20;

/// A packed attribute that can't be read.
#[derive(Debug, thiserror::Error)]
pub enum CodecError {
    /// Written by another version of the program.
    #[error("packed with format {0:?}, this build reads format {FORMAT}: run `identity rebuild`")]
    Format(Option<u8>),
    /// Not what this build would have written.
    #[error("corrupt packed data: {0}")]
    Corrupt(String),
}

/// Packs a value.
pub fn pack<T: Serialize>(value: &T) -> Result<Vec<u8>, CodecError> {
    let mut packed = vec![FORMAT];
    packed.extend(deflate(&plain(value)?)?);
    Ok(packed)
}

/// A value that is part of another one.
pub fn plain<T: Serialize>(value: &T) -> Result<Vec<u8>, CodecError> {
    postcard::to_stdvec(value).map_err(|error| CodecError::Corrupt(error.to_string()))
}

/// Reads what [`plain`] made.
pub fn read<'a, T: Deserialize<'a>>(plain: &'a [u8]) -> Result<T, CodecError> {
    postcard::from_bytes(plain).map_err(|error| CodecError::Corrupt(error.to_string()))
}

/// How many bytes a value is before it is deflated.
pub fn size<T: Serialize>(value: &T) -> Result<usize, CodecError> {
    postcard::serialize_with_flavor(value, Size::default()).map_err(|error| CodecError::Corrupt(error.to_string()))
}

/// Unpacks what [`pack`] made.
pub fn unpack<T: DeserializeOwned>(packed: &[u8]) -> Result<T, CodecError> {
    Plain::of(packed)?.read()
}

/// What was packed, inflated: values that are read from it borrow its texts.
#[derive(Debug)]
pub struct Plain(Vec<u8>);

impl Plain {
    /// Inflates what [`pack`] made.
    pub fn of(packed: &[u8]) -> Result<Self, CodecError> {
        match packed.split_first() {
            Some((&FORMAT, deflated)) => inflate(deflated).map(Plain),
            _ => Err(CodecError::Format(packed.first().copied())),
        }
    }

    /// The value.
    pub fn read<'a, T: Deserialize<'a>>(&'a self) -> Result<T, CodecError> {
        read(&self.0)
    }
}

/// Compresses bytes.
pub fn deflate(plain: &[u8]) -> Result<Vec<u8>, CodecError> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::new(6));
    encoder.write_all(plain).and_then(|()| encoder.finish()).map_err(|error| CodecError::Corrupt(error.to_string()))
}

/// Decompresses bytes, up to a limit.
pub fn inflate(deflated: &[u8]) -> Result<Vec<u8>, CodecError> {
    let mut plain = Vec::with_capacity(deflated.len() * 4);
    DeflateDecoder::new(deflated)
        .take(MAX_UNPACKED)
        .read_to_end(&mut plain)
        .map_err(|error| CodecError::Corrupt(error.to_string()))?;
    Ok(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_packed_unpacks_and_garbage_is_refused() {
        let packed = pack(&vec!["a".repeat(1000)]).unwrap_or_default();
        assert!(packed.len() < 100);
        assert_eq!(unpack::<Vec<String>>(&packed).ok(), Some(vec!["a".repeat(1000)]));
        assert!(matches!(unpack::<Vec<String>>(&[9, 1, 2]), Err(CodecError::Format(Some(9)))));
        assert!(matches!(unpack::<Vec<String>>(&[FORMAT, 0xff, 0xff]), Err(CodecError::Corrupt(_))));
    }
}
