//! `/api/v1/clients`. The members are those of RFC 7591 §2 and the server's own.

pub(crate) mod logo;
pub(super) mod notes;
mod paste;

use axum::Json;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use self::logo::LogoView;
pub(crate) use self::notes::{ClientNoteView, NoteKind};
use super::Failed;
use super::by::{By, Clients, ReadClients};
use super::catalogue::{Chosen, SetupView};
use super::listing::{ByName, ListView, Noun, Query};
use super::request::{Body, Created, Named};
use crate::app::App;
use crate::error::{Error, Refusal};
use crate::flow::client::lists::ListChanges;
use crate::flow::client::operator::{self, Change, NewClient};
use crate::flow::{Rules, named};
use crate::oauth::client::decisions::OperatorDecisions;
use crate::oauth::client::member::Sector;
use crate::oauth::client::metadata::ClientMetadata;
use crate::oauth::client::{ClientSecret, ClientType};
use crate::oauth::id::ClientId;
use crate::oauth::resource::Resource;
use crate::secret::MadeClientSecret;
use crate::store::schema::{CLIENTS_BY_NAME, Client, Origin};
use crate::store::{Beginning, View};

/// A client, with the values that are in force.
#[derive(Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct ClientView {
    /// Its id.
    pub(crate) client_id: String,
    /// Its secret, only in the response to the request that made it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) client_secret: Option<String>,
    /// Its type (RFC 6749 §2.1).
    pub(crate) client_type: ClientType,
    /// The time of its registration.
    pub(crate) created: String,
    /// Whether it is enabled.
    pub(crate) enabled: bool,
    /// The logo that an operator gave it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) logo: Option<LogoView>,
    /// The name that the pages display.
    pub(crate) name: String,
    /// What will be demanded of it and what will not work, only in the response to the request that
    /// registered or changed it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) notes: Vec<ClientNoteView>,
    /// The origin of its registration.
    pub(crate) origin: ClientOrigin,
    /// What to do on its side, only in the response to the request that made it of an entry of the
    /// catalogue. It has the secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) setup: Option<SetupView>,
    /// Its metadata, without `client_name`.
    #[serde(flatten)]
    pub(crate) metadata: ClientMetadata,
    /// The operator's decisions, without `scope`, which is in the metadata.
    #[serde(flatten)]
    pub(crate) decisions: OperatorDecisions,
}

impl Noun for ClientView {
    const PLURAL: &'static str = "clients";
}

/// The origin of a client's registration.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub(crate) enum ClientOrigin {
    /// Its own metadata document.
    Document,
    /// The client itself (RFC 7591).
    Dynamic,
    /// This server, for the plugins of a person's bridge.
    Hook,
    /// An operator.
    Operator,
}

/// A client to register: the members of RFC 7591 §2 and the operator's own, `logo` with an image in
/// base64, or `catalogue` with the entry that has those that are absent.
#[derive(Deserialize)]
#[serde(transparent)]
pub(super) struct ClientRegistration(Map<String, Value>);

/// A JSON Merge Patch (RFC 7396) of a client. Null takes a member back to its default. The members
/// `add` and `remove` are objects of the lists of a client: what they name is added to a list, or taken
/// away from it.
#[derive(Deserialize)]
#[serde(transparent)]
pub(super) struct ClientPatch(Map<String, Value>);

/// A client that was removed.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct RemovedClientView {
    /// Its id.
    pub(crate) client_id: String,
    /// The number of grants that ended with it.
    pub(crate) grants_ended: usize,
    /// Its name.
    pub(crate) name: String,
}

/// What an operator should know of a client.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct ClientNotesView {
    /// What is demanded of it and what does not work.
    pub(crate) notes: Vec<ClientNoteView>,
}

