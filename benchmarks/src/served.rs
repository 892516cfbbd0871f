//! A local stack in a process of its own, so that its memory is the server's alone.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use figures::ids::ProjectId;
use identity::dev::{Options, Stack};
use serde::{Deserialize, Serialize};

use crate::BenchError;

/// The argument that makes the benchmark's program a server; the data file follows.
pub const SERVE: &str = "serve";

/// Requests a minute of the secret key.
const RATE_LIMIT: u32 = 60_000_000;

/// The project that it starts with.
const PROJECT: &str = "bench";

/// What a server says of itself once it serves.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Address {
    /// The address of the API and the collector, without a path.
    pub base_url: String,
    /// The address of DynamoDB's protocol.
    pub endpoint_url: String,
    /// The project it started with.
    pub project: ProjectId,
    /// A secret key of it.
    pub secret_key: String,
    /// A public key of it.
    pub public_key: String,
}

/// A server that ends with this value.
#[derive(Debug)]
pub struct Served {
    process: Child,
    /// Where it serves.
    pub at: Address,
}

impl Served {
    /// Starts this program again, as a server that keeps its data in a file.
    pub fn start(data: &Path) -> Result<Self, BenchError> {
        let program = std::env::current_exe().map_err(failed)?;
        let mut command = Command::new(program);
        command.arg(SERVE).arg(data).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = command.spawn().map_err(failed)?;
        let mut line = String::new();
        if let Some(output) = process.stdout.take() {
            BufReader::new(output).read_line(&mut line).map_err(failed)?;
        }
        Ok(Served { at: serde_json::from_str(&line)?, process })
    }

    /// Memory that the server has, in MiB.
    pub fn memory_mib(&self) -> f64 {
        memory_mib(&self.process.id().to_string())
    }

    /// CPU time that the server has taken, in seconds.
    pub fn cpu_seconds(&self) -> f64 {
        cpu_seconds(&self.process.id().to_string())
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        // The end of its input asks it to stop.
        drop(self.process.stdin.take());
        if let Err(error) = self.process.wait() {
            eprintln!("the server can't be waited for: {error}");
        }
    }
}

/// Serves until the standard input ends.
pub async fn serve(data: &Path) -> Result<(), BenchError> {
    let project = PROJECT.parse().map_err(|_| BenchError::Failed("the project's name".to_owned()))?;
    let options = Options { rate_limit: RATE_LIMIT, data: Some(data.to_owned()), ..Options::empty(project) };
    let stack = Stack::start(options).await.map_err(|error| BenchError::Failed(error.to_string()))?;
    let address = Address {
        base_url: stack.base_url(),
        endpoint_url: stack.endpoint_url().to_owned(),
        project: stack.project().clone(),
        secret_key: stack.secret_key().to_owned(),
        public_key: stack.public_key().to_owned(),
    };
    let mut output = std::io::stdout();
    writeln!(output, "{}", serde_json::to_string(&address)?).and_then(|()| output.flush()).map_err(failed)?;
    let ended = tokio::task::spawn_blocking(|| std::io::copy(&mut std::io::stdin(), &mut std::io::sink())).await;
    stack.shutdown().await;
    ended.map_err(|error| BenchError::Failed(error.to_string()))?.map(|_| ()).map_err(failed)
}

/// Memory that a process has, where the system tells; `self` is this one.
pub fn memory_mib(process: &str) -> f64 {
    status_mib(process, "VmRSS:")
}

/// The most memory that a process ever had, where the system tells; `self` is this one.
pub fn peak_memory_mib(process: &str) -> f64 {
    status_mib(process, "VmHWM:")
}

fn status_mib(process: &str, field: &str) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(field));
    let kib = line.and_then(|line| line.split_whitespace().next()).and_then(|kib| kib.parse::<f64>().ok());
    kib.unwrap_or_default() / 1024.0
}

/// CPU time that a process has taken in all its threads, where the system tells; `self` is this one.
pub fn cpu_seconds(process: &str) -> f64 {
    /// What Linux counts in, whatever its own clock is.
    const TICKS_A_SECOND: f64 = 100.0;
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    // The name, in brackets, may hold anything; of what follows, user and system time are the 12th and 13th field.
    let fields = stat.rsplit_once(')').map_or("", |(_, fields)| fields).split_whitespace();
    fields.skip(11).take(2).filter_map(|ticks| ticks.parse::<f64>().ok()).sum::<f64>() / TICKS_A_SECOND
}

fn failed(error: std::io::Error) -> BenchError {
    BenchError::Failed(error.to_string())
}
