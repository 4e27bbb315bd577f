//! Bridge access: a session and the token under it, born together.

use std::time::Duration;

use crate::clock::Timestamp;
use crate::error::{Error, Refusal};
use crate::flow::{Context, throttle};
use crate::model::bridge::{AUDIENCE, BridgeSessionId};
use crate::model::user_agent::DeviceInfo;
use crate::oauth::claims::{AccessClaims, Audience, jti};
use crate::oauth::id::{BRIDGE_CLIENT_ID, ClientId, SessionId, UserId};
use crate::secret::TokenHash;
use crate::store::schema::{
    AnonymousSession, BRIDGE_SESSIONS_BY_USER, BridgeSession, EndedBridge, Person, Session,
};
use crate::store::{Listing, Span, StoreError, Tx, View};

/// How long a bridge token lasts. Fixed by the contract.
pub const TTL: Duration = Duration::from_secs(3600);

/// How long a bridge session that nothing is heard of outlives its last token, at least: a bridge
/// that does not bring its session back begins another one each hour.
const IDLE_TIMEOUT: Duration = Duration::from_hours(24);

/// How often one person's bridges come for access in a minute.
const MAX_PER_MINUTE: usize = 60;

/// How far behind the record of a session's last use may lie.
const LAST_SEEN_PRECISION: Duration = Duration::from_mins(1);

/// A request for bridge access: its device and its session.
#[derive(Clone, Debug)]
pub struct AccessRequest {
    /// The machine.
    pub device: DeviceInfo,
    /// The session that it would like to have.
    pub session: Option<BridgeSessionId>,
}

/// Under which name access is given, and for how long.
#[derive(Clone, Debug)]
pub struct AccessTerms {
    /// The client that the token names.
    pub client: ClientId,
    /// What brought it about.
    pub source: String,
    /// How long the token lasts.
    pub ttl: Duration,
}

impl AccessTerms {
    /// Those of the contract.
    pub fn usual() -> Result<Self, Refusal> {
        Ok(Self { client: BRIDGE_CLIENT_ID.parse()?, source: "bridge".to_owned(), ttl: TTL })
    }
}

/// A token to be signed, and its session.
pub struct BridgeAccess {
    /// What the token says.
    pub claims: AccessClaims,
    /// The session.
    pub session: BridgeSessionId,
    /// Under which name it was given, and for how long.
    pub terms: AccessTerms,
    /// Whose it is.
    pub user: UserId,
}

/// Opens or continues a session for `user`, and makes a token under it.
///
/// The session that is asked for is theirs where it lives and is their own, or was never there;
/// else a new one is drawn. An ended id never comes back.
///
/// # Errors
///
/// [`Refusal::PersonDisabled`] where the person may not be here, and [`Refusal::AttemptsTooMany`].
pub fn open(
    tx: &mut Tx<'_>,
    cx: &Context,
    user: UserId,
    access_request: &AccessRequest,
    terms: &AccessTerms,
) -> Result<BridgeAccess, Error> {
    let person = tx.find::<Person>(&user)?.filter(|person| !person.disabled);
    let person = person.ok_or(Refusal::PersonDisabled)?;
    let continued = match &access_request.session {
        Some(id) => find(tx, cx, id, user)?,
        None => Found::Unusable,
    };
    throttle::consume(tx, cx, "bridge sessions of", user.uuid().as_bytes(), MAX_PER_MINUTE)?;
    let lifetimes = &cx.rules.config.lifetimes;
    let (id, created) = match (continued, &access_request.session) {
        // A token lasts its whole time, or it is one of another session.
        (Found::Live(session), Some(id))
            if cx.now + terms.ttl <= session.created + lifetimes.session_total =>
        {
            (id.clone(), session.created)
        }
        (Found::Nothing, Some(id)) if !id.is_drawn() => (id.clone(), cx.now),
        (Found::Live(_) | Found::Nothing | Found::Unusable, _) => {
            (BridgeSessionId::from_seed(&cx.seed), cx.now)
        }
    };
    let oldest = created + lifetimes.session_total;
    let expires = oldest.min(cx.now + IDLE_TIMEOUT.max(terms.ttl));
    let row = BridgeSession {
        client: terms.client.clone(),
        created,
        device: access_request.device.clone(),
        ended: false,
        expires,
        seen: cx.now,
        source: terms.source.clone(),
        user,
    };
    tx.put(&id, row)?;
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
        scope: cx.rules.config.allowed(&person.roles),
        sid: Some(id.to_string()),
        auth_time: None,
        acr: None,
        amr: Vec::new(),
        roles: person.roles.iter().map(ToString::to_string).collect(),
        plugin_id: None,
    };
    let terms = AccessTerms { ttl: lasting, ..terms.clone() };
    Ok(BridgeAccess { claims, session: id, terms, user })
}

/// What there is of a session that somebody would like to have.
enum Found {
    /// It lives, and is theirs.
    Live(Box<BridgeSession>),
    /// Nothing; nothing was ever there, unless this server drew the id.
    Nothing,
    /// It has ended, or is another person's.
    Unusable,
}

