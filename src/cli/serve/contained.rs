//! What the server gives up before it serves, and what has to be there and known for that.

use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::Path;

use tokio::runtime::Builder;

use crate::app::{loopback_ports, make_directory};
use crate::cli::output::Failure;
use crate::cli::started;
use crate::config::Config;
use crate::contain::{Bounds, contain};
use crate::serve::{Stop, try_first_start};

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
    if config.places.data.try_exists().is_ok_and(|is_there| !is_there) {
        // A start that cannot succeed leaves nothing behind.
        try_first_start(config)?;
        make_directory(&config.places).map_err(Stop::from)?;
    }
    // Where one can be neither made nor found, the first backup says so, or whoever reads a configuration
    // that came later.
    let mut directory = DirBuilder::new();
    directory.mode(0o700);
    if let Some(to) = &config.backup.to {
        drop(directory.create(to));
    }
    let home = std::env::home_dir();
    let own = |place: &&Path| home.as_deref().is_some_and(|home| place.starts_with(home));
    for place in config.watched.iter().filter_map(|file| file.parent()).filter(own) {
        drop(directory.recursive(true).create(place));
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
