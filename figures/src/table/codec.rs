//! How derived state is packed into one binary attribute: a format byte, then deflated postcard.
//!
//! Write units are charged by the kilobyte, so the items that every batch rewrites are packed.
//! Only derived items are stored this way: they can be computed again from the stored batches,
//! which are JSON (see `model::batch`).
//!
//! The format before the current one is read too, and an item of it is in the current one once it is written again. So
//! functions of two releases can work on one table, and no upgrade needs a migration.

use std::cell::RefCell;

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};
use postcard::ser_flavors::Size;
use serde::{Deserialize, Deserializer, Serialize};

/// A format that is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Format {
    /// The one before the current one.
    V2 = 2,
    /// The current one, which is written.
    V3 = 3,
}

impl Format {
    /// All of them.
    pub const ALL: [Format; 2] = [Format::V2, Format::V3];
    /// The one that is written.
    pub const CURRENT: Format = Format::V3;

    fn of(byte: Option<u8>) -> Result<Self, CodecError> {
        match (Format::ALL.into_iter().find(|format| Some(*format as u8) == byte), byte) {
            (Some(format), _) => Ok(format),
            (None, Some(newer)) if newer > Format::CURRENT as u8 => Err(CodecError::Newer(newer)),
            (None, older) => Err(CodecError::Outdated(older)),
        }
    }
}

/// What is packed, and how each format that is read lays it out.
pub trait Packed<'a>: Sized {
    /// As format 2 does.
    type V2: Deserialize<'a> + Into<Self>;
    /// As format 3 does.
    type V3: Deserialize<'a> + Into<Self>;
}

/// No packed item may unpack to more than this: far above any that is written, below what hurts.
const MAX_UNPACKED: usize = 64 << 20;

/// A packed attribute that can't be read.
#[derive(Debug, thiserror::Error)]
pub enum CodecError {
    /// Written by a newer version of the program, which will read it.
    #[error("written in format {0} by a newer version")]
    Newer(u8),
    /// Holds a measure of a newer version of the program, which will read it.
    #[error("written with measure {0} by a newer version")]
    NewerMeasure(u32),
    /// Written by a version of the program that is too old.
    #[error("written in format {0:?}, which is not read any more: run `identity rebuild`")]
    Outdated(Option<u8>),
    /// Not what this build would have written.
    #[error("corrupt packed data: {0}")]
    Corrupt(String),
}

/// Packs a value.
pub fn pack<T: Serialize>(value: &T) -> Result<Vec<u8>, CodecError> {
    let mut packed = vec![Format::CURRENT as u8];
    append_deflated(&plain(value)?, NO_DICTIONARY, &mut packed)?;
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
pub fn unpack<T: for<'a> Packed<'a>>(packed: &[u8]) -> Result<T, CodecError> {
    Plain::of(packed)?.read()
}

/// What was packed, inflated: values that are read from it borrow its texts.
#[derive(Debug)]
pub struct Plain {
    format: Format,
    bytes: Vec<u8>,
}

impl Plain {
    /// Inflates what [`pack`] made.
    pub fn of(packed: &[u8]) -> Result<Self, CodecError> {
        let format = Format::of(packed.first().copied())?;
        let bytes = inflate(packed.get(1..).unwrap_or_default(), NO_DICTIONARY)?;
        Ok(Plain { format, bytes })
    }

    /// The value.
    pub fn read<'a, T: Packed<'a>>(&'a self) -> Result<T, CodecError> {
        match self.format {
            Format::V2 => read::<T::V2>(&self.bytes).map(Into::into),
            Format::V3 => read::<T::V3>(&self.bytes).map(Into::into),
        }
    }
}

/// A value that may be missing at the end of what is packed: a state from before there was one ends without it, and the
/// release from then passes over it.
pub fn or_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Ok(T::deserialize(deserializer).unwrap_or_default())
}

/// What is not expected to repeat anything.
pub const NO_DICTIONARY: &[u8] = &[];

