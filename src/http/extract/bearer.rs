//! Access tokens in requests: [RFC 6750 §2](https://www.rfc-editor.org/rfc/rfc6750#section-2).

use std::sync::Arc;

use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};

use super::body;
use crate::app::App;
use crate::error::Refusal;
use crate::http::failure::BearerFailure;
use crate::oauth::params::Params;

/// The token in the `Authorization` header (§2.1).
pub(in crate::http) struct BearerToken(pub(in crate::http) String);

impl FromRequestParts<Arc<App>> for BearerToken {
    type Rejection = BearerFailure;

    async fn from_request_parts(parts: &mut Parts, _: &Arc<App>) -> Result<Self, BearerFailure> {
        let token = from_header(&parts.headers)?;
        Ok(Self(token.ok_or(Refusal::BearerTokenMissing)?))
    }
}

/// The token in the `Authorization` header, or in the form (§2.2).
pub(in crate::http) struct PostedBearerToken(pub(in crate::http) String);

impl FromRequest<Arc<App>> for PostedBearerToken {
    type Rejection = BearerFailure;

    async fn from_request(request: Request, _: &Arc<App>) -> Result<Self, BearerFailure> {
        let in_header = from_header(request.headers())?;
        let form = if request.headers().contains_key(header::CONTENT_TYPE) {
            body::form(request).await.map_err(|refusal| match in_header {
                Some(_) => refusal.into(),
                None => BearerFailure::without_token(refusal),
            })?
        } else {
            Params::default()
        };
        let in_form = form.one("access_token")?;
        // §2: "Clients MUST NOT use more than one method to transmit the token in each request."
        if in_header.is_some() && in_form.is_some() {
            return Err(Refusal::BearerTokenRepeated.into());
        }
        let token = in_header.or(in_form.map(str::to_owned));
        Ok(Self(token.ok_or(Refusal::BearerTokenMissing)?))
    }
}

/// Reads `Authorization: Bearer b64token` (§2.1). Returns `None` for credentials of another scheme.
pub(in crate::http) fn from_header(headers: &HeaderMap) -> Result<Option<String>, Refusal> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(Refusal::BearerTokenRepeated);
    }
    let value = value.to_str().map_err(|_| Refusal::BearerTokenMalformed)?;
    let (scheme, token) = value.split_once(' ').unwrap_or((value, ""));
    Ok(scheme.eq_ignore_ascii_case("bearer").then(|| token.trim().to_owned()))
}
