//! `/oauth/session`: an anonymous session, for a client that the operator allowed it.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::Value;

use super::token::{Tokens, sign};
use crate::app::App;
use crate::error::Error;
use crate::flow::session::anonymous::{self, SessionRequest};
use crate::http::extract::caller::{self, Caller};
use crate::http::extract::{body, peer};
use crate::http::failure::Failure;
use crate::http::pages::browser::with_cookie;
use crate::http::pages::cookie::Cookie;
use crate::model::anonymous::AnonymousRequest;
use crate::oauth::redirect_uri::RedirectUri;

/// A successful answer: that of RFC 6749 §5.1, and whose token it is.
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

/// No cookie that comes is read: whoever asks gets a session of its own each time.
pub(in crate::http) async fn open(
    State(app): State<Arc<App>>,
    request: Request,
) -> Result<Response, Failure> {
    let caller = Caller::of(&app, &request);
    handle(&app, &caller, request).await.map_err(|error| caller.failure(error))
}

async fn handle(app: &Arc<App>, caller: &Caller, request: Request) -> Result<Response, Error> {
    let (address, device) = (peer::address(app, &request), peer::device(app, &request));
    let session_request = SessionRequest { address, device };
    let request = AnonymousRequest::from_value(&body::json::<Value>(request).await?)?;
    let proven = caller::proven_by_head(app, caller, &request.client_id).await?;
    anonymous::check_capacity(&app.read()?, &app.context(), session_request.address)?;
    // Once committed, signing must not fail for want of a key.
    app.complete_keys().await?;
    let opened =
        app.write(move |tx, cx| anonymous::open(tx, cx, &proven, &session_request, &request));
    let opened = opened.await?;
    let session = opened.session;
    let lasting = session.expires.since(session.created);
    let handle = SessionResponse {
        tokens: sign(app, opened.issued).await?,
        redirect_uri: session.redirect_uri,
        session_id: opened.id.to_string(),
        session_expires_in: lasting.as_secs(),
        sub: session.sub.to_string(),
    };
    let cookie = Cookie::Anonymous.set(&app.rules().issuer, &opened.secret.expose(), lasting);
    Ok(with_cookie(Json(handle).into_response(), cookie))
}
