//! The log on standard error: text at a terminal, otherwise JSON.
//!
//! Nobody waits for it, and nothing fails because of it: see [`Lines`].

use std::backtrace::{Backtrace, BacktraceStatus};
use std::fs::File;
use std::io::{self, IsTerminal as _};
use std::os::fd::AsFd as _;
use std::panic::{self, PanicHookInfo};
use std::thread;

use serde_json::json;
use tracing_subscriber::EnvFilter;

use super::Stop;
use super::json_line::JsonLine;
use super::lines::Lines;
use crate::clock::Clock;
use crate::config::Config;
use crate::event::DroppedLines;

/// The message of the line that says how many lines are missing.
const DROPPED: &str = "lines of the log were dropped, since nothing took them";

/// The log of this process.
pub(super) struct Log {
    dropped: DroppedLines,
    lines: Lines,
}

impl Log {
    /// Starts the log with the configured filter. A log that is already started, as in tests, stays.
    pub(super) fn start(config: &Config) -> Result<Self, Stop> {
        let filter = EnvFilter::try_new(&config.log).map_err(|error| {
            Stop::wrong(format!("log: {:?} is no filter of the log: {error}", config.log))
        })?;
        let terminal = io::stderr().is_terminal();
        let dropped = DroppedLines::default();
        let notice = if terminal { notice_as_text } else { notice_as_json };
        // The handle is its own: standard error has a lock, which a write that blocks would hold.
        let output = io::stderr().as_fd().try_clone_to_owned().map(File::from);
        let lines = output.and_then(|output| Lines::start(output, dropped.clone(), notice));
        let lines =
            lines.map_err(|error| Stop::failed(format!("the log cannot be started: {error}")))?;
        let own = lines.clone();
        let builder = tracing_subscriber::fmt().with_env_filter(filter).log_internal_errors(false);
        let builder = builder.with_writer(move || own.clone());
        let started = if terminal {
            builder.compact().with_target(false).try_init()
        } else {
            builder.event_format(JsonLine).try_init()
        };
        match started {
            Ok(()) => panic::set_hook(Box::new(log_panic)),
            Err(_) => tracing::debug!("the log was begun before"),
        }
        Ok(Self { dropped, lines })
    }

    /// The count of dropped lines.
    pub(super) fn dropped(&self) -> DroppedLines {
        self.dropped.clone()
    }

    /// Waits for the lines so far, but not for an output that takes nothing. Returns whether they
    /// are written.
    pub(super) fn finish(&self) -> bool {
        self.lines.flush()
    }
}

fn notice_as_text(lines: u64) -> String {
    format!("{} WARN {DROPPED} lines={lines}\n", Clock::System.now().rfc3339())
}

fn notice_as_json(lines: u64) -> String {
    let timestamp = Clock::System.now().rfc3339();
    let level = "WARN";
    let notice = json!({
        "timestamp": timestamp, "level": level, "message": DROPPED, "lines": lines,
    });
    format!("{notice}\n")
}

/// Logs a panic. What the standard library does instead waits for standard error.
fn log_panic(info: &PanicHookInfo<'_>) {
    let backtrace = Backtrace::capture();
    let backtrace = (backtrace.status() == BacktraceStatus::Captured).then_some(backtrace);
    tracing::error!(
        thread = thread::current().name(),
        location = info.location().map(tracing::field::display),
        cause = info.payload_as_str(),
        backtrace = backtrace.map(tracing::field::display),
        "a thread panicked"
    );
}

#[cfg(test)]
mod tests {
    use std::os::fd::OwnedFd;

    use super::*;

    #[test]
    fn a_panic_is_a_line_of_the_log() {
        let (reader, output) = io::pipe().unwrap();
        let output = File::from(OwnedFd::from(output));
        let lines = Lines::start(output, DroppedLines::default(), notice_as_json).unwrap();
        let own = lines.clone();
        let log = tracing_subscriber::fmt().event_format(JsonLine);
        let log = log.with_writer(move || own.clone()).finish();

        let usual = panic::take_hook();
        panic::set_hook(Box::new(log_panic));
        let panicked = tracing::subscriber::with_default(log, || {
            panic::catch_unwind(|| panic!("an index is out of bounds"))
        });
        panic::set_hook(usual);

        assert!(panicked.is_err() && lines.flush());
        drop(lines);
        let line: serde_json::Value =
            serde_json::from_str(&io::read_to_string(reader).unwrap()).unwrap();
        assert_eq!(line["message"], "a thread panicked");
        assert_eq!(line["cause"], "an index is out of bounds");
        assert!(line.to_string().contains("\"src/serve/log.rs:"), "{line}");
    }
}
