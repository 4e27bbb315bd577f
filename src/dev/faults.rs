//! Requests that fail, or hang, because a test asked for it.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use axum::Json;
use axum::http::{Method, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::sync::watch;

use super::refused::{Problem, Refused};

/// The path of the control API, which no fault may close.
pub(super) const CONTROL: &str = "/gate/dev";

/// The most faults that wait for their requests.
const MAX_FAULTS: usize = 1_000;

/// The longest delay: ten minutes.
const MAX_DELAY: u64 = 600_000;

/// The faults.
#[derive(Default)]
pub(super) struct Faults(Mutex<All>);

#[derive(Default)]
struct All {
    faults: BTreeMap<u64, Fault>,
    last: u64,
}

struct Fault {
    asked: NewFault,
    left: u32,
    released: watch::Sender<bool>,
}

/// What is to happen to the next requests for a path.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NewFault {
    /// The path, exactly.
    path: String,
    /// The method; without one, any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    method: Option<String>,
    /// How many requests; one by default.
    #[serde(default = "once")]
    times: u32,
    /// The status of the response.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    /// The OAuth error in the response; at the authorization endpoint, in the redirect to the client.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    /// What the error says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    error_description: Option<String>,
    /// How long the request waits first, in milliseconds of the machine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    delay_ms: Option<u64>,
    /// Whether it waits until the fault is removed.
    #[serde(default)]
    hang: bool,
}

const fn once() -> u32 {
    1
}

/// A fault that waits for requests, or whose requests wait.
#[derive(Serialize)]
pub(super) struct FaultView {
    id: u64,
    #[serde(flatten)]
    asked: NewFault,
    /// How many requests it still is for.
    left: u32,
    /// How many requests hang.
    hanging: usize,
}

impl FaultView {
    fn of(id: u64, fault: &Fault) -> Self {
        // The fault has a sender alone, so each receiver is a request.
        let hanging = if fault.asked.hang { fault.released.receiver_count() } else { 0 };
        Self { id, asked: fault.asked.clone(), left: fault.left, hanging }
    }
}

/// A fault that a request met.
pub(super) struct Met {
    pub(super) id: u64,
    asked: NewFault,
    released: watch::Receiver<bool>,
}

/// What a request that met a fault goes on with.
pub(super) enum Effect {
    /// As if there were none.
    None,
    /// An error.
    Error(FaultyError),
    /// A status without an error.
    Status(StatusCode),
}

/// An error that a test asked for.
pub(super) struct FaultyError {
    /// Its code.
    pub(super) code: String,
    /// What it says.
    pub(super) description: String,
    /// The status, if the test named one.
    pub(super) status: Option<StatusCode>,
}

impl FaultyError {
    /// The response of an endpoint for programs (RFC 6749 §5.2).
    pub(super) fn response(&self) -> Response {
        let status = self.status.unwrap_or(match self.code.as_str() {
            "invalid_client" | "invalid_token" => StatusCode::UNAUTHORIZED,
            "insufficient_scope" => StatusCode::FORBIDDEN,
            "server_error" => StatusCode::INTERNAL_SERVER_ERROR,
            "temporarily_unavailable" => StatusCode::SERVICE_UNAVAILABLE,
            _ => StatusCode::BAD_REQUEST,
        });
        let body = json!({ "error": self.code, "error_description": self.description });
        (status, [(header::CACHE_CONTROL, "no-store")], Json(body)).into_response()
    }
}

