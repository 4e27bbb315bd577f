//! The usage counts in memory, and their transfer to the store.

use std::mem;
use std::sync::{Arc, Mutex, PoisonError};

use crate::app::App;
use crate::error::Error;
use crate::flow::client::usage::{self, UsageCounts, UsageEvent};
use crate::oauth::id::ClientId;

/// The counts since the last write.
#[derive(Default)]
pub(super) struct UsageCounter(Mutex<UsageCounts>);

impl UsageCounter {
    /// Calls `work` with the counts, under a lock that is never held across an `await`.
    fn with<T>(&self, work: impl FnOnce(&mut UsageCounts) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl App {
    /// Counts an event of a known client, in memory.
    pub fn count(&self, client: &ClientId, what: UsageEvent) {
        let now = self.clock().now();
        self.usage.with(|counts| counts.count(client, now, what));
    }

    /// Writes the counts in one transaction. If that fails, the counts stay in memory.
    pub async fn write_counts(&self) -> Result<(), Error> {
        let counted = Arc::new(self.usage.with(mem::take));
        if counted.is_empty() {
            return Ok(());
        }
        let own = Arc::clone(&counted);
        let written = self.write(move |tx, cx| usage::write(tx, cx, &own)).await;
        if written.is_err() {
            self.usage.with(|counts| counts.restore(&counted));
        }
        written
    }
}
