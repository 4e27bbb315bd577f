//! `/oauth/par`: RFC 9126 §2.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use serde_json::{Value, json};

use super::json::Json;
use crate::app::App;
use crate::http::extract::caller::AuthenticatedForm;
use crate::http::extract::peer::ClientAddress;
use crate::http::failure::ClientFailure;
use crate::oauth::authorize::pushed;

/// Checks an authorization request as the authorization endpoint does (RFC 9126 §2.1), stores it,
/// and responds with its `request_uri`.
pub(in crate::http) async fn push(
    State(app): State<Arc<App>>,
    ClientAddress(address): ClientAddress,
    AuthenticatedForm { client, form }: AuthenticatedForm,
) -> Result<(StatusCode, Json<Value>), ClientFailure> {
    let reference = app.push_authorization(client, address, &form).await?;
    let body = json!({
        "request_uri": pushed::request_uri(&reference),
        "expires_in": app.rules().config.lifetimes.pushed_request.as_secs(),
    });
    Ok((StatusCode::CREATED, Json(body)))
}
