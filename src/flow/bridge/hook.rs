//! Hook clients: at most one for each person, for the plugins of their agents, with one secret for
//! each of their linked devices.

use crate::error::{Error, Refusal};
use crate::flow::Context;
use crate::flow::bridge::access::{self, LiveBridge};
use crate::flow::bridge::device;
use crate::flow::client::owner::owner_may;
use crate::flow::installation::clock;
use crate::oauth::client::metadata::ClientMetadata;
use crate::oauth::client::{AuthMethod, GrantType};
use crate::oauth::id::{ClientId, UserId};
use crate::oauth::scope::Scope;
use crate::oauth::token::hook::HOOK_SCOPE;
use crate::secret::MadeClientSecret;
use crate::store::schema::{Client, ClientProof, LinkedDevice, Origin};
use crate::store::{Tx, View};

/// A person's hook client, with the secret of one device, which is displayed only once.
pub struct Hook {
    /// Its id, `bridge:USER_ID`, which no registration can have.
    pub id: ClientId,
    /// Its scope.
    pub scope: Scope,
    /// Its secret.
    pub secret: MadeClientSecret,
}

/// Makes the hook client of a bridge's person if there is none, and gives the bridge's device a new
/// secret of it. The old secret of that device ends at once, and that of no other.
///
/// # Errors
///
/// [`Refusal::BearerTokenOfEndedGrant`] if the device is not in force, and
/// [`Refusal::ClientDisabled`] if an operator switched the hook client off.
pub fn give(tx: &mut Tx<'_>, cx: &Context, bridge: &LiveBridge) -> Result<Hook, Error> {
    let bridge = access::recheck(tx, cx, bridge)?;
    let user = bridge.user();
    let created = bridge.person().now_enabled(clock::milestone(tx, cx)?);
    let id = of(user)?;
    let secret: MadeClientSecret = cx.seed.token();
    let (linked, hook) = (&bridge.session().linked, Some(cx.rules.pepper.hash(&secret)));
    let device = device::live(tx, cx.now, linked)?.ok_or(Refusal::BearerTokenOfEndedGrant)?;
    tx.put(linked, LinkedDevice { hook, ..device })?;
    let client = match tx.find::<Client>(&id)? {
        Some(old) if !old.enabled => return Err(Refusal::ClientDisabled.into()),
        Some(old) if owner_may(tx, &old)? => old,
        // The tokens from before the owner was disabled stay ended.
        Some(old) => Client { created, ..old },
        None => {
            let metadata = ClientMetadata {
                client_name: Some(format!("bridge hook client for {user}").parse()?),
                grant_types: Some(vec![GrantType::ClientCredentials]),
                scope: Some(HOOK_SCOPE.parse()?),
                token_endpoint_auth_method: Some(AuthMethod::ClientSecretPost),
                ..ClientMetadata::default()
            };
            let proof = Some(ClientProof::Devices);
            Client { owner: Some(user), proof, ..Client::new(created, Origin::Hook, metadata) }
        }
    };
    let scope = client.scope().clone();
    tx.put(&id, client)?;
    Ok(Hook { id, scope, secret })
}

/// The id of the hook client of `user`.
pub fn of(user: UserId) -> Result<ClientId, Refusal> {
    format!("bridge:{user}").parse()
}
