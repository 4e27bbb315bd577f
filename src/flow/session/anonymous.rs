//! Anonymous sessions: a client opens one for a visitor without an account, and enrolment merges it
//! into the new person.
//!
//! Each session is new: nothing that a client or a browser sends leads to an existing one. The
//! cookie can only merge the session. The token opens what a resource server gives to anonymous
//! visitors.

use std::net::IpAddr;

use crate::error::{Error, Refusal};
use crate::flow::client::authentication::AuthenticatedClient;
use crate::flow::client::last_use;
use crate::flow::throttle::{self, Source};
use crate::flow::token::issue::{self, Issued};
use crate::flow::{Context, Present, admission};
use crate::model::anonymous::AnonymousRequest;
use crate::model::network::Network;
use crate::model::user_agent::DeviceInfo;
use crate::oauth::authorize::Callback;
use crate::oauth::claims::AccessClaims;
use crate::oauth::id::{AnonymousSub, SessionId, UserId};
use crate::secret::{AnonymousSecret, TokenHash};
use crate::store::schema::{ANONYMOUS_BY_COOKIE, AnonymousEnding, AnonymousSession, Client};
use crate::store::{Listing, Span, StoreError, Tx, View};

/// The most sessions that are opened in a minute from one network.
const MAX_PER_NETWORK: usize = 60;

/// The origin of a request for a session.
#[derive(Clone, Debug)]
pub struct SessionRequest {
    /// The address.
    pub address: IpAddr,
    /// The device, as the request describes it.
    pub device: DeviceInfo,
}

/// A session that was opened, and its token, not yet signed.
pub struct OpenedSession {
    /// The token.
    pub issued: Issued,
    /// The session.
    pub id: SessionId,
    /// The value of its cookie.
    pub secret: AnonymousSecret,
    /// The row.
    pub session: AnonymousSession,
}

/// Opens a session and makes its token.
///
/// # Errors
///
/// [`Refusal::AnonymousNotAllowed`] if the operator has not allowed the client to do so,
/// [`Refusal::RedirectUriUnregistered`] if the client names a redirect URI that it has not
/// registered, and [`Error::Paused`].
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
    let network = Network::of(session_request.address);
    let source = Source::Network(network);
    throttle::consume(tx, cx, "anonymous sessions", &source, MAX_PER_NETWORK)?;
    let id = proven.id();
    last_use::record_use(tx, cx, id, &client, None)?;
    let (id, secret) = (SessionId::from_seed(&cx.seed), cx.seed.token());
    let session = AnonymousSession {
        client: proven.id().clone(),
        cookie: cx.rules.pepper.hash(&secret),
        created: cx.now.max(client.created),
        ending: None,
        expires: cx.now + cx.rules.config.lifetimes.anonymous,
        metadata: request.metadata.clone(),
        device: session_request.device.clone(),
        network,
        redirect_uri: request.redirect_uri.clone(),
        sub: AnonymousSub::from_seed(&cx.seed),
    };
    admission::store(tx, cx, &id, session.clone())?;
    let issued = issue::for_anonymous(cx, &client, id, &session)?;
    Ok(OpenedSession { issued, id, secret, session })
}

/// The session of that id, if it is live: neither ended nor expired, and the client that opened it
/// still exists, is enabled and may open anonymous sessions.
pub fn live(
    view: &impl View,
    cx: &Present,
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

/// Refuses a token whose anonymous session is not live.
///
/// # Errors
///
/// [`Refusal::BearerTokenOfEndedGrant`].
pub fn check(view: &impl View, cx: &Present, claims: &AccessClaims) -> Result<(), Error> {
    of_token(view, cx, claims)?.map(|_| ()).ok_or(Refusal::BearerTokenOfEndedGrant.into())
}

/// The live session of a token.
fn of_token(
    view: &impl View,
    cx: &Present,
    claims: &AccessClaims,
) -> Result<Option<(SessionId, AnonymousSession)>, StoreError> {
    let id: Option<SessionId> = claims.sid.as_deref().and_then(|sid| sid.parse().ok());
    let Some(id) = id else { return Ok(None) };
    let session = live(view, cx, id)?.filter(|session| session.sub.to_string() == claims.sub);
    Ok(session.map(|session| (id, session)))
}

/// Ends the session of a token that is revoked, if it is live: the token is all that it opens.
pub fn end_of_token(
    tx: &mut Tx<'_>,
    cx: &Context,
    claims: &AccessClaims,
) -> Result<(), StoreError> {
    let Some((id, session)) = of_token(tx, cx, claims)? else { return Ok(()) };
    tx.put(&id, AnonymousSession { ending: Some(AnonymousEnding::Revoked), ..session })?;
    Ok(())
}

/// Merges the session behind a cookie into `user`, who has just enrolled in its browser. Returns
/// whether there was one. Its tokens end: the person's tokens belong to their own session.
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

/// Ends a session and every token of it.
///
/// # Errors
///
/// [`Refusal::SessionNotFound`] if it is not live.
pub fn revoke(tx: &mut Tx<'_>, cx: &Context, id: SessionId) -> Result<StoredSession, Error> {
    let session = live(tx, cx, id)?.ok_or(Refusal::SessionNotFound)?;
    let session = AnonymousSession { ending: Some(AnonymousEnding::Revoked), ..session };
    tx.put(&id, session.clone())?;
    Ok(StoredSession { id, is_live: false, session })
}

/// A session, as the operator sees it.
pub struct StoredSession {
    /// Its id.
    pub id: SessionId,
    /// Whether it is live.
    pub is_live: bool,
    /// The row.
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
        Ok(session.map(|session| StoredSession { id: *id, is_live: true, session }))
    })?;
    sessions.items.sort_unstable_by_key(|stored| (stored.session.created, stored.id));
    Ok(sessions)
}

/// A page of the stored sessions, live or ended, oldest first within the page.
pub fn list_all(
    view: &impl View,
    cx: &Context,
    span: &Span<SessionId>,
) -> Result<Listing<StoredSession, SessionId>, StoreError> {
    let mut sessions = view.filter::<AnonymousSession, _>(span, |id, session| {
        let is_live = live(view, cx, *id)?.is_some();
        Ok(Some(StoredSession { id: *id, is_live, session }))
    })?;
    sessions.items.sort_unstable_by_key(|stored| (stored.session.created, stored.id));
    Ok(sessions)
}
