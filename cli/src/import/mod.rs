//! Import: a file of batches, stored the way the collector stores them.
//!
//! Every line becomes one conditional put under the key that the collector would give it. So a run that
//! was interrupted is simply run again, and a batch that is there already stays as it is.
//!
//! An export of another tool is made into such lines first: its rows into [`hit::Hit`]s, these, [`sorted`] by visit, into
//! batches. The same rows give the same batches, with the same identifiers.

mod client;
mod export;
mod ga4;
mod hit;
mod input;
mod lines;
mod matomo;
mod objects;
mod plausible;
mod rows;
mod sorted;
pub mod source;
mod umami;
mod values;
mod visits;

use std::collections::HashSet;
use std::io;
use std::thread::JoinHandle;
use std::time::Duration;

use collect::batch::{Invalid, imported};
use counting::Consumer;
use figures::backoff::Backoff;
use figures::ids::ProjectId;
use figures::log::BatchRef;
use figures::retention::Kept;
use figures::table::ip::{IpKey, key_of_today};
use figures::table::store::{DATA, Item, Store, StoreError, read_binary};
use figures::time::{Day, Millis};
use futures::future::try_join_all;
use tokio::sync::mpsc::{self, Receiver};
use tokio::task::spawn_blocking;

use self::input::Input;
use self::lines::{Line, Lines, MAX_LINE};
use self::source::Source;
use self::visits::Batches;
use crate::args::ImportArguments;
use crate::counted::{Uncounted, WaitError};
use crate::error::CliError;
use crate::progress::{Progress, Unit};
use crate::{output, project};

/// How many batches are stored at the same time.
const IN_FLIGHT: usize = 32;
/// How many lines are read ahead.
const READ_AHEAD: usize = 64;
/// The largest packed batch: DynamoDB's limit of 400 KB an item, less the key and the names.
const MAX_PACKED: usize = 396 << 10;
/// How often a put is tried where the table is unavailable, beyond what the SDK tries itself.
const MAX_TRIES: u32 = 6;
const RETRY: Backoff = Backoff { first: Duration::from_millis(400), longest: Duration::from_secs(8) };

/// What became of a file's lines, or of an export's rows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Summary {
    /// Lines, or rows, that hold anything.
    pub lines: u64,
    /// Batches that were stored.
    pub stored: u64,
    /// Batches that had been stored before.
    pub present: u64,
    /// Lines that are no batch, or rows that can't be read.
    pub refused: u64,
    /// Batches that are older than what the project keeps.
    pub over: u64,
}

/// Runs `import`.
pub async fn run(store: &Store, arguments: &ImportArguments) -> Result<Summary, CliError> {
    let input = Input::open(&arguments.file)?;
    project::must_exist(store, &arguments.target.project).await?;
    match arguments.from {
        None => batches(store, arguments, input).await,
        Some(source) => export(store, arguments, input, source).await,
    }
}

/// Imports lines that are batches.
async fn batches(store: &Store, arguments: &ImportArguments, input: Input) -> Result<Summary, CliError> {
    let size = input.size;
    let (text, read) = spawn_blocking(|| input.text()).await.map_err(|error| CliError::Failed(error.to_string()))??;
    let mut import = Import::begin(store, &arguments.target.project, Unit::Bytes, size).await?;
    import.read(Lines::new(text, read)).await?;
    let Summary { lines, stored, present, refused, .. } = import.summary;
    let result = format!("{lines} lines: {stored} stored, {present} already there, {refused} refused");
    import.end(arguments, &result, &[]).await
}

/// Imports what another tool exported.
async fn export(store: &Store, arguments: &ImportArguments, input: Input, source: Source) -> Result<Summary, CliError> {
    let params = arguments.params.clone();
    let contents = spawn_blocking(move || source.read(input, params)).await;
    let contents = contents.map_err(|error| CliError::Failed(error.to_string()))??;
    let mut import = Import::begin(store, &arguments.target.project, Unit::Batches, None).await?;
    import.read(Batches::new(contents.hits)).await?;
    let Summary { lines: batches, stored, present, refused, over } = import.summary;
    let (rows, refused) = (contents.rows, contents.refused + refused);
    import.summary = Summary { lines: rows, stored, present, refused, over };
    let result =
        format!("{rows} rows, {batches} batches: {stored} stored, {present} already there; {refused} rows refused");
    import.end(arguments, &result, &contents.losses).await
}

