//! The administration API: one router, served on the Unix socket, and in process to a command
//! that finds no server.
//!
//! A caller that can reach it owns the data directory, so it asks for no further proof, and tells
//! in its errors the reason itself.

mod bridge;
mod certificates;
mod clients;
mod documents;
mod issuer;
pub(crate) mod people;
mod resources;
mod sessions;
mod tls;
mod tokens;
mod usage;

use std::sync::Arc;

use axum::Json;
use axum::Router;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post};
use serde_json::json;

use crate::app::App;
use crate::error::{Error, ErrorCode, Refusal};
use crate::flow::person::people::named;
use crate::oauth::id::UserId;
use crate::oauth::params::Params;
use crate::store::View;

/// Every route there is, on one page.
pub fn router(app: Arc<App>) -> Router {
    Router::new()
        .route("/api/v1/bridge", get(bridge::list))
        .route("/api/v1/bridge/codes", post(bridge::issue_code))
        .route("/api/v1/bridge/tokens", post(bridge::issue_token))
        .route("/api/v1/personal-tokens", get(bridge::list_pats).post(bridge::add_pat))
        .route("/api/v1/personal-tokens/{id}", delete(bridge::revoke_pat))
        .route("/api/v1/bridge/certificates", get(certificates::list).post(certificates::enroll))
        .route("/api/v1/bridge/certificates/{fingerprint}", delete(certificates::revoke))
        .route("/api/v1/bridge/certificates/{fingerprint}/person", get(certificates::person))
        .route("/api/v1/clients", get(clients::list).post(clients::add))
        .route(
            "/api/v1/clients/{id}",
            get(clients::show).patch(clients::change).delete(clients::remove),
        )
        .route("/api/v1/clients/{id}/secret", post(clients::rotate_secret))
        .route("/api/v1/clients/{id}/usage", get(usage::of_client))
        .route("/api/v1/anonymous-sessions", get(sessions::list_anonymous))
        .route("/api/v1/grants", get(sessions::list_grants))
        .route("/api/v1/grants/{id}", delete(sessions::revoke_grant))
        .route("/api/v1/sessions", get(sessions::list))
        .route("/api/v1/sessions/{id}", delete(sessions::revoke))
        .route("/api/v1/tls/ca", get(tls::ca))
        .route("/api/v1/tls/certificates", post(tls::issue))
        .route("/api/v1/tokens/inspect", post(tokens::inspect))
        .route("/api/v1/tokens/revoke", post(tokens::revoke))
        .route("/api/v1/documents", post(documents::import))
        .route("/api/v1/resources", get(resources::list).post(resources::add))
        .route("/api/v1/resources/{resource}", get(resources::show).delete(resources::remove))
        .route("/api/v1/usage", get(usage::of_all))
        .route("/api/v1/users", get(people::list).post(people::add))
        .route(
            "/api/v1/users/{username}",
            get(people::show).patch(people::change).delete(people::remove),
        )
        .route("/api/v1/recover", post(people::recover))
        .route("/api/v1/issuer", get(issuer::show).put(issuer::change))
        .fallback(async || Failed(Refusal::PageNotFound.into()))
        .method_not_allowed_fallback(async || Failed(Refusal::MethodNotAllowed.into()))
        .with_state(app)
}

/// An error, as operators read it.
struct Failed(Error);

impl<E: Into<Error>> From<E> for Failed {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

impl IntoResponse for Failed {
    fn into_response(self) -> Response {
        let code = match &self.0 {
            Error::Internal(_) => ErrorCode::ServerError,
            Error::Refused(refusal) => refusal.code(),
        };
        let status = StatusCode::from_u16(code.status());
        let body = json!({ "error": code.as_str(), "error_description": self.0.to_string() });
        (status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR), Json(body)).into_response()
    }
}

/// The text of each of `values`, parsed.
fn parsed<T: std::str::FromStr<Err = Refusal>>(values: &[String]) -> Result<Vec<T>, Refusal> {
    values.iter().map(|value| value.parse()).collect()
}

/// The text, if there is one, parsed.
fn optional<T: std::str::FromStr<Err = Refusal>>(
    value: Option<&str>,
) -> Result<Option<T>, Refusal> {
    value.map(str::parse).transpose()
}

/// A body that is read as `T`, or refused as what it is.
async fn body<T: serde::de::DeserializeOwned>(
    request: axum::extract::Request,
) -> Result<T, Failed> {
    let bytes = axum::body::to_bytes(request.into_body(), 64 * 1024).await;
    let bytes = bytes.map_err(|_| Refusal::BodyTooLarge)?;
    Ok(serde_json::from_slice(&bytes).map_err(|_| Refusal::BodyMalformed)?)
}

/// Whom a listing is about: the person that the query names as `user`, or everybody.
fn about(view: &impl View, request: &axum::extract::Request) -> Result<Option<UserId>, Failed> {
    let query = Params::parse(request.uri().query().unwrap_or_default().as_bytes())?;
    let Some(username) = query.parsed("user")? else { return Ok(None) };
    let (id, _) = named(view, &username)?.ok_or(Refusal::UserNotFound)?;
    Ok(Some(id))
}
