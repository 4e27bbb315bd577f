//! `/api/v1/resources`: the registered resources (RFC 8707). The members are those of RFC 9728 §2
//! and the server's own.

use axum::Json;
use serde::{Deserialize, Serialize};

use super::by::{By, Clients, ReadClients};
use super::listing::{ByName, ListView, Noun, Query};
use super::request::{Body, Created, Named};
use super::{Failed, optional};
use crate::app::App;
use crate::error::Refusal;
use crate::flow::lists::ListChange;
use crate::flow::named;
use crate::flow::resource::registered::{self, Change, Introspecting, NewResource};
use crate::oauth::resource::{Resource, ResourceMetadata, TokenType};
use crate::oauth::scope::{Scope, ScopeToken};
use crate::secret::MadeClientSecret;
use crate::store::schema::{Protected, RESOURCES_BY_NAME};
use crate::store::{Beginning, View};

/// A registered resource, with the metadata and the header that its resource server serves.
#[derive(Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct ResourceView {
    /// Whether its introspection knows the tokens of bridges, too.
    pub(crate) accepts_bridge: bool,
    /// The client as which it introspects tokens.
    pub(crate) client_id: Option<String>,
    /// That client's secret, only in the response to the request that made it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) client_secret: Option<String>,
    /// The time of its registration.
    pub(crate) created: String,
    /// Its metadata document (RFC 9728 §2).
    pub(crate) metadata: ResourceMetadata,
    /// The URL at which it serves that document (RFC 9728 §3.1).
    pub(crate) metadata_address: String,
    /// The URL of a copy on this server.
    pub(crate) metadata_copy: String,
    /// Whether every client may ask for its scopes.
    pub(crate) open: bool,
    /// Its URI, the `aud` of tokens for it.
    pub(crate) resource: Resource,
    /// The name that the consent page displays.
    pub(crate) resource_name: String,
    /// Its scopes.
    pub(crate) scope: Scope,
    /// The type of the access tokens for it.
    pub(crate) typ: TokenType,
    /// The `WWW-Authenticate` header of its 401 responses (RFC 9728 §5.1).
    pub(crate) www_authenticate: String,
}

impl Noun for ResourceView {
    const PLURAL: &'static str = "resources";
}

/// A resource to register.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct ResourceRegistration {
    /// Whether it accepts the tokens of bridges, which it has to introspect: a new client is made
    /// for that, unless `client_id` names one.
    #[serde(default)]
    pub(crate) accepts_bridge: bool,
    /// An existing client that may introspect tokens for it: its id, its name or the beginning of its
    /// id.
    pub(crate) client_id: Option<String>,
    /// Whether a new client is made to introspect tokens for it. `client_id` takes precedence.
    #[serde(default)]
    pub(crate) introspect: bool,
    /// Whether every client may ask for its scopes; absent: only if the resource is on loopback.
    pub(crate) open: Option<bool>,
    /// Its URI.
    pub(crate) resource: String,
    /// The name that the consent page displays; absent: its URI without the scheme.
    pub(crate) resource_name: Option<String>,
    /// Its scopes, separated by spaces.
    pub(crate) scope: Option<String>,
    /// The type of the access tokens for it, `at+jwt` or `jwt`; absent: `at+jwt`.
    pub(crate) typ: Option<String>,
}

/// A JSON Merge Patch (RFC 7396) of a resource: an absent member does not change.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct ResourcePatch {
    /// Whether it accepts the tokens of bridges. It gets credentials to introspect them, if it has
    /// none.
    pub(crate) accepts_bridge: Option<bool>,
    /// The scopes that are added, separated by spaces.
    pub(crate) add_scope: Option<String>,
    /// Whether every client may ask for its scopes.
    pub(crate) open: Option<bool>,
    /// The scopes that are taken away, separated by spaces.
    pub(crate) remove_scope: Option<String>,
    /// The name that the consent page displays.
    pub(crate) resource_name: Option<String>,
    /// Its scopes, separated by spaces, which replace the present ones.
    pub(crate) scope: Option<String>,
    /// The type of the access tokens for it, `at+jwt` or `jwt`.
    pub(crate) typ: Option<String>,
}

/// A resource that was removed.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct RemovedResourceView {
    /// Its URI.
    pub(crate) resource: Resource,
    /// Its name.
    pub(crate) resource_name: String,
}

impl ResourceRegistration {
    /// The resource, and the client that it names.
    fn parse(self) -> Result<(NewResource, Option<String>), Refusal> {
        let resource: Resource = self.resource.parse()?;
        let named = optional(self.resource_name.as_deref())?;
        let introspects = self.introspect || self.accepts_bridge;
        let new = NewResource {
            accepts_bridge: self.accepts_bridge,
            introspecting: if introspects { Introspecting::AsItself } else { Introspecting::Not },
            name: named.map_or_else(|| registered::usual_name(&resource), Ok)?,
            open: self.open.unwrap_or(resource.is_loopback()),
            resource,
            scope: optional::<Scope>(self.scope.as_deref())?.unwrap_or_default(),
            typ: optional::<TokenType>(self.typ.as_deref())?.unwrap_or_default(),
        };
        Ok((new, self.client_id))
    }
}