impl NewFault {
    fn check(&self) -> Result<(), Refused> {
        let refused = |at, why: &str| Err(Refused::new(Problem::InvalidRequest, why).at(at));
        let visible =
            |text: &str| !text.is_empty() && text.chars().all(|c| (' '..='~').contains(&c));
        if !self.path.starts_with('/') || self.path.starts_with(CONTROL) {
            return refused("path", "a path of the server is expected, such as /oauth/token");
        }
        if self.method.as_ref().is_some_and(|own| own.parse::<Method>().is_err()) {
            return refused("method", "a method is expected, such as POST");
        }
        if self.times == 0 {
            return refused("times", "one request at least is expected");
        }
        if self.status.is_some_and(|status| !(200..=599).contains(&status)) {
            return refused("status", "a status from 200 to 599 is expected");
        }
        if self.error.as_deref().is_some_and(|code| !visible(code) || code.contains(['"', '\\'])) {
            return refused("error", "an error code is expected, such as invalid_grant");
        }
        if self.error_description.as_deref().is_some_and(|own| !visible(own)) {
            return refused("error_description", "visible ASCII characters are expected");
        }
        if self.delay_ms.is_some_and(|delay| delay > MAX_DELAY) {
            return refused("delay_ms", "at most 600000 milliseconds are waited");
        }
        let nothing = self.status.is_none() && self.error.is_none();
        if nothing && self.delay_ms.is_none() && !self.hang {
            return refused("status", "one of status, error, delay_ms and hang is expected");
        }
        Ok(())
    }

    fn is_for(&self, method: &Method, path: &str) -> bool {
        let own = |method: &Method| {
            self.method.as_ref().is_none_or(|own| own.eq_ignore_ascii_case(method.as_str()))
        };
        self.path == path && own(method)
    }
}

impl Faults {
    /// Adds a fault.
    ///
    /// # Errors
    ///
    /// It is none that there can be, or there are too many.
    pub(super) fn add(&self, asked: NewFault) -> Result<FaultView, Refused> {
        asked.check()?;
        self.with(|all| {
            if all.faults.len() >= MAX_FAULTS {
                let why = "1000 faults wait already; remove some: DELETE faults";
                return Err(Refused::new(Problem::Conflict, why));
            }
            all.last += 1;
            let fault = Fault { left: asked.times, asked, released: watch::Sender::new(false) };
            let view = FaultView::of(all.last, &fault);
            all.faults.insert(all.last, fault);
            Ok(view)
        })
    }

    /// Those that wait for requests, and those whose requests hang.
    pub(super) fn list(&self) -> Vec<FaultView> {
        self.with(|all| {
            all.tidy();
            all.faults.iter().map(|(id, fault)| FaultView::of(*id, fault)).collect()
        })
    }

    /// Removes a fault. The requests that hang go on. Returns whether there was one.
    pub(super) fn release(&self, id: u64) -> bool {
        let removed = self.with(|all| all.faults.remove(&id));
        removed.is_some_and(|fault| {
            fault.released.send_replace(true);
            true
        })
    }

    /// Removes every fault.
    pub(super) fn release_all(&self) {
        let removed = self.with(|all| std::mem::take(&mut all.faults));
        for fault in removed.into_values() {
            fault.released.send_replace(true);
        }
    }

    /// The fault that a request meets: the oldest that is for it.
    pub(super) fn take_for(&self, method: &Method, path: &str) -> Option<Met> {
        self.with(|all| {
            let mut own = all.faults.iter_mut();
            let (id, fault) =
                own.find(|(_, fault)| fault.left > 0 && fault.asked.is_for(method, path))?;
            fault.left -= 1;
            let (asked, released) = (fault.asked.clone(), fault.released.subscribe());
            let met = Met { id: *id, asked, released };
            all.tidy();
            Some(met)
        })
    }

    fn with<T>(&self, work: impl FnOnce(&mut All) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl All {
    /// Forgets the faults that are over.
    fn tidy(&mut self) {
        self.faults.retain(|_, fault| {
            fault.left > 0 || fault.asked.hang && fault.released.receiver_count() > 0
        });
    }
}

impl Met {
    /// Waits as long as the fault says, and returns what comes then.
    pub(super) async fn effect(mut self) -> Effect {
        if let Some(delay) = self.asked.delay_ms {
            tokio::time::sleep(Duration::from_millis(delay)).await;
        }
        if self.asked.hang {
            // The sender goes only with the fault.
            let _ = self.released.wait_for(|released| *released).await;
        }
        let status = self.asked.status.and_then(|status| StatusCode::from_u16(status).ok());
        match (self.asked.error, status) {
            (Some(code), status) => {
                let description = self.asked.error_description;
                let description = description.unwrap_or_else(|| "a test asked for it".to_owned());
                Effect::Error(FaultyError { code, description, status })
            }
            (None, Some(status)) => Effect::Status(status),
            (None, None) => Effect::None,
        }
    }
}
