//! Approval in the place of a person: the transitions are those of the pages, in their order.

use std::collections::HashMap;
use std::net::Ipv4Addr;
use std::sync::PoisonError;

use axum::response::Response;

use super::faults::FaultyError;
use super::installation::Installation;
use super::people::{DOMAIN, person};
use crate::error::{Error, ErrorCode, Internal, Refusal};
use crate::flow::Context;
use crate::flow::authorize::consent::{self, AuthorizationOutcome, ClientRedirect};
use crate::flow::authorize::device::{
    self, Decision, DecisionOutcome, UserCodeEntry, UserCodeLookup,
};
use crate::flow::authorize::step::{self, PresentedInteraction, Step};
use crate::flow::person::people;
use crate::flow::session::{self, SignIn};
use crate::http::{StartedInteraction, to_client};
use crate::model::email::Email;
use crate::model::person::Username;
use crate::model::user_agent::DeviceInfo;
use crate::oauth::id::UserId;
use crate::oauth::token::device::UserCode;
use crate::secret::TokenHash;
use crate::store::schema::{Authentication, Interaction, Person};
use crate::store::{Tx, View};

/// The methods of a sign-in (RFC 8176 §2): those of a passkey that is synchronised.
const METHODS: [&str; 2] = ["swk", "user"];

/// The errors that a test may ask for in a redirect to a client.
const REDIRECTED: [ErrorCode; 9] = [
    ErrorCode::AccessDenied,
    ErrorCode::ConsentRequired,
    ErrorCode::InvalidRequest,
    ErrorCode::InvalidScope,
    ErrorCode::LoginRequired,
    ErrorCode::ServerError,
    ErrorCode::TemporarilyUnavailable,
    ErrorCode::UnauthorizedClient,
    ErrorCode::UnsupportedResponseType,
];

/// What proves the session of each person.
type Sessions = HashMap<UserId, TokenHash>;

/// Who approves a request: whom its `login_hint` names, by an address that somebody has or by a
/// username, or else `username`.
fn approver(view: &impl View, username: &Username, hint: Option<&str>) -> Result<Username, Error> {
    let Some(hint) = hint else { return Ok(username.clone()) };
    if let Ok(email) = hint.parse::<Email>()
        && let Some(person) = people::holder(view, &email)?
    {
        return Ok(person.username);
    }
    let name = hint.strip_suffix(DOMAIN).unwrap_or(hint);
    Ok(name.parse().unwrap_or_else(|_| username.clone()))
}

/// Signs a person in, in the session that they had here before, if it is live.
fn sign_in(
    tx: &mut Tx<'_>,
    cx: &Context,
    username: &Username,
    device: &DeviceInfo,
    sessions: &Sessions,
) -> Result<(UserId, TokenHash), Error> {
    let user = person(tx, cx, username)?;
    let row = tx.find::<Person>(&user)?.ok_or(Refusal::UserNotFound)?;
    if row.disabled {
        return Err(Error::about(Refusal::PersonDisabled, user));
    }
    let amr = METHODS.map(str::to_owned).into();
    let authentication = Authentication { amr, at: row.now_enabled(cx.now) };
    let sign_in = SignIn { authentication, device: device.clone(), key: None, user };
    let secret = session::open(tx, cx, sign_in, sessions.get(&user))?;
    let secret = secret.ok_or_else(|| Internal::new("a session without a key has a cookie"))?;
    Ok((user, cx.rules.pepper.hash(&secret)))
}

impl Installation {
    fn sessions(&self) -> Sessions {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn remember(&self, user: UserId, holder: TokenHash) {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner).insert(user, holder);
    }

    /// The interaction of a browser that has not opened its page.
    fn presented(&self, started: &StartedInteraction, device: DeviceInfo) -> PresentedInteraction {
        let browser = self.app.rules().pepper.hash(&started.secret);
        PresentedInteraction {
            browser: Some(browser),
            device,
            interaction: started.id,
            session: None,
            storage: None,
        }
    }
}

/// Approves an authorization whose `response` leads to its page. Any other response stays, and so does
/// this one where the approval fails: a person may go on at the page.
pub(super) async fn authorize(
    installation: &Installation,
    username: &Username,
    device: DeviceInfo,
    response: Response,
) -> Response {
    let started = response.extensions().get::<StartedInteraction>().cloned();
    let Some(started) = started else { return response };
    let presented = installation.presented(&started, device);
    match approved(installation, username.clone(), presented).await {
        Ok(client_redirect) => to_client(&installation.app, client_redirect).await,
        Err(error) => {
            tracing::error!(%error, "gatelodge dev could not approve in the place of a person");
            response
        }
    }
}

