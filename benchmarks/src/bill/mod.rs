//! What a month of page views costs: arrivals as real sites have them, through the collector and the consumer.

pub mod charges;
pub mod lambda;
pub mod mix;
pub mod prices;
pub mod report;
pub mod rhythm;
pub mod simulation;
