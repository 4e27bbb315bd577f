//! `/gate/account/sessions/others`: the end of every other session of a person.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;

use crate::app::App;
use crate::error::Refusal;
use crate::flow::bridge::belongings;
use crate::flow::person::own;
use crate::flow::session;
use crate::http::destination::PagePath;
use crate::http::done::Done;
use crate::http::extract::browser::Browser;
use crate::http::extract::own_page::PageForm;
use crate::http::failure::PageFailure;
use crate::http::pages::own_passkeys::recently;
use crate::http::pages::templates::{self, Page};
use crate::http::redirect;
use crate::http::texts::Texts;
use crate::model::actor::Acting;
use crate::store::Span;

/// The most sessions and devices that are counted.
const MAX_COUNTED: usize = 100;

#[derive(Template)]
#[template(path = "other_sessions.html", config = "assets/askama.toml")]
pub(in crate::http) struct OtherSessionsPage {
    pub(in crate::http) page: Page,
    /// The number of linked devices.
    pub(in crate::http) devices: usize,
    /// The number of other sessions.
    pub(in crate::http) others: usize,
}

/// The page that asks whether every other session ends.
pub(in crate::http) async fn show(
    State(app): State<Arc<App>>,
    browser: Browser,
) -> Result<Response, PageFailure> {
    recently(&app, browser, PagePath::OtherSessions, |browser, own| {
        let (view, cx, user) = (app.read()?, app.context(), own.user());
        let sessions = session::list(&view, &cx, Some(user), &Span::first(MAX_COUNTED))?.items;
        Ok(templates::show_alone(&OtherSessionsPage {
            page: Page::of(&app, browser),
            devices: belongings::of(&view, &cx, user, MAX_COUNTED)?.len(),
            others: sessions.iter().filter(|session| session.id() != own.id()).count(),
        }))
    })
}

/// Ends every session of the person but this one; and their linked devices, if they tick that.
pub(in crate::http) async fn end(
    State(app): State<Arc<App>>,
    acting: Acting,
    PageForm { browser, form }: PageForm,
) -> Result<Response, PageFailure> {
    let Some(holder) = browser.session(&app) else {
        return Ok(redirect::to_page(&PagePath::OtherSessions));
    };
    let devices = form.one("devices")?.is_some();
    let ended = app.write_by(acting, move |tx, cx| own::end_others(tx, cx, &holder, devices)).await;
    match ended {
        Ok(()) => Ok(redirect::to_page_after(Done::OthersSignedOut, &PagePath::Account)),
        Err(error) if error.refusal() == Some(Refusal::SignInStale) => {
            Ok(redirect::to_page(&PagePath::OtherSessions))
        }
        Err(error) => Err(error.into()),
    }
}
