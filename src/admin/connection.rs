//! `/api/v1/connections`: what people let clients do, by grants in force and by remembered consents.

use axum::Json;
use serde::{Deserialize, Serialize};

use super::Failed;
use super::by::{By, People, ReadPeople};
use super::listing::{ListView, Noun, OfPersonOrClient, Query};
use super::request::Named;
use crate::flow::client::self_named::SelfNamed;
use crate::flow::named;
use crate::flow::token::connection::{self, Connected};
use crate::oauth::scope::Scope;

/// What a person lets a client do.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct ConnectionView {
    /// Whether all of it was made by operators, for one access token each (`token issue`).
    pub(crate) by_operator: bool,
    /// The client.
    pub(crate) client_id: String,
    /// The client's name.
    pub(crate) client_name: String,
    /// Whether the client is the operator's own, which asks nobody.
    pub(crate) first_party: bool,
    /// Its id: the id of the person, a colon and that of the client.
    pub(crate) id: String,
    /// Whether a grant outlives its session (`offline_access`).
    pub(crate) offline: bool,
    /// Whether a consent is remembered, so that the client need not ask.
    pub(crate) remembered: bool,
    /// The resources beside this server.
    pub(crate) resources: Vec<String>,
    /// The scope of its grants and consents.
    pub(crate) scope: Scope,
    /// The hosts of the client, if it registered itself and chose its own name. Empty: it names none.
    pub(crate) self_named: Option<String>,
    /// The time of its oldest grant or consent.
    pub(crate) since: String,
    /// The last use of a grant in force; null: there is none.
    pub(crate) used: Option<String>,
    /// The subject of the person's tokens.
    pub(crate) user_id: String,
    /// The person.
    pub(crate) username: String,
}

impl Noun for ConnectionView {
    const PLURAL: &'static str = "connections";
}

impl ConnectionView {
    fn new(connected: Connected) -> Self {
        let Connected { connection, client: id, person, user } = connected;
        let client = connection.client.as_ref();
        Self {
            by_operator: connection.by_operator,
            client_name: client
                .map_or_else(|| id.to_string(), |client| client.metadata.name().to_owned()),
            first_party: client.is_some_and(|client| client.decisions.first_party),
            id: format!("{user}:{id}"),
            client_id: id.to_string(),
            offline: connection.offline,
            remembered: connection.remembered,
            resources: connection.resources.into_iter().collect(),
            scope: connection.scope,
            self_named: client.and_then(|client| SelfNamed::of(&id, client)).map(|own| own.hosts),
            since: connection.since.rfc3339(),
            used: connection.used.map(|at| at.rfc3339()),
            user_id: user.to_string(),
            username: person.username.to_string(),
        }
    }
}

pub(super) async fn list(
    app: By<ReadPeople>,
    query: Query<OfPersonOrClient>,
) -> Result<Json<ListView<ConnectionView>>, Failed> {
    let view = app.read()?;
    let (user, client) = (query.user(&view)?, query.client(&view)?);
    let span = query.span()?;
    let listed = connection::list(&view, &app.context(), user, client.as_ref(), &span)?;
    Ok(Json(ListView::new(listed, ConnectionView::new)))
}

pub(super) async fn show(
    app: By<ReadPeople>,
    Named(named): Named,
) -> Result<Json<ConnectionView>, Failed> {
    let found = named::connection(&app.read()?, &app.context(), &named)?;
    Ok(Json(ConnectionView::new(found)))
}

pub(super) async fn end(
    app: By<People>,
    Named(named): Named,
) -> Result<Json<ConnectionView>, Failed> {
    let ended = app.write(move |tx, cx| {
        let found = named::connection(tx, cx, &named)?;
        connection::end(tx, cx, &found)?;
        Ok(found)
    });
    Ok(Json(ConnectionView::new(ended.await?)))
}
