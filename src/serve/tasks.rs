//! Background tasks: make missing and due keys, sweep expired rows, deliver logouts, write usage
//! counts and events, send events to the webhook, watch the clock and the configuration, make backups,
//! probe the store. While the store cannot be written, all that write wait.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::signal::unix::Signal;
use tokio::task::JoinHandle;
use tokio::time::MissedTickBehavior;

use crate::app::{App, WriteHealth};
use crate::clock::Clock;
use crate::error::{Error, Refusal};
use crate::flow::installation::sweep;
use crate::model::actor::Acting;

/// The interval of the sweep and of the checks of keys.
const SWEEP_INTERVAL: Duration = Duration::from_mins(1);

/// The most steps of a sweep in one transaction. A sweep that falls behind takes as many.
const MAX_STEPS: usize = 100;

/// The interval of logout deliveries. A round without any is one short read.
const LOGOUT_INTERVAL: Duration = Duration::from_secs(2);

/// The interval of writes of usage counts, and so the most that a crash loses.
const USAGE_INTERVAL: Duration = Duration::from_secs(10);

/// The interval of writes of events that no transition wrote, and so the most that a crash loses.
const EVENTS_INTERVAL: Duration = Duration::from_secs(1);

/// The interval of deliveries of events. A round without any is one short read.
const WEBHOOK_INTERVAL: Duration = Duration::from_secs(1);

/// The interval of looks at the clock, and so the most time until a jump is told.
const CLOCK_INTERVAL: Duration = Duration::from_secs(2);

/// The interval of looks at the files of the configuration. The second look that finds the same change
/// reads them.
const CONFIGURATION_INTERVAL: Duration = Duration::from_secs(1);

/// The interval of looks whether a backup is due.
const BACKUP_INTERVAL: Duration = Duration::from_secs(10);

/// The interval of probes while the store cannot be written, and so the most time until it is
/// noticed that it can.
const PROBE_INTERVAL: Duration = Duration::from_secs(2);

/// The number of those intervals from one probe to the next while the store can be written. An idle
/// server lets the disk rest for a minute; `/readyz` has a probe of its own.
const PROBE_RARELY: u64 = 30;

/// Starts the background tasks. The first round begins at once, so that the keys of a first start
/// are made while the first requests arrive.
pub(super) fn start(app: Arc<App>) -> JoinHandle<()> {
    tokio::spawn(async move {
        tokio::join!(
            probe_always(&app),
            watch_always(&app),
            tidy_always(&app),
            deliver_always(&app),
            count_always(&app),
            write_events_always(&app),
            send_events_always(&app),
            notice_always(&app),
            back_up_always(&app)
        );
    })
}

async fn probe_always(app: &App) {
    let mut period = tokio::time::interval(PROBE_INTERVAL);
    period.set_missed_tick_behavior(MissedTickBehavior::Delay);
    for round in 0_u64.. {
        period.tick().await;
        if is_writable(app) && !round.is_multiple_of(PROBE_RARELY) {
            continue;
        }
        // What it finds is logged once, where it changes.
        if let Err(error) = app.probe().await {
            tracing::error!(%error, "the store could not be probed");
        }
    }
}

async fn watch_always(app: &App) {
    let mut period = tokio::time::interval(CLOCK_INTERVAL);
    period.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        period.tick().await;
        if let Err(error) = app.watch_clock().await {
            log_failure(&error, "what the clock says could not be stored; it is tried again soon");
        }
    }
}

/// Reads the configuration again each time that `hangup` comes.
pub(super) async fn reload_at(mut hangup: Signal, app: Arc<App>) {
    while hangup.recv().await.is_some() {
        reload(&app).await;
    }
}

async fn notice_always(app: &Arc<App>) {
    let mut period = tokio::time::interval(CONFIGURATION_INTERVAL);
    period.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        period.tick().await;
        let looking = Arc::clone(app);
        let new = tokio::task::spawn_blocking(move || looking.has_new_configuration()).await;
        if new.unwrap_or(false) {
            reload(app).await;
        }
    }
}

async fn back_up_always(app: &Arc<App>) {
    let mut period = tokio::time::interval(BACKUP_INTERVAL);
    period.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        period.tick().await;
        // What fails of a backup is told by itself.
        if let Err(error) = app.back_up_if_due().await {
            tracing::error!(%error, "the task that makes backups panicked");
        }
    }
}

/// Reads the configuration again. The log says what came of it.
async fn reload(app: &Arc<App>) {
    let app = Arc::clone(app);
    if let Err(error) = tokio::task::spawn_blocking(move || app.reload(Acting::default())).await {
        tracing::error!(%error, "the reading of the configuration panicked");
    }
}

fn is_writable(app: &App) -> bool {
    app.write_health() == WriteHealth::Writable
}

/// Logs the failure of a task, but not once more that the store cannot be written.
fn log_failure(error: &Error, what: &str) {
    if !matches!(error, Error::Refused(Refusal::StoreUnwritable)) {
        tracing::error!(%error, "{what}");
    }
}

