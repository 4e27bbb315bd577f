//! What is displayed once: the secret of a client, and what to paste on the side of its application.

use askama::Template;
use axum::response::Response;

use crate::admin::client::ClientView;
use crate::http::admin_pages::administrator::Administrator;
use crate::http::admin_pages::frame::Frame;
use crate::http::destination::AdminPath;
use crate::http::pages::templates::{self, Page};
use crate::http::texts::Texts;

/// What became of a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::http) enum Made {
    /// It is new.
    Added,
    /// It was changed.
    Changed,
    /// It has a new secret.
    Rotated,
}

#[derive(Template)]
#[template(path = "admin/client_made.html", config = "assets/askama.toml")]
pub(in crate::http) struct ClientMadePage {
    pub(in crate::http) page: Page,
    pub(in crate::http) frame: Frame,
    pub(in crate::http) client: ClientView,
    pub(in crate::http) environment: Option<String>,
    pub(in crate::http) made: Made,
}

impl ClientMadePage {
    /// The page of the client.
    fn to_client(&self) -> AdminPath {
        AdminPath::client(&self.client.client_id)
    }
}

/// The page of a client that was added or changed, or whose secret is new.
pub(in crate::http::admin_pages) fn page(
    administrator: &Administrator,
    client: ClientView,
    made: Made,
) -> Response {
    let issuer = &administrator.app().rules().issuer;
    // The settings of a known application have all that it needs.
    let pasted = made == Made::Added && client.setup.is_none();
    let environment = pasted.then(|| client.environment(Some(issuer.as_str())));
    templates::show_alone(&ClientMadePage {
        page: administrator.page(),
        frame: administrator.frame(),
        client,
        environment,
        made,
    })
}
