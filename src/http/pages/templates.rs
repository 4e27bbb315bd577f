//! The templates of the pages, one struct each, and the headers that all pages have.

use askama::Template;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::email::EmailField;
use crate::app::App;
use crate::clock::Timestamp;
use crate::config::Config;
use crate::error::{Error, Internal, Refusal};
use crate::event::EventId;
use crate::flow::person::people;
use crate::http::assets;
use crate::http::destination::{Destination, PagePath};
use crate::http::extract::browser::Browser;
use crate::http::facts::Facts;
use crate::http::failure::JsonFailure;
use crate::oauth::client::cimd::DocumentAddress;
use crate::oauth::id::ClientId;
use crate::oauth::scope::Scope;
use crate::store::StoreError;
use crate::store::schema::{Client, Origin};

/// The `Content-Security-Policy` of a page: only this server's files, no frames, forms only to this
/// server.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
     img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'self'; \
     frame-ancestors 'none'";

/// The `Content-Security-Policy` of a page that leads to a client. If its form goes there, there is no
/// `form-action`, because Chromium does not accept `[::1]` in it, and applies it to the client's
/// redirects too. The page may be in a frame of the origin `ancestor`.
pub(in crate::http) fn content_security_policy(
    form_post: bool,
    ancestor: Option<&str>,
) -> HeaderValue {
    let form_action = if form_post { "" } else { "form-action 'self'; " };
    let ancestor = ancestor.unwrap_or("'none'");
    let policy = format!(
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
         connect-src 'self'; base-uri 'none'; {form_action}frame-ancestors {ancestor}"
    );
    HeaderValue::from_str(&policy).expect("origins are printable ASCII")
}

/// The values that every page needs.
pub(in crate::http) struct Page {
    /// The folder of its style sheets and modules.
    pub(in crate::http) assets: &'static str,
    /// The anti-forgery token.
    pub(in crate::http) csrf: String,
    /// The issuer's host.
    pub(in crate::http) host: String,
}

impl Page {
    pub(in crate::http) fn of(app: &App, browser: &Browser) -> Self {
        Self {
            assets: assets::folder(false),
            csrf: browser.csrf(&app.rules().pepper),
            host: app.rules().issuer.authority().to_owned(),
        }
    }

    /// As [`Page::of`], without an anti-forgery token.
    pub(in crate::http) fn anonymous(app: &App) -> Self {
        let host = app.rules().issuer.authority().to_owned();
        Self { assets: assets::folder(false), csrf: String::new(), host }
    }
}

/// A scope token, as the pages display it.
pub(in crate::http) struct ScopeItem {
    pub(in crate::http) name: String,
    pub(in crate::http) description: String,
}

/// The descriptions of `scope`.
pub(in crate::http) fn scope_items(config: &Config, scope: &Scope) -> Vec<ScopeItem> {
    let item = |token: &crate::oauth::scope::ScopeToken| {
        let known = config.scopes.get(token).map(|entry| entry.description.clone());
        let name = token.as_str().to_owned();
        ScopeItem { description: known.unwrap_or_else(|| name.clone()), name }
    };
    scope.iter().map(item).collect()
}

/// The address of the client's metadata document, if a document registered it.
pub(in crate::http) fn named_by(id: &ClientId, client: &Client) -> Option<DocumentAddress> {
    match client.origin {
        Origin::Document { .. } => DocumentAddress::of(id).ok(),
        Origin::Dynamic { .. } | Origin::Hook | Origin::Operator => None,
    }
}

/// A passkey, as the account page lists it.
pub(in crate::http) struct PasskeyItem {
    pub(in crate::http) name: String,
    pub(in crate::http) created: String,
    pub(in crate::http) last_used: String,
    pub(in crate::http) backed_up: bool,
}

/// The date of a timestamp in UTC, `YYYY-MM-DD`.
pub(in crate::http) fn day(at: Timestamp) -> String {
    at.rfc3339().split('T').next().unwrap_or_default().to_owned()
}

/// An application to which a person consented, as the account page lists it.
pub(in crate::http) struct ApplicationItem {
    pub(in crate::http) client_id: String,
    pub(in crate::http) name: String,
    pub(in crate::http) scopes: Vec<String>,
    pub(in crate::http) since: String,
}

/// A browser session, as the account page lists it.
pub(in crate::http) struct SessionItem {
    pub(in crate::http) address: String,
    pub(in crate::http) id: String,
    pub(in crate::http) own: bool,
    pub(in crate::http) program: String,
    pub(in crate::http) since: String,
    pub(in crate::http) seen: String,
}

