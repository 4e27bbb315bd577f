//! `/gate/account` and the pages around it.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::HeaderMap;
use axum::response::Response;

use super::browser::{Browser, check_same_origin, with_browser_cookie, with_cookie};
use super::connections;
use super::cookie::Cookie;
use super::templates::{self, AccountPage, LoggedOutPage, LoginPage, Page, PasskeyItem, see_other};
use crate::app::App;
use crate::error::Refusal;
use crate::flow::Context;
use crate::flow::person::{enroll, people};
use crate::flow::session::{self, LiveSession};
use crate::http::extract::{body, peer};
use crate::http::failure::Failure;
use crate::model::person::Role;
use crate::oauth::params::Params;
use crate::store::schema::Passkey;
use crate::store::{StoreError, View};

/// The account of whoever is signed in; everybody else signs in first.
pub(in crate::http) async fn show(
    State(app): State<Arc<App>>,
    request: Request,
) -> Result<Response, Failure> {
    let browser = Browser::of(&app, request.headers());
    let cx = app.context();
    let view = app.read().map_err(Failure::page)?;
    let Some(session) = live(&view, &cx, &app, &browser).map_err(Failure::page)? else {
        return Ok(see_other("/gate/login"));
    };
    if session.needs_touch(&cx) {
        let id = session.id();
        let device = peer::device(&app, &request);
        let touched = app.write(move |tx, cx| session::touch(tx, cx, id, Some(&device))).await;
        touched.map_err(Failure::page)?;
    }
    let connected = connections::of(&view, &cx, &session).map_err(Failure::page)?;
    let passkeys = enroll::passkeys(&view, session.user()).map_err(Failure::page)?;
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

/// Sign-in without an application that asks for it.
pub(in crate::http) async fn login(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let mut browser = Browser::of(&app, &headers);
    let cx = app.context();
    let view = app.read().map_err(Failure::page)?;
    if live(&view, &cx, &app, &browser).map_err(Failure::page)?.is_some() {
        return Ok(see_other("/gate/account"));
    }
    let new_cookie = browser.ensure_browser_cookie(&cx);
    let page = LoginPage {
        page: Page::of(&app, &browser),
        next: "/gate/account".to_owned(),
        client: None,
        login_hint: String::new(),
        cancel: None,
        nobody: people::nobody(&view).map_err(Failure::page)?,
    };
    Ok(with_browser_cookie(&app, templates::show(&page), new_cookie.as_ref()))
}

/// Ends the session.
pub(in crate::http) async fn sign_out(
    State(app): State<Arc<App>>,
    request: Request,
) -> Result<Response, Failure> {
    let (browser, _) = posted(&app, request).await.map_err(Failure::page)?;
    if let Some(cookie) = browser.session(&app) {
        app.write(move |tx, cx| session::sign_out(tx, cx, &cookie)).await.map_err(Failure::page)?;
    }
    let gone = Cookie::Session.clear(&app.rules().issuer);
    Ok(with_cookie(see_other("/gate/logged-out"), gone))
}

/// Who posts a form of one of our pages, and what it says.
pub(super) async fn posted(app: &App, request: Request) -> Result<(Browser, Params), Refusal> {
    let headers = request.headers().clone();
    check_same_origin(app, &headers)?;
    let form = body::form(request).await?;
    let browser = Browser::of(app, &headers);
    browser.check_csrf(&app.rules().pepper, form.one("csrf")?.unwrap_or_default())?;
    Ok((browser, form))
}

pub(in crate::http) async fn signed_out(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
) -> Response {
    let browser = Browser::of(&app, &headers);
    templates::show(&LoggedOutPage { page: Page::of(&app, &browser) })
}

pub(in crate::http) async fn home() -> Response {
    see_other("/gate/account")
}

pub(in crate::http) async fn to_account() -> Response {
    see_other("/gate/account")
}

pub(in crate::http) async fn to_login() -> Response {
    see_other("/gate/login")
}

/// The token is in the fragment, which a browser carries over a redirect by itself.
pub(in crate::http) async fn to_setup() -> Response {
    see_other("/gate/setup")
}

pub(super) fn live(
    view: &impl View,
    cx: &Context,
    app: &App,
    browser: &Browser,
) -> Result<Option<LiveSession>, StoreError> {
    match browser.session(app) {
        Some(cookie) => session::live(view, cx, &cookie),
        None => Ok(None),
    }
}