/// An import under way.
struct Import<'a> {
    store: &'a Store,
    project: &'a ProjectId,
    ip_key: IpKey,
    progress: Progress,
    unit: Unit,
    summary: Summary,
    uncounted: Uncounted,
    kept: Kept,
    /// The first day that the project keeps, if it does not keep all.
    first_kept: Option<Day>,
    /// Orders what is stored by line, even where a clock does not.
    stored_at: Millis,
}

/// A batch that is about to be stored.
struct Entry {
    key: BatchRef,
    item: Item,
}

impl<'a> Import<'a> {
    async fn begin(
        store: &'a Store,
        project: &'a ProjectId,
        unit: Unit,
        size: Option<u64>,
    ) -> Result<Self, StoreError> {
        let now = Millis::now();
        let kept = Consumer::new(store.clone()).keeping_as_noted().kept(project).await?;
        Ok(Import {
            kept,
            first_kept: kept.horizon(now),
            store,
            project,
            ip_key: key_of_today(store, project, now).await?,
            progress: Progress::begin("Storing", unit, size),
            unit,
            summary: Summary::default(),
            uncounted: Uncounted::new(store, project),
            stored_at: now,
        })
    }

    /// Stores what lines hold.
    async fn read(&mut self, lines: impl Iterator<Item = io::Result<Line>> + Send + 'static) -> Result<(), CliError> {
        let (mut lines, reader) = read_ahead(lines);
        let mut at = 0;
        let mut entries = Vec::with_capacity(IN_FLIGHT);
        while let Some(line) = lines.recv().await {
            let line = line.map_err(|error| self.stopped(at, &error))?;
            at = line.number;
            if line.text.trim_ascii().is_empty() && line.length <= MAX_LINE {
                continue;
            }
            self.summary.lines += 1;
            match self.entry(&line.text, line.length) {
                Ok(Some(entry)) => entries.push(entry),
                Ok(None) => self.summary.over += 1,
                Err(invalid) => {
                    self.summary.refused += 1;
                    self.progress.note(&format!("line {at}: {invalid}"));
                }
            }
            if entries.len() == IN_FLIGHT {
                self.put(std::mem::take(&mut entries)).await.map_err(|error| self.stopped(at, &error))?;
                self.progress.at(if self.unit == Unit::Bytes { line.read } else { self.summary.lines });
            }
        }
        self.put(entries).await.map_err(|error| self.stopped(at, &error))?;
        reader.join().map_err(|_| CliError::Failed("the file could not be read to its end".to_owned()))
    }

    fn stopped(&self, line: u64, error: &dyn std::error::Error) -> CliError {
        let advice = "Run the same command again to go on; what is stored stays as it is.";
        // An export's rows are not stored in the order of its lines.
        let place = if self.unit == Unit::Bytes { format!(" at line {line}") } else { String::new() };
        CliError::Failed(format!("stopped{place}: {error}\n{advice}"))
    }

    /// Returns once all that was stored is counted, and says what became of the file.
    async fn end(self, arguments: &ImportArguments, result: &str, losses: &[String]) -> Result<Summary, CliError> {
        self.progress.end();
        let counted = if arguments.no_wait { Ok(()) } else { self.uncounted.wait("Counting").await };
        output::line(result)?;
        if let (over @ 1.., Some(first)) = (self.summary.over, self.first_kept) {
            eprintln!(
                "left out: {over} batches from before {first}, the first day that the project keeps. What is over stays over: \
                 figures of earlier years are imported into a project that has kept all from its beginning (`identity project \
                 create shop --retention-days 0`), and stay when it is told to keep less."
            );
        }
        for loss in losses {
            eprintln!("not carried over: {loss}");
        }
        counted.map_err(|error| match error {
            WaitError::Store(error) => CliError::Store(error),
            stalled => CliError::Failed(stalled.to_string()),
        })?;
        Ok(self.summary)
    }