/// A bridge session, as the account page lists it.
pub(in crate::http) struct BridgeItem {
    pub(in crate::http) address: String,
    pub(in crate::http) id: String,
    pub(in crate::http) name: String,
    pub(in crate::http) seen: String,
    pub(in crate::http) since: String,
}

/// What the person prefers about a host of agents, as the account page lists it.
pub(in crate::http) struct HostItem {
    pub(in crate::http) enabled: bool,
    pub(in crate::http) name: String,
    /// The protocols to which its models are restricted, if they are.
    pub(in crate::http) protocols: Option<String>,
}

/// A personal access token, as the account page lists it.
pub(in crate::http) struct TokenItem {
    pub(in crate::http) created: String,
    pub(in crate::http) expires: String,
    pub(in crate::http) id: String,
    pub(in crate::http) last_used: String,
    pub(in crate::http) name: String,
}

#[derive(Template)]
#[template(path = "account.html", config = "assets/askama.toml")]
pub(in crate::http) struct AccountPage {
    pub(in crate::http) page: Page,
    pub(in crate::http) display_name: String,
    pub(in crate::http) username: String,
    pub(in crate::http) email: EmailField,
    pub(in crate::http) admin: bool,
    pub(in crate::http) issuer: String,
    pub(in crate::http) passkeys: Vec<PasskeyItem>,
    pub(in crate::http) apps: Vec<ApplicationItem>,
    pub(in crate::http) sessions: Vec<SessionItem>,
    pub(in crate::http) bridges: Vec<BridgeItem>,
    pub(in crate::http) hosts: Vec<HostItem>,
    pub(in crate::http) tokens: Vec<TokenItem>,
}

#[derive(Template)]
#[template(path = "consent.html", config = "assets/askama.toml")]
pub(in crate::http) struct ConsentPage {
    pub(in crate::http) page: Page,
    pub(in crate::http) action: PagePath,
    pub(in crate::http) client_name: String,
    pub(in crate::http) client_id: String,
    pub(in crate::http) named_by: Option<DocumentAddress>,
    pub(in crate::http) redirect_host: String,
    pub(in crate::http) loopback: bool,
    pub(in crate::http) unverified: bool,
    pub(in crate::http) resources: Vec<String>,
    pub(in crate::http) unregistered: bool,
    pub(in crate::http) scopes: Vec<ScopeItem>,
    pub(in crate::http) remembered: Vec<ScopeItem>,
    pub(in crate::http) scope: String,
    pub(in crate::http) display_name: String,
    pub(in crate::http) username: String,
    /// The field for an e-mail address, if one is asked for and the person has none.
    pub(in crate::http) email: Option<EmailField>,
}

#[derive(Template)]
#[template(path = "not_for_you.html", config = "assets/askama.toml")]
pub(in crate::http) struct NotForYouPage {
    pub(in crate::http) page: Page,
    pub(in crate::http) account: PagePath,
    pub(in crate::http) action: PagePath,
    pub(in crate::http) administrators: Vec<String>,
    pub(in crate::http) client_name: String,
    pub(in crate::http) display_name: String,
    pub(in crate::http) groups: Vec<String>,
    pub(in crate::http) username: String,
}

/// The most people whom a page names as those to ask.
const MAX_NAMED: usize = 3;

/// The names of people whom somebody can ask.
pub(in crate::http) fn administrators(app: &App) -> Result<Vec<String>, StoreError> {
    let named = people::administrators(&app.read()?, MAX_NAMED)?;
    Ok(named.iter().map(ToString::to_string).collect())
}

#[derive(Template)]
#[template(path = "device.html", config = "assets/askama.toml")]
pub(in crate::http) struct DevicePage {
    pub(in crate::http) page: Page,
    /// Whether the code came by a link.
    pub(in crate::http) linked: bool,
    pub(in crate::http) typed: String,
    pub(in crate::http) unknown: bool,
}

#[derive(Template)]
#[template(path = "device_confirm.html", config = "assets/askama.toml")]
pub(in crate::http) struct DeviceConfirmPage {
    pub(in crate::http) page: Page,
    pub(in crate::http) address: String,
    pub(in crate::http) administrators: Vec<String>,
    pub(in crate::http) user_agent: Option<String>,
    pub(in crate::http) allowable: bool,
    pub(in crate::http) client_id: String,
    pub(in crate::http) client_name: String,
    pub(in crate::http) display_name: String,
    /// The groups that the client is for, if the person is in none of them.
    pub(in crate::http) groups: Vec<String>,
    pub(in crate::http) named_by: Option<DocumentAddress>,
    pub(in crate::http) resources: Vec<String>,
    pub(in crate::http) scope: String,
    pub(in crate::http) scopes: Vec<ScopeItem>,
    pub(in crate::http) unregistered: bool,
    pub(in crate::http) unverified: bool,
    pub(in crate::http) user_code: String,
    pub(in crate::http) username: String,
    /// As on [`ConsentPage`].
    pub(in crate::http) email: Option<EmailField>,
}

