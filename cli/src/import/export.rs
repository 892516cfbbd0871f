//! What is read of another tool's export: its hits, and what of it can't be carried over.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::io;

use collect::surrogates;
use indicatif::HumanCount;
use serde_json::Value;

use super::hit::{Event, Hit};
use super::input::{BytesRead, Text};
use super::objects::Objects;
use super::sorted::{Sorted, Sorter};
use super::values::{Data, PAGE_VIEW, Page};
use crate::error::CliError;
use crate::progress::{Progress, Unit};

/// After so many rows none of which could be read, the file is taken for something else.
const MAX_STRANGE: u64 = 20;

/// Why reading an export ended early.
#[derive(Debug, thiserror::Error)]
pub enum Stop {
    /// It can't be read any further than the row at this line.
    #[error("stopped after line {0}: {1}")]
    Unreadable(u64, io::Error),
    /// What was read can't be kept.
    #[error("what was read can't be kept in a temporary file: {0}")]
    Unsortable(io::Error),
    /// It is not what it was said to be.
    #[error("{0}")]
    Strange(String),
}

impl From<Stop> for CliError {
    fn from(stop: Stop) -> Self {
        CliError::Failed(stop.to_string())
    }
}

/// What rows are read with.
#[derive(Debug, Default)]
pub struct Context {
    /// Parameters of a query that are part of a page's address.
    params: Vec<String>,
    losses: BTreeMap<&'static str, u64>,
}

/// An export that is being read.
pub struct Export {
    sorter: Sorter,
    progress: Progress,
    read: BytesRead,
    rows: u64,
    refused: u64,
    context: Context,
}

/// An export that was read.
#[derive(Debug)]
pub struct Contents {
    /// What it says, in order of visits.
    pub hits: Sorted,
    /// Rows that hold anything.
    pub rows: u64,
    /// Rows that could not be read.
    pub refused: u64,
    /// What can't be carried over, a line each.
    pub losses: Vec<String>,
}

impl Context {
    /// In which these parameters of a query are part of a page's address.
    pub fn new(params: Vec<String>) -> Self {
        Context { params, losses: BTreeMap::new() }
    }

    /// Reads a page's address.
    pub fn page(&self, address: &str) -> Option<Page> {
        Page::of(address, &self.params)
    }

    /// Takes note of something that can't be carried over.
    pub fn lose(&mut self, what: &'static str) {
        *self.losses.entry(what).or_default() += 1;
    }

    /// What can't be carried over, and how often: a line each, the most frequent first.
    fn losses(&self) -> Vec<String> {
        let mut losses: Vec<_> = self.losses.iter().collect();
        losses.sort_by_key(|(_, count)| Reverse(**count));
        losses.into_iter().map(|(what, count)| format!("{} {what}", HumanCount(*count))).collect()
    }
}

impl Export {
    /// Reads the JSON objects of a text.
    pub fn read_objects(
        &mut self,
        text: Text,
        hits: fn(&Value, u64, &mut Context) -> Result<Vec<Hit>, String>,
    ) -> Result<(), Stop> {
        let mut last = 0;
        for found in Objects::new(text) {
            let found = found.map_err(|error| Stop::Unreadable(last, error))?;
            last = found.line;
            let object = found.text.map_err(|broken| broken.to_string()).and_then(|text| object(&text));
            let outcome = object.and_then(|object| hits(&object, found.line, &mut self.context));
            self.take(found.line, outcome)?;
        }
        Ok(())
    }

    /// Takes what a row tells, or takes note that it could not be read.
    pub fn take(&mut self, line: u64, hits: Result<Vec<Hit>, String>) -> Result<(), Stop> {
        self.rows += 1;
        self.progress.at(self.read.get());
        match hits {
            Ok(hits) => hits.into_iter().try_for_each(|hit| self.sorter.add(hit)).map_err(Stop::Unsortable),
            Err(problem) => {
                self.refused += 1;
                self.progress.note(&format!("line {line}: {problem}"));
                if self.refused < self.rows.max(MAX_STRANGE) {
                    return Ok(());
                }
                Err(Stop::Strange(format!("none of the first {MAX_STRANGE} rows can be read; is it the right export?")))
            }
        }
    }

    /// Begins to read so many bytes, as far as that is known, of which so many were read.
    pub fn begin(size: Option<u64>, read: BytesRead, params: Vec<String>) -> Self {
        Export {
            sorter: Sorter::new(),
            progress: Progress::begin("Reading", Unit::Bytes, size),
            read,
            rows: 0,
            refused: 0,
            context: Context::new(params),
        }
    }

    /// What was read. An outcome that is none ends the progress as well.
    pub fn end(self, outcome: Result<(), Stop>) -> Result<Contents, CliError> {
        let Export { sorter, progress, rows, refused, context, .. } = self;
        progress.end();
        outcome?;
        Ok(Contents { hits: sorter.sorted().map_err(Stop::Unsortable)?, rows, refused, losses: context.losses() })
    }

    /// What rows are read with.
    pub fn context(&mut self) -> &mut Context {
        &mut self.context
    }
}

fn object(text: &[u8]) -> Result<Value, String> {
    let text = std::str::from_utf8(text).map_err(|error| format!("is not UTF-8: {error}"))?;
    serde_json::from_str(&surrogates::replaced(text)).map_err(|error| format!("is not valid JSON: {error}"))
}

/// An event on a page, with what is known of it.
pub fn event(name: String, page: Option<&Page>, data: Data, context: &mut Context) -> Event {
    match page {
        None => context.lose("events without a page's address, taken without one"),
        Some(page) if name == PAGE_VIEW && page.has_query() => {
            context.lose("page views whose address is taken without its query");
        }
        Some(_) => {}
    }
    let (data, is_cut) = data.into_json();
    if is_cut {
        context.lose("events whose parameters were too long and are cut");
    }
    Event { name, url: page.map(|page| page.url.clone()), data }
}
