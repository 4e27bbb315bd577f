//! `/oauth/userinfo`: OpenID Connect Core §5.3.

use std::sync::Arc;

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};

use super::json::Json;
use crate::app::App;
use crate::flow::token::userinfo;
use crate::http::extract::bearer::{BearerToken, PostedBearerToken};
use crate::http::failure::BearerFailure;

pub(in crate::http) async fn get(
    State(app): State<Arc<App>>,
    BearerToken(token): BearerToken,
) -> Result<Response, BearerFailure> {
    response(&app, &token).await
}

pub(in crate::http) async fn post(
    State(app): State<Arc<App>>,
    PostedBearerToken(token): PostedBearerToken,
) -> Result<Response, BearerFailure> {
    response(&app, &token).await
}

/// The response, signed if the client registered an algorithm for it.
///
/// §5.3.2: "The UserInfo Claims MUST be returned as the members of a JSON object unless a signed or
/// encrypted response was requested during Client Registration". The media type of a signed one is
/// `application/jwt`.
async fn response(app: &App, token: &str) -> Result<Response, BearerFailure> {
    let cx = app.present();
    let verified = app.keys().verify_access(token, cx.now)?;
    let (userinfo, alg) = userinfo::read(&app.read()?, &cx, &verified)?;
    let Some(alg) = alg else { return Ok(Json(userinfo).into_response()) };
    let signed = app.sign(alg, "JWT", &userinfo).await?;
    Ok(([(header::CONTENT_TYPE, "application/jwt")], signed).into_response())
}
