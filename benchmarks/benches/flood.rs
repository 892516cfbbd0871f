//! `cargo bench -p benchmarks --bench flood`: what others notice while one address sends as much as it can.

use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use benchmarks::BenchError;
use benchmarks::attack::Attack;
use benchmarks::flood::{self, HEADING};
use benchmarks::served::{self, SERVE};
use clap::Parser;

const EXAMPLES: &str = "\
Examples:
  cargo bench -p benchmarks --bench flood               # 30 MB of each kind, or a minute: eight minutes in all
  cargo bench -p benchmarks --bench flood -- --megabytes 5
  cargo bench -p benchmarks --bench flood -- --check       # fails where others wait for over 10 seconds, or read over 31 units

Everything happens on this machine: a stack of the benchmark's own for each flood, in a process of its own, on loopback.";

/// What others notice of a flood
#[derive(Debug, Parser)]
#[command(after_help = EXAMPLES)]
struct Arguments {
    /// What each flood comes to
    #[arg(long, default_value_t = 30, value_name = "N")]
    megabytes: usize,
    /// How long each lasts at most, in seconds
    #[arg(long, default_value_t = 60, value_name = "N")]
    seconds: u64,
    /// Fail if others' batches are not counted in time, or their requests take more than they may
    #[arg(long)]
    check: bool,
    /// What `cargo bench` adds
    #[arg(long, hide = true)]
    bench: bool,
}

#[tokio::main]
async fn main() -> ExitCode {
    let given: Vec<String> = std::env::args().skip(1).collect();
    let outcome = match &given[..] {
        [argument, data] if argument == SERVE => served::serve(Path::new(data)).await.map(|()| ExitCode::SUCCESS),
        _ => run(&Arguments::parse()).await,
    };
    benchmarks::ended(outcome)
}

async fn run(arguments: &Arguments) -> Result<ExitCode, BenchError> {
    println!("{HEADING}");
    let mut is_kept = true;
    for attack in
        [Attack::Usual, Attack::ShortTexts, Attack::Campaigns, Attack::LongTexts, Attack::LongPages, Attack::ShortPages]
    {
        let noticed = flood::measure(attack, arguments.megabytes << 20, Duration::from_secs(arguments.seconds)).await?;
        println!("{}", noticed.row());
        is_kept &= noticed.is_bounded();
    }
    Ok(benchmarks::checked(is_kept, arguments.check))
}
