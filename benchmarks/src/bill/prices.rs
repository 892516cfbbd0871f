//! What AWS charges.

use serde::Deserialize;

use crate::BenchError;

/// List prices of us-east-1, on demand, without free tiers, in US dollars.
const PRICES: &str = include_str!("../../data/prices.csv");

/// When they were looked up.
pub const LOOKED_UP: &str = "November 2026";

/// Hours of a month, as AWS's own calculator has it.
const HOURS: f64 = 730.0;

/// A price.
#[derive(Debug, Clone, Deserialize)]
struct Price {
    key: String,
    dollars: f64,
}

/// All prices.
#[derive(Debug, Clone)]
pub struct Prices(Vec<Price>);

impl Prices {
    /// Those of `benchmarks/data/prices.csv`.
    pub fn listed() -> Result<Self, BenchError> {
        let prices = csv::Reader::from_reader(PRICES.as_bytes()).into_deserialize().collect::<Result<_, _>>();
        prices.map(Prices).map_err(|error| BenchError::Failed(format!("prices.csv: {error}")))
    }

    /// A price in dollars.
    pub fn of(&self, key: &str) -> Result<f64, BenchError> {
        let price = self.0.iter().find(|price| price.key == key).map(|price| price.dollars);
        price.ok_or_else(|| BenchError::Failed(format!("prices.csv has no {key}")))
    }

    /// What machines cost that are always on, a month.
    pub fn machines(&self, machines: &[&str]) -> Result<f64, BenchError> {
        machines.iter().map(|machine| Ok(self.of(machine)? * HOURS)).sum()
    }
}
