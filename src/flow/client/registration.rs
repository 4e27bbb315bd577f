//! Dynamic client registration and its management: [RFC
//! 7591](https://www.rfc-editor.org/rfc/rfc7591),
//! [RFC 7592](https://www.rfc-editor.org/rfc/rfc7592).

use std::net::IpAddr;
use std::sync::Arc;

use serde_json::{Map, Value, json};

use crate::error::{Error, Refusal};
use crate::event::Kind;
use crate::flow::client::{last_use, operator, retention};
use crate::flow::events::{self, Act};
use crate::flow::installation::clock;
use crate::flow::throttle::{self, Source};
use crate::flow::{Context, Rules, admission};
use crate::model::network::Network;
use crate::oauth::client::metadata::ClientMetadata;
use crate::oauth::client::{AuthMethod, GrantType};
use crate::oauth::id::ClientId;
use crate::oauth::redirect_uri::RedirectUri;
use crate::oauth::scope::Scope;
use crate::secret::{MadeClientSecret, RegistrationToken, TokenHash};
use crate::store::schema::{Client, ClientProof, Origin};
use crate::store::{Holding, Rank, Tx, View};

/// The response to a registration (RFC 7591 §3.2.1, RFC 7592 §3).
pub struct Registered {
    /// The client.
    pub client: Client,
    /// Its id.
    pub id: ClientId,
    /// Its secret, if one was just made.
    pub secret: Option<MadeClientSecret>,
    /// Its registration access token.
    pub token: RegistrationToken,
}

/// The metadata to register for what a client states: only scopes that it may have, and a valid
/// sector if its subjects are pairwise.
pub fn registered(rules: &Rules, stated: &ClientMetadata) -> Result<ClientMetadata, Refusal> {
    stated.sector()?;
    Ok(ClientMetadata { scope: Some(scope(rules, stated)), ..stated.clone() })
}

/// The open scopes among those that a client states, or all open scopes if it states none of them. A
/// client that may refresh also gets `offline_access`.
fn scope(rules: &Rules, metadata: &ClientMetadata) -> Scope {
    let open = rules.config.open_scope();
    let asked = metadata.scope.as_ref().map(|asked| asked.intersect(&open));
    let Some(mut scope) = asked.filter(|asked| !asked.is_empty()) else { return open };
    if metadata.has_grant_type(GrantType::RefreshToken)
        && let Ok(offline) = "offline_access".parse()
    {
        scope = scope.union(&open.intersect(&offline));
    }
    scope
}

/// Registers a client (RFC 7591 §3.2.1) at the request of `address`, whose network may register so
/// many in a minute.
pub fn register(
    tx: &mut Tx<'_>,
    cx: &Context,
    metadata: &ClientMetadata,
    address: IpAddr,
) -> Result<Registered, Error> {
    let network = Network::of(address);
    let limit = cx.rules.config.registration.per_minute;
    throttle::consume(tx, cx, "registrations", &Source::Network(network), limit)?;
    let id: ClientId = format!("gl_{}", cx.seed.uuid("client").simple()).parse()?;
    let token: RegistrationToken = cx.seed.token();
    let metadata = registered(&cx.rules, metadata)?;
    let fingerprint = fingerprint(cx, &metadata, network.prefix());
    retention::remove_alike(tx, cx, &fingerprint)?;
    let holding = Holding::strangers(network, Rank::Plain);
    let mut client =
        Client::new(clock::milestone(tx, cx)?, origin(cx, fingerprint, holding, &token), metadata);
    let secret = give_secret(cx, &mut client);
    admission::store(tx, cx, &id, client.clone())?;
    let act = Act::new(Kind::ClientRegistered).by_client(&id).named(client.metadata.name());
    events::record(tx, cx, act)?;
    Ok(Registered { client, id, secret, token })
}

/// The fingerprint by which a client that registers at each start is recognised. It ignores the
/// ports of redirect URIs, which differ each time. It includes the network: the same metadata from
/// another network is another program.
fn fingerprint(cx: &Context, metadata: &ClientMetadata, network: &[u8]) -> TokenHash {
    let lasting = |uris: &[RedirectUri]| -> Value {
        uris.iter().map(RedirectUri::lasting).collect::<Vec<String>>().into()
    };
    let mut members = described(metadata);
    let post_logout = lasting(&metadata.post_logout_redirect_uris);
    members.insert("post_logout_redirect_uris".to_owned(), post_logout);
    members.insert("redirect_uris".to_owned(), lasting(&metadata.redirect_uris));
    let members = Value::Object(members).to_string();
    let network = crate::secret::hex(network);
    cx.rules.pepper.mark("client metadata", format!("{network} {members}").as_bytes())
}