impl ClientView {
    /// The view of a client. `secret` is `None` unless this request made it.
    pub(super) fn new(
        rules: &Rules,
        id: &ClientId,
        client: &Client,
        secret: Option<&MadeClientSecret>,
    ) -> Self {
        let sector = client.sector().and_then(|sector| sector.parse::<Sector>().ok());
        Self {
            client_id: id.to_string(),
            client_secret: secret.map(|secret| secret.expose().as_str().to_owned()),
            client_type: client.metadata.client_type(),
            created: client.created.rfc3339(),
            enabled: client.enabled,
            logo: None,
            name: client.metadata.name().to_owned(),
            notes: Vec::new(),
            origin: match client.origin {
                Origin::Document { .. } => ClientOrigin::Document,
                Origin::Dynamic { .. } => ClientOrigin::Dynamic,
                Origin::Hook => ClientOrigin::Hook,
                Origin::Operator => ClientOrigin::Operator,
            },
            setup: None,
            // `name` and the metadata's `scope` have these values already.
            metadata: ClientMetadata { client_name: None, ..client.metadata_in_force() },
            decisions: OperatorDecisions {
                pkce: Some(rules.pkce_policy(client)),
                scope: None,
                sector,
                ..OperatorDecisions::clone(&client.decisions)
            },
        }
    }
}

pub(super) async fn list(
    app: By<ReadClients>,
    query: Query<ByName>,
) -> Result<Json<ListView<ClientView>>, Failed> {
    let view = app.read()?;
    let item = |id: &ClientId, client: Client| {
        let logo = LogoView::of(&view, id)?;
        Ok(Some(ClientView { logo, ..ClientView::new(&app.rules(), id, &client, None) }))
    };
    let Some(beginning) = query.beginning()? else {
        return Ok(Json(ListView::new(view.filter(&query.span()?, item)?, |view| view)));
    };
    let beginning = Beginning::of_text(&beginning);
    let clients = view.filter_beginning(&CLIENTS_BY_NAME, &beginning, &query.span()?, |id| {
        view.find::<Client>(id)?.map_or(Ok(None), |client| item(id, client))
    });
    Ok(Json(ListView::new(clients?, |view| view)))
}

pub(super) async fn add(
    app: By<Clients>,
    Body(ClientRegistration(mut members)): Body<ClientRegistration>,
) -> Result<Created<ClientView>, Failed> {
    let chosen = Chosen::of(&mut members)?;
    let secret = match members.remove("client_secret") {
        None | Some(Value::Null) => None,
        Some(Value::String(secret)) => Some(hashed(&app, secret).await?),
        Some(_) => {
            return Err(Refusal::MemberMalformed("client_secret", "a string is expected").into());
        }
    };
    name_resources(&app.read()?, &mut members)?;
    let logo = logo::taken(&mut members)?;
    let new = NewClient { logo, secret, ..NewClient::from_members(&members)? };
    let (id, client, secret) = app.write(move |tx, cx| operator::add(tx, cx, &new)).await?;
    // The client exists, and its secret is returned only once.
    let unread =
        |error: Error| vec![ClientNoteView::new(NoteKind::Unread, [("reason", error.to_string())])];
    let notes = notes::of_client(&app, &id, &client).unwrap_or_else(unread);
    let view = ClientView::new(&app.rules(), &id, &client, secret.as_ref());
    let secret = view.client_secret.as_deref();
    let setup = chosen.map(|chosen| chosen.setup(&app.rules().issuer, &id, secret));
    let logo = app.read().and_then(|rows| LogoView::of(&rows, &id)).unwrap_or_default();
    Ok(Created(ClientView { logo, notes, setup, ..view }))
}

/// Replaces each name of a resource by its URI: in `resources`, and in what is added to it and taken
/// away from it.
///
/// # Errors
///
/// As [`named::resource`].
fn name_resources(view: &impl View, members: &mut Map<String, Value>) -> Result<(), Error> {
    for (member, value) in members {
        let items = match member.as_str() {
            "resources" => Some(value),
            "add" | "remove" => value.get_mut("resources"),
            _ => None,
        };
        for item in items.and_then(Value::as_array_mut).into_iter().flatten() {
            if let Value::String(written) = item
                && written.parse::<Resource>().is_err()
            {
                *written = named::resource(view, written)?.resource.as_str().to_owned();
            }
        }
    }
    Ok(())
}

