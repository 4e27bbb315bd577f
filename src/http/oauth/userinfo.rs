//! `/oauth/userinfo`: OpenID Connect Core §5.3.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};

use crate::app::App;
use crate::error::{Error, Refusal};
use crate::flow::token::userinfo;
use crate::http::extract::body;
use crate::http::failure::{ErrorFormat, Failure};

pub(in crate::http) async fn get(
    State(app): State<Arc<App>>,
    request: Request,
) -> Result<Response, Failure> {
    let token = from_header(request.headers()).map_err(|error| failure(error, true))?;
    handle(&app, token).await
}

/// RFC 6750 §2.2: the token may stand in the form instead.
pub(in crate::http) async fn post(
    State(app): State<Arc<App>>,
    request: Request,
) -> Result<Response, Failure> {
    let in_header = from_header(request.headers()).map_err(|error| failure(error, true))?;
    let has_form = request.headers().contains_key(header::CONTENT_TYPE);
    let form = if has_form {
        body::form(request).await.map_err(|error| failure(error, in_header.is_some()))?
    } else {
        crate::oauth::params::Params::default()
    };
    let in_form = form.one("access_token").map_err(|error| failure(error, true))?;
    // §2: "Clients MUST NOT use more than one method to transmit the token in each request."
    if in_header.is_some() && in_form.is_some() {
        return Err(failure(Refusal::BearerTokenRepeated, true));
    }
    handle(&app, in_header.or(in_form.map(str::to_owned))).await
}

async fn handle(app: &App, token: Option<String>) -> Result<Response, Failure> {
    let token = token.ok_or_else(|| failure(Refusal::BearerTokenMissing, false))?;
    response(app, &token).await.map_err(|error| failure(error, true))
}

/// §5.3.2: "The UserInfo Claims MUST be returned as the members of a JSON object unless a signed or
/// encrypted response was requested during Client Registration"; a signed one is
/// `application/jwt`.
async fn response(app: &App, token: &str) -> Result<Response, Error> {
    let context = app.context();
    let claims = app.keys().verify_access(token, context.now)?;
    let (userinfo, alg) = userinfo::read(&app.read()?, &context, &claims)?;
    let Some(alg) = alg else { return Ok(Json(userinfo).into_response()) };
    let signed = app.signing_key(alg).await?.sign("JWT", &userinfo)?;
    Ok(([(header::CONTENT_TYPE, "application/jwt")], signed).into_response())
}

fn failure(error: impl Into<Error>, tried: bool) -> Failure {
    Failure::new(error, ErrorFormat::Bearer { tried })
}

/// RFC 6750 §2.1: `Authorization: Bearer b64token`. Credentials of another scheme are no token.
pub(in crate::http) fn from_header(headers: &HeaderMap) -> Result<Option<String>, Refusal> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(Refusal::BearerTokenRepeated);
    }
    let value = value.to_str().map_err(|_| Refusal::BearerTokenMalformed)?;
    let (scheme, token) = value.split_once(' ').unwrap_or((value, ""));
    let bears = scheme.eq_ignore_ascii_case("bearer");
    Ok(bears.then(|| token.trim().to_owned()))
}
