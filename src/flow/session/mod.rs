//! Browser sessions: opened by a sign-in, ended by sign-out, idleness or age.

pub mod anonymous;
pub mod backchannel;
pub mod logout;

use std::time::Duration;

use crate::clock::Timestamp;
use crate::error::{Error, Refusal};
use crate::flow::{Context, removal};
use crate::model::user_agent::DeviceInfo;
use crate::oauth::id::{SessionId, UserId};
use crate::secret::{SessionSecret, TokenHash};
use crate::store::schema::{
    Authentication, Person, SESSIONS_BY_COOKIE, SESSIONS_BY_USER, Session, Subject,
};
use crate::store::{Listing, Span, StoreError, Tx, View};

/// How far behind the record of a session's last use may lie, so that a page costs no commit.
const LAST_SEEN_PRECISION: Duration = Duration::from_mins(10);

/// Proof that a browser is signed in: a session that is not over, of a person who may be here.
#[derive(Clone, Debug)]
pub struct LiveSession {
    id: SessionId,
    person: Person,
    session: Session,
}

impl LiveSession {
    /// Its `sid`.
    pub fn id(&self) -> SessionId {
        self.id
    }

    /// When it began.
    pub fn created(&self) -> Timestamp {
        self.session.created
    }

    /// When it was last seen, to the precision with which that is written.
    pub fn seen(&self) -> Timestamp {
        self.session.seen
    }

    /// Expiry.
    pub fn expires(&self) -> Timestamp {
        self.session.expires
    }

    /// Whose it is.
    pub fn user(&self) -> UserId {
        self.session.user
    }

    /// Who that is.
    pub fn person(&self) -> &Person {
        &self.person
    }

    /// What the browser told of itself, when it was last heard of.
    pub fn device(&self) -> &DeviceInfo {
        &self.session.device
    }

    /// How and when they signed in last.
    pub fn authentication(&self) -> &Authentication {
        &self.session.authentication
    }

    /// Whether its last use should be written down.
    pub fn needs_touch(&self, cx: &Context) -> bool {
        cx.now.since(self.session.seen) >= LAST_SEEN_PRECISION
    }
}

/// The session behind a cookie, if it lives.
pub fn live(
    view: &impl View,
    cx: &Context,
    cookie: &TokenHash,
) -> Result<Option<LiveSession>, StoreError> {
    match view.by(&SESSIONS_BY_COOKIE, cookie, 1)?.first() {
        Some(id) => by_id(view, cx, *id),
        None => Ok(None),
    }
}

/// The session of that `sid`, if it lives.
pub fn by_id(
    view: &impl View,
    cx: &Context,
    id: SessionId,
) -> Result<Option<LiveSession>, StoreError> {
    let Some(session) = view.find::<Session>(&id)? else { return Ok(None) };
    let Some(person) = view.find::<Person>(&session.user)? else { return Ok(None) };
    let tokens_valid_after = person
        .tokens_valid_after
        .is_some_and(|tokens_valid_after| session.authentication.at <= tokens_valid_after);
    if cx.now >= session.expires || session.revoked || person.disabled || tokens_valid_after {
        return Ok(None);
    }
    Ok(Some(LiveSession { id, person, session }))
}

/// A sign-in that was proven.
pub struct SignIn {
    /// How and when.
    pub authentication: Authentication,
    /// In which browser.
    pub device: DeviceInfo,
    /// Who.
    pub user: UserId,
}

/// Opens a session for a person who has just signed in, and gives the cookie's value.
///
/// Whoever signs in again in the same browser keeps their `sid` under a new cookie, and their
/// session's total time begins anew; whoever signs in where somebody else was signed in ends that
/// one's session.
pub fn open(
    tx: &mut Tx<'_>,
    cx: &Context,
    sign_in: SignIn,
    previous: Option<&TokenHash>,
) -> Result<SessionSecret, Error> {
    let SignIn { authentication, device, user } = sign_in;
    let previous = match previous {
        Some(cookie) => live(tx, cx, cookie)?,
        None => None,
    };
    let id = match previous {
        Some(previous) if previous.user() == user => previous.id,
        Some(previous) => {
            end(tx, cx, previous.id)?;
            SessionId::from_seed(&cx.seed)
        }
        None => SessionId::from_seed(&cx.seed),
    };
    let secret: SessionSecret = cx.seed.token();
    let lifetimes = &cx.rules.config.lifetimes;
    let session = Session {
        authentication,
        cookie: cx.rules.pepper.hash(&secret),
        created: cx.now,
        device,
        expires: cx.now + lifetimes.session_idle.min(lifetimes.session_total),
        revoked: false,
        seen: cx.now,
        user,
    };
    tx.put(&id, session)?;
    Ok(secret)
}

