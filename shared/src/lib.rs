//! What every function of identity-api shares: authentication, rate limiting, parameters, pagination, the error envelope.
//!
//! What is stored, and the figures that are read, are below, in the crate `figures`. From the edge inward: [`lambda`] (an
//! endpoint as a function), [`api`] (what a request goes through), [`params`] and [`pagination`] (parsing, once), [`rows`]
//! (what lists and details show).

pub mod api;
pub mod api_keys;
pub mod app;
pub mod auth;
pub mod aws;
pub mod cache;
pub mod embedded;
mod encoding;
pub mod error;
pub mod kept;
pub mod lambda;
pub mod manage;
pub mod open;
pub mod origin;
pub mod pagination;
pub mod params;
pub mod people;
pub mod prefetch;
pub mod projects;
pub mod ranking;
pub mod rate_limit;
pub mod request_log;
pub mod response;
pub mod room;
pub mod routes;
pub mod rows;
pub mod summary;
pub mod telemetry;
