//! The ports and the socket of a server while it serves, and how they are closed.

use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::UnixListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::accept::{self, Endpoint};
use super::connections::Connections;
use super::descriptors::Bounds;
use crate::app::App;

/// The most time in which accepted requests may finish after a stop signal.
const SHUTDOWN_GRACE: Duration = Duration::from_secs(20);

/// What accepts connections.
pub(super) struct Doors {
    accepting: JoinSet<()>,
    closing: watch::Sender<bool>,
    connections: Connections,
    graceful: Arc<GracefulShutdown>,
}

impl Doors {
    /// Nothing is open yet.
    pub(super) fn new(bounds: Bounds, app: &App) -> Self {
        Self {
            accepting: JoinSet::new(),
            closing: watch::Sender::new(false),
            connections: Connections::new(bounds, &app.rules().config, app.connection_metrics()),
            graceful: Arc::new(GracefulShutdown::new()),
        }
    }

    /// Accepts connections at a port.
    pub(super) fn open_port(&mut self, listener: TcpListener, endpoint: Endpoint) {
        let (connections, graceful) = (self.connections.clone(), Arc::clone(&self.graceful));
        let closed = self.closing.subscribe();
        self.accepting.spawn(accept::tcp(listener, endpoint, connections, graceful, closed));
    }

    /// Accepts connections at the administration socket.
    pub(super) fn open_socket(&mut self, socket: UnixListener, router: Router) {
        let (graceful, closed) = (Arc::clone(&self.graceful), self.closing.subscribe());
        self.accepting.spawn(accept::unix(socket, router, graceful, closed));
    }

    /// Accepts no connection from now on, and returns once what was accepted has finished, or has had
    /// its time, or `at_once` is done.
    pub(super) async fn close(mut self, at_once: impl Future<Output = ()>) {
        tracing::info!("stopping: what was accepted is finished first");
        self.closing.send_replace(true);
        while self.accepting.join_next().await.is_some() {}
        let finished = async move {
            // The accepting tasks had the other references, and have ended.
            if let Some(graceful) = Arc::into_inner(self.graceful) {
                graceful.shutdown().await;
            }
        };
        tokio::select! {
            () = finished => {}
            () = tokio::time::sleep(SHUTDOWN_GRACE) => tracing::warn!("some requests did not finish in time"),
            () = at_once => tracing::warn!("stopped at once, as asked a second time"),
        }
    }
}
