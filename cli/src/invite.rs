//! `identity invite`: a link that lets somebody in.

use figures::table::store::Store;
use figures::time::Millis;
use shared::auth::{Access, Projects};
use shared::aws::is_loopback;
use shared::people;

use crate::args::InviteArguments;
use crate::error::CliError;
use crate::{output, project};

/// Where `identity dev` has its dashboard unless told otherwise.
const LOCAL_URL: &str = "http://127.0.0.1:3000";

/// Prints a link that is good once, and for a quarter of an hour.
pub async fn run(store: &Store, arguments: &InviteArguments) -> Result<(), CliError> {
    let base_url = base_url(arguments)?;
    if arguments.projects.len() > people::MAX_PROJECTS {
        let most = people::MAX_PROJECTS;
        return Err(CliError::Usage(format!(
            "at most {most} projects can be named; without --project it is all of them"
        )));
    }
    for project in &arguments.projects {
        project::must_exist(store, project).await?;
    }
    let projects = match &arguments.projects[..] {
        [] => Projects::All,
        projects => Projects::Only(projects.to_vec()),
    };
    let access = Access { label: arguments.label.clone(), role: arguments.role.into(), projects };
    let invitation = people::invite(store, &access, None, Millis::now()).await?;
    output::line(&invitation.link(base_url))?;
    eprintln!("It lets {} in as {}, once, within 15 minutes.", access.label, access.role.name());
    Ok(())
}

fn base_url(arguments: &InviteArguments) -> Result<&str, CliError> {
    match (&arguments.base_url, &arguments.table.endpoint_url) {
        (Some(base_url), _) => Ok(base_url),
        (None, Some(endpoint)) if is_loopback(endpoint) => {
            eprintln!("The link is to {LOCAL_URL}; give --base-url where `identity dev` has another port.");
            Ok(LOCAL_URL)
        }
        (None, _) => Err(CliError::Usage(
            "--base-url is needed: the address of the dashboard, which the deployment has as its output ApiUrl"
                .to_owned(),
        )),
    }
}