/// Compresses bytes into a vector that may have some already. What repeats the dictionary, a text of at most 32 KB, takes
/// next to nothing; the same one is needed to decompress them.
pub fn append_deflated(plain: &[u8], dictionary: &[u8], deflated: &mut Vec<u8>) -> Result<(), CodecError> {
    DEFLATION.with_borrow_mut(|deflation| {
        deflation.reset();
        if !dictionary.is_empty() {
            deflation.set_dictionary(dictionary).map_err(|error| CodecError::Corrupt(error.to_string()))?;
        }
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

thread_local! {
    // What takes a third of a megabyte to set up is kept for the next one.
    static DEFLATION: RefCell<Compress> = RefCell::new(Compress::new(Compression::new(6), false));
    static INFLATION: RefCell<Decompress> = RefCell::new(Decompress::new(false));
}

/// Decompresses bytes that were compressed with the same dictionary, up to a limit.
pub fn inflate(deflated: &[u8], dictionary: &[u8]) -> Result<Vec<u8>, CodecError> {
    let mut plain = Vec::with_capacity(deflated.len().saturating_mul(4).clamp(1 << 10, MAX_UNPACKED));
    INFLATION.with_borrow_mut(|inflation| {
        inflation.reset(false);
        if !dictionary.is_empty() {
            inflation.set_dictionary(dictionary).map_err(|error| CodecError::Corrupt(error.to_string()))?;
        }
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

    fn deflated(plain: &[u8], dictionary: &[u8]) -> Vec<u8> {
        let mut deflated = Vec::new();
        append_deflated(plain, dictionary, &mut deflated).unwrap_or_default();
        deflated
    }

    #[test]
    fn only_what_can_have_been_packed_is_inflated() {
        for dictionary in [NO_DICTIONARY, b"seven", &[7; 40_000]] {
            for length in [0, 1, 4_000, 5_000_000] {
                let plain = vec![7; length];
                assert_eq!(inflate(&deflated(&plain, dictionary), dictionary).ok(), Some(plain), "{length}");
            }
        }
        // What does not compress, and after what could not be read.
        let noise: Vec<u8> = (0..300_000u64).map(|at| (at.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 56) as u8).collect();
        let whole = deflated(&noise, NO_DICTIONARY);
        assert!(inflate(&whole[..whole.len() / 2], NO_DICTIONARY).is_err() && inflate(b"\xff", NO_DICTIONARY).is_err());
        assert_eq!(inflate(&whole, NO_DICTIONARY).ok(), Some(noise));
        let huge = deflated(&vec![0; MAX_UNPACKED + (1 << 20)], NO_DICTIONARY);
        assert!(matches!(inflate(&huge, NO_DICTIONARY), Err(CodecError::Corrupt(_))));
    }

    #[test]
    fn what_repeats_the_dictionary_takes_next_to_nothing_and_needs_it() {
        let text = b"what a page sends at once: events of one session";
        let short = deflated(text, text);
        assert!(short.len() < 10 && deflated(text, NO_DICTIONARY).len() > 40);
        assert!(inflate(&short, NO_DICTIONARY).is_err());
        assert_eq!(inflate(&short, text).ok(), Some(text.to_vec()));
    }

    #[test]
    fn what_was_packed_unpacks_and_garbage_is_refused() {
        let value: Vec<u64> = vec![7; 1000];
        let packed = pack(&value).unwrap_or_default();
        assert!(packed.len() < 100);
        assert_eq!(unpack::<Vec<u64>>(&packed).ok(), Some(value));
        assert!(matches!(unpack::<Vec<u64>>(&packed[..packed.len() - 2]), Err(CodecError::Corrupt(_))));
        assert!(matches!(unpack::<Vec<u64>>(&[Format::CURRENT as u8, 0xff, 0xff]), Err(CodecError::Corrupt(_))));
    }

    #[test]
    fn the_format_before_is_read_a_newer_one_waits_and_an_older_one_is_gone() {
        let mut packed = pack(&vec![1_u64, 2]).unwrap_or_default();
        let mut in_format = |byte: u8| {
            packed[0] = byte;
            unpack::<Vec<u64>>(&packed)
        };
        assert_eq!(in_format(2).ok(), Some(vec![1, 2]));
        assert_eq!(in_format(3).ok(), Some(vec![1, 2]));
        assert!(matches!(in_format(4), Err(CodecError::Newer(4))));
        assert!(matches!(in_format(255), Err(CodecError::Newer(255))));
        assert!(matches!(in_format(1), Err(CodecError::Outdated(Some(1)))));
        assert!(matches!(in_format(0), Err(CodecError::Outdated(Some(0)))));
        assert!(matches!(unpack::<Vec<u64>>(&[]), Err(CodecError::Outdated(None))));
    }
}
