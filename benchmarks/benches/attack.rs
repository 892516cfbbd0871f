//! `cargo bench -p benchmarks --bench attack`: what requests cost that are made to cost as much as they can.

use std::process::ExitCode;

use benchmarks::BenchError;
use benchmarks::attack::{self, Attack, Damage};
use clap::Parser;

const EXAMPLES: &str = "\
Examples:
  cargo bench -p benchmarks --bench attack                      # 400 requests of each kind
  cargo bench -p benchmarks --bench attack -- --requests 2000
  cargo bench -p benchmarks --bench attack -- --check           # fails where a bound is passed

Everything happens on this machine: a stack of the benchmark's own, in memory.";

/// What a stranger with the public key can make the owner pay
#[derive(Debug, Parser)]
#[command(after_help = EXAMPLES)]
struct Arguments {
    /// Requests of each kind
    #[arg(long, default_value_t = 400, value_name = "N")]
    requests: usize,
    /// Fail if a request costs more than it may, in the mean of the last quarter
    #[arg(long)]
    check: bool,
    /// What `cargo bench` adds
    #[arg(long, hide = true)]
    bench: bool,
}

#[tokio::main]
async fn main() -> ExitCode {
    let Arguments { requests, check, .. } = Arguments::parse();
    benchmarks::ended(run(requests).await.map(|damages| {
        print!("{}", attack::markdown(&damages));
        let is_kept = damages.iter().all(|damage| damage.write_units[1] <= damage.bound());
        benchmarks::checked(is_kept, check)
    }))
}

async fn run(requests: usize) -> Result<Vec<Damage>, BenchError> {
    let mut damages = Vec::new();
    for attack in Attack::ALL {
        damages.push(attack::measure(attack, requests).await?);
    }
    Ok(damages)
}
