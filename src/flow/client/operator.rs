//! The operator's transitions on clients: register, change, rotate the secret, remove.
//!
//! The operator's API is a JSON object whose members are those of [`ClientMetadata`] and of
//! [`OperatorDecisions`], with `name` for `client_name`. A change is a JSON Merge Patch (RFC 7396):
//! it sets the members that it names, and only rules that involve those are checked. An old value
//! that a later configuration refuses does therefore not prevent another change.

use std::sync::Arc;

use serde_json::{Map, Value};

use crate::error::{Error, Refusal};
use crate::event::Kind;
use crate::flow::client::lists::ListChanges;
use crate::flow::client::logo::{self, LogoChange};
use crate::flow::client::recorded;
use crate::flow::events::{self, Act};
use crate::flow::installation::clock;
use crate::flow::person::made::{self, Maker};
use crate::flow::{Context, removal, resource, rights};
use crate::oauth::client::decisions::OperatorDecisions;
use crate::oauth::client::member::Member;
use crate::oauth::client::metadata::ClientMetadata;
use crate::oauth::client::{
    AssertionProfile, AuthMethod, ClientType, GrantType, PkcePolicy, SubjectType,
};
use crate::oauth::id::ClientId;
use crate::oauth::scope::Scope;
use crate::secret::MadeClientSecret;
use crate::store::schema::{
    CLIENTS_WITHOUT_PKCE, Client, ClientLogo, ClientProof, GRANTS_BY_CLIENT, Origin, Subject,
};
use crate::store::{StoreError, Tx, View};

/// The allowed lifetimes of access tokens, in seconds, as in the configuration.
const LIFETIMES: std::ops::RangeInclusive<u32> = 60..=86_400;

/// The members of the metadata that the operator cannot set: `client_name` has another name in this
/// API, and a sector identifier or a software statement needs a check that only registration makes.
pub(crate) const NOT_OPERATORS: [&str; 3] =
    ["client_name", "sector_identifier_uri", "software_statement"];

const UNKNOWN_MEMBER: Refusal =
    Refusal::MemberMalformed("a member", "it is none that an operator sets of a client");

const TYPE_UNFIT: Refusal = Refusal::ClientMetadataContradictory(
    "client_type and token_endpoint_auth_method are not those of one kind",
);

/// The members that the API returns and a patch cannot change.
const READ_ONLY: [&str; 3] = ["client_id", "created", "origin"];

/// The members of a client that an operator can set, beside its id, its secret and whether it is
/// enabled.
pub fn members() -> impl Iterator<Item = &'static str> {
    let described = ClientMetadata::MEMBERS.iter().filter(|name| !NOT_OPERATORS.contains(*name));
    // Both have a scope.
    let decided = OperatorDecisions::MEMBERS.iter().filter(|name| **name != "scope");
    described.chain(decided).copied().chain(["client_type", "name"])
}

/// A client as an operator describes it. Absent members of the metadata get the default of the
/// client's kind.
#[derive(Clone, Debug, Default)]
pub struct NewClient {
    /// Its id; a random one by default.
    pub client_id: Option<ClientId>,
    /// Its type; by default that of its authentication method, or confidential.
    pub client_type: Option<ClientType>,
    /// The operator's decisions.
    pub decisions: OperatorDecisions,
    /// Its logo.
    pub logo: LogoChange,
    /// Its metadata.
    pub metadata: ClientMetadata,
    /// The Argon2id hash of a chosen secret, in PHC form. If `None`, the server makes a secret.
    pub secret: Option<String>,
}

impl NewClient {
    /// The client that `members` describe, without its secret, which is hashed first.
    pub fn from_members(members: &Map<String, Value>) -> Result<Self, Refusal> {
        let mut new = Self::default();
        for (name, value) in members {
            match name.as_str() {
                "client_id" => {
                    new.client_id = text("client_id", value)?.map(ClientId::chosen).transpose()?;
                }
                "client_type" => new.client_type = client_type(value)?,
                _ => assign(&mut new.metadata, &mut new.decisions, name, value)?,
            }
        }
        if new.metadata.client_name.is_none() {
            return Err(Refusal::MemberMalformed("name", "it is missing"));
        }
        Ok(new)
    }
}

