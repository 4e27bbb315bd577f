//! The administration API: its operations, served on the Unix socket, in process for a command that
//! finds no running server, and at the ports for an access token with a scope of the administration.
//!
//! Each noun has a file with its views, its requests and its operations. A view is the only form of
//! its noun: the API serialises it, and the command line deserialises it. Objects with members that
//! others define are plain JSON: claims, client documents, the metadata of an anonymous session.
//!
//! What a path or a body names, it names by its id, by its name or by the beginning of its id
//! ([`named`](crate::flow::named)), found in the transaction that changes it.
//!
//! Each operation names the right that it needs by the type [`By`](by::By), which is the only way to
//! the application. Whoever reaches the socket owns the data directory, so they need no authentication
//! and have every right. At the ports, `http/administration.rs` proves a token first. So errors contain
//! their precise reason. What an administrator may touch, the transitions decide
//! ([`rights`](crate::flow::rights)).

pub(crate) mod apply;
pub(crate) mod bridge;
pub(crate) mod certificate;
pub(crate) mod client;
mod client_notes;
pub(crate) mod config;
pub(crate) mod doctor;
pub(crate) mod document;
pub(crate) mod event;
pub(crate) mod grant;
pub(crate) mod issuer;
pub(crate) mod key;
mod metrics;
mod operation;
pub(crate) mod personal_token;
pub(crate) mod resource;
pub(crate) mod server;
pub(crate) mod session;
pub(crate) mod tls;
pub(crate) mod token;
pub(crate) mod usage;
pub(crate) mod user;

use std::sync::Arc;

use axum::Json;
use axum::Router;
use axum::http::{StatusCode, header};
use axum::middleware::from_fn;
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post};
use serde::Serialize;

pub(crate) use operation::by::{Asker, SocketPeer};
pub(crate) use operation::listing;

use operation::{by, request};

use crate::app::App;
use crate::error::{Candidate, Choices, Error, Refusal};

/// The router of the socket, and of commands: everything it serves, it serves to the operator.
pub fn router(app: Arc<App>) -> Router {
    operations()
        .route("/metrics", get(metrics::show))
        .fallback(async || Failed(Refusal::PageNotFound.into()))
        .method_not_allowed_fallback(async || Failed(Refusal::MethodNotAllowed.into()))
        .layer(from_fn(by::as_operator))
        .with_state(app)
}

