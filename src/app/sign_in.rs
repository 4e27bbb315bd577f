//! Passkey ceremonies: sign-in and enrolment. This module verifies passkeys between the transitions
//! (WebAuthn §7.1, §7.2).

use serde_json::Value;

use super::App;
use crate::error::{Error, Refusal};
use crate::event::CounterLog;
use crate::event::Kind;
use crate::flow::events::Act;
use crate::flow::person::ceremony::{Ceremony, Purpose, Right};
use crate::flow::person::enroll::{
    self, Candidate, Enrolled, LateRegistration, RegistrationProof, Way,
};
use crate::flow::person::login::{self, AssertionProof, SignInOutcome};
use crate::flow::person::own::{self, FurtherProof};
use crate::flow::person::passkeys;
use crate::flow::session::NewSessionKey;
use crate::flow::session::recent::RecentSignIn;
use crate::model::actor::Acting;
use crate::model::email::Email;
use crate::model::person::Username;
use crate::model::user_agent::DeviceInfo;
use crate::oauth::display_name::DisplayName;
use crate::oauth::id::PasskeyId;
use crate::passkey::{Assertion, StartedCeremony};
use crate::secret::{SessionSecret, TokenHash};
use crate::store::schema::Person;

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
            user,
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

/// Who starts an enrolment.
pub struct Starting {
    /// Somebody, by their address.
    pub acting: Acting,
    /// The hash of the browser's own cookie.
    pub browser: TokenHash,
}

/// Starts an enrolment, without spending the way to it. `names` gives the names of somebody who
/// makes their account; every other person already has theirs. `email` is the address that they
/// typed. A start that tells what others have is counted first.
pub async fn start_registration(
    app: &App,
    Starting { acting, browser }: Starting,
    way: Way,
    names: impl FnOnce() -> Result<(Username, DisplayName), Refusal>,
    email: Option<Email>,
) -> Result<Started, Error> {
    let (names, tells) = {
        let opened = enroll::open(&app.read()?, &app.context(), &way)?;
        let names = if opened.takes_names() { Some(names()?) } else { None };
        (names, opened.tells(email.is_some()))
    };
    if tells {
        app.write_by(acting.clone(), move |tx, cx| enroll::count_asked(tx, cx, &way)).await?;
    }
    let (candidate, existing) = {
        let (view, cx) = (app.read()?, app.context_of(acting));
        let opened = enroll::open(&view, &cx, &way)?;
        let candidate = enroll::candidate(&view, &cx, opened, names, email)?;
        let existing = passkeys::of(&view, candidate.user)?;
        (candidate, existing.into_iter().map(|(id, _)| id).collect())
    };
    let started = app.passkeys().start_registration(
        candidate.user,
        &candidate.username,
        &candidate.display_name,
        existing,
    )?;
    let Candidate { user, username, display_name, email } = candidate;
    let purpose = Purpose::Register { right: way.right(), user, username, display_name, email };
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
    /// Whether every other passkey and session of the person is to end, if this is a recovery.
    pub end_others: bool,
    /// The key of the session to open, where it is one.
    pub key: Option<NewSessionKey>,
    /// The name of the passkey.
    pub name: String,
    /// The hash of the key or cookie of the browser's session, if it has one.
    pub previous: Option<TokenHash>,
    /// By what right it is registered.
    pub way: Way,
}

/// Verifies a new passkey, and stores it with its session and, if needed, its person.
pub async fn finish_registration(
    app: &App,
    presented: PresentedRegistration,
) -> Result<Enrolled, Error> {
    let ceremony = presented.ceremony;
    let refused = {
        let (view, cx) = (app.read()?, app.context());
        let refused = enroll::open(&view, &cx, &presented.way).err();
        if refused.is_none() {
            ceremony.check(&view, &cx, &presented.browser)?;
        }
        refused
    };
    if !matches!(ceremony.purpose(), Purpose::Register { .. }) {
        return Err(Refusal::CeremonyUnknown.into());
    }
    let registered = app.passkeys().finish_registration(ceremony.state(), presented.credential);
    if let Some(refused) = refused {
        if let Ok(registered) = registered {
            let late = LateRegistration {
                browser: presented.browser,
                ceremony,
                credential: registered.id,
                way: presented.way,
            };
            app.record(move |tx, cx| enroll::record_late(tx, cx, &late)).await?;
        }
        return Err(refused);
    }
    let proof = RegistrationProof {
        anonymous: presented.anonymous,
        browser: presented.browser,
        ceremony,
        device: presented.device,
        end_others: presented.end_others,
        key: presented.key,
        name: presented.name.parse()?,
        previous: presented.previous,
        registered: registered?,
        way: presented.way,
    };
    let acting = Acting::stranger_at(&proof.device.address);
    let late = LateRegistration {
        browser: proof.browser,
        ceremony: proof.ceremony.clone(),
        credential: proof.registered.id.clone(),
        way: proof.way,
    };
    let enrolled = app.write_by(acting, move |tx, cx| enroll::complete(tx, cx, &proof)).await;
    if enrolled.is_err() {
        app.record(move |tx, cx| enroll::record_late(tx, cx, &late)).await?;
    }
    enrolled
}

/// Starts the registration of a further passkey by whoever has signed in a moment ago in the session
/// of `holder`.
///
/// # Errors
///
/// [`Refusal::SignInStale`].
pub fn start_further(app: &App, browser: TokenHash, holder: &TokenHash) -> Result<Started, Error> {
    let (recent, existing) = {
        let (view, cx) = (app.read()?, app.context());
        let recent = RecentSignIn::of(&view, &cx, holder)?;
        let existing = passkeys::of(&view, recent.user())?;
        (recent, existing.into_iter().map(|(id, _)| id).collect())
    };
    let Person { username, display_name, .. } = recent.person().clone();
    let user = recent.user();
    let started = app.passkeys().start_registration(user, &username, &display_name, existing)?;
    let right = Right::SignIn(recent.session());
    let purpose = Purpose::Register { right, user, username, display_name, email: None };
    start(app, browser, purpose, started)
}

/// A response to the registration of a further passkey, not verified yet.
pub struct PresentedFurther {
    /// The hash of the browser's own cookie.
    pub browser: TokenHash,
    /// The ceremony.
    pub ceremony: Ceremony,
    /// The new credential, as the browser sent it.
    pub credential: Value,
    /// The hash of the key or cookie of the session.
    pub holder: TokenHash,
    /// The name of the passkey.
    pub name: String,
}

/// Verifies a further passkey, and stores it.
pub async fn finish_further(
    app: &App,
    acting: Acting,
    presented: PresentedFurther,
) -> Result<PasskeyId, Error> {
    let PresentedFurther { browser, ceremony, credential, holder, name } = presented;
    own::check(&app.read()?, &app.context(), &ceremony, &browser, &holder)?;
    let registered = app.passkeys().finish_registration(ceremony.state(), credential)?;
    let proof = FurtherProof { browser, ceremony, holder, name: name.parse()?, registered };
    app.write_by(acting, move |tx, cx| own::add(tx, cx, &proof)).await
}
