//! What `/metrics` says.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::backup::BackupStanding;
use super::{App, WriteHealth};
use crate::error::{Error, Internal};
use crate::flow::admission;
use crate::flow::events::delivery;
use crate::keys::KeyState;
use crate::metrics::{ConnectionMetrics, Kind, RequestMetrics, Text, WebhookMetrics};
use crate::oauth::client::SigningAlg;
use crate::store::schema::{AnonymousSession, BridgeSession, Session};
use crate::store::{Pool, Read, Row, Share, StoreError, View as _};

/// The time for which a count of rows is good. The store keeps no count of sessions, and a scrape
/// must not cost more the more often it comes.
const COUNTED_FOR: Duration = Duration::from_mins(1);

/// The most rows of a table that are counted, so that the snapshot lives for a moment only.
const MAX_COUNTED: usize = 200_000;

/// What is counted in memory.
#[derive(Default)]
pub(super) struct AppMetrics {
    connections: Arc<ConnectionMetrics>,
    requests: RequestMetrics,
    /// The sessions by kind, and when they were counted, by the time that the program runs.
    sessions: Mutex<Option<(Duration, Sessions)>>,
    webhook: WebhookMetrics,
}

/// The number of sessions by kind.
type Sessions = [(&'static str, usize); 3];

impl App {
    /// The metrics of the connections, for the listeners to count in.
    pub fn connection_metrics(&self) -> &Arc<ConnectionMetrics> {
        &self.metrics.connections
    }

    /// The metrics of the requests.
    pub fn request_metrics(&self) -> &RequestMetrics {
        &self.metrics.requests
    }

    /// The metrics of the webhook.
    pub(super) fn webhook_metrics(&self) -> &WebhookMetrics {
        &self.metrics.webhook
    }

    /// All metrics, in the text format of Prometheus.
    pub async fn metrics(self: &Arc<Self>) -> Result<String, Error> {
        let sessions = self.sessions().await?;
        let mut text = Text::default();
        text.family("gatelodge_build_info", Kind::Gauge, "The version of the program.");
        text.sample("gatelodge_build_info", &[("version", env!("CARGO_PKG_VERSION"))], 1);
        self.metrics.requests.write(&mut text);
        self.write_connections(&mut text);
        self.write_store(&mut text);
        self.write_keys(&mut text);
        self.write_pools(&mut text)?;
        self.write_webhook(&mut text)?;
        let help = "Sessions in the store, counted once a minute and up to 200,000.";
        text.family("gatelodge_sessions", Kind::Gauge, help);
        for (kind, count) in sessions {
            text.sample("gatelodge_sessions", &[("kind", kind)], count);
        }
        Ok(text.finish())
    }

    fn write_connections(&self, text: &mut Text) {
        let connections = &self.metrics.connections;
        let count = |text: &mut Text, name: &str, help: &str, count: u64| {
            text.family(name, Kind::Counter, help);
            text.sample(name, &[], count);
        };
        text.family("gatelodge_connections", Kind::Gauge, "Open connections at the ports.");
        text.sample("gatelodge_connections", &[], connections.open());
        let accepted = "Connections that were accepted at the ports.";
        count(text, "gatelodge_connections_total", accepted, connections.accepted.count());
        let displaced = "Connections that were closed for a newcomer.";
        let name = "gatelodge_connections_displaced_total";
        count(text, name, displaced, connections.displaced.count());
        let dropped = "Log lines that were dropped.";
        count(text, "gatelodge_log_lines_dropped_total", dropped, self.dropped_lines());
        let dropped =
            "Events that were dropped, since more requests were refused than are written.";
        count(text, "gatelodge_events_dropped_total", dropped, self.dropped_events());
    }

    fn write_store(&self, text: &mut Text) {
        let metrics = self.store.metrics();
        let commits = "gatelodge_store_commit_duration_seconds";
        text.family(commits, Kind::Histogram, "How long commits took.");
        text.histogram(commits, &[], &metrics.commits);
        let batches = "gatelodge_store_batch_transitions";
        text.family(batches, Kind::Histogram, "How many transitions shared a commit.");
        text.histogram(batches, &[], &metrics.batches);
        let failures = "gatelodge_store_commit_failures_total";
        text.family(failures, Kind::Counter, "Commits that failed.");
        text.sample(failures, &[], metrics.failures.count());
        let written = "gatelodge_store_written_total";
        text.family(
            written,
            Kind::Counter,
            "Rows that commits wrote; index entries, with all that they removed; sums.",
        );
        text.sample(written, &[("kind", "row")], metrics.written_rows.count());
        text.sample(written, &[("kind", "entry")], metrics.written_entries.count());
        text.sample(written, &[("kind", "sum")], metrics.written_sums.count());
        let bytes = "gatelodge_store_written_bytes_total";
        text.family(bytes, Kind::Counter, "The bytes of the keys and rows that commits wrote.");
        text.sample(bytes, &[], metrics.written_bytes.count());
        let writable = "gatelodge_store_writable";
        text.family(writable, Kind::Gauge, "Whether the store can be written.");
        text.sample(writable, &[], u8::from(self.write_health() == WriteHealth::Writable));
        if let BackupStanding { to: Some(_), last, failed, .. } = self.backup_standing() {
            let newest = "gatelodge_backup_newest_timestamp_seconds";
            text.family(newest, Kind::Gauge, "When the newest backup by the server was made.");
            text.sample(newest, &[], last.map_or(0, |made| made.at.seconds()));
            let failing = "gatelodge_backup_failing";
            text.family(failing, Kind::Gauge, "Whether the last backup by the server failed.");
            text.sample(failing, &[], u8::from(failed.is_some()));
        }
        let doubt = "gatelodge_clock_in_doubt";
        text.family(doubt, Kind::Gauge, "Whether the clock has jumped and is not believed yet.");
        text.sample(doubt, &[], u8::from(self.clock_jump().is_some()));
    }

    fn write_keys(&self, text: &mut Text) {
        let now = self.clock().now();
        let standings = self.keys().standings(now);
        let age = "gatelodge_signing_key_age_seconds";
        text.family(age, Kind::Gauge, "For how long the present key of an algorithm has signed.");
        for key in standings.iter().filter(|key| key.state == KeyState::Signing) {
            let seconds = now.since(key.signs_from).as_secs();
            text.sample(age, &[("algorithm", key.alg.as_str())], seconds);
        }
        let keys = "gatelodge_signing_keys";
        text.family(keys, Kind::Gauge, "Signing keys by what they do.");
        for alg in SigningAlg::ALL {
            for (state, name) in [
                (KeyState::Published, "published"),
                (KeyState::Signing, "signing"),
                (KeyState::Retiring, "retiring"),
                (KeyState::Retired, "retired"),
            ] {
                let own = standings.iter().filter(|key| key.alg == *alg && key.state == state);
                text.sample(keys, &[("algorithm", alg.as_str()), ("state", name)], own.count());
            }
        }
    }

    fn write_pools(&self, text: &mut Text) -> Result<(), StoreError> {
        let view = self.read()?;
        let mut pools = Vec::new();
        for (pool, (name, taken)) in Pool::ALL.into_iter().zip(admission::taken(&view)?) {
            let (held, bound) =
                (view.weight(&Share::Pool(pool))?, admission::bound(&self.rules().config, pool));
            pools.push((name, [held.rows, bound.rows, held.bytes, bound.bytes, taken]));
        }
        for (at, (name, kind, help)) in [
            ("gatelodge_pool_rows", Kind::Gauge, "Rows that strangers hold."),
            ("gatelodge_pool_rows_limit", Kind::Gauge, "The most rows that strangers hold."),
            ("gatelodge_pool_bytes", Kind::Gauge, "Bytes that strangers hold."),
            ("gatelodge_pool_bytes_limit", Kind::Gauge, "The most bytes that strangers hold."),
            ("gatelodge_pool_rows_taken_total", Kind::Counter, "Rows that full pools took."),
        ]
        .into_iter()
        .enumerate()
        {
            text.family(name, kind, help);
            for (pool, values) in &pools {
                text.sample(name, &[("pool", pool)], values.get(at).copied().unwrap_or_default());
            }
        }
        Ok(())
    }

    fn write_webhook(&self, text: &mut Text) -> Result<(), StoreError> {
        let metrics = &self.metrics.webhook;
        let name = "gatelodge_webhook_events_total";
        text.family(name, Kind::Counter, "Events for the webhook by what became of them.");
        for (outcome, counter) in [
            ("delivered", &metrics.delivered),
            ("dropped", &metrics.dropped),
            ("given_up", &metrics.given_up),
        ] {
            text.sample(name, &[("outcome", outcome)], counter.count());
        }
        let name = "gatelodge_webhook_failures_total";
        text.family(name, Kind::Counter, "Attempts to send an event to the webhook that failed.");
        text.sample(name, &[], metrics.failed.count());
        let name = "gatelodge_webhook_waiting";
        text.family(name, Kind::Gauge, "Events that wait for the webhook, at most 10,000.");
        text.sample(name, &[], delivery::waiting(&self.read()?)?);
        Ok(())
    }

    /// The number of sessions, at most a minute old.
    async fn sessions(self: &Arc<Self>) -> Result<Sessions, Error> {
        let running = self.clock().reading().running;
        let known = *self.metrics.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((at, sessions)) = known
            && running.saturating_sub(at) < COUNTED_FOR
        {
            return Ok(sessions);
        }
        let app = Arc::clone(self);
        let counted = tokio::task::spawn_blocking(move || counted(&app.read()?)).await;
        let sessions = counted.map_err(Internal::new)??;
        let mut known = self.metrics.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        *known = Some((running, sessions));
        Ok(sessions)
    }
}

fn counted(view: &Read) -> Result<Sessions, StoreError> {
    fn count<R: Row>(view: &Read) -> Result<usize, StoreError> {
        view.count::<R>(MAX_COUNTED)
    }
    Ok([
        ("anonymous", count::<AnonymousSession>(view)?),
        ("bridge", count::<BridgeSession>(view)?),
        ("web", count::<Session>(view)?),
    ])
}
