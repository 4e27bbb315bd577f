//! Proof of a sign-in a moment ago, which whatever changes an account for good asks for: somebody may
//! have left the browser alone.

use std::time::Duration;

use super::LiveSession;
use crate::error::{Error, Refusal};
use crate::flow::{Context, rights};
use crate::model::actor::{Acting, Actor};
use crate::oauth::id::{SessionId, UserId};
use crate::secret::TokenHash;
use crate::store::View;
use crate::store::schema::Person;

/// The time for which a sign-in is recent.
const RECENT: Duration = Duration::from_mins(5);

/// Proof that a person has signed in with a passkey within the last five minutes, in a session that is
/// live.
#[derive(Clone, Debug)]
pub struct RecentSignIn(LiveSession);

impl RecentSignIn {
    /// The proof of the session of a key or cookie.
    ///
    /// # Errors
    ///
    /// [`Refusal::SignInStale`], also if the session is not live.
    pub fn of(view: &impl View, cx: &Context, holder: &TokenHash) -> Result<Self, Error> {
        let live = super::live(view, cx, holder)?.ok_or(Refusal::SignInStale)?;
        if live.is_recent(cx) { Ok(Self(live)) } else { Err(Refusal::SignInStale.into()) }
    }

    /// The `sid` of the session.
    pub fn session(&self) -> SessionId {
        self.0.id()
    }

    /// The person.
    pub fn person(&self) -> &Person {
        self.0.person()
    }

    /// The id of the person.
    pub fn user(&self) -> UserId {
        self.0.user()
    }
}

/// The administrator of a live session, at the pages: what the roles of the person allow there.
///
/// # Errors
///
/// [`Refusal::AdministrationClosed`] if they allow nothing of the administration.
pub fn administrator(cx: &Context, session: &LiveSession) -> Result<Acting, Refusal> {
    let scope = rights::of_roles(&cx.rules, &session.person().roles);
    if scope.is_empty() {
        return Err(Refusal::AdministrationClosed);
    }
    let actor = Actor::Administrator { client: None, person: Some(session.user()) };
    Ok(Acting { actor, address: cx.acting.address, scope })
}

impl RecentSignIn {
    /// As [`administrator`], proven by a sign-in a moment ago.
    ///
    /// # Errors
    ///
    /// As [`administrator`].
    pub fn administrator(&self, cx: &Context) -> Result<Acting, Refusal> {
        administrator(cx, &self.0)
    }
}

impl LiveSession {
    /// Whether the person has signed in within the last five minutes. A sign-in that seems to be later
    /// than now counts by its distance, too.
    pub fn is_recent(&self, cx: &Context) -> bool {
        cx.now.apart(self.authentication().at) <= RECENT
    }
}
