//! Sign-in with a passkey: [WebAuthn
//! §7.2](https://www.w3.org/TR/webauthn-3/#sctn-verifying-assertion).
//!
//! The assertion is verified outside the transaction, against a revision of the passkey. If the
//! transaction finds another revision, the assertion is verified again.

use crate::error::{Error, Refusal};
use crate::flow::Context;
use crate::flow::person::ceremony::{Ceremony, Purpose};
use crate::flow::person::passkeys;
use crate::flow::session::{self, NewSessionKey, SignIn};
use crate::model::user_agent::DeviceInfo;
use crate::oauth::id::UserId;
use crate::passkey::Asserted;
use crate::secret::{SessionSecret, TokenHash};
use crate::store::schema::{Authentication, CredentialId, Passkey, Person};
use crate::store::{Tx, View};

/// Finds the passkey against which the response to a ceremony is verified.
///
/// The user handle must be that of the passkey's owner (§7.2 step 6).
pub fn challenged(
    view: &impl View,
    cx: &Context,
    ceremony: &Ceremony,
    browser: &TokenHash,
    credential: &CredentialId,
    user: Option<UserId>,
) -> Result<Passkey, Error> {
    ceremony.check(view, cx, browser)?;
    if !matches!(ceremony.purpose(), Purpose::Authenticate) {
        return Err(Refusal::CeremonyUnknown.into());
    }
    let Some(passkey) = view.find::<Passkey>(credential)? else {
        return Err(passkeys::unknown(view, credential, user)?.into());
    };
    if user != Some(passkey.user) {
        return Err(Refusal::CredentialOfAnotherPerson.into());
    }
    Ok(passkey)
}

/// An assertion that was verified.
#[derive(Clone)]
pub struct AssertionProof {
    /// The result of the verification.
    pub asserted: Asserted,
    /// The hash of the cookie that binds the ceremony to the browser.
    pub browser: TokenHash,
    /// The ceremony that it answers.
    pub ceremony: Ceremony,
    /// The passkey.
    pub credential: CredentialId,
    /// The browser's description of itself.
    pub device: DeviceInfo,
    /// The key of the session to open, where it is one.
    pub key: Option<NewSessionKey>,
    /// The key or cookie of the session that the browser already has.
    pub previous: Option<TokenHash>,
    /// The revision of the passkey that it was verified against.
    pub revision: u64,
    /// The person that its user handle names.
    pub user: Option<UserId>,
}

/// The outcome of a sign-in.
pub enum SignInOutcome {
    /// The passkey has been used meanwhile: verify the assertion again.
    Changed,
    /// The browser is signed in, with this cookie unless its session is a key.
    SignedIn(Option<SessionSecret>),
}

/// Spends the ceremony, updates the passkey and opens the session.
pub fn complete(
    tx: &mut Tx<'_>,
    cx: &Context,
    proof: &AssertionProof,
) -> Result<SignInOutcome, Error> {
    proof.ceremony.check(tx, cx, &proof.browser)?;
    let Some(mut passkey) = tx.find::<Passkey>(&proof.credential)? else {
        return Err(passkeys::unknown(tx, &proof.credential, proof.user)?.into());
    };
    if passkey.revision != proof.revision {
        return Ok(SignInOutcome::Changed);
    }
    let user = passkey.user;
    let person = tx.find::<Person>(&user)?.ok_or(Refusal::CredentialOfRemovedPerson)?;
    if person.disabled {
        return Err(Error::about(Refusal::PersonDisabled, user));
    }
    proof.ceremony.spend(tx, user)?;
    passkey.backed_up = proof.asserted.backed_up;
    passkey.credential.clone_from(&proof.asserted.credential);
    passkey.revision += 1;
    passkey.used = Some(cx.now);
    tx.put(&proof.credential, passkey)?;
    let at = person.now_enabled(cx.now);
    let authentication = Authentication { amr: proof.asserted.amr.clone(), at };
    let (device, key) = (proof.device.clone(), proof.key);
    let sign_in = SignIn { authentication, device, key, user };
    let secret = session::open(tx, cx, sign_in, proof.previous.as_ref())?;
    Ok(SignInOutcome::SignedIn(secret))
}
