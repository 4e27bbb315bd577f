//! `/api/v1/bridge/…` and `/api/v1/personal-tokens`: bridges as their operator sees them.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Failed, about, body, optional};
use crate::app::App;
use crate::error::Refusal;
use crate::flow::Context;
use crate::flow::bridge::access::{self, AccessRequest, AccessTerms, BridgeAccess};
use crate::flow::bridge::presence::{self, BridgeStatus};
use crate::flow::bridge::{exchange, pat};
use crate::flow::person::people::named;
use crate::model::person::Username;
use crate::model::user_agent::DeviceInfo;
use crate::oauth::client::SigningAlg;
use crate::oauth::display_name::DisplayName;
use crate::oauth::id::{ClientId, UserId};
use crate::store::View;
use crate::store::schema::{Pat, Person};

/// The most bridges or tokens that one listing looks at.
const MAX_LISTED: usize = 10_000;

/// The longest that a token which an operator issues may last, in seconds.
const MAX_TTL: u64 = 86_400;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CodeAsked {
    username: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TokenAsked {
    username: String,
    client_id: Option<String>,
    source: Option<String>,
    ttl: Option<u64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PatAsked {
    username: String,
    name: Option<String>,
    lifetime: Option<u64>,
}

fn json(seen: &BridgeStatus) -> Value {
    let bridge = &seen.bridge;
    json!({
        "session_id": seen.session.as_str(),
        "username": seen.username.as_str(),
        "active": seen.active,
        "hostname": bridge.hostname,
        "bridge_version": bridge.version,
        "os": bridge.os,
        "first_seen": bridge.first_seen.rfc3339(),
        "last_seen": bridge.last_seen.rfc3339(),
        "last_activity_at": bridge.last_activity,
        "forwarded_total": bridge.forwarded_total,
        "tokens_in_total": bridge.tokens_in_total,
        "tokens_out_total": bridge.tokens_out_total,
    })
}

/// The bridges that were heard of within the last month.
pub(super) async fn list(State(app): State<Arc<App>>) -> Result<Json<Value>, Failed> {
    let seen = presence::list(&app.read()?, &app.context(), MAX_LISTED)?;
    Ok(Json(json!({ "bridges": seen.iter().map(json).collect::<Vec<_>>() })))
}

/// Makes an exchange code for a person.
pub(super) async fn issue_code(
    State(app): State<Arc<App>>,
    request: Request,
) -> Result<(StatusCode, Json<Value>), Failed> {
    let asked: CodeAsked = body(request).await?;
    let username: Username = asked.username.parse()?;
    let made = app.write(move |tx, cx| {
        let (user, person) = named(tx, &username)?.ok_or(Refusal::UserNotFound)?;
        if person.disabled {
            return Err(Refusal::PersonDisabled.into());
        }
        exchange::issue(tx, cx, user)
    });
    let made = made.await?;
    let json = json!({ "code": *made.code.expose(), "expires": made.expires.rfc3339() });
    Ok((StatusCode::CREATED, Json(json)))
}

/// Issues a bridge token for a person, with a session of its own.
pub(super) async fn issue_token(
    State(app): State<Arc<App>>,
    request: Request,
) -> Result<(StatusCode, Json<Value>), Failed> {
    let asked: TokenAsked = body(request).await?;
    let usual = AccessTerms::usual()?;
    let terms = AccessTerms {
        client: optional::<ClientId>(asked.client_id.as_deref())?.unwrap_or(usual.client),
        source: asked.source.map_or(Ok(usual.source), source)?,
        ttl: asked.ttl.map_or(Ok(usual.ttl), lasting)?,
    };
    let username: Username = asked.username.parse()?;
    let device = DeviceInfo { address: "operator".to_owned(), ..DeviceInfo::default() };
    let access_request = AccessRequest { device, session: None };
    app.complete_keys().await?;
    let opened = app.write(move |tx, cx| {
        let (user, _) = named(tx, &username)?.ok_or(Refusal::UserNotFound)?;
        access::open(tx, cx, user, &access_request, &terms)
    });
    let BridgeAccess { claims, session, terms, .. } = opened.await?;
    let token = app.signing_key(SigningAlg::Es256).await?.sign("at+jwt", &claims)?;
    let json = json!({
        "token": token,
        "ttl": terms.ttl.as_secs(),
        "session_id": session.as_str(),
        "client_id": terms.client.as_str(),
        "source": terms.source,
    });
    Ok((StatusCode::CREATED, Json(json)))
}

fn source(written: String) -> Result<String, Refusal> {
    let fits = |b: u8| b.is_ascii_alphanumeric() || b"._-".contains(&b);
    let fits = (1..=64).contains(&written.len()) && written.bytes().all(fits);
    if fits { Ok(written) } else { Err(Refusal::BodyMalformed) }
}

fn lasting(seconds: u64) -> Result<Duration, Refusal> {
    let fits = (1..=MAX_TTL).contains(&seconds);
    if fits { Ok(Duration::from_secs(seconds)) } else { Err(Refusal::BodyMalformed) }
}

fn pat_json(key: &str, row: &Pat, owner: Option<&Person>) -> Value {
    json!({
        "id": key,
        "username": owner.map(|owner| owner.username.as_str()),
        "name": row.name.as_str(),
        "created": row.created.rfc3339(),
        "used": row.used.map(|used| used.rfc3339()),
        "expires": row.expires.rfc3339(),
    })
}

/// The personal access tokens that may be used.
pub(super) async fn list_pats(
    State(app): State<Arc<App>>,
    request: Request,
) -> Result<Json<Value>, Failed> {
    let (view, cx): (_, Context) = (app.read()?, app.context());
    let user: Option<UserId> = about(&view, &request)?;
    let mut json = Vec::new();
    for (key, row) in pat::list(&view, &cx, user, MAX_LISTED)? {
        json.push(pat_json(&key, &row, view.find::<Person>(&row.user)?.as_ref()));
    }
    Ok(Json(json!({ "personal_tokens": json })))
}

/// Makes a personal access token for a person.
pub(super) async fn add_pat(
    State(app): State<Arc<App>>,
    request: Request,
) -> Result<(StatusCode, Json<Value>), Failed> {
    /// Ten years, in seconds.
    const MAX_SECONDS: u64 = 3650 * 86_400;
    let asked: PatAsked = body(request).await?;
    let username: Username = asked.username.parse()?;
    let name: DisplayName = asked.name.as_deref().unwrap_or("made by the operator").parse()?;
    let lifetime = match asked.lifetime {
        Some(seconds) if (60..=MAX_SECONDS).contains(&seconds) => {
            Some(Duration::from_secs(seconds))
        }
        Some(_) => return Err(Refusal::BodyMalformed.into()),
        None => None,
    };
    let made = app.write(move |tx, cx| {
        let (user, _) = named(tx, &username)?.ok_or(Refusal::UserNotFound)?;
        pat::make(tx, cx, user, &name, lifetime)
    });
    let made = made.await?;
    Ok((StatusCode::CREATED, Json(json!({ "id": made.key(), "pat": *made.expose() }))))
}

/// Revokes a personal access token.
pub(super) async fn revoke_pat(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
) -> Result<Json<Value>, Failed> {
    let key = id.clone();
    let row = app.write(move |tx, _| pat::revoke(tx, &key, None)).await?;
    Ok(Json(pat_json(&id, &row, app.read()?.find::<Person>(&row.user)?.as_ref())))
}
