//! A clock of the program's own, which a story sets while the program runs.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;

use crate::program::{Home, Server};

/// The library that fakes the clock, compiled once. There is a C compiler wherever this crate was
/// built, since its cryptography needs one.
fn library() -> &'static Path {
    static LIBRARY: OnceLock<PathBuf> = OnceLock::new();
    LIBRARY.get_or_init(|| {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/wire/clocks/clock.c");
        let library = Path::new(env!("CARGO_TARGET_TMPDIR")).join("clock.so");
        let mut compile = Command::new("cc");
        compile.args(["-shared", "-fPIC", "-Wall", "-Werror", "-o"]).arg(&library).arg(source);
        let compiled = compile.output().expect("`cc`, the C compiler, is needed");
        assert!(compiled.status.success(), "{}", String::from_utf8_lossy(&compiled.stderr));
        library
    })
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
        command.env("GATELODGE_LOG", "debug");
        Server::start(command, &self.path("log"))
    }
}

pub(super) const fn seconds(duration: Duration) -> i64 {
    duration.as_secs().cast_signed()
}
