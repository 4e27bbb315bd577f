//! The installation of a development server, in memory, from its first state on.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::{Method, StatusCode};
use axum::response::Response;
use serde_json::{Value, json};
use tokio::task::JoinHandle;
use tower::ServiceExt as _;

use super::people::person;
use super::plan::Plan;
use crate::app::{Addresses, App, Sources};
use crate::clock::Clock;
use crate::event::DroppedLines;
use crate::keys::{Development, KeySource};
use crate::oauth::id::{ClientId, UserId};
use crate::oauth::issuer::Issuer;
use crate::secret::{Entropy, Seed, TokenHash, drawing};
use crate::serve::{Stop, background};

/// The most bytes of an answer of the administration that is read here.
const MAX_RESPONSE: usize = 8 << 20;

/// The most paths of which the requests are counted one by one.
const MAX_COUNTED: usize = 10_000;

/// Where a development server is.
pub(super) struct Place {
    /// Its addresses.
    pub(super) addresses: Vec<String>,
    /// The lines that its log dropped.
    pub(super) dropped: DroppedLines,
    /// Its issuer.
    pub(super) issuer: Issuer,
}

/// An installation that runs.
pub(super) struct Installation {
    /// The administration, for the operator.
    pub(super) admin: Router,
    /// The state.
    pub(super) app: Arc<App>,
    /// The router that `serve` has, too.
    pub(super) public: Router,
    /// What proves the last session of each person who approved something.
    pub(super) sessions: Mutex<HashMap<UserId, TokenHash>>,
    /// The clients that were made when they were met first, and whether each has no secret yet.
    open_clients: Mutex<HashMap<ClientId, bool>>,
    requests: Mutex<HashMap<String, u64>>,
    seed: Option<Seed>,
    tasks: JoinHandle<()>,
}

impl Installation {
    /// Makes the installation of `plan`.
    ///
    /// # Errors
    ///
    /// What is to be applied is faulty.
    pub(super) async fn new(plan: &Plan, place: &Place) -> Result<Self, Stop> {
        let failed = |error: crate::error::Error| Stop::unprepared(1, error.to_string());
        let seed = plan.seed.as_deref().map(Seed::of_text);
        let sources = Sources {
            clock: match plan.clock {
                Some(at) => Clock::manual(at),
                None => Clock::running_from(Clock::System.now()),
            },
            entropy: seed.as_ref().map_or(Entropy::System, Entropy::of),
            keys: KeySource::Development(Development::new(seed.clone())),
        };
        let app = App::memory(plan.config.clone(), place.issuer.clone(), sources).await;
        let addresses = Addresses { listen: place.addresses.clone(), ..Addresses::default() };
        let app = app.map_err(failed)?.with_addresses(addresses);
        let app = Arc::new(app.with_dropped_lines(place.dropped.clone()));
        app.make_missing_keys().await.map_err(failed)?;
        let admin = crate::admin::router(Arc::clone(&app));
        if let Some(document) = &plan.apply {
            let request = json!({ "document": **document });
            let applied = ask(&admin, Method::POST, "/api/v1/apply", &request).await;
            applied.map_err(|(_, refused)| unapplied(&refused))?;
        }
        if let Some(username) = plan.approves.clone() {
            let made = app.write(move |tx, cx| person(tx, cx, &username)).await;
            made.map_err(failed)?;
        }
        Ok(Self {
            admin,
            public: crate::http::router(Arc::clone(&app)),
            open_clients: Mutex::default(),
            requests: Mutex::default(),
            seed,
            sessions: Mutex::default(),
            tasks: background(&app),
            app,
        })
    }

    /// Does the work of a request named `of`. What it draws depends on the seed, on `of` and on how many
    /// such requests there were, and on nothing that happens beside it.
    pub(super) async fn drawing<T>(&self, of: &str, work: impl Future<Output = T>) -> T {
        let Some(seed) = &self.seed else { return work.await };
        let number = {
            let mut requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
            let many = requests.len() >= MAX_COUNTED && !requests.contains_key(of);
            let number = requests.entry(if many { String::new() } else { of.to_owned() });
            let number = number.or_default();
            *number += 1;
            *number
        };
        drawing(&seed.derived(&format!("request {number} {of}")), work).await
    }

    /// Asks the administration.
    ///
    /// # Errors
    ///
    /// The status and the error, where it refuses.
    pub(super) async fn administer(
        &self,
        method: Method,
        path: &str,
        body: &Value,
    ) -> Result<Value, (StatusCode, Value)> {
        ask(&self.admin, method, path, body).await
    }

    /// Sends a request to the router that `serve` has, too.
    pub(super) async fn respond(&self, request: Request) -> Response {
        self.public.clone().oneshot(request).await.unwrap_or_else(|never| match never {})
    }

    /// Whether a client was made when it was met first, and has brought no secret yet.
    pub(super) fn is_secretless(&self, id: &ClientId) -> bool {
        let open = self.open_clients.lock().unwrap_or_else(PoisonError::into_inner);
        open.get(id).copied().unwrap_or_default()
    }

    /// Remembers a client that was made when it was met first.
    pub(super) fn note_open(&self, id: &ClientId, secretless: bool) {
        let mut open = self.open_clients.lock().unwrap_or_else(PoisonError::into_inner);
        open.insert(id.clone(), secretless);
    }

    /// Ends its background tasks.
    pub(super) fn end(&self) {
        self.tasks.abort();
    }
}

impl Drop for Installation {
    fn drop(&mut self) {
        self.end();
    }
}

async fn ask(
    admin: &Router,
    method: Method,
    path: &str,
    body: &Value,
) -> Result<Value, (StatusCode, Value)> {
    let broken = |why: String| {
        let error = json!({ "error": "server_error", "error_description": why });
        (StatusCode::INTERNAL_SERVER_ERROR, error)
    };
    let request = Request::builder().method(method).uri(path).body(Body::from(body.to_string()));
    let request = request.map_err(|error| broken(error.to_string()))?;
    let response = admin.clone().oneshot(request).await.unwrap_or_else(|never| match never {});
    let status = response.status();
    let body = to_bytes(response.into_body(), MAX_RESPONSE).await;
    let body = body.map_err(|error| broken(error.to_string()))?;
    let body = serde_json::from_slice(&body).unwrap_or_default();
    if status.is_success() { Ok(body) } else { Err((status, body)) }
}

/// The reason why a document cannot be applied.
fn unapplied(refused: &Value) -> Stop {
    let text = |name| refused.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let (at, why) = (text("at"), text("error_description"));
    let why = if at.is_empty() { why } else { format!("{at}: {why}") };
    Stop::unprepared(2, format!("what is to be applied is faulty: {why}"))
}
