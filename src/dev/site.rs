//! The layer around the router of `serve`.

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use serde_json::Value;

use super::approval::{self, authorize, refuse};
use super::faults::{Effect, Met};
use super::installation::Installation;
use super::journal::Outcome;
use super::seen::Seen;
use super::stage::Stage;
use super::{clients, control};
use crate::http::Peer;
use crate::model::person::Username;
use crate::model::user_agent::{DeviceInfo, Locale};

/// The most bytes of an error that is read for its code.
const MAX_ERROR: usize = 64 << 10;

/// The most characters of a `User-Agent`.
const MAX_USER_AGENT: usize = 200;

const AUTHORIZE: &str = "/oauth/authorize";
const DEVICE_AUTHORIZATION: &str = "/oauth/device_authorization";

/// The router of a development server: the control API, and everything that `serve` serves.
pub(super) fn router(stage: &Arc<Stage>) -> Router {
    let site = Router::new().fallback(respond).with_state(Arc::clone(stage));
    control::router(stage).merge(site)
}

async fn respond(State(stage): State<Arc<Stage>>, request: Request) -> Response {
    let installation = stage.installation();
    let (parts, body) = request.into_parts();
    let met = stage.faults.take_for(&parts.method, parts.uri.path());
    let fault = met.as_ref().map(|met| met.id);
    let id = stage.journal.receive(installation.app.clock().now(), &parts, fault);
    let (of, seen) = (format!("{} {}", parts.method, parts.uri.path()), Seen::default());
    let is_form = parts.method == Method::POST && is_form(&parts.headers);
    let request = Request::from_parts(parts, seen.watch(body));
    let response = installation.drawing(&of, played(&stage, &installation, met, request)).await;
    let (response, error) = with_error(response).await;
    let event_id = response.headers().get("gatelodge-event").and_then(|id| id.to_str().ok());
    stage.journal.finish(
        id,
        Outcome {
            error,
            event_id: event_id.map(str::to_owned),
            form: if is_form { seen.bytes() } else { Vec::new() },
            status: response.status().as_u16(),
        },
    );
    response
}

fn is_form(headers: &HeaderMap) -> bool {
    let form = "application/x-www-form-urlencoded";
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    kind.is_some_and(|kind| kind.to_ascii_lowercase().starts_with(form))
}

/// The response to a request, after what a test asked for has happened to it.
async fn played(
    stage: &Stage,
    installation: &Installation,
    met: Option<Met>,
    request: Request,
) -> Response {
    let effect = match met {
        Some(met) => met.effect().await,
        None => Effect::None,
    };
    let (path, method) = (request.uri().path().to_owned(), request.method().clone());
    let authorizes = path == AUTHORIZE && matches!(method, Method::GET | Method::POST);
    let device = device(&request);
    match effect {
        Effect::Status(status) => return (status, "a test asked for it\n").into_response(),
        Effect::Error(error) if authorizes && error.status.is_none() => {
            let response = installation.respond(request).await;
            return refuse(installation, device, response, error).await;
        }
        Effect::Error(error) => return error.response(),
        Effect::None => {}
    }
    let request = if stage.plan.open_clients {
        match clients::introduce(installation, request).await {
            Ok(request) => request,
            Err(response) => return response,
        }
    } else {
        request
    };
    let response = installation.respond(request).await;
    match stage.approves() {
        Some(username) if authorizes => authorize(installation, &username, device, response).await,
        Some(username) if path == DEVICE_AUTHORIZATION && response.status().is_success() => {
            allow_device(installation, username, response).await
        }
        Some(_) | None => response,
    }
}

/// Allows the device that a response gives its codes to.
async fn allow_device(
    installation: &Installation,
    username: Username,
    response: Response,
) -> Response {
    let (parts, body) = response.into_parts();
    let bytes = match to_bytes(body, MAX_ERROR).await {
        Ok(bytes) => bytes,
        Err(error) => {
            tracing::error!(%error, "the codes of a device could not be read");
            return StatusCode::INTERNAL_SERVER_ERROR.into_response();
        }
    };
    let codes: Value = serde_json::from_slice(&bytes).unwrap_or_default();
    if let Some(code) = codes.get("user_code").and_then(Value::as_str)
        && let Err(error) = approval::decide(installation, username, code, true).await
    {
        tracing::error!(%error, "gatelodge dev could not allow a device");
    }
    Response::from_parts(parts, Body::from(bytes))
}

/// The code of the error that a response is, in JSON.
async fn with_error(response: Response) -> (Response, Option<String>) {
    let kind = response.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let status = response.status();
    let is_error = status.is_client_error() || status.is_server_error();
    if !is_error || !kind.is_some_and(|kind| kind.starts_with("application/json")) {
        return (response, None);
    }
    let (parts, body) = response.into_parts();
    let Ok(bytes) = to_bytes(body, MAX_ERROR).await else {
        return (Response::from_parts(parts, Body::empty()), None);
    };
    let error: Value = serde_json::from_slice(&bytes).unwrap_or_default();
    let code = error.get("error").and_then(Value::as_str).map(str::to_owned);
    (Response::from_parts(parts, Body::from(bytes)), code)
}

/// The device that sent a request.
fn device(request: &Request) -> DeviceInfo {
    let text = |name| request.headers().get(name).and_then(|value| value.to_str().ok());
    let address = request.extensions().get::<Peer>().map(|peer| peer.0.to_string());
    DeviceInfo {
        address: address.unwrap_or_default(),
        user_agent: text(header::USER_AGENT).map(|own| own.chars().take(MAX_USER_AGENT).collect()),
        locale: text(header::ACCEPT_LANGUAGE).and_then(Locale::first),
    }
}
