//! The built program, a home of its own for it, and the server that runs there.

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use gatelodge::store::check::{Flaw, check};
use serde_json::Value;
use tempfile::TempDir;

/// A home in which nobody has set anything.
pub(crate) struct Home {
    directory: TempDir,
}

/// Nothing that a story does leaves a row that names what is not there. A store that is damaged on
/// purpose has other flaws.
impl Drop for Home {
    fn drop(&mut self) {
        if thread::panicking() {
            return;
        }
        let checked = check(&self.data().join("gatelodge.redb"));
        let flaws = checked.map(|checked| checked.flaws).unwrap_or_default();
        let dangling = flaws.iter().find(|flaw| matches!(flaw, Flaw::Reference { .. }));
        assert!(dangling.is_none(), "the story leaves a store with this: {dangling:?}");
    }
}

impl Home {
    /// An empty one.
    pub(crate) fn new() -> Self {
        Self { directory: TempDir::with_prefix("gatelodge-").unwrap() }
    }

    /// Something in it.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// The log, once it contains `part`: the server writes it beside what it does.
    #[expect(clippy::disallowed_methods, reason = "a file of another process tells nobody")]
    pub(crate) fn log_with(&self, part: &str) -> String {
        let started = Instant::now();
        loop {
            let log = fs::read_to_string(self.path("log")).unwrap();
            if log.contains(part) {
                return log;
            }
            assert!(started.elapsed() < Duration::from_secs(20), "no {part:?} in: {log}");
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// The data directory, which the first start makes.
    pub(crate) fn data(&self) -> PathBuf {
        self.path("data")
    }

    /// The program with `arguments`, as somebody would call it here.
    pub(crate) fn command<S: AsRef<str>>(&self, arguments: &[S]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_gatelodge"));
        command.env_clear().env("HOME", self.directory.path()).env("GATELODGE_DATA", self.data());
        command.args(arguments.iter().map(AsRef::as_ref)).stdin(Stdio::null());
        command
    }

    /// The JSON that the program prints for `arguments`, which succeed.
    pub(crate) fn json(&self, arguments: &str) -> Value {
        let arguments: Vec<_> = arguments.split(' ').chain(["--json"]).collect();
        let output = self.command(&arguments).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{arguments:?}: {said}");
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// A server that is ready: at a free port the first time, and where it was from then on.
    pub(crate) fn serve(&self) -> Server {
        let first = !self.data().join("gatelodge.redb").exists();
        let listen: &[&str] = if first { &["--listen", "127.0.0.1:0"] } else { &[] };
        self.start(&[&["serve"], listen].concat())
    }

    /// As [`Self::serve`], with the link of the first administrator.
    pub(crate) fn serve_with_setup(&self) -> Server {
        self.start(&["serve", "--listen", "127.0.0.1:0", "--print-setup"])
    }

    /// A server that `arguments` start.
    pub(crate) fn start(&self, arguments: &[&str]) -> Server {
        let mut command = self.command(arguments);
        // Whatever a story does, nothing of it may be read in this log.
        command.env("GATELODGE_LOG", "debug");
        Server::start(command, &self.path("log"))
    }
}

/// A process that ends with this value, whatever becomes of the story.
pub(crate) struct Process(pub(crate) Child);

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended before.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A server that runs. It ends with this value.
pub(crate) struct Server {
    pub(crate) process: Process,
    /// What it said when it was ready.
    pub(crate) ready: Value,
    // Whoever started the server may still listen to it.
    _stdout: BufReader<ChildStdout>,
}

impl Server {
    /// Starts `command`, and waits for its first line.
    pub(crate) fn start(command: Command, log: &Path) -> Self {
        let log_file = File::options().create(true).append(true).open(log).unwrap();
        Self::logging_to(log_file, command, log)
    }

    /// As [`Self::start`], with a log that goes elsewhere and of which `log` is what can be read.
    pub(crate) fn logging_to(to: impl Into<Stdio>, mut command: Command, log: &Path) -> Self {
        let child = command.stdout(Stdio::piped()).stderr(to).spawn().unwrap();
        let mut process = Process(child);
        let mut stdout = BufReader::new(process.0.stdout.take().unwrap());
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        let Ok(ready) = serde_json::from_str(&line) else {
            let status = process.0.wait();
            panic!("no server: {status:?}, {line:?}, {}", fs::read_to_string(log).unwrap());
        };
        Self { process, ready, _stdout: stdout }
    }

    /// `http://localhost:PORT`.
    pub(crate) fn issuer(&self) -> &str {
        self.ready["issuer"].as_str().unwrap()
    }

    /// Ends it as the power does.
    pub(crate) fn kill(self) {
        drop(self.process);
    }
}
