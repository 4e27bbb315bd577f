//! Clients, as the operator registers them. Names as in [RFC 7591 §2](https://www.rfc-editor.org/rfc/rfc7591#section-2).

use crate::error::{Error, Refusal};
use crate::flow::{Context, grant};
use crate::oauth::client::{
    AuthMethod, ClientType, GrantType, PkcePolicy, RefreshPolicy, SigningAlg,
};
use crate::oauth::id::ClientId;
use crate::oauth::person::DisplayName;
use crate::oauth::redirect_uri::RedirectUri;
use crate::oauth::scope::{Scope, ScopeToken};
use crate::secret::MadeClientSecret;
use crate::store::schema::{Client, ClientProof, GRANTS_BY_CLIENT};
use crate::store::{Tx, View};

/// A client to be registered; what is left out has a default.
#[derive(Clone, Debug, Default)]
pub struct NewClient {
    /// `token_endpoint_auth_method`: Basic for a confidential client, none for a public one.
    pub auth_method: Option<AuthMethod>,
    /// `client_id`: a random one.
    pub client_id: Option<ClientId>,
    /// Its type: confidential.
    pub client_type: Option<ClientType>,
    /// Whether it needs no consent.
    pub first_party: bool,
    /// `grant_types`: code and refresh where it has redirect URIs, else client credentials.
    pub grant_types: Vec<GrantType>,
    /// `id_token_signed_response_alg`: RS256.
    pub id_token_alg: Option<SigningAlg>,
    /// `client_name`.
    pub name: Option<DisplayName>,
    /// Whether it must send a PKCE challenge: it must.
    pub pkce: Option<PkcePolicy>,
    /// `post_logout_redirect_uris`.
    pub post_logout_redirect_uris: Vec<RedirectUri>,
    /// `redirect_uris`.
    pub redirect_uris: Vec<RedirectUri>,
    /// What becomes of a spent refresh token: grace.
    pub refresh: Option<RefreshPolicy>,
    /// `scope`: every open scope for a client that people sign in to, else none.
    pub scope: Option<Scope>,
}

/// Registers a client, and gives its secret, which is not kept.
pub fn add(
    tx: &mut Tx<'_>,
    cx: &Context,
    new: &NewClient,
) -> Result<(ClientId, Client, Option<MadeClientSecret>), Error> {
    let drawn = || -> Result<ClientId, Refusal> {
        let uuid = cx.fresh.uuid("client").simple().to_string();
        format!("gl_{uuid}").parse()
    };
    let id = new.client_id.clone().map_or_else(drawn, Ok)?;
    if tx.find::<Client>(&id)?.is_some() {
        return Err(Refusal::ClientExists.into());
    }
    let mut client = settle(cx, new)?;
    let secret = match client.client_type {
        ClientType::Confidential => Some(cx.fresh.token::<crate::secret::ClientSecretPurpose>()),
        ClientType::Public => None,
    };
    client.secret = secret.as_ref().map(|secret| ClientProof::Made(cx.rules.pepper.hash(secret)));
    tx.put(&id, client.clone())?;
    Ok((id, client, secret))
}

/// The client that a registration means, if it does not contradict itself.
fn settle(cx: &Context, new: &NewClient) -> Result<Client, Refusal> {
    let contradictory = Err(Refusal::ClientMetadataContradictory);
    let client_type = new.client_type.unwrap_or(match new.auth_method {
        Some(AuthMethod::None) => ClientType::Public,
        Some(AuthMethod::ClientSecretBasic | AuthMethod::ClientSecretPost) | None => {
            ClientType::Confidential
        }
    });
    let auth_method = new.auth_method.unwrap_or(match client_type {
        ClientType::Confidential => AuthMethod::ClientSecretBasic,
        ClientType::Public => AuthMethod::None,
    });
    if (client_type == ClientType::Public) != (auth_method == AuthMethod::None) {
        return contradictory;
    }
    let mut grant_types = new.grant_types.clone();
    if grant_types.is_empty() && new.redirect_uris.is_empty() {
        grant_types.push(GrantType::ClientCredentials);
    } else if grant_types.is_empty() {
        grant_types.extend([GrantType::AuthorizationCode, GrantType::RefreshToken]);
    }
    grant_types.sort();
    grant_types.dedup();
    let has = |grant| grant_types.contains(&grant);
    let for_people = has(GrantType::AuthorizationCode);
    if for_people == new.redirect_uris.is_empty()
        || has(GrantType::RefreshToken) && !for_people
        || has(GrantType::ClientCredentials) && client_type == ClientType::Public
    {
        return contradictory;
    }
    for uri in new.redirect_uris.iter().chain(&new.post_logout_redirect_uris) {
        uri.check_scheme(&cx.rules.config.policy.private_use_schemes)?;
    }
    let scope = match &new.scope {
        Some(scope) if scope.within(&cx.rules.config.scope()) => scope.clone(),
        Some(_) => return Err(Refusal::ScopeUnknown),
        None if for_people => open_scope(cx),
        None => Scope::default(),
    };
    Ok(Client {
        auth_method,
        client_type,
        created: cx.now,
        enabled: true,
        first_party: new.first_party,
        grant_types,
        id_token_alg: new.id_token_alg.unwrap_or(SigningAlg::Rs256),
        name: new.name.clone().ok_or(Refusal::NameMalformed)?,
        pkce: new.pkce.unwrap_or(PkcePolicy::Required),
        post_logout_redirect_uris: new.post_logout_redirect_uris.clone(),
        redirect_uris: new.redirect_uris.clone(),
        refresh: new.refresh.unwrap_or(RefreshPolicy::Grace),
        revision: 1,
        scope,
        secret: None,
    })
}

fn open_scope(cx: &Context) -> Scope {
    let open = cx.rules.config.scopes.iter().filter(|(_, entry)| entry.open);
    open.map(|(token, _): (&ScopeToken, _)| token.clone()).collect()
}

/// The most grants that a removal ends in its own transaction; a removed client ends the rest,
/// since a grant whose client is gone is not in force.
const MOST_GRANTS: usize = 500;

/// Removes a client and ends every grant under it. Gives their number, as far as it was counted.
pub fn remove(tx: &mut Tx<'_>, cx: &Context, id: &ClientId) -> Result<usize, Error> {
    tx.remove::<Client>(id)?.ok_or(Refusal::ClientNotFound)?;
    let grants = tx.by(&GRANTS_BY_CLIENT, id, MOST_GRANTS)?;
    for grant in &grants {
        grant::end(tx, cx, *grant)?;
    }
    Ok(grants.len())
}
