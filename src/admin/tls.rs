//! `/api/v1/tls`: the local CA, and what it issues.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Failed, body};
use crate::app::App;
use crate::error::Refusal;
use crate::tls::{Authority, Certificate, Usage};

const DAY: Duration = Duration::from_hours(24);

/// How many days a certificate lasts where nobody says, and at most: what Apple's systems take
/// from a CA that a person trusts.
const DAYS: u32 = 365;
const MAX_DAYS: u32 = 825;

/// The most names in one certificate.
const MAX_NAMES: usize = 100;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    days: Option<u32>,
    names: Vec<String>,
    request: String,
}

/// What a certificate says, beside itself.
pub(super) fn json(pem: &str) -> Result<Value, Failed> {
    let read = Certificate::from_pem(pem)?;
    Ok(json!({
        "certificate": pem,
        "fingerprint": read.fingerprint.to_string(),
        "not_before": read.not_before.rfc3339(),
        "not_after": read.not_after.rfc3339(),
    }))
}

pub(super) async fn ca(State(app): State<Arc<App>>) -> Result<Json<Value>, Failed> {
    let mut response = json(app.authority()?.pem())?;
    if let Value::Object(members) = &mut response {
        let path = Authority::path(&app.rules().config.places.data);
        members.insert("path".to_owned(), path.display().to_string().into());
    }
    Ok(Json(response))
}

pub(super) async fn issue(
    State(app): State<Arc<App>>,
    request: Request,
) -> Result<(StatusCode, Json<Value>), Failed> {
    let asked: Asked = body(request).await?;
    let days = asked.days.unwrap_or(DAYS);
    let fits = (1..=MAX_DAYS).contains(&days) && (1..=MAX_NAMES).contains(&asked.names.len());
    if !fits {
        return Err(Refusal::BodyMalformed.into());
    }
    let now = app.clock().now();
    let authority = app.authority()?;
    let issued = authority.issue(&asked.request, Usage::Server, &asked.names, DAY * days, now)?;
    Ok((StatusCode::CREATED, Json(json(&issued)?)))
}

/// A certificate by which a device proves itself, for the key that signed `request`.
pub(super) fn for_device(app: &App, request: &str, name: &str) -> Result<String, Failed> {
    let (authority, now) = (app.authority()?, app.clock().now());
    Ok(authority.issue(request, Usage::Client, &[name.to_owned()], DAY * DAYS, now)?)
}
