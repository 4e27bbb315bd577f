//! The page that asks once more before something is done, and says what it means.

use askama::Template;
use axum::response::Response;

use super::administrator::Administrator;
use super::frame::Frame;
use super::refused::Fault;
use crate::http::destination::AdminPath;
use crate::http::pages::templates::{self, Page};
use crate::http::texts::Texts;

/// What is asked. Its form is posted to the page's own path.
pub(in crate::http) struct Question {
    /// The page to go back to.
    pub(in crate::http) back: AdminPath,
    /// What the button says.
    pub(in crate::http) button: String,
    /// What there is to choose from.
    pub(in crate::http) choice: Option<OneOf>,
    /// Whether it cannot be undone.
    pub(in crate::http) danger: bool,
    /// What it means, a paragraph each.
    pub(in crate::http) means: Vec<String>,
    /// What can be ticked.
    pub(in crate::http) ticks: Vec<Tick>,
    /// What is asked, as a heading.
    pub(in crate::http) title: String,
}

/// Exactly one of several.
pub(in crate::http) struct OneOf {
    /// The value that is chosen.
    pub(in crate::http) chosen: &'static str,
    /// What is chosen.
    pub(in crate::http) legend: String,
    /// The name of the field.
    pub(in crate::http) name: &'static str,
    /// The values, with their labels.
    pub(in crate::http) options: Vec<(&'static str, String)>,
}

/// A box that can be ticked.
pub(in crate::http) struct Tick {
    /// The name of its field. The value is `yes`.
    pub(in crate::http) name: &'static str,
    /// Its label.
    pub(in crate::http) label: String,
    /// Whether it is ticked.
    pub(in crate::http) on: bool,
}

#[derive(Template)]
#[template(path = "admin/confirm.html", config = "assets/askama.toml")]
pub(in crate::http) struct ConfirmPage {
    pub(in crate::http) page: Page,
    pub(in crate::http) frame: Frame,
    pub(in crate::http) action: AdminPath,
    /// Why it was not done; empty: it was not tried.
    pub(in crate::http) fault: Fault,
    pub(in crate::http) question: Question,
}

/// The page with the question. `fault` says why it was not done; it is empty at first.
pub(super) fn page(administrator: &Administrator, question: Question, fault: Fault) -> Response {
    templates::show_alone(&ConfirmPage {
        page: administrator.page(),
        frame: administrator.frame(),
        action: administrator.here.with_query([]),
        fault,
        question,
    })
}
