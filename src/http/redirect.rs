//! Redirects: the one file that writes a `Location`, and the pages that stand in for one.

use std::sync::Arc;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::destination::{Destination, PagePath};
use super::extract::browser::Browser;
use super::failure::Cause;
use super::pages::templates::{self, FormPostPage, Page, RedirectPage};
use crate::app::App;
use crate::error::Refusal;
use crate::flow::authorize::consent::ClientRedirect;

/// The policy of a page whose form goes to a client. It has no `form-action`: Chromium accepts no
/// `[::1]` there, and applies it to the redirects of the client too.
const CONTENT_SECURITY_POLICY_TO_CLIENTS: &str = "default-src 'none'; script-src 'self'; \
     style-src 'self'; img-src 'self'; base-uri 'none'; frame-ancestors 'none'";

/// The redirect to `destination`, which the browser GETs.
pub(super) fn see_other(destination: &Destination) -> Response {
    redirect(StatusCode::SEE_OTHER, destination)
}

/// The redirect to a page of ours, for a browser on the issuer's host.
pub(super) fn to_page(page: &PagePath) -> Response {
    see_other(&Destination::page(page))
}

/// The redirect that proxies hand to the browser.
pub(super) fn found(destination: &Destination) -> Response {
    redirect(StatusCode::FOUND, destination)
}

/// The redirect of a request that the browser repeats with its method and body.
pub(super) fn temporary(destination: &Destination) -> Response {
    redirect(StatusCode::TEMPORARY_REDIRECT, destination)
}

/// The response to HEAD if a GET would have side effects, which decide where it redirects.
pub(super) fn to_head() -> Response {
    StatusCode::SEE_OTHER.into_response()
}

/// `response`, with `destination` in its `Location`.
pub(super) fn with_location(mut response: Response, destination: &Destination) -> Response {
    let location = HeaderValue::from_str(destination.url());
    let location = location.expect("URLs have no control characters");
    response.headers_mut().insert(header::LOCATION, location);
    response
}

/// The response to a client, through the browser.
pub(super) fn to_client(app: &App, client_redirect: &ClientRedirect) -> Response {
    let response = form_post(app, client_redirect)
        .unwrap_or_else(|| see_other(&Destination::client(&client_redirect.response)));
    with_cause(response, client_redirect.refusal)
}

/// The response to a client, through the browser that sent the form of a page.
pub(super) fn to_client_after_form(
    app: &App,
    browser: &Browser,
    client_redirect: &ClientRedirect,
) -> Response {
    let ClientRedirect { refusal, response } = client_redirect;
    let response = form_post(app, client_redirect).unwrap_or_else(|| {
        after_form(app, browser, &Destination::client(response), refusal.is_some())
    });
    with_cause(response, *refusal)
}

/// The response to the form of a page. To another host a page redirects by itself, since Chromium
/// applies `form-action` to every redirect after a form's POST.
pub(super) fn after_form(
    app: &App,
    browser: &Browser,
    destination: &Destination,
    denied: bool,
) -> Response {
    let Some(host) = destination.host() else { return see_other(destination) };
    let page = Page::of(app, browser);
    without_referrer(templates::show(&RedirectPage { page, destination, host, denied }))
}

/// The page whose form posts the response to a client (Form Post Response Mode §2), if a form
/// carries it.
fn form_post(app: &App, client_redirect: &ClientRedirect) -> Option<Response> {
    let ClientRedirect { refusal, response } = client_redirect;
    let mut page = templates::show(&FormPostPage {
        page: Page::anonymous(app),
        destination: &Destination::client(response),
        fields: response.form()?,
        host: response.host(),
        denied: refusal.is_some(),
    });
    let policy = HeaderValue::from_static(CONTENT_SECURITY_POLICY_TO_CLIENTS);
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

/// No other host learns the URL that the browser comes from.
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
