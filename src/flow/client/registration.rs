//! Clients that register themselves, and what they may do with their registration:
//! [RFC 7591](https://www.rfc-editor.org/rfc/rfc7591),
//! [RFC 7592](https://www.rfc-editor.org/rfc/rfc7592).

use serde_json::{Map, Value, json};

use crate::error::{Error, Refusal};
use crate::flow::client::{last_use, operator, operator_decisions, retention};
use crate::flow::{Context, Rules};
use crate::oauth::client::jwks::JwkSet;
use crate::oauth::client::registration::ClientMetadata;
use crate::oauth::client::{
    AuthMethod, ClientType, GrantType, PkcePolicy, RefreshPolicy, SubjectType,
};
use crate::oauth::id::ClientId;
use crate::oauth::redirect_uri::RedirectUri;
use crate::secret::{MadeClientSecret, RegistrationToken, TokenHash};
use crate::store::schema::{Client, ClientProof, Origin};
use crate::store::{Tx, View};

/// A client as its registration is answered (RFC 7591 §3.2.1, RFC 7592 §3).
pub struct Registered {
    /// The client.
    pub client: Client,
    /// Its id.
    pub id: ClientId,
    /// Its secret, where one was made just now.
    pub secret: Option<MadeClientSecret>,
    /// With which it may come back to its registration.
    pub token: RegistrationToken,
}

/// The client that `metadata` means; its origin and its secret are the caller's to say.
pub fn settle(
    cx: &Context,
    metadata: &ClientMetadata,
    auth_method: AuthMethod,
    origin: Origin,
) -> Result<Client, Refusal> {
    let confidential = auth_method != AuthMethod::None;
    let sector = metadata.sector()?;
    Ok(Client {
        access_token_lifetime: None,
        anonymous: false,
        any_secret_method: false,
        application_type: metadata.application_type,
        auth_method,
        backchannel_logout_session_required: metadata.backchannel_logout_session_required,
        backchannel_logout_uri: metadata.backchannel_logout_uri.clone(),
        client_type: if confidential { ClientType::Confidential } else { ClientType::Public },
        confirmation_waived: false,
        created: cx.now,
        default_max_age: metadata.default_max_age,
        enabled: true,
        first_party: false,
        grant_types: metadata.grant_types.clone(),
        id_token_alg: metadata.id_token_alg,
        introspect_any: false,
        introspection_alg: metadata.introspection_alg,
        jwks: metadata.jwks.clone(),
        jwks_uri: metadata.jwks_uri.clone(),
        links: metadata.links.clone(),
        name: metadata.display_name()?,
        origin,
        pkce: PkcePolicy::Required,
        post_logout_redirect_uris: metadata.post_logout_redirect_uris.clone(),
        redirect_uris: metadata.redirect_uris.clone(),
        refresh: RefreshPolicy::Grace,
        require_pushed_authorization_requests: metadata.require_pushed_authorization_requests,
        resources: Vec::new(),
        revision: 1,
        scope: scope(&cx.rules, metadata),
        scope_decided: false,
        secret: None,
        sector,
        sector_identifier_uri: metadata.sector_identifier_uri.clone(),
        software_statement: metadata.software_statement.clone(),
        subject_type: metadata.subject_type,
        userinfo_alg: metadata.userinfo_alg,
    })
}

/// What a client that nobody registered by hand may ask for: open scopes alone. One that
/// refreshes may have `offline_access` whether or not it thought of asking.
fn scope(rules: &Rules, metadata: &ClientMetadata) -> crate::oauth::scope::Scope {
    let open = rules.config.open_scope();
    let Some(asked) = &metadata.scope else { return open };
    let mut scope = asked.intersect(&open);
    if metadata.grant_types.contains(&GrantType::RefreshToken)
        && let Ok(offline) = "offline_access".parse()
    {
        scope = scope.union(&open.intersect(&offline));
    }
    scope
}

