//! `/gate/admin/people`: the people.

use askama::Template;
use axum::response::Response;

use super::CHANGE;
use crate::admin::user::UserView;
use crate::http::admin_pages::administrator::Administrator;
use crate::http::admin_pages::frame::Frame;
use crate::http::admin_pages::rows::{self, Rows};
use crate::http::failure::PageFailure;
use crate::http::pages::templates::Page;
use crate::http::texts::Texts;

#[derive(Template)]
#[template(path = "admin/people.html", config = "assets/askama.toml")]
pub(in crate::http) struct PeoplePage {
    pub(in crate::http) page: Page,
    pub(in crate::http) frame: Frame,
    pub(in crate::http) may_add: bool,
    pub(in crate::http) rows: Rows<UserView>,
}

/// The people, or those whose name begins so.
pub(super) async fn list(administrator: Administrator) -> Result<Response, PageFailure> {
    rows::list(&administrator, "/api/v1/users", &["q"], |rows| PeoplePage {
        page: administrator.page(),
        frame: administrator.frame(),
        may_add: administrator.may(CHANGE),
        rows,
    })
    .await
}
