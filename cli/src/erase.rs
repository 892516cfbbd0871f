//! Erasing a visitor: GDPR article 17.

use rollup::Consumer;
use shared::ids::{ProjectId, VisitorId};
use shared::store::Store;

use crate::error::CliError;
use crate::project;

/// Erases a visitor and says what was removed.
pub async fn run(store: &Store, project: &ProjectId, visitor: &VisitorId) -> Result<(), CliError> {
    project::must_exist(store, project).await?;
    eprintln!("Erasing {visitor} from {project}. It can be stopped and run again.");
    let erased = Consumer::new(store.clone())
        .erase(project, visitor, |erased| eprintln!("{} sessions, {} items erased", erased.sessions, erased.items))
        .await?;
    println!("Erased {visitor}: {} sessions, {} items.", erased.sessions, erased.items);
    if erased.items == 0 {
        eprintln!("Nothing was stored of it. What it sends from now on is refused.");
    }
    Ok(())
}
