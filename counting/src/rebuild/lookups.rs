//! Lookups of sessions, and which of them are of none.

use std::collections::HashSet;
use std::fs::File;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{BufRead, BufReader, BufWriter, Seek, Write};

use figures::ids::{SessionId, VisitorId};
use figures::table::store::StoreError;

/// The lookups that were seen and the sessions that exist, in little memory.
#[derive(Debug)]
pub(super) struct Lookups {
    seen: BufWriter<File>,
    /// Hashes of the sessions: one in 2⁶⁴ hides a lookup that is left over.
    sessions: HashSet<u64>,
}

impl Lookups {
    pub fn new() -> Result<Self, StoreError> {
        Ok(Lookups { seen: BufWriter::new(tempfile::tempfile().map_err(failed)?), sessions: HashSet::new() })
    }

    pub fn see(&mut self, session: &SessionId, visitor: &VisitorId) -> Result<(), StoreError> {
        writeln!(self.seen, "{session} {visitor}").map_err(failed)
    }

    /// Takes note of sessions that exist.
    pub fn find(&mut self, sessions: &[SessionId], visitor: &VisitorId) {
        self.sessions.extend(sessions.iter().map(|session| hash_of(session, visitor)));
    }

    /// Those of sessions that were not found.
    pub fn unknown(self) -> Result<Vec<(SessionId, VisitorId)>, StoreError> {
        let mut file = self.seen.into_inner().map_err(|error| failed(error.into_error()))?;
        file.rewind().map_err(failed)?;
        let mut unknown = Vec::new();
        for line in BufReader::new(file).lines() {
            let line = line.map_err(failed)?;
            let Some((session, visitor)) = line.split_once(' ') else { continue };
            let (Ok(session), Ok(visitor)) = (session.parse(), visitor.parse()) else { continue };
            if !self.sessions.contains(&hash_of(&session, &visitor)) {
                unknown.push((session, visitor));
            }
        }
        Ok(unknown)
    }
}

fn hash_of(session: &SessionId, visitor: &VisitorId) -> u64 {
    let mut hasher = DefaultHasher::new();
    (session.as_str(), visitor.as_str()).hash(&mut hasher);
    hasher.finish()
}

fn failed(error: std::io::Error) -> StoreError {
    StoreError::Failed(format!("the temporary file of the rebuild: {error}"))
}
