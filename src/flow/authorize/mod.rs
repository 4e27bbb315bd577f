//! The authorization request: [RFC 6749 §4.1.1](https://www.rfc-editor.org/rfc/rfc6749#section-4.1.1).
//!
//! The client and the redirect URI are proven first. The rest of the request is then checked
//! against the client, and answered or stored; it is not read from the wire again.

pub mod consent;
pub mod device;
pub mod pushed;
pub mod step;

use crate::clock::Timestamp;
use crate::config::SignUpPolicy;
use crate::error::{Error, Refusal};
use crate::flow::authorize::consent::ClientRedirect;
use crate::flow::authorize::step::{PresentedInteraction, Step};
use crate::flow::client::last_use;
use crate::flow::{Context, Present, admission, resource, session};
use crate::keys::KeyRing;
use crate::model::network::Network;
use crate::model::user_agent::DeviceInfo;
use crate::oauth::authorize::{self, AuthorizeRequest, Callback, RedirectParameters};
use crate::oauth::client::{GrantType, PkcePolicy};
use crate::oauth::id::{ClientId, InteractionId, UserId};
use crate::oauth::params::Params;
use crate::oauth::redirect_uri::Kind;
use crate::oauth::scope::Scope;
use crate::oauth::state::State;
use crate::secret::{BrowserSecret, TokenHash};
use crate::store::schema::{Client, Interaction, Origin, Purpose, StoredAuthorizationRequest};
use crate::store::{Holder, Holding, Rank, StoreError, Tx, View};

/// The channel by which a request reaches this server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Channel {
    /// The browser sends its parameters to the authorization endpoint.
    Browser,
    /// The client pushes its parameters (RFC 9126).
    Pushed,
}

/// A request whose client and callback are proven, so that an error may be redirected.
pub struct ResolvedRequest {
    callback: Callback,
    client: Client,
    parameters: RedirectParameters,
}

/// Proves the client and the callback of a request.
pub fn resolve(view: &impl View, parameters: RedirectParameters) -> Result<ResolvedRequest, Error> {
    let client = enabled(view, &parameters.client_id)?;
    let callback =
        parameters.prove(&client.metadata.redirect_uris, client.metadata.client_type())?;
    Ok(ResolvedRequest { callback, client, parameters })
}

impl ResolvedRequest {
    /// The callback that gets an error.
    pub fn callback(&self) -> &Callback {
        &self.callback
    }

    /// Checks `params` against what the client may request, as far as that is possible before the
    /// person is known. Replaces the resources by their registered spellings.
    pub fn check(
        &self,
        view: &impl View,
        cx: &Present,
        keys: &KeyRing,
        params: &Params,
        channel: Channel,
    ) -> Result<CheckedRequest, Error> {
        let (client, rules) = (&self.client, &cx.rules);
        let mut request = AuthorizeRequest::parse(params)?;
        let hint = authorize::id_token_hint(params)?;
        self.parameters.check(&self.callback)?;
        // RFC 9126 §6
        if client.metadata.require_pushed_authorization_requests && channel == Channel::Browser {
            return Err(Refusal::RequestNotPushed.into());
        }
        if !client.metadata.has_grant_type(GrantType::AuthorizationCode) {
            return Err(Refusal::GrantTypeNotRegistered.into());
        }
        let state = self.callback.state();
        check_protection(rules.pkce_policy(client), &request, state)?;
        // Initiating User Registration §4.1: "If the OpenID Provider receives a prompt value that
        // it does not support (not declared in the prompt_values_supported metadata field) the OP
        // SHOULD respond with an HTTP 400 (Bad Request) status code and an error value of
        // invalid_request."
        if request.prompt.create && rules.config.policy.sign_up == SignUpPolicy::Closed {
            return Err(Refusal::PromptCreateClosed.into());
        }
        // OpenID Connect Core §5.5.1.1: an essential `acr` that cannot be satisfied makes "a
        // failed authentication attempt".
        if !request.claims.meets_acr() {
            return Err(Refusal::AcrUnmet.into());
        }
        let requested = request.scope.as_ref();
        let targets = resource::resolve(view, rules, client, &request.resources, requested)?;
        let mut left_out = Scope::default();
        if let Some(requested) = requested {
            let scope = requested.intersect(&targets.for_client(rules, client));
            if scope.is_empty() {
                return Err(Refusal::ScopeNotAllowed.into());
            }
            targets.check_administration(rules, &scope)?;
            left_out = resource::left_out(view, rules, client, requested)?;
        }
        request.resources = targets.resources;
        let client_id = &self.parameters.client_id;
        Ok(CheckedRequest {
            callback: self.callback.clone(),
            client: client_id.clone(),
            expected: hinted_subject(keys, cx.now, client_id, hint)?,
            left_out,
            pushed: None,
            redirect_uri_named: self.parameters.redirect_uri.is_some(),
            request,
        })
    }
}

