//! Clients that register themselves, and what they may do with their registration:
//! [RFC 7591](https://www.rfc-editor.org/rfc/rfc7591),
//! [RFC 7592](https://www.rfc-editor.org/rfc/rfc7592).

use serde_json::{Map, Value, json};

use crate::error::{Error, Refusal};
use crate::flow::client::{last_use, operator, retention};
use crate::flow::{Context, Rules};
use crate::oauth::client::metadata::ClientMetadata;
use crate::oauth::client::{AuthMethod, GrantType};
use crate::oauth::id::ClientId;
use crate::oauth::redirect_uri::RedirectUri;
use crate::oauth::scope::Scope;
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

/// The metadata that is registered of what a client states: without scopes that it may not have,
/// and with a sector if its subjects are pairwise.
pub fn registered(rules: &Rules, stated: &ClientMetadata) -> Result<ClientMetadata, Refusal> {
    stated.sector()?;
    Ok(ClientMetadata { scope: Some(scope(rules, stated)), ..stated.clone() })
}

/// The open scopes among those that a client states, or all of them. A client that refreshes may
/// have `offline_access` without asking for it.
fn scope(rules: &Rules, metadata: &ClientMetadata) -> Scope {
    let open = rules.config.open_scope();
    let Some(asked) = &metadata.scope else { return open };
    let mut scope = asked.intersect(&open);
    if metadata.has_grant_type(GrantType::RefreshToken)
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
    let metadata = registered(&cx.rules, metadata)?;
    let fingerprint = fingerprint(cx, &metadata, network);
    retention::remove_alike(tx, cx, &fingerprint)?;
    let mut client = Client::new(cx.now, origin(cx, fingerprint, &token), metadata);
    let secret = give_secret(cx, &mut client);
    tx.put(&id, client.clone())?;
    Ok(Registered { client, id, secret, token })
}

/// The fingerprint of a client that registers again at each start. It has other ports each time,
/// and nothing else. The same metadata from another network is another program.
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
    cx.rules.pepper.hash_parts("client metadata", format!("{network} {members}").as_bytes())
}

fn origin(cx: &Context, fingerprint: TokenHash, token: &RegistrationToken) -> Origin {
    let registration = cx.rules.pepper.hash(token);
    Origin::Dynamic { fingerprint, registration, unused: last_use::unused_deadline(cx) }
}

/// Makes a secret if the client's method needs one and it has none.
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
        Origin::Document { .. } | Origin::Hook | Origin::Operator => false,
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
        let same = match &old.proof {
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
    let mut metadata = registered(&cx.rules, &update.metadata)?;
    // A client that sends back its registration names a method that it never chose.
    if old.metadata.any_secret_method() && metadata.auth_method() == AuthMethod::ClientSecretBasic {
        metadata.token_endpoint_auth_method = None;
    }
    let origin = origin(cx, *fingerprint, &token);
    let revision = old.revision + 1;
    let mut client = Client { metadata, origin, revision, ..old };
    let secret = give_secret(cx, &mut client);
    tx.put(&update.id, client.clone())?;
    Ok(Registered { client, id: update.id.clone(), secret, token })
}

/// Removes a client at its own wish (RFC 7592 §2.3): its id, its secret and its registration access
/// token are invalid from then on, and so is every grant or token that it holds.
pub fn remove(
    tx: &mut Tx<'_>,
    cx: &Context,
    id: &ClientId,
    token: &RegistrationToken,
) -> Result<(), Error> {
    managed(tx, &cx.rules, id, token)?;
    operator::remove(tx, cx, id).map(drop)
}

/// Metadata as registration returns it (RFC 7591 §3.2.1): without empty lists, and with the
/// `response_types` that follow from the grants.
pub fn described(metadata: &ClientMetadata) -> Map<String, Value> {
    let Ok(Value::Object(mut members)) = serde_json::to_value(metadata) else { return Map::new() };
    if metadata.has_grant_type(GrantType::AuthorizationCode) {
        members.insert("response_types".to_owned(), json!(["code"]));
    }
    members.retain(|_, value| !value.as_array().is_some_and(Vec::is_empty));
    members
}
