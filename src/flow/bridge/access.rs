//! Bridge access: a bridge session and its access token, made in one transaction.

use std::time::Duration;

use crate::clock::Timestamp;
use crate::error::{Error, Refusal};
use crate::event::Kind;
use crate::flow::bridge::device::{self, Asking, NewDevice, Opener};
use crate::flow::events::{self, Act};
use crate::flow::installation::evidence;
use crate::flow::throttle::{self, Source};
use crate::flow::{Context, Present, Rules, rights};
use crate::model::bridge::{AUDIENCE, BridgeSessionId};
use crate::model::person::Role;
use crate::model::user_agent::DeviceInfo;
use crate::oauth::claims::{AccessClaims, Audience, device_of, jti};
use crate::oauth::id::{BRIDGE_CLIENT_ID, ClientId, SessionId, UserId};
use crate::oauth::scope::Scope;
use crate::secret::TokenHash;
use crate::store::schema::{
    AnonymousSession, BRIDGE_SESSIONS_BY_USER, BridgeSession, DeviceMeans, EndedBridge,
    LinkedDevice, Person, Session,
};
use crate::store::{Listing, Span, StoreError, Tx, View};

/// The lifetime of a bridge token. Fixed by the contract with the bridge.
pub const TTL: Duration = Duration::from_secs(3600);

/// The minimum idle lifetime of a bridge session, from the last use. It is longer than a token's
/// lifetime, because a bridge that does not present its session id begins a new session each hour.
const IDLE_TIMEOUT: Duration = Duration::from_hours(24);

/// The most requests for access in a minute by one linked device, and by the exchange codes of one
/// person.
const MAX_PER_MINUTE: usize = 60;

/// The precision of a session's `seen` time.
const LAST_SEEN_PRECISION: Duration = Duration::from_mins(1);

/// A request for bridge access: its device and its session.
#[derive(Clone, Debug)]
pub struct AccessRequest {
    /// The device.
    pub device: DeviceInfo,
    /// The session id that it asks for.
    pub session: Option<BridgeSessionId>,
}

/// The terms of an access: the client, the source and the lifetime of the token.
#[derive(Clone, Debug)]
pub struct AccessTerms {
    /// The client that the token names.
    pub client: ClientId,
    /// The source of the session: `bridge`, or what the operator names.
    pub source: String,
    /// The lifetime of the token.
    pub ttl: Duration,
}

impl AccessTerms {
    /// The terms of the contract.
    pub fn usual() -> Result<Self, Refusal> {
        Ok(Self { client: BRIDGE_CLIENT_ID.parse()?, source: "bridge".to_owned(), ttl: TTL })
    }
}

/// A token, not yet signed, and its session.
pub struct BridgeAccess {
    /// The claims of the token.
    pub claims: AccessClaims,
    /// The session.
    pub session: BridgeSessionId,
    /// The terms; `ttl` is the actual lifetime of the token.
    pub terms: AccessTerms,
    /// The person.
    pub user: UserId,
}

