//! The file of `identity dev --data`, before the engine opens it. The engine would take any database for its own, and
//! find damage only in the midst of a request.

use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use dynoxide::DynoxideError;
use dynoxide::storage::Storage;

/// What every SQLite database begins with.
const MAGIC: &[u8; 16] = b"SQLite format 3\0";

/// How many tables there are, and how many of them are the engine's.
const TABLES: &str = "SELECT COUNT(*), COUNT(*) FILTER (WHERE name IN ('_config', '_tables', '_stream_records'))
    FROM data.sqlite_master WHERE type = 'table'";

/// Reads the whole file, and stops at the first thing that is wrong.
const CHECK: &str = "PRAGMA data.quick_check(1)";

/// Why a file can't be used. Says what to do.
#[derive(Debug, thiserror::Error)]
pub enum DataFileError {
    /// The path can't be handed to SQLite.
    #[error("the path of the data file must be UTF-8")]
    Path,
    /// The file can't be opened or created.
    #[error("{}: {cause}", .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system says.
        cause: io::Error,
    },
    /// It is something else.
    #[error("{} is no data file of `identity dev`. Choose another with --data: it is created if it is not there.", .0.display())]
    Other(PathBuf),
    /// It is another program's.
    #[error(
        "{} is the database of another program, and was left as it is. Choose another file with --data: it is created if \
         it is not there.",
        .0.display()
    )]
    Foreign(PathBuf),
    /// Parts of it can't be read.
    #[error(
        "{path} is damaged ({cause}). Put a copy from a backup in its place, or save what can be read with \
         `sqlite3 {path} .recover | sqlite3 NEW` and start with --data NEW; `identity rebuild` then derives the figures \
         from the batches that are left.",
        path = .path.display()
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What SQLite says.
        cause: String,
    },
    /// It could not be looked at.
    #[error("{} can't be read: {cause}. Does another program use it?", .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What SQLite says.
        cause: String,
    },
    /// The engine can't open a database at all.
    #[error("{0}")]
    Engine(#[from] DynoxideError),
}

/// The file's location for the engine, if it may be opened. It is created if need be.
pub fn location(path: &Path) -> Result<String, DataFileError> {
    let location = path.to_str().ok_or(DataFileError::Path)?;
    let file = |cause| DataFileError::File { path: path.to_owned(), cause };
    create_private(path).map_err(file)?;
    let mut start = Vec::new();
    File::open(path).and_then(|file| file.take(MAGIC.len() as u64).read_to_end(&mut start)).map_err(file)?;
    match &start[..] {
        [] => {}
        start if start == MAGIC => check(path, location)?,
        _ => return Err(DataFileError::Other(path.to_owned())),
    }
    Ok(location.to_owned())
}

/// Creates the file, unless it is there, for its owner alone: it holds what visitors did.
fn create_private(path: &Path) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(|_| ())
}

fn check(path: &Path, location: &str) -> Result<(), DataFileError> {
    // Beside a database in memory, so that nothing is created in this one.
    let storage = Storage::memory()?;
    let found = |cause: String| {
        let path = path.to_owned();
        if cause.contains("malformed") || cause.contains("not a database") {
            DataFileError::Damaged { path, cause }
        } else {
            DataFileError::Unreadable { path, cause }
        }
    };
    let database = storage.conn();
    database.execute("ATTACH DATABASE ?1 AS data", [location]).map_err(|error| found(error.to_string()))?;
    let counts = database.query_row(TABLES, [], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?)));
    let (tables, own) = counts.map_err(|error| found(error.to_string()))?;
    if tables > 0 && own == 0 {
        return Err(DataFileError::Foreign(path.to_owned()));
    }
    let checked = database.query_row(CHECK, [], |row| row.get::<_, String>(0));
    match checked.map_err(|error| found(error.to_string()))?.as_str() {
        "ok" => Ok(()),
        cause => Err(DataFileError::Damaged { path: path.to_owned(), cause: cause.replace('\n', " ") }),
    }
}
