//! `/gate/interaction/ID`: the pages between a request and its answer.

use std::sync::Arc;

use axum::extract::{Path, Request, State};
use axum::http::{Method, header};
use axum::response::Response;

use super::browser::{Browser, check_same_origin, with_browser_cookie, with_cookie};
use super::cookie::Cookie;
use super::templates::{self, ConsentPage, LoginPage, LogoutPage, Page, RedirectPage, see_other};
use crate::app::App;
use crate::error::{Error, Refusal};
use crate::flow::authorize::consent::{self, AuthorizationOutcome, ClientRedirect};
use crate::flow::authorize::step::{self, ConsentRequest, PresentedInteraction, Step};
use crate::flow::person::people;
use crate::flow::session::logout;
use crate::http::extract::body;
use crate::http::failure::{AboutClient, Cause, Failure};
use crate::http::oauth::authorize::{redirect_without_referrer, respond_to_client};
use crate::oauth::authorize::AuthorizationResponse;
use crate::oauth::client::ClientType;
use crate::oauth::id::InteractionId;
use crate::oauth::redirect_uri::Kind;
use crate::oauth::scope::Scope;
use crate::store::schema::{Origin, Purpose};

/// Shows what comes next, or goes home where nothing is left to show.
pub(in crate::http) async fn show(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    request: Request,
) -> Result<Response, Failure> {
    let id: InteractionId = id.parse().map_err(Failure::page)?;
    let method = request.method().clone();
    let mut browser = Browser::of(&app, request.headers());
    let presented = browser.presented(&app, &request, id);
    let cx = app.context();
    let view = app.read().map_err(Failure::page)?;
    let found = step::interaction(&view, &cx, &presented);
    if let Err(Error::Refused(Refusal::InteractionOfAnotherBrowser)) = &found
        && presented.browser.is_none()
        && method != Method::HEAD
    {
        let answered = app.write(move |tx, cx| consent::refuse_without_cookie(tx, cx, &presented));
        return Ok(respond_to_client(&app, &answered.await.map_err(Failure::page)?));
    }
    let interaction = found.map_err(Failure::page)?;
    // Whoever only looks brings nothing about.
    if method == Method::HEAD {
        return Ok(templates::see_other(&path(id)));
    }
    if matches!(interaction.purpose, Purpose::Logout { .. }) {
        return sign_out(&app, &browser, presented, false).await;
    }
    let about = about(&interaction.purpose);
    match step::next(&view, &cx, &presented, interaction).map_err(Failure::page)? {
        Step::Consent(asked) => Ok(templates::show(&consent_page(&app, &browser, id, &asked))),
        Step::Login(client, login_hint) => {
            let new_cookie = browser.ensure_browser_cookie(&cx);
            let page = LoginPage {
                page: Page::of(&app, &browser),
                next: path(id),
                client: Some(client.name.to_string()),
                login_hint: login_hint.unwrap_or_default(),
                cancel: Some(path(id)),
                nobody: people::nobody(&view).map_err(Failure::page)?,
            };
            Ok(with_browser_cookie(&app, templates::show(&page), new_cookie.as_ref()))
        }
        Step::Grant(_) | Step::Refuse(..) => {
            let answered = app.write(move |tx, cx| consent::complete(tx, cx, &presented));
            match answered.await.map_err(Failure::page)? {
                AuthorizationOutcome::StepChanged => Ok(to_interaction(id)),
                AuthorizationOutcome::Client(client_redirect) => Ok(marked(
                    about,
                    clear_interaction(&app, id, respond_to_client(&app, &client_redirect)),
                )),
            }
        }
    }
}

/// Takes the person's decision.
pub(in crate::http) async fn decide(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    request: Request,
) -> Result<Response, Failure> {
    let id: InteractionId = id.parse().map_err(Failure::page)?;
    check_same_origin(&app, request.headers()).map_err(Failure::page)?;
    let browser = Browser::of(&app, request.headers());
    let presented = browser.presented(&app, &request, id);
    let form = body::form(request).await.map_err(Failure::page)?;
    let csrf = form.one("csrf").map_err(Failure::page)?.unwrap_or_default();
    browser.check_csrf(&app.rules().pepper, csrf).map_err(Failure::page)?;
    let allowed = match form.one("decision").map_err(Failure::page)? {
        Some("allow") => true,
        Some("deny") => false,
        Some(_) | None => return Err(Failure::page(Refusal::InteractionDecisionMalformed)),
    };

    let view = app.read().map_err(Failure::page)?;
    let interaction =
        step::interaction(&view, &app.context(), &presented).map_err(Failure::page)?;
    if matches!(interaction.purpose, Purpose::Logout { .. }) {
        if allowed {
            return sign_out(&app, &browser, presented, true).await;
        }
        app.write(move |tx, cx| logout::stay(tx, cx, &presented)).await.map_err(Failure::page)?;
        return Ok(clear_interaction(&app, id, see_other("/gate/account")));
    }
    let about = about(&interaction.purpose);
    let consent_scope: Scope = form.parsed("scope").map_err(Failure::page)?.unwrap_or_default();
    let decided = app.write(move |tx, cx| {
        if allowed {
            consent::approve(tx, cx, &presented, &consent_scope)
        } else {
            consent::deny(tx, cx, &presented)
        }
    });
    match decided.await.map_err(Failure::page)? {
        AuthorizationOutcome::StepChanged => Ok(to_interaction(id)),
        AuthorizationOutcome::Client(client_redirect) => {
            let ClientRedirect { response, host, refusal } = client_redirect;
            let mut response = match &response {
                AuthorizationResponse::Form { .. } => {
                    respond_to_client(&app, &ClientRedirect { response, host, refusal })
                }
                AuthorizationResponse::Location(url) => {
                    redirect_page(&app, &browser, url.clone(), host, refusal.is_some())
                }
            };
            if let Some(refusal) = refusal {
                response.extensions_mut().insert(Cause(Arc::new(refusal.into())));
            }
            Ok(marked(about, clear_interaction(&app, id, response)))
        }
    }
}

