//! `cargo bench -p benchmarks --bench bill`: what a month of page views costs, by simulating parts of it.

use std::path::PathBuf;
use std::process::ExitCode;

use benchmarks::BenchError;
use benchmarks::bill::lambda::{DEPLOYED, Gathering};
use benchmarks::bill::prices::Prices;
use benchmarks::bill::report::{self, CHECKED, Scale, markdown};
use benchmarks::bill::simulation::{Plan, simulate};
use clap::Parser;

const EXAMPLES: &str = "\
Examples:
  cargo bench -p benchmarks --bench bill                                 # four scales
  cargo bench -p benchmarks --bench bill -- --page-views 1000000 --seed 2
  cargo bench -p benchmarks --bench bill -- --page-views 100000000 --shards 16
  cargo bench -p benchmarks --bench bill -- --check                      # fails where a page view takes more than it did

Everything happens on this machine: a stack of the benchmark's own, in memory, on a clock that is set. Of 100,000 page views a
month two whole days are simulated, of more some parts of the month, each of which stands for hours of about the same rate.";

/// What a month of page views costs
#[derive(Debug, Parser)]
#[command(after_help = EXAMPLES)]
struct Arguments {
    /// Page views a month
    #[arg(long, value_delimiter = ',', default_values_t = [100_000, 1_000_000, 10_000_000, 100_000_000], value_name = "N,…")]
    page_views: Vec<u64>,
    /// What the random numbers follow from
    #[arg(long, default_value_t = 1, value_name = "N")]
    seed: u64,
    /// Shards of the table's stream, one for each of its partitions
    #[arg(long, default_value_t = DEPLOYED.shards, value_name = "N")]
    shards: u64,
    /// Invocations at once for each of them
    #[arg(long, default_value_t = DEPLOYED.parallelization, value_name = "N")]
    parallelization: u64,
    /// Seconds for which records are gathered
    #[arg(long, default_value_t = DEPLOYED.window_ms / 1_000, value_name = "N")]
    window: i64,
    /// Page views that are measured of each scale, about
    #[arg(long, default_value_t = 16_000, value_name = "N")]
    measured: u64,
    /// Visits of the time before each part, about
    #[arg(long, default_value_t = 2_000, value_name = "N")]
    past: usize,
    /// Where to store the results as JSON
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Simulate little, always the same, and fail if a page view takes more than its bounds
    #[arg(long)]
    check: bool,
    /// What `cargo bench` adds
    #[arg(long, hide = true)]
    bench: bool,
}

#[tokio::main]
async fn main() -> ExitCode {
    benchmarks::ended(run(Arguments::parse()).await)
}

async fn run(arguments: Arguments) -> Result<ExitCode, BenchError> {
    let prices = Prices::listed()?;
    let mut scales = Vec::new();
    for plan in arguments.plans() {
        scales.push(Scale::new(plan.page_views, simulate(&plan).await?, &prices)?);
    }
    print!("{}", markdown(&scales, &prices)?);
    if let Some(file) = &arguments.json {
        let json = serde_json::to_string_pretty(&scales)?;
        std::fs::write(file, json).map_err(|error| BenchError::Failed(format!("{}: {error}", file.display())))?;
    }
    let broken = report::broken(&scales);
    if arguments.check {
        broken.iter().for_each(|bound| eprintln!("over its bound: {bound}"));
    }
    Ok(benchmarks::checked(broken.is_empty(), arguments.check))
}

impl Arguments {
    fn plans(&self) -> Vec<Plan> {
        if self.check {
            let (measured, past) = CHECKED;
            return report::checked_months().into_iter().map(|a_month| Plan::of(a_month, measured, past, 1)).collect();
        }
        let gathering = Gathering {
            shards: self.shards,
            parallelization: self.parallelization,
            window_ms: self.window * 1_000,
            ..DEPLOYED
        };
        let plan = |a_month: &u64| Plan::of(*a_month as f64, self.measured as f64, self.past, self.seed);
        self.page_views.iter().map(|a_month| plan(a_month).gathering(gathering)).collect()
    }
}
