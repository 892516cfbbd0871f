//! The embedded engine: DynamoDB's protocol over SQLite, in memory or in a file. Other processes reach it on loopback,
//! the rest of this one through a connector.

use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use aws_sdk_dynamodb::config::{IntoShared, SharedHttpClient};
use dynoxide::storage::Storage;
use dynoxide::{Database, DynoxideError};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::connector::{Connector, Worker};
use crate::data_file::{self, DataFileError};
use crate::endpoint::Endpoint;
use crate::http::Listening;

/// How often expired items and old records of the stream are deleted, and the write-ahead log is emptied.
const SWEEP_PERIOD: Duration = Duration::from_secs(60);

/// What the engine's SQLite lacks for a stream that is followed for long, and for one that forgets.
///
/// Each write looks up the stream's last record, and each poll those after a position: without an
/// index both read the whole stream. The trigger is the filter of the function's event source, which
/// wants new batches and work items only; other derived items would make the stream many times as large. It also empties the record of
/// what is deleted, but keeps its number, which may be the next one's floor, and notes each step of an erasure,
/// which its tombstone shows.
const PREPARE_STREAM: &str = r#"
CREATE INDEX IF NOT EXISTS identity_stream_order
    ON _stream_records (table_name, CAST(sequence_number AS INTEGER));
CREATE INDEX IF NOT EXISTS identity_stream_keys
    ON _stream_records (json_extract(keys_json, '$.PK.S'), json_extract(keys_json, '$.SK.S'));
CREATE TABLE IF NOT EXISTS identity_erasures (id INTEGER PRIMARY KEY AUTOINCREMENT, noted_at INTEGER NOT NULL);
DROP TRIGGER IF EXISTS identity_stream_filter;
CREATE TRIGGER identity_stream_filter BEFORE INSERT ON _stream_records
    WHEN NEW.event_name <> 'INSERT' OR json_extract(NEW.keys_json, '$.SK.S') NOT LIKE 'B#%'
        AND json_extract(NEW.keys_json, '$.SK.S') NOT LIKE 'W#%'
    BEGIN
        UPDATE _stream_records SET keys_json = '{}', new_image = NULL
            WHERE NEW.event_name = 'REMOVE' AND table_name = NEW.table_name
                AND json_extract(keys_json, '$.PK.S') = json_extract(NEW.keys_json, '$.PK.S')
                AND json_extract(keys_json, '$.SK.S') = json_extract(NEW.keys_json, '$.SK.S');
        INSERT INTO identity_erasures (noted_at)
            SELECT NEW.created_at WHERE json_extract(NEW.keys_json, '$.PK.S') LIKE '%#ERASED';
        SELECT RAISE(IGNORE);
    END;
"#;

/// Records older than a day are gone, as DynamoDB's are; the last one stays, for its number is the next one's floor.
const TRIM_STREAM: &str = r#"
DELETE FROM _stream_records
    WHERE created_at < unixepoch() - 86400 AND id < (SELECT MAX(id) FROM _stream_records);
"#;

/// Writes the file anew: SQLite writes zeros over what it deletes, but not over what it has moved to another page before.
const REWRITE: &str = "VACUUM;";

/// Moves what was written into the file and empties the write-ahead log, which still has what was deleted since.
const EMPTY_LOG: &str = "PRAGMA wal_checkpoint(TRUNCATE);";

/// A running engine.
#[derive(Debug)]
pub struct Engine {
    /// Stops the sweeper, at the latest when the engine is dropped.
    stop: DropGuard,
    server: Listening,
    sweeper: JoinHandle<Option<Upkeep>>,
    worker: Worker,
    connector: Connector,
}