#[derive(Template)]
#[template(path = "device_done.html", config = "assets/askama.toml")]
pub(in crate::http) struct DeviceDonePage {
    pub(in crate::http) page: Page,
    pub(in crate::http) allowed: bool,
    pub(in crate::http) client_name: String,
}

#[derive(Template)]
#[template(path = "error.html", config = "assets/askama.toml")]
struct ErrorPage<'a> {
    page: Page,
    advice: Option<&'static str>,
    asked: Option<&'a (&'static str, String)>,
    button: Option<ContinueButton<'a>>,
    client_name: Option<&'a str>,
    event: String,
    message: String,
    status: u16,
    title: &'static str,
}

/// The button of an error page that takes the error to the client.
struct ContinueButton<'a> {
    destination: Destination,
    /// The fields of the form that takes it there; without it a link does.
    form: Option<&'a [(&'static str, String)]>,
    host: &'a str,
}

#[derive(Template)]
#[template(path = "form_post.html", config = "assets/askama.toml")]
pub(in crate::http) struct FormPostPage<'a> {
    pub(in crate::http) page: Page,
    pub(in crate::http) destination: &'a Destination,
    pub(in crate::http) fields: &'a [(&'static str, String)],
    pub(in crate::http) host: &'a str,
    pub(in crate::http) denied: bool,
    /// Whether the page goes nowhere by itself.
    pub(in crate::http) waits: bool,
}

#[derive(Template)]
#[template(path = "link.html", config = "assets/askama.toml")]
pub(in crate::http) struct LinkPage {
    pub(in crate::http) page: Page,
    pub(in crate::http) action: PagePath,
    pub(in crate::http) address: String,
    pub(in crate::http) device: String,
    pub(in crate::http) host: Option<String>,
    pub(in crate::http) scopes: Vec<ScopeItem>,
    pub(in crate::http) display_name: String,
    pub(in crate::http) username: String,
}

#[derive(Template)]
#[template(path = "link_code.html", config = "assets/askama.toml")]
pub(in crate::http) struct LinkCodePage {
    pub(in crate::http) page: Page,
    pub(in crate::http) code: String,
    pub(in crate::http) command: String,
    pub(in crate::http) seconds: u64,
}

#[derive(Template)]
#[template(path = "link_refused.html", config = "assets/askama.toml")]
pub(in crate::http) struct LinkRefusedPage {
    pub(in crate::http) page: Page,
}

#[derive(Template)]
#[template(path = "logged_out.html", config = "assets/askama.toml")]
pub(in crate::http) struct LoggedOutPage {
    pub(in crate::http) page: Page,
    /// Whether the app named an address that could not be verified.
    pub(in crate::http) astray: bool,
}

#[derive(Template)]
#[template(path = "login.html", config = "assets/askama.toml")]
pub(in crate::http) struct LoginPage {
    pub(in crate::http) page: Page,
    pub(in crate::http) next: PagePath,
    pub(in crate::http) client: Option<String>,
    pub(in crate::http) login_hint: String,
    pub(in crate::http) cancel: Option<PagePath>,
    pub(in crate::http) nobody: bool,
}

#[derive(Template)]
#[template(path = "logout.html", config = "assets/askama.toml")]
pub(in crate::http) struct LogoutPage {
    pub(in crate::http) page: Page,
    pub(in crate::http) action: PagePath,
    pub(in crate::http) astray: bool,
    pub(in crate::http) client_name: Option<String>,
    pub(in crate::http) display_name: String,
}

/// The page whose script proves the session and displays the page itself.
#[derive(Template)]
#[template(path = "prove.html", config = "assets/askama.toml")]
pub(in crate::http) struct ProvePage {
    pub(in crate::http) page: Page,
    pub(in crate::http) challenge: String,
}

#[derive(Template)]
#[template(path = "redirect.html", config = "assets/askama.toml")]
pub(in crate::http) struct RedirectPage<'a> {
    pub(in crate::http) page: Page,
    pub(in crate::http) destination: &'a Destination,
    pub(in crate::http) host: &'a str,
    pub(in crate::http) denied: bool,
    /// Whether the page goes nowhere by itself.
    pub(in crate::http) waits: bool,
}

