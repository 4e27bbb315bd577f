//! `/api/v1/sessions` and `/api/v1/grants`: who is signed in, what they allowed, and its end.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Request, State};
use serde_json::{Value, json};

use super::{Failed, about};
use crate::app::App;
use crate::error::Refusal;
use crate::flow::bridge::access::{self, LiveBridge};
use crate::flow::session::anonymous::{self, StoredSession};
use crate::flow::session::{self, LiveSession};
use crate::flow::token::grant::{self, LiveGrant};
use crate::model::anonymous::Metadata;
use crate::model::bridge::BridgeSessionId;
use crate::model::user_agent::{DeviceInfo, Locale};
use crate::oauth::id::{GrantId, SessionId};
use crate::store::schema::{AnonymousEnding, Person};
use crate::store::{StoreError, View};

/// The most sessions or grants that one listing looks at.
const MAX_LISTED: usize = 10_000;

fn session_json(live: &LiveSession) -> Value {
    let json = json!({
        "id": live.id().to_string(),
        "source": "web",
        "username": live.person().username.as_str(),
        "amr": live.authentication().amr,
        "auth_time": live.authentication().at.rfc3339(),
        "created": live.created().rfc3339(),
        "seen": live.seen().rfc3339(),
        "expires": live.expires().rfc3339(),
    });
    with_device(json, live.device())
}

fn bridge_json(live: &LiveBridge) -> Value {
    let session = live.session();
    let json = json!({
        "id": live.id().as_str(),
        "source": session.source,
        "username": live.person().username.as_str(),
        "client_id": session.client.as_str(),
        "created": session.created.rfc3339(),
        "seen": session.seen.rfc3339(),
        "expires": session.expires.rfc3339(),
    });
    with_device(json, &session.device)
}

/// A session of any kind, with what it told of its device, and what is read out of that.
fn with_device(mut json: Value, device: &DeviceInfo) -> Value {
    let program = device.program();
    if let Value::Object(members) = &mut json {
        members.extend([
            ("address".to_owned(), device.address.as_str().into()),
            ("agent".to_owned(), device.user_agent.as_deref().into()),
            ("program".to_owned(), program.program.into()),
            ("system".to_owned(), program.system.into()),
            ("bot".to_owned(), program.bot.into()),
            ("locale".to_owned(), device.locale.as_ref().map(Locale::as_str).into()),
        ]);
    }
    json
}

/// An anonymous session, its state, and the person it was merged into: their name, or
/// their id where they have gone.
fn anonymous_json(view: &impl View, stored: &StoredSession) -> Result<Value, StoreError> {
    let session = &stored.session;
    let (state, merged_into) = match session.ending {
        Some(AnonymousEnding::Merged(user)) => {
            let person = view.find::<Person>(&user)?;
            let name = person.map_or_else(|| user.to_string(), |own| own.username.to_string());
            ("merged", Some(name))
        }
        Some(AnonymousEnding::Revoked) => ("revoked", None),
        None if stored.lives => ("live", None),
        None => ("over", None),
    };
    let json = json!({
        "id": stored.id.to_string(),
        "source": "anonymous",
        "sub": session.sub.to_string(),
        "client_id": session.client.as_str(),
        "state": state,
        "merged_into": merged_into,
        "redirect_uri": session.redirect_uri,
        "metadata": session.metadata.as_ref().map(Metadata::to_value),
        "created": session.created.rfc3339(),
        "expires": session.expires.rfc3339(),
    });
    Ok(with_device(json, &session.device))
}

fn grant_json(live: &LiveGrant) -> Value {
    let grant = live.grant();
    json!({
        "id": live.id().to_string(),
        "username": live.person().username.as_str(),
        "client_id": grant.authorization.client.as_str(),
        "client_name": live.client().metadata.name(),
        "scope": grant.authorization.scope,
        "resources": grant.authorization.resources,
        "offline": grant.offline,
        "session": grant.authorization.session.to_string(),
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
    let sessions = session::list(&view, &cx, user, MAX_LISTED)?;
    let bridges = access::list(&view, &cx, user, MAX_LISTED)?;
    let json = sessions.iter().map(session_json).chain(bridges.iter().map(bridge_json));
    let mut json: Vec<Value> = json.collect();
    if user.is_none() {
        for stored in anonymous::list(&view, &cx, MAX_LISTED)? {
            json.push(anonymous_json(&view, &stored)?);
        }
    }
    Ok(Json(json!({ "sessions": json })))
}

/// The stored anonymous sessions, ended ones too.
pub(super) async fn list_anonymous(State(app): State<Arc<App>>) -> Result<Json<Value>, Failed> {
    let view = app.read()?;
    let stored = anonymous::list_all(&view, &app.context(), MAX_LISTED)?;
    let json =
        stored.iter().map(|stored| anonymous_json(&view, stored)).collect::<Result<Vec<_>, _>>()?;
    Ok(Json(json!({ "sessions": json })))
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
        return Ok(Json(bridge_json(&ended)));
    }
    let id = browser.map_err(|_| Refusal::SessionNotFound)?;
    if anonymous::live(&app.read()?, &app.context(), id)?.is_some() {
        let ended = app.write(move |tx, cx| anonymous::revoke(tx, cx, id)).await?;
        return Ok(Json(anonymous_json(&app.read()?, &ended)?));
    }
    let revoked = app.write(move |tx, cx| session::revoke(tx, cx, id)).await?;
    Ok(Json(session_json(&revoked)))
}

pub(super) async fn list_grants(
    State(app): State<Arc<App>>,
    request: Request,
) -> Result<Json<Value>, Failed> {
    let (view, cx) = (app.read()?, app.context());
    let user = about(&view, &request)?;
    let grants = grant::list(&view, &cx, user, MAX_LISTED)?;
    Ok(Json(json!({ "grants": grants.iter().map(grant_json).collect::<Vec<_>>() })))
}

pub(super) async fn revoke_grant(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
) -> Result<Json<Value>, Failed> {
    let id: GrantId = id.parse().map_err(|_| Refusal::GrantNotFound)?;
    let revoked = app.write(move |tx, cx| grant::revoke(tx, cx, id)).await?;
    Ok(Json(grant_json(&revoked)))
}
