//! Forward authentication: `/auth/verify` for proxies, and `/_gatelodge/…` for browsers on an
//! application's host.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse, Response};

use super::cookie::{self, SetCookie};
use super::destination::{Destination, PagePath};
use super::extract::body::Query;
use super::extract::host::AtApplication;
use super::extract::own_page::SameSite;
use super::extract::peer::ApplicationProxy;
use super::facts::Facts;
use super::failure::{NegotiatedFailure, PageFailure};
use super::pages::cookie::with_cookie;
use super::redirect;
use crate::app::{App, Used};
use crate::error::{Error, Refusal};
use crate::flow::application::{self, App as Protected};
use crate::flow::session::{self, LiveSession};
use crate::model::application::{ForwardedHeaders, OriginalRequest, ReturnPath};
use crate::secret::{AppSecret, AppStart};

/// Responds to a proxy with the person (200), or with a redirect to the sign-in.
///
/// Every identity header is always present, even if empty, so that the proxy overwrites the
/// request's headers of that name. Some proxies fail to: Caddy 2.10.0 to 2.11.1 forwards the
/// request's header if this one is empty (GHSA-7r4p-vjf4-gxv4), and Caddy before 2.11.4 forwards a
/// header with `_` for `-` in its name to FastCGI (GHSA-f59h-q822-g45g).
pub(super) async fn verify(
    State(app): State<Arc<App>>,
    _: ApplicationProxy,
    headers: HeaderMap,
) -> Result<Response, NegotiatedFailure> {
    let original = original(&headers)?;
    let protected = Protected::at(&app.rules(), &original.host).map_err(|refusal| {
        NegotiatedFailure::from(refusal).with_facts(Facts::of_host(original.host.as_str()))
    })?;
    let cookie = Cookie::Session.read::<AppSecret>(&app, &protected, &headers);
    let cookie = cookie.map(|secret| app.rules().pepper.hash(&secret));

    let cx = app.present();
    let live = application::verify(&app.read()?, &cx, &protected, cookie.as_ref());
    match live {
        Ok(live) => {
            if let Some(hash) = cookie
                && application::is_outdated(&app.read()?, &hash)?
            {
                app.note_used(Used::Application(hash));
            }
            if live.needs_touch(&cx) {
                let id = live.id();
                // This request describes the proxy's device, not the browser's.
                app.record(move |tx, cx| session::touch(tx, cx, id, None)).await?;
            }
            Ok(identity(&live))
        }
        Err(Error::Refused(Refusal::AppSessionMissing)) => {
            let start = Destination::application_start(&app.rules(), &protected, &original.path);
            if !original.by_status {
                return Ok(redirect::found(&start));
            }
            // Caddy and Traefik forward the refusal to the browser.
            let response = NegotiatedFailure::from(Refusal::AppSessionMissing).into_response();
            Ok(redirect::with_location(response, &start))
        }
        Err(error) => Err(error.into()),
    }
}

fn original(headers: &HeaderMap) -> Result<OriginalRequest, Refusal> {
    let one = |name: &str| {
        let mut values = headers.get_all(name).iter();
        match (values.next(), values.next()) {
            (None, _) => Ok(None),
            (Some(value), None) => value.to_str().map(Some).map_err(|_| Refusal::AppUnknown),
            (Some(_), Some(_)) => Err(Refusal::AppUnknown),
        }
    };
    // Each proxy that takes a part of the path away adds a header, or an item to it.
    let prefixes = headers.get_all("x-forwarded-prefix").iter();
    let prefixes = prefixes.map(|value| value.to_str().unwrap_or_default());
    let prefix: String = prefixes.flat_map(|value| value.split(',')).map(str::trim).collect();
    OriginalRequest::parse(ForwardedHeaders {
        fetch_mode: one("sec-fetch-mode")?,
        original_url: one("x-original-url")?,
        forwarded_host: one("x-forwarded-host")?,
        forwarded_prefix: Some(prefix.as_str()).filter(|prefix| !prefix.is_empty()),
        forwarded_method: one("x-forwarded-method")?,
        forwarded_uri: one("x-forwarded-uri")?,
    })
}

/// The response with the person, in the conventional `Remote-*` headers.
fn identity(live: &LiveSession) -> Response {
    let person = live.person();
    let groups = person.groups_and_roles().join(",");
    let email = person.email.as_ref().filter(|email| email.is_operators());
    let email = email.map(|email| email.address.as_str()).unwrap_or_default();
    let mut response = StatusCode::OK.into_response();
    for (name, value) in [
        ("remote-user", person.username.as_str()),
        ("remote-name", person.display_name.as_str()),
        ("remote-email", email),
        ("remote-groups", &groups),
    ] {
        // Names have no control characters; every other character is sent as UTF-8.
        let value = HeaderValue::from_bytes(value.as_bytes());
        let value = value.unwrap_or_else(|_| HeaderValue::from_static(""));
        response.headers_mut().insert(name, value);
    }
    response
}

