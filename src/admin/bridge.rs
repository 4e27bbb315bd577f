//! `/api/v1/bridge`: bridges, their codes and their tokens.

use std::time::Duration;

use axum::Json;
use serde::{Deserialize, Serialize};

use super::by::{By, People, ReadPeople};
use super::listing::{ListView, Noun, Query, Unfiltered};
use super::request::{Body, Created, Named};
use super::{Failed, optional, session};
use crate::clock::Timestamp;
use crate::error::Refusal;
use crate::event::Kind;
use crate::flow::bridge::access::{self, AccessRequest, AccessTerms, BridgeAccess};
use crate::flow::bridge::device::{self, Asking, Opener};
use crate::flow::bridge::exchange::{self, Carried};
use crate::flow::bridge::hosts;
use crate::flow::bridge::presence::{self, BridgeStatus};
use crate::flow::events::{self, Act};
use crate::flow::{named, rights};
use crate::model::bridge::{HostId, ModelProtocol};
use crate::model::user_agent::DeviceInfo;
use crate::oauth::client::SigningAlg;
use crate::oauth::id::ClientId;
use crate::store::schema::{Client, HostPreference, LinkedDevice, Person};
use crate::store::{Key, Listing, StoreError, View};

/// What stands for the address of a session that an operator opened.
pub(crate) const COMMAND_LINE: &str = "operator";

/// The longest lifetime of a token that an operator issues, in seconds.
const MAX_TTL: u64 = 86_400;

/// What a person prefers about one host of agents.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct HostPreferenceView {
    /// Whether it may be used; null: nothing was said, and it may.
    pub(crate) enabled: Option<bool>,
    /// The host.
    pub(crate) host_id: String,
    /// The protocols to which its models are restricted; null: to none.
    pub(crate) model_protocols: Option<Vec<String>>,
}

/// A bridge that sent a heartbeat within the last 30 days.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct BridgeView {
    /// Whether its last heartbeat is at most two minutes old and its session is live.
    pub(crate) active: bool,
    /// Its version.
    pub(crate) bridge_version: String,
    /// The time of its first heartbeat.
    pub(crate) first_seen: String,
    /// The number of requests that it has forwarded.
    pub(crate) forwarded_total: u64,
    /// What its person prefers about hosts of agents.
    pub(crate) hosts: Vec<HostPreferenceView>,
    /// The name of its machine.
    pub(crate) hostname: String,
    /// The time at which an agent last used it, as the bridge reports it.
    pub(crate) last_activity_at: Option<String>,
    /// The time of its last heartbeat.
    pub(crate) last_seen: String,
    /// Its operating system.
    pub(crate) os: String,
    /// Its session.
    pub(crate) session_id: String,
    /// The number of incoming tokens.
    pub(crate) tokens_in_total: u64,
    /// The number of outgoing tokens.
    pub(crate) tokens_out_total: u64,
    /// The id of its person.
    pub(crate) user_id: String,
    /// Its person.
    pub(crate) username: String,
}

impl Noun for BridgeView {
    const PLURAL: &'static str = "bridges";
}

/// A linked device.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "LinkedDeviceView"))]
pub(crate) struct DeviceView {
    /// The time of its creation.
    pub(crate) created: String,
    /// Its id; of a device with a personal access token, the public part of the token.
    pub(crate) id: String,
    /// Its name.
    pub(crate) name: String,
    /// The time of its last use.
    pub(crate) used: Option<String>,
    /// Its person.
    pub(crate) username: Option<String>,
}

/// A request for an exchange code.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct CodeRequest {
    /// The person for whom the bridge is to act.
    pub(crate) username: String,
}

/// An exchange code.
#[derive(Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct CodeView {
    /// The code, which is valid once.
    pub(crate) code: String,
    /// Its expiry.
    pub(crate) expires: String,
}

/// A request for a bridge token.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct BridgeTokenRequest {
    /// The client that it names; absent: `sp_bridge`.
    pub(crate) client_id: Option<String>,
    /// The source of its session, 1 to 64 ASCII letters, digits and `. _ -`, but not `web` or
    /// `anonymous`; absent: `bridge`.
    pub(crate) source: Option<String>,
    /// Its lifetime in seconds, 1 to 86,400; absent: 3,600.
    #[cfg_attr(test, schemars(range(min = 1, max = 86_400)))]
    pub(crate) ttl: Option<u64>,
    /// The person.
    pub(crate) username: String,
}

/// A bridge token.
#[derive(Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct BridgeTokenView {
    /// The client that it names.
    pub(crate) client_id: String,
    /// Its session, whose revocation ends the token.
    pub(crate) session_id: String,
    /// The source of its session.
    pub(crate) source: String,
    /// The token.
    pub(crate) token: String,
    /// Its lifetime in seconds.
    pub(crate) ttl: u64,
}

impl BridgeView {
    fn new(view: &impl View, status: BridgeStatus) -> Result<Self, StoreError> {
        let bridge = status.bridge;
        let hosts = hosts::list(view, bridge.user)?.into_iter();
        Ok(Self {
            active: status.active,
            bridge_version: bridge.version,
            first_seen: bridge.first_seen.rfc3339(),
            forwarded_total: bridge.forwarded_total,
            hosts: hosts.map(HostPreferenceView::new).collect(),
            hostname: bridge.hostname,
            last_activity_at: bridge.last_activity,
            last_seen: bridge.last_seen.rfc3339(),
            os: bridge.os,
            session_id: status.session.to_string(),
            tokens_in_total: bridge.tokens_in_total,
            tokens_out_total: bridge.tokens_out_total,
            user_id: bridge.user.to_string(),
            username: status.username.to_string(),
        })
    }
}

