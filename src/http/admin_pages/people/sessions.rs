//! `/gate/admin/sessions`: the live sessions of browsers, of bridges and of nobody.

use askama::Template;
use axum::response::Response;

use super::CHANGE;
use super::deed::{self, Deed};
use crate::admin::bridge::COMMAND_LINE;
use crate::admin::session::{DeviceView, SessionKind, SessionView};
use crate::http::admin_pages::administrator::{Administrator, path_of};
use crate::http::admin_pages::frame::Frame;
use crate::http::admin_pages::rows::{self, Rows};
use crate::http::destination::AdminPath;
use crate::http::done::Done;
use crate::http::failure::PageFailure;
use crate::http::pages::templates::{self, Page};
use crate::http::texts::{Day, Texts};
use crate::oauth::id::BRIDGE_CLIENT_ID;

#[derive(Template)]
#[template(path = "admin/sessions.html", config = "assets/askama.toml")]
pub(in crate::http) struct SessionsPage {
    pub(in crate::http) page: Page,
    pub(in crate::http) frame: Frame,
    pub(in crate::http) may_end: bool,
    pub(in crate::http) rows: Rows<SessionRow>,
}

/// A session, as a page lists it.
pub(in crate::http) struct SessionRow {
    pub(in crate::http) address: String,
    /// The client of a session that is not a browser's.
    pub(in crate::http) client: Option<String>,
    pub(in crate::http) created: Day,
    pub(in crate::http) expires: Day,
    pub(in crate::http) id: String,
    /// Of what it is.
    pub(in crate::http) kind: String,
    /// Whether it is the one of the browser that looks at it.
    pub(in crate::http) own: bool,
    /// The id and the name of its person, where they are to be named.
    pub(in crate::http) person: Option<(String, String)>,
    /// The program, and the system that it runs on.
    pub(in crate::http) program: String,
    /// The time of its last use.
    pub(in crate::http) seen: Option<Day>,
}

/// The program that opened a session, and the system that it runs on.
fn program(t: &Texts, device: &DeviceView) -> String {
    match (&device.program, &device.system) {
        (Some(program), Some(system)) => t.program.on(program, system).plain(),
        (Some(one), None) | (None, Some(one)) => one.clone(),
        (None, None) => t.program.unknown().plain(),
    }
}

/// The row of a session.
pub(super) fn row(administrator: &Administrator, session: SessionView) -> SessionRow {
    let texts = administrator.texts();
    let t = &texts.admin.sessions;
    let (kind, person, client, seen) = match session.kind {
        SessionKind::Anonymous { client_id, .. } => (t.anonymous(), None, Some(client_id), None),
        SessionKind::Browser { seen, user_id, username, .. } => {
            (t.browser(), Some((user_id, username)), None, Some(seen))
        }
        SessionKind::Bridge { client_id, seen, user_id, username } => {
            (t.bridge(), Some((user_id, username)), Some(client_id), Some(seen))
        }
    };
    SessionRow {
        address: if session.device.address == COMMAND_LINE {
            texts.admin.links.by_operator().plain()
        } else {
            session.device.address.clone()
        },
        // That of every bridge says no more than its kind.
        client: client.filter(|client| client != BRIDGE_CLIENT_ID),
        created: templates::moment_of(&session.created),
        expires: templates::moment_of(&session.expires),
        own: session.id == administrator.session.to_string(),
        id: session.id,
        kind: kind.plain(),
        person,
        program: program(texts, &session.device),
        seen: seen.as_deref().map(templates::moment_of),
    }
}

/// The live sessions, or those of a person.
pub(super) async fn list(administrator: Administrator) -> Result<Response, PageFailure> {
    rows::list(&administrator, "/api/v1/sessions", &["user"], |rows| SessionsPage {
        page: administrator.page(),
        frame: administrator.frame(),
        may_end: administrator.may(CHANGE),
        rows: rows.map(|session| row(&administrator, session)),
    })
    .await
}

/// The end of a session.
pub(super) enum End {}

impl deed::Kind for End {
    const DONE: Done = Done::SessionEnded;

    async fn of(administrator: &Administrator, id: &str) -> Result<Deed, PageFailure> {
        let session: SessionView = administrator.get(&path_of("sessions", id)).await?;
        let texts = administrator.texts();
        let t = &texts.admin.sessions;
        let means = match session.kind {
            SessionKind::Anonymous { .. } => t.end_means_anonymous(),
            SessionKind::Bridge { .. } => texts.admin.bridges.end_means(),
            SessionKind::Browser { .. } => t.end_means(),
        };
        let row = row(administrator, session);
        let (next, title) = match &row.person {
            Some((id, name)) => (AdminPath::person(id), t.end_title_of(&row.program, name)),
            None => (AdminPath::of(["sessions"]), t.end_title(&row.program)),
        };
        let mut question =
            deed::ending(next.clone(), title.plain(), means.plain(), t.end_it().plain());
        let mut which = t.since(&row.created, &row.address).plain();
        if let Some(seen) = &row.seen {
            which.push_str(" · ");
            which.push_str(&t.seen(seen).plain());
        }
        question.means.insert(0, which);
        if row.own {
            question.means.push(texts.beside.hints.own_session().plain());
        }
        Ok(Deed::end(path_of("sessions", &row.id), next, question))
    }
}