fn text<'a>(member: &'static str, value: &'a Value) -> Result<Option<&'a str>, Refusal> {
    match value {
        Value::Null => Ok(None),
        Value::String(text) => Ok(Some(text)),
        Value::Array(_) | Value::Bool(_) | Value::Number(_) | Value::Object(_) => {
            Err(Refusal::MemberMalformed(member, "a string is expected"))
        }
    }
}

fn client_type(value: &Value) -> Result<Option<ClientType>, Refusal> {
    if value.is_null() {
        return Ok(None);
    }
    ClientType::read(value).map(Some).map_err(|invalid| invalid.to_operator("client_type"))
}

/// Sets one member of a client that the operator registers.
fn assign(
    metadata: &mut ClientMetadata,
    decisions: &mut OperatorDecisions,
    name: &str,
    value: &Value,
) -> Result<(), Refusal> {
    let set = match name {
        "name" if value.is_null() => {
            return Err(Refusal::MemberMalformed("name", "a client needs one"));
        }
        "name" => metadata.set("client_name", value),
        _ if NOT_OPERATORS.contains(&name) => return Err(UNKNOWN_MEMBER),
        _ => match metadata.set(name, value) {
            Ok(false) => decisions.set(name, value),
            set => set,
        },
    };
    let member = ClientMetadata::member(name).or_else(|| OperatorDecisions::member(name));
    let known = set.map_err(|invalid| invalid.to_operator(member.unwrap_or("name")))?;
    // An empty list counts as absent.
    if name == "grant_types" && metadata.grant_types.as_ref().is_some_and(Vec::is_empty) {
        metadata.grant_types = None;
    }
    if known { Ok(()) } else { Err(UNKNOWN_MEMBER) }
}

/// Registers a client. Returns its secret, of which only a hash is stored, if this server made one.
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
    let mut metadata = new.metadata.clone();
    let client_type = new.client_type.unwrap_or(match metadata.token_endpoint_auth_method {
        Some(AuthMethod::None) => ClientType::Public,
        Some(
            AuthMethod::ClientSecretBasic
            | AuthMethod::ClientSecretPost
            | AuthMethod::PrivateKeyJwt,
        )
        | None => ClientType::Confidential,
    });
    if metadata.token_endpoint_auth_method.is_none() {
        let has_secret = new.secret.is_some();
        metadata.token_endpoint_auth_method =
            default_auth_method(client_type, &metadata, has_secret);
    }
    complete(cx, &mut metadata);
    let mut client = Client::new(clock::milestone(tx, cx)?, Origin::Operator, metadata);
    client.decisions = Arc::new(new.decisions.clone());
    if client.metadata.client_type() != client_type {
        return Err(TYPE_UNFIT.into());
    }
    check(tx, cx, &client, &|_| true)?;
    rights::check_client(tx, cx, &client)?;
    if new.secret.is_some() && !client.metadata.auth_method().is_secret() {
        return Err(Refusal::ClientSecretUnfit.into());
    }
    let (proof, secret) = secret(cx, &client, new.secret.as_ref());
    client.proof = proof;
    tx.put(&id, client.clone())?;
    logo::change(tx, &id, &client, &new.logo)?;
    events::record(tx, cx, recorded::added(&id, &client))?;
    Ok((id, client, secret))
}

/// The default authentication method of a client; `None` if it may send its secret in either way.
fn default_auth_method(
    client_type: ClientType,
    metadata: &ClientMetadata,
    has_secret: bool,
) -> Option<AuthMethod> {
    let has_keys = metadata.jwks.is_some() || metadata.jwks_uri.is_some();
    match client_type {
        ClientType::Confidential if has_keys && !has_secret => Some(AuthMethod::PrivateKeyJwt),
        ClientType::Confidential => None,
        ClientType::Public => Some(AuthMethod::None),
    }
}

