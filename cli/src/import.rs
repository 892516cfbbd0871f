//! Import: a file of batches, stored the way the collector stores them.
//!
//! Every line becomes one conditional put under the key that the collector would give it. So a run that
//! was interrupted is simply run again, and a batch that is there already stays as it is.

use std::collections::HashSet;
use std::path::Path;
use std::time::Duration;

use collect::batch::{Invalid, imported};
use figures::backoff::Backoff;
use figures::ids::ProjectId;
use figures::log::BatchRef;
use figures::model::Batch;
use figures::table::ip::{IpKey, key_of_today};
use figures::table::store::{DATA, Item, Store, StoreError, read_binary};
use figures::time::Millis;
use futures::future::try_join_all;
use tokio::io::{AsyncBufRead, AsyncBufReadExt, BufReader};

use crate::args::ImportArguments;
use crate::counted::{Uncounted, WaitError};
use crate::error::CliError;
use crate::progress::{Progress, Unit};
use crate::{output, project};

/// The longest line, far above what the rules of a batch let any line need.
const MAX_LINE: usize = 1 << 20;
/// How many batches are stored at the same time.
const IN_FLIGHT: usize = 32;
/// The largest packed batch: DynamoDB's limit of 400 KB an item, less the key and the names.
const MAX_PACKED: usize = 396 << 10;
/// How often a put is tried where the table is unavailable, beyond what the SDK tries itself.
const MAX_TRIES: u32 = 6;
const RETRY: Backoff = Backoff { first: Duration::from_millis(400), longest: Duration::from_secs(8) };

/// What became of a file's lines.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Summary {
    /// Lines that hold anything.
    pub lines: u64,
    /// Batches that were stored.
    pub stored: u64,
    /// Batches that had been stored before.
    pub present: u64,
    /// Lines that are no batch.
    pub refused: u64,
}

/// Runs `import`.
pub async fn run(store: &Store, arguments: &ImportArguments) -> Result<Summary, CliError> {
    let project = &arguments.target.project;
    let (input, size) = open(&arguments.file).await?;
    project::must_exist(store, project).await?;
    let mut import = Import::begin(store, project, size).await?;
    import.read(input).await?;
    let Import { progress, summary, uncounted, .. } = import;
    progress.end();
    let counted = if arguments.no_wait { Ok(()) } else { uncounted.wait("Counting").await };
    let Summary { lines, stored, present, refused } = summary;
    output::line(&format!("{lines} lines: {stored} stored, {present} already there, {refused} refused"))?;
    counted.map_err(|error| match error {
        WaitError::Store(error) => CliError::Store(error),
        stalled => CliError::Failed(stalled.to_string()),
    })?;
    Ok(summary)
}

/// The input and its size, where it has one.
async fn open(file: &Path) -> Result<(Box<dyn AsyncBufRead + Unpin>, Option<u64>), CliError> {
    if file == Path::new("-") {
        return Ok((Box::new(BufReader::new(tokio::io::stdin())), None));
    }
    let failed = |error: std::io::Error| CliError::Failed(format!("{} can't be read: {error}", file.display()));
    let input = tokio::fs::File::open(file).await.map_err(failed)?;
    let metadata = input.metadata().await.map_err(failed)?;
    let size = metadata.is_file().then_some(metadata.len());
    Ok((Box::new(BufReader::with_capacity(1 << 16, input)), size))
}

/// An import under way.
struct Import<'a> {
    store: &'a Store,
    project: &'a ProjectId,
    ip_key: IpKey,
    progress: Progress,
    summary: Summary,
    uncounted: Uncounted,
    /// Orders what is stored by line, even where a clock does not.
    stored_at: Millis,
}

/// A batch that is about to be stored.
struct Entry {
    key: BatchRef,
    item: Item,
}

impl<'a> Import<'a> {
    async fn begin(store: &'a Store, project: &'a ProjectId, size: Option<u64>) -> Result<Self, StoreError> {
        let now = Millis::now();
        Ok(Import {
            store,
            project,
            ip_key: key_of_today(store, project, now).await?,
            progress: Progress::begin("Storing", Unit::Bytes, size),
            summary: Summary::default(),
            uncounted: Uncounted::new(store, project),
            stored_at: now,
        })
    }

    async fn read(&mut self, input: Box<dyn AsyncBufRead + Unpin>) -> Result<(), CliError> {
        let mut lines = Lines { input, number: 0, bytes: 0, line: Vec::new() };
        let mut entries = Vec::with_capacity(IN_FLIGHT);
        while let Some(length) = lines.next().await.map_err(|error| self.stopped(lines.number, &error))? {
            if lines.line.trim_ascii().is_empty() && length <= MAX_LINE {
                continue;
            }
            self.summary.lines += 1;
            match self.entry(&lines.line, length) {
                Ok(entry) => entries.push(entry),
                Err(invalid) => {
                    self.summary.refused += 1;
                    self.progress.note(&format!("line {}: {invalid}", lines.number));
                }
            }
            if entries.len() == IN_FLIGHT {
                self.put(std::mem::take(&mut entries)).await.map_err(|error| self.stopped(lines.number, &error))?;
                self.progress.at(lines.bytes);
            }
        }
        self.put(entries).await.map_err(|error| self.stopped(lines.number, &error))
    }

