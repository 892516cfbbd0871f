//! `cargo bench -p benchmarks --bench costs`: builds data sets through the real write path and prints what everything costs.

use std::path::PathBuf;
use std::process::ExitCode;

use benchmarks::BenchError;
use benchmarks::instance::{self, INSTANCE};
use benchmarks::load::{Loaded, load};
use benchmarks::reads;
use benchmarks::report::{Report, Set};
use benchmarks::served::memory_mib;
use benchmarks::site::{DAYS, Site};
use benchmarks::writes;
use clap::Parser;

const EXAMPLES: &str = "\
Examples:
  cargo bench -p benchmarks --bench costs    # 10,000, 100,000 and 1,000,000 events, and two more sets: half an hour
  cargo bench -p benchmarks --bench costs -- --events 10000,40000 --special 0 --requests 1 --check  # a minute
  cargo bench -p benchmarks --bench costs -- --json report.json > report.md

Units, calls and round trips repeat; times depend on the machine.";

/// What requests and page views cost, and how that grows with the data
#[derive(Debug, Parser)]
#[command(after_help = EXAMPLES)]
struct Arguments {
    /// Sizes of the data sets
    #[arg(long, value_delimiter = ',', default_values_t = [10_000, 100_000, 1_000_000], value_name = "N,…")]
    events: Vec<usize>,
    /// Different URLs
    #[arg(long, default_value_t = 200, value_name = "N")]
    urls: usize,
    /// Besides, a set of so many events with 5,000 URLs, and one of which half is a single visitor's; 0 for none
    #[arg(long, default_value_t = 100_000, value_name = "N")]
    special: usize,
    /// Requests that are timed for each row
    #[arg(long, default_value_t = 100, value_name = "N")]
    requests: usize,
    /// Visits for the cost of writes
    #[arg(long, default_value_t = 600, value_name = "N")]
    visits: u64,
    /// Where to store the results as JSON
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Fail if units, calls or round trips exceed their bounds
    #[arg(long)]
    check: bool,
    /// What `cargo bench` adds
    #[arg(long, hide = true)]
    bench: bool,
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let outcome = match &arguments[..] {
        [argument, endpoint_url, secret_key, path, requests] if argument == INSTANCE => {
            let requests = requests.parse().unwrap_or_default();
            instance::run(endpoint_url, secret_key, path, requests).await.map(|()| ExitCode::SUCCESS)
        }
        _ => run(Arguments::parse()).await,
    };
    benchmarks::ended(outcome)
}

async fn run(arguments: Arguments) -> Result<ExitCode, BenchError> {
    let mut sites: Vec<(String, bool, Site)> = Vec::new();
    for events in &arguments.events {
        sites.push((grouped(*events), true, Site { events: *events, urls: arguments.urls, heavy: false, days: DAYS }));
    }
    if arguments.special > 0 {
        let (events, size) = (arguments.special, grouped(arguments.special));
        sites.push((format!("{size}, 5,000 URLs"), false, Site { events, urls: 5_000, heavy: false, days: DAYS }));
        sites.push((
            format!("{size}, half of one visitor"),
            false,
            Site { events, urls: arguments.urls, heavy: true, days: DAYS },
        ));
    }
    let mut report = Report { sets: Vec::new(), writes: writes::measure(arguments.visits).await? };
    for (name, is_plain, site) in sites {
        let Loaded { stack, speed } = load(site, &name).await?;
        let costs = reads::measure(&stack, site, &name, arguments.requests).await?;
        report.sets.push(Set { name, is_plain, speed, costs, memory_mib: memory_mib("self") });
        stack.shutdown().await;
    }
    println!("{}", report.markdown());
    if let Some(file) = &arguments.json {
        let json = serde_json::to_string_pretty(&report)?;
        std::fs::write(file, json).map_err(|error| BenchError::Failed(format!("{}: {error}", file.display())))?;
    }
    let broken = report.broken();
    for bound in &broken {
        eprintln!("over its bound: {bound}");
    }
    Ok(if arguments.check && !broken.is_empty() { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// `1,000,000`
fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let groups: Vec<&str> =
        digits.as_bytes().rchunks(3).rev().filter_map(|group| std::str::from_utf8(group).ok()).collect();
    groups.join(",")
}
