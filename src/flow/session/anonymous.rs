//! Anonymous sessions: a client has one opened for somebody whom nobody knows, and whoever it was
//! takes it with them when they enrol.
//!
//! Each is new: nothing that a client or a browser says leads to a session that is there already.
//! The cookie merges it, and opens nothing; the token opens what a resource server gives to anybody.

use std::net::IpAddr;

use crate::error::{Error, Refusal};
use crate::flow::client::authentication::AuthenticatedClient;
use crate::flow::client::last_use;
use crate::flow::token::issue::{self, Issued};
use crate::flow::{Context, throttle};
use crate::model::anonymous::AnonymousRequest;
use crate::model::user_agent::DeviceInfo;
use crate::oauth::authorize::Callback;
use crate::oauth::claims::AccessClaims;
use crate::oauth::id::{AnonymousSub, SessionId, UserId};
use crate::secret::{AnonymousSecret, TokenHash};
use crate::store::schema::{
    ANONYMOUS_BY_COOKIE, ANONYMOUS_BY_EXPIRY, ANONYMOUS_BY_NETWORK, AnonymousEnding,
    AnonymousSession, Client,
};
use crate::store::{Listing, Span, StoreError, Tx, View};

/// How many are opened in a minute from one network, and for one client.
const MAX_PER_NETWORK: usize = 60;
const MAX_PER_CLIENT: usize = 600;

/// From where a session is asked for.
#[derive(Clone, Debug)]
pub struct SessionRequest {
    /// The address.
    pub address: IpAddr,
    /// What the request tells of the device.
    pub device: DeviceInfo,
}

/// A session that was opened, and the token to be signed under it.
pub struct OpenedSession {
    /// The token.
    pub issued: Issued,
    /// The session.
    pub id: SessionId,
    /// Its cookie's value.
    pub secret: AnonymousSecret,
    /// What is known of it.
    pub session: AnonymousSession,
}

/// Refuses where as many sessions live as may, in all or from the network of `address`. This machine
/// is no network: through a proxy it may be anybody.
///
/// Read before the transaction: the bound is a bound on size, and need not be exact.
pub fn check_capacity(view: &impl View, cx: &Context, address: IpAddr) -> Result<(), Error> {
    let limit = cx.rules.config.policy.anonymous_sessions;
    let (network, half) = (network(cx, address), limit.div_ceil(2));
    let in_all = view.count_beyond(&ANONYMOUS_BY_EXPIRY, &(), &cx.now, limit)?;
    let from_network =
        view.count_beyond(&ANONYMOUS_BY_NETWORK, &network, &(network, cx.now), half)?;
    let filled = from_network >= half && !address.to_canonical().is_loopback();
    if in_all >= limit || filled {
        return Err(Refusal::AnonymousSessionsTooMany.into());
    }
    Ok(())
}

fn network(cx: &Context, address: IpAddr) -> TokenHash {
    cx.rules.pepper.hash_parts("anonymous sessions network", &throttle::network(address))
}

/// Opens a session, and makes the token under it.
///
/// # Errors
///
/// [`Refusal::AnonymousNotAllowed`] where the operator has not allowed it to the client, and
/// [`Refusal::RedirectUriUnregistered`] where the client names an address that is not its own.
pub fn open(
    tx: &mut Tx<'_>,
    cx: &Context,
    proven: &AuthenticatedClient,
    session_request: &SessionRequest,
    request: &AnonymousRequest,
) -> Result<OpenedSession, Error> {
    let client = proven.client(tx)?;
    if !client.decisions.anonymous {
        return Err(Refusal::AnonymousNotAllowed.into());
    }
    if let Some(requested) = &request.redirect_uri {
        Callback::prove(
            &client.metadata.redirect_uris,
            client.metadata.client_type(),
            Some(requested),
            None,
        )?;
    }
    let from = throttle::network(session_request.address);
    throttle::consume(tx, cx, "anonymous sessions from", &from, MAX_PER_NETWORK)?;
    let id = proven.id();
    throttle::consume(tx, cx, "anonymous sessions of", id.as_str().as_bytes(), MAX_PER_CLIENT)?;
    last_use::record_use(tx, cx, id, &client)?;
    let (id, secret) = (SessionId::from_seed(&cx.seed), cx.seed.token());
    let session = AnonymousSession {
        client: proven.id().clone(),
        cookie: cx.rules.pepper.hash(&secret),
        created: cx.now,
        ending: None,
        expires: cx.now + cx.rules.config.lifetimes.anonymous,
        metadata: request.metadata.clone(),
        device: session_request.device.clone(),
        network: network(cx, session_request.address),
        redirect_uri: request.redirect_uri.clone(),
        sub: AnonymousSub::from_seed(&cx.seed),
    };
    tx.put(&id, session.clone())?;
    let issued = issue::for_anonymous(cx, &client, id, &session)?;
    Ok(OpenedSession { issued, id, secret, session })
}

