//! Clients, as the operator registers them. Names as in [RFC 7591 §2](https://www.rfc-editor.org/rfc/rfc7591#section-2).

use crate::error::{Error, Refusal};
use crate::flow::token::grant;
use crate::flow::{Context, resource};
use crate::oauth::client::jwks::JwkSet;
use crate::oauth::client::{
    ApplicationType, AuthMethod, ClientType, GrantType, PkcePolicy, RefreshPolicy, SigningAlg,
    SubjectType,
};
use crate::oauth::display_name::DisplayName;
use crate::oauth::id::ClientId;
use crate::oauth::redirect_uri::RedirectUri;
use crate::oauth::resource::Resource;
use crate::oauth::scope::{Scope, ScopeToken};
use crate::oauth::web_uri::WebUri;
use crate::secret::MadeClientSecret;
use crate::store::schema::{Client, ClientProof, GRANTS_BY_CLIENT, Links, Origin};
use crate::store::{Tx, View};

/// How long access tokens may last, in seconds: as in the configuration.
const LIFETIMES: std::ops::RangeInclusive<u32> = 60..=86_400;

/// A client as an operator describes it; what is left out has a default.
#[derive(Clone, Debug, Default)]
pub struct NewClient {
    /// How long its access tokens last, in seconds: as everywhere.
    pub access_token_lifetime: Option<u32>,
    /// Whether it may open anonymous sessions.
    pub anonymous: bool,
    /// Whether Basic and post both serve: where no method is named.
    pub any_secret_method: Option<bool>,
    /// `application_type`: web.
    pub application_type: Option<ApplicationType>,
    /// `token_endpoint_auth_method`: Basic for a confidential client, none for a public one.
    pub auth_method: Option<AuthMethod>,
    /// `backchannel_logout_session_required`.
    pub backchannel_logout_session_required: bool,
    /// `backchannel_logout_uri`.
    pub backchannel_logout_uri: Option<WebUri>,
    /// `client_id`: a random one.
    pub client_id: Option<ClientId>,
    /// Its type: confidential.
    pub client_type: Option<ClientType>,
    /// Whether a public client on loopback is answered without a visible confirmation.
    pub confirmation_waived: bool,
    /// `default_max_age`.
    pub default_max_age: Option<u32>,
    /// Whether it needs no consent.
    pub first_party: bool,
    /// `grant_types`: code and refresh where it has redirect URIs, else client credentials.
    pub grant_types: Option<Vec<GrantType>>,
    /// `id_token_signed_response_alg`: RS256.
    pub id_token_alg: Option<SigningAlg>,
    /// Whether it may introspect every token.
    pub introspect_any: bool,
    /// `introspection_signed_response_alg`: RS256 where a signed answer is asked for.
    pub introspection_alg: Option<SigningAlg>,
    /// `jwks`.
    pub jwks: Option<JwkSet>,
    /// `jwks_uri`.
    pub jwks_uri: Option<WebUri>,
    /// What it says of itself.
    pub links: Links,
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
    /// `require_pushed_authorization_requests`.
    pub require_pushed_authorization_requests: bool,
    /// The resources that it may ask tokens for; none: those that people grant it.
    pub resources: Vec<Resource>,
    /// `scope`: every open scope for a client that people sign in to, else none.
    pub scope: Option<Scope>,
    /// Whether that holds whatever the client comes to say of itself.
    pub scope_decided: bool,
    /// The Argon2id hash of a chosen `client_secret`, in PHC form: the server makes a secret.
    pub secret: Option<String>,
    /// The sector of a client with pairwise subjects.
    pub sector: Option<String>,
    /// `subject_type`: public.
    pub subject_type: Option<SubjectType>,
    /// `userinfo_signed_response_alg`: unsigned.
    pub userinfo_alg: Option<SigningAlg>,
}

/// Registers a client, and gives its secret, which is not kept.
pub fn add(
    tx: &mut Tx<'_>,
    cx: &Context,
    new: &NewClient,
) -> Result<(ClientId, Client, Option<MadeClientSecret>), Error> {
    let drawn = || -> Result<ClientId, Refusal> {
        let uuid = cx.seed.uuid("client").simple().to_string();
        format!("gl_{uuid}").parse()
    };
    let id = new.client_id.clone().map_or_else(drawn, Ok)?;
    if tx.find::<Client>(&id)?.is_some() {
        return Err(Refusal::ClientExists.into());
    }
    let mut client = settle(tx, cx, new)?;
    let (proof, secret) = secret(cx, &client, new.secret.as_ref());
    client.secret = proof;
    tx.put(&id, client.clone())?;
    Ok((id, client, secret))
}