/// Gives the absent members the default of the client's kind. Grant types: code and refresh if it
/// has redirect URIs, otherwise client credentials. Scope: every open scope if people sign in to
/// it, otherwise none.
fn complete(cx: &Context, metadata: &mut ClientMetadata) {
    let mut grant_types = metadata.grant_types.take().unwrap_or_else(|| {
        if metadata.redirect_uris.is_empty() {
            vec![GrantType::ClientCredentials]
        } else {
            vec![GrantType::AuthorizationCode, GrantType::RefreshToken]
        }
    });
    grant_types.sort_unstable();
    grant_types.dedup();
    metadata.grant_types = Some(grant_types);
    if metadata.scope.is_none() {
        let open = metadata.acts_for_people().then(|| cx.rules.config.open_scope());
        metadata.scope = Some(open.unwrap_or_default());
    }
}

/// Checks the rules that involve a named member. `names` tells whether one of some members is
/// named.
pub(in crate::flow) fn check(
    view: &impl View,
    cx: &Context,
    client: &Client,
    names: &dyn Fn(&[&str]) -> bool,
) -> Result<(), Error> {
    let (metadata, decisions) = (&client.metadata, &client.decisions);
    let has = |grant| metadata.has_grant_type(grant);
    let confidential = metadata.client_type() == ClientType::Confidential;
    if names(&["grant_types", "redirect_uris"])
        && has(GrantType::AuthorizationCode) == metadata.redirect_uris.is_empty()
    {
        return Err(contradictory("authorization_code and redirect_uris need each other").into());
    }
    if names(&["grant_types", "redirect_uris"])
        && has(GrantType::RefreshToken)
        && !metadata.acts_for_people()
    {
        return Err(contradictory("refresh_token is for clients that sign people in").into());
    }
    if names(&["client_type", "grant_types", "token_endpoint_auth_method"])
        && has(GrantType::ClientCredentials)
        && !confidential
    {
        return Err(contradictory("client_credentials is for confidential clients").into());
    }
    for (name, uris) in [
        ("redirect_uris", &metadata.redirect_uris),
        ("post_logout_redirect_uris", &metadata.post_logout_redirect_uris),
    ] {
        for uri in uris.iter().filter(|_| names(&[name])) {
            uri.check_scheme(&cx.rules.config.policy.private_use_schemes)?;
        }
    }
    if names(&["scope"]) {
        check_scope(view, cx, client)?;
    }
    if names(&["jwks", "jwks_uri", "token_endpoint_auth_method"])
        && metadata.auth_method() == AuthMethod::PrivateKeyJwt
        && metadata.jwks.is_some() == metadata.jwks_uri.is_some()
    {
        return Err(contradictory("private_key_jwt needs one of jwks and jwks_uri").into());
    }
    if names(&["client_type", "pkce", "token_endpoint_auth_method"])
        && decisions.pkce == Some(PkcePolicy::Optional)
        && !(confidential && client.origin == Origin::Operator)
    {
        return Err(Refusal::PkceOptionalUnfit.into());
    }
    if names(&["assertions"])
        && decisions.assertions == AssertionProfile::Rfc7523
        && client.origin != Origin::Operator
    {
        return Err(Refusal::AssertionsUnfit.into());
    }
    if names(&["access_token_lifetime"])
        && decisions.access_token_lifetime.is_some_and(|seconds| !LIFETIMES.contains(&seconds))
    {
        return Err(Refusal::AccessTokenLifetimeUnfit.into());
    }
    if names(&["sector", "subject_type"])
        && (metadata.subject_type == SubjectType::Pairwise) != decisions.sector.is_some()
    {
        return Err(contradictory("pairwise subjects and a sector need each other").into());
    }
    Ok(())
}

const fn contradictory(why: &'static str) -> Refusal {
    Refusal::ClientMetadataContradictory(why)
}