    fn stopped(&self, line: u64, error: &dyn std::error::Error) -> CliError {
        let advice = "Run the same command again to go on; what is stored stays as it is.";
        CliError::Failed(format!("stopped at line {line}: {error}\n{advice}"))
    }

    /// The item of a line.
    fn entry(&mut self, line: &[u8], length: usize) -> Result<Entry, Invalid> {
        let refused = |problem: String| Invalid { field: "body".to_owned(), problem };
        if length > MAX_LINE {
            return Err(refused(format!("is {length} bytes long; a line is at most {MAX_LINE}")));
        }
        let (visitor, draft) = imported(line, self.project)?;
        self.stored_at = Millis::now().max(self.stored_at.plus(1));
        let unstorable = |error: StoreError| refused(format!("can't be stored: {error}"));
        let batch = draft.into_batch(visitor, self.stored_at, &self.ip_key).map_err(unstorable)?;
        let item = batch.to_item(self.project).map_err(unstorable)?;
        let packed = read_binary(&item, DATA).map_err(unstorable)?.len();
        if packed > MAX_PACKED {
            return Err(refused(format!("is {packed} bytes when packed; at most {MAX_PACKED} can be stored")));
        }
        Ok(Entry { key: reference(&batch), item })
    }

    /// Stores batches at the same time. Of two under one key the first line's is stored.
    async fn put(&mut self, entries: Vec<Entry>) -> Result<(), StoreError> {
        let mut seen = HashSet::new();
        let (first, again): (Vec<_>, Vec<_>) = entries.into_iter().partition(|entry| seen.insert(entry.key.clone()));
        self.summary.present += again.len() as u64;
        let stored = try_join_all(first.into_iter().map(|entry| async {
            let stored = put(self.store, entry.item).await?;
            Ok::<_, StoreError>((entry.key, stored))
        }))
        .await?;
        for (key, stored) in stored {
            *(if stored { &mut self.summary.stored } else { &mut self.summary.present }) += 1;
            self.uncounted.add(key).await?;
        }
        Ok(())
    }
}

/// Which batch a batch is.
pub fn reference(batch: &Batch) -> BatchRef {
    BatchRef { visitor: batch.visitor_id.clone(), session: batch.session_id.clone(), batch: batch.batch_id.clone() }
}

/// Stores a batch's item, with patience; says whether it was not there yet.
pub async fn put(store: &Store, item: Item) -> Result<bool, StoreError> {
    for tries in 1..MAX_TRIES {
        match store.put_at(item.clone(), None).await {
            Err(StoreError::Unavailable(cause)) => tracing::warn!(cause, "a batch could not be stored; trying again"),
            outcome => return Ok(outcome?.is_stored()),
        }
        RETRY.wait(tries).await;
    }
    Ok(store.put_at(item, None).await?.is_stored())
}

/// The lines of an input, of which no more than [`MAX_LINE`] bytes are ever held.
struct Lines {
    input: Box<dyn AsyncBufRead + Unpin>,
    number: u64,
    bytes: u64,
    line: Vec<u8>,
}

impl Lines {
    /// Reads the next line and gives its length, without its end; of one that is too long only the beginning
    /// is kept.
    async fn next(&mut self) -> std::io::Result<Option<usize>> {
        self.line.clear();
        self.number += 1;
        let mut length = 0;
        loop {
            let buffer = self.input.fill_buf().await?;
            if buffer.is_empty() {
                return Ok((length > 0).then_some(length));
            }
            let end = buffer.iter().position(|byte| *byte == b'\n');
            let part = &buffer[..end.unwrap_or(buffer.len())];
            length += part.len();
            self.line.extend_from_slice(&part[..part.len().min((MAX_LINE + 1).saturating_sub(self.line.len()))]);
            let consumed = part.len() + usize::from(end.is_some());
            self.input.consume(consumed);
            self.bytes += consumed as u64;
            if end.is_some() {
                return Ok(Some(length));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    async fn lines(text: &str) -> Vec<(usize, usize)> {
        // A buffer of 7 bytes, so that lines span buffers.
        let input = BufReader::with_capacity(7, std::io::Cursor::new(text.to_owned()));
        let mut lines = Lines { input: Box::new(input), number: 0, bytes: 0, line: Vec::new() };
        let mut found = Vec::new();
        while let Some(length) = lines.next().await.unwrap() {
            found.push((length, lines.line.len()));
        }
        assert_eq!(lines.bytes, text.len() as u64);
        found
    }

    #[tokio::test]
    async fn lines_are_split_whatever_their_length_and_end() {
        assert_eq!(lines("").await, []);
        assert_eq!(lines("a\n\n0123456789\nlast").await, [(1, 1), (0, 0), (10, 10), (4, 4)]);
        let long = "x".repeat(MAX_LINE + 10);
        assert_eq!(lines(&format!("{long}\nb\n")).await, [(MAX_LINE + 10, MAX_LINE + 1), (1, 1)]);
    }
}
