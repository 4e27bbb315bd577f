//! Recovery codes: ten, with each of which a person who has lost their passkeys makes a new one.
//!
//! A code opens no session. It has the right of a setup link ([`enroll`](super::enroll)): it opens the
//! enrolment of a passkey, and is spent in the transaction that stores that. Codes that were made
//! before their person was disabled open nothing any more.

use crate::error::{Error, Refusal};
use crate::event::Kind;
use crate::flow::events::{self, Act};
use crate::flow::session::recent::RecentSignIn;
use crate::flow::{Context, rights};
use crate::oauth::id::UserId;
use crate::secret::{RecoveryCode, TokenHash};
use crate::store::schema::{Person, RECOVERY_CODES_BY_USER, StoredCode};
use crate::store::{StoreError, Tx, View};

/// The number of codes that are made at a time.
const NUMBER: usize = 10;

/// The codes of a person that open something.
pub fn left(view: &impl View, user: UserId) -> Result<usize, StoreError> {
    let Some(person) = view.find::<Person>(&user)? else { return Ok(0) };
    let mut left = 0;
    for hash in view.by(&RECOVERY_CODES_BY_USER, &user, NUMBER)? {
        let code = view.find::<StoredCode>(&hash)?;
        left += usize::from(code.is_some_and(|code| is_valid(&code, &person)));
    }
    Ok(left)
}

fn is_valid(code: &StoredCode, person: &Person) -> bool {
    code.used.is_none() && person.enabled_since(code.created)
}

/// Makes the codes of whoever has signed in a moment ago. Those from before are worth nothing.
///
/// # Errors
///
/// [`Refusal::SignInStale`].
pub fn renew(
    tx: &mut Tx<'_>,
    cx: &Context,
    holder: &TokenHash,
) -> Result<Vec<RecoveryCode>, Error> {
    let recent = RecentSignIn::of(tx, cx, holder)?;
    let user = recent.user();
    remove(tx, user)?;
    let created = recent.person().now_enabled(cx.now);
    let codes: Vec<_> = (0..NUMBER).map(|n| RecoveryCode::from_seed(&cx.seed, n)).collect();
    for code in &codes {
        let row = StoredCode { created, used: None, user };
        tx.put(&code.hash(&cx.rules.pepper), row)?;
    }
    let act = Act::new(Kind::RecoveryCodesMade).by(user).named(&recent.person().username);
    events::record(tx, cx, act)?;
    Ok(codes)
}

/// Removes the codes of a person, by an operator. Returns the number of those that opened something.
///
/// # Errors
///
/// [`Refusal::AdministrationExceeded`].
pub fn revoke(tx: &mut Tx<'_>, cx: &Context, user: UserId) -> Result<usize, Error> {
    rights::check_user(tx, cx, user)?;
    let left = left(tx, user)?;
    remove(tx, user)?;
    Ok(left)
}

fn remove(tx: &mut Tx<'_>, user: UserId) -> Result<(), StoreError> {
    for hash in tx.by(&RECOVERY_CODES_BY_USER, &user, NUMBER)? {
        tx.remove::<StoredCode>(&hash)?;
    }
    Ok(())
}

/// The person whose code it is, if it opens something.
///
/// # Errors
///
/// [`Refusal::RecoveryCodeUnknown`], [`Refusal::RecoveryCodeUsed`], [`Refusal::StartedWithoutPerson`],
/// [`Refusal::PersonDisabled`], and [`Refusal::RecoveryCodeOver`] if the person was disabled since it was
/// made.
pub fn open(view: &impl View, hash: &TokenHash) -> Result<(UserId, Person), Error> {
    let code = view.find::<StoredCode>(hash)?.ok_or(Refusal::RecoveryCodeUnknown)?;
    if code.used.is_some() {
        return Err(Refusal::RecoveryCodeUsed.into());
    }
    let person = view.find::<Person>(&code.user)?.ok_or(Refusal::StartedWithoutPerson)?;
    if person.disabled {
        return Err(Error::about(Refusal::PersonDisabled, code.user));
    }
    if !is_valid(&code, &person) {
        return Err(Refusal::RecoveryCodeOver.into());
    }
    Ok((code.user, person))
}

/// Marks a code as used.
pub fn spend(tx: &mut Tx<'_>, cx: &Context, hash: &TokenHash) -> Result<(), Error> {
    let Some(code) = tx.find::<StoredCode>(hash)? else { return Ok(()) };
    let user = code.user;
    tx.put(hash, StoredCode { used: Some(cx.now), ..code })?;
    let act = Act::new(Kind::RecoveryCodeUsed).by(user).fact("left", left(tx, user)?);
    events::record(tx, cx, act).map(drop)
}
