//! `gatelodge dev`: the production code over memory, for development and for tests.
//!
//! It is the same [`App`](crate::app::App) and the same router as those of `serve`. Around the router
//! stands a layer (`site.rs`) that records the requests, makes some of them fail, makes clients that are
//! not known and approves in the place of a person, each only where it is asked for; and beside it
//! the control API (`control/`). Only [`Server::start`] puts them there, and it listens on loopback
//! alone, since [`Loopback`] is all that it takes.
//!
//! Nothing is written to disk. A reset makes the installation anew, in its first state.

mod approval;
mod clients;
mod control;
mod faults;
mod installation;
mod journal;
mod people;
mod plan;
mod ready;
mod refused;
mod seen;
mod site;
mod stage;

use std::sync::Arc;

use axum::Router;

pub(crate) use plan::Plan;
pub(crate) use ready::{BANNER, Ready};

use crate::event::DroppedLines;
use crate::serve::{Loopback, Serving, Stop};
use stage::Stage;

/// A development server that accepts connections.
pub(crate) struct Server {
    ready: Ready,
    router: Router,
    serving: Serving,
    stage: Arc<Stage>,
}

impl Server {
    /// Makes the installation of `plan`, and serves it.
    ///
    /// # Errors
    ///
    /// The port cannot be had, the configuration is one of a server that others reach, or what is to be
    /// applied is faulty.
    pub(crate) async fn start(plan: Plan, dropped: DroppedLines) -> Result<Self, Stop> {
        let ports = Loopback::bind(plan.port)?;
        let stage = Arc::new(Stage::new(plan, &ports, dropped).await?);
        let ready = Ready::of(&stage);
        let router = site::router(&stage);
        let serving = ports.serve(&router, &stage.installation().app)?;
        Ok(Self { ready, router, serving, stage })
    }

    /// What whoever started it has to know.
    pub(crate) fn ready(&self) -> &Ready {
        &self.ready
    }

    /// What serves each request.
    pub(crate) fn router(&self) -> &Router {
        &self.router
    }

    /// Ends it. What was accepted is finished first, unless `at_once` is done before.
    pub(crate) async fn close(self, at_once: impl Future<Output = ()>) {
        self.stage.faults.release_all();
        self.serving.close(at_once).await;
    }
}
