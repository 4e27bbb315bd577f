//! How far a backup or a restore is, at a terminal.

use std::io::{self, IsTerminal as _, Write as _};
use std::time::Duration;

use crate::clock::Clock;

/// The time from one line to the next.
const INTERVAL: Duration = Duration::from_millis(200);

/// A line on standard error that is written over itself. It is removed at the end.
pub(super) struct Progress {
    /// When it was written last, by the time for which the program has run.
    last: Option<Duration>,
    shows: bool,
}

impl Progress {
    /// Begins, where standard error is a terminal and `shows`.
    pub(super) fn new(shows: bool) -> Self {
        Self { last: None, shows: shows && io::stderr().is_terminal() }
    }

    /// Tells how much there is so far.
    pub(super) fn tell(&mut self, rows: u64, bytes: u64) {
        // To ask for the time at each row would cost more than most rows.
        if !self.shows || !rows.is_multiple_of(256) {
            return;
        }
        let now = Clock::System.reading().running;
        if self.last.is_none_or(|last| now.saturating_sub(last) >= INTERVAL) {
            self.last = Some(now);
            let tenths = bytes / 100_000;
            write(&format!("\r{rows} rows, {}.{} MB \x1b[K", tenths / 10, tenths % 10));
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.last.is_some() {
            write("\r\x1b[K");
        }
    }
}

fn write(text: &str) {
    let mut error = io::stderr().lock();
    // An error cannot be reported without standard error.
    let _ = error.write_all(text.as_bytes()).and_then(|()| error.flush());
}