    /// The item of a line; none if it is older than what is kept.
    fn entry(&mut self, line: &[u8], length: usize) -> Result<Option<Entry>, Invalid> {
        let refused = |problem: String| Invalid { field: "body".to_owned(), problem };
        if length > MAX_LINE {
            return Err(refused(format!("is {length} bytes long; a line is at most {MAX_LINE}")));
        }
        let (visitor, draft) = imported(line, self.project)?;
        self.stored_at = Millis::now().max(self.stored_at.plus(1));
        let unstorable = |error: StoreError| refused(format!("can't be stored: {error}"));
        let batch = draft.into_batch(visitor, self.stored_at, &self.ip_key).map_err(unstorable)?;
        let day = batch.last_instant().day();
        if self.first_kept.is_some_and(|first| day < first) {
            return Ok(None);
        }
        let mut item = batch.to_item(self.project).map_err(unstorable)?;
        self.kept.note(&mut item, day);
        let packed = read_binary(&item, DATA).map_err(unstorable)?.len();
        if packed > MAX_PACKED {
            return Err(refused(format!("is {packed} bytes when packed; at most {MAX_PACKED} can be stored")));
        }
        Ok(Some(Entry { key: BatchRef::of(&batch), item }))
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

/// Reads lines in a thread of its own, some of them ahead. Not one of the runtime's, which would wait for a reader of
/// standard input when the command has failed.
fn read_ahead(
    lines: impl Iterator<Item = io::Result<Line>> + Send + 'static,
) -> (Receiver<io::Result<Line>>, JoinHandle<()>) {
    let (sender, receiver) = mpsc::channel(READ_AHEAD);
    let reader = std::thread::spawn(move || {
        for line in lines {
            if sender.blocking_send(line).is_err() {
                break;
            }
        }
    });
    (receiver, reader)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::export::Context;
    use super::hit::Hit;
    use super::input::BytesRead;
    use super::rows::Rows;
    use super::sorted::Sorter;
    use super::*;
    use collect::limits::MAX_EVENTS;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    const GA4: &str = include_str!("../../tests/samples/ga4.jsonl");
    const PLAUSIBLE: &str = include_str!("../../tests/samples/plausible.jsonl");
    const MATOMO: &str = include_str!("../../tests/samples/matomo.json");
    const UMAMI: &str = include_str!("../../tests/samples/umami.csv");

    /// What may stand where anything stands in a row.
    fn odd() -> impl Strategy<Value = Value> {
        prop_oneof![
            Just(json!(null)),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            "\\PC{0,40}".prop_map(Value::from),
            "[0-9./:?#&=%@ -]{0,30}".prop_map(Value::from),
            "https?://\\PC{0,20}/\\PC{0,20}".prop_map(Value::from),
            Just(json!("\u{e9}".repeat(5_000))),
            Just(json!(i64::MAX.to_string())),
            Just(json!("9999-12-31 23:59:59.999999")),
            Just(json!([{ "key": "k", "value": { "string_value": "v" } }, { "type": "action", "timestamp": 1 }])),
        ]
    }

    /// The places of all values within a value.
    fn places(value: &Value, place: &str, found: &mut Vec<String>) {
        found.push(place.to_owned());
        match value {
            Value::Object(entries) => {
                entries.iter().for_each(|(name, value)| places(value, &format!("{place}/{name}"), found));
            }
            Value::Array(values) => {
                (0..).zip(values).for_each(|(at, value): (usize, _)| places(value, &format!("{place}/{at}"), found));
            }
            _ => {}
        }
    }

    fn altered(mut row: Value, changes: Vec<(usize, Value)>) -> Value {
        for (at, value) in changes {
            let mut found = Vec::new();
            places(&row, "", &mut found);
            let place = &found[at % found.len()];
            *row.pointer_mut(place).unwrap() = value;
        }
        row
    }

    fn samples(text: &str) -> Vec<Value> {
        let rows = text.lines().map(|line| line.trim().trim_end_matches(','));
        rows.filter_map(|line| serde_json::from_str(line).ok()).filter(Value::is_object).collect()
    }

    fn rows(text: &'static str) -> impl Strategy<Value = Vec<Value>> {
        let row = proptest::sample::select(samples(text));
        let changes = proptest::collection::vec((any::<usize>(), odd()), 0..4);
        proptest::collection::vec((row, changes).prop_map(|(row, changes)| altered(row, changes)), 1..20)
    }

    /// Imports hits, all of which must be taken, each once.
    fn check(hits: Vec<Hit>) -> Result<(), TestCaseError> {
        let mut marks = HashSet::new();
        let is_first = |hit: &&Hit| {
            let Hit { visitor, session, micros, mark, .. } = hit;
            mark.is_none_or(|mark| marks.insert((visitor.clone(), session.clone(), *micros, mark)))
        };
        let (count, mut taken) = (hits.iter().filter(is_first).count(), 0);
        let mut sorter = Sorter::new();
        hits.into_iter().for_each(|hit| sorter.add(hit).unwrap());
        for line in Batches::new(sorter.sorted().unwrap()) {
            let line = line.unwrap();
            let text = String::from_utf8_lossy(&line.text).into_owned();
            let (_, draft) = imported(&line.text, &"demo".parse().unwrap())
                .map_err(|invalid| TestCaseError::fail(format!("{invalid}: {text}")))?;
            prop_assert!((1..=MAX_EVENTS).contains(&draft.events.len()));
            prop_assert!(draft.events.iter().all(|event| event.created_at >= draft.session.started_at));
            taken += draft.events.len();
        }
        prop_assert_eq!(taken, count);
        Ok(())
    }

    fn check_all(
        rows: Vec<Value>,
        hits: fn(&Value, u64, &mut Context) -> Result<Vec<Hit>, String>,
    ) -> Result<(), TestCaseError> {
        let mut context = Context::default();
        check((1..).zip(&rows).filter_map(|(line, row)| hits(row, line, &mut context).ok()).flatten().collect())
    }

    proptest! {
        #[test]
        fn any_row_of_google_analytics_is_imported_or_refused(rows in rows(GA4)) {
            check_all(rows, ga4::hits)?;
        }

        #[test]
        fn any_row_of_plausible_is_imported_or_refused(rows in rows(PLAUSIBLE)) {
            check_all(rows, plausible::hits)?;
        }

        #[test]
        fn any_visit_of_matomo_is_imported_or_refused(rows in rows(MATOMO)) {
            check_all(rows, matomo::hits)?;
        }

        #[test]
        fn any_row_of_umami_is_imported_or_refused(changes in proptest::collection::vec((0_usize..41, odd()), 0..60)) {
            let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(UMAMI.as_bytes());
            let mut written = csv::Writer::from_writer(Vec::new());
            written.write_record(reader.headers().unwrap()).unwrap();
            let mut changes = changes.into_iter();
            for record in reader.records().map(Result::unwrap).filter(|record| record.len() == 41) {
                let mut cells: Vec<String> = record.iter().map(str::to_owned).collect();
                for (at, value) in changes.by_ref().take(4) {
                    cells[at] = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                }
                written.write_record(&cells).unwrap();
            }
            let text = std::io::Cursor::new(written.into_inner().unwrap());
            let mut rows = Rows::new(Box::new(text), BytesRead::default()).unwrap();
            let (mut hits, mut context) = (Vec::new(), Context::default());
            while let Some(row) = rows.next::<umami::Row>() {
                let row = row.unwrap();
                hits.extend(umami::hits(&row.cells.unwrap(), row.line, &mut context).unwrap_or_default());
            }
            check(hits)?;
        }
    }
}
