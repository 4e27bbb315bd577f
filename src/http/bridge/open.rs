//! The endpoints that need no authentication, and the redirect to the page that links a bridge.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::app::App;
use crate::flow::bridge::link;
use crate::http::destination::PagePath;
use crate::http::extract::body::Query;
use crate::http::extract::navigation::Navigation;
use crate::http::extract::peer::Sender;
use crate::http::failure::{JsonFailure, PageFailure};
use crate::http::pages::cookie::with_interaction_cookie;
use crate::http::redirect;
use crate::model::bridge::{LinkRedirect, Mode};
use crate::model::network::Network;

/// Liveness: the server runs. Bridges probe it before they sign in.
pub(super) async fn health() -> Json<Value> {
    Json(json!({ "status": "ok" }))
}

/// The modes of access that are enabled.
pub(super) async fn capabilities(State(app): State<Arc<App>>) -> Json<Value> {
    let on = &app.rules().config.bridge.modes;
    // Without a listener for devices, no connection can prove a certificate.
    let devices = !app.rules().config.tls.listen_for_devices.is_empty();
    let modes = Mode::ALL.iter().filter(|mode| on.contains(mode));
    let modes = modes.filter(|mode| devices || **mode != Mode::Mtls);
    Json(json!({ "modes": modes.map(|mode| mode.as_str()).collect::<Vec<_>>() }))
}

/// The public key that bridges pin: 32 bytes in standard base64.
pub(super) async fn pubkey(State(app): State<Arc<App>>) -> Result<Json<Value>, JsonFailure> {
    let key = app.bridge_key().await?;
    Ok(Json(json!({ "pubkey": STANDARD.encode(key.public) })))
}

/// Stores the request of a bridge, and redirects the browser to its page. It reads no cookie.
pub(super) async fn device_link(
    State(app): State<Arc<App>>,
    _: Navigation,
    Query(query): Query,
    sender: Sender,
) -> Result<Response, PageFailure> {
    let uri: Option<LinkRedirect> = query.parsed("redirect")?;
    if sender.head {
        return Ok(redirect::to_head());
    }
    let network = Network::of(sender.address);
    let started = app.write(move |tx, cx| link::start(tx, cx, network, uri.as_ref()));
    let (id, secret) = started.await?;
    let response = redirect::to_page(&PagePath::Link(id));
    Ok(with_interaction_cookie(&app, response, id, &secret))
}
