//! `/gate/admin/resources/{resource}`: a resource, with what its resource server serves.

use askama::Template;
use axum::extract::Path;
use axum::response::Response;

use crate::admin::resource::ResourceView;
use crate::http::admin_pages::administrator::{Administrator, path_of};
use crate::http::admin_pages::frame::Frame;
use crate::http::destination::AdminPath;
use crate::http::failure::PageFailure;
use crate::http::pages::templates::{self, Page};
use crate::http::texts::Texts;

#[derive(Template)]
#[template(path = "admin/resource.html", config = "assets/askama.toml")]
pub(in crate::http) struct ResourcePage {
    pub(in crate::http) page: Page,
    pub(in crate::http) frame: Frame,
    pub(in crate::http) may_change: bool,
    pub(in crate::http) resource: ResourceView,
}

impl ResourcePage {
    /// The page `act` of the resource.
    fn to(&self, act: &str) -> String {
        format!("{}/{act}", AdminPath::of(["resources", self.resource.resource.as_str()]))
    }

    /// The page of the client as which it introspects.
    fn client(&self, id: &str) -> AdminPath {
        AdminPath::client(id)
    }
}

/// The page of a resource, with its secret if it is new.
pub(super) fn page(administrator: &Administrator, resource: ResourceView) -> Response {
    templates::show_alone(&ResourcePage {
        page: administrator.page(),
        frame: administrator.frame(),
        may_change: administrator.may(&["admin:clients"]),
        resource,
    })
}

/// A resource.
pub(in crate::http::admin_pages) async fn show(
    administrator: Administrator,
    Path(named): Path<String>,
) -> Result<Response, PageFailure> {
    let resource = administrator.get(&path_of("resources", &named)).await?;
    Ok(page(&administrator, resource))
}