fn find(
    view: &impl View,
    cx: &Context,
    id: &BridgeSessionId,
    user: UserId,
) -> Result<Found, StoreError> {
    // A browser's session of the same name would be revoked in its place.
    let sid = id.as_str().parse::<SessionId>().ok();
    let taken = match sid {
        Some(sid) => {
            view.find::<Session>(&sid)?.is_some() || view.find::<AnonymousSession>(&sid)?.is_some()
        }
        None => false,
    };
    if taken || view.find::<EndedBridge>(&hash(cx, id))?.is_some() {
        return Ok(Found::Unusable);
    }
    Ok(match view.find::<BridgeSession>(id)? {
        None => Found::Nothing,
        Some(_) => match live(view, cx, id)? {
            Some(bridge) if bridge.session.user == user => Found::Live(Box::new(bridge.session)),
            Some(_) | None => Found::Unusable,
        },
    })
}

/// Proof that a bridge is signed in: a session that lives, of a person who may be here.
#[derive(Clone, Debug)]
pub struct LiveBridge {
    id: BridgeSessionId,
    person: Person,
    session: BridgeSession,
}

impl LiveBridge {
    /// Its session.
    pub fn id(&self) -> &BridgeSessionId {
        &self.id
    }

    /// Who it acts for.
    pub fn person(&self) -> &Person {
        &self.person
    }

    /// What is known of the session.
    pub fn session(&self) -> &BridgeSession {
        &self.session
    }

    /// Whose it is.
    pub fn user(&self) -> UserId {
        self.session.user
    }

    /// Whether its last use should be written down.
    pub fn needs_touch(&self, now: Timestamp) -> bool {
        now.since(self.session.seen) >= LAST_SEEN_PRECISION
    }
}

/// The bridge behind a session, if it lives.
pub fn live(
    view: &impl View,
    cx: &Context,
    id: &BridgeSessionId,
) -> Result<Option<LiveBridge>, StoreError> {
    let Some(session) = view.find::<BridgeSession>(id)? else { return Ok(None) };
    let Some(person) = view.find::<Person>(&session.user)? else { return Ok(None) };
    let tokens_valid_after = person
        .tokens_valid_after
        .is_some_and(|tokens_valid_after| session.created <= tokens_valid_after);
    if session.ended || cx.now >= session.expires || person.disabled || tokens_valid_after {
        return Ok(None);
    }
    Ok(Some(LiveBridge { id: id.clone(), person, session }))
}

/// Whether a token was issued to a bridge: only there is its audience had.
pub fn is_bridge(claims: &AccessClaims) -> bool {
    AUDIENCE.iter().all(|name| claims.aud.has(name))
}

/// The bridge that a token of this server's belongs to.
///
/// # Errors
///
/// [`Refusal::BearerTokenForAnotherAudience`], or [`Refusal::BearerTokenOfEndedGrant`] where its
/// session has ended.
pub fn of_token(
    view: &impl View,
    cx: &Context,
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

/// The bridge as it is within a transition: what was proven before may be over by now.
///
/// # Errors
///
/// [`Refusal::BearerTokenOfEndedGrant`] where it is.
pub fn recheck(view: &impl View, cx: &Context, bridge: &LiveBridge) -> Result<LiveBridge, Error> {
    Ok(live(view, cx, bridge.id())?.ok_or(Refusal::BearerTokenOfEndedGrant)?)
}

/// Writes down that a bridge was heard of, which moves the end of its idle time.
pub fn touch(tx: &mut Tx<'_>, cx: &Context, id: &BridgeSessionId) -> Result<(), Error> {
    if let Some(bridge) = live(tx, cx, id)? {
        let session = bridge.session;
        let oldest = session.created + cx.rules.config.lifetimes.session_total;
        let expires = session.expires.max(oldest.min(cx.now + IDLE_TIMEOUT));
        tx.put(id, BridgeSession { expires, seen: cx.now, ..session })?;
    }
    Ok(())
}

/// Remembers an id whose session was forgotten, where a bridge chose it.
pub fn forget(tx: &mut Tx<'_>, cx: &Context, id: &BridgeSessionId) -> Result<(), StoreError> {
    if id.is_drawn() {
        return Ok(());
    }
    tx.put(&hash(cx, id), EndedBridge { at: cx.now })
}

fn hash(cx: &Context, id: &BridgeSessionId) -> TokenHash {
    cx.rules.pepper.hash_parts("bridge session", id.as_str().as_bytes())
}

/// Ends a bridge session, and every token under it.
///
/// # Errors
///
/// [`Refusal::SessionNotFound`] where it does not live, or is not that of `of`.
pub fn end(
    tx: &mut Tx<'_>,
    cx: &Context,
    id: &BridgeSessionId,
    of: Option<UserId>,
) -> Result<LiveBridge, Error> {
    let bridge = live(tx, cx, id)?.filter(|bridge| of.is_none_or(|of| of == bridge.user()));
    let bridge = bridge.ok_or(Refusal::SessionNotFound)?;
    tx.put(id, BridgeSession { ended: true, ..bridge.session.clone() })?;
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
    bridges.items.sort_by(|a, b| (a.session.created, &a.id).cmp(&(b.session.created, &b.id)));
    Ok(bridges)
}