/// The `sub` of an `id_token_hint`. It may have expired (OpenID Connect Core §3.1.2.1).
fn hinted_subject(
    keys: &KeyRing,
    now: Timestamp,
    client: &ClientId,
    hint: Option<&str>,
) -> Result<Option<String>, Refusal> {
    let Some(hint) = hint else { return Ok(None) };
    let hint = keys.verify_hint(hint, now)?;
    let claims = hint.claims();
    // Another client may know the person by another `sub`.
    if claims.aud != client.as_str() {
        return Err(Refusal::IdTokenHintClientDiffers);
    }
    Ok(Some(claims.sub.clone()))
}

/// A request that was checked: only such a request is stored.
pub struct CheckedRequest {
    callback: Callback,
    client: ClientId,
    /// The `sub` that an `id_token_hint` named: this person has to sign in.
    expected: Option<String>,
    /// The scopes that the client asks for, that there are, and that it may not have.
    left_out: Scope,
    /// The reference that this request was opened with.
    pushed: Option<TokenHash>,
    redirect_uri_named: bool,
    request: AuthorizeRequest,
}

impl CheckedRequest {
    /// The callback that gets the response.
    pub fn callback(&self) -> &Callback {
        &self.callback
    }

    /// The client.
    pub fn client(&self) -> &ClientId {
        &self.client
    }

    /// The scopes that the client asks for, that there are, and that it may not have. A request that
    /// was stored before has none: they were noted then.
    pub fn left_out(&self) -> &Scope {
        &self.left_out
    }

    /// The scope that the client asks for.
    pub fn scope(&self) -> Option<&Scope> {
        self.request.scope.as_ref()
    }

    /// Whether no page may be displayed (`prompt=none`).
    pub fn is_silent(&self) -> bool {
        self.request.prompt.none
    }

    /// The row.
    fn stored(&self, cx: &Context) -> StoredAuthorizationRequest {
        StoredAuthorizationRequest {
            client: self.client.clone(),
            expected: self.expected.clone(),
            pushed: self.pushed,
            redirect_uri: self.callback.uri().clone(),
            redirect_uri_named: self.redirect_uri_named,
            request: self.request.clone(),
            requested: cx.latest,
            response_mode: self.callback.mode(),
            state: self.callback.state().cloned(),
        }
    }

    /// The request of a row. `client` may have changed since, so the callback is proven again.
    fn restore(client: &Client, stored: StoredAuthorizationRequest) -> Result<Self, Refusal> {
        let (registered, uri) = (&client.metadata.redirect_uris, Some(&stored.redirect_uri));
        let callback =
            Callback::prove(registered, client.metadata.client_type(), uri, stored.state)?;
        Ok(Self {
            callback: callback.in_mode(stored.response_mode),
            client: stored.client,
            expected: stored.expected,
            left_out: Scope::default(),
            pushed: stored.pushed,
            redirect_uri_named: stored.redirect_uri_named,
            request: stored.request,
        })
    }
}

/// The client `id`, if it is enabled.
///
/// # Errors
///
/// [`Refusal::ClientUnknownAtAuthorize`] and [`Refusal::ClientDisabledAtAuthorize`].
pub fn enabled(view: &impl View, id: &ClientId) -> Result<Client, Error> {
    let client = view.find::<Client>(id)?.ok_or(Refusal::ClientUnknownAtAuthorize)?;
    if client.enabled { Ok(client) } else { Err(Refusal::ClientDisabledAtAuthorize.into()) }
}

/// As [`enabled`], or nothing.
pub fn find_enabled(view: &impl View, id: &ClientId) -> Result<Option<Client>, StoreError> {
    Ok(view.find::<Client>(id)?.filter(|client| client.enabled))
}

/// Whether an error may be redirected to a client before the person has signed in: an operator
/// vouches for the client, the redirect stays on the person's machine, or this person, whose session
/// it is, has allowed the client there before.
///
/// RFC 9700 §4.11.2: "If the URI is not trusted, the authorization server MAY inform the user and
/// rely on the user to make the correct decision." Otherwise anybody could register a client, and
/// have this server redirect wherever they like.
pub fn is_vouched_for(
    view: &impl View,
    cx: &Present,
    (id, client): (&ClientId, &Client),
    callback: &Callback,
    session: Option<&TokenHash>,
) -> Result<bool, StoreError> {
    let by_operator = match client.origin {
        Origin::Hook | Origin::Operator => true,
        Origin::Document { .. } | Origin::Dynamic { .. } => client.decisions.first_party,
    };
    if by_operator || matches!(callback.uri().kind(), Kind::Loopback { .. }) {
        return Ok(true);
    }
    let session = match session {
        Some(holder) => session::live(view, cx, holder)?,
        None => None,
    };
    let Some(session) = session else { return Ok(false) };
    let key = (session.user(), id.clone(), callback.uri().lasting_host());
    Ok(!step::stored_consent(view, &key, client)?.is_empty())
}

