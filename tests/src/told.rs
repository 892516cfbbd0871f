//! Two projects beside each other, and what the model knows of them.

use std::collections::BTreeMap;

use counting::Consumer;
use fastrand::Rng;
use figures::ids::VisitorId;
use figures::model::Visitor;
use figures::table::keys;
use figures::table::store::{Consistency, DATA, Item, Query, SK, binary, item_key, read_packed, read_text};
use figures::time::Millis;
use futures::future::try_join_all;
use proptest::sample::Index;

use crate::check::Request;
use crate::clock::now;
use crate::delivery::Stored;
use crate::generate::History;
use crate::oracle::Oracle;
use crate::stack::{Project, Stack};

/// Two projects with the same ids in them, and what the model knows of each.
#[derive(Debug, Clone)]
pub struct Told {
    /// The projects.
    pub projects: [Project; 2],
    /// The model of each.
    pub oracles: [Oracle; 2],
    /// What is stored in both, in the order of storage.
    pub stored: Vec<Stored>,
}

impl Told {
    /// Stores a history, counted by nobody yet.
    ///
    /// # Panics
    /// If it can't be stored.
    pub async fn store(stack: &Stack, history: &History) -> Self {
        let projects = [stack.project().await, stack.project().await];
        let mut told = Told { projects, oracles: Default::default(), stored: Vec::new() };
        for (number, (of, sent)) in history.told(now()).into_iter().enumerate() {
            let project = &told.projects[of];
            let batch = stack.store_batch(project, number, &sent).await;
            assert_eq!(told.oracles[of].store(sent), batch.is_some(), "a batch is stored once");
            told.stored.extend(batch.map(|batch| (project.id.clone(), batch)));
        }
        told
    }

    /// Stores the batches from one on anew, as of now. A rebuild leaves such to the consumers that are given them.
    ///
    /// # Panics
    /// If they can't be stored.
    pub async fn store_again(&mut self, stack: &Stack, from: usize) {
        for (number, (project, batch)) in self.stored.iter_mut().enumerate().skip(from) {
            batch.stored_at = Millis(now() + number as i64);
            stack.store().put(batch.to_item(project).unwrap()).await.unwrap();
        }
    }

    /// Compares everything in both projects with the model.
    ///
    /// # Errors
    /// If something differs or fails.
    pub async fn compare_all(&mut self, stack: &Stack, rng: &mut Rng) -> Result<(), String> {
        for (project, oracle) in self.projects.iter().zip(&mut self.oracles) {
            if !oracle.batches().is_empty() {
                stack.api(project).compare_all(oracle, rng).await?;
            }
        }
        Ok(())
    }

    /// Compares what everything is derived to with what it is rebuilt to.
    ///
    /// # Errors
    /// If something differs or fails.
    pub async fn check_rebuilt(&self, consumer: &Consumer) -> Result<(), String> {
        let rebuilds = self.projects.iter().map(|project| consumer.rebuild(&project.id, true, |_| {}));
        for differences in try_join_all(rebuilds).await.map_err(|error| error.to_string())? {
            if !differences.is_empty() {
                return Err(format!("a rebuild finds {differences:?}"));
            }
        }
        Ok(())
    }

    /// Loses one of the changes of the first project that are not merged yet, if there is any.
    ///
    /// # Panics
    /// If the table can't be reached.
    pub async fn lose_a_change(&self, stack: &Stack, which: Index) {
        let tail = stack.store().query(Query::partition(keys::tail(&self.projects[0].id)).strong()).await.unwrap();
        let changes: Vec<_> = tail.iter().filter(|item| keys::is_segment(read_text(item, SK).unwrap())).collect();
        if !changes.is_empty() {
            stack.store().delete(&item_key(changes[which.index(changes.len())]).unwrap()).await.unwrap();
        }
    }

    /// Counts a visit too many of one of the first project's visitors, if any is counted.
    ///
    /// # Panics
    /// If the table can't be reached.
    pub async fn miscount(&self, stack: &Stack, which: Index) {
        let project = &self.projects[0].id;
        let of_it = self.stored.iter().filter(|(of, _)| of == project);
        let keys = of_it.map(|(_, batch)| keys::visitor(project, &batch.visitor_id)).collect();
        let counted = stack.store().get_many(keys, Consistency::Strong).await.unwrap();
        let counted: Vec<Item> = counted.into_iter().collect::<BTreeMap<_, _>>().into_values().collect();
        if let Some(item) = counted.get(which.index(counted.len().max(1))) {
            let mut visitor: Visitor = read_packed(item).unwrap();
            visitor.visit_count += 1;
            let mut item = item.clone();
            item.insert(DATA.to_owned(), binary(visitor.pack().unwrap()));
            stack.store().put(item).await.unwrap();
        }
    }

    /// A visitor of each project never came.
    pub fn forget(&mut self, visitors: &[VisitorId; 2]) {
        for (oracle, visitor) in self.oracles.iter_mut().zip(visitors) {
            *oracle = oracle.without(visitor.as_str());
        }
    }

    /// Erases a visitor of each project.
    ///
    /// # Errors
    /// If something differs or fails.
    pub async fn erase(&mut self, stack: &Stack, consumer: &Consumer, visitors: &[VisitorId; 2]) -> Result<(), String> {
        self.forget(visitors);
        let each = self.projects.iter().zip(visitors);
        let erasures = each.map(|(project, visitor)| consumer.erase(&project.id, visitor, |_| {}));
        try_join_all(erasures).await.map_err(|error| error.to_string())?;
        for ((project, oracle), visitor) in self.projects.iter().zip(&self.oracles).zip(visitors) {
            stack.api(project).compare(oracle, &Request::new(format!("visitors/{visitor}"))).await?;
        }
        Ok(())
    }

    /// Compares what any lost, doubled or misplaced batch would show in.
    ///
    /// # Errors
    /// If something differs or fails.
    pub async fn compare_briefly(&mut self, stack: &Stack) -> Result<(), String> {
        for (project, oracle) in self.projects.iter().zip(&mut self.oracles) {
            stack.api(project).compare_briefly(oracle).await?;
        }
        Ok(())
    }
}
