//! The error page: a message, the facts beside it, and the event id under which the log has the
//! reason.

use askama::Template;
use axum::http::{StatusCode, header};
use axum::response::Response;

use super::templates::{self, Page};
use crate::error::{Error, Refusal};
use crate::event::EventId;
use crate::flow::client::self_named::SelfNamed;
use crate::http::destination::Destination;
use crate::http::facts::{Asked, Facts};
use crate::http::texts::Texts;
use crate::http::ways::Ways;

#[derive(Template)]
#[template(path = "error.html", config = "assets/askama.toml")]
pub(in crate::http) struct ErrorPage<'a> {
    pub(in crate::http) page: Page,
    pub(in crate::http) advice: Option<String>,
    pub(in crate::http) asked: Vec<(String, &'a str)>,
    pub(in crate::http) button: Option<ContinueButton<'a>>,
    /// The name of the app, and whether an operator gave it.
    pub(in crate::http) client_name: Option<(&'a str, bool)>,
    pub(in crate::http) event: String,
    /// Where the app is, if it named itself.
    pub(in crate::http) self_named: Option<&'a SelfNamed>,
    pub(in crate::http) message: String,
    pub(in crate::http) status: u16,
    pub(in crate::http) title: String,
    pub(in crate::http) ways: &'a Ways,
}

/// The button of an error page that takes the error to the client.
pub(in crate::http) struct ContinueButton<'a> {
    pub(in crate::http) destination: Destination,
    /// The fields of the form that takes it there; without it a link does.
    pub(in crate::http) form: Option<&'a [(&'static str, String)]>,
    pub(in crate::http) host: &'a str,
}

/// The page of an error.
pub(in crate::http) fn show(
    page: Page,
    (status, error): (StatusCode, &Error),
    ways: &Ways,
    (event, facts): (&EventId, &Facts),
) -> Response {
    let t = page.t;
    let button = facts.client_response.as_ref().map(|response| ContinueButton {
        destination: Destination::client(&response.0),
        form: response.0.form(),
        host: response.0.host(),
    });
    let posts = button.as_ref().is_some_and(|button| button.form.is_some());
    let mut response = templates::show(&ErrorPage {
        page,
        advice: advice(t, error),
        asked: facts.on_page().map(|(what, value)| (label(t, *what), &**value)).collect(),
        button,
        client_name: name(facts, ways),
        event: event.to_string(),
        self_named: facts.self_named.as_ref().or(ways.self_named.as_ref()),
        message: t.sentence(error),
        status: status.as_u16(),
        title: title(t, (status, error), ways),
        ways,
    });
    if posts {
        let policy = templates::content_security_policy(true, None);
        response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    *response.status_mut() = status;
    response
}

/// The name of the app, and whether an operator gave it. Where a request is not proven to be the app's, it
/// only says so.
fn name<'a>(facts: &'a Facts, ways: &'a Ways) -> Option<(&'a str, bool)> {
    let of_facts = facts.client_name.as_deref().map(|name| (name, false));
    of_facts.or_else(|| ways.app.as_deref().map(|name| (name, ways.vouched)))
}

/// What a value of the request is called.
fn label(t: &Texts, what: Asked) -> String {
    let label = match what {
        Asked::Address => t.error.address(),
        Asked::Client => t.error.client(),
        Asked::Host => t.error.host(),
        Asked::Return => t.error.sends_to(),
    };
    label.plain()
}

/// What the person can do about a refusal, where its sentence does not say it.
fn advice(t: &Texts, error: &Error) -> Option<String> {
    let advice = match error.refusal()? {
        Refusal::AppUnknown => t.error.app_unknown(),
        Refusal::ClientUnknownAtAuthorize => t.error.client_unknown(),
        Refusal::RedirectUriUnregistered => t.error.redirect_uri_unregistered(),
        _ => return None,
    };
    Some(advice.plain())
}

fn title(t: &Texts, (status, error): (StatusCode, &Error), ways: &Ways) -> String {
    let vouched = ways.app.as_ref().filter(|_| ways.vouched);
    let title = match (error.refusal(), status.as_u16()) {
        (Some(Refusal::ClientDisabledAtAuthorize), _) => match vouched {
            Some(name) => t.error.title_client_disabled(name),
            None => t.error.title(),
        },
        (Some(Refusal::AppUnknown), _) => t.error.title_app_unknown(),
        (Some(Refusal::CsrfTokenWrong), _) => t.error.title_stale(),
        (_, 403) => t.error.title_forbidden(),
        (_, 404) => t.error.title_not_found(),
        (_, 405) => t.error.title_method(),
        (_, 421) => t.error.title_misdirected(),
        (_, 500..=599) => t.error.title_fault(),
        _ => t.error.title(),
    };
    title.plain()
}
