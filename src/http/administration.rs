//! `/api/v1` at the ports: the operations of the administration, for a request with an access token of
//! an administrator. No cookie counts here, and no script of another origin reads anything.

use std::net::IpAddr;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{FromRequestParts as _, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};

use super::about::About;
use super::extract::peer::ClientAddress;
use super::extract::{bearer, body};
use super::failure::{BearerFailure, Cause, JsonFailure};
use super::render;
use crate::admin::{self, Asker, Reported};
use crate::app::App;
use crate::error::{ErrorCode, Refusal};
use crate::model::actor::{Acting, Actor};

/// The routes of the operations.
pub(super) fn routes(app: &Arc<App>) -> Router<Arc<App>> {
    admin::operations().route_layer(from_fn_with_state(Arc::clone(app), prove))
}

/// Proves the administrator of a request, and serves it then. Until the token is proven, a failure has
/// the form of any endpoint that takes one; from then on it has its reason and what can be done.
async fn prove(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    let Ok(ClientAddress(address)) = ClientAddress::from_request_parts(&mut parts, &app).await;
    let headers = parts.headers.clone();
    let asker = match proven(&app, &headers, address) {
        Ok(asker) => asker,
        Err(failure) => return failure.into_response(),
    };
    let about = About::of(&parts.extensions);
    about.set_administrator(asker.actor());
    if let Actor::Administrator { client: Some(client), .. } = asker.actor() {
        about.set(client);
    }
    // Within the limits that hold at the ports, of which an operation knows nothing. What is larger, such
    // as a file that is applied, only those send who may do everything.
    let limit = if asker.may_do_all() { admin::MAX_BODY } else { body::MAX_JSON };
    let body = match body::bytes(body, limit).await {
        Ok(bytes) => Body::from(bytes),
        Err(refusal) => return JsonFailure::from(refusal).into_response(),
    };
    parts.extensions.insert(asker);
    let mut response = next.run(Request::from_parts(parts, body)).await;
    let Some(Reported(error, view)) = response.extensions_mut().remove() else { return response };
    if response.status() == StatusCode::UNAUTHORIZED {
        // The token may have ended meanwhile.
        if let Err(failure) = proven(&app, &headers, address) {
            return failure.into_response();
        }
        // Otherwise it is about a token or a certificate in the request, and no other one in the
        // header would help.
        *response.status_mut() = StatusCode::BAD_REQUEST;
    }
    if error.code() == ErrorCode::InsufficientScope
        && let Ok(challenge) = HeaderValue::from_str(&render::bearer(&app, &error, true))
    {
        response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
    }
    response.extensions_mut().insert(view);
    response.extensions_mut().insert(Cause(error));
    response
}

/// The administrator whose token is in the header. RFC 6750 §2: the other ways leave it in logs, or need
/// a form.
fn proven(app: &App, headers: &HeaderMap, address: IpAddr) -> Result<Asker, BearerFailure> {
    let token = bearer::from_header(headers)?.ok_or(Refusal::BearerTokenMissing)?;
    let cx = app.context_of(Acting::stranger(address));
    let token = app.keys().verify_access(&token, cx.now)?;
    Ok(Asker::by_token(&app.read()?, &cx, token)?)
}
