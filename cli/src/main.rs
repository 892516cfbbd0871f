//! The `identity` command line.

use std::process::ExitCode;

use clap::Parser;
use figures::table::store::Store;
use identity::args::{Arguments, Command, EraseArguments, TableArguments};
use identity::error::CliError;
use identity::{dev, erase, import, invite, key, project, rebuild, replay, visitor};

/// The stack of each thread that answers requests. A build that is not optimized copies what requests wait for from frame to
/// frame, and two megabytes are not much for it.
const STACK_BYTES: usize = 8 << 20;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    start_logging();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().thread_stack_size(STACK_BYTES).build();
    let outcome = match runtime {
        Ok(runtime) => runtime.block_on(run(arguments)),
        Err(error) => Err(CliError::Failed(format!("threads can't be started: {error}"))),
    };
    match outcome {
        Ok(status) => status,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(error.exit_status())
        }
    }
}

async fn run(arguments: Arguments) -> Result<ExitCode, CliError> {
    let done = |()| ExitCode::SUCCESS;
    match arguments.command {
        None => dev::run(arguments.dev.into()).await.map(done),
        Some(Command::Dev(options)) => dev::run(options.into()).await.map(done),
        Some(Command::Import(arguments)) => {
            let outcome = import::run(&open(&arguments.target.table).await, &arguments).await;
            let summary = outcome.map_err(|error| arguments.target.table.explain(error))?;
            Ok(if summary.refused == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
        }
        Some(Command::Project(arguments)) => {
            let outcome = project::run(&open(&arguments.target.table).await, arguments.command).await;
            outcome.map(done).map_err(|error| arguments.target.table.explain(error))
        }
        Some(Command::Key(arguments)) => {
            let store = open(&arguments.target.table).await;
            let outcome = key::run(&store, &arguments.target.project, arguments.command).await;
            outcome.map(done).map_err(|error| arguments.target.table.explain(error))
        }
        Some(Command::Invite(arguments)) => {
            let outcome = invite::run(&open(&arguments.table).await, &arguments).await;
            outcome.map(done).map_err(|error| arguments.table.explain(error))
        }
        Some(Command::Visitor(arguments)) => {
            let store = open(&arguments.target.table).await;
            let outcome = visitor::run(&store, &arguments.target.project, arguments.command).await;
            outcome.map(done).map_err(|error| arguments.target.table.explain(error))
        }
        Some(Command::Erase(arguments)) => {
            let store = open(&arguments.target.table).await;
            let EraseArguments { visitor, filter, yes, target, .. } = arguments;
            let outcome = match &visitor {
                Some(visitor) => erase::run(&store, &target.project, visitor).await,
                None if yes => erase::erase_matching(&store, &target.project, &filter.into()).await,
                None => erase::show_matching(&store, &target.project, &filter.into()).await,
            };
            outcome.map(done).map_err(|error| target.table.explain(error))
        }
        Some(Command::Rebuild(arguments)) => {
            let store = open(&arguments.target.table).await;
            let outcome = rebuild::run(&store, &arguments.target.project, arguments.check).await;
            let is_same = outcome.map_err(|error| arguments.target.table.explain(error))?;
            Ok(if is_same || !arguments.check { ExitCode::SUCCESS } else { ExitCode::FAILURE })
        }
        Some(Command::Replay(arguments)) => {
            let queue = match &arguments.queue_url {
                Some(url) => Some(replay::queue(url).await),
                None => None,
            };
            let outcome = replay::run(&open(&arguments.target.table).await, queue.as_ref()).await;
            let is_complete = outcome.map_err(|error| arguments.target.table.explain(error))?;
            Ok(if is_complete { ExitCode::SUCCESS } else { ExitCode::FAILURE })
        }
    }
}

async fn open(table: &TableArguments) -> Store {
    Store::new(shared::aws::client(table.endpoint_url.as_deref()).await, &table.table)
}

/// The engine warns of every condition that a write does not meet, which is all in a day's work here. What people change is told.
const DEFAULT_LOG: &str = "warn,dynoxide=error,change=info";

/// Logs go to standard error: warnings, or what `RUST_LOG` asks for.
fn start_logging() {
    let filter = tracing_subscriber::EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new(DEFAULT_LOG));
    tracing_subscriber::fmt().with_writer(std::io::stderr).with_env_filter(filter).init();
}
