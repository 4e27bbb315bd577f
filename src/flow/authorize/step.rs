//! The next step of an authorization: the one place that knows the order of the pages.
//!
//! Only the stored request and the session persist between steps. The next step is computed from
//! them each time, so no step can be skipped, repeated or taken out of order.

use crate::clock::Timestamp;
use crate::error::{Error, Refusal};
use crate::flow::Present;
use crate::flow::authorize::{self, CheckedRequest, pushed};
use crate::flow::installation::evidence;
use crate::flow::resource::{self, Targets};
use crate::flow::session::{self, LiveSession};
use crate::flow::token::{grant, issue};
use crate::model::user_agent::DeviceInfo;
use crate::oauth::authorize::claims::ClaimsRequest;
use crate::oauth::authorize::{AuthorizeRequest, Callback, ResponseMode};
use crate::oauth::client::ClientType;
use crate::oauth::id::{ClientId, InteractionId, UserId};
use crate::oauth::redirect_uri::{Kind, RedirectUri};
use crate::oauth::scope::Scope;
use crate::oauth::web_uri::WebUri;
use crate::secret::TokenHash;
use crate::store::schema::{
    Client, Consent, Interaction, Origin, Purpose, StoredAuthorizationRequest,
};
use crate::store::{StoreError, View};

/// The request of a browser at an interaction: the id in the path, and the hashes of what it brings.
#[derive(Clone, Debug)]
pub struct PresentedInteraction {
    /// The id in the path.
    pub interaction: InteractionId,
    /// The cookie of the interaction.
    pub browser: Option<TokenHash>,
    /// The device of the browser.
    pub device: DeviceInfo,
    /// The proven key of the session, or its cookie.
    pub session: Option<TokenHash>,
    /// The secret in the browser's storage, where a session is a key.
    pub storage: Option<TokenHash>,
}

/// The next step of an authorization.
pub enum Step {
    /// The person has to consent.
    Consent(Box<ConsentRequest>),
    /// The client gets a code.
    Grant(Box<ConsentRequest>),
    /// The person has to sign in.
    Login(Box<SignInRequest>),
    /// The client is for people of other groups.
    NotForPerson(Box<Astray>),
    /// The client gets this error.
    Refuse(Callback, Refusal),
}

/// An authorization that lacks a sign-in.
pub struct SignInRequest {
    /// The callback that gets the response.
    pub callback: Callback,
    /// The client.
    pub client: Client,
    /// The id of the client.
    pub client_id: ClientId,
    /// The `login_hint`.
    pub login_hint: Option<String>,
}

/// An authorization of somebody who may not use the client.
pub struct Astray {
    /// The callback that gets the response.
    pub callback: Callback,
    /// The client.
    pub client: Client,
    /// The id of the client.
    pub client_id: ClientId,
    /// The session of the person.
    pub session: LiveSession,
}

/// An authorization that lacks only consent.
pub struct ConsentRequest {
    /// Whether the client takes anybody, and not one person alone whom it named.
    pub anybody: bool,
    /// The id of the client.
    pub client_id: ClientId,
    /// The client.
    pub client: Client,
    /// The callback that gets the response.
    pub callback: Callback,
    /// The session of the person.
    pub session: LiveSession,
    /// The claims that would be released because they are requested by name.
    pub claims: ClaimsRequest,
    /// The scope of the consent page: what would be granted, and the scopes of those claims.
    pub consent_scope: Scope,
    /// The scope that would be granted.
    pub scope: Scope,
    /// The reference to the request, if it was pushed.
    pub pushed: Option<TokenHash>,
    /// The part of the consent scope for which consent is remembered at each resource.
    pub remembered: Scope,
    /// Whether the request named its redirect URI.
    pub redirect_uri_named: bool,
    /// The request.
    pub request: AuthorizeRequest,
    /// The resources.
    pub targets: Targets,
}

impl ConsentRequest {
    /// Whether the person would release an email address and has none.
    pub fn lacks_email(&self) -> bool {
        self.consent_scope.has("email") && self.session.person().email.is_none()
    }
}

