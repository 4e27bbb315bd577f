//! `/api/v1/resources`: what tokens can be for. The members are those of RFC 9728 §2, and ours
//! beside them.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Failed, body, optional};
use crate::app::App;
use crate::error::Refusal;
use crate::flow::resource::registered::{self, Introspecting, NewResource};
use crate::oauth::resource::Resource;
use crate::oauth::scope::Scope;
use crate::store::View;
use crate::store::schema::Protected;

/// The most resources that one listing shows.
const MAX_LISTED: usize = 10_000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Registration {
    resource: String,
    resource_name: Option<String>,
    scope: Option<String>,
    open: Option<bool>,
    #[serde(default)]
    introspect: bool,
    client_id: Option<String>,
}

impl Registration {
    fn parse(self) -> Result<NewResource, Refusal> {
        let resource: Resource = self.resource.parse()?;
        let named = optional(self.resource_name.as_deref())?;
        let host = resource.canonical().split_once("://").map_or("", |(_, rest)| rest);
        let introspecting = match (self.client_id, self.introspect) {
            (Some(id), _) => Introspecting::As(id.parse()?),
            (None, true) => Introspecting::AsItself,
            (None, false) => Introspecting::Not,
        };
        Ok(NewResource {
            introspecting,
            name: named.map_or_else(|| host.trim_end_matches('/').parse(), Ok)?,
            open: self.open.unwrap_or(resource.is_loopback()),
            resource,
            scope: optional::<Scope>(self.scope.as_deref())?.unwrap_or_default(),
        })
    }
}

fn json(app: &App, row: &Protected) -> Value {
    let rules = app.rules();
    let mut challenge = format!("Bearer resource_metadata=\"{}\"", row.resource.metadata_address());
    if !row.scope.is_empty() {
        // RFC 6750 §3: what a client without a token should ask for.
        challenge.push_str(&format!(", scope=\"{}\"", row.scope));
    }
    json!({
        "resource": row.resource,
        "resource_name": row.name.as_str(),
        "scope": row.scope,
        "open": row.open,
        "client_id": row.server,
        "created": row.created.rfc3339(),
        "metadata": registered::metadata(rules, row),
        "metadata_address": row.resource.metadata_address(),
        "metadata_copy": rules.issuer.at(&registered::copy_path(&row.resource)),
        "www_authenticate": challenge,
    })
}

pub(super) async fn list(State(app): State<Arc<App>>) -> Result<Json<Value>, Failed> {
    let resources = app.read()?.list::<Protected>(MAX_LISTED)?;
    let resources: Vec<Value> = resources.iter().map(|(_, row)| json(&app, row)).collect();
    Ok(Json(json!({ "resources": resources })))
}

pub(super) async fn add(
    State(app): State<Arc<App>>,
    request: Request,
) -> Result<(StatusCode, Json<Value>), Failed> {
    let new = body::<Registration>(request).await?.parse()?;
    let (row, secret) = app.write(move |tx, cx| registered::add(tx, cx, &new)).await?;
    let mut response = json(&app, &row);
    if let (Some(secret), Value::Object(members)) = (secret, &mut response) {
        members.insert("client_secret".to_owned(), secret.expose().as_str().into());
    }
    Ok((StatusCode::CREATED, Json(response)))
}

pub(super) async fn show(
    State(app): State<Arc<App>>,
    Path(named): Path<String>,
) -> Result<Json<Value>, Failed> {
    let named: Resource = named.parse()?;
    let row = app.read()?.find::<Protected>(&named.canonical().to_owned())?;
    Ok(Json(json(&app, &row.ok_or(Refusal::ResourceNotFound)?)))
}

pub(super) async fn remove(
    State(app): State<Arc<App>>,
    Path(named): Path<String>,
) -> Result<Json<Value>, Failed> {
    let named: Resource = named.parse()?;
    let removed = app.write(move |tx, cx| registered::remove(tx, cx, &named)).await?;
    Ok(Json(json!({ "resource": removed.resource })))
}
