//! Sign-in with a passkey: [WebAuthn
//! §7.2](https://www.w3.org/TR/webauthn-3/#sctn-verifying-assertion).
//!
//! The assertion is verified outside the transaction, against a revision of the passkey. If the
//! transaction finds another revision, the assertion is verified again.

use std::net::IpAddr;

use crate::error::{Error, Refusal};
use crate::flow::session::{self, SignIn};
use crate::flow::{Context, Rules, throttle};
use crate::model::user_agent::DeviceInfo;
use crate::oauth::id::{CeremonyId, UserId};
use crate::passkey::Asserted;
use crate::secret::{SessionSecret, TokenHash};
use crate::store::schema::{
    Authentication, Ceremony, CeremonyPurpose, CredentialId, Passkey, Person,
};
use crate::store::{Tx, View};

/// Refuses if the pending ceremonies have reached the limit, which is the limit of interactions.
pub fn check_capacity(view: &impl View, rules: &Rules) -> Result<(), Error> {
    let limit = rules.config.policy.interactions;
    if view.count::<Ceremony>(limit)? >= limit {
        return Err(Refusal::CeremoniesTooMany.into());
    }
    Ok(())
}

/// The browser that starts a ceremony.
#[derive(Clone, Copy, Debug)]
pub struct StartingBrowser {
    /// The address of its request.
    pub address: IpAddr,
    /// The hash of its own cookie.
    pub id: TokenHash,
}

/// Stores the server's half of a ceremony.
pub fn start_ceremony(
    tx: &mut Tx<'_>,
    cx: &Context,
    browser: StartingBrowser,
    purpose: CeremonyPurpose,
    state: Vec<u8>,
) -> Result<CeremonyId, Error> {
    let id = CeremonyId::from_seed(&cx.seed);
    let expires = cx.now + cx.rules.config.lifetimes.ceremony;
    let network = throttle::network_hash(&cx.rules, browser.address);
    tx.put(&id, Ceremony { browser: browser.id, expires, network, purpose, state })?;
    Ok(id)
}

/// A pending ceremony, if `browser` is the one that began it.
pub fn ceremony(
    view: &impl View,
    cx: &Context,
    id: CeremonyId,
    browser: &TokenHash,
) -> Result<Ceremony, Error> {
    let ceremony = view.find::<Ceremony>(&id)?.ok_or(Refusal::CeremonyUnknown)?;
    if !ceremony.browser.matches(browser) {
        return Err(Refusal::CeremonyOfAnotherBrowser.into());
    }
    if cx.now >= ceremony.expires {
        return Err(Refusal::CeremonyExpired.into());
    }
    Ok(ceremony)
}

/// The data against which an assertion is verified.
pub struct ChallengedPasskey {
    /// The server's half of the ceremony.
    pub state: Vec<u8>,
    /// The passkey that the answer names.
    pub passkey: Passkey,
}

/// Finds the data against which an assertion is verified.
///
/// The user handle must be that of the passkey's owner (§7.2 step 6).
pub fn challenged(
    view: &impl View,
    cx: &Context,
    id: CeremonyId,
    browser: &TokenHash,
    credential: &CredentialId,
    user: Option<UserId>,
) -> Result<ChallengedPasskey, Error> {
    let ceremony = ceremony(view, cx, id, browser)?;
    if ceremony.purpose != CeremonyPurpose::Authenticate {
        return Err(Refusal::CeremonyUnknown.into());
    }
    let passkey = view.find::<Passkey>(credential)?.ok_or(Refusal::CredentialNotOurs)?;
    if user != Some(passkey.user) {
        return Err(Refusal::CredentialOfAnotherPerson.into());
    }
    Ok(ChallengedPasskey { state: ceremony.state, passkey })
}

/// An assertion that was verified.
#[derive(Clone)]
pub struct AssertionProof {
    /// The result of the verification.
    pub asserted: Asserted,
    /// The hash of the cookie that binds the ceremony to the browser.
    pub browser: TokenHash,
    /// The ceremony that it answers.
    pub ceremony: CeremonyId,
    /// The passkey.
    pub credential: CredentialId,
    /// The browser's description of itself.
    pub device: DeviceInfo,
    /// The session cookie that the browser already has.
    pub previous: Option<TokenHash>,
    /// The revision of the passkey that it was verified against.
    pub revision: u64,
}

/// The outcome of a sign-in.
pub enum SignInOutcome {
    /// The passkey has been used meanwhile: verify the assertion again.
    Changed,
    /// The browser is signed in.
    SignedIn(SessionSecret),
}

/// Spends the ceremony, updates the passkey and opens the session.
pub fn complete(
    tx: &mut Tx<'_>,
    cx: &Context,
    proof: &AssertionProof,
) -> Result<SignInOutcome, Error> {
    ceremony(tx, cx, proof.ceremony, &proof.browser)?;
    let mut passkey = tx.find::<Passkey>(&proof.credential)?.ok_or(Refusal::CredentialNotOurs)?;
    if passkey.revision != proof.revision {
        return Ok(SignInOutcome::Changed);
    }
    let user = passkey.user;
    let person = tx.find::<Person>(&user)?.ok_or(Refusal::CredentialNotOurs)?;
    if person.disabled {
        return Err(Refusal::PersonDisabled.into());
    }
    tx.remove::<Ceremony>(&proof.ceremony)?;
    passkey.backed_up = proof.asserted.backed_up;
    passkey.credential.clone_from(&proof.asserted.credential);
    passkey.revision += 1;
    passkey.used = Some(cx.now);
    tx.put(&proof.credential, passkey)?;
    let authentication = Authentication { amr: proof.asserted.amr.clone(), at: cx.now };
    let sign_in = SignIn { authentication, device: proof.device.clone(), user };
    let secret = session::open(tx, cx, sign_in, proof.previous.as_ref())?;
    Ok(SignInOutcome::SignedIn(secret))
}
