//! `/v1/bridge/…` for a bridge that is signed in: its person, its heartbeats, its person's settings
//! and hook client.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{SignedIn, touch};
use crate::app::App;
use crate::error::{Error, Refusal};
use crate::flow::bridge::access::LiveBridge;
use crate::flow::bridge::hosts::{self, HostSetting};
use crate::flow::bridge::{hook, presence};
use crate::http::extract::body::JsonBody;
use crate::http::failure::JsonFailure;
use crate::model::bridge::{Heartbeat, HostId, ModelProtocol};

/// The most bytes of each of the version, the system and the host name in a heartbeat.
const MAX_TEXT: usize = 256;

/// The person for whom the bridge acts.
pub(super) async fn whoami(
    State(app): State<Arc<App>>,
    SignedIn(bridge): SignedIn,
) -> Result<Json<Value>, JsonFailure> {
    touch(&app, &bridge).await?;
    let person = bridge.person();
    // The contract has no word for an address that nobody vouches for.
    let email = person.email.as_ref().filter(|email| email.is_operators());
    let email = email.map(|email| email.address.as_str()).unwrap_or_default();
    Ok(Json(json!({
        "user_id": bridge.user().to_string(),
        "email": email,
        "display_name": person.display_name.as_str(),
        "roles": person.roles.iter().map(|role| role.as_str()).collect::<Vec<_>>(),
    })))
}

#[derive(Deserialize)]
pub(super) struct Beat {
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
        let text = |member, written: String| {
            let fits = written.len() <= MAX_TEXT && !written.chars().any(char::is_control);
            let why = "it is too long or has control characters";
            if fits { Ok(written) } else { Err(Refusal::MemberMalformed(member, why)) }
        };
        Ok(Heartbeat {
            session: self.session_id.trim().parse()?,
            version: text("bridge_version", self.bridge_version)?,
            os: text("os", self.os)?,
            hostname: text("hostname", self.hostname)?,
            last_activity: self.last_activity_at.map(moment).transpose()?,
            forwarded_total: self.forwarded_total,
            tokens_in_total: self.tokens_in_total,
            tokens_out_total: self.tokens_out_total,
        })
    }
}

const NO_MOMENT: Refusal =
    Refusal::MemberMalformed("last_activity_at", "a date-time of RFC 3339 in UTC is expected");

/// Checks that `written` has the form of an RFC 3339 §5.6 date-time in UTC. It stays as it was
/// written, because nothing is computed from it.
fn moment(written: String) -> Result<String, Refusal> {
    let (day, time) = written.split_at_checked(10).ok_or(NO_MOMENT)?;
    let formatted = |text: &str, format: &str| {
        text.len() == format.len()
            && text.bytes().zip(format.bytes()).all(|(b, format)| match format {
                b'0' => b.is_ascii_digit(),
                other => b.eq_ignore_ascii_case(&other),
            })
    };
    let (clock, rest) = time.split_at_checked(9).ok_or(NO_MOMENT)?;
    let fraction = rest
        .strip_prefix('.')
        .map_or(rest, |rest| rest.trim_start_matches(|letter: char| letter.is_ascii_digit()));
    let offset =
        formatted(fraction, "z") || formatted(fraction, "+00:00") || formatted(fraction, "-00:00");
    let fits = written.len() <= 40 && formatted(day, "0000-00-00") && formatted(clock, "t00:00:00");
    if fits && offset { Ok(written) } else { Err(NO_MOMENT) }
}

/// Records a heartbeat.
pub(super) async fn heartbeat(
    State(app): State<Arc<App>>,
    SignedIn(bridge): SignedIn,
    JsonBody(beat): JsonBody<Beat>,
) -> Result<Json<Value>, JsonFailure> {
    let beat = beat.parse()?;
    app.write(move |tx, cx| presence::beat(tx, cx, &bridge, &beat)).await?;
    // No version is demanded of a bridge, and no window of use is known here.
    Ok(Json(json!({ "min_bridge_version": null, "compatible": true, "window_status": null })))
}

#[derive(Deserialize)]
pub(super) struct Enabled {
    host_id: String,
    enabled: bool,
}

/// Enables or disables a host of agents for the bridge's person.
pub(super) async fn enabled_hosts(
    State(app): State<Arc<App>>,
    SignedIn(bridge): SignedIn,
    JsonBody(Enabled { host_id, enabled }): JsonBody<Enabled>,
) -> Result<Json<Value>, JsonFailure> {
    prefer(&app, bridge, &host_id, HostSetting::Enabled(enabled)).await?;
    Ok(Json(json!({ "host_id": host_id, "enabled": enabled })))
}

#[derive(Deserialize)]
pub(super) struct Filter {
    host_id: String,
    // The member is required; `null` removes the restriction.
    #[serde(deserialize_with = "Option::deserialize")]
    model_protocols: Option<Vec<String>>,
}

/// Restricts the model protocols of a host of agents for the bridge's person.
pub(super) async fn host_model_filter(
    State(app): State<Arc<App>>,
    SignedIn(bridge): SignedIn,
    JsonBody(Filter { host_id, model_protocols }): JsonBody<Filter>,
) -> Result<Json<Value>, JsonFailure> {
    let parse = |names: &Vec<String>| {
        names.iter().map(|name| name.parse()).collect::<Result<Vec<ModelProtocol>, _>>()
    };
    let protocols = model_protocols.as_ref().map(parse).transpose()?;
    prefer(&app, bridge, &host_id, HostSetting::Protocols(protocols)).await?;
    Ok(Json(json!({ "host_id": host_id, "model_protocols": model_protocols })))
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

/// Makes the hook client of the bridge's person, or replaces its secret.
pub(super) async fn oauth_client(
    State(app): State<Arc<App>>,
    SignedIn(bridge): SignedIn,
) -> Result<Json<Value>, JsonFailure> {
    let made = app.write(move |tx, cx| hook::give(tx, cx, &bridge)).await?;
    Ok(Json(json!({
        "client_id": made.id.as_str(),
        "client_secret": made.secret.expose().as_str(),
        "scopes": made.scope.iter().map(|token| token.as_str()).collect::<Vec<_>>(),
        "token_endpoint": app.rules().issuer.at("/oauth/token"),
    })))
}