async fn tidy_always(app: &Arc<App>) {
    let mut period = tokio::time::interval(SWEEP_INTERVAL);
    let mut pools = Pools::default();
    let mut steps = 1;
    loop {
        period.tick().await;
        if !is_writable(app) {
            continue;
        }
        let tidied = tidy(app, steps).await;
        steps = if matches!(tidied, Ok(true)) { MAX_STEPS.min(2 * steps) } else { 1 };
        if let Err(error) = tidied.and_then(|_| pools.tell(app)) {
            log_failure(&error, "a background task failed; it is tried again in a minute");
        }
    }
}

/// What full pools had taken at the start, or when the log last told.
#[derive(Default)]
struct Pools {
    started: bool,
    taken: BTreeMap<&'static str, u64>,
}

impl Pools {
    /// Tells which pools were full since the last time, and how many rows they took.
    fn tell(&mut self, app: &App) -> Result<(), Error> {
        for (pool, rows) in app.taken_by_pools()? {
            let before = self.taken.insert(pool, rows).unwrap_or_default();
            if self.started && rows > before {
                tracing::warn!(
                    pool,
                    rows = rows - before,
                    "more was stored for strangers than there is room for; whoever stored most \
                     lost their oldest"
                );
            }
        }
        self.started = true;
        Ok(())
    }
}

/// Delivers logouts in a loop of their own, since making a key may delay the other tasks.
async fn deliver_always(app: &Arc<App>) {
    let mut period = tokio::time::interval(LOGOUT_INTERVAL);
    period.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        period.tick().await;
        // What remains after a full round does not wait for the next interval.
        loop {
            match app.deliver_logouts().await {
                Ok(0) => break,
                Ok(_) => {}
                Err(error) => {
                    log_failure(&error, "logouts could not be told; it is tried again soon");
                    break;
                }
            }
        }
    }
}

/// Sends events in a loop of their own, since a webhook may be slow.
async fn send_events_always(app: &Arc<App>) {
    let mut period = tokio::time::interval(WEBHOOK_INTERVAL);
    period.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        period.tick().await;
        loop {
            match app.deliver_events().await {
                Ok(0) => break,
                Ok(_) => {}
                Err(error) => {
                    log_failure(&error, "events could not be sent; it is tried again soon");
                    break;
                }
            }
        }
    }
}

async fn count_always(app: &Arc<App>) {
    let mut period = tokio::time::interval(USAGE_INTERVAL);
    period.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        period.tick().await;
        // In a task of its own, since an abort in between would lose the counts that it has taken.
        let app = Arc::clone(app);
        let written = tokio::spawn(async move { app.write_counts().await });
        match written.await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => {
                log_failure(&error, "how clients were used is not yet written; it is tried again");
            }
            Err(_) => tracing::error!("the task that writes counts panicked"),
        }
    }
}

async fn write_events_always(app: &Arc<App>) {
    let mut period = tokio::time::interval(EVENTS_INTERVAL);
    period.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        period.tick().await;
        // In a task of its own, since an abort in between would lose those that it has taken.
        let app = Arc::clone(app);
        let written = async move {
            app.write_used().await?;
            app.write_events().await
        };
        match tokio::spawn(written).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => {
                log_failure(&error, "events and uses are not yet written; it is tried again");
            }
            Err(_) => tracing::error!("the task that writes events panicked"),
        }
    }
}

/// Writes the usage counts and events since the last write, and the time, for the last time.
pub(super) async fn write_last(app: &App) {
    if let Err(error) = app.record_clock().await {
        tracing::error!(%error, "the time of this stop is not stored");
    }
    if let Err(error) = app.write_used().await {
        tracing::error!(%error, "what was used since the last write is not hashed anew");
    }
    if let Err(error) = app.write_events().await {
        tracing::error!(%error, "the events since the last write are lost");
    }
    if let Err(error) = app.write_counts().await {
        tracing::error!(%error, "how clients were used since the last write is lost");
    }
}

/// Makes missing and due keys, and removes all that has expired.
pub(super) async fn tidy_whole(app: &Arc<App>) -> Result<(), Error> {
    while tidy(app, MAX_STEPS).await? {}
    Ok(())
}

/// Makes missing and due keys, and removes what has expired, so many steps in a transaction, until the
/// next round is due. Returns whether there may be more to remove.
async fn tidy(app: &Arc<App>, steps: usize) -> Result<bool, Error> {
    app.make_missing_keys().await?;
    app.rotate_keys().await?;
    app.write_sizes_if_due().await?;
    // The clock of the server may be set while this waits.
    let running = || Clock::System.reading().running;
    let started = running();
    loop {
        let step = running();
        let swept = app.write(move |tx, cx| sweep::steps(tx, cx, steps)).await?;
        for error in &swept.unreadable {
            tracing::warn!(%error, "an expired row was left where it is");
        }
        let now = running();
        if !swept.more || now.saturating_sub(started) >= SWEEP_INTERVAL {
            return Ok(swept.more);
        }
        // Half of the writer's time is left to whoever waits for it.
        tokio::time::sleep(now.saturating_sub(step)).await;
    }
}
