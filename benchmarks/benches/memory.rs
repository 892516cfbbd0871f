//! `cargo bench -p benchmarks --bench memory`: how much memory the functions take in the states that a stranger can bring about.

use std::path::PathBuf;
use std::process::ExitCode;

use benchmarks::BenchError;
use benchmarks::memory::{self, Measured};
use benchmarks::states::State;
use clap::Parser;

const EXAMPLES: &str = "\
Examples:
  cargo build --release --workspace --bins && cargo bench -p benchmarks --bench memory
  cargo bench -p benchmarks --bench memory -- --functions session,visitor --states 1,2
  cargo bench -p benchmarks --bench memory -- --binaries target/lambda-tests/binaries  # as scripts/lambda-tests built them
  cargo bench -p benchmarks --bench memory -- --check           # fails where a bound is passed

Everything happens on this machine: a stack of the benchmark's own for each state, in memory, and each function's own program
beside it, which is called as Lambda calls it.";

/// What a stranger with the public key can make a function take of memory
#[derive(Debug, Parser)]
#[command(after_help = EXAMPLES)]
struct Arguments {
    /// Requests of each kind of attack on what is counted
    #[arg(long, default_value_t = 400, value_name = "N")]
    requests: usize,
    /// Only these states, by their numbers
    #[arg(long, value_delimiter = ',', value_name = "N,…")]
    states: Vec<usize>,
    /// Only these functions
    #[arg(long, value_delimiter = ',', value_name = "NAME,…")]
    functions: Vec<String>,
    /// Where the functions' programs are, if not where cargo puts them
    #[arg(long, value_name = "DIR")]
    binaries: Option<PathBuf>,
    /// Fail if a function takes more memory, or answers more, than it may
    #[arg(long)]
    check: bool,
    /// What `cargo bench` adds
    #[arg(long, hide = true)]
    bench: bool,
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    benchmarks::ended(run(&arguments).await.map(|measured| {
        print!("{}", memory::markdown(&measured));
        let peaks = measured.iter().flat_map(|state| state.peaks.iter().map(|peak| (state.state, peak)));
        let faults: Vec<String> = peaks
            .flat_map(|(state, peak)| peak.faults().into_iter().map(move |fault| format!("{state}: {fault}")))
            .collect();
        faults.iter().for_each(|fault| eprintln!("{fault}"));
        benchmarks::checked(faults.is_empty(), arguments.check)
    }))
}

async fn run(arguments: &Arguments) -> Result<Vec<Measured>, BenchError> {
    let folder = match &arguments.binaries {
        Some(folder) => folder.clone(),
        None => memory::own_folder()?,
    };
    let mut measured = Vec::new();
    for (position, state) in State::ALL.into_iter().enumerate() {
        if arguments.states.is_empty() || arguments.states.contains(&(position + 1)) {
            measured.push(memory::measure(state, arguments.requests, &folder, &arguments.functions).await?);
        }
    }
    Ok(measured)
}