/// Opens or continues a session for `opener`, and makes a token of it.
///
/// A requested session is continued if it is live, belongs to the person, outlives the token, and no
/// other device of theirs has it. A requested id that is not in use becomes the id of a new session,
/// unless it has the form of a generated id. In every other case the new session gets a generated
/// id. The id of an ended session is not used again within the longest life of a session.
///
/// A session that is opened without a device is the only way in which a device of its own comes in,
/// until a device with a token or a certificate continues it and takes it over, with its secret of the
/// hook client.
///
/// # Errors
///
/// [`Refusal::PersonDisabled`] if the person is disabled or does not exist, and
/// [`Error::Paused`].
pub fn open(
    tx: &mut Tx<'_>,
    cx: &Context,
    opener: &Opener,
    access_request: &AccessRequest,
    terms: &AccessTerms,
) -> Result<BridgeAccess, Error> {
    let user = opener.user;
    let person = tx.find::<Person>(&user)?.filter(|person| !person.disabled);
    let person = person.ok_or_else(|| Error::about(Refusal::PersonDisabled, user))?;
    rights::check_person(cx, &person)?;
    let continued = match &access_request.session {
        Some(id) => find(tx, cx, id, opener)?,
        None => Found::Unusable,
    };
    let counted = match &opener.by {
        Asking::Code => Some(Source::Account(user)),
        Asking::Device(id) => Some(Source::Device(user, id.clone())),
        Asking::Operator => None,
    };
    if let Some(source) = counted {
        throttle::consume(tx, cx, "bridge sessions", &source, MAX_PER_MINUTE)?;
    }
    let lifetimes = &cx.rules.config.lifetimes;
    let now = person.now_enabled(cx.now);
    let (id, created, linked) = match (continued, &access_request.session) {
        // The session must outlive the token; otherwise a new session begins.
        (Found::Live(session), Some(id))
            if cx.now + terms.ttl <= session.created + lifetimes.session_total =>
        {
            if let Some(device) = opener.device().filter(|device| **device != session.linked) {
                device::hand_over(tx, &session.linked, device)?;
            }
            (id.clone(), session.created, opener.device().cloned().or(Some(session.linked)))
        }
        (Found::Nothing, Some(id)) if !id.is_generated() => {
            (id.clone(), now, opener.device().cloned())
        }
        (Found::Live(_) | Found::Nothing | Found::Unusable, _) => {
            (BridgeSessionId::from_seed(&cx.seed), now, opener.device().cloned())
        }
    };
    let is_new = created == now;
    let oldest = created + lifetimes.session_total;
    let linked = match linked {
        Some(linked) => linked,
        None => {
            let (name, means) = (terms.source.parse()?, DeviceMeans::Session(id.clone()));
            device::make(tx, cx, NewDevice { created, expires: oldest, means, name, user })?
        }
    };
    device::touch(tx, cx, &linked, oldest)?;
    let expires = oldest.min(cx.now + IDLE_TIMEOUT.max(terms.ttl));
    let row = BridgeSession {
        client: terms.client.clone(),
        created,
        device: access_request.device.clone(),
        expires,
        linked,
        seen: cx.now,
        source: terms.source.clone(),
        user,
    };
    tx.put(&id, row)?;
    if is_new {
        let act = match opener.by {
            Asking::Code | Asking::Device(_) => Act::new(Kind::BridgeOpened).by(user),
            Asking::Operator => Act::new(Kind::BridgeTokenIssued).person(user),
        };
        let act = act.named(&person.username).fact("session", &id);
        events::record(tx, cx, act.fact("source", &terms.source))?;
    }
    let lasting = terms.ttl.min(expires.since(cx.now));
    let claims = AccessClaims {
        iss: cx.rules.issuer.to_string(),
        sub: user.to_string(),
        aud: Audience::Many(AUDIENCE.map(str::to_owned).to_vec()),
        exp: (cx.now + lasting).seconds(),
        iat: cx.now.seconds(),
        nbf: cx.now.seconds(),
        jti: jti(None, cx.seed.bytes("jti")),
        client_id: terms.client.to_string(),
        scope: scope(&cx.rules, &person.roles),
        sid: Some(id.to_string()),
        auth_time: None,
        acr: None,
        amr: Vec::new(),
        groups: Vec::new(),
        roles: person.roles.iter().map(ToString::to_string).collect(),
        plugin_id: None,
        revocable_until: evidence::revocable_until(cx, lasting),
    };
    let terms = AccessTerms { ttl: lasting, ..terms.clone() };
    Ok(BridgeAccess { claims, session: id, terms, user })
}

/// The scope of the bridge tokens of a person with `roles`: everything but the administration, since
/// others than this server take them.
pub fn scope(rules: &Rules, roles: &[Role]) -> Scope {
    rules.config.allowed(roles).without_administration()
}

/// The state of a requested session id.
enum Found {
    /// It is live, belongs to the person, and may be continued by the device.
    Live(Box<BridgeSession>),
    /// There is no session of that id, nor was there one lately, unless the id is a generated one.
    Nothing,
    /// It has ended, belongs to another person or device, or is the id of something else.
    Unusable,
}

