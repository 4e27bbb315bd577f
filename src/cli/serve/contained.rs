//! What the server gives up before it serves, and what has to be there and known for that.

use std::collections::BTreeSet;
use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::Path;

use serde_json::Value;
use tokio::runtime::Builder;

use crate::app::{loopback_ports, make_directory};
use crate::cli::apply::File;
use crate::cli::output::Failure;
use crate::cli::started;
use crate::config::Config;
use crate::contain::{Bounds, contain};
use crate::fetch::loopback_port;
use crate::serve::{Stop, try_first_start};

/// Gives up what a server of `config` does not need, which is to apply `file` first: on this thread, before
/// there are others. Returns what is to be known of it.
///
/// # Errors
///
/// What the start would end with.
pub(super) fn contained(config: &Config, file: Option<&File>) -> Result<Vec<String>, Failure> {
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
        let mut ports = ports.unwrap_or_default();
        ports.extend(file.map(of_clients).unwrap_or_default());
        Some(ports)
    } else {
        None
    };
    Ok(contain(&Bounds::of(config, connect)))
}

/// The ports of this machine at which the clients of a file have their keys and hear of a logout.
fn of_clients(file: &File) -> BTreeSet<u16> {
    let clients = file.document.get("clients").and_then(Value::as_object).into_iter().flatten();
    let urls = clients.flat_map(|(_, client)| {
        ["backchannel_logout_uri", "jwks_uri"].map(|member| client.get(member)?.as_str())
    });
    urls.flatten().filter_map(loopback_port).collect()
}
