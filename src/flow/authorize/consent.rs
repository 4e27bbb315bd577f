//! Consent, and the code that follows from it: [RFC 6749 §4.1.2](https://www.rfc-editor.org/rfc/rfc6749#section-4.1.2).

use crate::error::{Error, ErrorCode, Refusal, SERVER_ERROR};
use crate::event::Kind;
use crate::flow::authorize::pushed;
use crate::flow::authorize::step::{self, ConsentRequest, PresentedInteraction, Step};
use crate::flow::events::{self, Act};
use crate::flow::installation::evidence;
use crate::flow::person::people;
use crate::flow::session::backchannel;
use crate::flow::{Context, Present, authorize, session};
use crate::model::email::Email;
use crate::model::user_agent::DeviceInfo;
use crate::oauth::authorize::{AuthorizationResponse, Callback};
use crate::oauth::scope::Scope;
use crate::secret::AuthorizationCode;
use crate::store::schema::{Authorization, Code, Consent, Interaction, Purpose};
use crate::store::{StoreError, Tx, View};

/// The outcome of a step: where the browser goes next.
pub enum AuthorizationOutcome {
    /// To the client, with a code or an error.
    Client(ClientRedirect),
    /// To the interaction again: its next step has changed.
    StepChanged,
}

/// A redirect to a client. It is made only from a [`Callback`].
pub struct ClientRedirect {
    /// The authorization response.
    pub response: AuthorizationResponse,
    /// The refusal that it carries; `None` after a success or an internal failure.
    pub refusal: Option<Refusal>,
    /// Whether the browser waits until the person goes on: nobody vouches for the client.
    pub waits: bool,
}

impl ClientRedirect {
    /// Makes the redirect of a refusal.
    pub fn refused(cx: &Present, callback: &Callback, refusal: Refusal) -> Self {
        let response = callback.with_error(refusal.code(), &refusal.sentence(), iss(cx));
        Self { response, refusal: Some(refusal), waits: false }
    }

    /// Makes the redirect after an internal failure. RFC 6749 §4.1.2.1: `server_error` "is needed
    /// because a 500 Internal Server Error HTTP status code cannot be returned to the client via an
    /// HTTP redirect".
    pub fn failed(cx: &Present, callback: &Callback) -> Self {
        let response = callback.with_error(ErrorCode::ServerError, SERVER_ERROR, iss(cx));
        Self { response, refusal: None, waits: false }
    }

    fn with_code(cx: &Present, callback: &Callback, code: &AuthorizationCode) -> Self {
        let response = callback.with_code(&code.expose(), iss(cx));
        Self { response, refusal: None, waits: false }
    }
}

/// The `iss` parameter of the response, if the configuration sends it. RFC 9207 §2: "In
/// authorization responses to the client, including error responses, an authorization server
/// supporting this specification MUST indicate its identity".
pub fn iss(cx: &Present) -> Option<&str> {
    cx.rules.config.policy.iss_parameter.then_some(cx.rules.issuer.as_str())
}

/// Answers a request that needs no page: with a code, or with an error.
pub fn complete(
    tx: &mut Tx<'_>,
    cx: &Context,
    presented: &PresentedInteraction,
) -> Result<AuthorizationOutcome, Error> {
    let interaction = step::interaction(tx, cx, presented)?;
    match step::next(tx, cx, presented, interaction)? {
        Step::Consent(_) | Step::Login(..) | Step::NotForPerson(_) => {
            Ok(AuthorizationOutcome::StepChanged)
        }
        Step::Grant(request) => {
            finish(tx, presented)?;
            grant(tx, cx, &presented.device, &request).map(AuthorizationOutcome::Client)
        }
        Step::Refuse(callback, refusal) => {
            finish(tx, presented)?;
            Ok(AuthorizationOutcome::Client(ClientRedirect::refused(cx, &callback, refusal)))
        }
    }
}

/// Answers a `prompt=none` request whose browser sent no cookie of the interaction. A frame of
/// another site sends no `SameSite=Lax` cookie, so no person is signed in there and nobody would
/// see a page.
pub fn refuse_without_cookie(
    tx: &mut Tx<'_>,
    cx: &Context,
    presented: &PresentedInteraction,
) -> Result<ClientRedirect, Error> {
    let interaction =
        tx.find::<Interaction>(&presented.interaction)?.ok_or(Refusal::InteractionUnknown)?;
    let silent = match &interaction.purpose {
        Purpose::Authorize(stored) => stored.request.prompt.none,
        Purpose::Link { .. } | Purpose::Logout { .. } => false,
    };
    if !silent || presented.browser.is_some() || evidence::is_over(tx, cx, interaction.expires)? {
        return Err(Refusal::InteractionOfAnotherBrowser.into());
    }
    let callback = step::callback(tx, interaction)?;
    finish(tx, presented)?;
    Ok(ClientRedirect::refused(cx, &callback, Refusal::LoginNeeded))
}

