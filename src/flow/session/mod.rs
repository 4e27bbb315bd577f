//! Browser sessions. A sign-in opens one; sign-out, idleness, age or revocation ends it.

pub mod anonymous;
pub mod backchannel;
pub mod logout;
pub mod recent;

use std::sync::Arc;
use std::time::Duration;

use crate::clock::Timestamp;
use crate::error::{Error, Refusal};
use crate::event::Kind;
use crate::flow::events::{self, Act};
use crate::flow::installation::{clock, restore};
use crate::flow::{Context, Present, removal, rights};
use crate::model::user_agent::DeviceInfo;
use crate::oauth::id::{SessionId, UserId};
use crate::secret::{SessionSecret, TokenHash};
use crate::store::schema::{
    Authentication, Person, SESSIONS_BY_HOLDER, SESSIONS_BY_USER, Session, SignedOut, Subject,
};
use crate::store::{Listing, Span, StoreError, Tx, View};

/// The most sessions that are counted when all of a person's end.
const MAX_COUNTED: usize = 1000;

/// The precision of a session's `seen` time, unless it ends sooner when it is idle. A page within it costs
/// no commit.
const LAST_SEEN_PRECISION: Duration = Duration::from_mins(10);

/// Proof that a browser is signed in: a session that is live, of a person who is not disabled.
#[derive(Clone, Debug)]
pub struct LiveSession {
    expires: Timestamp,
    id: SessionId,
    person: Arc<Person>,
    session: Arc<Session>,
}

impl LiveSession {
    /// Its `sid`.
    pub fn id(&self) -> SessionId {
        self.id
    }

    /// The time of the last sign-in in this session.
    pub fn created(&self) -> Timestamp {
        self.session.created
    }

    /// The last use, with the precision at which it is recorded.
    pub fn seen(&self) -> Timestamp {
        self.session.seen
    }

    /// Expiry.
    pub fn expires(&self) -> Timestamp {
        self.expires
    }

    /// The id of the person.
    pub fn user(&self) -> UserId {
        self.session.user
    }

    /// The person.
    pub fn person(&self) -> &Person {
        &self.person
    }

    /// The browser's last description of itself.
    pub fn device(&self) -> &DeviceInfo {
        &self.session.device
    }

    /// The method and time of the last sign-in.
    pub fn authentication(&self) -> &Authentication {
        &self.session.authentication
    }

    /// The hash of its key or cookie under the newest root secret, if it was found by `holder` and is
    /// stored under an earlier one.
    pub fn holder_anew(&self, holder: &TokenHash) -> Option<TokenHash> {
        self.session.holder.anew(holder)
    }

    /// Whether the last use should be recorded now.
    pub fn needs_touch(&self, cx: &Present) -> bool {
        let precision = LAST_SEEN_PRECISION.min(cx.rules.config.lifetimes.session_idle / 10);
        cx.now.apart(self.session.seen) >= precision
    }
}

/// The session of a key or cookie, if it is live.
pub fn live(
    view: &impl View,
    cx: &Present,
    holder: &TokenHash,
) -> Result<Option<LiveSession>, StoreError> {
    match view.by(&SESSIONS_BY_HOLDER, holder, 1)?.first() {
        Some(id) => by_id(view, cx, *id),
        None => Ok(None),
    }
}

/// The session of that `sid`, if it is live.
pub fn by_id(
    view: &impl View,
    cx: &Present,
    id: SessionId,
) -> Result<Option<LiveSession>, StoreError> {
    let Some(session) = view.find_shared::<Session>(&id)? else { return Ok(None) };
    let Some(person) = view.find_shared::<Person>(&session.user)? else { return Ok(None) };
    if !is_live(view, cx, (id, &session), &person)? {
        return Ok(None);
    }
    let expires = expiry(view, cx, &session)?;
    Ok(Some(LiveSession { expires, id, person, session }))
}

/// Whether a session of `person` is live.
pub fn is_live(
    view: &impl View,
    cx: &Present,
    (id, session): (SessionId, &Session),
    person: &Person,
) -> Result<bool, StoreError> {
    let at = session.authentication.at;
    let valid = person.enabled_since(at) && !person.is_signed_out(id, at);
    Ok(!session.revoked && valid && cx.now < expiry(view, cx, session)?)
}

