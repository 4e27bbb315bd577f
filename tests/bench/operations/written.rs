//! What the server says that it has written.

use super::caller::{Ask, Caller};
use super::flow::{TOKEN, member};
use super::place::Seeds;
use crate::write::Written;

/// What the store of the server has written since it started.
#[derive(Clone, Copy)]
pub(super) struct Counts {
    transitions: f64,
    written: Written,
}

impl Counts {
    /// Asks the server.
    pub(super) async fn read(address: &str, seeds: &Seeds) -> Self {
        let mut caller = Caller::connect(address).await;
        let token = member(&caller.ask(Ask::post(TOKEN, seeds.watcher())).await, "access_token");
        let headers = [("authorization", format!("Bearer {token}"))];
        let asked = caller.ask(Ask { headers: &headers, ..Ask::get("/metrics") }).await;
        let metrics = str::from_utf8(&asked.body).unwrap();
        let count = |name: &str| -> f64 {
            let value = metrics.lines().find_map(|line| line.strip_prefix(name));
            value.expect(name).trim().parse().unwrap()
        };
        Self {
            transitions: count("gatelodge_store_batch_transitions_sum "),
            written: Written {
                bytes: count("gatelodge_store_written_bytes_total "),
                entries: count("gatelodge_store_written_total{kind=\"entry\"} "),
                rows: count("gatelodge_store_written_total{kind=\"row\"} "),
            },
        }
    }

    /// What a transition wrote on average between `before` and now. What several of one batch wrote in one
    /// place counts once.
    pub(super) fn since(&self, before: &Self) -> Written {
        let transitions = (self.transitions - before.transitions).max(1.0);
        Written {
            bytes: (self.written.bytes - before.written.bytes) / transitions,
            entries: (self.written.entries - before.written.entries) / transitions,
            rows: (self.written.rows - before.written.rows) / transitions,
        }
    }
}
