//! `/gate/interaction/ID`: the pages between a request and its answer.

use std::sync::Arc;

use axum::extract::{Path, Request, State};
use axum::http::{Method, header};
use axum::response::Response;

use super::cookie::Cookie;
use super::templates::{self, ConsentPage, LoginPage, LogoutPage, OnwardPage, Page, see_other};
use super::visitor::{Visitor, check_same_origin, greet, with_cookie};
use crate::app::App;
use crate::error::{Error, Refusal};
use crate::flow::authorize::consent::{self, Landing, Onward};
use crate::flow::authorize::step::{self, Door, Request as Asked, Step};
use crate::flow::person::people;
use crate::flow::session::logout;
use crate::http::extract::body;
use crate::http::failure::{About, Cause, Failure};
use crate::http::oauth::authorize::{away, home};
use crate::oauth::authorize::Answer;
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
    let mut visitor = Visitor::of(&app, request.headers());
    let door = visitor.door(&app, &request, id);
    let cx = app.context();
    let view = app.read().map_err(Failure::page)?;
    let found = step::interaction(&view, &cx, &door);
    if let Err(Error::Refused(Refusal::InteractionOfAnotherBrowser)) = &found
        && door.browser.is_none()
        && method != Method::HEAD
    {
        let answered = app.write(move |tx, cx| consent::answer_unseen(tx, cx, &door));
        return Ok(home(&app, &answered.await.map_err(Failure::page)?));
    }
    let interaction = found.map_err(Failure::page)?;
    // Whoever only looks brings nothing about.
    if method == Method::HEAD {
        return Ok(templates::see_other(&path(id)));
    }
    if matches!(interaction.purpose, Purpose::Logout { .. }) {
        return sign_out(&app, &visitor, door, false).await;
    }
    let about = about(&interaction.purpose);
    match step::next(&view, &cx, &door, interaction).map_err(Failure::page)? {
        Step::Consent(asked) => Ok(templates::show(&consent_page(&app, &visitor, id, &asked))),
        Step::Login(client, login_hint) => {
            let welcomed = visitor.welcome(&cx);
            let page = LoginPage {
                page: Page::of(&app, &visitor),
                next: path(id),
                client: Some(client.name.to_string()),
                login_hint: login_hint.unwrap_or_default(),
                cancel: Some(path(id)),
                nobody: people::nobody(&view).map_err(Failure::page)?,
            };
            Ok(greet(&app, templates::show(&page), welcomed.as_ref()))
        }
        Step::Grant(_) | Step::Refuse(..) => {
            let answered = app.write(move |tx, cx| consent::answer(tx, cx, &door));
            match answered.await.map_err(Failure::page)? {
                Onward::Again => Ok(again(id)),
                Onward::Client(landing) => Ok(marked(about, over(&app, id, home(&app, &landing)))),
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
    let visitor = Visitor::of(&app, request.headers());
    let door = visitor.door(&app, &request, id);
    let form = body::form(request).await.map_err(Failure::page)?;
    let csrf = form.one("csrf").map_err(Failure::page)?.unwrap_or_default();
    visitor.check_csrf(&app.rules().pepper, csrf).map_err(Failure::page)?;
    let allowed = match form.one("decision").map_err(Failure::page)? {
        Some("allow") => true,
        Some("deny") => false,
        Some(_) | None => return Err(Failure::page(Refusal::InteractionDecisionMalformed)),
    };

    let view = app.read().map_err(Failure::page)?;
    let interaction = step::interaction(&view, &app.context(), &door).map_err(Failure::page)?;
    if matches!(interaction.purpose, Purpose::Logout { .. }) {
        if allowed {
            return sign_out(&app, &visitor, door, true).await;
        }
        app.write(move |tx, cx| logout::stay(tx, cx, &door)).await.map_err(Failure::page)?;
        return Ok(over(&app, id, see_other("/gate/account")));
    }
    let about = about(&interaction.purpose);
    let shown: Scope = form.parsed("scope").map_err(Failure::page)?.unwrap_or_default();
    let decided = app.write(move |tx, cx| {
        if allowed { consent::approve(tx, cx, &door, &shown) } else { consent::deny(tx, cx, &door) }
    });
    match decided.await.map_err(Failure::page)? {
        Onward::Again => Ok(again(id)),
        Onward::Client(landing) => {
            let Landing { answer, host, refusal } = landing;
            let mut response = match &answer {
                Answer::Form { .. } => home(&app, &Landing { answer, host, refusal }),
                Answer::Location(url) => {
                    onward(&app, &visitor, url.clone(), host, refusal.is_some())
                }
            };
            if let Some(refusal) = refusal {
                response.extensions_mut().insert(Cause(Arc::new(refusal.into())));
            }
            Ok(marked(about, over(&app, id, response)))
        }
    }
}

/// The client that an interaction is for, if it is for one.
fn about(purpose: &Purpose) -> Option<About> {
    match purpose {
        Purpose::Authorize { client, .. } => Some(About(client.clone())),
        Purpose::Link { .. } | Purpose::Logout { .. } => None,
    }
}

fn marked(about: Option<About>, response: Response) -> Response {
    match about {
        Some(about) => about.mark(response),
        None => response,
    }
}

async fn sign_out(
    app: &App,
    visitor: &Visitor,
    door: Door,
    confirmed: bool,
) -> Result<Response, Failure> {
    let id = door.interaction;
    let advanced = app.write(move |tx, cx| logout::advance(tx, cx, &door, confirmed));
    match advanced.await.map_err(Failure::page)? {
        logout::Step::Confirm { client, session } => Ok(templates::show(&LogoutPage {
            page: Page::of(app, visitor),
            action: path(id),
            client_name: client.map(|client| client.name.to_string()),
            display_name: session.person().display_name.to_string(),
        })),
        logout::Step::Done(next) => {
            let response = match next {
                Some(next) if confirmed => {
                    onward(app, visitor, next.url().to_owned(), next.host(), false)
                }
                Some(next) => away(next.url()),
                None => see_other("/gate/logged-out"),
            };
            let gone = Cookie::Session.clear(&app.rules().issuer);
            Ok(over(app, id, with_cookie(response, gone)))
        }
    }
}

fn consent_page(app: &App, visitor: &Visitor, id: InteractionId, asked: &Asked) -> ConsentPage {
    let uri = asked.callback.uri();
    let config = &app.rules().config;
    let person = asked.session.person();
    let public = asked.client.client_type == ClientType::Public;
    ConsentPage {
        page: Page::of(app, visitor),
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
        scopes: templates::in_words(config, &asked.shown.minus(&asked.remembered)),
        remembered: templates::in_words(config, &asked.remembered),
        scope: asked.shown.to_string(),
        display_name: person.display_name.to_string(),
        username: person.username.to_string(),
    }
}

/// Chromium applies `form-action` to every hop after a form's POST, so an answer that goes to a
/// client is a page of ours that goes on by itself.
pub(super) fn onward(
    app: &App,
    visitor: &Visitor,
    url: String,
    host: String,
    denied: bool,
) -> Response {
    let page = Page::of(app, visitor);
    let mut response = templates::show(&OnwardPage { page, url, host, denied });
    let headers = response.headers_mut();
    headers.insert(header::REFERRER_POLICY, header::HeaderValue::from_static("no-referrer"));
    response
}

fn path(id: InteractionId) -> String {
    format!("/gate/interaction/{id}")
}

fn again(id: InteractionId) -> Response {
    see_other(&path(id))
}

/// An interaction that is over takes its cookie with it.
pub(super) fn over(app: &App, id: InteractionId, response: Response) -> Response {
    with_cookie(response, Cookie::Interaction(id).clear(&app.rules().issuer))
}