/// The client that an interaction is for, if it is for one.
fn about(purpose: &Purpose) -> Option<AboutClient> {
    match purpose {
        Purpose::Authorize { client, .. } => Some(AboutClient(client.clone())),
        Purpose::Link { .. } | Purpose::Logout { .. } => None,
    }
}

fn marked(about: Option<AboutClient>, response: Response) -> Response {
    match about {
        Some(about) => about.mark(response),
        None => response,
    }
}

async fn sign_out(
    app: &App,
    browser: &Browser,
    presented: PresentedInteraction,
    confirmed: bool,
) -> Result<Response, Failure> {
    let id = presented.interaction;
    let advanced = app.write(move |tx, cx| logout::advance(tx, cx, &presented, confirmed));
    match advanced.await.map_err(Failure::page)? {
        logout::Step::Confirm { client, session } => Ok(templates::show(&LogoutPage {
            page: Page::of(app, browser),
            action: path(id),
            client_name: client.map(|client| client.name.to_string()),
            display_name: session.person().display_name.to_string(),
        })),
        logout::Step::Done(next) => {
            let response = match next {
                Some(next) if confirmed => {
                    redirect_page(app, browser, next.url().to_owned(), next.host(), false)
                }
                Some(next) => redirect_without_referrer(next.url()),
                None => see_other("/gate/logged-out"),
            };
            let gone = Cookie::Session.clear(&app.rules().issuer);
            Ok(clear_interaction(app, id, with_cookie(response, gone)))
        }
    }
}

fn consent_page(
    app: &App,
    browser: &Browser,
    id: InteractionId,
    asked: &ConsentRequest,
) -> ConsentPage {
    let uri = asked.callback.uri();
    let config = &app.rules().config;
    let person = asked.session.person();
    let public = asked.client.client_type == ClientType::Public;
    ConsentPage {
        page: Page::of(app, browser),
        action: path(id),
        client_name: asked.client.name.to_string(),
        client_id: asked.client_id.to_string(),
        named_by: templates::named_by(&asked.client_id, &asked.client),
        redirect_host: uri.host(),
        // A secret proves a confidential client, wherever its answer goes.
        loopback: public && matches!(uri.kind(), Kind::Loopback { .. }),
        unverified: matches!(uri.kind(), Kind::PrivateUse { .. })
            || matches!(asked.client.origin, Origin::Dynamic { .. }),
        resources: asked.targets.resources.iter().map(ToString::to_string).collect(),
        unregistered: asked.targets.unregistered,
        scopes: templates::scope_items(config, &asked.consent_scope.minus(&asked.remembered)),
        remembered: templates::scope_items(config, &asked.remembered),
        scope: asked.consent_scope.to_string(),
        display_name: person.display_name.to_string(),
        username: person.username.to_string(),
    }
}

/// Chromium applies `form-action` to every hop after a form's POST, so an answer that goes to a
/// client is a page of ours that goes on by itself.
pub(super) fn redirect_page(
    app: &App,
    browser: &Browser,
    url: String,
    host: String,
    denied: bool,
) -> Response {
    let page = Page::of(app, browser);
    let mut response = templates::show(&RedirectPage { page, url, host, denied });
    let headers = response.headers_mut();
    headers.insert(header::REFERRER_POLICY, header::HeaderValue::from_static("no-referrer"));
    response
}

fn path(id: InteractionId) -> String {
    format!("/gate/interaction/{id}")
}

fn to_interaction(id: InteractionId) -> Response {
    see_other(&path(id))
}

/// An interaction that is over takes its cookie with it.
pub(super) fn clear_interaction(app: &App, id: InteractionId, response: Response) -> Response {
    with_cookie(response, Cookie::Interaction(id).clear(&app.rules().issuer))
}
