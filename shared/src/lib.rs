//! What every function of identity-api shares: authentication, rate limiting, parameters, the
//! error envelope, the table's keys, the stored model, and the figures derived from it.
//!
//! The layers, from the edge inward: [`api`] (what a request goes through), [`params`] and
//! [`dates`] (parsing, once), [`derived`] (figures and indexes), [`model`] (visitors, sessions,
//! batches), [`store`] and [`keys`] (the table).

pub mod api;
pub mod app;
pub mod auth;
pub mod channels;
pub mod codec;
pub mod cookieless;
pub mod dates;
pub mod derived;
pub mod erasure_key;
pub mod error;
pub mod forecast;
mod hash;
pub mod ids;
pub mod ip;
pub mod keys;
pub mod model;
pub mod numbers;
pub mod origin;
pub mod pagination;
pub mod params;
pub mod ranking;
pub mod rate_limit;
pub mod room;
pub mod routes;
pub mod rows;
mod secret;
pub mod spending;
pub mod store;
pub mod table;
pub mod telemetry;
pub mod time;
