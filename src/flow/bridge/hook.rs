//! Hook clients: one for each person who wants one, for the plugins of their agents.

use crate::error::{Error, Refusal};
use crate::flow::Context;
use crate::flow::bridge::access::{self, LiveBridge};
use crate::flow::client::authentication::AuthenticatedClient;
use crate::flow::client::operator::{self, NewClient};
use crate::flow::token::issue::{self, Issued};
use crate::oauth::claims::Audience;
use crate::oauth::client::{AuthMethod, GrantType};
use crate::oauth::id::{ClientId, UserId};
use crate::oauth::scope::Scope;
use crate::oauth::token::hook::{HOOK_AUDIENCE, HOOK_SCOPE, PluginId};
use crate::secret::MadeClientSecret;
use crate::store::schema::{Client, ClientProof, Origin, Person};
use crate::store::{StoreError, Tx, View};

/// A person's hook client, with the secret that is told once.
pub struct Hook {
    /// Its id: `bridge:USER_ID`, which no registration can take.
    pub id: ClientId,
    /// What it may do.
    pub scope: Scope,
    /// Its secret.
    pub secret: MadeClientSecret,
}

/// Makes the hook client of a bridge's person, or gives it a new secret, which ends the old one at
/// once.
pub fn give(tx: &mut Tx<'_>, cx: &Context, bridge: &LiveBridge) -> Result<Hook, Error> {
    let user = access::recheck(tx, cx, bridge)?.user();
    let id = of(user)?;
    let scope: Scope = HOOK_SCOPE.parse()?;
    let secret: MadeClientSecret = cx.seed.token();
    let proof = Some(ClientProof::Made(cx.rules.pepper.hash(&secret)));
    let client = match tx.find::<Client>(&id)? {
        // One from before its owner was switched off begins anew; its tokens stay over.
        Some(old) => Client {
            created: if owner_may(tx, &old)? { old.created } else { cx.now },
            revision: old.revision + 1,
            secret: proof,
            ..old
        },
        None => {
            let new = NewClient {
                auth_method: Some(AuthMethod::ClientSecretPost),
                grant_types: Some(vec![GrantType::ClientCredentials]),
                name: Some(format!("bridge hook client for {user}").parse()?),
                ..NewClient::default()
            };
            let settled = operator::settle(tx, cx, &new)?;
            let origin = Origin::Hook { owner: user };
            Client { origin, scope: scope.clone(), secret: proof, ..settled }
        }
    };
    tx.put(&id, client)?;
    Ok(Hook { id, scope, secret })
}

/// What the hook client of `user` is called.
pub fn of(user: UserId) -> Result<ClientId, Refusal> {
    format!("bridge:{user}").parse()
}

/// Whether the owner of a hook client, if it is one, may be here.
pub fn owner_may(view: &impl View, client: &Client) -> Result<bool, StoreError> {
    let Origin::Hook { owner } = &client.origin else { return Ok(true) };
    let person = view.find::<Person>(owner)?;
    Ok(person.is_some_and(|person| {
        !person.disabled
            && person
                .tokens_valid_after
                .is_none_or(|tokens_valid_after| client.created > tokens_valid_after)
    }))
}

/// Issues a hook token: for the audience `hook` and one plugin.
///
/// # Errors
///
/// [`Refusal::HookAudienceForeign`] for every client that is no hook client, and
/// [`Refusal::PluginIdMissing`].
pub fn issue(
    view: &impl View,
    cx: &Context,
    proven: &AuthenticatedClient,
    requested: Option<&Scope>,
    plugin: Option<&PluginId>,
) -> Result<Issued, Error> {
    let client = proven.row(view, GrantType::ClientCredentials)?;
    if !matches!(client.origin, Origin::Hook { .. }) {
        return Err(Refusal::HookAudienceForeign.into());
    }
    let plugin = plugin.ok_or(Refusal::PluginIdMissing)?;
    let scope = match requested {
        Some(requested) => requested.intersect(&client.scope),
        None => client.scope.clone(),
    };
    if scope.is_empty() {
        return Err(Refusal::ScopeNotAllowed.into());
    }
    let mut issued = issue::for_client(cx, proven.id(), &client, &[], scope);
    issued.access.aud = Audience::Many(vec![HOOK_AUDIENCE.to_owned()]);
    issued.access.plugin_id = Some(plugin.to_string());
    Ok(issued)
}
