//! Setup links for people who are there, and for the first administrator, who is not.

use crate::error::{Error, Refusal};
use crate::event::Kind;
use crate::flow::events::{self, Act};
use crate::flow::person::setup_link::{self, IssuedSetupLink};
use crate::flow::person::{passkeys, people, recovery_codes};
use crate::flow::{Context, rights, session};
use crate::oauth::id::UserId;
use crate::store::schema::{Person, SetupPurpose};
use crate::store::{Tx, View as _};

/// Makes the link of the first administrator.
///
/// # Errors
///
/// [`Refusal::UsernameMissing`] once a person exists, and [`Refusal::AdministrationExceeded`].
pub fn first(tx: &mut Tx<'_>, cx: &Context) -> Result<IssuedSetupLink, Error> {
    if !people::nobody(tx)? {
        return Err(Refusal::UsernameMissing.into());
    }
    rights::check_first(cx)?;
    let link = setup_link::issue(tx, cx, SetupPurpose::First)?;
    let act = Act::new(Kind::LinkIssued).fact("for", "the first administrator");
    events::record(tx, cx, link.describe(act))?;
    Ok(link)
}

/// What a link for a person who is there is for, and what ends with its making.
#[derive(Clone, Copy, Debug, Default)]
pub struct Recovering {
    /// Whether the passkeys that are there end.
    pub end_passkeys: bool,
    /// Whether the browser sessions that are there end, with their grants.
    pub end_sessions: bool,
    /// Whether it is for a further passkey of somebody who has theirs.
    pub further: bool,
}

/// A link for a person who is there.
pub struct Recovered {
    /// The number of passkeys that ended.
    pub ended_passkeys: usize,
    /// The number of sessions that ended.
    pub ended_sessions: usize,
    /// The link.
    pub link: IssuedSetupLink,
    /// The person.
    pub person: Person,
}

/// Makes a setup link by which a person registers a passkey. What is to end ends at once, whatever
/// becomes of the link.
///
/// # Errors
///
/// [`Refusal::UserNotFound`], [`Refusal::UserDisabled`], [`Refusal::AdministrationExceeded`], and
/// [`Refusal::MemberMalformed`] if a further passkey is to end what is there.
pub fn recover(
    tx: &mut Tx<'_>,
    cx: &Context,
    user: UserId,
    asked: Recovering,
) -> Result<Recovered, Error> {
    let Recovering { end_passkeys, end_sessions, further } = asked;
    let person = tx.find::<Person>(&user)?.ok_or(Refusal::UserNotFound)?;
    rights::check_person(cx, &person)?;
    if further && (end_passkeys || end_sessions) {
        let why = "a further passkey is beside what is there, and ends none of it";
        return Err(Refusal::MemberMalformed("further", why).into());
    }
    let (purpose, what) = if further {
        (SetupPurpose::Further(user), "a further passkey")
    } else {
        (SetupPurpose::Recovery(user), "a new passkey")
    };
    let link = setup_link::issue(tx, cx, purpose)?;
    let ended_passkeys = if end_passkeys { end(tx, cx, user)? } else { 0 };
    let ended_sessions = if end_sessions { session::end_all(tx, cx, user, None)? } else { 0 };
    let act = Act::new(Kind::LinkIssued).person(user).named(&person.username).fact("for", what);
    let ended = [("ended_passkeys", ended_passkeys), ("ended_sessions", ended_sessions)];
    let ended = ended.into_iter().filter(|(_, number)| *number > 0);
    let act = ended.fold(act, |act, (name, number)| act.fact(name, number));
    events::record(tx, cx, link.describe(act))?;
    Ok(Recovered { ended_passkeys, ended_sessions, link, person })
}

/// Ends the passkeys of a person, and their recovery codes, which somebody may have found with them.
/// Returns the number of passkeys.
fn end(tx: &mut Tx<'_>, cx: &Context, user: UserId) -> Result<usize, Error> {
    recovery_codes::revoke(tx, cx, user)?;
    passkeys::remove_all(tx, cx, user, None)
}
