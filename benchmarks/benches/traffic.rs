//! `cargo bench -p benchmarks --bench traffic`: many clients at once, on loopback.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use benchmarks::BenchError;
use benchmarks::api::Api;
use benchmarks::load::{fill, wait};
use benchmarks::served::{SERVE, Served, serve};
use benchmarks::site::{DAYS, Site};
use benchmarks::traffic::{HEADING, Outcome, Volume, collect, reads};
use clap::Parser;
use figures::table::store::Store;

const EXAMPLES: &str = "\
Examples:
  cargo bench -p benchmarks --bench traffic                            # four minutes of traffic, and as much to count it
  cargo bench -p benchmarks --bench traffic -- --seconds 5 --events 5000
  cargo bench -p benchmarks --bench traffic -- --json report.json > report.md

It fails if an answer is neither success nor 429, or if the figures are not what was sent.";

/// What a server bears, whether it loses anything, and whether its memory stays
#[derive(Debug, Parser)]
#[command(after_help = EXAMPLES)]
struct Arguments {
    /// Clients at once
    #[arg(long, default_value_t = 64, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1_000))]
    connections: u16,
    /// Time of each load
    #[arg(long, default_value_t = 60, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=600))]
    seconds: u64,
    /// Events that are there to be read
    #[arg(long, default_value_t = 100_000, value_name = "N")]
    events: usize,
    /// Projects of the load on many projects
    #[arg(long, default_value_t = 1_000, value_name = "N")]
    projects: usize,
    /// Where to store the results as JSON
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// What `cargo bench` adds
    #[arg(long, hide = true)]
    bench: bool,
}

#[tokio::main]
async fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let outcome = match (arguments.next().as_deref(), arguments.next()) {
        (Some(SERVE), Some(data)) => serve(Path::new(&data)).await.map(|()| ExitCode::SUCCESS),
        _ => run(Arguments::parse()).await,
    };
    outcome.unwrap_or_else(|error| {
        eprintln!("error: {error}");
        ExitCode::FAILURE
    })
}

async fn run(arguments: Arguments) -> Result<ExitCode, BenchError> {
    let volume = Volume { connections: arguments.connections, time: Duration::from_secs(arguments.seconds) };
    let folder = tempfile::tempdir().map_err(|error| BenchError::Failed(error.to_string()))?;
    let server = Served::start(&folder.path().join("data.db"))?;
    let outcomes = vec![
        collect(&server, volume, 1).await?,
        collect(&server, volume, arguments.projects).await?,
        read(&server, volume, arguments.events).await?,
    ];
    println!("{HEADING}");
    outcomes.iter().for_each(|outcome| println!("{}", outcome.row()));
    if let Some(file) = &arguments.json {
        let json = serde_json::to_string_pretty(&outcomes)?;
        std::fs::write(file, json).map_err(|error| BenchError::Failed(format!("{}: {error}", file.display())))?;
    }
    let faults: Vec<String> = outcomes.iter().flat_map(Outcome::faults).collect();
    faults.iter().for_each(|fault| eprintln!("{fault}"));
    Ok(if faults.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn read(server: &Served, volume: Volume, events: usize) -> Result<Outcome, BenchError> {
    let site = Site { events, urls: 200, heavy: false, days: DAYS };
    let store = Store::new(shared::aws::client(Some(&server.at.endpoint_url)).await, "identity");
    fill(&store, &server.at.project, site, "storing what is read").await?;
    let api = Api::new(server.at.base_url.clone(), &server.at.secret_key);
    wait(&api, events as u64, "counting what is read").await?;
    reads(server, volume).await
}
