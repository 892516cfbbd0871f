//! The commands of projects.

use figures::ids::ProjectId;
use figures::table::store::Store;
use figures::time::Millis;
use shared::projects::{self, Changes, Project, Settings};

use crate::args::{ProjectChanges, ProjectCommand};
use crate::error::CliError;
use crate::output;

const HEADINGS: [&str; 6] = ["PROJECT", "NAME", "HOSTS", "ORIGINS", "DAYS KEPT", "CREATED"];

/// Runs a command of `project`.
pub async fn run(store: &Store, command: ProjectCommand) -> Result<(), CliError> {
    match command {
        ProjectCommand::Create { id, name, hosts, origins, retention_days } => {
            create(store, &id, &Settings { name, hosts, origins, retention: retention_days }).await
        }
        ProjectCommand::Update { id, changes } => update(store, &id, changes).await,
        ProjectCommand::List => {
            let rows: Vec<_> = projects::list(store).await?.iter().map(row).collect();
            output::table(HEADINGS, &rows)
        }
    }
}

async fn create(store: &Store, id: &ProjectId, settings: &Settings) -> Result<(), CliError> {
    if projects::create(store, id, settings, Millis::now()).await?.is_none() {
        return Err(CliError::Failed(format!("project {:?} exists already", id.as_str())));
    }
    output::line(id.as_str())?;
    eprintln!("Created. Make its keys with `identity key create --project {id} --kind public` and `--kind secret`.");
    Ok(())
}

async fn update(store: &Store, id: &ProjectId, changes: ProjectChanges) -> Result<(), CliError> {
    let changes = Changes {
        name: changes.name,
        hosts: given(changes.hosts, changes.no_host),
        origins: given(changes.origins, changes.any_origin),
        retention: changes.retention_days,
    };
    let Some(project) = projects::change(store, id, &changes, None, Millis::now()).await? else {
        return Err(CliError::Failed(format!("there is no project {:?}; see `identity project list`", id.as_str())));
    };
    output::table(HEADINGS, &[row(&project)])?;
    if changes.origins.is_some() {
        eprintln!("A collector that runs may go by the origins so far for a minute.");
    }
    if changes.hosts.is_some() {
        eprintln!("What was counted keeps its referrers until `identity rebuild --project {id}`.");
    }
    if changes.retention.is_some() {
        eprintln!(
            "Functions that run may go by the days so far for a minute. What is over is not shown from then on; what is gone stays gone."
        );
    }
    Ok(())
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

/// What a list changes to: none where neither it nor "none at all" was given.
fn given<T>(list: Vec<T>, none_at_all: bool) -> Option<Vec<T>> {
    (none_at_all || !list.is_empty()).then_some(list)
}

fn row(project: &Project) -> [String; 6] {
    [
        project.id.as_str().to_owned(),
        project.name.clone(),
        joined(&project.hosts),
        joined(&project.origins),
        days_kept(project.retention_days),
        output::instant(project.created_at),
    ]
}

fn days_kept(days: Option<i32>) -> String {
    match days {
        None => String::new(),
        Some(0) => "all".to_owned(),
        Some(days) => days.to_string(),
    }
}

fn joined<T: ToString>(list: &[T]) -> String {
    list.iter().map(T::to_string).collect::<Vec<_>>().join(",")
}
