//! `/api/v1/invitations`: links by which several people make their accounts.

use std::time::Duration;

use axum::Json;
use serde::{Deserialize, Serialize};

use crate::admin::Failed;
use crate::admin::by::{By, People, ReadPeople};
use crate::admin::listing::{ListView, Noun, Query, Unfiltered};
use crate::admin::request::{Body, Created, Named};
use crate::admin::{parsed, user};
use crate::error::Refusal;
use crate::flow::events::ActorView;
use crate::flow::named;
use crate::flow::person::invitation::{self, IssuedInvitation, ListedInvitation, NewInvitation};
use crate::store::{Listing, StoreError, View};

/// The most people of one invitation.
const MAX_USES: u32 = 10_000;

/// The time for which an invitation is open unless the request says it: a week.
const LASTING: Duration = Duration::from_hours(7 * 24);

/// The lifetimes that may be chosen, in seconds: a minute to a year.
const LIFETIMES: std::ops::RangeInclusive<u64> = 60..=366 * 86_400;

/// An invitation, without its token.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct InvitationView {
    /// The time of its creation.
    pub(crate) created: String,
    /// Its expiry.
    pub(crate) expires: String,
    /// The groups of whoever comes by it.
    pub(crate) groups: Vec<String>,
    /// Its id.
    pub(crate) id: String,
    /// Who made it.
    pub(crate) made_by: ActorView,
    /// The time of its revocation.
    pub(crate) revoked: Option<String>,
    /// The roles of whoever comes by it.
    pub(crate) roles: Vec<String>,
    /// `open`, `exhausted`, `expired` or `revoked`; or `lapsed`, since whoever made it may not give any
    /// more what it gives.
    pub(crate) state: String,
    /// The number of people who have come by it.
    pub(crate) used: u32,
    /// The most people who may.
    pub(crate) uses: u32,
}

impl Noun for InvitationView {
    const PLURAL: &'static str = "invitations";
}

/// A new invitation. No other response has its link.
#[derive(Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct NewInvitationView {
    /// The invitation.
    #[serde(flatten)]
    pub(crate) invitation: InvitationView,
    /// The link. Its token is in the fragment, which a browser never sends.
    pub(crate) invitation_url: String,
}

/// The invitations that were revoked.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct RevokedInvitationsView {
    /// Each of them.
    pub(crate) invitations: Vec<InvitationView>,
}

/// A request to make an invitation.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct InvitationRequest {
    /// The groups of whoever comes by it.
    #[serde(default)]
    #[cfg_attr(test, schemars(inner(regex(pattern = user::GROUP))))]
    pub(crate) groups: Vec<String>,
    /// The time for which it is open in seconds, 60 to 31,622,400 (a year); absent: a week.
    #[cfg_attr(test, schemars(range(min = 60, max = 31_622_400)))]
    pub(crate) lifetime: Option<u64>,
    /// The roles of whoever comes by it; empty: `user`.
    #[serde(default)]
    #[cfg_attr(test, schemars(inner(regex(pattern = user::ROLE))))]
    pub(crate) roles: Vec<String>,
    /// The most people who may come by it, 1 to 10,000.
    #[cfg_attr(test, schemars(range(min = 1, max = 10_000)))]
    pub(crate) uses: u32,
}

impl InvitationView {
    fn new(view: &impl View, listed: &ListedInvitation) -> Result<Self, StoreError> {
        let row = &listed.invitation;
        Ok(Self {
            created: row.created.rfc3339(),
            expires: listed.expires().rfc3339(),
            groups: row.groups.iter().map(ToString::to_string).collect(),
            id: listed.id.to_string(),
            made_by: ActorView::new(view, &row.made_by)?,
            revoked: row.revoked.map(|at| at.rfc3339()),
            roles: row.roles.iter().map(ToString::to_string).collect(),
            state: listed.state.as_str().to_owned(),
            used: row.used,
            uses: row.uses,
        })
    }
}

pub(in crate::admin) async fn list(
    app: By<ReadPeople>,
    query: Query<Unfiltered>,
) -> Result<Json<ListView<InvitationView>>, Failed> {
    let view = app.read()?;
    let Listing { items, next } = invitation::list(&view, &app.context(), &query.span()?)?;
    let items = items.iter().map(|own| InvitationView::new(&view, own));
    let items = items.collect::<Result<_, _>>()?;
    Ok(Json(ListView::new(Listing { items, next }, |own| own)))
}

pub(in crate::admin) async fn add(
    app: By<People>,
    Body(asked): Body<InvitationRequest>,
) -> Result<Created<NewInvitationView>, Failed> {
    if !(1..=MAX_USES).contains(&asked.uses) {
        let why = "an invitation is for 1 to 10,000 people";
        return Err(Refusal::MemberMalformed("uses", why).into());
    }
    if asked.lifetime.is_some_and(|seconds| !LIFETIMES.contains(&seconds)) {
        let why = "an invitation is open for a minute to a year";
        return Err(Refusal::MemberMalformed("lifetime", why).into());
    }
    let new = NewInvitation {
        groups: parsed(&asked.groups)?,
        lasting: asked.lifetime.map_or(LASTING, Duration::from_secs),
        roles: user::roles(&app, &asked.roles)?,
        uses: asked.uses,
    };
    let added = app.write(move |tx, cx| {
        let IssuedInvitation { listed, token } = invitation::add(tx, cx, &new)?;
        Ok((InvitationView::new(tx, &listed)?, token))
    });
    let (invitation, token) = added.await?;
    let invitation_url = app.rules().issuer.at(&format!("/setup#{}", *token.expose()));
    Ok(Created(NewInvitationView { invitation, invitation_url }))
}

pub(in crate::admin) async fn show(
    app: By<ReadPeople>,
    Named(named): Named,
) -> Result<Json<InvitationView>, Failed> {
    let view = app.read()?;
    let listed = named::invitation(&view, &app.context(), &named)?;
    Ok(Json(InvitationView::new(&view, &listed)?))
}

pub(in crate::admin) async fn revoke(
    app: By<People>,
    Named(named): Named,
) -> Result<Json<InvitationView>, Failed> {
    let revoked = app.write(move |tx, cx| {
        let id = named::invitation(tx, cx, &named)?.id;
        let revoked = invitation::revoke(tx, cx, id)?;
        Ok(InvitationView::new(tx, &revoked)?)
    });
    Ok(Json(revoked.await?))
}

pub(in crate::admin) async fn revoke_all(
    app: By<People>,
) -> Result<Json<RevokedInvitationsView>, Failed> {
    let revoked = app.write(move |tx, cx| {
        let revoked = invitation::revoke_all(tx, cx)?;
        let invitations = revoked.iter().map(|own| InvitationView::new(tx, own));
        Ok(RevokedInvitationsView { invitations: invitations.collect::<Result<_, _>>()? })
    });
    Ok(Json(revoked.await?))
}
