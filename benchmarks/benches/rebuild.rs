//! `cargo bench -p benchmarks --bench rebuild`: what a rebuild takes of memory and time when all figures and indexes are lost.

use std::process::ExitCode;
use std::time::Instant;

use benchmarks::BenchError;
use benchmarks::instance::{self, REBUILD};
use benchmarks::load::{Loaded, load};
use benchmarks::site::Site;
use clap::Parser;
use figures::measures::Measure;
use figures::table::keys;
use figures::table::store::{Query, item_key};

const EXAMPLES: &str = "\
Examples:
  cargo bench -p benchmarks --bench rebuild    # a million events on 3 days, as large as those of ten million in a month
  cargo bench -p benchmarks --bench rebuild -- --events 100000 --days 30
  cargo bench -p benchmarks --bench rebuild -- --events 100000 --heavy    # half of them a single visitor's

Memory is that of the process that rebuilds; the table is in another one.";

/// What a rebuild takes
#[derive(Debug, Parser)]
#[command(after_help = EXAMPLES)]
struct Arguments {
    /// Events in all
    #[arg(long, default_value_t = 1_000_000, value_name = "N")]
    events: usize,
    /// The days on which they happen
    #[arg(long, default_value_t = 3, value_name = "N")]
    days: i64,
    /// Half of them are a single visitor's
    #[arg(long)]
    heavy: bool,
    /// What `cargo bench` adds
    #[arg(long, hide = true)]
    bench: bool,
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let outcome = match &arguments[..] {
        [argument, endpoint_url, project] if argument == REBUILD => instance::rebuild(endpoint_url, project).await,
        _ => run(Arguments::parse()).await,
    };
    benchmarks::ended(outcome.map(|()| ExitCode::SUCCESS))
}

async fn run(arguments: Arguments) -> Result<(), BenchError> {
    let Arguments { events, days, heavy, .. } = arguments;
    let Loaded { stack, .. } = load(Site { events, urls: 200, heavy, days }, "a site").await?;
    for measure in Measure::ALL {
        for block in
            stack.store().query(Query::partition(keys::blocks(stack.project(), measure.name())).keys_only()).await?
        {
            stack.store().delete(&item_key(&block)?).await?;
        }
    }
    let began = Instant::now();
    let memory_mib = instance::peak_memory_of_rebuild(&stack).await?;
    println!("| events | days | half of one visitor | rebuilt, s | memory, MiB |");
    println!("|---|---|---|---|---|");
    println!("| {events} | {days} | {heavy} | {:.0} | {memory_mib:.0} |", began.elapsed().as_secs_f64());
    stack.shutdown().await;
    Ok(())
}