fn find(
    view: &impl View,
    cx: &Context,
    id: &BridgeSessionId,
    opener: &Opener,
) -> Result<Found, StoreError> {
    // If a browser session or a linked device had the same id, an ending by id would end that one
    // instead.
    let sid = id.as_str().parse::<SessionId>().ok();
    let taken = match sid {
        Some(sid) => {
            view.find::<Session>(&sid)?.is_some() || view.find::<AnonymousSession>(&sid)?.is_some()
        }
        None => false,
    };
    let ended = match view.find::<EndedBridge>(&hash(cx, id))? {
        Some(ended) => !evidence::is_over(view, cx, ended.expires)?,
        None => false,
    };
    if taken || ended || view.find::<LinkedDevice>(&id.to_string())?.is_some() {
        return Ok(Found::Unusable);
    }
    Ok(match view.find::<BridgeSession>(id)? {
        None => Found::Nothing,
        Some(_) => match live(view, cx, id)? {
            Some(bridge) if may_continue(view, opener, &bridge.session)? => {
                Found::Live(Box::new(bridge.session))
            }
            Some(_) | None => Found::Unusable,
        },
    })
}

/// Whether a live session is the opener's. A session of two devices would end with neither alone.
fn may_continue(
    view: &impl View,
    opener: &Opener,
    session: &BridgeSession,
) -> Result<bool, StoreError> {
    let device = match opener.device() {
        Some(device) => {
            *device == session.linked || device::is_session_alone(view, &session.linked)?
        }
        None => true,
    };
    Ok(device && session.user == opener.user)
}

/// Proof that a bridge is signed in: a session that is live, of a person who is not disabled.
#[derive(Clone, Debug)]
pub struct LiveBridge {
    id: BridgeSessionId,
    person: Person,
    session: BridgeSession,
}

impl LiveBridge {
    /// The id of its session.
    pub fn id(&self) -> &BridgeSessionId {
        &self.id
    }

    /// The person it acts for.
    pub fn person(&self) -> &Person {
        &self.person
    }

    /// The row of its session.
    pub fn session(&self) -> &BridgeSession {
        &self.session
    }

    /// The id of the person.
    pub fn user(&self) -> UserId {
        self.session.user
    }

    /// Whether the last use should be recorded now.
    pub fn needs_touch(&self, now: Timestamp) -> bool {
        now.apart(self.session.seen) >= LAST_SEEN_PRECISION
    }
}

/// The bridge of a session, if the session is live: it has not expired, its linked device was not
/// ended, and its person is enabled.
pub fn live(
    view: &impl View,
    cx: &Present,
    id: &BridgeSessionId,
) -> Result<Option<LiveBridge>, StoreError> {
    let Some(session) = view.find::<BridgeSession>(id)? else { return Ok(None) };
    let Some(person) = view.find::<Person>(&session.user)? else { return Ok(None) };
    if cx.now >= session.expires || !person.enabled_since(session.created) {
        return Ok(None);
    }
    if device::is_ended(view, &session.linked)? {
        return Ok(None);
    }
    Ok(Some(LiveBridge { id: id.clone(), person, session }))
}

/// Whether a token was issued to a bridge. No other token has its audience.
pub fn is_bridge(claims: &AccessClaims) -> bool {
    AUDIENCE.iter().all(|name| claims.aud.has(name))
}

/// The bridge to which a token of this server was issued.
///
/// # Errors
///
/// [`Refusal::BearerTokenForAnotherAudience`], or [`Refusal::BearerTokenOfEndedGrant`] if its
/// session has ended.
pub fn of_token(
    view: &impl View,
    cx: &Present,
    claims: &AccessClaims,
) -> Result<LiveBridge, Error> {
    if !is_bridge(claims) {
        return Err(Refusal::BearerTokenForAnotherAudience.into());
    }
    let id = claims.sid.as_deref().and_then(|sid| sid.parse().ok());
    let bridge = match id {
        Some(id) => live(view, cx, &id)?,
        None => None,
    };
    let bridge = bridge.filter(|bridge| bridge.user().to_string() == claims.sub);
    Ok(bridge.ok_or(Refusal::BearerTokenOfEndedGrant)?)
}

