//! `/gate/admin/people/{id}`: a person, and everything that they have.

use askama::Template;
use axum::extract::Path;
use axum::http::Method;
use axum::response::Response;
use serde_json::json;

use super::SEE_CLIENTS;
use super::deed::{self, Deed};
use super::form;
use super::grants;
use super::links::{self, LinkRow};
use super::sessions::{self, SessionRow};
use crate::admin::certificate::DeviceCertificateView;
use crate::admin::connection::ConnectionView;
use crate::admin::link::LinkView;
use crate::admin::passkey::PasskeyView;
use crate::admin::personal_token::PersonalTokenView;
use crate::admin::session::SessionView;
use crate::admin::user::UserView;
use crate::http::admin_pages::administrator::{Administrator, path_of};
use crate::http::admin_pages::confirm::Question;
use crate::http::admin_pages::frame::Frame;
use crate::http::admin_pages::roles::{self, RoleItem};
use crate::http::admin_pages::rows;
use crate::http::destination::AdminPath;
use crate::http::done::Done;
use crate::http::failure::PageFailure;
use crate::http::pages::templates::{self, Page};
use crate::http::texts::Texts;

#[derive(Template)]
#[template(path = "admin/person.html", config = "assets/askama.toml")]
pub(in crate::http) struct PersonPage {
    pub(in crate::http) page: Page,
    pub(in crate::http) frame: Frame,
    /// Whether they may change the person, and end what the person has.
    pub(in crate::http) may_end: bool,
    /// Whether they see the pages of clients.
    pub(in crate::http) sees_clients: bool,
    /// Whether they see what happened.
    pub(in crate::http) sees_events: bool,
    pub(in crate::http) certificates: Vec<DeviceCertificateView>,
    pub(in crate::http) grants: Vec<ConnectionView>,
    pub(in crate::http) links: Vec<LinkRow>,
    pub(in crate::http) passkeys: Vec<PasskeyView>,
    pub(in crate::http) roles: Vec<RoleItem>,
    pub(in crate::http) sessions: Vec<SessionRow>,
    pub(in crate::http) tokens: Vec<PersonalTokenView>,
    /// Whether there are more grants, links or sessions, which their own pages list.
    pub(in crate::http) beyond: Beyond,
    pub(in crate::http) user: UserView,
}

/// Of what there is more than the page of a person lists.
#[derive(Default)]
pub(in crate::http) struct Beyond {
    pub(in crate::http) grants: bool,
    pub(in crate::http) links: bool,
    pub(in crate::http) sessions: bool,
}

/// The person.
pub(super) async fn show(
    administrator: Administrator,
    Path(id): Path<String>,
) -> Result<Response, PageFailure> {
    let user: UserView = administrator.get(&path_of("users", &id)).await?;
    let (it, id) = (&administrator, user.id.as_str());
    let texts = it.texts();
    let grants = rows::of_person::<ConnectionView>(it, "/api/v1/connections", id).await?;
    let links = rows::of_person::<LinkView>(it, "/api/v1/links", id).await?;
    let sessions = rows::of_person::<SessionView>(it, "/api/v1/sessions", id).await?;
    let certificates = rows::of_person(it, "/api/v1/bridge/certificates", id).await?;
    let passkeys = rows::of_person(it, "/api/v1/passkeys", id).await?;
    let tokens = rows::of_person(it, "/api/v1/personal-tokens", id).await?;
    Ok(templates::show_alone(&PersonPage {
        page: it.page(),
        frame: it.frame(),
        may_end: form::may_change(it, &user.roles),
        sees_clients: it.may(SEE_CLIENTS),
        sees_events: it.may(&["admin:read"]),
        beyond: Beyond {
            grants: grants.next.is_some(),
            links: links.next.is_some(),
            sessions: sessions.next.is_some(),
        },
        certificates: certificates.items,
        grants: grants.items,
        links: links.items.into_iter().map(|link| links::row(texts, link)).collect(),
        passkeys: passkeys.items,
        roles: roles::of(it, &user.roles),
        sessions: sessions
            .items
            .into_iter()
            .map(|session| SessionRow { person: None, ..sessions::row(it, session) })
            .collect(),
        tokens: tokens.items,
        user,
    }))
}

/// The disabling of a person.
pub(super) enum Disable {}

/// The enabling of a person.
pub(super) enum Enable {}

/// The removal of a person.
pub(super) enum Remove {}

/// A change of whether a person is disabled.
async fn disabling(
    administrator: &Administrator,
    id: &str,
    disabled: bool,
) -> Result<Deed, PageFailure> {
    let user: UserView = administrator.get(&path_of("users", id)).await?;
    let t = &administrator.texts().admin.person;
    let next = AdminPath::person(&user.id);
    let (title, means, button) = if disabled {
        (t.disable_title(&user.display_name), t.disable_means(), t.disable())
    } else {
        (t.enable_title(&user.display_name), t.enable_means(), t.enable())
    };
    let question = Question {
        back: next.clone(),
        button: button.plain(),
        choice: None,
        danger: disabled,
        means: vec![means.plain()],
        ticks: Vec::new(),
        title: title.plain(),
    };
    let change = Some((Method::PATCH, json!({ "disabled": disabled })));
    Ok(Deed { change, next, path: path_of("users", &user.id), question })
}

impl deed::Kind for Disable {
    const DONE: Done = Done::PersonDisabled;

    async fn of(administrator: &Administrator, id: &str) -> Result<Deed, PageFailure> {
        disabling(administrator, id, true).await
    }
}

impl deed::Kind for Enable {
    const DONE: Done = Done::PersonEnabled;

    async fn of(administrator: &Administrator, id: &str) -> Result<Deed, PageFailure> {
        disabling(administrator, id, false).await
    }
}

impl deed::Kind for Remove {
    const DONE: Done = Done::PersonRemoved;

    async fn of(administrator: &Administrator, id: &str) -> Result<Deed, PageFailure> {
        let user: UserView = administrator.get(&path_of("users", id)).await?;
        let t = &administrator.texts().admin.person;
        let means = match user.passkeys {
            0 => t.remove_means_keyless(),
            passkeys => t.remove_means(passkeys),
        };
        let question = deed::ending(
            AdminPath::person(&user.id),
            t.remove_title(&user.display_name).plain(),
            means.plain(),
            t.remove().plain(),
        );
        Ok(Deed::end(path_of("users", &user.id), AdminPath::of(["people"]), question))
    }
}
