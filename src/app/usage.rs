//! Counts of how clients are used, on their way to the store.

use std::mem;
use std::sync::{Arc, Mutex, PoisonError};

use crate::app::App;
use crate::error::Error;
use crate::flow::client::usage::{self, UsageCounts, UsageEvent};
use crate::oauth::id::ClientId;

/// What was counted since it was last written.
#[derive(Default)]
pub(super) struct UsageCounter(Mutex<UsageCounts>);

impl UsageCounter {
    /// With the counts in hand; never while anything waits.
    fn with<T>(&self, work: impl FnOnce(&mut UsageCounts) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl App {
    /// Counts what happened to a client that is known; nothing is written, and nobody waits.
    pub fn count(&self, client: &ClientId, what: UsageEvent) {
        let now = self.clock.now();
        self.usage.with(|counts| counts.count(client, now, what));
    }

    /// Writes down what was counted, in one transaction. What could not be written stays counted.
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
