//! What the server does without being asked: keys that are missing or due, rows that expired.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinHandle;

use crate::app::App;
use crate::error::Error;
use crate::flow::installation::sweep;

/// How often it looks.
const PERIOD: Duration = Duration::from_mins(1);

/// Looks at once, so that the keys of a first start are made while the first requests come in, and
/// then every minute.
pub(super) fn start(app: Arc<App>) -> JoinHandle<()> {
    tokio::spawn(async move {
        let mut period = tokio::time::interval(PERIOD);
        loop {
            period.tick().await;
            if let Err(error) = tidy(&app).await {
                tracing::error!(%error, "a background task failed; it is tried again in a minute");
            }
        }
    })
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