/// Writes down that a session was used, which moves the end of its idle time, and what the browser
/// told of itself, where it was the browser that came.
pub fn touch(
    tx: &mut Tx<'_>,
    cx: &Context,
    id: SessionId,
    device: Option<&DeviceInfo>,
) -> Result<(), Error> {
    let Some(live) = by_id(tx, cx, id)? else { return Ok(()) };
    let lifetimes = &cx.rules.config.lifetimes;
    let mut session = live.session;
    session.seen = cx.now;
    if let Some(device) = device {
        session.device.clone_from(device);
    }
    let oldest = session.created + lifetimes.session_total;
    session.expires = oldest.min(cx.now + lifetimes.session_idle);
    tx.put(&id, session)?;
    Ok(())
}

/// Ends the session behind a cookie, if it lives.
pub fn sign_out(tx: &mut Tx<'_>, cx: &Context, cookie: &TokenHash) -> Result<(), Error> {
    match live(tx, cx, cookie)? {
        Some(session) => end(tx, cx, session.id),
        None => Ok(()),
    }
}

/// Ends a session. The grants that depend on it are over with it: they are asked for their
/// session whenever they are used. The clients that registered a logout URI are notified.
pub fn end(tx: &mut Tx<'_>, cx: &Context, id: SessionId) -> Result<(), Error> {
    removal::end_session(tx, cx, id)?;
    Ok(())
}

/// Revokes a session: it ends, and with it every grant that was created in it, those with offline
/// access too. The row is the mark that grants, codes and device codes heed: it stays until the
/// codes have expired and the grants are removed.
///
/// # Errors
///
/// [`Refusal::SessionNotFound`] where it does not live.
pub fn revoke(tx: &mut Tx<'_>, cx: &Context, id: SessionId) -> Result<LiveSession, Error> {
    let live = by_id(tx, cx, id)?.ok_or(Refusal::SessionNotFound)?;
    removal::schedule_logouts(tx, cx, id)?;
    let lifetimes = &cx.rules.config.lifetimes;
    let expires = cx.now + lifetimes.authorization_code.max(lifetimes.device_code);
    tx.put(&id, Session { expires, revoked: true, ..live.session.clone() })?;
    removal::start(tx, cx, &Subject::Session(id))?;
    Ok(live)
}

/// Revokes a session on behalf of the person whose it is.
///
/// # Errors
///
/// [`Refusal::SessionNotFound`] where it does not live, or is somebody else's.
pub fn revoke_own(tx: &mut Tx<'_>, cx: &Context, user: UserId, id: SessionId) -> Result<(), Error> {
    if by_id(tx, cx, id)?.is_none_or(|live| live.user() != user) {
        return Err(Refusal::SessionNotFound.into());
    }
    revoke(tx, cx, id).map(drop)
}

/// Whether a session was revoked, while a code or a grant of it can exist.
pub fn is_revoked(view: &impl View, id: SessionId) -> Result<bool, StoreError> {
    Ok(view.find::<Session>(&id)?.is_some_and(|session| session.revoked))
}

/// A page of the live sessions, of one person or of all, oldest first within the page.
pub fn list(
    view: &impl View,
    cx: &Context,
    user: Option<UserId>,
    span: &Span<SessionId>,
) -> Result<Listing<LiveSession, SessionId>, StoreError> {
    let mut sessions = match user {
        Some(user) => view.filter_by(&SESSIONS_BY_USER, &user, span, |id| by_id(view, cx, *id))?,
        None => view.filter::<Session, _>(span, |id, _| by_id(view, cx, *id))?,
    };
    sessions.items.sort_by_key(|live| (live.session.created, live.id));
    Ok(sessions)
}
