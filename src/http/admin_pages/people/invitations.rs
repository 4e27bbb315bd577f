//! `/gate/admin/invitations`: links by which several people make their accounts.

use askama::Template;
use axum::http::Method;
use axum::response::Response;
use serde_json::json;

use super::CHANGE;
use super::deed::{self, Deed, check};
use super::form::{self, RoleBox};
use super::links::maker;
use super::setup_link;
use crate::admin::link::invitation::{InvitationRequest, InvitationView, NewInvitationView};
use crate::error::Refusal;
use crate::http::admin_pages::administrator::{
    Administrator, AdministratorForm, RecentAdministrator, path_of,
};
use crate::http::admin_pages::frame::Frame;
use crate::http::admin_pages::refused::Fault;
use crate::http::admin_pages::rows::{self, Rows};
use crate::http::destination::AdminPath;
use crate::http::done::Done;
use crate::http::failure::PageFailure;
use crate::http::pages::templates::{self, Page};
use crate::http::texts::{Day, Texts};
use crate::oauth::params::Params;

/// The seconds of a day.
const DAY: u64 = 86_400;

#[derive(Template)]
#[template(path = "admin/invitations.html", config = "assets/askama.toml")]
pub(in crate::http) struct InvitationsPage {
    pub(in crate::http) page: Page,
    pub(in crate::http) frame: Frame,
    pub(in crate::http) may_change: bool,
    pub(in crate::http) rows: Rows<InvitationRow>,
}

/// An invitation, as a page lists it.
pub(in crate::http) struct InvitationRow {
    pub(in crate::http) created: Day,
    pub(in crate::http) expires: Day,
    pub(in crate::http) groups: String,
    pub(in crate::http) id: String,
    pub(in crate::http) is_open: bool,
    pub(in crate::http) made_by: String,
    pub(in crate::http) roles: String,
    pub(in crate::http) state: String,
    pub(in crate::http) used: String,
    pub(in crate::http) uses: String,
}

#[derive(Template)]
#[template(path = "admin/invitation_form.html", config = "assets/askama.toml")]
pub(in crate::http) struct InvitationFormPage {
    pub(in crate::http) page: Page,
    pub(in crate::http) frame: Frame,
    pub(in crate::http) action: AdminPath,
    /// What was wrong; empty if nothing was.
    pub(in crate::http) fault: Fault,
    pub(in crate::http) fields: Fields,
    pub(in crate::http) roles: Vec<RoleBox>,
}

/// What stands in the form.
pub(in crate::http) struct Fields {
    pub(in crate::http) days: String,
    pub(in crate::http) groups: String,
    pub(in crate::http) roles: Vec<String>,
    pub(in crate::http) uses: String,
}

impl Fields {
    /// What was typed, or what is usual.
    fn typed(form: &Params) -> Result<Self, Refusal> {
        if !form.names().any(|name| name == "uses") {
            let (days, uses) = ("7".to_owned(), "1".to_owned());
            return Ok(Self { days, groups: String::new(), roles: vec!["user".to_owned()], uses });
        }
        let text = |name| -> Result<String, Refusal> {
            Ok(form.one(name)?.unwrap_or_default().trim().to_owned())
        };
        Ok(Self {
            days: text("days")?,
            groups: text("groups")?,
            roles: form.many("role").map(str::to_owned).collect(),
            uses: text("uses")?,
        })
    }

    /// What is asked for. A number that is none is zero, which the operation refuses.
    fn request(&self) -> InvitationRequest {
        let days = self.days.parse::<u64>().unwrap_or_default();
        InvitationRequest {
            groups: form::groups(&self.groups),
            lifetime: Some(days.saturating_mul(DAY)),
            roles: self.roles.clone(),
            uses: self.uses.parse().unwrap_or_default(),
        }
    }
}

