//! Proving a client: [RFC 6749 §2.3](https://www.rfc-editor.org/rfc/rfc6749#section-2.3).

use crate::error::{Error, Refusal};
use crate::flow::Rules;
use crate::oauth::client::{AuthMethod, GrantType, Presented, Proof};
use crate::oauth::id::ClientId;
use crate::secret::MadeClientSecret;
use crate::store::View;
use crate::store::schema::{Client, ClientProof};

/// Proof that a request comes from a client, for the revision of the client it was made against.
#[derive(Clone, Debug)]
pub struct AuthenticatedClient {
    id: ClientId,
    revision: u64,
}

impl AuthenticatedClient {
    /// Who it is.
    pub fn id(&self) -> &ClientId {
        &self.id
    }

    /// The client's row, if the proof still holds.
    pub fn client(&self, view: &impl View) -> Result<Client, Error> {
        let client = view.find::<Client>(&self.id)?.ok_or(Refusal::ClientChanged)?;
        if client.revision != self.revision {
            return Err(Refusal::ClientChanged.into());
        }
        Ok(client)
    }

    /// The client's row, if the proof still holds and the client registered `grant_type`.
    pub fn row(&self, view: &impl View, grant_type: GrantType) -> Result<Client, Error> {
        let client = self.client(view)?;
        if !client.grant_types.contains(&grant_type) {
            return Err(Refusal::GrantTypeNotRegistered.into());
        }
        Ok(client)
    }
}

/// Proves who a request comes from. The method that was registered is the only one that counts.
pub fn prove(
    view: &impl View,
    rules: &Rules,
    presented: &Presented,
) -> Result<AuthenticatedClient, Error> {
    let client = view.find::<Client>(&presented.client_id)?;
    // The hash is taken whether or not there is a client to compare it with, so that an unknown
    // client takes as long as a wrong secret.
    let (method, hash) = match &presented.proof {
        Proof::Basic(secret) => (AuthMethod::ClientSecretBasic, Some(secret)),
        Proof::None => (AuthMethod::None, None),
        Proof::Post(secret) => (AuthMethod::ClientSecretPost, Some(secret)),
    };
    let hash = hash.map(|secret| {
        let made = secret.expose().parse::<MadeClientSecret>();
        made.map_or_else(
            |_| {
                rules.pepper.hash_parts("client secret of another form", secret.expose().as_bytes())
            },
            |secret| rules.pepper.hash(&secret),
        )
    });
    let client = client.ok_or(Refusal::ClientUnknown)?;
    match (&client.secret, hash) {
        (None, None) => {}
        (Some(_), None) => return Err(Refusal::ClientAuthMissing.into()),
        (None, Some(_)) => return Err(Refusal::AuthMethodNotRegistered.into()),
        (Some(ClientProof::Chosen(_)), Some(_)) => return Err(Refusal::ClientSecretWrong.into()),
        (Some(ClientProof::Made(kept)), Some(hash)) => {
            if !kept.matches(&hash) {
                return Err(Refusal::ClientSecretWrong.into());
            }
        }
    }
    if client.auth_method != method {
        return Err(Refusal::AuthMethodNotRegistered.into());
    }
    if !client.enabled {
        return Err(Refusal::ClientDisabled.into());
    }
    Ok(AuthenticatedClient { id: presented.client_id.clone(), revision: client.revision })
}
