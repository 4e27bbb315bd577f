//! `/gate/admin`: what runs, how it is, and what happened lately.

use askama::Template;
use axum::response::Response;

use super::administrator::Administrator;
use super::frame::Frame;
use crate::admin::doctor::{ExaminationView, FindingState, FindingView};
use crate::admin::event::EventView;
use crate::admin::listing::ListView;
use crate::admin::server::ServerView;
use crate::http::failure::PageFailure;
use crate::http::pages::templates::{self, Page};
use crate::http::texts::Texts;

/// The number of events on the page.
const EVENTS: usize = 10;

#[derive(Template)]
#[template(path = "admin/overview.html", config = "assets/askama.toml")]
pub(in crate::http) struct OverviewPage {
    pub(in crate::http) page: Page,
    pub(in crate::http) frame: Frame,
    pub(in crate::http) issuer: String,
    /// The rest, for whoever may see all.
    pub(in crate::http) seen: Option<Seen>,
}

/// What an administrator sees who may see all.
pub(in crate::http) struct Seen {
    pub(in crate::http) events: Vec<EventView>,
    /// What is not as it should be.
    pub(in crate::http) findings: Vec<FindingView>,
    pub(in crate::http) server: ServerView,
    /// The version that runs.
    pub(in crate::http) version: &'static str,
}

/// The overview.
pub(super) async fn show(administrator: Administrator) -> Result<Response, PageFailure> {
    let seen = if administrator.may(&["admin:read"]) {
        // Nobody waits for the addresses of clients to be tried.
        let examination: ExaminationView = administrator.get("/api/v1/doctor/glance").await?;
        let amiss = |finding: &FindingView| {
            matches!(finding.state, FindingState::Problem | FindingState::Warning)
        };
        let events = format!("/api/v1/events?limit={EVENTS}");
        let events: ListView<EventView> = administrator.get(&events).await?;
        Some(Seen {
            events: events.items,
            findings: examination.checks.into_iter().filter(amiss).collect(),
            server: administrator.get("/api/v1/server").await?,
            version: env!("CARGO_PKG_VERSION"),
        })
    } else {
        None
    };
    Ok(templates::show_alone(&OverviewPage {
        page: administrator.page(),
        frame: administrator.frame(),
        issuer: administrator.app().rules().issuer.to_string(),
        seen,
    }))
}
