//! `/gate/admin/links`: setup links.

use askama::Template;
use axum::http::Method;
use axum::response::Response;
use serde_json::json;

use super::CHANGE;
use super::deed::{self, Deed};
use crate::admin::event::ActorView;
use crate::admin::link::LinkView;
use crate::http::admin_pages::administrator::{Administrator, path_of};
use crate::http::admin_pages::frame::Frame;
use crate::http::admin_pages::rows::{self, Rows};
use crate::http::destination::AdminPath;
use crate::http::done::Done;
use crate::http::failure::PageFailure;
use crate::http::pages::templates::{self, Page};
use crate::http::texts::{Day, Texts};

#[derive(Template)]
#[template(path = "admin/links.html", config = "assets/askama.toml")]
pub(in crate::http) struct LinksPage {
    pub(in crate::http) page: Page,
    pub(in crate::http) frame: Frame,
    pub(in crate::http) may_end: bool,
    pub(in crate::http) rows: Rows<LinkRow>,
}

/// A setup link, as a page lists it.
pub(in crate::http) struct LinkRow {
    pub(in crate::http) created: Day,
    pub(in crate::http) expires: Day,
    pub(in crate::http) id: String,
    pub(in crate::http) is_open: bool,
    pub(in crate::http) made_by: String,
    /// The id and the name of its person.
    pub(in crate::http) person: Option<(String, String)>,
    pub(in crate::http) purpose: String,
    pub(in crate::http) state: String,
}

/// Who made something, as a page names them.
pub(super) fn maker(t: &Texts, actor: &ActorView) -> String {
    let name = actor.username.clone().or_else(|| actor.client_id.clone());
    name.unwrap_or_else(|| match actor.kind.as_str() {
        "operator" => t.admin.links.by_operator().plain(),
        _ => t.admin.links.by_server().plain(),
    })
}

/// The row of a link.
pub(super) fn row(texts: &Texts, link: LinkView) -> LinkRow {
    let t = &texts.admin.links;
    let purpose = match link.purpose.as_str() {
        "first" => t.first(),
        "further" => t.further(),
        "new" => t.new_person(),
        _ => t.recovery(),
    };
    let state = match link.state.as_str() {
        "disabled" => t.disabled(),
        "expired" => t.expired(),
        "open" => t.open(),
        "removed" => t.removed(),
        "revoked" => t.revoked(),
        "superseded" => t.superseded(),
        _ => t.used(),
    };
    LinkRow {
        created: templates::moment_of(&link.created),
        expires: templates::moment_of(&link.expires),
        is_open: link.state == "open",
        made_by: maker(texts, &link.made_by),
        purpose: purpose.plain(),
        state: state.plain(),
        id: link.id,
        person: link.user_id.zip(link.username),
    }
}

/// The links of the last days, or those of a person.
pub(super) async fn list(administrator: Administrator) -> Result<Response, PageFailure> {
    rows::list(&administrator, "/api/v1/links", &["user"], |rows| LinksPage {
        page: administrator.page(),
        frame: administrator.frame(),
        may_end: administrator.may(CHANGE),
        rows: rows.map(|link| row(administrator.texts(), link)),
    })
    .await
}

/// The end of a link.
pub(super) enum Revoke {}

impl deed::Kind for Revoke {
    const DONE: Done = Done::LinkRevoked;

    async fn of(administrator: &Administrator, id: &str) -> Result<Deed, PageFailure> {
        let link: LinkView = administrator.get(&path_of("links", id)).await?;
        let t = &administrator.texts().admin.links;
        let (next, title) = match (&link.user_id, &link.username) {
            (Some(id), Some(name)) => (AdminPath::person(id), t.revoke_title_of(name)),
            (_, None) | (None, _) => (AdminPath::of(["links"]), t.revoke_title()),
        };
        let question =
            deed::ending(next.clone(), title.plain(), t.revoke_means().plain(), t.revoke().plain());
        Ok(Deed::end(path_of("links", &link.id), next, question))
    }
}

/// The end of every open link.
pub(super) enum RevokeAll {}

impl deed::Kind for RevokeAll {
    const DONE: Done = Done::LinksRevoked;

    async fn of(administrator: &Administrator, _: &str) -> Result<Deed, PageFailure> {
        let t = &administrator.texts().admin.links;
        let back = AdminPath::of(["links"]);
        let title = t.revoke_all_title().plain();
        Ok(Deed {
            change: Some((Method::POST, json!({}))),
            next: back.clone(),
            path: "/api/v1/links/revoke".to_owned(),
            question: deed::ending(
                back,
                title,
                t.revoke_all_means().plain(),
                t.revoke_all().plain(),
            ),
        })
    }
}