/// What a client is to be known by, and the secret where this server made it.
fn secret(
    cx: &Context,
    client: &Client,
    chosen: Option<&String>,
) -> (Option<ClientProof>, Option<MadeClientSecret>) {
    match chosen {
        _ if !client.auth_method.is_secret() => (None, None),
        Some(phc) => (Some(ClientProof::Chosen(phc.clone())), None),
        None => {
            let made = cx.seed.token::<crate::secret::ClientSecretPurpose>();
            (Some(ClientProof::Made(cx.rules.pepper.hash(&made))), Some(made))
        }
    }
}

/// What an operator changes of a client.
pub struct Change {
    /// What it is from now on, if that changes at all.
    pub described: Option<NewClient>,
    /// Whether it may do anything.
    pub enabled: bool,
    /// The Argon2id hash of another chosen secret, in PHC form.
    pub secret: Option<String>,
}

/// Changes a client as `change` says once it sees it, and gives the secret that this server made
/// for it, where it came to need one.
///
/// What nobody describes stays: how it came to be known, what it says of itself, and its secret,
/// unless another is given or its method needs none. To switch it off or give it a secret asks
/// nothing of the rest, which a later configuration might refuse.
pub fn change(
    tx: &mut Tx<'_>,
    cx: &Context,
    id: &ClientId,
    change: impl Fn(&Client) -> Result<Change, Refusal>,
) -> Result<(Client, Option<MadeClientSecret>), Error> {
    let old = tx.find::<Client>(id)?.ok_or(Refusal::ClientNotFound)?;
    let change = change(&old)?;
    let settled = match &change.described {
        Some(new) => settle(tx, cx, new)?,
        None => old.clone(),
    };
    if change.secret.is_some() && !settled.auth_method.is_secret() {
        return Err(Refusal::ClientSecretUnfit.into());
    }
    let keeps = old.secret.is_some() && settled.auth_method.is_secret() && change.secret.is_none();
    let (proof, made) = if keeps {
        (old.secret.clone(), None)
    } else {
        secret(cx, &settled, change.secret.as_ref())
    };
    let mut client = Client {
        created: old.created,
        enabled: change.enabled,
        links: old.links.clone(),
        origin: old.origin.clone(),
        revision: old.revision,
        secret: proof,
        sector_identifier_uri: old.sector_identifier_uri.clone(),
        software_statement: old.software_statement.clone(),
        ..settled
    };
    // A new name refuses no request that is on the way.
    if !client.is_proven_like(&old) {
        client.revision += 1;
    }
    tx.put(id, client.clone())?;
    Ok((client, made))
}

/// Gives a client a new secret; the old one is worth nothing from then on.
pub fn rotate_secret(
    tx: &mut Tx<'_>,
    cx: &Context,
    id: &ClientId,
) -> Result<(Client, MadeClientSecret), Error> {
    let mut client = tx.find::<Client>(id)?.ok_or(Refusal::ClientNotFound)?;
    let (proof, made) = secret(cx, &client, None);
    let made = made.ok_or(Refusal::ClientMetadataContradictory)?;
    client.revision += 1;
    client.secret = proof;
    tx.put(id, client.clone())?;
    Ok((client, made))
}