/// Checks that the configuration or a resource knows every scope. A client that describes itself
/// may also have the scopes of its own metadata: only a hook client has the hook scopes.
fn check_scope(view: &impl View, cx: &Context, client: &Client) -> Result<(), Error> {
    let own = match client.origin {
        Origin::Document { .. } | Origin::Dynamic { .. } | Origin::Hook => {
            client.metadata.scope.as_ref()
        }
        Origin::Operator => None,
    };
    let known = cx.rules.config.scope().union(&resource::known(view)?);
    let known = known.union(own.unwrap_or(&Scope::EMPTY));
    resource::check_known(client.scope(), &known)
}

/// The stored proof of a client's secret, and the secret if this server made it.
fn secret(
    cx: &Context,
    client: &Client,
    chosen: Option<&String>,
) -> (Option<ClientProof>, Option<MadeClientSecret>) {
    match chosen {
        _ if !client.metadata.auth_method().is_secret() => (None, None),
        Some(phc) => (Some(ClientProof::Chosen(phc.clone())), None),
        None => {
            let made = cx.seed.token::<crate::secret::ClientSecretPurpose>();
            (Some(ClientProof::Made(cx.rules.pepper.hash(&made))), Some(made))
        }
    }
}

/// An operator's change to a client.
#[derive(Clone, Debug, Default)]
pub struct Change {
    /// Whether it is enabled; `None` keeps the present value.
    pub enabled: Option<bool>,
    /// What is added to its lists and taken away from them.
    pub lists: ListChanges,
    /// What becomes of its logo.
    pub logo: LogoChange,
    /// The members of the patch; null resets a member to its default.
    pub members: Map<String, Value>,
    /// The Argon2id hash of a new chosen secret, in PHC form.
    pub secret: Option<String>,
}

/// Applies a change to a client. To disable it ends the links and invitations that it made. The client keeps its secret unless the change brings another or
/// its new method needs none. Returns the secret that this server makes if the new method needs one
/// and the client has none.
pub fn change(
    tx: &mut Tx<'_>,
    cx: &Context,
    id: &ClientId,
    change: &Change,
) -> Result<(Client, Option<MadeClientSecret>), Error> {
    let old = tx.find::<Client>(id)?.ok_or(Refusal::ClientNotFound)?;
    rights::check_client(tx, cx, &old)?;
    let mut client = old.clone();
    let members = change.lists.applied(&old, &change.members)?;
    patch(cx, &mut client, &members)?;
    let named = |names: &[&str]| names.iter().any(|name| members.contains_key(*name));
    check(tx, cx, &client, &named)?;
    rights::check_client(tx, cx, &client)?;
    client.enabled = change.enabled.unwrap_or(old.enabled);
    let by_secret = client.metadata.auth_method().is_secret();
    if change.secret.is_some() && !by_secret {
        return Err(Refusal::ClientSecretUnfit.into());
    }
    if change.secret.is_some() && old.proof == Some(ClientProof::Devices) {
        return Err(Refusal::HookSecretOfDevices.into());
    }
    let mut made = None;
    if change.secret.is_some() || by_secret != old.proof.is_some() {
        (client.proof, made) = secret(cx, &client, change.secret.as_ref());
    }
    // A proof of the client stays valid if only a name or a scope changes.
    if !client.is_authenticated_like(&old) {
        client.revision += 1;
    }
    if client != old {
        tx.put(id, client.clone())?;
    }
    if old.enabled && !client.enabled {
        made::end(tx, cx, Maker::Client(id))?;
    }
    let is_redrawn = logo::change(tx, id, &client, &change.logo)?;
    if let Some(act) = recorded::changed(&old, &client, is_redrawn) {
        events::record(tx, cx, act.client(id).named(client.metadata.name()))?;
    }
    Ok((client, made))
}

/// Applies the members of a merge patch.
fn patch(cx: &Context, client: &mut Client, members: &Map<String, Value>) -> Result<(), Refusal> {
    match client.origin {
        Origin::Document { .. } | Origin::Dynamic { .. } | Origin::Hook => {
            decide(client.decisions_mut(), members)
        }
        Origin::Operator => describe(cx, client, members),
    }
}