/// Registers a client (RFC 7591 §3.2.1) for somebody in `network`.
pub fn register(
    tx: &mut Tx<'_>,
    cx: &Context,
    metadata: &ClientMetadata,
    network: &[u8],
) -> Result<Registered, Error> {
    let id: ClientId = format!("gl_{}", cx.seed.uuid("client").simple()).parse()?;
    let token: RegistrationToken = cx.seed.token();
    let mut client = described(cx, metadata)?;
    let fingerprint = fingerprint(cx, &client, network);
    retention::remove_alike(tx, cx, &fingerprint)?;
    client.origin = origin(cx, fingerprint, &token);
    let secret = give_secret(cx, &mut client, None);
    tx.put(&id, client.clone())?;
    Ok(Registered { client, id, secret, token })
}

/// The client that `metadata` means; its origin is the caller's to say.
fn described(cx: &Context, metadata: &ClientMetadata) -> Result<Client, Refusal> {
    let unnamed = metadata.auth_method.is_none();
    let auth_method = metadata.auth_method.unwrap_or(AuthMethod::ClientSecretBasic);
    let mut client = settle(cx, metadata, auth_method, Origin::Operator)?;
    client.any_secret_method = unnamed;
    Ok(client)
}

/// What a client is known by that registers anew at each start. It has other ports each time, and
/// nothing else. Who states the same from another network is another program.
fn fingerprint(cx: &Context, client: &Client, network: &[u8]) -> TokenHash {
    let lasting = |uris: &[RedirectUri]| -> Value {
        uris.iter().map(RedirectUri::lasting).collect::<Vec<String>>().into()
    };
    let mut told = stated(client);
    let post_logout = lasting(&client.post_logout_redirect_uris);
    told.insert("post_logout_redirect_uris".to_owned(), post_logout);
    told.insert("redirect_uris".to_owned(), lasting(&client.redirect_uris));
    let told = Value::Object(told).to_string();
    let network = crate::secret::hex(network);
    cx.rules.pepper.hash_parts("client metadata", format!("{network} {told}").as_bytes())
}

fn origin(cx: &Context, fingerprint: TokenHash, token: &RegistrationToken) -> Origin {
    let registration = cx.rules.pepper.hash(token);
    Origin::Dynamic { fingerprint, registration, unused: last_use::unused_deadline(cx) }
}

/// Makes a secret where the client's method needs one and it has none in `existing`.
fn give_secret(
    cx: &Context,
    client: &mut Client,
    existing: Option<ClientProof>,
) -> Option<MadeClientSecret> {
    if !client.auth_method.is_secret() {
        return None;
    }
    if existing.is_some() {
        client.secret = existing;
        return None;
    }
    let secret: MadeClientSecret = cx.seed.token();
    client.secret = Some(ClientProof::Made(cx.rules.pepper.hash(&secret)));
    Some(secret)
}

/// The client that `token` is the registration access token of.
///
/// RFC 7592 §2: an unknown client and a wrong token are alike, so that nobody learns which
/// clients there are.
pub fn managed(
    view: &impl View,
    rules: &Rules,
    id: &ClientId,
    token: &RegistrationToken,
) -> Result<Client, Error> {
    let hash = rules.pepper.hash(token);
    let client = view.find::<Client>(id)?;
    let own = client.filter(|client| match &client.origin {
        Origin::Dynamic { registration, .. } => registration.matches(&hash),
        Origin::Document { .. } | Origin::Hook { .. } | Origin::Operator => false,
    });
    own.ok_or(Refusal::RegistrationAccessTokenWrong.into())
}

/// What an update has to say beside the metadata (RFC 7592 §2.2).
#[derive(Clone)]
pub struct Update {
    /// Whose registration it is.
    pub id: ClientId,
    /// What it becomes.
    pub metadata: ClientMetadata,
    /// The secret that it names, if it names one.
    pub secret: Option<MadeClientSecret>,
    /// The proof that it may.
    pub token: RegistrationToken,
}