/// The interaction, if the browser is the one that started it and, where a session is a key, its
/// storage the one that opened the page.
pub fn interaction(
    view: &impl View,
    cx: &Present,
    presented: &PresentedInteraction,
) -> Result<Interaction, Error> {
    let interaction = started(view, cx, presented)?;
    if let Some(claimed) = &interaction.claimed
        && !presented.storage.as_ref().is_some_and(|storage| claimed.matches(storage))
    {
        return Err(of_another_browser(&interaction).into());
    }
    Ok(interaction)
}

/// The interaction, if the browser has its cookie.
fn started(
    view: &impl View,
    cx: &Present,
    presented: &PresentedInteraction,
) -> Result<Interaction, Error> {
    let interaction =
        view.find::<Interaction>(&presented.interaction)?.ok_or(Refusal::InteractionUnknown)?;
    let same = presented.browser.as_ref().is_some_and(|cookie| interaction.browser.matches(cookie));
    if !same {
        return Err(of_another_browser(&interaction).into());
    }
    if evidence::is_over(view, cx, interaction.expires)? {
        return Err(match interaction.purpose {
            Purpose::Authorize(_) | Purpose::Link { .. } => Refusal::InteractionExpired,
            Purpose::Logout { .. } => Refusal::LogoutExpired,
        }
        .into());
    }
    Ok(interaction)
}

fn of_another_browser(interaction: &Interaction) -> Refusal {
    match interaction.purpose {
        Purpose::Authorize(_) | Purpose::Link { .. } => Refusal::InteractionOfAnotherBrowser,
        Purpose::Logout { .. } => Refusal::LogoutOfAnotherBrowser,
    }
}

/// How the page looks that is displayed before the browser has proven its session.
pub struct Unproven {
    /// Whether the response is posted to the client by a form.
    pub form_post: bool,
    /// The redirect URI of a request with `prompt=none`: its page displays nothing, and the client
    /// may have it in a frame.
    pub silent: Option<RedirectUri>,
    /// The languages of the person in order of preference, if the request names them.
    pub ui_locales: Vec<String>,
}

/// How the page of an interaction looks before the browser has proven its session.
pub fn unproven(
    view: &impl View,
    cx: &Present,
    presented: &PresentedInteraction,
) -> Result<Unproven, Error> {
    let interaction = started(view, cx, presented)?;
    let Purpose::Authorize(stored) = &interaction.purpose else {
        return Ok(Unproven { form_post: false, silent: None, ui_locales: Vec::new() });
    };
    let is_silent = stored.request.prompt.none;
    let ui_locales = stored.request.ui_locales.clone();
    let callback = callback(view, interaction)?;
    Ok(Unproven {
        form_post: callback.mode() == ResponseMode::FormPost,
        silent: is_silent.then(|| callback.uri().clone()),
        ui_locales,
    })
}

/// The callback of a stored authorization request, proven again.
pub fn callback(view: &impl View, interaction: Interaction) -> Result<Callback, Error> {
    match interaction.purpose {
        Purpose::Authorize(stored) => {
            let client = requesting_client(view, &stored)?;
            Ok(CheckedRequest::restore(&client, *stored)?.callback)
        }
        Purpose::Link { .. } | Purpose::Logout { .. } => Err(Refusal::InteractionUnknown.into()),
    }
}

/// The client that made a request. A later client of the same name is refused.
fn requesting_client(
    view: &impl View,
    stored: &StoredAuthorizationRequest,
) -> Result<Client, Error> {
    let client = authorize::enabled(view, &stored.client)?;
    if client.created > stored.requested {
        return Err(Refusal::ClientUnknownAtAuthorize.into());
    }
    Ok(client)
}

/// The next step of a stored authorization request.
pub fn next(
    view: &impl View,
    cx: &Present,
    presented: &PresentedInteraction,
    interaction: Interaction,
) -> Result<Step, Error> {
    let Purpose::Authorize(stored) = interaction.purpose else {
        return Err(Refusal::InteractionUnknown.into());
    };
    of_request(view, cx, presented.session.as_ref(), *stored, Some(interaction.created))
}

