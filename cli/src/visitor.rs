//! Visitors that strangers spoke for.

use counting::{Consumer, Trusted};
use figures::ids::ProjectId;
use figures::table::store::Store;

use crate::args::VisitorCommand;
use crate::error::CliError;
use crate::{output, project};

/// Runs a command of `visitor`.
pub async fn run(store: &Store, project: &ProjectId, command: VisitorCommand) -> Result<(), CliError> {
    project::must_exist(store, project).await?;
    let VisitorCommand::Trust { visitor } = command;
    eprintln!("Trusting {visitor} of {project}. It can be stopped and run again.");
    match Consumer::new(store.clone()).keeping_as_noted().trust(project, &visitor).await? {
        None => Err(CliError::Failed(format!(
            "nothing is known of a visitor {visitor} in project {project}: it never came, or it is erased"
        ))),
        Some(Trusted { sessions: 0 }) => {
            output::line(&format!("Trusted {visitor}: all its sessions are counted, and stay so."))
        }
        Some(Trusted { sessions }) => output::line(&format!("Trusted {visitor}: {sessions} sessions count again.")),
    }
}