/// Why the engine could not start.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// There is no thread for it.
    #[error("no thread could be started: {0}")]
    Thread(io::Error),
    /// The file can't be used.
    #[error(transparent)]
    File(#[from] DataFileError),
    /// SQLite could not open or prepare the database.
    #[error("{0}")]
    Database(#[from] DynoxideError),
    /// The stream's table could not be prepared.
    #[error("the engine's stream can't be prepared: {0}")]
    Stream(String),
}

impl Engine {
    /// Serves a database, in a file or in memory.
    pub fn start(listener: TcpListener, file: Option<&Path>) -> Result<Self, EngineError> {
        let (database, upkeep) = open(file)?;
        let (worker, connector) = Worker::start(database).map_err(EngineError::Thread)?;
        let stop = CancellationToken::new();
        let sweeper = tokio::spawn(sweep(connector.clone(), upkeep, stop.clone()));
        let server = Listening::start(listener, Endpoint::new(connector.clone()));
        Ok(Engine { stop: stop.drop_guard(), server, sweeper, worker, connector })
    }

    /// What SDK clients of this process send their requests with.
    pub fn http_client(&self) -> SharedHttpClient {
        self.connector.clone().into_shared()
    }

    /// Ends connections, then closes the database.
    pub async fn stop(self) {
        self.stop.disarm().cancel();
        self.server.stop().await;
        let upkeep = self.sweeper.await;
        self.worker.stop().await;
        match upkeep {
            Ok(upkeep) => {
                let closed = tokio::task::spawn_blocking(move || upkeep.map(|upkeep| upkeep.forget()));
                if closed.await.is_err() {
                    tracing::warn!("what was deleted may still be in the write-ahead log");
                }
            }
            Err(error) => tracing::warn!(%error, "the sweep of expired items failed"),
        }
    }
}

fn open(file: Option<&Path>) -> Result<(Database, Upkeep), EngineError> {
    let location = match file {
        Some(file) => data_file::location(file)?,
        None => in_memory(),
    };
    let database = Database::new(&location)?;
    let upkeep = Upkeep(Storage::new(&location)?);
    upkeep.execute(PREPARE_STREAM).map_err(EngineError::Stream)?;
    Ok((database, upkeep))
}

/// A database in memory that a second connection of this process can open too.
fn in_memory() -> String {
    static OPENED: AtomicU32 = AtomicU32::new(0);
    format!("file:identity-{}?mode=memory&cache=shared", OPENED.fetch_add(1, Ordering::Relaxed))
}

/// A connection of its own to the database, for what the engine does not do.
struct Upkeep(Storage);

impl std::fmt::Debug for Upkeep {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Upkeep")
    }
}

impl Upkeep {
    /// Removes what is left of what was deleted.
    fn forget(&self) {
        let forgotten = self.execute(TRIM_STREAM).and_then(|()| self.rewrite()).and_then(|()| self.execute(EMPTY_LOG));
        if let Err(error) = forgotten {
            tracing::warn!(error, "what was deleted may still be in the data file");
        }
    }

    /// Writes the file anew if there was an erasure since it was.
    fn rewrite(&self) -> Result<(), String> {
        let noted = "SELECT MAX(id) FROM identity_erasures";
        let last = self.0.conn().query_row(noted, [], |row| row.get::<_, Option<i64>>(0));
        let Some(last) = last.map_err(|error| error.to_string())? else { return Ok(()) };
        self.execute(REWRITE)?;
        self.execute(&format!("DELETE FROM identity_erasures WHERE id <= {last}"))
    }

    fn execute(&self, statements: &str) -> Result<(), String> {
        self.0.conn().execute_batch(statements).map_err(|error| error.to_string())
    }
}

/// Sweeps again and again, and gives the connection back when it is stopped.
///
/// It does so on the engine's thread: of two connections to a database in memory, the one that writes refuses what
/// the other one asks.
async fn sweep(engine: Connector, mut upkeep: Upkeep, stop: CancellationToken) -> Option<Upkeep> {
    loop {
        upkeep = engine.ask(move |database| swept(database, upkeep)).await?;
        if stop.run_until_cancelled(tokio::time::sleep(SWEEP_PERIOD)).await.is_none() {
            return Some(upkeep);
        }
    }
}

fn swept(database: &Database, upkeep: Upkeep) -> Upkeep {
    match database.sweep_ttl() {
        Ok(deleted) => tracing::debug!(deleted, "swept expired items"),
        Err(error) => tracing::warn!(%error, "expired items could not be swept"),
    }
    upkeep.forget();
    upkeep
}