async fn approved(
    installation: &Installation,
    username: Username,
    presented: PresentedInteraction,
) -> Result<ClientRedirect, Error> {
    let (app, sessions) = (&installation.app, installation.sessions());
    let approve = move |tx: &mut Tx<'_>, cx: &Context| {
        let interaction = step::interaction(tx, cx, &presented)?;
        let hint = match step::next(tx, cx, &presented, interaction.clone())? {
            Step::Login(asked) => asked.login_hint,
            Step::Consent(_) | Step::Grant(_) | Step::NotForPerson(_) | Step::Refuse(..) => None,
        };
        let username = approver(tx, &username, hint.as_deref())?;
        let device = &presented.device;
        let (user, holder) = sign_in(tx, cx, &username, device, &sessions)?;
        let presented = PresentedInteraction { session: Some(holder), ..presented.clone() };
        let outcome = match step::next(tx, cx, &presented, interaction)? {
            Step::Consent(asked) => {
                consent::approve(tx, cx, &presented, &asked.consent_scope, None)?
            }
            Step::NotForPerson(_) => consent::deny(tx, cx, &presented)?,
            Step::Grant(_) | Step::Login(_) | Step::Refuse(..) => {
                consent::complete(tx, cx, &presented)?
            }
        };
        match outcome {
            AuthorizationOutcome::Client(client_redirect) => Ok((client_redirect, user, holder)),
            AuthorizationOutcome::StepChanged => {
                Err(Internal::new("a sign-in was not enough for this request").into())
            }
        }
    };
    let (client_redirect, user, holder) = app.write(approve).await?;
    installation.remember(user, holder);
    Ok(client_redirect)
}

/// Sends the error that a test asked for to the client whose request's `response` leads to its page.
pub(super) async fn refuse(
    installation: &Installation,
    device: DeviceInfo,
    response: Response,
    error: FaultyError,
) -> Response {
    let started = response.extensions().get::<StartedInteraction>().cloned();
    let code = REDIRECTED.into_iter().find(|code| code.as_str() == error.code);
    let (Some(started), Some(code)) = (started, code) else { return error.response() };
    let presented = installation.presented(&started, device);
    let refuse = move |tx: &mut Tx<'_>, cx: &Context| {
        let interaction = step::interaction(tx, cx, &presented)?;
        let callback = step::callback(tx, interaction)?;
        tx.remove::<Interaction>(&presented.interaction)?;
        let response = callback.with_error(code, &error.description, consent::iss(cx));
        Ok(ClientRedirect { response, refusal: None, waits: false })
    };
    match installation.app.write(refuse).await {
        Ok(client_redirect) => to_client(&installation.app, client_redirect).await,
        Err(error) => {
            tracing::error!(%error, "gatelodge dev could not refuse in the place of a person");
            response
        }
    }
}

/// What became of a user code.
pub(super) enum Decided {
    /// The device is allowed.
    Allowed,
    /// It is denied, as asked or since the person may not allow it.
    Denied,
    /// No device waits with this code.
    Unknown,
}

/// Decides about the device that displays `user_code`, in the place of `username`.
///
/// # Errors
///
/// The person may not sign in.
pub(super) async fn decide(
    installation: &Installation,
    username: Username,
    user_code: &str,
    allow: bool,
) -> Result<Decided, Error> {
    let (app, sessions) = (&installation.app, installation.sessions());
    let address = Ipv4Addr::LOCALHOST.into();
    let device = DeviceInfo { address: Ipv4Addr::LOCALHOST.to_string(), ..DeviceInfo::default() };
    let Ok(code) = user_code.parse::<UserCode>() else { return Ok(Decided::Unknown) };
    let code = Some(device::user_code_hash(&app.rules().pepper, &code));
    let decide = move |tx: &mut Tx<'_>, cx: &Context| {
        let (user, holder) = sign_in(tx, cx, &username, &device, &sessions)?;
        let entry = UserCodeEntry { address, code, device: device.clone(), session: holder };
        let scope = match device::look_up(tx, cx, &entry)? {
            UserCodeLookup::PendingDevice(pending) => pending.scope,
            UserCodeLookup::Nothing | UserCodeLookup::SignIn => {
                return Ok((Decided::Unknown, user, holder));
            }
        };
        let (decision, decided) = match scope.filter(|_| allow) {
            Some(scope) => (Decision::Allow { email: None, scope }, Decided::Allowed),
            None => (Decision::Deny, Decided::Denied),
        };
        match device::decide(tx, cx, &entry, &decision)? {
            DecisionOutcome::Done(_) => Ok((decided, user, holder)),
            DecisionOutcome::Not(_) => Ok((Decided::Unknown, user, holder)),
        }
    };
    let (decided, user, holder) = app.write(decide).await?;
    installation.remember(user, holder);
    Ok(decided)
}
