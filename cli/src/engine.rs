//! The embedded engine: DynamoDB's protocol over SQLite, in memory or in a file. Other processes reach it on loopback,
//! the rest of this one through a connector.

use std::fs::OpenOptions;
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

/// How often expired items are deleted.
const SWEEP_PERIOD: Duration = Duration::from_secs(60);

/// How long connections may take to end.
const STOP_TIMEOUT: Duration = Duration::from_secs(5);

/// What the engine's SQLite lacks for a stream that is followed for long.
///
/// Each write looks up the stream's last record, and each poll those after a position: without an
/// index both read the whole stream. The trigger is the filter of the function's event source, which
/// wants new batches only; derived items would make the stream many times as large. Records older
/// than a day are gone, as DynamoDB's are; the last one stays, for its number is the next one's floor.
const PREPARE_STREAM: &str = r#"
CREATE INDEX IF NOT EXISTS identity_stream_order
    ON _stream_records (table_name, CAST(sequence_number AS INTEGER));
CREATE TRIGGER IF NOT EXISTS identity_stream_filter BEFORE INSERT ON _stream_records
    WHEN NEW.event_name <> 'INSERT' OR json_extract(NEW.keys_json, '$.SK.S') NOT LIKE 'B#%'
    BEGIN SELECT RAISE(IGNORE); END;
DELETE FROM _stream_records
    WHERE created_at < unixepoch() - 86400 AND id < (SELECT MAX(id) FROM _stream_records);
"#;

/// A running engine.
#[derive(Debug)]
pub struct Engine {
    /// Stops the tasks, at the latest when the engine is dropped.
    stop: DropGuard,
    server: JoinHandle<Result<(), String>>,
    sweeper: JoinHandle<()>,
    worker: Worker,
    connector: Connector,
}

/// Why the engine could not start.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// There is no thread for it.
    #[error("no thread could be started: {0}")]
    Thread(io::Error),
    /// The path can't be handed to SQLite.
    #[error("the path of the data file must be UTF-8")]
    Path,
    /// The file can't be opened or created.
    #[error("{0}")]
    File(io::Error),
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
        let database = open(file)?;
        let (worker, connector) = Worker::start(database.clone()).map_err(EngineError::Thread)?;
        let stop = CancellationToken::new();
        let sweeper = tokio::spawn(sweep(database.clone(), stop.clone()));
        let stopped = stop.clone().cancelled_owned();
        let server = tokio::spawn(dynoxide::server::serve_with_shutdown(listener, database, stopped));
        Ok(Engine { stop: stop.drop_guard(), server, sweeper, worker, connector })
    }

    /// What SDK clients of this process send their requests with.
    pub fn http_client(&self) -> SharedHttpClient {
        self.connector.clone().into_shared()
    }

    /// Ends connections, then closes the database.
    pub async fn stop(self) {
        self.stop.disarm().cancel();
        if tokio::time::timeout(STOP_TIMEOUT, self.server).await.is_err() {
            tracing::warn!("the engine still had connections when it was stopped");
        }
        if let Err(error) = self.sweeper.await {
            tracing::warn!(%error, "the sweep of expired items failed");
        }
        self.worker.stop().await;
    }
}

fn open(file: Option<&Path>) -> Result<Database, EngineError> {
    let location = match file {
        Some(file) => {
            create_private(file).map_err(EngineError::File)?;
            file.to_str().ok_or(EngineError::Path)?.to_owned()
        }
        None => in_memory(),
    };
    let database = Database::new(&location)?;
    let connection = Storage::new(&location)?;
    connection.conn().execute_batch(PREPARE_STREAM).map_err(|error| EngineError::Stream(error.to_string()))?;
    Ok(database)
}

/// Creates the file, unless it is there, for its owner alone: it holds what visitors did.
fn create_private(file: &Path) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(file).map(|_| ())
}

/// A database in memory that a second connection of this process can open too.
fn in_memory() -> String {
    static OPENED: AtomicU32 = AtomicU32::new(0);
    format!("file:identity-{}?mode=memory&cache=shared", OPENED.fetch_add(1, Ordering::Relaxed))
}

async fn sweep(database: Database, stop: CancellationToken) {
    while stop.run_until_cancelled(tokio::time::sleep(SWEEP_PERIOD)).await.is_some() {
        let database = database.clone();
        match tokio::task::spawn_blocking(move || database.sweep_ttl()).await {
            Ok(Ok(deleted)) => tracing::debug!(deleted, "swept expired items"),
            Ok(Err(error)) => tracing::warn!(%error, "expired items could not be swept"),
            Err(error) => tracing::warn!(%error, "the sweep of expired items failed"),
        }
    }
}
