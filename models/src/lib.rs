//! Models of the protocols by which figures stay exact: small, but explored in every order of everyone's steps, with
//! processes that stop before or after any operation and answers that are lost.
//!
//! Where a decision is a pure function, the models call the code's own: `Manifest`, `Tail`, `Segment` of
//! [`figures::log::tail`], `stack` of [`figures::log::block`], `HourRuns` of [`figures::log::index`]. What each process does in which order is written
//! here again. The properties have the names of the invariants in the code.
//!
//! A model proves something only if it can fail. So each of the [`rules`] is broken by a test in turn, and the exploration
//! has to find what goes wrong.

pub mod block;
pub mod compaction;
pub mod compactor;
pub mod layers;
pub mod reader;
pub mod rebuild;
pub mod rules;
pub mod runs;
pub mod table;
pub mod visitors;

use std::hash::{DefaultHasher, Hash, Hasher};

/// Puts processes that are alike in one order, so that states which differ only in who is who are one.
pub fn order<T: Hash>(alike: &mut [T]) {
    if alike.len() < 2 {
        return;
    }
    alike.sort_by_cached_key(|one| {
        let mut hasher = DefaultHasher::new();
        one.hash(&mut hasher);
        hasher.finish()
    });
}

#[cfg(test)]
use stateright::{Checker, Model};

/// Explores every state of a model, in which all properties have to hold.
#[cfg(test)]
fn explore<M>(model: M)
where
    M: Model + Send + Sync + 'static,
    M::State: std::fmt::Debug + Hash + PartialEq + Clone + Send + Sync,
    M::Action: std::fmt::Debug + PartialEq + Clone,
{
    let started = std::time::Instant::now();
    let checker = model.checker().threads(2).spawn_bfs().join();
    let name = std::any::type_name::<M>();
    println!("{name}: {} states, depth {}, {:?}", checker.unique_state_count(), checker.max_depth(), started.elapsed());
    checker.assert_properties();
}

/// Explores a model with a broken rule, until it meets a state in which a property does not hold.
#[cfg(test)]
fn finds<M>(model: M, property: &'static str)
where
    M: Model + std::fmt::Debug + Send + Sync + 'static,
    M::State: std::fmt::Debug + Hash + PartialEq + Clone + Send + Sync,
    M::Action: std::fmt::Debug + PartialEq + Clone,
{
    let description = format!("{model:?}");
    let name = stateright::HasDiscoveries::AnyOf([property].into());
    let checker = model.checker().finish_when(name).spawn_dfs().join();
    let Some(path) = checker.discovery(property) else {
        panic!("{property} holds in all {} states of {description}", checker.unique_state_count());
    };
    println!(
        "{property} fails after {} states, in {} steps: {description}",
        checker.unique_state_count(),
        path.into_actions().len()
    );
}
