//! A further passkey, which a person makes by the right of a recent sign-in, without a link.

use crate::error::{Error, Refusal};
use crate::flow::Context;
use crate::flow::person::ceremony::{Ceremony, Purpose, Right};
use crate::flow::person::passkeys;
use crate::flow::session::recent::RecentSignIn;
use crate::oauth::display_name::DisplayName;
use crate::oauth::id::PasskeyId;
use crate::passkey::Registered;
use crate::secret::TokenHash;
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
pub fn complete(tx: &mut Tx<'_>, cx: &Context, proof: &FurtherProof) -> Result<PasskeyId, Error> {
    let recent = check(tx, cx, &proof.ceremony, &proof.browser, &proof.holder)?;
    let id = passkeys::add(tx, cx, recent.user(), &proof.registered, &proof.name)?;
    proof.ceremony.spend(tx, recent.user())?;
    Ok(id)
}
