//! `/api/v1/issuer`.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Request, State};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Failed, body};
use crate::app::App;
use crate::error::Internal;
use crate::flow::installation;
use crate::oauth::issuer::Issuer;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Change {
    issuer: String,
    #[serde(default)]
    confirm: bool,
}

/// The issuer that the store holds: a running server keeps the one it started with.
pub(super) async fn show(State(app): State<Arc<App>>) -> Result<Json<Value>, Failed> {
    let found = installation::find(&app.read()?)?;
    let found = found.ok_or_else(|| Internal::new("the store holds no installation"))?;
    Ok(Json(json!({ "issuer": found.issuer.as_str() })))
}

pub(super) async fn change(
    State(app): State<Arc<App>>,
    request: Request,
) -> Result<Json<Value>, Failed> {
    let change: Change = body(request).await?;
    let issuer: Issuer = change.issuer.parse()?;
    let (next, confirm) = (issuer.clone(), change.confirm);
    let json = app.write(move |tx, _| installation::change_issuer(tx, &next, confirm)).await?;
    let named = |(username, passkey): &(String, String)| json!({ "username": username, "passkey": passkey });
    Ok(Json(json!({
        "issuer": issuer.as_str(),
        "previous": json.previous.as_str(),
        "orphaned": json.orphaned.iter().map(named).collect::<Vec<_>>(),
        "changed": confirm,
    })))
}
