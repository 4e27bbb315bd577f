//! The endpoints of bridges. Paths, names and numbers are fixed: existing bridge clients know them.

mod access;
mod open;
mod profile;

use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::http::HeaderMap;
use axum::routing::{get, post};

use super::extract::peer;
use super::failure::{ErrorFormat, Failure};
use super::oauth::userinfo;
use crate::app::App;
use crate::error::{Error, Refusal};
use crate::flow::bridge::access::{self as transition, AccessRequest, LiveBridge};
use crate::model::bridge::Mode;
use crate::oauth::claims::AccessClaims;

/// The routes of the contract.
pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/bridge/device-link", get(open::device_link))
        .route("/health", get(open::health))
        .route("/v1/auth/bridge/capabilities", get(open::capabilities))
        .route("/v1/auth/bridge/mtls", post(access::by_certificate))
        .route("/v1/auth/bridge/oauth-client", post(profile::oauth_client))
        .route("/v1/auth/bridge/pat", post(access::by_pat))
        .route("/v1/auth/bridge/session", post(access::by_code))
        .route("/v1/auth/bridge/session-pat", post(access::pat_by_code))
        .route("/v1/bridge/heartbeat", post(profile::heartbeat))
        .route("/v1/bridge/profile/enabled_hosts", post(profile::enabled_hosts))
        .route("/v1/bridge/profile/host-model-filter", post(profile::host_model_filter))
        .route("/v1/bridge/pubkey", get(open::pubkey))
        .route("/v1/bridge/whoami", get(profile::whoami))
}

/// Who asks for access: what the request tells of them, and the session that they would like.
fn access_request(app: &App, request: &Request) -> AccessRequest {
    let headers = request.headers();
    let session = headers.get("x-session-id").and_then(|value| value.to_str().ok());
    AccessRequest {
        device: peer::device(app, request),
        session: session.and_then(|session| session.trim().parse().ok()),
    }
}

/// The bridge whose token a request carries, in `Authorization` or in `x-api-key`.
fn bridge(app: &App, headers: &HeaderMap) -> Result<LiveBridge, Failure> {
    let failure = |error: Error, tried| Failure::new(error, ErrorFormat::Bearer { tried });
    let token = token(headers).map_err(|refusal| failure(refusal.into(), true))?;
    let token = token.ok_or_else(|| failure(Refusal::BearerTokenMissing.into(), false))?;
    proven(app, &token).map_err(|error| failure(error, true))
}

fn token(headers: &HeaderMap) -> Result<Option<String>, Refusal> {
    let bearer = userinfo::from_header(headers)?;
    let mut keys = headers.get_all("x-api-key").iter();
    let key = keys.next().map(|key| key.to_str().map_err(|_| Refusal::BearerTokenMalformed));
    let key = key.transpose()?.map(|key| key.trim().to_owned());
    match (bearer, key, keys.next()) {
        (Some(bearer), Some(key), _) if bearer != key => Err(Refusal::BearerTokenRepeated),
        (_, _, Some(_)) => Err(Refusal::BearerTokenRepeated),
        (bearer, key, None) => Ok(bearer.or(key)),
    }
}

fn proven(app: &App, token: &str) -> Result<LiveBridge, Error> {
    let claims: AccessClaims = app.keys().verify(token, "at+jwt")?;
    let (view, cx) = (app.read()?, app.context());
    crate::flow::token::access::live(&view, &cx, &claims)?;
    transition::of_token(&view, &cx, &claims)
}

/// Writes down that a bridge was heard of, where that is due.
async fn heard(app: &App, bridge: &LiveBridge) -> Result<(), Error> {
    if bridge.needs_touch(app.clock().now()) {
        let id = bridge.id().clone();
        app.write(move |tx, cx| transition::touch(tx, cx, &id)).await?;
    }
    Ok(())
}

/// Refuses a way that this installation does not offer.
fn check_mode(app: &App, mode: Mode) -> Result<(), Refusal> {
    let on = app.rules().config.bridge.modes.contains(&mode);
    if on { Ok(()) } else { Err(Refusal::BridgeModeOff) }
}