/// Proves a bridge again within a transition, since its session may have ended meanwhile.
///
/// # Errors
///
/// [`Refusal::BearerTokenOfEndedGrant`] if it has.
pub fn recheck(view: &impl View, cx: &Present, bridge: &LiveBridge) -> Result<LiveBridge, Error> {
    Ok(live(view, cx, bridge.id())?.ok_or(Refusal::BearerTokenOfEndedGrant)?)
}

/// Records that a bridge session was used, which extends its idle lifetime.
pub fn touch(tx: &mut Tx<'_>, cx: &Context, id: &BridgeSessionId) -> Result<(), Error> {
    if let Some(bridge) = live(tx, cx, id)? {
        let session = bridge.session;
        let oldest = session.created + cx.rules.config.lifetimes.session_total;
        let expires = session.expires.max(oldest.min(cx.now + IDLE_TIMEOUT));
        device::touch(tx, cx, &session.linked, oldest)?;
        tx.put(id, BridgeSession { expires, seen: cx.now, ..session })?;
    }
    Ok(())
}

/// Remembers the hash of an id whose session is removed, if a bridge chose it, for the longest life
/// of a session: no token that names the id lives longer, and nobody takes one session for another.
pub fn forget(tx: &mut Tx<'_>, cx: &Context, id: &BridgeSessionId) -> Result<(), StoreError> {
    if id.is_generated() {
        return Ok(());
    }
    let expires = cx.deadline(cx.rules.config.lifetimes.session_total);
    tx.put(&hash(cx, id), EndedBridge { expires })
}

fn hash(cx: &Context, id: &BridgeSessionId) -> TokenHash {
    cx.rules.pepper.mark("bridge session", id.as_str().as_bytes())
}

/// The linked device that a token was issued to, if it is a bridge token or a hook token.
pub fn device_of_token(
    view: &impl View,
    claims: &AccessClaims,
) -> Result<Option<String>, StoreError> {
    if let Some(device) = device_of(&claims.jti) {
        return Ok(Some(device.to_owned()));
    }
    let id = claims.sid.as_deref().filter(|_| is_bridge(claims)).and_then(|sid| sid.parse().ok());
    let Some(id) = id else { return Ok(None) };
    Ok(view.find::<BridgeSession>(&id)?.map(|session| session.linked))
}

/// Ends a bridge session with its linked device, which could open another.
///
/// # Errors
///
/// [`Refusal::SessionNotFound`] if it is not live, or does not belong to `of`.
pub fn end(
    tx: &mut Tx<'_>,
    cx: &Context,
    id: &BridgeSessionId,
    of: Option<UserId>,
) -> Result<LiveBridge, Error> {
    let bridge = live(tx, cx, id)?.filter(|bridge| of.is_none_or(|of| of == bridge.user()));
    let bridge = bridge.ok_or(Refusal::SessionNotFound)?;
    rights::check_person(cx, bridge.person())?;
    device::end(tx, cx, &bridge.session.linked)?;
    let act = Act::new(Kind::BridgeEnded).person(bridge.user()).fact("session", id);
    let act = if of.is_some() { act.by(bridge.user()) } else { act };
    events::record(tx, cx, act)?;
    Ok(bridge)
}

/// A page of the live bridge sessions, of one person or of all, oldest first within the page.
pub fn list(
    view: &impl View,
    cx: &Context,
    user: Option<UserId>,
    span: &Span<BridgeSessionId>,
) -> Result<Listing<LiveBridge, BridgeSessionId>, StoreError> {
    let mut bridges = match user {
        Some(user) => {
            view.filter_by(&BRIDGE_SESSIONS_BY_USER, &user, span, |id| live(view, cx, id))?
        }
        None => view.filter::<BridgeSession, _>(span, |id, _| live(view, cx, id))?,
    };
    bridges
        .items
        .sort_unstable_by(|a, b| (a.session.created, &a.id).cmp(&(b.session.created, &b.id)));
    Ok(bridges)
}
