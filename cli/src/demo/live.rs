//! People who are on the site now.

use std::time::Duration;

use fastrand::Rng;
use figures::ids::ProjectId;
use figures::table::ip::key_of_today;
use figures::table::store::{Store, StoreError};
use figures::time::Millis;
use futures::future::try_join_all;
use tokio_util::sync::CancellationToken;

use super::history::people;
use super::people::{Person, Visit};
use crate::import;

/// How often they do something.
const PERIOD: Duration = Duration::from_secs(20);
/// How few there are.
const FEWEST: usize = 6;
/// How many there are at most; those who left a few minutes ago count as live, too.
const MOST: usize = 9;

/// Those who are on a site.
#[derive(Debug)]
pub struct Live {
    store: Store,
    project: ProjectId,
    known: Vec<Person>,
    rng: Rng,
    visits: Vec<Visit>,
}

impl Live {
    /// Nobody yet.
    pub fn new(store: Store, project: ProjectId) -> Self {
        let known = people(&project).into_iter().filter(|person| !person.is_bot()).collect();
        Live { store, project, known, rng: Rng::new(), visits: Vec::new() }
    }

    /// Keeps people on the site until it is stopped.
    pub async fn run(mut self, stop: CancellationToken) {
        while !stop.is_cancelled() {
            if let Err(error) = self.round().await {
                tracing::warn!(%error, "the live visitors could not send");
            }
            stop.run_until_cancelled(tokio::time::sleep(PERIOD)).await;
        }
    }

    /// Everyone does something, the longest there may leave, and others come.
    async fn round(&mut self) -> Result<(), StoreError> {
        let now = Millis::now();
        let ip_key = key_of_today(&self.store, &self.project, now).await?;
        let leaving = usize::from(self.visits.len() > FEWEST && self.rng.u32(..4) == 0);
        for (position, visit) in self.visits.iter_mut().enumerate() {
            visit.now = now;
            visit.look_around(&mut self.rng);
            match self.rng.u32(..10) {
                _ if position < leaving => visit.leave(),
                0 => visit.click_in_vain(&mut self.rng),
                1..=4 => visit.go_on(&mut self.rng),
                _ => {}
            }
        }
        let arriving = usize::from(self.visits.len() < MOST && self.rng.u32(..4) == 0);
        for _ in 0..arriving.max(FEWEST.saturating_sub(self.visits.len())) {
            let arrived = self.arrive(now);
            self.visits.extend(arrived);
        }
        let batches: Vec<_> = self.visits.iter_mut().filter_map(|visit| visit.send(&ip_key)).collect();
        let items = batches.iter().map(|batch| batch.to_item(&self.project)).collect::<Result<Vec<_>, _>>()?;
        try_join_all(items.into_iter().map(|item| import::put(&self.store, item))).await?;
        self.visits.drain(..leaving);
        Ok(())
    }

    fn arrive(&mut self, now: Millis) -> Option<Visit> {
        let fresh = Person::new(&mut self.rng).filter(|person| !person.is_bot());
        let again = self.rng.choice(&self.known).cloned();
        let person = if self.rng.u32(..10) < 4 { fresh.or(again)? } else { again? };
        let since = self.rng.i64(1_000..120_000);
        let mut visit = Visit::begin(&mut self.rng, &person, now.plus(-since))?;
        visit.now = now;
        Some(visit)
    }
}
