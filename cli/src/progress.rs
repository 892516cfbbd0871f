//! Progress of long work, on standard error: a bar on a terminal, a line now and then elsewhere.

use std::io::IsTerminal;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

/// How often a line is printed where there is no terminal.
const LINE_PERIOD: Duration = Duration::from_secs(5);

const BAR: &str = "{msg} {wide_bar} {human_pos}/{human_len} {eta}";
const BYTES: &str = "{msg} {wide_bar} {binary_bytes}/{binary_total_bytes} {eta}";
const SPINNER: &str = "{msg} {spinner} {binary_bytes}";

const COUNT: &str = "{msg} {spinner} {human_pos}";

/// What progress is measured in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Batches.
    Batches,
    /// Bytes of a file.
    Bytes,
    /// Visitors.
    Visitors,
    /// Days.
    Days,
}

impl Unit {
    fn name(self) -> &'static str {
        match self {
            Unit::Batches => "batches",
            Unit::Bytes => "bytes",
            Unit::Visitors => "visitors",
            Unit::Days => "days",
        }
    }
}

/// The progress of one piece of work.
#[derive(Debug)]
pub struct Progress {
    label: &'static str,
    unit: Unit,
    total: Option<u64>,
    bar: Option<ProgressBar>,
    printed_at: Mutex<Instant>,
}

impl Progress {
    /// Begins to show a piece of work, whose size need not be known.
    pub fn begin(label: &'static str, unit: Unit, total: Option<u64>) -> Self {
        let bar = std::io::stderr().is_terminal().then(|| bar(label, unit, total));
        Progress { label, unit, total, bar, printed_at: Mutex::new(Instant::now()) }
    }

    /// Shows how far the work is.
    pub fn at(&self, done: u64) {
        if let Some(bar) = &self.bar {
            bar.set_position(done);
            return;
        }
        let mut printed_at = self.printed_at.lock().unwrap_or_else(PoisonError::into_inner);
        if printed_at.elapsed() >= LINE_PERIOD {
            *printed_at = Instant::now();
            let of = self.total.map(|total| format!(" of {total}")).unwrap_or_default();
            eprintln!("{}: {done}{of} {}", self.label, self.unit.name());
        }
    }

    /// Prints a line of its own, on a terminal above the bar.
    pub fn note(&self, line: &str) {
        match &self.bar {
            Some(bar) => bar.suspend(|| eprintln!("{line}")),
            None => eprintln!("{line}"),
        }
    }

    /// Takes the bar away.
    pub fn end(self) {
        if let Some(bar) = self.bar {
            bar.finish_and_clear();
        }
    }
}

fn bar(label: &'static str, unit: Unit, total: Option<u64>) -> ProgressBar {
    let template = match (total, unit) {
        (None, Unit::Bytes) => SPINNER,
        (None, _) => COUNT,
        (Some(_), Unit::Bytes) => BYTES,
        (Some(_), _) => BAR,
    };
    let bar = total.map_or_else(ProgressBar::new_spinner, ProgressBar::new).with_message(label);
    match ProgressStyle::with_template(template) {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}