/// Starts a sign-in on the application's host. It sets a cookie that must return with the code, so
/// that no other site can sign a browser in as another person.
pub(super) async fn start(
    State(app): State<Arc<App>>,
    AtApplication(protected): AtApplication,
    Query(query): Query,
    headers: HeaderMap,
) -> Result<Response, PageFailure> {
    let path = ReturnPath::of(query.one("rd")?);
    // Two tabs of one browser share the cookie.
    let existing = Cookie::Start.read::<AppStart>(&app, &protected, &headers);
    let secret = existing.unwrap_or_else(|| app.context().seed.token());
    let state = app.rules().pepper.csrf(&secret);
    let page = PagePath::Application { host: protected.host().clone(), path, state };
    let destination = Destination::page_from_application(&app.rules().issuer, &page);
    let lasting = app.rules().config.lifetimes.interaction;
    let cookie = Cookie::Start.set(&app, &protected, &secret.expose(), lasting);
    Ok(with_cookie(redirect::see_other(&destination), cookie))
}

/// Exchanges the code for the application's session cookie, and redirects to the path that the
/// person requested.
pub(super) async fn callback(
    State(app): State<Arc<App>>,
    AtApplication(protected): AtApplication,
    Query(query): Query,
    parts: Parts,
) -> Result<Response, PageFailure> {
    // HEAD has no side effects (RFC 9110 §9.3.2).
    if parts.method == Method::HEAD {
        return Ok(redirect::to_head());
    }
    let code = query.one("code")?.and_then(|code| code.parse().ok());
    let code = code.ok_or(Refusal::AppCodeUnknown)?;
    let start = Cookie::Start.read::<AppStart>(&app, &protected, &parts.headers);
    let start = start.ok_or(Refusal::AppCodeOfAnotherBrowser)?;
    let state = query.one("state")?.unwrap_or_default();
    if !app.rules().pepper.csrf_matches(&start, state) {
        return Err(Refusal::AppCodeOfAnotherBrowser.into());
    }
    let at = protected.clone();
    let redeemed = app.write(move |tx, cx| application::redeem(tx, cx, &at, &code, &start));
    let (secret, path) = redeemed.await?;
    let lasting = app.rules().config.lifetimes.session_total;
    let cookie = Cookie::Session.set(&app, &protected, &secret.expose(), lasting);
    // The start cookie stays, because another tab may have started with it.
    let destination = Destination::application(&app.rules(), &protected, &path);
    Ok(with_cookie(redirect::see_other(&destination), cookie))
}

/// Ends the application's session, and redirects to the sign-out of the person's own session.
pub(super) async fn sign_out(
    State(app): State<Arc<App>>,
    AtApplication(protected): AtApplication,
    _: SameSite,
    parts: Parts,
) -> Result<Response, PageFailure> {
    let issuer = &app.rules().issuer;
    let destination = Destination::page_from_application(issuer, &PagePath::Logout);
    let response = redirect::see_other(&destination);
    if parts.method == Method::HEAD {
        return Ok(response);
    }
    if let Some(secret) = Cookie::Session.read::<AppSecret>(&app, &protected, &parts.headers) {
        let cookie = app.rules().pepper.hash(&secret);
        let at = protected.clone();
        app.write(move |tx, _| application::sign_out(tx, &at, &cookie)).await?;
    }
    Ok(with_cookie(response, Cookie::Session.set(&app, &protected, "", Duration::ZERO)))
}

/// The cookies of an application's host.
#[derive(Clone, Copy)]
enum Cookie {
    /// The cookie of the application's session.
    Session,
    /// The cookie that binds a sign-in to the browser that started it.
    Start,
}

impl Cookie {
    /// The name. RFC 6265 §8.5: "Cookies do not provide isolation by port", so it contains the
    /// application's port.
    fn name(self, app: &App, protected: &Protected) -> String {
        let suffix = match self {
            Self::Session => "",
            Self::Start => "_start",
        };
        let port = protected.host().port().map(|port| format!("_{port}")).unwrap_or_default();
        if app.rules().issuer.is_https() {
            return format!("__Host-gatelodge{suffix}{port}");
        }
        format!("gatelodge_app{suffix}{port}")
    }

    fn read<T: std::str::FromStr>(
        self,
        app: &App,
        protected: &Protected,
        headers: &HeaderMap,
    ) -> Option<T> {
        cookie::one(&self.name(app, protected), headers).and_then(|value| value.parse().ok())
    }

    fn set(self, app: &App, protected: &Protected, value: &str, lasting: Duration) -> HeaderValue {
        SetCookie {
            name: &self.name(app, protected),
            value,
            path: "/",
            lasting,
            secure: app.rules().issuer.is_https(),
        }
        .header()
    }
}
