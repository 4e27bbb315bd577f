//! What the server says that it has written.

use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream;

use super::place::Place;
use crate::write::Written;

/// What the store of the server has written since it started.
#[derive(Clone, Copy)]
pub(super) struct Counts {
    commits: f64,
    transitions: f64,
    written: Written,
}

impl Counts {
    /// Asks the server, over its socket.
    pub(super) fn read(place: &Place) -> Self {
        let mut socket = UnixStream::connect(place.config().places.socket()).unwrap();
        let request = b"GET /metrics HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
        socket.write_all(request).unwrap();
        let mut metrics = String::new();
        socket.read_to_string(&mut metrics).unwrap();
        let count = |name: &str| -> f64 {
            let value = metrics.lines().find_map(|line| line.strip_prefix(name));
            value.expect(name).trim().parse().unwrap()
        };
        Self {
            commits: count("gatelodge_store_commit_duration_seconds_count "),
            transitions: count("gatelodge_store_batch_transitions_sum "),
            written: Written {
                bytes: count("gatelodge_store_written_bytes_total "),
                entries: count("gatelodge_store_written_total{kind=\"entry\"} "),
                rows: count("gatelodge_store_written_total{kind=\"row\"} "),
                sums: count("gatelodge_store_written_total{kind=\"sum\"} "),
            },
        }
    }

    /// The commits between `before` and now.
    pub(super) fn commits_since(&self, before: &Self) -> f64 {
        self.commits - before.commits
    }

    /// What a transition wrote on average between `before` and now. What several of one batch wrote in one
    /// place counts once, and a step of a sweep is a transition.
    pub(super) fn since(&self, before: &Self) -> Written {
        let transitions = (self.transitions - before.transitions).max(1.0);
        Written {
            bytes: (self.written.bytes - before.written.bytes) / transitions,
            entries: (self.written.entries - before.written.entries) / transitions,
            rows: (self.written.rows - before.written.rows) / transitions,
            sums: (self.written.sums - before.written.sums) / transitions,
        }
    }
}
