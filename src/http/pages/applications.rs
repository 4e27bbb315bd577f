//! `/gate/apps/start`: a person on the way to an application behind a proxy.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};

use super::browser::{Browser, with_browser_cookie};
use super::templates::{self, LoginPage, Page};
use crate::app::App;
use crate::error::Refusal;
use crate::flow::application::{self, App as Protected};
use crate::flow::person::people;
use crate::flow::session;
use crate::http::extract::body;
use crate::http::failure::Failure;
use crate::http::oauth::authorize::redirect_without_referrer;
use crate::model::application::{AppHost, ReturnPath};
use crate::oauth::params::form_encode;

/// Sends whoever is signed in back to the application with a code; everybody else signs in first.
pub(in crate::http) async fn start(
    State(app): State<Arc<App>>,
    request: Request,
) -> Result<Response, Failure> {
    let query = body::query(&request).map_err(Failure::page)?;
    let host = query.parsed::<AppHost>("app").map_err(Failure::page)?;
    let host = host.ok_or_else(|| Failure::page(Refusal::AppUnknown))?;
    let protected = Protected::at(app.rules(), &host).map_err(Failure::page)?;
    let path = ReturnPath::of(query.one("rd").map_err(Failure::page)?);
    let state = query.one("state").map_err(Failure::page)?.unwrap_or_default().to_owned();
    // Whoever only looks brings nothing about.
    if request.method() == Method::HEAD {
        return Ok(StatusCode::SEE_OTHER.into_response());
    }

    let mut browser = Browser::of(&app, request.headers());
    let cx = app.context();
    let view = app.read().map_err(Failure::page)?;
    let live = match browser.session(&app) {
        Some(cookie) => session::live(&view, &cx, &cookie).map_err(Failure::page)?.map(|_| cookie),
        None => None,
    };
    let Some(cookie) = live else {
        let new_cookie = browser.ensure_browser_cookie(&cx);
        let host = protected.host().as_str();
        let query = form_encode([("app", host), ("state", &state), ("rd", path.as_str())]);
        let page = LoginPage {
            page: Page::of(&app, &browser),
            next: format!("/gate/apps/start?{query}"),
            client: Some(host.to_owned()),
            login_hint: String::new(),
            cancel: None,
            nobody: people::nobody(&view).map_err(Failure::page)?,
        };
        return Ok(with_browser_cookie(&app, templates::show(&page), new_cookie.as_ref()));
    };
    let (at, bound) = (protected.clone(), state.clone());
    let issued = app.write(move |tx, cx| application::issue(tx, cx, &at, &cookie, &bound, &path));
    let code = issued.await.map_err(Failure::page)?;
    let query = form_encode([("code", code.expose().as_str()), ("state", &state)]);
    Ok(redirect_without_referrer(
        &protected.address(app.rules(), &format!("/_gatelodge/callback?{query}")),
    ))
}
