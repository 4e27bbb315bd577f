//! What a person does with their own account by the right of a recent sign-in: they add, rename and
//! remove a passkey, change their profile and end their other sessions.

use crate::error::{Error, Refusal};
use crate::flow::Context;
use crate::flow::bridge::belongings;
use crate::flow::person::ceremony::{Ceremony, Purpose, Right};
use crate::flow::person::passkeys::{self, RemovedNow};
use crate::flow::person::{people, recovery_codes};
use crate::flow::session;
use crate::flow::session::recent::RecentSignIn;
use crate::model::email::Email;
use crate::oauth::display_name::DisplayName;
use crate::oauth::id::PasskeyId;
use crate::passkey::Registered;
use crate::secret::TokenHash;
use crate::store::schema::Passkey;
use crate::store::{Tx, View};

/// A registration that was verified.
#[derive(Clone)]
pub struct FurtherProof {
    /// The hash of the cookie that binds the ceremony to the browser.
    pub browser: TokenHash,
    /// The ceremony that it answers.
    pub ceremony: Ceremony,
    /// The key or cookie of the session.
    pub holder: TokenHash,
    /// The name of the passkey.
    pub name: DisplayName,
    /// The verified credential.
    pub registered: Registered,
}

/// Checks that a ceremony belongs to the session of `holder`, and that its sign-in is still recent.
///
/// # Errors
///
/// [`Refusal::SignInStale`]; those of [`Ceremony::check`]; [`Refusal::CeremonyOfAnotherBrowser`] if it
/// is of another session.
pub fn check(
    view: &impl View,
    cx: &Context,
    ceremony: &Ceremony,
    browser: &TokenHash,
    holder: &TokenHash,
) -> Result<RecentSignIn, Error> {
    let recent = RecentSignIn::of(view, cx, holder)?;
    ceremony.check(view, cx, browser)?;
    let Purpose::Register { right: Right::SignIn(session), user, .. } = ceremony.purpose() else {
        return Err(Refusal::CeremonyUnknown.into());
    };
    if (*session, *user) != (recent.session(), recent.user()) {
        return Err(Refusal::CeremonyOfAnotherBrowser.into());
    }
    Ok(recent)
}

/// Stores the passkey and spends the ceremony.
///
/// # Errors
///
/// Those of [`check`] and of [`passkeys::add`].
pub fn add(tx: &mut Tx<'_>, cx: &Context, proof: &FurtherProof) -> Result<PasskeyId, Error> {
    let recent = check(tx, cx, &proof.ceremony, &proof.browser, &proof.holder)?;
    let id = passkeys::add(tx, cx, recent.user(), &proof.registered, &proof.name)?;
    proof.ceremony.spend(tx, recent.user())?;
    Ok(id)
}

/// Renames a passkey of whoever has signed in a moment ago.
///
/// # Errors
///
/// [`Refusal::SignInStale`], and those of [`passkeys::rename`].
pub fn rename(
    tx: &mut Tx<'_>,
    cx: &Context,
    holder: &TokenHash,
    id: PasskeyId,
    name: &DisplayName,
) -> Result<Passkey, Error> {
    let recent = RecentSignIn::of(tx, cx, holder)?;
    passkeys::rename(tx, cx, id, Some(recent.user()), name)
}

/// What a person wants beside the removal of a passkey.
#[derive(Clone, Copy)]
pub struct RemovalWish {
    /// To have no passkey after it.
    pub even_last: bool,
    /// To end all their other sessions and their recovery codes, too, as after a theft.
    pub others_out: bool,
}

/// Removes a passkey of whoever has signed in a moment ago.
///
/// # Errors
///
/// [`Refusal::SignInStale`]; [`Refusal::PasskeyIsLast`] if they would have none without wishing it; those
/// of [`passkeys::remove`].
pub fn remove(
    tx: &mut Tx<'_>,
    cx: &Context,
    holder: &TokenHash,
    id: PasskeyId,
    wish: RemovalWish,
) -> Result<RemovedNow, Error> {
    let recent = RecentSignIn::of(tx, cx, holder)?;
    let removed = passkeys::remove(tx, cx, id, Some(recent.user()))?;
    if removed.left == 0 && !wish.even_last {
        return Err(Refusal::PasskeyIsLast.into());
    }
    if wish.others_out {
        // Whoever has the passkey may have made the codes.
        recovery_codes::revoke(tx, cx, recent.user())?;
        session::end_all(tx, cx, recent.user(), Some(recent.session()))?;
    }
    Ok(removed)
}

/// How a person is to be known.
#[derive(Clone)]
pub struct Profile {
    /// The display name.
    pub display_name: DisplayName,
    /// The e-mail address, if there is to be one.
    pub email: Option<Email>,
}

/// Changes the profile of whoever has signed in a moment ago: all of it, or nothing.
///
/// # Errors
///
/// [`Refusal::SignInStale`], and those of [`people::set_own_email`].
pub fn set_profile(
    tx: &mut Tx<'_>,
    cx: &Context,
    holder: &TokenHash,
    profile: &Profile,
) -> Result<(), Error> {
    let user = RecentSignIn::of(tx, cx, holder)?.user();
    people::set_own_name(tx, cx, user, &profile.display_name)?;
    people::set_own_email(tx, cx, user, profile.email.as_ref())
}

/// Ends every session but this one of whoever has signed in a moment ago, and all their linked devices if
/// they wish it.
///
/// # Errors
///
/// [`Refusal::SignInStale`].
pub fn end_others(
    tx: &mut Tx<'_>,
    cx: &Context,
    holder: &TokenHash,
    devices: bool,
) -> Result<(), Error> {
    let recent = RecentSignIn::of(tx, cx, holder)?;
    session::end_all(tx, cx, recent.user(), Some(recent.session()))?;
    if devices {
        belongings::end_all(tx, cx, recent.user())?;
    }
    Ok(())
}
