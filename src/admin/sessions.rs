//! `/api/v1/sessions` and `/api/v1/grants`: who is signed in, what they allowed, and its end.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Request, State};
use serde_json::{Value, json};

use super::{Failed, about};
use crate::app::App;
use crate::error::Refusal;
use crate::flow::bridge::access::{self, LiveBridge};
use crate::flow::grant::{self, LiveGrant};
use crate::flow::session::{self, LiveSession};
use crate::oauth::bridge::BridgeSessionId;
use crate::oauth::id::{GrantId, SessionId};

/// The most sessions or grants that one listing looks at.
const MOST: usize = 10_000;

fn shown_session(live: &LiveSession) -> Value {
    json!({
        "id": live.id().to_string(),
        "source": "web",
        "username": live.person().username.as_str(),
        "amr": live.authentication().amr,
        "auth_time": live.authentication().at.rfc3339(),
        "created": live.created().rfc3339(),
        "seen": live.seen().rfc3339(),
        "expires": live.expires().rfc3339(),
    })
}

fn shown_bridge(live: &LiveBridge) -> Value {
    let session = live.session();
    json!({
        "id": live.id().as_str(),
        "source": session.source,
        "username": live.person().username.as_str(),
        "client_id": session.client.as_str(),
        "address": session.address,
        "agent": session.agent,
        "created": session.created.rfc3339(),
        "seen": session.seen.rfc3339(),
        "expires": session.expires.rfc3339(),
    })
}

fn shown_grant(live: &LiveGrant) -> Value {
    let grant = live.grant();
    json!({
        "id": live.id().to_string(),
        "username": live.person().username.as_str(),
        "client_id": grant.client.as_str(),
        "client_name": live.client().name.as_str(),
        "scope": grant.scope,
        "resources": grant.resources,
        "offline": grant.offline,
        "session": grant.session.to_string(),
        "created": grant.created.rfc3339(),
        "expires": grant.expires.rfc3339(),
    })
}

pub(super) async fn list(
    State(app): State<Arc<App>>,
    request: Request,
) -> Result<Json<Value>, Failed> {
    let (view, cx) = (app.read()?, app.context());
    let user = about(&view, &request)?;
    let sessions = session::listed(&view, &cx, user, MOST)?;
    let bridges = access::listed(&view, &cx, user, MOST)?;
    let told = sessions.iter().map(shown_session).chain(bridges.iter().map(shown_bridge));
    Ok(Json(json!({ "sessions": told.collect::<Vec<_>>() })))
}

pub(super) async fn revoke(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
) -> Result<Json<Value>, Failed> {
    let browser = id.parse::<SessionId>();
    let bridge = id.parse::<BridgeSessionId>().map_err(|_| Refusal::SessionNotFound)?;
    // A bridge may have chosen an id that looks like a browser's.
    if access::live(&app.read()?, &app.context(), &bridge)?.is_some() {
        let ended = app.write(move |tx, cx| access::end(tx, cx, &bridge, None)).await?;
        return Ok(Json(shown_bridge(&ended)));
    }
    let id = browser.map_err(|_| Refusal::SessionNotFound)?;
    let revoked = app.write(move |tx, cx| session::revoke(tx, cx, id)).await?;
    Ok(Json(shown_session(&revoked)))
}

pub(super) async fn list_grants(
    State(app): State<Arc<App>>,
    request: Request,
) -> Result<Json<Value>, Failed> {
    let (view, cx) = (app.read()?, app.context());
    let user = about(&view, &request)?;
    let grants = grant::listed(&view, &cx, user, MOST)?;
    Ok(Json(json!({ "grants": grants.iter().map(shown_grant).collect::<Vec<_>>() })))
}

pub(super) async fn revoke_grant(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
) -> Result<Json<Value>, Failed> {
    let id: GrantId = id.parse().map_err(|_| Refusal::GrantNotFound)?;
    let revoked = app.write(move |tx, cx| grant::revoke(tx, cx, id)).await?;
    Ok(Json(shown_grant(&revoked)))
}
