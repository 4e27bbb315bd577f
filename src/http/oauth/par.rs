//! `/oauth/par`: RFC 9126 §2.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::authorize::hinted_subject;
use crate::app::App;
use crate::error::Error;
use crate::flow::authorize::{self, CheckedRequest};
use crate::http::extract::body;
use crate::http::extract::caller::{self, Caller};
use crate::http::failure::Failure;
use crate::oauth::authorize::pushed;
use crate::secret::PushedReference;
use crate::store::schema::Pushed;

/// Keeps an authorization request for its browser, checked as the authorization endpoint checks
/// one (RFC 9126 §2.1), and answers with the reference to it.
pub(in crate::http) async fn push(
    State(app): State<Arc<App>>,
    request: Request,
) -> Result<Response, Failure> {
    let caller = Caller::of(&app, &request);
    let pushed = pushed(&app, &caller, request).await;
    let reference = pushed.map_err(|error| caller.failure(error))?;
    let body = json!({
        "request_uri": pushed::request_uri(&reference),
        "expires_in": app.rules().config.lifetimes.pushed_request.as_secs(),
    });
    Ok((StatusCode::CREATED, Json(body)).into_response())
}

/// RFC 9126 §2.1: the server "MUST process the request as follows": authenticate the client as at
/// the token endpoint, refuse a `request_uri`, validate the rest as at the authorization endpoint.
async fn pushed(
    app: &Arc<App>,
    caller: &Caller,
    request: Request,
) -> Result<PushedReference, Error> {
    let form = body::form(request).await?;
    let proven = caller::proven(app, caller, &form).await?;
    let view = app.read()?;
    let (parameters, mut request) = pushed::parse(proven.id(), &form)?;
    let (client, callback) = authorize::resolve(&view, &parameters)?;
    authorize::check(&view, app.rules(), &client, &mut request)?;
    authorize::check_capacity_for::<Pushed>(&view, app.rules())?;
    let hinted_subject = hinted_subject(app, proven.id(), request.id_token_hint.take().as_deref())?;
    let checked = CheckedRequest {
        callback,
        client: parameters.client_id,
        expected: hinted_subject,
        redirect_uri_named: parameters.redirect_uri.is_some(),
        request,
    };
    app.write(move |tx, cx| authorize::pushed::push(tx, cx, &proven, &checked)).await
}
