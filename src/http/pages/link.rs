//! `/gate/link/ID`: the page where a person authorizes a bridge.

use std::sync::Arc;

use axum::extract::State;
use axum::http::Method;
use axum::response::Response;

use super::interaction::clear_interaction;
use super::login::{self, SignInPrompt};
use super::outcome;
use super::templates::{self, LinkCodePage, LinkPage, LinkRefusedPage, Page};
use crate::app::App;
use crate::error::{Error, ErrorCode, Refusal, shell_word};
use crate::flow::authorize::step::PresentedInteraction;
use crate::flow::bridge::access;
use crate::flow::bridge::exchange::IssuedExchangeCode;
use crate::flow::bridge::link::{self, LinkOutcome, Step};
use crate::flow::session::LiveSession;
use crate::http::destination::{Destination, PagePath};
use crate::http::extract::body::Query;
use crate::http::extract::browser::{AtInteraction, Browser};
use crate::http::extract::outcomes::Outcome;
use crate::http::extract::own_page::PageForm;
use crate::http::failure::PageFailure;
use crate::http::redirect;
use crate::model::actor::Acting;
use crate::model::bridge::LinkRedirect;
use crate::model::user_agent::DeviceInfo;

/// The page that asks for the decision. A browser that is not signed in gets the sign-in page.
pub(in crate::http) async fn show(
    State(app): State<Arc<App>>,
    AtInteraction { browser, presented }: AtInteraction,
    method: Method,
    Query(query): Query,
) -> Result<Response, PageFailure> {
    let next = link::next(&app.read()?, &app.context(), &presented);
    if let Err(Error::Refused(Refusal::InteractionUnknown)) = &next
        && let Some(outcome) = browser.outcomes().about(&presented.interaction)
    {
        return Ok(outcome::show(&app, browser.language(), outcome)?);
    }
    let next = next?;
    // HEAD has no side effects (RFC 9110 §9.3.2).
    if method != Method::HEAD {
        app.record_opened(&presented).await?;
    }
    let another = query.one("as")? == Some("another");
    match next {
        Step::Ask { redirect, session } if !another => {
            Ok(ask(&app, &browser, &presented, redirect.as_ref(), &session))
        }
        Step::Ask { .. } | Step::SignIn => {
            let next = PagePath::Link(presented.interaction);
            let bridge = browser.language().texts().link.your_bridge();
            let prompt = SignInPrompt::for_client(&bridge.plain(), next);
            Ok(login::page(&app, browser, prompt)?)
        }
    }
}

/// Records the person's decision, and sends the browser to the bridge or shows the code.
pub(in crate::http) async fn decide(
    State(app): State<Arc<App>>,
    acting: Acting,
    AtInteraction { presented, .. }: AtInteraction,
    PageForm { browser, form }: PageForm,
) -> Result<Response, PageFailure> {
    let allowed = match form.one("decision")? {
        Some("allow") => true,
        Some("deny") => false,
        Some(_) | None => return Err(Refusal::InteractionDecisionMalformed.into()),
    };
    let id = presented.interaction;
    let decided = app.write_by(acting, move |tx, cx| link::decide(tx, cx, &presented, allowed));
    let decided = decided.await;
    if let Err(Error::Refused(Refusal::InteractionUnknown)) = &decided
        && browser.outcomes().about(&id).is_some()
    {
        return Ok(redirect::to_page(&PagePath::Link(id)));
    }
    let (outcome, response) = match decided? {
        LinkOutcome::SignIn => return Ok(redirect::to_page(&PagePath::Link(id))),
        LinkOutcome::Linked(made, Some(uri)) => {
            let destination = Destination::link_code(&uri, &made.code);
            (Outcome::Linked, redirect::after_form(&app, &browser, &destination, false))
        }
        LinkOutcome::Linked(made, None) => (Outcome::CodeDisplayed, code(&app, &browser, &made)),
        LinkOutcome::Refused(Some(uri)) => {
            let destination = Destination::link_error(&uri, ErrorCode::AccessDenied);
            (Outcome::NotLinked, redirect::after_form(&app, &browser, &destination, true))
        }
        LinkOutcome::Refused(None) => {
            let page = LinkRefusedPage { page: Page::of(&app, &browser) };
            (Outcome::NotLinked, templates::show(&page))
        }
    };
    let response = browser.outcomes().and(&app, &id, outcome, response);
    Ok(clear_interaction(&app, id, response))
}

fn ask(
    app: &App,
    browser: &Browser,
    presented: &PresentedInteraction,
    redirect: Option<&LinkRedirect>,
    session: &LiveSession,
) -> Response {
    let person = session.person();
    // The bridge opened this browser on its own machine, so the browser's device is the bridge's.
    let DeviceInfo { address, .. } = &presented.device;
    templates::show(&LinkPage {
        page: Page::of(app, browser),
        action: PagePath::Link(presented.interaction),
        address: address.clone(),
        another: PagePath::LinkAsAnother(presented.interaction),
        device: browser.language().texts().program(&presented.device.program()),
        host: redirect.map(LinkRedirect::host),
        scopes: templates::scope_items(
            browser.language().texts(),
            &app.rules().config,
            &access::scope(&app.rules(), &person.roles),
        ),
        display_name: person.display_name.to_string(),
        username: person.username.to_string(),
    })
}

/// The page that shows the code, for a person who enters it at the bridge.
fn code(app: &App, browser: &Browser, made: &IssuedExchangeCode) -> Response {
    let code = made.code.expose().to_string();
    let seconds = made.expires.since(app.clock().now()).as_secs();
    let command = match &app.rules().config.bridge.command {
        Some(command) => format!("{command} {code}"),
        None => {
            let issuer = shell_word(app.rules().issuer.as_str()).into_owned();
            format!("systemprompt-bridge login --gateway {issuer} --code {code}")
        }
    };
    let time = format!("{}:{:02}", seconds / 60, seconds % 60);
    templates::show(&LinkCodePage { page: Page::of(app, browser), code, command, seconds, time })
}
