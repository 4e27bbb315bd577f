//! `/api/v1/links`: setup links; and, in a file of its own, invitations.

pub(crate) mod invitation;

use axum::Json;
use serde::{Deserialize, Serialize};

use super::Failed;
use super::by::{By, People, ReadPeople};
use super::listing::{ListView, Noun, OfPerson, Query};
use super::request::{Body, Named};
use crate::app::App;
use crate::flow::events::ActorView;
use crate::flow::named;
use crate::flow::person::setup_link::{self, IssuedSetupLink, ListedLink};
use crate::store::schema::{Person, SetupPurpose};
use crate::store::{Listing, StoreError, View};

/// A new setup link, which is valid once. Its token is in the fragment, which a browser never
/// sends.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct SetupLinkView {
    /// Its expiry.
    pub(crate) setup_expires: String,
    /// Its id, by which it is revoked.
    pub(crate) setup_id: String,
    /// The link.
    pub(crate) setup_url: String,
}

impl SetupLinkView {
    /// The view of a link that was just made.
    pub(in crate::admin) fn new(app: &App, link: &IssuedSetupLink) -> Self {
        Self {
            setup_expires: link.expires.rfc3339(),
            setup_id: link.id.to_string(),
            setup_url: setup_url(app, link),
        }
    }
}

/// The URL of a setup link.
pub(crate) fn setup_url(app: &App, link: &IssuedSetupLink) -> String {
    app.rules().issuer.at(&format!("/setup#{}", *link.token.expose()))
}

/// A setup link, without its token.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct LinkView {
    /// The time of its creation.
    pub(crate) created: String,
    /// When it was used, replaced or revoked.
    pub(crate) ended: Option<String>,
    /// Its expiry.
    pub(crate) expires: String,
    /// Its id.
    pub(crate) id: String,
    /// Who made it.
    pub(crate) made_by: ActorView,
    /// What it is for: `first` administrator, `further` passkey, `new` person or `recovery`.
    pub(crate) purpose: String,
    /// `open`; or `used`, `superseded` by a newer one, `revoked` or `expired`; or its person is
    /// `disabled`, or was since, or `removed`.
    pub(crate) state: String,
    /// The id of its person; null: it is for the first administrator.
    pub(crate) user_id: Option<String>,
    /// Its person; null: they were removed, or it is for the first administrator.
    pub(crate) username: Option<String>,
}

impl Noun for LinkView {
    const PLURAL: &'static str = "links";
}

impl LinkView {
    fn new(view: &impl View, listed: &ListedLink) -> Result<Self, StoreError> {
        let ListedLink { id, link, state } = listed;
        let person = match link.purpose.user() {
            Some(user) => view.find::<Person>(&user)?,
            None => None,
        };
        let purpose = match link.purpose {
            SetupPurpose::First => "first",
            SetupPurpose::Further(_) => "further",
            SetupPurpose::New(_) => "new",
            SetupPurpose::Recovery(_) => "recovery",
        };
        Ok(Self {
            created: link.created.rfc3339(),
            ended: link.ended.map(|(at, _)| at.rfc3339()),
            expires: link.expires.by_clock().rfc3339(),
            id: id.to_string(),
            made_by: ActorView::new(view, &link.made_by)?,
            purpose: purpose.to_owned(),
            state: state.as_str().to_owned(),
            user_id: link.purpose.user().map(|user| user.to_string()),
            username: person.map(|person| person.username.to_string()),
        })
    }
}

/// A request to revoke every open link.
#[derive(Debug, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct LinkRevocation {
    /// The person whose link it is; absent: everybody's, and the first administrator's.
    pub(crate) username: Option<String>,
}

/// The links that were revoked.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct RevokedLinksView {
    /// Each of them.
    pub(crate) links: Vec<LinkView>,
}

pub(super) async fn list(
    app: By<ReadPeople>,
    query: Query<OfPerson>,
) -> Result<Json<ListView<LinkView>>, Failed> {
    let view = app.read()?;
    let (user, span) = (query.user(&view)?, query.span()?);
    let Listing { items, next } = setup_link::list(&view, &app.context(), user, &span)?;
    let items = items.iter().map(|link| LinkView::new(&view, link)).collect::<Result<_, _>>()?;
    Ok(Json(ListView::new(Listing { items, next }, |link| link)))
}

pub(super) async fn show(
    app: By<ReadPeople>,
    Named(named): Named,
) -> Result<Json<LinkView>, Failed> {
    let view = app.read()?;
    Ok(Json(LinkView::new(&view, &named::link(&view, &app.context(), &named)?)?))
}

pub(super) async fn revoke(app: By<People>, Named(named): Named) -> Result<Json<LinkView>, Failed> {
    let revoked = app.write(move |tx, cx| {
        let id = named::link(tx, cx, &named)?.id;
        let revoked = setup_link::revoke(tx, cx, id)?;
        Ok(LinkView::new(tx, &revoked)?)
    });
    Ok(Json(revoked.await?))
}

pub(super) async fn revoke_all(
    app: By<People>,
    Body(asked): Body<LinkRevocation>,
) -> Result<Json<RevokedLinksView>, Failed> {
    let revoked = app.write(move |tx, cx| {
        let user = match &asked.username {
            Some(written) => Some(named::person(tx, written)?.0),
            None => None,
        };
        let revoked = setup_link::revoke_all(tx, cx, user)?;
        let links = revoked.iter().map(|link| LinkView::new(tx, link));
        Ok(RevokedLinksView { links: links.collect::<Result<_, _>>()? })
    });
    Ok(Json(revoked.await?))
}
