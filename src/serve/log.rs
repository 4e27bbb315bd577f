//! The log on standard error: text at a terminal, otherwise JSON.

use std::io::{self, IsTerminal as _};

use tracing_subscriber::EnvFilter;

use super::Stop;
use crate::config::Config;

/// Starts the log with the configured filter. A log that is already started, as in tests, stays.
pub(super) fn start(config: &Config) -> Result<(), Stop> {
    let filter = EnvFilter::try_new(&config.log).map_err(|error| {
        Stop::wrong(format!("log: {:?} is no filter of the log: {error}", config.log))
    })?;
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr);
    let started = if io::stderr().is_terminal() {
        builder.compact().with_target(false).try_init()
    } else {
        builder.json().flatten_event(true).with_target(false).try_init()
    };
    if started.is_err() {
        tracing::debug!("the log was begun before");
    }
    Ok(())
}