/// Checks that a request brings what protects its code from injection: a PKCE challenge, or what
/// `policy` accepts in its place.
///
/// RFC 9700 §2.1.1: a confidential client may rely on the OpenID Connect `nonce`, if the operator
/// allows it. §2.1: without PKCE and nonce, "one-time use CSRF tokens carried in the state
/// parameter that are securely bound to the user agent MUST be used".
fn check_protection(
    policy: PkcePolicy,
    request: &AuthorizeRequest,
    state: Option<&State>,
) -> Result<(), Refusal> {
    if request.code_challenge.is_some() {
        return Ok(());
    }
    let openid = request.scope.as_ref().is_some_and(|scope| scope.has("openid"));
    let by_nonce = openid && request.nonce.is_some();
    match policy {
        PkcePolicy::Nonce | PkcePolicy::Optional if by_nonce => Ok(()),
        PkcePolicy::Optional if state.is_some() => Ok(()),
        PkcePolicy::Optional => Err(Refusal::StateMissing),
        PkcePolicy::Nonce | PkcePolicy::Required => Err(Refusal::CodeChallengeMissing),
    }
}

/// The browser that an authorization request comes from.
#[derive(Clone, Debug)]
pub struct Requester {
    /// Its device.
    pub device: DeviceInfo,
    /// Its network.
    pub network: Network,
    /// The hash of the cookie of its session. Where a session is a key, a request proves none.
    pub session: Option<TokenHash>,
}

/// What an authorization request leads to.
pub enum Started {
    /// A code, since the person is signed in and nothing has to be asked.
    Granted {
        /// The client.
        client: ClientId,
        /// The redirect with the code.
        redirect: ClientRedirect,
        /// The person.
        user: UserId,
    },
    /// An interaction, by the id for its path and the secret for its cookie.
    Interaction(InteractionId, BrowserSecret),
}

/// Answers a request that needs no page, and stores any other. One that was pushed is stored too: its
/// reference is to outlive a response that never arrives.
pub fn start(
    tx: &mut Tx<'_>,
    cx: &Context,
    from: &Requester,
    checked: &CheckedRequest,
) -> Result<Started, Error> {
    if let Some(client) = tx.find::<Client>(&checked.client)? {
        last_use::record_use(tx, cx, &checked.client, &client, None)?;
    }
    let stored = checked.stored(cx);
    if from.session.is_some()
        && checked.pushed.is_none()
        && let Step::Grant(request) =
            step::of_request(tx, cx, from.session.as_ref(), stored.clone(), None)?
    {
        let redirect = consent::grant(tx, cx, &from.device, &request)?;
        let user = request.session.user();
        return Ok(Started::Granted { client: request.client_id, redirect, user });
    }
    let holding = Holding::strangers(from.network, Rank::Plain);
    let (id, secret) = store_interaction(tx, cx, holding, Purpose::Authorize(Box::new(stored)))?;
    Ok(Started::Interaction(id, secret))
}

/// Stores an interaction.
pub fn store_interaction(
    tx: &mut Tx<'_>,
    cx: &Context,
    holding: Holding,
    purpose: Purpose,
) -> Result<(InteractionId, BrowserSecret), Error> {
    let id = InteractionId::from_seed(&cx.seed);
    let secret: BrowserSecret = cx.seed.token();
    let interaction = Interaction {
        browser: cx.rules.pepper.hash(&secret),
        claimed: None,
        created: cx.now,
        expires: cx.deadline(cx.rules.config.lifetimes.interaction),
        holding,
        purpose,
    };
    admission::store(tx, cx, &id, interaction)?;
    Ok((id, secret))
}

/// The interaction after its page is displayed, if that changes it, and the person whose session the
/// page was opened with.
pub fn opened(
    view: &impl View,
    cx: &Present,
    presented: &PresentedInteraction,
) -> Result<Option<(Interaction, Option<UserId>)>, Error> {
    let interaction = step::interaction(view, cx, presented)?;
    let session = match &presented.session {
        Some(holder) => session::live(view, cx, holder)?,
        None => None,
    };
    let user = session.map(|session| session.user());
    let holding = match (interaction.holding.holder, user) {
        (Holder::Network(_), Some(user)) => Holding::persons(user),
        (holder, _) => Holding { holder, rank: Rank::Opened },
    };
    let claimed = interaction.claimed.or(presented.storage);
    let changed = holding != interaction.holding || claimed != interaction.claimed;
    Ok(changed.then_some((Interaction { claimed, holding, ..interaction }, user)))
}

/// Records that the page of an interaction is displayed. From then on the interaction is the
/// person's whose session the page was opened with, or goes after those that no page has opened; and
/// where a session is a key, only the storage that opened it opens it again.
pub fn record_opened(
    tx: &mut Tx<'_>,
    cx: &Context,
    presented: &PresentedInteraction,
) -> Result<(), Error> {
    let id = &presented.interaction;
    match opened(tx, cx, presented)? {
        None => Ok(()),
        Some((opened, Some(user))) => admission::give(tx, id, opened, user),
        Some((opened, None)) => Ok(tx.put(id, opened)?),
    }
}
