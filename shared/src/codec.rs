//! How derived state is packed into one binary attribute: a format byte, then deflated postcard.
//!
//! Write units are charged by the kilobyte, so the items that every batch rewrites are packed.
//! Only derived items are stored this way: they can be computed again from the stored batches,
//! which are JSON (see [`crate::model::batch`]), so a new format needs no migration but a rebuild.

use std::cell::RefCell;

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};
use postcard::ser_flavors::Size;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// The format this build writes, and the only one it reads.
const FORMAT: u8 = 3;

/// No packed item may unpack to more than this: far above any that is written, below what hurts.
const MAX_UNPACKED: usize = 64 << 20;

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
    append_deflated(&plain(value)?, &mut packed)?;
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
    let mut deflated = Vec::new();
    append_deflated(plain, &mut deflated)?;
    Ok(deflated)
}

thread_local! {
    // What takes a third of a megabyte to set up is kept for the next one.
    static DEFLATION: RefCell<Compress> = RefCell::new(Compress::new(Compression::new(6), false));
    static INFLATION: RefCell<Decompress> = RefCell::new(Decompress::new(false));
}

fn append_deflated(plain: &[u8], deflated: &mut Vec<u8>) -> Result<(), CodecError> {
    DEFLATION.with_borrow_mut(|deflation| {
        deflation.reset();
        loop {
            deflated.reserve((plain.len() / 4).max(256));
            let rest = plain.get(deflation.total_in() as usize..).unwrap_or_default();
            let status = deflation
                .compress_vec(rest, deflated, FlushCompress::Finish)
                .map_err(|error| CodecError::Corrupt(error.to_string()))?;
            if status == Status::StreamEnd {
                return Ok(());
            }
        }
    })
}

/// Decompresses bytes, up to a limit.
pub fn inflate(deflated: &[u8]) -> Result<Vec<u8>, CodecError> {
    let mut plain = Vec::with_capacity(deflated.len().saturating_mul(4).clamp(1 << 10, MAX_UNPACKED));
    INFLATION.with_borrow_mut(|inflation| {
        inflation.reset(false);
        loop {
            let rest = deflated.get(inflation.total_in() as usize..).unwrap_or_default();
            let status = inflation
                .decompress_vec(rest, &mut plain, FlushDecompress::None)
                .map_err(|error| CodecError::Corrupt(error.to_string()))?;
            match status {
                Status::StreamEnd => return Ok(plain),
                _ if plain.len() < plain.capacity() => return Err(CodecError::Corrupt("it ends early".to_owned())),
                _ if plain.len() >= MAX_UNPACKED => return Err(CodecError::Corrupt("it is too large".to_owned())),
                _ => plain.reserve(plain.len()),
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_can_have_been_packed_is_inflated() {
        for length in [0, 1, 4_000, 5_000_000] {
            let plain = vec![7; length];
            assert_eq!(deflate(&plain).and_then(|deflated| inflate(&deflated)).ok(), Some(plain), "{length}");
        }
        // What does not compress, and after what could not be read.
        let noise: Vec<u8> = (0..300_000u64).map(|at| (at.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 56) as u8).collect();
        let deflated = deflate(&noise).unwrap_or_default();
        assert!(inflate(&deflated[..deflated.len() / 2]).is_err() && inflate(b"\xff").is_err());
        assert_eq!(inflate(&deflated).ok(), Some(noise));
        let huge = deflate(&vec![0; MAX_UNPACKED + (1 << 20)]).unwrap_or_default();
        assert!(matches!(inflate(&huge), Err(CodecError::Corrupt(_))));
    }

    #[test]
    fn what_was_packed_unpacks_and_garbage_is_refused() {
        let packed = pack(&vec!["a".repeat(1000)]).unwrap_or_default();
        assert!(packed.len() < 100);
        assert_eq!(unpack::<Vec<String>>(&packed).ok(), Some(vec!["a".repeat(1000)]));
        assert!(matches!(unpack::<Vec<String>>(&packed[..packed.len() - 2]), Err(CodecError::Corrupt(_))));
        assert!(matches!(unpack::<Vec<String>>(&[9, 1, 2]), Err(CodecError::Format(Some(9)))));
        assert!(matches!(unpack::<Vec<String>>(&[FORMAT, 0xff, 0xff]), Err(CodecError::Corrupt(_))));
    }
}
