//! `/gate/admin/grants`: what people let applications do, by grants and by remembered consents.

use askama::Template;
use axum::response::Response;

use super::deed::{self, Deed};
use super::{CHANGE, SEE_CLIENTS, grants};
use crate::admin::connection::ConnectionView;
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
    /// Whether they see the pages of clients.
    pub(in crate::http) sees_clients: bool,
    pub(in crate::http) rows: Rows<ConnectionView>,
}

/// The page that asks whether a connection shall end.
pub(in crate::http) fn end_of(connection: &ConnectionView) -> AdminPath {
    AdminPath::of(["grants", connection.id.as_str(), "end"])
}

/// The connections, or those of a person or a client.
pub(super) async fn list(administrator: Administrator) -> Result<Response, PageFailure> {
    rows::list(&administrator, "/api/v1/connections", &["user", "client"], |rows| GrantsPage {
        page: administrator.page(),
        frame: administrator.frame(),
        may_end: administrator.may(CHANGE),
        sees_clients: administrator.may(SEE_CLIENTS),
        rows,
    })
    .await
}

/// The end of a connection.
pub(super) enum End {}

impl deed::Kind for End {
    const DONE: Done = Done::GrantEnded;

    async fn of(administrator: &Administrator, id: &str) -> Result<Deed, PageFailure> {
        let found: ConnectionView = administrator.get(&path_of("connections", id)).await?;
        let t = &administrator.texts().admin.grants;
        let next = AdminPath::person(&found.user_id);
        let means = if found.first_party { t.end_means_own() } else { t.end_means() };
        let question = deed::ending(
            next.clone(),
            t.end_title(&found.client_name, &found.username).plain(),
            means.plain(),
            t.end().plain(),
        );
        Ok(Deed::end(path_of("connections", &found.id), next, question))
    }
}
