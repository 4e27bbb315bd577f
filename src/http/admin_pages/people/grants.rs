//! `/gate/admin/grants`: what people have allowed applications.

use askama::Template;
use axum::response::Response;

use super::CHANGE;
use super::deed::{self, Deed};
use crate::admin::grant::GrantView;
use crate::http::admin_pages::administrator::{Administrator, path_of};
use crate::http::admin_pages::frame::Frame;
use crate::http::admin_pages::rows::{self, Rows};
use crate::http::destination::AdminPath;
use crate::http::done::Done;
use crate::http::failure::PageFailure;
use crate::http::pages::templates::{self, Page};
use crate::http::texts::Texts;

#[derive(Template)]
#[template(path = "admin/grants.html", config = "assets/askama.toml")]
pub(in crate::http) struct GrantsPage {
    pub(in crate::http) page: Page,
    pub(in crate::http) frame: Frame,
    pub(in crate::http) may_end: bool,
    pub(in crate::http) rows: Rows<GrantView>,
}

/// The grants in force, or those of a person or a client.
pub(super) async fn list(administrator: Administrator) -> Result<Response, PageFailure> {
    rows::list(&administrator, "/api/v1/grants", &["user", "client"], |rows| GrantsPage {
        page: administrator.page(),
        frame: administrator.frame(),
        may_end: administrator.may(CHANGE),
        rows,
    })
    .await
}

/// The end of a grant.
pub(super) enum End {}

impl deed::Kind for End {
    const DONE: Done = Done::GrantEnded;

    async fn of(administrator: &Administrator, id: &str) -> Result<Deed, PageFailure> {
        let grant: GrantView = administrator.get(&path_of("grants", id)).await?;
        let t = &administrator.texts().admin.grants;
        let next = AdminPath::of(["people", &grant.username]);
        let question = deed::ending(
            next.clone(),
            t.end_title(&grant.client_name, &grant.username).plain(),
            t.end_means().plain(),
            t.end().plain(),
        );
        Ok(Deed::end(path_of("grants", &grant.id), next, question))
    }
}
