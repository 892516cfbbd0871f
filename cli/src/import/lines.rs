//! The lines of a text.

use std::io::{self, BufRead};

use super::input::{BytesRead, Text};

/// The longest line, far above what the rules of a batch let any line need.
pub const MAX_LINE: usize = 1 << 20;

/// A line, without its end; of one that is longer than [`MAX_LINE`] only the beginning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Where it is in the file, from 1.
    pub number: u64,
    /// How many bytes it has.
    pub length: usize,
    /// What is kept of it.
    pub text: Vec<u8>,
    /// How many bytes of the file were read until then.
    pub read: u64,
}

/// The lines of a text, of which no more than [`MAX_LINE`] bytes are ever held.
pub struct Lines {
    text: Text,
    read: BytesRead,
    number: u64,
}

impl Lines {
    /// Those of a text.
    pub fn new(text: Text, read: BytesRead) -> Self {
        Lines { text, read, number: 0 }
    }

    fn read_line(&mut self) -> io::Result<Option<Line>> {
        let (mut text, mut length) = (Vec::new(), 0);
        self.number += 1;
        loop {
            let buffer = self.text.fill_buf()?;
            let end = buffer.iter().position(|byte| *byte == b'\n');
            if buffer.is_empty() && length == 0 {
                return Ok(None);
            }
            let part = &buffer[..end.unwrap_or(buffer.len())];
            length += part.len();
            text.extend_from_slice(&part[..part.len().min((MAX_LINE + 1).saturating_sub(text.len()))]);
            let consumed = part.len() + usize::from(end.is_some());
            self.text.consume(consumed);
            if end.is_some() || consumed == 0 {
                return Ok(Some(Line { number: self.number, length, text, read: self.read.get() }));
            }
        }
    }
}

impl Iterator for Lines {
    type Item = io::Result<Line>;

    fn next(&mut self) -> Option<Self::Item> {
        self.read_line().transpose()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;
    use std::io::BufReader;

    fn lines(text: &str) -> Vec<(usize, usize)> {
        // A buffer of 7 bytes, so that lines span buffers.
        let input = BufReader::with_capacity(7, io::Cursor::new(text.to_owned()));
        let lines = Lines::new(Box::new(input), BytesRead::default());
        lines.map(Result::unwrap).map(|line| (line.length, line.text.len())).collect()
    }

    #[test]
    fn lines_are_split_whatever_their_length_and_end() {
        assert_eq!(lines(""), []);
        assert_eq!(lines("a\n\n0123456789\nlast"), [(1, 1), (0, 0), (10, 10), (4, 4)]);
        let long = "x".repeat(MAX_LINE + 10);
        assert_eq!(lines(&format!("{long}\nb\n")), [(MAX_LINE + 10, MAX_LINE + 1), (1, 1)]);
    }
}
