//! A clock of the program's own, which a story sets while the program runs.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::Duration;

use crate::preloaded;
use crate::program::{Home, Server};

/// The library that fakes the clock, compiled once.
fn library() -> &'static Path {
    static LIBRARY: OnceLock<PathBuf> = OnceLock::new();
    LIBRARY.get_or_init(|| preloaded::library("clocks/clock.c"))
}

impl Home {
    /// Sets the clock of this home's server: ahead of the right one, or behind it.
    pub(super) fn set_clock(&self, seconds: i64) {
        let (next, file) = (self.path("clock-offset.next"), self.path("clock-offset"));
        fs::write(&next, seconds.to_string()).unwrap();
        fs::rename(next, file).unwrap();
    }

    /// A server by that clock.
    pub(super) fn serve_by_clock(&self, arguments: &[&str]) -> Server {
        let mut command = self.command(&[&["serve"], arguments].concat());
        command.env("LD_PRELOAD", library()).env("CLOCK_OFFSET", self.path("clock-offset"));
        // The library reads a file that the server itself never would.
        command.env("GATELODGE_LOG", "debug").env("GATELODGE_SANDBOX", "false");
        Server::start(command, &self.path("log"))
    }
}

pub(super) const fn seconds(duration: Duration) -> i64 {
    duration.as_secs().cast_signed()
}