/// The session of that id, if it lives: not ended, not over, and its client is still the one that
/// opened it and may still do so.
pub fn live(
    view: &impl View,
    cx: &Context,
    id: SessionId,
) -> Result<Option<AnonymousSession>, StoreError> {
    let Some(session) = view.find::<AnonymousSession>(&id)? else { return Ok(None) };
    let client = view.find::<Client>(&session.client)?;
    let may_open = |client: Client| {
        client.enabled && client.decisions.anonymous && client.created <= session.created
    };
    let lives = session.ending.is_none() && cx.now < session.expires;
    Ok((lives && client.is_some_and(may_open)).then_some(session))
}

/// Refuses a token of an anonymous session that does not live.
///
/// # Errors
///
/// [`Refusal::BearerTokenOfEndedGrant`].
pub fn check(view: &impl View, cx: &Context, claims: &AccessClaims) -> Result<(), Error> {
    let session = match claims.sid.as_deref().and_then(|sid| sid.parse().ok()) {
        Some(id) => live(view, cx, id)?,
        None => None,
    };
    let own = |session: AnonymousSession| session.sub.to_string() == claims.sub;
    if session.is_some_and(own) { Ok(()) } else { Err(Refusal::BearerTokenOfEndedGrant.into()) }
}

/// Merges the session behind a cookie into `user`, who has just enrolled in its browser, and says
/// whether there was one. Nothing under it lives on: the person's tokens are those of their own
/// session.
pub fn merge(
    tx: &mut Tx<'_>,
    cx: &Context,
    cookie: &TokenHash,
    user: UserId,
) -> Result<bool, StoreError> {
    let Some(id) = tx.by(&ANONYMOUS_BY_COOKIE, cookie, 1)?.pop() else { return Ok(false) };
    let Some(session) = live(tx, cx, id)? else { return Ok(false) };
    tx.put(&id, AnonymousSession { ending: Some(AnonymousEnding::Merged(user)), ..session })?;
    Ok(true)
}

/// Ends a session, and every token under it.
///
/// # Errors
///
/// [`Refusal::SessionNotFound`] where it does not live.
pub fn revoke(tx: &mut Tx<'_>, cx: &Context, id: SessionId) -> Result<StoredSession, Error> {
    let session = live(tx, cx, id)?.ok_or(Refusal::SessionNotFound)?;
    let session = AnonymousSession { ending: Some(AnonymousEnding::Revoked), ..session };
    tx.put(&id, session.clone())?;
    Ok(StoredSession { id, lives: false, session })
}

/// A session that its operator looks at.
pub struct StoredSession {
    /// Its id.
    pub id: SessionId,
    /// Whether it lives.
    pub lives: bool,
    /// What is known of it.
    pub session: AnonymousSession,
}

/// A page of the live sessions, oldest first within the page.
pub fn list(
    view: &impl View,
    cx: &Context,
    span: &Span<SessionId>,
) -> Result<Listing<StoredSession, SessionId>, StoreError> {
    let mut sessions = view.filter::<AnonymousSession, _>(span, |id, _| {
        let session = live(view, cx, *id)?;
        Ok(session.map(|session| StoredSession { id: *id, lives: true, session }))
    })?;
    sessions.items.sort_by_key(|stored| (stored.session.created, stored.id));
    Ok(sessions)
}

/// A page of the stored sessions, live or ended, oldest first within the page.
pub fn list_all(
    view: &impl View,
    cx: &Context,
    span: &Span<SessionId>,
) -> Result<Listing<StoredSession, SessionId>, StoreError> {
    let mut sessions = view.filter::<AnonymousSession, _>(span, |id, session| {
        let lives = live(view, cx, *id)?.is_some();
        Ok(Some(StoredSession { id: *id, lives, session }))
    })?;
    sessions.items.sort_by_key(|stored| (stored.session.created, stored.id));
    Ok(sessions)
}
