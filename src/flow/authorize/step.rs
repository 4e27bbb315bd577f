//! What comes next for an interaction: the one place that knows the order of the pages.
//!
//! Nothing is remembered between steps but the stored request and the session: each answer is
//! worked out anew, so a step cannot be skipped, repeated or taken out of order.

use crate::clock::Timestamp;
use crate::error::{Error, Refusal};
use crate::flow::resource::{self, Targets};
use crate::flow::session::{self, LiveSession};
use crate::flow::token::issue;
use crate::flow::{Context, authorize};
use crate::model::user_agent::DeviceInfo;
use crate::oauth::authorize::claims::ClaimsRequest;
use crate::oauth::authorize::{AuthorizeRequest, Callback};
use crate::oauth::client::ClientType;
use crate::oauth::id::{ClientId, InteractionId, UserId};
use crate::oauth::redirect_uri::Kind;
use crate::oauth::scope::Scope;
use crate::oauth::web_uri::WebUri;
use crate::secret::TokenHash;
use crate::store::schema::{Client, Consent, Interaction, Origin, Purpose};
use crate::store::{StoreError, View};

/// How a browser comes to an interaction: the path it names, and what its cookies are known by.
#[derive(Clone, Debug)]
pub struct PresentedInteraction {
    /// The id in the path.
    pub interaction: InteractionId,
    /// The cookie that was set with it.
    pub browser: Option<TokenHash>,
    /// What the browser tells of itself.
    pub device: DeviceInfo,
    /// The session cookie.
    pub session: Option<TokenHash>,
}

/// The next step of an authorization.
pub enum Step {
    /// The person has to be asked.
    Consent(Box<ConsentRequest>),
    /// Nothing is in the way of a code.
    Grant(Box<ConsentRequest>),
    /// The person has to sign in, for this client, and perhaps as this one.
    Login(Box<Client>, Option<String>),
    /// The client gets an error.
    Refuse(Callback, Refusal),
}

/// An authorization that waits for nothing but a yes.
pub struct ConsentRequest {
    /// Who asks.
    pub client_id: ClientId,
    /// What that is.
    pub client: Client,
    /// Where the answer goes.
    pub callback: Callback,
    /// Who is asked.
    pub session: LiveSession,
    /// The claims that would be told because they are asked for by name.
    pub claims: ClaimsRequest,
    /// What the person is asked for: what would be granted, and the scopes that hold those claims.
    pub consent_scope: Scope,
    /// What would be granted.
    pub scope: Scope,
    /// What of it was allowed before, at every one of its resources.
    pub remembered: Scope,
    /// Whether the request named its redirect URI.
    pub redirect_uri_named: bool,
    /// What was asked.
    pub request: AuthorizeRequest,
    /// What it is for.
    pub targets: Targets,
}

/// The stored request behind a door, if the browser is the one that brought it.
pub fn interaction(
    view: &impl View,
    cx: &Context,
    presented: &PresentedInteraction,
) -> Result<Interaction, Error> {
    let interaction =
        view.find::<Interaction>(&presented.interaction)?.ok_or(Refusal::InteractionUnknown)?;
    let same = presented.browser.as_ref().is_some_and(|cookie| interaction.browser.matches(cookie));
    if !same {
        return Err(Refusal::InteractionOfAnotherBrowser.into());
    }
    if cx.now >= interaction.expires {
        return Err(Refusal::InteractionExpired.into());
    }
    Ok(interaction)
}

/// Where the answer to a stored authorization request goes, proven once more.
pub fn callback(view: &impl View, interaction: Interaction) -> Result<Callback, Error> {
    match interaction.purpose {
        Purpose::Authorize { client, redirect_uri, request, state, .. } => {
            let client = requesting_client(view, &client, interaction.created)?;
            let registered = &client.redirect_uris;
            let proven =
                Callback::prove(registered, client.client_type, Some(&redirect_uri), state)?;
            Ok(proven.in_mode(request.response_mode))
        }
        Purpose::Link { .. } | Purpose::Logout { .. } => Err(Refusal::InteractionUnknown.into()),
    }
}

/// The client that asked at that moment, and not one that took its name later.
fn requesting_client(view: &impl View, id: &ClientId, asked: Timestamp) -> Result<Client, Error> {
    let client = authorize::enabled(view, id)?;
    if client.created > asked {
        return Err(Refusal::ClientUnknownAtAuthorize.into());
    }
    Ok(client)
}

