//! `cargo bench -p benchmarks --bench visits`: what page views cost as the tracker sends them.

use std::process::ExitCode;

use benchmarks::visits;
use clap::Parser;

const EXAMPLES: &str = "\
Examples:
  cargo bench -p benchmarks --bench visits                      # 40 visitors of each kind
  cargo bench -p benchmarks --bench visits -- --visitors 200

Everything happens on this machine: a stack of the benchmark's own, in memory. What is sent was recorded in a browser, by
`npm run visits` in tracker/.";

/// What page views cost as the tracker sends them
#[derive(Debug, Parser)]
#[command(after_help = EXAMPLES)]
struct Arguments {
    /// Visitors of each kind of visit
    #[arg(long, default_value_t = 40, value_name = "N")]
    visitors: usize,
    /// What `cargo bench` adds
    #[arg(long, hide = true)]
    bench: bool,
}

#[tokio::main]
async fn main() -> ExitCode {
    let Arguments { visitors, .. } = Arguments::parse();
    benchmarks::ended(visits::measure(visitors).await.map(|costs| {
        print!("{}", visits::markdown(&costs));
        ExitCode::SUCCESS
    }))
}
