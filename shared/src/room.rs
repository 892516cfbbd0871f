//! How much an answer may hold.
//!
//! A function's answer ends at 6 MB, and there it is JSON in JSON: the gateway is handed the body as a text, in which quotes
//! and backslashes are escaped once more. Rows are bounded one by one, in what a batch may hold; a hundred of them always fit,
//! but not five hundred.

use std::io::{self, Write};

use serde::Serialize;

/// So many bytes may the rows of an answer come to in the gateway's hands. What is around them takes some kilobytes.
pub const MAX_ROWS_BYTES: usize = 5 << 20;

/// As many of the first rows as an answer has room for.
pub fn fitting<T: Serialize>(mut rows: Vec<T>) -> Vec<T> {
    let mut left = MAX_ROWS_BYTES;
    let fitting = rows.iter().take_while(|row| match left.checked_sub(size(row)) {
        Some(rest) => {
            left = rest;
            true
        }
        None => false,
    });
    let count = fitting.count();
    rows.truncate(count);
    rows
}

/// The bytes that a row and the comma after it come to.
fn size(row: &impl Serialize) -> usize {
    let mut escaped = Escaped(1);
    match serde_json::to_writer(&mut escaped, row) {
        Ok(()) => escaped.0,
        // What can't be written is told where the answer is.
        Err(_) => 0,
    }
}

/// Counts the bytes of JSON as a text in JSON.
struct Escaped(usize);

impl Write for Escaped {
    fn write(&mut self, json: &[u8]) -> io::Result<usize> {
        self.0 += json.len() + json.iter().filter(|byte| matches!(byte, b'"' | b'\\')).count();
        Ok(json.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the gateway is handed.
    fn in_envelope(rows: &[String]) -> usize {
        let body = serde_json::to_string(rows).unwrap_or_default();
        serde_json::to_string(&body).map_or(0, |text| text.len())
    }

    #[test]
    fn rows_fit_as_the_gateway_is_handed_them() {
        for text in ["plain", "\"quoted\"", "\\", "\u{1}\u{1f}", "\u{1f600}é"] {
            let row = text.repeat(2_000);
            let all = vec![row.clone(); 700];
            let fitting = fitting(all.clone());
            assert!(in_envelope(&fitting) <= MAX_ROWS_BYTES + 8, "{text}: {}", in_envelope(&fitting));
            assert!(in_envelope(&all[..=fitting.len()]) > MAX_ROWS_BYTES, "{text}: one more has room");
        }
    }

    #[test]
    fn few_rows_all_fit() {
        assert_eq!(fitting(vec!["a"; 500]).len(), 500);
        assert!(fitting(Vec::<u8>::new()).is_empty());
    }
}
