//! `/api/v1/bridge/certificates`: what devices prove themselves with.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Failed, about, body, tls};
use crate::app::App;
use crate::clock::Timestamp;
use crate::error::Refusal;
use crate::flow::bridge::certificate::{self, NewCertificate, Registered};
use crate::model::fingerprint::Fingerprint;
use crate::model::person::Username;
use crate::oauth::display_name::DisplayName;
use crate::tls::Certificate;

/// The most certificates that one listing shows.
const MAX_LISTED: usize = 10_000;

/// A certificate that is there already, or the request for one from the local CA.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Enrolled {
    username: String,
    name: Option<String>,
    certificate: Option<String>,
    request: Option<String>,
}

fn json(registered: &Registered) -> Value {
    let row = &registered.row;
    json!({
        "fingerprint": registered.fingerprint.to_string(),
        "username": registered.person.as_ref().map(|person| person.username.as_str()),
        "name": row.name.as_str(),
        "created": row.created.rfc3339(),
        "expires": row.expires.rfc3339(),
        "revoked": row.revoked.map(Timestamp::rfc3339),
        "used": row.used.map(Timestamp::rfc3339),
    })
}

pub(super) async fn enroll(
    State(app): State<Arc<App>>,
    request: Request,
) -> Result<(StatusCode, Json<Value>), Failed> {
    let enrolled: Enrolled = body(request).await?;
    let username: Username = enrolled.username.parse()?;
    let name: DisplayName = enrolled.name.as_deref().unwrap_or("device certificate").parse()?;
    let (pem, issued) = match (enrolled.certificate, enrolled.request) {
        (Some(certificate), None) => (certificate, false),
        (None, Some(request)) => (tls::for_device(&app, &request, username.as_str())?, true),
        (None, None) | (Some(_), Some(_)) => return Err(Refusal::BodyMalformed.into()),
    };
    let read = Certificate::from_pem(&pem)?;
    let new =
        NewCertificate { expires: read.not_after, fingerprint: read.fingerprint, name, username };
    let registered = app.write(move |tx, cx| certificate::enroll(tx, cx, &new)).await?;
    let mut response = json(&registered);
    if let (true, Value::Object(members)) = (issued, &mut response) {
        members.insert("certificate".to_owned(), pem.into());
    }
    Ok((StatusCode::CREATED, Json(response)))
}

pub(super) async fn list(
    State(app): State<Arc<App>>,
    request: Request,
) -> Result<Json<Value>, Failed> {
    let view = app.read()?;
    let user = about(&view, &request)?;
    let registered = certificate::list(&view, user, MAX_LISTED)?;
    Ok(Json(json!({ "certificates": registered.iter().map(json).collect::<Vec<_>>() })))
}

pub(super) async fn revoke(
    State(app): State<Arc<App>>,
    Path(fingerprint): Path<String>,
) -> Result<Json<Value>, Failed> {
    let fingerprint: Fingerprint = fingerprint.parse().map_err(|_| Refusal::CertificateNotFound)?;
    let revoked = app.write(move |tx, cx| certificate::revoke(tx, cx, &fingerprint)).await?;
    Ok(Json(json(&revoked)))
}

/// Whom a device proves today that holds the certificate's key, or why nobody.
pub(super) async fn person(
    State(app): State<Arc<App>>,
    Path(fingerprint): Path<String>,
) -> Result<Json<Value>, Failed> {
    let fingerprint: Fingerprint =
        fingerprint.parse().map_err(|_| Refusal::DeviceCertificateUnknown)?;
    let (view, cx) = (app.read()?, app.context());
    let (id, person) = certificate::prove(&view, &cx, &fingerprint)?;
    Ok(Json(json!({ "id": id.to_string(), "username": person.username.as_str() })))
}