/// The next step of a stored authorization request.
pub fn next(
    view: &impl View,
    cx: &Context,
    presented: &PresentedInteraction,
    interaction: Interaction,
) -> Result<Step, Error> {
    let created = interaction.created;
    let Purpose::Authorize {
        client: client_id,
        expected,
        redirect_uri,
        redirect_uri_named,
        state,
        request,
    } = interaction.purpose
    else {
        return Err(Refusal::InteractionUnknown.into());
    };
    // The client may have changed while the person was reading: everything is proven again.
    let client = requesting_client(view, &client_id, created)?;
    let registered = &client.redirect_uris;
    let callback = Callback::prove(registered, client.client_type, Some(&redirect_uri), state)?;
    let callback = callback.in_mode(request.response_mode);
    let session = match &presented.session {
        Some(cookie) => session::live(view, cx, cookie)?,
        None => None,
    };
    let subject = |user| issue::subject(&cx.rules, &client, user);
    let max_age = request.max_age.or(client.default_max_age);
    let requirement = SignInRequirement { max_age, hinted: expected.as_deref(), request: &request };
    let session = match match_session(cx, session, &requirement, subject, created) {
        SessionMatch::Session(session) => *session,
        // OpenID Connect Core §3.1.2.1, none: "The Authorization Server MUST NOT display any
        // authentication or consent user interface pages."
        SessionMatch::None if request.prompt.none => {
            return Ok(Step::Refuse(callback, Refusal::LoginNeeded));
        }
        SessionMatch::None => return Ok(Step::Login(Box::new(client), request.login_hint)),
        SessionMatch::SomebodyElse => return Ok(Step::Refuse(callback, Refusal::LoginNeeded)),
    };

    let asked = request.scope.as_ref();
    let targets = match resource::resolve(view, &cx.rules, &client, &request.resources, asked) {
        // A resource may have gone while the person was reading.
        Err(Error::Refused(refusal)) => return Ok(Step::Refuse(callback, refusal)),
        resolved => resolved?,
    };
    let scope = match targets.scope_for(&cx.rules, &client, session.person(), asked) {
        Ok(scope) => scope,
        Err(refusal) => return Ok(Step::Refuse(callback, refusal)),
    };
    // A claim asked for by name is told where its whole scope could be, and asked for as that.
    let allowed = cx.rules.config.allowed(&session.person().roles).intersect(&client.scope);
    let openid = scope.has("openid");
    let claims = if openid { request.claims.within(&allowed) } else { ClaimsRequest::default() };
    let consent_scope = scope.union(&claims.scope());
    let key = (session.user(), client_id.clone(), callback.uri().lasting_host());
    let remembered = remembered(view, &key, &client)?;
    let everywhere = targets.remembered_as(&cx.rules).into_iter().map(|resource| {
        let own = remembered.iter().find(|(own, _)| *own == resource);
        own.map(|(_, scope)| scope.clone())
    });
    let remembered = everywhere.collect::<Option<Vec<Scope>>>();
    let settled =
        remembered.as_ref().is_some_and(|own| own.iter().all(|own| consent_scope.within(own)));
    // OpenID Connect Core §3.1.2.1, consent: "The Authorization Server SHOULD prompt the End-User
    // for consent before returning information to the Client."
    let silent = !request.prompt.consent
        && (client.first_party || settled)
        && !targets.unregistered
        && proves_client(&client_id, &client, &callback);
    let forbidden_to_ask = request.prompt.none;
    let remembered = remembered.unwrap_or_default();
    let remembered = match remembered.split_first() {
        Some((first, rest)) => {
            rest.iter().fold(first.intersect(&consent_scope), |all, own| all.intersect(own))
        }
        None => Scope::default(),
    };
    let ready = Box::new(ConsentRequest {
        client_id,
        client,
        callback,
        session,
        claims,
        consent_scope,
        scope,
        remembered,
        redirect_uri_named,
        request: *request,
        targets,
    });
    Ok(match (silent, forbidden_to_ask) {
        (true, _) => Step::Grant(ready),
        (false, true) => Step::Refuse(ready.callback, Refusal::ConsentNeeded),
        (false, false) => Step::Consent(ready),
    })
}

/// What a person allowed this client before at which resource, and not an earlier one of the same
/// name.
pub fn remembered(
    view: &impl View,
    key: &(UserId, ClientId, String),
    client: &Client,
) -> Result<Vec<(String, Scope)>, StoreError> {
    let consent = view.find::<Consent>(key)?.filter(|consent| consent.given >= client.created);
    Ok(consent.map(|consent| consent.allowed).unwrap_or_default())
}

enum SessionMatch {
    None,
    Session(Box<LiveSession>),
    SomebodyElse,
}

/// What a request expects of the sign-in.
struct SignInRequirement<'a> {
    /// The `sub` that its hint named.
    hinted: Option<&'a str>,
    /// The most seconds that the sign-in may lie back, for this request or for all of the client's.
    max_age: Option<u32>,
    /// The rest.
    request: &'a AuthorizeRequest,
}

/// Whether the person who is signed in is recent enough, and the one who is expected.
fn match_session(
    cx: &Context,
    session: Option<LiveSession>,
    requirement: &SignInRequirement<'_>,
    subject: impl Fn(UserId) -> String,
    created: Timestamp,
) -> SessionMatch {
    let Some(session) = session else { return SessionMatch::None };
    let signed_in = session.authentication().at;
    let signed_in_for_this = signed_in >= created;
    // OpenID Connect Core §3.1.2.1: "If the elapsed time is greater than this value, the OP MUST
    // attempt to actively re-authenticate the End-User." It elapses while somebody reads, too.
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
    let asked = &requirement.request.claims.sub;
    let is_expected = requirement.hinted.is_none_or(|hinted| hinted == sub)
        && (asked.is_empty() || asked.contains(&sub));
    match (is_expected, signed_in_for_this) {
        (true, _) => SessionMatch::Session(Box::new(session)),
        (false, true) => SessionMatch::SomebodyElse,
        (false, false) => SessionMatch::None,
    }
}

/// Whether an answer to this callback can only reach the client itself.
///
/// Any program on a machine can listen on loopback or claim a private-use scheme, so a public
/// client there is never answered without a visible confirmation, unless the operator waived it.
/// An https address proves a client where an operator registered it, or where it has the origin
/// of the document that the client is named by.
fn proves_client(id: &ClientId, client: &Client, callback: &Callback) -> bool {
    if client.client_type == ClientType::Confidential || client.confirmation_waived {
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
        (Kind::Https { .. }, Origin::Dynamic { .. } | Origin::Hook { .. })
        | (Kind::Loopback { .. } | Kind::PrivateUse { .. }, _) => false,
    }
}
