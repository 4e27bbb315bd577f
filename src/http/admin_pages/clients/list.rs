//! `/gate/admin/clients`: the list.

use askama::Template;
use axum::response::Response;

use crate::admin::client::{ClientOrigin, ClientView};
use crate::http::admin_pages::administrator::Administrator;
use crate::http::admin_pages::frame::Frame;
use crate::http::admin_pages::rows::{self, Rows};
use crate::http::destination::AdminPath;
use crate::http::failure::PageFailure;
use crate::http::pages::templates::Page;
use crate::http::texts::Texts;

#[derive(Template)]
#[template(path = "admin/clients.html", config = "assets/askama.toml")]
pub(in crate::http) struct ClientsPage {
    pub(in crate::http) page: Page,
    pub(in crate::http) frame: Frame,
    pub(in crate::http) rows: Rows<ClientView>,
    pub(in crate::http) may_add: bool,
}

impl ClientsPage {
    /// The page of a client.
    fn to(&self, client: &ClientView) -> AdminPath {
        AdminPath::of(["clients", client.client_id.as_str()])
    }
}

/// The clients.
pub(in crate::http::admin_pages) async fn list(
    administrator: Administrator,
) -> Result<Response, PageFailure> {
    let (page, frame) = (administrator.page(), administrator.frame());
    let may_add = administrator.may(&["admin:clients"]);
    rows::list(&administrator, "/api/v1/clients", &["q"], |rows| ClientsPage {
        page,
        frame,
        rows,
        may_add,
    })
    .await
}
