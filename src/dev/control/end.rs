//! The end of a single thing: it expires now, or is revoked.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use super::read;
use crate::dev::refused::{Problem, Refused};
use crate::dev::stage::Stage;
use crate::error::Error;
use crate::flow::Context;
use crate::flow::token::family;
use crate::oauth::id::{GrantId, SessionId};
use crate::secret::{AuthorizationCode, DeviceCode, RefreshToken, TokenHash};
use crate::store::schema::{Code, Deadline, Device, DeviceState, Grant, Session};
use crate::store::{Tx, View as _};

/// What is to end: one member.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Named {
    /// An authorization code.
    #[serde(default)]
    code: Option<String>,
    /// A device code.
    #[serde(default)]
    device_code: Option<String>,
    /// The id of a grant.
    #[serde(default)]
    grant: Option<String>,
    /// The id of a session.
    #[serde(default)]
    session: Option<String>,
    /// An access token, a refresh token or a personal access token.
    #[serde(default)]
    token: Option<String>,
}

/// A thing, read.
enum Thing {
    Code(TokenHash),
    DeviceCode(TokenHash),
    Grant(GrantId),
    Session(SessionId),
    Token(String),
}

impl Thing {
    /// Reads the one member of a request.
    fn of(stage: &Stage, named: Named) -> Result<(&'static str, Self), Refused> {
        let rules = stage.installation().app.rules();
        let Named { code, device_code, grant, session, token } = named;
        let members = [
            ("code", code),
            ("device_code", device_code),
            ("grant", grant),
            ("session", session),
            ("token", token),
        ];
        let mut members = members.into_iter().filter_map(|(name, value)| Some((name, value?)));
        let one = "one of code, device_code, grant, session and token is expected";
        let (Some((name, value)), None) = (members.next(), members.next()) else {
            return Err(Refused::new(Problem::InvalidRequest, one));
        };
        let thing = match name {
            "code" => value
                .parse::<AuthorizationCode>()
                .map(|code| Self::Code(rules.pepper.hash(&code)))
                .ok(),
            "device_code" => value
                .parse::<DeviceCode>()
                .map(|code| Self::DeviceCode(rules.pepper.hash(&code)))
                .ok(),
            "grant" => value.parse().map(Self::Grant).ok(),
            "session" => value.parse().map(Self::Session).ok(),
            _ => Some(Self::Token(value)),
        };
        let malformed =
            || Refused::new(Problem::InvalidRequest, "this is none of this server").at(name);
        Ok((name, thing.ok_or_else(malformed)?))
    }
}

fn unknown(name: &'static str) -> Refused {
    Refused::new(Problem::NotFound, "there is none of this value").at(name)
}

/// Lets a thing expire now, as it would by itself.
pub(super) async fn expire(
    State(stage): State<Arc<Stage>>,
    body: Bytes,
) -> Result<Json<Value>, Refused> {
    let (name, thing) = Thing::of(&stage, read(&body)?)?;
    let thing = match thing {
        Thing::Token(written) => match written.parse::<RefreshToken>() {
            Ok(token) => {
                let installation = stage.installation();
                let (app, cx) = (&installation.app, installation.app.context());
                let view = app.read().map_err(Error::from)?;
                let found = family::find(&view, &cx, &token).map_err(Error::from)?;
                Thing::Grant(found.ok_or_else(|| unknown(name))?.id)
            }
            Err(_) => {
                let why = "an access token says itself until when it is good";
                let remedy = "advance the clock, or revoke it";
                return Err(Refused::new(Problem::Conflict, why).at(name).with_remedy(remedy));
            }
        },
        other @ (Thing::Code(_) | Thing::DeviceCode(_) | Thing::Grant(_) | Thing::Session(_)) => {
            other
        }
    };
    let installation = stage.installation();
    let expired = installation.app.write(move |tx, cx| Ok(expire_row(tx, cx, &thing)?));
    if !installation.drawing("control expire", expired).await? {
        return Err(unknown(name));
    }
    Ok(Json(json!({ "expired": true })))
}

/// Dates the end of a row at now. Returns whether there is one.
fn expire_row(
    tx: &mut Tx<'_>,
    cx: &Context,
    thing: &Thing,
) -> Result<bool, crate::store::StoreError> {
    let over = Deadline::after(Duration::ZERO, cx.now, cx.latest);
    match thing {
        Thing::Code(hash) => {
            let Some(code) = tx.find::<Code>(hash)? else { return Ok(false) };
            tx.put(hash, Code { expires: over, ..code })?;
        }
        Thing::DeviceCode(hash) => {
            let Some(device) = tx.find::<Device>(hash)? else { return Ok(false) };
            tx.put(hash, Device { expires: over, ..device })?;
        }
        Thing::Grant(id) => {
            let Some(grant) = tx.find::<Grant>(id)? else { return Ok(false) };
            tx.put(id, Grant { expires: cx.now, ..grant })?;
        }
        Thing::Session(id) => {
            let Some(session) = tx.find::<Session>(id)? else { return Ok(false) };
            tx.put(id, Session { expires: cx.now, ..session })?;
        }
        Thing::Token(_) => return Ok(false),
    }
    Ok(true)
}

/// Revokes a thing, as an operator or the person would.
pub(super) async fn revoke(
    State(stage): State<Arc<Stage>>,
    body: Bytes,
) -> Result<Json<Value>, Refused> {
    let (name, thing) = Thing::of(&stage, read(&body)?)?;
    let installation = stage.installation();
    let administer = async |method, path: &str, body: Value| {
        let asked = installation.administer(method, path, &body);
        let asked = installation.drawing("control revoke", asked).await;
        asked.map(|_| true).map_err(Refused::of_administration)
    };
    let revoked = match thing {
        Thing::Code(hash) => {
            let removed = installation.app.write(move |tx, _| Ok(tx.remove::<Code>(&hash)?));
            installation.drawing("control revoke", removed).await?.is_some()
        }
        Thing::DeviceCode(hash) => {
            let denied = installation.app.write(move |tx, _| {
                let Some(device) = tx.find::<Device>(&hash)? else { return Ok(false) };
                tx.put(&hash, Device { state: DeviceState::Denied, ..device })?;
                Ok(true)
            });
            installation.drawing("control revoke", denied).await?
        }
        Thing::Grant(id) => {
            administer(Method::DELETE, &format!("/api/v1/grants/{id}"), json!({})).await?
        }
        Thing::Session(id) => {
            administer(Method::DELETE, &format!("/api/v1/sessions/{id}"), json!({})).await?
        }
        Thing::Token(token) => {
            administer(Method::POST, "/api/v1/tokens/revoke", json!({ "token": token })).await?
        }
    };
    if revoked { Ok(Json(json!({ "revoked": true }))) } else { Err(unknown(name)) }
}
