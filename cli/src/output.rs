//! Results for people and pipes.

use std::io::{ErrorKind, Write};

use chrono::DateTime;
use figures::time::Millis;

use crate::error::CliError;

/// Prints a line. A reader that wants no more of them is no failure; a full disk is.
pub fn line(text: &str) -> Result<(), CliError> {
    match writeln!(std::io::stdout(), "{text}") {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(CliError::Failed(format!("standard output can't be written: {error}")))
        }
        _ => Ok(()),
    }
}

/// Prints rows under a heading, in columns as wide as they need. An empty cell is `-`, so that
/// every line has as many words as the heading.
pub fn table<const N: usize>(heading: [&str; N], rows: &[[String; N]]) -> Result<(), CliError> {
    aligned(heading, rows).iter().try_for_each(|text| line(text))
}

fn aligned<const N: usize>(heading: [&str; N], rows: &[[String; N]]) -> Vec<String> {
    let mut lines = vec![heading.map(str::to_owned)];
    lines.extend(rows.iter().map(|row| row.clone().map(|cell| if cell.is_empty() { "-".to_owned() } else { cell })));
    let width = |column: usize| lines.iter().map(|line| line[column].chars().count()).max().unwrap_or_default();
    let widths: Vec<usize> = (0..N).map(width).collect();
    let line = |cells: &[String; N]| {
        let padded: Vec<_> = cells.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        padded.join("  ").trim_end().to_owned()
    };
    lines.iter().map(line).collect()
}

/// An instant as `2025-06-25T08:00:00Z`.
pub fn instant(at: Millis) -> String {
    let instant = DateTime::from_timestamp_millis(at.0);
    instant.map(|instant| instant.format("%Y-%m-%dT%H:%M:%SZ").to_string()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up_and_no_cell_is_empty() {
        let rows = [["a".to_owned(), "long one".to_owned()], ["čšž".to_owned(), String::new()]];
        assert_eq!(aligned(["ID", "NAME"], &rows), ["ID   NAME", "a    long one", "čšž  -"]);
        assert_eq!(instant(Millis(1_719_302_400_000)), "2024-06-25T08:00:00Z");
    }
}