/// Replaces what a client registered (RFC 7592 §2.2): the values of the request "MUST replace, not
/// augment, the values previously associated with this client", and "Omitted fields MUST be treated
/// as null or empty values by the server". What the operator decided of it stays. It keeps its secret
/// unless it no longer needs one, and gets a new registration access token.
pub fn update(tx: &mut Tx<'_>, cx: &Context, update: &Update) -> Result<Registered, Error> {
    let old = managed(tx, &cx.rules, &update.id, &update.token)?;
    if let Some(named) = &update.secret {
        let named = cx.rules.pepper.hash(named);
        let same = match &old.secret {
            Some(ClientProof::Made(existing)) => existing.matches(&named),
            Some(ClientProof::Chosen(_)) | None => false,
        };
        if !same {
            return Err(Refusal::ClientUpdateMismatched.into());
        }
    }
    let Origin::Dynamic { fingerprint, .. } = &old.origin else {
        return Err(Refusal::RegistrationAccessTokenWrong.into());
    };
    let token: RegistrationToken = cx.seed.token();
    let mut client = described(cx, &update.metadata)?;
    client.origin = origin(cx, *fingerprint, &token);
    operator_decisions::carry_over(&mut client, &old);
    // One that sends back what it was told names a method that it never chose.
    client.any_secret_method |= old.any_secret_method && client.auth_method == old.auth_method;
    client.revision += 1;
    let secret = give_secret(cx, &mut client, old.secret);
    tx.put(&update.id, client.clone())?;
    Ok(Registered { client, id: update.id.clone(), secret, token })
}

/// Removes a client at its own wish (RFC 7592 §2.3): its id, its secret and its registration access
/// token are worth nothing from then on, and neither is any grant or token that it holds.
pub fn remove(
    tx: &mut Tx<'_>,
    cx: &Context,
    id: &ClientId,
    token: &RegistrationToken,
) -> Result<(), Error> {
    managed(tx, &cx.rules, id, token)?;
    operator::remove(tx, cx, id).map(drop)
}

fn texts(uris: &[RedirectUri]) -> Vec<&str> {
    uris.iter().map(RedirectUri::as_str).collect()
}

/// What a client is registered with, by the names of RFC 7591 §2.
pub fn stated(client: &Client) -> Map<String, Value> {
    let by_redirect = client.grant_types.contains(&GrantType::AuthorizationCode);
    let links = &client.links;
    let sector = client.sector.as_ref().filter(|_| client.subject_type == SubjectType::Pairwise);
    let stated = json!({
        "application_type": client.application_type,
        "backchannel_logout_session_required": client.backchannel_logout_session_required,
        "backchannel_logout_uri": client.backchannel_logout_uri,
        "client_name": client.name.as_str(),
        "client_uri": links.client_uri,
        "contacts": links.contacts,
        "default_max_age": client.default_max_age,
        "grant_types": client.grant_types,
        "id_token_signed_response_alg": client.id_token_alg,
        "introspection_signed_response_alg": client.introspection_alg,
        "jwks": client.jwks.as_ref().map(JwkSet::to_value),
        "jwks_uri": client.jwks_uri,
        "logo_uri": links.logo_uri,
        "policy_uri": links.policy_uri,
        "post_logout_redirect_uris": texts(&client.post_logout_redirect_uris),
        "redirect_uris": texts(&client.redirect_uris),
        "require_pushed_authorization_requests": client.require_pushed_authorization_requests,
        "response_types": if by_redirect { vec!["code"] } else { Vec::new() },
        "scope": client.scope,
        "sector": sector,
        "sector_identifier_uri": client.sector_identifier_uri,
        "software_id": links.software_id,
        // §3.2.1: "If a software statement was used as part of the registration, its value MUST be
        // returned unmodified in the response".
        "software_statement": client.software_statement,
        "software_version": links.software_version,
        "subject_type": client.subject_type,
        "token_endpoint_auth_method": client.auth_method,
        "tos_uri": links.tos_uri,
        "userinfo_signed_response_alg": client.userinfo_alg,
    });
    let Value::Object(mut members) = stated else { return Map::new() };
    let says = |value: &Value| match value {
        Value::Array(entries) => !entries.is_empty(),
        Value::Null => false,
        Value::Bool(_) | Value::Number(_) | Value::Object(_) | Value::String(_) => true,
    };
    members.retain(|_, value| says(value));
    members
}