/// All operations. They serve a request that has an [`Asker`], and no other.
pub(crate) fn operations() -> Router<Arc<App>> {
    Router::new()
        .route("/api/v1/apply", post(apply::apply))
        .route("/api/v1/bridge", get(bridge::list))
        .route("/api/v1/bridge/codes", post(bridge::issue_code))
        .route("/api/v1/bridge/devices/{id}", get(bridge::device).delete(bridge::end))
        .route("/api/v1/bridge/tokens", post(bridge::issue_token))
        .route("/api/v1/personal-tokens", get(personal_token::list).post(personal_token::add))
        .route(
            "/api/v1/personal-tokens/{id}",
            get(personal_token::show).delete(personal_token::revoke),
        )
        .route("/api/v1/bridge/certificates", get(certificate::list).post(certificate::enroll))
        .route(
            "/api/v1/bridge/certificates/{fingerprint}",
            get(certificate::show).delete(certificate::revoke),
        )
        .route("/api/v1/bridge/certificates/{fingerprint}/person", get(certificate::person))
        .route("/api/v1/clients", get(client::list).post(client::add))
        .route(
            "/api/v1/clients/{id}",
            get(client::show).patch(client::change).delete(client::remove),
        )
        .route("/api/v1/clients/{id}/secret", post(client::rotate_secret))
        .route("/api/v1/clients/{id}/usage", get(usage::of_client))
        .route("/api/v1/config", get(config::show))
        .route("/api/v1/config/reload", post(config::reload))
        .route("/api/v1/doctor", get(doctor::examine))
        .route("/api/v1/doctor/probes", post(doctor::start_probe))
        .route("/api/v1/doctor/probes/{nonce}", delete(doctor::end_probe))
        .route("/api/v1/anonymous-sessions", get(session::list_anonymous))
        .route("/api/v1/events", get(event::list))
        .route("/api/v1/events/{id}", get(event::explain))
        .route("/api/v1/grants", get(grant::list))
        .route("/api/v1/grants/{id}", get(grant::show).delete(grant::revoke))
        .route("/api/v1/keys", get(key::list))
        .route("/api/v1/keys/rotate", post(key::rotate))
        .route("/api/v1/server", get(server::show))
        .route("/api/v1/sessions", get(session::list))
        .route("/api/v1/sessions/{id}", get(session::show).delete(session::revoke))
        .route("/api/v1/tls/ca", get(tls::ca))
        .route("/api/v1/tls/certificates", post(tls::issue))
        .route("/api/v1/tokens", post(token::issue::issue))
        .route("/api/v1/tokens/inspect", post(token::inspect))
        .route("/api/v1/tokens/revoke", post(token::revoke))
        .route("/api/v1/documents", post(document::import))
        .route("/api/v1/resources", get(resource::list).post(resource::add))
        .route(
            "/api/v1/resources/{resource}",
            get(resource::show).patch(resource::change).delete(resource::remove),
        )
        .route("/api/v1/usage", get(usage::of_all))
        .route("/api/v1/users", get(user::list).post(user::add))
        .route("/api/v1/users/{username}", get(user::show).patch(user::change).delete(user::remove))
        .route("/api/v1/recover", post(user::recover))
        .route("/api/v1/issuer", get(issuer::show).put(issuer::change))
}

/// The error that a response of this API reports, for whoever counts and logs it.
#[derive(Clone)]
pub(crate) struct Reported(pub(crate) Arc<Error>);

/// An error response: the members of RFC 6749 §5.2, what can be done about it, and what the request
/// may have meant.
#[derive(Serialize)]
struct ErrorView {
    /// Where in the document of the request it is, dotted.
    #[serde(skip_serializing_if = "Option::is_none")]
    at: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    candidates: Vec<Candidate>,
    error: &'static str,
    error_description: String,
    /// The faults of a configuration.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    faults: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    known: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    remedy: Option<&'static str>,
    /// What uses something that was to be removed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    used_by: Vec<Candidate>,
}

/// An error, rendered with its precise reason.
struct Failed(Error);

impl<E: Into<Error>> From<E> for Failed {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

impl Failed {
    /// The response, with the faults of a configuration beside the sentence.
    fn with_faults(self, faults: Vec<String>) -> Response {
        let code = self.0.code();
        let status = StatusCode::from_u16(code.status());
        let choices = self.0.choices().cloned().unwrap_or_default();
        let Choices { at, candidates, known, used_by, .. } = choices;
        let view = ErrorView {
            at,
            candidates,
            error: code.as_str(),
            error_description: self.0.to_string(),
            faults,
            known,
            remedy: self.0.refusal().map(Refusal::remedy),
            used_by,
        };
        let status = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, Json(view)).into_response();
        if let Some(seconds) = self.0.retry_after() {
            response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
        }
        response.extensions_mut().insert(Reported(Arc::new(self.0)));
        response
    }
}

impl IntoResponse for Failed {
    fn into_response(self) -> Response {
        self.with_faults(Vec::new())
    }
}

/// Parses each of `values`.
fn parsed<T: std::str::FromStr<Err = Refusal>>(values: &[String]) -> Result<Vec<T>, Refusal> {
    values.iter().map(|value| value.parse()).collect()
}

/// Parses `value`, if there is one.
fn optional<T: std::str::FromStr<Err = Refusal>>(
    value: Option<&str>,
) -> Result<Option<T>, Refusal> {
    value.map(str::parse).transpose()
}
