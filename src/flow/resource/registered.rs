//! Resources that an operator registers, and their metadata
//! ([RFC 9728](https://www.rfc-editor.org/rfc/rfc9728)).

use super::served_by;
use crate::error::{Error, Refusal};
use crate::event::Kind;
use crate::flow::client::operator::{self, NewClient};
use crate::flow::events::{self, Act};
use crate::flow::lists::ListChange;
use crate::flow::{Context, Rules, rights};
use crate::oauth::client::ClientType;
use crate::oauth::client::metadata::ClientMetadata;
use crate::oauth::display_name::DisplayName;
use crate::oauth::id::ClientId;
use crate::oauth::resource::{Resource, ResourceMetadata, TokenType};
use crate::oauth::scope::{Scope, ScopeToken};
use crate::secret::MadeClientSecret;
use crate::store::schema::{Client, Protected};
use crate::store::{StoreError, Tx, View};

/// A resource to be registered.
#[derive(Clone, Debug)]
pub struct NewResource {
    /// Whether it accepts the tokens of bridges.
    pub accepts_bridge: bool,
    /// The credentials with which it introspects tokens.
    pub introspecting: Introspecting,
    /// Its name, as people see it.
    pub name: DisplayName,
    /// Whether every client may ask for its scopes.
    pub open: bool,
    /// Its URI.
    pub resource: Resource,
    /// Its scopes.
    pub scope: Scope,
    /// The type of the access tokens for it.
    pub typ: TokenType,
}

/// The credentials with which a resource introspects its tokens.
#[derive(Clone, Debug)]
pub enum Introspecting {
    /// Those of a registered client.
    As(ClientId),
    /// Credentials of its own, made now.
    AsItself,
    /// None: it verifies tokens by their signature.
    Not,
}

/// Registers a resource. Returns the secret of its own credentials, if it gets any.
pub fn add(
    tx: &mut Tx<'_>,
    cx: &Context,
    new: &NewResource,
) -> Result<(Protected, Option<MadeClientSecret>), Error> {
    let key = new.resource.canonical().to_owned();
    if new.resource == Resource::of(&cx.rules.issuer) || tx.find::<Protected>(&key)?.is_some() {
        return Err(Refusal::ResourceExists.into());
    }
    for spelling in [new.resource.as_str(), &key] {
        if let Ok(id) = spelling.parse::<ClientId>()
            && tx.find::<Client>(&id)?.is_some()
        {
            return Err(Refusal::ResourceIsClient.into());
        }
    }
    check_open(new.open, &new.scope)?;
    rights::check(cx, &new.scope)?;
    let (server, secret) = match &new.introspecting {
        Introspecting::As(id) => (Some(confidential(tx, cx, id)?), None),
        Introspecting::AsItself => credentials(tx, cx, &new.name)?,
        Introspecting::Not => (None, None),
    };
    let row = Protected {
        accepts_bridge: new.accepts_bridge,
        created: cx.now,
        name: new.name.clone(),
        open: new.open,
        resource: new.resource.clone(),
        scope: new.scope.clone(),
        server,
        typ: new.typ,
    };
    tx.put(&key, row.clone())?;
    events::record(tx, cx, of(Kind::ResourceAdded, &row))?;
    Ok((row, secret))
}

/// An event about a resource.
fn of(kind: Kind, row: &Protected) -> Act {
    Act::new(kind).named(&row.resource).facts("scope", &row.scope.iter().collect::<Vec<_>>())
}

/// Checks that a client can introspect tokens for a resource.
fn confidential(view: &impl View, cx: &Context, id: &ClientId) -> Result<ClientId, Error> {
    let client = view.find::<Client>(id)?.ok_or(Refusal::ClientNotFound)?;
    if client.metadata.client_type() != ClientType::Confidential {
        return Err(Refusal::ResourceServerPublic.into());
    }
    rights::check_client(view, cx, &client)?;
    Ok(id.clone())
}

/// Makes the credentials with which the resource `name` introspects tokens.
fn credentials(
    tx: &mut Tx<'_>,
    cx: &Context,
    name: &DisplayName,
) -> Result<(Option<ClientId>, Option<MadeClientSecret>), Error> {
    let metadata = ClientMetadata {
        client_name: Some(name.clone()),
        // It introspects tokens and gets none.
        grant_types: Some(Vec::new()),
        ..ClientMetadata::default()
    };
    let client = NewClient { metadata, ..NewClient::default() };
    let (id, _, secret) = operator::add(tx, cx, &client)?;
    Ok((Some(id), secret))
}

fn check_open(open: bool, scope: &Scope) -> Result<(), Refusal> {
    if open && scope.iter().any(ScopeToken::is_reserved) {
        Err(Refusal::ScopeReserved)
    } else {
        Ok(())
    }
}

/// The name of a resource for which nobody chose one: its URI without the scheme.
pub fn usual_name(resource: &Resource) -> Result<DisplayName, Refusal> {
    let host = resource.canonical().split_once("://").map_or("", |(_, rest)| rest);
    host.trim_end_matches('/').parse()
}

