//! `/v1/bridge/…` for a bridge that is signed in: who it acts for, that it is there, what its
//! person wants.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{bridge, check_mode, heard};
use crate::app::App;
use crate::error::{Error, Refusal};
use crate::flow::bridge::access::LiveBridge;
use crate::flow::bridge::hosts::{self, HostSetting};
use crate::flow::bridge::{hook, presence};
use crate::http::extract::body;
use crate::http::failure::Failure;
use crate::model::bridge::{Heartbeat, HostId, Mode, ModelProtocol};

/// The most bytes of what a bridge says of its version, its system and its machine.
const MAX_WORD: usize = 256;

/// Who a bridge acts for.
pub(super) async fn whoami(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
) -> Result<Json<Value>, Failure> {
    let bridge = bridge(&app, &headers)?;
    heard(&app, &bridge).await.map_err(Failure::json)?;
    let person = bridge.person();
    let email = person.email.as_ref().map(ToString::to_string).unwrap_or_default();
    Ok(Json(json!({
        "user_id": bridge.user().to_string(),
        "email": email,
        "display_name": person.display_name.as_str(),
        "roles": person.roles.iter().map(|role| role.as_str()).collect::<Vec<_>>(),
    })))
}

#[derive(Deserialize)]
struct Beat {
    session_id: String,
    bridge_version: String,
    os: String,
    hostname: String,
    #[serde(default)]
    last_activity_at: Option<String>,
    forwarded_total: u64,
    tokens_in_total: u64,
    tokens_out_total: u64,
}

impl Beat {
    fn parse(self) -> Result<Heartbeat, Refusal> {
        let word = |written: String| {
            let fits = written.len() <= MAX_WORD && !written.chars().any(char::is_control);
            if fits { Ok(written) } else { Err(Refusal::BodyMalformed) }
        };
        Ok(Heartbeat {
            session: self.session_id.trim().parse()?,
            version: word(self.bridge_version)?,
            os: word(self.os)?,
            hostname: word(self.hostname)?,
            last_activity: self.last_activity_at.map(moment).transpose()?,
            forwarded_total: self.forwarded_total,
            tokens_in_total: self.tokens_in_total,
            tokens_out_total: self.tokens_out_total,
        })
    }
}

/// A moment as RFC 3339 §5.6 writes it, kept as it came: nothing is worked out from it.
fn moment(written: String) -> Result<String, Refusal> {
    let (day, time) = written.split_at_checked(10).ok_or(Refusal::BodyMalformed)?;
    let formatted = |text: &str, format: &str| {
        text.len() == format.len()
            && text.bytes().zip(format.bytes()).all(|(b, format)| match format {
                b'0' => b.is_ascii_digit(),
                other => b.eq_ignore_ascii_case(&other),
            })
    };
    let (clock, rest) = time.split_at_checked(9).ok_or(Refusal::BodyMalformed)?;
    let fraction = rest
        .strip_prefix('.')
        .map_or(rest, |rest| rest.trim_start_matches(|letter: char| letter.is_ascii_digit()));
    let offset =
        formatted(fraction, "z") || formatted(fraction, "+00:00") || formatted(fraction, "-00:00");
    let fits = written.len() <= 40 && formatted(day, "0000-00-00") && formatted(clock, "t00:00:00");
    if fits && offset { Ok(written) } else { Err(Refusal::BodyMalformed) }
}

/// A bridge tells that it is there.
pub(super) async fn heartbeat(
    State(app): State<Arc<App>>,
    request: Request,
) -> Result<StatusCode, Failure> {
    let bridge = bridge(&app, request.headers())?;
    let beat = body::json::<Beat>(request).await.and_then(Beat::parse).map_err(Failure::json)?;
    let written = app.write(move |tx, cx| presence::beat(tx, cx, &bridge, &beat)).await;
    written.map_err(Failure::json)?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Deserialize)]
struct Enabled {
    host_id: String,
    enabled: bool,
}

/// Whether a person wants a host of agents.
pub(super) async fn enabled_hosts(
    State(app): State<Arc<App>>,
    request: Request,
) -> Result<Json<Value>, Failure> {
    let bridge = bridge(&app, request.headers())?;
    let asked: Enabled = body::json(request).await.map_err(Failure::json)?;
    let setting = HostSetting::Enabled(asked.enabled);
    prefer(&app, bridge, &asked.host_id, setting).await.map_err(Failure::json)?;
    Ok(Json(json!({ "host_id": asked.host_id, "enabled": asked.enabled })))
}

#[derive(Deserialize)]
struct Filter {
    host_id: String,
    // There, if only as `null`, which removes the override.
    #[serde(deserialize_with = "Option::deserialize")]
    model_protocols: Option<Vec<String>>,
}

/// With which models a person wants it.
pub(super) async fn host_model_filter(
    State(app): State<Arc<App>>,
    request: Request,
) -> Result<Json<Value>, Failure> {
    let bridge = bridge(&app, request.headers())?;
    let asked: Filter = body::json(request).await.map_err(Failure::json)?;
    let parsed = |words: &Vec<String>| {
        words.iter().map(|word| word.parse()).collect::<Result<Vec<ModelProtocol>, _>>()
    };
    let protocols = asked.model_protocols.as_ref().map(parsed).transpose();
    let setting = HostSetting::Protocols(protocols.map_err(Failure::json)?);
    prefer(&app, bridge, &asked.host_id, setting).await.map_err(Failure::json)?;
    Ok(Json(json!({ "host_id": asked.host_id, "model_protocols": asked.model_protocols })))
}

async fn prefer(
    app: &App,
    bridge: LiveBridge,
    host: &str,
    setting: HostSetting,
) -> Result<(), Error> {
    let host: HostId = host.parse()?;
    app.write(move |tx, cx| hosts::prefer(tx, cx, &bridge, &host, &setting)).await
}

/// Makes the person's hook client, or gives it a new secret.
pub(super) async fn oauth_client(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
) -> Result<Json<Value>, Failure> {
    check_mode(&app, Mode::OauthClient).map_err(Failure::json)?;
    let bridge = bridge(&app, &headers)?;
    let made = app.write(move |tx, cx| hook::give(tx, cx, &bridge)).await;
    let made = made.map_err(Failure::json)?;
    Ok(Json(json!({
        "client_id": made.id.as_str(),
        "client_secret": made.secret.expose().as_str(),
        "scopes": made.scope.iter().map(|token| token.as_str()).collect::<Vec<_>>(),
        "token_endpoint": app.rules().issuer.at("/oauth/token"),
    })))
}
