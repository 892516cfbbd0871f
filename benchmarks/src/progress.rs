//! Progress bars on a terminal's standard error, a line for each piece of work elsewhere.

use std::io::IsTerminal;

use indicatif::{ProgressBar, ProgressStyle};

/// The progress of one piece of work.
#[derive(Debug)]
pub struct Progress(Option<ProgressBar>);

impl Progress {
    /// Begins to show a piece of work.
    pub fn begin(label: &str, total: u64) -> Self {
        if !std::io::stderr().is_terminal() {
            eprintln!("{label} …");
            return Progress(None);
        }
        let style = ProgressStyle::with_template("{msg} {wide_bar} {human_pos}/{human_len} {eta}");
        let style = style.unwrap_or_else(|_| ProgressStyle::default_bar());
        Progress(Some(ProgressBar::new(total).with_style(style).with_message(label.to_owned())))
    }

    /// So much is done.
    pub fn at(&self, done: u64) {
        if let Some(bar) = &self.0 {
            bar.set_position(done);
        }
    }

    /// So much more is done.
    pub fn add(&self, more: u64) {
        if let Some(bar) = &self.0 {
            bar.inc(more);
        }
    }

    /// Takes the bar away.
    pub fn end(self) {
        if let Some(bar) = self.0 {
            bar.finish_and_clear();
        }
    }
}
