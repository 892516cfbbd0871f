//! What projects' batches take of the table, until it is so much that it is worth a write to note it.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use figures::ids::ProjectId;
use figures::table::spending;
use figures::table::store::{Store, StoreError};
use figures::time::Day;
use shared::telemetry::{self, Metric};

/// So many write units are noted together: a write for a thousand. An instance that ends before loses as many.
const TOGETHER: f64 = 1_000.0;

/// The write units of projects that are not noted yet.
#[derive(Debug, Default)]
pub struct Spending(Mutex<BTreeMap<ProjectId, f64>>);

impl Spending {
    /// Adds what an invocation took, and notes those projects' that are worth it.
    pub async fn add(&self, store: &Store, units: &BTreeMap<ProjectId, f64>, day: Day) -> Result<(), StoreError> {
        for (project, units) in self.due(units) {
            let of_day = spending::add(store, &project, day, units).await?;
            telemetry::report("spending", &[], &[Metric::count("UnitsOfDay", of_day as usize)]);
        }
        Ok(())
    }

    fn due(&self, units: &BTreeMap<ProjectId, f64>) -> Vec<(ProjectId, u64)> {
        let mut unnoted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for (project, units) in units {
            *unnoted.entry(project.clone()).or_default() += units;
        }
        unnoted.extract_if(.., |_, units| *units >= TOGETHER).map(|(project, units)| (project, units as u64)).collect()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn units_are_noted_a_thousand_at_a_time() {
        let (spending, of) =
            (Spending::default(), |name: &str, units| BTreeMap::from([(name.parse().unwrap(), units)]));
        assert!(spending.due(&of("a", 600.5)).is_empty());
        assert!(spending.due(&of("b", 600.0)).is_empty());
        assert_eq!(spending.due(&of("a", 400.0)), [("a".parse().unwrap(), 1_000)]);
        assert!(spending.due(&of("a", 999.0)).is_empty());
    }
}
