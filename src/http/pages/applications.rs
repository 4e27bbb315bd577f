//! `/gate/apps/start`: the sign-in at an application behind a proxy.

use std::sync::Arc;

use axum::extract::State;
use axum::http::Method;
use axum::response::Response;

use super::login::{self, SignInPrompt};
use crate::app::App;
use crate::error::Refusal;
use crate::flow::application::{self, App as Protected};
use crate::http::destination::{Destination, PagePath};
use crate::http::extract::body::Query;
use crate::http::extract::browser::Browser;
use crate::http::facts::Facts;
use crate::http::failure::PageFailure;
use crate::http::redirect;
use crate::model::application::{AppHost, ReturnPath};

/// Redirects to the application with a code. A browser that is not signed in gets the sign-in page.
pub(in crate::http) async fn start(
    State(app): State<Arc<App>>,
    Query(query): Query,
    method: Method,
    browser: Browser,
) -> Result<Response, PageFailure> {
    let host = query.parsed::<AppHost>("app")?.ok_or(Refusal::AppUnknown)?;
    let protected = Protected::at(&app.rules(), &host)
        .map_err(|refusal| PageFailure::from(refusal).with_facts(Facts::of_host(host.as_str())))?;
    let path = ReturnPath::of_encoded(query.one("rd")?);
    let state = query.one("state")?.unwrap_or_default().to_owned();
    // HEAD has no side effects (RFC 9110 §9.3.2).
    if method == Method::HEAD {
        return Ok(redirect::to_head());
    }

    let live = browser.live_session(&app, &app.read()?, &app.present())?;
    let live = live.filter(|_| query.one("as").ok().flatten() != Some("another"));
    let Some(cookie) = live.and_then(|_| browser.session(&app)) else {
        let host = protected.host();
        let next = PagePath::Application { host: host.clone(), path, state };
        let prompt = SignInPrompt::for_client(host.as_str(), next);
        return Ok(login::page(&app, browser, prompt)?);
    };
    let (at, bound) = (protected.clone(), state.clone());
    let code =
        app.write(move |tx, cx| application::issue(tx, cx, &at, &cookie, &bound, &path)).await?;
    let destination = Destination::application_callback(&app.rules(), &protected, &code, &state);
    Ok(redirect::see_other(&destination))
}
