//! Counters that add up: rows of numbered fields by key, whatever is counted in them.

pub mod flat;
pub mod next_active_day;
pub mod rows;
pub mod shown;
pub mod sums;

pub use flat::FlatRows;
pub use rows::{Days, Rows};