/// The Argon2id hash of a secret that the operator chose.
async fn hashed(app: &App, secret: String) -> Result<String, Failed> {
    let secret = Zeroizing::new(secret);
    let secret: ClientSecret = secret.parse().map_err(|_| Refusal::ClientSecretUnfit)?;
    Ok(app.passwords().hash(secret.expose(), &app.context().seed).await?)
}

/// Changes what a patch names, and nothing else.
pub(super) async fn change(
    app: By<Clients>,
    Named(named): Named,
    Body(ClientPatch(mut patch)): Body<ClientPatch>,
) -> Result<Json<ClientView>, Failed> {
    let secret = match patch.remove("client_secret") {
        None => None,
        Some(Value::String(secret)) => Some(hashed(&app, secret).await?),
        Some(_) => return Err(Refusal::ClientSecretUnfit.into()),
    };
    let enabled = match patch.remove("enabled") {
        None => None,
        Some(Value::Bool(enabled)) => Some(enabled),
        Some(_) => {
            return Err(Refusal::MemberMalformed("enabled", "true or false is expected").into());
        }
    };
    name_resources(&app.read()?, &mut patch)?;
    let logo = logo::taken(&mut patch)?;
    let (add, remove) = (patch.remove("add"), patch.remove("remove"));
    let lists = ListChanges::from_members(add.as_ref(), remove.as_ref())?;
    let moved = ["backchannel_logout_uri", "jwks_uri"].iter().any(|uri| patch.contains_key(*uri));
    let change = Change { enabled, lists, logo, members: patch, secret };
    let changed = app.write(move |tx, cx| {
        let (id, _) = named::client(tx, &named)?;
        let (client, secret) = operator::change(tx, cx, &id, &change)?;
        Ok((id, client, secret))
    });
    let (id, client, secret) = changed.await?;
    let notes = if moved { notes::out_of_reach(&app, &client) } else { Vec::new() };
    let view = ClientView::new(&app.rules(), &id, &client, secret.as_ref());
    let logo = app.read().and_then(|rows| LogoView::of(&rows, &id)).unwrap_or_default();
    Ok(Json(ClientView { logo, notes, ..view }))
}

pub(super) async fn rotate_secret(
    app: By<Clients>,
    Named(named): Named,
) -> Result<Json<ClientView>, Failed> {
    let rotated = app.write(move |tx, cx| {
        let (id, _) = named::client(tx, &named)?;
        let (client, secret) = operator::rotate_secret(tx, cx, &id)?;
        Ok((id, client, secret))
    });
    let (id, client, secret) = rotated.await?;
    // The old secret has ended, and the new one is returned only once.
    let logo = app.read().and_then(|rows| LogoView::of(&rows, &id)).unwrap_or_default();
    Ok(Json(ClientView { logo, ..ClientView::new(&app.rules(), &id, &client, Some(&secret)) }))
}

pub(super) async fn show(
    app: By<ReadClients>,
    Named(named): Named,
) -> Result<Json<ClientView>, Failed> {
    let rows = app.read()?;
    let (id, client) = named::client(&rows, &named)?;
    let logo = LogoView::of(&rows, &id)?;
    Ok(Json(ClientView { logo, ..ClientView::new(&app.rules(), &id, &client, None) }))
}

pub(super) async fn show_notes(
    app: By<ReadClients>,
    Named(named): Named,
) -> Result<Json<ClientNotesView>, Failed> {
    let (id, client) = named::client(&app.read()?, &named)?;
    Ok(Json(ClientNotesView { notes: notes::of_client(&app, &id, &client)? }))
}

pub(super) async fn remove(
    app: By<Clients>,
    Named(named): Named,
) -> Result<Json<RemovedClientView>, Failed> {
    let removed = app.write(move |tx, cx| {
        let (id, client) = named::client(tx, &named)?;
        let grants_ended = operator::remove(tx, cx, &id)?;
        let name = client.metadata.name().to_owned();
        Ok(RemovedClientView { client_id: id.to_string(), grants_ended, name })
    });
    Ok(Json(removed.await?))
}
