//! The client credentials grant: [RFC 6749
//! §4.4](https://www.rfc-editor.org/rfc/rfc6749#section-4.4).
//!
//! Nothing is written: the token depends on no grant.

use crate::error::{Error, Refusal};
use crate::flow::Context;
use crate::flow::client::authentication::AuthenticatedClient;
use crate::flow::resource::{self, Targets, TokenTarget};
use crate::flow::token::issue::{self, Issued};
use crate::oauth::claims::{Audience, jti_of_device};
use crate::oauth::client::{ClientType, GrantType};
use crate::oauth::resource::{Resource, TokenType};
use crate::oauth::scope::Scope;
use crate::oauth::token::ClientCredentialsRequest;
use crate::oauth::token::hook::HOOK_AUDIENCE;
use crate::store::View;
use crate::store::schema::{Client, Origin};

/// Issues a token to a client.
pub fn issue(
    view: &impl View,
    cx: &Context,
    proven: &AuthenticatedClient,
    request: &ClientCredentialsRequest,
) -> Result<Issued, Error> {
    let client = proven.row(view, GrantType::ClientCredentials)?;
    // RFC 6749 §4.4: "The client credentials grant type MUST only be used by confidential clients."
    if client.metadata.client_type() != ClientType::Confidential {
        return Err(Refusal::GrantTypeNotRegistered.into());
    }
    if request.hook {
        return for_plugin(cx, proven, &client, request);
    }
    let target = target(view, cx, &client, &request.resources, request.scope.as_ref())?;
    let lifetime = cx.rules.access_token_lifetime(&client);
    Ok(issue::for_client(cx, proven.id(), target, lifetime))
}

/// What a token of a client itself may be for, if it asks for `resources` and for the scope `asked`.
pub fn target(
    view: &impl View,
    cx: &Context,
    client: &Client,
    resources: &[Resource],
    asked: Option<&Scope>,
) -> Result<TokenTarget, Error> {
    // Hook scopes are granted only together with their audience.
    let asks_hook = |scope: &Scope| scope.iter().any(|token| token.as_str().starts_with("hook:"));
    if asks_hook(asked.unwrap_or(client.scope())) {
        return Err(Refusal::HookScopeWithoutAudience.into());
    }
    let mut targets = resource::resolve(view, &cx.rules, client, resources, asked)?;
    if targets.unregistered
        || !targets.resources.iter().all(|own| is_allowed(cx, client, &targets, own))
    {
        if !resources.is_empty() {
            return Err(Refusal::ResourceUnknown.into());
        }
        // The scope brought it.
        targets = Targets::default();
    }
    // What is said about a person is granted by a person.
    let own = client.scope().filtered(|own| !own.is_about_person());
    let allowed = targets.default_scope(&cx.rules, &own);
    let scope = match asked {
        Some(asked) => {
            let scope = asked.intersect(&allowed);
            if scope.is_empty() {
                return Err(Refusal::ScopeNotForItself.into());
            }
            targets.check_administration(&cx.rules, &scope)?;
            scope
        }
        None => targets.without_administration(&cx.rules, allowed),
    };
    let typ = targets.token_type(&targets.resources)?;
    Ok(TokenTarget { resources: targets.resources, scope, typ })
}

/// A hook token, for the audience `hook` and one plugin. It ends with the linked device that asks.
fn for_plugin(
    cx: &Context,
    proven: &AuthenticatedClient,
    client: &Client,
    request: &ClientCredentialsRequest,
) -> Result<Issued, Error> {
    let device = proven.device().filter(|_| matches!(client.origin, Origin::Hook));
    let device = device.ok_or(Refusal::HookAudienceForeign)?;
    let plugin = request.plugin_id.as_ref().ok_or(Refusal::PluginIdMissing)?;
    let scope = match &request.scope {
        Some(requested) => requested.intersect(client.scope()),
        None => client.scope().clone(),
    };
    if scope.is_empty() {
        return Err(Refusal::ScopeNotAllowed.into());
    }
    let target = TokenTarget { resources: Vec::new(), scope, typ: TokenType::AtJwt };
    let lifetime = cx.rules.access_token_lifetime(client);
    let mut issued = issue::for_client(cx, proven.id(), target, lifetime);
    issued.access.jti = jti_of_device(device, cx.seed.bytes("jti"));
    issued.access.aud = Audience::Many(vec![HOOK_AUDIENCE.to_owned()]);
    issued.access.plugin_id = Some(plugin.to_string());
    Ok(issued)
}

/// Whether an operator allows a client to act for itself at a resource: they listed it for the client,
/// or gave the client one of its scopes. No person consents.
fn is_allowed(cx: &Context, client: &Client, targets: &Targets, resource: &Resource) -> bool {
    *resource == Resource::of(&cx.rules.issuer)
        || client.decisions.resources.contains(resource)
        || (client.origin == Origin::Operator && targets.knows_any(resource, client.scope()))
}
