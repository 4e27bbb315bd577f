//! The beginning of an authorization: [RFC 6749 §4.1.1](https://www.rfc-editor.org/rfc/rfc6749#section-4.1.1).
//!
//! Client and redirect URI are proven first; the rest of the request is then checked against the
//! client, stored whole, and never read from the wire again.

pub mod consent;
pub mod device;
pub mod pushed;
pub mod step;

use std::net::IpAddr;

use crate::error::{Error, Refusal};
use crate::flow::client::last_use;
use crate::flow::{Context, Rules, resource, throttle};
use crate::oauth::authorize::{AuthorizeRequest, Callback, RedirectParameters};
use crate::oauth::client::{ClientType, GrantType, PkcePolicy};
use crate::oauth::id::{ClientId, InteractionId};
use crate::secret::BrowserSecret;
use crate::store::schema::{Client, Interaction, Purpose};
use crate::store::{Row, Tx, View};

/// The client that an opening names, and the callback that it proves.
pub fn resolve(
    view: &impl View,
    parameters: &RedirectParameters,
) -> Result<(Client, Callback), Error> {
    let client = enabled(view, &parameters.client_id)?;
    let callback = Callback::prove(
        &client.redirect_uris,
        client.client_type,
        parameters.redirect_uri.as_ref(),
        parameters.state.clone(),
    )?;
    Ok((client, callback.in_mode(parameters.response_mode)))
}

/// A client that may ask a person for anything.
pub fn enabled(view: &impl View, id: &ClientId) -> Result<Client, Error> {
    let client = view.find::<Client>(id)?.filter(|client| client.enabled);
    client.ok_or(Refusal::ClientUnknownAtAuthorize.into())
}

/// Checks what a request asks against what its client may ask, as far as that can be told before
/// the person is known, and writes its resources as they are registered.
pub fn check(
    view: &impl View,
    rules: &Rules,
    client: &Client,
    request: &mut AuthorizeRequest,
) -> Result<(), Error> {
    if !client.grant_types.contains(&GrantType::AuthorizationCode) {
        return Err(Refusal::GrantTypeNotRegistered.into());
    }
    if request.code_challenge.is_none() && !may_go_without_pkce(rules, client, request) {
        return Err(Refusal::CodeChallengeMissing.into());
    }
    // OpenID Connect Core §5.5.1.1: an essential `acr` that cannot be met makes "a failed
    // authentication attempt".
    if !request.claims.meets_acr() {
        return Err(Refusal::AcrUnmet.into());
    }
    let asked = request.scope.as_ref();
    let targets = resource::resolve(view, rules, client, &request.resources, asked)?;
    if let Some(scope) = &request.scope
        && scope.intersect(&targets.for_client(client)).is_empty()
    {
        return Err(Refusal::ScopeNotAllowed.into());
    }
    request.resources = targets.resources;
    Ok(())
}

/// Refuses the plain request of a client that has to push them (RFC 9126 §6).
pub fn check_plain(client: &Client) -> Result<(), Refusal> {
    if client.require_pushed_authorization_requests {
        return Err(Refusal::RequestNotPushed);
    }
    Ok(())
}

/// RFC 9700 §2.1.1: a confidential client may rely on the OpenID Connect `nonce` instead, where
/// the operator lets it.
fn may_go_without_pkce(rules: &Rules, client: &Client, request: &AuthorizeRequest) -> bool {
    let allowed = [client.pkce, rules.config.policy.pkce].contains(&PkcePolicy::Nonce);
    let openid = request.scope.as_ref().is_some_and(|scope| scope.has("openid"));
    let confidential = client.client_type == ClientType::Confidential;
    allowed && confidential && openid && request.nonce.is_some()
}

/// Refuses where as many requests are under way as nobody's requests may be.
///
/// Read before the transaction: the bound is a bound on size, and need not be exact.
pub fn check_capacity(view: &impl View, rules: &Rules) -> Result<(), Error> {
    check_capacity_for::<Interaction>(view, rules)
}

/// As [`check_capacity`], for requests of the kind `R`.
pub fn check_capacity_for<R: Row>(view: &impl View, rules: &Rules) -> Result<(), Error> {
    let limit = rules.config.policy.interactions;
    if view.count::<R>(limit)? >= limit {
        return Err(Refusal::InteractionsTooMany.into());
    }
    Ok(())
}

/// The fewest requests that a network may begin in a minute.
const MIN_PER_MINUTE: usize = 10;

/// Counts a request from `address`, or refuses it: in the time that requests last, one network
/// alone fills half of their room. This machine is no network: through a proxy it may be anybody.
pub fn admit(tx: &mut Tx<'_>, cx: &Context, address: IpAddr) -> Result<(), Error> {
    if address.to_canonical().is_loopback() {
        return Ok(());
    }
    let config = &cx.rules.config;
    let minutes = config.lifetimes.interaction.as_secs().div_ceil(60).max(1);
    let minutes = usize::try_from(minutes).unwrap_or(usize::MAX);
    let limit = (config.policy.interactions / 2 / minutes).max(MIN_PER_MINUTE);
    let network = throttle::network(address);
    match throttle::consume(tx, cx, "interactions from", &network, limit) {
        Err(Error::Refused(_)) => Err(Refusal::InteractionsTooMany.into()),
        spent => spent,
    }
}

/// A request that was checked.
#[derive(Clone)]
pub struct CheckedRequest {
    /// Where the answer will go.
    pub callback: Callback,
    /// Who asks.
    pub client: ClientId,
    /// The `sub` that has to be signed in, if a hint named one.
    pub expected: Option<String>,
    /// Whether the request named its redirect URI.
    pub redirect_uri_named: bool,
    /// What is asked.
    pub request: AuthorizeRequest,
}

impl CheckedRequest {
    /// Refuses a request whose answer cannot come home as it asks.
    fn check_mode(&self) -> Result<(), Refusal> {
        if self.request.response_mode == self.callback.mode() {
            Ok(())
        } else {
            Err(Refusal::ResponseModeUnsupported)
        }
    }
}

/// Stores a request, and gives the way to it: the id for the path and the cookie beside it.
pub fn store_request(
    tx: &mut Tx<'_>,
    cx: &Context,
    checked: &CheckedRequest,
) -> Result<(InteractionId, BrowserSecret), Error> {
    checked.check_mode()?;
    last_use::record_use(tx, cx, &checked.client)?;
    let purpose = Purpose::Authorize {
        client: checked.client.clone(),
        expected: checked.expected.clone(),
        redirect_uri: checked.callback.uri().clone(),
        redirect_uri_named: checked.redirect_uri_named,
        state: checked.callback.state().map(str::to_owned),
        request: Box::new(checked.request.clone()),
    };
    store_interaction(tx, cx, purpose)
}

/// Stores what is to be brought about in the browser.
pub fn store_interaction(
    tx: &mut Tx<'_>,
    cx: &Context,
    purpose: Purpose,
) -> Result<(InteractionId, BrowserSecret), Error> {
    let id = InteractionId::from_seed(&cx.seed);
    let secret: BrowserSecret = cx.seed.token();
    let interaction = Interaction {
        browser: cx.rules.pepper.hash(&secret),
        created: cx.now,
        expires: cx.now + cx.rules.config.lifetimes.interaction,
        purpose,
    };
    tx.put(&id, interaction)?;
    Ok((id, secret))
}
