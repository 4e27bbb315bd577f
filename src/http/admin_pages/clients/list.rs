//! `/gate/admin/clients`: the list.

use askama::Template;
use axum::response::Response;

use crate::admin::client::{ClientOrigin, ClientView};
use crate::http::admin_pages::administrator::{Administrator, path_of};
use crate::http::admin_pages::frame::Frame;
use crate::http::admin_pages::rows::{self, Rows};
use crate::http::destination::AdminPath;
use crate::http::failure::PageFailure;
use crate::http::pages::asker::ClientMark;
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
    fn mark(&self, client: &ClientView) -> ClientMark {
        ClientMark::of_view(client)
    }

    /// The page of a client.
    fn to(&self, client: &ClientView) -> AdminPath {
        AdminPath::client(&client.client_id)
    }
}

/// The clients. A search finds those whose name begins so, if an operator registered them, and the one
/// that is named otherwise: by its id, or the beginning of its id.
pub(in crate::http::admin_pages) async fn list(
    administrator: Administrator,
) -> Result<Response, PageFailure> {
    let (page, frame) = (administrator.page(), administrator.frame());
    let may_add = administrator.may(&["admin:clients"]);
    let searched = administrator.query.one("q")?.map(str::trim).filter(|typed| !typed.is_empty());
    let is_first = administrator.query.one("cursor")?.is_none();
    let named: Option<ClientView> = match searched {
        Some(typed) if is_first => administrator.get(&path_of("clients", typed)).await.ok(),
        _ => None,
    };
    rows::list(&administrator, "/api/v1/clients", &["q"], |mut rows: Rows<ClientView>| {
        let is_listed =
            |own: &ClientView| rows.items.iter().any(|listed| listed.client_id == own.client_id);
        if let Some(named) = named.filter(|own| !is_listed(own)) {
            rows.items.insert(0, named);
        }
        ClientsPage { page, frame, rows, may_add }
    })
    .await
}
