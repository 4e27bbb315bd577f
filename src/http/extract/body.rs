//! Queries and bodies, limited in size and time.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use http_body_util::LengthLimitError;
use serde::de::DeserializeOwned;

use crate::app::App;
use crate::error::Refusal;
use crate::http::about::About;
use crate::http::failure::{JsonFailure, PageFailure};
use crate::oauth::params::Params;

/// The most bytes of a form. The limit of the header section (`section.rs`) bounds a query.
const MAX_FORM: usize = 32 * 1024;
/// The most bytes of a JSON body.
pub(in crate::http) const MAX_JSON: usize = 64 * 1024;

/// The time within which a body must arrive.
const TIMEOUT: Duration = Duration::from_secs(15);

/// A query. Its errors are pages.
pub(in crate::http) struct Query(pub(in crate::http) Params);

impl FromRequestParts<Arc<App>> for Query {
    type Rejection = PageFailure;

    async fn from_request_parts(parts: &mut Parts, _: &Arc<App>) -> Result<Self, PageFailure> {
        let query = parts.uri.query().unwrap_or_default();
        let params = Params::parse(query.as_bytes())?;
        About::of(&parts.extensions).asks(&params, &Bytes::copy_from_slice(query.as_bytes()));
        Ok(Self(params))
    }
}

/// A form that a page of any origin may post. Its errors are pages.
pub(in crate::http) struct Form(pub(in crate::http) Params);

impl FromRequest<Arc<App>> for Form {
    type Rejection = PageFailure;

    async fn from_request(request: Request, _: &Arc<App>) -> Result<Self, PageFailure> {
        Ok(Self(form(request).await?))
    }
}

/// A JSON body. Its errors are JSON.
pub(in crate::http) struct JsonBody<T>(pub(in crate::http) T);

impl<T: DeserializeOwned> FromRequest<Arc<App>> for JsonBody<T> {
    type Rejection = JsonFailure;

    async fn from_request(request: Request, _: &Arc<App>) -> Result<Self, JsonFailure> {
        Ok(Self(json(request).await?))
    }
}

/// Reads a form (`application/x-www-form-urlencoded`).
///
/// # Errors
///
/// [`Refusal::BodyTypeUnsupported`], or those of the size, the time and the parameters.
pub(super) async fn form(request: Request) -> Result<Params, Refusal> {
    if !has_media_type(request.headers(), "application/x-www-form-urlencoded") {
        return Err(Refusal::BodyTypeUnsupported);
    }
    let about = About::of(request.extensions());
    let written = bytes(request.into_body(), MAX_FORM).await?;
    let params = Params::parse(&written)?;
    about.asks(&params, &written);
    Ok(params)
}

/// Reads a JSON body.
///
/// # Errors
///
/// [`Refusal::BodyMalformed`] also for another media type, or those of the size and the time.
pub(super) async fn json<T: DeserializeOwned>(request: Request) -> Result<T, Refusal> {
    if !has_media_type(request.headers(), "application/json") {
        return Err(Refusal::BodyMalformed);
    }
    serde_json::from_slice(&bytes(request.into_body(), MAX_JSON).await?)
        .map_err(|_| Refusal::BodyMalformed)
}

/// Reads a body of at most `limit` bytes.
pub(in crate::http) async fn bytes(body: Body, limit: usize) -> Result<Bytes, Refusal> {
    let mut body = pin!(to_bytes(body, limit));
    // Nearly every body has come with its head, and needs no timer.
    let read = match poll_fn(|cx| Poll::Ready(body.as_mut().poll(cx))).await {
        Poll::Ready(read) => Ok(read),
        Poll::Pending => tokio::time::timeout(TIMEOUT, body).await,
    };
    match read {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(error)) if is_limit(&error) => Err(Refusal::BodyTooLarge),
        Ok(Err(_)) => Err(Refusal::BodyMalformed),
        Err(_) => Err(Refusal::BodyTooSlow),
    }
}

/// Whether the body exceeded the limit. Otherwise the connection broke.
fn is_limit(error: &axum::Error) -> bool {
    std::error::Error::source(error).is_some_and(|source| source.is::<LengthLimitError>())
}

/// Whether the media type is `expected`; its parameters are ignored.
fn has_media_type(headers: &HeaderMap, expected: &str) -> bool {
    let value = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let media_type = value.and_then(|value| value.split(';').next());
    media_type.is_some_and(|media_type| media_type.trim().eq_ignore_ascii_case(expected))
}
