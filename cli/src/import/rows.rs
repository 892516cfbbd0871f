//! The rows of a CSV text (RFC 4180), of which one at a time is in memory.

use std::io;

use csv::{ReaderBuilder, StringRecord};
use serde::de::DeserializeOwned;

use super::input::{BytesRead, Text};
use super::lines::{Line, Lines, MAX_LINE};

/// The rows under a heading.
pub struct Rows {
    lines: Lines,
    heading: StringRecord,
}

/// A row, or why there is none, and the line where it begins, from 1.
#[derive(Debug)]
pub struct Row<T> {
    /// Where it begins.
    pub line: u64,
    /// Its cells.
    pub cells: Result<T, Broken>,
}

/// What is no row. What comes after it is read.
#[derive(Debug, thiserror::Error)]
pub enum Broken {
    /// A row that is too long, as one is whose quotes don't end.
    #[error("is a row of more than {MAX_LINE} bytes")]
    TooLong,
    /// A row of another width than the heading.
    #[error("is a row of {0} cells under a heading of {1}")]
    Width(usize, usize),
    /// A row that can't be read.
    #[error("is no row: {0}")]
    Unreadable(String),
}

impl Rows {
    /// Reads the heading of a text.
    pub fn new(text: Text, read: BytesRead) -> io::Result<Self> {
        let mut rows = Rows { lines: Lines::new(text, read), heading: StringRecord::new() };
        if let Some(heading) = rows.record() {
            rows.heading = heading?.1.unwrap_or_default();
        }
        Ok(rows)
    }

    /// Whether there is a column.
    pub fn has(&self, column: &str) -> bool {
        self.heading.iter().any(|name| name == column)
    }

    /// The next row. Columns that `T` does not know are passed over.
    pub fn next<T: DeserializeOwned>(&mut self) -> Option<io::Result<Row<T>>> {
        let (line, record) = match self.record()? {
            Ok(read) => read,
            Err(error) => return Some(Err(error)),
        };
        Some(Ok(Row { line, cells: record.and_then(|record| self.cells(&record)) }))
    }

    fn cells<T: DeserializeOwned>(&self, record: &StringRecord) -> Result<T, Broken> {
        if record.len() != self.heading.len() {
            return Err(Broken::Width(record.len(), self.heading.len()));
        }
        record.deserialize(Some(&self.heading)).map_err(|error| Broken::Unreadable(error.to_string()))
    }

    /// The next record that holds anything: lines until all quotes are closed.
    fn record(&mut self) -> Option<io::Result<(u64, Result<StringRecord, Broken>)>> {
        let (mut text, mut is_quoted) = (Vec::new(), false);
        let mut began = None;
        loop {
            let line = match self.lines.next() {
                Some(Ok(line)) => line,
                Some(Err(error)) => return Some(Err(error)),
                None => return began.map(|line| Ok((line, parsed(&text)))),
            };
            let Line { number, text: part, .. } = line;
            if began.is_none() && part.trim_ascii().is_empty() {
                continue;
            }
            let begin = *began.get_or_insert(number);
            text.extend_from_slice(&part);
            if text.len() > MAX_LINE {
                return Some(Ok((begin, Err(Broken::TooLong))));
            }
            is_quoted ^= !part.iter().filter(|byte| **byte == b'"').count().is_multiple_of(2);
            if !is_quoted {
                return Some(Ok((begin, parsed(&text))));
            }
            text.push(b'\n');
        }
    }
}

fn parsed(text: &[u8]) -> Result<StringRecord, Broken> {
    let mut reader = ReaderBuilder::new().has_headers(false).buffer_capacity(text.len().max(1)).from_reader(text);
    let mut record = StringRecord::new();
    reader.read_record(&mut record).map_err(|error| Broken::Unreadable(error.to_string()))?;
    Ok(record)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;
    use serde::Deserialize;

    #[derive(Debug, PartialEq, Deserialize)]
    struct Pair {
        a: Option<String>,
        b: Option<u32>,
    }

    fn rows(text: &str) -> Vec<(u64, Result<Pair, String>)> {
        let mut rows = Rows::new(Box::new(io::Cursor::new(text.to_owned())), BytesRead::default()).unwrap();
        let mut found = Vec::new();
        while let Some(row) = rows.next::<Pair>() {
            let row = row.unwrap();
            found.push((row.line, row.cells.map_err(|broken| broken.to_string())));
        }
        found
    }

    fn pair(line: u64, a: &str, b: u32) -> (u64, Result<Pair, String>) {
        (line, Ok(Pair { a: Some(a.to_owned()), b: Some(b) }))
    }

    #[test]
    fn rows_are_read_by_their_heading() {
        assert_eq!(rows("a,b\nx,1\r\n\n\"y, \"\"z\"\"\",2"), [pair(2, "x", 1), pair(4, "y, \"z\"", 2)]);
        assert_eq!(rows("b,more,a\n1,?,\"two\nlines\"\n2,,x\n"), [pair(2, "two\nlines", 1), pair(4, "x", 2)]);
        assert_eq!(rows("a,b\n,\n"), [(2, Ok(Pair { a: None, b: None }))]);
        assert_eq!(rows(""), []);
    }

    #[test]
    fn a_broken_row_costs_no_other() {
        let found = rows("a,b\nx\ny,1\nz,many\nw,2");
        assert_eq!((&found[1], &found[3]), (&pair(3, "y", 1), &pair(5, "w", 2)));
        assert_eq!(found[0], (2, Err("is a row of 1 cells under a heading of 2".to_owned())));
        assert!(found[2].1.as_ref().is_err_and(|problem| problem.starts_with("is no row: ")), "{found:?}");
        let endless = format!("a,b\n\"x,1\n{}", "y,1\n".repeat(MAX_LINE / 4 + 10));
        let found = rows(&endless);
        assert!(found[0].1.is_err());
        assert_eq!(found.last().unwrap().1, pair(0, "y", 1).1);
    }
}
