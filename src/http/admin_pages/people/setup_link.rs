//! A new link, which is displayed once.

use askama::Template;
use axum::response::Response;

use crate::http::admin_pages::administrator::Administrator;
use crate::http::admin_pages::drawing::Drawing;
use crate::http::admin_pages::frame::Frame;
use crate::http::destination::AdminPath;
use crate::http::pages::templates::{self, Page};
use crate::http::texts::Texts;

#[derive(Template)]
#[template(path = "admin/setup_link.html", config = "assets/askama.toml")]
pub(in crate::http) struct SetupLinkPage {
    pub(in crate::http) page: Page,
    pub(in crate::http) frame: Frame,
    pub(in crate::http) content: Content,
    pub(in crate::http) drawing: Option<Drawing>,
}

/// What the page says of a link.
pub(in crate::http) struct Content {
    /// Its expiry.
    pub(in crate::http) expires: String,
    /// What it is for.
    pub(in crate::http) lead: String,
    pub(in crate::http) link: String,
    /// The page to go on to.
    pub(in crate::http) next: AdminPath,
    pub(in crate::http) next_label: String,
    /// What else was done.
    pub(in crate::http) notes: Vec<String>,
    pub(in crate::http) title: String,
}

/// The page of a new link.
pub(super) fn page(administrator: &Administrator, content: Content) -> Response {
    templates::show_alone(&SetupLinkPage {
        page: administrator.page(),
        frame: administrator.frame(),
        drawing: Drawing::qr_code(&content.link),
        content,
    })
}
