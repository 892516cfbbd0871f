//! What a file is: text that can be read, plain or compressed by gzip, or something else, which is named.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use flate2::bufread::MultiGzDecoder;

use crate::error::CliError;

const BUFFER: usize = 1 << 16;
/// Bytes that tell what a file is.
const HEAD: usize = 16;
const UTF8_MARK: &[u8] = &[0xef, 0xbb, 0xbf];
const GZIP: &[u8] = &[0x1f, 0x8b];

/// A file, or standard input, that was not looked into yet.
pub struct Input {
    reader: Box<dyn Read + Send>,
    name: String,
    /// Its size, where it has one.
    pub size: Option<u64>,
}

/// An input's text, in UTF-8 or what claims to be, without a byte order mark.
pub type Text = Box<dyn BufRead + Send>;

/// How many bytes of an input were read, as it is stored.
#[derive(Debug, Clone, Default)]
pub struct BytesRead(Arc<AtomicU64>);

/// What can't be read as text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Format {
    /// Text of two or four bytes a character.
    #[error(
        "is UTF-16 text, as some programs of Windows write it. Convert it: iconv -f UTF-16 -t UTF-8 FILE | identity import -"
    )]
    Utf16,
    /// An archive.
    #[error("is a zip archive. Give the file that is in it: unzip -p FILE NAME | identity import -")]
    Zip,
    /// A compressed file.
    #[error("is compressed by zstd. Unpack it: zstd -dc FILE | identity import -")]
    Zstd,
    /// A compressed file.
    #[error("is compressed by bzip2. Unpack it: bzip2 -dc FILE | identity import -")]
    Bzip2,
    /// A compressed file.
    #[error("is compressed by xz. Unpack it: xz -dc FILE | identity import -")]
    Xz,
    /// A compressed file within another.
    #[error("is compressed by gzip twice. Unpack it once: gzip -dc FILE | identity import -")]
    GzipTwice,
    /// A table of columns.
    #[error("is a Parquet file. Export lines of JSON instead")]
    Parquet,
    /// Records with a schema.
    #[error("is an Avro file. Export lines of JSON instead")]
    Avro,
    /// A database.
    #[error("is an SQLite database. Export its rows as lines of JSON")]
    Sqlite,
}

impl Format {
    fn of(head: &[u8]) -> Option<Self> {
        const MARKS: [(&[u8], Format); 11] = [
            (&[0xff, 0xfe], Format::Utf16),
            (&[0xfe, 0xff], Format::Utf16),
            (b"{\0", Format::Utf16),
            (b"\0{", Format::Utf16),
            (b"PK\x03\x04", Format::Zip),
            (&[0x28, 0xb5, 0x2f, 0xfd], Format::Zstd),
            (b"BZh", Format::Bzip2),
            (b"\xfd7zXZ\0", Format::Xz),
            (b"PAR1", Format::Parquet),
            (b"Obj\x01", Format::Avro),
            (b"SQLite format 3", Format::Sqlite),
        ];
        MARKS.iter().find(|(mark, _)| head.starts_with(mark)).map(|(_, format)| *format)
    }
}

impl Input {
    /// Opens a file; `-` is standard input.
    pub fn open(file: &Path) -> Result<Self, CliError> {
        if file == Path::new("-") {
            return Ok(Input { reader: Box::new(io::stdin()), name: "standard input".to_owned(), size: None });
        }
        let name = file.display().to_string();
        let failed = |error: io::Error| unreadable(&name, &error);
        let opened = File::open(file).map_err(failed)?;
        let metadata = opened.metadata().map_err(failed)?;
        let size = metadata.is_file().then_some(metadata.len());
        Ok(Input { reader: Box::new(opened), name, size })
    }

    /// Looks what it is, and reads it as text.
    pub fn text(self) -> Result<(Text, BytesRead), CliError> {
        let read = BytesRead::default();
        let counted = Counted { reader: self.reader, read: read.clone() };
        match text_of(Box::new(BufReader::with_capacity(BUFFER, counted))) {
            Ok(Ok(text)) => Ok((text, read)),
            Ok(Err(format)) => Err(CliError::Failed(format!("{} {format}", self.name))),
            Err(error) => Err(unreadable(&self.name, &error)),
        }
    }
}

