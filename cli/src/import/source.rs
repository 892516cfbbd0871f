//! The tools whose exports are read.

use clap::ValueEnum;

use super::export::{Contents, Export};
use super::input::Input;
use super::{ga4, matomo, plausible, umami};
use crate::error::CliError;

/// Which tool an export is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Source {
    /// Google Analytics 4: rows of its export to BigQuery, as JSON
    Ga4,
    /// Umami: rows of website_event, as CSV
    Umami,
    /// Plausible: rows of events_v2, as JSON
    Plausible,
    /// Matomo: visits of Live.getLastVisitsDetails, as JSON
    Matomo,
}

impl Source {
    /// Reads an export to its end; these parameters of a query are part of a page's address.
    pub fn read(self, input: Input, params: Vec<String>) -> Result<Contents, CliError> {
        let size = input.size;
        let (text, read) = input.text().map_err(|error| match self {
            Source::Plausible => CliError::Failed(format!("{error}. {}", plausible::TOTALS)),
            Source::Umami => CliError::Failed(format!("{error}. {}", umami::FILES)),
            Source::Ga4 | Source::Matomo => error,
        })?;
        let mut export = Export::begin(size, read.clone(), params);
        let outcome = match self {
            Source::Ga4 => export.read_objects(text, ga4::hits),
            Source::Umami => umami::read(text, read, &mut export),
            Source::Plausible => plausible::read(text, &mut export),
            Source::Matomo => export.read_objects(text, matomo::hits),
        };
        export.end(outcome)
    }
}
