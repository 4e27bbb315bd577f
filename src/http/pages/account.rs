//! `/gate/account` and the pages around it.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;

use super::connections;
use super::cookie::without_session_cookie;
use super::login::{self, SignInPrompt};
use super::templates::{self, AccountPage, LoggedOutPage, Page, PasskeyItem};
use crate::app::App;
use crate::flow::person::enroll;
use crate::flow::session;
use crate::http::destination::PagePath;
use crate::http::extract::browser::Browser;
use crate::http::extract::own_page::PageForm;
use crate::http::failure::PageFailure;
use crate::http::redirect;
use crate::model::person::Role;
use crate::model::user_agent::DeviceInfo;
use crate::store::schema::Passkey;

/// The account page of the person who is signed in. A browser that is not signed in is redirected
/// to the sign-in page.
pub(in crate::http) async fn show(
    State(app): State<Arc<App>>,
    browser: Browser,
    device: DeviceInfo,
) -> Result<Response, PageFailure> {
    let cx = app.context();
    let Some(session) = browser.live_session(&app, &app.read()?, &cx)? else {
        return Ok(redirect::to_page(&PagePath::Login));
    };
    if session.needs_touch(&cx) {
        let id = session.id();
        app.record(move |tx, cx| session::touch(tx, cx, id, Some(&device))).await?;
    }
    let view = app.read()?;
    let connected = connections::of(&view, &cx, &session)?;
    let passkeys = enroll::passkeys(&view, session.user())?;
    let person = session.person();
    Ok(templates::show_alone(&AccountPage {
        page: Page::of(&app, &browser),
        display_name: person.display_name.to_string(),
        username: person.username.to_string(),
        email: person.email.as_ref().map(ToString::to_string).unwrap_or_default(),
        admin: person.roles.iter().any(|role| role.as_str() == Role::ADMIN),
        issuer: app.rules().issuer.to_string(),
        passkeys: passkeys.iter().map(|(_, passkey)| passkey_item(passkey)).collect(),
        apps: connected.apps,
        sessions: connected.sessions,
        bridges: connected.bridges,
        tokens: connected.tokens,
    }))
}

fn passkey_item(passkey: &Passkey) -> PasskeyItem {
    PasskeyItem {
        name: passkey.name.to_string(),
        created: templates::day(passkey.created),
        last_used: passkey.used.map_or_else(|| "never".to_owned(), templates::day),
        backed_up: passkey.backed_up,
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
    PageForm { browser, .. }: PageForm,
) -> Result<Response, PageFailure> {
    if let Some(holder) = browser.session(&app) {
        app.write(move |tx, cx| session::sign_out(tx, cx, &holder)).await?;
    }
    Ok(without_session_cookie(&app, redirect::to_page(&PagePath::LoggedOut)))
}

pub(in crate::http) async fn signed_out(State(app): State<Arc<App>>) -> Response {
    templates::show(&LoggedOutPage { page: Page::anonymous(&app), astray: false })
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
