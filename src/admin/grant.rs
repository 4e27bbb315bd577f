//! `/api/v1/grants`: the grants in force.

use axum::Json;
use serde::{Deserialize, Serialize};

use super::Failed;
use super::by::{By, People, ReadPeople};
use super::listing::{ListView, Noun, OfPersonOrClient, Query};
use super::request::Named;
use crate::flow::client::self_named::SelfNamed;
use crate::flow::named;
use crate::flow::token::grant::{self, LiveGrant};
use crate::oauth::resource::Resource;
use crate::oauth::scope::Scope;

/// A grant in force.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct GrantView {
    /// Whether an operator made it, for one access token (`token issue`).
    pub(crate) by_operator: bool,
    /// The client.
    pub(crate) client_id: String,
    /// The client's name.
    pub(crate) client_name: String,
    /// The time of its creation.
    pub(crate) created: String,
    /// Its expiry.
    pub(crate) expires: String,
    /// Its id.
    pub(crate) id: String,
    /// Whether it outlives its session (`offline_access`).
    pub(crate) offline: bool,
    /// The resources for which its tokens are; empty: this server.
    pub(crate) resources: Vec<Resource>,
    /// Its scope.
    pub(crate) scope: Scope,
    /// The hosts of a client that chose its own name; empty: it names none; null: an operator or this
    /// server named it.
    pub(crate) self_named: Option<String>,
    /// The session in which it was created; null: an operator made it.
    pub(crate) session: Option<String>,
    /// The id of the person.
    pub(crate) user_id: String,
    /// The person.
    pub(crate) username: String,
}

impl Noun for GrantView {
    const PLURAL: &'static str = "grants";
}

impl GrantView {
    fn new(live: &LiveGrant) -> Self {
        let grant = live.grant();
        let authorization = &grant.authorization;
        Self {
            by_operator: grant.by_operator,
            client_id: authorization.client.to_string(),
            client_name: live.client().metadata.name().to_owned(),
            created: grant.created.rfc3339(),
            expires: grant.expires.rfc3339(),
            id: live.id().to_string(),
            offline: grant.offline,
            resources: authorization.resources.clone(),
            scope: authorization.scope.clone(),
            self_named: SelfNamed::of(&authorization.client, live.client()).map(|own| own.hosts),
            session: (!grant.by_operator).then(|| authorization.session.to_string()),
            user_id: authorization.user.to_string(),
            username: live.person().username.to_string(),
        }
    }
}

pub(super) async fn list(
    app: By<ReadPeople>,
    query: Query<OfPersonOrClient>,
) -> Result<Json<ListView<GrantView>>, Failed> {
    let view = app.read()?;
    let (user, client) = (query.user(&view)?, query.client(&view)?);
    let grants = grant::list(&view, &app.context(), user, client.as_ref(), &query.span()?)?;
    Ok(Json(ListView::new(grants, |grant| GrantView::new(&grant))))
}

pub(super) async fn show(
    app: By<ReadPeople>,
    Named(named): Named,
) -> Result<Json<GrantView>, Failed> {
    Ok(Json(GrantView::new(&named::grant(&app.read()?, &app.context(), &named)?)))
}

pub(super) async fn revoke(
    app: By<People>,
    Named(named): Named,
) -> Result<Json<GrantView>, Failed> {
    let revoked = app.write(move |tx, cx| {
        let id = named::grant(tx, cx, &named)?.id();
        grant::revoke(tx, cx, id)
    });
    Ok(Json(GrantView::new(&revoked.await?)))
}
