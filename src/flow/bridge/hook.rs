//! Hook clients: at most one for each person, for the plugins of their agents.

use crate::error::{Error, Refusal};
use crate::flow::Context;
use crate::flow::bridge::access::{self, LiveBridge};
use crate::flow::client::owner::owner_may;
use crate::flow::installation::clock;
use crate::oauth::client::metadata::ClientMetadata;
use crate::oauth::client::{AuthMethod, GrantType};
use crate::oauth::id::{ClientId, UserId};
use crate::oauth::scope::Scope;
use crate::oauth::token::hook::HOOK_SCOPE;
use crate::secret::MadeClientSecret;
use crate::store::schema::{Client, ClientProof, Origin};
use crate::store::{Tx, View};

/// A person's hook client, with its secret, which is displayed only once.
pub struct Hook {
    /// Its id, `bridge:USER_ID`, which no registration can have.
    pub id: ClientId,
    /// Its scope.
    pub scope: Scope,
    /// Its secret.
    pub secret: MadeClientSecret,
}

/// Makes the hook client of a bridge's person, or gives it a new secret. The old secret ends at
/// once.
pub fn give(tx: &mut Tx<'_>, cx: &Context, bridge: &LiveBridge) -> Result<Hook, Error> {
    let bridge = access::recheck(tx, cx, bridge)?;
    let user = bridge.user();
    let created = bridge.person().now_enabled(clock::milestone(tx, cx)?);
    let id = of(user)?;
    let secret: MadeClientSecret = cx.seed.token();
    let mut client = match tx.find::<Client>(&id)? {
        // The tokens from before the owner was disabled stay ended.
        Some(old) => Client {
            created: if owner_may(tx, &old)? { old.created } else { created },
            revision: old.revision + 1,
            ..old
        },
        None => {
            let metadata = ClientMetadata {
                client_name: Some(format!("bridge hook client for {user}").parse()?),
                grant_types: Some(vec![GrantType::ClientCredentials]),
                scope: Some(HOOK_SCOPE.parse()?),
                token_endpoint_auth_method: Some(AuthMethod::ClientSecretPost),
                ..ClientMetadata::default()
            };
            Client { owner: Some(user), ..Client::new(created, Origin::Hook, metadata) }
        }
    };
    client.proof = Some(ClientProof::Made(cx.rules.pepper.hash(&secret)));
    let scope = client.scope().clone();
    tx.put(&id, client)?;
    Ok(Hook { id, scope, secret })
}

/// The id of the hook client of `user`.
pub fn of(user: UserId) -> Result<ClientId, Refusal> {
    format!("bridge:{user}").parse()
}