impl DeviceView {
    fn new(view: &impl View, id: String, device: &LinkedDevice) -> Result<Self, StoreError> {
        let person = view.find::<Person>(&device.user)?;
        Ok(Self {
            created: device.created.rfc3339(),
            id,
            name: device.name.to_string(),
            used: device.used.map(Timestamp::rfc3339),
            username: person.map(|person| person.username.to_string()),
        })
    }
}

impl HostPreferenceView {
    fn new((host, preference): (HostId, HostPreference)) -> Self {
        let names = |protocols: Vec<ModelProtocol>| {
            protocols.into_iter().map(|protocol| protocol.as_str().to_owned()).collect()
        };
        Self {
            enabled: preference.enabled,
            host_id: host.to_string(),
            model_protocols: preference.model_protocols.map(names),
        }
    }
}

/// Lists the bridges that sent a heartbeat within the last 30 days.
pub(super) async fn list(
    app: By<ReadPeople>,
    query: Query<Unfiltered>,
) -> Result<Json<ListView<BridgeView>>, Failed> {
    let (view, span) = (app.read()?, query.span()?);
    let Listing { items, next } = presence::list(&view, &app.context(), &span)?;
    let items = items.into_iter().map(|status| BridgeView::new(&view, status));
    let items = items.collect::<Result<_, _>>()?;
    Ok(Json(ListView { items, next: next.as_ref().map(Key::to_cursor) }))
}

/// A linked device that is not ended.
pub(super) async fn device(
    app: By<ReadPeople>,
    Named(named): Named,
) -> Result<Json<DeviceView>, Failed> {
    let view = app.read()?;
    let (id, found) = named::device(&view, &app.context(), &named)?;
    Ok(Json(DeviceView::new(&view, id, &found)?))
}

/// Ends a linked device with everything that it was given.
pub(super) async fn end(app: By<People>, Named(named): Named) -> Result<Json<DeviceView>, Failed> {
    let ended = app.write(move |tx, cx| {
        let (id, found) = named::device(tx, cx, &named)?;
        device::revoke(tx, cx, &id)?;
        let act = Act::new(Kind::BridgeEnded).person(found.user).named(&found.name);
        events::record(tx, cx, act.fact("device", &id))?;
        Ok(DeviceView::new(tx, id, &found)?)
    });
    Ok(Json(ended.await?))
}

/// Makes an exchange code for a person.
pub(super) async fn issue_code(
    app: By<People>,
    Body(CodeRequest { username }): Body<CodeRequest>,
) -> Result<Created<CodeView>, Failed> {
    let made = app.write(move |tx, cx| {
        let (user, person) = named::person(tx, &username)?;
        if person.disabled {
            return Err(Refusal::PersonDisabled.into());
        }
        exchange::issue(tx, cx, user, Carried::ByPerson)
    });
    let made = made.await?;
    let view = CodeView { code: made.code.expose().to_string(), expires: made.expires.rfc3339() };
    Ok(Created(view))
}

/// Issues a bridge token for a person, with its own session.
pub(super) async fn issue_token(
    app: By<People>,
    Body(asked): Body<BridgeTokenRequest>,
) -> Result<Created<BridgeTokenView>, Failed> {
    let usual = AccessTerms::usual()?;
    let terms = AccessTerms {
        client: optional::<ClientId>(asked.client_id.as_deref())?.unwrap_or(usual.client),
        source: asked.source.map_or(Ok(usual.source), source)?,
        ttl: asked.ttl.map_or(Ok(usual.ttl), lifetime)?,
    };
    let username = asked.username;
    let device = DeviceInfo { address: COMMAND_LINE.to_owned(), ..DeviceInfo::default() };
    let access_request = AccessRequest { device, session: None };
    app.complete_keys().await?;
    let opened = app.write(move |tx, cx| {
        let (user, _) = named::person(tx, &username)?;
        if let Some(client) = tx.find::<Client>(&terms.client)? {
            rights::check_client(tx, cx, &client)?;
        }
        access::open(tx, cx, &Opener { by: Asking::Operator, user }, &access_request, &terms)
    });
    let BridgeAccess { claims, session, terms, .. } = opened.await?;
    let view = BridgeTokenView {
        client_id: terms.client.to_string(),
        session_id: session.to_string(),
        source: terms.source,
        token: app.sign(SigningAlg::Es256, "at+jwt", &claims).await?,
        ttl: terms.ttl.as_secs(),
    };
    Ok(Created(view))
}

fn source(written: String) -> Result<String, Refusal> {
    let fits = |b: u8| b.is_ascii_alphanumeric() || b"._-".contains(&b);
    let fits = (1..=64).contains(&written.len()) && written.bytes().all(fits);
    // These name sessions of other kinds.
    let fits = fits && ![session::WEB, session::ANONYMOUS].contains(&written.as_str());
    let why = "1 to 64 letters, digits and . _ - are expected, and no name of another kind";
    if fits { Ok(written) } else { Err(Refusal::MemberMalformed("source", why)) }
}

fn lifetime(seconds: u64) -> Result<Duration, Refusal> {
    let fits = (1..=MAX_TTL).contains(&seconds);
    let why = "it is longer than a bridge token may last, or zero";
    if fits { Ok(Duration::from_secs(seconds)) } else { Err(Refusal::MemberMalformed("ttl", why)) }
}