fn scopes(written: Option<&str>) -> Result<Option<Vec<ScopeToken>>, Refusal> {
    let scope: Option<Scope> = optional(written)?;
    Ok(scope.map(|scope| scope.iter().cloned().collect()))
}

impl ResourcePatch {
    fn parse(self) -> Result<Change, Refusal> {
        Ok(Change {
            accepts_bridge: self.accepts_bridge,
            introspecting: None,
            name: optional(self.resource_name.as_deref())?,
            open: self.open,
            scope: ListChange {
                add: scopes(self.add_scope.as_deref())?.unwrap_or_default(),
                remove: scopes(self.remove_scope.as_deref())?.unwrap_or_default(),
                replace: scopes(self.scope.as_deref())?,
            },
            typ: optional(self.typ.as_deref())?,
        })
    }
}

impl ResourceView {
    /// Its metadata document, as its resource server serves it.
    pub(crate) fn document(&self) -> String {
        serde_json::to_string_pretty(&self.metadata).unwrap_or_default()
    }

    fn new(app: &App, row: Protected, secret: Option<&MadeClientSecret>) -> Self {
        let (rules, address) = (&app.rules(), row.resource.metadata_address());
        let mut www_authenticate = format!("Bearer resource_metadata=\"{address}\"");
        if !row.scope.is_empty() {
            // RFC 6750 §3: the scope that a client without a token should request.
            www_authenticate.push_str(&format!(", scope=\"{}\"", row.scope));
        }
        Self {
            accepts_bridge: row.accepts_bridge,
            client_id: row.server.as_ref().map(ToString::to_string),
            client_secret: secret.map(|secret| secret.expose().as_str().to_owned()),
            created: row.created.rfc3339(),
            metadata: registered::metadata(rules, &row),
            metadata_address: address,
            metadata_copy: rules.issuer.at(&registered::copy_path(&row.resource)),
            open: row.open,
            resource_name: row.name.to_string(),
            resource: row.resource,
            scope: row.scope,
            typ: row.typ,
            www_authenticate,
        }
    }
}

pub(super) async fn list(
    app: By<ReadClients>,
    query: Query<ByName>,
) -> Result<Json<ListView<ResourceView>>, Failed> {
    let (view, item) = (app.read()?, |row| ResourceView::new(&app, row, None));
    let Some(beginning) = query.beginning()? else {
        let rows = view.filter(&query.span()?, |_, row: Protected| Ok(Some(row)))?;
        return Ok(Json(ListView::new(rows, item)));
    };
    let beginning = Beginning::of_text(&beginning);
    let rows = view.filter_beginning(&RESOURCES_BY_NAME, &beginning, &query.span()?, |key| {
        view.find::<Protected>(key)
    });
    Ok(Json(ListView::new(rows?, item)))
}

pub(super) async fn add(
    app: By<Clients>,
    Body(asked): Body<ResourceRegistration>,
) -> Result<Created<ResourceView>, Failed> {
    let (new, client) = asked.parse()?;
    let added = app.write(move |tx, cx| {
        let mut new = new.clone();
        if let Some(client) = &client {
            new.introspecting = Introspecting::As(named::client(tx, client)?.0);
        }
        registered::add(tx, cx, &new)
    });
    let (row, secret) = added.await?;
    Ok(Created(ResourceView::new(&app, row, secret.as_ref())))
}

pub(super) async fn show(
    app: By<ReadClients>,
    Named(named): Named,
) -> Result<Json<ResourceView>, Failed> {
    let row = named::resource(&app.read()?, &named)?;
    Ok(Json(ResourceView::new(&app, row, None)))
}

pub(super) async fn change(
    app: By<Clients>,
    Named(named): Named,
    Body(asked): Body<ResourcePatch>,
) -> Result<Json<ResourceView>, Failed> {
    let change = asked.parse()?;
    let changed = app.write(move |tx, cx| {
        let named = named::resource(tx, &named)?.resource;
        registered::change(tx, cx, &named, &change)
    });
    let (row, secret) = changed.await?;
    Ok(Json(ResourceView::new(&app, row, secret.as_ref())))
}

pub(super) async fn remove(
    app: By<Clients>,
    Named(named): Named,
) -> Result<Json<RemovedResourceView>, Failed> {
    let removed = app.write(move |tx, cx| {
        let named = named::resource(tx, &named)?.resource;
        registered::remove(tx, cx, &named)
    });
    let Protected { name, resource, .. } = removed.await?;
    Ok(Json(RemovedResourceView { resource, resource_name: name.to_string() }))
}