/// Grants the request, after the person consented to `consent_scope`. The address that they typed
/// becomes theirs, if they were asked for one.
///
/// The scope of the consent is computed again. If it is not `consent_scope`, nothing is granted and
/// the page is displayed again.
pub fn approve(
    tx: &mut Tx<'_>,
    cx: &Context,
    presented: &PresentedInteraction,
    consent_scope: &Scope,
    email: Option<&Email>,
) -> Result<AuthorizationOutcome, Error> {
    let interaction = step::interaction(tx, cx, presented)?;
    match step::next(tx, cx, presented, interaction)? {
        Step::Consent(request) if request.consent_scope == *consent_scope => {
            if email.is_some() && request.lacks_email() {
                people::set_own_email(tx, cx, request.session.user(), email)?;
            }
            remember(tx, cx, &request)?;
            let act = Act::new(Kind::ConsentGiven).by(request.session.user());
            let act = act.client(&request.client_id).named(request.client.metadata.name());
            events::record(tx, cx, act.fact("scope", consent_scope))?;
            finish(tx, presented)?;
            grant(tx, cx, &presented.device, &request).map(AuthorizationOutcome::Client)
        }
        Step::Consent(_)
        | Step::Grant(_)
        | Step::Login(..)
        | Step::NotForPerson(_)
        | Step::Refuse(..) => Ok(AuthorizationOutcome::StepChanged),
    }
}

/// Refuses the request, after the person declined at any step.
pub fn deny(
    tx: &mut Tx<'_>,
    cx: &Context,
    presented: &PresentedInteraction,
) -> Result<AuthorizationOutcome, Error> {
    let interaction = step::interaction(tx, cx, presented)?;
    let Purpose::Authorize(stored) = &interaction.purpose else {
        return Err(Refusal::InteractionUnknown.into());
    };
    let mut refusal = Refusal::PersonDeclined;
    let (callback, waits) = match step::next(tx, cx, presented, interaction.clone())? {
        Step::Consent(request) | Step::Grant(request) => (request.callback, false),
        Step::NotForPerson(astray) => {
            refusal = Refusal::PersonAstray;
            (astray.callback, false)
        }
        Step::Login(asked) => {
            let (client, session) = ((&stored.client, &asked.client), presented.session.as_ref());
            let vouched = authorize::is_vouched_for(tx, cx, client, &asked.callback, session)?;
            (asked.callback, !vouched)
        }
        Step::Refuse(callback, _) => (callback, false),
    };
    pushed::spend(tx, stored.pushed.as_ref())?;
    finish(tx, presented)?;
    let session = match &presented.session {
        Some(holder) => session::live(tx, cx, holder)?,
        None => None,
    };
    if let Some(session) = session {
        let act = Act::new(Kind::ConsentDenied).by(session.user()).client(&stored.client);
        events::record(tx, cx, act)?;
    }
    let declined = ClientRedirect::refused(cx, &callback, refusal);
    Ok(AuthorizationOutcome::Client(ClientRedirect { waits, ..declined }))
}

fn remember(tx: &mut Tx<'_>, cx: &Context, request: &ConsentRequest) -> Result<(), StoreError> {
    let host = request.callback.uri().lasting_host();
    let key = (request.session.user(), request.client_id.clone(), host);
    let mut allowed = step::stored_consent(tx, &key, &request.client)?;
    for resource in request.targets.remembered_as(&cx.rules) {
        match allowed.iter_mut().find(|(own, _)| *own == resource) {
            Some((_, scope)) => *scope = scope.union(&request.consent_scope),
            None => allowed.push((resource, request.consent_scope.clone())),
        }
    }
    tx.put(&key, Consent { allowed, given: cx.latest })
}

/// Grants a request that lacks nothing, from a browser on this device: the client gets a code.
pub fn grant(
    tx: &mut Tx<'_>,
    cx: &Context,
    device: &DeviceInfo,
    request: &ConsentRequest,
) -> Result<ClientRedirect, Error> {
    pushed::spend(tx, request.pushed.as_ref())?;
    let code: AuthorizationCode = cx.seed.token();
    let expires = cx.deadline(cx.rules.config.lifetimes.authorization_code);
    let uri = request.callback.uri().as_str();
    let row = Code {
        authorization: Authorization {
            authentication: request.session.authentication().clone(),
            claims: request.claims.clone(),
            client: request.client_id.clone(),
            given: cx.latest,
            resources: request.targets.resources.clone(),
            scope: request.scope.clone(),
            session: request.session.id(),
            user: request.session.user(),
        },
        code_challenge: request.request.code_challenge.clone(),
        expires,
        nonce: request.request.nonce.clone(),
        redirect_uri: request.redirect_uri_named.then(|| uri.to_owned()),
        retained_until: expires.by_evidence(),
        spent: None,
    };
    tx.put(&cx.rules.pepper.hash(&code), row)?;
    let (id, client, session) = (&request.client_id, &request.client, &request.session);
    if session.needs_touch(cx) || session.device() != device {
        session::touch(tx, cx, session.id(), Some(device))?;
    }
    backchannel::record_client(tx, cx, id, client, session.id(), session.user())?;
    Ok(ClientRedirect::with_code(cx, &request.callback, &code))
}

/// Removes an interaction, so that it has one response only.
fn finish(tx: &mut Tx<'_>, presented: &PresentedInteraction) -> Result<(), StoreError> {
    tx.remove::<Interaction>(&presented.interaction).map(drop)
}
