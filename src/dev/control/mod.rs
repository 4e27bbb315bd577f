//! The control API of a development server, below [`CONTROL`].
//!
//! It is for the program that started the server: it needs the token of the ready line, and refuses
//! whatever a browser sends for a page.

mod clock;
mod end;
mod guard;

use std::sync::Arc;

use axum::Json;
use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, RawQuery, Request, State};
use axum::http::{StatusCode, Uri};
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{any, delete, get, post};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tower::ServiceExt as _;

use super::approval::{self, Decided};
use super::faults::{CONTROL, FaultView, NewFault};
use super::journal::{Entry, Filter};
use super::ready::Ready;
use super::refused::{Problem, Refused};
use super::stage::Stage;
use crate::model::person::Username;
use crate::oauth::params::Params;

/// What there is, for whoever asks for the API itself.
const OPERATIONS: &[(&str, &str)] = &[
    ("GET clock", "the time of the server"),
    ("POST clock", "{\"advance\": \"1h\"}, {\"set\": \"2030-01-01T00:00:00Z\"}, {\"run\": false}"),
    ("GET approval", "who approves each request without a page"),
    ("PUT approval", "{\"user\": \"ada\"}; null: the pages are displayed"),
    ("POST device", "{\"user_code\": \"…\", \"user\": \"ada\", \"deny\": false}"),
    ("POST expire", "one of code, device_code, session, grant, token: it expires now"),
    ("POST revoke", "one of code, device_code, session, grant, token: it is ended"),
    (
        "POST faults",
        "{\"path\": \"/oauth/token\", \"times\": 2, \"status\": 503}, error, delay_ms, hang",
    ),
    ("GET faults", "those that wait, and how many requests hang"),
    ("DELETE faults", "removes all, and lets go what hangs; faults/ID: one"),
    ("GET requests", "those received, without their secrets; ?after=ID&path=/oauth/token"),
    ("DELETE requests", "forgets them"),
    ("POST reset", "back to the first state"),
    ("api/v1/…", "the whole administration API, as gatelodge api describes it"),
];

/// The router of the control API.
pub(super) fn router(stage: &Arc<Stage>) -> Router {
    let at = |path: &str| format!("{CONTROL}{path}");
    let wrong =
        || async { Refused::new(Problem::MethodNotAllowed, "this method is not served here") };
    Router::new()
        .route(CONTROL, get(show).fallback(wrong))
        .route(&at("/api/v1/{*rest}"), any(administer))
        .route(&at("/approval"), get(show_approval).put(approve).fallback(wrong))
        .route(&at("/clock"), get(clock::show).post(clock::change).fallback(wrong))
        .route(&at("/device"), post(decide).fallback(wrong))
        .route(&at("/expire"), post(end::expire).fallback(wrong))
        .route(&at("/revoke"), post(end::revoke).fallback(wrong))
        .route(
            &at("/faults"),
            get(list_faults).post(add_fault).delete(release_faults).fallback(wrong),
        )
        .route(&at("/faults/{id}"), delete(release_fault).fallback(wrong))
        .route(&at("/requests"), get(list_requests).delete(forget_requests).fallback(wrong))
        .route(&at("/reset"), post(reset).fallback(wrong))
        .route(&at("/{*rest}"), any(nothing))
        .layer(from_fn_with_state(Arc::clone(stage), guard::check))
        .with_state(Arc::clone(stage))
}

/// Reads a JSON body.
fn read<T: DeserializeOwned>(body: &Bytes) -> Result<T, Refused> {
    let body: &[u8] = if body.is_empty() { b"{}" } else { body };
    serde_json::from_slice(body)
        .map_err(|error| Refused::new(Problem::InvalidRequest, error.to_string()))
}

async fn nothing() -> Refused {
    let remedy = "GET the address of the control API: it says what there is";
    Refused::new(Problem::NotFound, "the control API has nothing of this name").with_remedy(remedy)
}

async fn show(State(stage): State<Arc<Stage>>) -> Json<Value> {
    let ready = Ready::of(&stage);
    let operations = OPERATIONS.iter().map(|(name, what)| json!({ "name": name, "what": what }));
    Json(json!({
        "issuer": ready.issuer,
        "listen": ready.listen,
        "seed": ready.seed,
        "operations": operations.collect::<Vec<_>>(),
    }))
}

/// An operation of the administration, for the operator.
async fn administer(
    State(stage): State<Arc<Stage>>,
    mut request: Request,
) -> Result<Response, Refused> {
    let own = request.uri().path_and_query().map(|own| own.as_str().to_owned());
    let path = own.as_deref().and_then(|own| own.strip_prefix(CONTROL)).unwrap_or_default();
    let of = format!("control {} {path}", request.method());
    *request.uri_mut() = path.parse::<Uri>().map_err(|error| Refused::failed(error.to_string()))?;
    // The parameters of the route here are none of the operation's.
    request.extensions_mut().clear();
    let installation = stage.installation();
    let response = installation.drawing(&of, installation.admin.clone().oneshot(request)).await;
    Ok(response.unwrap_or_else(|never| match never {}))
}

