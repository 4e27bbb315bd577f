//! Metrics: counters and histograms in atomics, and their text for
//! [Prometheus](https://prometheus.io/docs/instrumenting/exposition_formats/).
//!
//! Whoever counts never waits: a count is an atomic addition, and the lock around the routes is only
//! written when a route is seen for the first time. Every set of labels is bounded: routes are
//! templates, refusals and pools are names of this program. No label names a client or a person.
//!
//! Written by hand, since the format is one page of rules; a crate would bring a registry and label
//! types of its own for the few families there are.

mod histogram;
mod requests;
mod text;

use std::sync::atomic::{AtomicU64, Ordering};

pub use histogram::{Histogram, Unit};
pub use requests::RequestMetrics;
pub use text::{Kind, Text};

/// The bounds of durations, in microseconds: from half a millisecond to ten seconds.
pub const DURATIONS: &[u64] = &[
    500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000,
    2_500_000, 10_000_000,
];

/// The bounds of batches, in transitions.
const BATCHES: &[u64] = &[1, 2, 4, 8, 16, 32, 64, 128, 256, 512];

/// A number that only grows.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// Counts one more.
    pub fn increment(&self) {
        self.add(1);
    }

    /// Counts so many more.
    pub fn add(&self, more: u64) {
        self.0.fetch_add(more, Ordering::Relaxed);
    }

    /// What was counted.
    pub fn count(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// The connections at the ports.
#[derive(Debug, Default)]
pub struct ConnectionMetrics {
    /// Those that were accepted.
    pub accepted: Counter,
    /// Those that ended.
    pub ended: Counter,
    /// Those that were closed for a newcomer.
    pub displaced: Counter,
}

impl ConnectionMetrics {
    /// Those that are open.
    pub fn open(&self) -> u64 {
        // What ended is read first, so that it is never more than what was accepted.
        let ended = self.ended.count();
        self.accepted.count().saturating_sub(ended)
    }
}

/// The sending of events to the webhook.
#[derive(Debug, Default)]
pub struct WebhookMetrics {
    /// Events that it took.
    pub delivered: Counter,
    /// Events that were not sent, since they were removed or nobody asks for them any more.
    pub dropped: Counter,
    /// Attempts that failed.
    pub failed: Counter,
    /// Events that were given up.
    pub given_up: Counter,
}

/// The commits of the store.
#[derive(Debug)]
pub struct StoreMetrics {
    /// How many transitions each batch had.
    pub batches: Histogram,
    /// How long each commit took.
    pub commits: Histogram,
    /// The commits that failed.
    pub failures: Counter,
    /// The bytes of what was written: keys and rows.
    pub written_bytes: Counter,
    /// The index entries that were written, and the rows and entries that were removed.
    pub written_entries: Counter,
    /// The rows that were written.
    pub written_rows: Counter,
    /// The sums of shares that were written or removed.
    pub written_sums: Counter,
}

impl Default for StoreMetrics {
    fn default() -> Self {
        Self {
            batches: Histogram::new(BATCHES, Unit::Count),
            commits: Histogram::new(DURATIONS, Unit::Microseconds),
            failures: Counter::default(),
            written_bytes: Counter::default(),
            written_entries: Counter::default(),
            written_rows: Counter::default(),
            written_sums: Counter::default(),
        }
    }
}