/// The client that a registration means, if it does not contradict itself.
pub(in crate::flow) fn settle(
    view: &impl View,
    cx: &Context,
    new: &NewClient,
) -> Result<Client, Error> {
    let contradictory = Err(Refusal::ClientMetadataContradictory.into());
    let client_type = new.client_type.unwrap_or(match new.auth_method {
        Some(AuthMethod::None) => ClientType::Public,
        Some(
            AuthMethod::ClientSecretBasic
            | AuthMethod::ClientSecretPost
            | AuthMethod::PrivateKeyJwt,
        )
        | None => ClientType::Confidential,
    });
    let has_keys = new.jwks.is_some() || new.jwks_uri.is_some();
    let auth_method = new.auth_method.unwrap_or(match client_type {
        ClientType::Confidential if has_keys && new.secret.is_none() => AuthMethod::PrivateKeyJwt,
        ClientType::Confidential => AuthMethod::ClientSecretBasic,
        ClientType::Public => AuthMethod::None,
    });
    if (client_type == ClientType::Public) != (auth_method == AuthMethod::None) {
        return contradictory;
    }
    let mut grant_types = match &new.grant_types {
        Some(grant_types) => grant_types.clone(),
        None if new.redirect_uris.is_empty() => vec![GrantType::ClientCredentials],
        None => vec![GrantType::AuthorizationCode, GrantType::RefreshToken],
    };
    grant_types.sort();
    grant_types.dedup();
    let has = |grant| grant_types.contains(&grant);
    let by_redirect = has(GrantType::AuthorizationCode);
    let for_people = by_redirect || has(GrantType::DeviceCode);
    if by_redirect == new.redirect_uris.is_empty()
        || has(GrantType::RefreshToken) && !for_people
        || has(GrantType::ClientCredentials) && client_type == ClientType::Public
    {
        return contradictory;
    }
    for uri in new.redirect_uris.iter().chain(&new.post_logout_redirect_uris) {
        uri.check_scheme(&cx.rules.config.policy.private_use_schemes)?;
    }
    let scope = match &new.scope {
        Some(scope) if scope.within(&cx.rules.config.scope().union(&resource::known(view)?)) => {
            scope.clone()
        }
        Some(_) => return Err(Refusal::ScopeUnknown.into()),
        None if for_people => open_scope(cx),
        None => Scope::default(),
    };
    if new.secret.is_some() && !auth_method.is_secret() {
        return Err(Refusal::ClientSecretUnfit.into());
    }
    let keyed = auth_method == AuthMethod::PrivateKeyJwt;
    if keyed && (new.jwks.is_some() == new.jwks_uri.is_some()) {
        return contradictory;
    }
    if new.access_token_lifetime.is_some_and(|seconds| !LIFETIMES.contains(&seconds)) {
        return Err(Refusal::AccessTokenLifetimeUnfit.into());
    }
    let subject_type = new.subject_type.unwrap_or(SubjectType::Public);
    if (subject_type == SubjectType::Pairwise) != new.sector.is_some() {
        return contradictory;
    }
    Ok(Client {
        access_token_lifetime: new.access_token_lifetime,
        anonymous: new.anonymous,
        // Widely used libraries send the secret in the body where nothing tells them otherwise.
        any_secret_method: new.any_secret_method.unwrap_or(new.auth_method.is_none())
            && auth_method.is_secret(),
        application_type: new.application_type.unwrap_or(ApplicationType::Web),
        auth_method,
        backchannel_logout_session_required: new.backchannel_logout_session_required,
        backchannel_logout_uri: new.backchannel_logout_uri.clone(),
        client_type,
        confirmation_waived: new.confirmation_waived,
        created: cx.now,
        default_max_age: new.default_max_age,
        enabled: true,
        first_party: new.first_party,
        grant_types,
        id_token_alg: new.id_token_alg.unwrap_or(SigningAlg::Rs256),
        introspect_any: new.introspect_any,
        introspection_alg: new.introspection_alg,
        jwks: new.jwks.clone(),
        jwks_uri: new.jwks_uri.clone(),
        links: new.links.clone(),
        name: new.name.clone().ok_or(Refusal::NameMalformed)?,
        origin: Origin::Operator,
        pkce: new.pkce.unwrap_or(PkcePolicy::Required),
        post_logout_redirect_uris: new.post_logout_redirect_uris.clone(),
        redirect_uris: new.redirect_uris.clone(),
        refresh: new.refresh.unwrap_or(RefreshPolicy::Grace),
        require_pushed_authorization_requests: new.require_pushed_authorization_requests,
        resources: new.resources.clone(),
        revision: 1,
        scope,
        scope_decided: new.scope_decided,
        secret: None,
        sector: new.sector.clone(),
        sector_identifier_uri: None,
        software_statement: None,
        subject_type,
        userinfo_alg: new.userinfo_alg,
    })
}

fn open_scope(cx: &Context) -> Scope {
    let open = cx.rules.config.scopes.iter().filter(|(_, entry)| entry.open);
    open.map(|(token, _): (&ScopeToken, _)| token.clone()).collect()
}

/// The most grants that a removal ends in its own transaction; a removed client ends the rest,
/// since a grant whose client is gone is not in force.
const MAX_GRANTS: usize = 500;

/// Removes a client and ends every grant under it. Gives their number, as far as it was counted.
pub fn remove(tx: &mut Tx<'_>, cx: &Context, id: &ClientId) -> Result<usize, Error> {
    tx.remove::<Client>(id)?.ok_or(Refusal::ClientNotFound)?;
    let grants = tx.by(&GRANTS_BY_CLIENT, id, MAX_GRANTS)?;
    for grant in &grants {
        grant::end(tx, cx, *grant)?;
    }
    Ok(grants.len())
}
