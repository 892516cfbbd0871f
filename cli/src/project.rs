//! The commands of projects.

use figures::ids::ProjectId;
use figures::table::store::Store;
use figures::time::Millis;
use shared::projects::{self, Project, Settings};

use crate::args::ProjectCommand;
use crate::error::CliError;
use crate::output;

/// Runs a command of `project`.
pub async fn run(store: &Store, command: ProjectCommand) -> Result<(), CliError> {
    match command {
        ProjectCommand::Create { id, name, hosts, origins } => {
            let settings = Settings { name, hosts, origins };
            if projects::create(store, &id, &settings, Millis::now()).await?.is_none() {
                return Err(CliError::Failed(format!("project {id:?} exists already", id = id.as_str())));
            }
            output::line(id.as_str())?;
            eprintln!(
                "Created. Make its keys with `identity key create --project {id} --kind public` and `--kind secret`."
            );
            Ok(())
        }
        ProjectCommand::List => {
            let rows: Vec<_> = projects::list(store).await?.iter().map(row).collect();
            output::table(["PROJECT", "NAME", "HOSTS", "ORIGINS", "CREATED"], &rows)
        }
    }
}

/// Fails if there is no such project, and says how to create it.
pub async fn must_exist(store: &Store, id: &ProjectId) -> Result<(), CliError> {
    if projects::exists(store, id).await? {
        return Ok(());
    }
    Err(CliError::Failed(format!(
        "there is no project {:?}. Create it with `identity project create {id}`, or choose another with --project.",
        id.as_str()
    )))
}

fn row(project: &Project) -> [String; 5] {
    [
        project.id.as_str().to_owned(),
        project.name.clone(),
        project.hosts.join(","),
        project.origins.join(","),
        output::instant(project.created_at),
    ]
}