/// A change to a resource. A field that is `None` stays as it is.
#[derive(Clone, Debug, Default)]
pub struct Change {
    /// Whether it accepts the tokens of bridges.
    pub accepts_bridge: Option<bool>,
    /// The credentials with which it introspects tokens.
    pub introspecting: Option<Introspecting>,
    /// Its name.
    pub name: Option<DisplayName>,
    /// Whether every client may ask for its scopes.
    pub open: Option<bool>,
    /// Its scopes.
    pub scope: ListChange<ScopeToken>,
    /// The type of the access tokens for it.
    pub typ: Option<TokenType>,
}

/// Changes a resource. Tokens that were issued stay as they are. One that accepts the tokens of
/// bridges has to introspect them: if it has no credentials for that, it gets some, and their secret
/// is returned.
pub fn change(
    tx: &mut Tx<'_>,
    cx: &Context,
    resource: &Resource,
    change: &Change,
) -> Result<(Protected, Option<MadeClientSecret>), Error> {
    let key = resource.canonical().to_owned();
    let old = tx.find::<Protected>(&key)?.ok_or(Refusal::ResourceNotFound)?;
    rights::check(cx, &old.scope)?;
    let accepts_bridge = change.accepts_bridge.unwrap_or(old.accepts_bridge);
    let name = change.name.clone().unwrap_or_else(|| old.name.clone());
    let scope: Vec<ScopeToken> = old.scope.iter().cloned().collect();
    // Its client may have been removed.
    let server = match &old.server {
        Some(id) if tx.find::<Client>(id)?.is_some() => Some(id.clone()),
        Some(_) | None => None,
    };
    let (server, secret) = match (&change.introspecting, server) {
        (Some(Introspecting::As(id)), _) => (Some(confidential(tx, cx, id)?), None),
        (Some(Introspecting::AsItself), None) => credentials(tx, cx, &name)?,
        (_, None) if accepts_bridge => credentials(tx, cx, &name)?,
        (Some(Introspecting::Not), Some(_)) if !accepts_bridge => (None, None),
        (_, server) => (server, None),
    };
    let row = Protected {
        accepts_bridge,
        name,
        server,
        open: change.open.unwrap_or(old.open),
        scope: change.scope.applied("scope", &scope)?.into_iter().collect(),
        typ: change.typ.unwrap_or(old.typ),
        ..old.clone()
    };
    check_open(row.open, &row.scope)?;
    rights::check(cx, &row.scope)?;
    tx.put(&key, row.clone())?;
    if row != old {
        events::record(tx, cx, of(Kind::ResourceChanged, &row))?;
    }
    if let Some(former) = old.server.filter(|former| row.server.as_ref() != Some(former)) {
        remove_credentials(tx, cx, &former)?;
    }
    Ok((row, secret))
}

/// Removes a resource, and the credentials that were made for it.
pub fn remove(tx: &mut Tx<'_>, cx: &Context, resource: &Resource) -> Result<Protected, Error> {
    let removed = tx.remove::<Protected>(&resource.canonical().to_owned())?;
    let removed = removed.ok_or(Refusal::ResourceNotFound)?;
    rights::check(cx, &removed.scope)?;
    if let Some(id) = &removed.server {
        remove_credentials(tx, cx, id)?;
    }
    events::record(tx, cx, of(Kind::ResourceRemoved, &removed))?;
    Ok(removed)
}

/// Removes credentials that were made for a resource, unless another one has them.
fn remove_credentials(tx: &mut Tx<'_>, cx: &Context, id: &ClientId) -> Result<(), Error> {
    if let Some(client) = tx.find::<Client>(id)?
        && client.metadata.grant_types().is_empty()
        && served_by(tx, id)?.is_empty()
    {
        operator::remove(tx, cx, id)?;
    }
    Ok(())
}

/// The metadata of a registered resource (RFC 9728 §2). Its `resource` keeps the spelling of the
/// registration, since clients compare it with the URL that they requested (§3.3): "If these values
/// are not identical, the data contained in the response MUST NOT be used."
pub fn metadata(rules: &Rules, row: &Protected) -> ResourceMetadata {
    ResourceMetadata {
        authorization_servers: vec![rules.issuer.to_string()],
        bearer_methods_supported: vec!["header".to_owned()],
        resource: row.resource.clone(),
        resource_name: row.name.clone(),
        scopes_supported: row.scope.iter().map(|scope| scope.as_str().to_owned()).collect(),
    }
}

/// The path of this server's copy of a resource's metadata, for resources whose proxy serves it
/// under their own name (RFC 9728 §3.1): the well-known path, then the resource, with its scheme as
/// a segment.
pub fn copy_path(resource: &Resource) -> String {
    let rest = resource.canonical().replacen("://", "/", 1);
    format!("/.well-known/oauth-protected-resource/{rest}")
}

/// The resource of a copy. `rest` is the part of the path after the well-known path.
pub fn copied(view: &impl View, rest: &str) -> Result<Option<Protected>, StoreError> {
    let resource = rest.replacen('/', "://", 1).parse::<Resource>();
    let Ok(resource) = resource else { return Ok(None) };
    view.find::<Protected>(&resource.canonical().to_owned())
}