impl BytesRead {
    /// So far.
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

fn unreadable(name: &str, error: &io::Error) -> CliError {
    CliError::Failed(format!("{name} can't be read: {error}"))
}

fn text_of(reader: Text) -> io::Result<Result<Text, Format>> {
    let (head, reader) = looked_into(reader)?;
    if !head.starts_with(GZIP) {
        return Ok(plain(&head, reader));
    }
    let unpacked = BufReader::with_capacity(BUFFER, MultiGzDecoder::new(reader));
    let (head, unpacked) = looked_into(Box::new(unpacked))?;
    Ok(if head.starts_with(GZIP) { Err(Format::GzipTwice) } else { plain(&head, unpacked) })
}

/// The text that begins with a head, which the reader gives once more.
fn plain(head: &[u8], mut reader: Text) -> Result<Text, Format> {
    if let Some(format) = Format::of(head) {
        return Err(format);
    }
    if head.starts_with(UTF8_MARK) {
        reader.consume(UTF8_MARK.len());
    }
    Ok(reader)
}

/// The first bytes, and a reader that gives them, too.
fn looked_into(mut reader: Text) -> io::Result<(Vec<u8>, Text)> {
    let mut head = Vec::with_capacity(HEAD);
    reader.by_ref().take(HEAD as u64).read_to_end(&mut head)?;
    let again = io::Cursor::new(head.clone()).chain(reader);
    Ok((head, Box::new(again)))
}

/// Counts what is read.
struct Counted {
    reader: Box<dyn Read + Send>,
    read: BytesRead,
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.reader.read(buffer)?;
        self.read.0.fetch_add(length as u64, Ordering::Relaxed);
        Ok(length)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;
    use flate2::Compression;
    use flate2::write::GzEncoder;
    use std::io::Write;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    /// Reads bytes of which a reader gives one at a time.
    fn read(bytes: &[u8]) -> io::Result<Result<Vec<u8>, Format>> {
        let reader = BufReader::with_capacity(1, io::Cursor::new(bytes.to_vec()));
        let Ok(mut text) = text_of(Box::new(reader))? else {
            return Ok(Err(text_of(Box::new(io::Cursor::new(bytes.to_vec())))?.err().unwrap()));
        };
        let mut all = Vec::new();
        text.read_to_end(&mut all)?;
        Ok(Ok(all))
    }

    #[test]
    fn text_is_read_with_or_without_a_mark_and_compressed_or_not() {
        let mut marked = UTF8_MARK.to_vec();
        marked.extend(b"{}\n");
        let two_members = [gzip(b"{}\n"), gzip(b"{\"a\":1}\n")].concat();
        for (bytes, text) in [
            (Vec::new(), &b""[..]),
            (b"{}\n".to_vec(), b"{}\n"),
            (marked.clone(), b"{}\n"),
            (gzip(b"{}\n"), b"{}\n"),
            (gzip(&marked), b"{}\n"),
            (gzip(b""), b""),
            (two_members, b"{}\n{\"a\":1}\n"),
        ] {
            assert_eq!(read(&bytes).unwrap(), Ok(text.to_vec()), "{bytes:?}");
        }
    }

    #[test]
    fn what_is_no_text_is_named() {
        let utf16: Vec<u8> = "\u{feff}{}".encode_utf16().flat_map(u16::to_le_bytes).collect();
        let other_order: Vec<u8> = "\u{feff}{}".encode_utf16().flat_map(u16::to_be_bytes).collect();
        for (bytes, format) in [
            (utf16.clone(), Format::Utf16),
            (other_order, Format::Utf16),
            (utf16[2..].to_vec(), Format::Utf16),
            (gzip(&utf16), Format::Utf16),
            (b"PK\x03\x04\x14\0".to_vec(), Format::Zip),
            (b"PAR1\x15\x04".to_vec(), Format::Parquet),
            (gzip(&gzip(b"{}")), Format::GzipTwice),
        ] {
            assert_eq!(read(&bytes).unwrap(), Err(format), "{bytes:?}");
        }
    }

    #[test]
    fn a_compressed_file_that_ends_too_early_is_no_text_that_ends_there() {
        let whole = gzip(&b"{\"a\":1}\n".repeat(1_000));
        assert!(read(&whole[..whole.len() - 10]).is_err());
    }
}