/// The expiry of a session. After the restore of a backup its idle lifetime counts from the restore.
pub fn expiry(view: &impl View, cx: &Present, session: &Session) -> Result<Timestamp, StoreError> {
    let lifetimes = &cx.rules.config.lifetimes;
    let expires = restore::idle_expiry(view, cx, session.expires, lifetimes.session_idle)?;
    // A row may outlive the total lifetime of its session as a mark of its revocation.
    Ok(expires.min(session.expires.max(session.created + lifetimes.session_total)))
}

/// A sign-in that was proven.
pub struct SignIn {
    /// Its method and time.
    pub authentication: Authentication,
    /// The browser.
    pub device: DeviceInfo,
    /// The key of the session, where it is one.
    pub key: Option<NewSessionKey>,
    /// The person.
    pub user: UserId,
}

/// The hash of a key that the browser has made for a new session, and proven.
#[derive(Clone, Copy)]
pub struct NewSessionKey(pub TokenHash);

/// Opens a session for a person who has just signed in. Returns the value of its cookie, unless the
/// session is a key.
///
/// `previous` is the key or cookie of the session that the browser already has. If that belongs to
/// the same person, the session keeps its `sid`, gets a new key or cookie, and its total lifetime
/// starts again. If it belongs to another person, that person's session ends.
///
/// # Errors
///
/// [`Refusal::SessionKeyInUse`].
pub fn open(
    tx: &mut Tx<'_>,
    cx: &Context,
    sign_in: SignIn,
    previous: Option<&TokenHash>,
) -> Result<Option<SessionSecret>, Error> {
    let SignIn { authentication, device, key, user } = sign_in;
    let previous = match previous {
        Some(holder) => live(tx, cx, holder)?,
        None => None,
    };
    if let Some(NewSessionKey(key)) = &key
        && !tx.by(&SESSIONS_BY_HOLDER, key, 1)?.is_empty()
    {
        return Err(Refusal::SessionKeyInUse.into());
    }
    let id = match previous {
        Some(previous) if previous.user() == user => previous.id,
        Some(previous) => {
            end(tx, cx, previous.id)?;
            SessionId::from_seed(&cx.seed)
        }
        None => SessionId::from_seed(&cx.seed),
    };
    let (holder, secret) = match key {
        Some(NewSessionKey(key)) => (key, None),
        None => {
            let secret: SessionSecret = cx.seed.token();
            (cx.rules.pepper.hash(&secret), Some(secret))
        }
    };
    let lifetimes = &cx.rules.config.lifetimes;
    let session = Session {
        authentication,
        created: cx.now,
        device,
        expires: cx.now + lifetimes.session_idle.min(lifetimes.session_total),
        holder,
        revoked: false,
        seen: cx.now,
        user,
    };
    let (method, user_agent) =
        (session.authentication.amr.join(" "), session.device.user_agent.clone());
    tx.put(&id, session)?;
    let act = Act::new(Kind::SessionOpened).by(user).fact("session", id).fact("amr", method);
    events::record(
        tx,
        cx,
        user_agent.iter().fold(act, |act, browser| act.fact("user_agent", browser)),
    )?;
    Ok(secret)
}

/// Records that a session was used, which extends its idle lifetime. `device` is the browser's
/// description, if the request came from the browser.
pub fn touch(
    tx: &mut Tx<'_>,
    cx: &Context,
    id: SessionId,
    device: Option<&DeviceInfo>,
) -> Result<(), Error> {
    let Some(live) = by_id(tx, cx, id)? else { return Ok(()) };
    let lifetimes = &cx.rules.config.lifetimes;
    let mut session = Session::clone(&live.session);
    session.seen = cx.now;
    // A session from before the clock went back counts from now, so that it does not live longer.
    session.created = session.created.min(cx.now);
    if let Some(device) = device {
        session.device.clone_from(device);
    }
    let oldest = session.created + lifetimes.session_total;
    session.expires = oldest.min(cx.now + lifetimes.session_idle);
    tx.put(&id, session)?;
    Ok(())
}

