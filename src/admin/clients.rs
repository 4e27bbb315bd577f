//! `/api/v1/clients`. The members are those of RFC 7591 §2, and ours beside them.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use serde::Serialize;
use serde_json::{Map, Value, json};
use zeroize::Zeroizing;

use super::{Failed, body};
use crate::app::App;
use crate::error::Refusal;
use crate::flow::client::operator::{self, Change, NewClient};
use crate::oauth::client::decisions::OperatorDecisions;
use crate::oauth::client::member::Sector;
use crate::oauth::client::metadata::ClientMetadata;
use crate::oauth::client::{ClientSecret, ClientType};
use crate::oauth::id::ClientId;
use crate::secret::MadeClientSecret;
use crate::store::View;
use crate::store::schema::{Client, Origin};

/// The most clients of one listing.
const MAX_LISTED: usize = 10_000;

/// A client as operators read it, with the values that are in force.
#[derive(Serialize)]
pub(super) struct ClientView {
    client_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_secret: Option<String>,
    client_type: ClientType,
    created: String,
    enabled: bool,
    name: String,
    origin: &'static str,
    #[serde(flatten)]
    decisions: OperatorDecisions,
    #[serde(flatten)]
    metadata: ClientMetadata,
}

impl ClientView {
    /// The view of a client. A secret is in it only when it is made.
    pub(super) fn new(id: &ClientId, client: &Client, secret: Option<&MadeClientSecret>) -> Self {
        let sector = client.sector().and_then(|sector| sector.parse::<Sector>().ok());
        Self {
            client_id: id.to_string(),
            client_secret: secret.map(|secret| secret.expose().as_str().to_owned()),
            client_type: client.metadata.client_type(),
            created: client.created.rfc3339(),
            enabled: client.enabled,
            name: client.metadata.name().to_owned(),
            origin: match client.origin {
                Origin::Document { .. } => "document",
                Origin::Dynamic { .. } => "dynamic",
                Origin::Hook => "hook",
                Origin::Operator => "operator",
            },
            // The scope and the name are members once.
            decisions: OperatorDecisions { scope: None, sector, ..client.decisions.clone() },
            metadata: ClientMetadata { client_name: None, ..client.metadata_in_force() },
        }
    }
}

pub(super) async fn list(State(app): State<Arc<App>>) -> Result<Json<Value>, Failed> {
    let clients = app.read()?.list::<Client>(MAX_LISTED)?;
    let view = |(id, client): &(ClientId, Client)| ClientView::new(id, client, None);
    let clients: Vec<ClientView> = clients.iter().map(view).collect();
    Ok(Json(json!({ "clients": clients })))
}

pub(super) async fn add(
    State(app): State<Arc<App>>,
    request: Request,
) -> Result<(StatusCode, Json<ClientView>), Failed> {
    let mut members = body::<Map<String, Value>>(request).await?;
    let secret = match members.remove("client_secret") {
        None | Some(Value::Null) => None,
        Some(Value::String(secret)) => hashed(&app, Some(secret)).await?,
        Some(_) => return Err(Refusal::BodyMalformed.into()),
    };
    let new = NewClient { secret, ..NewClient::from_members(&members)? };
    let (id, client, secret) = app.write(move |tx, cx| operator::add(tx, cx, &new)).await?;
    Ok((StatusCode::CREATED, Json(ClientView::new(&id, &client, secret.as_ref()))))
}

/// The hash of a secret that the operator chose, if they did.
async fn hashed(app: &App, secret: Option<String>) -> Result<Option<String>, Failed> {
    let Some(secret) = secret.map(Zeroizing::new) else { return Ok(None) };
    let secret: ClientSecret = secret.parse().map_err(|_| Refusal::ClientSecretUnfit)?;
    Ok(Some(app.passwords().hash(secret.expose(), &app.context().seed).await?))
}

/// Changes what a JSON Merge Patch (RFC 7396) names, and nothing else. Null takes a member back to
/// its default.
pub(super) async fn change(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    request: Request,
) -> Result<Json<ClientView>, Failed> {
    let id: ClientId = id.parse()?;
    let mut patch = body::<Map<String, Value>>(request).await?;
    let secret = match patch.remove("client_secret") {
        None => None,
        Some(Value::String(secret)) => hashed(&app, Some(secret)).await?,
        Some(_) => return Err(Refusal::ClientSecretUnfit.into()),
    };
    let enabled = match patch.remove("enabled") {
        None => None,
        Some(Value::Bool(enabled)) => Some(enabled),
        Some(_) => return Err(Refusal::BodyMalformed.into()),
    };
    let change = Change { enabled, members: patch, secret };
    let changed = id.clone();
    let (client, secret) =
        app.write(move |tx, cx| operator::change(tx, cx, &changed, &change)).await?;
    Ok(Json(ClientView::new(&id, &client, secret.as_ref())))
}

pub(super) async fn rotate_secret(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
) -> Result<Json<ClientView>, Failed> {
    let id: ClientId = id.parse()?;
    let rotated = id.clone();
    let (client, secret) =
        app.write(move |tx, cx| operator::rotate_secret(tx, cx, &rotated)).await?;
    Ok(Json(ClientView::new(&id, &client, Some(&secret))))
}

pub(super) async fn show(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
) -> Result<Json<ClientView>, Failed> {
    let id: ClientId = id.parse()?;
    let client = app.read()?.find::<Client>(&id)?.ok_or(Refusal::ClientNotFound)?;
    Ok(Json(ClientView::new(&id, &client, None)))
}

pub(super) async fn remove(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
) -> Result<Json<Value>, Failed> {
    let id: ClientId = id.parse()?;
    let removed = id.clone();
    let ended = app.write(move |tx, cx| operator::remove(tx, cx, &removed)).await?;
    Ok(Json(json!({ "client_id": id.as_str(), "grants_ended": ended })))
}
