//! Passkey ceremonies: sign-in and enrolment. This module verifies passkeys between the transitions
//! (WebAuthn §7.1, §7.2).

use serde_json::Value;

use super::App;
use crate::error::{Error, Refusal};
use crate::event::CounterLog;
use crate::event::Kind;
use crate::flow::events::Act;
use crate::flow::person::ceremony::{Ceremony, Purpose};
use crate::flow::person::enroll::{self, Candidate, Enrolled, RegistrationProof};
use crate::flow::person::login::{self, AssertionProof, SignInOutcome};
use crate::flow::session::NewSessionKey;
use crate::model::actor::Acting;
use crate::model::email::Email;
use crate::model::person::Username;
use crate::model::user_agent::DeviceInfo;
use crate::oauth::display_name::DisplayName;
use crate::passkey::{Assertion, StartedCeremony};
use crate::secret::{SessionSecret, TokenHash};
use crate::store::schema::SetupPurpose;

/// The most verifications of one assertion. It is verified again if the passkey was used meanwhile.
const MAX_ATTEMPTS: usize = 3;

/// A ceremony that started.
pub struct Started {
    /// The ceremony, sealed for the browser.
    pub ceremony: String,
    /// The options for the browser, in the form of `parseCreationOptionsFromJSON` and
    /// `parseRequestOptionsFromJSON`.
    pub public_key: Value,
}

/// Starts a sign-in in the browser with the cookie of hash `browser`. It names no person, so the
/// response does not reveal who exists.
pub fn start_assertion(app: &App, browser: TokenHash) -> Result<Started, Error> {
    start(app, browser, Purpose::Authenticate, app.passkeys().start_authentication()?)
}

fn start(
    app: &App,
    browser: TokenHash,
    purpose: Purpose,
    started: StartedCeremony,
) -> Result<Started, Error> {
    let ceremony = Ceremony::start(&app.context(), browser, purpose, started.state);
    let ceremony = ceremony.seal(&app.rules().pepper)?;
    Ok(Started { ceremony, public_key: started.public_key })
}

/// A response to a sign-in ceremony, not verified yet.
pub struct PresentedAssertion {
    /// The assertion.
    pub assertion: Assertion,
    /// The hash of the browser's own cookie.
    pub browser: TokenHash,
    /// The ceremony.
    pub ceremony: Ceremony,
    /// The browser's description of itself.
    pub device: DeviceInfo,
    /// The key of the session to open, where it is one.
    pub key: Option<NewSessionKey>,
    /// The hash of the key or cookie of the browser's session, if it has one.
    pub previous: Option<TokenHash>,
}

/// Verifies an assertion and opens the session. If the passkey changes between the verification and
/// the transition, the assertion is verified again, against the changed passkey.
pub async fn finish_assertion(
    app: &App,
    presented: PresentedAssertion,
) -> Result<Option<SessionSecret>, Error> {
    let PresentedAssertion { assertion, browser, ceremony, device, key, previous } = presented;
    let credential = assertion.credential();
    for _ in 0..MAX_ATTEMPTS {
        let cx = app.context();
        let user = assertion.user();
        let passkey = login::challenged(&app.read()?, &cx, &ceremony, &browser, &credential, user)?;
        let owner = passkey.user.to_string();
        let counter_log = |accepted| {
            let act = Act::new(Kind::PasskeyCopied).by(passkey.user).fact("accepted", accepted);
            let event = app.note(Acting::stranger_at(&device.address), act);
            CounterLog { accepted, user: &owner }.log(&event);
        };
        let asserted =
            app.passkeys().finish_authentication(ceremony.state(), &assertion, &passkey.credential);
        if matches!(asserted, Err(Error::Refused(Refusal::CredentialCounterBack))) {
            counter_log(false);
        }
        let asserted = asserted?;
        let counter_went_back = asserted.counter_went_back;
        let proof = AssertionProof {
            asserted,
            browser,
            ceremony: ceremony.clone(),
            credential: credential.clone(),
            device: device.clone(),
            key,
            previous,
            revision: passkey.revision,
        };
        let acting = Acting::stranger_at(&device.address);
        match app.write_by(acting, move |tx, cx| login::complete(tx, cx, &proof)).await? {
            SignInOutcome::Changed => {}
            SignInOutcome::SignedIn(secret) => {
                if counter_went_back {
                    counter_log(true);
                }
                return Ok(secret);
            }
        }
    }
    Err(Refusal::CredentialRefused.into())
}

/// Starts an enrolment by `link`, without spending it. `names` gives the names of the first
/// administrator; every other person already has theirs. `email` is the address that they typed.
pub fn start_registration(
    app: &App,
    browser: TokenHash,
    link: TokenHash,
    names: impl FnOnce() -> Result<(Username, DisplayName), Refusal>,
    email: Option<Email>,
) -> Result<Started, Error> {
    let (candidate, existing) = {
        let (view, cx) = (app.read()?, app.context());
        let opened = enroll::open(&view, &cx, &link)?;
        let names = match opened.purpose {
            SetupPurpose::First => Some(names()?),
            SetupPurpose::Enrol(_) | SetupPurpose::Recover(_) => None,
        };
        let candidate = enroll::candidate(&view, &cx, opened, names, email)?;
        let existing = enroll::passkeys(&view, candidate.user)?;
        (candidate, existing.into_iter().map(|(id, _)| id).collect())
    };
    let started = app.passkeys().start_registration(
        candidate.user,
        &candidate.username,
        &candidate.display_name,
        existing,
    )?;
    let Candidate { user, username, display_name, email } = candidate;
    let purpose = Purpose::Register { link, user, username, display_name, email };
    start(app, browser, purpose, started)
}

/// A response to a registration ceremony, not verified yet.
pub struct PresentedRegistration {
    /// The hash of the anonymous session's cookie, if the browser has one.
    pub anonymous: Option<TokenHash>,
    /// The hash of the browser's own cookie.
    pub browser: TokenHash,
    /// The ceremony.
    pub ceremony: Ceremony,
    /// The new credential, as the browser sent it.
    pub credential: Value,
    /// The browser's description of itself.
    pub device: DeviceInfo,
    /// The key of the session to open, where it is one.
    pub key: Option<NewSessionKey>,
    /// The hash of the link.
    pub link: TokenHash,
    /// The name of the passkey.
    pub name: String,
    /// The hash of the key or cookie of the browser's session, if it has one.
    pub previous: Option<TokenHash>,
}

/// Verifies a new passkey, and stores it with its session and, if needed, its person.
pub async fn finish_registration(
    app: &App,
    presented: PresentedRegistration,
) -> Result<Enrolled, Error> {
    let ceremony = presented.ceremony;
    {
        let (view, cx) = (app.read()?, app.context());
        enroll::open(&view, &cx, &presented.link)?;
        ceremony.check(&view, &cx, &presented.browser)?;
    }
    if !matches!(ceremony.purpose(), Purpose::Register { .. }) {
        return Err(Refusal::CeremonyUnknown.into());
    }
    let registered = app.passkeys().finish_registration(ceremony.state(), presented.credential)?;
    let proof = RegistrationProof {
        anonymous: presented.anonymous,
        browser: presented.browser,
        ceremony,
        device: presented.device,
        key: presented.key,
        link: presented.link,
        name: presented.name.parse()?,
        previous: presented.previous,
        registered,
    };
    let acting = Acting::stranger_at(&proof.device.address);
    app.write_by(acting, move |tx, cx| enroll::complete(tx, cx, &proof)).await
}
