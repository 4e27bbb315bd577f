//! An installation in a directory of its own, and the server that runs there.

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

/// The bounds as high as the configuration allows them.
const NO_ADMISSION: &str = "
[policy]
anonymous_sessions = 1000000
interactions = 1000000

[registration]
per_minute = 100000
unused = 1000000
";

/// A confidential client.
pub(crate) struct Credentials {
    pub(crate) id: String,
    pub(crate) secret: String,
}

/// A server that runs. It ends with this value, and its directory too.
pub(crate) struct Server {
    binary: PathBuf,
    directory: TempDir,
    process: Child,
    pub(crate) setup_url: String,
    // Whoever started the server may still listen to it.
    _stdout: BufReader<ChildStdout>,
}

impl Server {
    /// A new installation, which may fetch documents from `site`.
    pub(crate) fn start(binary: &Path, site: &str, without_admission: bool) -> Self {
        // Not below /tmp, which may be memory: what is measured includes the disk.
        let target = Path::new(env!("CARGO_TARGET_TMPDIR"));
        let directory = TempDir::with_prefix_in("flood-", target).unwrap();
        let more = if without_admission { NO_ADMISSION } else { "" };
        let config = directory.path().join(".config/gatelodge");
        fs::create_dir_all(&config).unwrap();
        let text = format!("[fetch]\nprivate = [\"{site}\"]\n{more}");
        fs::write(config.join("gatelodge.toml"), text).unwrap();
        let mut command = command(binary, directory.path());
        command.args(["serve", "--print-setup"]).stdin(Stdio::null()).stdout(Stdio::piped());
        command.stderr(File::create(directory.path().join("log")).unwrap());
        let mut process = command.spawn().unwrap();
        let mut stdout = BufReader::new(process.stdout.take().unwrap());
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        let Ok(ready) = serde_json::from_str::<Value>(&line) else {
            let log = fs::read_to_string(directory.path().join("log")).unwrap();
            panic!("no server: {line:?}, {log}");
        };
        let setup_url = ready["setup_url"].as_str().unwrap().to_owned();
        Self { binary: binary.to_owned(), directory, process, setup_url, _stdout: stdout }
    }

    /// The JSON that the program prints for `arguments`; it reads `input`.
    pub(crate) fn operate(&self, arguments: &str, input: &str) -> Value {
        let mut command = command(&self.binary, self.directory.path());
        command.args(arguments.split(' ')).arg("--json");
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut process = command.spawn().unwrap();
        process.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        let output = process.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{arguments}: {said}");
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// The bytes of the store's file.
    pub(crate) fn file(&self) -> u64 {
        fs::metadata(self.directory.path().join("data/gatelodge.redb")).unwrap().len()
    }

    /// What `/proc` says of its memory, in KiB.
    pub(crate) fn memory(&self, name: &str) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        line.trim_matches([':', ' ', '\t', 'k', 'B']).parse().unwrap()
    }

    /// The processor time that it has had, in seconds.
    pub(crate) fn processor_time(&self) -> f64 {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.process.id())).unwrap();
        let fields: Vec<_> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
        // utime and stime, in the hundredths of a second of every Linux.
        let ticks = |at: usize| fields[at].parse::<f64>().unwrap();
        (ticks(11) + ticks(12)) / 100.0
    }

    /// The warnings and errors in its log, each message once.
    pub(crate) fn complaints(&self) -> Vec<String> {
        let log = fs::read(self.directory.path().join("log")).unwrap();
        let log = String::from_utf8_lossy(&log);
        let bad = |line: &&str| line.contains("WARN") || line.contains("ERROR");
        let mut found: Vec<_> = log.lines().filter(bad).take(3).map(str::to_owned).collect();
        found.dedup();
        found
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended before.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn command(binary: &Path, home: &Path) -> Command {
    let mut command = Command::new(binary);
    command.env_clear().env("HOME", home).env("GATELODGE_DATA", home.join("data"));
    command
}
