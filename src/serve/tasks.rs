//! What the server does without being asked: keys that are missing or due, rows that expired,
//! clients that are to hear of a logout, counts that are to be written.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::MissedTickBehavior;

use crate::app::App;
use crate::error::Error;
use crate::flow::installation::sweep;

/// How often it looks.
const SWEEP_INTERVAL: Duration = Duration::from_mins(1);

/// How often it looks for clients that are to hear of a logout; an empty look is one short read.
const LOGOUT_INTERVAL: Duration = Duration::from_secs(2);

/// How often it writes down how clients were used, and so what a crash takes along at most.
const USAGE_INTERVAL: Duration = Duration::from_secs(10);

/// Looks at once, so that the keys of a first start are made while the first requests come in, and
/// then every minute.
pub(super) fn start(app: Arc<App>) -> JoinHandle<()> {
    tokio::spawn(async move {
        tokio::join!(tidy_always(&app), deliver_always(&app), count_always(&app));
    })
}

async fn tidy_always(app: &Arc<App>) {
    let mut period = tokio::time::interval(SWEEP_INTERVAL);
    loop {
        period.tick().await;
        if let Err(error) = tidy(app).await {
            tracing::error!(%error, "a background task failed; it is tried again in a minute");
        }
    }
}

/// Logouts go out apart from the rest, which the making of a key may hold up for a while.
async fn deliver_always(app: &Arc<App>) {
    let mut period = tokio::time::interval(LOGOUT_INTERVAL);
    period.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        period.tick().await;
        // What is left after a full round need not wait for the next look.
        loop {
            match app.deliver_logouts().await {
                Ok(0) => break,
                Ok(_) => {}
                Err(error) => {
                    tracing::error!(%error, "logouts could not be told; it is tried again soon");
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
        // A task of its own: one that is aborted in between would lose what it has in hand.
        let app = Arc::clone(app);
        let written = tokio::spawn(async move { write_counts(&app).await });
        if written.await.is_err() {
            tracing::error!("the task that writes counts panicked");
        }
    }
}

/// Writes down how clients were used since the last time.
pub(super) async fn write_counts(app: &App) {
    if let Err(error) = app.write_counts().await {
        tracing::error!(%error, "how clients were used could not be written; it is tried again");
    }
}

async fn tidy(app: &Arc<App>) -> Result<(), Error> {
    app.make_missing_keys().await?;
    app.rotate_keys().await?;
    loop {
        let swept = app.write(sweep::run).await?;
        for error in &swept.unreadable {
            tracing::warn!(%error, "an expired row was left where it is");
        }
        if !swept.more {
            return Ok(());
        }
    }
}
