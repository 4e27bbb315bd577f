//! A development server in this process, for tests that are written in Rust.
//!
//! It is that of `gatelodge dev`: the production code over memory, at a free port of the loopback
//! addresses. It ends with its value.
//!
//! ```
//! use gatelodge::testing::Gatelodge;
//! use serde_json::json;
//! use std::time::Duration;
//!
//! # fn main() -> Result<(), gatelodge::testing::Failed> {
//! let server = Gatelodge::builder()
//!     .seed("7")
//!     .auto_approve("ada")
//!     .apply(json!({ "clients": { "shop": {
//!         "client_type": "public",
//!         "redirect_uris": ["http://127.0.0.1:3000/callback"],
//!     } } }))
//!     .start()?;
//! assert!(server.issuer().starts_with("http://localhost:"));
//! server.control().advance(Duration::from_secs(3600))?;
//! server.control().call("POST", "/faults", json!({ "path": "/oauth/token", "status": 503 }))?;
//! # Ok(())
//! # }
//! ```

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::sync::{Arc, mpsc};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, header};
use serde_json::{Map, Value, json};
use tokio::runtime::{self, Handle};
use tokio::sync::oneshot;
use tower::ServiceExt as _;

use crate::clock::Timestamp;
use crate::config::Config;
use crate::dev::{Plan, Ready, Server};
use crate::event::DroppedLines;
use crate::model::person::Username;

/// The most bytes of a response of the control API.
const MAX_RESPONSE: usize = 64 << 20;

/// The server could not be started, or refused what was asked.
#[derive(Debug)]
pub struct Failed {
    /// The status of the response; 0 if there is none.
    pub status: u16,
    /// What the server said: `error`, `error_description` and, mostly, `remedy`.
    pub body: Value,
}

impl Failed {
    fn of(why: impl fmt::Display) -> Self {
        let body = json!({ "error": "failed", "error_description": why.to_string() });
        Self { status: 0, body }
    }
}

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = |name: &str| self.body.get(name).and_then(Value::as_str).unwrap_or_default();
        write!(f, "{}: {}", text("error"), text("error_description"))
    }
}

impl std::error::Error for Failed {}

/// What a server is to be.
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct Builder {
    apply: Option<Map<String, Value>>,
    approves: Option<String>,
    clock: Option<String>,
    fault: Option<String>,
    open_clients: bool,
    port: u16,
    seed: Option<String>,
}

impl Builder {
    /// Applies a document first, as `gatelodge apply` does: `clients`, `users`, `groups`, `scopes`,
    /// `roles`, `resources`, each an object by name.
    pub fn apply(mut self, document: Value) -> Self {
        match document {
            Value::Object(document) => self.apply = Some(document),
            other => self.fault = Some(format!("an object is to be applied, and this is {other}")),
        }
        self
    }

    /// Applies a file of `gatelodge apply` first.
    pub fn apply_file(mut self, path: impl AsRef<Path>) -> Self {
        let env = std::env::vars().collect::<BTreeMap<_, _>>();
        match crate::cli::document(&path.as_ref().display().to_string(), &env) {
            Ok(document) => self.apply = Some(document),
            Err(why) => self.fault = Some(why),
        }
        self
    }

    /// Approves each authorization and device as this person, who is made if there is none.
    pub fn auto_approve(self, username: impl Into<String>) -> Self {
        Self { approves: Some(username.into()), ..self }
    }

    /// Lets the clock stand at this time, such as `2030-01-01T00:00:00Z`.
    pub fn clock(self, time: impl Into<String>) -> Self {
        Self { clock: Some(time.into()), ..self }
    }

    /// Makes a client of each `client_id` that is not known.
    pub fn open_clients(self) -> Self {
        Self { open_clients: true, ..self }
    }

    /// Listens at this port, and not at a free one.
    pub fn port(self, port: u16) -> Self {
        Self { port, ..self }
    }

    /// Makes the same keys, ids, codes and tokens in each run for the same requests.
    pub fn seed(self, seed: impl fmt::Display) -> Self {
        Self { seed: Some(seed.to_string()), ..self }
    }

    /// Starts the server.
    ///
    /// # Errors
    ///
    /// What was asked for is malformed, or the port is taken.
    pub fn start(self) -> Result<Gatelodge, Failed> {
        if let Some(fault) = self.fault {
            return Err(Failed::of(fault));
        }
        let (plan, _) = Plan::of(Config::at("/nonexistent/gatelodge-dev")).map_err(Failed::of)?;
        let approves = self.approves.map(|name| name.parse::<Username>()).transpose();
        let clock = self.clock.map(|time| {
            let read = Timestamp::from_rfc3339(&time);
            read.ok_or_else(|| Failed::of(format!("{time} is no time in UTC")))
        });
        Gatelodge::run(Plan {
            apply: self.apply.map(Arc::new),
            approves: approves.map_err(|refusal| Failed::of(refusal.sentence()))?,
            clock: clock.transpose()?,
            open_clients: self.open_clients,
            port: self.port,
            seed: self.seed,
            ..plan
        })
    }
}

