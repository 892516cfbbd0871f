//! Recounting: the sessions of a visitor that turned out to be a bot are taken out of the figures, or those of one that is
//! trusted into them, some at a time.

use std::collections::BTreeMap;

use figures::ids::{ProjectId, VisitorId};
use figures::table::keys::{self, Key};
use figures::table::store::{Consistency, StoreError, Write};

use crate::Consumer;
use crate::history::{History, Project};
use crate::work_items::WorkItem;

/// Visitors of which a delivery takes some sessions out of the figures, or into them.
const MAX_STEPS: usize = 8;

impl Consumer {
    /// Does a step for some bots whose history is still counted, once all batches are applied: most have few sessions. The
    /// same for trusted visitors whose history is not. The others' work items come with the stream. Gives those of which
    /// something is left.
    pub(crate) async fn recount_some(
        &self,
        project: &Project,
        bots: BTreeMap<VisitorId, Option<WorkItem>>,
    ) -> Vec<VisitorId> {
        let mut left = Vec::new();
        for (number, (visitor, work)) in bots.into_iter().enumerate() {
            if number >= MAX_STEPS {
                left.push(visitor);
                continue;
            }
            let step = async {
                match work {
                    Some(work) => self.recount(project, &work).await,
                    None => self.recount(project, &self.work_of(project, &visitor).await?).await,
                }
            };
            match step.await {
                Ok(true) => {}
                Ok(false) => left.push(visitor),
                Err(error) => {
                    tracing::warn!(project = %project.id, %error, "a bot's sessions are still counted, or a trusted visitor's are not; tried again later");
                    left.push(visitor);
                }
            }
        }
        left
    }

    /// Does all steps for a visitor, if it is recounting.
    pub(crate) async fn recount_all(&self, project: &Project, visitor: &VisitorId) -> Result<(), StoreError> {
        while History::load(&self.store, project, visitor.clone()).await?.is_recounting() {
            self.recount(project, &self.work_of(project, visitor).await?).await?;
        }
        Ok(())
    }

    /// The work item of a visitor that is recounting, a new one if it was lost.
    async fn work_of(&self, project: &Project, visitor: &VisitorId) -> Result<WorkItem, StoreError> {
        let stored = WorkItem::all(&self.store, &project.id).await?;
        if let Some(work) = stored.into_iter().find(|work| work.visitor == *visitor) {
            return Ok(work);
        }
        let work = WorkItem::new(&project.id, visitor.clone(), None)?;
        self.store.put(work.to_item()).await?;
        Ok(work)
    }

    /// Does all steps for some visitors, where nobody may be there to do what their work items say.
    ///
    /// # Errors
    /// If that can't be done now. What no further try would do is logged.
    pub(crate) async fn recount_each(&self, project: &Project, visitors: &[VisitorId]) -> Result<(), StoreError> {
        for visitor in visitors {
            match self.recount_all(project, visitor).await {
                Err(error) if error.is_of_items() => log_stuck(&project.id, &error),
                done => done?,
            }
        }
        Ok(())
    }

    /// Does what work items say that the stream brings: a step of some, and the others come once more.
    pub async fn resume(&self, works: Vec<Key>) -> Result<(), StoreError> {
        for (number, key) in works.into_iter().enumerate() {
            let Some(project) = keys::parse_work(&key) else { continue };
            let Some(item) = self.store.get(&key, Consistency::Strong).await? else { continue };
            let done = async {
                let work = WorkItem::of(&item)?;
                if number >= MAX_STEPS {
                    let next = WorkItem::new(&project, work.visitor, work.after)?;
                    self.store.transact(vec![Write::Put(next.to_item()), Write::Delete(work.key)]).await?;
                } else {
                    self.recount(&self.project(project.clone()).await?, &work).await?;
                }
                Ok::<(), StoreError>(())
            };
            match done.await {
                Err(error) if error.is_of_items() => log_stuck(&project, &error),
                done => done?,
            }
        }
        Ok(())
    }

    /// Takes some of a bot's earlier sessions out of the figures, or some of a trusted visitor's into them, in one
    /// transaction with the work item of the rest, so that it can stop anywhere. Says whether none is left, or somebody else did this step.
    pub(crate) async fn recount(&self, project: &Project, work: &WorkItem) -> Result<bool, StoreError> {
        let change = self
            .change(project, &work.visitor, async |history| {
                match self.store.get(&work.key, Consistency::Strong).await? {
                    Some(_) => history.recount(&work.key, work.after.as_deref()).await,
                    None => Ok(()),
                }
            })
            .await?;
        match change {
            Some(change) => Ok(!change.recounting),
            None => self.store.delete(&work.key).await.map(|()| true),
        }
    }
}

fn log_stuck(project: &ProjectId, error: &StoreError) {
    tracing::error!(%project, %error, "a bot's sessions stay counted, or a trusted visitor's don't count: run `identity rebuild`");
}
