//! What a service manager gives and wants: ports that it opened (sd_listen_fds(3)), and word of how the
//! server is (sd_notify(3)). Without one, nothing of it happens.

use std::io;
use std::net::TcpListener;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use listenfd::ListenFd;
use sd_notify::NotifyState;
use tokio::task::JoinHandle;

use super::Stop;
use crate::app::App;

/// The parts of an idle time after each of which is looked whether it still is one.
const LOOKS: u32 = 20;

/// The ports that were passed to this process, which has them once.
static PASSED: OnceLock<Result<Vec<TcpListener>, String>> = OnceLock::new();

/// The ports that the service manager opened for this process; none without one.
pub(super) fn passed() -> Result<Vec<TcpListener>, Stop> {
    let passed = PASSED.get_or_init(|| {
        let mut passed = ListenFd::from_env();
        let count = passed.len();
        let take = |index| match passed.take_tcp_listener(index) {
            Ok(Some(listener)) => Ok(listener),
            Ok(None) => Err("the service manager passed a port twice".to_owned()),
            Err(error) => Err(format!("the service manager passed what is no TCP port: {error}")),
        };
        (0..count).map(take).collect()
    });
    let copy = |port: &TcpListener| {
        let port = port.try_clone()?;
        port.set_nonblocking(true)?;
        Ok(port)
    };
    match passed {
        Ok(ports) => ports.iter().map(copy).collect::<io::Result<_>>().map_err(|error| {
            Stop::failed(format!("the ports of the service manager cannot be used: {error}"))
        }),
        Err(why) => Err(Stop::failed(why.clone()).with_remedy(
            "ListenStream= in the unit names addresses and ports, as in gatelodge service show",
        )),
    }
}

/// Says that the server is ready, and from then on that it is alive, as often as the manager wants it.
pub(super) fn ready(app: &Arc<App>) -> Option<JoinHandle<()>> {
    let issuer = app.rules().issuer.to_string();
    say(&[NotifyState::Ready, NotifyState::Status(&issuer)]);
    // Twice in the time after which the manager ends a server that says nothing.
    let every = sd_notify::watchdog_enabled()? / 2;
    let app = Arc::clone(app);
    Some(tokio::spawn(async move {
        loop {
            // A store that cannot be read any more is no reason to live.
            match app.read() {
                Ok(_) => say(&[NotifyState::Watchdog]),
                Err(error) => tracing::error!(%error, "the store cannot be read"),
            }
            tokio::time::sleep(every).await;
        }
    }))
}

/// Says that the server ends.
pub(super) fn stopping() {
    say(&[NotifyState::Stopping]);
}

fn say(state: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(state) {
        tracing::warn!(%error, "the service manager could not be told how the server is");
    }
}

/// Waits until there was no connection for this long; without a time, for ever.
pub(super) async fn idle(app: &App, time: Option<Duration>) {
    let Some(time) = time else { return std::future::pending().await };
    let metrics = app.connection_metrics();
    let (mut quiet, mut accepted) = (0, metrics.accepted.count());
    while quiet < LOOKS {
        tokio::time::sleep(time / LOOKS).await;
        let now = metrics.accepted.count();
        quiet = if now == accepted && metrics.open() == 0 { quiet + 1 } else { 0 };
        accepted = now;
    }
    tracing::info!("stopping: there was no connection for {} minutes", time.as_secs() / 60);
}
