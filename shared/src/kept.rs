//! What an instance knows of what projects keep.

use figures::ids::ProjectId;
use figures::retention::{Kept, Retention};
use figures::table::keys;
use figures::table::store::{Consistency, Store, StoreError};
use figures::time::Millis;

use crate::cache::Cache;

/// How long a project's setting is believed: as long as the collector believes it.
const TRUST_MS: i64 = 45_000;

/// The most projects whose settings are remembered.
const MAX_REMEMBERED: usize = 1_000;

/// What projects keep, as far as an instance was asked lately.
#[derive(Debug)]
pub struct KeptMemory {
    /// What projects keep that have no setting of their own.
    default: Retention,
    known: Cache<ProjectId, (Kept, Millis)>,
}

impl KeptMemory {
    /// Nothing yet, of projects that keep so much unless they have a setting of their own.
    pub fn new(default: Retention) -> Self {
        KeptMemory { default, known: Cache::new(MAX_REMEMBERED) }
    }

    /// What projects keep that have no setting of their own.
    pub fn default_retention(&self) -> Retention {
        self.default
    }

    /// What a project keeps.
    pub async fn of(&self, store: &Store, project: &ProjectId, now: Millis) -> Result<Kept, StoreError> {
        let is_fresh = |at: Millis| (at.0..at.0 + TRUST_MS).contains(&now.0);
        if let Some((kept, _)) = self.known.get(project).filter(|(_, at)| is_fresh(*at)) {
            return Ok(kept);
        }
        let item = store.get(&keys::project(project), Consistency::Eventual).await?;
        let kept = Kept::of(item.as_ref(), self.default);
        self.known.insert(project.clone(), (kept, now));
        Ok(kept)
    }
}
