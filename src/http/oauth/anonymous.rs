//! `/oauth/session`: opens an anonymous session, for a client that the operator allows to.

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::Value;

use super::json::Json;
use super::token::{Tokens, sign};
use crate::app::App;
use crate::flow::session::anonymous::{self, SessionRequest};
use crate::http::extract::body::JsonBody;
use crate::http::extract::caller::Caller;
use crate::http::failure::ClientFailure;
use crate::http::pages::cookie::Cookie;
use crate::http::pages::cookie::with_cookie;
use crate::model::anonymous::AnonymousRequest;
use crate::model::user_agent::DeviceInfo;
use crate::oauth::redirect_uri::RedirectUri;

/// A successful response: the members of RFC 6749 §5.1, and the session.
#[derive(Serialize)]
struct SessionResponse {
    #[serde(flatten)]
    tokens: Tokens,
    #[serde(skip_serializing_if = "Option::is_none")]
    redirect_uri: Option<RedirectUri>,
    session_id: String,
    session_expires_in: u64,
    sub: String,
}

/// Opens an anonymous session. It reads no cookie, so each request opens a new session.
pub(in crate::http) async fn open(
    State(app): State<Arc<App>>,
    caller: Caller,
    device: DeviceInfo,
    JsonBody(body): JsonBody<Value>,
) -> Result<Response, ClientFailure> {
    let request = AnonymousRequest::from_value(&body)?;
    let client = caller.authenticate_by_head(&app, &request.client_id).await?;
    let session_request = SessionRequest { address: caller.address(), device };
    // After the commit, signing must not fail because a key is missing.
    app.complete_keys().await?;
    let opened = app
        .write(move |tx, cx| anonymous::open(tx, cx, &client, &session_request, &request))
        .await?;
    let session = opened.session;
    let lasting = app.rules().config.lifetimes.anonymous;
    let response = SessionResponse {
        tokens: sign(&app, opened.issued).await?,
        redirect_uri: session.redirect_uri,
        session_id: opened.id.to_string(),
        session_expires_in: lasting.as_secs(),
        sub: session.sub.to_string(),
    };
    let cookie = Cookie::Anonymous.set(&app.rules().issuer, &opened.secret.expose(), lasting);
    Ok(with_cookie(Json(response).into_response(), cookie))
}