/// Who approves.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Approval {
    user: Option<String>,
}

async fn show_approval(State(stage): State<Arc<Stage>>) -> Json<Approval> {
    Json(Approval { user: stage.approves().map(|username| username.as_str().to_owned()) })
}

async fn approve(State(stage): State<Arc<Stage>>, body: Bytes) -> Result<Json<Approval>, Refused> {
    let asked: Approval = read(&body)?;
    let username = asked.user.as_deref().map(username).transpose()?;
    stage.set_approves(username);
    Ok(Json(asked))
}

fn username(written: &str) -> Result<Username, Refused> {
    written.parse().map_err(|_| {
        let why = "a username is expected: at most 64 letters, digits and . _ - @ +";
        Refused::new(Problem::InvalidRequest, why).at("user")
    })
}

/// A decision about a device.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DeviceDecision {
    #[serde(default)]
    deny: bool,
    #[serde(default)]
    user: Option<String>,
    user_code: String,
}

async fn decide(State(stage): State<Arc<Stage>>, body: Bytes) -> Result<Json<Value>, Refused> {
    let asked: DeviceDecision = read(&body)?;
    let named = asked.user.as_deref().map(username).transpose()?;
    let username = named.or_else(|| stage.approves()).ok_or_else(|| {
        Refused::new(Problem::InvalidRequest, "nobody approves; name somebody").at("user")
    })?;
    let installation = stage.installation();
    let user = username.as_str().to_owned();
    let decided = approval::decide(&installation, username, &asked.user_code, !asked.deny);
    let decided = installation.drawing("control device", decided).await?;
    match decided {
        Decided::Allowed => Ok(Json(json!({ "allowed": true, "user": user }))),
        Decided::Denied => Ok(Json(json!({ "allowed": false, "user": user }))),
        Decided::Unknown => {
            let why = "no device waits with this code";
            Err(Refused::new(Problem::NotFound, why).at("user_code"))
        }
    }
}

async fn add_fault(State(stage): State<Arc<Stage>>, body: Bytes) -> Result<Response, Refused> {
    let asked: NewFault = read(&body)?;
    Ok((StatusCode::CREATED, Json(stage.faults.add(asked)?)).into_response())
}

/// A listing.
#[derive(Serialize)]
struct Items<T> {
    items: Vec<T>,
}

async fn list_faults(State(stage): State<Arc<Stage>>) -> Json<Items<FaultView>> {
    Json(Items { items: stage.faults.list() })
}

async fn release_faults(State(stage): State<Arc<Stage>>) -> Json<Value> {
    stage.faults.release_all();
    Json(json!({ "removed": true }))
}

async fn release_fault(
    State(stage): State<Arc<Stage>>,
    Path(id): Path<String>,
) -> Result<Json<Value>, Refused> {
    let removed = id.parse().is_ok_and(|id| stage.faults.release(id));
    if !removed {
        return Err(Refused::new(Problem::NotFound, "no fault has this id, or it is over"));
    }
    Ok(Json(json!({ "removed": true })))
}

async fn list_requests(
    State(stage): State<Arc<Stage>>,
    RawQuery(query): RawQuery,
) -> Result<Json<Items<Entry>>, Refused> {
    let wrong = |why: &str| Refused::new(Problem::InvalidRequest, why);
    let params = Params::parse(query.unwrap_or_default().as_bytes());
    let params = params.map_err(|refusal| wrong(&refusal.sentence()))?;
    let mut filter = Filter::default();
    for (name, value) in params.pairs() {
        match name {
            "after" => {
                let number = value.parse();
                filter.after = number.map_err(|_| wrong("a number is expected").at("after"))?;
            }
            "path" => filter.path = Some(value.to_owned()),
            _ => return Err(wrong("after and path are known")),
        }
    }
    Ok(Json(Items { items: stage.journal.list(&filter) }))
}

async fn forget_requests(State(stage): State<Arc<Stage>>) -> Json<Value> {
    stage.journal.clear();
    Json(json!({ "removed": true }))
}

async fn reset(State(stage): State<Arc<Stage>>) -> Result<Json<Value>, Refused> {
    stage.reset().await.map_err(|stop| Refused::failed(stop.to_string()))?;
    let now = stage.installation().app.clock().now().rfc3339();
    Ok(Json(json!({ "issuer": stage.place.issuer.as_str(), "now": now, "reset": true })))
}