fn origin(
    cx: &Context,
    fingerprint: TokenHash,
    holding: Holding,
    token: &RegistrationToken,
) -> Origin {
    let registration = cx.rules.pepper.hash(token);
    Origin::Dynamic { fingerprint, holding, registration, unused: last_use::unused_deadline(cx) }
}

/// Makes a secret if the client's method needs one and the client has none.
fn give_secret(cx: &Context, client: &mut Client) -> Option<MadeClientSecret> {
    if !client.metadata.auth_method().is_secret() {
        client.proof = None;
        return None;
    }
    if client.proof.is_some() {
        return None;
    }
    let secret: MadeClientSecret = cx.seed.token();
    client.proof = Some(ClientProof::Made(cx.rules.pepper.hash(&secret)));
    Some(secret)
}

/// The client `id`, if `token` is its registration access token.
///
/// RFC 7592 §2: an unknown client and a wrong token get the same refusal, so that the response does
/// not reveal which clients exist.
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
        Origin::Document { .. } | Origin::Hook | Origin::Operator => false,
    });
    own.ok_or(Refusal::RegistrationAccessTokenWrong.into())
}

/// The hash of a registration access token that [`managed`] has taken, if it is stored under an earlier
/// root secret.
pub fn token_anew(rules: &Rules, client: &Client, token: &RegistrationToken) -> Option<TokenHash> {
    match &client.origin {
        Origin::Dynamic { registration, .. } => registration.anew(&rules.pepper.hash(token)),
        Origin::Document { .. } | Origin::Hook | Origin::Operator => None,
    }
}

/// A client update request (RFC 7592 §2.2).
#[derive(Clone)]
pub struct Update {
    /// The id of the client.
    pub id: ClientId,
    /// The new metadata.
    pub metadata: ClientMetadata,
    /// The present secret, if the request names it.
    pub secret: Option<MadeClientSecret>,
    /// The registration access token.
    pub token: RegistrationToken,
}

/// Replaces the metadata of a client (RFC 7592 §2.2): the values of the request "MUST replace, not
/// augment, the values previously associated with this client", and "Omitted fields MUST be treated
/// as null or empty values by the server". The operator's decisions stay. The client keeps its
/// secret unless it no longer needs one, and gets a new registration access token.
pub fn update(tx: &mut Tx<'_>, cx: &Context, update: &Update) -> Result<Registered, Error> {
    let old = managed(tx, &cx.rules, &update.id, &update.token)?;
    if let Some(named) = &update.secret {
        let named = cx.rules.pepper.hash(named);
        let same = match &old.proof {
            Some(ClientProof::Made(existing)) => existing.matches(&named),
            Some(ClientProof::Chosen(_) | ClientProof::Devices) | None => false,
        };
        if !same {
            return Err(Refusal::ClientUpdateMismatched.into());
        }
    }
    let Origin::Dynamic { fingerprint, holding, .. } = &old.origin else {
        return Err(Refusal::RegistrationAccessTokenWrong.into());
    };
    let token: RegistrationToken = cx.seed.token();
    let mut metadata = registered(&cx.rules, &update.metadata)?;
    // A client that sends back its registration response names the method that the response stated,
    // not one that it chose.
    if old.metadata.any_secret_method() && metadata.auth_method() == AuthMethod::ClientSecretBasic {
        metadata.token_endpoint_auth_method = None;
    }
    let origin = origin(cx, *fingerprint, *holding, &token);
    let revision = old.revision + 1;
    let mut client = Client { metadata: Arc::new(metadata), origin, revision, ..old };
    let secret = give_secret(cx, &mut client);
    admission::store(tx, cx, &update.id, client.clone())?;
    let act = Act::new(Kind::ClientChanged).by_client(&update.id).named(client.metadata.name());
    events::record(tx, cx, act)?;
    Ok(Registered { client, id: update.id.clone(), secret, token })
}

/// Removes a client at its own request (RFC 7592 §2.3). Its id, secret, registration access token,
/// grants and tokens are invalid at once.
pub fn remove(
    tx: &mut Tx<'_>,
    cx: &Context,
    id: &ClientId,
    token: &RegistrationToken,
) -> Result<(), Error> {
    managed(tx, &cx.rules, id, token)?;
    operator::remove(tx, cx, id).map(drop)
}

/// The metadata of a registration response (RFC 7591 §3.2.1): without empty lists, and with the
/// `response_types` that follow from the grant types.
pub fn described(metadata: &ClientMetadata) -> Map<String, Value> {
    let Ok(Value::Object(mut members)) = serde_json::to_value(metadata) else { return Map::new() };
    if metadata.has_grant_type(GrantType::AuthorizationCode) {
        members.insert("response_types".to_owned(), json!(["code"]));
    }
    members.retain(|_, value| !value.as_array().is_some_and(Vec::is_empty));
    members
}
