//! Logs: JSON lines on Lambda, from one place.

/// Starts JSON logging to standard output, at the level of `RUST_LOG` or `info`.
pub fn start_json() {
    let filter = tracing_subscriber::EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("info"));
    tracing_subscriber::fmt().json().with_env_filter(filter).flatten_event(true).without_time().init();
}