/// Ends the session of a key or cookie, if it is live.
pub fn sign_out(tx: &mut Tx<'_>, cx: &Context, holder: &TokenHash) -> Result<(), Error> {
    let Some(session) = live(tx, cx, holder)? else { return Ok(()) };
    removal::end_session(tx, cx, session.id)?;
    record_end(tx, cx, &session, Act::new(Kind::SessionEnded).by(session.user()))
}

/// Ends a session, and with it the grants that depend on it: each use of such a grant checks the
/// session. The clients that registered a logout URI are notified.
pub fn end(tx: &mut Tx<'_>, cx: &Context, id: SessionId) -> Result<(), Error> {
    let session = by_id(tx, cx, id)?;
    removal::end_session(tx, cx, id)?;
    match session {
        Some(session) => record_end(tx, cx, &session, Act::new(Kind::SessionEnded)),
        None => Ok(()),
    }
}

/// Records that a session was ended.
fn record_end(tx: &mut Tx<'_>, cx: &Context, ended: &LiveSession, act: Act) -> Result<(), Error> {
    let act = act.person(ended.user()).named(&ended.person.username);
    events::record(tx, cx, act.fact("session", ended.id)).map(drop)
}

/// Revokes a session. It ends, and so does every grant that was created in it, including those with
/// offline access. The row marks the revocation for grants, codes and device codes; it stays until
/// the codes have expired and the grants are removed.
///
/// # Errors
///
/// [`Refusal::SessionNotFound`] if it is not live.
pub fn revoke(tx: &mut Tx<'_>, cx: &Context, id: SessionId) -> Result<LiveSession, Error> {
    let live = by_id(tx, cx, id)?.ok_or(Refusal::SessionNotFound)?;
    rights::check_person(cx, live.person())?;
    end_with_grants(tx, cx, &live)?;
    record_end(tx, cx, &live, Act::new(Kind::SessionEnded).fact("with", "its grants"))?;
    Ok(live)
}

fn end_with_grants(tx: &mut Tx<'_>, cx: &Context, live: &LiveSession) -> Result<(), Error> {
    let id = live.id;
    removal::schedule_logouts(tx, cx, id)?;
    let lifetimes = &cx.rules.config.lifetimes;
    let expires = cx.latest + lifetimes.authorization_code.max(lifetimes.device_code);
    tx.put(&id, Session { expires, revoked: true, ..Session::clone(&live.session) })?;
    removal::start(tx, cx, &Subject::Session(id))?;
    Ok(())
}

/// Revokes a session at the request of its person.
///
/// # Errors
///
/// [`Refusal::SessionNotFound`] if it is not live, or belongs to another person.
pub fn revoke_own(tx: &mut Tx<'_>, cx: &Context, user: UserId, id: SessionId) -> Result<(), Error> {
    let own = by_id(tx, cx, id)?.filter(|live| live.user() == user);
    let live = own.ok_or(Refusal::SessionNotFound)?;
    end_with_grants(tx, cx, &live)?;
    let act = Act::new(Kind::SessionEnded).by(user).fact("with", "its grants");
    record_end(tx, cx, &live, act)
}

/// Ends every session of a person but `except`, with every grant that was made in one of them, those with
/// offline access included. The clients that registered a logout URI are notified. Returns the number of
/// sessions, counted up to 1,000.
///
/// # Errors
///
/// [`Refusal::UserNotFound`].
pub fn end_all(
    tx: &mut Tx<'_>,
    cx: &Context,
    user: UserId,
    except: Option<SessionId>,
) -> Result<usize, Error> {
    let live = list(tx, cx, Some(user), &Span::first(MAX_COUNTED))?.items;
    let ended = live.iter().filter(|live| Some(live.id) != except).count();
    let person = tx.find::<Person>(&user)?.ok_or(Refusal::UserNotFound)?;
    let at = person.now_enabled(clock::milestone(tx, cx)?);
    let act = Act::new(Kind::SessionsEnded).person(user).named(&person.username);
    let act = except.iter().fold(act, |act, own| act.by(user).fact("except", own));
    tx.put(&user, Person { signed_out: Some(SignedOut { at, except }), ..person })?;
    removal::start(tx, cx, &Subject::Sessions(user))?;
    events::record(tx, cx, act.fact("ended", ended))?;
    Ok(ended)
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
    sessions.items.sort_unstable_by_key(|live| (live.session.created, live.id));
    Ok(sessions)
}