/// The row of an invitation.
fn row(texts: &Texts, invitation: InvitationView) -> InvitationRow {
    let t = &texts.admin.invitations;
    let state = match invitation.state.as_str() {
        "exhausted" => t.exhausted(),
        "expired" => t.expired(),
        "lapsed" => t.lapsed(),
        "open" => t.open(),
        _ => t.revoked(),
    };
    InvitationRow {
        created: templates::moment_of(&invitation.created),
        expires: templates::moment_of(&invitation.expires),
        groups: invitation.groups.join(", "),
        is_open: ["lapsed", "open"].contains(&invitation.state.as_str()),
        made_by: maker(texts, &invitation.made_by),
        roles: invitation.roles.join(", "),
        state: state.plain(),
        used: invitation.used.to_string(),
        uses: invitation.uses.to_string(),
        id: invitation.id,
    }
}

/// The invitations.
pub(super) async fn list(administrator: Administrator) -> Result<Response, PageFailure> {
    rows::list(&administrator, "/api/v1/invitations", &[], |rows| InvitationsPage {
        page: administrator.page(),
        frame: administrator.frame(),
        may_change: administrator.may(CHANGE),
        rows: rows.map(|invitation| row(administrator.texts(), invitation)),
    })
    .await
}

fn page(administrator: &Administrator, fields: Fields, fault: Fault) -> Response {
    templates::show_alone(&InvitationFormPage {
        page: administrator.page(),
        frame: administrator.frame(),
        action: administrator.here.with_query([]),
        fault,
        roles: form::boxes(administrator, &fields.roles),
        fields,
    })
}

/// The form of an invitation.
pub(super) async fn ask(
    RecentAdministrator(administrator): RecentAdministrator,
) -> Result<Response, PageFailure> {
    check(&administrator)?;
    let fields = Fields::typed(&administrator.query)?;
    Ok(page(&administrator, fields, Fault::default()))
}

/// Makes an invitation, and shows its link.
pub(super) async fn add(
    AdministratorForm { administrator, form }: AdministratorForm,
) -> Result<Response, PageFailure> {
    let fields = Fields::typed(&form)?;
    let added = administrator
        .send::<NewInvitationView>(Method::POST, "/api/v1/invitations", &fields.request())
        .await;
    match added {
        Ok(NewInvitationView { invitation, invitation_url }) => {
            let t = &administrator.texts().admin.setup_link;
            Ok(setup_link::page(
                &administrator,
                setup_link::Content {
                    expires: invitation.expires,
                    lead: t.invitation_lead(u64::from(invitation.uses)).plain(),
                    link: invitation_url,
                    next: AdminPath::of(["invitations"]),
                    next_label: t.to_invitations().plain(),
                    notes: Vec::new(),
                    title: t.invitation().plain(),
                },
            ))
        }
        Err(refused) => {
            administrator.again(refused, &form, |fault| Ok(page(&administrator, fields, fault)))
        }
    }
}

/// The end of an invitation.
pub(super) enum Revoke {}

impl deed::Kind for Revoke {
    const DONE: Done = Done::InvitationRevoked;

    async fn of(administrator: &Administrator, id: &str) -> Result<Deed, PageFailure> {
        let invitation: InvitationView = administrator.get(&path_of("invitations", id)).await?;
        let t = &administrator.texts().admin.invitations;
        let next = AdminPath::of(["invitations"]);
        let left = u64::from(invitation.uses.saturating_sub(invitation.used));
        let question = deed::ending(
            next.clone(),
            t.revoke_title().plain(),
            t.revoke_means(left).plain(),
            t.revoke().plain(),
        );
        Ok(Deed::end(path_of("invitations", &invitation.id), next, question))
    }
}

/// The end of every open invitation.
pub(super) enum RevokeAll {}

impl deed::Kind for RevokeAll {
    const DONE: Done = Done::InvitationsRevoked;

    async fn of(administrator: &Administrator, _: &str) -> Result<Deed, PageFailure> {
        let t = &administrator.texts().admin.invitations;
        let next = AdminPath::of(["invitations"]);
        let question = deed::ending(
            next.clone(),
            t.revoke_all_title().plain(),
            t.revoke_all_means().plain(),
            t.revoke_all().plain(),
        );
        Ok(Deed {
            change: Some((Method::POST, json!({}))),
            next,
            path: "/api/v1/invitations/revoke".to_owned(),
            question,
        })
    }
}