#[derive(Template)]
#[template(path = "setup.html", config = "assets/askama.toml")]
pub(in crate::http) struct SetupPage {
    pub(in crate::http) page: Page,
}

/// As [`ProvePage`], for a request with `prompt=none`: it displays nothing.
#[derive(Template)]
#[template(path = "silent.html", config = "assets/askama.toml")]
pub(in crate::http) struct SilentPage {
    pub(in crate::http) assets: &'static str,
    pub(in crate::http) challenge: String,
}

/// Renders a page.
pub(in crate::http) fn show(template: &impl Template) -> Response {
    let html = match template.render() {
        Ok(html) => html,
        Err(error) => return JsonFailure::from(Internal::new(error)).into_response(),
    };
    let fixed = [
        (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(CONTENT_SECURITY_POLICY)),
        (header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8")),
        // With `no-referrer`, the page's own POST would carry `Origin: null`.
        (header::REFERRER_POLICY, HeaderValue::from_static("same-origin")),
    ];
    (fixed, html).into_response()
}

/// As [`show`], with `Cross-Origin-Opener-Policy`, so that no window of another origin keeps a
/// reference to the page. On other pages it would break clients that open the sign-in in a popup.
pub(in crate::http) fn show_alone(template: &impl Template) -> Response {
    let mut response = show(template);
    let value = HeaderValue::from_static("same-origin");
    response.headers_mut().insert("cross-origin-opener-policy", value);
    response
}

/// The error page: a message, the facts beside it, and the event id under which the log has the
/// reason.
pub(in crate::http) fn error(
    app: &App,
    assets: &'static str,
    (status, error): (StatusCode, &Error),
    event: &EventId,
    facts: &Facts,
) -> Response {
    let button = facts.client_response.as_ref().map(|response| ContinueButton {
        destination: Destination::client(&response.0),
        form: response.0.form(),
        host: response.0.host(),
    });
    let posts = button.as_ref().is_some_and(|button| button.form.is_some());
    let mut response = show(&ErrorPage {
        page: Page { assets, ..Page::anonymous(app) },
        advice: advice(error),
        asked: facts.asked_on_page.as_ref(),
        button,
        client_name: facts.client_name.as_deref(),
        event: event.to_string(),
        message: sentence(&error.sentence()),
        status: status.as_u16(),
        title: title(error, status),
    });
    if posts {
        let policy = content_security_policy(true, None);
        response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    *response.status_mut() = status;
    response
}

/// What the person can do about a refusal, where its sentence does not say it.
fn advice(error: &Error) -> Option<&'static str> {
    match error.refusal()? {
        Refusal::AppUnknown => Some(
            "Nobody has set up an application at this host yet. Whoever runs this Gatelodge can do \
             it. It has nothing to do with your account.",
        ),
        Refusal::ClientUnknownAtAuthorize => Some(
            "If this app worked here before, it may remember a registration that is gone. Remove \
             the connection to this server in the app's settings and add it again. A program on \
             the command line forgets it with a sign-out, or with the folder where it keeps its \
             sign-ins.",
        ),
        Refusal::RedirectUriUnregistered => Some(
            "Nothing was sent to that address. If you trust the app, whoever runs this Gatelodge \
             can register the address for it.",
        ),
        _ => None,
    }
}

/// A sentence as people read it. Names of parameters stay as they are.
fn sentence(sentence: &str) -> String {
    let first = sentence.split([' ', ':']).next().unwrap_or_default();
    let is_word = first.bytes().all(|b| b.is_ascii_lowercase());
    let end = if sentence.ends_with('.') { "" } else { "." };
    match sentence.split_at_checked(1) {
        Some((letter, rest)) if is_word => format!("{}{rest}{end}", letter.to_ascii_uppercase()),
        _ => format!("{sentence}{end}"),
    }
}

fn title(error: &Error, status: StatusCode) -> &'static str {
    match error.refusal() {
        Some(Refusal::AppUnknown) => return "This application is not set up",
        Some(Refusal::CsrfTokenWrong) => return "This page is out of date",
        Some(_) | None => {}
    }
    match status.as_u16() {
        403 => "This is not for you",
        404 => "There is nothing here",
        405 => "That does not work here",
        421 => "A wrong address",
        500..=599 => "Something went wrong here",
        _ => "This request cannot go on",
    }
}
