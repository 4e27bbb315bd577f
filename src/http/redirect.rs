//! Redirects. Only this file writes a `Location`, or renders a page that replaces one.

use std::sync::Arc;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::destination::{Destination, PagePath};
use super::done::Done;
use super::extract::browser::Browser;
use super::failure::Cause;
use super::pages::templates::{self, FormPostPage, Page, RedirectPage};
use super::texts::Language;
use crate::app::App;
use crate::error::Refusal;
use crate::flow::authorize::consent::ClientRedirect;

/// The redirect to `destination` by GET (303).
pub(super) fn see_other(destination: &Destination) -> Response {
    redirect(StatusCode::SEE_OTHER, destination)
}

/// The redirect to a page of this server, for a browser on the issuer's host.
pub(super) fn to_page(page: &PagePath) -> Response {
    see_other(&Destination::page(page))
}

/// As [`to_page`], after something was done, which the page then says.
pub(super) fn to_page_after(done: Done, page: &PagePath) -> Response {
    let mut response = to_page(page);
    response.extensions_mut().insert(done);
    response
}

/// The redirect that a proxy forwards to the browser (302).
pub(super) fn found(destination: &Destination) -> Response {
    redirect(StatusCode::FOUND, destination)
}

/// The redirect that keeps the method and the body of the request (307).
pub(super) fn temporary(destination: &Destination) -> Response {
    redirect(StatusCode::TEMPORARY_REDIRECT, destination)
}

/// The response to a HEAD request whose GET would have side effects. It has no `Location`, because
/// only the side effects determine it.
pub(super) fn to_head() -> Response {
    StatusCode::SEE_OTHER.into_response()
}

/// Sets the `Location` of `response`.
pub(super) fn with_location(mut response: Response, destination: &Destination) -> Response {
    let location = HeaderValue::from_str(destination.url());
    let location = location.expect("URLs have no control characters");
    response.headers_mut().insert(header::LOCATION, location);
    response
}

/// The same response, for the script of a page: `fetch` would follow a redirect, or hide where it
/// goes.
pub(super) fn for_script(mut response: Response) -> Response {
    if response.status().is_redirection() {
        *response.status_mut() = StatusCode::OK;
    }
    response
}

/// Sends an authorization response to a client, through the browser.
pub(super) fn to_client(
    app: &App,
    client_redirect: &ClientRedirect,
    language: Language,
) -> Response {
    let response = form_post(app, client_redirect, language)
        .unwrap_or_else(|| see_other(&Destination::client(&client_redirect.response)));
    with_cause(response, client_redirect.refusal)
}

/// As [`to_client`], in the response to the form of a page.
pub(super) fn to_client_after_form(
    app: &App,
    browser: &Browser,
    client_redirect: &ClientRedirect,
) -> Response {
    let ClientRedirect { refusal, response, waits } = client_redirect;
    let response = form_post(app, client_redirect, browser.language()).unwrap_or_else(|| {
        let destination = Destination::client(response);
        redirect_page(app, browser, &destination, refusal.is_some(), *waits)
    });
    with_cause(response, *refusal)
}

/// The response to the form of a page. A page redirects to another host, because Chromium applies
/// `form-action` to each redirect that follows a form's POST.
pub(super) fn after_form(
    app: &App,
    browser: &Browser,
    destination: &Destination,
    denied: bool,
) -> Response {
    redirect_page(app, browser, destination, denied, false)
}

/// As [`after_form`]. If it `waits`, the page goes nowhere by itself.
fn redirect_page(
    app: &App,
    browser: &Browser,
    destination: &Destination,
    denied: bool,
    waits: bool,
) -> Response {
    let Some(host) = destination.host() else { return see_other(destination) };
    let page = Page::of(app, browser);
    without_referrer(templates::show(&RedirectPage { page, destination, host, denied, waits }))
}

/// The page whose form posts the response to a client, if the response mode is `form_post` (Form
/// Post Response Mode §2).
fn form_post(app: &App, client_redirect: &ClientRedirect, language: Language) -> Option<Response> {
    let ClientRedirect { refusal, response, waits } = client_redirect;
    let mut page = templates::show(&FormPostPage {
        page: Page::anonymous(app, language),
        destination: &Destination::client(response),
        fields: response.form()?,
        host: response.host(),
        denied: refusal.is_some(),
        waits: *waits,
    });
    let policy = templates::content_security_policy(true, None);
    page.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
    Some(without_referrer(page))
}

fn redirect(status: StatusCode, destination: &Destination) -> Response {
    let response = status.into_response();
    let response = match destination.host() {
        Some(_) => without_referrer(response),
        None => response,
    };
    with_location(response, destination)
}

/// Hides the URL of the present page from the next host.
fn without_referrer(mut response: Response) -> Response {
    let policy = HeaderValue::from_static("no-referrer");
    response.headers_mut().insert(header::REFERRER_POLICY, policy);
    response
}

fn with_cause(mut response: Response, refusal: Option<Refusal>) -> Response {
    if let Some(refusal) = refusal {
        response.extensions_mut().insert(Cause(Arc::new(refusal.into())));
    }
    response
}