/// The next step of an authorization request, for the browser with this session. Who signs in for the
/// request does so after it was stored at `since`; for one that has just come, nobody has.
pub fn of_request(
    view: &impl View,
    cx: &Present,
    session: Option<&TokenHash>,
    stored: StoredAuthorizationRequest,
    since: Option<Timestamp>,
) -> Result<Step, Error> {
    pushed::check_unspent(view, &stored)?;
    // The client may have changed since the request was checked.
    let client = requesting_client(view, &stored)?;
    let checked = CheckedRequest::restore(&client, stored)?;
    let CheckedRequest {
        callback,
        client: client_id,
        expected,
        left_out: _,
        pushed,
        redirect_uri_named,
        request,
    } = checked;
    let session = match session {
        Some(holder) => session::live(view, cx, holder)?,
        None => None,
    };
    let anybody = expected.is_none() && request.claims.sub.is_empty();
    let subject = |user| issue::subject(&cx.rules, &client, user);
    let max_age = request.max_age.or(client.metadata.default_max_age);
    let requirement = SignInRequirement { max_age, hinted: expected.as_deref(), request: &request };
    let session = match match_session(cx, session, &requirement, subject, since) {
        SessionMatch::Session(session) => *session,
        // OpenID Connect Core §3.1.2.1, none: "The Authorization Server MUST NOT display any
        // authentication or consent user interface pages."
        SessionMatch::None if request.prompt.none => {
            return Ok(Step::Refuse(callback, Refusal::LoginNeeded));
        }
        SessionMatch::None => {
            let login_hint = request.login_hint;
            let asked = SignInRequest { callback, client, client_id, login_hint };
            return Ok(Step::Login(Box::new(asked)));
        }
        SessionMatch::WrongSubject => return Ok(Step::Refuse(callback, Refusal::LoginNeeded)),
    };
    if !client.decisions.admit(&session.person().groups) {
        return Ok(if request.prompt.none {
            Step::Refuse(callback, Refusal::PersonAstray)
        } else {
            Step::NotForPerson(Box::new(Astray { callback, client, client_id, session }))
        });
    }

    let requested = request.scope.as_ref();
    let targets = match resource::resolve(view, &cx.rules, &client, &request.resources, requested) {
        // A resource may have been removed since the request was checked.
        Err(error) => match error.refusal() {
            Some(refusal) => return Ok(Step::Refuse(callback, refusal)),
            None => return Err(error),
        },
        Ok(resolved) => resolved,
    };
    let scope = match targets.scope_for(&cx.rules, &client, session.person(), requested) {
        Ok(scope) => scope,
        Err(refusal) => return Ok(Step::Refuse(callback, refusal)),
    };
    // A claim requested by name is released only if its whole scope may be, and consent names that
    // scope.
    let allowed = cx.rules.config.allowed(&session.person().roles).intersect(client.scope());
    let openid = scope.has("openid");
    let claims = if openid { request.claims.within(&allowed) } else { ClaimsRequest::default() };
    let consent_scope = scope.union(&claims.scope());
    let key = (session.user(), client_id.clone(), callback.uri().lasting_host());
    let consent = stored_consent(view, &key, &client)?;
    let at_each_resource = targets.remembered_as(&cx.rules).into_iter().map(|resource| {
        let own = consent.iter().find(|(own, _)| *own == resource);
        own.map(|(_, scope)| scope.clone())
    });
    let at_each_resource = at_each_resource.collect::<Option<Vec<Scope>>>();
    let has_consent = at_each_resource
        .as_ref()
        .is_some_and(|scopes| scopes.iter().all(|scope| consent_scope.within(scope)));
    // OpenID Connect Core §3.1.2.1, consent: "The Authorization Server SHOULD prompt the End-User
    // for consent before returning information to the Client."
    let needs_no_page = !request.prompt.consent
        && (client.decisions.first_party || has_consent)
        && !targets.unregistered
        && identifies_client(&client_id, &client, &callback);
    let prompt_none = request.prompt.none;
    let remembered = match at_each_resource.unwrap_or_default().split_first() {
        Some((first, rest)) => {
            rest.iter().fold(first.intersect(&consent_scope), |all, own| all.intersect(own))
        }
        None => Scope::default(),
    };
    let ready = Box::new(ConsentRequest {
        anybody,
        client_id,
        client,
        callback,
        session,
        claims,
        consent_scope,
        scope,
        pushed,
        remembered,
        redirect_uri_named,
        request,
        targets,
    });
    Ok(match (needs_no_page, prompt_none) {
        (true, _) => Step::Grant(ready),
        (false, true) => Step::Refuse(ready.callback, Refusal::ConsentNeeded),
        (false, false) => Step::Consent(ready),
    })
}

