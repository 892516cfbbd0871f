//! Trusting a visitor: a bot's mark is taken back and kept away, as who knows a visitor's identifier can send any score for it.
//!
//! The mark of trust is an item of its own, which is stored with the visitor's state and which a rebuild finds: nothing that
//! the visitor sent tells. Consumers go by the state. They look for the item only where a score would make a bot of a
//! visitor, so that all other batches cost nothing more.

use std::cell::Cell;

use crate::Consumer;
use crate::history::Project;
use figures::ids::{ProjectId, VisitorId};
use figures::table::store::StoreError;

/// What became of a visitor that is trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trusted {
    /// Sessions that were not counted, and are now.
    pub sessions: usize,
}

impl Consumer {
    /// Takes a visitor for a person whatever is reported of it, and counts its sessions again, some at a time. None: nothing
    /// is known of the visitor, or it is being erased.
    ///
    /// It can stop anywhere: what is left is done by whoever is given the visitor's work item or its next batch, or by another
    /// run.
    pub async fn trust(&self, project: &ProjectId, visitor: &VisitorId) -> Result<Option<Trusted>, StoreError> {
        let project = self.project(project.clone()).await?;
        let uncounted = Cell::new(None);
        self.change(&project, visitor, async |history| {
            uncounted.set(match history.is_known() {
                true => Some(history.trust().await?),
                false => None,
            });
            Ok(())
        })
        .await?;
        let Some(sessions) = uncounted.get() else { return Ok(None) };
        self.recount_all(&project, visitor).await?;
        Ok(Some(Trusted { sessions }))
    }

    /// Trusts a visitor that was derived anew, if it was trusted.
    pub(crate) async fn keep_trust(&self, project: &Project, visitor: &VisitorId) -> Result<(), StoreError> {
        self.change(project, visitor, async |history| {
            if history.is_trusted().await? {
                history.take_for_person();
            }
            Ok(())
        })
        .await
        .map(|_| ())
    }
}