/// Applies a patch to a client that describes itself. It may name only the operator's decisions:
/// any other member would last only until the client describes itself again.
fn decide(decisions: &mut OperatorDecisions, members: &Map<String, Value>) -> Result<(), Refusal> {
    for (name, value) in members {
        let member = OperatorDecisions::member(name).unwrap_or("name");
        let mut set = || decisions.set(name, value).map_err(|invalid| invalid.to_operator(member));
        let own = name != "sector" && set()?;
        if !own {
            return Err(Refusal::ClientDescribesItself);
        }
    }
    Ok(())
}

/// Applies a patch to a client that the operator registered.
fn describe(
    cx: &Context,
    client: &mut Client,
    members: &Map<String, Value>,
) -> Result<(), Refusal> {
    let metadata = Arc::make_mut(&mut client.metadata);
    let decisions = Arc::make_mut(&mut client.decisions);
    let mut wanted = Some(metadata.client_type());
    for (name, value) in members {
        match name.as_str() {
            "client_type" => wanted = client_type(value)?,
            name if READ_ONLY.contains(&name) && value.is_null() => {}
            name => assign(metadata, decisions, name, value)?,
        }
    }
    if members.get("token_endpoint_auth_method").is_some_and(Value::is_null) {
        let client_type = wanted.unwrap_or(ClientType::Confidential);
        metadata.token_endpoint_auth_method = default_auth_method(client_type, metadata, false);
    }
    complete(cx, metadata);
    // The type follows from the method, so a patch that changes the type has to name both.
    if wanted.is_some_and(|wanted| wanted != metadata.client_type()) {
        return Err(TYPE_UNFIT);
    }
    Ok(())
}

/// Gives a client a new secret. The old one is invalid at once.
pub fn rotate_secret(
    tx: &mut Tx<'_>,
    cx: &Context,
    id: &ClientId,
) -> Result<(Client, MadeClientSecret), Error> {
    let mut client = tx.find::<Client>(id)?.ok_or(Refusal::ClientNotFound)?;
    rights::check_client(tx, cx, &client)?;
    if client.proof == Some(ClientProof::Devices) {
        return Err(Refusal::HookSecretOfDevices.into());
    }
    let (proof, made) = secret(cx, &client, None);
    let made = made.ok_or(contradictory("it proves itself by no secret"))?;
    client.revision += 1;
    client.proof = proof;
    tx.put(id, client.clone())?;
    let act = Act::new(Kind::ClientSecretRotated).client(id).named(client.metadata.name());
    events::record(tx, cx, act)?;
    Ok((client, made))
}

/// The first `limit` clients that may go without PKCE and nonce.
pub fn without_pkce(view: &impl View, limit: usize) -> Result<Vec<ClientId>, StoreError> {
    view.by(&CLIENTS_WITHOUT_PKCE, &(), limit)
}

/// The most grants that a removal counts.
const MAX_GRANTS: usize = 500;

/// Removes a client. Its grants are invalid at once, also under a later client of the same id;
/// their rows are removed step by step. Returns the number of grants, at most 500.
///
/// # Errors
///
/// [`Refusal::ClientNotFound`]; and a hook client stays, since each linked device of its person would
/// bring it back with its own secret.
pub fn remove(tx: &mut Tx<'_>, cx: &Context, id: &ClientId) -> Result<usize, Error> {
    let removed = tx.remove::<Client>(id)?.ok_or(Refusal::ClientNotFound)?;
    rights::check_client(tx, cx, &removed)?;
    if removed.origin == Origin::Hook {
        return Err(Refusal::HookClientOfDevices.into());
    }
    tx.remove::<ClientLogo>(id)?;
    let grants = tx.by(&GRANTS_BY_CLIENT, id, MAX_GRANTS)?;
    removal::start(tx, cx, &Subject::Client(id.clone()))?;
    made::end(tx, cx, Maker::Client(id))?;
    let act = Act::new(Kind::ClientRemoved).client(id).named(removed.metadata.name());
    events::record(tx, cx, act.fact("grants", grants.len()))?;
    Ok(grants.len())
}
