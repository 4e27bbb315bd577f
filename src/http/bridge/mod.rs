//! The endpoints of bridges. Their paths, members and numbers are fixed, because existing bridge
//! clients depend on them.

mod access;
mod open;
mod profile;

use std::convert::Infallible;
use std::sync::Arc;

use axum::Router;
use axum::extract::FromRequestParts;
use axum::http::HeaderMap;
use axum::http::request::Parts;
use axum::routing::{get, post};

use super::extract::bearer::from_header;
use super::failure::BearerFailure;
use super::routes::offered;
use crate::app::App;
use crate::error::{Error, Refusal};
use crate::flow::bridge::access::{self as transition, AccessRequest, LiveBridge};
use crate::flow::token::access::live;
use crate::model::bridge::Mode;
use crate::model::user_agent::DeviceInfo;

/// The routes for bridges.
pub(super) fn routes(app: &Arc<App>) -> Router<Arc<App>> {
    let by_certificate = offered(app, Mode::Mtls, post(access::by_certificate));
    let by_code = offered(app, Mode::Session, post(access::by_code));
    let by_pat = offered(app, Mode::Pat, post(access::by_pat));
    let oauth_client = offered(app, Mode::OauthClient, post(profile::oauth_client));
    let pat_by_code = offered(app, Mode::SessionPat, post(access::pat_by_code));
    Router::new()
        .route("/bridge/device-link", get(open::device_link))
        .route("/health", get(open::health))
        .route("/v1/auth/bridge/capabilities", get(open::capabilities))
        .route("/v1/auth/bridge/mtls", by_certificate)
        .route("/v1/auth/bridge/oauth-client", oauth_client)
        .route("/v1/auth/bridge/pat", by_pat)
        .route("/v1/auth/bridge/session", by_code)
        .route("/v1/auth/bridge/session-pat", pat_by_code)
        .route("/v1/bridge/heartbeat", post(profile::heartbeat))
        .route("/v1/bridge/profile/enabled_hosts", post(profile::enabled_hosts))
        .route("/v1/bridge/profile/host-model-filter", post(profile::host_model_filter))
        .route("/v1/bridge/pubkey", get(open::pubkey))
        .route("/v1/bridge/whoami", get(profile::whoami))
}

/// The device that requests access, and the session id that it proposes, if it is well formed.
impl FromRequestParts<Arc<App>> for AccessRequest {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Infallible> {
        let device = DeviceInfo::from_request_parts(parts, app).await?;
        let session = parts.headers.get("x-session-id").and_then(|value| value.to_str().ok());
        let session = session.and_then(|session| session.trim().parse().ok());
        Ok(Self { device, session })
    }
}

/// The live bridge whose token a request carries, in `Authorization` or in `x-api-key`.
struct SignedIn(LiveBridge);

impl FromRequestParts<Arc<App>> for SignedIn {
    type Rejection = BearerFailure;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, BearerFailure> {
        let token = token(&parts.headers)?.ok_or(Refusal::BearerTokenMissing)?;
        let (view, cx) = (app.read()?, app.present());
        let verified = app.keys().verify_access(&token, cx.now)?;
        live(&view, &cx, &verified)?;
        Ok(Self(transition::of_token(&view, &cx, verified.claims())?))
    }
}

fn token(headers: &HeaderMap) -> Result<Option<String>, Refusal> {
    let bearer = from_header(headers)?;
    let mut keys = headers.get_all("x-api-key").iter();
    let key = keys.next().map(|key| key.to_str().map_err(|_| Refusal::BearerTokenMalformed));
    let key = key.transpose()?.map(|key| key.trim().to_owned());
    match (bearer, key, keys.next()) {
        (Some(bearer), Some(key), _) if bearer != key => Err(Refusal::BearerTokenRepeated),
        (_, _, Some(_)) => Err(Refusal::BearerTokenRepeated),
        (bearer, key, None) => Ok(bearer.or(key)),
    }
}

/// Records the use of the bridge's session, if the last record is old enough.
async fn touch(app: &App, bridge: &LiveBridge) -> Result<(), Error> {
    if bridge.needs_touch(app.clock().now()) {
        let id = bridge.id().clone();
        app.record(move |tx, cx| transition::touch(tx, cx, &id)).await?;
    }
    Ok(())
}
