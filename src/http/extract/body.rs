//! Bodies and queries: bounded in size and time, and read as what they are.

use std::time::Duration;

use axum::body::to_bytes;
use axum::extract::Request;
use axum::http::{HeaderMap, header};
use http_body_util::LengthLimitError;
use serde::de::DeserializeOwned;

use crate::error::Refusal;
use crate::oauth::params::Params;

/// The most bytes of a form, and of a WebAuthn answer.
const MAX_FORM: usize = 32 * 1024;
const MAX_JSON: usize = 64 * 1024;

/// How long a body may take to arrive.
const TIMEOUT: Duration = Duration::from_secs(15);

/// The parameters of a query.
pub(in crate::http) fn query(request: &Request) -> Result<Params, Refusal> {
    let query = request.uri().query().unwrap_or_default();
    if query.len() > MAX_FORM {
        return Err(Refusal::BodyTooLarge);
    }
    Params::parse(query.as_bytes())
}

/// The parameters of a form.
pub(in crate::http) async fn form(request: Request) -> Result<Params, Refusal> {
    if !is(request.headers(), "application/x-www-form-urlencoded") {
        return Err(Refusal::BodyTypeUnsupported);
    }
    Params::parse(&bytes(request, MAX_FORM).await?)
}

/// A JSON body.
pub(in crate::http) async fn json<T: DeserializeOwned>(request: Request) -> Result<T, Refusal> {
    if !is(request.headers(), "application/json") {
        return Err(Refusal::BodyMalformed);
    }
    serde_json::from_slice(&bytes(request, MAX_JSON).await?).map_err(|_| Refusal::BodyMalformed)
}

async fn bytes(request: Request, limit: usize) -> Result<axum::body::Bytes, Refusal> {
    let body = to_bytes(request.into_body(), limit);
    match tokio::time::timeout(TIMEOUT, body).await {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(error)) if is_limit(&error) => Err(Refusal::BodyTooLarge),
        Ok(Err(_)) => Err(Refusal::BodyMalformed),
        Err(_) => Err(Refusal::BodyTooSlow),
    }
}

/// Whether a body was given up for its length, and did not break off by itself.
fn is_limit(error: &axum::Error) -> bool {
    std::error::Error::source(error).is_some_and(|source| source.is::<LengthLimitError>())
}

/// Whether the media type is `kind`, whatever its parameters.
fn is(headers: &HeaderMap, kind: &str) -> bool {
    let value = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let media = value.and_then(|value| value.split(';').next());
    media.is_some_and(|media| media.trim().eq_ignore_ascii_case(kind))
}
