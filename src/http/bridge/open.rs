//! What a bridge asks before it is signed in, and the way to its page.

use std::net::IpAddr;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Request, State};
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::app::App;
use crate::error::{Error, Refusal};
use crate::flow::authorize;
use crate::flow::bridge::link;
use crate::http::extract::{body, peer};
use crate::http::failure::Failure;
use crate::http::oauth::authorize::to_page;
use crate::model::bridge::{LinkRedirect, Mode};

/// The program runs. Bridges probe it before they sign in.
pub(super) async fn health() -> Json<Value> {
    Json(json!({ "status": "ok" }))
}

/// The ways that are on.
pub(super) async fn capabilities(State(app): State<Arc<App>>) -> Json<Value> {
    let on = &app.rules().config.bridge.modes;
    // Without a listener where devices prove their certificates there is nothing to compare.
    let devices = !app.rules().config.tls.listen_for_devices.is_empty();
    let modes = Mode::ALL.iter().filter(|mode| on.contains(mode));
    let modes = modes.filter(|mode| devices || **mode != Mode::Mtls);
    Json(json!({ "modes": modes.map(|mode| mode.as_str()).collect::<Vec<_>>() }))
}

/// The key that signs what a bridge must trust: its 32 bytes in standard base64.
pub(super) async fn pubkey(State(app): State<Arc<App>>) -> Result<Json<Value>, Failure> {
    let key = app.bridge_key().await.map_err(Failure::json)?;
    Ok(Json(json!({ "pubkey": STANDARD.encode(key.public) })))
}

/// The request is stored, and the browser goes on to its page. Like the authorization endpoint
/// this reads no cookie.
pub(super) async fn device_link(
    State(app): State<Arc<App>>,
    request: Request,
) -> Result<Response, Failure> {
    // Whoever only looks brings nothing about.
    let looks = request.method() == Method::HEAD;
    let redirect = body::query(&request).and_then(|query| query.parsed("redirect"));
    let address = peer::address(&app, &request);
    linked(&app, redirect, address, looks).await.map_err(Failure::page)
}

async fn linked(
    app: &App,
    redirect: Result<Option<LinkRedirect>, Refusal>,
    address: IpAddr,
    looks: bool,
) -> Result<Response, Error> {
    let redirect = redirect?;
    if looks {
        return Ok(StatusCode::SEE_OTHER.into_response());
    }
    authorize::check_capacity(&app.read()?, app.rules())?;
    let begun = app.write(move |tx, cx| {
        authorize::admit(tx, cx, address)?;
        link::start(tx, cx, redirect.as_ref())
    });
    let begun = begun.await;
    let (id, secret) = begun?;
    Ok(to_page(app, id, &secret, &format!("/gate/link/{id}")))
}
