//! Grants and sessions, by their ids and the beginnings of them.

use super::{beginning, candidate, client, of, of_hex, of_text, person};
use crate::error::{Candidate, Error, Refusal};
use crate::flow::Context;
use crate::flow::bridge::access::{self, LiveBridge};
use crate::flow::session::anonymous::{self, StoredSession};
use crate::flow::session::{self, LiveSession};
use crate::flow::token::connection::{self, Connected};
use crate::flow::token::grant::{self, LiveGrant};
use crate::model::bridge::BridgeSessionId;
use crate::oauth::id::{ClientId, GrantId, SessionId};
use crate::store::schema::{AnonymousSession, BridgeSession, Grant, Session};
use crate::store::{StoreError, View};

/// The grant in force that an operator names by its id or the beginning of it.
///
/// # Errors
///
/// [`Refusal::GrantNotFound`] and [`Refusal::NameAmbiguous`].
pub fn grant(view: &impl View, cx: &Context, written: &str) -> Result<LiveGrant, Error> {
    if let Ok(id) = written.parse::<GrantId>()
        && let Some(live) = grant::live(view, cx, id)?
    {
        return Ok(live);
    }
    let found = beginning(view, of_hex(written), |id: GrantId, _: Grant| {
        let Some(live) = grant::live(view, cx, id)? else { return Ok(None) };
        let name = of(live.client().metadata.name(), Some(live.person()));
        Ok(Some((live, candidate(&id, &name))))
    })?;
    found.only()?.ok_or(Refusal::GrantNotFound.into())
}

/// The connection that an operator names by its person, a colon and its client, each as ever.
///
/// # Errors
///
/// [`Refusal::ConnectionNotFound`], and those of [`person`] and [`client`].
pub fn connection(view: &impl View, cx: &Context, written: &str) -> Result<Connected, Error> {
    // No name of a person has a colon.
    let (user, app) = written.split_once(':').ok_or(Refusal::ConnectionNotFound)?;
    let found = person(view, user)?;
    // The id of a client that is gone is one still, and goes before a name that is written like it.
    if let Ok(id) = app.parse::<ClientId>()
        && let Some(exact) = connection::find(view, cx, found.clone(), &id)?
    {
        return Ok(exact);
    }
    let (id, _) = client(view, app)?;
    connection::find(view, cx, found, &id)?.ok_or(Refusal::ConnectionNotFound.into())
}

/// A live session of any kind.
pub enum NamedSession {
    /// Of nobody in particular.
    Anonymous(Box<StoredSession>),
    /// Of a bridge.
    Bridge(Box<LiveBridge>),
    /// Of a browser.
    Browser(Box<LiveSession>),
}

/// The live session that an operator names by its id or the beginning of it.
///
/// # Errors
///
/// [`Refusal::SessionNotFound`] and [`Refusal::NameAmbiguous`].
pub fn session(view: &impl View, cx: &Context, written: &str) -> Result<NamedSession, Error> {
    // A bridge may have chosen an id of the form of a browser session's.
    if let Ok(id) = written.parse::<BridgeSessionId>()
        && let Some(live) = access::live(view, cx, &id)?
    {
        return Ok(NamedSession::Bridge(Box::new(live)));
    }
    if let Ok(id) = written.parse::<SessionId>() {
        if let Some((found, _)) = anonymous_session(view, cx, id)? {
            return Ok(found);
        }
        if let Some(live) = session::by_id(view, cx, id)? {
            return Ok(NamedSession::Browser(Box::new(live)));
        }
    }
    let bridges = beginning(view, of_text(written), |id: BridgeSessionId, _: BridgeSession| {
        let Some(live) = access::live(view, cx, &id)? else { return Ok(None) };
        let candidate = candidate(&id, &live.person().username);
        Ok(Some((NamedSession::Bridge(Box::new(live)), candidate)))
    })?;
    let browsers = beginning(view, of_hex(written), |id: SessionId, _: Session| {
        let Some(live) = session::by_id(view, cx, id)? else { return Ok(None) };
        let candidate = candidate(&id, &live.person().username);
        Ok(Some((NamedSession::Browser(Box::new(live)), candidate)))
    })?;
    let anonymous = beginning(view, of_hex(written), |id: SessionId, _: AnonymousSession| {
        anonymous_session(view, cx, id)
    })?;
    bridges.and(browsers).and(anonymous).only()?.ok_or(Refusal::SessionNotFound.into())
}

fn anonymous_session(
    view: &impl View,
    cx: &Context,
    id: SessionId,
) -> Result<Option<(NamedSession, Candidate)>, StoreError> {
    let Some(session) = anonymous::live(view, cx, id)? else { return Ok(None) };
    let candidate = candidate(&id, &format!("of client {}", session.client));
    let stored = StoredSession { id, is_live: true, session };
    Ok(Some((NamedSession::Anonymous(Box::new(stored)), candidate)))
}
