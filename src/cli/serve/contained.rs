//! What the server gives up before it serves, and what has to be there and known for that.

use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt as _;

use tokio::runtime::Builder;

use crate::app::{loopback_ports, make_directory};
use crate::cli::output::Failure;
use crate::cli::started;
use crate::config::Config;
use crate::contain::{Bounds, contain};
use crate::serve::{Stop, try_listening};

/// Gives up what a server of `config` does not need: on this thread, before there are others. Returns what
/// is to be known of it.
///
/// # Errors
///
/// What the start would end with.
pub(super) fn contained(config: &Config) -> Result<Vec<String>, Failure> {
    if !config.sandbox {
        return Ok(vec![
            "the server keeps what it does not need, as it was told (sandbox)".to_owned(),
        ]);
    }
    // Only what is there can be allowed.
    if !config.places.data.exists() {
        // A start that cannot succeed leaves nothing behind.
        try_listening(config, config.issuer.as_ref())?;
        make_directory(&config.places).map_err(Stop::from)?;
    }
    if let Some(to) = &config.backup.to {
        // Where it can be neither made nor found, the first backup says so.
        drop(DirBuilder::new().mode(0o700).create(to));
    }
    let connect = if config.offline {
        let ports = started(Builder::new_current_thread())?.block_on(loopback_ports(config));
        // What cannot be opened is not served either: the start says why.
        Some(ports.unwrap_or_default())
    } else {
        None
    };
    Ok(contain(&Bounds::of(config, connect)))
}