/// The stored consent for this client, by resource. Consent for an earlier client of the same name
/// does not count.
pub fn stored_consent(
    view: &impl View,
    key: &(UserId, ClientId, String),
    client: &Client,
) -> Result<Vec<(String, Scope)>, StoreError> {
    let consent = view.find::<Consent>(key)?.filter(|consent| consent.given >= client.created);
    let Some(consent) = consent else { return Ok(Vec::new()) };
    let withdrawn = grant::is_withdrawn(view, key.0, &key.1, consent.given)?;
    Ok(if withdrawn { Vec::new() } else { consent.allowed })
}

enum SessionMatch {
    None,
    Session(Box<LiveSession>),
    WrongSubject,
}

/// The requirements of a request on the sign-in.
struct SignInRequirement<'a> {
    /// The `sub` of its `id_token_hint`.
    hinted: Option<&'a str>,
    /// The maximum age of the sign-in in seconds, of the request or of the client.
    max_age: Option<u32>,
    /// The request.
    request: &'a AuthorizeRequest,
}

/// Whether the sign-in is recent enough, and the person the expected one.
fn match_session(
    cx: &Present,
    session: Option<LiveSession>,
    requirement: &SignInRequirement<'_>,
    subject: impl Fn(UserId) -> String,
    since: Option<Timestamp>,
) -> SessionMatch {
    let Some(session) = session else { return SessionMatch::None };
    let signed_in = session.authentication().at;
    let signed_in_for_this = since.is_some_and(|since| signed_in >= since);
    // OpenID Connect Core §3.1.2.1: "If the elapsed time is greater than this value, the OP MUST
    // attempt to actively re-authenticate the End-User." Until the person signs in for this
    // request, time elapses while they read a page, too.
    let too_old = requirement.max_age.is_some_and(|seconds| {
        cx.now.since(signed_in) > std::time::Duration::from_secs(seconds.into())
    });
    // login: "The Authorization Server SHOULD prompt the End-User for reauthentication. If it
    // cannot reauthenticate the End-User, it MUST return an error".
    let again = requirement.request.prompt.login || requirement.max_age == Some(0) || too_old;
    if again && !signed_in_for_this {
        return SessionMatch::None;
    }
    let sub = subject(session.user());
    // OpenID Connect Core §3.1.2.2: with a specific `sub` asked for, "the Authorization Server MUST
    // only send a positive response if the End-User identified by that sub value has an active
    // session".
    let requested = &requirement.request.claims.sub;
    let is_expected = requirement.hinted.is_none_or(|hinted| hinted == sub)
        && (requested.is_empty() || requested.contains(&sub));
    match (is_expected, signed_in_for_this) {
        (true, _) => SessionMatch::Session(Box::new(session)),
        (false, true) => SessionMatch::WrongSubject,
        (false, false) => SessionMatch::None,
    }
}

/// Whether a response to this callback can reach only the client itself.
///
/// Any program on a machine can listen on loopback or claim a private-use scheme, so a public
/// client there always needs a visible confirmation, unless the operator waived it. An https
/// address proves a client if an operator registered it, or if it has the origin of the document
/// that names the client.
fn identifies_client(id: &ClientId, client: &Client, callback: &Callback) -> bool {
    if client.metadata.client_type() == ClientType::Confidential
        || client.decisions.confirmation_waived
    {
        return true;
    }
    match (callback.uri().kind(), &client.origin) {
        (Kind::Https { .. }, Origin::Operator) => true,
        (Kind::Https { authority }, Origin::Document { .. }) => {
            let document = id.as_str().parse::<WebUri>();
            document.is_ok_and(|document| {
                document.authority() == authority && document.as_str().starts_with("https:")
            })
        }
        (Kind::Https { .. }, Origin::Dynamic { .. } | Origin::Hook)
        | (Kind::Loopback { .. } | Kind::PrivateUse { .. }, _) => false,
    }
}