/// A development server that runs. It ends with this value.
pub struct Gatelodge {
    control: Control,
    issuer: String,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// What the thread of a server says when it serves.
struct Started {
    handle: Handle,
    ready: Ready,
    router: Router,
}

impl Gatelodge {
    /// Says what a server is to be.
    pub fn builder() -> Builder {
        Builder::default()
    }

    fn run(plan: Plan) -> Result<Self, Failed> {
        let (started, starting) = mpsc::channel();
        let (stop, stopped) = oneshot::channel();
        let thread = thread::Builder::new().name("gatelodge".to_owned());
        let spawned = thread.spawn(move || serve(plan, &started, stopped));
        let thread = spawned.map_err(Failed::of)?;
        let Started { handle, ready, router } = starting.recv().map_err(Failed::of)??;
        let control = Control { handle, ready: Arc::new(ready.clone()), router };
        Ok(Self { control, issuer: ready.issuer, stop: Some(stop), thread: Some(thread) })
    }

    /// The issuer: `http://localhost:PORT`.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// The control API.
    pub fn control(&self) -> &Control {
        &self.control
    }
}

impl Drop for Gatelodge {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A server that panicked has ended, too.
            let _ = thread.join();
        }
    }
}

/// Serves until `stopped`.
fn serve(
    plan: Plan,
    started: &mpsc::Sender<Result<Started, Failed>>,
    stopped: oneshot::Receiver<()>,
) {
    let runtime = match runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()
    {
        Ok(runtime) => runtime,
        Err(error) => return drop(started.send(Err(Failed::of(error)))),
    };
    runtime.block_on(async {
        let server = match Server::start(plan, DroppedLines::default()).await {
            Ok(server) => server,
            Err(stop) => return drop(started.send(Err(Failed::of(stop)))),
        };
        let (ready, router) = (server.ready().clone(), server.router().clone());
        // Whoever asked for it may have given up.
        let _ = started.send(Ok(Started { handle: Handle::current(), ready, router }));
        let _ = stopped.await;
        server.close(std::future::ready(())).await;
    });
    runtime.shutdown_background();
}

/// The control API of a server in this process.
#[derive(Clone)]
pub struct Control {
    handle: Handle,
    ready: Arc<Ready>,
    router: Router,
}

impl Control {
    /// Its address, for another program.
    pub fn url(&self) -> &str {
        &self.ready.control
    }

    /// Its bearer token, for another program.
    pub fn token(&self) -> &str {
        &self.ready.token
    }

    /// Asks for an operation, whose `path` stands below the address of the API: `/clock`,
    /// `/api/v1/users`. It waits for the response, and may be called in a task of any runtime.
    ///
    /// # Errors
    ///
    /// What the API refuses.
    pub fn call(
        &self,
        method: &str,
        path: &str,
        body: impl Into<Option<Value>>,
    ) -> Result<Value, Failed> {
        let body = body.into().map_or_else(Body::empty, |body| Body::from(body.to_string()));
        let host = self.ready.listen.first().map(String::as_str).unwrap_or_default();
        let request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.ready.control))
            .header(header::HOST, host)
            .header(header::AUTHORIZATION, format!("Bearer {}", self.ready.token))
            .body(body);
        let (request, router) = (request.map_err(Failed::of)?, self.router.clone());
        let (sender, receiver) = mpsc::channel();
        self.handle.spawn(async move {
            let response = router.oneshot(request).await.unwrap_or_else(|never| match never {});
            let status = response.status();
            let body = to_bytes(response.into_body(), MAX_RESPONSE).await;
            let body = body.map(|body| serde_json::from_slice(&body).unwrap_or_default());
            // Whoever asked waits.
            let _ = sender.send((status, body));
        });
        let (status, body) = receiver.recv().map_err(Failed::of)?;
        let body = body.map_err(Failed::of)?;
        if status.is_success() { Ok(body) } else { Err(Failed { status: status.as_u16(), body }) }
    }

    /// Lets time pass.
    ///
    /// # Errors
    ///
    /// As [`Control::call`].
    pub fn advance(&self, by: Duration) -> Result<(), Failed> {
        self.call("POST", "/clock", json!({ "advance": by.as_secs() })).map(drop)
    }

    /// Lets somebody else approve, or nobody.
    ///
    /// # Errors
    ///
    /// As [`Control::call`].
    pub fn approve_as(&self, username: Option<&str>) -> Result<(), Failed> {
        self.call("PUT", "/approval", json!({ "user": username })).map(drop)
    }

    /// The requests that were received, without their secrets.
    ///
    /// # Errors
    ///
    /// As [`Control::call`].
    pub fn requests(&self) -> Result<Vec<Value>, Failed> {
        let listed = self.call("GET", "/requests", None)?;
        Ok(listed.get("items").and_then(Value::as_array).cloned().unwrap_or_default())
    }

    /// Goes back to the first state.
    ///
    /// # Errors
    ///
    /// As [`Control::call`].
    pub fn reset(&self) -> Result<(), Failed> {
        self.call("POST", "/reset", None).map(drop)
    }
}
