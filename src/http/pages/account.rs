//! `/gate/account` and the pages around it.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;

use super::connections;
use super::cookie::without_session_cookie;
use super::email::{self, EmailField};
use super::login::{self, SignInPrompt};
use super::own_passkeys;
use super::templates::{self, AccountPage, LoggedOutPage, Page};
use crate::app::App;
use crate::flow::person::{passkeys, people, recovery_codes};
use crate::flow::session::{self, LiveSession};
use crate::http::about::About;
use crate::http::destination::PagePath;
use crate::http::extract::body::Query;
use crate::http::extract::browser::Browser;
use crate::http::extract::own_page::PageForm;
use crate::http::failure::PageFailure;
use crate::http::redirect;
use crate::model::actor::Acting;
use crate::model::person::Role;
use crate::model::user_agent::DeviceInfo;

/// The account page of the person who is signed in. A browser that is not signed in is redirected
/// to the sign-in page.
pub(in crate::http) async fn show(
    State(app): State<Arc<App>>,
    browser: Browser,
    device: DeviceInfo,
    Query(query): Query,
) -> Result<Response, PageFailure> {
    let cx = app.context();
    let Some(session) = browser.live_session(&app, &app.read()?, &cx)? else {
        return Ok(redirect::to_page(&PagePath::Login));
    };
    if session.needs_touch(&cx) {
        let id = session.id();
        app.record(move |tx, cx| session::touch(tx, cx, id, Some(&device))).await?;
    }
    let removed = query.one("passkey")? == Some("removed");
    page(&app, &browser, &session, EmailField::of(session.person()), removed)
}

fn page(
    app: &App,
    browser: &Browser,
    session: &LiveSession,
    email: EmailField,
    removed: bool,
) -> Result<Response, PageFailure> {
    let (view, cx) = (app.read()?, app.context());
    let connected = connections::of(&view, &cx, session, browser.language().texts())?;
    let passkeys = passkeys::of(&view, session.user())?;
    let person = session.person();
    let page = Page::of(app, browser);
    let accepted = removed.then(|| own_passkeys::accepted(app, session.user(), &passkeys));
    Ok(templates::show_alone(&AccountPage {
        accepted,
        display_name: person.display_name.to_string(),
        username: person.username.to_string(),
        email,
        admin: person.roles.iter().any(|role| role.as_str() == Role::ADMIN),
        issuer: app.rules().issuer.to_string(),
        codes: recovery_codes::left(&view, session.user())?,
        passkeys: passkeys.iter().map(|(_, passkey)| own_passkeys::item(page.t, passkey)).collect(),
        page,
        apps: connected.apps,
        sessions: connected.sessions,
        bridges: connected.bridges,
        hosts: connected.hosts,
        tokens: connected.tokens,
    }))
}

/// Stores the e-mail address that the person typed, or takes theirs away if it is empty.
pub(in crate::http) async fn set_email(
    State(app): State<Arc<App>>,
    acting: Acting,
    PageForm { browser, form }: PageForm,
) -> Result<Response, PageFailure> {
    let Some(session) = browser.live_session(&app, &app.read()?, &app.context())? else {
        return Ok(redirect::to_page(&PagePath::Login));
    };
    let (user, typed) = (session.user(), email::typed(&form)?);
    let stored = match email::parsed(&typed) {
        Ok(email) => {
            app.write_by(acting, move |tx, cx| people::set_own_email(tx, cx, user, email.as_ref()))
                .await
        }
        Err(refusal) => Err(refusal.into()),
    };
    match stored {
        Ok(()) => Ok(redirect::to_page(&PagePath::Account)),
        Err(error) => {
            let Some(field) = EmailField::refused(browser.language().texts(), typed, &error) else {
                return Err(error.into());
            };
            Ok(email::refusing(page(&app, &browser, &session, field, false)?, error))
        }
    }
}

/// The sign-in page, for a sign-in that no client requested.
pub(in crate::http) async fn login(
    State(app): State<Arc<App>>,
    browser: Browser,
) -> Result<Response, PageFailure> {
    if browser.live_session(&app, &app.read()?, &app.context())?.is_some() {
        return Ok(redirect::to_page(&PagePath::Account));
    }
    Ok(login::page(&app, browser, SignInPrompt::to(PagePath::Account))?)
}

/// Ends the browser's session.
pub(in crate::http) async fn sign_out(
    State(app): State<Arc<App>>,
    acting: Acting,
    PageForm { browser, .. }: PageForm,
) -> Result<Response, PageFailure> {
    if let Some(holder) = browser.session(&app) {
        app.write_by(acting, move |tx, cx| session::sign_out(tx, cx, &holder)).await?;
    }
    Ok(without_session_cookie(&app, redirect::to_page(&PagePath::LoggedOut)))
}

pub(in crate::http) async fn signed_out(State(app): State<Arc<App>>, about: About) -> Response {
    let page = Page::anonymous(&app, about.language());
    templates::show(&LoggedOutPage { page, astray: false })
}

pub(in crate::http) async fn home() -> Response {
    redirect::to_page(&PagePath::Account)
}

pub(in crate::http) async fn to_account() -> Response {
    redirect::to_page(&PagePath::Account)
}

pub(in crate::http) async fn to_login() -> Response {
    redirect::to_page(&PagePath::Login)
}

/// Redirects a setup link. Its token is in the fragment, which a browser keeps across a redirect.
pub(in crate::http) async fn to_setup() -> Response {
    redirect::to_page(&PagePath::Setup)
}
