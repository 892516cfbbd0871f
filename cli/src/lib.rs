//! The command line of identity-api, and the local stack that its `dev` command starts.

pub mod args;
mod connector;
mod counted;
mod data_file;
mod demo;
pub mod demo_site;
pub mod dev;
mod endpoint;
mod engine;
pub mod erase;
pub mod error;
mod heads;
mod http;
pub mod import;
pub mod invite;
pub mod key;
mod new_items;
mod output;
mod progress;
pub mod project;
pub mod rebuild;
pub mod replay;
pub mod server;
pub mod stream;
pub mod visitor;

/// Batches pass through many threads, each of which glibc's allocator would keep memory for.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;
