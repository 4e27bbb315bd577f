//! `/gate/link/ID`: where a person lets a bridge in.

use std::sync::Arc;

use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, header};
use axum::response::Response;

use super::account::posted;
use super::browser::{Browser, with_browser_cookie};
use super::interaction::{clear_interaction, redirect_page};
use super::templates::{self, LinkCodePage, LinkPage, LinkRefusedPage, LoginPage, Page, see_other};
use crate::app::App;
use crate::error::{ErrorCode, Refusal};
use crate::flow::bridge::exchange::IssuedExchangeCode;
use crate::flow::bridge::link::{self, LinkOutcome, Step};
use crate::flow::person::people;
use crate::flow::session::LiveSession;
use crate::http::extract::peer;
use crate::http::failure::Failure;
use crate::model::bridge::{LinkRedirect, Mode};
use crate::model::user_agent::UserAgent;
use crate::oauth::id::InteractionId;

/// Asks the person; whoever is not signed in signs in first.
pub(in crate::http) async fn show(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    request: Request,
) -> Result<Response, Failure> {
    let id: InteractionId = id.parse().map_err(Failure::page)?;
    let browser = Browser::of(&app, request.headers());
    let presented = browser.presented(&app, &request, id);
    let view = app.read().map_err(Failure::page)?;
    match link::next(&view, &app.context(), &presented).map_err(Failure::page)? {
        Step::Ask { redirect, session } => {
            Ok(ask(&app, &browser, &request, id, redirect.as_ref(), &session))
        }
        Step::SignIn => sign_in(&app, browser, id),
    }
}

/// Takes the person's decision.
pub(in crate::http) async fn decide(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    request: Request,
) -> Result<Response, Failure> {
    let id: InteractionId = id.parse().map_err(Failure::page)?;
    let presented = Browser::of(&app, request.headers()).presented(&app, &request, id);
    let (browser, form) = posted(&app, request).await.map_err(Failure::page)?;
    let allowed = match form.one("decision").map_err(Failure::page)? {
        Some("allow") => true,
        Some("deny") => false,
        Some(_) | None => return Err(Failure::page(Refusal::InteractionDecisionMalformed)),
    };
    let decided = app.write(move |tx, cx| link::decide(tx, cx, &presented, allowed)).await;
    let response = match decided.map_err(Failure::page)? {
        LinkOutcome::SignIn => return Ok(see_other(&path(id))),
        LinkOutcome::Linked(made, Some(redirect)) => {
            let url = redirect.with_code(&made.code.expose());
            redirect_page(&app, &browser, url, redirect.host(), false)
        }
        LinkOutcome::Linked(made, None) => code(&app, &browser, &made),
        LinkOutcome::Refused(Some(redirect)) => {
            let url = redirect.with_error(ErrorCode::AccessDenied);
            redirect_page(&app, &browser, url, redirect.host(), true)
        }
        LinkOutcome::Refused(None) => {
            templates::show(&LinkRefusedPage { page: Page::of(&app, &browser) })
        }
    };
    Ok(clear_interaction(&app, id, response))
}

fn ask(
    app: &App,
    browser: &Browser,
    request: &Request,
    id: InteractionId,
    redirect: Option<&LinkRedirect>,
    session: &LiveSession,
) -> Response {
    let person = session.person();
    templates::show(&LinkPage {
        page: Page::of(app, browser),
        action: path(id),
        address: peer::address(app, request).to_string(),
        device: device(request.headers()),
        host: redirect.map(LinkRedirect::host),
        scopes: templates::scope_items(
            &app.rules().config,
            &app.rules().config.allowed(&person.roles),
        ),
        display_name: person.display_name.to_string(),
        username: person.username.to_string(),
    })
}

/// The browser in which the person is, which is on the bridge's machine.
fn device(headers: &HeaderMap) -> String {
    let written = headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok());
    UserAgent::of(written.unwrap_or_default()).to_string()
}

/// Shows the code to the person, who takes it to the bridge themselves.
fn code(app: &App, browser: &Browser, made: &IssuedExchangeCode) -> Response {
    let code = made.code.expose().to_string();
    let seconds = made.expires.since(app.clock().now()).as_secs();
    let modes = &app.rules().config.bridge.modes;
    let way = if modes.contains(&Mode::SessionPat) { "session-pat" } else { "session" };
    let url = app.rules().issuer.at(&format!("/v1/auth/bridge/{way}"));
    // A shell's own printf is in no list of processes.
    let command = match &app.rules().config.bridge.command {
        Some(command) => format!("{command} {code}"),
        None => format!(
            "printf '{{\"code\":\"%s\"}}' {code} | \
             curl -H 'content-type: application/json' -d @- {url}"
        ),
    };
    templates::show(&LinkCodePage { page: Page::of(app, browser), code, command, seconds })
}

fn sign_in(app: &App, mut browser: Browser, id: InteractionId) -> Result<Response, Failure> {
    let new_cookie = browser.ensure_browser_cookie(&app.context());
    let view = app.read().map_err(Failure::page)?;
    let page = LoginPage {
        page: Page::of(app, &browser),
        next: path(id),
        client: Some("your bridge".to_owned()),
        login_hint: String::new(),
        cancel: None,
        nobody: people::nobody(&view).map_err(Failure::page)?,
    };
    Ok(with_browser_cookie(app, templates::show(&page), new_cookie.as_ref()))
}

fn path(id: InteractionId) -> String {
    format!("/gate/link/{id}")
}
